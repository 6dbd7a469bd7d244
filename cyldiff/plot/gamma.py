"""Figures of diffuse emission: spectrum of a region, profile in longitude, the sky, the plane."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from cyldiff.data.diffuse import DiffuseMeasurement
from cyldiff.observables.gamma import DiffuseSky
from cyldiff.plot.output import figure_path, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["POWER", "draw_profile", "draw_sky", "draw_spectrum"]

#: spectra are shown times the energy to this power
POWER = 2.0
#: half-width of the map of the plane in b, and steps in l and b of both maps [deg]
PLANE, PLANE_STEPS = 10.0, (1.0, 0.125)
SKY_STEPS = (1.0, 0.5)


def draw_spectrum(
    spectrum: xr.Dataset, *, path: str | Path, data: Sequence[DiffuseMeasurement] = ()
) -> Figure:
    """Draw the spectrum of a region with its components and measured ones, and write the figure.

    Parameters
    ----------
    spectrum : xarray.Dataset   of :meth:`cyldiff.observables.gamma.DiffuseSky.region`
    path : str or Path          file to write; .png, .pdf or .svg
    data : sequence             measured spectra of the same region

    Raises
    ------
    DataError
        if the file cannot be written.
    CyldiffError
        if matplotlib is not installed.
    """

    def build() -> Figure:
        from cyldiff.plot.gamma_figure import spectrum_figure

        return spectrum_figure(spectrum, data, POWER)

    return save_figure(build, figure_path(path))


def draw_profile(profile: xr.Dataset, *, path: str | Path) -> Figure:
    """Draw a profile in longitude at up to four energies; arguments and errors as :func:`draw_spectrum`.

    `profile` is of :meth:`cyldiff.observables.gamma.DiffuseSky.profile`.
    """

    def build() -> Figure:
        from cyldiff.plot.gamma_figure import profile_figure

        return profile_figure(profile, POWER)

    return save_figure(build, figure_path(path))


def draw_sky(sky: DiffuseSky, *, path: str | Path, plane: bool = False) -> Figure:
    """Draw the sky in Mollweide's projection, or the plane, at the energy in the middle of those of `sky`.

    Errors as :func:`draw_spectrum`.
    """
    target = figure_path(path)
    energy = sky.energy.size // 2
    longitude, latitude = _raster(plane)
    lon, lat = np.meshgrid(longitude, latitude)
    at_one = sky.at_energy(energy)
    values = at_one.intensity(lon.ravel(), lat.ravel()).sum(axis=0)[0].reshape(lon.shape)

    def build() -> Figure:
        from cyldiff.plot.gamma_figure import plane_figure, sky_figure

        make = plane_figure if plane else sky_figure
        return make(longitude, latitude, values, float(at_one.energy[0]), sky.secondary, POWER)

    return save_figure(build, target)


def _raster(plane: bool) -> tuple[np.ndarray, np.ndarray]:
    """Centres of the pixels in l and b [deg]; l increases."""
    step_l, step_b = PLANE_STEPS if plane else SKY_STEPS
    top = PLANE if plane else 90.0
    return (
        np.arange(-180.0 + 0.5 * step_l, 180.0, step_l),
        np.arange(-top + 0.5 * step_b, top, step_b),
    )

"""Figure of the dipole: amplitude above, right ascension below, both against energy, with measured dipoles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.data.dipoles import DipoleMeasurement
from cyldiff.observables.dipole import equatorial_projection
from cyldiff.plot.output import figure_path, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["RANGE", "draw_anisotropy", "shown_parts", "unwrapped"]

Array = NDArray[np.float64]

#: energies shown unless others are asked for [GeV]
RANGE = (1.0e2, 1.0e7)
#: parts with a curve of their own; the others are added up
MOST = 6


def draw_anisotropy(
    dipole: xr.Dataset,
    *,
    path: str | Path,
    data: Sequence[DipoleMeasurement] = (),
    shown: tuple[float, float] = RANGE,
) -> Figure:
    """Draw a dipole with its parts and measured ones, and write the figure.

    Parameters
    ----------
    dipole : xarray.Dataset     of :func:`cyldiff.observables.anisotropy.anisotropy`
    path : str or Path          file to write; .png, .pdf or .svg
    data : sequence             measured dipoles to show
    shown : tuple               range of the abscissa

    Raises
    ------
    DataError
        if the file cannot be written.
    CyldiffError
        if matplotlib is not installed.
    """
    target = figure_path(path)

    def build() -> Figure:
        from cyldiff.plot.anisotropy_figure import anisotropy_figure

        return anisotropy_figure(dipole, data, shown)

    return save_figure(build, target)


def shown_parts(dipole: xr.Dataset, shown: tuple[float, float]) -> dict[str, tuple[Array, Array]]:
    """Amplitude and phase of the parts that get a curve: the strongest, and the sum of all others.

    A part counts by the largest share that its vector ever has in the amplitude shown.
    """
    axis = str(dipole["amplitude"].dims[0])
    inside = (dipole[axis].values >= shown[0]) & (dipole[axis].values <= shown[1])
    names = [str(name) for name in dipole["part"].values]
    if len(names) < 2:
        return {}
    strength = np.nan_to_num(dipole["amplitude_part"].values[:, inside]).max(axis=1, initial=0.0)
    ranked = sorted(range(len(names)), key=lambda i: -strength[i])
    kept = sorted(ranked if len(names) <= MOST else ranked[: MOST - 1])
    curves = {names[i]: (dipole["amplitude_part"].values[i], dipole["phase_part"].values[i]) for i in kept}
    others = [i for i in ranked if i not in kept]
    if others:
        amplitude, phase, _ = equatorial_projection(dipole["vector_part"].values[others].sum(axis=0))
        curves[f"{len(others)} others"] = amplitude, phase
    return curves


def unwrapped(phase: Array) -> Array:
    """Right ascensions in [-180, 180), where most measured phases and the Galactic centre are no neighbours.

    Of two neighbours that the cut separates the first becomes NaN, so that no line is drawn across.
    """
    turned = (np.asarray(phase, dtype=float) + 180.0) % 360.0 - 180.0
    jumps = np.abs(np.diff(turned)) > 180.0
    return np.where(np.concatenate((jumps, [False])), np.nan, turned)

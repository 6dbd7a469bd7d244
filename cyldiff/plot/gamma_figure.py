"""The drawing of :mod:`cyldiff.plot.gamma`: the part that needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator
from numpy.typing import NDArray

from cyldiff.data.diffuse import DiffuseMeasurement
from cyldiff.plot import style

__all__ = ["plane_figure", "profile_figure", "sky_figure", "spectrum_figure"]

Array = NDArray[np.float64]

_WORDS = {"gamma": "gamma rays", "neutrino": "neutrinos, all flavours"}
#: colours run from the largest value down by this factor at most
_RANGE = 1e3


def _label(power: float, secondary: str) -> str:
    symbol = r"I_\gamma" if secondary == "gamma" else r"I_\nu"
    factor = f"E^{{{power:g}}}\\," if power else ""
    unit = "GeV" if power == 2.0 else f"GeV$^{{{power - 1:g}}}$"
    return f"${factor}{symbol}$   [{unit} cm$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$]"


def spectrum_figure(spectrum: xr.Dataset, data: Sequence[DiffuseMeasurement], power: float) -> Figure:
    """Spectrum of a region, its components, measured points."""
    figure = Figure(figsize=(7.0, 5.2), layout="constrained")
    ax: Any = figure.subplots()
    energy, secondary = spectrum["energy"].values, str(spectrum.attrs["secondary"])
    factor = energy**power
    total = spectrum["intensity"].values
    ax.plot(energy, factor * total, color="black", lw=2.0, label=f"{_WORDS[secondary]}, model", zorder=5)
    components = [str(name) for name in spectrum["component"].values]
    for rank, name in enumerate(components if len(components) > 1 else ()):
        ax.plot(
            energy, factor * spectrum["intensity_component"].sel(component=name).values, lw=1.3,
            **style.line_of(1 + rank % (len(style.SEQUENCE) - 1)), label=name, zorder=4,
        )  # fmt: skip
    for rank, one in enumerate(data):
        scale = one.energy**power
        ax.errorbar(
            one.energy, scale * one.intensity, yerr=scale * np.stack([one.sigma_minus, one.sigma_plus]),
            xerr=np.stack([one.energy - one.energy_low, one.energy_high - one.energy]),
            fmt=style.MARKERS[rank % len(style.MARKERS)], color=style.colour_of(one.experiment, rank), ms=4.5, lw=0,
            elinewidth=1.0, label=f"{one.experiment} (sources masked)", zorder=6,
        )  # fmt: skip
    _limits(ax, [factor * total, *(one.energy**power * one.intensity for one in data)])
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel(r"Energy $E$ [GeV]")
    ax.set_ylabel(_label(power, secondary))
    ax.set_title(_where(spectrum), fontsize=11.0)
    ax.legend(loc="lower left")
    return figure


def _limits(ax: Any, curves: Sequence[Array]) -> None:
    values = np.concatenate([c[np.isfinite(c) & (c > 0.0)] for c in curves])
    if values.size:
        ax.set_ylim(max(values.min() / 2.0, values.max() * 1e-5), values.max() * 2.5)


def _where(spectrum: xr.Dataset) -> str:
    discs = spectrum.attrs["masked_discs"]
    mask = f", {discs} discs masked" if discs else ", no mask"
    return f"{spectrum.attrs['region']}: {spectrum.attrs['solid_angle_sr']:.3f} sr{mask}"


def profile_figure(profile: xr.Dataset, power: float) -> Figure:
    """Steps in longitude at up to four energies."""
    figure = Figure(figsize=(7.4, 4.6), layout="constrained")
    ax: Any = figure.subplots()
    secondary = str(profile.attrs["secondary"])
    edges = np.concatenate([profile["l_bounds"].values[:, 0], profile["l_bounds"].values[-1:, 1]])
    energies = profile["energy"].values
    chosen = np.unique(np.linspace(0, energies.size - 1, min(4, energies.size)).round().astype(int))
    curves = [energies[i] ** power * profile["intensity"].values[i] for i in chosen]
    for rank, (i, curve) in enumerate(zip(chosen, curves, strict=True)):
        ax.stairs(
            curve,
            edges,
            baseline=None,
            lw=1.6,
            label=style.energy_text(float(energies[i])),
            **style.line_of(rank),
        )
    _limits(ax, curves)
    ax.set_yscale("log")
    ax.set_xlim(edges[-1], edges[0])
    _longitudes(ax)
    ax.set_ylabel(_label(power, secondary))
    low, high = profile["b_bounds"].values[0]
    limits = f"${low:g}\\degree < b < {high:g}\\degree$"  # as mathematics: with a minus sign
    ax.set_title(f"{_WORDS[secondary]}, {limits}", fontsize=11.0)
    ax.legend(loc="best", ncols=2)
    return figure


def sky_figure(
    longitude: Array, latitude: Array, values: Array, energy: float, secondary: str, power: float
) -> Figure:
    """The whole sky in Mollweide's projection, the Galactic centre in the middle, l to the left."""
    figure = Figure(figsize=(8.6, 5.0), layout="constrained")
    ax: Any = figure.subplots(subplot_kw={"projection": "mollweide"})
    # longitude increases to the left: the abscissa of the projection is -l
    mesh = ax.pcolormesh(
        np.radians(-longitude[::-1]), np.radians(latitude), energy**power * values[:, ::-1],
        norm=_norm(energy**power * values), cmap=style.SEQUENTIAL, shading="nearest", rasterized=True,
    )  # fmt: skip
    ax.grid(color="0.6", lw=0.4)
    ax.set_xticks(np.radians([-120.0, -60.0, 0.0, 60.0, 120.0]), ["120°", "60°", "0°", "300°", "240°"])
    ax.tick_params(axis="x", colors="white", labelsize=8.5)
    ax.tick_params(axis="y", labelsize=8.5)
    latitudes = [-60.0, -30.0, 0.0, 30.0, 60.0]
    ax.set_yticks(np.radians(latitudes), [f"${b:g}\\degree$" for b in latitudes])
    figure.colorbar(mesh, ax=ax, orientation="horizontal", shrink=0.7, label=_label(power, secondary))
    ax.set_title(f"{_WORDS[secondary]} at {style.energy_text(energy)}", fontsize=11.0)
    return figure


def plane_figure(
    longitude: Array, latitude: Array, values: Array, energy: float, secondary: str, power: float
) -> Figure:
    """The plane: l from 180 to -180 deg, b stretched."""
    figure = Figure(figsize=(9.2, 3.4), layout="constrained")
    ax: Any = figure.subplots()
    shown = energy**power * values
    mesh = ax.pcolormesh(
        longitude,
        latitude,
        shown,
        norm=_norm(shown),
        cmap=style.SEQUENTIAL,
        shading="nearest",
        rasterized=True,
    )
    ax.set_xlim(180.0, -180.0)
    _longitudes(ax)
    ax.set_ylabel("Galactic latitude $b$ [deg]")
    figure.colorbar(mesh, ax=ax, label=_label(power, secondary), pad=0.01)
    ax.set_title(f"{_WORDS[secondary]} at {style.energy_text(energy)}", fontsize=11.0)
    return figure


def _longitudes(ax: Any) -> None:
    """Ticks of the abscissa from 0 to 360 deg."""
    wide = abs(float(np.diff(ax.get_xlim())[0])) > 150.0
    ax.xaxis.set_major_locator(MultipleLocator(60.0 if wide else 20.0))
    ax.xaxis.set_minor_locator(MultipleLocator(20.0 if wide else 5.0))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value % 360.0:.0f}"))
    ax.set_xlabel("Galactic longitude $l$ [deg]")


def _norm(values: Array) -> LogNorm:
    largest = float(values.max(initial=0.0)) or 1.0
    smallest = float(values[values > 0.0].min(initial=largest))
    return LogNorm(max(smallest, largest / _RANGE), largest)

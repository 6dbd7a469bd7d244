"""Figures of a population: the band of its spectra, and fluxes around a ring of observers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cyldiff.data.measurements import Measurement, available, load
from cyldiff.errors import DataError, nearest
from cyldiff.observables.abscissa import ABSCISSAE, Nuclide, abscissa_named
from cyldiff.plot import style
from cyldiff.plot.points import draw_points
from cyldiff.units import parse_quantity

__all__ = ["band_figure", "ring_figure"]

Array = NDArray[np.float64]

#: intensities are shown times the energy to this power, as usual around the knee
POWER = 2.75
_AXIS = "kinetic_energy"
_BAND, _LINE = style.PURPLE, style.WINE
#: data against these energies can be shown together where the rest energy does not matter
_ALIKE = ("kinetic_energy", "total_energy")
#: realisations of a ring that are drawn with a colour
_DRAWN = 8


def band_figure(dataset: xr.Dataset, what: str, data: Sequence[str | Path | Measurement] | None) -> Figure:
    """Median, 68 % and 95 % of the realisations at the Sun, extremes, mean, the reference, and data.

    Parameters
    ----------
    dataset : of :func:`cyldiff.population_fluxes`
    what : a species of it; default the first
    data : data sets to show; default those of the library that measure it against this energy
    """
    name = _species(dataset, what)
    sun = dataset.isel(observer=0).sel(species=name)
    nucleus = Nuclide(*(sun[k].item() for k in ("charge", "mass_number", "mass_per_nucleon")))
    axis = abscissa_named(_AXIS)
    energy = sun["kinetic_energy"].values
    x = energy * nucleus.nucleons
    scale = x**POWER / nucleus.nucleons
    figure = Figure(figsize=(7.2, 5.4), layout="constrained")
    ax = figure.subplots()
    low2, low, median, high, high2 = (sun["flux_quantiles"].values * scale)[:5]
    ax.fill_between(x, low2, high2, color=_BAND, alpha=0.25, lw=0, label="95 %")
    ax.fill_between(x, low, high, color=_BAND, alpha=0.5, lw=0, label="68 %")
    ax.plot(x, median, color=_LINE, lw=1.9, label="median")
    ax.plot(
        x, sun["flux_expected"].values * scale, color=_LINE, lw=1.2, ls="--", label="mean, by integration"
    )
    for part, label in (("flux_minimum", "extremes"), ("flux_maximum", None)):
        ax.plot(x, sun[part].values * scale, color=_LINE, lw=0.9, ls=":", label=label)
    if "flux_reference" in dataset:
        ax.plot(x, sun["flux_reference"].values * scale, color="black", lw=1.3, ls="-.", label="reference")
    measured = _measured(name, data)
    for rank, m in enumerate(measured):
        draw_points(ax, m, rank, power=POWER)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(x[0], x[-1])
    # the maximum of many realisations may be far above everything else
    shown = np.concatenate([low2, high2, *(m.y * m.x**POWER for m in measured)])
    shown = shown[np.isfinite(shown) & (shown > 0.0)]
    ax.set_ylim(max(shown.min() / 3.0, shown.max() * 1e-4), shown.max() * 5.0)
    ax.set_xlabel(style.x_label(axis))
    ax.set_ylabel(f"{style.label_of(name)}:  {style.times_power_label(axis, POWER)}")
    ax.legend(loc="lower left", ncols=2, title=_title(dataset))
    return figure


def ring_figure(dataset: xr.Dataset, what: str) -> Figure:
    """Intensity around the circle in single realisations, relative to the reference, or to the median.

    Parameters
    ----------
    dataset : of :func:`cyldiff.population_fluxes`, with a ring
    what : energy per nucleon, e.g. "3.5 PeV"; default the middle of the range
    """
    if dataset.sizes.get("observer", 1) < 3:
        raise DataError('"ring" draws observers on a circle; add observers.ring to the population')
    k = _energy(dataset, what)
    ring = dataset.isel(observer=slice(1, None), species=0, kinetic_energy=k)
    unit, label = _unit(ring)
    azimuth = ring["azimuth"].values
    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    ax = figure.subplots()
    low, median, high = (ring["flux_quantiles"].sel(quantile=q).values / unit for q in (0.16, 0.5, 0.84))
    ax.fill_between(azimuth, low, high, color="0.85", lw=0, label="68 %")
    ax.plot(azimuth, median, color="0.5", lw=1.2, ls="--", label="median")
    if "flux_realisation" in ring:
        for i in range(min(_DRAWN, ring.sizes["realisation"])):
            one = ring["flux_realisation"].isel(realisation=i).values / unit
            ax.plot(azimuth, one, lw=1.2, **style.line_of(i))
    else:
        for part, name in (("flux_minimum", "extremes"), ("flux_maximum", None)):
            ax.plot(azimuth, ring[part].values / unit, color="0.3", lw=0.9, ls=":", label=name)
    ax.axhline(1.0, color="black", lw=0.8)
    ax.set_yscale("log")
    ax.set_xlim(0.0, 360.0)
    ax.set_xticks(range(0, 361, 60))
    ax.set_xlabel("Azimuth on the circle, 0 at the Sun [deg]")
    radius = float(np.hypot(*ring["position_observer"].values[0, :2]))
    ax.set_ylabel(f"J / {label} at {_shown(float(ring['kinetic_energy']))}")
    ax.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, title=f"{_title(dataset)}, r = {radius:g} kpc"
    )
    return figure


def _species(dataset: xr.Dataset, what: str) -> str:
    known = [str(name) for name in dataset["species"].values]
    if not what.strip():
        return known[0]
    if what.strip() not in known:
        raise DataError(
            f'no species "{what}" in this population; known: {", ".join(known)}{nearest(what, known)}'
        )
    return what.strip()


def _energy(dataset: xr.Dataset, what: str) -> int:
    """Index of the energy nearest to the one asked for."""
    energies = dataset["kinetic_energy"].values
    if not what.strip():
        return len(energies) // 2
    try:
        wanted = parse_quantity(what.strip(), "energy")
    except ValueError as error:
        raise DataError(f"ring: {error}") from None
    if not energies[0] * (1.0 - 1e-6) <= wanted <= energies[-1] * (1.0 + 1e-6):
        raise DataError(
            f"ring: {what} is outside the energies, {_shown(energies[0])} to {_shown(energies[-1])}"
        )
    return int(np.argmin(np.abs(np.log(energies / wanted))))


def _unit(ring: xr.Dataset) -> tuple[float, str]:
    if "flux_reference" in ring:
        return float(ring["flux_reference"]), "reference"
    return float(ring["flux_quantiles"].sel(quantile=0.5).mean()), "median"


def _shown(energy: float) -> str:
    """An energy in a unit that makes it a small number."""
    for unit, size in (("PeV", 1e6), ("TeV", 1e3)):
        if energy >= size:
            return f"{energy / size:.3g} {unit}"
    return f"{energy:.3g} GeV"


def _title(dataset: xr.Dataset) -> str:
    return f"{dataset.attrs.get('population', 'population')}, {dataset.sizes['realisation']} realisations"


def _measured(name: str, data: Sequence[str | Path | Measurement] | None) -> list[Measurement]:
    """Data sets of this element against the energy of the particle: those listed, or all of the library."""
    element = name.rstrip("0123456789")
    listed = data if data is not None else list(available())
    chosen = []
    for m in (m if isinstance(m, Measurement) else load(m) for m in listed):
        if not m.denominator and m.abscissa in _ALIKE and m.numerator in ((element,), (name,)):
            chosen.append(m)
        elif data is not None:
            axes = " or ".join(ABSCISSAE[a].long_name for a in _ALIKE)
            raise DataError(f'data set "{m.name}" measures {m.quantity} against {m.abscissa}; expected {element} '
                            f"against {axes}")  # fmt: skip
    return chosen

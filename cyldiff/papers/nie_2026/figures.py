"""Figures of the rerun of Nie et al. 2026; everything is computed elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.data.measurements import Measurement, load
from cyldiff.fit.joint import JointPrediction
from cyldiff.galaxy.xray_binaries import Binaries
from cyldiff.observables.ratios import ratio
from cyldiff.observables.spectra import spectrum
from cyldiff.papers.nie_2026.binaries import LATITUDE, NAMED, Region
from cyldiff.papers.nie_2026.escape import Needed
from cyldiff.papers.nie_2026.known import Emission
from cyldiff.plot import style
from cyldiff.plot.style import SEQUENCE
from cyldiff.sources.catalogue_file import load_catalogue

__all__ = [
    "all_particle_figure",
    "bc_figure",
    "halo_figure",
    "helium_figure",
    "known_figure",
    "map_figure",
    "proton_figure",
    "sed_figure",
]

Array = NDArray[np.float64]

#: power that intensities are multiplied with
POWER = 2.7
_INTENSITY = f"$E^{{{POWER}}} J$  [GeV$^{{{POWER - 1:.1f}}}$ m$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$]"
_PROTONS = {
    "dampe-h-kinetic-energy": ("s", "DAMPE"),
    "calet-h-kinetic-energy": ("D", "CALET"),
    "lhaaso-epos-lhc-h-total-energy": ("o", "LHAASO (EPOS-LHC)"),
    "icetop-h-total-energy": ("^", "IceTop"),
}
_HELIUM = {
    "dampe-he-kinetic-energy": ("s", "DAMPE"),
    "lhaaso-epos-lhc-he-total-energy": ("o", "LHAASO (EPOS-LHC)"),
}
_GREYS = ("0.25", "0.55", "0.4", "0.7")
#: the known microquasars of Fig. 10
#: the legend above the frame, where no curve runs
_ABOVE: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 3}
_KNOWN = ("SS 433", "V4641 Sgr", "GRS 1915+105", "MAXI J1820+070", "Cygnus X-1")


def bc_figure(models: Mapping[str, xr.Dataset], potential: float) -> Figure:
    """B/C against rigidity and against energy per nucleon, modulated and not."""
    figure = Figure(figsize=(9.0, 4.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    sets = (
        ("ams02-b-c-rigidity", "Rigidity $R$ [GV]"),
        ("dampe-b-c-kinetic-energy-per-nucleon", "Kinetic energy per nucleon $T$ [GeV/n]"),
    )
    for axes, (name, label) in zip(panels, sets, strict=True):
        m = load(name)
        axes.errorbar(m.x, m.y, yerr=[m.sigma_minus, m.sigma_plus], fmt="o", ms=3.5, lw=0, elinewidth=0.8,
                      color="0.4", label=m.experiment)  # fmt: skip
        x = np.geomspace(1.0, 1.2 * m.x[-1], 150)
        for i, (words, dataset) in enumerate(models.items()):
            for phi, dashes in ((potential, "-"), (0.0, "--")):
                y = ratio(dataset, ["B"], ["C"], abscissa=m.abscissa, x=x, potential=phi).values
                axes.plot(
                    x, y, dashes, color=SEQUENCE[1 + i], lw=(1.4, 2.0)[i % 2], label=words if phi else None
                )
        axes.set_xscale("log")
        axes.set_xlabel(label)
        axes.legend()
    panels[0].set_ylabel("B / C")
    panels[0].set_ylim(0.0, 0.45)
    return figure


def sed_figure(emission: Mapping[str, Emission]) -> Figure:
    """Gamma rays of each microquasar with what is measured."""
    figure = Figure(figsize=(8.4, 6.4), layout="constrained")
    panels = np.ravel(figure.subplots(2, 2, sharex=True))
    for axes, (name, one) in zip(panels, emission.items(), strict=True):
        axes.loglog(
            1e-3 * one.energy,
            one.sed,
            color=SEQUENCE[1],
            label=f"protons, {float(f'{one.density:.2g}'):g} H cm$^{{-3}}$",
        )
        axes.loglog(
            1e-3 * one.measured[0], one.measured[1], color="0.4", lw=5, alpha=0.5, label="LHAASO, power law"
        )
        if name == "V4641 Sgr":
            from cyldiff.data.seds import load_sed

            for rank, points in enumerate(map(load_sed, ("v4641-sgr-lhaaso-2024", "v4641-sgr-hawc-2024"))):
                seen = ~points.upper_limit
                axes.errorbar(
                    1e-3 * points.energy[seen], points.sed[seen], yerr=[points.minus[seen], points.plus[seen]],
                    fmt="os"[rank], ms=3.5, lw=0, elinewidth=0.8, color=_GREYS[rank], label=points.experiment,
                )  # fmt: skip
        peak = float(np.max(one.measured[1]))
        axes.set_ylim(3e-3 * peak, 30.0 * peak)
        axes.set_title(name, fontsize=11)
        axes.legend(loc="lower left")
    for axes in panels[2:]:
        axes.set_xlabel("Photon energy $E$ [TeV]")
    for axes in panels[::2]:
        axes.set_ylabel("$E^2 F$ [erg cm$^{-2}$ s$^{-1}$]")
    return figure


def _points(axes: Axes, sets: Mapping[str, tuple[str, str]]) -> None:
    """Measured intensities."""
    for rank, (name, (marker, label)) in enumerate(sets.items()):
        _draw(axes, load(name), marker, label, _GREYS[rank])


def _draw(axes: Axes, m: Measurement, marker: str, label: str, colour: str) -> None:
    seen, scale = ~m.upper_limit, m.x**POWER
    axes.errorbar(
        m.x[seen], (m.y * scale)[seen], yerr=[(m.sigma_minus * scale)[seen], (m.sigma_plus * scale)[seen]],
        fmt=marker, ms=3.5, lw=0, elinewidth=0.8, color=colour, label=label,
    )  # fmt: skip


def _intensity_axes(figure: Figure, low: float, high: float, bottom: float, top: float) -> Axes:
    axes = figure.subplots()
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(bottom, top)
    axes.set_xlabel("Energy of the particle $E$ [GeV]")
    axes.set_ylabel(_INTENSITY)
    return axes


def known_figure(result: xr.Dataset, at_earth: Mapping[str, xr.Dataset]) -> Figure:
    """Protons of background and known microquasars; dashed: free space, dotted: halo."""
    figure = Figure(figsize=(7.0, 5.2), layout="constrained")
    axes = _intensity_axes(figure, 1e2, 3e7, 1e-2, 1e5)
    _points(axes, _PROTONS)
    x = result["kinetic_energy"].values
    background = result["flux_lis"].sel(species="H1").values
    axes.plot(x, background * x**POWER, color=SEQUENCE[3], lw=1.6, label="background")
    for kernel, dashes in (("free", "--"), ("halo", ":")):
        dataset = at_earth[kernel]
        x = dataset["kinetic_energy"].values
        for i, name in enumerate(dataset["source"].values):
            flux = dataset["flux_lis"].sel(source=name, species="H1").values
            colour = (*SEQUENCE[1:3], *SEQUENCE[4:])[i]
            axes.plot(x, np.where(flux > 0.0, flux, np.nan) * x**POWER, dashes, color=colour, lw=1.3,
                      label=str(name) if kernel == "free" else None)  # fmt: skip
    axes.legend(**_ABOVE)
    return figure


def proton_figure(free: JointPrediction, halo: JointPrediction) -> Figure:
    """Protons with every part of the fit; dashed: halo."""
    figure = Figure(figsize=(7.0, 5.2), layout="constrained")
    axes = _intensity_axes(figure, 1e2, 3e8, 3e2, 4e4)
    _points(axes, _PROTONS)
    for prediction, dashes, words in ((free, "-", ""), (halo, "--", ", halo")):
        x = prediction.kinetic_energy
        axes.plot(x, prediction.flux[0] * x**POWER, dashes, color="black", lw=1.7, label=f"all{words}")
        labels = {"snr": "background", "local SNR": "local remnant", "microquasar": "microquasar"}
        for i, name in enumerate(prediction.shares.names):
            axes.plot(x, prediction.shares.flux[i, 0] * x**POWER, dashes, color=SEQUENCE[(3, 2, 1)[i]], lw=1.2,
                      label=labels[name] if not words else None)  # fmt: skip
    axes.legend(**_ABOVE)
    return figure


def _parts(axes: Axes, dataset: xr.Dataset, names: Sequence[str], x: Array) -> None:
    """Sum and components of an element, or of several, against total energy."""
    total = spectrum(dataset, names, abscissa="total_energy", x=x).values
    axes.plot(x, total * x**POWER, color="black", lw=1.7, label="all")
    labels = {"snr": "background", "local SNR": "local remnant", "microquasar": "microquasar"}
    for i, component in enumerate(dataset["component"].values):
        one = dataset.assign(flux_lis=dataset["flux_lis_component"].sel(component=component))
        flux = spectrum(one, names, abscissa="total_energy", x=x).values
        axes.plot(x, np.where(flux > 0.0, flux, np.nan) * x**POWER, lw=1.3,
                  label=labels[str(component)], **style.line_of((3, 2, 1)[i]))  # fmt: skip


def helium_figure(both: xr.Dataset) -> Figure:
    """Helium with its parts."""
    figure = Figure(figsize=(7.0, 5.2), layout="constrained")
    axes = _intensity_axes(figure, 1e2, 3e8, 3e2, 4e4)
    _points(axes, _HELIUM)
    _parts(axes, both, ["He"], np.geomspace(1e2, 3e8, 200))
    axes.legend(**_ABOVE)
    return figure


def all_particle_figure(both: xr.Dataset, names: Sequence[str], data: Measurement) -> Figure:
    """All particles with their parts and by element."""
    figure = Figure(figsize=(7.0, 5.2), layout="constrained")
    axes = _intensity_axes(figure, 1e3, 3e8, 1e3, 1e5)
    _draw(axes, data, "o", data.experiment, _GREYS[0])
    x = np.geomspace(2e3, 3e8, 200)
    _parts(axes, both, names, x)
    groups = {"H": ["H"], "He": ["He"], "C, N, O": ["C", "N", "O"]}
    groups["heavier"] = [n for n in names if n not in ("H", "He", "Li", "Be", "B", "C", "N", "O")]
    for i, (label, group) in enumerate(groups.items()):
        flux = spectrum(both, group, abscissa="total_energy", x=x).values
        axes.plot(x, flux * x**POWER, lw=1.4, label=label, **style.line_of(4 + i))
    axes.legend(**_ABOVE)
    return figure


def map_figure(found: Region, binaries: Mapping[str, Binaries]) -> Figure:
    """Contours in the plane, seen from the north; the Sun at (-8.5, 0) kpc."""
    figure = Figure(figsize=(7.0, 6.6), layout="constrained")
    axes = figure.subplots()
    sun = -8.5
    angle, d = np.meshgrid(found.centre + np.linspace(-180.0, 180.0, 361), np.linspace(0.05, 9.0, 180))
    density = found.density(np.stack([angle.ravel(), d.ravel()])).reshape(angle.shape)
    x, y = sun + d * np.cos(np.radians(angle)), d * np.sin(np.radians(angle))
    axes.contour(
        x,
        y,
        density,
        levels=sorted(found.levels),
        colors=[style.GREEN, style.VERMILLION],
        linestyles=["--", "-"],
    )
    candidates: dict[str, Array] = {}
    for rank, (name, one) in enumerate(binaries.items()):
        near = np.abs(one.latitude) < LATITUDE
        place = one.in_plane(-sun)
        axes.plot(
            place[near, 0],
            place[near, 1],
            "o",
            ms=2.5,
            color=(style.BLACK, style.BLUE)[rank],
            label=name.upper(),
        )
        for i in np.flatnonzero(np.isin(one.name, NAMED)):
            candidates[str(one.name[i])] = place[i]
    for rank, (name, where) in enumerate(sorted(candidates.items(), key=lambda item: -float(item[1][1]))):
        axes.plot(*where, "o", ms=6, mfc="none", color=style.VERMILLION, label=f"{rank + 1}: {name}")
        axes.annotate(
            str(rank + 1), xy=(where[0], where[1]), xytext=(-7.4, -0.2 - 0.45 * rank), fontsize=8,
            arrowprops={"arrowstyle": "-", "lw": 0.5},
        )  # fmt: skip
    colours = (style.VERMILLION, style.ORANGE, style.WINE, style.GREEN, style.SKY)
    known = {s.name: s for s in load_catalogue("lhaaso-2024-microquasars", objects=True).sources}
    for name, marker, colour in zip(_KNOWN, "*sD^v", colours, strict=True):
        s = known[name]
        x, y, _ = s.place(_Sun())
        axes.plot(x, y, marker, ms=10, color=colour, mec="black", mew=0.5, ls="", label=name)
    axes.plot(sun, 0.0, "+", color="black", ms=9, mew=1.5, label="Sun")
    axes.annotate(
        "",
        xy=(sun + 1.6, 0.0),
        xytext=(sun + 0.2, 0.0),
        arrowprops={"arrowstyle": "->", "color": style.GREEN},
    )
    axes.set_xlim(-13.0, 1.0)
    axes.set_ylim(-7.0, 7.0)
    axes.set_aspect("equal")
    axes.set_xlabel("$x$ [kpc], Galactic centre at 0")
    axes.set_ylabel("$y$ [kpc]")
    axes.legend(fontsize=8.5, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)
    return figure


class _Sun:
    """Where the map has it [kpc]."""

    r: float = 8.5
    z: float = 0.0


def halo_figure(curve: Needed, powers: Sequence[float]) -> Figure:
    """Energy against age, the distance on top."""
    figure = Figure(figsize=(6.6, 5.0), layout="constrained")
    axes = figure.subplots()
    for kernel, dashes in (("free", "-"), ("halo", "--")):
        label = "free space" if kernel == "free" else "halo, H = 4.5 kpc"
        axes.loglog(curve.age, curve.energy[kernel], dashes, color="black", label=label)
    for i, power in enumerate(powers):
        axes.loglog(
            curve.age,
            power * curve.age * const.MYR_S,
            color=SEQUENCE[1 + i],
            lw=1.2,
            label=f"{power:.0e} erg/s over the age",
        )
    axes.axvline(4.82, color="0.6", lw=0.9)
    axes.set_ylim(1e48, 1e56)
    axes.set_xlabel("age t [Myr]")
    axes.set_ylabel("$E^2 q$ at 1 PeV, per ln E [erg]")
    factor = float(curve.distance[0] / curve.age[0])
    above = axes.secondary_xaxis("top", functions=(_times(factor), _times(1.0 / factor)))
    above.set_xlabel("distance d = 2 c t A / 3 [kpc]")
    axes.tick_params(top=False, which="both")
    axes.legend()
    return figure


def _times(factor: float) -> Callable[[Any], Any]:
    return lambda x: np.asarray(x) * factor

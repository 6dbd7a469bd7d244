"""Figures of LHAASO 2024."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.config.load_source import LoadedSource
from cyldiff.data.seds import SedPoints
from cyldiff.fit.sed import SedFit
from cyldiff.galaxy.coordinates import equatorial_to_galactic
from cyldiff.observables.estimates import leaky_box_intensity, thin_disc_intensity
from cyldiff.observables.single_source import Sed, SingleSource, sed
from cyldiff.papers.lhaaso_2024.objects import CATALOGUE, CRAB_UNIT, celestial, lobes, number
from cyldiff.plot.style import SEQUENCE
from cyldiff.sources.catalogue import CatalogueSource
from cyldiff.sources.catalogue_file import load_catalogue

__all__ = ["four", "hadronic", "leptonic", "objects", "population"]

Array = NDArray[np.float64]
BLACK, BLUE, RED, GREEN = SEQUENCE[:4]
SED_LABEL = r"$E^2\,\mathrm{d}N/\mathrm{d}E$ [erg cm$^{-2}$ s$^{-1}$]"
ENERGY = r"Photon energy $E$ [TeV]"
#: flux of the central source of SS 433 at 100 TeV [CU], its index and error (Table 1)
CENTRAL = (0.32, 4.03, 0.29)


def objects(sources: Sequence[CatalogueSource]) -> Figure:
    """Sky map, and flux against distance; numbers are the same in both."""
    figure = Figure(figsize=(8.0, 8.0), layout="constrained")
    sky = figure.add_subplot(2, 1, 1, projection="mollweide")
    flux = figure.add_subplot(2, 1, 2)
    for declination in (-20.0, 80.0):
        ra = np.linspace(0.0, 360.0, 721)
        longitude, latitude = equatorial_to_galactic(ra, np.full(ra.shape, declination))
        sky.plot(*_sky(longitude, latitude), ".", color="0.6", ms=1.0)
    for i, source in enumerate(sources, start=1):
        seen = "lhaaso_source" in source.data
        longitude, latitude = equatorial_to_galactic(*celestial(source))
        x, y = _sky(longitude, latitude)
        sky.plot(x, y, "o", color=RED if seen else BLUE, ms=5, mfc=RED if seen else "none")
        sky.annotate(f"{i}", (float(x), float(y)), xytext=(4, 4), textcoords="offset points", fontsize=8.5)
        _flux_point(flux, source, i)
    sky.grid(alpha=0.3)
    sky.tick_params(labelsize=8)
    ticks = np.arange(-150, 151, 60)
    sky.set_xticks(np.deg2rad(ticks), [f"{-t % 360:.0f}°" for t in ticks], color="0.4")
    d = np.geomspace(0.8, 14.0, 50)
    for power in (31, 32, 33, 34):
        line = 10.0**power / (4.0 * np.pi * (d * const.KPC_CM) ** 2) / CRAB_UNIT
        flux.plot(d, line, ":", color="0.6", lw=1.0)
        at = min(13.0, float(np.interp(np.log(6e-3), np.log(line[::-1]), d[::-1])))
        text = f"$10^{{{power}}}$ erg/s"
        flux.annotate(text, (at, np.interp(at, d, line)), fontsize=8, color="0.4", ha="right", va="bottom")
    flux.set(
        xscale="log", yscale="log", xlim=(0.8, 14.0), ylim=(4e-3, 8.0), xlabel="distance [kpc]",
        ylabel="$E^2\\,\\mathrm{d}N/\\mathrm{d}E$ at 100 TeV\n[$10^{-12}$ erg cm$^{-2}$ s$^{-1}$]",
    )  # fmt: skip
    flux.set_xticks([1, 2, 5, 10], ["1", "2", "5", "10"])
    names = "\n".join(f"{i} {source.name}" for i, source in enumerate(sources, start=1))
    flux.text(0.01, 0.98, names, transform=flux.transAxes, va="top", fontsize=8, linespacing=1.15)
    return figure


def _sky(longitude: Array, latitude: Array) -> tuple[Array, Array]:
    """Mollweide abscissa (longitude to the left) and ordinate [rad]."""
    wrapped = (np.asarray(longitude, dtype=float) + 180.0) % 360.0 - 180.0
    return -np.deg2rad(wrapped), np.deg2rad(np.asarray(latitude, dtype=float))


def _flux_point(axes: Axes, source: CatalogueSource, label: int) -> None:
    assert source.distance is not None
    seen, limit = "lhaaso_source" in source.data, bool(source.data["flux_is_limit"])
    value = number(source, "flux_100TeV_CU", "")
    errors = [[number(source, f"distance_error_{side}", "kpc")] for side in ("minus", "plus")]
    axes.errorbar(
        source.distance, value, xerr=errors, yerr=0.3 * value if limit else None, uplims=limit, fmt="o", ms=5,
        color=RED if seen else BLUE, mfc=RED if seen and not limit else "none", elinewidth=0.8, capsize=2,
    )  # fmt: skip
    axes.annotate(
        f"{label}", (source.distance, value), xytext=(1, 5), textcoords="offset points", fontsize=8.5
    )


def _band(
    axes: Axes, law: tuple[float, float, float], ends: tuple[float, float], colour: str, label: str
) -> None:
    """A power law through its flux at 100 TeV, with the error of its index."""
    flux, slope, error = law
    e = np.geomspace(*ends, 40)
    value = CRAB_UNIT * flux * (e / 100.0) ** (2.0 - slope)
    spread = np.exp(error * np.abs(np.log(e / 100.0)))
    axes.plot(e, value, color=colour, lw=1.8, label=label)
    axes.fill_between(e, value / spread, value * spread, color=colour, alpha=0.25, lw=0)


def leptonic(grid: Array, curves: Mapping[str, Array]) -> Figure:
    """Figs. 1d and 1e."""
    figure = Figure(figsize=(6.6, 4.8), layout="constrained")
    axes = figure.subplots()
    pedigree = load_catalogue(CATALOGUE, objects=True).pedigree
    for law, name, colour in zip(lobes(pedigree), ("east lobe", "west lobe"), (BLUE, RED), strict=True):
        _band(axes, law, (25.0, 100.0), colour, name)
    e = np.geomspace(25.0, 100.0, 30)
    both = sum(CRAB_UNIT * flux * (e / 100.0) ** (2.0 - slope) for flux, slope, _ in lobes(pedigree))
    axes.plot(e, both, "--", color=BLACK, lw=1.2, label="both lobes")
    _band(axes, CENTRAL, (100.0, 400.0), BLACK, "central source")
    for (name, curve), style, width in zip(curves.items(), ("-", "--"), (2.0, 1.2), strict=True):
        axes.plot(grid, curve, style, color=GREEN, lw=width, label=f"inverse Compton, electrons {name}")
    axes.set(
        xscale="log", yscale="log", xlim=(1.0, 1e3), ylim=(5e-15, 3e-12), xlabel=ENERGY, ylabel=SED_LABEL
    )
    axes.legend(fontsize=8.5)
    return figure


def hadronic(
    grid: Array,
    models: Mapping[str, tuple[str, SingleSource]],
    fits: Mapping[str, tuple[LoadedSource, SedFit]],
) -> Figure:
    """Extended Data Fig. 2."""
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    for axes, (panel, (name, model)) in zip(figure.subplots(1, 2, sharey=True), models.items(), strict=True):
        spectrum = sed(model, 1e3 * grid)
        for part, flux in spectrum.parts.items():
            if part != "lobes synchrotron" and len(spectrum.parts) > 1:
                leptons = part.startswith("lobes")
                axes.plot(
                    grid, spectrum.of(flux), "-." if leptons else "--", color=RED if leptons else BLUE, lw=1.4,
                    label="electrons" if leptons else "protons",
                )  # fmt: skip
        axes.plot(grid, spectrum.sed, color=BLACK, lw=1.8, label="as printed")
        axes.plot(
            grid, sed(fits[name][1].model, 1e3 * grid).sed, color=GREEN, lw=1.2, label="amplitude fitted"
        )
        if f"{name}-cutoff" in fits:
            best = fits[f"{name}-cutoff"][1]
            label = f"protons end at {best.values[1]:.2f} PeV (fitted)"
            axes.plot(grid, sed(best.model, 1e3 * grid).sed, ":", color=GREEN, lw=1.6, label=label)
        _points(axes, fits[name][0].data[0], "s")
        axes.set(xscale="log", yscale="log", xlim=(1.0, 1e3), ylim=(1e-14, 3e-12), xlabel=ENERGY)
        axes.set_title(f"({panel}) {name}", fontsize=11)
        axes.legend(fontsize=8)
    figure.axes[0].set_ylabel(SED_LABEL)
    return figure


def _points(axes: Axes, points: SedPoints, marker: str, colour: str = BLACK) -> None:
    use = ~points.upper_limit
    e = points.energy / 1e3
    axes.errorbar(
        e[use], points.sed[use], yerr=[points.minus[use], points.plus[use]], fmt=marker, ms=4.5, color=colour,
        elinewidth=0.9, label=points.experiment, zorder=3,
    )  # fmt: skip
    if points.upper_limit.any():
        limit = points.sed[points.upper_limit]
        axes.errorbar(
            e[points.upper_limit],
            limit,
            yerr=0.3 * limit,
            uplims=True,
            fmt=marker,
            ms=4.5,
            color=colour,
            capsize=2,
        )


def four(sources: Sequence[CatalogueSource], fitted: Sed, data: Sequence[SedPoints]) -> Figure:
    """Fig. 3: the four sources besides SS 433."""
    figure = Figure(figsize=(8.4, 6.6), layout="constrained")
    for axes, source, colour in zip(
        figure.subplots(2, 2).flat, sources, (BLACK, BLUE, RED, GREEN), strict=True
    ):
        flux, slope, error = (
            number(source, key, "") for key in ("flux_100TeV_CU", "photon_index", "photon_index_error")
        )
        ends = (number(source, "energy_min", "TeV"), number(source, "energy_max", "TeV"))
        limit = bool(source.data["flux_is_limit"])
        _band(axes, (flux, slope, error), ends, colour, "Table 1, flux is a limit" if limit else "Table 1")
        if source.name == "V4641 Sgr":
            for points, marker, shade in zip(data, "os", (BLUE, RED), strict=True):
                _points(axes, points, marker, shade)
            axes.plot(fitted.energy / 1e3, fitted.sed, color=GREEN, lw=1.4, label="protons in gas, fitted")
        high = 3e-11 if source.name == "V4641 Sgr" else 3e-12
        axes.set(xscale="log", yscale="log", xlim=(10.0, 1.5e3), ylim=(high / 3e3, high))
        axes.set_title(source.name, fontsize=11)
        axes.legend(fontsize=8)
    figure.supxlabel(ENERGY, fontsize=12)
    figure.supylabel(SED_LABEL, fontsize=12)
    return figure


def population(halo: Mapping[str, float], measured: float, chosen: float) -> Figure:
    """E^2 J at 1 PeV [eV cm^-2 s^-1 sr^-1] against the power of all sources [erg/s]."""
    figure = Figure(figsize=(6.2, 4.4), layout="constrained")
    axes = figure.subplots()
    power = np.geomspace(1e38, 1e40, 50)
    unit = const.ERG_GEV * const.MYR_S
    for law, name, colour in (
        (leaky_box_intensity, "leaky box", BLUE), (thin_disc_intensity, "thin disc, exact", RED),
    ):  # fmt: skip
        flux = np.array([1e9 * law(p * unit, **halo) for p in power])
        axes.plot(power, flux, color=colour, label=f"{name}, $D=10^{{31}}$ cm$^2$/s")
        axes.plot(
            power,
            flux * 10.0 / 3.0,
            ":",
            color=colour,
            lw=1.1,
            label=f"{name}, $D=3\\times10^{{30}}$ cm$^2$/s",
        )
        axes.plot(chosen, 1e9 * law(chosen * unit, **halo), "*", ms=11, color=colour)
    axes.axhline(measured, color=BLACK, lw=1.2, label="LHAASO protons (EPOS-LHC)")
    axes.set(
        xscale="log", yscale="log", xlim=(1e38, 1e40), xlabel=r"$f\,L_\mathrm{p}$ at 1 PeV [erg s$^{-1}$]",
        ylabel=r"$E^2 J$ (1 PeV) [eV cm$^{-2}$ s$^{-1}$ sr$^{-1}$]",
    )  # fmt: skip
    axes.legend(fontsize=8.5)
    return figure

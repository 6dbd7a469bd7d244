"""Figures 1 to 6: curves are medians of the posterior with the LHAASO fluxes for EPOS-LHC."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cyldiff.fit.components import load_spectra
from cyldiff.papers.aharonian_zhang_2026.fits import KEPT, RUNS, SHARPNESS, Fit, Fits
from cyldiff.papers.aharonian_zhang_2026.points import (
    COMPARED,
    HELIUM,
    PROTONS,
    curve,
    envelope,
    points,
    ratio,
)
from cyldiff.papers.aharonian_zhang_2026.printed import INTERACTIONS
from cyldiff.papers.study import Study
from cyldiff.plot import style

__all__ = ["all_of_them"]

Array = NDArray[np.float64]

FIRST = INTERACTIONS[0]
LABEL = r"$E^{2.75}\,J$   [GeV$^{1.75}$ m$^{-2}$ s$^{-1}$ sr$^{-1}$]"
ENERGY = r"Total energy of the particle $E$ [GeV]"
BLUE, RED, GREEN, GREY = style.BLUE, style.VERMILLION, style.GREEN, "0.55"
LOOKS = {
    "AMS-02": ("o", style.BLUE), "DAMPE": ("s", style.VERMILLION), "CALET": ("^", style.GREEN),
    "ISS-CREAM": ("v", style.PURPLE),
    "GRAPES-3": ("D", style.WINE), "NUCLEON": ("P", style.ORANGE), "LHAASO (EPOS-LHC)": ("o", "black"),
    "LHAASO (QGSJET-II-04)": ("x", "0.35"), "LHAASO (SIBYLL-2.3d)": ("+", "0.55"), "IceTop+IceCube": ("h", style.SKY),
}  # fmt: skip


def all_of_them(study: Study, fits: Fits) -> None:
    """Draw all."""
    ours = "best fits" if study.smoke else "medians of the posterior"
    printed = f"Curves: {ours} with LHAASO's fluxes for EPOS-LHC; green: as printed."
    study.figure(
        "fig1", "Fig. 1: measured protons and helium; grey: the range of all with their errors.", compilation
    )
    study.figure(
        "fig2", f"Fig. 2: protons in two components, both scenarios. {printed}",
        lambda: two_components(fits, "H"),
    )  # fmt: skip
    study.figure(
        "fig3", "Fig. 3: a third component of protons, II fixed (full) and free (dashed). Curves: best fits with "
        "LHAASO's fluxes for EPOS-LHC; red: as printed.",
        lambda: third(fits),
    )  # fmt: skip
    study.figure(
        "fig4", "Fig. 4: posterior of component II with the sharpness of its cut-off free; inset: 68 % of 200 draws."
        + (" Smoke mode: normal distribution of the logarithms." if study.smoke else ""),
        lambda: sharpness(fits[SHARPNESS, FIRST]),
    )  # fmt: skip
    study.figure(
        "fig5",
        f"Fig. 5: helium in two components, both scenarios. {printed}",
        lambda: two_components(fits, "He"),
    )
    study.figure("fig6", f"Fig. 6: protons, helium and their ratio. {printed}", lambda: both(fits))


def draw_points(axes: Axes, names: Sequence[str], *, lowest: float = 0.0, size: float = 4.0) -> None:
    """Measured spectra."""
    for name in names:
        p = points(name)
        use = p.energy > lowest
        marker, colour = LOOKS[p.experiment]
        axes.errorbar(
            p.energy[use], p.value[use], yerr=[p.minus[use], p.plus[use]], fmt=marker, color=colour, ms=size,
            elinewidth=0.8, lw=0, label=p.experiment, zorder=3,
        )  # fmt: skip


def finish(axes: Axes, x: tuple[float, float], y: tuple[float, float], label: str = LABEL) -> None:
    """Axes as in the paper."""
    axes.set_xscale("log")
    axes.set_xlim(x)
    axes.set_ylim(y)
    axes.set_ylabel(label)


def compilation() -> Figure:
    """Fig. 1: all measurements and the range they span together."""
    figure = Figure(figsize=(6.6, 8.0), layout="constrained")
    for axes, names, title in zip(
        figure.subplots(2, 1, sharex=True), (PROTONS, HELIUM), ("protons", "helium"), strict=True
    ):
        draw_points(axes, names, lowest=10.0)
        energy, low, high = envelope(names)
        axes.fill_between(energy, low, high, color="0.88", lw=0, zorder=0, label="range of all with errors")
        finish(axes, (10.0, 2e7), (0, 45e3))
        axes.legend(title=title, ncols=2, loc="upper left", fontsize=8)
    axes.set_xlabel(ENERGY)
    return figure


def two_components(fits: Fits, species: str) -> Figure:
    """Figs. 2 and 5: components, sums in both scenarios, and the printed curve."""
    first = "proton-i" if species == "H" else "helium-i"
    data = [name.format(species.lower()) for name in COMPARED]
    figure = Figure(figsize=(7.6, 5.4), layout="constrained")
    axes = figure.subplots()
    protons = species == "H"
    inset = axes.inset_axes((0.09, 0.56, 0.36, 0.40) if protons else (0.47, 0.66, 0.38, 0.31))
    energy = np.geomspace(10.0, 3e7, 600)
    scenarios = (("-", fits[first, FIRST].config(), ""), ("--", fits[f"{first}-prime", FIRST].config(), "'"))
    printed = curve(load_spectra(RUNS / f"{first}.toml").config, energy, species)
    for place in (axes, inset):
        draw_points(place, data, lowest=10.0)
        for dashes, config, prime in scenarios:
            for component, colour in (("I", BLUE), ("II", RED)):
                part = curve(config, energy, species, component)
                place.plot(energy, part, dashes, color=colour, lw=1.2, label=f"{component}{prime}")
            label = f"I{prime} + II{prime}"
            place.plot(energy, curve(config, energy, species), dashes, color="black", lw=1.6, label=label)
        place.plot(energy, printed, ":", color=GREEN, lw=1.6, label="I + II as printed")
    axes.axvspan(10.0, 50.0, color="0.9", lw=0, zorder=0)
    finish(axes, (10.0, 2e7), (0, 45e3 if protons else 60e3))
    axes.set_xlabel(ENERGY)
    axes.legend(ncols=2, fontsize=8, loc="lower left" if protons else "upper left")
    inset.set(xscale="log", xlim=(1e3, 1e6), ylim=(13e3, 32e3) if protons else (10e3, 36e3))
    inset.tick_params(labelsize=8)
    return figure


def third(fits: Fits) -> Figure:
    """Fig. 3: LHAASO and IceTop with a third component."""
    energy = np.geomspace(1e5, 2e9, 600)
    figure = Figure(figsize=(7.0, 5.0), layout="constrained")
    axes = figure.subplots()
    draw_points(axes, [f"lhaaso-{FIRST}-h-total-energy", "icetop-h-total-energy"])
    for dashes, name, text in (("-", "proton-iii-fixed", "II fixed"), ("--", "proton-iii-free", "II free")):
        config = fits[name, FIRST].config()
        last, whole = curve(config, energy, "H", "III"), curve(config, energy, "H")
        printed = curve(load_spectra(RUNS / f"{name}.toml").config, energy, "H")
        axes.plot(energy, whole - last, dashes, color=GREY, lw=1.2, label=f"I + II, {text}")
        axes.plot(energy, last, dashes, color=GREEN, lw=1.2, label=f"III, {text}")
        axes.plot(energy, whole, dashes, color="black", lw=1.6, label=f"sum, {text}")
        axes.plot(energy, printed, dashes, color=RED, lw=0.9, label=f"sum as printed, {text}")
    finish(axes, (1e5, 1e9), (50, 9e4))
    axes.set_yscale("log")
    axes.set_xlabel(ENERGY)
    axes.legend(fontsize=8, ncols=2, loc="lower left")
    return figure


def sharpness(fit: Fit) -> Figure:
    """Fig. 4: posterior of component II with the sharpness of its cut-off free; band of 200 draws."""
    import corner

    draws = fit.draws if fit.draws is not None else _normal(fit)
    labels = [r"$A_2$ [$10^4$]", r"$\Gamma_2$", r"$E_{2,0}$ [PeV]", r"$\beta_2$"]
    figure = Figure(figsize=(7.4, 7.4))
    corner.corner(
        draws * np.array([1e-4, 1.0, 1e-6, 1.0]), labels=labels, quantiles=(0.16, 0.5, 0.84), show_titles=True,
        title_kwargs={"fontsize": 9}, label_kwargs={"fontsize": 9}, plot_datapoints=False, fill_contours=True,
        smooth=0.8, fig=figure,
    )  # fmt: skip
    for axes in figure.axes:
        axes.tick_params(labelsize=7)
    axes = figure.add_axes((0.64, 0.68, 0.33, 0.26))
    energy = np.geomspace(2e5, 2e7, 200)
    bands = [curve(fit.config(values), energy, "H") for values in draws[:200]]
    low, middle, high = np.quantile(bands, (0.16, 0.5, 0.84), axis=0)
    axes.fill_between(energy, low, high, color=style.ORANGE, alpha=0.5, lw=0)
    axes.plot(energy, middle, color="black", lw=1.2)
    draw_points(axes, [f"lhaaso-{FIRST}-h-total-energy"], size=3.0)
    finish(axes, (1.5e5, 1.5e7), (8e3, 38e3), r"$E^{2.75}\,J$")
    axes.set_xlabel(r"$E$ [GeV]")
    axes.tick_params(labelsize=8)
    return figure


def _normal(fit: Fit) -> Array:
    """Where there is no posterior: draws of the covariance, in logarithms, inside the bounds."""
    assert fit.best is not None
    assert fit.factors is not None
    assert fit.spread is not None
    parameters = fit.job.load().parameters
    low, high = (np.array([getattr(p, end) for p in parameters]) * fit.factors for end in ("low", "high"))
    relative = fit.spread / np.outer(fit.best, fit.best)
    logs = np.random.default_rng(0).multivariate_normal(np.log(fit.best), relative, size=2 * KEPT)
    found = np.exp(logs)
    return np.asarray(found[np.all((found > low) & (found < high), axis=1)])


def both(fits: Fits) -> Figure:
    """Fig. 6: protons and helium, and their ratio."""
    energy = np.geomspace(10.0, 2e7, 600)
    figure = Figure(figsize=(6.6, 7.0), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    sums, printed = {}, {}
    for species, name, dashes, text in (("H", "proton-i", "-", "p"), ("He", "helium-i", "--", "He")):
        config = fits[name, FIRST].config()
        for component, colour in (("I", BLUE), ("II", RED)):
            part = curve(config, energy, species, component)
            top.plot(energy, part, dashes, color=colour, lw=1.2, label=f"{text} {component}")
        sums[species] = curve(config, energy, species)
        printed[species] = curve(load_spectra(RUNS / f"{name}.toml").config, energy, species)
        top.plot(energy, sums[species], dashes, color="black", lw=1.6, label=f"{text} I + II")
    finish(top, (10.0, 2e7), (0, 38e3))
    top.legend(ncols=2, fontsize=8.5, loc="upper left")
    for name in COMPARED:
        p = ratio(name)
        marker, colour = LOOKS[p.experiment]
        bottom.errorbar(
            p.energy, p.value, yerr=[p.minus, p.plus], fmt=marker, color=colour, ms=3.5, elinewidth=0.8, lw=0,
            label=p.experiment,
        )  # fmt: skip
    bottom.plot(energy, sums["H"] / sums["He"], color="black", lw=1.6, label="fitted")
    bottom.plot(energy, printed["H"] / printed["He"], ":", color=GREEN, lw=1.6, label="as printed")
    finish(bottom, (10.0, 2e7), (0, 3.2), "p / He")
    bottom.set_xlabel(ENERGY)
    bottom.legend(fontsize=8.5)
    return figure

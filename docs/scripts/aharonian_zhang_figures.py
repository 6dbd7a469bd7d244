"""Figures 1 to 6 of Aharonian & Zhang 2026 (arXiv:2602.08223) from our fits.

    python docs/scripts/aharonian_zhang_figures.py fits.json

reads what aharonian_zhang.py left and draws into docs/figures/aharonian-zhang-2026. Curves are medians of the
posterior parameters with the LHAASO fluxes for EPOS-LHC.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import corner
import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cyldiff.data import Measurement, load
from cyldiff.fit.components import SpectrumConfig, intensity_of, load_spectra
from cyldiff.fit.load import load_fit
from cyldiff.fit.phenomenology import SpectraModel
from cyldiff.observables.abscissa import Nuclide, abscissa_named
from cyldiff.particles.species import nuclides
from cyldiff.plot import style
from cyldiff.resources import folder

Array = NDArray[np.float64]
OUT = Path(__file__).parents[1] / "figures" / "aharonian-zhang-2026"
RUNS = Path(folder("runs")) / "papers" / "aharonian-zhang-2026"
MODEL = "epos-lhc"
POWER = 2.75
TOTAL = abscissa_named("total_energy")
LABEL = r"$E^{2.75}\,J$   [GeV$^{1.75}$ m$^{-2}$ s$^{-1}$ sr$^{-1}$]"
ENERGY = r"Total energy of the particle $E$ [GeV]"
BLUE, RED, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "0.55"
LOOKS = {
    "AMS-02": ("o", "#0072B2"), "DAMPE": ("s", "#D55E00"), "CALET": ("^", "#009E73"), "ISS-CREAM": ("v", "#CC79A7"),
    "GRAPES-3": ("D", "#8C564B"), "NUCLEON": ("P", "#E69F00"), "LHAASO (EPOS-LHC)": ("o", "black"),
    "LHAASO (QGSJET-II-04)": ("x", "0.35"), "LHAASO (SIBYLL-2.3d)": ("+", "0.55"), "IceTop+IceCube": ("h", "#56B4E9"),
}  # fmt: skip
PROTONS = [
    "ams02-h-rigidity", "calet-h-kinetic-energy", "dampe-h-kinetic-energy", "iss-cream-h-kinetic-energy",
    "grapes3-h-total-energy", "nucleon-h-total-energy", "lhaaso-qgsjet-ii-04-h-total-energy",
    "lhaaso-sibyll-23d-h-total-energy", "lhaaso-epos-lhc-h-total-energy",
]  # fmt: skip
HELIUM = [
    "ams02-he-rigidity", "calet-he-kinetic-energy", "dampe-he-kinetic-energy", "nucleon-he-total-energy",
    "lhaaso-qgsjet-ii-04-he-total-energy", "lhaaso-sibyll-23d-he-total-energy", "lhaaso-epos-lhc-he-total-energy",
]  # fmt: skip


def points(name: str) -> tuple[Measurement, Array, Array, Array, Array]:
    """A measured spectrum per total energy: E, E^2.75 J and its errors downwards and upwards."""
    m = load(name)
    species = nuclides()["H1" if m.numerator == ("H",) else "He4"]
    nuclide = Nuclide(species.Z, species.A, species.mass_per_nucleon)
    axis = abscissa_named(m.abscissa)
    kinetic = axis.kinetic_energy(m.x, nuclide)
    energy = TOTAL.of(kinetic, nuclide)
    # J(E) = J(x) dx/dE
    factor = TOTAL.jacobian(kinetic, nuclide) / axis.jacobian(kinetic, nuclide) * energy**POWER
    return m, energy, m.y * factor, m.sigma_minus * factor, m.sigma_plus * factor


def draw_points(axes: Axes, names: Sequence[str], *, lowest: float = 0.0, size: float = 4.0) -> None:
    """Measured spectra."""
    for name in names:
        m, energy, value, minus, plus = points(name)
        use = energy > lowest
        marker, colour = LOOKS[m.experiment]
        axes.errorbar(
            energy[use], value[use], yerr=[minus[use], plus[use]], fmt=marker, color=colour, ms=size,
            elinewidth=0.8, lw=0, label=m.experiment, zorder=3,
        )  # fmt: skip


def fitted(fits: Mapping[tuple[str, str], Any], name: str) -> SpectrumConfig:
    """Components of a file with the medians of its posterior put in."""
    fit = load_fit(RUNS / f"{name}.toml")
    medians = {key: values[0] for key, values in fits[name, MODEL]["posterior"].items()}
    return SpectraModel.of(fit).predict([medians[p.name] / p.factor for p in fit.parameters]).config


def curve(config: SpectrumConfig, energy: Array, species: str, component: str = "") -> Array:
    """E^2.75 J of components."""
    return intensity_of(config, [species], TOTAL, energy, component=component) * energy**POWER


def finish(axes: Axes, x: tuple[float, float], y: tuple[float, float], label: str = LABEL) -> None:
    """Axes as in the paper."""
    axes.set_xscale("log")
    axes.set_xlim(x)
    axes.set_ylim(y)
    axes.set_ylabel(label)


def compilation() -> None:
    """Fig. 1: all measurements and the range they span together."""
    figure = Figure(figsize=(7.2, 9.2), layout="constrained")
    for axes, names, limits, title in zip(
        figure.subplots(2, 1, sharex=True), (PROTONS, HELIUM), ((0, 45e3), (0, 45e3)), ("protons", "helium"),
        strict=True,
    ):  # fmt: skip
        draw_points(axes, names, lowest=10.0)
        energy, low, high = envelope(names)
        axes.fill_between(energy, low, high, color="0.88", lw=0, zorder=0, label="range of all with errors")
        finish(axes, (10.0, 2e7), limits)
        axes.legend(title=title, ncols=2, loc="upper left", fontsize=8)
    axes.set_xlabel(ENERGY)
    figure.savefig(OUT / "fig1.png")


def envelope(names: Sequence[str]) -> tuple[Array, Array, Array]:
    """Lowest and highest end of an error bar among all data sets, interpolated in ln E."""
    grid = np.geomspace(10.0, 1.2e7, 300)
    low, high = np.full(grid.shape, np.inf), np.full(grid.shape, -np.inf)
    for name in names:
        _, energy, value, minus, plus = points(name)
        at = np.log(grid)
        below = np.interp(at, np.log(energy), value - minus, left=np.inf, right=np.inf)
        above = np.interp(at, np.log(energy), value + plus, left=-np.inf, right=-np.inf)
        low, high = np.minimum(low, below), np.maximum(high, above)
    return grid, low, high


def two_components(fits: Mapping[tuple[str, str], Any], species: str, number: int) -> None:
    """Figs. 2 and 5: components, sums in both scenarios, and the printed curve."""
    first = "proton-i" if species == "H" else "helium-i"
    names = ["ams02-{}-rigidity", "dampe-{}-kinetic-energy", f"lhaaso-{MODEL}-{{}}-total-energy"]
    data = [name.format(species.lower()) for name in names]
    energy = np.geomspace(10.0, 3e7, 600)
    figure = Figure(figsize=(8.0, 5.6), layout="constrained")
    axes = figure.subplots()
    inset = (
        axes.inset_axes((0.09, 0.56, 0.36, 0.40))
        if species == "H"
        else axes.inset_axes((0.56, 0.10, 0.36, 0.34))
    )
    scenarios = (("-", fitted(fits, first), ""), ("--", fitted(fits, f"{first}-prime"), "'"))
    printed = load_spectra(RUNS / f"{first}.toml").config
    for place in (axes, inset):
        draw_points(place, data, lowest=10.0)
        for dashes, config, prime in scenarios:
            for component, colour in (("I", BLUE), ("II", RED)):
                place.plot(
                    energy,
                    curve(config, energy, species, component),
                    dashes,
                    color=colour,
                    lw=1.2,
                    label=f"{component}{prime}",
                )
            place.plot(
                energy,
                curve(config, energy, species),
                dashes,
                color="black",
                lw=1.6,
                label=f"I{prime} + II{prime}",
            )
        place.plot(
            energy, curve(printed, energy, species), ":", color=GREEN, lw=1.6, label="I + II as printed"
        )
    axes.axvspan(10.0, 50.0, color="0.9", lw=0, zorder=0)
    finish(axes, (10.0, 2e7), (0, 45e3 if species == "H" else 48e3))
    axes.set_xlabel(ENERGY)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles, labels, ncols=2, fontsize=8, loc="lower left" if species == "H" else "upper left")
    inset.set_xscale("log")
    inset.set_xlim(1e3, 1e6)
    inset.set_ylim(*((13e3, 32e3) if species == "H" else (10e3, 36e3)))
    inset.tick_params(labelsize=8)
    figure.savefig(OUT / f"fig{number}.png")


def third(fits: Mapping[tuple[str, str], Any]) -> None:
    """Fig. 3: LHAASO and IceTop with a third component."""
    energy = np.geomspace(1e5, 2e9, 600)
    figure = Figure(figsize=(7.2, 5.2), layout="constrained")
    axes = figure.subplots()
    draw_points(axes, [f"lhaaso-{MODEL}-h-total-energy", "icetop-h-total-energy"])
    for dashes, name, text in (("-", "proton-iii-fixed", "II fixed"), ("--", "proton-iii-free", "II free")):
        config = fitted(fits, name)
        last = curve(config, energy, "H", "III")
        whole = curve(config, energy, "H")
        axes.plot(energy, whole - last, dashes, color=GREY, lw=1.2, label=f"I + II, {text}")
        axes.plot(energy, last, dashes, color=GREEN, lw=1.2, label=f"III, {text}")
        axes.plot(energy, whole, dashes, color="black", lw=1.6, label=f"sum, {text}")
        axes.plot(
            energy,
            curve(load_spectra(RUNS / f"{name}.toml").config, energy, "H"),
            dashes,
            color=RED,
            lw=0.9,
            label=f"sum as printed, {text}",
        )
    finish(axes, (1e5, 1e9), (50, 9e4))
    axes.set_yscale("log")
    axes.set_xlabel(ENERGY)
    axes.legend(fontsize=8, ncols=2, loc="lower left")
    figure.savefig(OUT / "fig3.png")


def sharpness(fits: Mapping[tuple[str, str], Any]) -> None:
    """Fig. 4: posterior of component II with the sharpness of its cut-off free; band of 200 draws."""
    fit = load_fit(RUNS / "proton-ii-sharpness.toml")
    found = fits["proton-ii-sharpness", MODEL]
    draws = np.array(found["corner"]) * np.array([1e-4, 1.0, 1e-6, 1.0])
    labels = [r"$A_2$ [$10^4$]", r"$\Gamma_2$", r"$E_{2,0}$ [PeV]", r"$\beta_2$"]
    figure = corner.corner(
        draws, labels=labels, quantiles=(0.16, 0.5, 0.84), show_titles=True, title_kwargs={"fontsize": 9}
    )
    figure.set_size_inches(9.0, 9.0)
    axes = figure.add_axes((0.62, 0.66, 0.34, 0.27))
    energy = np.geomspace(2e5, 2e7, 200)
    model = SpectraModel.of(fit)
    factors = np.array([p.factor for p in fit.parameters])
    bands = [
        curve(model.predict(values / factors).config, energy, "H") for values in np.array(found["draws"])
    ]
    low, middle, high = np.quantile(bands, (0.16, 0.5, 0.84), axis=0)
    axes.fill_between(energy, low, high, color="#E69F00", alpha=0.5, lw=0)
    axes.plot(energy, middle, color="black", lw=1.2)
    draw_points(axes, [f"lhaaso-{MODEL}-h-total-energy"], size=3.0)
    finish(axes, (1.5e5, 1.5e7), (8e3, 38e3), r"$E^{2.75}\,J$")
    axes.set_xlabel(r"$E$ [GeV]")
    figure.savefig(OUT / "fig4.png")


def both(fits: Mapping[tuple[str, str], Any]) -> None:
    """Fig. 6: protons and helium, and their ratio."""
    energy = np.geomspace(10.0, 2e7, 600)
    figure = Figure(figsize=(7.2, 7.6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    configs = {"H": fitted(fits, "proton-i"), "He": fitted(fits, "helium-i")}
    for (species, config), dashes, text in zip(configs.items(), ("-", "--"), ("p", "He"), strict=True):
        for component, colour in (("I", BLUE), ("II", RED)):
            top.plot(
                energy,
                curve(config, energy, species, component),
                dashes,
                color=colour,
                lw=1.2,
                label=f"{text} {component}",
            )
        top.plot(
            energy, curve(config, energy, species), dashes, color="black", lw=1.6, label=f"{text} I + II"
        )
    finish(top, (10.0, 2e7), (0, 38e3))
    top.legend(ncols=2, fontsize=8.5, loc="upper left")
    for name in ("ams02-{}-rigidity", "dampe-{}-kinetic-energy", f"lhaaso-{MODEL}-{{}}-total-energy"):
        ratio_points(bottom, name)
    ours = curve(configs["H"], energy, "H") / curve(configs["He"], energy, "He")
    bottom.plot(energy, ours, color="black", lw=1.6, label="ours")
    printed = [load_spectra(RUNS / f"{name}.toml").config for name in ("proton-i", "helium-i")]
    bottom.plot(
        energy, curve(printed[0], energy, "H") / curve(printed[1], energy, "He"), ":", color=GREEN, lw=1.6,
        label="as printed",
    )  # fmt: skip
    finish(bottom, (10.0, 2e7), (0, 3.2), "p / He")
    bottom.set_xlabel(ENERGY)
    bottom.legend(fontsize=8.5)
    figure.savefig(OUT / "fig6.png")


def ratio_points(axes: Axes, name: str) -> None:
    """p/He at the energies of helium; protons are interpolated where their bins are others."""
    m, energy, proton, *proton_errors = points(name.format("h"))
    _, at, helium, *helium_errors = points(name.format("he"))
    use = (at >= energy[0]) & (at <= energy[-1])

    def there(values: Array) -> Array:
        return np.exp(np.interp(np.log(at[use]), np.log(energy), np.log(values)))

    ratio = there(proton) / helium[use]
    minus, plus = (
        ratio * np.hypot(there(p) / there(proton), h[use] / helium[use])
        for p, h in ((proton_errors[0], helium_errors[1]), (proton_errors[1], helium_errors[0]))
    )
    marker, colour = LOOKS[m.experiment]
    axes.errorbar(
        at[use],
        ratio,
        yerr=[minus, plus],
        fmt=marker,
        color=colour,
        ms=3.5,
        elinewidth=0.8,
        lw=0,
        label=m.experiment,
    )


def main(path: Path) -> None:
    """All figures."""
    fits = {(f["label"], f["model"]): f for f in json.loads(path.read_text(encoding="utf-8"))}
    OUT.mkdir(parents=True, exist_ok=True)
    with rc_context(style.RC):
        compilation()
        two_components(fits, "H", 2)
        third(fits)
        sharpness(fits)
        two_components(fits, "He", 5)
        both(fits)
    print(f"{OUT} drawn")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Figures 3, 4 and 6 of Yue et al. 2025; the others are figures of the package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.data.diffuse import diffuse_in
from cyldiff.data.measurements import Measurement
from cyldiff.observables.abscissa import Nuclide, abscissa_named
from cyldiff.observables.ratios import ratio
from cyldiff.particles.species import nuclides
from cyldiff.plot import style
from cyldiff.plot.style import SEQUENCE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["boron_figure", "gamma_figure", "proton_figure"]

Array = NDArray[np.float64]

_H1 = nuclides()["H1"]
_PROTON = Nuclide(_H1.Z, _H1.A, _H1.mass_per_nucleon)
_LOOKS: tuple[tuple[str, str], ...] = (
    ("o", style.GREEN),
    ("s", style.VERMILLION),
    ("D", style.ORANGE),
    ("^", "0.55"),
)
#: Fig. 4 shows E^2.7 J, Fig. 6 E^2 J
POWER, GAMMA_POWER = 2.7, 2.0
_PANELS = {"lhaaso-outer": "125° < l < 235°, |b| < 5°", "lhaaso-inner": "15° < l < 125°, |b| < 5°"}


def boron_figure(
    results: Sequence[tuple[float, xr.Dataset]], data: Measurement, *, potential: float
) -> Figure:
    """B/C against rigidity: one curve per R0 [GV]."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.add_subplot()
    axes.errorbar(
        data.x,
        data.y,
        [data.sigma_minus, data.sigma_plus],
        fmt="o",
        ms=3.5,
        color=_LOOKS[0][1],
        lw=0.9,
        label="AMS-02",
    )
    x = np.geomspace(2.0, 3000.0, 200)
    for (reference, result), dashes, colour in zip(results, ("-", ":"), (SEQUENCE[2], "0.4"), strict=False):
        curve = ratio(
            result, data.numerator, data.denominator, abscissa=data.abscissa, x=x, potential=potential
        )
        axes.plot(x, curve, dashes, color=colour, label=f"model, $R_0$ = {reference:.2g} GV", zorder=5)
    axes.set(xscale="log", xlim=(2.0, 3000.0), ylim=(0.0, 0.4))
    axes.set(xlabel="Rigidity $R$ [GV]", ylabel="B / C")
    axes.legend()
    return figure


def proton_figure(
    energy: Array, parts: Mapping[str, Array], data: Sequence[Measurement], shown: Sequence[str]
) -> Figure:
    """E^2.7 J of protons, the parts and their sum, against data.

    Parameters
    ----------
    energy : total energy per particle [GeV]
    parts : name -> intensity, shape of `energy` [m^-2 s^-1 sr^-1 GeV^-1]
    shown : names of data that only stand in the figure, drawn hollow
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 5.2), layout="constrained")
    axes = figure.add_subplot()
    scale = energy**POWER
    axes.plot(
        energy,
        scale * np.sum(list(parts.values()), axis=0),
        color=SEQUENCE[2],
        lw=2.0,
        label="total",
        zorder=6,
    )
    for (name, flux), dashes, colour in zip(
        parts.items(), ("-", "-.", "--"), (SEQUENCE[0], SEQUENCE[3], SEQUENCE[1]), strict=True
    ):
        axes.plot(energy, scale * flux, dashes, color=colour, lw=1.4, label=name, zorder=5)
    for rank, one in enumerate(data):
        x, y, errors = _per_energy(one)
        hollow = one.name in shown
        marker, colour = _LOOKS[rank % len(_LOOKS)] if not hollow else ("v", style.BLUE)
        axes.errorbar(
            x, y * x**POWER, errors * x**POWER, fmt=marker, ms=3.6, lw=0.8, color=colour,
            mfc="white" if hollow else colour, label=one.experiment, zorder=3,
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=(30.0, 1e8), ylim=(30.0, 3e4))
    axes.set(
        xlabel="Energy of the particle $E$ [GeV]",
        ylabel="$E^{2.7} J$   [m$^{-2}$ s$^{-1}$ sr$^{-1}$ GeV$^{1.7}$]",
    )
    axes.legend(ncols=2, loc="lower left")
    return figure


def _per_energy(one: Measurement) -> tuple[Array, Array, Array]:
    """Protons per total energy: energy, intensity, errors (2, n)."""
    axis = abscissa_named(one.abscissa)
    use = ~one.upper_limit & (one.x >= 30.0)
    kinetic = axis.kinetic_energy(one.x[use], _PROTON)
    factor = 1.0 / axis.jacobian(kinetic, _PROTON)
    errors = np.stack([one.sigma_minus[use], one.sigma_plus[use]])
    lower = np.minimum(errors[0], one.y[use] * (1.0 - 1e-6))
    return kinetic + _PROTON.mass_per_nucleon, one.y[use] * factor, np.stack([lower, errors[1]]) * factor


def gamma_figure(regions: Mapping[str, xr.Dataset]) -> Figure:
    """E^2 J of gamma rays, a panel per region: the sum black, remnants blue, binaries red."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.6, 8.0), layout="constrained")
    panels: Any = figure.subplots(len(regions), 1, sharex=True)
    looks = {"snr": (1, "supernova remnants"), "xrb": (2, "X-ray binaries")}
    for axes, (name, spectrum) in zip(np.atleast_1d(panels), regions.items(), strict=True):
        energy = spectrum["energy"].values
        scale = energy**GAMMA_POWER
        axes.plot(
            energy, scale * spectrum["intensity"].values, color="black", lw=2.0, label="total", zorder=5
        )
        for part in map(str, spectrum["component"].values):
            rank, words = looks[part]
            axes.plot(
                energy,
                scale * spectrum["intensity_component"].sel(component=part).values,
                lw=1.4,
                label=words,
                **style.line_of(rank),
            )
        for one in diffuse_in(name):
            x = one.energy**GAMMA_POWER
            axes.errorbar(
                one.energy, x * one.intensity, x * np.stack([one.sigma_minus, one.sigma_plus]), fmt="o", ms=4.5,
                color="0.3", label=f"{one.experiment}, sources masked", zorder=6,
            )  # fmt: skip
        axes.set(xscale="log", yscale="log", ylim=(1e-10, 1e-6))
        axes.set_title(_PANELS.get(name, name), fontsize=11)
        axes.set_ylabel(r"$E^2 I_\gamma$   [GeV cm$^{-2}$ s$^{-1}$ sr$^{-1}$]")
        axes.legend(loc="lower left")
    np.atleast_1d(panels)[-1].set_xlabel("Energy $E$ [GeV]")
    return figure

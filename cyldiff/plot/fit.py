"""Figures of a fit: data, best model and pulls; profiles and contours of chi-square."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cyldiff.data.dipoles import DipoleMeasurement
from cyldiff.data.measurements import Measurement
from cyldiff.observables.abscissa import abscissa_named
from cyldiff.plot import style
from cyldiff.plot.curves import SPECTRAL_POWER

__all__ = ["DipolePanel", "FitPanel", "draw_contour", "draw_dipoles", "draw_fit", "draw_profile"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FitPanel:
    """A data set next to the model it was fitted with.

    Attributes
    ----------
    measurement : Measurement
    use : which of its rows counted
    model, pull : shape (number of rows that counted,)
    curve : (x, y) of the model between and beyond the points
    chi2 : of the set
    """

    measurement: Measurement
    use: NDArray[np.bool_]
    model: Array
    pull: Array
    curve: tuple[Array, Array]
    chi2: float


def draw_fit(panel: FitPanel, path: Path) -> Figure:
    """Draw one data set with the model above and the pulls below; points left out are hollow."""
    m, use = panel.measurement, panel.use
    axis = abscissa_named(m.abscissa)
    power = 0.0 if m.denominator or m.interstellar else SPECTRAL_POWER
    with rc_context(style.RC):
        figure = Figure(figsize=(6.6, 5.6), layout="constrained")
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        colour = style.colour_of(m.experiment)
        for rows, face in ((use, colour), (~use & ~m.upper_limit, "white")):
            if not rows.any():
                continue
            scale = m.x[rows] ** power
            top.errorbar(
                m.x[rows], m.y[rows] * scale, yerr=np.array([m.sigma_minus[rows], m.sigma_plus[rows]]) * scale,
                fmt=style.marker_of(m.experiment), color=colour, mfc=face, ms=4, elinewidth=0.9, lw=0,
                label=m.experiment if face == colour else "not fitted",
            )  # fmt: skip
        x, y = panel.curve
        top.plot(
            x,
            y * x**power,
            color="black",
            lw=1.4,
            zorder=1,
            label=f"best fit, $\\chi^2$ = {panel.chi2:.1f} / {use.sum()}",
        )
        top.set_xscale("log")
        shown = m.y[~m.upper_limit] * m.x[~m.upper_limit] ** power
        if shown.max() > 5.0 * shown.min():
            top.set_yscale("log")
            if shown.max() < 60.0 * shown.min():
                style.plain_ticks(top.yaxis)
        label = style.quantity_label(m.numerator, m.denominator)
        top.set_ylabel(label if m.denominator else f"{label}: {style.times_power_label(axis, power)}")
        # above the frame: errors of the last points reach into any corner of it
        top.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
        bottom.axhspan(-1.0, 1.0, color="0.9", lw=0)
        bottom.axhline(0.0, color="black", lw=0.8)
        bottom.plot(m.x[use], panel.pull, style.marker_of(m.experiment), color=colour, ms=4)
        reach = max(3.0, 1.1 * float(np.max(np.abs(panel.pull))))
        bottom.set_ylim(-reach, reach)
        bottom.set_ylabel("pull [$\\sigma$]")
        bottom.set_xlabel(style.x_label(axis))
        figure.savefig(path)
    return figure


@dataclass(frozen=True)
class DipolePanel:
    """Dipoles of one experiment next to the model they were fitted with.

    Attributes
    ----------
    measurement : DipoleMeasurement
    amplitude, phase : which of its rows counted, shape (number of rows,) each
    """

    measurement: DipoleMeasurement
    amplitude: NDArray[np.bool_]
    phase: NDArray[np.bool_]


def draw_dipoles(panels: Sequence[DipolePanel], curve: tuple[Array, Array, Array], path: Path) -> Figure:
    """Draw amplitudes above and phases below; points left out are hollow.

    Parameters
    ----------
    curve : energies [GeV], amplitude and phase [deg] of the model
    """
    energy, amplitude, phase = curve
    with rc_context(style.RC):
        figure = Figure(figsize=(6.6, 6.2), layout="constrained")
        top, bottom = figure.subplots(2, 1, sharex=True)
        for number, panel in enumerate(panels):
            m = panel.measurement
            colour = style.SEQUENCE[1 + number % (len(style.SEQUENCE) - 1)]
            marker = style.MARKERS[number % len(style.MARKERS)]
            errors = {
                top: (m.amplitude, m.sigma_minus, m.sigma_plus, panel.amplitude),
                bottom: (m.phase, m.phase_minus, m.phase_plus, panel.phase),
            }
            for axes, (y, minus, plus, used) in errors.items():
                for rows, filled in ((used, True), (~used, False)):
                    if not rows.any():
                        continue
                    yerr = np.nan_to_num(np.array([minus[rows], plus[rows]]))
                    axes.errorbar(
                        m.energy[rows], y[rows], yerr=yerr, fmt=marker, ms=4, lw=0,
                        color=colour, elinewidth=0.9, mfc=None if filled else "white",
                        label=m.experiment if filled and axes is top else None,
                    )  # fmt: skip
        top.plot(energy, amplitude, color="black", lw=1.4, zorder=1, label="best fit")
        # a line that goes round the circle is no line from the top to the bottom
        jump = np.append(np.abs(np.diff(phase)) > 180.0, False)
        bottom.plot(energy, np.where(jump, np.nan, phase), color="black", lw=1.4, zorder=1)
        top.set_xscale("log")
        top.set_yscale("log")
        top.set_ylabel("Amplitude of the dipole")
        bottom.set_ylim(0.0, 360.0)
        bottom.set_yticks(np.arange(0.0, 361.0, 60.0))
        bottom.set_ylabel("Right ascension of the excess [deg]")
        bottom.set_xlabel("Total energy of the particle $E$ [GeV]")
        top.legend()
        figure.savefig(path)
    return figure


def draw_profile(
    values: Array, rise: Array, parabola: tuple[float, float], *, label: str, path: Path
) -> Figure:
    """Draw a profile likelihood.

    Parameters
    ----------
    values, rise : shape (n,), of the parameter and of chi-square above its minimum
    parabola : best value and error, drawn for comparison
    label : of the parameter, with its unit
    """
    best, error = parabola
    with rc_context(style.RC):
        figure = Figure(figsize=(5.6, 4.2), layout="constrained")
        axes = figure.subplots()
        for level in (1.0, 4.0):
            axes.axhline(level, color="0.8", lw=0.8)
        x = np.linspace(values.min(), values.max(), 200)
        axes.plot(
            x, ((x - best) / error) ** 2, color="0.5", ls="--", lw=1.0, label="parabola of the Hesse error"
        )
        axes.plot(values, rise, "o-", color="black", ms=3.5, lw=1.2, label="the others at their best")
        axes.set_ylim(0.0, 1.1 * max(4.0, float(np.max(rise))))
        axes.set_xlabel(label)
        axes.set_ylabel("$\\chi^2 - \\chi^2_\\mathrm{min}$")
        axes.legend()
        figure.savefig(path)
    return figure


def draw_contour(
    lines: Mapping[float, Array], best: tuple[float, float], *, labels: tuple[str, str], path: Path
) -> Figure:
    """Draw contours of two parameters.

    Parameters
    ----------
    lines : probability -> places, shape (n, 2)
    best : place of the minimum
    labels : of the parameters, with their units
    """
    with rc_context(style.RC):
        figure = Figure(figsize=(5.2, 4.6), layout="constrained")
        axes = figure.subplots()
        for (level, line), dashes in zip(sorted(lines.items()), ("-", "--", ":"), strict=False):
            axes.plot(line[:, 0], line[:, 1], dashes, color="black", lw=1.3, label=f"{100.0 * level:.0f} %")
        axes.plot(*best, "+", color="black", ms=9, label="best fit")
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        axes.legend()
        figure.savefig(path)
    return figure

"""Figures of a fit: data, best model and pulls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cyldiff.data.measurements import Measurement
from cyldiff.observables.abscissa import abscissa_named
from cyldiff.plot import style
from cyldiff.plot.curves import SPECTRAL_POWER

__all__ = ["FitPanel", "draw_fit"]

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
        label = style.quantity_label(m.numerator, m.denominator)
        top.set_ylabel(label if m.denominator else f"{label}: {style.times_power_label(axis, power)}")
        top.legend()
        bottom.axhspan(-1.0, 1.0, color="0.9", lw=0)
        bottom.axhline(0.0, color="black", lw=0.8)
        bottom.plot(m.x[use], panel.pull, style.marker_of(m.experiment), color=colour, ms=4)
        reach = max(3.0, 1.1 * float(np.max(np.abs(panel.pull))))
        bottom.set_ylim(-reach, reach)
        bottom.set_ylabel("pull")
        bottom.set_xlabel(style.x_label(axis))
        figure.savefig(path)
    return figure

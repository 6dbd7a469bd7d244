"""Figure of several spectra on one axis, shifted apart where they would cover each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from cyldiff.data.measurements import Measurement
from cyldiff.plot import style
from cyldiff.plot.curves import curve, curve_range, distinct_potentials, power_of
from cyldiff.plot.request import Modulation, Panel

__all__ = ["overview_figure"]

Array = NDArray[np.float64]

#: smallest distance of two neighbouring spectra in the middle of the figure, as a factor
_DISTANCE = 3.0


def overview_figure(dataset: xr.Dataset, panels: tuple[Panel, ...], modulation: Modulation) -> Figure:
    """Draw the spectra of the panels, in colours named at their right ends."""
    figure = Figure(figsize=(7.2, 6.6), layout="constrained")
    ax = figure.subplots()
    ranges = [curve_range(dataset, panel) for panel in panels]
    x: Array = np.geomspace(min(r[0] for r in ranges), max(r[-1] for r in ranges), 500)
    potentials = [next(iter(distinct_potentials(p.measurements, modulation)), 0.0) for p in panels]
    power = max(power_of(panel) for panel in panels)
    bare = [curve(dataset, panel, x, potential=0.0, power=power) for panel in panels]
    shown = [
        curve(dataset, panel, x, potential=phi, power=power)
        for panel, phi in zip(panels, potentials, strict=True)
    ]
    factors = _factors(shown, x)
    heights = []
    for rank, panel in enumerate(panels):
        colour = style.SEQUENCE[rank % len(style.SEQUENCE)]
        factor = factors[rank]
        if potentials[rank] > 0.0:
            ax.plot(x, factor * bare[rank], color=colour, lw=1.0, ls="--", alpha=0.7, zorder=2)
        ax.plot(x, factor * shown[rank], color=colour, lw=1.5, zorder=3)
        heights += [_points(ax, m, factor * m.x**power, colour) for m in panel.measurements]
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(x[0], x[-1] * (x[-1] / x[0]) ** 0.13)  # room for the names
    _limits(ax, heights or [f * s for f, s in zip(factors, shown, strict=True)])
    for rank, panel in enumerate(panels):
        _name_at_end(ax, panel, x, shown[rank], factors[rank], style.SEQUENCE[rank % len(style.SEQUENCE)])
    ax.set_xlabel(style.x_label(panels[0].abscissa))
    ax.set_ylabel(style.times_power_label(panels[0].abscissa, power))
    _legend(ax, panels, potentials)
    return figure


def _factors(shown: list[Array], x: Array) -> list[float]:
    """Factors 1, 0.3, 0.1, ... that keep neighbouring spectra apart in the middle of the figure."""
    middle = int(np.argmin(np.abs(np.log(x) - 0.5 * np.log(x[0] * x[-1]))))
    levels = [float(s[middle]) if np.isfinite(s[middle]) else 0.0 for s in shown]
    factors = [1.0] * len(levels)
    ceiling = np.inf
    for rank in sorted(range(len(levels)), key=lambda i: -levels[i]):
        if levels[rank] <= 0.0:
            continue
        choices = [f for exponent in range(12) for f in (10.0**-exponent, 0.3 * 10.0**-exponent)]
        factors[rank] = next((f for f in choices if f * levels[rank] <= ceiling / _DISTANCE), choices[-1])
        ceiling = factors[rank] * levels[rank]
    return factors


def _points(ax: Any, m: Measurement, scale: Array, colour: str) -> Array:
    """Draw the points of a set times `scale`; returns their heights."""
    use = ~m.upper_limit
    y, errors = m.y * scale, np.array([m.sigma_minus, m.sigma_plus]) * scale
    ax.errorbar(
        m.x[use],
        y[use],
        yerr=errors[:, use],
        fmt=style.marker_of(m.experiment),
        color=colour,
        ms=3.4,
        elinewidth=0.9,
        lw=0,
        mew=0.0,
        zorder=4,
    )
    drawn: Array = y[use]
    return drawn


def _name_at_end(ax: Any, panel: Panel, x: Array, y: Array, factor: float, colour: str) -> None:
    """Write the name, with the factor, right of the last point of the curve inside the frame."""
    y = factor * y
    last = np.flatnonzero(np.isfinite(y) & (y > 1.4 * ax.get_ylim()[0]))
    if last.size:
        times = "" if factor == 1.0 else f" $\\times${factor:g}"
        ax.annotate(
            style.quantity_label(panel.numerator, ()) + times,
            (x[last[-1]], y[last[-1]]),
            xytext=(5, 0),
            textcoords="offset points",
            color=colour,
            va="center",
        )


def _limits(ax: Any, heights: list[Array]) -> None:
    """Half a decade below the lowest, a factor 3 above the highest value."""
    every = np.concatenate(heights)
    every = every[np.isfinite(every) & (every > 0.0)]
    if every.size:
        ax.set_ylim(every.min() / 3.0, every.max() * 3.0)


def _legend(ax: Any, panels: tuple[Panel, ...], potentials: list[float]) -> None:
    """Line styles and experiments; the colours are named at the curves."""
    phis = sorted({phi for phi in potentials if phi > 0.0})
    entries = []
    if phis:
        text = ", ".join(f"{phi:.4g}" for phi in phis)
        entries.append(Line2D([], [], color="0.3", lw=1.5, label=f"model, $\\phi$ = {text} GV"))
    entries.append(Line2D([], [], color="0.3", lw=1.0, ls="--" if phis else "-", label="model, interstellar"))
    for name in dict.fromkeys(m.experiment for panel in panels for m in panel.measurements):
        entries.append(Line2D([], [], color="0.3", lw=0, marker=style.marker_of(name), ms=4, label=name))
    ax.legend(handles=entries, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)

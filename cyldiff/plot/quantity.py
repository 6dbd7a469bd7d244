"""Figure of one quantity: curves and data above, pulls below, a column for each abscissa."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cyldiff.data.comparison import Comparison, compare
from cyldiff.data.measurements import Measurement
from cyldiff.observables.spectra import spectrum
from cyldiff.plot import style
from cyldiff.plot.curves import curve, curve_range, distinct_potentials, power_of
from cyldiff.plot.request import Modulation, Panel

__all__ = ["quantity_figure"]

Array = NDArray[np.float64]

#: pulls are shown up to this; an open triangle stands for those beyond
_PULL_LIMIT = 5.0
_DASH = "\N{EN DASH}"
_LINES = ("-", "-.", (0, (5, 1, 1, 1, 1, 1)))


def quantity_figure(dataset: xr.Dataset, panels: tuple[Panel, ...], modulation: Modulation) -> Figure:
    """Draw the panels side by side, each with its pulls if there are data."""
    with_pulls = any(panel.measurements for panel in panels)
    figure = Figure(figsize=(6.6 * len(panels), 5.6 if with_pulls else 4.6), layout="constrained")
    axes = figure.subplots(
        2 if with_pulls else 1,
        len(panels),
        squeeze=False,
        sharex="col",
        gridspec_kw={"height_ratios": [3.4, 1.0]} if with_pulls else None,
    )
    for column, panel in enumerate(panels):
        results = [
            compare(dataset, m, potential=modulation.potential_for(m.experiment)) for m in panel.measurements
        ]
        _main(axes[0, column], dataset, panel, modulation, results)
        if with_pulls:
            _pulls(axes[1, column], results)
        axes[-1, column].set_xlabel(style.x_label(panel.abscissa))
    figure.align_ylabels()
    return figure


def _main(
    ax: Any, dataset: xr.Dataset, panel: Panel, modulation: Modulation, results: list[Comparison]
) -> None:
    x = curve_range(dataset, panel)
    power = power_of(panel)
    curves = _curves(ax, dataset, panel, modulation, x)
    for rank, result in enumerate(results):
        _points(ax, result, power, rank)
    ax.set_xscale("log")
    ax.set_xlim(x[0], x[-1])
    _scale(ax, panel, curves)
    name = style.quantity_label(panel.numerator, panel.denominator)
    ordinate = "" if panel.denominator else f":  {style.times_power_label(panel.abscissa, power)}"
    ax.set_ylabel(name + ordinate)
    ax.legend(loc="best")


def _curves(ax: Any, dataset: xr.Dataset, panel: Panel, modulation: Modulation, x: Array) -> list[Array]:
    """Modulated curves solid, the interstellar one dashed, an isotope beside its element dotted."""
    potentials = distinct_potentials(panel.measurements, modulation)
    power = power_of(panel)
    drawn = []
    for rank, phi in enumerate(p for p in potentials if p > 0.0):
        y = curve(dataset, panel, x, potential=phi, power=power)
        label = f"model, $\\phi$ = {phi:.4g} GV"
        ax.plot(x, y, color="black", lw=1.7, ls=_LINES[rank % len(_LINES)], zorder=3, label=label)
        drawn.append(y)
    y = curve(dataset, panel, x, potential=0.0, power=power)
    look = {"color": "0.35", "lw": 1.3, "ls": "--"} if drawn else {"color": "black", "lw": 1.7}
    ax.plot(x, y, zorder=2, label="model, interstellar", **look)
    drawn.append(y)
    if panel.also is not None:
        axis = panel.abscissa.name
        phi = next(iter(potentials), 0.0)
        alone = spectrum(dataset, panel.also, abscissa=axis, x=x, potential=phi).to_numpy()
        label = f"model, {style.label_of(panel.also)} alone"
        ax.plot(x, alone * x**power, color="0.35", lw=1.2, ls=":", label=label)
    return drawn


def _points(ax: Any, result: Comparison, power: float, rank: int) -> None:
    """Points with total errors, limits as arrows; the label carries the chi-square."""
    m = result.measurement
    factor, value = m.x**power, ~m.upper_limit
    label = f"{m.experiment} ({m.period.replace('-', _DASH)})"
    if result.n_points:
        label += f",  $\\chi^2/n$ = {_short(result.chi2)}/{result.n_points}"
    look = _look(m, rank)
    errors = np.array([m.sigma_minus, m.sigma_plus]) * factor
    ax.errorbar(m.x[value], (m.y * factor)[value], yerr=errors[:, value], label=label, **look)
    if m.upper_limit.any():
        limits = (m.y * factor)[m.upper_limit]
        look["fmt"] = "_"
        ax.errorbar(m.x[m.upper_limit], limits, yerr=0.25 * limits, uplims=True, **look)


def _look(m: Measurement, rank: int) -> dict[str, Any]:
    return {
        "fmt": style.marker_of(m.experiment, rank),
        "color": style.colour_of(m.experiment, rank),
        "ms": 4.0 if len(m) > 20 else 5.5,
        "elinewidth": 1.1,
        "lw": 0,
        "mew": 0.0,
        "zorder": 4,
    }


def _short(number: float) -> str:
    """Three digits, without an exponent for numbers a reader still counts in."""
    return f"{number:.3g}" if number < 1000.0 else f"{number:.0f}"


def _scale(ax: Any, panel: Panel, curves: list[Array]) -> None:
    """Choose linear or logarithmic ordinates and their range, from data with errors and curves."""
    power = power_of(panel)
    data = [m.y[m.y > 0.0] * m.x[m.y > 0.0] ** power for m in panel.measurements]
    known = np.concatenate(data or curves)
    both = np.concatenate([known, *curves])
    known, both = (a[np.isfinite(a) & (a > 0.0)] for a in (known, both))
    if not both.size:
        return
    known = known if known.size else both
    # curves may run far away from the data at the ends of their range: follow them by a factor 4
    bottom = max(float(both.min()), float(known.min()) / 4.0)
    top = min(float(both.max()), float(known.max()) * 4.0)
    if panel.denominator and (_uncertain(panel) or known.max() < 4.0 * known.min()):
        highest = max((float(np.max(m.y + m.sigma_plus)) for m in panel.measurements), default=top)
        entries = len(panel.measurements) + len(curves)  # each needs its line in the legend
        ax.set_ylim(0.0, (1.05 + 0.08 * entries) * max(top, highest))
        return
    ax.set_yscale("log")
    ax.set_ylim(bottom / 1.3, top * 1.4)
    if top / bottom < 60.0:
        style.plain_ticks(ax.yaxis)


def _uncertain(panel: Panel) -> bool:
    """Errors above half of a value: a logarithmic axis would draw them into the ground."""
    return any(bool(np.any(m.sigma_minus > 0.5 * m.y)) for m in panel.measurements)


def _pulls(ax: Any, results: list[Comparison]) -> None:
    """Draw (data - model) / sigma; what lies beyond the frame is an open triangle at its edge."""
    ax.axhspan(-2.0, 2.0, color="0.93", zorder=0, lw=0)
    ax.axhspan(-1.0, 1.0, color="0.85", zorder=0, lw=0)
    ax.axhline(0.0, color="black", lw=0.9, zorder=1)
    for rank, result in enumerate(results):
        look = _look(result.measurement, rank)
        colour, marker, size = look["color"], look["fmt"], look["ms"] - 0.4
        pull = result.pull
        inside = np.abs(pull) <= _PULL_LIMIT
        ax.plot(result.x[inside], pull[inside], marker, color=colour, ms=size, mew=0.0, zorder=3)
        for sign, shape in ((1.0, "^"), (-1.0, "v")):
            beyond = sign * pull > _PULL_LIMIT
            edge = np.full(int(beyond.sum()), sign * 0.9 * _PULL_LIMIT)
            ax.plot(result.x[beyond], edge, shape, color=colour, mfc="none", ms=4.5, zorder=3)
    ax.set_ylim(-_PULL_LIMIT, _PULL_LIMIT)
    ax.set_yticks([-4, -2, 0, 2, 4])
    ax.set_ylabel("pull [$\\sigma$]")

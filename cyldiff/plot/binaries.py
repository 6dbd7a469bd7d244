"""Figures of the X-ray binary distribution: the map with its cells, and density against radius."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.galaxy.xray_binaries import R_SUN, XrbDistribution
from cyldiff.plot.style import ORANGE, SEQUENCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["density_figure", "map_figure"]

#: how the two classes are drawn
_OBJECTS: Mapping[str, Any] = {
    "hmxb": {"marker": "o", "s": 9.0, "color": SEQUENCE[2], "label": "high-mass"},
    "lmxb": {"marker": "+", "s": 22.0, "linewidth": 0.8, "color": SEQUENCE[1], "label": "low-mass"},
}
_LAWS = {"plain": ":", "means": "--", "weighted": "-"}
_WORDS = {
    "plain": "law, plain means",
    "means": "law, weighted means",
    "weighted": "law, weighted means and errors",
}


def map_figure(result: XrbDistribution, *, extent: float = 18.0) -> Figure:
    """Objects in the plane with the circles and cells of the analysis, Sun and Galactic centre marked."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    figure = Figure(figsize=(6.4, 6.2), layout="constrained")
    axes = figure.add_subplot()
    cells = result.cells
    for center, radii in (((-cells.observer_radius, 0.0), cells.r), ((0.0, 0.0), cells.R)):
        for radius in np.unique(radii):
            axes.add_patch(Circle(center, radius, fill=False, color="0.85", linewidth=0.6))
    for (x, y), radius in zip(cells.center, cells.radius, strict=True):
        for side in (1.0, -1.0) if y > 0.0 else (1.0,):
            axes.add_patch(Circle((x, side * y), radius, fill=False, color="0.55", linewidth=0.5))
    for name, position in result.position.items():
        axes.scatter(position[:, 0], position[:, 1], **_OBJECTS[name], zorder=3)
    axes.plot(
        [-cells.observer_radius], [0.0], "*", color=ORANGE, markeredgecolor="k", markersize=13, zorder=4
    )
    axes.plot([0.0], [0.0], "^", color="w", markeredgecolor="k", markersize=8, zorder=4)
    axes.set(xlim=(-extent - 4.0, extent - 4.0), ylim=(-extent, extent), aspect="equal")
    axes.set(xlabel="$x$ [kpc]", ylabel="$y$ [kpc]")
    outside = sum(int(np.sum(~_inside(p, axes))) for p in result.position.values())
    title = f"{sum(map(len, result.position.values()))} objects with a distance"
    axes.set_title(f"{title}, {outside} outside the frame" if outside else title, fontsize=11)
    axes.legend(loc="upper right", frameon=True, handletextpad=0.2)
    return figure


def _inside(position: NDArray[np.float64], axes: Axes) -> NDArray[np.bool_]:
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    x, y = position.T
    return (x > left) & (x < right) & (y > bottom) & (y < top)


def density_figure(results: Sequence[XrbDistribution], *, titles: Sequence[str]) -> Figure:
    """Corrected surface density against Galactocentric radius with the fitted laws, a panel per result.

    Circles are weighted means with the errors of Eq. 6, crosses plain means; the grey line is the printed law
    (a = -5.3, R1 = 9.5 kpc) with the amplitude of the weighted fit.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(results) + 0.6, 4.2), layout="constrained")
    panels = figure.subplots(1, len(results), sharey=True, squeeze=False)[0]
    R = np.linspace(0.0, 16.0, 200)
    for axes, result, title in zip(panels, results, titles, strict=True):
        rows = result.rows
        axes.errorbar(
            rows.R, rows.weighted, rows.weighted_error, fmt="o", color="k", ms=4.5, label="weighted means"
        )
        axes.plot(rows.R, rows.plain, "x", color="0.4", ms=6, label="plain means")
        for (name, style), colour in zip(_LAWS.items(), SEQUENCE[1:], strict=False):
            axes.plot(R, result.fits[name](R), style, color=colour, label=_WORDS[name])
        scale = float(result.fits["weighted"].A)
        axes.plot(
            R,
            scale * ((R + 9.5) / (R_SUN + 9.5)) ** -5.3,
            color="0.6",
            lw=3.0,
            alpha=0.5,
            zorder=0,
            label="shape as printed",
        )
        axes.set(yscale="log", xlabel="$R$ [kpc]", xlim=(-0.5, 16.0), ylim=(0.1, 400.0))
        axes.set_title(title, fontsize=11)
    panels[0].set_ylabel("surface density [kpc$^{-2}$]")
    panels[-1].legend(fontsize=8.5)
    return figure

"""The drawing of :mod:`cyldiff.plot.anisotropy`: the part that needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MultipleLocator
from numpy.typing import NDArray

from cyldiff.data.dipoles import DipoleMeasurement
from cyldiff.plot import style
from cyldiff.plot.anisotropy import shown_parts, unwrapped

__all__ = ["anisotropy_figure"]

Array = NDArray[np.float64]

#: right ascension of the Galactic centre [deg] (l = b = 0, J2000), and of the opposite direction
CENTRE, ANTICENTRE = 266.405, 86.405
#: ordinates that are always shown
_AMPLITUDES = (5.0e-5, 1.0e-2)
#: shapes, first filled, then hollow
_MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "p")
_DATA_COLOURS = ("0.3", "0.6", style.SKY, style.ORANGE, style.GREEN, style.PURPLE)


def anisotropy_figure(
    dipole: xr.Dataset, data: Sequence[DipoleMeasurement], shown: tuple[float, float]
) -> Figure:
    """Amplitude and phase of a dipole, of its parts, and of measured ones."""
    figure = Figure(figsize=(7.4, 8.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [1.25, 1.0]})
    axis = dipole["amplitude"].dims[0]
    x = dipole[axis].values
    handles = [Line2D([], [], color="black", lw=2.2, label=f"model, {_mixture(dipole)}")]
    above.plot(x, dipole["amplitude"], color="black", lw=2.2, zorder=6)
    below.plot(x, unwrapped(dipole["phase"].values), color="black", lw=2.2, zorder=6)
    for rank, (name, (amplitude, phase)) in enumerate(shown_parts(dipole, shown).items()):
        look: dict[str, Any] = {"lw": 1.4, **style.line_of(1 + rank % (len(style.SEQUENCE) - 1))}
        above.plot(x, amplitude, zorder=5, **look)
        below.plot(x, unwrapped(phase), zorder=5, **look)
        handles.append(Line2D([], [], label=name, **look))
    entries = [_points(above, below, one, rank, shown) for rank, one in enumerate(_by_experiment(data))]
    _above(above, dipole, shown)
    _below(below)
    below.set_xlabel(_label(dipole[axis]))
    above.legend(handles=handles, loc="upper left")
    if any(entries):
        figure.legend(handles=[e for e in entries if e], loc="outside upper center", ncols=4)
    return figure


def _mixture(dipole: xr.Dataset) -> str:
    mixture = str(dipole.attrs["mixture"])
    return "all nuclei" if mixture == "all" else mixture


def _label(axis: xr.DataArray) -> str:
    words = str(axis.attrs["long_name"])
    return f"{words[0].upper()}{words[1:]} [{axis.attrs['units']}]"


def _by_experiment(data: Sequence[DipoleMeasurement]) -> list[list[DipoleMeasurement]]:
    """Sets of the same experiment together: they share a symbol."""
    groups: dict[str, list[DipoleMeasurement]] = {}
    for one in data:
        groups.setdefault(one.experiment, []).append(one)
    return list(groups.values())


def _points(
    above: Any, below: Any, group: list[DipoleMeasurement], rank: int, shown: tuple[float, float]
) -> Line2D | None:
    """Draw the sets of an experiment; what stands for them in the legend, if any point is in the frame."""
    colour = _DATA_COLOURS[rank % len(_DATA_COLOURS)]
    look: dict[str, Any] = {
        "marker": _MARKERS[rank % len(_MARKERS)], "color": colour, "ms": 4.4, "lw": 0, "mew": 0.9,
        "mfc": colour if rank < len(_MARKERS) else "white",
    }  # fmt: skip
    bars = {**look, "elinewidth": 0.9, "zorder": 3}
    drawn = False
    for one in group:
        inside = (one.energy >= shown[0]) & (one.energy <= shown[1])
        if not inside.any():
            continue
        drawn = True
        # a lower error that left the figure it was read from reaches at least to zero
        lost = np.isnan(one.sigma_minus) & np.isfinite(one.sigma_plus)
        lower = np.where(lost, one.amplitude * (1.0 - 1e-6), one.sigma_minus)
        errors = np.nan_to_num([np.minimum(lower, one.amplitude * (1.0 - 1e-6)), one.sigma_plus])
        above.errorbar(one.energy[inside], one.amplitude[inside], yerr=errors[:, inside], **bars)
        limits = inside & np.isfinite(one.upper_limit)
        above.plot(one.energy[limits], one.upper_limit[limits], marker=r"$\downarrow$", ms=8.0, lw=0,
                   color=colour, zorder=3)  # fmt: skip
        errors = np.nan_to_num([one.phase_minus, one.phase_plus])
        turned = (one.phase + 180.0) % 360.0 - 180.0
        for turn in (-360.0, 0.0, 360.0):  # bars that cross the cut go on at the other side
            below.errorbar(one.energy[inside], turned[inside] + turn, yerr=errors[:, inside], **bars)
    if not drawn:
        return None
    return Line2D([], [], label=group[0].experiment, **look)


def _above(ax: Any, dipole: xr.Dataset, shown: tuple[float, float]) -> None:
    axis = dipole["amplitude"].dims[0]
    inside = (dipole[axis] >= shown[0]) & (dipole[axis] <= shown[1])
    total = dipole["amplitude"].values[inside.values]
    total = total[np.isfinite(total) & (total > 0.0)]
    low, high = _AMPLITUDES
    if total.size:
        low, high = min(low, max(total.min() / 2.0, 1e-6)), max(high, 2.0 * total.max())
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(*shown)
    ax.set_ylim(low, high)
    ax.set_ylabel("Amplitude in the equatorial plane")


def _below(ax: Any) -> None:
    ax.set_ylim(-180.0, 180.0)
    ax.yaxis.set_major_locator(MultipleLocator(60.0))
    ax.yaxis.set_minor_locator(MultipleLocator(20.0))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value % 360.0:.0f}"))
    ax.set_ylabel("Right ascension of the excess [deg]")
    for value, name, side in ((CENTRE, "Galactic centre", "left"), (ANTICENTRE, "anticentre", "right")):
        turned = (value + 180.0) % 360.0 - 180.0
        ax.axhline(turned, color="0.55", lw=0.9, ls=":", zorder=1)
        ax.annotate(name, (float(side == "right"), turned), xycoords=("axes fraction", "data"),
                    xytext=(-4 if side == "right" else 4, 3), textcoords="offset points", ha=side,
                    color="0.4", fontsize=9.0)  # fmt: skip

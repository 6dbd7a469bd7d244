"""How figures look: fonts, colours, labels. Nothing global is changed."""

from __future__ import annotations

import re
from typing import Any

from cyldiff.observables.abscissa import Abscissa

__all__ = [
    "BLACK",
    "BLUE",
    "GREEN",
    "LINES",
    "MARKERS",
    "ORANGE",
    "PURPLE",
    "RC",
    "SEQUENCE",
    "SEQUENTIAL",
    "SKY",
    "VERMILLION",
    "WINE",
    "YELLOW",
    "colour_of",
    "energy_text",
    "label_of",
    "line_of",
    "marker_of",
    "plain_ticks",
    "quantity_label",
    "times_power_label",
    "x_label",
]

#: settings every figure is drawn with (through a matplotlib rc context)
RC: Any = {
    "font.size": 11.0,
    "axes.labelsize": 12.0,
    "axes.linewidth": 0.9,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "savefig.dpi": 200,
    "svg.hashsalt": "cyldiff",
}

# Okabe & Ito 2008, Color Universal Design (jfly.uni-koeln.de/color): told apart by colour-blind readers
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
#: of the scheme "muted" of Tol 2021 (SRON/EPS/TN/09-002, issue 3.2); yellow is too pale for a line on white
WINE = "#882255"
_COLOURS = {
    "AMS-02": BLUE,
    "DAMPE": VERMILLION,
    "Voyager 1": GREEN,
    "ACE-CRIS": PURPLE,
    "ISOMAX": ORANGE,
    "Balloons": SKY,
}
#: colours of curves, in the order in which they are given out
SEQUENCE = (BLACK, BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, WINE)
#: dashes of curves, in the same order: a figure can be read without its colours
LINES: tuple[Any, ...] = (
    "-",
    "--",
    "-.",
    (0, (4, 1, 1, 1, 1, 1)),
    ":",
    (0, (9, 2)),
    (0, (9, 2, 1, 2)),
    (0, (2, 1)),
)
#: symbols of points, in the same order
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
#: colour map of images: perceptually uniform, dark is little
SEQUENTIAL = "viridis"
_SPARE = (PURPLE, ORANGE, SKY, GREEN, VERMILLION, BLUE)
_MARKERS = {"AMS-02": "o", "DAMPE": "s", "Voyager 1": "D", "ACE-CRIS": "^", "ISOMAX": "v", "Balloons": "P"}
_SPARE_MARKERS = ("X", "<", ">", "p", "h", "*")


def line_of(rank: int) -> dict[str, Any]:
    """Colour and dashes of a curve by its rank; 0 is the black solid line of a sum or a model."""
    return {"color": SEQUENCE[rank % len(SEQUENCE)], "ls": LINES[rank % len(LINES)]}


def colour_of(experiment: str, rank: int = 0) -> str:
    """Colour of an experiment; one of the spare ones, by `rank`, if it has none of its own."""
    return _COLOURS.get(experiment, _SPARE[rank % len(_SPARE)])


def marker_of(experiment: str, rank: int = 0) -> str:
    """Marker of an experiment; one of the spare ones, by `rank`, if it has none of its own."""
    return _MARKERS.get(experiment, _SPARE_MARKERS[rank % len(_SPARE_MARKERS)])


def label_of(name: str) -> str:
    """Species or element as text for a figure: ``Be10`` with its mass number raised."""
    match = re.fullmatch(r"([A-Z][a-z]?)(\d+)", name)
    return f"$^{{{match.group(2)}}}${match.group(1)}" if match else name


def quantity_label(numerator: tuple[str, ...], denominator: tuple[str, ...]) -> str:
    """Label of a ratio, or of the species of a spectrum."""
    above = "+".join(map(label_of, numerator))
    return f"{above} / {'+'.join(map(label_of, denominator))}" if denominator else above


def x_label(abscissa: Abscissa) -> str:
    """Abscissa in words, symbol and unit."""
    words = abscissa.long_name[0].upper() + abscissa.long_name[1:]
    return f"{words} ${abscissa.symbol}$ [{abscissa.unit}]"


def times_power_label(abscissa: Abscissa, power: float) -> str:
    """Label of an intensity times the abscissa to a power (0: bare), with its unit."""
    unit = f"({abscissa.unit})" if "/" in abscissa.unit else abscissa.unit
    factor = f"{abscissa.symbol}^{{{power:g}}}\\," if power else ""
    return f"${factor}J$   [m$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$ {unit}$^{{{power - 1:g}}}$]"


def energy_text(value: float) -> str:
    """An energy in GeV with the unit that keeps the number small: ``10 TeV``."""
    for unit, size in (("PeV", 1e6), ("TeV", 1e3), ("GeV", 1.0)):
        if value >= size * 0.9999:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e3:.3g} MeV"


def plain_ticks(axis: Any) -> None:
    """Ticks 0.1, 0.2, 0.3, 0.5, 1 … on a logarithmic axis of one or two decades, in place of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())

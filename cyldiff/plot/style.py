"""How figures look: fonts, colours, labels. Nothing global is changed."""

from __future__ import annotations

import re
from typing import Any

from cyldiff.observables.abscissa import Abscissa

__all__ = [
    "RC",
    "SEQUENCE",
    "colour_of",
    "label_of",
    "marker_of",
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

# colours of Okabe & Ito (2008), told apart by colour-blind readers
_COLOURS = {
    "AMS-02": "#0072B2",
    "DAMPE": "#D55E00",
    "Voyager 1": "#009E73",
    "ACE-CRIS": "#CC79A7",
    "ISOMAX": "#E69F00",
    "Balloons": "#56B4E9",
}
#: colours of curves that stand for elements
SEQUENCE = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C564B")
_SPARE = ("#CC79A7", "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#0072B2")
_MARKERS = {"AMS-02": "o", "DAMPE": "s", "Voyager 1": "D", "ACE-CRIS": "^", "ISOMAX": "v", "Balloons": "P"}
_SPARE_MARKERS = ("X", "<", ">", "p", "h", "*")


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

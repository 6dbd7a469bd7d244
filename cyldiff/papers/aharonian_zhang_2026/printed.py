"""Tables 1 to 3 of Aharonian & Zhang 2026 as printed."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["INTERACTIONS", "TABLES", "Row", "Value"]

#: models of hadronic interactions that LHAASO gives fluxes for; the paper does not say which it takes
INTERACTIONS = ("epos-lhc", "qgsjet-ii-04", "sibyll-23d")
AMPLITUDE = "GeV^1.75 m^-2 s^-1 sr^-1"


@dataclass(frozen=True)
class Value:
    """A printed parameter: value, errors downwards and upwards (NaN: none), unit, and its size in GeV if an energy."""

    label: str
    value: float
    minus: float
    plus: float
    unit: str = ""
    size: float = 1.0


@dataclass(frozen=True)
class Row:
    """A row of a table: its place and its free parameters by their name in the fit."""

    place: str
    values: dict[str, Value]


def _a(value: float, minus: float, plus: float) -> Value:
    return Value("A", value, minus, plus, AMPLITUDE)


def _g(value: float, minus: float, plus: float) -> Value:
    return Value("Γ", value, minus, plus)


def _b(value: float, minus: float, plus: float) -> Value:
    return Value("β", value, minus, plus)


def _tev(label: str, value: float, minus: float, plus: float) -> Value:
    return Value(label, value, minus, plus, "TeV", 1e3)


def _pev(label: str, value: float, minus: float, plus: float) -> Value:
    return Value(label, value, minus, plus, "PeV", 1e6)


TABLES: dict[str, Row] = {
    "proton-ii": Row(
        "Table 1, II",
        {"A2": _a(34700, 1600, 1600), "G2": _g(2.39, 0.05, 0.05), "E2": _tev("E0", 6200, 800, 900)},
    ),
    "proton-i": Row(
        "Table 1, I",
        {
            "A1": _a(14500, 1900, 2500), "G1": _g(2.73, 0.02, 0.02), "E1": _tev("E0", 68, 14, 18),
            "b1": _b(2.55, 0.90, 1.32),
        },
    ),
    "proton-i-prime": Row(
        "Table 1, I' and II'",
        {
            "A1": _a(16200, 2700, 4200), "G1": _g(2.73, 0.03, 0.02), "E1": _tev("E0", 63, 12, 16),
            "b1": _b(2.18, 0.74, 1.31), "Emin2": _tev("Emin of II'", 0.89, 0.57, 1.30),
        },
    ),
    "proton-iii-fixed": Row(
        "Table 2, III with II fixed",
        {"A3": _a(340, 170, 280), "G3": _g(1.91, 0.21, 0.19), "E3": _pev("Emax", 102, 26, 43)},
    ),
    "proton-iii-free": Row(
        "Table 2, III with II free",
        {
            "A3": _a(4100, 2000, 2000), "G3": _g(2.59, 0.19, 0.12), "E3": _pev("Emax", 229, 85, 178),
            "A2": Value("A of II", 30200, 2800, 2800, AMPLITUDE), "E2": _pev("E0 of II", 5.6, 0.4, 0.3),
        },
    ),
    "helium-i": Row(
        "Table 3, I and II",
        {
            "A1": _a(36300, 6100, 7400), "G1": _g(2.57, 0.03, 0.02), "E1": _tev("E0", 468, 88, 95),
            "b1": _b(1.12, 0.26, 0.33), "A2": Value("A of II", 21500, math.nan, math.nan, AMPLITUDE),
        },
    ),
    "helium-i-prime": Row(
        "Table 3, I' and II'",
        {
            "A1": _a(38000, 7100, 9900), "G1": _g(2.58, 0.03, 0.03), "E1": _tev("E0", 447, 100, 103),
            "b1": _b(1.03, 0.23, 0.33), "Emin2": _tev("Emin of II'", 5.62, 2.81, 5.60),
        },
    ),
}  # fmt: skip

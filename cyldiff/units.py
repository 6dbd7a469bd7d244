"""Units at the border: text with a unit in, internal number out, and back.

Internal units are those of :mod:`cyldiff.constants` (kpc, Myr, GeV, GV, cm^-3, mb). This is
the only module that parses units; astropy is imported when the first unit other than the
common ones below is met, because its import takes longer than most commands.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

from cyldiff import constants as const

__all__ = ["DIMENSIONS", "format_quantity", "parse_quantity", "to_internal"]

_CM_S = const.MYR_S / const.KPC_CM
_CM2_S = const.MYR_S / const.KPC_CM**2

#: dimension -> (internal unit, example shown in messages, {unit: factor to internal})
DIMENSIONS: dict[str, tuple[str, str, dict[str, float]]] = {
    "length": (
        "kpc",
        "4 kpc",
        {"kpc": 1.0, "pc": 1e-3, "Mpc": 1e3, "cm": 1 / const.KPC_CM, "m": 100 / const.KPC_CM},
    ),
    "time": (
        "Myr",
        "1.387 Myr",
        {"Myr": 1.0, "kyr": 1e-3, "yr": 1e-6, "Gyr": 1e3, "s": 1 / const.MYR_S},
    ),
    "speed": (
        "kpc / Myr",
        "30 km/s",
        {"km/s": 1e5 * _CM_S, "cm/s": _CM_S, "kpc/Myr": 1.0, "m/s": 1e2 * _CM_S},
    ),
    "speed gradient": (
        "1 / Myr",
        "10 km/s/kpc",
        {"km/s/kpc": 1e5 * _CM_S, "1/Myr": 1.0, "Myr^-1": 1.0},
    ),
    "length²/time": (
        "kpc2 / Myr",
        "4e28 cm^2/s",
        {"cm^2/s": _CM2_S, "m^2/s": 1e4 * _CM2_S, "kpc^2/Myr": 1.0},
    ),
    "energy": (
        "GeV",
        "100 GeV",
        {"GeV": 1.0, "MeV": 1e-3, "keV": 1e-6, "TeV": 1e3, "PeV": 1e6, "EeV": 1e9, "eV": 1e-9},
    ),
    "rigidity": (
        "GV",
        "4 GV",
        {"GV": 1.0, "MV": 1e-3, "TV": 1e3, "PV": 1e6, "kV": 1e-6, "V": 1e-9},
    ),
    "number density": (
        "1 / cm3",
        "0.9 cm^-3",
        {"cm^-3": 1.0, "1/cm^3": 1.0, "m^-3": 1e-6, "kpc^-3": const.KPC_CM**-3},
    ),
    "surface density": (
        "g / cm2",
        "2.3 mg/cm^2",
        {"g/cm^2": 1.0, "mg/cm^2": 1e-3},
    ),
    "cross section": ("mb", "30 mb", {"mb": 1.0, "b": 1e3, "cm^2": 1e27}),
    "magnetic field": ("microgauss", "6 uG", {"uG": 1.0, "microgauss": 1.0, "nT": 10.0, "G": 1e6}),
    "temperature": ("K", "1e4 K", {"K": 1.0}),
    "angle": ("deg", "45 deg", {"deg": 1.0, "rad": 180 / math.pi}),
    "power": ("GeV / Myr", "1e39 erg/s", {"erg/s": const.ERG_GEV * const.MYR_S}),
    "intensity": (
        "1 / (GeV m2 s sr)",
        "0.05 GeV^-1 m^-2 s^-1 sr^-1",
        {"GeV^-1 m^-2 s^-1 sr^-1": 1.0, "m^-2 s^-1 sr^-1 GeV^-1": 1.0},
    ),
    "X_CO": (
        "1e20 / (cm2 K km/s)",
        "1.9e20 cm^-2/(K km/s)",
        {"cm^-2/(K km/s)": 1e-20, "cm^-2 (K km/s)^-1": 1e-20},
    ),
}

_NUMBER = re.compile(r"^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$")


def _normalise(unit: str) -> str:
    """One spelling for the ways people write a unit: ``**`` and superscripts, blanks."""
    unit = unit.replace("**", "^").replace("²", "^2").replace("³", "^3").replace("µ", "u")
    return re.sub(r"\s*([/^*])\s*", r"\1", re.sub(r"\s+", " ", unit.strip()))


@lru_cache(maxsize=512)
def _factor(unit: str, dimension: str) -> float:
    internal, example, table = DIMENSIONS[dimension]
    unit = _normalise(unit)
    if unit in table:
        return table[unit]
    from astropy import units as u

    internal_unit = {"rigidity": "GV", "magnetic field": "uG"}.get(dimension, internal)
    try:
        return float(u.Unit(unit).to(u.Unit(internal_unit)))
    except (ValueError, TypeError, u.UnitConversionError):
        raise ValueError(f'unit "{unit}" is not a {dimension}; expected e.g. "{example}"') from None


def parse_quantity(text: object, dimension: str) -> float:
    """Read ``"4e28 cm^2/s"`` as a number in the internal unit of `dimension`.

    Raises
    ------
    ValueError
        if there is no unit, the unit is of another dimension, or the number is not finite;
        the message says what was expected.
    """
    example = DIMENSIONS[dimension][1]
    if isinstance(text, bool) or not isinstance(text, str):
        if isinstance(text, int | float) and not isinstance(text, bool):
            raise ValueError(f'{text:g} has no unit; expected {dimension}, e.g. "{example}"')
        raise ValueError(f'expected {dimension} as text with a unit, e.g. "{example}"')
    match = _NUMBER.match(text)
    if not match:
        raise ValueError(f'"{text}" is not a number with a unit; expected e.g. "{example}"')
    number, unit = match.groups()
    if not unit:
        raise ValueError(f'"{text}" has no unit; expected {dimension}, e.g. "{example}"')
    value = float(number) * _factor(unit, dimension)
    if not math.isfinite(value):
        raise ValueError(f'"{text}" is not a finite number')
    return value


def to_internal(value: float, unit: str, dimension: str) -> float:
    """Convert a number given in `unit` to the internal unit of `dimension`."""
    return value * _factor(unit, dimension)


def format_quantity(value: float, dimension: str) -> str:
    """Write an internal number with the first unit of its dimension's list, ready to be parsed again."""
    _, example, table = DIMENSIONS[dimension]
    match = _NUMBER.match(example)
    unit = match.group(2) if match else next(iter(table))
    return f"{value / _factor(unit, dimension):.12g} {unit}"

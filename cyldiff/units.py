"""Units at the border: text with a unit in, internal number out, and back.

Internal units are those of :mod:`cyldiff.constants` (kpc, Myr, GeV, GV, cm^-3, mb). This is
the only module that parses units. The common ones are a table, in any spelling ("cm2/s",
"cm^2 s^-1", "s-1 cm²"); astropy is imported when another unit is met, because its import takes
longer than most commands.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

from cyldiff import constants as const
from cyldiff.errors import nearest, quoted

__all__ = ["DIMENSIONS", "dimension_of", "format_quantity", "parse_quantity", "to_internal"]

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
    "rate": ("1 / Myr", "0.1 kyr^-1", {"Myr^-1": 1.0, "kyr^-1": 1e3, "yr^-1": 1e6, "s^-1": const.MYR_S}),
    "speed": (
        "kpc / Myr",
        "30 km/s",
        {"km/s": 1e5 * _CM_S, "cm/s": _CM_S, "kpc/Myr": 1.0, "m/s": 1e2 * _CM_S},
    ),
    "speed gradient": (
        "1 / Myr",
        "10 km/s/kpc",
        {"km/s/kpc": 1e5 * _CM_S, "1/Myr": 1.0},
    ),
    "length²/time": (
        "kpc2 / Myr",
        "4e28 cm^2/s",
        {"cm^2/s": _CM2_S, "m^2/s": 1e4 * _CM2_S, "kpc^2/Myr": 1.0, "pc^2/Myr": 1e-6},
    ),
    "energy": (
        "GeV",
        "100 GeV",
        {
            "GeV": 1.0,
            "MeV": 1e-3,
            "keV": 1e-6,
            "TeV": 1e3,
            "PeV": 1e6,
            "EeV": 1e9,
            "eV": 1e-9,
            "erg": const.ERG_GEV,
        },
    ),
    "rigidity": (
        "GV",
        "4 GV",
        {"GV": 1.0, "MV": 1e-3, "TV": 1e3, "PV": 1e6, "kV": 1e-6, "V": 1e-9},
    ),
    "number density": (
        "1 / cm3",
        "0.9 cm^-3",
        {"cm^-3": 1.0, "m^-3": 1e-6, "kpc^-3": const.KPC_CM**-3},
    ),
    "surface density": (
        "g / cm2",
        "2.3 mg/cm^2",
        {"g/cm^2": 1.0, "mg/cm^2": 1e-3},
    ),
    "mass": ("solMass", "25000 Msun", {"Msun": 1.0, "solMass": 1.0, "g": 1 / const.SOLAR_MASS_G}),
    "energy density": (
        "GeV / cm3",
        "0.26 eV/cm^3",
        {"GeV/cm^3": 1.0, "eV/cm^3": 1e-9, "erg/cm^3": const.ERG_GEV, "J/m^3": 1e1 * const.ERG_GEV},
    ),
    "cross section": ("mbarn", "30 mb", {"mb": 1.0, "b": 1e3, "cm^2": 1e27}),
    "magnetic field": ("uG", "6 uG", {"uG": 1.0, "microgauss": 1.0, "nT": 10.0, "G": 1e6, "T": 1e10}),
    "temperature": ("K", "1e4 K", {"K": 1.0}),
    "angle": ("deg", "45 deg", {"deg": 1.0, "rad": 180 / math.pi}),
    "power": (
        "GeV / Myr",
        "1e39 erg/s",
        {"erg/s": const.ERG_GEV * const.MYR_S, "GeV/Myr": 1.0},
    ),
    "intensity": (
        "1 / (GeV m2 s sr)",
        "0.05 GeV^-1 m^-2 s^-1 sr^-1",
        {"GeV^-1 m^-2 s^-1 sr^-1": 1.0, "GeV^-1 cm^-2 s^-1 sr^-1": 1e4},
    ),
    # E^2.75 J, the usual way to show spectra around the knee
    "intensity times E^2.75": (
        "GeV(7/4) / (m2 s sr)",
        "34700 GeV^1.75 m^-2 s^-1 sr^-1",
        {"GeV^1.75 m^-2 s^-1 sr^-1": 1.0, "GeV^1.75 cm^-2 s^-1 sr^-1": 1e4},
    ),
    "energy flux": (
        "erg / (cm2 s)",
        "1e-14 erg cm^-2 s^-1",
        {
            "erg cm^-2 s^-1": 1.0,
            "TeV cm^-2 s^-1": 1e3 / const.ERG_GEV,
            "GeV cm^-2 s^-1": 1 / const.ERG_GEV,
        },
    ),
    "X_CO": (
        "1e20 cm-2 K-1 km-1 s",
        "1.9e20 cm^-2/(K km/s)",
        {"cm^-2/(K km/s)": 1e-20},
    ),
}

#: dimensions whose units may carry a "per nucleon", which is what the config means anyway
_PER_NUCLEON = ("energy", "intensity")
_NUMBER = re.compile(
    r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*((?:1\s*/|[^\W\d]|[(/%°]).*|)"
)
_TOKEN = re.compile(r"[A-Za-z]+|\^?[+-]?\d+(?:\.\d+)?|[*/()]")
_SUPERSCRIPTS = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")

Powers = dict[str, float]


def _normalise(unit: str) -> str:
    """One spelling for the ways people type a unit: ``**``, superscripts, dots, micro signs."""
    unit = unit.strip().replace("**", "^").replace("µ", "u").replace("μ", "u").replace("·", "*")
    return re.sub(r"[⁺⁻⁰¹²³⁴-⁹]+", lambda m: "^" + m[0].translate(_SUPERSCRIPTS), unit)


def _powers(unit: str) -> Powers | None:
    """``"cm^-2/(K km/s)"`` as ``{"cm": -2, "K": -1, "km": -1, "s": 1}``; None if it is no unit.

    A division holds for the next factor only: ``km/s/kpc``.
    """
    tokens = _TOKEN.findall(unit)
    if "".join(tokens) != re.sub(r"\s", "", unit):
        return None
    try:
        powers, rest = _product(tokens)
    except IndexError:  # a bracket that is never closed
        return None
    return powers if not rest else None


def _product(tokens: list[str]) -> tuple[Powers, list[str]]:
    """Read factors up to a closing bracket; the tokens from there on are returned."""
    powers: Powers = {}
    sign = 1
    while tokens and tokens[0] != ")":
        token, tokens = tokens[0], tokens[1:]
        if token in "*/":
            sign = -1 if token == "/" else 1
            continue
        factor: Powers = {}
        if token == "(":
            factor, tokens = _product(tokens)
            del tokens[0]
        elif token.isalpha():
            factor = {token: 1}
        exponent: float = sign
        if tokens and tokens[0].lstrip("^+-").replace(".", "").isdigit():
            exponent *= float(tokens[0].lstrip("^+"))
            tokens = tokens[1:]
        for name, power in factor.items():
            powers[name] = powers.get(name, 0) + exponent * power
        sign = 1
    return {name: power for name, power in powers.items() if power}, tokens


@lru_cache(maxsize=512)
def _factor(unit: str, dimension: str) -> float:
    """Factor from `unit` to the internal unit of `dimension`; ValueError if it is not one."""
    internal, example, table = DIMENSIONS[dimension]
    expected = f'expected {dimension}, e.g. "{example}"'
    powers = _powers_in(unit, dimension)
    tabulated = _tabulated(powers, dimension)
    if tabulated is not None:
        return tabulated
    from astropy import units as u

    try:
        if not powers:
            raise ValueError
        parsed = u.Unit(" ".join(f"{name}({power:g})" for name, power in powers.items()))
    except (ValueError, TypeError):
        raise ValueError(f"{quoted(unit)} is no unit; {expected}{nearest(unit, table)}") from None
    try:
        return float(parsed.to(u.Unit(internal)))
    except (u.UnitConversionError, TypeError):
        raise ValueError(f"found unit {quoted(unit)}; {expected}") from None


def _powers_in(unit: str, dimension: str) -> Powers:
    """Powers of a unit, without the "per nucleon" of dimensions that mean it anyway."""
    powers = _powers(_normalise(unit)) or {}
    if dimension in _PER_NUCLEON:
        powers = {name: power for name, power in powers.items() if name not in ("n", "nuc", "nucleon")}
    return powers


def _tabulated(powers: Powers, dimension: str) -> float | None:
    """Factor to the internal unit, if the unit is one of the table."""
    table = DIMENSIONS[dimension][2]
    return next((factor for known, factor in table.items() if _powers(known) == powers), None)


def dimension_of(text: str) -> tuple[str, str]:
    """Dimension and unit of a quantity: ``("length²/time", "cm^2/s")`` of ``"4e28 cm^2/s"``.

    Raises
    ------
    ValueError
        if it is no number with a unit, or the unit is of none of the dimensions.
    """
    match = _NUMBER.fullmatch(text.strip())
    if not match or not match[2]:
        raise ValueError(f'{quoted(text)} is not a number with a unit, e.g. "4 kpc"')
    unit = match[2].strip()
    for dimension in DIMENSIONS:
        if _tabulated(_powers_in(unit, dimension), dimension) is not None:
            return dimension, unit
    for dimension in DIMENSIONS:
        try:
            _factor(unit, dimension)
        except ValueError:
            continue
        return dimension, unit
    known = [name for _, _, table in DIMENSIONS.values() for name in table]
    raise ValueError(f"{quoted(unit)} is no unit that cyldiff knows{nearest(unit, known)}")


def parse_quantity(text: object, dimension: str) -> float:
    """Read ``"4e28 cm^2/s"`` as a number in the internal unit of `dimension`.

    Raises
    ------
    ValueError
        if there is no unit, the unit is of another dimension, or the number is not finite;
        the message says what was found and what was expected.
    """
    expected = f'expected {dimension}, e.g. "{DIMENSIONS[dimension][1]}"'
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise ValueError(f"found {quoted(text)}; {expected}")
    match = _NUMBER.fullmatch(text.strip()) if isinstance(text, str) else None
    if isinstance(text, int | float) or (match and not match[2]):
        raise ValueError(f"{quoted(text)} has no unit; {expected}")
    if not match:
        raise ValueError(f"{quoted(text)} is not a number with a unit; {expected}")
    value = float(match[1]) * _factor(match[2], dimension)
    if not math.isfinite(value):
        raise ValueError(f"{quoted(text)} is not a finite number; {expected}")
    return value


def to_internal(value: float, unit: str, dimension: str) -> float:
    """Convert a number given in `unit` to the internal unit of `dimension`."""
    return value * _factor(unit, dimension)


def format_quantity(value: float, dimension: str) -> str:
    """Write an internal number as text with a unit; parsed again it gives the same number.

    As few digits as that takes, in the unit of the dimension's example. A few numbers are no
    product of a double and that unit's factor; they are written in the internal unit.
    """
    _, example, table = DIMENSIONS[dimension]
    shown = _NUMBER.fullmatch(example)
    units = [shown[2]] if shown else []
    units += [unit for unit, factor in table.items() if factor == 1.0]
    texts = [
        f"{value / _factor(unit, dimension):.{digits}g} {unit}"
        for unit in units
        for digits in (6, 12, 15, 16, 17)
    ]
    return next((text for text in texts if parse_quantity(text, dimension) == value), texts[-1])

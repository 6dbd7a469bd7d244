"""Measured spectra and ratios: ``physics/measurements`` as objects.

A data set is a table ``name.csv`` with its pedigree ``name.source.toml``; what the columns and
keys mean is told in the README of that folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.data import diffuse, dipoles, seds
from cyldiff.data.rows import check_keys, numbers, outside, refuse
from cyldiff.data.shelf import Shelf, file_of
from cyldiff.errors import DataError, nearest, quoted
from cyldiff.observables.abscissa import ABSCISSAE
from cyldiff.resources import Table

__all__ = ["Measurement", "available", "load"]

Array = NDArray[np.float64]

SHELF = Shelf("data set", "measurements")
#: other data, and where they are of use
_OTHERS = {
    dipoles.SHELF: ("a dipole", "cyldiff anisotropy"),
    diffuse.SHELF: ("diffuse emission", "cyldiff gamma"),
    seds.SHELF: ("the emission of a source", "cyldiff source"),
}
_ERRORS = ("stat_minus", "stat_plus", "syst_minus", "syst_plus")
_COLUMNS = ("x", "x_low", "x_high", "y", *_ERRORS, "upper_limit")
_KEYS = ("experiment", "numerator", "denominator", "abscissa", "x_unit", "y_unit", "period", "interstellar")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured spectrum (no denominator) or ratio.

    Attributes
    ----------
    name, experiment, period, citation : str
    numerator, denominator : tuple of str   species ("Be10") or elements ("B"); () for a spectrum
    abscissa : str                          name of the abscissa, see :data:`cyldiff.observables.ABSCISSAE`
    x, x_low, x_high : ndarray, shape (n,)  representative value and edges of the bin (NaN: not given)
    y : ndarray, shape (n,)                 ratio, or intensity [m^-2 s^-1 sr^-1 per unit of x]
    stat_minus, stat_plus, syst_minus, syst_plus : ndarray, shape (n,)   errors, >= 0 [unit of y]
    upper_limit : ndarray of bool, shape (n,)   where y is a limit and not a value
    interstellar : bool                     measured outside the heliosphere
    """

    name: str
    experiment: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    abscissa: str
    x_unit: str
    y_unit: str
    x: Array
    x_low: Array
    x_high: Array
    y: Array
    stat_minus: Array
    stat_plus: Array
    syst_minus: Array
    syst_plus: Array
    upper_limit: NDArray[np.bool_]
    period: str
    interstellar: bool
    citation: str

    def __len__(self) -> int:
        """Return the number of rows, limits included."""
        return int(self.x.size)

    @property
    def quantity(self) -> str:
        """What is measured, as ``"B/C"`` or ``"C"``."""
        above, below = "+".join(self.numerator), "+".join(self.denominator)
        return f"{above}/{below}" if below else above

    @property
    def sigma_minus(self) -> Array:
        """Total error towards smaller y, statistical and systematic in quadrature."""
        return np.hypot(self.stat_minus, self.syst_minus)

    @property
    def sigma_plus(self) -> Array:
        """Total error towards larger y, statistical and systematic in quadrature."""
        return np.hypot(self.stat_plus, self.syst_plus)


def available() -> dict[str, Path]:
    """All data sets of the library, name to file.

    A table in a folder of ``$CYLDIFF_PATH`` counts if its pedigree says which experiment it is.

    Raises
    ------
    DataError
        if a name is found twice.
    """
    return SHELF.available()


def load(name: str | Path, *, beside: Path | None = None) -> Measurement:
    """Read a data set of the library, or one of the user.

    Parameters
    ----------
    name : str or Path      bare name of the library, or path of a ``.csv`` with its ``.source.toml``
    beside : Path           folder that a relative path starts from (default: the current one)

    Returns
    -------
    Measurement    abscissa, values and errors as arrays, and what was measured by whom

    Raises
    ------
    DataError
        if the name is unknown (naming the nearest) or the table is not a valid data set (naming
        file and problem).
    """
    if file_of(name, beside) is None:
        for shelf, (what, command) in _OTHERS.items():
            if str(name) in shelf.available():
                raise DataError(f'"{name}" is {what}, not a spectrum or ratio; see `{command}`')
    return _measurement(SHELF.table(name, beside=beside))


def _measurement(table: Table) -> Measurement:
    _check_keys(table)
    source = table.source
    values = numbers(table, _COLUMNS)
    for name in (*_ERRORS, "upper_limit"):
        # an empty cell of an error or a flag means "none given"
        values[name] = np.where(np.isnan(values[name]), 0.0, values[name])
    limit = values.pop("upper_limit")
    refuse(table, _wrong(values, limit))
    for column in values.values():
        column.flags.writeable = False
    return Measurement(
        name=table.path.stem,
        experiment=source["experiment"],
        numerator=tuple(source["numerator"]),
        denominator=tuple(source["denominator"]),
        abscissa=source["abscissa"],
        x_unit=source["x_unit"],
        y_unit=source["y_unit"],
        upper_limit=limit == 1.0,
        period=source["period"],
        interstellar=source["interstellar"],
        citation=source["citation"],
        **values,
    )


def _check_keys(table: Table) -> None:
    source, file = table.source, table.path.with_suffix(".source.toml")
    missing = [key for key in _KEYS if key not in source]
    if missing:
        raise DataError(f"{file}: lacks {', '.join(missing)}")
    check_keys(table, ("experiment", "abscissa", "x_unit", "y_unit", "period"))
    abscissa = source["abscissa"]
    if abscissa not in ABSCISSAE:
        raise DataError(
            f'{file}: abscissa "{abscissa}" unknown; known: {", ".join(ABSCISSAE)}'
            f"{nearest(str(abscissa), ABSCISSAE)}"
        )
    if source["x_unit"] != ABSCISSAE[abscissa].unit:
        raise DataError(
            f'{file}: x_unit "{source["x_unit"]}" of {abscissa}; expected "{ABSCISSAE[abscissa].unit}"'
        )
    for key in ("numerator", "denominator"):
        if not _is_list_of_names(source[key]):
            raise DataError(
                f'{file}: {key} is {quoted(source[key])}; expected a list as ["B10", "B11"] or ["B"]'
            )
    if not source["numerator"]:
        raise DataError(f"{file}: numerator is empty")
    if not isinstance(source["interstellar"], bool):
        raise DataError(f"{file}: interstellar is {quoted(source['interstellar'])}; expected true or false")


def _is_list_of_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def _wrong(values: dict[str, Array], limit: Array) -> Iterable[tuple[NDArray[np.bool_], str]]:
    """Rows that cannot be a measurement, with what is wrong."""
    x, y = values["x"], values["y"]
    yield ~(np.isfinite(x) & (x > 0.0)), "x is not a positive number"
    yield ~np.isfinite(y), "y is not a number"
    yield np.concatenate(([False], np.diff(x) <= 0.0)), "x does not increase"
    for name in _ERRORS:
        yield ~(np.isfinite(values[name]) & (values[name] >= 0.0)), f"{name} is negative or infinite"
    yield (limit != 0.0) & (limit != 1.0), "upper_limit is neither 0 nor 1"
    yield outside(x, values["x_low"], values["x_high"]), "x lies outside its bin x_low to x_high"
    for side in ("minus", "plus"):
        none = np.hypot(values[f"stat_{side}"], values[f"syst_{side}"]) == 0.0
        problem = f"no error towards {side} is given; if y is a limit, say so in upper_limit"
        yield none & (limit == 0.0), problem

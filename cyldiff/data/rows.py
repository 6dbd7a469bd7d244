"""What the tables of measurements share: columns of numbers, keys of text, and rows that are refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import DataError, quoted
from cyldiff.resources import Table

__all__ = ["check_keys", "numbers", "outside", "refuse"]

Array = NDArray[np.float64]


def check_keys(table: Table, keys: Sequence[str], quantity: str = "") -> None:
    """Refuse a pedigree in which keys lack or are no text, or that is of another quantity.

    Raises
    ------
    DataError
        naming the side file and the key.
    """
    side, source = table.path.with_suffix(".source.toml"), table.source
    missing = [key for key in keys if key not in source]
    if missing:
        raise DataError(f"{side}: lacks {', '.join(missing)}")
    for key in (*keys, "citation"):
        if not isinstance(source[key], str):
            raise DataError(f"{side}: {key} is {quoted(source[key])}; expected text")
    if quantity and source.get("quantity") != quantity:
        found = quoted(source["quantity"]) if "quantity" in source else "none"
        raise DataError(f'{side}: quantity is {found}; expected "{quantity}"')


def numbers(table: Table, names: Sequence[str]) -> dict[str, Array]:
    """Columns by name, NaN where nothing stands.

    Raises
    ------
    DataError
        naming every column that is not there, or the first that is not numbers only.
    """
    missing = [name for name in names if name not in table.columns]
    if len(missing) > 1:
        raise DataError(f"{table.path}: lacks the columns {', '.join(missing)}")
    values: dict[str, Array] = {}
    for name in names:
        column = table[name]
        if column.dtype.kind != "f":
            raise DataError(f"{table.path}: column {name} is not numbers only")
        values[name] = column
    return values


def outside(values: Array, low: Array, high: Array) -> NDArray[np.bool_]:
    """Where a value is outside of its interval, or an edge is infinite; an edge that is not given does not count."""
    return (low > values) | (high < values) | np.isinf(low) | np.isinf(high)


def refuse(table: Table, wrong: Iterable[tuple[NDArray[np.bool_], str]]) -> None:
    """Refuse a table without rows, and the first row of the first kind that is wrong, by its line.

    Raises
    ------
    DataError
        if there is one.
    """
    if len(table) == 0:
        raise DataError(f"{table.path}: has no rows")
    for rows, problem in wrong:
        if rows.any():
            raise DataError(f"{table.path}: line {int(np.argmax(rows)) + 2}: {problem}")

"""An ECSV table as the plain rows of a catalogue: what a cell and the unit of its column say as text.

The name of a column is the path of a key: ``history.energy``, ``spectrum.cutoff``, ``species.He4``. Columns x, y,
z are the entries of `position`. A cell without a value, or with an empty text, is a key that is not given. What
stands outside of the rows (schema, title, catalogue, population, defaults) is the header's ``meta``.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cyldiff.config.memory import shortage
from cyldiff.config.toml import split_path
from cyldiff.errors import DataError, quoted
from cyldiff.resources import no_file

__all__ = ["read_ecsv"]

#: bytes of memory per byte of the file: a text, its number and its key for every cell
_PER_BYTE = 30.0
_POSITION = ("x", "y", "z")


def read_ecsv(path: Path) -> dict[str, Any]:
    """Nested plain values, as a TOML catalogue would have them.

    Raises
    ------
    DataError
        if it is no ECSV table, or two columns contradict each other.
    """
    table = _table(path)
    columns = {name: _cells(table[name]) for name in table.colnames}
    paths = {name: _path(path, name) for name in columns}
    rows = []
    for number in range(len(table)):
        row: dict[str, Any] = {}
        for name, cells in columns.items():
            if cells[number] is not None:
                _put(row, paths[name], cells[number], path, name)
        given = [row.pop(axis) for axis in _POSITION if axis in row]
        if given:
            row["position"] = given
        rows.append(row)
    meta = {str(key): _plain(value) for key, value in table.meta.items()}
    if "source" in meta:
        raise DataError(f"{path}: the header may not have a key source; the rows are the sources")
    return {**meta, "source": rows}


def _table(path: Path) -> Any:
    from astropy.table import Table

    reason = no_file(path) or shortage(_PER_BYTE * path.stat().st_size)
    if reason:
        raise DataError(f"{path}: {reason}")
    try:
        with warnings.catch_warnings():
            # a unit that astropy does not know is reported with its column, by name
            warnings.simplefilter("ignore")
            return Table.read(path, format="ascii.ecsv")
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError:
        reason = "is not a text file in UTF-8"
    except Exception as error:  # the reader and its YAML parser raise errors of every kind
        reason = f"is not an ECSV table ({_first_line(error)})"
    raise DataError(f"{path}: {reason}")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _path(file: Path, name: str) -> tuple[str, ...]:
    path = split_path(name)
    if path is None:
        raise DataError(f'{file}: column {quoted(name)} is no key; expected e.g. "history.energy"')
    return path


def _put(row: dict[str, Any], path: tuple[str, ...], value: Any, file: Path, name: str) -> None:
    for key in path[:-1]:
        row = row.setdefault(key, {})
        if not isinstance(row, dict):
            raise DataError(f"{file}: column {name} goes into {key}, which is a column by itself")
    if path[-1] in row:
        raise DataError(f"{file}: column {name} stands for a key that another column gives too")
    row[path[-1]] = value


def _cells(column: Any) -> list[Any]:
    """Plain values of a column, with its unit as text; None where there is no value."""
    scale, unit = _unit(column)
    return [_cell(value, scale, unit) for value in column]


def _unit(column: Any) -> tuple[float, str]:
    """Factor and text of a unit; no text for a pure number, whose unit may be percent."""
    if column.unit is None:
        return 1.0, ""
    try:
        return float(column.unit.to("")), ""
    except Exception:  # not a pure number, or no unit at all: the keys decide what it should be
        return 1.0, str(column.unit)


def _cell(value: Any, scale: float, unit: str) -> Any:
    if value is None or (np.ma.is_masked(value) and np.ndim(value) == 0):
        return None
    if isinstance(value, np.ndarray | list | tuple):
        return [_cell(entry, scale, unit) for entry in value if not np.ma.is_masked(entry)]
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, str):
        return plain.strip() or None
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        return _plain(plain)
    if unit:
        return f"{plain!r} {unit}"
    return plain if scale == 1.0 else plain * scale


def _plain(value: Any) -> Any:
    """Header entries without the classes of the YAML reader."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value

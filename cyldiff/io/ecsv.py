"""Tables with units and metadata as ECSV, which astropy and TOPCAT read (astropy ``QTable``)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.io.table import write_table
from cyldiff.io.whole import write_whole

__all__ = ["Column", "ecsv_text", "origin_of", "write_columns"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: name, numbers, unit as astropy reads it, what it means."""

    name: str
    values: NDArray[np.float64]
    unit: str
    description: str = ""


def origin_of(dataset: xr.Dataset) -> dict[str, str]:
    """Metadata that say where the numbers are from: title, config, version, commit, tables."""
    keys = (
        "title",
        "purpose",
        "place",
        "config_source",
        "cyldiff_version",
        "cyldiff_commit",
        "tables",
        "config",
    )
    return {key: str(dataset.attrs[key]) for key in keys if dataset.attrs.get(key)}


def ecsv_text(columns: Sequence[Column], meta: Mapping[str, Any]) -> str:
    """Columns of equal length as the text of an ECSV file, all digits kept."""
    from astropy import units as u
    from astropy.table import QTable

    table = QTable(meta=dict(meta))
    for column in columns:
        table[column.name] = np.asarray(column.values, dtype=float) * u.Unit(column.unit)
        table[column.name].info.description = column.description
    stream = io.StringIO()
    table.write(stream, format="ascii.ecsv")
    return stream.getvalue()


def write_columns(columns: Sequence[Column], path: Path, meta: Mapping[str, Any]) -> None:
    """Write a table as ECSV, or as CSV without units and metadata if `path` ends in .csv.

    Raises
    ------
    DataError
        if the file cannot be written; nothing is left behind.
    """
    if path.suffix.lower() == ".csv":
        write_table({c.name: c.values for c in columns}, path)
    else:
        write_whole(path, ecsv_text(columns, meta))

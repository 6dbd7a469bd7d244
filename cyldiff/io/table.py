"""Tables of numbers as CSV: a header, then rows; the file is complete or not there."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from cyldiff.errors import DataError
from cyldiff.io.whole import write_whole

__all__ = ["table_text", "write_table"]


def table_text(columns: Mapping[str, ArrayLike]) -> str:
    """Columns of equal length as CSV with a header; eight digits, "nan" for what is not there."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*(np.asarray(column, dtype=float) for column in columns.values()), strict=True):
        writer.writerow([f"{value:.8g}" for value in row])
    return stream.getvalue()


def write_table(columns: Mapping[str, ArrayLike], path: Path) -> None:
    """Write a table beside `path` and rename it: an older file stays until then.

    Raises
    ------
    DataError
        if the file cannot be written; nothing is left behind.
    """
    try:
        text = table_text(columns)
    except ValueError as error:
        raise DataError(f"{path}: cannot be written ({error})") from None
    write_whole(path, text)

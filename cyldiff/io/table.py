"""Tables of numbers as CSV: a header, then rows; the file is complete or not there."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from cyldiff.errors import DataError

__all__ = ["table_text", "write_bytes", "write_table", "write_text"]


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
    write_text(text, path)


def write_text(text: str, path: Path) -> None:
    """Write a text beside `path` and rename it: an older file stays until then.

    Raises
    ------
    DataError
        if the file cannot be written; nothing is left behind.
    """
    write_bytes(text.encode(), path)


def write_bytes(content: bytes, path: Path) -> None:
    """As :func:`write_text`, of bytes."""
    part = None
    try:
        target = Path(os.path.realpath(path))
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        part = Path(name)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)
        part.replace(target)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path}: cannot be written ({reason})") from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)

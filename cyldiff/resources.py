"""Find shipped and user files, and read tables together with their pedigree.

The data folders ``grids``, ``physics`` and ``runs`` stand beside the package in a checkout
and inside it (``cyldiff/_data``) in a wheel; this module is the only one that knows.
"""

from __future__ import annotations

import csv
import hashlib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import DataError, nearest

__all__ = ["Table", "find", "folder", "library", "names", "read_table", "read_toml", "tables_read"]

_PACKAGE = Path(__file__).resolve().parent
#: keys every table must explain itself with
PEDIGREE = ("title", "citation", "retrieved_from", "retrieved_on", "licence", "processing", "sha256")


def folder(name: str) -> Path:
    """Folder of the shipped ``grids``, ``physics`` or ``runs``, in a wheel or a checkout."""
    inside = _PACKAGE / "_data" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def library(kind: str) -> list[Path]:
    """Folders searched for bare names of `kind` (``"grids"``, ``"models"``, ``"runs"`` …).

    Those of ``$CYLDIFF_PATH`` (separated like ``$PATH``) and the shipped one.
    """
    shipped = folder("physics") / "models" if kind == "models" else folder(kind)
    extra = [Path(p) for p in os.environ.get("CYLDIFF_PATH", "").split(os.pathsep) if p]
    return [*extra, shipped]


def names(kind: str) -> dict[str, Path]:
    """All names of the library of `kind` with their files (``runs`` recursively)."""
    found: dict[str, Path] = {}
    for place in library(kind):
        for path in sorted(place.rglob("*.toml") if kind == "runs" else place.glob("*.toml")):
            found.setdefault(path.relative_to(place).with_suffix("").as_posix(), path)
    return found


def find(kind: str, name: str, *, beside: Path | None = None) -> Path:
    """File of a library name, or of a path relative to the file that mentions it.

    A bare name is looked up in the library; a name with a suffix or a leading ``.``, ``/`` or
    ``~`` is a path, relative to the folder `beside`.

    Raises
    ------
    DataError
        if nothing is found, or the name is found twice.
    """
    if name.endswith(".toml") or name.startswith((".", "/", "~")):
        path = Path(name).expanduser()
        if not path.is_absolute():
            path = (beside or Path.cwd()) / path
        if not path.is_file():
            raise DataError(f'no file "{path}"')
        return path
    hits = [p for place in library(kind) if (p := place / f"{name}.toml").is_file()]
    if len(hits) > 1:
        raise DataError(f'"{name}" is found twice: {hits[0]} and {hits[1]}')
    if not hits:
        known = names(kind)
        raise DataError(
            f'"{name}" is not in the library of {kind}; known: {", ".join(known)}{nearest(name, known)}'
        )
    return hits[0]


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; every way this can fail is a :class:`DataError` naming the file."""
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: is a folder, not a file") from None
    except PermissionError:
        raise DataError(f"{path}: may not be read (permissions)") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path}: is not valid TOML: {error}") from None


_READ: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV table with its pedigree: columns by name, and the side file that explains them."""

    path: Path
    columns: Mapping[str, NDArray[Any]]
    source: Mapping[str, Any]

    def __getitem__(self, column: str) -> NDArray[Any]:
        try:
            return self.columns[column]
        except KeyError:
            raise DataError(
                f'{self.path.name} has no column "{column}"{nearest(column, self.columns)}'
            ) from None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


@lru_cache(maxsize=256)
def read_table(path: Path) -> Table:
    """Read ``name.csv`` and its pedigree ``name.source.toml``.

    The first line holds the column names. A column whose entries are all numbers (or empty:
    NaN) becomes a float array, any other an array of strings.

    Raises
    ------
    DataError
        if a file is missing, a row is ragged, a pedigree key is missing or the checksum is wrong.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    source = read_toml(path.with_suffix(".source.toml"))
    missing = [key for key in PEDIGREE if key not in source]
    if missing:
        raise DataError(f"{path.with_suffix('.source.toml')}: pedigree lacks {', '.join(missing)}")
    digest = hashlib.sha256(raw).hexdigest()
    if digest != source["sha256"]:
        raise DataError(f"{path}: checksum {digest[:12]}… differs from that of its pedigree file")
    rows = list(csv.reader(raw.decode("utf-8").splitlines()))
    header, body = rows[0], rows[1:]
    for number, row in enumerate(body, start=2):
        if len(row) != len(header):
            raise DataError(f"{path}: line {number} has {len(row)} entries, expected {len(header)}")
    _READ[path.name] = digest
    columns = {name: _column([row[i] for row in body]) for i, name in enumerate(header)}
    return Table(path=path, columns=columns, source=source)


def tables_read() -> dict[str, str]:
    """Names and checksums of the tables this process has read."""
    return dict(sorted(_READ.items()))


def _column(entries: list[str]) -> NDArray[Any]:
    try:
        return np.array([float(e) if e else np.nan for e in entries])
    except ValueError:
        return np.array(entries)

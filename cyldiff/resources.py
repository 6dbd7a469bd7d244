"""Find shipped and user files, and read tables together with their pedigree.

The data folders ``grids``, ``physics`` and ``runs`` stand beside the package in a checkout
and inside it (``cyldiff/_data``) in a wheel; this module is the only one that knows.
"""

from __future__ import annotations

import csv
import hashlib
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import ConfigError, DataError, Problem, nearest, quoted

__all__ = [
    "PEDIGREE",
    "Table",
    "find",
    "folder",
    "forget",
    "library",
    "names",
    "no_file",
    "read_table",
    "read_toml",
    "readable",
    "suffixes",
    "tables_read",
    "title",
    "user_folders",
]

_PACKAGE = Path(__file__).resolve().parent
#: keys a table is not read without; those of the library have more (``tests/library``)
PEDIGREE = ("title", "citation", "retrieved_from", "retrieved_on", "licence", "processing", "sha256")
#: a key that only a file of this kind has; tells the files of a user's folder apart
_MARKS = {
    "runs": "run",
    "populations": "population",
    "spectra": "spectrum",
    "joint-fits": "point_sources",
    "models": "halo",
    "grids": "space",
    "catalogues": "source",
    "emission": "components",
}
#: larger files would be read for minutes [bytes]
_LARGEST_TOML = 100e6
#: libraries that share the folder runs/, with its sub-folders
_IN_RUNS = ("runs", "populations", "spectra", "joint-fits")
#: libraries that are folders of physics/
_OF_PHYSICS = ("models", "catalogues", "emission")


def folder(name: str) -> Path:
    """Folder of the shipped ``grids``, ``physics`` or ``runs``, in a wheel or a checkout."""
    inside = _PACKAGE / "_data" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def library(kind: str) -> list[Path]:
    """Folders searched for bare names of `kind` ("grids", "models", "runs", "catalogues", …).

    Those of ``$CYLDIFF_PATH`` (separated like ``$PATH``), then the shipped one.
    """
    shipped = (
        folder("physics") / kind if kind in _OF_PHYSICS else folder("runs" if kind in _IN_RUNS else kind)
    )
    return [*user_folders(), shipped]


def user_folders() -> list[Path]:
    """Folders of ``$CYLDIFF_PATH``, separated like ``$PATH``; they need not exist."""
    return [Path(p).expanduser() for p in os.environ.get("CYLDIFF_PATH", "").split(os.pathsep) if p]


def names(kind: str) -> dict[str, Path]:
    """All names of the library of `kind` with their files; those of the shipped folder runs/ in sub-folders too."""
    *extra, shipped = library(kind)
    found: dict[str, Path] = {}
    for place in extra:
        for path in _files(place, kind):
            if not path.name.endswith(".source.toml") and _is_of(kind, path):
                found.setdefault(path.stem, path)
    ours = [path for path in sorted(shipped.rglob("*.toml")) if _is_of(kind, path)]
    for path in ours if kind in _IN_RUNS else _files(shipped, kind):
        found.setdefault(path.relative_to(shipped).with_suffix("").as_posix(), path)
    return found


def suffixes(kind: str) -> tuple[str, ...]:
    """Of the files of a library; only a catalogue may also be a table."""
    return (".toml", ".ecsv") if kind == "catalogues" else (".toml",)


def _files(place: Path, kind: str) -> list[Path]:
    return sorted(path for suffix in suffixes(kind) for path in place.glob(f"*{suffix}"))


def _is_of(kind: str, path: Path) -> bool:
    if path.suffix == ".ecsv":
        return True
    try:
        raw = read_toml(path)
    except DataError:
        return False
    # components of spectra are named like a run, and are none; a run with point sources is more than one
    if kind == "runs" and (_MARKS["spectra"] in raw or _MARKS["joint-fits"] in raw):
        return False
    # a model has a table [source], its pedigree; a catalogue a list of them
    return _MARKS[kind] in raw and (kind != "catalogues" or isinstance(raw["source"], list))


def find(kind: str, name: str, *, beside: Path | None = None) -> Path:
    """File of a library name, or of a path relative to the file that mentions it.

    A bare name is looked up in the library; a name with the suffix ``.toml`` (a catalogue: or ``.ecsv``) or
    a leading ``.``, ``/`` or ``~`` is a path, relative to the folder `beside` (default: the current one).

    Raises
    ------
    DataError
        if nothing is found, or the name is found twice.
    """
    try:
        if name.endswith(suffixes(kind)) or name.startswith((".", "/", "~")):
            return _file(name, beside)
        hits = [
            path
            for place in library(kind)
            for suffix in suffixes(kind)
            if name and (path := place / f"{name}{suffix}").is_file()
        ]
    except PermissionError:
        raise DataError(f"{quoted(name)}: may not be read (permissions)") from None
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, no such home
        raise DataError(f"{quoted(name)} is no file name") from None
    if len(hits) > 1:
        raise DataError(f'"{name}" is found twice: {hits[0]} and {hits[1]}; rename one of them')
    if not hits:
        known = names(kind)
        others = [other for other in _MARKS if other != kind and name in names(other)]
        elsewhere = f"; it is in that of {' and '.join(others)}" if others else ""
        hint = nearest(name, known) + elsewhere
        raise DataError(f"{quoted(name)} is not in the library of {kind}; known: {', '.join(known)}{hint}")
    return hits[0]


def _file(name: str, beside: Path | None) -> Path:
    path = Path(name).expanduser()
    if not path.is_absolute() and beside is not None:
        path = beside / path
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        others = [p.name for p in path.parent.glob(f"*{path.suffix}")] if path.parent.is_dir() else []
        raise DataError(f'no file "{path}"{nearest(path.name, others)}') from None
    if is_folder:
        raise DataError(f'"{path}" is a folder, not a file')
    return path


def no_file(path: Path) -> str:
    """Why `path` is no file that can be read; empty if it is one.

    Pipes and devices are none: reading may wait for ever, or never end.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "no such file"
    except PermissionError:
        return "may not be read (permissions)"
    except (OSError, ValueError) as error:  # too long, a zero byte, a link to itself
        return f"cannot be read ({getattr(error, 'strerror', None) or error})"
    if stat.S_ISDIR(mode):
        return "is a folder, not a file"
    return "" if stat.S_ISREG(mode) else "is not a regular file"


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; every way this can fail is a :class:`DataError` naming the file."""
    reason = no_file(path)
    if not reason and path.stat().st_size > _LARGEST_TOML:
        reason = f"has more than {_LARGEST_TOML / 1e6:.0f} MB, which no configuration needs"
    if reason:
        raise DataError(f"{path}: {reason}")
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except PermissionError:
        reason = "may not be read (permissions)"
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        reason = "is not a text file in UTF-8"
        if path.read_bytes()[:4] in (b"\x89HDF", b"CDF\x01", b"CDF\x02"):
            reason = f"is a NetCDF file, not a TOML file; what it holds: cyldiff info {path}"
    except tomllib.TOMLDecodeError as error:
        reason = f"is not valid TOML: {error}"
    except RecursionError:
        reason = "is not valid TOML: nested too deeply"
    except ValueError as error:  # numbers of thousands of digits, dates that do not exist, zero bytes
        reason = f"is not valid TOML: {error}"
    raise DataError(f"{path}: {reason}")


@contextmanager
def readable(path: str | Path) -> Iterator[None]:
    """Turn what is wrong with finding and reading a file into the ConfigError of the file that was asked for."""
    try:
        yield
    except DataError as error:
        raise ConfigError(str(path), [Problem("file", str(error).removeprefix(f"{path}: "))]) from None


def title(raw: Mapping[str, Any]) -> str:
    """What a run, model or grid file says of itself in one line."""
    run = raw.get("run")
    return str(raw.get("title") or (run.get("purpose", "") if isinstance(run, Mapping) else ""))


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


def read_table(path: Path) -> Table:
    """Read ``name.csv`` and its pedigree ``name.source.toml``.

    The first line holds the column names. A column whose entries are all numbers (or empty:
    NaN) becomes a float array, any other an array of strings. The arrays are read-only, because
    they are shared. A file that was changed is read again. A byte-order mark, spaces around names
    and empty lines at the end do not count.

    Raises
    ------
    DataError
        if a file is missing, a row is ragged, a pedigree key is missing or the checksum is wrong.
    """
    return _read_table(path, _stamp(path), _stamp(path.with_suffix(".source.toml")))


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when a file does; zeros if it cannot be looked at."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return 0, 0
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=256)
def _read_table(path: Path, _table: tuple[int, int], _side: tuple[int, int]) -> Table:
    if reason := no_file(path):
        raise DataError(f"{path}: {reason}")
    try:
        raw = path.read_bytes()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    digest = hashlib.sha256(raw).hexdigest()
    source = _pedigree(path.with_suffix(".source.toml"), digest)
    try:
        rows = list(csv.reader(raw.decode("utf-8-sig").splitlines(), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: is not a CSV table ({error})") from None
    while rows and not rows[-1]:
        del rows[-1]
    header, body = ([name.strip() for name in rows[0]], rows[1:]) if rows else ([], [])
    _check_header(path, header)
    for number, row in enumerate(body, start=2):
        if len(row) != len(header):
            raise DataError(f"{path}: line {number} has {len(row)} entries, expected {len(header)}")
    _READ[path.name] = digest
    columns = {name: _column([row[i] for row in body]) for i, name in enumerate(header)}
    return Table(path=path, columns=columns, source=source)


def _check_header(path: Path, header: list[str]) -> None:
    """Refuse a first line that does not name the columns."""
    if len(header) == 1 and (other := next((mark for mark in ";\t|" if mark in header[0]), "")):
        raise DataError(f"{path}: columns are separated by {quoted(other)}; expected a comma")
    twice = [name for i, name in enumerate(header) if name in header[:i]]
    if not header or twice:
        found = f"; found {quoted(twice[0])} twice" if twice else ""
        raise DataError(f"{path}: the first line must name every column once{found}")


def _pedigree(path: Path, digest: str) -> dict[str, Any]:
    """Side file of a table, complete and belonging to it."""
    source = read_toml(path)
    missing = [key for key in PEDIGREE if key not in source]
    if missing:
        raise DataError(f"{path}: pedigree lacks {', '.join(missing)}")
    if digest != source["sha256"]:
        raise DataError(f"{path}: the table has changed since; its checksum is {digest}")
    return source


def tables_read() -> dict[str, str]:
    """Names and checksums of the tables this process has read."""
    return dict(sorted(_READ.items()))


def forget(name: str) -> None:
    """Take a table from :func:`tables_read`, and read it again when it is wanted."""
    _READ.pop(name, None)
    _read_table.cache_clear()


def _column(entries: list[str]) -> NDArray[Any]:
    try:
        column: NDArray[Any] = np.array([_number(e) for e in entries])
    except ValueError:
        column = np.array(entries)
    column.flags.writeable = False
    return column


def _number(entry: str) -> float:
    """A number, NaN for nothing; what Python takes for one beyond that is a slip of the hand."""
    if "_" in entry or not entry.isascii():
        raise ValueError(entry)
    return float(entry) if entry.strip() else np.nan

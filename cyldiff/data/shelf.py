"""Where data sets lie: the shipped folder of a kind of data, and the user's own folders (``$CYLDIFF_PATH``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyldiff.errors import DataError, nearest
from cyldiff.resources import Table, folder, library, read_table, read_toml

__all__ = ["Shelf", "file_of"]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Data sets of one kind: tables ``name.csv`` with their pedigrees ``name.source.toml``.

    Attributes
    ----------
    what : word for such a set in messages
    place : folder below ``physics/`` of those that are shipped
    quantity : what the pedigree says under "quantity"; "" for those that have an experiment and no quantity
    """

    what: str
    place: str
    quantity: str = ""

    @property
    def folder(self) -> Path:
        """Of the shipped sets."""
        return folder("physics") / self.place

    def holds(self, path: Path) -> bool:
        """Whether the pedigree of a table says that it is of this kind; False where it cannot be read."""
        side = path.with_suffix(".source.toml")
        try:
            source = read_toml(side) if side.is_file() else {}
        except DataError:
            return False
        return source.get("quantity") == self.quantity if self.quantity else _measured(source)

    def available(self) -> dict[str, Path]:
        """All sets of the library, name to file: the user's own, then the shipped ones.

        Raises
        ------
        DataError
            if a name is found twice.
        """
        found: dict[str, Path] = {}
        for place in [*library("models")[:-1], self.folder]:
            for path in sorted(place.glob("*.csv")):
                if not self.holds(path):
                    continue
                if path.stem in found:
                    raise DataError(f'{self.what} "{path.stem}" found twice: {found[path.stem]} and {path}')
                found[path.stem] = path
        return found

    def table(self, name: str | Path, *, beside: Path | None = None) -> Table:
        """The table of a set of the library, or a ``.csv`` of the user with its ``.source.toml``.

        Parameters
        ----------
        name : bare name of the library, or a path
        beside : folder that a relative path starts from; default the current one

        Raises
        ------
        DataError
            if there is none, naming the nearest, or it cannot be read.
        """
        path = file_of(name, beside)
        if path is not None:
            if not path.is_file():
                raise DataError(f'no data file "{path}"')
            return read_table(path)
        known = self.available()
        if str(name) not in known:
            near = nearest(str(name), known)
            raise DataError(f'{self.what} "{name}" unknown; known: {", ".join(known)}{near}')
        return read_table(known[str(name)])


def file_of(name: str | Path, beside: Path | None) -> Path | None:
    """The file, if a name is that of a file rather than one of the library."""
    text = str(name)
    if not (isinstance(name, Path) or text.endswith(".csv") or text.startswith((".", "/", "~"))):
        return None
    return (beside or Path()) / Path(text).expanduser()


def _measured(source: dict[str, Any]) -> bool:
    """A spectrum or ratio: other kinds of data say which quantity they are."""
    return "experiment" in source and "quantity" not in source

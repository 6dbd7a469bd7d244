"""Measured spectral energy distributions: ``physics/sed`` as objects.

A data set is a table ``name.csv`` with its pedigree ``name.source.toml``; what the columns and keys mean is told in
the README of that folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.data.rows import check_keys, numbers, outside, refuse
from cyldiff.errors import DataError, nearest, quoted
from cyldiff.resources import Table, folder, library, read_table, read_toml
from cyldiff.units import to_internal

__all__ = ["QUANTITY", "SedPoints", "available_seds", "load_sed"]

Array = NDArray[np.float64]

#: what the pedigree of such a table says under "quantity"
QUANTITY = "sed"
_COLUMNS = ("energy", "energy_low", "energy_high", "sed", "minus", "plus", "upper_limit")


@dataclass(frozen=True, slots=True)
class SedPoints:
    """Points of one source by one experiment.

    Attributes
    ----------
    name, experiment, citation : str
    energy, energy_low, energy_high : ndarray, shape (n,)   of the photon and edges of its interval [GeV]; NaN where
        not given
    sed : ndarray, shape (n,)                               E^2 dN/dE [erg cm^-2 s^-1]
    minus, plus : ndarray, shape (n,)                       errors towards smaller and larger values
    upper_limit : ndarray of bool, shape (n,)               where the value is a limit
    """

    name: str
    experiment: str
    citation: str
    energy: Array
    energy_low: Array
    energy_high: Array
    sed: Array
    minus: Array
    plus: Array
    upper_limit: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of points, limits included."""
        return int(self.energy.size)


def available_seds() -> dict[str, Path]:
    """All sets of the library, name to file; those of ``$CYLDIFF_PATH`` say ``quantity = "sed"``.

    Raises
    ------
    DataError
        if a name is found twice.
    """
    found: dict[str, Path] = {}
    for place in [*library("models")[:-1], folder("physics") / "sed"]:
        for path in sorted(place.glob("*.csv")):
            if not _is_sed(path):
                continue
            if path.stem in found:
                raise DataError(f'SED points "{path.stem}" are found twice: {found[path.stem]} and {path}')
            found[path.stem] = path
    return found


def _is_sed(path: Path) -> bool:
    """Whether the pedigree of a table says so."""
    side = path.with_suffix(".source.toml")
    try:
        return side.is_file() and read_toml(side).get("quantity") == QUANTITY
    except DataError:
        return False


def load_sed(name: str | Path, *, beside: Path | None = None) -> SedPoints:
    """Read a set of the library, or a ``.csv`` of the user with its ``.source.toml``.

    Parameters
    ----------
    beside : folder that a relative path starts from; default the current one

    Raises
    ------
    DataError
        if the name is unknown (naming the nearest) or the table is not valid.
    """
    text = str(name)
    if isinstance(name, Path) or text.endswith(".csv") or text.startswith((".", "/", "~")):
        path = Path(text).expanduser()
        path = path if beside is None else beside / path
        if not path.is_file():
            raise DataError(f'no data file "{path}"')
        return _points(read_table(path))
    known = available_seds()
    if text not in known:
        raise DataError(f"SED points {quoted(text)} unknown; known: {', '.join(known)}{nearest(text, known)}")
    return _points(read_table(known[text]))


def _points(table: Table) -> SedPoints:
    check_keys(table, ("experiment", "energy_unit", "sed_unit"))
    values = numbers(table, _COLUMNS)
    flag = values.pop("upper_limit")
    # an empty cell means "no limit"
    limit = np.where(np.isnan(flag), 0.0, flag)
    try:
        energy = to_internal(1.0, table.source["energy_unit"], "energy")
        factor = _sed_factor(table.source["sed_unit"])
    except ValueError as error:
        raise DataError(f"{table.path.with_suffix('.source.toml')}: {error}") from None
    refuse(table, _wrong(values, limit))
    return SedPoints(
        name=table.path.stem,
        experiment=table.source["experiment"],
        citation=table.source["citation"],
        **{name: values[name] * (energy if name.startswith("energy") else factor) for name in values},
        upper_limit=limit == 1.0,
    )


def _wrong(values: dict[str, Array], limit: Array) -> Iterable[tuple[NDArray[np.bool_], str]]:
    """Rows that cannot be a measurement, with what is wrong; a limit needs no errors."""
    energy = values["energy"]
    yield (limit != 0.0) & (limit != 1.0), "upper_limit is neither 0 nor 1"
    for name in ("energy", "sed"):
        yield ~((values[name] > 0.0) & np.isfinite(values[name])), f"{name} is not a positive number"
    for name in ("minus", "plus"):
        of_limit = np.isnan(values[name]) | (values[name] == 0.0)
        good = (values[name] > 0.0) & np.isfinite(values[name])
        yield ~np.where(limit == 1.0, good | of_limit, good), f"{name} is not a positive number"
    wrong = outside(energy, values["energy_low"], values["energy_high"])
    yield wrong, "energy lies outside its interval energy_low to energy_high"


def _sed_factor(unit: str) -> float:
    """From "erg cm^-2 s^-1" or another energy per area and time to erg cm^-2 s^-1."""
    energy, _, rest = unit.partition(" ")
    if rest.strip() != "cm^-2 s^-1":
        raise ValueError(f'found unit {quoted(unit)}; expected e.g. "erg cm^-2 s^-1"')
    return to_internal(1.0, energy, "energy") / const.ERG_GEV

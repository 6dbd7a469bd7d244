"""Measured spectral energy distributions: ``physics/sed`` as objects.

A data set is a table ``name.csv`` with its pedigree ``name.source.toml``; what the columns and keys mean is told in
the README of that folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.data.shelf import Shelf
from cyldiff.errors import DataError, quoted
from cyldiff.resources import Table
from cyldiff.units import to_internal

__all__ = ["QUANTITY", "SedPoints", "available_seds", "load_sed"]

Array = NDArray[np.float64]

#: what the pedigree of such a table says under "quantity"
QUANTITY = "sed"
SHELF = Shelf("SED points", "sed", QUANTITY)
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
    return SHELF.available()


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
    return _points(SHELF.table(name, beside=beside))


def _points(table: Table) -> SedPoints:
    missing = [column for column in _COLUMNS if column not in table.columns]
    keys = [key for key in ("experiment", "energy_unit", "sed_unit") if key not in table.source]
    if missing or keys:
        lacks = [f"column {name}" for name in missing] + [f"pedigree key {name}" for name in keys]
        raise DataError(f"{table.path}: lacks {', '.join(lacks)}")
    texts = [name for name in _COLUMNS if table[name].dtype.kind != "f"]
    if texts:
        raise DataError(f"{table.path}: column {texts[0]} holds text; expected numbers")
    try:
        energy = to_internal(1.0, str(table.source["energy_unit"]), "energy")
        factor = _sed_factor(str(table.source["sed_unit"]))
    except ValueError as error:
        raise DataError(f"{table.path}: {error}") from None
    limit = table["upper_limit"] == 1.0
    points = SedPoints(
        name=table.path.stem,
        experiment=str(table.source["experiment"]),
        citation=str(table.source["citation"]),
        energy=energy * table["energy"],
        energy_low=energy * table["energy_low"],
        energy_high=energy * table["energy_high"],
        sed=factor * table["sed"],
        minus=factor * table["minus"],
        plus=factor * table["plus"],
        upper_limit=limit,
    )
    good = (points.energy > 0.0) & (points.sed > 0.0) & (limit | ((points.minus > 0.0) & (points.plus > 0.0)))
    if not good.all():
        raise DataError(
            f"{table.path}: line {2 + int(np.argmin(good))} has an energy, value or error that is not positive"
        )
    return points


def _sed_factor(unit: str) -> float:
    """From "erg cm^-2 s^-1" or another energy per area and time to erg cm^-2 s^-1."""
    energy, _, rest = unit.partition(" ")
    if rest.strip() != "cm^-2 s^-1":
        raise ValueError(f'found unit {quoted(unit)}; expected e.g. "erg cm^-2 s^-1"')
    return to_internal(1.0, energy, "energy") / const.ERG_GEV

"""Measured diffuse gamma rays: ``physics/gamma`` as objects, in GeV.

A data set is a table ``name.csv`` with its pedigree ``name.source.toml``; what the columns and keys mean is
told in the README of that folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cyldiff.data.rows import check_keys, numbers, outside, refuse
from cyldiff.data.shelf import Shelf
from cyldiff.resources import Table

__all__ = ["QUANTITY", "DiffuseMeasurement", "available_diffuse", "diffuse_in", "load_diffuse"]

Array = NDArray[np.float64]

#: what the pedigree of such a table says under "quantity"
QUANTITY = "diffuse intensity"
SHELF = Shelf("diffuse data", "gamma", QUANTITY)
_ERRORS = ("stat_minus", "stat_plus", "syst_minus", "syst_plus")
_TEV = 1.0e3


@dataclass(frozen=True, slots=True)
class DiffuseMeasurement:
    """Mean intensity over a region.

    Attributes
    ----------
    name, experiment, citation : str
    region : str                                            name of the region
    energy, energy_low, energy_high : ndarray, shape (n,)   [GeV]
    intensity : ndarray, shape (n,)                         [GeV^-1 cm^-2 s^-1 sr^-1]
    stat_minus, stat_plus, syst_minus, syst_plus : ndarray  errors, same unit
    """

    name: str
    experiment: str
    citation: str
    region: str
    energy: Array
    energy_low: Array
    energy_high: Array
    intensity: Array
    stat_minus: Array
    stat_plus: Array
    syst_minus: Array
    syst_plus: Array

    def __len__(self) -> int:
        """Return the number of points."""
        return int(self.energy.size)

    @property
    def sigma_minus(self) -> Array:
        """Total error towards smaller intensities."""
        return np.hypot(self.stat_minus, self.syst_minus)

    @property
    def sigma_plus(self) -> Array:
        """Total error towards larger intensities."""
        return np.hypot(self.stat_plus, self.syst_plus)


def available_diffuse() -> dict[str, Path]:
    """All data sets of the library, name to file; those of ``$CYLDIFF_PATH`` say what they are.

    Raises
    ------
    DataError
        if a name is found twice.
    """
    return SHELF.available()


def diffuse_in(region: str) -> list[DiffuseMeasurement]:
    """All data sets of the library for a region."""
    every = [load_diffuse(name) for name in available_diffuse()]
    return [one for one in every if one.region == region]


def load_diffuse(name: str | Path) -> DiffuseMeasurement:
    """Read a data set of the library, or a ``.csv`` of the user with its ``.source.toml``.

    Raises
    ------
    DataError
        if the name is unknown (naming the nearest) or the table is not valid.
    """
    return _measurement(SHELF.table(name))


def _measurement(table: Table) -> DiffuseMeasurement:
    check_keys(table, ("experiment", "region"), QUANTITY)
    energies = numbers(table, ("energy", "energy_low", "energy_high"))
    values = numbers(table, ("intensity", *_ERRORS))
    refuse(table, _wrong(**energies, values=values))
    return DiffuseMeasurement(
        name=table.path.stem,
        experiment=str(table.source["experiment"]),
        citation=str(table.source["citation"]),
        region=str(table.source["region"]),
        **{name: column * _TEV for name, column in energies.items()},
        **{name: column / _TEV for name, column in values.items()},
    )


def _wrong(
    energy: Array, energy_low: Array, energy_high: Array, values: dict[str, Array]
) -> Iterable[tuple[NDArray[np.bool_], str]]:
    """Rows that cannot be a measurement, with what is wrong."""
    yield ~((energy > 0.0) & np.isfinite(energy)), "energy is not a positive number"
    yield (
        outside(energy, energy_low, energy_high),
        "energy lies outside its interval energy_low to energy_high",
    )
    intensity = values["intensity"]
    yield ~((intensity > 0.0) & np.isfinite(intensity)), "intensity is not a positive number"
    for name in _ERRORS:
        yield ~((values[name] >= 0.0) & np.isfinite(values[name])), f"{name} is not a positive number"

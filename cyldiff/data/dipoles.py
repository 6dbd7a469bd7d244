"""Measured dipoles: ``physics/anisotropy`` as objects.

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

__all__ = [
    "QUANTITY",
    "DipoleMeasurement",
    "available_dipoles",
    "default_dipoles",
    "load_dipole",
]

Array = NDArray[np.float64]

#: what the pedigree of such a table says under "quantity"
QUANTITY = "dipole"
SHELF = Shelf("dipole data", "anisotropy", QUANTITY)
_COLUMNS = (
    "energy", "energy_low", "energy_high", "amplitude", "stat_minus", "stat_plus", "syst_minus", "syst_plus",
    "phase", "phase_minus", "phase_plus", "upper_limit",
)  # fmt: skip
_ERRORS = ("stat_minus", "stat_plus", "syst_minus", "syst_plus", "phase_minus", "phase_plus")


@dataclass(frozen=True, slots=True)
class DipoleMeasurement:
    """First harmonic in right ascension of one experiment; NaN where something is not given.

    Attributes
    ----------
    name, experiment, bibcode, citation : str
    energy, energy_low, energy_high : ndarray, shape (n,)    energy of the particle and edges of the interval [GeV]
    amplitude : ndarray, shape (n,)                          of the first harmonic
    stat_minus, stat_plus, syst_minus, syst_plus : ndarray   errors of the amplitude, >= 0
    phase : ndarray, shape (n,)                              right ascension of the excess in [0, 360) [deg]
    phase_minus, phase_plus : ndarray, shape (n,)            its errors [deg]
    upper_limit : ndarray, shape (n,)                        upper limit of the amplitude
    superseded_by : str                                      a set that holds the same events, or ""
    """

    name: str
    experiment: str
    bibcode: str
    citation: str
    energy: Array
    energy_low: Array
    energy_high: Array
    amplitude: Array
    stat_minus: Array
    stat_plus: Array
    syst_minus: Array
    syst_plus: Array
    phase: Array
    phase_minus: Array
    phase_plus: Array
    upper_limit: Array
    superseded_by: str = ""

    def __len__(self) -> int:
        """Return the number of points."""
        return int(self.energy.size)

    @property
    def sigma_minus(self) -> Array:
        """Total error towards smaller amplitudes; NaN where not given."""
        return np.hypot(self.stat_minus, self.syst_minus)

    @property
    def sigma_plus(self) -> Array:
        """Total error towards larger amplitudes; NaN where not given."""
        return np.hypot(self.stat_plus, self.syst_plus)


def available_dipoles() -> dict[str, Path]:
    """All dipole data of the library, name to file; those of ``$CYLDIFF_PATH`` say ``quantity = "dipole"``.

    Raises
    ------
    DataError
        if a name is found twice.
    """
    return SHELF.available()


def default_dipoles() -> list[DipoleMeasurement]:
    """All dipole data that are not superseded by others of the library."""
    every = [load_dipole(name) for name in available_dipoles()]
    names = {one.name for one in every}
    return [one for one in every if one.superseded_by not in names]


def load_dipole(name: str | Path, *, beside: Path | None = None) -> DipoleMeasurement:
    """Read dipole data of the library, or a ``.csv`` of the user with its ``.source.toml``.

    Parameters
    ----------
    name : bare name of the library, or a path
    beside : folder that a relative path starts from; default the current one

    Returns
    -------
    DipoleMeasurement
        amplitudes and phases [deg] with their errors, against energy [GeV].

    Raises
    ------
    DataError
        if the name is unknown (naming the nearest) or the table is not valid (naming file and line).
    """
    return _measurement(SHELF.table(name, beside=beside))


def _measurement(table: Table) -> DipoleMeasurement:
    check_keys(table, ("experiment", "bibcode"), QUANTITY)
    values = numbers(table, _COLUMNS)
    refuse(table, _wrong(values))
    return DipoleMeasurement(
        name=table.path.stem,
        experiment=str(table.source["experiment"]),
        bibcode=str(table.source["bibcode"]),
        citation=str(table.source["citation"]),
        superseded_by=str(table.source.get("superseded_by", "")),
        **values,
    )


def _wrong(values: dict[str, Array]) -> Iterable[tuple[NDArray[np.bool_], str]]:
    """Rows that cannot be a measurement, with what is wrong."""
    energy, amplitude, phase = values["energy"], values["amplitude"], values["phase"]
    yield ~(np.isfinite(energy) & (energy > 0.0)), "energy is not a positive number"
    yield np.concatenate(([False], np.diff(energy) < 0.0)), "energy decreases"
    yield ~((amplitude > 0.0) & (amplitude < 1.0)), "amplitude is not between 0 and 1"
    yield ~((phase >= 0.0) & (phase < 360.0)), "phase is not a right ascension in [0, 360) deg"
    for name in _ERRORS:
        yield (values[name] < 0.0) | np.isinf(values[name]), f"{name} is negative or infinite"
    wrong = outside(energy, values["energy_low"], values["energy_high"])
    yield wrong, "energy lies outside its interval energy_low to energy_high"
    yield values["upper_limit"] < amplitude, "upper_limit is below the amplitude"
    yield np.isinf(values["upper_limit"]), "upper_limit is infinite"

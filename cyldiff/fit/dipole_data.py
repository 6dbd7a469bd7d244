"""Measured dipoles that a tuning file names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cyldiff.data.dipoles import DipoleMeasurement, load_dipole
from cyldiff.errors import DataError, Problem, quoted
from cyldiff.fit.config import DipoleChoice
from cyldiff.units import parse_quantity

__all__ = ["DipoleSet", "read_dipoles"]


@dataclass(frozen=True, slots=True)
class DipoleSet:
    """Dipoles of one experiment with the range that counts.

    Attributes
    ----------
    low, high : range of the energy used, ends included [GeV]
    """

    measurement: DipoleMeasurement
    choice: DipoleChoice
    low: float
    high: float


def read_dipoles(
    choices: Sequence[DipoleChoice], beside: Path | None
) -> tuple[list[DipoleSet], list[Problem]]:
    """The data sets that are valid, and all that is wrong with the others.

    Parameters
    ----------
    beside : folder that files of the user are looked for in
    """
    sets: list[DipoleSet] = []
    problems: list[Problem] = []
    for i, choice in enumerate(choices):
        key = f"fit.dipoles[{i}]"
        try:
            data = load_dipole(choice.name, beside=beside)
        except DataError as error:
            problems.append(Problem(f"{key}.name", str(error)))
            continue
        if data.name in [d.measurement.name for d in sets]:
            problems.append(Problem(f"{key}.name", f"{quoted(data.name)} is named twice"))
        if len(set(choice.what)) < len(choice.what):
            problems.append(Problem(f"{key}.what", "names the same twice"))
        limits = []
        for part, text, default in (("min", choice.min, 0.0), ("max", choice.max, float("inf"))):
            try:
                limits.append(default if text is None else parse_quantity(text, "energy"))
            except ValueError as error:
                problems.append(Problem(f"{key}.{part}", str(error)))
        if len(limits) < 2:
            continue
        if not np.any((data.energy >= limits[0]) & (data.energy <= limits[1])):
            problems.append(Problem(key, f"{choice.name} has no points in this range"))
        sets.append(DipoleSet(data, choice, limits[0], limits[1]))
    return sets, problems

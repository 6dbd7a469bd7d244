"""A number of the model that varies: where it stands, its range, its unit, whether it moves the transport."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cyldiff.fit.priors import Prior
from cyldiff.units import format_quantity, to_internal

__all__ = ["NUISANCE", "Parameter", "Values", "is_fast", "limits_of", "starts_of"]

Array = NDArray[np.float64]
#: values of the parameters, in internal units
Values = Sequence[float] | Array

#: first part of the path of a nuisance that belongs to a data set and not to the config
NUISANCE = "data"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in internal units.

    Attributes
    ----------
    name : unique in a fit
    paths : of the config; (:data:`NUISANCE`, data set, what) for a nuisance of a data set
    dimension : of what stands in the config, see :data:`cyldiff.units.DIMENSIONS`; None for a plain number
    start, low, high : first value and bounds
    prior : in internal units
    fast : changing it needs no transport solve
    profile : kept at its best value for every value of the others
    bases : numbers of the config that it multiplies, one per path; empty if it is the number itself
    """

    name: str
    paths: tuple[tuple[str, ...], ...]
    dimension: str | None
    start: float
    low: float
    high: float
    prior: Prior
    fast: bool
    profile: bool = False
    bases: tuple[float, ...] = ()

    def put(self, value: float) -> list[tuple[tuple[str, ...], float]]:
        """What stands in the config for a value: (path, number); nothing for a nuisance of a data set."""
        bases = self.bases or (1.0,) * len(self.paths)
        return [
            (path, float(value) * base)
            for path, base in zip(self.paths, bases, strict=True)
            if path[0] != NUISANCE
        ]

    def written(self, number: float) -> str:
        """A number of the config as TOML, with its unit; read back it is the same number."""
        return repr(number) if self.dimension is None else f'"{format_quantity(number, self.dimension)}"'

    @property
    def scale(self) -> float:
        """A size of the parameter, so that minimisers work with numbers of order one."""
        return abs(self.start) if self.start != 0.0 else 0.5 * (self.high - self.low)

    @property
    def unit(self) -> str:
        """Unit that its values are shown in: that of the dimension's example; "1" for a plain number."""
        if self.dimension is None or self.bases:
            return "1"
        return format_quantity(1.0, self.dimension).partition(" ")[2]

    @property
    def factor(self) -> float:
        """From internal units to :attr:`unit`."""
        if self.dimension is None or self.bases:
            return 1.0
        return 1.0 / to_internal(1.0, self.unit, self.dimension)

    def shown(self, value: float) -> str:
        """A value for people: four digits and its unit; "-" for NaN."""
        number = self.number(value)
        return number if self.unit == "1" or number == "-" else f"{number} {self.unit}"

    def number(self, value: float) -> str:
        """A value in `unit`, four digits; "-" for NaN."""
        return f"{value * self.factor:.4g}" if np.isfinite(value) else "-"


def is_fast(path: Sequence[str]) -> bool:
    """Whether changing what stands at a path leaves the transport as it is."""
    if path[0] in (NUISANCE, "spectrum", "point_sources") or tuple(path[:2]) == ("physics", "modulation"):
        return True
    return tuple(path[:2]) == ("physics", "sources") and "".join(path[3:4]) in ("abundances", "normalisation")


def starts_of(parameters: Sequence[Parameter]) -> Array:
    """Start values, shape (n,)."""
    return np.array([p.start for p in parameters], dtype=float)


def limits_of(parameters: Sequence[Parameter]) -> tuple[Array, Array]:
    """Lower and upper bounds, shape (n,) each."""
    return np.array([p.low for p in parameters]), np.array([p.high for p in parameters])

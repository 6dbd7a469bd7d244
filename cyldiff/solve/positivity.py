"""Densities that are no numbers, or negative, are refused with the place where they are; never clipped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import ConvergenceError
from cyldiff.grid import Grid, per_momentum

__all__ = ["NEGATIVE", "check_density", "fault"]

Array = NDArray[np.float64]

#: a density this far below zero, relative to the largest at its momentum, is not round-off
NEGATIVE = 1e-7


def check_density(solution: Array, grid: Grid, name: str, *, positive: bool = True) -> None:
    """Refuse a field that is not a number, or negative beyond round-off, and say where.

    Parameters
    ----------
    solution : ndarray, shape (n_p, n_r, [n_phi,] n_z), any unit
    name : of the field, for the message
    positive : whether negative densities are refused

    Raises
    ------
    ConvergenceError
        with energy and place of the worst value.
    """
    largest = np.nan_to_num(solution.max(axis=tuple(range(1, solution.ndim))), nan=0.0)
    found = fault(solution, largest, grid, positive)
    if found:
        raise ConvergenceError(f"{name}: {found[1]}")


def fault(solution: Array, largest: Array, grid: Grid, positive: bool) -> tuple[float, str] | None:
    """What is wrong with a field, how bad (the lower, the worse) and where; None if nothing is."""
    if not np.all(np.isfinite(solution)):
        where = [int(a[0]) for a in np.nonzero(~np.isfinite(solution))]
        return -np.inf, f"the density is not a number at {_place(grid, where)}"
    highest = per_momentum(largest, len(grid.axes))
    relative = np.where(highest > 0.0, solution / np.where(highest > 0.0, highest, 1.0), solution)
    if positive and relative.min() < -NEGATIVE:
        where = [int(a) for a in np.unravel_index(np.argmin(relative), solution.shape)]
        return float(relative.min()), (
            f"the density is negative ({relative.min():.1e} of the largest at that energy) "
            f'at {_place(grid, where)}; a finer energy grid, or solver.momentum_scheme = "chang-cooper" helps'
        )
    return None


def _place(grid: Grid, where: list[int]) -> str:
    energy = f"T = {grid.kinetic_energy[where[0]]:.3g} GeV/n"
    unit = {"phi": "rad"}
    return ", ".join(
        [energy]
        + [
            f"{axis.name} = {axis.centers[i]:.3g} {unit.get(axis.name, 'kpc')}"
            for axis, i in zip(grid.axes, where[1:], strict=True)
        ]
    )

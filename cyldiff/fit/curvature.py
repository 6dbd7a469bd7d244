"""Errors from gradients: the matrix of second derivatives, and where chi-square has risen by a given amount.

With a gradient at hand both need few evaluations. The matrix is a difference of gradients. The end of an
interval, or a point of a contour, is the root of ``chi2 = minimum + rise`` along a direction, with all
derivatives across it zero: n equations in n unknowns that Newton's method with that matrix solves in a few steps
(Venzon & Moolgavkar 1988, Appl. Statist. 37, 87).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Minimum", "crossing", "curvature", "fixed_minimum"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: how exactly a rise is met, and how exactly the others are at their best, in the unit of chi-square
CLOSE = 0.01
#: a Newton step is at most so many standard deviations
LONGEST = 2.0
ITERATIONS = 15
#: step of the difference of gradients, in standard deviations
STEP = 0.1


@dataclass(frozen=True)
class Minimum:
    """A minimum of chi-square with its surroundings.

    Attributes
    ----------
    chi2, gradient : functions of the parameters, shape (n,)
    best, value : where it is, and chi-square there
    matrix : second derivatives, shape (n, n)
    low, high : bounds, shape (n,)
    """

    chi2: Callable[[Array], float]
    gradient: Callable[[Array], Array]
    best: Array
    value: float
    matrix: Array
    low: Array
    high: Array

    @property
    def covariance(self) -> Array:
        """Twice the inverse of the matrix."""
        return np.asarray(2.0 * np.linalg.inv(self.matrix))

    def inside(self, x: Array) -> bool:
        """Whether a point is within the bounds."""
        return bool(np.all(x >= self.low) and np.all(x <= self.high))

    def stopped(self, x: Array, slope: Array) -> Flags:
        """Parameters at a bound that chi-square pulls across it."""
        return ((x <= self.low) & (slope > 0.0)) | ((x >= self.high) & (slope < 0.0))


def curvature(gradient: Callable[[Array], Array], x: Array, sigma: Array, low: Array, high: Array) -> Array:
    """Matrix of second derivatives of chi-square, shape (n, n), by central differences of the gradient.

    Parameters
    ----------
    sigma : shape (n,), rough errors that set the steps; at a bound the difference is one-sided
    """
    n = len(x)
    matrix = np.empty((n, n))
    for i in range(n):
        ends = []
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved[i] = np.clip(x[i] + sign * STEP * sigma[i], low[i], high[i])
            ends.append((moved[i], gradient(moved)))
        matrix[i] = (ends[0][1] - ends[1][1]) / (ends[0][0] - ends[1][0])
    return 0.5 * (matrix + matrix.T)


def crossing(
    minimum: Minimum, direction: Array, following: Flags, rise: float = 1.0, near: Array | None = None
) -> Array | None:
    """Where chi-square has risen by `rise` along a direction of one or more parameters, the others at their best.

    Parameters
    ----------
    direction : shape (n,)
    following : shape (n,), the parameters that are at their best for every place along it
    near : shape (n,), where to begin; default: as the matrix says

    Returns
    -------
    shape (n,); None if a bound is met before (parameters that follow stay at theirs), or the search does not end
    """
    basis = np.column_stack([direction, np.eye(len(direction))[:, following]])
    model = basis.T @ minimum.matrix @ basis
    covariance = 2.0 * np.linalg.inv(model)
    if not np.all(np.diag(covariance) > 0.0):
        return None
    sigma = np.sqrt(np.diag(covariance))
    u, before = np.sqrt(rise) * covariance[0] / sigma[0], None
    if near is not None:
        u = np.linalg.lstsq(basis, near - minimum.best, rcond=None)[0]
    for _ in range(ITERATIONS):
        u[1:] = np.clip(minimum.best[following] + u[1:], minimum.low[following], minimum.high[following])
        u[1:] -= minimum.best[following]
        x = minimum.best + basis @ u
        if not minimum.inside(x):
            return None
        value, whole = minimum.chi2(x) - minimum.value, minimum.gradient(x)
        slope = basis.T @ whole
        if before is not None:
            model = _updated(model, u - before[0], slope - before[1])
        before = (u.copy(), slope)
        moving = np.concatenate([[True], ~minimum.stopped(x, whole)[following]])
        left = np.where(moving, slope, 0.0)
        left[0] = 0.0
        off = _lack(model, left)
        if abs(value - rise) < CLOSE and abs(off) < CLOSE:
            # to first order in what is left: along the profile chi-square has the slope of the direction
            u[0] += (rise - (value - off)) / slope[0]
            return np.asarray(minimum.best + basis @ u)
        jacobian = model.copy()
        jacobian[0] = slope
        target = -left
        target[0] = rise - value
        step = np.zeros(len(u))
        step[moving] = np.linalg.solve(jacobian[np.ix_(moving, moving)], target[moving])
        step = _shortened(step, sigma)
        # the other side of the minimum is another crossing
        u = u + step * min(1.0, 0.7 * u[0] / max(-step[0], 1e-300))
    return None


def fixed_minimum(minimum: Minimum, fixed: Flags, start: Array) -> tuple[Array, float] | None:
    """The lowest chi-square with some parameters held where they are.

    Parameters
    ----------
    fixed : shape (n,)
    start : shape (n,), with the fixed parameters at their values

    Returns
    -------
    place and chi-square; None if the fixed parameters are out of bounds or the search does not end
    """
    matrix = minimum.matrix.copy()
    sigma = np.sqrt(np.abs(np.diag(minimum.covariance)))
    x, before = np.where(fixed, start, np.clip(start, minimum.low, minimum.high)), None
    for _ in range(ITERATIONS):
        if not minimum.inside(x):
            return None
        value, slope = minimum.chi2(x), minimum.gradient(x)
        if before is not None:
            matrix = _updated(matrix, x - before[0], slope - before[1])
        before = (x, slope)
        free = ~fixed & ~minimum.stopped(x, slope)
        off = _lack(matrix, np.where(free, slope, 0.0))
        if abs(off) < CLOSE:
            return x, value - off
        step = np.zeros(len(x))
        step[free] = -np.linalg.solve(matrix[np.ix_(free, free)], slope[free])
        x = np.clip(x + _shortened(step, sigma), minimum.low, minimum.high)
    return None


def _lack(model: Array, slope: Array) -> float:
    """How far chi-square is above its minimum in the directions whose slope is not zero yet."""
    free = slope != 0.0
    return 0.5 * float(slope[free] @ np.linalg.solve(model[np.ix_(free, free)], slope[free]))


def _shortened(step: Array, sigma: Array) -> Array:
    longest = float(np.max(np.abs(step) / sigma, initial=0.0))
    return step * min(1.0, LONGEST / max(longest, 1e-12))


def _updated(matrix: Array, step: Array, change: Array) -> Array:
    """Symmetric rank-one update, so that the matrix explains the last change of the gradient."""
    left = change - matrix @ step
    scale = float(left @ step)
    if abs(scale) < 1e-8 * float(np.linalg.norm(left) * np.linalg.norm(step)):
        return matrix
    return matrix + np.outer(left, left) / scale

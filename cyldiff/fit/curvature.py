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
        return bool(np.all(x > self.low) and np.all(x < self.high))


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


def crossing(minimum: Minimum, direction: Array, following: Flags, rise: float = 1.0) -> Array | None:
    """Where chi-square has risen by `rise` along a direction of one or more parameters, the others at their best.

    Parameters
    ----------
    direction : shape (n,)
    following : shape (n,), the parameters that are at their best for every place along it

    Returns
    -------
    shape (n,); None if the bounds are met before, or the search does not end
    """
    basis = np.column_stack([direction, np.eye(len(direction))[:, following]])
    model = basis.T @ minimum.matrix @ basis
    covariance = 2.0 * np.linalg.inv(model)
    if not np.all(np.diag(covariance) > 0.0):
        return None
    sigma = np.sqrt(np.diag(covariance))
    u, before = np.sqrt(rise) * covariance[0] / sigma[0], None
    for _ in range(ITERATIONS):
        x = minimum.best + basis @ u
        if not minimum.inside(x):
            return None
        value, slope = minimum.chi2(x) - minimum.value, basis.T @ minimum.gradient(x)
        if before is not None:
            model = _updated(model, u - before[0], slope - before[1])
        before = (u.copy(), slope)
        left = slope.copy()
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
        u = u + _shortened(np.asarray(np.linalg.solve(jacobian, target)), sigma)
    return None


def fixed_minimum(minimum: Minimum, fixed: Flags, start: Array) -> tuple[Array, float] | None:
    """The lowest chi-square with some parameters held where they are.

    Parameters
    ----------
    fixed : shape (n,)
    start : shape (n,), with the fixed parameters at their values

    Returns
    -------
    place and chi-square; None if the bounds are met or the search does not end
    """
    free = ~fixed
    model = minimum.matrix[np.ix_(free, free)]
    sigma = np.sqrt(np.abs(np.diag(2.0 * np.linalg.inv(model)))) if free.any() else np.ones(0)
    x, before = start.copy(), None
    for _ in range(ITERATIONS):
        if not minimum.inside(x):
            return None
        value, slope = minimum.chi2(x), minimum.gradient(x)[free]
        if before is not None:
            model = _updated(model, x[free] - before[0], slope - before[1])
        before = (x[free].copy(), slope)
        off = _lack(model, slope)
        if abs(off) < CLOSE:
            return x, value - off
        x = x.copy()
        x[free] += _shortened(np.asarray(-np.linalg.solve(model, slope)), sigma)
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

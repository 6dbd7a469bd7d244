"""Errors from gradients: the Hesse matrix, and where chi-square has risen by one.

With a gradient at hand both need few evaluations: the matrix is a difference of gradients, and the end of a MINOS
interval is the root of ``chi2 = minimum + 1, dchi2/dx_j = 0 for all j but one``, n equations in n unknowns that
Newton's method with that matrix solves in a few steps (Venzon & Moolgavkar 1988, Appl. Statist. 37, 87).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["curvature", "profile_end"]

Array = NDArray[np.float64]

#: rise of chi-square at one standard deviation
RISE = 1.0
#: how exactly it is met, and how exactly the others are at their best, in the unit of chi-square
CLOSE = 0.01
ITERATIONS = 12
#: step of the difference of gradients, in standard deviations
STEP = 0.1


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


def profile_end(
    chi2: Callable[[Array], float],
    gradient: Callable[[Array], Array],
    best: Array,
    minimum: float,
    matrix: Array,
    index: int,
    side: float,
    low: Array,
    high: Array,
) -> float:
    """Distance from the best value to the end of the interval of one parameter; NaN if there is none.

    Parameters
    ----------
    matrix : second derivatives of chi-square at the best values
    side : 1 for the upper end, -1 for the lower one
    """
    covariance = 2.0 * np.linalg.inv(matrix)
    if not np.all(np.diag(covariance) > 0.0):
        return float("nan")
    sigma = np.sqrt(np.diag(covariance))
    x = best + side * covariance[index] / sigma[index]
    model = matrix.copy()
    previous: tuple[Array, Array] | None = None
    others = np.arange(len(x)) != index
    for _ in range(ITERATIONS):
        if np.any(x <= low) or np.any(x >= high):
            return float("nan")
        value, slope = chi2(x) - minimum, gradient(x)
        if previous is not None:
            model = _updated(model, x - previous[0], slope - previous[1])
        previous = (x.copy(), slope)
        left = np.where(others, slope, 0.0)
        inner = model[np.ix_(others, others)]
        off = 0.5 * float(left[others] @ np.linalg.solve(inner, left[others])) if others.any() else 0.0
        if abs(value - RISE) < CLOSE and abs(off) < CLOSE:
            # to first order in what is left: along the profile chi-square has the slope dchi2/dx_index
            return float(x[index] + (RISE - (value - off)) / slope[index] - best[index])
        jacobian = model.copy()
        jacobian[index] = slope
        target = -left
        target[index] = RISE - value
        step = np.linalg.solve(jacobian, target)
        x = x + step * min(1.0, 2.0 / max(1e-12, float(np.max(np.abs(step) / sigma))))
    return float("nan")


def _updated(matrix: Array, step: Array, change: Array) -> Array:
    """Symmetric rank-one update, so that the matrix explains the last change of the gradient."""
    left = change - matrix @ step
    scale = float(left @ step)
    if abs(scale) < 1e-8 * float(np.linalg.norm(left) * np.linalg.norm(step)):
        return matrix
    return matrix + np.outer(left, left) / scale

"""Profile likelihoods of one parameter and contours of two: the others at their best everywhere.

With gradients every point costs two or three evaluations (:mod:`cyldiff.fit.curvature`); without, MINUIT
minimises again at every point (MNPROFILE, MNCONTOUR).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from cyldiff.errors import ConvergenceError
from cyldiff.fit.curvature import Minimum, crossing, fixed_minimum
from cyldiff.fit.tune import FitResult

__all__ = ["LEVELS", "Contour", "Profile", "contour_of", "profile_of"]

Array = NDArray[np.float64]

#: probability inside a contour
LEVELS = (0.6827, 0.9545)
#: values of a profile, and how far out they go in units of the error
POINTS = 21
REACH = 2.5
#: directions of a contour
DIRECTIONS = 24


@dataclass(frozen=True)
class Profile:
    """The lowest chi-square for every value of one parameter.

    Attributes
    ----------
    name : of the parameter
    values, rise : shape (n,), in internal units, and chi-square above its minimum
    others : values of all parameters there, shape (n, number of parameters)
    """

    name: str
    values: Array
    rise: Array
    others: Array


@dataclass(frozen=True)
class Contour:
    """Where the lowest chi-square for two parameters has a given value.

    Attributes
    ----------
    names : of the two
    lines : level -> places, shape (n, 2), in internal units, closed unless a bound cuts them
    """

    names: tuple[str, str]
    lines: dict[float, Array]


def profile_of(result: FitResult, name: str) -> Profile:
    """Profile likelihood of a parameter around its best value.

    Raises
    ------
    ConvergenceError
        if the parameter is at a bound.
    """
    i = _place(result, name)
    step = REACH / (POINTS // 2)
    minimum = result.surroundings.minimum
    if minimum is None:
        return _by_minuit(result, name, i)
    free = np.flatnonzero(~result.at_bound)
    k = int(np.flatnonzero(free == i)[0])
    fixed = np.arange(len(free)) == k
    covariance = minimum.covariance
    sigma = np.sqrt(covariance[k, k])
    found = [(minimum.best, 0.0)]
    for side in (-1.0, 1.0):
        x = minimum.best
        for _ in range(POINTS // 2):
            guess = x + side * step * covariance[:, k] / sigma
            there = fixed_minimum(minimum, fixed, guess)
            if there is None:
                break
            x = there[0]
            found.append((x, there[1] - minimum.value))
    found.sort(key=lambda one: float(one[0][k]))
    places = np.array([_complete(result, x) for x, _ in found])
    return Profile(name, places[:, i], np.array([rise for _, rise in found]), places)


def _by_minuit(result: FitResult, name: str, i: int) -> Profile:
    search, x = result.search, result.surroundings.best
    minuit = search.minuit(x)
    minuit.fixed = result.at_bound.tolist()
    sigma = result.errors[i] / search.scale[i]
    low, high = max(x[i] - REACH * sigma, search.low[i]), min(x[i] + REACH * sigma, search.high[i])
    grid = np.linspace(float(low), float(high), POINTS)
    values, rise, _ = minuit.mnprofile(name, grid=grid)
    places = np.full((len(values), len(x)), np.nan)
    places[:, i] = values * search.scale[i]
    return Profile(name, places[:, i], np.asarray(rise) - result.chi2, places)


def contour_of(result: FitResult, names: tuple[str, str]) -> Contour:
    """Contours of two parameters at :data:`LEVELS`, the others at their best.

    Raises
    ------
    ConvergenceError
        if one of them is at a bound.
    """
    i, j = (_place(result, name) for name in names)
    lines = {}
    for level in LEVELS:
        rise = float(chdtri(2, 1.0 - level))
        line = (
            _traced(result, i, j, rise)
            if result.surroundings.minimum
            else _by_mncontour(result, names, level)
        )
        lines[level] = line
    return Contour(names, lines)


def _traced(result: FitResult, i: int, j: int, rise: float) -> Array:
    """Points where the rise is met, in directions that are even for an ellipse."""
    minimum = result.surroundings.minimum
    assert isinstance(minimum, Minimum)
    free = np.flatnonzero(~result.at_bound)
    pair = [int(np.flatnonzero(free == k)[0]) for k in (i, j)]
    following = ~np.isin(np.arange(len(free)), pair)
    root = np.linalg.cholesky(minimum.covariance[np.ix_(pair, pair)])
    points, near = [], None
    for angle in np.linspace(0.0, 2.0 * np.pi, DIRECTIONS, endpoint=False):
        direction = np.zeros(len(free))
        direction[pair] = root @ (np.cos(angle), np.sin(angle))
        there = crossing(minimum, direction, following, rise, near)
        if there is None and near is not None:
            there = crossing(minimum, direction, following, rise)
        points.append(np.full(2, np.nan) if there is None else _complete(result, there)[[i, j]])
        near = there
    return np.array([*points, points[0]])


def _by_mncontour(result: FitResult, names: tuple[str, str], level: float) -> Array:
    search, x = result.search, result.surroundings.best
    minuit = search.minuit(x)
    minuit.fixed = result.at_bound.tolist()
    minuit.migrad()
    line = np.array(minuit.mncontour(*names, cl=level, size=DIRECTIONS))
    scale = search.scale[[_place(result, name) for name in names]]
    return np.vstack([line, line[:1]]) * scale


def _place(result: FitResult, name: str) -> int:
    i = next(k for k, p in enumerate(result.parameters) if p.name == name)
    if result.at_bound[i]:
        raise ConvergenceError(f"{result.fit.source}: {name} is at its bound; there is no profile around it")
    return i


def _complete(result: FitResult, free: Array) -> Array:
    """Values of all parameters, internal units, from the scaled free ones."""
    x = result.surroundings.best.copy()
    x[~result.at_bound] = free
    return result.search.values(x)

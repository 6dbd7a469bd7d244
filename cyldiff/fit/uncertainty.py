"""Errors at a minimum: covariance from second derivatives, intervals from where chi-square has risen by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import ConvergenceError
from cyldiff.fit.curvature import Minimum, crossing, curvature
from cyldiff.fit.search import Search

__all__ = ["Errors", "by_calls", "by_gradients", "rough_errors"]

Array = NDArray[np.float64]

#: a minimum is improved by Newton steps until it is at most this far above the true one
CLOSE = 1e-4
NEWTON_STEPS = 3
#: smallest eigenvalue of the correlation-like matrix of second derivatives that counts as positive
DEGENERATE = 1e-9


@dataclass(frozen=True)
class Errors:
    """Errors in scaled variables.

    Attributes
    ----------
    best, chi2 : the minimum, perhaps improved
    covariance : shape (n, n); NaN for parameters at a bound
    lower, upper : ends of the intervals relative to the best values (negative, positive); NaN where not found
    at_bound : shape (n,)
    minimum : the surroundings in the free parameters, for profiles and contours; None without gradients
    """

    best: Array
    chi2: float
    covariance: Array
    lower: Array
    upper: Array
    at_bound: NDArray[np.bool_]
    minimum: Minimum | None


def rough_errors(search: Search, x: Array, which: Iterable[int]) -> Array:
    """Sizes of the range over which chi-square rises by about one, for some parameters by themselves."""
    found, here = [], search.chi2(x)
    for i in which:
        step = 1e-3 * (search.high[i] - search.low[i])
        ends = []
        for sign in (-1.0, 1.0):
            moved = x.copy()
            moved[i] = np.clip(x[i] + sign * step, search.low[i], search.high[i])
            ends.append(search.chi2(moved) - here)
        rise = max(0.5 * abs(sum(ends)), 1e-12)
        found.append(min(step / np.sqrt(rise), 0.1 * (search.high[i] - search.low[i])))
    return np.array(found)


def by_gradients(search: Search, x: Array, rough: Array, *, minos: bool, source: str) -> Errors:
    """Errors from differences of gradients, after Newton steps to the true minimum.

    Parameters
    ----------
    x, rough : the minimum and sizes of the errors, scaled, shape (n,)
    minos : also the intervals

    Raises
    ------
    ConvergenceError
        if chi-square does not curve upwards, naming the parameters that are degenerate.
    """
    at_bound = search.at_bound(x)
    free = ~at_bound
    names = [p.name for p, f in zip(search.objective.parameters, free, strict=True) if f]

    def whole(part: Array) -> Array:
        result = x.copy()
        result[free] = part
        return result

    def chi2(part: Array) -> float:
        return search.chi2(whole(part))

    def gradient(part: Array) -> Array:
        return search.gradient(whole(part))[free]

    low, high, best = search.low[free], search.high[free], x[free].copy()
    matrix = curvature(gradient, best, rough[free], low, high)
    _refuse_degenerate(matrix, rough[free], names, source)
    best, value = _improved(Minimum(chi2, gradient, best, chi2(best), matrix, low, high))
    minimum = Minimum(chi2, gradient, best, value, matrix, low, high)
    lower, upper = np.full(len(x), np.nan), np.full(len(x), np.nan)
    if minos:
        for place, i in enumerate(np.flatnonzero(free)):
            others = np.arange(len(best)) != place
            for ends, side in ((lower, -1.0), (upper, 1.0)):
                found = crossing(minimum, np.where(others, 0.0, side), others)
                if found is not None:
                    ends[i] = found[place] - best[place]
    covariance = np.full((len(x), len(x)), np.nan)
    covariance[np.ix_(free, free)] = minimum.covariance
    return Errors(whole(best), value, covariance, lower, upper, at_bound, minimum)


def _improved(minimum: Minimum) -> tuple[Array, float]:
    """Newton steps with a fixed matrix, as long as they lower chi-square."""
    best, value = minimum.best, minimum.value
    for _ in range(NEWTON_STEPS):
        slope = minimum.gradient(best)
        step = -np.linalg.solve(minimum.matrix, slope)
        if -0.5 * float(slope @ step) < CLOSE or not minimum.inside(best + step):
            break
        moved = minimum.chi2(best + step)
        if moved >= value:
            break
        best, value = best + step, moved
    return best, value


def by_calls(search: Search, minuit: Any, *, minos: bool, source: str) -> Errors:
    """Errors from evaluations of chi-square: HESSE and MINOS of MINUIT.

    Parameters
    ----------
    minuit : at the minimum

    Raises
    ------
    ConvergenceError
        if chi-square does not curve upwards.
    """
    x = np.array(minuit.values)
    at_bound = search.at_bound(x)
    if at_bound.any() or minuit.fmin is None:
        minuit.fixed = at_bound.tolist()
        minuit.migrad()
    minuit.hesse()
    names = [p.name for p in search.objective.parameters]
    if minuit.covariance is None or not (minuit.valid and minuit.accurate):
        free = [name for name, fixed in zip(names, at_bound, strict=True) if not fixed]
        raise ConvergenceError(
            f"{source}: chi-square does not curve upwards; {', '.join(free)} may be degenerate, give them priors"
        )
    covariance = np.where(np.logical_or.outer(at_bound, at_bound), np.nan, np.asarray(minuit.covariance))
    lower, upper = np.full(len(x), np.nan), np.full(len(x), np.nan)
    if minos:
        for i in map(int, np.flatnonzero(~at_bound)):
            error = minuit.minos(names[i]).merrors[names[i]]
            lower[i] = error.lower if error.lower_valid else np.nan
            upper[i] = error.upper if error.upper_valid else np.nan
    return Errors(np.array(minuit.values), float(minuit.fval), covariance, lower, upper, at_bound, None)


def _refuse_degenerate(matrix: Array, rough: Array, names: Sequence[str], source: str) -> None:
    """Refuse a matrix with a direction along which chi-square does not rise; name who makes it."""
    scaled = matrix * np.outer(rough, rough)
    values, vectors = np.linalg.eigh(scaled)
    if len(values) and values[0] <= DEGENERATE * values[-1]:
        share = np.abs(vectors[:, 0])
        worst = [names[i] for i in np.argsort(-share) if share[i] > 0.3 * share.max()]
        raise ConvergenceError(
            f"{source}: chi-square does not rise along a combination of {', '.join(worst)}; "
            "they are degenerate, give them priors or leave one out"
        )

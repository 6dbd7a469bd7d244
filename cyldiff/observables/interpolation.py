"""Spectra between their grid points: a cubic spline of ln J over ln T, never extrapolated silently."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from cyldiff.errors import DataError

__all__ = ["LogLogCurve"]

Array = NDArray[np.float64]

#: below this a value counts as zero: its logarithm would carry rounding, not physics
_TINY = 1.0e-290


class LogLogCurve:
    """A tabulated spectrum as a function: cubic in (ln x, ln y) where y > 0.

    A power law is reproduced to rounding, a smooth spectrum with 16 points per decade to about
    1e-6. Where a neighbour is zero or negative (a spectrum that has run out) the curve is linear
    in y over ln x; next to a NaN it is NaN.

    Parameters
    ----------
    x : array_like, shape (n,)      abscissae, positive and strictly increasing, n >= 2
    y : array_like, shape (n,)      values, any sign

    Raises
    ------
    DataError
        if the shapes do not fit or x is not positive and increasing.
    """

    def __init__(self, x: ArrayLike, y: ArrayLike) -> None:
        self.x: Array = np.asarray(x, dtype=float)
        self.y: Array = np.asarray(y, dtype=float)
        if self.x.ndim != 1 or self.x.shape != self.y.shape or self.x.size < 2:
            raise DataError(
                f"a spectrum needs two rows of the same length, at least 2; "
                f"found shapes {self.x.shape} and {self.y.shape}"
            )
        if not (self.x[0] > 0.0 and np.all(np.diff(self.x) > 0.0)):
            raise DataError("the energies of a spectrum must be positive and strictly increasing")
        self._positive = self.y > _TINY
        self._runs = [self._spline(run) for run in _runs(self._positive)]

    def _spline(self, run: slice) -> tuple[float, float, Any]:
        x = self.x[run]
        return x[0], x[-1], CubicSpline(np.log(x), np.log(self.y[run]))

    @property
    def reach(self) -> float:
        """Upper end of the range: the upper face of the last cell, half a grid step above its centre."""
        return float(self.x[-1] * np.sqrt(self.x[-1] / self.x[-2]))

    def __call__(self, at: ArrayLike) -> Array:
        """Values at the abscissae `at`; NaN below the first and above the last grid point."""
        at = np.asarray(at, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            values: Array = np.interp(np.log(at), np.log(self.x), self.y, left=np.nan, right=np.nan)
        for low, high, spline in self._runs:
            inside = (at >= low) & (at <= high)
            values[inside] = np.exp(spline(np.log(at[inside])))
        return values

    def slope(self, at: ArrayLike) -> Array:
        """Logarithmic slope dln y/dln x at the abscissae `at`; NaN outside and where y is not positive."""
        at = np.asarray(at, dtype=float)
        values: Array = np.full(at.shape, np.nan)
        for low, high, spline in self._runs:
            inside = (at >= low) & (at <= high)
            values[inside] = spline(np.log(at[inside]), 1)
        return values

    def continued(self, at: ArrayLike) -> Array:
        """As a call, but up to :attr:`reach` along the slope of the last point.

        The centre of the last cell is not the end of the grid, its face is; this is what lets
        a spectrum be shifted by an energy that is small against the last cell.
        """
        at = np.asarray(at, dtype=float)
        values = self(at)
        beyond = (at > self.x[-1]) & (at <= self.reach)
        values[beyond] = self._last_power_law(at[beyond])
        return values

    def derivative(self, at: ArrayLike) -> Array:
        """Derivative of :meth:`continued` for every tabulated y, shape (n_at, n); 0 where that is NaN.

        Where the curve is a spline of logarithms, d ln y(x) / d ln y_k is the cardinal spline of knot k.
        """
        at = np.atleast_1d(np.asarray(at, dtype=float))
        values, where = self.continued(at), np.log(np.where(at > 0.0, at, 1.0))
        log_x = np.log(self.x)
        inside = np.isfinite(values)
        result = np.zeros((len(at), len(self.x)))
        place = np.clip(np.searchsorted(self.x, at) - 1, 0, len(self.x) - 2)
        share = np.clip((where - log_x[place]) / np.diff(log_x)[place], 0.0, 1.0)
        rows = np.arange(len(at))
        result[rows, place], result[rows, place + 1] = 1.0 - share, share
        for run, (low, high, _) in zip(_runs(self._positive), self._runs, strict=True):
            last = high == self.x[-1]
            mine = inside & (at >= low) & ((at <= high) | last)
            cardinal = CubicSpline(log_x[run], np.eye(run.stop - run.start))
            # beyond the last knot the curve goes on with the slope there
            end = np.minimum(where[mine], log_x[run][-1])
            weights = cardinal(end) + (where[mine] - end)[:, None] * cardinal(log_x[run][-1], 1)
            result[mine] = 0.0
            result[mine, run] = values[mine, None] * weights / self.y[run]
        result[~inside] = 0.0
        return result

    def _last_power_law(self, at: Array) -> Array:
        if not self._positive[-2:].all():
            return np.full_like(at, self.y[-1])
        slope = float(self._runs[-1][2](np.log(self.x[-1]), 1))
        return np.asarray(self.y[-1] * (at / self.x[-1]) ** slope)


def _runs(positive: NDArray[np.bool_]) -> list[slice]:
    """Stretches of at least two neighbouring true entries."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], positive, [False])).astype(int)))
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= 2]

"""What a population gives on average over all realisations, without drawing one (Campbell 1909).

Births are a Poisson process, so the mean of a sum over sources is an integral over places and ages. With the
spread s = D t as variable the integral over places does not depend on energy:

    M(s) = int d^3x' q(x') G(x, x', s) ,     K(s) = int_0^s M ds'

A source that gives the power P for T, born a ago, is seen in what it gave t = a - tau ago, 0 < tau < T. With
births up to L ago at the rate R the mean density is R <P int_0^T dtau K(D (L - tau))> / D times the spectrum,
and that of bursts R <E> K(D L) / D. L -> infinity is the steady state of the grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline
from scipy.special import erf

from cyldiff.galaxy.source_places import SourcePlaces
from cyldiff.sources.greens_function import vertical_kernel

__all__ = ["MeanKernel", "SpreadIntegral"]

Array = NDArray[np.float64]

#: points of the surface density around an observer: in the distance, and around
_POINTS, _POINTS_WITH_ARMS = (4000, 360), (1000, 180)
#: heights of equally probable sources
_HEIGHTS = 200
#: spreads: smallest [kpc^2], and how many per decade
_SMALLEST, _PER_DECADE = 1e-6, 24
#: largest spread in a halo, in units of H^2: what is left is exp(-(pi / 2)^2 20) = 4e-22
_EMPTY = 20.0
#: largest spread in free space, in units of the squared size of the disc
_FREE = 1e10


@dataclass(frozen=True, slots=True)
class SpreadIntegral:
    """M(s) on a table of spreads, from which K(s) follows.

    Attributes
    ----------
    spread : shape (n,), increasing [kpc^2]
    mean : M, shape (n,) [kpc^-3]
    """

    spread: Array
    mean: Array

    def cumulated(self, exponent: ArrayLike = 0.0) -> Callable[[ArrayLike], Array]:
        """K(s) = int_0^s M exp(-exponent) ds' [kpc^-1] as a function of s [kpc^2]: a spline in ln s.

        `exponent` is what is lost on the way up to each spread of the table.
        """
        x, density = np.log(self.spread), self.mean * np.exp(-np.asarray(exponent))
        integral = CubicSpline(x, density * self.spread).antiderivative()
        first, last, start = self.spread[0], self.spread[-1], integral(x[0])
        # before the table M is constant, or falls as s^(-1/2) where the sources are all in the plane
        power = 1.0
        if density[0] > 0.0 and density[1] > 0.0:
            power += float(np.clip(np.log(density[1] / density[0]) / (x[1] - x[0]), -0.5, 0.0))

        def upto(spread: ArrayLike) -> Array:
            s = np.asarray(spread, dtype=float)
            before = density[0] * first / power * np.minimum(s / first, 1.0) ** power
            return before + integral(np.log(np.clip(s, first, last))) - start

        return upto


@dataclass(frozen=True)
class MeanKernel:
    """Mean over the places of a population of the Green's function, seen by one observer.

    Attributes
    ----------
    places : where the sources are
    observer : shape (3,) [kpc]
    half_height : H of the halo [kpc]; None in free space
    """

    places: SourcePlaces
    observer: Array
    half_height: float | None

    def integral(self, *, within: float | None = None) -> SpreadIntegral:
        """M on its table of spreads.

        Parameters
        ----------
        within : distance to the observer [kpc]: sources within it only
        """
        s = self._spreads()
        heights = self.places.height((np.arange(_HEIGHTS) + 0.5) / _HEIGHTS)
        vertical = self._vertical(heights, s)
        rho, density = self._around()
        in_plane = _in_plane(rho, density, s)
        if within is None:
            return SpreadIntegral(s, vertical.mean(axis=0) * in_plane[:, -1])
        reach = np.sqrt(np.maximum(within**2 - (heights - self.observer[2]) ** 2, 0.0))
        mean = [np.mean(v * np.interp(reach, rho, c)) for v, c in zip(vertical.T, in_plane, strict=True)]
        return SpreadIntegral(s, np.asarray(mean))

    def _spreads(self) -> Array:
        size = float(self.places.r[-1] + np.hypot(*self.observer[:2]))
        largest = _FREE * size**2 if self.half_height is None else _EMPTY * self.half_height**2
        return np.geomspace(_SMALLEST, largest, int(_PER_DECADE * np.log10(largest / _SMALLEST)))

    def _vertical(self, heights: Array, s: Array) -> Array:
        """Green's function in z, shape (heights, spreads) [1/kpc]."""
        z = float(self.observer[2])
        if self.half_height is not None:
            return vertical_kernel(z, heights[:, None], s[None, :], self.half_height)[0]
        return np.exp(-((z - heights[:, None]) ** 2) / (4.0 * s)) / np.sqrt(4.0 * np.pi * s)

    def _around(self) -> tuple[Array, Array]:
        """Surface density averaged over circles around the observer: distances [kpc], kpc^-2."""
        x, y = self.observer[:2]
        distances, directions = _POINTS if self.places.around is None else _POINTS_WITH_ARMS
        rho = np.linspace(0.0, float(self.places.r[-1] + np.hypot(x, y)), distances + 1)
        angle = 2.0 * np.pi * (np.arange(directions) + 0.5) / directions
        away_x, away_y = rho[:, None] * np.cos(angle), rho[:, None] * np.sin(angle)
        return rho, self.places.surface_density(x + away_x, y + away_y).mean(axis=1)


def _in_plane(rho: Array, density: Array, s: Array) -> Array:
    """int_0^rho of the plane Gaussian times the density, shape (spreads, distances) [kpc^-2].

    By parts, exact where the density is a straight line between its points:
    int f rho/(2 s) exp(-rho^2/4s) = f(0) - f exp(-rho^2/4s) + int f' exp(-rho^2/4s).
    """
    width = np.sqrt(4.0 * s)[:, None]
    slope = np.diff(density) / np.diff(rho)
    step = slope * 0.5 * np.sqrt(np.pi) * width * np.diff(erf(rho / width), axis=1)
    total = np.concatenate([np.zeros((len(s), 1)), np.cumsum(step, axis=1)], axis=1)
    return density[0] - density * np.exp(-((rho / width) ** 2)) + total

"""Random places of a source distribution, and the probabilities that go with them.

The distribution is that of the grid solution: cut at the edge of the halo in r and z and normalised there, so
that its integral over the halo is one. The laws are surface densities q: a place has radius r with
p(r) dr ~ r q(r) dr.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf, erfinv

from cyldiff.errors import GridError
from cyldiff.galaxy.source_distribution import SourceDistribution

__all__ = ["SourcePlaces"]

Array = NDArray[np.float64]

#: intervals of the radial table, in each of which r q(r) is a straight line
_RADII = 4000
#: part of the sources that the innermost interval may have
_CENTRE = 0.05
#: rows and columns of the table around the circle; linear in r between rows, constant between columns
_ROWS, _AZIMUTHS = 800, 720
#: points of the quadrature around an observer: in the distance, and around
_DISTANCES, _DIRECTIONS = 96, 360


@dataclass(frozen=True, slots=True)
class SourcePlaces:
    """A source distribution inside a halo, ready to draw from.

    Attributes
    ----------
    law : the axisymmetric law, with its profile in z
    around : density at (r, phi) relative to its mean over phi; None for an axisymmetric one
    observer_radius : of the Sun, which the laws refer to [kpc]
    half_height : of the halo [kpc]
    r : shape (n + 1,), radial table [kpc]
    weight : shape (n + 1,), r q(r), with an integral of one [1/kpc]
    share : shape (n + 1,), part of the sources inside r
    azimuth : shape (rows, columns), part of the sources of a row below the end of a column, plus the number
        of the row; None for an axisymmetric law
    """

    law: SourceDistribution
    around: Callable[[Array, Array], Array] | None
    observer_radius: float
    half_height: float
    r: Array
    weight: Array
    share: Array
    azimuth: Array | None

    @classmethod
    def of(
        cls, distribution: Any, *, observer_radius: float, radius: float, half_height: float
    ) -> SourcePlaces:
        """Tables of a distribution in the halo r < `radius`, |z| < `half_height` [kpc].

        Raises
        ------
        GridError
            if the kind has no radial law to draw from, or its density is zero or not finite in the halo.
        """
        law = getattr(distribution, "axisymmetric", distribution)
        around = getattr(distribution, "around", None)
        if not isinstance(law, SourceDistribution):
            what = "one place" if hasattr(distribution, "x") else "no radial law with a profile in z"
            raise GridError(
                f'"{getattr(distribution, "kind", "this")}" is {what}; expected a distribution with a radial law'
            )
        edge = radius if law.maximum_radius is None else min(radius, law.maximum_radius)
        r = np.linspace(0.0, edge, _RADII + 1)
        with np.errstate(all="ignore"):
            weight = r * law.radial(r, observer_radius)
        weight[0] = 0.0  # also where q has a peak that r q does not have
        total = float(np.trapezoid(weight, r))
        if not (np.isfinite(total) and total > 0.0 and np.all(weight >= 0.0)):
            raise GridError("the source distribution is zero or not finite in the halo")
        weight = weight / total
        steps = 0.5 * (weight[1:] + weight[:-1]) * np.diff(r)
        share = np.concatenate([[0.0], np.cumsum(steps)])
        if share[1] > _CENTRE:
            raise GridError("the source distribution rises too steeply at the centre for places to be drawn")
        azimuth = None if around is None else _azimuth_table(around, edge)
        return cls(law, around, observer_radius, half_height, r, weight, share / share[-1], azimuth)

    def draw(self, generator: np.random.Generator, number: int) -> Array:
        """Independent places, shape (number, 3), Cartesian [kpc]; Sun at x = -r_sun.

        Takes `number` uniform numbers for r, for phi and for z, in this order (and as many for the row of the
        table around the circle where the law has arms).
        """
        r = self._radius(generator.random(number))
        phi = self._angle(r, generator.random(number), generator)
        z = self.height(generator.random(number))
        return np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=-1)

    def _radius(self, u: Array) -> Array:
        """Invert the share: a parabola in each interval."""
        k = np.clip(np.searchsorted(self.share, u, side="right") - 1, 0, len(self.r) - 2)
        step = self.r[1] - self.r[0]
        low, slope = self.weight[k], (self.weight[k + 1] - self.weight[k]) / step
        rest = np.maximum(u - self.share[k], 0.0)
        root = np.sqrt(np.maximum(low * low + 2.0 * slope * rest, 0.0))
        return self.r[k] + np.minimum(2.0 * rest / np.maximum(low + root, 1e-300), step)

    def _angle(self, r: Array, u: Array, generator: np.random.Generator) -> Array:
        if self.azimuth is None:
            return 2.0 * np.pi * u
        rows, columns = self.azimuth.shape
        # one of the two rows around r, by chance in proportion to the distance: linear in r
        place = r / self.r[-1] * (rows - 1)
        row = np.minimum((place + generator.random(len(r))).astype(int), rows - 1)
        flat = self.azimuth.ravel()
        number = np.minimum(np.searchsorted(flat, row + u, side="right"), (row + 1) * columns - 1)
        column = number - row * columns
        below = np.where(column > 0, flat[number - 1], row)
        inside = (row + u - below) / np.maximum(flat[number] - below, 1e-300)
        return 2.0 * np.pi * (column + np.clip(inside, 0.0, 1.0)) / columns

    def height(self, u: Array) -> Array:
        """Heights [kpc] below which the part `u` of the sources lies."""
        law, v = self.law, 2.0 * np.asarray(u) - 1.0
        if law.vertical == "plane":
            return np.zeros_like(v)
        h = float(law.scale_height or 0.0)
        if law.vertical == "uniform":
            return v * min(h, self.half_height)
        if law.vertical == "gaussian":
            return h * erfinv(v * erf(self.half_height / h))
        return -h * np.sign(v) * np.log1p(np.abs(v) * np.expm1(-self.half_height / h))

    def below(self, z: ArrayLike) -> Array:
        """Part of the sources below a height [kpc]; the inverse of :meth:`height`."""
        law, H = self.law, self.half_height
        at = np.clip(np.asarray(z, dtype=float), -H, H)
        if law.vertical == "plane":
            return np.where(at < 0.0, 0.0, 1.0)
        h = float(law.scale_height or 0.0)
        if law.vertical == "uniform":
            return 0.5 + 0.5 * np.clip(at / min(h, H), -1.0, 1.0)
        if law.vertical == "gaussian":
            return 0.5 + 0.5 * erf(at / h) / erf(H / h)
        return 0.5 + 0.5 * np.sign(at) * np.expm1(-np.abs(at) / h) / np.expm1(-H / h)

    def surface_density(self, x: Array, y: Array) -> Array:
        """Share of the sources per area of the disc [kpc^-2]."""
        r = np.hypot(x, y)
        q = np.interp(r, self.r, self._per_area(), right=0.0)
        return q if self.around is None else q * self.around(r, np.arctan2(y, x))

    def _per_area(self) -> Array:
        """Surface density at the radii of the table; on the axis, that of the first interval."""
        q = np.empty_like(self.weight)
        q[1:] = self.weight[1:] / (2.0 * np.pi * self.r[1:])
        q[0] = q[1]
        return q

    def share_within(self, place: ArrayLike, distance: float) -> float:
        """Part of the sources within a distance [kpc] of a place, shape (3,) [kpc]: a sphere in a disc."""
        x, y, z = np.asarray(place, dtype=float)
        nodes, weights = np.polynomial.legendre.leggauss(_DISTANCES)
        # rho = d sin(theta): the height of the sphere over the plane is smooth in theta
        widest = float(np.arcsin(min(1.0, (self.r[-1] + np.hypot(x, y)) / distance)))
        theta = 0.5 * widest * (1.0 + nodes)
        rho, half = distance * np.sin(theta), distance * np.cos(theta)
        around = 2.0 * np.pi * (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS
        density = self.surface_density(x + rho[:, None] * np.cos(around), y + rho[:, None] * np.sin(around))
        inside = self.below(z + half) - self.below(z - half)
        measure = 0.5 * widest * weights * distance * np.cos(theta) * rho
        return float(2.0 * np.pi * np.sum(measure * inside * density.mean(axis=1)))


def _azimuth_table(around: Callable[[Array, Array], Array], edge: float) -> Array:
    """Cumulated density around the circle for rows of equal radius, each raised by its number."""
    r = np.linspace(0.0, edge, _ROWS)[:, None]
    phi = 2.0 * np.pi * (np.arange(_AZIMUTHS) + 0.5) / _AZIMUTHS
    density = np.maximum(around(r, phi[None, :]), 0.0)
    table = np.cumsum(density, axis=1)
    table /= table[:, -1:]
    table[:, -1] = 1.0
    return table + np.arange(_ROWS)[:, None]

"""Region of the sky as points in space, for emissivities that change from one realisation to the next.

With rho the distance to the Sun along the plane, z = z_sun + rho tan b and s = rho / cos b, the mean intensity is

    <I> = (1/Omega) sum_pixels m dOmega int d rho / cos b  n_H q exp(-K s)

with m the part of a pixel in l and b that no disc hides. Gas, absorption and discs make weights on points
(l, rho) in the plane times a few heights, between which q is a cubic spline: a mean is then a product with q.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from cyldiff import constants as const
from cyldiff.galaxy.coordinates import Place
from cyldiff.observables.regions import Disc, Region, covered

__all__ = ["RegionGrid", "spline_matrix", "stretched"]

Array = NDArray[np.float64]
Gas = Callable[[Array, Array, Array], Array]

#: size of a pixel in l and b [deg], and into how many parts it is cut where a disc ends
PIXEL, PARTS = (2.0, 0.25), (10, 2)
#: steps of rho: relative, smallest and largest [kpc]
STEPS = (0.1, 0.05, 0.4)
#: heights, and how much closer they lie in the plane
HEIGHTS, CROWDED = 11, 3.5


def stretched(largest: float, n: int, crowded: float) -> Array:
    """Symmetric nodes from -largest to largest, closest around 0."""
    return np.asarray(largest * np.sinh(crowded * np.linspace(-1.0, 1.0, n)) / np.sinh(crowded))


def spline_matrix(nodes: Array, at: Array) -> Array:
    """Values at points `at` of the cubic spline through the nodes, as a matrix (*at.shape, n_nodes)."""
    return np.asarray(CubicSpline(nodes, np.eye(nodes.size))(np.clip(at, nodes[0], nodes[-1])))


@dataclass(frozen=True)
class RegionGrid:
    """Points of a region.

    Attributes
    ----------
    region : Region                 discs of its own included
    sun : Place
    gas : callable                  density of H nuclei [cm^-3] of (r, z, phi)
    absorption : ndarray            K, shape (n_energy,) [1/kpc]
    radius, half_height : float     of the box [kpc]
    """

    region: Region
    sun: Place
    gas: Gas
    absorption: Array
    radius: float
    half_height: float

    @cached_property
    def longitude(self) -> Array:
        """Centres of the pixels [deg], shape (n_l,)."""
        return _centers(self.region.longitude, PIXEL[0])

    @cached_property
    def latitude(self) -> Array:
        """Centres of the pixels [deg], shape (n_b,)."""
        return _centers(self.region.latitude, PIXEL[1])

    @cached_property
    def _steps(self) -> tuple[Array, Array]:
        """Centres and lengths of the steps of rho [kpc]; the box ends them."""
        end = self.sun.r + self.radius
        edges = [0.0]
        while edges[-1] < end:
            edges.append(edges[-1] + float(np.clip(STEPS[0] * edges[-1], *STEPS[1:])))
        e = np.minimum(edges, end)
        return 0.5 * (e[1:] + e[:-1]), np.diff(e)

    @property
    def rho(self) -> Array:
        """Distances along the plane [kpc], shape (n_rho,)."""
        return self._steps[0]

    @cached_property
    def heights(self) -> Array:
        """Heights of the nodes [kpc], shape (n_z,)."""
        steepest = np.tan(np.radians(np.abs(self.region.latitude).max()))
        largest = min(abs(self.sun.z) + float(self.rho[-1]) * steepest, 0.999 * self.half_height)
        return stretched(largest, HEIGHTS, CROWDED)

    @cached_property
    def plane(self) -> tuple[Array, Array]:
        """x, y of the points (l, rho) [kpc], shape (n_l, n_rho)."""
        lon = np.radians(self.longitude)[:, None]
        return -self.sun.r + self.rho * np.cos(lon), self.rho * np.sin(lon)

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """Which points (l, rho) are in the box, shape (n_l, n_rho)."""
        return np.hypot(*self.plane) < self.radius

    @cached_property
    def _column(self) -> Array:
        """n_H d rho / cos b [cm^-2], shape (n_l, n_rho, n_b)."""
        x, y = self.plane
        r, phi = np.hypot(x, y)[..., None], np.arctan2(y, x)[..., None]
        b = np.radians(self.latitude)
        z = self.sun.z + self.rho[:, None] * np.tan(b)
        r, phi, z = np.broadcast_arrays(r, phi, z[None])
        inside = (r < self.radius) & (np.abs(z) < self.half_height)
        density = np.where(inside, self.gas(r, z, phi), 0.0)
        return density * self._steps[1][:, None] * const.KPC_CM / np.cos(b)

    @cached_property
    def _splines(self) -> Array:
        """From the heights to the lines of sight, shape (n_rho, n_b, n_z)."""
        z = self.sun.z + self.rho[:, None] * np.tan(np.radians(self.latitude))
        return spline_matrix(self.heights, z)

    def solid_angles(self, discs: tuple[Disc, ...] = ()) -> Array:
        """Solid angle of each pixel that is in no disc [sr], shape (n_l, n_b)."""
        d_l, d_b = (np.radians(np.ptp(r) / n) for r, n in ((self.region.longitude, self.longitude.size),
                                                          (self.region.latitude, self.latitude.size)))  # fmt: skip
        b = np.radians(self.latitude)
        whole = d_l * (np.sin(b + 0.5 * d_b) - np.sin(b - 0.5 * d_b))
        return whole * self._open((*self.region.discs, *discs))

    def _open(self, discs: tuple[Disc, ...]) -> Array:
        """Part of each pixel that is in no disc."""
        n_l, n_b = self.longitude.size, self.latitude.size
        if not discs:
            return np.ones((n_l, n_b))
        lon, lat = np.meshgrid(
            *(_centers(r, 0.0, n) for r, n in ((self.region.longitude, n_l * PARTS[0]),
                                               (self.region.latitude, n_b * PARTS[1]))), indexing="ij"
        )  # fmt: skip
        free = ~covered(lon.ravel(), lat.ravel(), discs)
        return free.reshape(n_l, PARTS[0], n_b, PARTS[1]).mean(axis=(1, 3))

    def weights(self, discs: tuple[Disc, ...] = ()) -> tuple[Array, float]:
        """Weights of q, shape (n_energy, n_l, n_rho, n_z) [cm^-2], and the solid angle they are the mean over [sr].

        Zero where the discs leave nothing.
        """
        solid = self.solid_angles(discs)
        total = float(solid.sum())
        share = solid / total if total > 0.0 else solid
        s = self.rho[:, None] / np.cos(np.radians(self.latitude))
        column = (self._column * share[:, None, :]).transpose(1, 0, 2)  # (rho, l, b)
        out = np.empty((self.absorption.size, column.shape[1], column.shape[0], self.heights.size))
        before: float | None = None
        for e, K in enumerate(self.absorption):
            if before is not None and before == K:
                out[e] = out[e - 1]
                continue
            out[e] = np.matmul(column * np.exp(-K * s)[:, None, :], self._splines).transpose(1, 0, 2)
            before = float(K)
        return out, total

    def contains(self, longitude: Array, latitude: Array, discs: tuple[Disc, ...] = ()) -> NDArray[np.bool_]:
        """Whether directions [deg], 1-D, are in the region and in no disc."""
        return self.region.without(discs).contains(longitude, latitude)


def _centers(limits: tuple[float, float], size: float, n: int | None = None) -> Array:
    n = n or max(1, int(np.ceil((limits[1] - limits[0]) / size - 1e-9)))
    return limits[0] + (limits[1] - limits[0]) * (np.arange(n) + 0.5) / n

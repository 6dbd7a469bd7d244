"""Emission around one source: a table of q in space, and points that carry the emission of the gas near it.

Cosmic rays of a source in a halo spread the same way around the vertical line through it. d q is tabulated in
ln d and the cosine to the vertical, relative to the slowest mode cos(pi z / 2 H): close to a source that is on it is
constant (n ~ 1/d), far away it depends on the distance alone. Around the source the
gas radiates at points of a product rule in (d, cosine, azimuth) in shells; each has a weight, the flux at the Sun

    dF = n_H q dV exp(-K s) / s^2          [GeV^-1 cm^-2 s^-1]

so that fluxes, extents on the sky and means over regions with any discs are sums over the same points. Emission
within `reach` fades out of the points (`near`) and into the grid of the region (1 - near), a smooth partition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator

from cyldiff import constants as const
from cyldiff.galaxy.coordinates import Place, angles
from cyldiff.observables.sky_kernels import around_source

__all__ = ["CLOSEST", "HaloTable", "Points", "cloud_points", "halo_points", "near"]

Array = NDArray[np.float64]
Gas = Callable[[Array, Array, Array], Array]
#: q/4pi, shape (n_energy, n) at places (n, 3) [kpc]
Emitted = Callable[[Array], Array]

#: nearest distance [kpc]; closer is as there
CLOSEST = 1e-3
_DISTANCES = np.geomspace(CLOSEST, 45.0, 71)
#: between them ln(d q) is a monotone cubic on this many
_FINER = np.geomspace(CLOSEST, 45.0, 281)
#: highest part of the halo that is tabulated
_TOP = 0.97
#: cosines to the vertical, and those in between that a cubic spline gives
_COSINES, _FINER_COSINES = np.linspace(-1.0, 1.0, 11), np.linspace(-1.0, 1.0, 81)
_TINY = 1e-300
#: part of the reach inside which all emission is on points
_INNER = 1.0 / 3.0
#: points in d (of each of three shells), cosine and azimuth; how much closer cosines lie at the equator
_RADII, _AROUND, _UP, _CROWDED = (12, 10, 14), 20, 40, 3.0
#: points of a cloud in d and in the cosine to the line of sight
_CLOUD = (24, 8)


@dataclass(frozen=True, slots=True)
class HaloTable:
    """Emissivity per hydrogen atom and steradian around one source.

    Attributes
    ----------
    position : ndarray, shape (3,)                      [kpc]
    half_height : float                                 nothing at abs(z) beyond it [kpc]
    bare_height : float                                 the same, infinite if particles do not escape there
    logs : ndarray, shape (n_d, n_cos, n_energy)        ln of d q / cos(pi z / 2 H)
    """

    position: Array
    half_height: float
    bare_height: float
    logs: Array

    @classmethod
    def of(cls, position: Array, emitted: Emitted, half_height: float, *, escape: bool = True) -> HaloTable:
        """Tabulate a source.

        Parameters
        ----------
        position : ndarray, shape (3,)      [kpc]
        emitted : callable                  called inside the halo only
        half_height : float                 of the box [kpc]
        escape : bool                       whether particles leave at abs(z) = half_height, where q is then 0
        """
        d, cosine = np.meshgrid(_DISTANCES, _COSINES, indexing="ij")
        aside, z = d * np.sqrt(1.0 - cosine**2), position[2] + d * cosine
        # what the table has above the halo is never asked for: as just below its surface
        z = np.clip(z, -_TOP * half_height, _TOP * half_height)
        places = np.stack([position[0] + aside, np.full(d.shape, position[1]), z], axis=-1)
        q = emitted(places.reshape(-1, 3)).T.reshape(*d.shape, -1)
        bare = half_height if escape else np.inf
        logs = np.log(np.maximum(q * (d / _mode(z, bare))[..., None], _TINY))
        logs = CubicSpline(_COSINES, logs, axis=1)(_FINER_COSINES)
        finer = PchipInterpolator(np.log(_DISTANCES), logs, axis=0)(np.log(_FINER))
        return cls(np.asarray(position, float), half_height, bare, np.ascontiguousarray(finer))

    def at(self, x: Array, y: Array, z: Array) -> Array:
        """Values at points of one shape [kpc], that shape and then (n_energy,)."""
        x, y, z = np.broadcast_arrays(x, y, z)
        out = np.zeros((x.size, self.logs.shape[2]))
        around_source(
            x.ravel(), y.ravel(), z.ravel(), self.position, self.half_height,
            np.log(_FINER[0]), np.log(_FINER[1] / _FINER[0]), self.logs, out,
        )  # fmt: skip
        return (out * _mode(z, self.bare_height).reshape(-1, 1)).reshape(*x.shape, -1)


def _mode(z: Array, half_height: float) -> Array:
    """How densities far from a source fall towards the surface of the halo."""
    return np.asarray(np.cos(0.5 * np.pi * z / half_height))


@dataclass(frozen=True, slots=True)
class Points:
    """Points that radiate.

    Attributes
    ----------
    longitude, latitude, angle : ndarray, shape (n,)    on the sky, and distance to the source there [deg]
    flux : ndarray, shape (n, n_energy)                 at the Sun [GeV^-1 cm^-2 s^-1]
    near : ndarray, shape (n,)                          part that the grid of a region does not have
    """

    longitude: Array
    latitude: Array
    angle: Array
    flux: Array
    near: Array

    def plus(self, other: Points) -> Points:
        """All points of both."""
        names = ("longitude", "latitude", "angle", "flux", "near")
        return Points(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in names))


def near(distance: Array, reach: float) -> Array:
    """Part of the emission that is on points: 1 to a third of the reach, 0 from it on, smooth between."""
    t = np.clip((distance / reach - _INNER) / (1.0 - _INNER), 0.0, 1.0)
    return np.asarray(1.0 - t**3 * (10.0 - 15.0 * t + 6.0 * t**2))


def halo_points(
    table: HaloTable, gas: Gas, sun: Place, absorption: Array, *, reach: float, size: float, radius: float
) -> Points:
    """Emission of the gas around a source.

    Parameters
    ----------
    gas : callable                  density of H nuclei [cm^-3] of (r, z, phi)
    absorption : ndarray            K, shape (n_energy,) [1/kpc]
    reach, size : float             of the part that is on points only, and of all that belongs to the source [kpc]
    radius : float                  of the box [kpc]
    """
    d, weight = _radii((CLOSEST * 0.1, _INNER * reach, reach, max(size, reach * (1.0 + 1e-9))))
    t, w_t = np.polynomial.legendre.leggauss(_UP)
    up = np.sinh(_CROWDED * t) / np.sinh(_CROWDED)
    w_up = w_t * _CROWDED * np.cosh(_CROWDED * t) / np.sinh(_CROWDED)
    around = 2.0 * np.pi * (np.arange(_AROUND) + 0.5) / _AROUND
    D, U, A = np.meshgrid(d, up, around, indexing="ij")
    aside = D * np.sqrt(1.0 - U**2)
    place = table.position + np.stack([aside * np.cos(A), aside * np.sin(A), D * U], axis=-1)
    volume = (weight * d**2)[:, None, None] * w_up[:, None] * np.full(_AROUND, 2.0 * np.pi / _AROUND)
    x, y, z = np.moveaxis(place, -1, 0)
    r = np.hypot(x, y)
    inside = (r < radius) & (np.abs(z) < table.half_height)
    density = np.where(inside, gas(r, z, np.arctan2(y, x)), 0.0)
    # the same on all azimuths
    q = table.at(table.position[0] + aside[..., 0], np.full(aside.shape[:2], table.position[1]), z[..., 0])
    return _seen(place, table.position, (density * volume)[..., None] * q[:, :, None, :], sun, absorption,
                 near(D, reach))  # fmt: skip


def cloud_points(table: HaloTable, density: float, radius: float, sun: Place, absorption: Array) -> Points:
    """Emission of a uniform sphere of gas [cm^-3, kpc] around a source; n is taken as the same all around it."""
    t, w = np.polynomial.legendre.leggauss(_CLOUD[0])
    d, w_d = 0.5 * radius * (1.0 + t), 0.5 * radius * w
    u, w_u = np.polynomial.legendre.leggauss(_CLOUD[1])
    away = table.position - np.array([-sun.r, 0.0, sun.z])
    distance = float(np.sqrt(np.sum(away**2)))
    along = away / distance
    other = np.cross(along, [0.0, 0.0, 1.0] if abs(along[2]) < 0.9 else [1.0, 0.0, 0.0])
    other /= np.sqrt(np.sum(other**2))
    third = np.cross(along, other)
    a = 2.0 * np.pi * (np.arange(_CLOUD[1]) + 0.5) / _CLOUD[1]
    D, U, A = np.meshgrid(d, u, a, indexing="ij")
    side = D * np.sqrt(1.0 - U**2)
    place = table.position + (
        (D * U)[..., None] * along
        + (side * np.cos(A))[..., None] * other
        + (side * np.sin(A))[..., None] * third
    )
    volume = (w_d * d**2)[:, None, None] * w_u[:, None] * np.full(a.size, 2.0 * np.pi / a.size)
    q = table.at(
        table.position[0] + d, np.full(d.shape, table.position[1]), np.full(d.shape, table.position[2])
    )
    return _seen(place, table.position, density * volume[..., None] * q[:, None, None, :], sun, absorption,
                 np.ones(D.shape))  # fmt: skip


def _seen(place: Array, source: Array, emission: Array, sun: Place, absorption: Array, part: Array) -> Points:
    """Points from places [kpc] and their n_H q dV [cm^-3 kpc^3 ...]."""
    origin = np.array([-sun.r, 0.0, sun.z])
    away, towards = (place - origin).reshape(-1, 3), source - origin
    s = np.sqrt(np.sum(away**2, axis=-1))
    longitude, latitude = angles(away)
    cosine = away @ towards / (s * np.sqrt(np.sum(towards**2)))
    # the sine keeps small angles
    sine = np.linalg.norm(np.cross(away, towards), axis=-1) / (s * np.sqrt(np.sum(towards**2)))
    dilution = const.KPC_CM / s[:, None] ** 2 * np.exp(-np.outer(s, absorption))
    flux = emission.reshape(s.size, -1) * dilution
    return Points(longitude, latitude, np.degrees(np.arctan2(sine, cosine)), flux, part.ravel())


def _radii(edges: tuple[float, ...]) -> tuple[Array, Array]:
    """Gauss-Legendre points in the distance: in its logarithm in the first shell, linear in the others."""
    points, weights = [], []
    for k, n in enumerate(_RADII):
        x, w = np.polynomial.legendre.leggauss(n)
        low, high = edges[k], edges[k + 1]
        if k == 0:
            low, high = np.log(low), np.log(high)
            p = np.exp(low + 0.5 * (high - low) * (1.0 + x))
            points.append(p)
            weights.append(0.5 * (high - low) * w * p)
            continue
        points.append(low + 0.5 * (high - low) * (1.0 + x))
        weights.append(0.5 * (high - low) * w)
    return np.concatenate(points), np.concatenate(weights)

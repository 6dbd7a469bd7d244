"""One frame for everything: Galactic Cartesian coordinates, and directions on the sky.

Right-handed, Galactic centre at the origin, the Sun at (-r_sun, 0, z_sun), +y towards longitude 90 deg at
the Sun. In the cylinder (r, phi, z) of the grid the Sun is at phi = pi. Angles are in degrees. The plane of
the disc is that of b = 0; the tilt of 0.1 deg that a Sun above the plane implies is left out.

The equatorial frame is J2000: north Galactic pole at RA 192.85948, Dec 27.12825, Galactic longitude of the
celestial pole 122.93192 deg (ESA 1997, The Hipparcos and Tycho Catalogues, Vol. 1, Eqs. 1.5.10-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    Array = NDArray[np.float64]

__all__ = [
    "Place",
    "angles",
    "equatorial_to_galactic",
    "equatorial_vector",
    "from_sun",
    "galactic_to_equatorial",
    "seen_from_sun",
    "unit_vector",
]

#: J2000, degrees (ESA 1997)
POLE_RA, POLE_DEC, NODE_L = 192.85948, 27.12825, 122.93192


class Place(Protocol):
    """Where an observer is: galactocentric radius and height [kpc]."""

    @property
    def r(self) -> float:
        """Galactocentric radius [kpc]."""

    @property
    def z(self) -> float:
        """Height above the plane [kpc]."""


def unit_vector(longitude: ArrayLike, latitude: ArrayLike) -> Array:
    """Unit vector(s) of a direction given by two angles [deg], shape (..., 3).

    Of (l, b) it is in the frame of :func:`from_sun`; of (RA, Dec) in the equatorial one.
    """
    lon, lat = np.radians(longitude), np.radians(latitude)
    lon, lat = np.broadcast_arrays(lon, lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def angles(vector: ArrayLike) -> tuple[Array, Array]:
    """Longitude in [0, 360) and latitude [deg] of vectors, shape (..., 3); the inverse of unit_vector."""
    v = np.asarray(vector, dtype=float)
    lon = np.degrees(np.arctan2(v[..., 1], v[..., 0])) % 360.0
    return lon, np.degrees(np.arctan2(v[..., 2], np.hypot(v[..., 0], v[..., 1])))


def from_sun(longitude: ArrayLike, latitude: ArrayLike, distance: ArrayLike, sun: Place) -> Array:
    """Cartesian position [kpc], shape (..., 3), of what the Sun sees at (l, b) [deg] and distance [kpc]."""
    d = np.asarray(distance, dtype=float)[..., None]
    return d * unit_vector(longitude, latitude) + np.array([-sun.r, 0.0, sun.z])


def seen_from_sun(position: ArrayLike, sun: Place) -> tuple[Array, Array, Array]:
    """Longitude l [deg, 0 to 360), latitude b [deg] and distance [kpc] of positions, shape (..., 3) [kpc]."""
    away = np.asarray(position, dtype=float) - np.array([-sun.r, 0.0, sun.z])
    return *angles(away), np.sqrt(np.sum(away**2, axis=-1))


def _to_galactic() -> Array:
    """Rotation of equatorial into Galactic unit vectors."""
    pole = unit_vector(POLE_RA, POLE_DEC)
    # the celestial pole lies at longitude NODE_L: the direction of l = 0 follows from it
    north = np.array([0.0, 0.0, 1.0])
    towards = north - pole * pole[2]
    towards = towards / np.sqrt(np.sum(towards**2))
    aside = np.cross(pole, towards)
    angle = np.radians(NODE_L)
    x = np.cos(angle) * towards - np.sin(angle) * aside
    return np.stack([x, np.cross(pole, x), pole])


def equatorial_to_galactic(right_ascension: ArrayLike, declination: ArrayLike) -> tuple[Array, Array]:
    """(l, b) [deg] of (RA, Dec) [deg, J2000]."""
    return angles(unit_vector(right_ascension, declination) @ _to_galactic().T)


def galactic_to_equatorial(longitude: ArrayLike, latitude: ArrayLike) -> tuple[Array, Array]:
    """(RA, Dec) [deg, J2000] of (l, b) [deg]."""
    return angles(unit_vector(longitude, latitude) @ _to_galactic())


def equatorial_vector(vector: ArrayLike) -> Array:
    """Vectors of the Galactic frame, shape (..., 3), along x = RA 0, y = RA 90, z = Dec 90 deg (J2000)."""
    return np.asarray(vector, dtype=float) @ _to_galactic()

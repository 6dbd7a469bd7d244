"""The dipole of the intensity: from a gradient to a vector, and from a vector to what arrays measure.

To first order the intensity from the direction n is J (1 + delta . n). With the flux of particles
F = -D . grad n + C V n::

    delta = -3 F / (beta c n) = (3 / beta c) [ D . grad n / n - C V ]

it points to where more particles come from (Ginzburg & Ptuskin 1976, RMP 48, 161; Ahlers & Mertsch 2017,
PPNP 94, 184). C = (2 - dlnJ/dlnp) / 3 is the Compton-Getting factor of what is swept along with the speed V
(Compton & Getting 1935, Phys. Rev. 47, 817; Gleeson & Axford 1968, Ap&SS 2, 431).

Vectors are in the Galactic frame of :mod:`cyldiff.galaxy.coordinates`, components last.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff import constants as const
from cyldiff.errors import DataError
from cyldiff.galaxy.coordinates import angles, equatorial_vector

__all__ = [
    "along_sun",
    "band_factor",
    "diffusive_dipole",
    "equatorial_projection",
    "first_harmonic",
    "streaming_dipole",
]

Array = NDArray[np.float64]

#: directions of the cylinder at the Sun (phi = pi) in the Galactic frame, whose x points to the centre
SUN_AXES = {"r": (-1.0, 0.0, 0.0), "phi": (0.0, -1.0, 0.0), "z": (0.0, 0.0, 1.0)}


def diffusive_dipole(gradient: ArrayLike, diffusion: ArrayLike, beta: ArrayLike) -> Array:
    """Dipole along the axes that the gradient is given along: (3 / beta c) D grad n / n.

    Parameters
    ----------
    gradient : shape (..., axes)     of ln n [1/kpc]
    diffusion : shape (..., axes)    D along each axis, those of the tensor D [kpc^2/Myr]
    beta : shape (...)               speed / c

    Returns
    -------
    ndarray, shape (..., axes)
    """
    speed = np.asarray(beta, dtype=float)[..., None] * const.SPEED_OF_LIGHT
    return 3.0 * np.asarray(diffusion, dtype=float) * np.asarray(gradient, dtype=float) / speed


def streaming_dipole(velocity: ArrayLike, slope: ArrayLike, beta: ArrayLike) -> Array:
    """Dipole seen by who moves with `velocity` through isotropic particles: (2 - dlnJ/dlnp) V / (beta c).

    It points to the apex. Particles that a wind V sweeps past an observer at rest: ``-streaming_dipole(V)``.

    Parameters
    ----------
    velocity : shape (3,)     [kpc/Myr]
    slope : shape (...)       dlnJ/dlnp of the intensity per energy; -2.7 gives 4.7 V/c
    beta : shape (...)        speed / c

    Returns
    -------
    ndarray, shape (..., 3)
    """
    factor = (2.0 - np.asarray(slope, dtype=float)) / (np.asarray(beta, dtype=float) * const.SPEED_OF_LIGHT)
    return factor[..., None] * np.asarray(velocity, dtype=float)


def along_sun(components: ArrayLike, directions: tuple[str, ...]) -> Array:
    """Galactic vectors, shape (..., 3), of components along "r", "phi", "z" of the cylinder at the Sun.

    A direction that is not there counts as 0: on a 2-D grid nothing flows along phi.

    Raises
    ------
    DataError
        for another direction.
    """
    unknown = [d for d in directions if d not in SUN_AXES]
    if unknown:
        raise DataError(f"directions {', '.join(unknown)} unknown; known: {', '.join(SUN_AXES)}")
    axes = np.array([SUN_AXES[d] for d in directions]).reshape(-1, 3)
    return np.asarray(components, dtype=float) @ axes


def equatorial_projection(vector: ArrayLike) -> tuple[Array, Array, Array]:
    """What is left of dipoles for arrays that know the right ascension only.

    Parameters
    ----------
    vector : shape (..., 3)   Galactic frame

    Returns
    -------
    amplitude abs(delta) cos(Dec), phase: right ascension of the excess in [0, 360) deg, declination of the
    whole vector [deg]; shape (...). Angles of a vector that is 0 are NaN.
    """
    equatorial = equatorial_vector(vector)
    amplitude = np.hypot(equatorial[..., 0], equatorial[..., 1])
    phase, declination = angles(equatorial)
    phase = np.where(phase >= 360.0, 0.0, phase)  # the remainder of -1e-20 is rounded up to 360
    nowhere = np.all(equatorial == 0.0, axis=-1)
    return (
        amplitude,
        np.where(nowhere | (amplitude == 0.0), np.nan, phase),
        np.where(nowhere, np.nan, declination),
    )


def band_factor(low: float, high: float) -> tuple[float, float]:
    """Means of cos(Dec) and sin(Dec) over a band of declinations [deg] of uniform exposure.

    Raises
    ------
    DataError
        unless -90 <= low < high <= 90.
    """
    if not -90.0 <= low < high <= 90.0:
        raise DataError(f"declinations {low:g}..{high:g}: expected -90 <= low < high <= 90 degrees")
    a, b = np.radians([low, high])
    solid = np.sin(b) - np.sin(a)
    cosine = 0.5 * (b - a) + 0.25 * (np.sin(2.0 * b) - np.sin(2.0 * a))
    return float(cosine / solid), float(0.5 * (np.sin(a) + np.sin(b)))


def first_harmonic(amplitude: ArrayLike, along_axis: ArrayLike, band: tuple[float, float]) -> Array:
    """Amplitude of the first harmonic in right ascension of the counts from a band of declinations.

    A1 = abs(delta) cos(Dec) <cos> / (1 + abs(delta) sin(Dec) <sin>), the means of :func:`band_factor`
    (Aublin & Parizot 2005, A&A 441, 407).

    Parameters
    ----------
    amplitude, along_axis : of the dipole: in the equatorial plane, and towards the celestial pole
    band : lower and upper declination [deg]
    """
    cosine, sine = band_factor(*band)
    return np.asarray(amplitude, dtype=float) * cosine / (1.0 + np.asarray(along_axis, dtype=float) * sine)

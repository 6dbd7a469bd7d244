"""Particles of a source in a cloud beside it: the density of uniform diffusion averaged over a sphere.

Around a source the density depends on the distance d alone, so that the mean over a sphere of radius a at a
distance r is an integral over shells around the source,

    <n> = (3 / 4 pi a^3) int n(d) S(d) dd,   S = pi d [a^2 - (d - r)^2] / r   for |d - r| < a < r + d,

S being the part of the shell inside the sphere; shells that are inside altogether have 4 pi d^2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.sources.greens_function import finite_life

__all__ = ["mean_in_sphere"]

Array = NDArray[np.float64]

_POINTS = 48


def mean_in_sphere(
    *, separation: float, radius: float, diffusion: ArrayLike, age: float, duration: float | None = None
) -> Array:
    """Mean density in a sphere, of a source of one particle per Myr in free space.

    Parameters
    ----------
    separation : from the source to the centre of the sphere [kpc]
    radius : of the sphere [kpc]
    diffusion : D, shape (n,) [kpc^2/Myr]
    age : how long ago the source was born [Myr]
    duration : how long it was on [Myr]; default: it still is

    Returns
    -------
    ndarray, shape (n,)      [kpc^-3 Myr]: times a rate of injection [Myr^-1], the density [kpc^-3]
    """
    D = np.atleast_1d(np.asarray(diffusion, dtype=float))
    on = age if duration is None else duration
    total = np.zeros(D.shape)
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    # shells that the surface of the sphere cuts, and those it does not
    cut, whole = (abs(separation - radius), separation + radius), (0.0, radius - separation)
    for low, high in (cut, whole):
        if high <= low:
            continue
        d = low + 0.5 * (high - low) * (1.0 + nodes)
        shell = 4.0 * np.pi * d**2
        if (low, high) == cut:
            shell = np.pi * d * (radius**2 - (d - separation) ** 2) / separation
        place = np.stack([d, np.zeros_like(d), np.zeros_like(d)], axis=-1)
        density, _ = finite_life(place, np.zeros(3), diffusion=D[:, None], age=age, duration=on)
        total += 0.5 * (high - low) * np.sum(weights * shell * density, axis=-1)
    return total / (4.0 / 3.0 * np.pi * radius**3)

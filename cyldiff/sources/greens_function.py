"""Point sources in uniform diffusion, in closed form: free space, or a halo that particles leave at |z| = H.

For one energy, without losses, the density n of particles that a source at x_s injects obeys
``dn/dt = D laplace n + Q``. All functions return n per injected particle (burst) or per particle and Myr
(continuous, finite life), and its gradient, from which the dipole (3 D / beta c) grad n / n follows.

Positions are Cartesian [kpc] with the coordinates last; everything broadcasts. The radial edge of the Galaxy
is left out: right for sources further from it than sqrt(4 D t).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf, erfc

__all__ = ["burst", "continuous", "finite_life", "vertical_content", "vertical_kernel", "vertical_share"]

Array = NDArray[np.float64]

#: images on either side, for spreads up to H^2/2: the next one is exp(-72)
IMAGES = 6
#: sines, for spreads above H^2/2: the next one is exp(-(25 pi / 2)^2 / 2)
SINES = 24
#: Gauss-Legendre points of the time integral of a long-lived source in the halo
POINTS = 48
#: spread, in units of H^2, at which nothing is left in the halo: exp(-(pi / 2)^2 20) = 4e-22
EMPTY = 20.0


def vertical_kernel(
    z: ArrayLike, z_source: ArrayLike, spread: ArrayLike, half_height: float
) -> tuple[Array, Array]:
    """Green's function of diffusion between absorbing planes, and its derivative in z.

    Images for spreads up to H^2/2, a sine series above (Blasi & Amato 2012, JCAP 01, 010):

        G = (4 pi s)^(-1/2) sum_n (-1)^n exp(-[z - (-1)^n z_s - 2 n H]^2 / 4 s)
          = (1/H) sum_k sin(k pi (z + H)/2H) sin(k pi (z_s + H)/2H) exp(-(k pi/2H)^2 s)

    Parameters
    ----------
    z, z_source : inside the halo [kpc]
    spread : s = D t, positive [kpc^2]
    half_height : H [kpc]

    Returns
    -------
    G [1/kpc], dG/dz [1/kpc^2]
    """
    z, z_source, s = _with_sum(z, z_source, spread)
    n = np.arange(-IMAGES, IMAGES + 1)
    sign = np.where(n % 2 == 0, 1.0, -1.0)
    early = np.minimum(s, 0.5 * half_height**2)
    away = z - sign * z_source - 2.0 * n * half_height
    image = sign * np.exp(-(away**2) / (4.0 * early)) / np.sqrt(4.0 * np.pi * early)
    k = np.arange(1, SINES + 1) * np.pi / (2.0 * half_height)
    late = np.maximum(s, 0.5 * half_height**2)
    mode = np.sin(k * (z_source + half_height)) * np.exp(-(k**2) * late) / half_height
    angle = k * (z + half_height)
    soon = s[..., 0] <= 0.5 * half_height**2
    value = np.where(soon, image.sum(axis=-1), (mode * np.sin(angle)).sum(axis=-1))
    slope = np.where(
        soon, (-away / (2.0 * early) * image).sum(axis=-1), (k * mode * np.cos(angle)).sum(axis=-1)
    )
    return value, slope


def vertical_content(z: ArrayLike, z_source: ArrayLike, spread: ArrayLike, half_height: float) -> Array:
    """Part of what was injected that is in the halo and below z: int_-H^z of :func:`vertical_kernel`."""
    z, z_source, s = _with_sum(z, z_source, spread)
    n = np.arange(-IMAGES, IMAGES + 1)
    sign = np.where(n % 2 == 0, 1.0, -1.0)
    early = np.minimum(s, 0.5 * half_height**2)
    center, width = sign * z_source + 2.0 * n * half_height, np.sqrt(4.0 * early)
    image = 0.5 * sign * (erf((z - center) / width) - erf((-half_height - center) / width))
    k = np.arange(1, SINES + 1) * np.pi / (2.0 * half_height)
    late = np.maximum(s, 0.5 * half_height**2)
    mode = np.sin(k * (z_source + half_height)) * np.exp(-(k**2) * late) / half_height
    series = mode * (1.0 - np.cos(k * (z + half_height))) / k
    return np.where(s[..., 0] <= 0.5 * half_height**2, image.sum(axis=-1), series.sum(axis=-1))


def vertical_share(z_source: ArrayLike, spread: ArrayLike, half_height: float) -> Array:
    """Part of the injected particles that is still in the halo."""
    return vertical_content(half_height, z_source, spread, half_height)


def burst(
    position: ArrayLike,
    source: ArrayLike,
    *,
    diffusion: ArrayLike,
    age: ArrayLike,
    half_height: float | None = None,
) -> tuple[Array, Array]:
    """Density of one particle released `age` ago, and its gradient.

    Free space: n = (4 pi D t)^(-3/2) exp(-d^2 / 4 D t).

    Parameters
    ----------
    position, source : shape (..., 3) [kpc]
    diffusion : D [kpc^2/Myr], shape (...)
    age : t [Myr]; nothing is there for t <= 0
    half_height : H of the halo; free space by default

    Returns
    -------
    n, shape (...) [kpc^-3]; gradient, shape (..., 3) [kpc^-4]
    """
    position, source = np.asarray(position, dtype=float), np.asarray(source, dtype=float)
    spread = np.asarray(diffusion, dtype=float) * np.asarray(age, dtype=float)
    return _burst(position, source, spread, half_height)


def _burst(position: Array, source: Array, spread: Array, half_height: float | None) -> tuple[Array, Array]:
    away = position - source
    born = spread > 0.0
    s = np.where(born, spread, 1.0)
    if half_height is None:
        vertical = np.exp(-(away[..., 2] ** 2) / (4.0 * s)) / np.sqrt(4.0 * np.pi * s)
        slope = -away[..., 2] / (2.0 * s) * vertical
    else:
        vertical, slope = vertical_kernel(position[..., 2], source[..., 2], s, half_height)
    in_plane = np.exp(-(away[..., 0] ** 2 + away[..., 1] ** 2) / (4.0 * s)) / (4.0 * np.pi * s)
    density = np.where(born, in_plane * vertical, 0.0)
    gradient = np.stack(
        np.broadcast_arrays(
            -away[..., 0] / (2.0 * s) * density,
            -away[..., 1] / (2.0 * s) * density,
            np.where(born, in_plane * slope, 0.0),
        ),
        axis=-1,
    )
    return density, gradient


def continuous(
    position: ArrayLike,
    source: ArrayLike,
    *,
    diffusion: ArrayLike,
    duration: ArrayLike,
    half_height: float | None = None,
) -> tuple[Array, Array]:
    """Density around a source of one particle per Myr that is on since `duration`, and its gradient.

    Free space: n = erfc(d / sqrt(4 D t)) / (4 pi D d). An infinite duration is the steady state.
    Arguments and results as :func:`burst`; infinite at the source itself.
    """
    return finite_life(
        position, source, diffusion=diffusion, age=duration, duration=duration, half_height=half_height
    )


def finite_life(
    position: ArrayLike,
    source: ArrayLike,
    *,
    diffusion: ArrayLike,
    age: ArrayLike,
    duration: ArrayLike,
    half_height: float | None = None,
) -> tuple[Array, Array]:
    """Density around a source born `age` ago that injected one particle per Myr for `duration`.

    Free space: n = [erfc(d / sqrt(4 D t)) - erfc(d / sqrt(4 D (t - T)))] / (4 pi D d), the second term after
    the end only. In the halo the images are summed likewise up to D t = H^2/2; what is older is the
    integral of the sine series. Arguments and results as :func:`burst`; infinite at the source itself.
    """
    position, source = np.asarray(position, dtype=float), np.asarray(source, dtype=float)
    D, age, duration = (np.asarray(a, dtype=float) for a in (diffusion, age, duration))
    oldest = D * np.maximum(age, 0.0)
    with np.errstate(invalid="ignore"):  # a source without beginning or end
        youngest = D * np.where(age > duration, age - duration, 0.0)
    if half_height is None:
        density, gradient = _integrated_image(position - source, youngest, oldest)
    else:
        density, gradient = _integrated_halo(position, source, youngest, oldest, half_height)
    return density / D, gradient / D[..., None]


def _integrated_halo(
    position: Array, source: Array, youngest: Array, oldest: Array, half_height: float
) -> tuple[Array, Array]:
    """Integral of the burst in the halo over the spread: images up to H^2/2, quadrature beyond."""
    split = 0.5 * half_height**2
    shape = np.broadcast_shapes(position.shape[:-1], source.shape[:-1], youngest.shape, oldest.shape)
    density, gradient = np.zeros(shape), np.zeros((*shape, 3))
    for n in range(-IMAGES, IMAGES + 1):
        sign = 1.0 if n % 2 == 0 else -1.0
        image = np.array(source)
        image[..., 2] = sign * source[..., 2] + 2.0 * n * half_height
        part, slope = _integrated_image(
            position - image, np.minimum(youngest, split), np.minimum(oldest, split)
        )
        density, gradient = density + sign * part, gradient + sign * slope
    # the rest in ln s; nothing is left of what is older than the halo holds
    low = np.log(np.clip(youngest, split, EMPTY * half_height**2))
    high = np.log(np.clip(oldest, split, EMPTY * half_height**2))
    for node, weight in zip(*np.polynomial.legendre.leggauss(POINTS), strict=True):
        s = np.exp(0.5 * (low + high) + 0.5 * (high - low) * node)
        measure = 0.5 * weight * (high - low) * s
        part, slope = _burst(position, source, s, half_height)
        density, gradient = density + measure * part, gradient + measure[..., None] * slope
    return density, gradient


def _integrated_image(away: Array, youngest: Array, oldest: Array) -> tuple[Array, Array]:
    """Free burst integrated over s: [erfc(d/sqrt(4 s_old)) - erfc(d/sqrt(4 s_young))] / (4 pi d)."""
    d = np.sqrt(np.sum(away**2, axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        density, slope = np.zeros(()), np.zeros(())
        for s, sign in ((oldest, 1.0), (youngest, -1.0)):
            x = d / np.sqrt(4.0 * s)
            tail = np.where(s > 0.0, erfc(x), 0.0)
            density = density + sign * tail / (4.0 * np.pi * d)
            fall = np.where(s > 0.0, 2.0 / np.sqrt(np.pi) * x * np.exp(-(x**2)), 0.0)
            # times the vector to the point: d/dd along the unit vector
            slope = slope - sign * (tail + fall) / (4.0 * np.pi * d**3)
        return density, slope[..., None] * away


def _with_sum(*arrays: ArrayLike) -> tuple[Array, ...]:
    """Broadcast, with one more dimension at the end for the terms of a sum."""
    return tuple(np.broadcast_arrays(*(np.asarray(a, dtype=float)[..., None] for a in arrays)))

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
from scipy.special import erf

from cyldiff.sources import kernels

__all__ = ["burst", "continuous", "finite_life", "vertical_content", "vertical_kernel", "vertical_share"]

Array = NDArray[np.float64]

#: images on either side, for spreads up to H^2/2: the next one is exp(-72)
IMAGES = 6
#: sines, for spreads above H^2/2: the next one is exp(-(25 pi / 2)^2 / 2)
SINES = 24


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
    z, z_source, s = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (z, z_source, spread)))
    value, slope = np.empty(s.shape), np.empty(s.shape)
    kernels.evaluate_vertical(
        z.ravel(), z_source.ravel(), s.ravel(), half_height, value.reshape(-1), slope.reshape(-1)
    )
    return value, slope


def vertical_content(z: ArrayLike, z_source: ArrayLike, spread: ArrayLike, half_height: float) -> Array:
    """Part of what was injected that is in the halo and below z: int_-H^z of :func:`vertical_kernel`.

    Parameters
    ----------
    z, z_source : heights within the halo [kpc]; they broadcast with `spread`
    spread : s = D t [kpc^2]
    half_height : H [kpc]

    Returns
    -------
    ndarray, the broadcast shape; between 0 and 1
    """
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
    """Part of the injected particles that is still in the halo; arguments as :func:`vertical_content`."""
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
    return _evaluated(position, source, diffusion, age, age, half_height)


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
    age, duration = np.asarray(age, dtype=float), np.asarray(duration, dtype=float)
    with np.errstate(invalid="ignore"):  # a source without beginning or end
        youngest = np.where(age > duration, age - duration, 0.0)
    return _evaluated(position, source, diffusion, youngest, age, half_height, lasting=True)


def _evaluated(
    position: ArrayLike,
    source: ArrayLike,
    diffusion: ArrayLike,
    youngest: ArrayLike,
    oldest: ArrayLike,
    half_height: float | None,
    *,
    lasting: bool = False,
) -> tuple[Array, Array]:
    """Broadcast, and call the kernel for every element."""
    position, source = np.asarray(position, dtype=float), np.asarray(source, dtype=float)
    D, youngest, oldest = (np.asarray(a, dtype=float) for a in (diffusion, youngest, oldest))
    shape = np.broadcast_shapes(position.shape[:-1], source.shape[:-1], D.shape, youngest.shape, oldest.shape)
    places = [np.broadcast_to(a, (*shape, 3)).reshape(-1, 3) for a in (position, source)]
    rest = [np.broadcast_to(a, shape).ravel() for a in (D, youngest, oldest)]
    result = np.zeros((4, int(np.prod(shape))))
    kernels.evaluate(*places, *rest, np.inf if half_height is None else float(half_height), lasting, result)
    return result[0].reshape(shape), result[1:].T.reshape(*shape, 3)


def _with_sum(*arrays: ArrayLike) -> tuple[Array, ...]:
    """Broadcast, with one more dimension at the end for the terms of a sum."""
    return tuple(np.broadcast_arrays(*(np.asarray(a, dtype=float)[..., None] for a in arrays)))

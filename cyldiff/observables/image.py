"""The sky on a plate-carree grid whose interpolation keeps fluxes.

Programs that take a map as a model (gammapy, the Fermi tools) interpolate between its nodes, linearly in the
logarithm. The Galactic disc is as thin as such a grid is wide, and the interpolant of point values would lose one
per cent of a region at half a degree. The values here are those whose interpolant in b has the same mean around
every node as the sky, weighted with the hat function of the node: its integrals over regions are then those of
the sky, as in a projection on finite elements.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from cyldiff.observables.regions import Intensity

__all__ = ["nodes", "plate_carree"]

Array = NDArray[np.float64]

#: latitudes of the lines of sight: this many on each side, sinh-spaced, 0.02 deg at the plane
ACROSS, STRETCH = 80, 6.5
#: Gauss-Legendre points per cell in b for the means
POINTS = 4
#: corrections of the node values, and what is good enough
ROUNDS, TOLERANCE = 6, 1e-4
_TINY = 1e-300


def nodes(step: float) -> tuple[Array, Array]:
    """Nodes of the grid: l from 180 down to -180 and b from -90 to 90 [deg], `step` apart or a little less.

    The first and the last column are the same direction, so that interpolation has no seam.
    """
    n = int(np.ceil(180.0 / step - 1e-9))
    return np.linspace(180.0, -180.0, 2 * n + 1), np.linspace(-90.0, 90.0, n + 1)


def plate_carree(intensity: Intensity, longitude: Array, latitude: Array) -> Array:
    """Node values of an intensity on a grid.

    Parameters
    ----------
    intensity : callable                (l, b) [deg], shape (n,) -> (n_energy, n)
    longitude, latitude : ndarray       of :func:`nodes`

    Returns
    -------
    ndarray, shape (n_energy, n_b, n_l)
    """
    x = np.linspace(-1.0, 1.0, 2 * ACROSS + 1)
    lines = 90.0 * np.sinh(STRETCH * x) / np.sinh(STRETCH)
    wrapped = longitude[:-1]
    lon, lat = np.meshgrid(wrapped, lines)
    values = intensity(lon.ravel(), lat.ravel()).reshape(-1, lines.size, wrapped.size)
    out = np.empty((values.shape[0], latitude.size, longitude.size))
    for e, plane in enumerate(values):
        curve = PchipInterpolator(lines, np.log(np.maximum(plane, _TINY)), axis=0)
        out[e, :, :-1] = _conserving(curve, latitude)
    out[..., -1] = out[..., 0]
    return out


def _conserving(curve: PchipInterpolator, latitude: Array) -> Array:
    """Values at `latitude` whose log-linear interpolant has the hat-weighted means of exp(curve)."""
    x, weight = np.polynomial.legendre.leggauss(POINTS)
    fraction = 0.5 * (1.0 + x)
    fine = (latitude[:-1, None] + np.diff(latitude)[:, None] * fraction).ravel()
    area = np.cos(np.radians(fine))[:, None]
    wanted = _hat_sums(np.exp(curve(fine)) * area, fraction, weight)
    value = np.exp(curve(latitude))
    if not value.max() > 1e3 * _TINY:
        return np.zeros_like(value)
    for _ in range(ROUNDS):
        log = np.log(np.maximum(value, _TINY))
        between = log[:-1, None] + np.diff(log, axis=0)[:, None] * fraction[:, None]
        found = _hat_sums(np.exp(between).reshape(fine.size, -1) * area, fraction, weight)
        ratio = np.where(found > 0.0, wanted / np.where(found > 0.0, found, 1.0), 1.0)
        value = value * ratio
        if np.abs(ratio - 1.0).max() < TOLERANCE:
            break
    return value


def _hat_sums(samples: Array, fraction: Array, weight: Array) -> Array:
    """Integrals of samples (n_cells * POINTS, n_l) times the hat function of every node (n_b, n_l)."""
    cells = samples.reshape(-1, fraction.size, samples.shape[1])
    rising = np.einsum("cks,k->cs", cells, weight * fraction)
    falling = np.einsum("cks,k->cs", cells, weight * (1.0 - fraction))
    edge = np.zeros((1, samples.shape[1]))
    return np.concatenate([falling, edge]) + np.concatenate([edge, rising])

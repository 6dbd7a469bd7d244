"""Maps of a result at many places at once: a sparse matrix from cells to points.

The rules are those of :mod:`cyldiff.observables.place`: cubic polynomials through the four nearest centres, zero on
the surface of the halo, cells of the other side next to the axis. Points outside of the halo get zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from cyldiff.errors import DataError

__all__ = ["Resampling"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Resampling:
    """From the cells of a result to points in the plane, times heights.

    Attributes
    ----------
    plane : csr_array, shape (n_points, n_r n_phi)
    heights : ndarray, shape (n_heights, n_z)
    """

    plane: csr_array
    heights: Array

    @classmethod
    def of(cls, dataset: xr.Dataset, r: ArrayLike, phi: ArrayLike, z: ArrayLike) -> Resampling:
        """Points (r, phi), 1-D of one length [kpc, radian], and heights z, 1-D [kpc].

        Raises
        ------
        DataError
            for a slab, which is no map.
        """
        if dataset.sizes.get("r", 1) < 4:
            raise DataError("the result of a slab has no map in r")
        r, phi = (np.atleast_1d(np.asarray(a, dtype=float)) for a in (r, phi))
        return cls(_plane(dataset, r, phi), _heights(dataset, np.atleast_1d(np.asarray(z, dtype=float))))

    def __call__(self, cells: ArrayLike) -> Array:
        """Values (n, r, [phi,] z) at the points and heights, shape (n, n_points, n_heights); not negative."""
        values = np.asarray(cells, dtype=float)
        values = values.reshape(values.shape[0], -1, values.shape[-1])
        at_heights = values @ self.heights.T
        n, cells_, heights = at_heights.shape
        flat = np.moveaxis(at_heights, 0, 1).reshape(cells_, n * heights)
        found = (self.plane @ flat).reshape(-1, n, heights)
        return np.maximum(np.moveaxis(found, 1, 0), 0.0)


def _cubic(nodes: Array, where: Array) -> tuple[Indices, Array]:
    """First of the four nodes around each place, and their Lagrange weights, shape (n, 4)."""
    first = np.clip(np.searchsorted(nodes, where) - 2, 0, len(nodes) - 4)
    four = nodes[first[:, None] + np.arange(4)]
    weights = np.ones(four.shape)
    for a in range(4):
        for b in range(4):
            if a != b:
                weights[:, a] *= (where - four[:, b]) / (four[:, a] - four[:, b])
    return first, weights


def _heights(dataset: xr.Dataset, z: Array) -> Array:
    centers, bounds = dataset["z"].values, dataset["z_bounds"].values
    top, n = float(bounds.max()), centers.size
    if float(bounds.min()) < 0.0:
        nodes, cell = np.concatenate([[-top], centers, [top]]), np.concatenate([[-1], np.arange(n), [-1]])
    else:  # the first cell is centred on the plane
        nodes = np.concatenate([[-top], -centers[:0:-1], centers, [top]])
        cell = np.concatenate([[-1], np.arange(n - 1, 0, -1), np.arange(n), [-1]])
    first, weights = _cubic(nodes, z)
    matrix = np.zeros((z.size, n + 1))  # the last column is the surface
    inside = np.abs(z) < top
    for a in range(4):
        np.add.at(matrix, (np.arange(z.size), cell[first + a]), np.where(inside, weights[:, a], 0.0))
    return matrix[:, :n]


def _plane(dataset: xr.Dataset, r: Array, phi: Array) -> csr_array:
    centers = dataset["r"].values
    edge, n_r = float(dataset["r_bounds"].values.max()), centers.size
    nodes = np.concatenate([-centers[1::-1], centers, [edge]])
    cell = np.concatenate([[1, 0], np.arange(n_r), [-1]])
    first, weights = _cubic(nodes, r)
    n_phi = dataset.sizes.get("phi", 1)
    rows, columns, entries = [], [], []
    for a in range(4):
        index = cell[first + a]
        used = (index >= 0) & (r < edge)
        # the first two nodes lie beyond the axis
        angle = phi + np.where(first + a < 2, np.pi, 0.0)
        for m, share in _around(angle, n_phi):
            rows.append(np.flatnonzero(used))
            columns.append((index * n_phi + m)[used])
            entries.append((weights[:, a] * share)[used])
    shape = (r.size, n_r * n_phi)
    return csr_array((np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), shape=shape)


def _around(angle: Array, n: int) -> list[tuple[Indices, Array]]:
    """Cells around the circle, whose centres are 2 pi m / n, and their weights for each angle."""
    if n == 1:
        return [(np.zeros(angle.shape, dtype=np.int64), np.ones(angle.shape))]
    place = (angle % (2.0 * np.pi)) / (2.0 * np.pi / n)
    low = np.floor(place).astype(np.int64)
    u = place - low
    weights = (
        -u * (u - 1.0) * (u - 2.0) / 6.0,
        (u + 1.0) * (u - 1.0) * (u - 2.0) / 2.0,
        -(u + 1.0) * u * (u - 2.0) / 2.0,
        (u + 1.0) * u * (u - 1.0) / 6.0,
    )
    return [((low + k - 1) % n, weight) for k, weight in enumerate(weights)]

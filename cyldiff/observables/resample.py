"""Maps of a result at any places: sparse matrices from cells to points.

Along each axis a cubic polynomial goes through the four nearest cell centres, as at the Sun
(:meth:`cyldiff.grid.Grid.at`); next to the surface of the halo the surface itself, where the density is zero, is
one of the four points, and next to the axis the cells on its other side are. Where that is negative, as it may
be next to a steep edge, it is linear between the two nearest, which cannot be. Points outside of the halo get zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

__all__ = ["Resampling"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
#: nodes, shape (n,), and places, shape (m,): the first of four nodes around each place, and their weights (m, 4)
Rule = Callable[[Array, Array], tuple[Indices, Array]]


@dataclass(frozen=True)
class _Matrices:
    """From the cells of a result to points in the plane, times heights.

    Attributes
    ----------
    plane : csr_array, shape (n_points, n_r n_phi)
    heights : ndarray, shape (n_heights, n_z)
    """

    plane: csr_array
    heights: Array

    @classmethod
    def of(cls, dataset: xr.Dataset, r: Array, phi: Array, z: Array, rule: Rule) -> _Matrices:
        return cls(_plane(dataset, r, phi, rule), _heights(dataset, z, rule))

    def __call__(self, values: Array) -> Array:
        """Values (n, n_r n_phi, n_z) at the points and heights, shape (n, n_points, n_heights)."""
        at_heights = values @ self.heights.T
        n, cells, heights = at_heights.shape
        flat = np.moveaxis(at_heights, 0, 1).reshape(cells, n * heights)
        return np.moveaxis((self.plane @ flat).reshape(-1, n, heights), 1, 0)


@dataclass(frozen=True)
class Resampling:
    """From the cells of a result to points: a cubic, and what is taken where it is negative."""

    cubic: _Matrices
    linear: _Matrices

    @classmethod
    def of(cls, dataset: xr.Dataset, r: ArrayLike, phi: ArrayLike, z: ArrayLike) -> Resampling:
        """Points (r, phi), 1-D of one length [kpc, radian], and heights z, 1-D [kpc].

        A slab is the same at every radius.
        """
        r, phi, z = (np.atleast_1d(np.asarray(a, dtype=float)) for a in (r, phi, z))
        return cls(*(_Matrices.of(dataset, r, phi, z, rule) for rule in (_cubic, _linear)))

    def __call__(self, cells: ArrayLike) -> Array:
        """Values (n, r, [phi,] z) at the points and heights, shape (n, n_points, n_heights); not negative."""
        values = np.asarray(cells, dtype=float)
        values = values.reshape(values.shape[0], -1, values.shape[-1])
        found = self.cubic(values)
        negative = found < 0.0
        if negative.any():
            found = np.where(negative, np.maximum(self.linear(values), 0.0), found)
        return found


def _cubic(nodes: Array, where: Array) -> tuple[Indices, Array]:
    """Lagrange polynomial through the four nearest nodes."""
    first = np.clip(np.searchsorted(nodes, where) - 2, 0, len(nodes) - 4)
    four = nodes[first[:, None] + np.arange(4)]
    weights = np.ones(four.shape)
    for a in range(4):
        for b in range(4):
            if a != b:
                weights[:, a] *= (where - four[:, b]) / (four[:, a] - four[:, b])
    return first, weights


def _linear(nodes: Array, where: Array) -> tuple[Indices, Array]:
    """A line between the two nearest nodes, the others of the four without weight."""
    low = np.clip(np.searchsorted(nodes, where) - 1, 0, len(nodes) - 2)
    first = np.clip(low - 1, 0, len(nodes) - 4)
    share = (where - nodes[low]) / (nodes[low + 1] - nodes[low])
    weights = np.zeros((where.size, 4))
    rows = np.arange(where.size)
    weights[rows, low - first], weights[rows, low - first + 1] = 1.0 - share, share
    return first, weights


def _heights(dataset: xr.Dataset, z: Array, rule: Rule) -> Array:
    centers, bounds = dataset["z"].values, dataset["z_bounds"].values
    top, n = float(bounds.max()), centers.size
    if float(bounds.min()) < 0.0:
        nodes, cell = np.concatenate([[-top], centers, [top]]), np.concatenate([[-1], np.arange(n), [-1]])
    else:  # the first cell is centred on the plane
        nodes = np.concatenate([[-top], -centers[:0:-1], centers, [top]])
        cell = np.concatenate([[-1], np.arange(n - 1, 0, -1), np.arange(n), [-1]])
    first, weights = rule(nodes, z)
    matrix = np.zeros((z.size, n + 1))  # the last column is the surface
    inside = np.abs(z) < top
    for a in range(4):
        np.add.at(matrix, (np.arange(z.size), cell[first + a]), np.where(inside, weights[:, a], 0.0))
    return matrix[:, :n]


def _plane(dataset: xr.Dataset, r: Array, phi: Array, rule: Rule) -> csr_array:
    centers = dataset["r"].values
    if centers.size == 1:
        return csr_array(np.ones((r.size, 1)))
    edge, n_r = float(dataset["r_bounds"].values.max()), centers.size
    nodes = np.concatenate([-centers[1::-1], centers, [edge]])
    cell = np.concatenate([[1, 0], np.arange(n_r), [-1]])
    first, weights = rule(nodes, r)
    n_phi = dataset.sizes.get("phi", 1)
    rows, columns, entries = [], [], []
    for a in range(4):
        index = cell[first + a]
        used = (index >= 0) & (r < edge)
        # the first two nodes lie beyond the axis
        angle = phi + np.where(first + a < 2, np.pi, 0.0)
        for m, share in _around(angle, n_phi, rule):
            rows.append(np.flatnonzero(used))
            columns.append((index * n_phi + m)[used])
            entries.append((weights[:, a] * share)[used])
    shape = (r.size, n_r * n_phi)
    return csr_array((np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), shape=shape)


def _around(angle: Array, n: int, rule: Rule) -> list[tuple[Indices, Array]]:
    """Cells around the circle, whose centres are 2 pi m / n, and their weights for each angle."""
    if n == 1:
        return [(np.zeros(angle.shape, dtype=np.int64), np.ones(angle.shape))]
    place = (angle % (2.0 * np.pi)) / (2.0 * np.pi / n)
    nodes = np.arange(-2.0, n + 3.0)
    first, weights = rule(nodes, place)
    return [((first + k - 2) % n, weights[:, k]) for k in range(4)]

"""Square meshes for densities that are smooth on the scale of their cells, carried to points by cubic polynomials.

A population is cut by what its particles have spread: sources whose spread sqrt(2 D t), of the slowest particles
and since they ended, is at least one cell go on a mesh of that cell; older ones on meshes of cells twice, four
times as large. The Lagrange polynomials of four nodes in x and in y are off by 3/128 (cell/spread)^4 f''''
spread^4 between nodes, at most 7 % at the peak of the youngest source of a mesh at the lowest energy, and with
alternating sign: sums over many cells are much closer (measured in the tests).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["MESHES", "PlaneMesh", "mesh_of"]

Array = NDArray[np.float64]

#: meshes, each of cells twice as large as the one before
MESHES = 3


@dataclass(frozen=True)
class PlaneMesh:
    """The nodes of a mesh that some sets of points need.

    Attributes
    ----------
    cell : float                                [kpc]
    nodes : ndarray, shape (n_nodes, 2)         x, y [kpc]
    carry : tuple of csr_array                  for each set, shape (n_points, n_nodes)
    """

    cell: float
    nodes: Array
    carry: tuple[csr_array, ...]

    @classmethod
    def of(cls, cell: float, sets: Sequence[tuple[Array, Array]]) -> PlaneMesh:
        """Mesh for sets of points x, y [kpc], 1-D arrays of one length each."""
        numbers, weights = zip(*(_stencil(cell, x, y) for x, y in sets), strict=True)
        every = np.concatenate([n.reshape(-1, 2) for n in numbers])
        used, where = np.unique(every, axis=0, return_inverse=True)
        where, start, carry = where.ravel(), 0, []
        for w in weights:
            column = where[start : start + w.size]
            start += w.size
            row = np.repeat(np.arange(w.shape[0]), w.shape[1])
            carry.append(csr_array((w.ravel(), (row, column)), shape=(w.shape[0], len(used))))
        return cls(cell, cell * used.astype(float), tuple(carry))


def mesh_of(spread: Array, cell: float, n: int = MESHES) -> NDArray[np.int64]:
    """Number of the mesh that sources of these spreads [kpc] go on, -1 for none: they need a closer look."""
    with np.errstate(divide="ignore"):
        number = np.floor(np.log2(np.asarray(spread, dtype=float) / cell) + 1e-12)
    return np.clip(number, -1, n - 1).astype(np.int64)


def _stencil(cell: float, x: Array, y: Array) -> tuple[NDArray[np.int64], Array]:
    """Numbers (n, 16, 2) and weights (n, 16) of the nodes around points."""
    columns = []
    for values in (x, y):
        low = np.floor(values / cell).astype(np.int64)
        u = values / cell - low
        weight = np.stack(
            [
                -u * (u - 1.0) * (u - 2.0) / 6.0,
                (u + 1.0) * (u - 1.0) * (u - 2.0) / 2.0,
                -(u + 1.0) * u * (u - 2.0) / 2.0,
                (u + 1.0) * u * (u - 1.0) / 6.0,
            ],
            axis=-1,
        )
        columns.append((low[:, None] + np.arange(-1, 3), weight))
    (i, a), (j, b) = columns
    n = x.size
    number = np.stack(np.broadcast_arrays(i[:, :, None], j[:, None, :]), axis=-1).reshape(n, 16, 2)
    return number, (a[:, :, None] * b[:, None, :]).reshape(n, 16)

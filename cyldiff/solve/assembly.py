"""The rows of the operator that belong to one part of the grid, as sorted sparse arrays.

Unknowns are numbered (r, [phi,] z, p), p fastest: a range of r cells is a range of rows, all momenta
of a place lie together, and the matrix of a part differs from that of the whole in nothing but its rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cyldiff.operators import TransportOperator

__all__ = ["LocalRows", "field_of", "local_rows", "vector_of"]

Array = NDArray[np.float64]
Indices = NDArray[np.signedinteger]


@dataclass(frozen=True, slots=True)
class LocalRows:
    """Compressed sparse rows with the column numbers of the whole grid, ascending in every row.

    Attributes
    ----------
    first : number of the first row in the whole matrix
    columns_in_all : columns of the whole matrix
    starts : ndarray, shape (rows + 1,)
    columns, values : ndarray, shape (entries,)   values [1/Myr]
    """

    first: int
    columns_in_all: int
    starts: Indices
    columns: Indices
    values: Array

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.starts) - 1


def local_rows(
    operator: TransportOperator, *, first_r: int, all_r: int, dtype: type[np.signedinteger] = np.int32
) -> LocalRows:
    """Rows of the operator of a part whose r cells are `first_r`, `first_r` + 1, … of `all_r`.

    The pattern depends on the grid alone, not on the coefficients, so that a matrix is refilled
    from nuclide to nuclide.
    """
    n_p, n_r, n_phi, n_z = shape = _four(operator)
    before = first_r > 0
    after = first_r + n_r < all_r
    counts = _row_sizes(shape, before, after)
    starts = np.zeros(counts.size + 1, dtype=dtype)
    np.cumsum(counts, out=starts[1:])
    columns, values = np.empty(starts[-1], dtype=dtype), np.empty(starts[-1])
    r, z = operator.space["r"], operator.space["z"]
    around = operator.space.get("phi")
    none = np.zeros((1, 1, 1, 1))
    _fill(
        operator.diagonal.reshape(shape),
        *(operator.momentum[offset].reshape(shape) for offset in (-1, 1, 2)),
        r.lower.reshape(shape), r.upper.reshape(shape),
        z.lower.reshape(shape), z.upper.reshape(shape),
        none if around is None else around.lower.reshape(shape),
        none if around is None else around.upper.reshape(shape),
        around is not None, before, after, first_r, starts, columns, values,
    )  # fmt: skip
    return LocalRows(first_r * n_phi * n_z * n_p, all_r * n_phi * n_z * n_p, starts, columns, values)


def vector_of(field: Array) -> Array:
    """Values of a field (p, r, [phi,] z) in the order of the rows."""
    return np.ascontiguousarray(np.moveaxis(field, 0, -1)).ravel()


def field_of(vector: Array, shape: tuple[int, ...]) -> Array:
    """The field (p, r, [phi,] z) whose values in the order of the rows are `vector`."""
    return np.ascontiguousarray(np.moveaxis(vector.reshape(*shape[1:], shape[0]), -1, 0))


def _four(operator: TransportOperator) -> tuple[int, int, int, int]:
    """Shape (p, r, phi, z); one cell in phi for a 2-D grid."""
    shape = operator.grid.shape
    return (shape[0], shape[1], shape[2] if len(shape) == 4 else 1, shape[-1])


def _row_sizes(shape: tuple[int, int, int, int], before: bool, after: bool) -> NDArray[np.int64]:
    """Entries of every row."""
    n_p, n_r, n_phi, n_z = shape
    along_p = np.full(n_p, 4)
    along_p[0] -= 1
    along_p[-1] -= 2
    along_p[-2] -= 1
    along_z = np.full(n_z, 2)
    along_z[0] -= 1
    along_z[-1] -= 1
    along_r = np.full(n_r, 2)
    along_r[0] -= not before
    along_r[-1] -= not after
    around = np.full(n_phi, 2 if n_phi > 1 else 0)
    return (
        along_r[:, None, None, None] + around[None, :, None, None] + along_z[None, None, :, None] + along_p
    ).ravel()


@njit(cache=True, nogil=True)
def _fill(
    diagonal, below, above, second, r_lower, r_upper, z_lower, z_upper, phi_lower, phi_upper,
    circle, before, after, first_r, starts, columns, values,
):  # fmt: skip
    """Write every row, its columns ascending; a gain enters the matrix with a minus sign."""
    n_p, n_r, n_phi, n_z = diagonal.shape
    step_z = n_p
    step_phi = n_z * n_p
    step_r = n_phi * n_z * n_p
    row = 0
    for i in range(n_r):
        for m in range(n_phi):
            for j in range(n_z):
                for k in range(n_p):
                    here = first_r * step_r + row
                    at = starts[row]
                    if i > 0 or before:
                        columns[at] = here - step_r
                        values[at] = -r_lower[k, i, m, j]
                        at += 1
                    if circle:
                        if m == n_phi - 1:
                            columns[at] = here - (n_phi - 1) * step_phi
                            values[at] = -phi_upper[k, i, m, j]
                            at += 1
                        if m > 0:
                            columns[at] = here - step_phi
                            values[at] = -phi_lower[k, i, m, j]
                            at += 1
                    if j > 0:
                        columns[at] = here - step_z
                        values[at] = -z_lower[k, i, m, j]
                        at += 1
                    if k > 0:
                        columns[at] = here - 1
                        values[at] = -below[k, i, m, j]
                        at += 1
                    columns[at] = here
                    values[at] = diagonal[k, i, m, j]
                    at += 1
                    if k < n_p - 1:
                        columns[at] = here + 1
                        values[at] = -above[k, i, m, j]
                        at += 1
                    if k < n_p - 2:
                        columns[at] = here + 2
                        values[at] = -second[k, i, m, j]
                        at += 1
                    if j < n_z - 1:
                        columns[at] = here + step_z
                        values[at] = -z_upper[k, i, m, j]
                        at += 1
                    if circle:
                        if m < n_phi - 1:
                            columns[at] = here + step_phi
                            values[at] = -phi_upper[k, i, m, j]
                            at += 1
                        if m == 0:
                            columns[at] = here + (n_phi - 1) * step_phi
                            values[at] = -phi_lower[k, i, m, j]
                            at += 1
                    if i < n_r - 1 or after:
                        columns[at] = here + step_r
                        values[at] = -r_upper[k, i, m, j]
                        at += 1
                    row += 1

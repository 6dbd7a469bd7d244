"""Fluxes between neighbouring cells: exponential fitting in space, three schemes in momentum.

A *gain* is the rate at which a cell receives from a neighbour; a *loss* the rate at which it
gives through a face. Both are per unit of the cell's own content.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MOMENTUM_SCHEMES",
    "bernoulli",
    "chang_cooper_flux",
    "drift_weights",
    "face_weights",
    "steep_faces",
    "steep_places",
]

Array = NDArray[np.float64]

#: largest drop of a source from one momentum to the next that is no cut-off; a power law with 4 points
#: per decade drops by 2.5
STEEPEST = 6.0
#: known schemes of the momentum flux
MOMENTUM_SCHEMES = ("third-order", "chang-cooper", "upwind")


def bernoulli(w: Array) -> Array:
    """B(w) = w / (e^w - 1), 1 at w = 0: the weight of an exponentially fitted flux.

    Scharfetter & Gummel 1969; Chang & Cooper 1970, J. Comput. Phys. 6, 1.
    """
    w = np.asarray(w, dtype=float)
    small = np.abs(w) < 1e-4
    # e^w overflows beyond 709, where B is zero to all digits
    safe = np.where(small, 1.0, np.minimum(w, 700.0))
    return np.where(small, 1.0 - 0.5 * w + w * w / 12.0, safe / np.expm1(safe))


def face_weights(scheme: str, n_p: int, steep: NDArray[np.bool_] | None = None) -> Array:
    """Weights of the advective flux through the lower face of every momentum cell, shape (n_p, 3).

    The flux a U through the face between cells k - 1 and k is
    ``w[k,0] F[k-1] + w[k,1] F[k] + w[k,2] F[k+1]`` with F = a U in the cells, so that row k gains
    the flux of face k + 1 and loses that of face k. Energy falls, hence cell k is upwind.

    * third-order: upwind-biased (1/3, 5/6, -1/6), third order on the uniform ln T grid; linear
      extrapolation through the lowest face, first order through the uppermost.
    * chang-cooper, upwind: (0, 1, 0); Chang & Cooper's weights are added with the diffusion.

    At faces marked `steep` the third-order flux falls back to upwind: where a spectrum is cut off, the cell
    below holds so much more that a small weight on it would swamp the cell above. `steep` has the shape
    (n_p,), or that of a field; then the weights are (n_p, 3, ...). For the drift of reacceleration, see
    :func:`drift_weights`.
    """
    weights = np.zeros((n_p, 3))
    weights[:, 1] = 1.0
    if scheme == "third-order":
        weights[1:-1] = (1.0 / 3.0, 5.0 / 6.0, -1.0 / 6.0)
        weights[0] = (0.0, 1.5, -0.5)
        if steep is not None:
            weights = _where_not(steep, weights, (0.0, 1.0, 0.0))
    return weights


def _where_not(steep: NDArray[np.bool_], weights: Array, other: tuple[float, float, float]) -> Array:
    """Weights with the other ones at steep faces above the lowest, shape (n_p, 3, *space)."""
    space = steep.ndim - 1
    weights = weights.reshape(*weights.shape, *[1] * space)
    marked = steep.copy()
    marked[0] = False
    return np.where(marked[:, None], np.reshape(other, (1, 3, *[1] * space)), weights)


def drift_weights(n_p: int, steep: NDArray[np.bool_] | None = None) -> Array:
    """Third-order weights of the drift -3 g U of reacceleration, as :func:`face_weights`, shape (n_p, 3).

    None at the ends and at `steep` faces, where drift and diffusion together have the monotone form
    g p^3 d(U/p^3)/d ln p instead.
    """
    weights = np.zeros((n_p, 3))
    weights[1:-1] = (1.0 / 3.0, 5.0 / 6.0, -1.0 / 6.0)
    return weights if steep is None else _where_not(steep, weights, (0.0, 0.0, 0.0))


def steep_faces(level: Array) -> NDArray[np.bool_]:
    """Lower faces of momentum cells across which a source drops by more than `STEEPEST`, shape (n_p,).

    Parameters
    ----------
    level : ndarray, shape (..., n_p)   what enters each momentum; several sources count together, one that
        is zero everywhere does not
    """
    level = np.atleast_2d(level)
    level = level[level.any(axis=-1)]
    steep = np.zeros(level.shape[-1], dtype=bool)
    # nothing at all counts as steep: a spectrum that ends
    steep[1:] = np.any((level[:, 1:] * STEEPEST < level[:, :-1]) | (level[:, 1:] == 0.0), axis=0)
    return steep


def steep_places(field: Array) -> NDArray[np.bool_]:
    """Lower momentum faces across which a field drops by more than `STEEPEST` at a place, shape of the field.

    Where it is zero or negative above, too; the lowest face is none.
    """
    steep = np.zeros(field.shape, dtype=bool)
    steep[1:] = (field[1:] * STEEPEST < field[:-1]) | (field[1:] <= 0.0)
    return steep


def chang_cooper_flux(loss: Array, diffusion: Array, spacing: Array) -> tuple[Array, Array]:
    """Weights (upper, lower) of J = upper U[k+1] - lower U[k] at a face between k and k + 1.

    Fits J = g p^3 d(U/p^3)/d ln p + b U exactly for constant g, b (Chang & Cooper 1970):
    w = (b - 3 g) dlnp / g, upper = (g/dlnp) B(-w), lower = (g/dlnp) B(w).

    Parameters
    ----------
    loss : b at the face; diffusion : g at the face, both [1/Myr]; spacing : dlnp
    """
    # where diffusion is negligible the flux is upwind, without 0 * inf
    g = np.maximum(diffusion, 1e-9 * np.abs(loss) + 1e-300)
    w = (loss - 3.0 * g) * spacing / g
    return g / spacing * bernoulli(-w), g / spacing * bernoulli(w)

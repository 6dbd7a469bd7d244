"""The kernel of uniform diffusion as Fourier modes in phi on an (r, z) mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ive

from cyldiff.grid import Grid
from cyldiff.sources.greens_function import vertical_kernel

__all__ = ["kernel_mode"]

Array = NDArray[np.float64]


def kernel_mode(grid: Grid, r: float, z: float, spread: float, mode: float) -> Array:
    """Mode of the kernel of uniform D around (r, z) after a spread s, and of its derivatives in r and z.

    In the plane the kernel exp(-d^2 / 4 s) / 4 pi s has the modes ``exp(-(r' - r)^2 / 4 s) exp(-x) I_m(x) / 4 pi s``
    with x = r r' / 2 s; along z it is that of :func:`cyldiff.sources.greens_function.vertical_kernel`.

    Values at the cell centres, shape (3, n_r, n_z) [kpc^-3, kpc^-4]: where the kernel is resolved, means over
    cells would make it wider without need, since the response is read at points.
    """
    at = grid.r.centers
    x = at * r / (2.0 * spread)
    fall = np.exp(-((at - r) ** 2) / (4.0 * spread)) / (4.0 * np.pi * spread)
    beside = 0.5 * (ive(abs(mode - 1.0), x) + ive(mode + 1.0, x))
    in_plane = fall * ive(mode, x)
    slope_r = fall * (at * beside - r * ive(mode, x)) / (2.0 * spread)
    # the kernel is symmetric: the derivative for the place of the observer is that of the first argument
    vertical, slope_z = vertical_kernel(z, grid.z.centers, spread, float(grid.z.faces[-1]))
    return np.stack([np.outer(in_plane, vertical), np.outer(slope_r, vertical), np.outer(in_plane, slope_z)])

"""The kernel of uniform diffusion as Fourier modes in phi on an (r, z) mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ive

from cyldiff.grid import Grid
from cyldiff.sources.greens_function import vertical_content, vertical_kernel

__all__ = ["kernel_mode"]

Array = NDArray[np.float64]

#: Gauss-Legendre points per cell
POINTS = 8


def kernel_mode(grid: Grid, r: float, z: float, spread: float, mode: float) -> Array:
    """Mode of the kernel of uniform D around (r, z) after a spread s, and of its derivatives in r and z.

    Cell averages, shape (3, n_r, n_z). In the plane the kernel exp(-d^2 / 4 s) / 4 pi s has the modes
    ``exp(-(r - r0)^2 / 4 s) exp(-x) I_m(x) / 4 pi s`` with x = r r0 / 2 s; along z it is that of
    :func:`cyldiff.sources.greens_function.vertical_kernel`.
    """
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    low, high = grid.r.faces[:-1, None], grid.r.faces[1:, None]
    at = 0.5 * (low + high) + 0.5 * (high - low) * nodes
    share = at * weights * (high - low) / (high**2 - low**2)
    x = at * r / (2.0 * spread)
    fall = np.exp(-((at - r) ** 2) / (4.0 * spread)) / (4.0 * np.pi * spread)
    bessel = ive(mode, x)
    beside = 0.5 * (ive(abs(mode - 1.0), x) + ive(mode + 1.0, x))
    in_plane = np.sum(fall * bessel * share, axis=1)
    slope_r = np.sum(fall * (at * beside - r * bessel) / (2.0 * spread) * share, axis=1)
    height = float(grid.z.faces[-1])
    vertical = np.diff(vertical_content(grid.z.faces, z, spread, height)) / grid.z.widths
    low, high = grid.z.faces[:-1, None], grid.z.faces[1:, None]
    at = 0.5 * (low + high) + 0.5 * (high - low) * nodes
    # the kernel is symmetric: the derivative for the place of the source is that of the first argument
    slope_z = 0.5 * vertical_kernel(z, at, spread, height)[1] @ weights
    return np.stack([np.outer(in_plane, vertical), np.outer(slope_r, vertical), np.outer(in_plane, slope_z)])

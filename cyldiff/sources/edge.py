"""The absorbing edge of a cylinder for point sources: Bessel modes in the plane.

    G(s) = (1 / pi R^2) sum_mn eps_m cos m(phi - phi_s) J_m(a_mn r/R) J_m(a_mn r_s/R) / J_{m+1}(a_mn)^2
           exp(-(a_mn / R)^2 s) ,   J_m(a_mn) = 0, eps_0 = 1, eps_m = 2

(Carslaw & Jaeger 1959, Conduction of Heat in Solids, ch. XIV). Paths by way of the edge are longer, in the
exponent rho^2/4s, by (R - r)(R - r_s)/s or more; where that is above NEGLIGIBLE, the Gaussian of free space is
taken. So it is for rho^2/4s > STEEP, where the terms of the series cancel: there the density is below
exp(-20) of that at the source, and the Gaussian is an upper limit. Elsewhere the relative error is below 1e-6.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import jn_zeros, jv

from cyldiff.errors import GridError
from cyldiff.sources.kernels import NEGLIGIBLE, STEEP

__all__ = ["bessel_zeros", "cylinder_modes"]

Array = NDArray[np.float64]

#: zeros are tabulated up to one of these; the last serves sqrt(4 s) from 0.34 kpc on for R = 20 kpc
TABLES = (50.0, 100.0, 200.0, 400.0, 800.0)


@lru_cache(maxsize=len(TABLES))
def bessel_zeros(largest: float) -> tuple[NDArray[np.int64], Array, Array]:
    """All positive zeros up to `largest` of all J_m, increasing: m, a_mn and J_{m+1}(a_mn)."""
    orders, zeros = [], []
    m = 0
    while True:
        # neighbours are more than pi apart, and the first is above m
        row = jn_zeros(m, int(max(largest - m, 0.0) / np.pi) + 2)
        row = row[row <= largest]
        if len(row) == 0:
            break
        orders.append(np.full(len(row), m))
        zeros.append(row)
        m += 1
    order, zero = np.concatenate(orders), np.concatenate(zeros)
    increasing = np.argsort(zero, kind="stable")
    order, zero = order[increasing], zero[increasing]
    return order, zero, jv(order + 1, zero)


def cylinder_modes(source: Array, observer: Array, *, edge: float, smallest: float) -> tuple[float, Array]:
    """Modes of a source and an observer in an absorbing cylinder, as :func:`kernels.planar` takes them.

    Parameters
    ----------
    source, observer : (x, y, ...) inside of the edge [kpc]
    edge : R [kpc]
    smallest : smallest spread that is asked for [kpc^2]

    Returns
    -------
    spread from which the edge is felt [kpc^2]; modes, shape (4, n): decay per spread (a_mn/R)^2, value, and
    slopes in x and y at the observer

    Raises
    ------
    GridError
        if both are so near the edge and the spread so small that more modes are needed than are tabulated.
    """
    r, r_source = float(np.hypot(observer[0], observer[1])), float(np.hypot(source[0], source[1]))
    rho2 = float((observer[0] - source[0]) ** 2 + (observer[1] - source[1]) ** 2)
    edge_from = (edge - r) * (edge - r_source) / NEGLIGIBLE
    smallest = max(smallest, edge_from, 0.25 * rho2 / STEEP)
    wanted = edge * np.sqrt(NEGLIGIBLE / smallest)
    if wanted > TABLES[-1]:
        raise GridError(
            f"a source at r = {r_source:.4g} kpc seen from r = {r:.4g} kpc: both are so near the edge at "
            f"{edge:g} kpc that a spread sqrt(4 D t) of {np.sqrt(4.0 * smallest):.2g} kpc is not resolved; "
            f"expected {2.0 * edge * np.sqrt(NEGLIGIBLE) / TABLES[-1]:.2g} kpc or more, or no edge"
        )
    m, zero, norm = bessel_zeros(next(table for table in TABLES if table >= wanted))
    count = max(1, int(np.searchsorted(zero, wanted)))
    m, zero, norm = m[:count], zero[:count], norm[:count]
    angle = m * (np.arctan2(observer[1], observer[0]) - np.arctan2(source[1], source[0]))
    amplitude = np.where(m == 0, 1.0, 2.0) * jv(m, zero * r_source / edge) / (np.pi * (edge * norm) ** 2)
    k, x = zero / edge, zero * r / edge
    # J_m' = (J_{m-1} - J_{m+1}) / 2 and m J_m(x) / x = (J_{m-1} + J_{m+1}) / 2, which holds at x = 0, too
    below, above = jv(m - 1, x), jv(m + 1, x)
    outward = amplitude * np.cos(angle) * k * 0.5 * (below - above)
    around = -amplitude * np.sin(angle) * k * 0.5 * (below + above)
    phi = np.arctan2(observer[1], observer[0])
    modes = np.array(
        [
            k**2,
            amplitude * np.cos(angle) * jv(m, x),
            outward * np.cos(phi) - around * np.sin(phi),
            outward * np.sin(phi) + around * np.cos(phi),
        ]
    )
    return edge_from, modes

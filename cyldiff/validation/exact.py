"""Closed solutions that the solver is measured against, each with its reference.

Units are those of the package (kpc, Myr) wherever it matters; a source q is per area of the disc.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad
from scipy.special import j0, j1, jn_zeros

Array = NDArray[np.float64]

__all__ = [
    "bessel_cylinder",
    "case_bhattacharya_1996",
    "decaying_slab",
    "energy_of_spectrum",
    "pure_loss",
    "windy_slab",
]


def case_bhattacharya_1996(r: Array) -> Array:
    """Surface density of supernova remnants, 1 at 8.5 kpc (Case & Bhattacharya 1996, A&AS 120, 437)."""
    return np.asarray(r / 8.5) ** 1.69 * np.exp(-3.33 * (r - 8.5) / 8.5)


def bessel_cylinder(
    surface_source: Callable[[Array], Array],
    r: ArrayLike,
    z: ArrayLike,
    *,
    radius: float,
    half_height: float,
    D: float = 1.0,
    plane_sink: float = 0.0,
    decay: float = 0.0,
    modes: int = 2000,
) -> Array:
    """Thin disc q(r) delta(z) in a cylinder with U = 0 at r = R and |z| = H.

    Maurin et al. 2001, ApJ 555, 585: a series of Bessel functions J0(zeta_i r / R) whose terms obey

        N_i(z) = N_i(0) sinh(k_i (H - |z|)) / sinh(k_i H),  k_i^2 = (zeta_i / R)^2 + decay / D,
        N_i(0) = q_i / (2 D k_i coth(k_i H) + plane_sink).

    Parameters
    ----------
    surface_source : callable, q(r) [kpc^-2 Myr^-1]
    r, z : arrays of equal shape [kpc]
    plane_sink : rate times thickness of the disc, 2 h Gamma [kpc/Myr]
    decay : rate everywhere [1/Myr]
    modes : number of terms; a law that is smooth but for a cusp at r = 0 needs about 1000
    """
    zeta = jn_zeros(0, modes)
    # panels of Gauss points; the fastest mode has two periods in each
    nodes, weights = np.polynomial.legendre.leggauss(16)
    edges = np.linspace(0.0, radius, modes // 4 + 2)
    half = 0.5 * np.diff(edges)[:, None]
    points = (0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes).ravel()
    measure = (half * weights).ravel() * points * surface_source(points)
    q = np.array([2.0 / (radius * j1(x)) ** 2 * np.dot(measure, j0(x * points / radius)) for x in zeta])
    k = np.sqrt((zeta / radius) ** 2 + decay / D)
    plane = q / (2.0 * D * k / np.tanh(k * half_height) + plane_sink)
    r, z = np.broadcast_arrays(np.asarray(r, dtype=float), np.abs(np.asarray(z, dtype=float)))
    # sinh(k (H - z)) / sinh(k H) without overflow
    fall = np.exp(-k * z[..., None]) * np.expm1(-2.0 * k * (half_height - z[..., None]))
    fall /= np.expm1(-2.0 * k * half_height)
    return np.asarray(np.sum(plane * fall * j0(zeta * r[..., None] / radius), axis=-1))


def decaying_slab(
    z: ArrayLike, *, q: ArrayLike, D: ArrayLike, half_height: float, lifetime: ArrayLike
) -> Array:
    """Thin disc q delta(z) of particles that decay in `lifetime`: sinh profile, L = sqrt(D lifetime).

    N(0) = q L / [2 D coth(H / L)] (e.g. Ptuskin & Soutoul 1998, A&A 337, 859).
    """
    q, D, lifetime = (np.asarray(a, dtype=float) for a in (q, D, lifetime))
    length = np.sqrt(D * lifetime)
    plane = q * length / (2.0 * D) * np.tanh(half_height / length)
    return np.asarray(plane * np.sinh((half_height - np.abs(z)) / length) / np.sinh(half_height / length))


def windy_slab(
    z: ArrayLike, *, q: float, D: float, half_height: float, wind: float, decay: float = 0.0
) -> Array:
    """Thin disc q delta(z) in a wind u away from the plane, without its adiabatic losses.

    S = sqrt(u^2/D^2 + 4 decay/D): N(0) = q / [u + D S coth(S H / 2)], and
    N(z) = N(0) exp(u z / 2 D) sinh[S (H - z)/2] / sinh[S H / 2] (Maurin et al. 2001, ApJ 555, 585).
    """
    s = np.sqrt((wind / D) ** 2 + 4.0 * decay / D)
    plane = q / (wind + D * s / np.tanh(0.5 * s * half_height))
    z = np.abs(z)
    shape = np.sinh(0.5 * s * (half_height - z)) / np.sinh(0.5 * s * half_height)
    return np.asarray(plane * np.exp(0.5 * wind * z / D) * shape)


def pure_loss(
    log_p: Array, loss_rate: Callable[[Array], Array], injected_above: Callable[[Array], Array]
) -> Array:
    """U = injected_above(ln p) / b(ln p): steady losses b = -(dp/dt)/p of what is injected above p."""
    return injected_above(log_p) / loss_rate(log_p)


def energy_of_spectrum(spectrum: Callable[[Array], Array], low: float, high: float) -> float:
    """Energy int T Q(T) dT by adaptive quadrature in ln T."""
    value, _ = quad(
        lambda x: float(np.exp(2.0 * x) * spectrum(np.exp(x))),
        np.log(low),
        np.log(high),
        epsabs=0.0,
        epsrel=1e-11,
        limit=400,
    )
    return float(value)

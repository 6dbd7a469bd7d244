"""Sinks and nuclear sources: fragmentation, decay, production of secondaries.

Everything here acts on N(T), the number per kinetic energy per nucleon, which a spallation
conserves (straight-ahead approximation).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.galaxy import Galaxy
from cyldiff.grid import Kinematics, per_momentum

__all__ = ["collision_rate", "decay_rate", "secondary_proton_source"]

Array = NDArray[np.float64]


def collision_rate(sigma: Array, beta: Array, helium_fraction: float) -> Array:
    """Rate per H nucleus: beta c (sigma_H + f_He sigma_He) [cm^3/Myr], shape (n_p,).

    Parameters
    ----------
    sigma : ndarray, shape (2, n_p)   on H and on He [mb]
    beta : ndarray, shape (n_p,)
    """
    return const.MILLIBARN_DENSITY_RATE * beta * (sigma[0] + helium_fraction * sigma[1])


def decay_rate(half_life: float, gamma: Array) -> Array:
    """1 / (gamma tau) with tau = half_life / ln 2 [1/Myr], shape (n_p,); zero for stable nuclei."""
    return np.log(2.0) / (half_life * gamma) if np.isfinite(half_life) else np.zeros_like(gamma)


def secondary_proton_source(
    density: Array, *, proton: Kinematics, sigma: Array, galaxy: Galaxy, log_step: float
) -> Array:
    """Protons that an inelastic p-p or p-He reaction leaves behind, flat in 0 < T < T'.

    Q(T) = int_T^inf beta c n sigma_inel(T') N(T') / T' dT' (Tan & Ng 1983, J. Phys. G 9, 227:
    one proton per reaction, d sigma / dT = sigma_inel / T'). The integral is a trapezoid in ln T'
    from each grid energy upwards; linear in the density.

    Parameters
    ----------
    density : ndarray, shape (n_p, ...)   N(T) of protons
    sigma : ndarray, shape (2, n_p)            total inelastic, on H and He [mb]

    Returns
    -------
    ndarray, shape (n_p, ...)   source of N(T) [N / Myr]
    """
    rate = collision_rate(sigma, proton.beta, galaxy.helium_fraction)
    # int dT'/T' N rate = int dlnT' N rate
    integrand = density * per_momentum(rate * log_step, density.ndim - 1)
    above = np.cumsum(integrand[::-1], axis=0)[::-1]
    # trapezoid: half weight at both ends of the integral
    above -= 0.5 * integrand + 0.5 * integrand[-1]
    return above * galaxy.hydrogen

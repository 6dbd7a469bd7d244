"""Photons that one electron radiates in a magnetic field of random direction: synchrotron emission.

Aharonian, Kelner & Prosekin 2010 (PRD 82, 043002), Appendix D. Averaged over pitch angles,

    dN/dt dE_g = (sqrt(3) / 2 pi) (e^3 B / m c^2 hbar E_g) G(E_g / E_c),   E_c = 3 e hbar B gamma^2 / 2 m c,
    G(x) = (x/20) [(8 + 3 x^2) K^2 + x L (2 K - 3 x L)],  K = K_1/3(x/2), L = K_2/3(x/2)     (their Eq. D5)

The equation is exact (Crusius & Schlickeiser 1986, A&A 164, L16, in other functions). Their fit D7, good to
0.2 %, replaces the Bessel functions where speed counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import kve

from cyldiff import constants as const

__all__ = ["DEEPEST", "critical_energy", "emission_function", "exact_emission_function", "synchrotron_rate"]

Array = NDArray[np.float64]

#: E_g / E_c above which nothing is radiated: exp(-60)
DEEPEST = 60.0
#: e B of 1 microgauss [GeV/cm]: 1 G is 299.792458 V/cm (Gaussian units; c is exact in the SI)
_FORCE = const.SPEED_OF_LIGHT_CM_S * 1e-8 * 1e-9 * 1e-6


def critical_energy(electron_energy: ArrayLike, field: float) -> Array:
    """E_c = 3 e hbar B gamma^2 / 2 m c of an electron of total energy E [GeV] in `field` [microgauss]; [GeV]."""
    gamma = np.asarray(electron_energy, dtype=float) / const.ELECTRON_MASS
    return np.asarray(1.5 * _FORCE * field * const.HBAR_C_GEV_CM / const.ELECTRON_MASS * gamma**2)


def synchrotron_rate(photon_energy: ArrayLike, electron_energy: ArrayLike, field: float) -> Array:
    """Spectrum of photons from one electron.

    Parameters
    ----------
    photon_energy : E_g [GeV]
    electron_energy : total energy E [GeV]; both broadcast together
    field : B [microgauss]

    Returns
    -------
    ndarray      dN/dt dE_g [GeV^-1 s^-1]
    """
    photon = np.asarray(photon_energy, dtype=float)
    x = photon / critical_energy(electron_energy, field)
    scale = np.sqrt(3.0) / (2.0 * np.pi) * const.FINE_STRUCTURE * const.SPEED_OF_LIGHT_CM_S
    return np.asarray(scale * _FORCE * field / const.ELECTRON_MASS / photon * emission_function(x))


def emission_function(x: ArrayLike) -> Array:
    """G(x) by the fit D7, within 0.2 %."""
    x = np.asarray(x, dtype=float)
    third = np.cbrt(x)
    second = third**2
    fourth = second**2
    shape = (1.0 + 2.21 * second + 0.347 * fourth) / (1.0 + 1.353 * second + 0.217 * fourth)
    return np.asarray(1.808 * third / np.sqrt(1.0 + 3.4 * second) * shape * np.exp(-np.minimum(x, 700.0)))


def exact_emission_function(x: ArrayLike) -> Array:
    """G(x) by Eq. D5."""
    x = np.asarray(x, dtype=float)
    # scaled Bessel functions: K = kve exp(-x/2), squared exp(-x)
    one, two = kve(1.0 / 3.0, 0.5 * x), kve(2.0 / 3.0, 0.5 * x)
    bracket = (8.0 + 3.0 * x**2) * one**2 + x * two * (2.0 * one - 3.0 * x * two)
    return np.asarray(x / 20.0 * bracket * np.exp(-np.minimum(x, 700.0)))

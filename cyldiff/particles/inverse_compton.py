"""Photons that one electron scatters up: inverse Compton with the full Klein-Nishina cross section.

An electron of energy E = gamma m in isotropic photons n(eps) makes (Jones 1968, Phys. Rev. 167, 1159;
Blumenthal & Gould 1970, Rev. Mod. Phys. 42, 237, Eqs. 2.47-2.51)

    dN/dt dE_g = (3 sigma_T c / 4 gamma^2) int d eps n(eps)/eps F,
    F = 2 q ln q + (1 + 2 q)(1 - q) + (G q)^2 (1 - q) / [2 (1 + G q)],  G = 4 eps E / m^2,  q = E_g / [G (E - E_g)]

for q <= 1. With w = E_g/E, G q = w/(1 - w): the last term is w^2/[2 (1 - w)] (1 - q), and in black-body radiation the
integral over eps depends on one number, a = m^2 E_g / [4 kT E (E - E_g)], the lowest eps / kT that reaches E_g:

    int x/(e^x - 1) F dx = g_1(a) + w^2/[2 (1 - w)] g_2(a)

Two functions of one variable, tabulated once, are all greybodies, to all digits.

Photons scattered down, E_g <= 4 eps, are not in it: it holds for gamma >> 1 and E_g >> eps.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from cyldiff import constants as const

__all__ = ["DEEPEST", "greybody_scattering", "line_scattering", "lowest_target"]

Array = NDArray[np.float64]

#: Thomson cross section 8 pi r_e^2 / 3 [cm^2]
_THOMSON = 8.0 * np.pi / 3.0 * const.CLASSICAL_ELECTRON_RADIUS_CM**2
#: eps / kT above which black-body radiation has nothing left: exp(-60)
DEEPEST = 60.0
#: smallest a of the table; below, the functions are at their limit pi^2/6 to 1e-9
_SMALLEST = 1e-12
#: knots of the table per decade, panels of its integrals and points per panel
_PER_DECADE, _PANELS, _POINTS = 24, 32, 8


def line_scattering(photon_energy: ArrayLike, electron_energy: ArrayLike, target_energy: ArrayLike) -> Array:
    """Spectrum of photons from one electron in target photons of one energy, per unit density.

    Parameters
    ----------
    photon_energy : E_g [GeV]
    electron_energy : total energy E [GeV]
    target_energy : eps [GeV]; all broadcast together

    Returns
    -------
    ndarray      dN/dt dE_g / n [cm^3 GeV^-1 s^-1]; zero beyond the largest E_g
    """
    photon, electron, target = np.broadcast_arrays(
        *(np.asarray(x, dtype=float) for x in (photon_energy, electron_energy, target_energy))
    )
    up = photon < electron
    left = np.where(up, electron - photon, electron)
    q = const.ELECTRON_MASS**2 * photon / (4.0 * target * electron * left)
    up &= q < 1.0
    q = np.where(up, q, 1.0)
    recoil = 0.5 * photon**2 / (electron * left)
    value = 2.0 * q * np.log(q) + (1.0 + 2.0 * q) * (1.0 - q) + recoil * (1.0 - q)
    return np.asarray(np.where(up, _rate(electron) * value / target, 0.0))


def greybody_scattering(
    photon_energy: ArrayLike, electron_energy: ArrayLike, *, temperature: float, dilution: float = 1.0
) -> Array:
    """Spectrum of photons from one electron in diluted black-body radiation.

    Parameters
    ----------
    photon_energy : E_g [GeV]
    electron_energy : total energy E [GeV]; both broadcast together
    temperature : of the radiation [K]
    dilution : density of its photons relative to a black body

    Returns
    -------
    ndarray      dN/dt dE_g [GeV^-1 s^-1]; zero for E_g >= E
    """
    photon, electron = np.broadcast_arrays(
        np.asarray(photon_energy, dtype=float), np.asarray(electron_energy, dtype=float)
    )
    thermal = const.BOLTZMANN_GEV_K * temperature
    up = photon < electron
    left = np.where(up, electron - photon, electron)
    lowest = const.ELECTRON_MASS**2 * photon / (4.0 * thermal * electron * left)
    recoil = 0.5 * photon**2 / (electron * left)
    # int d eps n(eps)/eps F = dilution (kT)^2 / [pi^2 (hbar c)^3] int dx x/(e^x - 1) F
    density = dilution * thermal**2 / (np.pi**2 * const.HBAR_C_GEV_CM**3)
    first, second = _planck_integrals(lowest)
    return np.asarray(np.where(up, _rate(electron) * density * (first + recoil * second), 0.0))


def lowest_target(photon_energy: ArrayLike, electron_energy: ArrayLike) -> Array:
    """Smallest energy of a target photon that an electron of E can scatter up to E_g < E [GeV]."""
    photon, electron = np.asarray(photon_energy, dtype=float), np.asarray(electron_energy, dtype=float)
    return const.ELECTRON_MASS**2 * photon / (4.0 * electron * (electron - photon))


def _rate(electron_energy: Array) -> Array:
    """3 sigma_T c / 4 gamma^2 [cm^3/s]."""
    gamma = electron_energy / const.ELECTRON_MASS
    return 0.75 * _THOMSON * const.SPEED_OF_LIGHT_CM_S / gamma**2


def _planck_integrals(a: Array) -> tuple[Array, Array]:
    """g_1(a) and g_2(a)."""
    first, second = _tables()
    inside = a < DEEPEST
    x = np.log(np.clip(np.where(inside, a, 1.0), _SMALLEST, None))
    fall = np.where(inside, np.exp(-np.where(inside, a, 0.0)), 0.0)
    return np.exp(first(x)) * fall, np.exp(second(x)) * fall


@lru_cache(maxsize=1)
def _tables() -> tuple[CubicSpline, CubicSpline]:
    """Logarithms of g_1 e^a and of g_2 e^a against ln a, both smooth: they go from pi^2/6 to 1."""
    decades = np.log10(DEEPEST / _SMALLEST)
    a = np.geomspace(_SMALLEST, 1.0001 * DEEPEST, int(_PER_DECADE * decades) + 1)
    # x = a e^v, to where nothing is left beyond the lowest
    top = np.log1p(DEEPEST / a)
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    place = ((np.arange(_PANELS)[:, None] + 0.5 * (1.0 + nodes)) / _PANELS).ravel()
    weight = np.tile(0.5 * weights / _PANELS, _PANELS)
    v = top[:, None] * place
    q = np.exp(-v)
    x = a[:, None] / q
    # x/(e^x - 1) e^a dx, dx = x dv
    planck = x**2 * np.exp(a[:, None] - x) / -np.expm1(-x) * top[:, None] * weight
    first = (planck * (-2.0 * q * v + (1.0 + 2.0 * q) * -np.expm1(-v))).sum(axis=1)
    second = (planck * -np.expm1(-v)).sum(axis=1)
    return CubicSpline(np.log(a), np.log(first)), CubicSpline(np.log(a), np.log(second))

"""Absorption of gamma rays in radiation fields: pair production of two photons.

A gamma ray of energy E in isotropic photons n(eps) is lost at the rate per length

    K(E) = Int d eps n(eps) (1/2) Int d mu (1 - mu) sigma(s) ,   s = E eps (1 - mu) / (2 m_e^2)
    sigma = (3/16) sigma_T (1 - v^2) [2 v (v^2 - 2) + (3 - v^4) ln((1+v)/(1-v))] ,   v = sqrt(1 - 1/s), s > 1

(Breit & Wheeler 1934, Phys. Rev. 46, 1087; Gould & Schreder 1967, Phys. Rev. 155, 1404). With s as the
variable of the inner integral, K = Int d eps n(eps) 2 sigma_T Phi(s_m) / s_m^2, s_m = E eps / m_e^2 and
Phi = Int_1^s_m s sigma/sigma_T ds. The cosmic microwave background is the same everywhere, so the optical
depth over a distance d is K d exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from cyldiff import constants as const
from cyldiff.galaxy.radiation_field import RadiationField

__all__ = ["STEP", "Absorption", "cmb_absorption", "greybody_absorption", "pair_production"]

Array = NDArray[np.float64]
#: radiation relative to that at the Sun, of (r, z) [kpc]
Profile = Callable[[Array, Array], Array]

#: step of the tables of attenuation [kpc]; K <= 0.15 kpc^-1 on the CMB makes their error 2e-6 at most
STEP = 0.03

#: photons of eps/kT beyond these do not count: n(eps) ~ eps below, exp(-eps/kT) above
_LOWEST, _HIGHEST = 1e-5, 60.0


def pair_production(s: ArrayLike) -> Array:
    """Cross section of two photons in units of the Thomson one, at s = (E_cm / 2 m_e)^2; zero for s <= 1."""
    s = np.asarray(s, dtype=float)
    above = s > 1.0
    v = np.sqrt(1.0 - 1.0 / np.where(above, s, 2.0))
    # ln((1+v)/(1-v)) without the cancellation at large s: 1 - v^2 = 1/s
    log = 2.0 * np.log1p(v) + np.log(np.where(above, s, 2.0))
    value = 3.0 / 16.0 * (1.0 - v**2) * (2.0 * v * (v**2 - 2.0) + (3.0 - v**4) * log)
    return np.asarray(np.where(above, value, 0.0))


@lru_cache(maxsize=1)
def _mean_cross_section() -> CubicSpline:
    """Logarithm of 2 Phi(s_m)/s_m^2, the mean of (1 - mu) sigma over directions, against ln(s_m - 1)."""
    # Gauss-Legendre in ln(s - 1) between knots: sigma ~ sqrt(s - 1) at threshold, ln(s)/s far above
    knots = np.linspace(np.log(1e-10), np.log(1e14), 1201)
    x, w = np.polynomial.legendre.leggauss(6)
    half = 0.5 * np.diff(knots)
    u = 0.5 * (knots[:-1] + knots[1:])[:, None] + half[:, None] * x
    excess = np.exp(u)
    pieces = np.sum(w * (1.0 + excess) * pair_production(1.0 + excess) * excess, axis=1) * half
    # below the first knot s sigma = (3/4) sqrt(s - 1): 2/3 of value times width
    start = 2.0 / 3.0 * float(pair_production(1.0 + np.exp(knots[0]))) * np.exp(knots[0])
    phi = start + np.concatenate([[0.0], np.cumsum(pieces)])
    return CubicSpline(knots, np.log(2.0 * phi / (1.0 + np.exp(knots)) ** 2))


def greybody_absorption(energy: ArrayLike, temperature: float, dilution: float = 1.0) -> Array:
    """Absorption coefficient of a diluted black body, isotropic.

    Parameters
    ----------
    energy : array_like         of the gamma ray [GeV]
    temperature : float         [K]
    dilution : float            photon density relative to the black body

    Returns
    -------
    ndarray, shape of `energy`      K [kpc^-1]
    """
    e = np.asarray(energy, dtype=float)[..., None]
    kt = const.BOLTZMANN_GEV_K * temperature
    mean = _mean_cross_section()
    # photons above threshold, in ln(eps - threshold) where the threshold matters
    threshold = const.ELECTRON_MASS**2 / (e * kt)
    low = np.log(np.full_like(threshold, _LOWEST))
    high = np.log(np.maximum(_HIGHEST - threshold, 2.0 * _LOWEST))
    nodes, weights = _composite(48)
    u = low + (high - low) * nodes
    excess = np.exp(u)
    x = threshold + excess  # eps / kT
    # Planck: n(eps) d eps = (kT / hbar c)^3 x^2 / (e^x - 1) dx / pi^2
    planck = x**2 * np.exp(-x) / -np.expm1(-x) / np.pi**2
    sigma = np.exp(mean(np.clip(u - np.log(threshold), mean.x[0], mean.x[-1])))
    integral = np.sum((high - low) * weights * excess * planck * sigma, axis=-1)
    density = (kt / const.HBAR_C_GEV_CM) ** 3
    inside = threshold[..., 0] < _HIGHEST
    return np.asarray(
        np.where(inside, dilution * const.THOMSON_CM2 * density * integral * const.KPC_CM, 0.0), dtype=float
    )


def cmb_absorption(energy: ArrayLike) -> Array:
    """Absorption coefficient of the cosmic microwave background [kpc^-1] at the energies [GeV]."""
    return greybody_absorption(energy, const.CMB_TEMPERATURE_K)


@lru_cache(maxsize=4)
def _composite(panels: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights of equal panels on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(6)
    left = np.arange(panels)[:, None]
    return ((left + 0.5 * (1.0 + x)) / panels).ravel(), np.tile(0.5 * w / panels, panels)


@dataclass(frozen=True, slots=True)
class Absorption:
    """Absorption coefficients: one that is the same everywhere, and one that follows a profile.

    Attributes
    ----------
    uniform, varying : ndarray, shape (n_energy,)   [kpc^-1]; the second at profile = 1
    profile : callable or None                      of (r, z) [kpc]
    """

    uniform: Array
    varying: Array
    profile: Profile | None = None

    @classmethod
    def none(cls, n_energy: int) -> Absorption:
        """An empty space."""
        return cls(np.zeros(n_energy), np.zeros(n_energy))

    @classmethod
    def by(cls, radiation: RadiationField, energy: Array) -> Absorption:
        """What a radiation field absorbs at the energies [GeV]; its photons taken as isotropic everywhere."""
        parts = {True: np.zeros(energy.size), False: np.zeros(energy.size)}
        for part in radiation.parts:
            parts[part.uniform] += greybody_absorption(energy, part.temperature, part.dilution)
        return cls(parts[True], parts[False], radiation.profile if parts[False].any() else None)

    def tables(self, longest: float) -> tuple[Array, Array]:
        """exp(-K s) at multiples of STEP up to `longest` [kpc]: of the uniform part and of the other."""
        s = STEP * np.arange(int(np.ceil(longest / STEP)) + 2)
        nothing = np.ones((1, self.uniform.size))
        near = np.exp(-np.outer(s, self.uniform)) if self.uniform.any() else nothing
        far = np.exp(-np.outer(s, self.varying)) if self.varying.any() else nothing
        return near, far

"""Continuous energy losses of electrons and positrons in gas, magnetic field and radiation.

Ionisation, Coulomb losses and bremsstrahlung: Ginzburg 1979 and Strong & Moskalenko 1998, ApJ 509, 212,
Appendix C. Inverse Compton with the full Klein-Nishina cross section: Jones 1968, Phys. Rev. 167, 1159;
Moderski et al. 2005, MNRAS 363, 954. All functions return losses -dE/dt as positive numbers [GeV/Myr],
momentum first. Bremsstrahlung at high energy, and inverse Compton deep in the Klein-Nishina range, take
large parts of the energy at once; here they are the mean loss.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import spence

from cyldiff import constants as const
from cyldiff.galaxy.gas import GasModel
from cyldiff.galaxy.magnetic_field import MagneticField
from cyldiff.galaxy.radiation_field import Greybody, RadiationField
from cyldiff.grid import Kinematics, per_momentum

__all__ = [
    "Medium",
    "bremsstrahlung_ionised",
    "bremsstrahlung_neutral",
    "coulomb_loss",
    "energy_loss",
    "inverse_compton_loss",
    "ionisation_loss",
    "klein_nishina_factor",
    "local_medium",
    "momentum_loss_rate",
    "synchrotron_loss",
]

Array = NDArray[np.float64]

#: alpha r_e^2 c m_e [GeV cm^3 / Myr]: the scale of bremsstrahlung
_BREMSSTRAHLUNG = (
    const.FINE_STRUCTURE
    * const.CLASSICAL_ELECTRON_RADIUS_CM**2
    * const.SPEED_OF_LIGHT_CM_S
    * const.MYR_S
    * const.ELECTRON_MASS
)
#: (4/3) sigma_T c [cm^3 / Myr]: times an energy density, the loss of an electron at gamma beta = 1
_THOMSON = 4.0 / 3.0 * const.THOMSON_CM2 * const.SPEED_OF_LIGHT_CM_S * const.MYR_S
#: Lorentz factors between which neutral atoms turn from unscreened to fully screened (S&M 1998, Appendix C)
_SCREENING = (100.0, 800.0)
#: below, f_KN is a power series: its closed form subtracts terms of order 1 to reach b^3
_SERIES = 0.05
_TERMS = np.arange(14)


def _series_coefficients() -> Array:
    """Coefficients of f_KN in b, from those of ln(1 + b), 1/(1 + b)^2 and Li2(-b)."""
    m = _TERMS + 3.0
    sign = np.where(_TERMS % 2 == 0, -1.0, 1.0)
    return 9.0 * sign * (0.5 / (m - 1.0) - 6.0 / m + 6.0 / (m + 1.0) - (m - 2.0) / 12.0 + 2.0 / m**2)


_COEFFICIENTS = _series_coefficients()
#: Gauss-Legendre points in ln(eps / kT) of the average over black-body radiation, and their range
_PLANCK_POINTS, _PLANCK_RANGE = 160, (1.0e-6, 60.0)


@dataclass(frozen=True, slots=True)
class Medium:
    """What electrons lose energy in; arrays of one shape in space, or plain numbers.

    Attributes
    ----------
    neutral, ionised : H atoms and free electrons [cm^-3]
    helium_fraction : He atoms per H atom
    magnetic : energy density of the magnetic field, B^2 / 8 pi [GeV/cm^3]
    radiation : greybodies
    profile : what those that are not uniform are multiplied by
    """

    neutral: ArrayLike = 0.0
    ionised: ArrayLike = 0.0
    helium_fraction: float = 0.0
    magnetic: ArrayLike = 0.0
    radiation: tuple[Greybody, ...] = ()
    profile: ArrayLike = field(default=1.0)


def local_medium(
    r: float,
    z: float,
    *,
    gas: GasModel | None = None,
    magnetic_field: MagneticField | None = None,
    radiation_field: RadiationField | None = None,
) -> Medium:
    """The medium at a place [kpc]; what is not given is not there."""
    return Medium(
        neutral=float(gas.neutral(r, z)) if gas else 0.0,
        ionised=float(gas.ionised(r, z)) if gas else 0.0,
        helium_fraction=gas.helium_fraction if gas else 0.0,
        magnetic=float(magnetic_field.energy_density(r, z)) if magnetic_field else 0.0,
        radiation=radiation_field.at(r, z) if radiation_field else (),
    )


def ionisation_loss(lepton: Kinematics, helium_fraction: float) -> Array:
    """Per H atom of neutral gas [GeV cm^3 / Myr], shape (n_p,).

    (2 K / beta) {(1 + 2 f) [ln(t^2 (t + 2) / 2) + (t^2/8 - (2t + 1) ln 2)/(t + 1)^2 + 1/gamma^2]
    - 2 ln(I_H / m) - 4 f ln(I_He / m)}, t = gamma - 1 (Ginzburg 1979; Strong & Moskalenko 1998, Appendix C).
    """
    t, gamma = lepton.gamma - 1.0, lepton.gamma
    bracket = np.log(0.5 * t * t * (t + 2.0))
    bracket += (t * t / 8.0 - (2.0 * t + 1.0) * math.log(2.0)) / gamma**2 + 1.0 / gamma**2
    potentials = 2.0 * math.log(const.IONISATION_POTENTIAL_H / const.ELECTRON_MASS)
    potentials += 4.0 * helium_fraction * math.log(const.IONISATION_POTENTIAL_HE / const.ELECTRON_MASS)
    total = (1.0 + 2.0 * helium_fraction) * bracket - potentials
    # near the ionisation potential the formula ends: no energy gain
    return 2.0 * const.STOPPING_SCALE / lepton.beta * np.maximum(total, 0.0)


def coulomb_loss(lepton: Kinematics, electron_density: ArrayLike) -> Array:
    """In a plasma of the given density [cm^-3], shape (n_p, ...) [GeV/Myr].

    (2 K n_e / beta) {ln[gamma m^2 / (4 pi r_e (hbar c)^2 n_e)] - 3/4} (Strong & Moskalenko 1998, Appendix C).
    """
    density = np.asarray(electron_density, dtype=float)
    argument = lepton.gamma * const.ELECTRON_MASS**2
    argument /= 4.0 * math.pi * const.CLASSICAL_ELECTRON_RADIUS_CM * const.HBAR_C_GEV_CM**2
    logarithm = _column(np.log(argument) - 0.75, density) - np.log(np.maximum(density, 1e-30))
    return _column(2.0 * const.STOPPING_SCALE / lepton.beta, density) * np.maximum(logarithm, 0.0) * density


def bremsstrahlung_neutral(lepton: Kinematics, helium_fraction: float) -> Array:
    """Per H atom of neutral gas [GeV cm^3 / Myr], shape (n_p,).

    Unscreened up to gamma = 100, 4 alpha r_e^2 c m gamma (2 + 6 f) (ln 2 gamma - 1/3); fully screened from
    800 on, E c sum_s n_s m_s / T_s with the radiation lengths T_s (Strong & Moskalenko 1998, Appendix C).
    Between both the loss per energy is linear in ln gamma, which is how screening sets in.
    """
    gamma = lepton.gamma
    low, high = _SCREENING
    screened = const.HYDROGEN_MASS_G / const.RADIATION_LENGTH_H
    screened += helium_fraction * const.HELIUM_MASS_G / const.RADIATION_LENGTH_HE
    screened *= const.SPEED_OF_LIGHT_CM_S * const.MYR_S * const.ELECTRON_MASS

    def bare(g: ArrayLike) -> Array:
        weight = 4.0 * _BREMSSTRAHLUNG * (2.0 + 6.0 * helium_fraction)
        return weight * np.maximum(np.log(2.0 * np.asarray(g, dtype=float)) - 1.0 / 3.0, 0.0)

    share = np.clip(np.log(gamma / low) / math.log(high / low), 0.0, 1.0)
    per_gamma = (1.0 - share) * bare(np.minimum(gamma, low)) + share * screened
    return gamma * per_gamma


def bremsstrahlung_ionised(lepton: Kinematics) -> Array:
    """Per free electron (and its proton) of a plasma [GeV cm^3 / Myr], shape (n_p,).

    8 alpha r_e^2 c m gamma (ln 2 gamma - 1/3) (Strong & Moskalenko 1998, Appendix C): no screening.
    """
    gamma = lepton.gamma
    return 8.0 * _BREMSSTRAHLUNG * gamma * np.maximum(np.log(2.0 * gamma) - 1.0 / 3.0, 0.0)


def synchrotron_loss(lepton: Kinematics) -> Array:
    """Per energy density B^2 / 8 pi of the field [cm^3 / Myr], shape (n_p,).

    (4/3) sigma_T c (gamma beta)^2 u_B, averaged over pitch angles (Ginzburg 1979).
    """
    return _THOMSON * (lepton.gamma * lepton.beta) ** 2


def klein_nishina_factor(b: ArrayLike) -> Array:
    """Loss by inverse Compton scattering relative to the Thomson one, b = 4 gamma eps / m.

    f = 9 g / b^3, g = (b/2 + 6 + 6/b) ln(1 + b) - (11 b^3/12 + 6 b^2 + 9 b + 4)/(1 + b)^2 - 2 + 2 Li2(-b)
    (Jones 1968; Moderski et al. 2005, Appendix C). 1 - 63 b / 40 for small b, (9 / 2 b^2)(ln b - 11/6) for large.
    """
    b = np.asarray(b, dtype=float)
    small = b < _SERIES
    x = np.where(small, 1.0, b)
    g = (0.5 * x + 6.0 + 6.0 / x) * np.log1p(x) - 2.0 + 2.0 * spence(1.0 + x)
    g -= (11.0 / 12.0 * x**3 + 6.0 * x**2 + 9.0 * x + 4.0) / (1.0 + x) ** 2
    series = np.polynomial.polynomial.polyval(np.where(small, b, 0.0), _COEFFICIENTS)
    return np.where(small, series, 9.0 * g / x**3)


def inverse_compton_loss(lepton: Kinematics, radiation: Sequence[Greybody]) -> Array:
    """In greybodies of the densities they have at the Sun, shape (n_p,) [GeV/Myr].

    (4/3) sigma_T c (gamma beta)^2 int u(eps) f_KN(4 gamma eps / m) d eps.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_PLANCK_POINTS)
    low, high = np.log(_PLANCK_RANGE)
    x = np.exp(0.5 * (low + high) + 0.5 * (high - low) * nodes)
    planck = 0.5 * (high - low) * weights * x**4 / np.expm1(x) * 15.0 / math.pi**4
    total = np.zeros(len(lepton.kinetic_energy))
    for part in radiation:
        b = 4.0 * lepton.gamma[:, None] * x * (part.thermal_energy / const.ELECTRON_MASS)
        total += part.energy_density * (klein_nishina_factor(b) @ planck)
    return _THOMSON * (lepton.gamma * lepton.beta) ** 2 * total


def energy_loss(lepton: Kinematics, medium: Medium) -> Array:
    """All losses together.

    Parameters
    ----------
    lepton : Kinematics of shape (n_p,)

    Returns
    -------
    ndarray, shape (n_p, *shape of the medium)   -dE/dt [GeV/Myr]
    """
    neutral, ionised, magnetic, profile = np.broadcast_arrays(
        *(
            np.asarray(a, dtype=float)
            for a in (medium.neutral, medium.ionised, medium.magnetic, medium.profile)
        )
    )
    in_neutral = ionisation_loss(lepton, medium.helium_fraction)
    in_neutral = in_neutral + bremsstrahlung_neutral(lepton, medium.helium_fraction)
    same = inverse_compton_loss(lepton, [part for part in medium.radiation if part.uniform])
    varying = inverse_compton_loss(lepton, [part for part in medium.radiation if not part.uniform])
    total = coulomb_loss(lepton, ionised)
    for per_unit, amount in (
        (in_neutral, neutral),
        (bremsstrahlung_ionised(lepton), ionised),
        (synchrotron_loss(lepton), magnetic),
        (varying, profile),
    ):
        total += _column(per_unit, amount) * amount
    return np.asarray(total + _column(same, neutral))


def momentum_loss_rate(lepton: Kinematics, medium: Medium) -> Array:
    """Rate b = -(dp/dt)/p = (dE/dt)/(beta p) [1/Myr], shape (n_p, *shape of the medium)."""
    loss = energy_loss(lepton, medium)
    return loss / per_momentum(lepton.beta * lepton.momentum, loss.ndim - 1)


def _column(per_momentum_values: Array, in_space: Array) -> Array:
    return per_momentum(per_momentum_values, in_space.ndim)

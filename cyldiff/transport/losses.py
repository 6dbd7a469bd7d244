"""Continuous energy losses of nuclei: ionisation of neutral gas and Coulomb losses in plasma.

Mannheim & Schlickeiser 1994, A&A 286, 983, Eqs. 4.24 and 4.22; Strong & Moskalenko 1998,
ApJ 509, 212, Appendix C. Momentum losses are given as a rate b = -(dp/dt)/p.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.grid import Kinematics, per_momentum

__all__ = ["coulomb_energy_loss", "ionisation_energy_loss", "momentum_loss_rate"]

Array = NDArray[np.float64]


def ionisation_energy_loss(nucleus: Kinematics, helium_fraction: float) -> Array:
    """-dE/dt per H atom of neutral gas [GeV cm^3 / Myr], per nucleus, shape (n_p,).

    (2 K Z^2/beta) sum_s n_s B_s, B_s = ln(2 m_e b^2 g^2 Q_max / I_s^2) - 2 b^2.
    """
    beta, gamma = nucleus.beta, nucleus.gamma
    mass = nucleus.mass_number * nucleus.mass_per_nucleon
    x = 2.0 * const.ELECTRON_MASS * (beta * gamma) ** 2
    q_max = x / (1.0 + 2.0 * gamma * const.ELECTRON_MASS / mass)
    total = np.zeros_like(beta)
    for share, energy in ((1.0, const.IONISATION_ENERGY_H), (helium_fraction, const.IONISATION_ENERGY_HE)):
        # below the validity of the Bethe formula the bracket would turn negative: no energy gain
        total += share * np.maximum(np.log(x * q_max / energy**2) - 2.0 * beta**2, 0.0)
    return 2.0 * const.STOPPING_SCALE * nucleus.charge**2 / beta * total


def coulomb_energy_loss(nucleus: Kinematics, electron_density: Array) -> Array:
    """-dE/dt in a plasma of the given density [GeV/Myr], per nucleus.

    (4 K Z^2 n_e / beta) L beta^3/(x_m^3 + beta^3); the Coulomb logarithm L depends on n_e weakly.

    Parameters
    ----------
    nucleus : Kinematics of shape (n_p,)
    electron_density : ndarray, any shape in space   [cm^-3]; zero is allowed

    Returns
    -------
    ndarray, shape (n_p, ...)
    """
    beta, gamma = nucleus.beta, nucleus.gamma
    mass = nucleus.mass_number * nucleus.mass_per_nucleon
    thermal = 2.0 * const.BOLTZMANN_GEV_K * const.ELECTRON_TEMPERATURE_K / const.ELECTRON_MASS
    x_m3 = 0.75 * math.sqrt(math.pi) * thermal**1.5
    shape = 4.0 * const.STOPPING_SCALE * nucleus.charge**2 / beta * beta**3 / (x_m3 + beta**3)
    argument = (const.ELECTRON_MASS * gamma) ** 2 * beta**4 * mass
    argument /= (
        math.pi
        * const.CLASSICAL_ELECTRON_RADIUS_CM
        * const.HBAR_C_GEV_CM**2
        * (mass + 2.0 * gamma * const.ELECTRON_MASS)
    )
    density = np.asarray(electron_density, dtype=float)
    safe = np.maximum(density, 1e-30)
    space = density.ndim
    logarithm = 0.5 * (per_momentum(np.log(argument), space) - np.log(safe))
    return per_momentum(shape, space) * np.maximum(logarithm, 0.0) * density


def momentum_loss_rate(
    nucleus: Kinematics, *, neutral: Array, ionised: Array, helium_fraction: float
) -> Array:
    """Rate b = -(dp/dt)/p = (dE/dt)/(beta p) of ionisation and Coulomb losses [1/Myr].

    Parameters
    ----------
    neutral, ionised : ndarray, any shape in space   H atoms and free electrons [cm^-3]

    Returns
    -------
    ndarray, shape (n_p, ...)
    """
    space = neutral.ndim
    ionisation = per_momentum(ionisation_energy_loss(nucleus, helium_fraction), space) * neutral
    energy_loss = ionisation + coulomb_energy_loss(nucleus, ionised)
    return energy_loss / per_momentum(nucleus.beta * nucleus.momentum, space)

"""Ionisation and Coulomb losses against numbers computed independently, and their scalings."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff.grid import Kinematics
from cyldiff.transport.losses import coulomb_energy_loss, ionisation_energy_loss, momentum_loss_rate

#: GeV/Myr in eV/s
EV_PER_S = 1e9 / const.MYR_S


def proton(*energies):
    return Kinematics(np.array(energies), 1, 1, const.PROTON_MASS)


def nucleus(charge, mass_number, *energies):
    return Kinematics(np.array(energies), charge, mass_number, const.ATOMIC_MASS_UNIT)


def test_protons():
    """n_HI = 1, He/H = 0.11, n_e = 0.03 per cm^3, at 0.1, 1 and 10 GeV [eV/s]."""
    p = proton(0.1, 1.0, 10.0)
    np.testing.assert_allclose(
        ionisation_energy_loss(p, 0.11) * EV_PER_S, [3.619e-7, 2.177e-7, 2.506e-7], rtol=1e-3
    )
    coulomb = coulomb_energy_loss(p, np.array([[0.03]]))[:, 0, 0] * EV_PER_S
    np.testing.assert_allclose(coulomb, [4.07e-8, 2.10e-8, 1.94e-8], rtol=3e-3)


def test_carbon():
    """36 times a proton of the same speed, but for the mass in the largest transfer."""
    carbon = ionisation_energy_loss(nucleus(6, 12, 1.0), 0.11)[0] * EV_PER_S
    assert carbon == pytest.approx(7.84e-6, rel=2e-3)


def test_scaling_with_charge_and_density():
    iron = ionisation_energy_loss(nucleus(26, 56, 0.1, 1.0), 0.1)
    argon = ionisation_energy_loss(nucleus(13, 56, 0.1, 1.0), 0.1)
    np.testing.assert_allclose(iron / argon, 4.0, rtol=1e-12)
    thin, thick = (coulomb_energy_loss(proton(1.0), np.array([[n]]))[0, 0, 0] for n in (1e-3, 1e-2))
    # linear up to the logarithm (about 80)
    assert 9.5 < thick / thin < 10.0


def test_no_gas_no_losses():
    nothing = np.zeros((2, 3))
    rate = momentum_loss_rate(proton(0.01, 1.0), neutral=nothing, ionised=nothing, helium_fraction=0.1)
    np.testing.assert_array_equal(rate, np.zeros((2, 2, 3)))


def test_no_energy_gain_below_the_bethe_formula():
    energies = np.geomspace(1e-6, 1.0, 61)
    loss = ionisation_energy_loss(Kinematics(energies, 26, 56, const.ATOMIC_MASS_UNIT), 0.1)
    assert np.all(loss >= 0.0)
    assert np.all(coulomb_energy_loss(Kinematics(energies, 1, 1, const.PROTON_MASS), np.ones((1, 1))) >= 0.0)


def test_rate_in_momentum():
    """b = (dE/dt) / (beta p), per nucleus; ionisation of H alone at 1 GeV/n of carbon."""
    carbon = nucleus(6, 12, 1.0)
    neutral, ionised = np.array([[0.7, 0.0]]), np.array([[0.0, 0.2]])
    rate = momentum_loss_rate(carbon, neutral=neutral, ionised=ionised, helium_fraction=0.11)
    energy = carbon.beta[0] * carbon.momentum[0]
    assert rate[0, 0, 0] == pytest.approx(0.7 * ionisation_energy_loss(carbon, 0.11)[0] / energy, rel=1e-12)
    assert rate[0, 0, 1] == pytest.approx(coulomb_energy_loss(carbon, ionised)[0, 0, 1] / energy, rel=1e-12)
    # 4e-3 per Myr and unit density: losses take a Gyr / 4 at 1 GeV/n
    assert rate[0, 0, 0] / 0.7 == pytest.approx(1.4e-2, rel=0.2)


def test_losses_fall_with_energy_as_the_inverse_square_at_first():
    """dE/dt ~ 1/beta: below the minimum, b ~ 1/(beta^2 p)."""
    p = proton(0.02, 0.04)
    rate = momentum_loss_rate(p, neutral=np.ones((1, 1)), ionised=np.zeros((1, 1)), helium_fraction=0.0)[
        :, 0, 0
    ]
    expected = (p.beta**2 * p.momentum)[1] / (p.beta**2 * p.momentum)[0]
    assert rate[0] / rate[1] == pytest.approx(expected, rel=0.12)

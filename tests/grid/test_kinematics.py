"""Kinematics of nuclei against identities and a few numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyldiff.constants import ATOMIC_MASS_UNIT, ELECTRON_MASS, PROTON_MASS
from cyldiff.grid import Kinematics, kinetic_energy_of_rigidity

ENERGY = np.geomspace(1e-3, 1e9, 241)


def test_proton_of_one_gev():
    proton = Kinematics(np.array([1.0]), 1, 1, PROTON_MASS)
    assert proton.momentum[0] == pytest.approx(1.696038, rel=1e-6)
    assert proton.rigidity[0] == proton.momentum[0]
    assert proton.beta[0] == pytest.approx(0.875026, rel=1e-6)
    assert proton.gamma[0] == pytest.approx(2.065789, rel=1e-6)


@pytest.mark.parametrize(("charge", "mass_number"), [(1, 1), (2, 4), (6, 12), (26, 56)])
def test_identities(charge, mass_number):
    k = Kinematics(ENERGY, charge, mass_number, ATOMIC_MASS_UNIT)
    total = mass_number * (ENERGY + ATOMIC_MASS_UNIT)
    np.testing.assert_allclose(k.momentum**2 + (mass_number * ATOMIC_MASS_UNIT) ** 2, total**2, rtol=1e-12)
    np.testing.assert_allclose(k.beta, k.momentum / total, rtol=1e-12)
    np.testing.assert_allclose(1.0 / k.gamma**2 + k.beta**2, 1.0, rtol=1e-12)
    np.testing.assert_allclose(k.rigidity * charge, k.momentum, rtol=1e-14)


def test_derivatives():
    """d ln p / d ln T and p beta / A = p dT/dp against central differences."""
    up, down = (Kinematics(ENERGY * f, 6, 12, ATOMIC_MASS_UNIT) for f in (1.0 + 1e-5, 1.0 - 1e-5))
    k = Kinematics(ENERGY, 6, 12, ATOMIC_MASS_UNIT)
    step = np.log((1.0 + 1e-5) / (1.0 - 1e-5))
    np.testing.assert_allclose(k.dlnp_dlnT, np.log(up.momentum / down.momentum) / step, rtol=1e-8)
    np.testing.assert_allclose(k.momentum_per_energy, ENERGY / k.dlnp_dlnT, rtol=1e-12)


@given(st.floats(1e-3, 1e9), st.sampled_from([(1, 1), (2, 3), (2, 4), (26, 56)]))
def test_rigidity_inverts_exactly(energy, nucleus):
    charge, mass_number = nucleus
    k = Kinematics(np.array([energy]), charge, mass_number, ATOMIC_MASS_UNIT)
    back = kinetic_energy_of_rigidity(
        k.rigidity, charge=charge, mass_number=mass_number, mass_per_nucleon=ATOMIC_MASS_UNIT
    )
    assert back[0] == pytest.approx(energy, rel=1e-12)


def test_negative_charge_has_positive_rigidity():
    assert Kinematics(np.array([1.0]), -1, 1, PROTON_MASS).rigidity[0] > 0.0


def test_the_same_nucleus_elsewhere():
    k = Kinematics(ENERGY, 6, 12, ATOMIC_MASS_UNIT)
    other = k.at(np.array([5.0]))
    assert (other.charge, other.mass_number) == (6, 12)
    assert other.kinetic_energy.tolist() == [5.0]


@pytest.mark.parametrize("charge", [-1, 1])
def test_leptons_count_as_one_particle(charge):
    """A = 0: p = R = sqrt(T (T + 2 m)), energies per particle."""
    k = Kinematics(ENERGY, charge, 0, ELECTRON_MASS)
    assert k.is_lepton
    assert not Kinematics(ENERGY, 1, 1, PROTON_MASS).is_lepton
    np.testing.assert_allclose(k.momentum**2 + ELECTRON_MASS**2, (ENERGY + ELECTRON_MASS) ** 2, rtol=1e-12)
    np.testing.assert_array_equal(k.rigidity, k.momentum)
    np.testing.assert_allclose(k.momentum_per_energy, ENERGY / k.dlnp_dlnT, rtol=1e-12)
    back = kinetic_energy_of_rigidity(
        k.rigidity, charge=charge, mass_number=0, mass_per_nucleon=ELECTRON_MASS
    )
    np.testing.assert_allclose(back, ENERGY, rtol=1e-12)

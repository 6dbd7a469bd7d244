"""Synchrotron radiation of one electron: its spectrum averaged over pitch angles, and the energy it carries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gamma, kv

from cyldiff import constants as const
from cyldiff.particles.synchrotron import (
    critical_energy,
    emission_function,
    exact_emission_function,
    synchrotron_rate,
)
from cyldiff.sources.cooling import electron
from cyldiff.transport.lepton_losses import synchrotron_loss


def one_pitch_angle(x):
    """F(x) = x int_x^inf K_5/3."""
    return x * quad(lambda u: kv(5.0 / 3.0, u), x, x + 60.0, epsrel=1e-10, limit=200)[0]


@pytest.mark.parametrize("x", [0.01, 0.3, 1.0, 5.0])
def test_it_is_the_average_over_pitch_angles(x):
    """G(x) = int_0^pi/2 sin^2(theta) F(x / sin theta) d theta."""
    expected, _ = quad(
        lambda t: np.sin(t) ** 2 * one_pitch_angle(x / np.sin(t)), 0.05, np.pi / 2.0, epsrel=1e-8
    )
    expected += quad(lambda t: np.sin(t) ** 2 * one_pitch_angle(x / np.sin(t)), 1e-3, 0.05)[0]
    assert float(exact_emission_function(x)) == pytest.approx(expected, rel=1e-5)


def test_fit_of_the_paper():
    """Eq. D7 is good to 0.2 %."""
    x = np.geomspace(1e-8, 50.0, 400)
    np.testing.assert_allclose(emission_function(x), exact_emission_function(x), rtol=2e-3)


def test_low_energies():
    """G ~ x^1/3 with the coefficient of the average of F(x) = 4 pi / (sqrt(3) Gamma(1/3)) (x/2)^1/3."""
    coefficient = 4.0 * np.pi / (np.sqrt(3.0) * gamma(1.0 / 3.0)) * 0.5 ** (1.0 / 3.0)
    mean = quad(lambda t: np.sin(t) ** (5.0 / 3.0), 0.0, np.pi / 2.0)[0]
    assert float(exact_emission_function(1e-9)) == pytest.approx(coefficient * mean * 1e-3, rel=1e-4)


def test_critical_energy():
    """1.737e-8 eV gamma^2 in a field of 1 G."""
    assert float(critical_energy(const.ELECTRON_MASS, 1e6)) * 1e9 == pytest.approx(1.7366e-8, rel=1e-4)


@pytest.mark.parametrize("field", [1.0, 20.0, 1e6])
@pytest.mark.parametrize("energy", [0.1, 1e4])
def test_energy_is_that_of_the_losses(energy, field):
    center = np.log(float(critical_energy(energy, field)))
    total = quad(
        lambda u: np.exp(2.0 * u) * float(synchrotron_rate(np.exp(u), energy, field)),
        center - 25.0, center + 5.0, epsrel=1e-9, limit=200,
    )[0]  # fmt: skip
    per_density = float(synchrotron_loss(electron(np.array([energy - const.ELECTRON_MASS])))[0])
    expected = per_density * const.MICROGAUSS_ENERGY_DENSITY * field**2 / const.MYR_S
    # the fit of G is 0.06 % low in the integral; the electron's beta^2 is 3e-5 from one at 0.1 GeV
    assert total == pytest.approx(expected, rel=1e-3)

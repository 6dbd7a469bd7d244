"""Absorption: attenuation lengths on the CMB, the cross section, a direct double integral."""

import numpy as np
import pytest
from scipy.integrate import dblquad, quad

from cyldiff import constants as const
from cyldiff.constants import CMB_TEMPERATURE_K as CMB_TEMPERATURE
from cyldiff.constants import THOMSON_CM2 as THOMSON
from cyldiff.observables.absorption import (
    cmb_absorption,
    greybody_absorption,
    pair_production,
)

#: attenuation length on the CMB [kpc] at E [PeV]
LENGTHS = {
    0.2: 390.0, 0.3: 72.2, 0.5: 20.3, 1.0: 8.95, 2.0: 7.09, 2.5: 7.10, 3.0: 7.25, 5.0: 8.31, 10.0: 11.4,
}  # fmt: skip


@pytest.mark.parametrize(("energy", "length"), LENGTHS.items())
def test_attenuation_lengths(energy, length):
    assert 1.0 / cmb_absorption(energy * 1e6) == pytest.approx(length, rel=1e-2)


def test_optical_depth_to_the_galactic_centre():
    assert 8.5 * cmb_absorption(1e6) == pytest.approx(0.95, rel=1e-2)


def test_cross_section():
    # largest near s = 2, 0.256 sigma_T = 1.70e-25 cm^2 (Gould & Schreder 1967)
    s = np.linspace(1.0, 5.0, 4001)
    sigma = pair_production(s)
    assert sigma.max() * THOMSON == pytest.approx(1.70e-25, rel=5e-3)
    assert s[sigma.argmax()] == pytest.approx(2.0, abs=0.1)
    assert pair_production([0.5, 1.0]) == pytest.approx([0.0, 0.0])
    # far above: (3/8s)(ln 4s - 1)
    assert pair_production(1e8) == pytest.approx(3 / 8e8 * (np.log(4e8) - 1), rel=1e-6)


@pytest.mark.parametrize(
    ("energy", "temperature"), [(3e5, CMB_TEMPERATURE), (1e6, CMB_TEMPERATURE), (2e4, 33.0)]
)
def test_against_the_double_integral(energy, temperature):
    kt = const.BOLTZMANN_GEV_K * temperature
    unit = energy * kt / const.ELECTRON_MASS**2

    def integrand(mu, log_x):
        x = np.exp(log_x)
        s = 0.5 * unit * x * (1.0 - mu)
        return x**3 / np.expm1(x) * 0.5 * (1.0 - mu) * float(pair_production(s))

    lowest = np.log(1.0 / unit)
    value, _ = dblquad(
        integrand, lowest, np.log(60.0), lambda u: -1.0, lambda u: 1.0 - 2.0 / (unit * np.exp(u)),
        epsabs=0.0, epsrel=1e-6,
    )  # fmt: skip
    expected = value / np.pi**2 * (kt / const.HBAR_C_GEV_CM) ** 3 * THOMSON * const.KPC_CM
    assert greybody_absorption(energy, temperature) == pytest.approx(expected, rel=1e-4)


def test_photon_number_far_above_threshold():
    # at E eps >> m^2 the mean of (1 - mu) sigma is slowly varying; its scale is the number of photons
    kt = const.BOLTZMANN_GEV_K * CMB_TEMPERATURE
    number, _ = quad(lambda x: x**2 / np.expm1(x), 0.0, 60.0)
    density = number / np.pi**2 * (kt / const.HBAR_C_GEV_CM) ** 3
    assert density == pytest.approx(410.7, rel=2e-3)  # per cm^3 (Fixsen 2009)
    assert greybody_absorption(1e6, CMB_TEMPERATURE, 0.25) == pytest.approx(0.25 * cmb_absorption(1e6))


def test_no_absorption_below_threshold():
    k = cmb_absorption([1.0, 1e3, 1e4, 1e5, 1e12])
    assert k[0] == 0.0
    assert np.all(np.diff(k[:4]) >= 0.0)
    assert np.all(np.isfinite(k))
    assert 8.0 * k[3] < 2e-4

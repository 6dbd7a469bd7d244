"""Bremsstrahlung against printed scattering functions, radiation lengths, closed forms and the mean energy loss."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from cyldiff import constants as const
from cyldiff.grid import Kinematics
from cyldiff.particles.bremsstrahlung import bremsstrahlung_cross_section, scattering_functions
from cyldiff.transport.lepton_losses import bremsstrahlung_ionised, bremsstrahlung_neutral

#: Blumenthal & Gould 1970, Table II: hydrogen; Delta = delta / 2 alpha
PRINTED = np.array(
    [(0.0, 45.79, 44.46), (0.01, 45.43, 44.38), (0.1, 42.64, 42.49), (0.5, 34.97, 34.93), (1.0, 29.97, 29.78),
     (2.0, 24.73, 24.34), (5.0, 18.09, 17.28), (10.0, 13.65, 12.41)]
)  # fmt: skip


def test_hydrogen_as_printed():
    first, second = scattering_functions(2.0 * const.FINE_STRUCTURE * PRINTED[:, 0], "H")
    assert first == pytest.approx(PRINTED[:, 1], rel=1e-3)
    assert second == pytest.approx(PRINTED[:, 2], rel=1e-3)


@pytest.mark.parametrize(("target", "weight", "printed"), [("H", 1.00794, 63.04), ("He", 4.002602, 94.32)])
def test_radiation_lengths(target, weight, printed):
    """Of the Particle Data Group 2022 [g/cm^2]: 1/X0 = (N_A/A) alpha r_e^2 [(4/3) phi_1 - phi_2 / 3], screened."""
    first, second = scattering_functions(0.0, target)
    area = const.FINE_STRUCTURE * const.CLASSICAL_ELECTRON_RADIUS_CM**2 * (4.0 * first - second) / 3.0
    assert weight / (6.02214076e23 * area) == pytest.approx(printed, rel=0.012)


@pytest.mark.parametrize(("target", "charges"), [("H", 2.0), ("He", 6.0)])
def test_atoms_far_inside_their_electrons_are_bare(target, charges):
    """Above delta >> 2 alpha nothing screens: the integrals with S = Z^2 + Z in closed form."""
    d = np.array([0.2, 0.3, 0.5, 0.8])
    logarithm = -np.log(d)
    expected = 4.0 * charges * (logarithm - 0.5 + 2.0 * d - 0.5 * d**2)
    first, second = scattering_functions(d, target)
    assert first == pytest.approx(expected, rel=1e-3)
    cubes = 0.25 - (2.0 * logarithm + 1.0) * d**2 / 4.0
    expected = logarithm - 6.0 * cubes + 1.5 * (1.0 - d**2) - 4.0 / 3.0 * (1.0 - d**3) + 5.0 / 6.0
    assert second == pytest.approx(4.0 * charges * expected, rel=1e-3)


def test_helium_by_quadrature():
    d = 3e-4
    scale = 2.0 * const.FINE_STRUCTURE * 27.0 / 16.0

    def scattered(q):
        f = (1.0 + (q / scale) ** 2) ** -2
        return (2.0 - 2.0 * f) ** 2 + 2.0 - 2.0 * f**2  # nucleus and electrons, and electrons one by one

    first = quad(lambda x: (np.exp(x) - d) ** 2 * scattered(np.exp(x)) * np.exp(-2.0 * x), np.log(d), 0.0)[0]
    assert scattering_functions(d, "He")[0] == pytest.approx(4.0 * (first + 6.0), rel=1e-7)


ENERGY = np.geomspace(0.01, 1e5, 15)


def radiated(target):
    """int k d sigma/dk dk times c [GeV cm^3 / Myr]; both ends of the spectrum resolved."""
    x, w = np.polynomial.legendre.leggauss(400)
    u = 40.0 * x
    top = ENERGY[:, None]
    k = top / (1.0 + np.exp(-u))
    sigma = bremsstrahlung_cross_section(k, top + const.ELECTRON_MASS, target)
    total = np.sum(40.0 * w * k * sigma * k / (1.0 + np.exp(u)), axis=1)
    return total * const.SPEED_OF_LIGHT_CM_S * const.MYR_S


def test_photons_carry_what_electrons_lose():
    electron = Kinematics(ENERGY, -1, 0, const.ELECTRON_MASS)
    plasma = radiated("ionised") / bremsstrahlung_ionised(electron)
    assert plasma[0] == pytest.approx(1.0, abs=0.02)
    assert plasma[ENERGY > 0.1] == pytest.approx(1.0, abs=5e-4)
    for helium in (0.0, 0.1):
        neutral = (radiated("H") + helium * radiated("He")) / bremsstrahlung_neutral(electron, helium)
        assert neutral[ENERGY > 9.0] == pytest.approx(1.0, abs=0.007)
        assert neutral[ENERGY > 0.9] == pytest.approx(1.0, abs=0.04)
        # where screening sets in, the losses interpolate between two forms
        assert neutral == pytest.approx(1.0, abs=0.09)


def test_no_photon_beyond_the_electron():
    sigma = bremsstrahlung_cross_section([0.1, 0.9, 0.9996, 1.0, 2.0], 1.0, "H")
    assert np.all(sigma[:2] > 0.0)
    assert np.all(sigma[2:] == 0.0)
    # soft photons: k d sigma/dk is the same for all
    soft = np.array([1e-9, 1e-6])
    assert np.ptp(soft * bremsstrahlung_cross_section(soft, 100.0, "He")) < 1e-30

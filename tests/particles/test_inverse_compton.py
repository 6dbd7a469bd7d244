"""Inverse Compton scattering off one electron: the kernel, its integral over black bodies, the energy it carries."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from cyldiff import constants as const
from cyldiff.galaxy.radiation_field import Greybody
from cyldiff.particles.inverse_compton import greybody_scattering, line_scattering, lowest_target
from cyldiff.sources.cooling import electron
from cyldiff.transport.lepton_losses import inverse_compton_loss, klein_nishina_factor

THOMSON = 8.0 * np.pi / 3.0 * const.CLASSICAL_ELECTRON_RADIUS_CM**2 * const.SPEED_OF_LIGHT_CM_S


def over_lines(photon, electron_energy, temperature):
    """The same as greybody_scattering, by quadrature over the photons."""
    kt = const.BOLTZMANN_GEV_K * temperature

    def integrand(u):
        eps = np.exp(u)
        density = eps**2 / np.expm1(np.minimum(eps / kt, 700.0)) / (np.pi**2 * const.HBAR_C_GEV_CM**3)
        return eps * density * float(line_scattering(photon, electron_energy, eps))

    low = np.log(lowest_target(photon, electron_energy))
    edges = np.linspace(low, max(low + 1e-3, np.log(80.0 * kt)), 12)
    return sum(quad(integrand, a, b, epsabs=0.0, epsrel=1e-9)[0] for a, b in pairwise(edges))


class TestLines:
    def test_thomson_limit(self):
        """Number and mean energy of the photons: sigma_T c n and (4/3) gamma^2 eps."""
        energy, eps = 1.0, 1e-15
        gamma = energy / const.ELECTRON_MASS

        def moment(power):
            return quad(
                lambda x: x**power * float(line_scattering(4.0 * gamma**2 * eps * x, energy, eps)), 1e-9, 1.0
            )[0]

        scale = 4.0 * gamma**2 * eps
        assert scale * moment(0) == pytest.approx(THOMSON, rel=1e-4)
        assert scale**2 * moment(1) == pytest.approx(THOMSON * 4.0 / 3.0 * gamma**2 * eps, rel=1e-4)

    @pytest.mark.parametrize("b", [1e-3, 0.1, 1.0, 10.0, 1e3])
    def test_energy_is_that_of_the_losses(self, b):
        """Integrated over the photons, the kernel is f_KN(b) of the loss rate."""
        eps = 1e-12
        gamma = b * const.ELECTRON_MASS / (4.0 * eps)
        energy = gamma * const.ELECTRON_MASS

        def integrand(y):
            """In y = ln(E_g / (E - E_g)), where the spectrum is smooth at the upper end too."""
            photon = energy / (1.0 + np.exp(-y))
            return photon**2 / (1.0 + np.exp(y)) * float(line_scattering(photon, energy, eps))

        top = np.log(b)
        total = sum(
            quad(integrand, lo, hi, epsrel=1e-9)[0] for lo, hi in pairwise(np.linspace(top - 30.0, top, 30))
        )
        expected = 4.0 / 3.0 * THOMSON * gamma**2 * eps * float(klein_nishina_factor(b))
        assert total == pytest.approx(expected, rel=1e-4)

    def test_kinematic_limit(self):
        """Nothing above E b / (1 + b)."""
        energy, eps = 1e4, 1e-10
        b = 4.0 * eps * energy / const.ELECTRON_MASS**2
        largest = energy * b / (1.0 + b)
        assert line_scattering(0.999 * largest, energy, eps) > 0.0
        assert line_scattering(1.001 * largest, energy, eps) == 0.0
        assert lowest_target(largest, energy) == pytest.approx(eps, rel=1e-9)

    def test_no_photon_above_the_electron(self):
        assert line_scattering(2.0, 1.0, 1e-9) == 0.0
        assert greybody_scattering(2.0, 1.0, temperature=3000.0) == 0.0


class TestGreybodies:
    @pytest.mark.parametrize("temperature", [2.7255, 3000.0])
    @pytest.mark.parametrize(
        ("photon", "energy"), [(1e-3, 10.0), (1.0, 1e3), (100.0, 1e3), (5e4, 1e5), (9.99e4, 1e5)]
    )
    def test_integral_over_the_photons(self, photon, energy, temperature):
        expected = over_lines(photon, energy, temperature)
        found = float(greybody_scattering(photon, energy, temperature=temperature))
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-300)

    @pytest.mark.parametrize("temperature", [2.7255, 30.0, 3000.0])
    @pytest.mark.parametrize("energy", [1.0, 1e2, 1e4, 1e6])
    def test_energy_is_that_of_the_losses(self, energy, temperature):
        body = Greybody(temperature, 0.3)
        kt = body.thermal_energy
        # in ln(E_g / (E - E_g)) the spectrum is smooth at both ends
        lowest = np.log(kt / energy)

        def integrand(y):
            photon = energy / (1.0 + np.exp(-y))
            jacobian = photon / (1.0 + np.exp(y))
            return (
                photon
                * jacobian
                * float(greybody_scattering(photon, energy, temperature=temperature, dilution=0.3))
            )

        edges = np.linspace(lowest, 45.0, 40)
        total = sum(quad(integrand, a, b, epsrel=1e-8)[0] for a, b in pairwise(edges))
        kinetic = np.array([energy - const.ELECTRON_MASS])
        expected = float(inverse_compton_loss(electron(kinetic), [body])[0]) / const.MYR_S
        assert total == pytest.approx(expected, rel=2e-4)

    def test_it_is_proportional_to_the_dilution(self):
        one = greybody_scattering(1.0, 100.0, temperature=30.0)
        assert greybody_scattering(1.0, 100.0, temperature=30.0, dilution=1e-5) == pytest.approx(1e-5 * one)

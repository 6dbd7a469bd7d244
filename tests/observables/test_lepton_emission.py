"""Photons from spectra of electrons against direct integrals."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gamma

from cyldiff import constants as const
from cyldiff.errors import DataError
from cyldiff.galaxy.radiation_field import Delahaye2010, Greybody
from cyldiff.observables.lepton_emission import LeptonEmission
from cyldiff.particles.inverse_compton import greybody_scattering
from cyldiff.particles.synchrotron import synchrotron_rate

GRID = np.geomspace(1e-2, 1e7, 901)


def law(energy):
    return 1e40 * energy**-2.5 * np.exp(-((energy / 3e5) ** 2))


def direct(rate, photon, low=1e-2, high=3e6):
    """int dT N(T) rate(E_g, T)."""
    edges = np.geomspace(max(low, 1e-9), high, 400)
    x, w = np.polynomial.legendre.leggauss(12)
    total = 0.0
    for a, b in pairwise(np.log(edges)):
        t = np.exp(a + 0.5 * (b - a) * (1.0 + x))
        total += np.sum(0.5 * (b - a) * w * t * law(t) * rate(photon, t + const.ELECTRON_MASS))
    return total


@pytest.mark.parametrize("temperature", [2.7255, 30.0, 3000.0])
def test_inverse_compton_of_a_cut_off_power_law(temperature):
    photons = np.array([1e-3, 1.0, 1e3, 3e4])
    table = LeptonEmission.inverse_compton(photons, GRID, [Greybody(temperature, 0.1)])

    def rate(photon, energy):
        return greybody_scattering(photon, energy, temperature=temperature, dilution=0.1)

    def integrand(y, photon):
        """In ln(E - E_g), which resolves the electrons just above the photon."""
        energy = photon + np.exp(y)
        return float(np.exp(y) * law(energy - const.ELECTRON_MASS) * rate(photon, energy))

    def whole(photon):
        edges = np.linspace(np.log(photon) - 25.0, np.log(3e6), 60)
        return sum(
            quad(integrand, a, b, args=(photon,), epsrel=1e-7)[0]
            for a, b in pairwise(edges)
            if b > np.log(0.01)
        )

    np.testing.assert_allclose(table(law(GRID)), [whole(photon) for photon in photons], rtol=5e-4)


def test_near_the_end_of_the_electrons():
    """Deep in the Klein-Nishina range photons carry nearly all the energy of the electron."""
    stars = Greybody(6000.0, 1e-13)
    photon = np.array([2e5])
    table = LeptonEmission.inverse_compton(photon, GRID, [stars])
    # in ln(E/E_g - 1), where the spectrum is smooth
    z, w = np.polynomial.legendre.leggauss(800)
    y = 0.5 * (np.log(1e7 / 2e5) + 25.0) * z + 0.5 * (np.log(1e7 / 2e5) - 25.0)
    energy = photon * (1.0 + np.exp(y))
    values = law(energy - const.ELECTRON_MASS) * photon * np.exp(y)
    values *= greybody_scattering(photon, energy, temperature=6000.0, dilution=1e-13)
    expected = 0.5 * (np.log(1e7 / 2e5) + 25.0) * np.sum(w * values)
    assert table(law(GRID))[0] == pytest.approx(expected, rel=1e-3)


def test_fields_add():
    parts = Delahaye2010().parts
    photons = np.geomspace(1.0, 1e4, 5)
    whole = LeptonEmission.inverse_compton(photons, GRID, parts)(law(GRID))
    single = [LeptonEmission.inverse_compton(photons, GRID, [part])(law(GRID)) for part in parts]
    np.testing.assert_allclose(whole, np.sum(single, axis=0), rtol=1e-5)


def test_synchrotron_of_a_cut_off_power_law():
    photons = np.geomspace(1e-14, 1e-5, 5)
    table = LeptonEmission.synchrotron(photons, GRID, 20.0)
    expected = [direct(lambda p, e: synchrotron_rate(p, e, 20.0), photon) for photon in photons]
    np.testing.assert_allclose(table(law(GRID)), expected, rtol=5e-4)


def test_synchrotron_of_a_power_law_in_closed_form():
    """N = K E^-p: P ~ B^((p+1)/2) E_g^(-(p-1)/2) with the coefficients of Rybicki & Lightman 1979, Eq. 6.36."""
    p, field = 2.5, 5.0
    photons = np.geomspace(1e-10, 1e-8, 3)
    table = LeptonEmission.synchrotron(photons, GRID, field)
    found = table(1e40 * (GRID + const.ELECTRON_MASS) ** -p) * photons
    # power per photon energy [1/s]: sqrt(3) e^3 B sin(a) / (2 pi hbar m c^2 (p+1)) Gamma() Gamma() (...)^..., averaged
    K = 1e40 * const.ELECTRON_MASS ** (1.0 - p)  # per Lorentz factor
    force = const.SPEED_OF_LIGHT_CM_S * 1e-8 * 1e-15 * field  # e B [GeV/cm]
    lead = np.sqrt(3.0) * const.FINE_STRUCTURE * const.SPEED_OF_LIGHT_CM_S * force / const.ELECTRON_MASS
    lead *= K / (2.0 * np.pi * (p + 1.0)) * gamma(p / 4.0 + 19.0 / 12.0) * gamma(p / 4.0 - 1.0 / 12.0)
    unit = photons * const.ELECTRON_MASS / (3.0 * const.HBAR_C_GEV_CM * force)
    sines = 0.5 * quad(lambda a: np.sin(a) ** ((p + 3.0) / 2.0), 0.0, np.pi)[0]
    np.testing.assert_allclose(found, lead * unit ** (-(p - 1.0) / 2.0) * sines, rtol=1e-3)


def test_thomson_power_law_in_closed_form():
    """N = K gamma^-p on the microwave background, Blumenthal & Gould 1970, Eq. 2.65."""
    from scipy.special import zeta

    p, body = 2.5, Greybody(2.7255, 1.0)
    photons = np.array([1e-4, 1e-3])
    table = LeptonEmission.inverse_compton(photons, GRID, [body])
    found = table(1e40 * ((GRID + const.ELECTRON_MASS) / const.ELECTRON_MASS) ** -p / const.ELECTRON_MASS)
    F = 2.0 ** (p + 3.0) * (p**2 + 4.0 * p + 11.0) / ((p + 3.0) ** 2 * (p + 1.0) * (p + 5.0))
    F *= gamma((p + 5.0) / 2.0) * zeta((p + 5.0) / 2.0)
    kt = body.thermal_energy
    lead = (
        const.CLASSICAL_ELECTRON_RADIUS_CM**2 / (np.pi * const.HBAR_C_GEV_CM**3) * const.SPEED_OF_LIGHT_CM_S
    )
    expected = lead * 1e40 * kt ** ((p + 5.0) / 2.0) * F * photons ** (-(p + 1.0) / 2.0)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_several_spectra_at_once():
    table = LeptonEmission.synchrotron([1e-9, 1e-8], GRID, 20.0)
    both = table(np.stack([law(GRID), 3.0 * law(GRID)], axis=-1))
    assert both.shape == (2, 2)
    np.testing.assert_allclose(both[:, 1], 3.0 * both[:, 0])


def test_no_field_no_light():
    assert (LeptonEmission.synchrotron([1e-9], GRID, 0.0)(law(GRID)) == 0.0).all()
    assert (LeptonEmission.inverse_compton([1.0], GRID, [])(law(GRID)) == 0.0).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: LeptonEmission.inverse_compton([1e-10], GRID, [Greybody(3000.0, 1.0)]), "not far above"),
        (lambda: LeptonEmission.synchrotron([-1.0], GRID, 1.0), "positive numbers"),
        (lambda: LeptonEmission.synchrotron([1.0], GRID[::-1], 1.0), "positive and increasing"),
        (
            lambda: LeptonEmission.synchrotron([1.0], GRID, 1.0)(law(GRID[:-1])),
            "has 900 energies, the grid 901",
        ),
    ],
)
def test_refused(call, words):
    with pytest.raises(DataError, match=words):
        call()

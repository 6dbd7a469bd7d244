"""Losses of electrons against numbers computed independently, closed limits and naima."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from cyldiff import constants as const
from cyldiff.galaxy.gas import GasModel
from cyldiff.galaxy.magnetic_field import UniformField
from cyldiff.galaxy.radiation_field import CosmicMicrowaveBackground, Delahaye2010, Greybody
from cyldiff.grid import Kinematics
from cyldiff.transport.lepton_losses import (
    Medium,
    bremsstrahlung_ionised,
    bremsstrahlung_neutral,
    coulomb_loss,
    energy_loss,
    inverse_compton_loss,
    ionisation_loss,
    klein_nishina_factor,
    local_medium,
    momentum_loss_rate,
    synchrotron_loss,
)

#: GeV/Myr in eV/s
EV_PER_S = 1e9 / const.MYR_S
EV = 1e-9


def electron(*energies):
    return Kinematics(np.array(energies, dtype=float), -1, 0, const.ELECTRON_MASS)


def magnetic(strength):
    return float(UniformField(B0=strength).energy_density(8.5, 0.0))


def test_klein_nishina_values():
    np.testing.assert_allclose(
        klein_nishina_factor([0.01, 0.1, 1.0, 10.0, 100.0]),
        [0.98447, 0.86199, 0.36215, 0.03697, 0.00123],
        atol=5e-6,
        rtol=0,
    )


def test_klein_nishina_limits():
    small = np.array([0.0, 1e-12, 1e-6, 1e-4])
    np.testing.assert_allclose(klein_nishina_factor(small), 1.0 - 63.0 * small / 40.0, atol=1e-7)
    large = np.geomspace(1e4, 1e12, 9)
    ratio = klein_nishina_factor(large) / (4.5 / large**2 * (np.log(large) - 11.0 / 6.0))
    assert abs(ratio[0] - 1.0) < 2e-3
    np.testing.assert_allclose(ratio[4:], 1.0, rtol=1e-6)


def test_klein_nishina_series_joins_the_closed_form():
    """Both branches against the integral it is made of: int_0^1 of the energy given in one collision."""
    for b in (0.03, 0.0499999, 0.0500001, 0.08, 3.0):
        # mean energy loss in an isotropic field of photons of one energy (Jones 1968): with the kernel
        # F = 2 q ln q + (1 + 2 q)(1 - q) + (b q)^2 (1 - q) / (2 (1 + b q)), E1 = b q / (1 + b q)
        def given(q, b=b):
            kernel = 2 * q * np.log(q) + (1 + 2 * q) * (1 - q) + (b * q) ** 2 * (1 - q) / (2 * (1 + b * q))
            return kernel * b * q / (1 + b * q) * b / (1 + b * q) ** 2

        value, _ = quad(given, 0.0, 1.0, epsabs=0.0, epsrel=1e-12)
        # Thomson limit of the same integral: b^2 / 9
        assert klein_nishina_factor(b) == pytest.approx(9.0 * value / b**2, rel=1e-9)


def test_electron_of_one_gev_in_gas():
    """n_HI = 1, He/H = 0.11 [eV/s]."""
    e = electron(1.0)
    assert ionisation_loss(e, 0.11)[0] * EV_PER_S == pytest.approx(4.012e-7, rel=1e-3)
    # the number is of 1 GeV of total energy with a mass of hydrogen of its own, 0.3 % below
    assert bremsstrahlung_neutral(e, 0.11)[0] * EV_PER_S == pytest.approx(1.032e-6, rel=4e-3)


def test_bremsstrahlung_is_continuous_and_screened():
    gamma = np.array([99.99, 100.01, 799.9, 800.1])
    loss = bremsstrahlung_neutral(electron(*((gamma - 1.0) * const.ELECTRON_MASS)), 0.1) / gamma
    np.testing.assert_allclose(loss[0], loss[1], rtol=1e-4)
    np.testing.assert_allclose(loss[2], loss[3], rtol=1e-4)
    high = electron(1e2, 1e5)
    total = high.kinetic_energy + const.ELECTRON_MASS
    per_energy = bremsstrahlung_neutral(high, 0.1) / total
    np.testing.assert_allclose(per_energy[0], per_energy[1], rtol=1e-12)
    # a radiation length of hydrogen of 62.8 g/cm^2: 1/e in 62.8 / (m_H c) = 8e14 s at 1 H / cm^3
    pure = bremsstrahlung_neutral(high, 0.0) / total
    life = const.RADIATION_LENGTH_H / (const.HYDROGEN_MASS_G * const.SPEED_OF_LIGHT_CM_S * const.MYR_S)
    np.testing.assert_allclose(pure, 1.0 / life, rtol=1e-12)


def test_plasma():
    """Coulomb and bremsstrahlung formulas, written out at one energy."""
    e, n = electron(2.0), 0.3
    gamma = e.gamma[0]
    r_e, light = const.CLASSICAL_ELECTRON_RADIUS_CM, const.SPEED_OF_LIGHT_CM_S
    scale = 2.0 * np.pi * r_e**2 * light * const.ELECTRON_MASS * const.MYR_S * n
    logarithm = np.log(gamma * const.ELECTRON_MASS**2 / (4.0 * np.pi * r_e * const.HBAR_C_GEV_CM**2 * n))
    assert coulomb_loss(e, n)[0] == pytest.approx(scale / e.beta[0] * (logarithm - 0.75), rel=1e-12)
    scale = 8.0 / 137.035999 * r_e**2 * light * const.ELECTRON_MASS * const.MYR_S
    assert bremsstrahlung_ionised(e)[0] == pytest.approx(
        scale * gamma * (np.log(2.0 * gamma) - 1.0 / 3.0), rel=1e-8
    )
    assert coulomb_loss(e, np.zeros((2, 3))).shape == (1, 2, 3)


def test_synchrotron_at_one_tev():
    """6 microgauss (u_B = 0.8941 eV/cm^3) [eV/s]."""
    loss = synchrotron_loss(electron(1000.0))[0] * magnetic("6 uG")
    assert loss * EV_PER_S == pytest.approx(9.1055e-2, rel=2e-4)


def test_cooling_times():
    """20 microgauss, without and with scattering of the microwave background [kyr]."""
    e = electron(1e3, 1e4, 1e5)
    synchrotron = synchrotron_loss(e) * magnetic("20 uG")
    np.testing.assert_allclose(1e3 * e.kinetic_energy / synchrotron, [31.3, 3.13, 0.313], rtol=2e-3)
    both = synchrotron + inverse_compton_loss(e, CosmicMicrowaveBackground().parts)
    np.testing.assert_allclose(1e3 * e.kinetic_energy / both, [30.5, 3.07, 0.311], rtol=2e-3)


@pytest.mark.parametrize("energy", [1.0, 1e3, 1e6])
def test_inverse_compton_against_quadrature(energy):
    e = electron(energy)
    thomson = 4.0 / 3.0 * const.THOMSON_CM2 * const.SPEED_OF_LIGHT_CM_S * const.MYR_S
    for body in Delahaye2010().parts:

        def integrand(x, body=body):
            eps = np.exp(x)
            b = 4.0 * e.gamma[0] * eps / const.ELECTRON_MASS
            return eps**2 * float(body.photon_density(eps)) * float(klein_nishina_factor(b))

        middle = np.log(body.thermal_energy)
        value, _ = quad(integrand, middle - 13.0, middle + 4.09, epsabs=0.0, epsrel=1e-11, limit=400)
        expected = thomson * (e.gamma[0] * e.beta[0]) ** 2 * value
        assert inverse_compton_loss(e, [body])[0] == pytest.approx(expected, rel=1e-9)


def test_inverse_compton_against_the_emitted_photons():
    """The kernel of Jones 1968 for the photons that come out carries the same energy."""
    eps, gamma = 1e-12, 1e7
    b = 4.0 * gamma * eps / const.ELECTRON_MASS
    energy = gamma * const.ELECTRON_MASS

    def emitted(y):
        out = np.exp(y)
        q = out / (b * (energy - out))
        if not 0.25 / gamma**2 <= q <= 1.0:
            return 0.0
        kernel = 2 * q * np.log(q) + (1 + 2 * q) * (1 - q) + (b * q) ** 2 * (1 - q) / (2 * (1 + b * q))
        return out**2 * kernel

    highest = energy * b / (1.0 + b)
    power, _ = quad(emitted, np.log(eps), np.log(highest), epsabs=0.0, epsrel=1e-9, limit=400)
    power *= 0.75 * const.THOMSON_CM2 * const.SPEED_OF_LIGHT_CM_S / (gamma**2 * eps)
    expected = 4.0 / 3.0 * const.THOMSON_CM2 * const.SPEED_OF_LIGHT_CM_S * gamma**2 * eps
    # the energy the photon had before, eps of each collision, is not the electron's
    assert power == pytest.approx(expected * float(klein_nishina_factor(b)), rel=1e-5)


def test_medium_adds_up_and_keeps_shapes():
    e = electron(0.01, 1.0, 1e4)
    neutral, ionised = np.array([[0.7, 0.0], [0.0, 0.0]]), np.array([[0.0, 0.2], [0.0, 0.0]])
    magnetic_density = np.array([[0.0, 0.0], [1e-9, 0.0]])
    profile = np.array([[0.0, 0.0], [0.0, 1.0]])
    dust = Greybody(30.0, 1e-5)
    medium = Medium(neutral, ionised, 0.11, magnetic_density, (dust,), profile)
    loss = energy_loss(e, medium)
    assert loss.shape == (3, 2, 2)
    gas = 0.7 * (ionisation_loss(e, 0.11) + bremsstrahlung_neutral(e, 0.11))
    np.testing.assert_allclose(loss[:, 0, 0], gas, rtol=1e-14)
    plasma = coulomb_loss(e, 0.2) + 0.2 * bremsstrahlung_ionised(e)
    np.testing.assert_allclose(loss[:, 0, 1], plasma, rtol=1e-14)
    np.testing.assert_allclose(loss[:, 1, 0], 1e-9 * synchrotron_loss(e), rtol=1e-14)
    np.testing.assert_allclose(loss[:, 1, 1], inverse_compton_loss(e, [dust]), rtol=1e-14)
    rate = momentum_loss_rate(e, medium)
    np.testing.assert_allclose(rate[:, 0, 0], gas / (e.beta * e.momentum), rtol=1e-14)


def test_local_medium():
    gas = GasModel.model_validate(
        {
            "HI": {"kind": "ferriere-2001-hi"},
            "H2": {"kind": "none"},
            "HII": {"kind": "cordes-1991"},
            "helium_fraction": 0.1,
        }
    )
    medium = local_medium(
        8.5, 0.0, gas=gas, magnetic_field=UniformField(B0="5 uG"), radiation_field=Delahaye2010()
    )
    assert medium.neutral == pytest.approx(0.57, rel=1e-12)
    assert medium.ionised == pytest.approx(0.0221, rel=2e-3)
    total = energy_loss(electron(10.0), medium)
    assert total.shape == (1,)
    # radiation alone is 1.016e-16 (E / GeV)^2 (u / eV cm^-3) GeV/s up to the Klein-Nishina reduction
    field = UniformField(B0="5 uG"), Delahaye2010()
    radiation = sum(float(f.energy_density(8.5, 0.0)) for f in field)
    bright = local_medium(8.5, 0.0, magnetic_field=field[0], radiation_field=field[1])
    assert bright.neutral == 0.0
    loss = energy_loss(electron(1.0), bright)[0] / const.MYR_S
    assert loss == pytest.approx(1.017e-16 * radiation / EV, rel=3e-3)
    assert np.all(energy_loss(electron(1.0), Medium()) == 0.0)


def test_no_energy_gain_at_the_lowest_energies():
    e = Kinematics(np.geomspace(1e-9, 1e-3, 61), -1, 0, const.ELECTRON_MASS)
    medium = Medium(1.0, 1.0, 0.1, 1e-9, Delahaye2010().parts)
    assert np.all(energy_loss(e, medium) >= 0.0)


def test_naima_agrees_on_the_synchrotron_and_compton_power():
    """Power radiated by electrons of one energy, as naima's losses-free spectra integrate to."""
    naima = pytest.importorskip("naima")
    u = pytest.importorskip("astropy.units")
    import logging
    import warnings

    logging.getLogger("naima").setLevel(logging.ERROR)
    energy, number = 10.0, 1e40
    # a narrow power law around 10 TeV, of which everything is an integral
    width = 1.02
    law = naima.models.PowerLaw(number / u.eV, energy * u.TeV, 0.0)
    low, high = energy / width * u.TeV, energy * width * u.TeV
    eps = np.geomspace(1e-9, 5e13, 800) * u.eV
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        synchrotron = naima.models.Synchrotron(law, B=20 * u.uG, Eemin=low, Eemax=high, nEed=400)
        compton = naima.models.InverseCompton(law, ["CMB"], Eemin=low, Eemax=high, nEed=400)
        flux = [m.sed(eps, distance=0 * u.kpc).to_value("eV/s") for m in (synchrotron, compton)]
    power = [np.trapezoid(f, np.log(eps.value)) for f in flux]
    nodes, weights = np.polynomial.legendre.leggauss(8)
    half = 0.5 * (high - low).to_value("GeV")
    e = electron(*(0.5 * (high + low).to_value("GeV") + half * nodes))
    norm = number * 1e9 * half
    for mine, theirs, rel in (
        (synchrotron_loss(e) * magnetic("20 uG"), power[0], 0.01),
        (inverse_compton_loss(e, CosmicMicrowaveBackground().parts), power[1], 0.02),
    ):
        assert norm * np.dot(weights, mine) * EV_PER_S == pytest.approx(theirs, rel=rel)

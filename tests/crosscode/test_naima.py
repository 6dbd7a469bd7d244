"""Emission of single sources as naima computes it, on the same particles.

naima (Zabalza 2015, arXiv:1509.03319) fits the integrals over black bodies to 0.1 % (Khangulyan, Aharonian & Kelner
2014, ApJ 783, 100), the synchrotron spectrum to 0.2 %, and takes protons at the speed of light.
"""

from __future__ import annotations

import logging

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff.galaxy.radiation_field import Greybody
from cyldiff.observables.emissivity import Emissivity, flux_of_density
from cyldiff.observables.lepton_emission import LeptonEmission
from cyldiff.particles.pion_production import Kafexhiu2014

naima = pytest.importorskip("naima")
u = pytest.importorskip("astropy.units")

GRID = np.geomspace(1e-3, 1e8, 1101)


def law(energy):
    """Particles per total energy [GeV^-1]."""
    return 1e40 * (energy / 1e3) ** -2.3 * np.exp(-energy / 1e5)


@pytest.fixture(autouse=True)
def _quiet():
    logging.getLogger("naima").setLevel(logging.ERROR)


@pytest.fixture
def particles():
    return naima.models.ExponentialCutoffPowerLaw(1e40 / u.GeV, 1.0 * u.TeV, 2.3, 1e5 * u.GeV)


def photons(model, energy):
    with np.errstate(all="ignore"):
        return model.flux(energy * u.GeV, distance=0).to("1/(s GeV)").value


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("temperature", "points", "energies"),
    [(2.7255, 300, np.geomspace(0.1, 1e5, 7)), (30.0, 1000, np.geomspace(0.1, 1e5, 7)),
     (3000.0, 10000, np.geomspace(0.1, 1e5, 7))],
)  # fmt: skip
def test_inverse_compton(particles, temperature, points, energies):
    """The hotter the light, the finer naima's grid must be above the energy of the photon."""
    density = 0.5e-9
    body = Greybody(temperature, density / (const.BLACK_BODY_ENERGY_DENSITY * temperature**4))
    ours = LeptonEmission.inverse_compton(energies, GRID, [body])(law(GRID + const.ELECTRON_MASS))
    theirs = naima.models.InverseCompton(
        particles,
        seed_photon_fields=[["light", temperature * u.K, density * u.GeV / u.cm**3]],
        Eemin=1e-3 * u.GeV + 0.511 * u.MeV, Eemax=1e8 * u.GeV, nEed=points,
    )  # fmt: skip
    np.testing.assert_allclose(ours, photons(theirs, energies), rtol=3e-3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("field", [3.0, 20.0])
def test_synchrotron(particles, field):
    energies = np.geomspace(1e-15, 1e-4, 9)
    ours = LeptonEmission.synchrotron(energies, GRID, field)(law(GRID + const.ELECTRON_MASS))
    theirs = naima.models.Synchrotron(
        particles, B=field * u.uG, Eemin=1e-3 * u.GeV + 0.511 * u.MeV, Eemax=1e8 * u.GeV, nEed=100
    )
    np.testing.assert_allclose(ours, photons(theirs, energies), rtol=2e-3)


@pytest.mark.filterwarnings("ignore")
def test_bremsstrahlung(particles):
    """On a plasma of hydrogen; naima has a correction to electrons on electrons that falls as m/E."""
    energies = np.geomspace(0.1, 1e4, 6)
    ours = LeptonEmission.bremsstrahlung(energies, GRID, {"ionised": 1.0})(law(GRID + const.ELECTRON_MASS))
    theirs = naima.models.Bremsstrahlung(
        particles, n0=1.0 / u.cm**3, Eemin=1e-3 * u.GeV + 0.511 * u.MeV, Eemax=1e8 * u.GeV, nEed=1000
    )
    theirs.weight_ee = theirs.weight_ep = 1.0
    seen = photons(theirs, energies)
    np.testing.assert_allclose(ours, seen, rtol=1e-2)
    np.testing.assert_allclose(ours[energies >= 1.0], seen[energies >= 1.0], rtol=3e-3)


@pytest.mark.filterwarnings("ignore")
def test_pions(particles):
    energies = np.geomspace(0.1, 1e5, 13)
    t = np.geomspace(0.1, 1e8, 901)
    beta = np.sqrt(t * (t + 2.0 * const.PROTON_MASS)) / (t + const.PROTON_MASS)
    table = Emissivity.build(energies, t, Kafexhiu2014(nuclear_enhancement="none"))
    density = law(t + const.PROTON_MASS)
    ours = 4.0 * np.pi * table(
        {"H1": flux_of_density(t, density / beta, const.PROTON_MASS)}, continued=False
    )  # fmt: skip
    theirs = naima.models.PionDecay(
        particles, nh=1.0 / u.cm**3, Epmax=1e8 * u.GeV, nuclear_enhancement=False, useLUT=False,
        hiEmodel="Pythia8", Epd=100,
    )  # fmt: skip
    np.testing.assert_allclose(ours, photons(theirs, energies), rtol=3e-3)

"""Emissivity: the Z table, exactness for power laws, naima on the same spectrum, what is refused."""

import numpy as np
import pytest
from scipy.integrate import quad

from cyldiff import constants as const
from cyldiff import kinds, registry  # noqa: F401 - the kinds register themselves
from cyldiff.errors import DataError
from cyldiff.observables.emissivity import Emissivity, flux_of_density, pion_emissivity
from cyldiff.particles import kelner
from cyldiff.particles.pion_production import Kafexhiu2014, Kelner2006

PURE = Kelner2006(nuclear_enhancement="none")
#: Z_gamma [mb] at E_gamma = 1, 10, 100, 1000 TeV, by index of n_p ~ E^-alpha
Z_TABLE = {
    2.0: (7.97, 10.09, 12.32, 14.17),
    2.4: (2.50, 3.11, 3.75, 4.23),
    2.7: (1.245, 1.538, 1.837, 2.054),
    3.0: (0.686, 0.841, 0.999, 1.106),
}


@pytest.mark.parametrize("alpha", Z_TABLE)
def test_spectrum_weighted_moments(alpha):
    # q = c Z n_p(E), that is q/4pi = Z J(E), for J ~ E^-alpha in the total energy of the proton
    energies = np.array([1e3, 1e4, 1e5, 1e6])
    t = np.geomspace(1.0, 1e9, 73)
    flux = (t + const.PROTON_MASS) ** -alpha
    q = pion_emissivity(energies, t, flux, PURE)
    z = q / (energies**-alpha * 1e-27)
    assert z == pytest.approx(Z_TABLE[alpha], rel=5e-3)


@pytest.mark.parametrize("per_decade", [3, 8, 16])
@pytest.mark.parametrize("alpha", [2.0, 2.7])
def test_a_power_law_is_integrated_exactly_on_any_grid(alpha, per_decade):
    energy, top = 3e3, 1e7
    t = np.geomspace(10.0, top, 6 * per_decade + 1)

    def integrand(u):
        proton = np.exp(u) + const.PROTON_MASS
        return np.exp(u) ** (1.0 - alpha) * kelner.inelastic(proton) * kelner.gamma_rays(
            energy / proton, proton
        ) / proton  # fmt: skip

    # the continuation ends two decades above the grid
    expected, _ = quad(integrand, np.log(energy), np.log(100 * top), epsrel=1e-10, limit=500)
    inside, _ = quad(integrand, np.log(energy), np.log(top), epsrel=1e-10, limit=500)
    table = Emissivity.build(energy, t, PURE)
    flux = {"H1": t**-alpha}
    assert table(flux)[0] == pytest.approx(expected * 1e-27, rel=2e-5)
    assert table(flux, continued=False)[0] == pytest.approx(inside * 1e-27, rel=2e-5)
    assert table.continued_share(flux)[0] == pytest.approx(1 - inside / expected, abs=2e-5)


def test_maps_of_spectra_and_zeros():
    t = np.geomspace(1.0, 1e7, 57)
    flux = t[:, None, None] ** -np.array([[2.4, 2.7], [3.0, 2.2]])
    flux[:, 1, 1] = 0.0
    flux[40:, 1, 0] = 0.0
    table = Emissivity.build([1e3, 1e4], t, PURE)
    q = table({"H1": flux})
    assert q.shape == (2, 2, 2)
    assert np.all(q[:, 1, 1] < 1e-200)
    assert q[:, 0, 1] == pytest.approx(pion_emissivity([1e3, 1e4], t, t**-2.7, PURE), rel=1e-12)
    assert np.all(q[:, 1, 0] >= 0.0)
    # a cut-off steeper than the grid resolves is not continued upwards
    assert table.continued_share({"H1": flux})[0, 1, 0] == pytest.approx(0.0, abs=1e-12)


def test_linear_in_the_gas_and_the_enhancement():
    t = np.geomspace(1.0, 1e7, 57)
    one, two = (
        pion_emissivity(1e3, t, t**-2.7, Kelner2006(nuclear_enhancement=factor)) for factor in (1.0, 1.84)
    )
    assert two == pytest.approx(1.84 * one, rel=1e-12)


def test_neutrinos_of_all_flavours():
    t = np.geomspace(1.0, 1e8, 65)
    gamma, neutrino, electron = (
        pion_emissivity(1e4, t, t**-2.7, PURE, secondary=name)[0]
        for name in ("gamma", "neutrino", "electron")
    )
    single = {}
    for function in (kelner.muon_neutrinos, kelner.electrons):
        integral, _ = quad(
            lambda u, f=function: (
                np.exp(-1.7 * u) * kelner.inelastic(np.exp(u)) * f(1e4 / np.exp(u), np.exp(u)) / np.exp(u)
            ),
            np.log(1e4),
            np.log(1e10),
            epsrel=1e-9,
            limit=400,
        )
        single[function.__name__] = integral * 1e-27
    assert electron == pytest.approx(single["electrons"], rel=2e-4)
    assert neutrino == pytest.approx(single["muon_neutrinos"] + 2 * single["electrons"], rel=2e-4)
    # Kelner et al. 2006: about as many neutrinos of all flavours as gamma rays at alpha = 2, fewer when softer
    assert 0.6 < neutrino / gamma < 1.1


def test_density_and_intensity():
    t = np.array([0.1, 1.0, 1e4])
    n = np.ones((3, 2))
    beta = np.sqrt(1 - (1 + t / const.PROTON_MASS) ** -2)
    expected = beta * const.SPEED_OF_LIGHT_CM_S / (4 * np.pi)
    assert flux_of_density(t, n, const.PROTON_MASS)[:, 1] == pytest.approx(expected, rel=1e-12)


class TestNaima:
    """naima 0.10 on the same particle spectrum: q = 4 pi (q/4pi), n = 4 pi J / c, both at n_H = 1."""

    @pytest.fixture
    def particles(self):
        pytest.importorskip("naima", reason="naima is not installed")
        from astropy import units as u
        from naima.models import ExponentialCutoffPowerLaw

        return ExponentialCutoffPowerLaw(1e-9 / u.GeV, 1 * u.TeV, 2.4, 3 * u.PeV)

    def ours(self, particles, energies, model):
        from astropy import units as u

        t = np.geomspace(0.1, 3e8, 200)
        n = particles((t + const.PROTON_MASS) * u.GeV).to("1/GeV").value
        # naima multiplies with c, not beta c
        flux = const.SPEED_OF_LIGHT_CM_S / (4 * np.pi) * n
        return 4 * np.pi * pion_emissivity(energies, t, flux, model)

    def test_kelner(self, particles):
        from astropy import units as u
        from naima.radiative import PionDecayKelner06

        energies = np.array([100.0, 1e3, 1e4, 1e5, 5e5])
        theirs = PionDecayKelner06(particles).flux(energies * u.GeV, distance=0)
        assert self.ours(particles, energies, PURE) == pytest.approx(theirs.to("1/(s GeV)").value, rel=5e-3)

    @pytest.mark.parametrize("enhanced", [False, True])
    def test_kafexhiu(self, particles, enhanced):
        from astropy import units as u
        from naima.radiative import PionDecay

        energies = np.array([0.03, 0.1, 1.0, 10.0, 1e3, 1e5])
        theirs = PionDecay(particles, nuclear_enhancement=enhanced, useLUT=False, Epmax=3e8 * u.GeV, nEpd=300)
        theirs.useLUT = False
        with np.errstate(all="ignore"):
            expected = theirs.flux(energies * u.GeV, distance=0).to("1/(s GeV)").value
        model = Kafexhiu2014(nuclear_enhancement="kafexhiu-2014" if enhanced else "none")
        assert self.ours(particles, energies, model) == pytest.approx(expected, rel=1e-2)


def test_unsupported_energies_name_the_range():
    t = np.geomspace(1.0, 1e5, 41)
    with pytest.raises(DataError, match="expected 100 to 10000 GeV"):
        Emissivity.build([50.0, 1e3], t, PURE)
    with pytest.raises(DataError, match=r"energies 20000 GeV .*reach 100000 GeV/n"):
        Emissivity.build([2e4], t, PURE)
    with pytest.raises(DataError, match="supports no energy"):
        Emissivity.build([100.0], np.geomspace(1.0, 500.0, 20), PURE)
    with pytest.raises(DataError, match="expected 1 to"):
        Emissivity.build([0.1], t, Kafexhiu2014())
    with pytest.raises(DataError, match="nan"):
        Emissivity.build([np.nan], t, PURE)


def test_a_spectrum_of_another_grid_is_refused():
    t = np.geomspace(1.0, 1e5, 41)
    with pytest.raises(DataError, match="40 energies, the grid 41"):
        pion_emissivity(1e3, t, t[:-1] ** -2.7, PURE)


def test_aafrag_sums_projectiles_and_targets():
    pytest.importorskip("aafragpy", reason="aafragpy is not installed")
    model = registry.lookup("pion-production", "aafrag")()
    t = np.geomspace(1.0, 1e7, 57)
    flux = {"H1": t**-2.7, "He4": 0.06 * t**-2.7}
    nuclides = {"H1": 1, "He4": 4}
    both = Emissivity.build(1e3, t, model, mass_numbers=nuclides, helium_fraction=0.1)(flux)
    protons = Emissivity.build(1e3, t, model, mass_numbers={"H1": 1}, helium_fraction=0.1)(flux)
    on_hydrogen = Emissivity.build(1e3, t, model, mass_numbers={"H1": 1})(flux)
    helium = Emissivity.build(1e3, t, model, mass_numbers={"He4": 4}, helium_fraction=0.1)(flux)
    assert both == pytest.approx(protons + helium, rel=1e-12)
    # local helium per proton 6 % at equal T, helium in the gas 10 %: the enhancement by both, near Mori's 1.84
    # minus his heavier nuclei
    assert 1.4 < both[0] / on_hydrogen[0] < 1.8

"""Spectra of sources: normalisation integrals, energy that comes back, species at equal rigidity."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import exp1, gamma, gammaincc

from cyldiff import constants as const
from cyldiff.grid import Kinematics, kinetic_energy_of_rigidity
from cyldiff.particles.species import nuclides
from cyldiff.sources.spectrum import (
    BrokenPowerLawSpectrum,
    PowerLawSpectrum,
    diverges,
    energy_shares,
    injected_spectra,
    logarithmic_refused,
)

H1, HE4 = nuclides()["H1"], nuclides()["He4"]
MIXED = {"H1": 1.0, "He4": 0.1}


def power_law(index, cutoff="1 PV", **more):
    return PowerLawSpectrum(index=index, cutoff=cutoff, **more)


def upper_gamma(a, x):
    """Upper incomplete gamma function, for negative a by its recurrence."""
    if a == 0.0:
        return exp1(x)
    return gamma(a) * gammaincc(a, x) if a > 0.0 else (upper_gamma(a + 1.0, x) - x**a * np.exp(-x)) / a


def per_particle(spectrum, mix, species, energy, **more):
    """dN per kinetic energy of the particle, from that per nucleon."""
    per_nucleon = injected_spectra(
        spectrum, mix, [species], np.atleast_1d(energy) / species.A, minimum_energy=1.0, **more
    )
    return per_nucleon[0] / species.A


def energy_of(spectrum, mix, species, minimum=1.0, maximum=1e12, points=(), **more):
    """int T dN above a kinetic energy per particle [GeV], by scipy."""
    corners = np.log(sorted({minimum, *(p for p in points if minimum < p < maximum), maximum}))
    return sum(
        quad(
            lambda x: np.exp(2 * x) * per_particle(spectrum, mix, species, np.exp(x), **more)[0],
            a, b, epsabs=0.0, epsrel=1e-10, limit=200,
        )[0]
        for a, b in pairwise(corners)
    )  # fmt: skip


class TestIntegrals:
    @pytest.mark.parametrize(("index", "printed"), [(1.8, 67.76), (2.0, 13.24), (2.2, 4.633), (2.5, 1.9965)])
    def test_of_a_power_law_of_the_energy(self, index, printed):
        """L / Q0 = E_c^(2-s) Gamma(2 - s, E_0 / E_c) for E_0 = 1 GeV, E_c = 1 PeV."""
        cutoff = 1e6
        exact = cutoff ** (2.0 - index) * upper_gamma(round(2.0 - index, 12), 1.0 / cutoff)
        at = 10.0
        found = (
            at**-index
            * np.exp(-at / cutoff)
            / per_particle(power_law(index, variable="kinetic-energy"), {"H1": 1.0}, H1, at)
        )
        assert found == pytest.approx(exact, rel=1e-12)
        assert found == pytest.approx(printed, rel=1e-3)

    def test_injected_power_of_kaci(self):
        """Q = eta L / ln(Emax/E0) E^-2 exp(-E/Emax): its power is 0.964 eta L, E1(1e-7) / ln 1e7."""
        law = power_law(2.0, "10 PV", variable="kinetic-energy")
        shares = energy_shares(law, {"H1": 1.0}, minimum_energy=1.0, normalisation="logarithmic")
        assert shares["H1"] == pytest.approx(exp1(1e-7) / np.log(1e7), rel=1e-12)
        assert shares["H1"] == pytest.approx(0.964, abs=5e-4)
        energy = np.array([1.0, 1e3, 1e7])
        printed = energy**-2.0 * np.exp(-energy / 1e7) / np.log(1e7)
        found = per_particle(law, {"H1": 1.0}, H1, energy, normalisation="logarithmic")
        np.testing.assert_allclose(found, printed, rtol=1e-13)

    def test_logarithmic_with_helium(self):
        """Each species ends at Z times the cut-off."""
        law = power_law(2.0, "10 PV", variable="kinetic-energy")
        shares = energy_shares(law, MIXED, minimum_energy=1.0, normalisation="logarithmic")
        total = np.log(1e7) + 0.1 * 2.0 * np.log(2e7)
        assert shares["H1"] == pytest.approx(exp1(1e-7) / total, rel=1e-12)
        assert shares["He4"] == pytest.approx(0.2 * exp1(5e-8) / total, rel=1e-12)

    @pytest.mark.parametrize(
        "wrong",
        [
            power_law(2.1, variable="kinetic-energy"),
            power_law(2.0),
            power_law(2.0, None, variable="kinetic-energy"),
            BrokenPowerLawSpectrum(
                indices=[2.0, 2.5], breaks=["1 TV"], cutoff="1 PV", variable="kinetic-energy"
            ),
        ],
    )
    def test_logarithmic_of_another_spectrum(self, wrong):
        assert "index = 2" in logarithmic_refused(wrong)
        assert logarithmic_refused(power_law(2.0, variable="kinetic-energy")) == ""


class TestEnergyComesBack:
    """All species together carry the energy, whatever the law: int T dN = 1, by another integration."""

    @pytest.mark.parametrize(
        ("spectrum", "points"),
        [
            (power_law(2.2, "5 PV"), ()),
            (power_law(2.2, "5 PV", variable="kinetic-energy"), ()),
            (power_law(1.5, "100 TV", cutoff_sharpness=2.5), (1e5, 2e5)),
            (power_law(2.0, "100 TV", cutoff_sharpness=0.5), ()),
            (power_law(0.5, "100 GV", cutoff_sharpness=20.0), (95.0, 100.0, 105.0, 190.0, 200.0, 210.0)),
            (
                BrokenPowerLawSpectrum(indices=[2.4, 1.9, 2.6], breaks=["300 GV", "20 TV"], cutoff="3 PV"),
                (300.0, 600.0, 2e4, 4e4),
            ),
            (
                BrokenPowerLawSpectrum(
                    indices=[2.0, 2.7], breaks=["10 TV"], smoothness=[0.05], cutoff="3 PV"
                ),
                (9e3, 1e4, 1.1e4, 1.8e4, 2e4, 2.2e4),
            ),
        ],
    )
    def test_with_a_cut_off(self, spectrum, points):
        found = sum(energy_of(spectrum, MIXED, s, maximum=1e10, points=points) for s in (H1, HE4))
        assert found == pytest.approx(1.0, rel=1e-7)

    @pytest.mark.parametrize("index", [2.3, 3.5])
    def test_without_a_cut_off(self, index):
        spectrum = power_law(index, None)
        found = sum(energy_of(spectrum, MIXED, s, maximum=1e12) for s in (H1, HE4))
        beyond = 1e12 ** (2.0 - index)  # a part of it, of order one
        assert found == pytest.approx(1.0, abs=max(3.0 * beyond, 1e-7))

    @given(st.floats(1e-3, 1e3), st.floats(1.0, 3.0), st.floats(0.0, 2.0))
    def test_any_minimum_index_and_mix(self, minimum, index, helium):
        spectrum, mix = power_law(index), {"H1": 1.0, "He4": helium}
        t = np.geomspace(minimum / 4.0, 1e8, 6001)
        total = 0.0
        for s in (H1, HE4):
            number = injected_spectra(spectrum, mix, [s], t * 4.0 / s.A, minimum_energy=minimum)[0]
            integrand = s.A * (t * 4.0 / s.A) ** 2 * number
            total += np.trapezoid(integrand, x=np.log(t))
        assert total == pytest.approx(1.0, rel=1e-4)

    def test_shares_are_those_of_the_spectra(self):
        spectrum = power_law(2.3, "3 PV")
        shares = energy_shares(spectrum, MIXED, minimum_energy=1.0)
        assert sum(shares.values()) == pytest.approx(1.0, rel=1e-13)
        for s in (H1, HE4):
            assert energy_of(spectrum, MIXED, s, maximum=1e10) == pytest.approx(shares[s.name], rel=1e-7)


class TestMix:
    def test_equal_rigidity(self):
        """dN/dR of helium is a tenth of that of hydrogen at every rigidity."""
        rigidity = np.geomspace(1.0, 1e7, 9)
        found = []
        for s in (H1, HE4):
            t = kinetic_energy_of_rigidity(
                rigidity, charge=s.Z, mass_number=s.A, mass_per_nucleon=s.mass_per_nucleon
            )
            k = Kinematics(t, s.Z, s.A, s.mass_per_nucleon)
            per_energy = injected_spectra(power_law(2.2), MIXED, [s], t, minimum_energy=1.0)[0]
            found.append(per_energy * s.Z * k.beta / s.A)
        np.testing.assert_allclose(found[1] / found[0], 0.1, rtol=1e-12)

    def test_equal_energy_per_charge(self):
        energy = np.geomspace(1.0, 1e6, 7)
        law = power_law(2.2, variable="kinetic-energy")
        one, two = (per_particle(law, MIXED, s, energy * s.Z) for s in (H1, HE4))
        # per unit of T/Z
        np.testing.assert_allclose(2.0 * two / one, 0.1, rtol=1e-12)

    def test_conversion_to_equal_energy_per_nucleon(self):
        """X = w (A/Z)^(1-g) far above the rest energies, as the module says."""
        t, index = np.array([1e4]), 2.2
        one, two = injected_spectra(power_law(index, None), MIXED, [H1, HE4], t, minimum_energy=1.0)[:, 0]
        assert two / one == pytest.approx(0.1 * 2.0 ** (1.0 - index), rel=1e-3)

    def test_the_law_is_that_of_the_grid(self):
        """One formula for both: dN/dR of a source is per_rigidity of the injection spectra."""
        from cyldiff.particles.injection import BrokenPowerLawInjection

        keys = {"indices": [2.0, 2.6], "breaks": ["100 TV"], "smoothness": [0.2], "cutoff": "3 PV"}
        rigidity = np.geomspace(1.0, 1e7, 30)
        mine = BrokenPowerLawSpectrum(**keys).law.per_rigidity(rigidity)
        np.testing.assert_array_equal(mine, BrokenPowerLawInjection(**keys).per_rigidity(rigidity))


def test_luminosity_there_and_back():
    """1e38 erg/s to a spectrum and back, in erg/s."""
    luminosity = 1e38 * const.ERG_GEV
    spectrum = power_law(2.4, "10 PV")
    found = luminosity * energy_of(spectrum, {"H1": 1.0}, H1, maximum=1e10)
    assert found / const.ERG_GEV == pytest.approx(1e38, rel=1e-8)


def test_infinite_energy():
    assert diverges(power_law(2.0, None))
    assert diverges(BrokenPowerLawSpectrum(indices=[2.5, 1.9], breaks=["1 TV"]))
    assert not diverges(power_law(2.01, None))
    assert not diverges(power_law(1.0))

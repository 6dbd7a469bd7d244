"""Electrons and positrons of p and He on gas against direct integrals and conservation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from cyldiff.errors import DataError
from cyldiff.grid import Kinematics, energy_grid
from cyldiff.particles.lepton_production import PION_THRESHOLD, AAfrag, _kamae, _wrong_factor
from cyldiff.particles.species import known_species

aafragpy = pytest.importorskip("aafragpy")
MODEL = AAfrag()
ENERGIES = energy_grid(0.1, 1e6, 10)


def matrix(parent, child, energies=ENERGIES):
    return MODEL.matrix(known_species()[parent], known_species()[child], energies)


@pytest.mark.parametrize(("parent", "target", "child"), [("H1", "H", "positron"), ("He4", "He", "electron")])
def test_matrix_against_adaptive_quadrature(parent, target, child):
    """int beta dsigma/dT N dT' for a spectrum that is no power law."""
    nucleus = known_species()[parent]
    last = ENERGIES[-1]

    def spectrum(t):
        return (np.minimum(t, last) + 1.0) ** -2.8 * (np.maximum(t, last) / last) ** -2.7

    found = matrix(parent, child)[("H", "He").index(target)] @ spectrum(ENERGIES)
    for energy in ENERGIES[[20, 35, 45]]:

        def integrand(x, energy=energy):
            at = np.array([np.exp(x)])
            sigma = MODEL.cross_section(parent, child, target, at=at, energy=np.array([energy]))[0, 0]
            return float(
                Kinematics(at, nucleus.Z, nucleus.A, nucleus.mass_per_nucleon).beta[0] * sigma
            ) * float(spectrum(at[0]) * at[0])

        # in pieces: thresholds and the points of the tables are kinks
        edges = np.log(np.concatenate([[3.062, 4.0], energy * np.geomspace(1.0, 1e6, 20)]))
        edges = np.unique(np.clip(edges, np.log(3.062), np.log(1e2 * last)))
        value = sum(quad(integrand, a, b, limit=60, epsrel=1e-4)[0] for a, b in pairwise(edges))
        k = int(np.argmin(np.abs(ENERGIES - energy)))
        below = (
            quad(integrand, np.log(PION_THRESHOLD), np.log(3.06), limit=60, epsrel=1e-3)[0]
            if energy < 3.06
            else 0.0
        )
        assert found[k] == pytest.approx(value + below, rel=1e-2)


def test_power_laws_agree_with_a_finer_grid():
    coarse, fine = energy_grid(0.1, 1e6, 6), energy_grid(0.1, 1e6, 24)
    for index in (2.0, 2.7, 3.0):
        on = [matrix("H1", "positron", e)[0] @ e**-index for e in (coarse, fine)]
        shared = np.interp(np.log(coarse), np.log(fine), np.log(np.maximum(on[1], 1e-300)))
        used = (coarse > 0.2) & (coarse < 1e3)
        np.testing.assert_allclose(on[0][used], np.exp(shared[used]), rtol=1e-2)


@pytest.mark.parametrize(("parent", "target"), [("H1", "H"), ("H1", "He"), ("He4", "H"), ("He4", "He")])
def test_energy_and_charge(parent, target):
    """Leptons get a few per cent of the energy; positrons prevail where protons do, never the other way."""
    a = known_species()[parent].A
    energy = np.geomspace(1e-4, 1e6, 4000)
    for t in (1.0, 3.0, 3.1, 30.0, 1e4):
        made = {
            child: MODEL.cross_section(parent, child, target, at=np.array([t]), energy=energy)[0]
            for child in ("electron", "positron")
        }
        for sigma in made.values():
            assert np.all(sigma >= 0.0)
            assert np.all(sigma[energy > a * t] == 0.0)
        # a nucleon on a nucleon has some 30 mb: less than a tenth of its energy to each charge
        taken = {c: np.trapezoid(s * energy**2, np.log(energy)) / (a * t) for c, s in made.items()}
        assert taken["positron"] < 0.1 * 30.0 * (4.0 if target == "He" else 1.0)
        number = {c: np.trapezoid(s * energy, np.log(energy)) for c, s in made.items()}
        excess = number["positron"] / number["electron"]
        assert excess > (0.97 if (parent, target) == ("He4", "He") else 1.0)


def test_numbers_are_continuous_where_the_tables_begin():
    energy = np.geomspace(1e-3, 10.0, 400)
    for child in ("electron", "positron"):
        low, high = (
            np.trapezoid(
                MODEL.cross_section("H1", child, "H", at=np.array([t]), energy=energy)[0] * energy,
                np.log(energy),
            )
            for t in (3.0617, 3.0618)
        )
        assert low == pytest.approx(high, rel=5e-3)


def test_nothing_below_the_threshold():
    sigma = MODEL.cross_section("H1", "positron", "H", at=np.array([0.27]), energy=ENERGIES)
    assert np.all(sigma == 0.0)


def test_kamae_numbers_are_those_of_the_paper():
    """Positrons per p-p of 1 GeV: sigma(pi+) of about 10 mb (Kamae et al. 2006); aafragpy 2.0.4 has a slip there."""
    energy = np.geomspace(1e-3, 1.0, 400)
    sigma = _kamae("posi", np.array([1.0, 2.0]), energy)
    number = np.trapezoid(sigma * energy, np.log(energy), axis=1)
    assert 8.0 < number[0] < 14.0
    assert 14.0 < number[1] < 22.0


def test_the_slip_is_found_only_if_it_is_there():
    class Right:
        @staticmethod
        def sigma_incl_nond(energy, t, name):
            return 1.0 + 0.01 * t

    assert not _wrong_factor(Right)


def test_grid_beyond_the_tables():
    with pytest.raises(DataError, match="ends at"):
        MODEL.cross_section("He4", "positron", "H", at=np.array([1e10]), energy=np.array([1.0]))

"""Short-lived fragments and what is left of them."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.errors import DataError
from cyldiff.particles.decay import fates, ghosts
from cyldiff.particles.species import nuclides

ALL = nuclides().keys()


@pytest.mark.parametrize(
    ("ghost", "expected"),
    [
        ("C11", {"B11": 1.0}),
        ("C10", {"B10": 1.0}),
        ("Be11", {"B11": 0.9689917, "Li7": 0.031, "Be10": 8.3e-6}),
        ("He6", {"Li6": 1.0}),
        ("O15", {"N15": 1.0}),
        ("N16", {"O16": 0.999988, "C12": 1.2e-5}),
        ("Li8", {"He4": 2.0}),
        ("Na22", {"Ne22": 1.0}),
        ("H3", {"He3": 1.0}),
        # two steps: 9Li to 9Be, or to 8Be and on to two alpha particles
        ("Li9", {"Be9": 0.492, "He4": 2 * 0.508}),
        # two steps: 18Ne to 18F to 18O
        ("Ne18", {"O18": 1.0}),
        # 12Be to 12B (99.5 %) and 11B (0.5 %); 12B to 12C (99.4 %) and 8Be
        ("Be12", {"B11": 0.005, "C12": 0.995 * 0.994, "He4": 2 * 0.995 * 0.006}),
        # 48Cr and 48V are no electron-capture nuclides: positrons take them to 48Ti
        ("Cr48", {"Ti48": 1.0}),
    ],
)
def test_ghosts_by_hand(ghost, expected):
    assert fates([ghost], ALL)[ghost] == pytest.approx(expected, rel=1e-5)


def test_chains_agree_with_the_absorbing_markov_chain():
    """Numbers of end products are (1 - Q)^-1 R, whatever the order of the steps."""
    names, kept = list(ghosts()), list(ALL)
    row = {n: i for i, n in enumerate(names)}
    column = {n: i for i, n in enumerate(kept)}
    inner, outer = np.zeros((len(names), len(names))), np.zeros((len(names), len(kept)))
    for parent, steps in ghosts().items():
        for daughter, number in steps:
            if daughter in column:
                outer[row[parent], column[daughter]] += number
            else:
                inner[row[parent], row[daughter]] += number
    expected = np.linalg.solve(np.eye(len(names)) - inner, outer)
    found = np.zeros_like(outer)
    for parent, ends in fates(names, ALL).items():
        for end, number in ends.items():
            found[row[parent], column[end]] = number
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_branchings_add_up_and_nucleons_are_not_created():
    for ghost, ends in fates(ghosts(), ALL).items():
        mass = int("".join(c for c in ghost if c.isdigit()))
        heavy = sum(number for end, number in ends.items() if end != "He4")
        alphas = ends.get("He4", 0.0) / 2
        # each decay leaves one heavy nuclide or a pair of alpha particles, 5Li a single one
        assert heavy + alphas == pytest.approx(0.5 if ghost == "Li5" else 1.0, abs=1e-3)
        assert sum(number * nuclides()[end].A for end, number in ends.items()) <= mass + 1e-9


def test_no_ghost_is_a_nuclide_and_lifetimes_are_short():
    assert not set(ghosts()) & set(ALL)


def test_a_long_lived_nuclide_stays_itself_only_if_it_is_followed():
    assert fates(["Be10"], ALL) == {"Be10": {"Be10": 1.0}}
    assert fates(["Be10"], {"B10", "C12"}) == {"Be10": {"B10": 1.0}}
    assert fates(["Be10", "B11"], {"C12"}) == {"Be10": {}, "B11": {}}


def test_ghosts_pass_through_nuclides_that_are_not_followed():
    assert fates(["Be11"], {"B10"})["Be11"] == pytest.approx({"B10": 8.3e-6})


def test_unknown_fragment_is_refused_with_a_hint():
    with pytest.raises(DataError, match='"C111"; did you mean "C11"'):
        fates(["C111"], ALL)

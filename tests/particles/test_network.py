"""The order of solution and the links between nuclides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyldiff.errors import DataError
from cyldiff.particles.inelastic import Letaw1983, Tripathi1999
from cyldiff.particles.network import Network, order
from cyldiff.particles.spallation import Evoli2019, Webber2003, Wks1998
from cyldiff.particles.species import nuclides, select

ENERGIES = np.geomspace(1e-2, 1e7, 31)
KINDS = [c(extrapolation="constant") for c in (Evoli2019, Webber2003, Wks1998)]
EVERY_KIND = pytest.mark.parametrize("spallation", KINDS, ids=lambda k: k.kind)
PAIRS = [
    ("Be10", "B10"), ("C14", "N14"), ("Al26", "Mg26"), ("Cl36", "Ar36"), ("K40", "Ca40"),
    ("Mn54", "Fe54"), ("Fe60", "Ni60"), ("Ni56", "Fe56"),
]  # fmt: skip


def build(names=None, *, spallation=KINDS[0], max_z=None, **options):
    return Network.build(
        select(include=names, max_z=max_z),
        inelastic=Tripathi1999(extrapolation="constant"),
        spallation=spallation,
        kinetic_energy=ENERGIES,
        **options,
    )


def channel(network, parent, child):
    names = [s.name for s in network.species]
    hit = np.flatnonzero((network.parent == names.index(parent)) & (network.child == names.index(child)))
    return network.production[hit].sum(axis=0)


def check_order(species):
    names = [s.name for s in species]
    masses = [s.A for s in species]
    assert masses == sorted(masses, reverse=True)
    for parent, daughter in PAIRS:
        if parent in names and daughter in names:
            assert names.index(parent) < names.index(daughter)


@pytest.mark.parametrize("max_z", range(1, 29))
def test_order_for_every_cut(max_z):
    species = order(select(max_z=max_z))
    assert {s.name for s in species} == {s.name for s in select(max_z=max_z)}
    check_order(species)


@given(st.permutations(sorted(nuclides())), st.integers(1, 87))
def test_order_of_any_list(names, count):
    chosen = [nuclides()[n] for n in names[:count]]
    species = order(chosen)
    assert sorted(s.name for s in species) == sorted(names[:count])
    check_order(species)
    assert order(reversed(chosen)) == species


def test_pairs_are_all_decays_of_the_table():
    decays = {(s.name, d) for s in nuclides().values() for d, _ in s.daughters}
    assert decays == set(PAIRS)


def test_a_species_listed_twice_is_refused():
    with pytest.raises(DataError, match="twice"):
        order([nuclides()["C12"], nuclides()["C12"]])


@EVERY_KIND
def test_full_network(spallation):
    network = build(spallation=spallation)
    assert network.inelastic.shape == (87, 2, ENERGIES.size)
    assert network.production.shape == (len(network.parent), 2, ENERGIES.size)
    assert len(network.origins) == len(network.parent) == len(network.child)
    assert np.all(np.isfinite(network.production))
    assert np.all(network.production >= 0)
    assert np.all(network.production.any(axis=(1, 2)))
    assert np.all(network.parent < network.child)
    mass = np.array([s.A for s in network.species])
    assert np.all(mass[network.child] <= mass[network.parent])
    assert np.all(np.diff(network.child) >= 0)
    assert len(set(zip(network.parent.tolist(), network.child.tolist(), strict=True))) == len(network.parent)


@settings(max_examples=25, deadline=None)
@given(st.sets(st.sampled_from(sorted(nuclides())), min_size=1), st.sampled_from(KINDS))
def test_any_list_of_species_makes_a_network(names, spallation):
    network = build(names, spallation=spallation)
    check_order(network.species)
    assert np.all(network.production >= 0)
    assert np.all(network.parent < network.child)
    listed = [s.name for s in network.species]
    for parent, child, branching in network.decays:
        assert (listed[parent], listed[child]) in PAIRS
        assert branching == 1.0
    assert len(network.decays) == sum(p in names and d in names for p, d in PAIRS)


def test_channels_equal_the_cross_sections_of_the_kind():
    network, kind = build(), KINDS[0]
    for parent, child in [("C12", "B11"), ("O16", "Be10"), ("Fe56", "Mn55"), ("He4", "He3"), ("Si28", "Li6")]:
        np.testing.assert_allclose(
            channel(network, parent, child), kind.sigma(parent, child, ENERGIES), rtol=1e-13
        )


def test_missing_clock_is_credited_to_its_daughter():
    """10B without 10Be receives what 10Be would have; nothing else changes."""
    names = {"C12", "O16", "Be9", "Be10", "B10", "B11"}
    with_clock, without = build(names), build(names - {"Be10"})
    for parent in ("C12", "O16", "B11"):
        expected = channel(with_clock, parent, "B10") + channel(with_clock, parent, "Be10")
        np.testing.assert_allclose(channel(without, parent, "B10"), expected, rtol=1e-13)
        unchanged = channel(with_clock, parent, "Be9")
        np.testing.assert_allclose(channel(without, parent, "Be9"), unchanged, rtol=1e-13)
    assert without.decays == ()
    assert any("through Be10" in origin for origin in without.describe())


def test_missing_stable_nuclide_is_dropped():
    network = build({"C12", "B11", "Be10"})
    assert {(network.species[c].name) for c in network.child} == {"B11", "Be10"}
    np.testing.assert_allclose(
        channel(network, "C12", "B11"), KINDS[0].sigma("C12", "B11", ENERGIES), rtol=1e-13
    )


def test_production_of_boron_does_not_depend_on_the_clock_being_followed():
    """Made by the same parents, 10Be + 10B is the same with and without 10Be, for every cut."""
    for max_z in (6, 8, 14, 28):
        names = {s.name for s in select(max_z=max_z)}
        full, cut = build(names), build(names - {"Be10"})
        both = {"Be10", "B10"}
        sums = [
            sum(p for p, c in zip(n.production, n.child, strict=True) if n.species[c].name in both)
            for n in (full, cut)
        ]
        np.testing.assert_allclose(sums[0], sums[1], rtol=1e-12)


def test_factors_of_the_call_come_on_top():
    base = build({"C12", "O16", "B11"})
    scaled = build(
        {"C12", "O16", "B11"},
        spallation=Evoli2019(extrapolation="constant", scale={"B": 2.0}),
        scale={"C12->B11": 3.0},
    )
    np.testing.assert_allclose(channel(scaled, "C12", "B11"), 6 * channel(base, "C12", "B11"), rtol=1e-13)
    np.testing.assert_allclose(channel(scaled, "O16", "B11"), 2 * channel(base, "O16", "B11"), rtol=1e-13)


def test_factor_of_boron_leaves_the_clock_alone():
    """With 10Be left out, "B" scales the direct part of 10B only."""
    base, scaled = build({"C12", "B10"}), build({"C12", "B10"}, scale={"B": 2.0})
    through = KINDS[0].sigma("C12", "Be10", ENERGIES)
    expected = 2 * (channel(base, "C12", "B10") - through) + through
    np.testing.assert_allclose(channel(scaled, "C12", "B10"), expected, rtol=1e-12)


def test_unknown_factor_is_refused_with_a_hint():
    with pytest.raises(DataError, match='"Borom" in "Borom" is unknown'):
        build({"C12", "B11"}, scale={"Borom": 1.1})


def test_protons_alone():
    network = build({"H1"})
    assert network.production.shape == (0, 2, ENERGIES.size)
    assert network.decays == ()
    assert network.describe() == {}


def test_tables_are_refused_outside_their_range():
    for energies in ([0.5, 20.0], [0.05, 1.0]):
        with pytest.raises(DataError, match="extrapolation"):
            Network.build(
                select(max_z=8), inelastic=Letaw1983(), spallation=Evoli2019(), kinetic_energy=energies
            )
    inside = Network.build(
        select(max_z=8), inelastic=Letaw1983(), spallation=Evoli2019(), kinetic_energy=[0.11, 10.0]
    )
    assert len(inside.parent) > 100


def test_description_names_the_origin_of_every_channel():
    network = build()
    groups = network.describe()
    assert sum(len(channels) for channels in groups.values()) == len(network.parent)
    assert "C12->Be10" in groups["evoli-2019 fit"]
    assert "C12->B11" in groups["evoli-2019 fit (ghosts folded)"]
    assert "N14->B10" in groups["single measurement"]
    assert "Si28->B11" in groups["webber-2003"]
    assert "He4->He3" in groups["coste-2012"]
    assert "Fe56->Li7" in groups["lithium follows beryllium"]
    wks = build(spallation=KINDS[2]).describe()
    assert "C12->B11" in wks["wks-1998 (ghosts folded)"]
    assert "Fe56->B11" in wks["webber-2003"]

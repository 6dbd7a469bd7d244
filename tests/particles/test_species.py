"""Nuclides: the list itself and choosing from it."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyldiff import resources
from cyldiff.constants import ATOMIC_MASS_UNIT, PROTON_MASS
from cyldiff.errors import DataError
from cyldiff.particles.decay import fates
from cyldiff.particles.inelastic import Tripathi1999
from cyldiff.particles.species import OWN_TABLE, known_species, nuclides, select
from cyldiff.resources import PEDIGREE

ELEMENTS = "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni".split()  # noqa: SIM905 - easier to read

# half-lives of bare nuclei [Myr]: Kondev et al. 2021 (NUBASE2020) and Wuosmaa et al. 1998 (54Mn)
CLOCKS = {
    "Be10": (1.387, "B10"),
    "C14": (5.70e-3, "N14"),
    "Al26": (0.717 / 0.817, "Mg26"),
    "Cl36": (0.3013 / 0.981, "Ar36"),
    "Mn54": (0.63, "Fe54"),
    "Fe60": (2.62, "Ni60"),
}
CAPTURE_ONLY = ["Be7", "Ar37", "Ca41", "Ti44", "V49", "Cr51", "Mn53", "Fe55", "Co57", "Ni59"]


def test_list_is_complete_and_ordered():
    known = nuclides()
    assert len(known) == 87
    assert [(s.Z, s.A) for s in known.values()] == sorted((s.Z, s.A) for s in known.values())
    assert next(iter(known)) == "H1"
    assert list(known)[-1] == "Ni64"
    assert list(dict.fromkeys(s.element for s in known.values())) == ELEMENTS


@pytest.mark.parametrize("name", ["Be10", "Fe56", "H1", "Ni58"])
def test_names_agree_with_charge_and_mass(name):
    species = nuclides()[name]
    assert species.name == f"{ELEMENTS[species.Z - 1]}{species.A}"


def test_every_name_agrees_with_charge_and_mass():
    for name, s in nuclides().items():
        assert name == f"{ELEMENTS[s.Z - 1]}{s.A}"
        assert s.Z <= s.A


def test_mass_convention():
    known = nuclides()
    assert known["H1"].mass_per_nucleon == pytest.approx(PROTON_MASS, rel=1e-9)
    assert all(s.mass_per_nucleon == ATOMIC_MASS_UNIT for s in known.values() if s.A > 1)


@pytest.mark.parametrize("name", CLOCKS)
def test_clocks(name):
    half_life, daughter = CLOCKS[name]
    species = nuclides()[name]
    assert species.half_life == pytest.approx(half_life, rel=2e-3)
    assert species.mean_life == pytest.approx(half_life / 0.693147, rel=2e-3)
    assert species.daughters == ((daughter, 1.0),)
    assert nuclides()[daughter].is_stable


def test_electron_capture_nuclides_are_stable_when_bare():
    assert all(math.isinf(nuclides()[name].half_life) for name in CAPTURE_ONLY)
    unstable = {name for name, s in nuclides().items() if not s.is_stable}
    assert unstable == {*CLOCKS, "K40", "Ni56"}


@pytest.mark.parametrize("max_z", range(1, 29))
def test_cut_at_an_element(max_z):
    chosen = select(max_z=max_z)
    assert max(s.Z for s in chosen) == max_z
    assert [s.name for s in chosen] == [n for n, s in nuclides().items() if max_z >= s.Z]


def test_include_keeps_the_order_of_the_table_and_obeys_the_cut():
    names = ["O16", "B10", "C12", "H1"]
    assert [s.name for s in select(include=names)] == ["H1", "B10", "C12", "O16"]
    assert [s.name for s in select(include=names, max_z=6)] == ["H1", "B10", "C12"]


@given(st.sets(st.sampled_from(sorted(nuclides())), min_size=1))
def test_any_subset_is_returned_whole(names):
    assert {s.name for s in select(include=names)} == names


def test_unknown_names_are_all_reported_with_the_nearest():
    with pytest.raises(DataError) as caught:
        select(include=["C12", "10Be", "Bee9"])
    message = str(caught.value)
    assert '"10Be"; did you mean "Be10"' in message
    assert '"Bee9"; did you mean "Be9"' in message
    assert '"C12"' not in message


@pytest.mark.parametrize("max_z", [0, -3, 29])
def test_cut_outside_the_table_is_refused(max_z):
    with pytest.raises(DataError, match=r"outside 1 .hydrogen. to 28"):
        select(max_z=max_z)


def test_nothing_left_is_refused():
    with pytest.raises(DataError, match="no species is left"):
        select(include=["Fe56"], max_z=8)


HEADER = "name,Z,A,mass_per_nucleon_u,decay_mode,daughter,half_life_Myr,branching"
SILICON = "Si32,14,32,1,beta-,S32,1.57e-4,1"


class TestOfTheUser:
    """A table own-nuclides.csv in a folder of $CYLDIFF_PATH adds nuclides."""

    @pytest.fixture
    def added(self, tmp_path, monkeypatch):
        """Write the table; what is known with it."""

        def write(*rows):
            text = "\n".join((HEADER, *rows, ""))
            (tmp_path / OWN_TABLE).write_text(text)
            pedigree = {key: "x" for key in PEDIGREE}
            pedigree["sha256"] = hashlib.sha256(text.encode()).hexdigest()
            side = "".join(f'{key} = "{value}"\n' for key, value in pedigree.items())
            (tmp_path / OWN_TABLE).with_suffix(".source.toml").write_text(side)
            nuclides.cache_clear()
            return nuclides()

        monkeypatch.setenv("CYLDIFF_PATH", str(tmp_path))
        known_species.cache_clear()
        yield write
        monkeypatch.delenv("CYLDIFF_PATH")
        for cache in (nuclides, known_species):
            cache.cache_clear()
        resources._READ.pop(OWN_TABLE, None)  # what results of this process say that they read

    def test_it_is_a_nuclide_like_the_others(self, added):
        known = added(SILICON)
        silicon = known["Si32"]
        assert (len(known), silicon.Z, silicon.A, silicon.element) == (88, 14, 32, "Si")
        assert silicon.half_life == 1.57e-4
        assert silicon.daughters == (("S32", 1.0),)
        assert [(s.Z, s.A) for s in known.values()] == sorted((s.Z, s.A) for s in known.values())
        assert [s.name for s in select(include=["Si32", "S32"])] == ["Si32", "S32"]

    def test_it_is_taken_out_of_the_chains_of_decay(self, added):
        assert fates(["Al32"], ["S32"])["Al32"] == {"S32": pytest.approx(0.993)}
        added(SILICON)
        assert fates(["Al32"], ["Si32", "S32"])["Al32"] == {"Si32": pytest.approx(0.993)}
        assert fates(["Si32"], ["S32"])["Si32"] == {"S32": 1.0}  # produced, and not followed

    def test_a_network_feeds_it(self, added, tmp_path):
        """In a process of its own: layers of cross sections are folded once, with the nuclides there are."""
        added(SILICON)
        script = """
from cyldiff.particles.inelastic import Letaw1983
from cyldiff.particles.network import Network
from cyldiff.particles.spallation import Evoli2019
from cyldiff.particles.species import select
network = Network.build(select(include=["Ar36", "Si32", "S32"]), inelastic=Letaw1983(),
                        spallation=Evoli2019(extrapolation="constant"), kinetic_energy=[1.0, 10.0])
names = [s.name for s in network.species]
assert (names.index("Si32"), names.index("S32"), 1.0) in network.decays, network.decays
assert (network.inelastic[names.index("Si32")] > 100.0).all()
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def test_tables_that_do_not_have_it_say_so(self, added):
        silicon = added(SILICON)["Si32"]
        with pytest.raises(DataError, match='"tripathi-1999" has no cross section of Si32; "letaw-1983"'):
            Tripathi1999().sigma(silicon, [1.0])

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ("Be10,4,10,1,beta-,B10,1.4,1", "is in the library already"),
            ("Si32,15,32,1,beta-,S32,1.57e-4,1", "do not go with the name"),
            ("Si32,14.5,32,1,beta-,S32,1.57e-4,1", "do not go with the name"),
            ("U238,92,238,1,stable,,,", "Z is 1 to 28"),
            ("Si32,14,32,32,beta-,S32,1.57e-4,1", "expected about 1 u"),
            ("Si32,14,32,1,beta-,S32,-1,1", "expected more than 0"),
            ("Si32,14,32,1,beta-,P31,1.57e-4,1", "no known nuclide of its mass number"),
            ("Si32,14,32,1,beta-,S32,1.57e-4,2", "expected 0 to 1"),
            ("Si32,14,many,1,beta-,S32,1.57e-4,1", "the column A holds what is no number"),
        ],
    )
    def test_what_cannot_be_is_refused(self, added, row, words):
        with pytest.raises(DataError, match=words):
            added(row)

    def test_all_problems_at_once(self, added):
        with pytest.raises(DataError, match=r"Be10.*Si33"):
            added("Be10,4,10,1,stable,,,", "Si33,14,32,1,stable,,,")

    def test_results_tell_it_from_the_table_of_the_library(self, added):
        before = resources.tables_read()["nuclides.csv"]
        added(SILICON)
        read = resources.tables_read()
        assert read["nuclides.csv"] == before
        assert len(read[OWN_TABLE]) == 64

    def test_twice(self, added):
        with pytest.raises(DataError, match='"Si32" occurs twice'):
            added(SILICON, SILICON)

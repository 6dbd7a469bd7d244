"""Catalogues: what rows become, and every way they can be wrong, in one report."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff.errors import ConfigError, CyldiffError
from cyldiff.sources.catalogue import Catalogue
from cyldiff.sources.catalogue_checks import same_population
from cyldiff.sources.catalogue_file import check_catalogue, load_catalogue, load_catalogue_mapping
from cyldiff.sources.fluxes_dataset import to_toml_rows


def problems(raw, *overrides, model=None, objects=False):
    """Key -> message of everything that is wrong."""
    with pytest.raises(ConfigError) as caught:
        load_catalogue_mapping(raw, overrides, model=model and model.physics, objects=objects)
    return {p.key: p.message for p in caught.value.problems}


class TestRows:
    def test_places(self, raw, model):
        places = load_catalogue_mapping(raw).positions(model.physics.observer)
        np.testing.assert_allclose(places, [[-6.0627, -1.0145, 0.0], [-7.5, 1.5, 0.1]], atol=1e-4)

    def test_equatorial(self, raw, model):
        for key in ("l", "b"):
            del raw["source"][0][key]
        raw["source"][0].update(ra="60 deg", dec="24.5 deg", distance="0.3 kpc")
        place = load_catalogue_mapping(raw).positions(model.physics.observer)[0]
        np.testing.assert_allclose(place, [-8.774, 0.055, -0.109], atol=1e-3)

    def test_pieces(self, raw, model):
        pieces = load_catalogue_mapping(raw).segments(model.physics.observer)
        np.testing.assert_allclose(pieces.oldest, [4.82, 1.0])
        np.testing.assert_allclose(pieces.youngest, [4.82, 0.7])
        second = 0.1 * 1e38 * 0.3 * const.MYR_S  # erg, after the efficiency
        np.testing.assert_allclose(pieces.energy / const.ERG_GEV, [1e50, second])
        np.testing.assert_array_equal(pieces.source, [0, 1])
        np.testing.assert_array_equal(pieces.spectrum, [0, 1])

    def test_equal_spectra_are_one(self, raw):
        raw["source"][1].update({key: raw["source"][0][key] for key in ("spectrum", "species")})
        catalogue = load_catalogue_mapping(raw)
        assert catalogue.spectra(catalogue.species, np.array([10.0, 1e3])).shape == (1, 2, 2)

    def test_budget(self, raw):
        catalogue = load_catalogue_mapping(raw)
        energy, power = catalogue.energy(catalogue.species), catalogue.power(catalogue.species)
        np.testing.assert_allclose(energy.sum(axis=1), [1e50, 0.1 * 1e38 * 0.3 * const.MYR_S], rtol=1e-12)
        np.testing.assert_array_equal(power, 0.0)
        raw["source"][1]["history"].pop("duration")
        power = load_catalogue_mapping(raw).power(catalogue.species)
        np.testing.assert_allclose(power, [[0.0, 0.0], [1e37, 0.0]], rtol=1e-12)

    def test_defaults_go_under_the_rows(self, raw):
        raw["defaults"] = {"efficiency": 0.5, "spectrum": {"cutoff_sharpness": 2.0}, "species": {"C12": 1.0}}
        one, two = load_catalogue_mapping(raw).sources
        assert (one.efficiency, two.efficiency) == (0.5, 0.1)
        assert one.spectrum.cutoff_sharpness == two.spectrum.cutoff_sharpness == 2.0
        assert one.species == {"H1": 1.0, "He4": 0.1}, "a mix is not added to"
        assert two.species == {"C12": 1.0}

    def test_another_kind_replaces_the_default(self, raw):
        raw["defaults"] = {"history": {"kind": "constant", "luminosity": "1 erg/s", "duration": "1 kyr"}}
        assert load_catalogue_mapping(raw).sources[0].history.kind == "burst"

    def test_changes(self, raw):
        changed = load_catalogue_mapping(
            raw,
            ["defaults.minimum_energy = 10 GeV", 'source."two".age = "2 Myr"', "source.one.efficiency=0.2"],
        )
        assert [s.minimum_energy for s in changed.sources] == [10.0, 10.0]
        assert [s.age for s in changed.sources] == [4.82, 2.0]
        assert changed.sources[0].efficiency == 0.2

    def test_what_is_stored_gives_the_same_sources(self, raw, model):
        raw.update(title='with "quotes"', population="x", catalogue={"notes": ["a", "b"]})
        raw["defaults"] = {"efficiency": 0.5}
        raw["source"][0]["data"] = {"distance_error": "0.4 kpc", "index": 2.1, "detected": True}
        catalogue = load_catalogue_mapping(raw)
        again = load_catalogue_mapping(tomllib.loads(to_toml_rows(catalogue)))
        assert again.sources == catalogue.sources
        assert (again.title, again.population) == (catalogue.title, "x")
        assert again.pedigree == catalogue.pedigree

    def test_further_columns_are_kept(self, raw):
        raw["source"][0]["data"] = {"flux": 0.3}
        assert load_catalogue_mapping(raw).sources[0].data == {"flux": 0.3}


class TestObjects:
    @pytest.fixture
    def bare(self):
        return {
            "schema": 1,
            "source": [{"name": n, "l": "1 deg", "b": "2 deg", "distance": "3 kpc"} for n in "ab"],
        }

    def test_they_can_be_listed(self, bare, model):
        catalogue = load_catalogue_mapping(bare, objects=True)
        assert catalogue.positions(model.physics.observer).shape == (2, 3)
        with pytest.raises(CyldiffError, match="a, b: only the place is known; age, history and spectrum"):
            catalogue.segments(model.physics.observer)

    def test_they_are_no_sources(self, bare):
        """What every row lacks is said once, and how to give it."""
        found = problems(bare)
        assert list(found) == [f"every source, key {key}" for key in ("age", "history", "spectrum")]
        assert "--set 'defaults.age = …'" in found["every source, key age"]

    def test_until_the_rest_is_given(self, bare):
        catalogue = load_catalogue_mapping(
            bare,
            [
                "defaults.age=1 Myr",
                'defaults.history={kind="burst", energy="1 erg"}',
                'defaults.spectrum={kind="power-law", index=2.2, cutoff="1 PV"}',
            ],
        )
        assert all(source.is_complete for source in catalogue.sources)


class TestRefused:
    def test_all_rows_in_one_report(self, raw, model):
        raw["source"][0].update(age="4.82", distance="-2 kpc", efficency=0.1)
        raw["source"][1].update(
            name="One", age="-1 Myr", history={"kind": "brust"}, spectrum={"kind": "power-law", "index": 1.9}
        )
        raw["source"].append({"name": "three", "position": ["9 kpc", "0 kpc", "5 kpc"], "species": {"He": 1}})
        found = problems(raw, model=model)
        assert found['source 1 ("one"), key age'] == '"4.82" has no unit; expected time, e.g. "1.387 Myr"'
        assert found['source 1 ("one"), key distance'] == 'found "-2 kpc"; expected more than 0 kpc'
        assert found['source 1 ("one"), key efficency'] == "unknown key; did you mean efficiency?"
        assert found['source 2 ("One"), key name'] == "is that of source 1 too; expected another one"
        assert found['source 2 ("One"), key age'] == 'found "-1 Myr"; expected more than 0 Myr'
        assert 'did you mean "burst"?' in found['source 2 ("One"), key history.kind']
        assert "is infinite" in found['source 2 ("One"), key spectrum.cutoff']
        assert "outside the halo (r < 20 kpc, |z| < 4.5 kpc)" in found['source 3 ("three"), key position']
        assert found['source 3 ("three"), key species'].startswith('unknown species "He"; did you mean "He')
        assert found['source 3 ("three"), key age'].startswith("is missing")
        assert len(found) == 12

    @pytest.mark.parametrize(
        ("change", "key", "words"),
        [
            ({"ra": "3 deg"}, "", "found b, distance, l, ra; expected exactly one of l, b, distance | ra"),
            ({"b": None}, "", "found distance, l; expected exactly one of"),
            ({"b": "91 deg"}, ", key b", "expected at most 90 deg"),
            ({"distance": "0 kpc"}, ", key distance", "expected more than 0 kpc"),
            ({"distance": "2.64 Myr"}, ", key distance", 'found unit "Myr"; expected length'),
            ({"distance": "nan kpc"}, ", key distance", "is not a number with a unit"),
            ({"age": 4.82}, ", key age", "has no unit"),
            ({"efficiency": 0.0}, ", key efficiency", "expected more than 0"),
            ({"efficiency": float("nan")}, ", key efficiency", "expected a finite number"),
            ({"species": {"H1": -1.0}}, ", key species", "negative weight of H1"),
            ({"species": {"H1": 0.0}}, ", key species", "all weights are zero"),
            ({"species": {"H1": float("inf")}}, ", key species.H1", "expected a finite number"),
            ({"normalisation": "logarithmic"}, ", key normalisation", "it needs index = 2"),
            ({"normalisation": "exakt"}, ", key normalisation", 'did you mean "exact"?'),
            ({"spectrum": {"kind": "power-law", "index": 2.2, "cutoff": "5 PeV"}}, ", key spectrum.cutoff", "rigidity"),
            ({"spectrum": {"kind": "power-law", "cutoff": "5 PV"}}, ", key spectrum.index", "is missing"),
            ({"history": {"kind": "constant", "energy": "1 erg"}}, ", key history.energy", "it belongs to burst"),
            ({"minimum_energy": "1e9 PeV"}, ", key minimum_energy", "above 1e+15 GeV is zero"),
            ({"name": ""}, ", key name", "expected text"),
            (
                {"history": {"kind": "table", "times": ["5 Myr"], "luminosities": ["1 erg/s"]}},
                ", key age",
                "its history has not begun yet",
            ),
        ],
    )  # fmt: skip
    def test_one_row(self, raw, change, key, words):
        row = raw["source"][0]
        row.update(change)
        raw["source"][0] = {k: v for k, v in row.items() if v is not None}
        found = problems(raw)
        (where,) = (k for k in found if words in found[k])
        name = f' ("{row["name"]}")' if "name" in row else ""
        assert where == f"source 1{name}{key}"

    def test_the_halo(self, raw, model):
        raw["source"][0]["distance"] = "40 kpc"
        raw["source"][1]["position"] = ["-8.5 kpc", "0 kpc", "0 kpc"]
        found = problems(raw, model=model)
        assert "is outside the halo" in found['source 1 ("one"), key distance']
        assert "is where the Sun is" in found['source 2 ("two"), key position']

    def test_the_same_population_twice(self, raw, model):
        raw["population"] = "SNR"
        raw["source"][0]["name"] = "s_n-r"
        found = problems(raw, model=model)
        assert set(found) == {"population", 'source 1 ("s_n-r"), key name'}
        assert 'is the component "snr" of the model already' in found["population"]
        load_catalogue_mapping(raw)

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("SNR", "s_n-r", True),
            ("known microquasars", "Known-Microquasars", True),
            ("GRS 1915+105", "GRS 1915-105", False),
            ("GRO J0422+32", "GRO J0422-32", False),
            ("xrb", "xrbs", False),
        ],
    )
    def test_what_the_same_is(self, one, other, same):
        assert same_population(one, other) is same

    def test_made_in_python(self, raw, model):
        """The same checks when the sources come as objects."""
        raw["source"][0]["distance"] = "40 kpc"
        raw["population"] = "snr"
        catalogue = load_catalogue_mapping(raw)
        with pytest.raises(ConfigError) as caught:
            check_catalogue(catalogue, model.physics)
        assert [p.key for p in caught.value.problems] == ['source 1 ("one"), key distance', "population"]
        check_catalogue(Catalogue(catalogue.sources[1:]), model.physics)

    @pytest.mark.parametrize(
        ("raw_change", "key", "words"),
        [
            ({"schema": 2}, "schema", "2 unknown; known: 1"),
            ({"schema": None}, "schema", "is missing"),
            ({"source": []}, "source", "has 0 entries; expected at least 1"),
            ({"source": {"name": "x"}}, "source", "expected a list"),
            ({"source": None}, "source", "is missing"),
            ({"source": ["x"]}, "source 1", 'found "x"; expected a table of keys'),
            ({"sources": [1]}, "sources", "unknown key; did you mean source?"),
            ({"title": 3}, "title", "expected text"),
        ],
    )
    def test_the_head(self, raw, raw_change, key, words):
        raw.update(raw_change)
        found = problems({k: v for k, v in raw.items() if v is not None})
        assert words in found[key]

    def test_defaults_are_to_blame_once(self, raw):
        raw["defaults"] = {"efficency": 0.1, "minimum_energy": "1"}
        found = problems(raw)
        assert set(found) == {"defaults.efficency", "defaults.minimum_energy"}

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ("age=3 Myr", "expected defaults.KEY=value"),
            ("source.x", "expected defaults.KEY=value"),
            ('source."onee".age=3 Myr', 'there is no source "onee"; did you mean "one"?'),
        ],
    )
    def test_changes(self, raw, change, words):
        assert words in problems(raw, change)["--set"]

    def test_a_change_is_to_blame(self, raw):
        with pytest.raises(
            ConfigError, match=r"key age +found .-3 Myr.; expected more than 0 Myr   \(in --set\)"
        ):
            load_catalogue_mapping(raw, ["source.one.age=-3 Myr"])

    def test_not_a_mapping(self):
        with pytest.raises(ConfigError, match="expected a table"):
            load_catalogue_mapping([1])


class TestFiles:
    def test_toml(self, tmp_path, model):
        file = tmp_path / "mine.toml"
        file.write_text(
            'schema = 1\n[[source]]\nname = "x"\nl = "1 deg"\nb = "0 deg"\ndistance = "1 kpc"\nage = "1 Myr"\n'
            'history = { kind = "burst", energy = "1e50 erg" }\nspectrum = { kind = "power-law", index = 2.5 }\n'
        )
        catalogue = load_catalogue(file, model=model.physics)
        assert catalogue.names == ("x",)
        assert len(catalogue.checksum) == 64
        assert catalogue.inputs == (file,)

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("none.toml", None, "no file"),
            ("exmple", None, 'did you mean "example"?'),
            ("broken.toml", b"schema = ", "is not valid TOML"),
            ("binary.toml", bytes(range(256)), "is not a text file in UTF-8"),
            ("binary.ecsv", bytes(range(256)), "is not"),
            ("plain.ecsv", b"a b c\n1 2 3\n", "is not an ECSV table"),
            ("none.ecsv", None, "no file"),
        ],
    )
    def test_refused(self, tmp_path, monkeypatch, name, content, words):
        monkeypatch.chdir(tmp_path)
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigError, match=words):
            load_catalogue(name)

"""Bad input: every problem of a population in one message, with key, what was found, and the nearest name."""

from __future__ import annotations

import copy
import tomllib

import pytest
from microquasars import MICROQUASARS

from cyldiff.errors import ConfigError
from cyldiff.sources.population.load import load_population, load_population_mapping


def problems(change=None, overrides=()):
    raw = copy.deepcopy(MICROQUASARS)
    if change is not None:
        change(raw)
    with pytest.raises(ConfigError) as error:
        load_population_mapping(raw, overrides)
    return {p.key: p.message for p in error.value.problems}


@pytest.mark.parametrize(
    ("override", "key", "message"),
    [
        ("population.rate=-0.1 kyr^-1", "population.rate", "expected more than 0"),
        ("population.rate=0.1", "population.rate", "has no unit; expected rate"),
        ("population.rate=0.1 kyr", "population.rate", 'found unit "kyr"; expected rate'),
        ("draw.realisations=0", "draw.realisations", "expected at least 1"),
        ("draw.realisations=2.5", "draw.realisations", "expected a whole number"),
        ("draw.sed=3", "draw.sed", "did you mean draw.seed?"),
        ("population.luminosty.min=1e39 erg/s", "population.luminosty", "did you mean population.luminosity?"),
        ("population.luminosity.max=1e38 erg/s", "population.luminosity", "min is larger than max"),
        ("population.luminosity.min=1e39", "population.luminosity.min", "has no unit; expected power"),
        ("population.lifetime.kind=fix", "population.lifetime.kind", 'did you mean "fixed"?'),
        ("population.distribution.kind=lorimer-2060", "population.distribution.kind", 'mean "lorimer-2006"?'),
        ("population.distribution.vertical=unifrom", "population.distribution.vertical", 'mean "uniform"?'),
        ("population.efficiency=1.5", "population.efficiency", "expected at most 1"),
        ("population.species={H2O=1}", "population.species.H2O", "unknown species"),
        ("population.species={H1=0}", "population.species", "no species has a weight above 0"),
        ("population.species={H1=-1}", "population.species", "negative weight of H1"),
        ("population.history_length=1 Myr", "population.history_length", "is too short: births before it have"),
        ("population.history=pulsed", "population.history", "unknown; known: constant, burst"),
        ("population.minimum_energy=1", "population.minimum_energy", "has no unit"),
        ("population.name=a/b", "population.name", "expected a plain name"),
        ("energies.max=50 TeV", "energies.max", "is empty; expected max above min"),
        ("output.brightest_at=1 GeV", "output.brightest_at", "is outside the energies"),
        ("observers.ring={radius='25 kpc', n=4}", "observers.ring.radius", "outside the halo of radius 20 kpc"),
        ("observers.ring={radius='8 kpc', n=0}", "observers.ring.n", "expected at least 1"),
        ("model.observer.z=4 kpc", "model.observer.z", "outside the halo of half-height 3 kpc"),
        ("model.kernel=grid", "model.kernel", "unknown; known: auto, halo, free"),
        ("selection.exclude={younger_than='500 kyr'}", "selection.exclude.within", "is missing; expected length"),
        ("selection.exclude={younger_than='4 kpc', within='4 kpc'}", "selection.exclude.younger_than", "found unit"),
        ("population.index_spread=0.1", "population.normalisation", '"logarithmic" needs index = 2'),
        ("draw.realisations=9000000", "draw.realisations", "GB of memory"),
    ],
)  # fmt: skip
def test_one_thing_wrong(override, key, message, monkeypatch):
    monkeypatch.setattr("cyldiff.config.memory.available_memory", lambda: 1e8)
    found = problems(overrides=[override])
    assert list(found) == [key]
    assert message in found[key]


def test_everything_in_one_message():
    def spoil(raw):
        raw["population"] |= {"rate": "-1 kyr^-1", "efficency": 0.1, "name": "snr"}
        raw["population"]["lifetime"] = {"kind": "fixed", "value": "100"}
        raw["draw"]["realisations"] = 0
        raw["model"] = {"use": "kaci-2025"}
        raw["energies"]["max"] = "1 TeV"
        raw["reference"] = {"species": "He3", "energy": "1 PeV", "intensity": "1 GeV^-1 m^-2 s^-1 sr^-1"}

    found = problems(spoil)
    assert set(found) == {
        "population.rate", "population.efficency", "population.lifetime.value", "population.name",
        "draw.realisations", "energies.max", "reference.index", "reference.species",
    }  # fmt: skip


class TestEmission:
    def test_neither_luminosity_nor_energy(self):
        found = problems(lambda raw: raw["population"].pop("luminosity"))
        assert "is missing; expected a luminosity or an energy" in found["population.luminosity"]

    def test_both(self):
        found = problems(overrides=["population.energy={kind='fixed', value='1e51 erg'}"])
        assert "are both given" in found["population.luminosity"]

    def test_no_lifetime(self):
        found = problems(lambda raw: raw["population"].pop("lifetime"))
        assert '"constant" needs one' in found["population.lifetime"]

    def test_a_burst_of_a_luminosity_needs_a_lifetime(self):
        def change(raw):
            raw["population"].pop("lifetime")
            raw["population"]["history"] = "burst"

        assert "a luminosity needs one" in problems(change)["population.lifetime"]

    def test_a_burst_of_an_energy_has_none(self):
        def change(raw):
            raw["population"].pop("luminosity")
            raw["population"] |= {"history": "burst", "energy": {"kind": "fixed", "value": "1e51 erg"}}

        assert "has no meaning for bursts" in problems(change)["population.lifetime"]

    def test_infinite_energy(self):
        def change(raw):
            raw["population"]["spectrum"] = {"kind": "power-law", "index": 1.9}
            raw["population"]["normalisation"] = "exact"

        assert "without a cut-off is infinite" in problems(change)["population.spectrum.cutoff"]

    def test_infinite_energy_of_some(self):
        def change(raw):
            raw["population"]["spectrum"] = {"kind": "power-law", "index": 2.2}
            raw["population"] |= {"normalisation": "exact", "index_spread": 0.1}

        assert "some sources have an index below 2" in problems(change)["population.spectrum.cutoff"]

    def test_logarithmic_is_for_index_two(self):
        found = problems(overrides=["population.spectrum.index=2.2"])
        assert "it needs index = 2" in found["population.normalisation"]


class TestModel:
    def test_the_same_population_twice(self):
        def change(raw):
            raw["model"] = {"use": "kaci-2025"}
            raw["population"]["name"] = "SNR"

        message = problems(change)["population.name"]
        assert '"SNR" is the component "snr" of the model already' in message
        assert "must not be injected twice" in message

    @pytest.mark.parametrize(
        ("model", "key", "message"),
        [
            ("yue-2025", "model.diffusion", '"spatially-dependent" depends on place or direction'),
            ("evoli-2019-like", "model.convection", "the closed form has no wind"),
            ("kaci-2052", "model.use", 'did you mean "kaci-2025"?'),
        ],
    )
    def test_no_closed_form(self, model, key, message):
        found = problems(lambda raw: raw.update(model={"use": model}))
        assert message in found[key]

    @pytest.mark.parametrize("model", ["yue-2025", "evoli-2019-like"])
    def test_unless_it_is_asked_for_by_name(self, model):
        raw = copy.deepcopy(MICROQUASARS)
        raw["model"] = {"use": model, "kernel": "halo"}
        raw["population"]["history_length"] = "200 Myr"
        loaded = load_population_mapping(raw)
        assert loaded.config.model.kernel == "halo"

    def test_keys_of_the_model_can_be_changed(self):
        raw = copy.deepcopy(MICROQUASARS)
        raw["model"] = {"use": "kaci-2025", "halo": {"half_height": "4 kpc"}}
        raw["population"]["history_length"] = "20 Myr"
        loaded = load_population_mapping(raw, ["model.diffusion.delta=0.4"])
        assert loaded.config.model.halo.half_height == 4.0
        assert loaded.config.model.halo.radius == 20.0
        assert loaded.config.model.diffusion.delta == 0.4
        assert loaded.origin["model.halo.radius"] == "kaci-2025"
        assert loaded.origin["model.diffusion.delta"] == "--set"

    def test_a_run_is_no_population(self):
        with pytest.raises(ConfigError, match="population"):
            load_population("quickstart")


def test_no_such_file():
    with pytest.raises(ConfigError, match='did you mean "papers/kaci-2025/population"'):
        load_population("papers/kaci-2025/populaton")


def test_the_population_of_the_library():
    loaded = load_population("papers/kaci-2025/population")
    assert loaded.config.population.rate == pytest.approx(100.0)
    assert loaded.config.draw.realisations == 10_000
    assert "snr" in loaded.config.model.sources


def test_the_resolved_text_is_the_same_population():
    loaded = load_population(
        "papers/kaci-2025/population", ["selection.exclude={younger_than='1 Myr', within='2 kpc'}"]
    )
    again = load_population_mapping(tomllib.loads(loaded.toml()))
    assert again.config == loaded.config
    assert again.toml() == loaded.toml()

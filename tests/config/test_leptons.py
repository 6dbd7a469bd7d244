"""What a run with electrons or positrons needs, and what it is told if that is not there."""

from __future__ import annotations

import sys

import pytest

from cyldiff.config.load import load_mapping
from cyldiff.errors import ConfigError

FIELDS = {"magnetic_field": {"kind": "uniform", "B0": "5 uG"}, "radiation_field": {"kind": "cmb"}}


@pytest.fixture
def with_electrons(complete):
    """Protons and electrons, the latter from the same sources."""
    complete["physics"].update(FIELDS)
    complete["physics"]["sources"]["snr"]["abundances"]["electron"] = 0.01
    complete["species"]["include"] = ["H1", "electron"]
    return complete


def problems(raw):
    with pytest.raises(ConfigError) as found:
        load_mapping(raw)
    return {p.key: p.message for p in found.value.problems}


def test_complete(with_electrons):
    config = load_mapping(with_electrons).config
    assert config.physics.magnetic_field.B0 == 5.0
    assert load_mapping(load_mapping(with_electrons).resolved).config == config


def test_nobody_needs_fields_without_leptons(complete):
    assert load_mapping(complete).config.physics.magnetic_field is None


def test_missing_fields_are_both_named(with_electrons):
    for key in FIELDS:
        del with_electrons["physics"][key]
    found = problems(with_electrons)
    assert set(found) == {"physics.magnetic_field", "physics.radiation_field"}
    assert "electron lose energy in it" in found["physics.magnetic_field"]
    assert 'magnetic_field = { kind = "uniform", B0 = "5 uG" }' in found["physics.magnetic_field"]
    with_electrons["physics"]["energy_losses"] = False
    assert load_mapping(with_electrons).config


def test_a_field_that_is_wrong_is_reported_once(with_electrons):
    with_electrons["physics"]["magnetic_field"] = {"kind": "uniform", "B0": 5.0}
    found = problems(with_electrons)
    assert list(found) == ["physics.magnetic_field.B0"]
    assert "has no unit" in found["physics.magnetic_field.B0"]
    with_electrons["physics"]["magnetic_field"] = {"kind": "unifrom"}
    assert 'did you mean "uniform"' in problems(with_electrons)["physics.magnetic_field.kind"]


def test_positrons_without_a_source(with_electrons):
    with_electrons["species"]["include"].append("positron")
    found = problems(with_electrons)
    assert list(found) == ["species.include"]
    assert "positron has no source" in found["species.include"]
    assert "secondary_leptons" in found["species.include"]


def test_secondaries_need_their_parents(with_electrons):
    with_electrons["physics"]["secondary_leptons"] = {"kind": "aafrag"}
    with_electrons["species"]["include"] = ["electron", "positron", "C12"]
    with_electrons["physics"]["sources"]["snr"]["normalisation"]["species"] = "C12"
    with_electrons["compare"]["data"] = []
    assert "H1 and He4" in problems(with_electrons)["physics.secondary_leptons"]


def test_secondaries_need_the_tables(with_electrons, monkeypatch):
    monkeypatch.setitem(sys.modules, "aafragpy", None)
    with_electrons["physics"]["secondary_leptons"] = {"kind": "aafrag"}
    assert 'pip install "cyldiff[gamma]"' in problems(with_electrons)["physics.secondary_leptons"]


@pytest.mark.parametrize(("name", "meant"), [("electrn", "electron"), ("Positron", "positron")])
def test_misspelt(with_electrons, name, meant):
    with_electrons["species"]["include"].append(name)
    assert f'did you mean "{meant}"' in problems(with_electrons)["species.include[2]"]


def test_injection_and_normalisation_by_lepton(with_electrons):
    source = with_electrons["physics"]["sources"]["snr"]
    source["injection"]["electron"] = {"kind": "broken-power-law", "indices": [2.6], "cutoff": "20 TV"}
    source["normalisation"] = {
        "kind": "local-flux",
        "species": "electron",
        "kinetic_energy": "30 GeV",
        "flux": "6e-3 GeV^-1 m^-2 s^-1 sr^-1",
    }
    assert load_mapping(with_electrons).config
    source["normalisation"]["species"] = "positron"
    assert "not among the species" in problems(with_electrons)["physics.sources.snr.normalisation.species"]


def test_data_of_leptons(with_electrons):
    with_electrons["compare"]["data"] = ["ams02-electron-rigidity"]
    assert load_mapping(with_electrons).config
    with_electrons["compare"]["data"] = ["ams02-positron-rigidity"]
    assert "needs positron" in problems(with_electrons)["compare.data[0]"]

"""Data sets of the user beside the shipped ones: every kind is found as what it is."""

from __future__ import annotations

import shutil

import pytest

from cyldiff.config.explain import library_listing
from cyldiff.data import diffuse, dipoles, measurements, seds
from cyldiff.data.shelf import file_of
from cyldiff.errors import DataError
from cyldiff.resources import folder

SHELVES = {m.SHELF.place: m for m in (measurements, diffuse, dipoles, seds)}


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder of the user with one copy of each kind of data."""
    place = tmp_path / "mine"
    place.mkdir()
    for name in SHELVES:
        table = sorted((folder("physics") / name).glob("*.csv"))[0]
        shutil.copy(table, place / f"my-{name}.csv")
        text = table.with_suffix(".source.toml").read_text(encoding="utf-8")
        (place / f"my-{name}.source.toml").write_text(
            text.replace(table.name, f"my-{name}.csv"), encoding="utf-8"
        )
    monkeypatch.setenv("CYLDIFF_PATH", str(place))
    return place


@pytest.mark.parametrize("name", SHELVES)
def test_a_set_is_on_one_shelf_only(mine, name):
    found = {place for place, module in SHELVES.items() if f"my-{name}" in module.SHELF.available()}
    assert found == {name}
    assert len(SHELVES[name].SHELF.available()) > 1
    assert SHELVES[name].SHELF.table(f"my-{name}").path == mine / f"my-{name}.csv"


@pytest.mark.parametrize("name", ["gamma", "anisotropy", "sed"])
def test_a_measurement_is_none_of_the_others(mine, name):
    with pytest.raises(DataError, match=r"not a spectrum or ratio; see `cyldiff \w+`"):
        measurements.load(f"my-{name}")


def test_the_listing_holds_them_all(mine):
    listing = library_listing("data")
    assert all(f"my-{name}" in listing for name in SHELVES)


def test_a_pedigree_that_cannot_be_read_hides_its_own_table_only(mine):
    (mine / "my-sed.source.toml").write_text("= nothing")
    for module in SHELVES.values():
        assert "my-sed" not in module.SHELF.available()
        assert len(module.SHELF.available()) > 1


def test_names_and_files(tmp_path):
    assert file_of("ams02-b-c-rigidity", None) is None
    assert file_of("mine.csv", tmp_path) == tmp_path / "mine.csv"
    assert file_of("./mine", tmp_path) == tmp_path / "./mine"
    assert file_of(tmp_path / "mine.csv", tmp_path / "elsewhere") == tmp_path / "mine.csv"
    for module in SHELVES.values():
        with pytest.raises(DataError, match="no data file"):
            module.SHELF.table("none.csv", beside=tmp_path)

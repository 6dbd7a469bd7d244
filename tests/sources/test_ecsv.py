"""Catalogues as ECSV: units of the columns, gaps, and everything astropy can choke on."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable, Table

from cyldiff.errors import ConfigError
from cyldiff.sources.catalogue_file import load_catalogue, load_catalogue_mapping


def write(tmp_path, table, **meta):
    table.meta.update({"schema": 1, **meta})
    path = tmp_path / "mine.ecsv"
    table.write(path, format="ascii.ecsv", overwrite=True)
    return path


@pytest.fixture
def table(raw):
    """The rows of `raw`, in other units."""
    return Table(
        {
            "name": ["one", "two"],
            "l": MaskedColumn([np.radians(337.4), 0.0], mask=[False, True], unit=u.rad),
            "b": MaskedColumn([0.0, 0.0], mask=[False, True], unit=u.deg),
            "distance": MaskedColumn([2640.0, 0.0], mask=[False, True], unit=u.pc),
            "x": MaskedColumn([0.0, -7500.0], mask=[True, False], unit=u.pc),
            "y": MaskedColumn([0.0, 1500.0], mask=[True, False], unit=u.pc),
            "z": MaskedColumn([0.0, 100.0], mask=[True, False], unit=u.pc),
            "age": [4820.0, 1000.0] * u.kyr,
            "history.kind": ["burst", "constant"],
            "history.energy": MaskedColumn([1e43, 0.0], mask=[False, True], unit=u.J),
            "history.luminosity": MaskedColumn([0.0, 1e31], mask=[True, False], unit=u.W),
            "history.duration": ["", "300 kyr"],
            "spectrum.kind": ["power-law"] * 2,
            "spectrum.index": [2.2, 2.0],
            "spectrum.cutoff": [5e6, 1e7] * u.GV,
            "species.H1": [1, 1],
            "species.He4": MaskedColumn([0.1, 0.0], mask=[False, True]),
            "efficiency": [100.0, 10.0] * u.percent,
        }
    )


def test_it_is_the_toml(raw, table, tmp_path):
    """The same sources as from the rows, to the rounding of the units."""
    file = load_catalogue(write(tmp_path, table, title="both", catalogue={"citation": "me 2026"}))
    plain = load_catalogue_mapping(raw)
    assert file.title == "both"
    assert file.pedigree == {"citation": "me 2026"}
    for one, other in zip(file.sources, plain.sources, strict=True):
        mine, theirs = one.model_dump(), other.model_dump()
        for key in mine:
            if isinstance(theirs[key], float):
                assert mine[key] == pytest.approx(theirs[key], rel=1e-12)
        assert one.species == other.species
        assert one.position == pytest.approx(other.position)
        assert (one.history.kind, one.spectrum.index) == (other.history.kind, other.spectrum.index)
        assert one.pieces()[0] == pytest.approx(other.pieces()[0], rel=1e-12)


def test_a_qtable(table, tmp_path):
    """Quantities as columns."""
    quantities = QTable(table)
    assert load_catalogue(write(tmp_path, quantities)).names == ("one", "two")


def test_defaults_and_population(table, tmp_path):
    table.remove_columns(["spectrum.kind", "spectrum.index", "spectrum.cutoff", "efficiency"])
    spectrum = {"kind": "power-law", "index": 2.3, "cutoff": "1 PV"}
    path = write(tmp_path, table, population="mine", defaults={"spectrum": spectrum})
    catalogue = load_catalogue(path)
    assert catalogue.population == "mine"
    assert [s.spectrum.index for s in catalogue.sources] == [2.3, 2.3]


def test_a_table_of_luminosities(table, tmp_path):
    table = table[:1]
    table["history.kind"] = ["table"]
    table["history.times"] = [[0.0, 100.0, 300.0]] * u.kyr
    table["history.luminosities"] = [[1e37, 1e38, 0.0]] * u.erg / u.s
    table.remove_columns(["history.energy", "history.luminosity", "history.duration"])
    (source,) = load_catalogue(write(tmp_path, table)).sources
    assert source.history.times == (0.0, 0.1, 0.3)
    assert len(source.pieces()) == 2


def test_further_columns(table, tmp_path):
    table["data.flux"] = MaskedColumn([0.3, 0.0], mask=[False, True], unit="erg / (cm2 s)")
    table["data.detected"] = [True, False]
    one, two = load_catalogue(write(tmp_path, table)).sources
    assert u.Quantity(one.data.pop("flux")) == 0.3 * u.erg / u.cm**2 / u.s
    assert one.data == {"detected": True}
    assert two.data == {"detected": False}


class TestRefused:
    def test_rows_and_columns(self, table, tmp_path):
        table["age"].unit = None
        table["spectrum.index"][1] = np.nan
        table["history.kind"] = ["burst", "constat"]
        table["distance"][0] = -1.0
        table["efficency"] = [1.0, 1.0]
        with pytest.raises(ConfigError) as caught:
            load_catalogue(write(tmp_path, table))
        found = {p.key: p.message for p in caught.value.problems}
        assert found['source 1 ("one"), column age'].startswith("4820.0 has no unit; expected time")
        assert found['source 2 ("two"), column age'].startswith("1000.0 has no unit; expected time")
        assert found['source 1 ("one"), column distance'] == 'found "-1.0 pc"; expected more than 0 kpc'
        assert "expected a finite number" in found['source 2 ("two"), column spectrum.index']
        assert 'did you mean "constant"?' in found['source 2 ("two"), column history.kind']
        assert found["every source, column efficency"] == "unknown key; did you mean efficiency?"
        assert len(found) == 6

    @pytest.mark.parametrize(
        ("unit", "words"),
        [
            ("km", 'found unit "km"; expected time'),
            ("parrot", '"parrot" is no unit'),
            ("GV", "expected time"),
        ],
    )
    def test_units(self, table, tmp_path, unit, words):
        table["age"] = MaskedColumn([1.0, 2.0], unit=u.Unit(unit, parse_strict="silent"))
        with pytest.raises(ConfigError, match=words):
            load_catalogue(write(tmp_path, table))

    def test_not_a_number(self, table, tmp_path):
        table["age"] = [np.nan, np.inf] * u.Myr
        with pytest.raises(ConfigError) as caught:
            load_catalogue(write(tmp_path, table))
        assert all("is not a number with a unit" in p.message for p in caught.value.problems)

    @pytest.mark.parametrize(
        ("column", "words"),
        [
            ("history", "column history.* goes into history, which is a column by itself"),
            ("history.kind.x", "goes into kind, which is a column by itself|stands for a key"),
            ("spectrum..index", "is no key"),
            ("source", "unknown key"),
        ],
    )
    def test_columns_that_contradict_each_other(self, table, tmp_path, column, words):
        table.add_column(["a", "b"], name=column, index=0 if column == "history" else None)
        with pytest.raises(ConfigError, match=words):
            load_catalogue(write(tmp_path, table))

    def test_the_header(self, table, tmp_path):
        with pytest.raises(ConfigError, match="the header may not have a key source"):
            load_catalogue(write(tmp_path, table, source="me"))
        del table.meta["source"], table.meta["schema"]
        path = tmp_path / "bare.ecsv"
        table.write(path, format="ascii.ecsv")
        with pytest.raises(ConfigError, match=r"schema +is missing"):
            load_catalogue(path)

    def test_no_rows(self, table, tmp_path):
        with pytest.raises(ConfigError, match="has 0 entries; expected at least 1"):
            load_catalogue(write(tmp_path, table[:0]))

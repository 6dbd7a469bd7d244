"""Every shipped data set loads and explains itself; a faulty one is refused with its problem."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest

from cyldiff.data import available, load
from cyldiff.errors import DataError
from cyldiff.observables import ABSCISSAE
from cyldiff.resources import folder, read_table

NAMES = sorted(available())
ELEMENTS_OF_AMS = ["h", "he", "li", "be", "b", "c", "n", "o", "ne", "na", "mg", "al", "si", "s", "fe"]


class TestShipped:
    def test_what_runs_and_fits_need_is_there(self):
        needed = {f"ams02-{e}-rigidity" for e in [*ELEMENTS_OF_AMS, "b-c"]}
        needed |= {
            "dampe-h-kinetic-energy",
            "dampe-he-kinetic-energy",
            "dampe-b-c-kinetic-energy-per-nucleon",
        }
        needed |= {f"voyager1-{e}-kinetic-energy-per-nucleon" for e in ("h", "he", "li", "b", "c", "o", "fe")}
        needed |= {f"{e}-be10-be9-kinetic-energy-per-nucleon" for e in ("ace", "isomax", "balloons")}
        assert needed <= set(NAMES)

    @pytest.mark.parametrize("name", NAMES)
    def test_it_loads_with_citation_and_positive_values(self, name):
        m = load(name)
        assert len(m) >= 2
        assert np.all(m.y > 0.0)
        assert np.all(m.sigma_minus > 0.0)
        assert np.all(m.sigma_plus > 0.0)
        assert re.search(r"\b(19|20)\d\d\b", m.citation), "a citation has a year"
        assert re.search(r"\d{4}/\d{2,3}|\d{4}-\d{4}", m.period)
        # no point is further than a factor 40 from its neighbours: catches a slipped column or unit
        assert np.all(np.abs(np.diff(np.log(m.y))) < np.log(40.0))

    @pytest.mark.parametrize("name", NAMES)
    def test_name_sidecar_and_readme_agree(self, name):
        m = load(name)
        quantity = "-".join(x.lower() for x in (*m.numerator, *m.denominator))
        assert name.endswith(f"-{quantity}-{m.abscissa.replace('_', '-')}")
        assert m.x_unit == ABSCISSAE[m.abscissa].unit
        assert m.interstellar == (m.experiment == "Voyager 1")
        place = folder("physics") / "measurements"
        assert f"| `{name}` |" in (place / "README.md").read_text(encoding="utf-8")
        table = read_table(place / f"{name}.csv")
        assert set(table.source["columns"]) == set(table.columns)
        assert table.source["bibcode"]

    def test_every_pedigree_has_its_table(self):
        place = folder("physics") / "measurements"
        assert {p.name.removesuffix(".source.toml") for p in place.glob("*.source.toml")} == set(NAMES)

    def test_known_values(self):
        """Numbers any cosmic-ray physicist knows, far coarser than the tables."""

        def at(name, x):
            m = load(name)
            return float(np.exp(np.interp(np.log(x), np.log(m.x), np.log(m.y))))

        assert at("ams02-h-rigidity", 10.0) == pytest.approx(25.0, rel=0.05)
        assert at("ams02-b-c-rigidity", 10.0) == pytest.approx(0.285, rel=0.02)
        assert at("ams02-b-c-rigidity", 100.0) == pytest.approx(0.13, rel=0.03)
        # DAMPE protons per kinetic energy: 0.042 to 0.047 at 100 GeV
        assert 0.042 < at("dampe-h-kinetic-energy", 100.0) < 0.047
        # helium is per particle energy: at 10 TeV about the same number as protons
        he, p = at("dampe-he-kinetic-energy", 1e4), at("dampe-h-kinetic-energy", 1e4)
        assert he / p == pytest.approx(1.0, abs=0.2)

    def test_ratio_and_fluxes_of_ams_agree(self):
        """B/C has its own table; the quotient of the two flux tables stays within the errors."""
        b, c, ratio = (load(f"ams02-{q}-rigidity") for q in ("b", "c", "b-c"))
        common = (ratio.x > 3.0) & (ratio.x < 500.0)
        x = ratio.x[common]
        quotient = np.exp(
            np.interp(np.log(x), np.log(b.x), np.log(b.y)) - np.interp(np.log(x), np.log(c.x), np.log(c.y))
        )
        assert np.all(np.abs(quotient - ratio.y[common]) < 2.0 * ratio.sigma_plus[common])


class TestLookup:
    def test_an_unknown_name_gets_the_nearest(self):
        with pytest.raises(DataError, match='did you mean "ams02-b-c-rigidity"'):
            load("ams02-bc-rigidity")

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(DataError, match="no data file"):
            load(tmp_path / "nothing.csv")

    def test_a_table_of_the_user_beside_the_run(self, tmp_path):
        _write(tmp_path, "mine")
        assert load("./mine.csv", beside=tmp_path).quantity == "B/C"

    def test_a_folder_of_the_user_joins_the_library(self, tmp_path, monkeypatch):
        _write(tmp_path, "mine")
        (tmp_path / "other.csv").write_text("a\n1\n")
        monkeypatch.setenv("CYLDIFF_PATH", str(tmp_path))
        assert "mine" in available()
        assert "other" not in available()
        assert load("mine").experiment == "Mine"

    def test_a_name_found_twice_is_an_error(self, tmp_path, monkeypatch):
        _write(tmp_path, "ams02-b-c-rigidity")
        monkeypatch.setenv("CYLDIFF_PATH", str(tmp_path))
        with pytest.raises(DataError, match="found twice"):
            load("ams02-b-c-rigidity")


HEADER = "x,x_low,x_high,y,stat_minus,stat_plus,syst_minus,syst_plus,upper_limit"
ROWS = ["1,0.9,1.1,0.3,0.01,0.02,0.03,0.04,0", "2,,,0.2,0.01,0.01,,,0", "3,,,0.1,,,,,1"]


def _write(place, name, *, rows=ROWS, header=HEADER, **changes):
    """A data set of two points and a limit, or one with the given changes (None removes a key)."""
    text = "\n".join([header, *rows]) + "\n"
    keys = {
        "title": '"t"', "citation": '"S 2020"', "retrieved_from": '"r"', "retrieved_on": '"2026-01-01"',
        "licence": '"l"', "processing": '"p"', "sha256": f'"{hashlib.sha256(text.encode()).hexdigest()}"',
        "experiment": '"Mine"', "numerator": '["B"]', "denominator": '["C"]', "abscissa": '"rigidity"',
        "x_unit": '"GV"', "y_unit": '"1"', "period": '"2020"', "interstellar": "false", **changes,
    }  # fmt: skip
    path = place / f"{name}.csv"
    path.write_text(text)
    lines = [f"{key} = {value}" for key, value in keys.items() if value is not None]
    path.with_suffix(".source.toml").write_text("\n".join(lines) + "\n")
    return path


class TestRefused:
    def test_the_example_is_valid(self, tmp_path):
        m = load(_write(tmp_path, "good"))
        assert len(m) == 3
        assert m.upper_limit.tolist() == [False, False, True]
        np.testing.assert_allclose(m.sigma_plus, [np.hypot(0.02, 0.04), 0.01, 0.0])
        np.testing.assert_allclose(m.sigma_minus[0], np.hypot(0.01, 0.03))
        assert m.numerator == ("B",)
        assert np.isnan(m.x_low[1])
        with pytest.raises(ValueError, match="read-only"):
            m.y[0] = 1.0

    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            ("1,,,0.3,-0.01,0.01,0,0,0", "stat_minus is negative"),
            ("1,,,0.3,0.01,0.01,0,-0.1,0", "syst_plus is negative"),
            ("4,,,0.3,0.01,0.01,0,0,0", "x does not increase"),
            ("-1,,,0.3,0.01,0.01,0,0,0", "x is not a positive number"),
            (",,,0.3,0.01,0.01,0,0,0", "x is not a positive number"),
            ("1,,,,0.01,0.01,0,0,0", "y is not a number"),
            ("1,2,3,0.3,0.01,0.01,0,0,0", "x lies outside its bin"),
            ("1,,,0.3,0.01,0,0,0,0", "no error towards plus"),
            ("1,,,0.3,0.01,0.01,0,0,2", "upper_limit is neither 0 nor 1"),
        ],
    )
    def test_a_bad_row(self, tmp_path, row, problem):
        path = _write(tmp_path, "bad", rows=[row, "3,,,0.2,0.01,0.01,0,0,0"])
        with pytest.raises(DataError, match=problem) as caught:
            load(path)
        assert str(path) in str(caught.value)
        assert "line " in str(caught.value)

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"abscissa": '"rigidty"'}, 'abscissa "rigidty" unknown.*did you mean "rigidity"'),
            ({"x_unit": '"GeV"'}, 'expected "GV"'),
            ({"numerator": '"B"'}, 'numerator is "B"; expected a list'),
            ({"numerator": "[]"}, "numerator is empty"),
            ({"interstellar": '"no"'}, "expected true or false"),
            ({"period": None, "experiment": None}, "lacks experiment, period"),
            ({"citation": None}, "pedigree lacks citation"),
            ({"sha256": '"0"'}, "checksum"),
            ({"header": HEADER.replace("y,", "z,", 1)}, 'no column "y"'),
            ({"rows": []}, "no rows"),
            ({"rows": ["1,,,many,0.1,0.1,0,0,0"]}, "column y is not numbers"),
        ],
    )
    def test_a_bad_table(self, tmp_path, changes, problem):
        with pytest.raises(DataError, match=problem):
            load(_write(tmp_path, "bad", **changes))

"""Every shipped dipole loads and explains itself; a faulty one is refused with its problem."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest

from cyldiff.config.explain import library_listing
from cyldiff.data import available, available_dipoles, default_dipoles, load, load_dipole
from cyldiff.errors import DataError
from cyldiff.resources import folder, read_table

NAMES = sorted(available_dipoles())
HEADER = (
    "energy,energy_low,energy_high,amplitude,stat_minus,stat_plus,syst_minus,syst_plus,"
    "phase,phase_minus,phase_plus,upper_limit"
)
GOOD = "1e4,,,1e-3,1e-4,1e-4,0,0,30,2,2,\n1e5,9e4,2e5,5e-4,,1e-4,0,0,300,20,20,2e-3\n"


class TestShipped:
    def test_what_the_figure_needs_is_there(self):
        needed = {
            "icecube-dipole-2016",
            "tibet-dipole-2017",
            "argo-ybj-dipole-2018",
            "kascade-grande-dipole-2015",
        }
        assert needed <= set(NAMES)

    @pytest.mark.parametrize("name", NAMES)
    def test_it_loads_and_is_plausible(self, name):
        m = load_dipole(name)
        assert len(m) >= 1
        # below the bound of the Auger points, above what anybody has measured
        assert np.all((m.amplitude > 5e-5) & (m.amplitude < 0.2))
        assert np.all((m.energy > 50.0) & (m.energy < 1e11))
        given = np.isfinite(m.sigma_plus)
        assert np.all(m.sigma_plus[given] > 0.0), "an error of 0 means not given"
        phase = np.concatenate([m.phase_minus, m.phase_plus])
        assert np.all(phase[np.isfinite(phase)] > 0.0)
        assert re.search(r"\b(19|20)\d\d\b", m.citation)
        assert re.fullmatch(r"\d{4}[A-Za-z&.]+[\d.]+[A-Z.\dLfd]*[A-Z]", m.bibcode)
        assert len(m.bibcode) == 19

    @pytest.mark.parametrize("name", NAMES)
    def test_name_sidecar_and_readme_agree(self, name):
        m = load_dipole(name)
        assert re.fullmatch(r"[a-z0-9-]+-dipole-\d{4}", name)
        assert name.endswith(m.bibcode[:4])
        place = folder("physics") / "anisotropy"
        assert f"| `{name}` |" in (place / "README.md").read_text(encoding="utf-8")
        table = read_table(place / f"{name}.csv")
        assert set(table.source["columns"]) == set(table.columns)
        assert m.superseded_by == "" or m.superseded_by in NAMES
        # the numbers come from the data base and say so
        assert "EPJC 83, 971" in m.citation or "Li et al. 2024" in m.citation

    def test_one_measurement_is_shown_once(self):
        shown = [m.name for m in default_dipoles()]
        assert "icecube-dipole-2016" in shown
        assert not {"icecube-dipole-2010", "icecube-dipole-2012", "argo-ybj-dipole-2015"} & set(shown)
        assert load_dipole("icecube-dipole-2012").superseded_by == "icecube-dipole-2016"

    def test_known_values(self):
        """What every paper on the subject says: about 1e-3 at RA 40 deg at 10 TeV, a minimum near 200 TeV, a flip."""
        m = load_dipole("icecube-dipole-2016")
        assert 1.1e5 < m.energy[np.argmin(m.amplitude)] < 4e5
        assert np.all(m.phase[m.energy < 1e5] < 60.0)
        assert np.all(np.abs(m.phase[(m.energy > 2e5) & (m.energy < 2e6)] - 266.4) < 25.0)
        ten_tev = load_dipole("hawc-icecube-dipole-2019")
        assert ten_tev.amplitude[0] == pytest.approx(1.17e-3)
        assert ten_tev.phase[0] == pytest.approx(38.4)
        # statistical 1e-5 and systematic 6e-5 in quadrature
        assert ten_tev.sigma_plus[0] == pytest.approx(np.hypot(1e-5, 6e-5))

    def test_limits_and_lost_errors(self):
        m = load_dipole("kascade-grande-dipole-2015")
        np.testing.assert_allclose(m.upper_limit, [0.0049, 0.0064, 0.0315])
        last = load_dipole("icecube-dipole-2016")
        assert np.isnan(last.sigma_minus[-1])
        assert last.sigma_plus[-1] == pytest.approx(5.2e-4)
        assert np.isnan(last.upper_limit).all()

    def test_they_are_no_spectra(self):
        assert not set(NAMES) & set(available())
        with pytest.raises(DataError, match="is a dipole, not a spectrum or ratio"):
            load("icecube-dipole-2016")

    def test_they_are_listed(self):
        listing = library_listing("data")
        assert re.search(r"icecube-dipole-2016 +dipole, 9 points, Aartsen", listing)
        assert re.search(r"icetop-dipole-2016 +dipole, 1 point, Aartsen", listing)


@pytest.fixture
def write(tmp_path):
    """Write a table with its pedigree and return the path."""

    def make(rows=GOOD, *, header=HEADER, **changes):
        path = tmp_path / "mine.csv"
        path.write_text(f"{header}\n{rows}")
        keys = {
            "title": "t", "citation": "A 2020", "retrieved_from": "x", "retrieved_on": "2026-11-20", "licence": "x",
            "processing": "x", "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "quantity": "dipole",
            "experiment": "Mine", "bibcode": "2020ApJ...000..000A", **changes,
        }  # fmt: skip
        text = "".join(f'{k} = "{v}"\n' for k, v in keys.items() if v is not None)
        path.with_suffix(".source.toml").write_text(text)
        return path

    return make


class TestOfTheUser:
    def test_a_path(self, write):
        m = load_dipole(write())
        assert (m.name, m.experiment, len(m)) == ("mine", "Mine", 2)
        np.testing.assert_allclose(m.phase, [30.0, 300.0])
        with pytest.raises(ValueError, match="read-only"):
            m.phase[0] = 0.0

    def test_a_folder_of_the_library(self, write, monkeypatch):
        path = write()
        monkeypatch.setenv("CYLDIFF_PATH", str(path.parent))
        assert available_dipoles()["mine"] == path
        assert "mine" not in available()
        assert "mine" in [m.name for m in default_dipoles()]

    def test_the_same_name_twice(self, write, monkeypatch):
        path = write()
        for suffix in (".csv", ".source.toml"):
            path.with_suffix(suffix).rename(path.with_name(f"icecube-dipole-2016{suffix}"))
        monkeypatch.setenv("CYLDIFF_PATH", str(path.parent))
        with pytest.raises(DataError, match="found twice"):
            available_dipoles()

    @pytest.mark.parametrize(
        ("rows", "words"),
        [
            ("", "has no rows"),
            ("0,,,1e-3,1e-4,1e-4,0,0,30,2,2,\n", "line 2: energy is not a positive number"),
            (GOOD + "1e4,,,1e-3,1e-4,1e-4,0,0,30,2,2,\n", "line 4: energy decreases"),
            ("1e4,,,2,1e-4,1e-4,0,0,30,2,2,\n", "line 2: amplitude is not between 0 and 1"),
            ("1e4,,,1e-3,1e-4,1e-4,0,0,360,2,2,\n", "line 2: phase is not a right ascension"),
            ("1e4,,,1e-3,1e-4,1e-4,0,0,,2,2,\n", "line 2: phase is not a right ascension"),
            ("1e4,,,1e-3,1e-4,-1e-4,0,0,30,2,2,\n", "line 2: stat_plus is negative"),
            ("1e4,2e4,3e4,1e-3,1e-4,1e-4,0,0,30,2,2,\n", "outside its interval"),
            ("1e4,,,1e-3,1e-4,1e-4,0,0,30,2,2,1e-4\n", "upper_limit is below the amplitude"),
            ("1e4,,,x,1e-4,1e-4,0,0,30,2,2,\n", "column amplitude is not numbers only"),
        ],
    )  # fmt: skip
    def test_what_cannot_be(self, write, rows, words):
        with pytest.raises(DataError, match=words):
            load_dipole(write(rows))

    def test_keys_and_columns(self, write, tmp_path):
        with pytest.raises(DataError, match="lacks experiment, bibcode"):
            load_dipole(write(experiment=None, bibcode=None))
        with pytest.raises(DataError, match='quantity is none; expected "dipole"'):
            load_dipole(write(quantity=None))
        with pytest.raises(DataError, match="lacks the columns energy_high, amplitude"):
            load_dipole(write("1,2\n", header="energy,energy_low"))
        with pytest.raises(DataError, match="no data file"):
            load_dipole(tmp_path / "no.csv")

    def test_an_unknown_name_names_the_nearest(self):
        with pytest.raises(DataError, match=r'"icecube-2016" unknown.*did you mean "icecube-dipole-2016"'):
            load_dipole("icecube-2016")

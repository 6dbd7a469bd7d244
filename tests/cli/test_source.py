"""The command ``cyldiff source``."""

from __future__ import annotations

import csv

import pytest
from click.testing import CliRunner

from cyldiff.cli import main


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Run it in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        return CliRunner().invoke(main, ["source", *map(str, arguments)], catch_exceptions=False)

    return call


FEW = ("--set", "energies.per_decade=2")


def test_it_prints_a_table(source):
    answer = source("ss433-lepto-hadronic", *FEW)
    assert answer.exit_code == 0, answer.stderr
    rows = list(csv.DictReader(answer.stdout.splitlines()))
    assert list(rows[0])[:4] == ["energy", "flux", "sed", "sed_cloud"]
    assert [float(r["energy"]) for r in rows][::2] == pytest.approx([1e3, 1e4, 1e5, 1e6])
    assert float(rows[4]["sed"]) == pytest.approx(3.42e-13, rel=0.01)
    assert "cloud: power 1e+39 erg/s above 1 GeV" in answer.stderr


def test_it_writes_files(source, tmp_path):
    answer = source("ss433-leptonic", *FEW, "-o", "t.csv", "--plot", "f.png", "--save", "m.toml")
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout.splitlines() == ["f.png written", "t.csv written", "m.toml written"]
    assert (tmp_path / "f.png").stat().st_size > 10_000
    again = source("m.toml")
    assert again.stdout == (tmp_path / "t.csv").read_text()


def test_it_fits(source, tmp_path):
    answer = source("v4641-sgr-hadronic", "--fit", "--save", "best.toml", "--plot", "fit.svg")
    assert answer.exit_code == 0, answer.stderr
    assert "V4641 Sgr, fitted:" in answer.stderr
    assert "chi2 = 7.1" in answer.stderr
    assert 'energy = "1.5' in (tmp_path / "best.toml").read_text()


def test_gaps_are_told(source):
    answer = source("ss433-hadronic", "--set", 'energies.minimum="1 GeV"', "--set", "energies.per_decade=1")
    assert answer.exit_code == 0
    assert "protons: its model does not hold below 100 GeV; left out there" in answer.stderr
    assert ",nan" in answer.stdout


class TestBadInput:
    def refused(self, answer):
        assert answer.exit_code == 2, answer.output
        assert answer.stdout == ""
        assert "Traceback" not in answer.stderr
        return answer.stderr

    def test_all_problems_in_one_message(self, source, tmp_path):
        text = self.refused(
            source(
                "ss433-hadronic",
                "--set",
                'source.distance="4 Mpc/s"',
                "-o",
                "no/where.csv",
                "--plot",
                "f.gif",
            )
        )
        assert "3 problems" in text
        for word in ("source.distance", "--output", "--plot"):
            assert word in text
        assert list(tmp_path.iterdir()) == []

    def test_unknown_name(self, source):
        assert 'did you mean "ss433-leptonic"' in self.refused(source("ss433-lepton"))

    def test_fit_of_nothing(self, source):
        assert "--fit needs fit.free" in self.refused(source("ss433-hadronic", "--fit"))

    def test_two_files_of_one_name(self, source):
        assert "is named twice" in self.refused(source("ss433-hadronic", "-o", "x.csv", "--save", "x.csv"))

    def test_the_model_is_not_overwritten(self, source, tmp_path):
        source("ss433-hadronic", *FEW, "--save", "m.toml")
        assert "is an input" in self.refused(source("m.toml", "--save", "m.toml"))

    def test_energies_above_a_model(self, source):
        text = self.refused(
            source(
                "ss433-hadronic", "--set", 'components.protons.pion_production={ kind = "kafexhiu-2014" }',
                "--set", 'energies.maximum="10 PeV"',
            )
        )  # fmt: skip
        assert "its model holds up to" in text


def test_it_is_listed(source):
    answer = CliRunner().invoke(main, ["list", "emission"])
    assert "ss433-lepto-hadronic" in answer.stdout

"""Measured SED points."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff.data.seds import available_seds, load_sed
from cyldiff.errors import DataError


@pytest.fixture
def table(tmp_path):
    """Write a table with its pedigree."""

    def write(
        text="energy,energy_low,energy_high,sed,minus,plus,upper_limit\n1,,,2,0.5,1,0\n3,,,4,,,1\n", **changes
    ):
        path = tmp_path / "mine.csv"
        path.write_text(text)
        keys = {
            "title": "x", "citation": "x 2026", "retrieved_from": "x", "retrieved_on": "2026-01-01", "licence": "x",
            "processing": "x", "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "quantity": "sed",
            "experiment": "mine", "energy_unit": "TeV", "sed_unit": "erg cm^-2 s^-1",
        }  # fmt: skip
        keys.update(changes)
        side = "".join(f'{key} = "{value}"\n' for key, value in keys.items() if value is not None)
        path.with_suffix(".source.toml").write_text(side)
        return path

    return write


@pytest.mark.parametrize("name", available_seds())
def test_the_library(name):
    points = load_sed(name)
    assert len(points) > 3
    assert np.all(np.diff(points.energy) > 0.0)
    measured = ~points.upper_limit
    assert (points.minus[measured] <= 1.0001 * points.sed[measured]).all()


def test_units():
    """0.32 Crab units at 100 TeV are of the order of the points of V4641 Sgr; HAWC's are in TeV."""
    points = load_sed("v4641-sgr-hawc-2024")
    assert points.energy[0] == pytest.approx(1.027e4)
    assert points.sed[1] == pytest.approx(1.3247e-12 * 1e3 / const.ERG_GEV)
    assert points.upper_limit.tolist() == [True, False, False, False, False, False]


def test_a_table_of_one_s_own(table):
    points = load_sed(table())
    assert points.energy.tolist() == [1e3, 3e3]
    assert points.experiment == "mine"
    assert points.upper_limit.tolist() == [False, True]


def test_found_through_the_path(table, monkeypatch):
    monkeypatch.setenv("CYLDIFF_PATH", str(table().parent))
    assert "mine" in available_seds()
    assert len(load_sed("mine")) == 2


HEAD = "energy,energy_low,energy_high,sed,minus,plus,upper_limit\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"text": "energy,sed\n1,2\n"}, "lacks the columns energy_low, energy_high, minus"),
        ({"experiment": None}, "lacks experiment"),
        ({"energy_unit": "kpc"}, "expected energy"),
        ({"sed_unit": "erg"}, "expected e.g."),
        ({"text": HEAD + "1,,,2,0,1,0\n"}, "line 2: minus is not a positive number"),
        ({"text": HEAD + "1,,,2,1,1,0\n2,,,-2,1,1,0\n"}, "line 3: sed is not a positive number"),
        ({"text": HEAD + "a,,,2,1,1,0\n"}, "column energy is not numbers only"),
    ],
)
def test_refused(table, content, words):
    with pytest.raises(DataError, match=words):
        load_sed(table(**content))


def test_unknown():
    with pytest.raises(DataError, match=r'"v4641-sgr-hwc-2024" unknown; known: .*mean "v4641-sgr-hawc'):
        load_sed("v4641-sgr-hwc-2024")
    with pytest.raises(DataError, match="no data file"):
        load_sed("./nothing.csv")

"""Measured diffuse intensities of the library, and tables that are refused."""

import hashlib

import numpy as np
import pytest

from cyldiff import resources
from cyldiff.data.diffuse import available_diffuse, diffuse_in, load_diffuse
from cyldiff.data.measurements import available, load
from cyldiff.errors import DataError
from cyldiff.observables.regions import REGIONS


@pytest.mark.parametrize("name", available_diffuse())
def test_every_set_of_the_library(name):
    data = load_diffuse(name)
    assert data.region in REGIONS
    assert np.all((data.energy_low < data.energy) & (data.energy < data.energy_high))
    assert np.all(np.diff(data.intensity) < 0.0)
    assert np.all(data.sigma_plus < data.intensity)


def test_lhaaso_values():
    inner, outer = (load_diffuse(f"lhaaso-km2a-diffuse-{where}-2023") for where in ("inner", "outer"))
    # TeV^-1 to GeV^-1: 12.6 TeV, 6.61e-13; 100 TeV, 4.91e-16
    assert (inner.energy[0], inner.intensity[0]) == pytest.approx((12.6e3, 6.61e-16))
    assert inner.stat_plus[0] == pytest.approx(0.64e-16)
    assert inner.syst_plus[3] == pytest.approx(1.47e-18)
    assert (outer.energy[2], outer.intensity[2]) == pytest.approx((1e5, 4.91e-19))
    assert (len(inner), len(outer)) == (10, 5)
    assert [one.name for one in diffuse_in("lhaaso-outer")] == [outer.name]
    assert diffuse_in("l=1..2") == []


def test_they_are_no_spectra():
    assert not set(available_diffuse()) & set(available())
    with pytest.raises(DataError, match="cyldiff gamma"):
        load("lhaaso-km2a-diffuse-inner-2023")
    with pytest.raises(DataError, match='did you mean "lhaaso-km2a-diffuse-inner-2023"'):
        load_diffuse("lhaaso-km2a-diffuse-inner")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("10,9,11,-1e-9,0,0,0,0", "line 2: intensity"),
        ("10,9,11,1e-9,-1,0,0,0", "line 2: stat_minus"),
        ("10,9,11,1e-9,0,0,0,0\n-3,9,11,1e-9,0,0,0,0", "line 3: energy"),
        ("10,9,11,x,0,0,0,0", "intensity is not numbers"),
    ],
)
def test_tables_that_are_refused(tmp_path, rows, words):
    path = tmp_path / "mine.csv"
    path.write_text(
        "energy,energy_low,energy_high,intensity,stat_minus,stat_plus,syst_minus,syst_plus\n" + rows + "\n"
    )
    pedigree = {key: "x" for key in resources.PEDIGREE}
    pedigree |= {"quantity": "diffuse intensity", "experiment": "mine", "region": "lhaaso-inner"}
    pedigree["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".source.toml").write_text("".join(f'{k} = "{v}"\n' for k, v in pedigree.items()))
    with pytest.raises(DataError, match=words):
        load_diffuse(path)

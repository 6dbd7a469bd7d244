"""``cyldiff gamma`` of a run with electrons: pion decay, inverse Compton radiation and bremsstrahlung."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from cyldiff.cli import main
from cyldiff.errors import DataError
from cyldiff.io.netcdf import read_result
from cyldiff.observables.gamma import DiffuseSky
from cyldiff.observables.processes import check_range
from cyldiff.observables.regions import region_named
from cyldiff.particles.pion_production import Kafexhiu2014

ELECTRONS = """
[physics.magnetic_field]
kind = "uniform"
B0 = "5 uG"
[physics.radiation_field]
kind = "delahaye-2010"
[physics.sources.electrons]
distribution = { kind = "case-bhattacharya-1998", vertical = "exponential", scale_height = "0.1 kpc" }
reference_energy = "30 GeV"
abundances = { electron = 1.0, positron = 0.1 }
injection = { default = { kind = "broken-power-law", indices = [2.6] } }
[physics.sources.electrons.normalisation]
kind = "local-flux"
species = "electron"
kinetic_energy = "30 GeV"
flux = "6.46e-3 GeV^-1 m^-2 s^-1 sr^-1"
"""
ONLY = "--region", "l=-30..30,b=-5..5", "--energies", "2 GeV, 30 GeV, 400 GeV", "--model", "kafexhiu-2014"


def table(text):
    lines = text.strip().splitlines()
    rows = np.array([[float(cell) for cell in line.split(",")] for line in lines[1:]])
    return dict(zip(lines[0].split(","), rows.T, strict=True))


@pytest.fixture
def run(tiny):
    """A small run with protons and electrons, and the program on its result."""
    text = (
        tiny.read_text()
        .replace('max = "10 TeV"', 'max = "100 TeV"')
        .replace('["H1", "He4", "B11", "C12"]', '["H1", "electron", "positron"]')
    )
    tiny.write_text(text.replace("[species]", ELECTRONS + "[species]"))

    def invoke(*arguments, status=0):
        answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
        assert answer.exit_code == status, answer.output
        return answer

    invoke("run", "tiny.toml")
    return invoke


def test_the_sky_of_a_run(run, tmp_path):
    answer = run("gamma", "tiny.nc", *ONLY)
    columns = table(answer.stdout)
    processes = ["pion-decay", "inverse-compton", "bremsstrahlung"]
    assert list(columns) == ["energy", "intensity", *processes]
    assert sum(columns[name] for name in processes) == pytest.approx(columns["intensity"], rel=1e-6)
    assert "gamma rays of pion-decay, inverse-compton, bremsstrahlung" in answer.stderr
    # pions are most of the inner Galaxy, bremsstrahlung falls as steeply as electrons
    assert np.all(columns["pion-decay"] > 0.5 * columns["intensity"])
    assert np.all(np.diff(columns["bremsstrahlung"] / columns["pion-decay"]) < 0.0)
    assert np.all(columns["inverse-compton"] > 0.01 * columns["pion-decay"])
    # the library says the same, energies of one alone go further
    sky = DiffuseSky.of(
        read_result(tmp_path / "tiny.nc"), Kafexhiu2014(), energies=[0.2, 30.0], only=["bremsstrahlung"]
    )
    alone = sky.region(region_named("l=-30..30,b=-5..5"))["intensity"].values
    assert alone[1] == pytest.approx(columns["bremsstrahlung"][1], rel=5e-3)

    few = table(run("gamma", "tiny.nc", *ONLY, "--only", "inverse-compton, bremsstrahlung").stdout)
    assert list(few) == ["energy", "intensity", *processes[1:]]
    assert few["inverse-compton"] == pytest.approx(columns["inverse-compton"], rel=5e-3)
    double = table(run("gamma", "tiny.nc", *ONLY, "--weight", "inverse-compton=2").stdout)
    assert double["inverse-compton"] == pytest.approx(2.0 * columns["inverse-compton"], rel=5e-3)

    pytest.importorskip("astropy_healpix", reason="astropy-healpix is not installed")
    run("gamma", "tiny.nc", "--map", "m.nc", "--nside", "8", *ONLY[2:])
    with xr.open_dataset(tmp_path / "m.nc") as pixels:
        share = pixels["intensity_component"].sel(component="inverse-compton") / pixels["intensity"]
        # light reaches further from the plane than gas
        pole, plane = share.isel(energy=1).values.max(), share.isel(energy=1).values.min()
        assert pole > 2.0 * plane


def test_what_is_refused(run, tmp_path):
    before = sorted(p.name for p in tmp_path.iterdir())
    for arguments, words in (
        (("--only", "inverse-comptn"), 'did you mean "inverse-compton"'),
        (("--only", "inverse-compton", "--sources", "tiny.nc"), "radiate by pion-decay only"),
        (("--only", "inverse-compton", "--neutrinos"), "makes gamma rays, not neutrinos"),
        (("--energies", "20 TeV", "--only", "bremsstrahlung"), "bremsstrahlung 0.1 to 1e+04 GeV"),
        (("--energies", "10 GeV"), "fewer processes may allow more"),
    ):
        answer = run("gamma", "tiny.nc", *arguments, "-o", "t.csv", status=2)
        assert words in answer.stderr
        assert "Traceback" not in answer.output
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_no_energy_for_all_processes_says_which_model_reaches_lower():
    ranges = {"pion-decay": (100.0, 1e3), "inverse-compton": (4e-5, 34.7), "bremsstrahlung": (0.01, 1e3)}
    with pytest.raises(DataError, match="--model kafexhiu-2014, or fewer processes, --only"):
        check_range(np.array([1.0]), None, None, ranges)
    apart = {"inverse-compton": (4e-5, 34.7), "bremsstrahlung": (50.0, 1e3)}
    with pytest.raises(DataError, match="fewer processes may allow more"):
        check_range(np.array([1.0]), None, None, apart)


def test_a_result_without_electrons(tiny):
    runner = CliRunner()
    runner.invoke(main, ["run", "tiny.toml", "--set", 'species.include=["H1"]'], catch_exceptions=False)
    answer = runner.invoke(main, ["gamma", "tiny.nc", "--only", "inverse-compton"], catch_exceptions=False)
    assert answer.exit_code == 2
    assert "holds no electrons or positrons" in answer.stderr

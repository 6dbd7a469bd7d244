"""``cyldiff tune`` and ``cyldiff sample`` from a file to a folder; what is wrong is refused before work starts."""

from __future__ import annotations

import csv
import json
import tomllib

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from cyldiff.cli import main
from cyldiff.config.load import load_config
from cyldiff.data.comparison import compare
from cyldiff.data.measurements import load
from cyldiff.io.netcdf import read_result

TUNING = """
schema = 1
[run]
name = "tiny"
[grid]
use = "fit-2d"
space.r.n = 8
space.z.n = 8
momentum = { min = "100 MeV", max = "10 TeV", per_decade = 6 }
[physics]
use = "example-plain-diffusion"
sources.snr.normalisation = { species = "C12", flux = "9.2e-5 GeV^-1 m^-2 s^-1 sr^-1" }
[species]
include = ["B10", "B11", "C12", "N14", "O16"]
[solver]
tolerance = 1e-7
grid_error.enabled = false
[output]
quantities = []
[[fit.data]]
name = "ams02-b-c-rigidity"
min = "5 GV"
max = "500 GV"
[fit.parameters]
D0 = { path = "physics.diffusion.D0", bounds = ["5e27 cm^2/s", "2e29 cm^2/s"] }
delta = { path = "physics.diffusion.delta[0]", bounds = [0.1, 1.2] }
[fit.sampler]
kind = "emcee"
walkers = 8
steps = 30
taus = 10
check = 10
"""


@pytest.fixture
def call(tmp_path, monkeypatch):
    (tmp_path / "tiny.toml").write_text(TUNING)
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, status=0):
        answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
        assert answer.exit_code == status, answer.output
        return answer

    return invoke


class TestTune:
    def test_from_file_to_folder(self, call, tmp_path):
        answer = call("tune", "tiny.toml", "-o", "fit", "--profile", "delta", "--contour", "D0,delta")
        assert "degrees of freedom" in answer.stdout
        names = {f.name for f in (tmp_path / "fit").iterdir()}
        assert names == {
            "best-fit.toml", "result.json", "pulls.csv", "ams02-b-c-rigidity.png",
            "profile-delta.csv", "profile-delta.png", "contour-D0-delta.csv", "contour-D0-delta.png",
        }  # fmt: skip
        result = json.loads((tmp_path / "fit" / "result.json").read_text())
        assert set(result["parameters"]) == {"D0", "delta"}
        assert result["parameters"]["D0"]["unit"] == "cm^2/s"
        assert 1e28 < result["parameters"]["D0"]["value"] < 6e28
        matrix = np.array(result["covariance"]["matrix"])
        assert np.sqrt(matrix[0, 0]) == pytest.approx(result["parameters"]["D0"]["error"])
        assert result["gradient_calls"] > 0
        with (tmp_path / "fit" / "pulls.csv").open() as stream:
            pulls = [float(row["pull"]) for row in csv.DictReader(stream)]
        assert len(pulls) == result["n_points"]
        # errors are independent here, so that chi-square is the sum of the squared pulls
        assert np.sum(np.square(pulls)) == pytest.approx(result["chi2"], rel=1e-9)
        self.runs_and_reproduces(call, tmp_path, result["chi2"])
        # the numbers are not those of the model it began with, nor are their errors
        pedigree = load_config(tmp_path / "fit" / "best-fit.toml").config.physics.source
        assert pedigree["citation"].startswith("fit of tiny.toml by cyldiff ")
        assert pedigree["data"] == "ams02-b-c-rigidity"
        assert "errors" not in pedigree
        assert pedigree["notes"][0].startswith("Fitted: D0, delta;")

    def runs_and_reproduces(self, call, tmp_path, chi2):
        """The best model is a run by itself, and its chi-square is that of the fit."""
        call("run", tmp_path / "fit" / "best-fit.toml", "-o", "best.nc")
        found = compare(
            read_result(tmp_path / "best.nc"),
            load("ams02-b-c-rigidity"),
            potential=0.6,
            x_min=5.0,
            x_max=500.0,
        )
        assert found.chi2 == pytest.approx(chi2, rel=1e-3)

    def test_an_older_fit_is_replaced_and_another_folder_is_not(self, call, tmp_path):
        quick = ("--set", "fit.minos=false", "--set", "solver.tolerance=1e-4")
        call("tune", "tiny.toml", "-o", "fit", *quick)
        call("tune", "tiny.toml", "-o", "fit", "--no-gradient", *quick)
        assert json.loads((tmp_path / "fit" / "result.json").read_text())["gradient_calls"] == 0
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "thesis.tex").write_text("all of it")
        answer = call("tune", "tiny.toml", "-o", "mine", status=2)
        assert "has other files in it" in answer.output

    def test_all_problems_in_one_message(self, call):
        answer = call(
            "tune", "tiny.toml", "-o", "nowhere/fit", "--profile", "delat", "--contour", "D0", status=2,
        )  # fmt: skip
        for part in ('folder "', "does not exist", "fit.contours[0]"):
            assert part in answer.output
        answer = call(
            "tune",
            "tiny.toml",
            "-o",
            "tiny.toml",
            "--set",
            "fit.data[0].name=amc",
            "--profile",
            "delat",
            status=2,
        )
        for part in ("is a file; expected a folder", "fit.data[0].name", 'did you mean "delta"'):
            assert part in answer.output
        assert "Traceback" not in answer.output

    def test_a_fit_that_does_not_end(self, call, tmp_path):
        answer = call("tune", "tiny.toml", "-o", "fit", "--set", "fit.maximum_calls=10",
                      "--set", 'fit.parameters.D0.start="1.9e29 cm^2/s"', "--no-gradient", status=3)  # fmt: skip
        assert "maximum_calls" in answer.output
        assert not (tmp_path / "fit").exists()

    def test_a_library_name(self, call):
        assert "fit.parameters:" in call("check", "tuning/bc-ams02").stdout
        assert "fit.parameters" not in call("check", "tuning/bc-ams02", "--toml").stdout

    def test_check_and_run_of_a_tuning_file(self, call, tmp_path):
        assert "delta: 0.5323 in 0.1 to 1.2 (transport)" in call("check", "tiny.toml").stdout
        answer = call("check", "tiny.toml", "--set", "fit.parameters.delta.bounds=[0.6,1]", status=2)
        assert "exclude the start" in answer.output
        call("run", "tiny.toml", "-o", "start.nc", "--set", "solver.tolerance=1e-4")
        assert (tmp_path / "start.nc").is_file()

    def test_keys_are_explained_and_kinds_listed(self, call):
        assert "decades of the abscissa" in call("explain", "correlation_length").stdout
        assert 'one of "minimum" or "prior"' in call("explain", "fit.sampler.start").stdout.replace(
            ", ", " or "
        )
        listed = call("list", "kinds").stdout
        assert "sampler: nautilus" in listed
        assert "prior: gaussian" in listed


class TestSample:
    def test_unconverged_then_resumed(self, call, tmp_path):
        answer = call("sample", "tiny.toml", "-o", "chain", "--executor", "serial", status=3)
        assert "About" in answer.output
        assert "--resume --set fit.sampler.steps=" in answer.output
        assert [f.name for f in (tmp_path / "chain").iterdir()] == ["sampler.npz"]
        answer = call("sample", "tiny.toml", "-o", "chain", status=2)
        assert "holds a chain; use --resume" in answer.output
        answer = call("sample", "tiny.toml", "-o", "chain", "--resume", "--executor", "serial",
                      "--set", "fit.sampler.steps=400")  # fmt: skip
        assert "acceptance" in answer.stdout
        names = {f.name for f in (tmp_path / "chain").iterdir()}
        assert names == {"sampler.npz", "chain.nc", "corner.png", "posterior.json", "best-fit.toml"}
        with xr.open_dataset(tmp_path / "chain" / "chain.nc") as chain:
            assert list(chain["parameter"].values) == ["D0", "delta"]
            assert chain.attrs["calls"] > 200
            tomllib.loads(chain.attrs["config"])
        numbers = json.loads((tmp_path / "chain" / "posterior.json").read_text())
        assert numbers["parameters"]["delta"]["lower"] < 0.0 < numbers["parameters"]["delta"]["upper"]
        answer = call("sample", "tiny.toml", "-o", "chain", "--resume", "--set", "physics.diffusion.eta=0.2",
                      "--executor", "serial", status=2)  # fmt: skip
        assert "the chain of another fit" in answer.output

    def test_bad_input(self, call, tmp_path):
        answer = call(
            "sample",
            "tiny.toml",
            "-o",
            "chain",
            "--set",
            "fit.sampler.walkers=4",
            "--executor",
            "serial",
            status=2,
        )
        assert "fit.sampler.walkers" in answer.output
        answer = call("sample", "tiny.toml", "-o", "chain", "--executor", "mpl", status=2)
        assert 'did you mean "mpi"' in answer.output
        answer = call(
            "sample", "tiny.toml", "-o", "nowhere/chain", "--set", "fit.sampler.kind=emce", status=2
        )
        assert "does not exist" in answer.output
        assert "fit.sampler.kind" in answer.output
        assert not (tmp_path / "chain").exists()

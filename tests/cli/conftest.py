"""A run that takes a moment, as a file."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TINY = """
schema = 1
[run]
name = "tiny"
purpose = "a run of a moment"
[grid]
use = "fit-2d"
space.r.n = 8
space.z.n = 8
momentum = { min = "100 MeV", max = "10 TeV", per_decade = 6 }
[physics]
use = "example-plain-diffusion"
[species]
include = ["H1", "He4", "B11", "C12"]
[solver]
tolerance = 1e-6
grid_error.enabled = false
[compare]
data = ["ams02-h-rigidity"]
"""

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
def tuning(tmp_path, monkeypatch):
    """Path of a small tuning file in an empty current folder."""
    file = tmp_path / "tune.toml"
    file.write_text(TUNING)
    monkeypatch.chdir(tmp_path)
    return file


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Path of a small run in an empty current folder."""
    file = tmp_path / "tiny.toml"
    file.write_text(TINY)
    monkeypatch.chdir(tmp_path)
    return file


@pytest.fixture(scope="session")
def tiny_result(tmp_path_factory):
    """Path of the result of the small run, with its components; solved once."""
    from click.testing import CliRunner

    from cyldiff.cli import main

    folder = tmp_path_factory.mktemp("tiny")
    (folder / "tiny.toml").write_text(TINY)
    arguments = ["run", f"{folder}/tiny.toml", "-o", f"{folder}/a.nc", "--set", "output.components=true"]
    answer = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return folder / "a.nc"


@pytest.fixture
def cyldiff(tmp_path):
    """The program in a process of its own: ``cyldiff("run", …)`` returns the finished process."""

    def call(*arguments, program="from cyldiff.cli import main; main()", **environment):
        return subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            capture_output=True,
            text=True,
            errors="replace",
            cwd=tmp_path,
            timeout=120,
            env={**os.environ, **environment},
        )

    return call


@pytest.fixture
def here(tiny_result, tmp_path, monkeypatch):
    """The current folder, with the result of the small run as a.nc."""
    (tmp_path / "a.nc").write_bytes(tiny_result.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path

"""Runs that fail or are stopped: which status, what is said, and that no file suffers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner

from cyldiff.cli import main
from cyldiff.errors import ConvergenceError
from cyldiff.solve.steady import SteadySolver

#: the program, waiting in the middle of the solve or of writing
WAITING = """
import sys, time
from pathlib import Path
import xarray as xr
from cyldiff import pipeline
from cyldiff.cli import main

def wait(where):
    Path("waiting").touch()
    for _ in range(3000):
        time.sleep(0.01)

if sys.argv.pop(1) == "solving":
    pipeline.solve = lambda *a, **k: wait("solving")
else:
    write = xr.Dataset.to_netcdf
    def slow(self, path, **options):
        write(self, path, **options)
        wait("writing")
    xr.Dataset.to_netcdf = slow
main()
"""


@pytest.fixture
def stopped(tiny, tmp_path):
    """Start a run over an older result, send a signal when it is at work; the process, and what is left."""

    def call(stage, number, ignored=()):
        (tmp_path / "tiny.nc").write_text("the older result")
        process = subprocess.Popen(
            [sys.executable, "-c", WAITING, stage, "run", "tiny.toml"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: [  # whatever the tests were started with, e.g. in the background
                signal.signal(s, signal.SIG_IGN if s in ignored else signal.SIG_DFL)
                for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
            ],
        )
        deadline = time.monotonic() + 60.0
        while not (tmp_path / "waiting").exists():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(process.pid, number)
        if number in ignored:
            time.sleep(0.3)
            assert process.poll() is None
            os.kill(process.pid, signal.SIGKILL)
        out, err = process.communicate(timeout=30)
        assert out == ""
        assert "Traceback" not in err
        assert (tmp_path / "tiny.nc").read_text() == "the older result"
        rest = {p.name for p in tmp_path.iterdir()} - {"tiny.nc", "tiny.toml", "waiting"}
        return process.returncode, err.strip(), rest

    return call


class TestStopped:
    @pytest.mark.parametrize(
        ("stage", "number", "status", "message"),
        [
            ("solving", signal.SIGINT, 130, "interrupted"),
            ("writing", signal.SIGINT, 130, "interrupted"),
            ("writing", signal.SIGTERM, 143, "stopped by SIGTERM"),
            ("writing", signal.SIGHUP, 129, "stopped by SIGHUP"),
        ],
    )
    def test_by_a_signal(self, stopped, stage, number, status, message):
        assert stopped(stage, number) == (status, message, set())

    def test_killed_while_solving(self, stopped):
        assert stopped("solving", signal.SIGKILL) == (-signal.SIGKILL, "", set())

    def test_killed_while_writing(self, stopped):
        """Nobody can clean up then; what is left is hidden and has another name."""
        status, _, rest = stopped("writing", signal.SIGKILL)
        assert status == -signal.SIGKILL
        assert all(name.startswith(".tiny.nc.") and name.endswith(".part") for name in rest)

    def test_a_hang_up_that_is_ignored(self, stopped):
        status, _, _ = stopped("solving", signal.SIGHUP, ignored=(signal.SIGHUP,))
        assert status == -signal.SIGKILL


def run_tiny(*overrides):
    options = [part for item in overrides for part in ("--set", item)]
    answer = CliRunner().invoke(main, ["run", "tiny.toml", *options], catch_exceptions=False)
    assert "Traceback" not in answer.stderr
    assert answer.stdout == ""
    return answer.exit_code, answer.stderr


class TestNotSolved:
    def test_a_tolerance_nobody_can_reach(self, tiny, tmp_path):
        (tmp_path / "tiny.nc").write_text("the older result")
        status, text = run_tiny("solver.tolerance=1.1e-14", "solver.maximum_cycles=2")
        assert status == 3
        assert "residual" in text
        assert "the tolerance is 1.1e-14" in text
        assert (tmp_path / "tiny.nc").read_text() == "the older result"
        assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.nc", "tiny.toml"]

    def test_no_file_where_there_was_none(self, tiny, tmp_path):
        assert run_tiny("solver.tolerance=1.1e-14", "solver.maximum_cycles=2")[0] == 3
        assert [p.name for p in tmp_path.iterdir()] == ["tiny.toml"]

    @pytest.mark.parametrize(
        ("value", "words"), [(np.nan, "is not a number"), (np.inf, "is not a number"), (-1.0, "is negative")]
    )
    def test_a_bad_density_is_named_with_its_place(self, tiny, tmp_path, monkeypatch, value, words):
        good = SteadySolver.solve

        def spoilt(self, operator, source, *, name="field", **options):
            solution, report = good(self, operator, source, name=name, **options)
            if name == "C12":
                solution[4, 2, 3] = value * abs(solution[4]).max()
            return solution, report

        monkeypatch.setattr(SteadySolver, "solve", spoilt)
        status, text = run_tiny()
        assert status == 3
        assert f"C12: the density {words}" in text
        # index 4 of 31 energies from 0.1 to 1e4 GeV, 2 of 8 cells to 20 kpc
        assert "T = 0.464 GeV/n, r = 6.25 kpc" in text
        assert [p.name for p in tmp_path.iterdir()] == ["tiny.toml"]

    def test_round_off_below_zero_is_none(self, tiny, monkeypatch):
        good = SteadySolver.solve

        def spoilt(self, operator, source, **options):
            solution, report = good(self, operator, source, **options)
            solution[-1, -1, -1] = -1e-12 * solution[-1].max()
            return solution, report

        monkeypatch.setattr(SteadySolver, "solve", spoilt)
        answer = CliRunner().invoke(main, ["run", "tiny.toml"], catch_exceptions=False)
        assert answer.exit_code == 0, answer.stderr

    def test_a_result_that_fails_its_certificate(self, tiny, monkeypatch):
        from cyldiff import pipeline

        def refuse(dataset, config):
            raise ConvergenceError("the result failed its certificate: particle balance 1e-3")

        monkeypatch.setattr(pipeline, "certify", refuse)
        assert run_tiny() == (3, "the result failed its certificate: particle balance 1e-3\n")

    def test_no_memory(self, tiny, monkeypatch):
        from cyldiff import pipeline

        def too_much(*args, **kwargs):
            raise MemoryError

        monkeypatch.setattr(pipeline, "solve", too_much)
        status, text = run_tiny()
        assert status == 2
        assert text.startswith("not enough memory")

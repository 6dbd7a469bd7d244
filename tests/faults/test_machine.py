"""What a machine can do to a program: full disks, two runs at once, missing packages, folders nobody may write to."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

TINY = """
schema = 1
[run]
name = "tiny"
purpose = "a run of a moment"
[grid]
use = "fit-2d"
space.r.n = 6
space.z.n = 6
momentum = { min = "100 MeV", max = "1 TeV", per_decade = 4 }
[physics]
use = "example-plain-diffusion"
[species]
include = ["H1", "B11", "C12"]
[solver]
tolerance = 1e-5
grid_error.enabled = false
[compare]
data = []
"""
PROGRAM = "from cyldiff.cli import main; main()"
#: a disk that takes files of 4 kB at most
FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
import sys
sys.dont_write_bytecode = True
"""


def start(folder, *arguments, before="", **environment):
    """The program in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", before + PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, **environment},
    )


def finished(process):
    """Status, output and messages."""
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tiny.toml").write_text(TINY)
    return tmp_path


class TestFullDisk:
    """Nothing is half-written, an older file stays, and the message names the file."""

    @pytest.mark.parametrize(
        ("arguments", "target"),
        [
            (("plot", "SMALL", "B/C", "-o"), "f.png"),
            (
                ("gamma", "SMALL", "--energies", "100 GeV, 1 TeV", "--map", "map.fits", "--nside", "2", "-o"),
                "t.csv",
            ),
            (("run", "tiny.toml", "-o"), "r.nc"),
        ],
    )
    def test_it(self, folder, small_file, arguments, target):
        (folder / target).write_text("older")
        given = [str(small_file) if a == "SMALL" else a for a in arguments]
        status, _, message = finished(start(folder, *given, target, before=FULL))
        written = "map.fits" if "map.fits" in given else target
        assert status == 2
        assert "Traceback" not in message
        assert f"{written}: cannot be written" in message
        assert (folder / target).read_text() == "older"
        assert sorted(p.name for p in folder.iterdir()) == sorted(["tiny.toml", target])


def test_two_runs_that_write_the_same_file(folder):
    """The file is that of one of them, whole."""
    both = [start(folder, "run", "tiny.toml", "-o", "same.nc") for _ in range(2)]
    assert [finished(p)[0] for p in both] == [0, 0]
    with xr.open_dataset(folder / "same.nc") as result:
        assert np.all(result["flux_lis"].values > 0.0)
    assert sorted(p.name for p in folder.iterdir()) == ["same.nc", "tiny.toml"]


def test_a_cache_that_cannot_be_written(folder):
    """Compiled kernels are kept in memory then."""
    status, _, message = finished(
        start(folder, "run", "tiny.toml", "-o", "r.nc", NUMBA_CACHE_DIR="/dev/null/nowhere")
    )
    assert status == 0, message


@pytest.mark.parametrize(
    ("package", "arguments", "words"),
    [
        ("matplotlib", ("plot", "SMALL", "B/C", "-o", "f.png"), "cyldiff[plot]"),
        ("astropy_healpix", ("gamma", "SMALL", "--energies", "1 TeV", "--map", "m.fits"), "cyldiff[gamma]"),
        ("aafragpy", ("gamma", "SMALL", "--energies", "1 TeV", "--model", "aafrag"), "cyldiff[gamma]"),
        ("iminuit", ("tune", "tuning/bc-ams02", "-o", "fit"), "cyldiff[fit]"),
        ("emcee", ("sample", "tuning/bc-ams02", "-o", "fit"), "cyldiff[fit]"),
        ("petsc4py", ("run", "tiny.toml", "--set", 'solver.backend="petsc"', "-o", "r.nc"), "petsc4py"),
    ],
)
def test_an_extra_that_is_not_installed(folder, small_file, package, arguments, words):
    """What to install is said, before work starts and without a traceback."""
    given = [str(small_file) if a == "SMALL" else a for a in arguments]
    status, _, message = finished(
        start(folder, *given, before=f"import sys; sys.modules[{package!r}] = None\n")
    )
    assert status in (1, 2)
    assert "Traceback" not in message
    assert words in message
    assert sorted(p.name for p in folder.iterdir()) == ["tiny.toml"]


def test_one_and_two_threads_agree_to_the_last_digit(folder):
    for threads in ("1", "2"):
        status, _, message = finished(
            start(
                folder, "run", "tiny.toml", "-o", f"{threads}.nc",
                OMP_NUM_THREADS=threads, NUMBA_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads,
            )
        )  # fmt: skip
        assert status == 0, message
    with xr.open_dataset(folder / "1.nc") as one, xr.open_dataset(folder / "2.nc") as two:
        np.testing.assert_array_equal(one["flux_lis"].values, two["flux_lis"].values)


def test_one_and_two_threads_give_the_same_gamma_rays(folder, small_file):
    """Lines of sight add up in one order, to the last digit that is written."""
    for threads in ("1", "2"):
        status, _, message = finished(
            start(
                folder, "gamma", small_file, "--energies", "200 GeV", "-o", f"{threads}.csv",
                OMP_NUM_THREADS=threads, NUMBA_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads,
            )
        )  # fmt: skip
        assert status == 0, message
    assert (folder / "1.csv").read_text() == (folder / "2.csv").read_text()


def test_a_grid_that_no_memory_holds(folder):
    """Refused before anything is built, with what it would need."""
    status, _, message = finished(
        start(folder, "run", "tiny.toml", "--set", "grid.space.r.n=5000", "--set", "grid.space.z.n=4999")
    )
    assert status == 2
    assert "GB" in message
    assert "Traceback" not in message


def test_a_path_that_the_locale_does_not_know(folder):
    """Refused before work starts: the libraries below could not open it."""
    status, _, message = finished(
        start(folder, "run", "tiny.toml", "-o", "ü.nc", LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    )
    assert status == 2
    assert "PYTHONUTF8=1" in message
    assert "Traceback" not in message
    assert [p.name for p in folder.iterdir()] == ["tiny.toml"]


def test_a_link_into_a_folder_that_is_not_there(folder):
    (folder / "link.nc").symlink_to("/nowhere/result.nc")
    status, _, message = finished(start(folder, "run", "tiny.toml", "-o", "link.nc"))
    assert status == 2
    assert 'folder "/nowhere" does not exist' in message

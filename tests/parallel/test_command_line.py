"""``mpiexec -n N cyldiff run CONFIG``: one result, one voice, and an end when a rank fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

HERE = Path(__file__).parent


def toml(value, name=""):
    """A nested dictionary as TOML text."""
    plain = {k: v for k, v in value.items() if not isinstance(v, dict)}
    lines = [f"[{name}]"] if name else []
    lines += [f"{k} = {json.dumps(v)}" for k, v in plain.items()]
    for key, section in value.items():
        if isinstance(section, dict):
            lines.append(toml(section, f"{name}.{key}" if name else key))
    return "\n".join(lines)


@pytest.fixture
def config(tmp_path, cases):
    path = tmp_path / "run.toml"
    path.write_text(toml(cases.CONFIG))
    return path


PETSC = ("--set", 'solver.backend = "petsc"')


@pytest.mark.mpi
def test_result_is_the_serial_one_and_written_once(mpi, config, tmp_path):
    serial = [sys.executable, "-m", "cyldiff", "run", str(config), "-o", str(tmp_path / "serial.nc")]
    subprocess.run(serial, check=True, capture_output=True)
    done = mpi(3, "-m", "cyldiff", "run", config, "-o", tmp_path / "parallel.nc", *PETSC)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("written after") == 1
    with xr.open_dataset(tmp_path / "serial.nc") as a, xr.open_dataset(tmp_path / "parallel.nc") as b:
        assert set(a.variables) == set(b.variables)
        for name in ("flux_lis", "flux_toa", "gradient_lis", "flux", "source_density", "injected_power"):
            np.testing.assert_allclose(b[name], a[name], rtol=1e-6 if name == "flux" else 1e-9, atol=1e-14)


@pytest.mark.mpi
def test_bad_config_is_reported_once(mpi, config, tmp_path):
    started = time.monotonic()
    done = mpi(3, "-m", "cyldiff", "run", config, "--set", "solver.tolerence = 1", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("did you mean") == 1
    assert time.monotonic() - started < 30
    assert not list(tmp_path.glob("*.nc"))


@pytest.mark.mpi
def test_several_processes_need_the_petsc_back_end(mpi, config, tmp_path):
    done = mpi(2, "-m", "cyldiff", "run", config, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("2 processes were started") == 1


@pytest.mark.mpi
def test_too_many_ranks_for_the_grid(mpi, config, tmp_path):
    done = mpi(6, "-m", "cyldiff", "run", config, *PETSC, "--set", "grid.space.r.n = 5", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("6 ranks are too many: the grid has 5 r cells") == 1


@pytest.mark.mpi
@pytest.mark.parametrize(("kind", "status", "text"), [
    ("reported", 3, "He4: this rank fails"), ("fault", 1, "ZeroDivisionError: a fault of the program"),
])  # fmt: skip
@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_fails_ends_all_with_one_message(mpi, config, tmp_path, rank, kind, status, text):
    parallel = tmp_path / "petsc.toml"
    parallel.write_text(config.read_text().replace("[solver]", '[solver]\nbackend = "petsc"'))
    done = mpi(3, HERE / "failing_rank.py", rank, parallel, kind, timeout=40, cwd=tmp_path)
    assert done.returncode == status
    assert done.stderr.count(text) == 1
    assert "interrupted" not in done.stderr
    assert not list(tmp_path.glob("*.nc"))


def checkpointed(config, tmp_path, *more):
    return ["-m", "cyldiff", "run", str(config), "-o", str(tmp_path / "out.nc"),
            "--set", f'solver.checkpoint = "{tmp_path / "kept"}"', *more]  # fmt: skip


def kill_after(command, folder, files):
    """Start a run and kill it without warning when its checkpoint has some files."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 90
    while len(list(folder.glob("*.nc"))) < files:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    process.stderr.close()


@pytest.mark.skipif(os.name != "posix", reason="kills a process group")
def test_a_killed_run_resumes_with_the_same_answer(config, tmp_path):
    # a grid on which the kill surely comes before the end
    size = (
        "--set",
        "grid.space.r.n = 31",
        "--set",
        "grid.space.z.n = 25",
        "--set",
        "grid.momentum.per_decade = 16",
    )
    command = [sys.executable, *checkpointed(config, tmp_path, *size)]
    kill_after(command, tmp_path / "kept", 1)
    assert not (tmp_path / "out.nc").exists()
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "kept").glob("*.nc")}
    assert 1 <= len(kept) < 5
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "written" in done.stdout
    assert not (tmp_path / "kept").exists()
    whole = [sys.executable, "-m", "cyldiff", "run", str(config), "-o", str(tmp_path / "whole.nc"), *size]
    subprocess.run(whole, capture_output=True, check=True)
    with xr.open_dataset(tmp_path / "out.nc") as a, xr.open_dataset(tmp_path / "whole.nc") as b:
        np.testing.assert_allclose(a["flux_lis"], b["flux_lis"], rtol=1e-12)
        np.testing.assert_allclose(a["balance"], b["balance"], atol=1e-12)

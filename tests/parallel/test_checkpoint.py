"""Checkpoint and restart, also by another solver and on another number of ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cyldiff import pipeline
from cyldiff.errors import DataError
from cyldiff.io.checkpoint import fingerprint
from cyldiff.solve.steady import SteadySolver

HERE = Path(__file__).parent


class Killed(BaseException):
    pass


@pytest.fixture
def stopping(monkeypatch):
    """Let the solver stop the run at its third nuclide."""

    def stop(cls, at="C12"):
        solve = cls.solve

        def until(self, *args, name="field", **kwargs):
            if name == at:
                raise Killed
            return solve(self, *args, name=name, **kwargs)

        monkeypatch.setattr(cls, "solve", until)
        return lambda: monkeypatch.setattr(cls, "solve", solve)

    return stop


def config(cases, tmp_path, *more):
    return cases.run_config(f'solver.checkpoint = "{tmp_path / "kept"}"', *more)


def stopped_run(cases, tmp_path, stopping, at="B11", *more):
    resume = stopping(SteadySolver, at)
    with pytest.raises(Killed):
        pipeline.run(config(cases, tmp_path, *more))
    resume()
    return sorted(path.stem for path in (tmp_path / "kept").glob("*.nc"))


def test_restart_gives_the_same_answer(cases, tmp_path, stopping, monkeypatch):
    kept = stopped_run(cases, tmp_path, stopping)
    assert kept == ["C12"]
    solved = []
    solve = SteadySolver.solve
    monkeypatch.setattr(
        SteadySolver,
        "solve",
        lambda self, *a, name="", **k: solved.append(name) or solve(self, *a, name=name, **k),
    )
    resumed = pipeline.run(config(cases, tmp_path))
    assert "C12" not in solved
    assert len(solved) == 4
    whole = pipeline.run(cases.run_config())
    assert np.array_equal(resumed["flux_lis"], whole["flux_lis"])
    for name in ("residual", "balance", "steps"):
        assert np.array_equal(resumed[name], whole[name])


def test_the_coarse_solve_of_the_grid_error_has_its_own(cases, tmp_path):
    loaded = config(cases, tmp_path, "solver.grid_error.enabled = true")
    result = pipeline.run(loaded)
    assert len(list((tmp_path / "kept" / "grid-error").glob("*.nc"))) == 5
    again = pipeline.run(loaded)
    assert np.array_equal(result["grid_error"], again["grid_error"])
    pipeline.forget_checkpoints(loaded.config)
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("change", [
    'physics.diffusion.D0 = "6e28 cm^2/s"', "grid.space.z.n = 11", 'species.include = ["H1", "He4", "C12"]',
    "solver.tolerance = 1e-9",
])  # fmt: skip
def test_the_checkpoint_of_another_run_is_refused(cases, tmp_path, stopping, change):
    stopped_run(cases, tmp_path, stopping)
    with pytest.raises(DataError, match="checkpoint of another run"):
        pipeline.run(config(cases, tmp_path, change))


def test_the_fingerprint_does_not_depend_on_how_it_is_solved(cases):
    same = fingerprint(cases.run_config().config)
    assert fingerprint(cases.run_config('solver.backend = "petsc"', 'run.name = "other"').config) == same
    assert fingerprint(cases.run_config("physics.diffusion.delta = 0.36").config) != same


def test_a_damaged_file_is_refused(cases, tmp_path, stopping):
    stopped_run(cases, tmp_path, stopping)
    (tmp_path / "kept" / "C12.nc").write_bytes(b"no such format")
    with pytest.raises(DataError, match=r"C12\.nc: not a checkpoint"):
        pipeline.run(config(cases, tmp_path))


def test_a_file_in_place_of_the_folder_is_refused(cases, tmp_path):
    (tmp_path / "kept").write_text("")
    with pytest.raises(DataError, match=r"solver\.checkpoint"):
        pipeline.run(config(cases, tmp_path))


@pytest.mark.mpi
def test_another_number_of_ranks_continues(mpi, cases, tmp_path, stopping):
    assert stopped_run(cases, tmp_path, stopping, at="H1")[0] == "B11"
    # every rank reads its own cells of what one process wrote
    code = (
        "import sys, parallel_cases as c; from cyldiff import pipeline;"
        "from cyldiff.parallel.comm import get_comm;"
        "r = pipeline.run(c.run_config(*sys.argv[2:]));"
        "get_comm().rank == 0 and r.to_netcdf(sys.argv[1], engine='netcdf4')"
    )
    overrides = (f'solver.checkpoint = "{tmp_path / "kept"}"', 'solver.backend = "petsc"')
    done = mpi(3, "-c", code, tmp_path / "resumed.nc", *overrides)
    assert done.returncode == 0, done.stderr
    import xarray as xr

    whole = pipeline.run(cases.run_config())
    with xr.open_dataset(tmp_path / "resumed.nc") as resumed:
        restored = [i for i, name in enumerate(whole["species"].values) if name != "H1"]
        np.testing.assert_array_equal(
            resumed["flux_lis"].values[restored], whole["flux_lis"].values[restored]
        )
        np.testing.assert_allclose(resumed["flux_lis"], whole["flux_lis"], rtol=1e-9)

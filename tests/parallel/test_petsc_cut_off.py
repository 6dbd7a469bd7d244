"""Spectra that are cut off at different energies for different nuclides, on one and two ranks."""

import numpy as np
import pytest
import xarray as xr

from cyldiff import pipeline
from cyldiff.config.load import load_config

RUN = [
    "grid.space.r.n=9",
    "grid.space.z.n=7",
    "grid.momentum.per_decade=6",
    'species.include=["H1", "C12", "B11", "Fe56"]',
    "compare.data=[]",
    "solver.grid_error.enabled=false",
    "solver.tolerance=1e-11",
    "physics.sources.snr.injection.default.cutoff=3 TV",
    "physics.sources.snr.injection.H1.cutoff=3 TV",
]


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("model", ["quickstart", "models/reacceleration"])
def test_cut_off_spectra_agree_with_the_native_solver(mpi, tmp_path, model, ranks):
    native = pipeline.run(load_config(model, RUN))
    path = tmp_path / "petsc.nc"
    overrides = [word for item in [*RUN, "solver.backend=petsc"] for word in ("--set", item)]
    answer = mpi(ranks, "-m", "cyldiff", "run", model, "-o", path, *overrides)
    assert answer.returncode == 0, answer.stderr
    with xr.open_dataset(path) as result:
        here, there = native["flux_lis"].values, result["flux_lis"].values
    alive = here > 1e-30 * here.max(axis=1, keepdims=True)
    assert alive.sum() > 100
    np.testing.assert_allclose(there[alive], here[alive], rtol=1e-7)
    assert np.array_equal(here == 0.0, there == 0.0)

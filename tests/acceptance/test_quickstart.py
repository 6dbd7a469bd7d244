"""The main job on real input: the default run, its certificate, and its agreement with the data."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from cyldiff.cli import main
from cyldiff.config.load import load_config
from cyldiff.data.comparison import predict
from cyldiff.data.measurements import load
from cyldiff.io.netcdf import read_result

POTENTIAL = 0.6


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[xr.Dataset, str, Path]:
    path = tmp_path_factory.mktemp("quickstart") / "quickstart.nc"
    answer = CliRunner().invoke(main, ["run", "quickstart", "-o", str(path)])
    assert answer.exit_code == 0, answer.output
    return read_result(path), answer.output, path


def compared(dataset: xr.Dataset, name: str, low: float, high: float) -> tuple[np.ndarray, ...]:
    data = load(name)
    use = (data.x >= low) & (data.x <= high)
    assert use.sum() > 10
    model = predict(dataset, data, potential=POTENTIAL)[use]
    sigma = np.where(model >= data.y[use], data.sigma_plus[use], data.sigma_minus[use])
    return model, data.y[use], sigma


def test_boron_over_carbon_matches_ams02_from_5_gv_to_1_tv(result):
    model, measured, sigma = compared(result[0], "ams02-b-c-rigidity", 5.0, 1000.0)
    allowed = np.maximum(0.10 * measured, 2.0 * sigma)
    assert np.all(np.abs(model - measured) <= allowed)


@pytest.mark.parametrize("element", ["h", "c", "o"])
def test_spectra_match_ams02_within_15_percent_from_10_gv_to_1_tv(result, element):
    model, measured, _ = compared(result[0], f"ams02-{element}-rigidity", 10.0, 1000.0)
    assert np.max(np.abs(model / measured - 1.0)) <= 0.15


def test_certificate_of_the_default_run(result):
    attributes = result[0].attrs
    assert attributes["certificate_residual"] <= 1e-8
    assert attributes["certificate_balance"] <= 1e-6
    assert attributes["certificate_minimum"] >= 0.0
    assert attributes["certificate_grid_error_flux"] <= 0.01
    assert attributes["certificate_grid_error_bc"] <= 0.005


def test_stated_grid_error_covers_the_difference_to_a_finer_mesh():
    """The estimate comes from a coarser mesh; a mesh finer by two must lie within it."""
    light = [
        "solver.tolerance=1e-7",
        "compare.data=[]",
        'species.include=["H1", "B10", "B11", "Be10", "C12", "O16"]',
    ]
    standard, fine = (
        _run([*light, f"grid.space.r.n={r}", f"grid.space.z.n={z}", f"grid.momentum.per_decade={p}"])
        for r, z, p in ((21, 17, 6), (41, 33, 12))
    )
    energy = standard["kinetic_energy"]
    quoted = (energy >= 1.0) & (energy <= 1000.0)
    same = fine["flux_lis"].sel(kinetic_energy=energy, method="nearest", tolerance=1e-9 * energy.max())
    same = (
        fine["flux_lis"].interp(kinetic_energy=energy, kwargs={"fill_value": None})
        if same.isnull().any()
        else same
    )
    difference = np.abs(standard["flux_lis"].values / same.values - 1.0)[:, quoted.values]
    stated = standard["grid_error"].values[:, quoted.values]
    assert np.all(difference.max(axis=1) <= stated.max(axis=1) + 1e-4)


def _run(overrides: list[str]) -> xr.Dataset:
    from cyldiff import pipeline

    return pipeline.run(load_config("quickstart", overrides))


def test_summary_names_the_certificate_and_the_chi_square(result):
    text = result[1]
    for words in ("87 nuclides", "residual", "balance", "grid error", "ams02-b-c-rigidity", "chi2"):
        assert words in text


def test_number_of_steps_stays_what_it_is(result):
    """Steps are counts, not timings: a change of the solver shows here."""
    steps = result[0]["steps"].values
    assert np.median(steps) <= 75
    assert steps.max() <= 120


def test_file_is_self_describing(result):
    with xr.open_dataset(result[2]) as dataset:
        for name in ("flux_lis", "flux_toa", "flux", "gradient_lis", "residual", "balance", "grid_error"):
            assert dataset[name].attrs["units"], name
            assert dataset[name].attrs["long_name"], name
        assert dataset["flux"].dims == ("species", "kinetic_energy", "r", "z")
        for key in ("config", "cyldiff_version", "tables", "wall_seconds", "peak_memory_MB"):
            assert key in dataset.attrs

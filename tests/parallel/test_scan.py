"""Scans: the grid of combinations, the dataset of an observable, failures, and what is refused."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import xarray as xr
from ensemble_work import TINY, bc_of_result

from cyldiff import ratio
from cyldiff.config.load import load_mapping
from cyldiff.errors import ConfigError, CyldiffError
from cyldiff.parallel.scan import scan
from cyldiff.pipeline import run

BASE = load_mapping(TINY)
D0, DELTA = "physics.diffusion.D0", "physics.diffusion.delta"
GRID = {D0: ["4e28 cm^2/s", "8e28 cm^2/s"], DELTA: [0.3, 0.4, 0.5]}


@pytest.fixture(scope="module")
def scanned():
    return scan(
        BASE, GRID, functools.partial(ratio, numerator="B", denominator="C", x=[10.0, 100.0]), workers=2
    )


def test_every_combination_is_where_it_belongs(scanned):
    """Against single runs with the same overrides."""
    assert scanned["ratio"].dims == (D0, DELTA, "rigidity")
    assert scanned["ratio"].shape == (2, 3, 2)
    np.testing.assert_array_equal(scanned["rigidity"], [10.0, 100.0])
    for text, delta in ((GRID[D0][1], 0.3), (GRID[D0][0], 0.5)):
        single = run(load_mapping(TINY, [f'{D0}="{text}"', f"{DELTA}={delta}"]))
        expected = ratio(single, "B", "C", x=[10.0, 100.0]).values
        np.testing.assert_array_equal(scanned["ratio"].sel({D0: text, DELTA: delta}), expected)


def test_the_physics_is_that_of_the_parameters(scanned):
    """Faster diffusion makes less boron, a larger slope makes it fall more steeply."""
    assert np.all(scanned["ratio"].values[1] < scanned["ratio"].values[0])
    fall = scanned["ratio"].isel(rigidity=1) / scanned["ratio"].isel(rigidity=0)
    assert np.all(fall.diff(DELTA) < 0.0)


def test_it_says_what_it_is(scanned):
    assert scanned.attrs["config"] == BASE.toml()
    assert scanned["ratio"].attrs["long_name"] == "ratio B/C"
    assert not any(scanned["message"].values.ravel())


def number_of_species(result):
    return result.sizes["species"]


def fails_if_steep(result):
    if "delta = 0.5" in result.attrs["config"]:
        raise ValueError("too steep")
    return bc_of_result(result)


def test_a_number_and_a_choice_of_kinds():
    found = scan(
        BASE,
        {
            "physics.reacceleration": [
                {"kind": "none"},
                {"kind": "seo-ptuskin-1994", "alfven_speed": "20 km/s"},
            ]
        },
        number_of_species,
        executor="serial",
    )
    np.testing.assert_array_equal(found["observable"], [4, 4])
    assert found["physics.reacceleration"].values[0] == '{ kind = "none" }'


def test_a_failed_run_is_a_gap():
    found = scan(BASE, {DELTA: [0.3, 0.5]}, fails_if_steep, executor="serial")
    assert np.all(np.isfinite(found["ratio"].sel({DELTA: 0.3})))
    assert np.all(np.isnan(found["ratio"].sel({DELTA: 0.5})))
    assert found["message"].values.tolist() == ["", "ValueError: too steep"]
    with pytest.raises(CyldiffError, match=r"every run of the scan failed.*too steep"):
        scan(BASE, {DELTA: [0.5]}, fails_if_steep, executor="serial")


def one_or_two(result):
    return np.ones(1 if "delta = 0.3" in result.attrs["config"] else 2)


def test_an_observable_must_keep_its_shape():
    with pytest.raises(CyldiffError, match='"observable" has another shape'):
        scan(BASE, {DELTA: [0.3, 0.4]}, one_or_two, executor="serial")


def test_a_scan_can_be_saved(tmp_path):
    found = scan(BASE, {DELTA: [0.3, 0.5]}, fails_if_steep, executor="serial")
    found.to_netcdf(tmp_path / "scan.nc")
    with xr.open_dataset(tmp_path / "scan.nc") as again:
        xr.testing.assert_equal(again.load().drop_vars("message"), found.drop_vars("message"))


def test_a_scan_goes_on_where_it_was(tmp_path):
    heard = []
    scan(BASE, {DELTA: [0.3]}, bc_of_result, executor="serial", folder=tmp_path)
    found = scan(
        BASE, {DELTA: [0.4, 0.3]}, bc_of_result, executor="serial", folder=tmp_path,
        progress=lambda outcome, ready, total: heard.append(outcome.stored),
    )  # fmt: skip
    assert heard == [True, False]
    # another base config is another scan
    other = load_mapping(TINY, ["physics.diffusion.eta=0.5"])
    changed = scan(other, {DELTA: [0.3]}, bc_of_result, executor="serial", folder=tmp_path)
    assert not np.array_equal(changed["ratio"].sel({DELTA: 0.3}), found["ratio"].sel({DELTA: 0.3}))


@pytest.mark.parametrize(
    ("grid", "error", "message"),
    [
        ({"physics.diffusion.D_zero": [1.0]}, ConfigError, "D_zero"),
        ({DELTA: [0.3, "steep"]}, ConfigError, "delta"),
        ({D0: ["4e28 cm^2/s", "4e28 km"]}, ConfigError, "D0"),
        ({}, CyldiffError, "at least one parameter"),
        ({DELTA: []}, CyldiffError, "values for each"),
        ({DELTA: [object()]}, CyldiffError, "cannot be a value of a config"),
    ],
)
def test_nonsense_is_refused_before_anything_runs(grid, error, message):
    def never(result):
        raise AssertionError("a run was started")

    with pytest.raises(error, match=message):
        scan(BASE, grid, never, executor="serial")

"""Runs in time from a config: dimensions, times, switches, point sources, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from galaxy_model import ALL_PROCESSES, small_run

from cyldiff.errors import ConfigError
from cyldiff.pipeline import run

SMALL = {"n_r": 8, "n_z": 8, "energies": ("1 GeV", "1 TeV", 3.0)}
IN_TIME = 'solver.kind = "crank-nicolson"'
POINT = 'physics.sources.remnants.distribution = { kind = "point", x = "-7 kpc", y = "1 kpc", z = "0 kpc" }'


def solve(species, *overrides, **more):
    return run(small_run(species, (IN_TIME, *overrides), **{**SMALL, "tolerance": 1e-9, **more}))


@pytest.fixture(scope="module")
def steady():
    return run(small_run(("H1", "B11", "C12"), ALL_PROCESSES, **SMALL, tolerance=1e-9))


def test_every_time_is_in_the_result(steady):
    result = solve(("H1", "B11", "C12"), *ALL_PROCESSES, 'solver.time = { times = ["1 Myr", "30 Myr"] }')
    assert result["flux_lis"].dims == ("time", *steady["flux_lis"].dims)
    np.testing.assert_allclose(result["time"], [1.0, 30.0])
    first, last = result["flux_lis"].values
    assert np.all(first > 0.0)
    assert np.all(last > first)
    assert np.all(last < steady["flux_lis"].values * (1.0 + 1e-6))
    assert float(np.abs(result["balance"]).max()) < 1e-3


def test_steady_start_stays_steady(steady):
    result = solve(
        ("H1", "B11", "C12"),
        *ALL_PROCESSES,
        'solver.time = { times = ["1 Myr", "50 Myr"], start = "steady" }',
    )
    for flux in result["flux_lis"].values:
        np.testing.assert_allclose(flux, steady["flux_lis"].values, rtol=1e-6)


def test_switched_off_it_decays(steady):
    """Off after 1 Myr: as before at first, then less and less, the highest energies soonest."""
    result = solve(
        ("H1", "B11", "C12"),
        *ALL_PROCESSES,
        'solver.time = { times = ["1 Myr", "3 Myr", "10 Myr", "100 Myr"], start = "steady" }',
        'physics.sources.remnants.history = { kind = "piecewise", times = ["0 Myr", "1 Myr"], '
        "strengths = [1.0, 0.0] }",
    )
    flux = result["flux_lis"].values / steady["flux_lis"].values
    np.testing.assert_allclose(flux[0], 1.0, rtol=1e-6)
    assert np.all(np.diff(flux, axis=0) < 0.0)
    carbon = list(result["species"].values).index("C12")
    assert np.all(np.diff(flux[2, carbon, 3:]) < 0.0)


def test_point_source_in_three_dimensions():
    """Seen from the Sun, it is on the side where it is."""
    result = solve(
        ("H1",),
        POINT,
        "grid.space.phi.n = 24",
        'solver.time = { times = ["2 Myr", "20 Myr"] }',
        n_r=16,
    )
    assert "time" in result["flux_lis"].dims
    slope = result["gradient_lis"].isel(species=0, time=-1)
    assert np.all(slope.sel(direction="r") < 0.0)  # at 7.1 kpc, the Sun at 8.5
    assert np.all(slope.sel(direction="phi") < 0.0)  # y > 0 is phi < pi
    assert float(result["source_density"].sum()) > 0.0


def test_point_source_in_two_dimensions_is_refused():
    with pytest.raises(ConfigError, match="needs a 3-D grid"):
        solve(("H1",), POINT, 'solver.time = { times = ["2 Myr"] }')


def test_point_source_off_the_plane_of_a_half_space_is_refused():
    with pytest.raises(ConfigError, match='the sources of "remnants" are not symmetric in z'):
        solve(
            ("H1",),
            POINT.replace('z = "0 kpc"', 'z = "0.5 kpc"'),
            "grid.space.phi.n = 24",
            'solver.time = { times = ["2 Myr"] }',
        )


def test_point_source_outside_the_halo_is_refused():
    with pytest.raises(ConfigError, match="outside the halo"):
        solve(
            ("H1",),
            POINT.replace("-7", "-21"),
            "grid.space.phi.n = 24",
            'solver.time = { times = ["2 Myr"] }',
        )

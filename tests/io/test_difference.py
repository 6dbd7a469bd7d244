"""Differences of two results: numbers that are none are differences too."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from cyldiff.io.difference import relative_differences, spectra_changes
from cyldiff.io.replay import largest_difference

NAN = float("nan")


def result(flux):
    flux = np.atleast_2d(np.asarray(flux, dtype=float))
    coordinates = {
        "species": ["H1", "C12"][: len(flux)],
        "kinetic_energy": np.geomspace(1.0, 1e3, flux.shape[1]),
    }
    return xr.Dataset({"flux_lis": (("species", "kinetic_energy"), flux)}, coords=coordinates)


def test_relative_differences():
    old = np.array([1.0, 0.0, 2.0, NAN, NAN, 1.0, 0.0])
    new = np.array([1.0, 0.0, 1.0, NAN, 1.0, NAN, NAN])
    assert relative_differences(old, new).tolist() == [0.0, 0.0, 0.5, 0.0, np.inf, np.inf, np.inf]


@pytest.mark.parametrize("place", range(4))
def test_a_rerun_that_gives_no_numbers_is_not_the_same(place):
    old, new = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]
    new[place] = NAN
    assert largest_difference(result(old), result(old)) == 0.0
    assert largest_difference(result(old), result(new)) == np.inf
    assert largest_difference(result(new), result(old)) == np.inf
    assert largest_difference(result([old, old]), result([old, new])) == np.inf


def test_spectra_on_the_same_energies():
    (change,) = spectra_changes(result([1.0, 2.0, 3.0, 4.0]), result([1.0, 2.0, NAN, 5.0]))
    assert change.largest == np.inf
    assert change.energy == pytest.approx(100.0)


def test_energies_outside_of_the_new_range_do_not_count():
    old = result([1.0, 0.1, 0.01, 0.001])
    new = (
        old.isel(kinetic_energy=slice(0, 3)).copy(deep=True).assign_coords(kinetic_energy=[2.0, 20.0, 200.0])
    )
    new["flux_lis"][0] = [0.5, 0.05, 0.005]
    (change,) = spectra_changes(old, new)
    assert change.largest == pytest.approx(0.0, abs=1e-12)
    assert change.energy == pytest.approx(10.0) or change.energy == pytest.approx(100.0)

"""Pulls and chi-square by hand, and what is left out of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

from cyldiff.constants import ATOMIC_MASS_UNIT
from cyldiff.data import Measurement, compare, format_comparisons, predict
from cyldiff.errors import DataError

ENERGY = np.geomspace(0.1, 1e3, 65)


@pytest.fixture(scope="module")
def dataset():
    """Two nuclides of the same A/Z with flat B/C = 0.2 and J(T) = 60 T^-2.7."""
    carbon = 60.0 * ENERGY**-2.7
    return xr.Dataset(
        {
            "flux_lis": (("species", "kinetic_energy"), np.array([0.2 * carbon, carbon])),
            "charge": ("species", [5, 6]),
            "mass_number": ("species", [10, 12]),
            "mass_per_nucleon": ("species", [ATOMIC_MASS_UNIT] * 2),
        },
        coords={"species": ["B10", "C12"], "kinetic_energy": ENERGY},
    )


def _measurement(x, y, *, stat=(0.03, 0.06), syst=(0.04, 0.08), limits=(), **changes):
    n = len(x)
    fields = {
        "name": "test-b-c", "experiment": "Test", "numerator": ("B",), "denominator": ("C",),
        "abscissa": "rigidity", "x_unit": "GV", "y_unit": "1", "period": "2020", "interstellar": False,
        "citation": "Somebody 2020",
    }  # fmt: skip
    columns = {
        "x": np.array(x, dtype=float), "y": np.array(y, dtype=float), "x_low": np.full(n, np.nan),
        "x_high": np.full(n, np.nan), "stat_minus": np.full(n, stat[0]), "stat_plus": np.full(n, stat[1]),
        "syst_minus": np.full(n, syst[0]), "syst_plus": np.full(n, syst[1]),
        "upper_limit": np.isin(np.arange(n), limits),
    }  # fmt: skip
    return dataclasses.replace(Measurement(**fields, **columns), **changes)


def test_chi_square_by_hand(dataset):
    """Model 0.2; errors down hypot(.03, .04) = 0.05, up hypot(.06, .08) = 0.1."""
    # the model lies above the first value (its upper error counts) and below the second (its lower)
    result = compare(dataset, _measurement([10.0, 20.0], [0.1, 0.35]), potential=0.5)
    np.testing.assert_allclose(result.model, 0.2, rtol=1e-10)
    np.testing.assert_allclose(result.sigma, [0.1, 0.05])
    np.testing.assert_allclose(result.pull, [-1.0, 3.0], rtol=1e-9)
    assert result.chi2 == pytest.approx(10.0)
    assert result.n_points == 2
    np.testing.assert_allclose(result.deviation, [1.0, 0.2 / 0.35 - 1.0])


def test_upper_limits_never_count(dataset):
    result = compare(dataset, _measurement([10.0, 20.0, 30.0], [0.1, 0.35, 0.01], limits=[2]), potential=0.5)
    assert result.chi2 == pytest.approx(10.0)
    assert (result.n_points, result.n_upper_limits) == (2, 1)


def test_points_the_model_does_not_reach_are_counted_not_used(dataset):
    result = compare(dataset, _measurement([0.1, 10.0, 5e3, 6e3], [0.1] * 4), potential=0.5)
    assert (result.n_points, result.n_outside) == (1, 3)
    assert result.used_range == (10.0, 10.0)
    nothing = compare(dataset, _measurement([1e5], [0.1]), potential=0.5)
    assert (nothing.n_points, nothing.chi2) == (0, 0.0)
    assert np.isnan(nothing.used_range).all()


def test_a_range_can_be_asked_for(dataset):
    m = _measurement([1.0, 10.0, 100.0, 1000.0], [0.2] * 4)
    result = compare(dataset, m, potential=0.5, x_min=5.0, x_max=100.0)
    assert result.x.tolist() == [10.0, 100.0]
    assert result.n_cut == 2


def test_interstellar_data_ignore_the_potential(dataset):
    per_nucleon = {
        "numerator": ("C12",), "denominator": (), "abscissa": "kinetic_energy_per_nucleon", "x_unit": "GeV/n"
    }  # fmt: skip
    at_the_sun = _measurement([0.5, 1.0], [60.0, 60.0], **per_nucleon)
    outside = dataclasses.replace(at_the_sun, interstellar=True)
    np.testing.assert_allclose(predict(dataset, outside, potential=0.8), 60.0 * outside.x**-2.7, rtol=1e-9)
    ratio = predict(dataset, at_the_sun, potential=0.8) / predict(dataset, outside, potential=0.8)
    assert np.all(ratio < 0.5)
    assert compare(dataset, outside, potential=0.8).potential == 0.0


def test_a_spectrum_is_predicted_in_the_unit_of_the_data(dataset):
    energy = np.array([120.0, 1200.0])
    m = _measurement(
        energy, [1.0, 1.0], numerator=("C",), denominator=(), abscissa="kinetic_energy", x_unit="GeV"
    )
    expected = 60.0 / 12.0 * (energy / 12.0) ** -2.7
    np.testing.assert_allclose(predict(dataset, m, potential=0.0), expected, rtol=1e-9)


def test_a_species_that_is_missing_is_an_error(dataset):
    with pytest.raises(DataError, match='"Fe" is not in this result'):
        compare(dataset, _measurement([10.0], [0.1], numerator=("Fe",)), potential=0.5)


def test_the_table_for_the_terminal(dataset):
    good = compare(dataset, _measurement([10.0, 20.0, 30.0], [0.1, 0.35, 0.01], limits=[2]), potential=0.5)
    empty = compare(dataset, _measurement([1e5], [0.1], name="far-away"), potential=0.5)
    header, first, second = format_comparisons([good, empty]).splitlines()
    assert header.split()[:4] == ["data", "set", "points", "chi2"]
    assert " ".join(first.split()) == "test-b-c 2 10.00 5.000 76.9 % 1 limits"
    assert " ".join(second.split()) == "far-away 0 - - - 1 outside the model"
    assert "left out" in header
    assert "left out" not in format_comparisons(
        [compare(dataset, _measurement([10.0], [0.1]), potential=0.5)]
    )
    # columns line up
    assert header.index("chi2/n") + len("chi2/n") == first.index("5.000") + len("5.000")

"""Statistics of realisations: quantiles, and what is said of heavy tails."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.sources.population.statistics import QUANTILES, largest_share, spread_of, tail_index


@pytest.mark.parametrize("slope", [1.0, 4.0 / 3.0, 2.0, 3.0])
def test_tail_index_of_a_power_law(slope):
    """Hill's estimate of a sample with P(> F) = F^-a, within three of its errors; its error scatters so."""
    sample = np.random.default_rng(1).pareto(slope, size=(20_000, 30)) + 1.0
    index, error = tail_index(sample)
    np.testing.assert_allclose(error, index / np.sqrt(200))
    assert np.all(np.abs(index - slope) < 3.5 * slope / np.sqrt(200))
    assert index.mean() == pytest.approx(slope, abs=3.0 * slope / np.sqrt(200 * 30) + 0.01 * slope)


def test_a_light_tail_looks_light():
    index, _ = tail_index(np.random.default_rng(2).normal(10.0, 1.0, size=(10_000, 1)))
    assert index[0] > 10.0


def test_share_of_the_largest():
    """Of P(> F) = F^-a the largest part p has p^(1 - 1/a) of the mean."""
    u = (np.arange(100_000) + 0.5) / 100_000
    assert largest_share(u ** (-1.0 / 3.0)) == pytest.approx(0.01 ** (2.0 / 3.0), rel=1e-2)
    assert largest_share(np.ones(1000)) == pytest.approx(0.01)


def test_spread():
    sample = np.random.default_rng(3).permutation(np.arange(1.0, 1002.0))[:, None] * np.array([1.0, 10.0])
    found = spread_of(sample)
    np.testing.assert_allclose(found.quantiles[:, 0], 1.0 + 1000.0 * np.array(QUANTILES))
    np.testing.assert_allclose(found.quantiles[:, 1], 10.0 * found.quantiles[:, 0])
    np.testing.assert_array_equal(found.minimum, [1.0, 10.0])
    np.testing.assert_array_equal(found.maximum, [1001.0, 10010.0])
    np.testing.assert_allclose(found.mean, [501.0, 5010.0])


@pytest.mark.parametrize("n", [1, 2, 19])
def test_too_few_for_a_tail(n):
    found = spread_of(np.random.default_rng(4).random((n, 2)))
    assert np.isnan(found.tail_index).all()
    assert np.isfinite(found.quantiles).all()
    assert np.isfinite(found.largest_share).all()


def test_fluxes_of_zero_have_no_tail():
    sample = np.zeros((100, 1))
    found = spread_of(sample)
    assert np.isnan(found.tail_index).all()

"""Tabulated curves and the ratio of helium to hydrogen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyldiff.errors import DataError
from cyldiff.particles.cross_sections import (
    Curves,
    check_energies,
    helium_ratio_inelastic,
    helium_ratio_spallation,
)

CURVES = Curves("test", np.array([0.1, 1.0, 10.0]), np.array([[10.0, 20.0, 40.0], [0.0, 0.0, 7.0]]))


def test_linear_in_the_logarithm_between_knots():
    energies = np.array([0.1, 10**-0.5, 1.0, 10**0.25, 10.0])
    values = CURVES.at(energies, [0, 1], extrapolation="refuse")
    np.testing.assert_allclose(values[0], [10, 15, 20, 25, 40], rtol=1e-14)
    np.testing.assert_allclose(values[1], [0, 0, 0, 1.75, 7], atol=1e-14)


@given(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=20))
def test_all_curves_at_once_equal_numpy_interpolation(energies):
    energies = np.array(energies)
    values = CURVES.at(energies, slice(None), extrapolation="refuse")
    for curve, own in zip(CURVES.values, values, strict=True):
        expected = np.interp(np.log(energies), np.log(CURVES.energy), curve)
        np.testing.assert_allclose(own, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("energy", [0.0999, 10.01, 1e6])
def test_outside_is_refused_unless_extrapolation_is_asked_for(energy):
    with pytest.raises(DataError, match=r'test covers 0.1 to 10 GeV.*extrapolation = "constant"'):
        CURVES.at(np.array([1.0, energy]), [0], extrapolation="refuse")
    value = CURVES.at(np.array([energy]), [0], extrapolation="constant")
    assert value == pytest.approx(10.0 if energy < 1 else 40.0)


@pytest.mark.parametrize("bad", [[1.0, -1.0], [0.0], [np.nan], [np.inf], [[1.0, 2.0]]])
def test_energies_must_be_positive_numbers(bad):
    with pytest.raises(DataError, match="positive, finite"):
        check_energies(bad)


def test_ratio_of_inelastic_cross_sections():
    # Ferrando et al. 1988: 2.10 A^-0.055
    assert helium_ratio_inelastic(12) == pytest.approx(1.8317, rel=1e-4)
    assert helium_ratio_inelastic(56) == pytest.approx(1.6829, rel=1e-4)


def ferrando(lost, f, mu, delta):
    return np.exp(mu * abs(lost - f * delta) ** 1.43)


@pytest.mark.parametrize(
    ("parent", "child", "f"), [(6, 5, -0.76), (6, 4, -0.76), (8, 5, -0.41), (26, 25, 1.0), (26, 20, 1.0)]
)
def test_ratio_at_the_energies_and_charges_of_the_measurement(parent, child, f):
    expected = [
        ferrando(parent - child, f, mu, delta) for mu, delta in [(0.082, 2.45), (0.047, 3.45), (0.031, 4.40)]
    ]
    ratio = helium_ratio_spallation([parent], [child], np.array([0.43, 0.73, 1.51]))
    np.testing.assert_allclose(ratio[0], expected, rtol=1e-12)
    # constant beyond the energies of the measurement
    ends = helium_ratio_spallation([parent], [child], np.array([0.01, 1e6]))
    np.testing.assert_allclose(ends[0], [expected[0], expected[-1]], rtol=1e-12)


@pytest.mark.parametrize(
    ("parent", "child", "low", "high"),
    [(5, 4, 1.6047, 1.4027), (8, 5, 1.8154, 1.3397), (14, 13, 1.0195, 1.0019)],
)
def test_ratio_agrees_with_the_helium_columns_of_usine(parent, child, low, high):
    """Charges between and below those measured; numbers of an independent implementation.

    Source: helium over hydrogen in the WKS98 table prepared by Y. Genolini for USINE v3.5, below
    0.4 and above 1.6 GeV per nucleon.
    """
    ratio = helium_ratio_spallation([parent], [child], np.array([0.2, 5.0]))
    np.testing.assert_allclose(ratio[0], [low, high], rtol=2e-4)


@pytest.mark.parametrize("energy", [0.2, 5.0])
def test_ratio_goes_on_along_its_tangent_beyond_half_the_charge(energy):
    energies = np.array([energy])
    step = 1e-5
    at = [helium_ratio_spallation([26], [13 + d], energies)[0, 0] for d in (-step, 0.0, step)]
    slope = (at[0] - at[2]) / (2 * step)
    far = helium_ratio_spallation([26], [4], energies)[0, 0]
    assert far == pytest.approx(at[1] + 9 * slope, rel=1e-4)
    mu, delta = (0.082, 2.45) if energy < 0.43 else (0.031, 4.40)
    assert far < ferrando(22, 1.0, mu, delta)

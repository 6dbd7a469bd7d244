"""The spline behind every spectrum: exact for power laws, fourth order, honest at its ends."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.errors import DataError
from cyldiff.observables.interpolation import LogLogCurve


def _smooth(t):
    """A spectrum with the curvature of an interstellar one: bends at 1 and 300 GeV/n."""
    return t**-0.5 * (1.0 + t) ** -2.3 * (1.0 + (t / 300.0) ** 2) ** 0.06


def test_a_power_law_is_exact_between_the_nodes():
    t = np.geomspace(0.01, 1e6, 60)
    at = np.sqrt(t[1:] * t[:-1])
    np.testing.assert_allclose(LogLogCurve(t, 3.0 * t**-2.7)(at), 3.0 * at**-2.7, rtol=1e-12)


def test_error_falls_with_the_fourth_power_of_the_step():
    errors = []
    for n in (97, 193, 385):
        t = np.geomspace(1e-2, 1e4, n)
        at = np.sqrt(t[10:-10] * t[11:-9])
        errors.append(np.max(np.abs(LogLogCurve(t, _smooth(t))(at) / _smooth(at) - 1.0)))
    assert errors[0] < 2e-5  # 16 points per decade
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(orders > 3.7)


def test_a_spectrum_that_runs_out_stays_finite_and_not_negative():
    t = np.geomspace(1.0, 1e6, 97)
    y = np.where(t < 1e4, t**-2.7 * np.exp(-t / 30.0), 0.0)
    at = np.geomspace(1.0, 1e6, 1000)
    values = LogLogCurve(t, y)(at)
    assert np.all(np.isfinite(values))
    assert np.all(values >= 0.0)
    assert np.all(values[at > 1.2e4] == 0.0)
    early = at < 300.0
    np.testing.assert_allclose(values[early], (at**-2.7 * np.exp(-at / 30.0))[early], rtol=1e-3)


def test_nothing_is_extrapolated_silently():
    t = np.geomspace(1.0, 100.0, 33)
    curve = LogLogCurve(t, t**-2.0)
    assert np.isnan(curve([0.999, 100.1])).all()
    beyond = np.array([100.0 * (t[1] / t[0]) ** 0.4, 100.0 * (t[1] / t[0]) ** 0.6])
    continued = curve.continued(beyond)
    assert continued[0] == pytest.approx(beyond[0] ** -2.0, rel=1e-10)
    assert np.isnan(continued[1])


def test_a_nan_spoils_its_neighbourhood_only():
    t = np.geomspace(1.0, 100.0, 21)
    y = t**-2.0
    y[10] = np.nan
    at = np.sqrt(t[1:] * t[:-1])
    values = LogLogCurve(t, y)(at)
    assert np.flatnonzero(np.isnan(values)).tolist() == [9, 10]


@pytest.mark.parametrize(
    ("x", "y"),
    [([1.0, 2.0], [1.0]), ([1.0], [1.0]), ([0.0, 1.0], [1.0, 1.0]), ([1.0, 1.0], [1.0, 1.0])],
)
def test_a_bad_grid_is_refused(x, y):
    with pytest.raises(DataError):
        LogLogCurve(x, y)

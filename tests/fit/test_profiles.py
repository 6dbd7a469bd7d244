"""Profiles and contours of a bent chi-square, with gradients and with MINUIT's own."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from fit_targets import Banana
from scipy.optimize import minimize_scalar
from test_curvature import errors_of

from cyldiff.fit.profiles import LEVELS, contour_of, profile_of

RISE = {0.6827: 2.2957, 0.9545: 6.1801}


@pytest.fixture(params=[True, False], ids=["gradient", "calls"])
def result(request):
    """What the functions read of a fit."""
    banana = Banana((0.5, 0.0), ((1.0, 0.3), (0.3, 0.2)))
    search, found = errors_of(banana, gradient=request.param)
    return SimpleNamespace(
        search=search, surroundings=found, at_bound=found.at_bound, chi2=found.chi2, parameters=banana.parameters,
        values=found.best * search.scale, errors=np.sqrt(np.diag(found.covariance)) * search.scale,
        fit=SimpleNamespace(source="test"),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["a", "b"])
def test_the_others_are_at_their_best(result, name):
    place = "ab".index(name)
    profile = profile_of(result, name)
    assert len(profile.values) >= 20
    for value, rise in zip(profile.values[::4], profile.rise[::4], strict=True):

        def chi2(other, value=value):
            return result.search.objective((value, other) if place == 0 else (other, value))

        best = min(
            minimize_scalar(chi2, bounds=ends, method="bounded", options={"xatol": 1e-8}).fun
            for ends in ((-9.0, 0.0), (-1.0, 9.0))
        )
        assert rise == pytest.approx(best, abs=0.05)


def test_points_of_a_contour_have_its_chi_square(result):
    """Of two parameters there are no others: chi-square itself."""
    contour = contour_of(result, ("a", "b"))
    close = 0.02 if result.surroundings.minimum else 0.1  # MINUIT looks for a crossing no closer than that
    assert set(contour.lines) == set(LEVELS)
    for level, line in contour.lines.items():
        assert np.array_equal(line[0], line[-1])
        for place in line:
            assert result.search.objective(place) == pytest.approx(RISE[level], rel=close)
        # it goes round the minimum
        angles = np.unwrap(np.arctan2(*(line - result.values).T[::-1]))
        assert abs(angles[-1] - angles[0]) == pytest.approx(2.0 * np.pi, rel=1e-6)

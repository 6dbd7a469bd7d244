"""Strength of sources in time."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from cyldiff.sources.history import AlwaysOn, PiecewiseHistory


def test_always_on():
    assert AlwaysOn().strength(3.0) == 1.0
    assert AlwaysOn().switches == ()


def test_piecewise():
    history = PiecewiseHistory(times=["1 Myr", "3 Myr"], strengths=[2.0, 0.5])
    assert [history.strength(t) for t in (0.0, 0.999, 1.5, 2.999, 3.5, 1e3)] == [0.0, 0.0, 2.0, 2.0, 0.5, 0.5]
    assert history.switches == (1.0, 3.0)


def test_a_switch_belongs_to_what_follows():
    history = PiecewiseHistory(times=["1 Myr", "3 Myr"], strengths=[2.0, 0.5])
    assert history.strength(1.0) == 2.0
    assert history.strength(np.nextafter(1.0, 0.0)) == 0.0
    assert history.strength(3.0) == 0.5


@pytest.mark.parametrize(
    ("times", "strengths", "message"),
    [
        (["1 Myr", "3 Myr"], [1.0], "as many strengths"),
        (["3 Myr", "1 Myr"], [1.0, 0.0], "increase"),
        (["1 Myr", "1 Myr"], [1.0, 0.0], "increase"),
        (["1 Myr"], [-1.0], "greater than or equal to 0"),
        ([], [], "at least 1"),
        (["1 kpc"], [1.0], "time"),
    ],
)
def test_refused(times, strengths, message):
    with pytest.raises(ValidationError, match=message):
        PiecewiseHistory(times=times, strengths=strengths)

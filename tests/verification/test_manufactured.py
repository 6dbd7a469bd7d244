"""T1, steady: observed order of the whole operator, where ``cyldiff validate`` does not look.

Its cases order-r to order-all are run by tests/validation.
"""

from __future__ import annotations

import numpy as np
import pytest
from manufactured import momentum_only, space_and_momentum, vertical_only
from problems import observed_orders

from cyldiff.validation.accuracy import error


def assert_order(errors, order, *, within):
    """The last two refinements show the order."""
    found = observed_orders(errors)[-2:]
    assert np.all(np.abs(found - order) < within), (errors, found)


def test_second_order_in_z_with_wind_on_the_whole_axis():
    cells = [2 * n + 1 for n in (20, 40, 80, 160)]
    assert_order([error(vertical_only(n, half_space=False)) for n in cells], 2.0, within=0.08)


def test_upwind_order_in_momentum_with_losses_only():
    errors = [error(momentum_only(n, scheme="upwind", reacceleration=False)) for n in (8, 16, 32, 64)]
    assert_order(errors, 1.0, within=0.05)


@pytest.mark.parametrize("scheme", ["chang-cooper"])
def test_second_order_with_every_term(scheme):
    """Variable D, wind, losses, reacceleration and sinks; r, z and ln p refined together."""
    errors = [error(space_and_momentum(n, n + 1, n / 2, scheme=scheme)) for n in (8, 16, 32, 64)]
    assert_order(errors, 2.0, within=0.25)
    assert errors[-1] < 1e-3


def test_second_order_with_every_term_on_the_whole_stretched_axis():
    cases = [space_and_momentum(n, 2 * n + 1, n / 2, half_space=False, stretch=2.0) for n in (8, 16, 32, 64)]
    assert_order([error(case) for case in cases], 2.0, within=0.25)

"""T1, steady: observed order of the whole operator on a manufactured solution, per direction and together."""

from __future__ import annotations

import numpy as np
import pytest
from manufactured import momentum_only, radial_only, space_and_momentum, vertical_only
from problems import iterate, observed_orders


def error(case):
    """Largest error anywhere over the largest value anywhere."""
    problem, source, exact = case
    return float(np.abs(iterate(problem, source, tolerance=1e-10) - exact).max() / np.abs(exact).max())


def assert_order(errors, order, *, within):
    """The last two refinements show the order."""
    found = observed_orders(errors)[-2:]
    assert np.all(np.abs(found - order) < within), (errors, found)


def test_second_order_in_r():
    assert_order([error(radial_only(n)) for n in (20, 40, 80, 160)], 2.0, within=0.08)


@pytest.mark.parametrize("half_space", [True, False])
def test_second_order_in_z_with_wind(half_space):
    cells = [n + 1 if half_space else 2 * n + 1 for n in (20, 40, 80, 160)]
    assert_order([error(vertical_only(n, half_space=half_space)) for n in cells], 2.0, within=0.08)


def test_second_order_in_stretched_z():
    errors = [error(vertical_only(n + 1, stretch=4.0)) for n in (40, 80, 160, 320)]
    assert_order(errors, 2.0, within=0.1)


@pytest.mark.parametrize("scheme", ["third-order", "chang-cooper"])
def test_second_order_in_momentum_with_reacceleration(scheme):
    errors = [error(momentum_only(n, scheme=scheme)) for n in (16, 32, 64, 128)]
    assert_order(errors, 2.0, within=0.12)


@pytest.mark.parametrize(("scheme", "order"), [("third-order", 3.0), ("chang-cooper", 1.0), ("upwind", 1.0)])
def test_order_in_momentum_with_losses_only(scheme, order):
    errors = [error(momentum_only(n, scheme=scheme, reacceleration=False)) for n in (8, 16, 32, 64)]
    assert_order(errors, order, within=0.05)


@pytest.mark.parametrize("scheme", ["third-order", "chang-cooper"])
def test_second_order_with_every_term(scheme):
    """Variable D, wind, losses, reacceleration and sinks; r, z and ln p refined together."""
    errors = [error(space_and_momentum(n, n + 1, n / 2, scheme=scheme)) for n in (8, 16, 32, 64)]
    assert_order(errors, 2.0, within=0.25)
    assert errors[-1] < 1e-3


def test_second_order_with_every_term_on_the_whole_stretched_axis():
    cases = [space_and_momentum(n, 2 * n + 1, n / 2, half_space=False, stretch=2.0) for n in (8, 16, 32, 64)]
    assert_order([error(case) for case in cases], 2.0, within=0.25)

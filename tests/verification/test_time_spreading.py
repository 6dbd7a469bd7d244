"""T3: a Gaussian off the axis spreads in three dimensions."""

from __future__ import annotations

import numpy as np
import pytest
from problems import observed_orders
from time_problems import no_source, uniform_box, uniform_operator

from cyldiff.solve.crank_nicolson import Stepper
from cyldiff.sources.point import kernel_on_grid

#: centre, initial width, box; cells in r, phi and z with which the width is 2, 3 and 4 cells
RADIUS, SIGMA, BOX, HEIGHT = 3.0, 1.25, 10.0, 6.0
LEVELS = ((16, 32, 10), (24, 48, 15), (32, 64, 20))
PLACE = (RADIUS * np.cos(2.0), RADIUS * np.sin(2.0), 0.0)
D, END = np.array([0.5, 0.25]), 1.0


def gaussian(grid, spread):
    """Cell averages of the Gaussian of variance 2 * spread."""
    field, ahead = kernel_on_grid(grid, PLACE, 1.0, diffusion=spread, age=1.0)
    assert np.all(ahead == 0.0)
    return field


def spread_out(level, tolerance=3e-4):
    """Grid, solution and exact solution after END."""
    grid = uniform_box(*LEVELS[level], radius=BOX, half_height=HEIGHT)
    first = np.full(2, 0.5 * SIGMA**2)
    stepper = Stepper([uniform_operator(grid, D)], no_source, tolerance=tolerance)
    field = stepper.advance([gaussian(grid, first)], [END])[0][0]
    return grid, field, gaussian(grid, first + D * END)


def l2_error(level):
    """Relative L2 error of each energy."""
    grid, field, exact = spread_out(level)
    norm = lambda x: np.sqrt(np.sum(x**2 * grid.volume, axis=(1, 2, 3)))  # noqa: E731
    return norm(field - exact) / norm(exact)


@pytest.fixture(scope="module")
def errors():
    return np.array([l2_error(level) for level in range(3)])


def test_three_cells_are_enough(errors):
    """sigma_0 = 3 cells: below 1 % in L2, for either D."""
    assert np.all(errors[1] < 0.01), errors


def test_second_order_in_space(errors):
    orders = [observed_orders(errors[:2], 3.0 / 2.0)[0], observed_orders(errors[1:], 4.0 / 3.0)[0]]
    assert np.all(np.abs(np.array(orders) - 2.0) < 0.2), (errors, orders)


def test_variance_grows_by_two_d_t():
    """Moments of the solution itself: the centre stays, each variance grows by 2 D t."""
    grid, field, _ = spread_out(0)
    r, phi, z = (grid.coordinate(name)[0] for name in ("r", "phi", "z"))
    share = field * grid.volume / np.sum(field * grid.volume, axis=(1, 2, 3), keepdims=True)
    x, y = r * np.cos(phi) - PLACE[0], r * np.sin(phi) - PLACE[1]
    for k in (0, 1):
        mean = [float(np.sum(share[k] * c)) for c in (x, y)]
        np.testing.assert_allclose(mean, 0.0, atol=0.02)
        variances = [float(np.sum(share[k] * c**2)) for c in (x, y, z)]
        np.testing.assert_allclose(variances, SIGMA**2 + 2.0 * D[k] * END, rtol=0.03)

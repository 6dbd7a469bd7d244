"""One-dimensional slab against closed solutions: plain disc (T5), wind (T7), decay (T8)."""

from __future__ import annotations

import numpy as np
import pytest
from exact import decaying_slab, windy_slab
from problems import iterate, observed_orders, operator, plane_source, slab_grid

H, D = 4.0, 0.7


@pytest.mark.parametrize("stretch", [0.0, 5.0])
@pytest.mark.parametrize(("n_z", "half_space"), [(5, True), (33, True), (65, False)])
def test_disc_and_empty_halo_on_every_mesh(n_z, half_space, stretch):
    """T5: N(z) = q (H - |z|) / 2D to round-off, so that no cell is added to the halo or lost from it."""
    grid = slab_grid(n_z, H, stretch=stretch, half_space=half_space)
    field = iterate(operator(grid, D=D), plane_source(grid))
    exact = (H - np.abs(grid.z.centers)) / (2.0 * D)
    np.testing.assert_allclose(field[2, 0], exact, rtol=1e-9)


def test_disc_holds_its_residence_time():
    """T5: q H^2 / 2D particles per area; q times the mean residence time."""
    grid = slab_grid(33, H)
    field = iterate(operator(grid, D=D), plane_source(grid))
    # linear profile: cells are as full as their centres, but for the kink in the one on the plane
    kink = grid.z.widths[0] ** 2 / (2.0 * D)
    content = 2.0 * np.sum(field[0, 0] * grid.z.widths) - kink
    assert content == pytest.approx(H**2 / (2.0 * D), rel=1e-9)


@pytest.mark.parametrize("stretch", [0.0, 5.0])
@pytest.mark.parametrize("wind", [0.003, 0.05, 1.0])
def test_wind(wind, stretch):
    """T7: exponential fitting is exact for constant u and D, for cell Peclet numbers up to 20."""
    D = 0.05
    grid = slab_grid(33, H, stretch=stretch)
    problem = operator(grid, D=D, wind=wind * np.sign(grid.z.faces))
    field = iterate(problem, plane_source(grid))[0, 0]
    exact = windy_slab(grid.z.centers, q=1.0, D=D, half_height=H, wind=wind)
    np.testing.assert_allclose(field, exact, rtol=1e-8)
    assert field[0] == pytest.approx((1.0 - np.exp(-wind * H / D)) / (2.0 * wind), rel=1e-8)


def test_wind_lowers_the_density_at_the_plane():
    grid = slab_grid(33, H)
    calm, windy = (
        iterate(operator(grid, D=D, wind=u * np.sign(grid.z.faces)), plane_source(grid))[0, 0, 0]
        for u in (0.0, 0.02)
    )
    assert windy < 0.98 * calm


@pytest.mark.parametrize(("D", "lifetime"), [(0.05, 10.0), (0.05, 1.0), (1.0, 3.0)])
def test_decay(D, lifetime):
    """T8: sinh profile, on the stretched mesh of production."""
    grid = slab_grid(33, H, stretch=5.0)
    field = iterate(operator(grid, D=D, sink=1.0 / lifetime), plane_source(grid))[0, 0]
    exact = decaying_slab(grid.z.centers, q=1.0, D=D, half_height=H, lifetime=lifetime)
    assert field[0] == pytest.approx(exact[0], rel=1e-3)
    assert np.abs(field - exact).max() < 2e-3 * exact[0]


def test_decay_and_wind_together():
    D, wind, decay = 0.05, 0.03, 0.1
    grid = slab_grid(33, H, stretch=5.0)
    problem = operator(grid, D=D, wind=wind * np.sign(grid.z.faces), sink=decay)
    field = iterate(problem, plane_source(grid))[0, 0]
    exact = windy_slab(grid.z.centers, q=1.0, D=D, half_height=H, wind=wind, decay=decay)
    assert field[0] == pytest.approx(exact[0], rel=1e-3)


@pytest.mark.parametrize("stretch", [0.0, 5.0])
def test_decay_is_second_order(stretch):
    errors = []
    for n_z in (17, 33, 65, 129):
        grid = slab_grid(n_z, H, stretch=stretch)
        field = iterate(operator(grid, D=0.05, sink=0.1), plane_source(grid))
        exact = decaying_slab(0.0, q=1.0, D=0.05, half_height=H, lifetime=10.0)
        errors.append(abs(field[0, 0, 0] / exact - 1.0))
    orders = observed_orders(errors, ratio=2.0)
    assert np.all(orders > 1.9), orders


def test_decay_follows_the_square_root_of_the_diffusion_length():
    """10Be/9Be ~ sqrt(gamma tau D)/H where sqrt(D tau) << H."""
    short = 0.02
    grid = slab_grid(65, H, stretch=5.0)
    decaying = iterate(operator(grid, D=D, sink=1.0 / short), plane_source(grid))[0, 0, 0]
    stable = iterate(operator(grid, D=D), plane_source(grid))[0, 0, 0]
    assert decaying / stable == pytest.approx(np.sqrt(short * D) / H, rel=1e-3)

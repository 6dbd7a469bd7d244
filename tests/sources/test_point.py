"""Point sources on the grid: normalisation, place, refusals; and the kernel a burst starts from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erf

from cyldiff.errors import GridError
from cyldiff.grid import Grid, energy_grid
from cyldiff.sources.greens_function import burst, vertical_share
from cyldiff.sources.point import KERNEL_CELLS, PointSource, kernel_on_grid, local_cell

ENERGIES = energy_grid(1.0, 1e4, 1.0)


def box(n_phi=48, half_space=False, n_z=21, **more):
    return Grid.build(
        kinetic_energy=ENERGIES, radius=10.0, half_height=4.0, n_r=30, n_z=n_z, half_space=half_space,
        n_phi=n_phi, **more,
    )  # fmt: skip


def source(x, y, z, **more):
    return PointSource(x=f"{x} kpc", y=f"{y} kpc", z=f"{z} kpc", **more)


def centroid(grid, density):
    r, phi, z = (grid.coordinate(name)[0] for name in ("r", "phi", "z"))
    weight = density * grid.volume
    return [float(np.sum(weight * c)) for c in (r * np.cos(phi), r * np.sin(phi), z + 0.0 * r * phi)]


@pytest.mark.parametrize("place", [(-4.0, 0.5, 0.3), (2.0, -3.0, -1.0), (0.0, 0.0, 0.0), (0.1, 0.05, 0.2)])
def test_one_particle_where_it_belongs(place):
    grid = box()
    density = source(*place).on_grid(grid, 8.5)
    assert density.shape == grid.shape[1:]
    assert np.sum(density * grid.volume) == pytest.approx(1.0, abs=1e-14)
    assert density.min() >= 0.0
    np.testing.assert_allclose(centroid(grid, density), place, atol=0.03)


def test_sun_side_is_negative_x():
    grid = box()
    density = source(-5.0, 0.0, 0.0).on_grid(grid, 8.5)
    _, m, _ = np.unravel_index(np.argmax(density), density.shape)
    assert grid.phi.centers[m] == pytest.approx(np.pi)


def test_cells_hold_the_average_of_the_gaussian():
    """Against a fine sum over the cell."""
    grid, width = box(), 0.7
    density = source(-4.0, 0.5, 0.3, width=f"{width} kpc").on_grid(grid, 8.5)
    i, m, k = 11, 23, 11
    n = 60
    r = grid.r.faces[i] + np.diff(grid.r.faces)[i] * (np.arange(n) + 0.5) / n
    phi = grid.phi.faces[m] + np.diff(grid.phi.faces)[m] * (np.arange(n) + 0.5) / n
    x, y = r[:, None] * np.cos(phi) + 4.0, r[:, None] * np.sin(phi) - 0.5
    plane = np.exp(-(x**2 + y**2) / (2.0 * width**2)) / (2.0 * np.pi * width**2)
    around = np.sum(plane * r[:, None]) / np.sum(r[:, None] * np.ones(n))
    along = np.diff(erf((grid.z.faces[k : k + 2] - 0.3) / (np.sqrt(2.0) * width)))[0] / (
        2.0 * grid.z.widths[k]
    )
    assert density[i, m, k] == pytest.approx(around * along, rel=2e-4)


def test_half_space_is_half_of_the_whole():
    whole, half = box(n_z=21), box(n_z=11, half_space=True)
    density = source(-4.0, 0.5, 0.0).on_grid(whole, 8.5)
    np.testing.assert_allclose(source(-4.0, 0.5, 0.0).on_grid(half, 8.5), density[..., 10:], rtol=1e-12)


def test_on_the_axis_of_a_2d_grid():
    flat, around = box(n_phi=None), box()
    density = source(0.0, 0.0, 0.0).on_grid(flat, 8.5)
    assert np.sum(density * flat.volume) == pytest.approx(1.0, abs=1e-14)
    width = f"{1.25 * local_cell(flat, (0.0, 0.0, 0.0))} kpc"
    turned = source(0.0, 0.0, 0.0, width=width).on_grid(around, 8.5)
    np.testing.assert_allclose(turned, np.repeat(density[:, None], 48, axis=1), rtol=1e-9)


@pytest.mark.parametrize(
    ("grid", "place", "message"),
    [
        (lambda: box(n_phi=None), (-4.0, 0.0, 0.0), "needs a 3-D grid"),
        (lambda: box(n_z=11, half_space=True), (-4.0, 0.0, 0.1), "half_space = false"),
        (box, (-11.0, 0.0, 0.0), "outside the halo"),
        (box, (-4.0, 0.0, 4.0), "outside the halo"),
        (lambda: box(n_phi=None, slab_at=8.5), (0.0, 0.0, 0.0), "a slab holds no point source"),
    ],
)
def test_refused(grid, place, message):
    with pytest.raises(GridError, match=message):
        source(*place).on_grid(grid(), 8.5)
    with pytest.raises(GridError, match=message):
        kernel_on_grid(grid(), place, 1.0, diffusion=1.0, age=0.1)


def test_a_source_below_the_cell_size_is_refused():
    with pytest.raises(GridError, match=r"width = 0.1 kpc is not resolved .* expected at least 0.5\d* kpc"):
        source(-4.0, 0.0, 0.0, width="0.1 kpc").on_grid(box(), 8.5)


def test_symmetry():
    assert source(-4.0, 0.0, 0.0).symmetric
    assert not source(-4.0, 0.0, 0.1).symmetric


@pytest.mark.parametrize("place", [(-4.0, 0.5, 0.0), (1.0, 0.0, 1.5)])
def test_kernel_holds_what_is_left(place):
    """The injected number to round-off; what has left the halo is missing to round-off."""
    grid = box()
    injected = np.geomspace(1.0, 1e-6, grid.shape[0])
    D = np.array([0.05, 0.3, 1.0, 2.0, 3.0])
    field, ahead = kernel_on_grid(grid, place, injected, diffusion=D, age=0.5)
    content = np.sum(field * grid.volume, axis=(1, 2, 3))
    left = vertical_share(place[2], D * (0.5 + ahead), 4.0)
    np.testing.assert_allclose(content, injected * left, rtol=1e-14)
    assert field.min() >= 0.0
    # the fastest have begun to leave the halo through its faces
    assert left[-1] < 0.999
    assert left[0] == pytest.approx(1.0, abs=2e-2)


def test_kernel_is_the_greens_function():
    grid = box()
    place, D, age = (-4.0, 0.5, 0.3), np.full(5, 1.0), 0.6
    field, ahead = kernel_on_grid(grid, place, 1.0, diffusion=D, age=age)
    np.testing.assert_array_equal(ahead, 0.0)
    r, phi, z = np.broadcast_arrays(*(grid.coordinate(name)[0] for name in ("r", "phi", "z")))
    points = np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=-1)
    exact, _ = burst(points, place, diffusion=1.0, age=age, half_height=4.0)
    # averages of cells against their centres: h^2/24 times the second derivative
    assert np.abs(field[0] - exact).max() < 0.06 * exact.max()
    assert np.sum(np.abs(field[0] - exact) * grid.volume) < 0.04


def test_unresolved_momenta_start_older():
    grid, place = box(), (-4.0, 0.5, 0.0)
    D = np.array([0.01, 0.1, 0.4, 1.0, 4.0])
    age = 0.2
    field, ahead = kernel_on_grid(grid, place, 1.0, diffusion=D, age=age)
    narrowest = KERNEL_CELLS * local_cell(grid, place)
    np.testing.assert_allclose(2.0 * D * (age + ahead), np.maximum(2.0 * D * age, narrowest**2))
    assert np.all(ahead[:3] > 0.0)
    assert ahead[-1] == pytest.approx(0.0, abs=1e-15)
    np.testing.assert_allclose(field[0], field[1], rtol=1e-12)


def test_kernel_that_reaches_the_radius_is_refused():
    with pytest.raises(GridError, match="earlier start"):
        kernel_on_grid(box(), (-8.0, 0.0, 0.0), 1.0, diffusion=1.0, age=1.0)

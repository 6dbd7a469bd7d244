"""The mesh: volumes and areas, cell averages, interpolation, energies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyldiff.errors import GridError
from cyldiff.grid import Grid, energy_grid

ENERGIES = energy_grid(0.1, 100.0, 4.0)


def make(n_r=10, n_z=11, *, half_space=True, stretch=0.0, slab=False, radius=20.0, half_height=4.0):
    return Grid.build(
        kinetic_energy=ENERGIES,
        radius=radius,
        half_height=half_height,
        n_r=n_r,
        n_z=n_z,
        half_space=half_space,
        stretch=stretch,
        slab_at=8.5 if slab else None,
    )


@pytest.mark.parametrize("stretch", [0.0, 5.0])
@pytest.mark.parametrize(("half_space", "n_z"), [(True, 11), (False, 21)])
def test_cells_fill_the_cylinder(half_space, n_z, stretch):
    grid = make(n_z=n_z, half_space=half_space, stretch=stretch)
    assert grid.volume.sum() == pytest.approx(np.pi * 20.0**2 * 8.0, rel=1e-13)
    assert np.all(grid.volume > 0.0)
    assert grid.shape == (len(ENERGIES), 10, n_z)


def test_slab_has_unit_area():
    grid = make(slab=True)
    assert grid.volume.sum() == pytest.approx(8.0, rel=1e-13)
    assert not grid.face_area("r").any()
    assert grid.r.n == 1


@pytest.mark.parametrize("half_space", [True, False])
def test_surface_of_the_cylinder(half_space):
    grid = make(n_z=11, half_space=half_space)
    side = grid.face_area("r")
    assert side[-1].sum() == pytest.approx(2.0 * np.pi * 20.0 * 8.0, rel=1e-13)
    assert not side[0].any()
    lids = grid.face_area("z")
    area = lids[:, 0].sum() + lids[:, -1].sum()
    assert area == pytest.approx(2.0 * np.pi * 20.0**2, rel=1e-13)
    if half_space:
        assert not lids[:, 0].any()


def test_unknown_axis():
    with pytest.raises(GridError, match='no axis "phi"'):
        make().face_area("phi")


@settings(deadline=None, max_examples=30)
@given(
    n_r=st.integers(5, 30),
    n_z=st.integers(5, 30),
    stretch=st.sampled_from([0.0, 3.0, 5.0]),
    half_space=st.booleans(),
    power=st.integers(0, 6),
)
def test_averages_of_polynomials_are_exact(n_r, n_z, stretch, half_space, power):
    grid = make(n_r, 2 * n_z + 1, stretch=stretch, half_space=half_space)
    average = grid.cell_average(lambda r, z: r**power + z**2 * r)
    total = np.sum(average * grid.volume)
    exact = 2.0 * np.pi * 8.0 * 20.0 ** (power + 2) / (power + 2)
    exact += 2.0 * np.pi * 20.0**3 / 3.0 * 2.0 * 4.0**3 / 3.0
    assert total == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("half_space", [True, False])
@pytest.mark.parametrize("h", [0.03, 0.1, 0.3])
def test_column_of_an_exponential_disc(h, half_space):
    """Cells much thicker than the disc still hold all of it; the kink at z = 0 costs nothing."""
    grid = make(5, 21, half_space=half_space)
    average = grid.cell_average(lambda r, z: np.exp(-np.abs(z) / h) + 0.0 * r)
    column = np.sum(average * grid.volume) / (np.pi * 400.0)
    assert column == pytest.approx(2.0 * h * (1.0 - np.exp(-4.0 / h)), rel=1e-9)


@pytest.mark.parametrize("half_space", [True, False])
@pytest.mark.parametrize("edge", [0.01, 0.1, 0.77, 3.99])
def test_column_of_a_slab_with_sharp_edges(edge, half_space):
    """A jump inside a cell is integrated exactly where it is announced."""
    grid = make(5, 21, half_space=half_space, stretch=2.0)
    average = grid.cell_average(lambda r, z: np.where(np.abs(z) < edge, 1.0, 0.0) + 0.0 * r, edges=(edge,))
    assert np.sum(average * grid.volume) == pytest.approx(np.pi * 400.0 * 2.0 * edge, rel=1e-12)
    assert average.max() == pytest.approx(1.0, rel=1e-12) or edge < grid.z.faces[grid.z.faces > 0.0][0]


def test_average_in_r_is_weighted_with_the_area():
    grid = make(5, 5)
    average = grid.cell_average(lambda r, z: r + 0.0 * z)[:, 0]
    low, high = grid.r.faces[:-1], grid.r.faces[1:]
    np.testing.assert_allclose(average, 2.0 * (high**3 - low**3) / (3.0 * (high**2 - low**2)), rtol=1e-13)
    assert average[0] > grid.r.centers[0]


@pytest.mark.parametrize("half_space", [True, False])
def test_interpolation_is_exact_for_even_cubics(half_space):
    grid = make(12, 15, half_space=half_space, stretch=2.0)
    field = np.broadcast_to(_cubic(grid.r.centers[:, None], grid.z.centers), (3, 12, 15))
    for r, z in ((8.5, 0.0), (3.3, 0.4), (1.0, 2.0), (19.5, -1.1)):
        np.testing.assert_allclose(grid.at(field, r, z), np.full(3, _cubic(r, z)), rtol=1e-10)


def _cubic(r, z):
    return 3.0 + r - 0.2 * r**2 + 0.01 * r**3 + 0.3 * z**2 - 0.02 * r * z**2


@pytest.mark.parametrize("half_space", [True, False])
def test_gradient(half_space):
    grid = make(12, 15, half_space=half_space)
    field = _cubic(grid.r.centers[:, None], grid.z.centers)[None]
    d_r, d_z = grid.gradient_at(field, 8.5, 0.7)
    assert d_r[0] == pytest.approx(1.0 - 0.4 * 8.5 + 0.03 * 8.5**2 - 0.02 * 0.49, rel=1e-5)
    assert d_z[0] == pytest.approx(0.6 * 0.7 - 0.04 * 8.5 * 0.7, rel=1e-5)
    assert grid.gradient_at(field, 8.5)[1][0] == pytest.approx(0.0, abs=1e-9)


def test_slab_has_no_radial_gradient():
    grid = make(slab=True)
    field = np.broadcast_to(grid.z.centers**2, (2, 1, 11))
    np.testing.assert_array_equal(grid.gradient_at(field, 8.5, 0.5)[0], 0.0)
    np.testing.assert_allclose(grid.at(field, 8.5, 0.5), 0.25, rtol=1e-12)


@pytest.mark.parametrize(("low", "high", "per_decade"), [(0.01, 1e7, 12.0), (0.1, 3.0, 7.0), (1.0, 2.0, 3.0)])
def test_energies(low, high, per_decade):
    energy = energy_grid(low, high, per_decade)
    assert (energy[0], energy[-1]) == (low, high)
    assert len(energy) % 2 == 1
    steps = np.diff(np.log(energy))
    np.testing.assert_allclose(steps, steps[0], rtol=1e-9)
    assert abs(len(energy) - 1 - per_decade * np.log10(high / low)) <= 4.0


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (0.0, 1.0), (-1.0, 1.0)])
def test_empty_energy_range_is_refused(low, high):
    with pytest.raises(GridError, match="empty"):
        energy_grid(low, high, 10.0)


def test_energy_faces_lie_half_way_in_the_logarithm():
    grid = make()
    faces = grid.kinetic_energy_faces
    np.testing.assert_allclose(np.sqrt(faces[1:] * faces[:-1]), grid.kinetic_energy, rtol=1e-12)
    assert np.log(faces[-1] / faces[0]) == pytest.approx(len(ENERGIES) * grid.log_step, rel=1e-12)

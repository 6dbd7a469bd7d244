"""Axes: faces and centres, stretching, the folded half, kinks, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.errors import GridError
from cyldiff.grid.axis import radial_axis, slab_axis, vertical_axis


def test_radial_cells():
    axis = radial_axis(8, 20.0)
    np.testing.assert_allclose(axis.faces, np.arange(9) * 2.5)
    np.testing.assert_allclose(axis.centers, 1.25 + np.arange(8) * 2.5)
    np.testing.assert_allclose(axis.spacings[[0, 1, -1]], [1.25, 2.5, 1.25])


def test_slab_is_one_cell_of_unit_width():
    axis = slab_axis(8.5)
    assert axis.n == 1
    np.testing.assert_allclose(axis.widths, [1.0])
    np.testing.assert_allclose(axis.centers, [8.5])


@pytest.mark.parametrize("stretch", [0.0, 3.0, 5.0])
@pytest.mark.parametrize("n", [5, 12, 33])
def test_folded_axis_is_the_upper_half_of_its_twin(n, stretch):
    half = vertical_axis(n, 4.0, half_space=True, stretch=stretch)
    whole = vertical_axis(2 * n - 1, 4.0, half_space=False, stretch=stretch)
    np.testing.assert_allclose(half.centers, whole.centers[n - 1 :], atol=1e-12)
    np.testing.assert_allclose(half.faces[1:], whole.faces[n:], atol=1e-12)
    assert half.faces[0] == 0.0
    assert half.folded
    assert not whole.folded
    assert half.widths.sum() == pytest.approx(4.0, rel=1e-14)
    assert whole.widths.sum() == pytest.approx(8.0, rel=1e-14)


def test_a_cell_is_centred_on_the_plane():
    whole = vertical_axis(21, 4.0, half_space=False, stretch=5.0)
    assert whole.centers[10] == 0.0
    assert whole.faces[10] == pytest.approx(-whole.faces[11], rel=1e-12)
    np.testing.assert_allclose(whole.faces, -whole.faces[::-1], atol=1e-12)


def test_nothing_flows_through_the_plane_of_a_folded_axis():
    assert np.isinf(vertical_axis(9, 4.0, half_space=True).spacings[0])
    assert np.all(np.isfinite(vertical_axis(9, 4.0, half_space=False).spacings))


def test_stretching_follows_the_sinh():
    axis = vertical_axis(33, 5.0, half_space=True, stretch=5.0)
    zeta = (np.arange(33) * 2.0) / 65.0
    np.testing.assert_allclose(axis.centers, 5.0 * np.sinh(5.0 * zeta) / np.sinh(5.0), rtol=1e-12)
    assert np.all(np.diff(axis.widths) > 0.0)
    assert np.all((axis.centers > axis.faces[:-1]) | (axis.centers == 0.0))


@pytest.mark.parametrize("kink", [0.2, 0.5, 1.5])
@pytest.mark.parametrize("half_space", [True, False])
def test_a_face_is_moved_to_a_kink(kink, half_space):
    n = 25 if half_space else 49
    axis = vertical_axis(n, 5.0, half_space=half_space, stretch=5.0, kinks=(kink,))
    assert np.abs(axis.faces - kink).min() < 1e-9
    free = vertical_axis(n, 5.0, half_space=half_space, stretch=5.0)
    # the mesh stays much the same
    assert axis.widths.min() == pytest.approx(free.widths.min(), rel=0.35)
    assert axis.faces[-1] == 5.0


def test_kinks_outside_the_halo_or_on_a_uniform_axis_change_nothing():
    free = vertical_axis(25, 5.0, half_space=True, stretch=5.0)
    for kinks in ((), (7.0,), (0.0,)):
        np.testing.assert_array_equal(
            vertical_axis(25, 5.0, half_space=True, stretch=5.0, kinks=kinks).faces, free.faces
        )
    uniform = vertical_axis(25, 5.0, half_space=True, kinks=(0.5,))
    np.testing.assert_allclose(np.diff(uniform.faces)[1:], uniform.widths[1], rtol=1e-9)


@pytest.mark.parametrize("n", [6, 20, 80])
def test_even_numbers_on_the_whole_axis_are_refused(n):
    with pytest.raises(GridError, match=f"{n} cells put a face on the galactic plane.*{n + 1}"):
        vertical_axis(n, 4.0, half_space=False)


def test_even_numbers_are_fine_in_the_half_space():
    assert vertical_axis(20, 4.0, half_space=True).centers[0] == 0.0


@pytest.mark.parametrize(
    "make", [lambda: radial_axis(4, 20.0), lambda: vertical_axis(3, 4.0, half_space=True)]
)
def test_too_few_cells_are_refused(make):
    with pytest.raises(GridError, match="too few"):
        make()

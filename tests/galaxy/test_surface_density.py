"""Cells, apparent densities, selection and radial laws of a surface density."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.errors import DataError
from cyldiff.galaxy.radial_law import fit_radial_law, radial_law
from cyldiff.galaxy.surface_density import (
    Density,
    apparent_density,
    build_cells,
    cell_radius,
    corrected_density,
    density_of_values,
    fit_selection,
    row_means,
)

CELLS = build_cells()


def uniform_disc(number, radius, seed):
    rng = np.random.default_rng(seed)
    r, phi = radius * np.sqrt(rng.random(number)), 2.0 * np.pi * rng.random(number)
    return np.stack([r * np.cos(phi), r * np.sin(phi)], axis=-1)


class TestCells:
    def test_their_points_lie_on_both_circles(self):
        x, y = CELLS.center.T
        np.testing.assert_allclose(np.hypot(x, y), CELLS.R, atol=1e-9)
        np.testing.assert_allclose(np.hypot(x + 8.5, y), CELLS.r, atol=1e-9)
        assert (y >= 0.0).all()

    def test_where_circles_meet(self):
        """All pairs that fulfil the triangle inequality, and no other: 65 of 100."""
        radii = 1.7 * np.arange(10)
        expected = [(R, r) for R in radii for r in radii if abs(R - r) <= 8.5 + 1e-9 and R + r >= 8.5 - 1e-9]
        assert len(CELLS) == 65
        np.testing.assert_allclose(np.stack([CELLS.R, CELLS.r], axis=-1), expected)

    def test_circles_that_touch_meet_on_the_axis(self):
        touch = np.isclose(np.abs(CELLS.R - CELLS.r), 8.5) | np.isclose(CELLS.R + CELLS.r, 8.5)
        assert touch.sum() == 14
        assert (CELLS.center[touch, 1] == 0.0).all()
        assert (CELLS.center[~touch, 1] > 0.1).all()

    def test_radii(self):
        """0.85 kpc at the Sun, 1.7 kpc would be layer 10.17; the paper's i = 1 ... 10."""
        assert cell_radius(1) == 0.85
        assert cell_radius(10) == pytest.approx(0.85 * (1.2 * 9.0 / 11.0 + 1.0), rel=1e-15)
        np.testing.assert_allclose(CELLS.radius, cell_radius(1.0 + CELLS.r / 1.7))

    def test_another_observer(self):
        cells = build_cells(step=1.0, layers=5, observer_radius=4.0)
        x, y = cells.center.T
        np.testing.assert_allclose(np.hypot(x + 4.0, y), cells.r, atol=1e-9)


class TestApparentDensity:
    def test_counts_are_those_of_a_plain_loop(self):
        """Every object counts once in every disc it is in, mirror images included."""
        points = uniform_disc(400, 18.0, 1)
        found = apparent_density(points, CELLS)
        for i in (0, 5, 25, 40, 64):
            number = 0
            for x, y in points:
                for side in (1.0, -1.0):
                    away = np.hypot(x - CELLS.center[i, 0], y - side * CELLS.center[i, 1])
                    number += away < CELLS.radius[i]
            assert found.value[i] == pytest.approx(number / (2.0 * CELLS.area[i]), rel=1e-12)

    @pytest.mark.parametrize("kernel", ["disc", "gaussian"])
    def test_a_uniform_disc_is_uniform(self, kernel):
        """Without selection each density is that of the disc, within its Poisson error."""
        number, radius = 200_000, 24.0
        found = apparent_density(uniform_disc(number, radius, 2), CELLS, kernel=kernel)
        pull = (found.value - number / (np.pi * radius**2)) / found.error
        assert np.abs(pull).max() < 4.0
        assert 0.7 < np.std(pull) < 1.3

    @pytest.mark.parametrize("kernel", ["disc", "gaussian"])
    def test_mirroring_the_sky_changes_nothing(self, kernel):
        points = uniform_disc(500, 18.0, 3)
        found = apparent_density(points, CELLS, kernel=kernel)
        mirrored = apparent_density(points * [1.0, -1.0], CELLS, kernel=kernel)
        np.testing.assert_allclose(found.value, mirrored.value, rtol=1e-12)

    def test_the_kernel_is_normalised(self):
        """Summed over a fine mesh of positions, one object is one object."""
        step = 0.1
        grid = np.arange(-12.0, 12.0, step)
        mesh = np.stack(np.meshgrid(grid + CELLS.center[30, 0], grid + CELLS.center[30, 1]), axis=-1)
        found = apparent_density(mesh.reshape(-1, 2), CELLS, kernel="gaussian")
        # the mesh holds one side; the mirror image, far away, sees nothing or little of it
        direct = found.value[30] * step**2
        image = apparent_density(mesh.reshape(-1, 2) * [1.0, -1.0], CELLS, kernel="gaussian")
        assert image.value[30] == pytest.approx(found.value[30], rel=1e-12)
        assert 0.5 <= direct <= 1.0

    def test_an_object_on_the_axis_counts_once(self):
        found = apparent_density([[0.0, 0.0], [0.1, 0.0]], CELLS)
        assert found.counts[0] == 2.0
        assert found.error[0] == pytest.approx(found.value[0] / np.sqrt(2.0))

    def test_no_objects(self):
        found = apparent_density(np.empty((0, 2)), CELLS)
        assert (found.value == 0.0).all()
        assert np.isnan(found.error).all()

    def test_unknown_kernel(self):
        with pytest.raises(DataError, match=r'no kernel "gausian".*did you mean "gaussian"'):
            apparent_density(np.zeros((1, 2)), CELLS, kernel="gausian")


class TestSelection:
    def test_an_exact_line_is_found(self):
        fit = fit_selection(CELLS, density_of_values(3.0 * np.exp(-0.25 * CELLS.r), CELLS))
        assert fit.c == pytest.approx(0.25, rel=1e-12)
        assert fit.density == pytest.approx(3.0, rel=1e-12)
        assert fit.c_error < 1e-12
        assert fit.cells == 10
        assert fit.factor(2.0) == pytest.approx(np.exp(-0.5))

    def test_errors_are_those_of_linear_regression(self):
        from scipy.stats import linregress

        rng = np.random.default_rng(4)
        value = np.exp(-0.25 * CELLS.r + 0.3 * rng.standard_normal(len(CELLS)))
        fit = fit_selection(CELLS, density_of_values(value, CELLS))
        row = CELLS.R == 8.5
        line = linregress(CELLS.r[row], np.log(value[row]))
        assert fit.c == pytest.approx(-line.slope, rel=1e-10)
        assert fit.c_error == pytest.approx(line.stderr, rel=1e-10)
        assert fit.log_density_error == pytest.approx(line.intercept_stderr, rel=1e-10)

    def test_empty_cells_are_left_out(self):
        value = np.exp(-0.25 * CELLS.r)
        value[CELLS.r > 10.0] = 0.0
        fit = fit_selection(CELLS, density_of_values(value, CELLS))
        assert fit.cells == 6
        assert fit.c == pytest.approx(0.25, rel=1e-12)

    def test_too_few(self):
        value = np.where(CELLS.r < 2.0, 1.0, 0.0)
        with pytest.raises(DataError, match=r"2 of 10 cells at R = 8\.5 kpc"):
            fit_selection(CELLS, density_of_values(value, CELLS))


class TestCorrection:
    def test_it_undoes_the_selection_with_the_errors_of_eq_5(self):
        seen = density_of_values(3.0 * np.exp(-0.25 * CELLS.r), CELLS)
        found = corrected_density(CELLS, seen, c=0.25, c_error=0.02)
        np.testing.assert_allclose(found.value, 3.0, rtol=1e-12)
        expected = 1.0 / (seen.value * np.pi * CELLS.radius**2) + (0.02 * CELLS.r) ** 2
        np.testing.assert_allclose((found.error / found.value) ** 2, expected, rtol=1e-12)


class TestRows:
    def test_means_by_hand(self):
        value = np.arange(1.0, 66.0)
        density = Density(value, value, 0.1 * value)
        rows = row_means(CELLS, density)
        np.testing.assert_allclose(rows.R, 1.7 * np.arange(10))
        second = rows.R[1] == CELLS.R
        weight = 1.0 / density.error[second] ** 2
        assert rows.cells[1] == 3
        assert rows.plain[1] == pytest.approx(value[second].mean())
        assert rows.weighted[1] == pytest.approx(np.sum(weight * value[second]) / weight.sum())
        assert rows.weighted_error[1] == pytest.approx(weight.sum() ** -0.5)

    def test_empty_cells_have_no_weight_but_count_in_the_plain_mean(self):
        value = np.where(CELLS.r < 9.0, 2.0, 0.0)
        rows = row_means(CELLS, density_of_values(value, CELLS))
        third = rows.R == 1.7
        assert rows.weighted[third] == pytest.approx(2.0)
        assert rows.plain[third] == pytest.approx(4.0 / 3.0)

    def test_a_circle_with_nothing(self):
        value = np.where(CELLS.R < 15.0, 2.0, 0.0)
        rows = row_means(CELLS, density_of_values(value, CELLS))
        assert rows.plain[-1] == 0.0
        assert np.isnan(rows.weighted[-1])


class TestRadialLaw:
    R = 1.7 * np.arange(10)

    def test_it_is_a_at_the_sun(self):
        assert radial_law(8.5, A=4.0, a=-5.3, R1=9.5, observer_radius=8.5) == 4.0

    @pytest.mark.parametrize(("a", "R1"), [(-5.3, 9.5), (-3.0, 4.0), (-1.5, 1.0)])
    @pytest.mark.parametrize("weighted", [False, True])
    def test_an_exact_law_is_found(self, a, R1, weighted):
        value = radial_law(self.R, A=4.0, a=a, R1=R1, observer_radius=8.5)
        error = 0.1 * value if weighted else None
        fit = fit_radial_law(self.R, value, error, observer_radius=8.5)
        assert (fit.A, fit.a, fit.R1) == pytest.approx((4.0, a, R1), rel=1e-5)
        assert not fit.exponential
        np.testing.assert_allclose(fit(self.R), value, rtol=1e-6)

    def test_errors_of_the_weighted_fit_are_those_of_the_linearised_one(self):
        value = radial_law(self.R, A=4.0, a=-5.3, R1=9.5, observer_radius=8.5)
        error = 0.05 * value
        fit = fit_radial_law(self.R, value, error, observer_radius=8.5)
        best = np.array([fit.A, fit.a, fit.R1])

        def law(parameters):
            A, a, R1 = parameters
            return radial_law(self.R, A=A, a=a, R1=R1, observer_radius=8.5)

        steps = 1e-5 * np.eye(3)
        jacobian = np.stack([(law(best + h) - law(best - h)) / 2e-5 for h in steps], axis=-1)
        normal = (jacobian / error[:, None]).T @ (jacobian / error[:, None])
        np.testing.assert_allclose(fit.errors, np.sqrt(np.diag(np.linalg.inv(normal))), rtol=1e-3)

    def test_an_exponential_is_called_one(self):
        fit = fit_radial_law(self.R, 50.0 * np.exp(-self.R / 2.5), observer_radius=8.5)
        assert fit.exponential
        assert fit.scale_length == pytest.approx(2.5, rel=1e-2)

    def test_too_few(self):
        with pytest.raises(DataError, match="3 circles with objects"):
            fit_radial_law([0.0, 1.0, 2.0], [3.0, 2.0, 1.0], observer_radius=8.5)

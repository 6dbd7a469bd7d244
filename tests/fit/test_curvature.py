"""Errors at a minimum against closed forms, with and without gradients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fit_targets import Banana, Bowl, Holey, Line, parameter
from scipy.optimize import brentq, minimize_scalar

from cyldiff.errors import ConvergenceError
from cyldiff.fit.curvature import Minimum, crossing, curvature, fixed_minimum
from cyldiff.fit.priors import Gaussian
from cyldiff.fit.search import Search
from cyldiff.fit.uncertainty import by_calls, by_gradients, rough_errors


def errors_of(objective, *, gradient, minos=True):
    search = Search(objective, gradient)
    minuit = search.minimise(1000, "test")
    x, rough = np.array(minuit.values), np.array(minuit.errors)
    if gradient:
        found = by_gradients(search, x, rough, minos=minos, source="test")
    else:
        found = by_calls(search, minuit, minos=minos, source="test")
    return search, found


@pytest.mark.parametrize("gradient", [True, False])
@pytest.mark.parametrize("prior", [None, Gaussian(mean=0.7, sigma=0.02)])
def test_a_linear_model_has_the_solution_of_the_normal_equations(gradient, prior):
    line = Line(prior)
    best, covariance = line.solution
    search, found = errors_of(line, gradient=gradient)
    sigma = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(found.best * search.scale, best, atol=2e-3 * sigma.min())
    np.testing.assert_allclose(found.covariance * np.outer(search.scale, search.scale), covariance, rtol=1e-3)
    # of a parabola, MINOS errors are those of the matrix
    np.testing.assert_allclose(found.upper * search.scale, sigma, rtol=5e-3)
    np.testing.assert_allclose(found.lower * search.scale, -sigma, rtol=5e-3)
    assert found.chi2 == pytest.approx(line(best), abs=1e-4)
    assert (search.gradient_calls > 0) == gradient


@pytest.fixture
def banana():
    return Banana((0.5, 0.0), ((1.0, 0.3), (0.3, 0.2)))


def profiled(banana, a):
    """The lowest chi-square for a value of the first parameter."""
    return minimize_scalar(
        lambda b: banana((a, b)), bounds=(-20, 20), method="bounded", options={"xatol": 1e-10}
    ).fun


@pytest.mark.parametrize("gradient", [True, False])
def test_asymmetric_errors_of_a_bent_bowl(banana, gradient):
    """For the second parameter of a banana the two sides differ."""
    _, found = errors_of(banana, gradient=gradient)
    best = found.best * 10.0  # start 0: scaled by half the range

    def rise(b):
        whole = minimize_scalar(
            lambda a: banana((a, b)), bounds=(-6, 6), method="bounded", options={"xatol": 1e-10}
        )
        return whole.fun - 1.0

    upper, lower = brentq(rise, best[1], best[1] + 4.0), brentq(rise, best[1] - 2.0, best[1])
    assert found.upper[1] * 10.0 == pytest.approx(upper - best[1], rel=0.01)
    assert found.lower[1] * 10.0 == pytest.approx(lower - best[1], rel=0.01)
    assert abs(upper + lower - 2.0 * best[1]) > 0.1 * (upper - lower)
    assert found.upper[0] * 10.0 == pytest.approx(
        brentq(lambda a: profiled(banana, a) - 1, 0.5, 5) - 0.5, rel=0.01
    )


def test_the_gradient_needs_fewer_calls(banana):
    with_it, _ = errors_of(banana, gradient=True)
    without, _ = errors_of(banana, gradient=False)
    assert with_it.calls < without.calls / 2


def surroundings(bowl, low=-10.0, high=10.0):
    n = len(bowl.mean)
    return Minimum(bowl, bowl.gradient, bowl.mean, 0.0, 2.0 * bowl.matrix, np.full(n, low), np.full(n, high))


class TestPlaces:
    def test_the_matrix_of_a_bowl(self):
        bowl = Bowl()
        matrix = curvature(bowl.gradient, bowl.mean, np.ones(2), np.full(2, -9.0), np.full(2, 9.0))
        np.testing.assert_allclose(matrix, 2.0 * bowl.matrix, rtol=1e-10)

    def test_at_a_bound_the_difference_is_one_sided(self):
        bowl = Bowl()
        low = np.array([bowl.mean[0], -9.0])
        matrix = curvature(bowl.gradient, bowl.mean, np.ones(2), low, np.full(2, 9.0))
        np.testing.assert_allclose(matrix, 2.0 * bowl.matrix, rtol=1e-10)

    def test_contour_points_of_a_bowl_are_on_its_ellipse(self):
        bowl = Bowl((0.0, 0.0, 0.0), ((1.0, 0.5, 0.2), (0.5, 2.0, 0.1), (0.2, 0.1, 1.5)))
        marginal = np.linalg.inv(bowl.covariance[:2, :2])
        for angle in np.linspace(0.0, 6.0, 7):
            direction = np.array([np.cos(angle), np.sin(angle), 0.0])
            x = crossing(surroundings(bowl), direction, np.array([False, False, True]), 2.3)
            assert x[:2] @ marginal @ x[:2] == pytest.approx(2.3, abs=0.02)
            assert x[:2] @ direction[:2] > 0.0

    def test_a_parameter_that_follows_stays_at_its_bound(self):
        bowl = Bowl()  # b follows a by 0.8
        minimum = surroundings(bowl)
        minimum = replace(minimum, high=np.array([10.0, bowl.mean[1] + 0.1]))
        x, value = fixed_minimum(minimum, np.array([True, False]), bowl.mean + np.array([1.0, 0.8]))
        assert x[1] == bowl.mean[1] + 0.1
        assert value == pytest.approx(bowl(x), abs=1e-9)
        upper = crossing(minimum, np.array([1.0, 0.0]), np.array([False, True]))
        exact = brentq(lambda a: bowl((a, bowl.mean[1] + 0.1)) - 1.0, bowl.mean[0], 5.0)
        assert upper[0] == pytest.approx(exact, rel=0.01)

    def test_no_end_of_the_interval_inside_the_bounds(self):
        assert crossing(surroundings(Bowl(), high=0.9), np.array([1.0, 0.0]), np.array([False, True])) is None


class TestTrouble:
    def test_degenerate_parameters_are_named(self):
        class Valley(Bowl):
            def __call__(self, values):
                return (values[0] - values[1] - 1.0) ** 2 + values[2] ** 2

            def gradient(self, values):
                d = 2.0 * (values[0] - values[1] - 1.0)
                return np.array([d, -d, 2.0 * values[2]])

        search = Search(Valley(np.zeros(3), np.eye(3)), True)
        with pytest.raises(ConvergenceError, match=r"combination of [ab], [ab]; they are degenerate"):
            by_gradients(search, np.array([0.1, 0.0, 0.0]), np.ones(3) * 0.1, minos=False, source="test")

    def test_a_parameter_at_its_bound_has_no_error(self):
        bowl = Bowl()
        bowl.parameters = (bowl.parameters[0], parameter("b", 1.0, low=0.0, high=5.0))  # the minimum is at -1
        for gradient in (True, False):
            search, found = errors_of(bowl, gradient=gradient)
            assert found.at_bound.tolist() == [False, True]
            assert np.isnan(found.covariance[1]).all()
            assert np.isnan(found.upper[1])
            conditional = 1.0 / bowl.matrix[0, 0]
            assert found.covariance[0, 0] * search.scale[0] ** 2 == pytest.approx(conditional, rel=0.01)

    def test_where_there_is_no_solution_chi_square_is_bad_not_the_end(self):
        _, found = errors_of(Holey(), gradient=False)
        assert found.chi2 == pytest.approx(0.0, abs=1e-3)

    def test_too_few_calls(self):
        with pytest.raises(ConvergenceError, match="maximum_calls"):
            Search(Banana(), False).minimise(5, "test")

    def test_rough_errors(self):
        bowl = Bowl()
        search = Search(bowl, False)
        found = rough_errors(search, bowl.mean / search.scale, [1, 0])
        np.testing.assert_allclose(found * 10.0, np.diag(bowl.matrix)[::-1] ** -0.5, rtol=0.01)

"""Chi-square in closed form."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from cyldiff.fit.likelihood import Likelihood

SLOPE = {"delta": {"path": "physics.diffusion.delta[0]", "bounds": [0.1, 1.2]}}
X = np.geomspace(5.0, 500.0, 10)


@pytest.fixture
def measured(load, write_data, starts):
    """Chi-square of a data set at the start, next to model and data: ``measured(y, stat, syst, **choice)``."""

    number = itertools.count()

    def build(factor, stat, syst=0.0, stat_plus=None, parameters=SLOPE, **choice):
        x = np.asarray(choice.pop("x", X))
        model = _model(load, write_data, x)
        path = write_data(
            f"mock-{next(number)}",
            x,
            model * factor,
            stat * model,
            None if stat_plus is None else stat_plus * model,
            syst,
        )
        fit = load(parameters, fit={"data": [{"name": path, **choice}]})
        likelihood = Likelihood.of(fit)
        return likelihood(starts(fit)), model, model * factor, likelihood

    return build


def _model(load, write_data, x):
    fit = load(
        SLOPE, fit={"data": [{"name": write_data(f"plain-{len(x)}-{x[0]:g}", x, np.full(len(x), 0.2), 0.01)}]}
    )
    likelihood = Likelihood.of(fit)
    return likelihood.terms[0].model(likelihood.model.predict([fit.parameters[0].start]), x)


def test_independent_errors(measured):
    factor = 1.0 + 0.01 * np.arange(10)
    chi2, model, y, likelihood = measured(factor, 0.03)
    assert chi2 == pytest.approx(np.sum(((y - model) / (0.03 * model)) ** 2), rel=1e-9)
    assert likelihood.n_points == 10


def test_errors_count_on_the_side_of_the_model(measured):
    factor = np.where(np.arange(10) % 2, 1.1, 0.9)
    chi2 = measured(factor, 0.10, stat_plus=0.05)[0]
    # data above the model: the model is on the lower side, where the error is 10 %
    expected = np.sum(np.where(factor > 1.0, 0.1 / 0.10, 0.1 / 0.05) ** 2)
    assert chi2 == pytest.approx(expected, rel=1e-9)


def test_two_correlated_points(measured):
    """chi2 of two points whose errors are correlated by rho = exp(-distance / length)."""
    x, syst = np.array([10.0, 20.0]), 0.02
    chi2, model, y, _ = measured(np.array([1.05, 0.97]), 0.03, syst, x=x, correlation_length=0.4)
    rho = np.exp(-np.log10(2.0) / 0.4)
    a, b = y - model
    variance = (0.03 * model) ** 2 + syst**2
    shared = rho * syst**2
    determinant = variance[0] * variance[1] - shared**2
    expected = (a * a * variance[1] + b * b * variance[0] - 2.0 * a * b * shared) / determinant
    assert chi2 == pytest.approx(expected, rel=1e-9)


def test_a_common_normalisation_is_profiled_exactly(measured):
    """The same as a nuisance factor on the model with its own penalty, at its best value."""
    factor = 1.08 + 0.02 * np.sin(np.arange(10.0))
    chi2, model, y, _ = measured(factor, 0.03, normalisation_error=0.05)

    def with_nuisance(shift):
        return np.sum(((y - (1.0 + shift) * model) / (0.03 * model)) ** 2) + (shift / 0.05) ** 2

    best = minimize_scalar(with_nuisance, bracket=(-0.2, 0.2), tol=1e-12)
    assert chi2 == pytest.approx(best.fun, rel=1e-9)
    assert chi2 < 0.3 * with_nuisance(0.0)


def test_full_correlation_is_a_common_shift(measured):
    """A correlation length far beyond the range: one shift of all points by the systematic error."""
    factor, syst = 1.05 + 0.01 * np.cos(np.arange(10.0)), 0.01
    chi2, model, y, _ = measured(factor, 0.02, syst, correlation_length=1e9)

    def with_shift(t):
        return np.sum(((y - model - t * syst) / (0.02 * model)) ** 2) + t**2

    assert chi2 == pytest.approx(minimize_scalar(with_shift, tol=1e-12).fun, rel=1e-6)


def test_model_error_adds_to_the_variance(measured):
    chi2 = measured(np.full(10, 1.04), 0.03, model_error=0.04)[0]
    assert chi2 == pytest.approx(10.0 * 0.04**2 / (0.03**2 + 0.04**2), rel=1e-9)


def test_a_wrong_energy_scale(measured, starts):
    """Data whose energies are all 3 % too high are explained by the nuisance, at its price."""
    _, _, _, plain = measured(np.ones(10), 0.02)
    prediction = plain.model.predict([0.5323])
    x = X * 1.03
    true = plain.terms[0].model(prediction, X)
    factor = true / plain.terms[0].model(prediction, x)
    fitted = measured(factor, 0.005, x=x, energy_scale_error=0.02)[3]
    values = starts_with(fitted, 0.03)
    assert fitted(values) == pytest.approx((0.03 / 0.02) ** 2, abs=1e-6)
    assert fitted(starts_with(fitted, 0.0)) > 5.0


def starts_with(likelihood, shift):
    return np.array([shift if p.name.startswith("energy_scale") else p.start for p in likelihood.parameters])


def test_priors_add_up(load, starts):
    parameters = {
        "D0": {
            "path": "physics.diffusion.D0",
            "bounds": ["5e27 cm^2/s", "2e29 cm^2/s"],
            "prior": {"kind": "gaussian", "mean": "3e28 cm^2/s", "sigma": "1e27 cm^2/s"},
        },
        "delta": {**SLOPE["delta"], "prior": {"kind": "log-uniform"}},
    }
    likelihood = Likelihood.of(fit := load(parameters))
    x = starts(fit)
    assert likelihood.prior(x) == pytest.approx(((2.65 - 3.0) / 0.1) ** 2 + 2.0 * np.log(0.5323), rel=1e-6)
    assert likelihood(x) == pytest.approx(sum(f.chi2 for f in likelihood.compare(x)) + likelihood.prior(x))


def test_points_beyond_the_grid_are_left_out_and_counted(load, starts):
    fit = load(SLOPE, fit={"data": [{"name": "ams02-b-c-rigidity"}]}, grid={"momentum": {"max": "100 GeV"}})
    (fitted,) = Likelihood.of(fit).compare(starts(fit))
    assert fitted.left_out > 10
    assert len(fitted.x) + fitted.left_out == 67
    assert fitted.x.max() < 2.1 * 100.0


def test_a_model_that_does_not_reach_the_data_is_bad(load, starts):
    """Points that count at the start stay, even where another modulation shifts them off the grid."""
    parameters = {"potential": {"path": "physics.modulation.potential", "bounds": ["0 MV", "50 GV"]}}
    fit = load(
        parameters, grid={"momentum": {"max": "100 GeV"}}, fit={"data": [{"name": "ams02-b-c-rigidity"}]}
    )
    likelihood = Likelihood.of(fit)
    assert np.isfinite(likelihood(starts(fit)))
    assert likelihood([49.0]) == np.inf

"""Fast parameters at their best values: the same minimum, the same errors, a consistent gradient."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.profiled import Profiled
from cyldiff.fit.tune import tune

CARBON = [{"name": "ams02-b-c-rigidity", "min": "5 GV"}, {"name": "ams02-c-rigidity", "min": "5 GV"}]
SLOW = {
    "D0": {"path": "physics.diffusion.D0", "bounds": ["5e27 cm^2/s", "2e29 cm^2/s"]},
    "index": {"path": "physics.sources.snr.injection.default.indices[0]", "bounds": [2.0, 2.8]},
}
FAST = {
    "carbon": {"path": "physics.sources.snr.normalisation.flux", "relative": True, "bounds": [0.3, 3.0]},
    "oxygen": {
        "path": "physics.sources.snr.abundances.O16",
        "relative": True,
        "bounds": [0.2, 4.0],
        "prior": {"kind": "gaussian", "mean": 1.0, "sigma": 0.3},
    },
    "potential": {
        "path": "physics.modulation.potential",
        "bounds": ["200 MV", "1 GV"],
        "prior": {"kind": "gaussian", "mean": "600 MV", "sigma": "50 MV"},
    },
}


def parameters(profile):
    return {**SLOW, **{name: {**p, "profile": profile} for name, p in FAST.items()}}


@pytest.fixture
def both(load):
    changes = {"fit": {"data": CARBON}, "solver": {"tolerance": 1e-9}}
    return [load(parameters(profile), **changes) for profile in (True, False)]


def test_the_minimum_and_its_errors_are_those_of_all_parameters(both):
    profiled, plain = (tune(fit) for fit in both)
    assert profiled.chi2 == pytest.approx(plain.chi2, abs=2e-3)
    assert np.max(np.abs(profiled.values - plain.values) / plain.errors) < 0.02
    np.testing.assert_allclose(profiled.errors, plain.errors, rtol=0.01)
    np.testing.assert_allclose(profiled.upper, plain.upper, rtol=0.02)
    assert profiled.solves < plain.solves


def test_the_gradient_is_that_of_the_profile(both, starts):
    objective = Profiled(Likelihood.of(both[0]))
    x = starts(both[0])[:2] * (1.1, 1.01)
    gradient = objective.gradient(x)
    for i in range(2):
        step = 1e-3 * x[i]
        ends = {}
        for k in (-2, -1, 1, 2):
            moved = x.copy()
            moved[i] += k * step
            ends[k] = objective(moved)
        differences = (8.0 * (ends[1] - ends[-1]) - (ends[2] - ends[-2])) / (12.0 * step)
        assert gradient[i] == pytest.approx(differences, rel=1e-4)


def test_a_linear_parameter_has_its_closed_best_value(load, starts):
    """The strength of a component against its spectrum alone: sum(y m / s^2) / sum(m^2 / s^2)."""
    fit = load(
        {**SLOW, "carbon": {**FAST["carbon"], "profile": True}},
        fit={"data": [{"name": "ams02-c-rigidity", "min": "5 GV"}]},
    )
    likelihood = Likelihood.of(fit)
    (fitted,) = likelihood.compare(starts(fit))
    weight = fitted.model / fitted.sigma**2
    expected = np.sum(weight * fitted.y) / np.sum(weight * fitted.model)
    complete = Profiled(likelihood).complete(starts(fit)[:2])
    assert complete[2] == pytest.approx(expected, rel=1e-9)
    assert likelihood.model.solves == 1


def test_what_is_profiled_does_not_depend_on_what_was_before(both, starts):
    objective, x = Profiled(Likelihood.of(both[0])), starts(both[0])[:2]
    first = objective(x * (1.05, 1.0))
    objective(x * (0.7, 1.05))
    assert objective(x * (1.05, 1.0)) == first


def test_a_best_value_at_a_bound(load, starts):
    bounded = {"carbon": {**FAST["carbon"], "bounds": [0.99, 1.01], "profile": True}}
    fit = load({**SLOW, **bounded}, fit={"data": [{"name": "ams02-c-rigidity", "min": "5 GV"}]})
    likelihood = Likelihood.of(fit)
    complete = Profiled(likelihood).complete(starts(fit)[:2] * (1.0, 1.1))
    assert 0.99 <= complete[2] <= 1.01


def test_all_parameters_profiled(load):
    fit = load({"carbon": {**FAST["carbon"], "profile": True}}, fit={"data": [{"name": "ams02-c-rigidity"}]})
    result = tune(fit)
    assert result.solves == 1
    assert result.errors[0] > 0.0

"""A whole fit: the same minimum with and without gradients, its table, profiles and contours."""

from __future__ import annotations

import copy
import logging

import numpy as np
import pytest

from cyldiff.errors import ConfigError, ConvergenceError
from cyldiff.fit.load import load_fit_mapping
from cyldiff.fit.profiles import LEVELS, contour_of, profile_of
from cyldiff.fit.tune import tune

THREE = {
    "D0": {"path": "physics.diffusion.D0", "bounds": ["5e27 cm^2/s", "2e29 cm^2/s"]},
    "delta": {"path": "physics.diffusion.delta[0]", "bounds": [0.1, 1.2]},
    "eta": {
        "path": "physics.diffusion.eta",
        "bounds": [-4.0, 4.0],
        "prior": {"kind": "gaussian", "mean": 0.0, "sigma": 1.0},
    },
}


@pytest.fixture(scope="module")
def results(tiny_tables):
    tables = copy.deepcopy(tiny_tables)
    tables["fit"]["parameters"] = THREE
    fit = load_fit_mapping(tables)
    return {gradient: tune(fit, gradient=gradient) for gradient in (True, False)}


class TestMinimum:
    def test_with_and_without_gradient(self, results):
        one, other = results[True], results[False]
        assert one.chi2 == pytest.approx(other.chi2, abs=1e-2)
        assert np.max(np.abs(one.values - other.values) / other.errors) < 0.05
        np.testing.assert_allclose(one.errors, other.errors, rtol=0.05)
        np.testing.assert_allclose(one.upper, other.upper, rtol=0.05)
        np.testing.assert_allclose(one.lower, other.lower, rtol=0.05)

    def test_gradients_take_fewer_calls(self, results):
        assert results[False].gradient_calls == 0
        assert 3 * results[True].calls < results[False].calls

    def test_numbers(self, results):
        result = results[True]
        assert result.n_points == sum(len(f.x) for f in result.fitted)
        assert result.ndof == result.n_points - 3 + 1  # a gaussian prior is a point
        assert result.chi2 == pytest.approx(result.likelihood(result.values), abs=1e-9)
        np.testing.assert_allclose(np.sqrt(np.diag(result.covariance)), result.errors)
        assert not result.at_bound.any()

    def test_the_table(self, results):
        text = results[True].table()
        assert "cm^2/s" in text
        assert "degrees of freedom" in text
        assert [line.split()[0] for line in text.splitlines()[1:4]] == ["D0", "delta", "eta"]

    def test_a_far_start_ends_at_the_same_place(self, results, tiny_tables):
        tables = copy.deepcopy(tiny_tables)
        tables["fit"]["parameters"] = {
            **THREE,
            "D0": {**THREE["D0"], "start": "7e28 cm^2/s"},
            "delta": {**THREE["delta"], "start": 0.3},
        }
        result = tune(load_fit_mapping(tables))
        assert np.max(np.abs(result.values - results[True].values) / result.errors) < 0.05


class TestProfiles:
    def test_a_profile_goes_through_the_minos_errors(self, results):
        result = results[True]
        profile = profile_of(result, "delta")
        ends = result.values[1] + np.array([result.lower[1], result.upper[1]])
        np.testing.assert_allclose(np.interp(ends, profile.values, profile.rise), 1.0, atol=0.1)
        assert np.all(profile.rise > -0.01)
        assert np.min(profile.rise) < 0.02

    def test_points_of_a_contour_have_its_chi_square(self, results, monkeypatch):
        """With the third parameter minimised again by hand."""
        from scipy.optimize import minimize_scalar

        result = results[True]
        monkeypatch.setattr("cyldiff.fit.profiles.DIRECTIONS", 6)
        contour = contour_of(result, ("D0", "delta"))
        assert all(np.array_equal(line[0], line[-1]) for line in contour.lines.values())
        place = contour.lines[LEVELS[0]][2]
        best = minimize_scalar(
            lambda eta: result.likelihood([*place, eta]),
            bounds=(-3.9, 3.9),
            method="bounded",
            options={"xatol": 1e-3},
        )
        assert best.fun - result.chi2 == pytest.approx(2.2957, abs=0.05)


class TestRefused:
    @pytest.mark.parametrize("gradient", [True, False])
    def test_a_parameter_that_turns_out_to_be_idle(self, load, gradient):
        """Every element has a spectrum of its own: the default is for none of them."""
        law = {"kind": "broken-power-law", "indices": [2.35]}
        physics = {"sources": {"snr": {"injection": {name: law for name in ("B", "C", "N", "O", "default")}}}}
        parameters = {
            "D0": THREE["D0"],
            "nothing": {"path": "physics.sources.snr.injection.default.indices[0]", "bounds": [2.0, 2.6]},
        }
        with pytest.raises(
            ConfigError, match=r"fit\.parameters\.nothing\.path +no datum of this fit depends on it"
        ):
            tune(load(parameters, physics=physics), gradient=gradient)

    def test_degenerate_parameters(self, load):
        """All boron comes from three elements: a factor on each is one factor too many with one on boron."""
        keys = ("B", "C->B", "N->B", "O->B")
        physics = {"spallation": {"scale": dict.fromkeys(keys, 1.0)}}
        parameters = {
            f"factor {k}": {"path": f'physics.spallation.scale."{key}"', "bounds": [0.3, 3.0]}
            for k, key in enumerate(keys)
        }
        with pytest.raises(ConvergenceError, match="degenerate, give them priors"):
            tune(load(parameters, physics=physics))

    def test_no_adjoint_in_one_dimension(self, raw, caplog):
        tables = raw()
        tables["grid"] = {
            "use": "slab-1d",
            "space": {"z": {"n": 8}},
            "momentum": {"per_decade": 5, "max": "10 TeV"},
        }
        tables["fit"]["parameters"] = {"D0": THREE["D0"]}
        tables["fit"]["minos"] = False
        with caplog.at_level(logging.WARNING, "cyldiff"):
            result = tune(load_fit_mapping(tables))
        assert "2-D grid" in caplog.text
        assert result.gradient_calls == 0
        assert result.errors[0] > 0.0


def test_at_a_bound(load):
    """A slope that is not allowed to be as steep as the data want."""
    parameters = {"D0": THREE["D0"], "delta": {**THREE["delta"], "bounds": [0.1, 0.35], "start": 0.3}}
    for gradient in (True, False):
        result = tune(load(parameters), gradient=gradient)
        assert result.at_bound.tolist() == [False, True]
        assert np.isnan(result.errors[1])
        assert result.errors[0] > 0.0
        assert "at its bound" in result.table()
        with pytest.raises(ConvergenceError, match="delta is at its bound"):
            profile_of(result, "delta")
        profile = profile_of(result, "D0")
        assert len(profile.values) > 10

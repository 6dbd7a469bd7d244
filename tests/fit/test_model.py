"""What is solved when, and that it is the run itself."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff import pipeline
from cyldiff.data.comparison import predict
from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.model import KEPT, FitModel
from cyldiff.fit.varied import with_values

PARAMETERS = {
    "D0": {"path": "physics.diffusion.D0", "bounds": ["5e27 cm^2/s", "2e29 cm^2/s"]},
    "index": {"path": "physics.sources.snr.injection.default.indices[0]", "bounds": [2.0, 2.8]},
    "oxygen": {"path": "physics.sources.snr.abundances.O16", "relative": True, "bounds": [0.1, 4.0]},
    "both": {
        "path": ["physics.sources.snr.abundances.N14", "physics.sources.snr.abundances.C12"],
        "bounds": [1.0, 1e5],
        "start": 3000.0,
    },
    "flux": {
        "path": "physics.sources.snr.normalisation.flux",
        "bounds": ["1e-5 GeV^-1 m^-2 s^-1 sr^-1", "1e-3 GeV^-1 m^-2 s^-1 sr^-1"],
    },
    "potential": {"path": "physics.modulation.potential", "bounds": ["100 MV", "1 GV"]},
}
CARBON = [{"name": "ams02-b-c-rigidity"}, {"name": "ams02-c-rigidity", "energy_scale_error": 0.02}]
FAST = ("oxygen", "both", "flux", "potential", "energy_scale:ams02-c-rigidity")


@pytest.fixture
def fit(load):
    return load(PARAMETERS, fit={"data": CARBON}, solver={"tolerance": 1e-9})


class TestSolves:
    def test_fast_parameters_never_solve(self, fit, starts):
        likelihood = Likelihood.of(fit)
        names, x = [p.name for p in fit.parameters], starts(fit)
        first = likelihood(x)
        assert likelihood.model.solves == 1
        for name in FAST:
            moved = x.copy()
            moved[names.index(name)] += 0.01 * (abs(moved[names.index(name)]) or 1.0)
            assert likelihood(moved) != first
        assert likelihood.model.solves == 1

    def test_slow_parameters_solve_once_per_value(self, fit, starts):
        likelihood, x = Likelihood.of(fit), starts(fit)
        likelihood(x)
        moved = x.copy()
        moved[0] *= 1.1
        for _ in range(3):
            likelihood(moved)
            likelihood(x)
        assert likelihood.model.solves == 2

    def test_chi_square_depends_on_the_parameters_alone(self, fit, starts):
        """A, B, A gives A twice to the last bit, although iterations start from what was solved before."""
        x = starts(fit)
        likelihood, moved, far = Likelihood.of(fit), x.copy(), x.copy()
        moved[0] *= 1.07
        far[:2] *= (0.6, 1.05)
        first = likelihood(moved)
        likelihood(far)
        for k in range(KEPT + 2):  # what was kept of the first is forgotten
            other = x.copy()
            other[0] *= 1.2 + 0.01 * k
            likelihood.model.response(other)
        solves = likelihood.model.solves
        assert likelihood(moved) == first
        assert likelihood.model.solves == solves + 1
        # in another process, with another history
        assert Likelihood.of(fit)(moved) == first

    def test_the_warm_start_changes_steps_not_results(self, fit, starts):
        x = starts(fit)
        moved = x.copy()
        moved[0] *= 1.02
        warm, cold = (
            FitModel(fit.parameters, fit.run.config),
            FitModel(fit.parameters, fit.run.config, warm=False),
        )
        found = [model.solved(moved) for model in (warm, cold)]
        np.testing.assert_allclose(found[0].response.flux, found[1].response.flux, rtol=1e-6)
        assert found[0].solution.steps.sum() < found[1].solution.steps.sum()


class TestTheRunItself:
    @pytest.mark.parametrize("factor", [1.0, 1.3])
    def test_spectra_are_those_of_the_run(self, fit, starts, factor):
        """Groups of sources weighed afterwards make what a run with these values makes."""
        x = starts(fit) * np.where(starts(fit) == 0.0, 1.0, factor)
        x[1] = 2.4
        prediction = FitModel.of(fit).predict(x)
        result = pipeline.run(with_values(fit.run, fit.parameters, list(x), "test"))
        for s, flux in zip(prediction.species, prediction.flux, strict=True):
            np.testing.assert_allclose(flux, result["flux_lis"].sel(species=s.name).values, rtol=2e-7)

    def test_predictions_are_those_of_the_comparison(self, fit, starts):
        likelihood, x = Likelihood.of(fit), starts(fit)
        prediction = likelihood.model.predict(x)
        for data, term in zip(fit.data, likelihood.terms, strict=True):
            m = data.measurement
            expected = predict(prediction.spectra, m, potential=0.6)
            np.testing.assert_allclose(term.model(prediction, m.x), expected, rtol=1e-12)

    def test_components_with_power_and_flux(self, load, starts):
        hot = {
            "distribution": {
                "kind": "case-bhattacharya-1998",
                "vertical": "exponential",
                "scale_height": "0.3 kpc",
            },
            "reference_energy": "100 GeV",
            "abundances": {"C12": 1.0, "O16": 1.0},
            "normalisation": {"kind": "luminosity", "power": "3e38 erg/s", "minimum_energy": "1 GeV"},
            "injection": {"default": {"kind": "broken-power-law", "indices": [2.1]}},
        }
        parameters = {
            "oxygen": {"path": "physics.sources.hot.abundances.O16", "bounds": [0.0, 4.0], "start": 2.0},
            "power": {
                "path": "physics.sources.hot.normalisation.power",
                "bounds": ["1e38 erg/s", "1e39 erg/s"],
            },
        }
        fit = load(parameters, physics={"sources": {"hot": hot}}, solver={"tolerance": 1e-9})
        x = starts(fit) * (0.3, 1.7)
        prediction = FitModel.of(fit).predict(x)
        result = pipeline.run(with_values(fit.run, fit.parameters, list(x), "test"))
        for s, flux in zip(prediction.species, prediction.flux, strict=True):
            np.testing.assert_allclose(flux, result["flux_lis"].sel(species=s.name).values, rtol=2e-7)

"""Fits of single sources to points: known models are recovered."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.config.load_source import load_source, load_source_mapping
from cyldiff.data.seds import SedPoints
from cyldiff.errors import DataError
from cyldiff.fit.sed import fit_sed, free_parameters
from cyldiff.observables.single_source import sed

TRUTH = {"energy": 3e49, "index": 2.1, "cutoff": 0.8}
FREE = {
    "components.protons.energy": ["1e47 erg", "1e52 erg"],
    "components.protons.injection.indices[0]": [1.0, 3.0],
    "components.protons.injection.cutoff": ["0.05 PV", "20 PV"],
}


def model(energy=1e50, index=1.8, cutoff=3.0, free=FREE):
    return {
        "schema": 1,
        "source": {"name": "mock", "distance": "3 kpc", "age": "20 kyr"},
        "energies": {"minimum": "1 TeV", "maximum": "500 TeV"},
        "components": {
            "protons": {
                "kind": "uniform-gas",
                "injection": {"kind": "broken-power-law", "indices": [index], "cutoff": f"{cutoff} PV"},
                "energy": f"{energy} erg",
                "above": "1 TeV",
                "gas_density": "1 cm^-3",
                "pion_production": {"kind": "kelner-2006", "nuclear_enhancement": "none"},
            }
        },
        "compare": {"data": ["v4641-sgr-lhaaso-2024"]},
        "fit": {"free": free},
    }


def mock(error=0.02, noise=None, limits=0):
    energy = np.geomspace(1e3, 5e5, 15)
    truth = sed(load_source_mapping(model(**TRUTH)).model, energy).sed
    value = truth if noise is None else truth * (1.0 + error * noise)
    limit = np.zeros(15, dtype=bool)
    limit[:limits] = True
    none = np.full(15, np.nan)
    sigma = np.where(limit, np.nan, error * truth)
    return SedPoints("mock", "mock", "none", energy, none, none, value, sigma, sigma, limit)


class TestRecovery:
    def test_exact_points(self):
        found = fit_sed(model(), [mock()])
        assert found.values == pytest.approx((3e49, 2.1, 0.8), rel=1e-3)
        assert found.chi2 < 1e-3
        assert found.degrees_of_freedom == 12
        assert "chi2 = 0.00 for 15 points, 3 parameters" in found.report()

    def test_noisy_points_within_errors(self):
        """Pulls of 40 mock data sets have unit width, and chi^2 the right mean."""
        pulls, chi2 = [], []
        rng = np.random.default_rng(8)
        for _ in range(40):
            found = fit_sed(model(**TRUTH), [mock(noise=rng.standard_normal(15))])
            pulls.append((np.array(found.values) - (3e49, 2.1, 0.8)) / found.errors)
            chi2.append(found.chi2)
        assert np.mean(chi2) == pytest.approx(12.0, abs=3.0)
        assert (np.std(pulls, axis=0) < 1.4).all()
        assert (np.std(pulls, axis=0) > 0.7).all()
        assert (np.abs(np.mean(pulls, axis=0)) < 0.6).all()

    def test_normalisation_alone_is_linear(self):
        free = {"components.protons.energy": FREE["components.protons.energy"]}
        raw = model(index=2.1, cutoff=0.8, free=free)
        found = fit_sed(raw, [mock(noise=np.linspace(-1.0, 1.0, 15))])
        template = sed(load_source_mapping(raw).model, mock().energy).sed
        points = mock(noise=np.linspace(-1.0, 1.0, 15))
        weight = points.plus**-2
        best = np.sum(weight * points.sed * template) / np.sum(weight * template**2)
        assert found.values[0] == pytest.approx(1e50 * best, rel=1e-6)
        assert found.errors[0] == pytest.approx(1e50 / np.sqrt(np.sum(weight * template**2)), rel=1e-3)

    def test_the_best_model_is_a_model(self):
        found = fit_sed(model(), [mock()])
        again = load_source_mapping(found.raw)
        np.testing.assert_allclose(sed(again.model).sed, sed(found.model).sed, rtol=1e-12)


class TestErrors:
    def test_the_side_facing_the_model_counts(self):
        free = {"components.protons.energy": FREE["components.protons.energy"]}
        raw = model(**TRUTH, free=free)
        exact = mock()
        one = slice(7, 8)
        cut = SedPoints(
            "two", "two", "", *(getattr(exact, k)[[7, 7]] for k in ("energy", "energy_low", "energy_high")),
            exact.sed[one] * [0.9, 1.1], exact.sed[one] * [0.1, 0.1], exact.sed[one] * [0.02, 0.1],
            np.array([False, False]),
        )  # fmt: skip
        found = fit_sed(raw, [cut])
        # the lower point pulls with its upper error 0.02, the upper one with its lower error 0.1
        weights = np.array([0.02, 0.1]) ** -2.0
        expected = np.sum(weights * [0.9, 1.1]) / weights.sum()
        assert found.values[0] / 3e49 == pytest.approx(expected, rel=1e-4)

    def test_what_points_do_not_determine(self):
        """Energy and density of the gas are one factor: no error, and no pretence of one."""
        free = {
            "components.protons.energy": ["1e47 erg", "1e52 erg"],
            "components.protons.gas_density": ["0.01 cm^-3", "100 cm^-3"],
        }
        found = fit_sed(model(**TRUTH, free=free), [mock()])
        assert np.isnan(found.errors).all()
        assert "not determined" in found.report()

    def test_at_a_bound(self):
        free = {**FREE, "components.protons.injection.indices[0]": [1.0, 1.9]}
        found = fit_sed(model(free=free), [mock()])
        assert found.values[1] == pytest.approx(1.9, abs=1e-3)
        assert "at its bound" in found.report()

    def test_limits_are_not_points(self):
        """They do not pull, but it is said where the model exceeds them."""
        points = mock(limits=3)
        points.sed[1] *= 0.5
        found = fit_sed(model(), [points])
        assert found.points == 12
        assert found.values == pytest.approx((3e49, 2.1, 0.8), rel=1e-3)
        assert points.energy[1] in found.exceeded
        assert f"above the upper limit at {points.energy[1]:.3g} GeV" in found.report()

    def test_energies_of_the_fit(self):
        raw = model()
        raw["fit"] |= {"minimum": "3 TeV", "maximum": "100 TeV"}
        inside = (mock().energy >= 3e3) & (mock().energy <= 1e5)
        assert fit_sed(raw, [mock()]).points == inside.sum()


class TestRefused:
    def test_too_few_points(self):
        raw = model()
        raw["fit"]["minimum"] = "300 TeV"
        with pytest.raises(DataError, match="2 points are not enough for 3 free parameters"):
            fit_sed(raw, [mock()])

    def test_points_below_a_model(self):
        points = mock()
        points.energy[0] = 10.0
        with pytest.raises(DataError, match=r"does not hold below .*set fit\.minimum"):
            fit_sed(model(), [points])

    def test_nothing_free(self):
        raw = model()
        del raw["fit"]
        with pytest.raises(DataError, match="no section fit"):
            fit_sed(raw, [mock()])


def test_parameters_as_they_are_written():
    found, problems = free_parameters(model(), FREE)
    assert problems == []
    assert [p.name for p in found] == list(FREE)
    assert [p.unit for p in found] == ["erg", "", "PV"]
    assert [p.logarithmic for p in found] == [True, False, True]
    for p in found:
        assert p.from_variable(p.to_variable(p.start)) == pytest.approx(p.start, rel=1e-12)


def test_the_shipped_fit():
    """V4641 Sgr: a hard spectrum to a few PeV, as the paper says; two orders of magnitude in 13 points."""
    loaded = load_source("v4641-sgr-hadronic")
    found = fit_sed(loaded.raw, loaded.data)
    assert found.points == 12
    assert found.chi2 == pytest.approx(7.1, abs=0.2)
    assert found.values[1] == pytest.approx(1.7, abs=0.1)
    assert found.values[2] == pytest.approx(2.4, abs=0.3)

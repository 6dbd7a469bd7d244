"""The adjoint gradient against differences of chi-square, for every kind of parameter."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.errors import CyldiffError
from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.load import load_fit_mapping

EXACT = {"solver": {"tolerance": 1e-11}}
CLOSE = 1e-4

DIFFUSION = {
    "D0": {
        "path": "physics.diffusion.D0",
        "bounds": ["5e27 cm^2/s", "2e29 cm^2/s"],
        "start": "2.2e28 cm^2/s",
    },
    "delta": {"path": "physics.diffusion.delta[0]", "bounds": [0.1, 1.2], "start": 0.6},
    "delta_high": {"path": "physics.diffusion.delta[1]", "bounds": [0.0, 1.2]},
    "break": {"path": "physics.diffusion.breaks[0]", "bounds": ["50 GV", "1 TV"]},
    "eta": {"path": "physics.diffusion.eta", "bounds": [-3.0, 3.0]},
}
GEOMETRY = {
    "half_height": {"path": "physics.halo.half_height", "bounds": ["2 kpc", "12 kpc"]},
    "radius": {"path": "physics.halo.radius", "bounds": ["15 kpc", "30 kpc"]},
    "sun": {"path": "physics.observer.r", "bounds": ["7 kpc", "10 kpc"]},
    "scale_height": {
        "path": "physics.sources.snr.distribution.scale_height",
        "bounds": ["0.05 kpc", "0.3 kpc"],
    },
    "helium": {"path": "physics.gas.helium_fraction", "bounds": [0.0, 0.2]},
}
SOURCES = {
    "index": {"path": "physics.sources.snr.injection.default.indices[0]", "bounds": [2.0, 2.8]},
    "oxygen": {
        "path": "physics.sources.snr.abundances.O16",
        "relative": True,
        "bounds": [0.2, 3.0],
        "start": 0.9,
    },
    "flux": {
        "path": "physics.sources.snr.normalisation.flux",
        "bounds": ["1e-5 GeV^-1 m^-2 s^-1 sr^-1", "1e-3 GeV^-1 m^-2 s^-1 sr^-1"],
    },
    "potential": {"path": "physics.modulation.potential", "bounds": ["100 MV", "1 GV"]},
    "channel": {
        "path": 'physics.spallation.scale."C12->B11"',
        "bounds": [0.3, 3.0],
        "prior": {"kind": "gaussian", "mean": 1.1, "sigma": 0.2},
    },
}
CARBON = [{"name": "ams02-b-c-rigidity"}, {"name": "ams02-c-rigidity"}]


def compared(fit):
    """Pairs of (adjoint, differences of fourth order) per parameter, at the start."""
    likelihood = Likelihood.of(fit)
    assert likelihood.no_gradient == ""
    x = np.array([p.start for p in fit.parameters])
    adjoint = likelihood.gradient(x)
    pairs = {}
    for i, p in enumerate(fit.parameters):
        step = 4e-4 * (abs(x[i]) or 0.1 * (p.high - p.low))
        ends = {}
        for k in (-2, -1, 1, 2):
            moved = x.copy()
            moved[i] += k * step
            ends[k] = likelihood(moved)
        pairs[p.name] = adjoint[i], (8.0 * (ends[1] - ends[-1]) - (ends[2] - ends[-2])) / (12.0 * step)
    return pairs


def agree(fit):
    for name, (adjoint, differences) in compared(fit).items():
        assert differences != 0.0, name
        assert adjoint == pytest.approx(differences, rel=CLOSE), name


class TestPlainDiffusion:
    def test_diffusion(self, load):
        agree(load(DIFFUSION, **EXACT))

    def test_geometry_and_gas(self, load):
        agree(load(GEOMETRY, **EXACT))

    def test_sources_network_and_modulation(self, load):
        agree(load(SOURCES, fit={"data": CARBON}, **EXACT))

    def test_a_path_shared_by_two_places(self, load):
        both = {
            "both": {
                "path": ["physics.diffusion.delta[0]", "physics.diffusion.delta[1]"],
                "relative": True,
                "bounds": [0.5, 2.0],
            }
        }
        agree(load(both, **EXACT))


class TestOtherModels:
    def test_reacceleration_and_wind(self, load):
        parameters = {
            "alfven_speed": {"path": "physics.reacceleration.alfven_speed", "bounds": ["1 km/s", "60 km/s"]},
            "wind": {"path": "physics.convection.gradient", "bounds": ["0 km/s/kpc", "30 km/s/kpc"]},
            "D0": DIFFUSION["D0"],
            "low_index": {"path": "physics.sources.snr.injection.default.indices[0]", "bounds": [1.0, 2.8]},
        }
        physics = {
            "use": "example-reacceleration",
            "convection": {"kind": "linear-wind", "V0": "0 km/s", "gradient": "5 km/s/kpc"},
        }
        agree(load(parameters, physics=physics, **EXACT))

    def test_secondary_protons(self, load):
        parameters = {
            "D0": DIFFUSION["D0"],
            "delta": DIFFUSION["delta"],
            "index": {"path": "physics.sources.snr.injection.H1.indices[0]", "bounds": [2.0, 2.8]},
        }
        changes = {
            "species": {"include": ["H1", "H2", "He4"]},
            "physics": {
                "sources": {
                    "snr": {"normalisation": {"species": "H1", "flux": "0.044 GeV^-1 m^-2 s^-1 sr^-1"}}
                },
                "spallation": {"scale": {}},
            },
            "fit": {"data": [{"name": "ams02-h-rigidity"}]},
        }
        agree(load(parameters, **EXACT, **changes))

    def test_components_of_given_power(self, load):
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
            "D0": DIFFUSION["D0"],
            "hot_index": {"path": "physics.sources.hot.injection.default.indices[0]", "bounds": [1.8, 2.5]},
            "power": {
                "path": "physics.sources.hot.normalisation.power",
                "bounds": ["1e36 erg/s", "1e40 erg/s"],
            },
            "hot_oxygen": {"path": "physics.sources.hot.abundances.O16", "bounds": [0.1, 3.0]},
            "index": SOURCES["index"],
        }
        agree(load(parameters, physics={"sources": {"hot": hot}}, fit={"data": CARBON}, **EXACT))


class TestErrors:
    def test_correlations_model_error_and_nuisances(self, load):
        data = [
            {
                "name": "ams02-b-c-rigidity",
                "min": "3 GV",
                "correlation_length": 0.5,
                "model_error": 0.03,
                "normalisation_error": 0.05,
            },
            {"name": "ams02-c-rigidity", "energy_scale_error": 0.02, "correlation_length": 0.3},
        ]
        parameters = {
            "D0": DIFFUSION["D0"] | {"prior": {"kind": "log-uniform"}},
            "index": SOURCES["index"] | {"prior": {"kind": "gaussian", "mean": 2.4, "sigma": 0.02}},
        }
        agree(load(parameters, fit={"data": data}, **EXACT))

    def test_asymmetric_errors(self, load, asymmetric):
        parameters = {"D0": DIFFUSION["D0"], "delta": DIFFUSION["delta"]}
        agree(load(parameters, fit={"data": [{"name": asymmetric}]}, **EXACT))


class TestRefused:
    def test_one_dimension(self, raw):
        tables = raw()
        tables["grid"] = {"use": "slab-1d", "space": {"z": {"n": 10}}}
        fit = load_fit_mapping(tables)
        likelihood = Likelihood.of(fit)
        assert "2-D" in likelihood.no_gradient
        with pytest.raises(CyldiffError, match="2-D"):
            likelihood.gradient([p.start for p in fit.parameters])

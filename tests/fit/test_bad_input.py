"""What is wrong with a tuning file is said before anything is solved, all of it in one message."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.errors import ConfigError
from cyldiff.fit.load import load_fit, load_fit_mapping

D0 = {"path": "physics.diffusion.D0", "bounds": ["5e27 cm^2/s", "2e29 cm^2/s"]}


@pytest.fixture
def refused(load, monkeypatch):
    """The message of a file that is refused; a solve would fail the test."""

    def never(*args, **kwargs):
        raise AssertionError("something was solved")

    monkeypatch.setattr("cyldiff.solve.chain.ChainSolver.solve", never)

    def message(parameters=None, **changes):
        with pytest.raises(ConfigError) as caught:
            load(parameters, **changes)
        return str(caught.value)

    return message


class TestData:
    def test_unknown_name(self, refused):
        text = refused(fit={"data": [{"name": "ams02-b-c-rigidty"}]})
        assert "fit.data[0].name" in text
        assert 'did you mean "ams02-b-c-rigidity"' in text

    def test_no_overlap_with_the_energy_grid(self, refused):
        text = refused(
            grid={"momentum": {"min": "1 MeV", "max": "100 MeV"}},
            physics={
                "sources": {
                    "snr": {"reference_energy": "50 MeV", "normalisation": {"kinetic_energy": "50 MeV"}}
                }
            },
        )
        assert "ams02-b-c-rigidity has no points in the range of the grid" in text
        assert "GV" in text

    def test_no_points_in_the_range(self, refused):
        assert "has no points in this range" in refused(
            fit={"data": [{"name": "ams02-b-c-rigidity", "min": "10 TV"}]}
        )

    def test_a_range_without_unit_and_of_another_dimension(self, refused):
        text = refused(fit={"data": [{"name": "ams02-b-c-rigidity", "min": "3", "max": "3 kpc"}]})
        assert "fit.data[0].min" in text
        assert "has no unit" in text
        assert "fit.data[0].max" in text

    def test_negative_errors(self, refused, write_data):
        path = write_data("negative", np.array([10.0, 20.0]), 0.2, np.array([0.01, -0.01]))
        text = refused(fit={"data": [{"name": path}]})
        assert "line 3: stat_minus is negative" in text
        assert "negative.csv" in text

    def test_nuclides_that_are_not_followed(self, refused):
        assert "needs Fe, which this run does not follow" in refused(
            fit={"data": [{"name": "ams02-fe-rigidity"}]}
        )

    def test_twice(self, refused):
        text = refused(fit={"data": [{"name": "ams02-b-c-rigidity"}, {"name": "ams02-b-c-rigidity"}]})
        assert "is named twice" in text

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("correlation_length", -1.0),
            ("normalisation_error", 2.0),
            ("energy_scale_error", True),
            ("typo", 1),
        ],
    )
    def test_wrong_values(self, refused, key, value):
        assert f"fit.data[0].{key}" in refused(fit={"data": [{"name": "ams02-b-c-rigidity", key: value}]})


class TestParameters:
    @pytest.mark.parametrize(
        ("path", "said"),
        [
            ("physics.diffusion.D1", 'did you mean "D0"'),
            ("physics.diffusion", "is a table; expected a number"),
            ("physics.diffusion.delta[7]", "there is no entry"),
            ("physics.diffusion.kind", "expected a number"),
            ("grid.momentum.min", "only the physics can be fitted"),
            ("physics..D0", "is no path"),
            ("physics.sources.snr.abundances.C13x", "unknown"),
            ("physics.sources.snr.injection.He.indices[0]", 'no datum of this fit depends on "He"'),
            ("physics.spallation.scale.Be->Li", "unknown"),
            ("physics.modulation.by_experiment.ACE", "unknown"),
            ("physics.sources.snr.normalisation.flux", "all data are ratios"),
            ("physics.sources.snr.injection.default.cutoff_sharpness", "there is no cutoff there"),
        ],
    )
    def test_paths(self, refused, path, said):
        text = refused({"one": {"path": path, "bounds": [0.0, 1.0]}})
        assert "fit.parameters.one.path" in text
        assert said in text

    def test_a_channel_that_nothing_depends_on(self, refused):
        text = refused(
            {"one": {"path": "physics.spallation.scale.Li", "bounds": [0.5, 2.0]}},
            physics={"spallation": {"scale": {"Li": 1.0}}},
        )
        assert 'no datum of this fit depends on the channel "Li"' in text

    def test_what_only_leptons_feel(self, refused):
        text = refused(
            {"one": {"path": "physics.magnetic_field.B0", "bounds": ["1 uG", "10 uG"]}},
            physics={"magnetic_field": {"kind": "uniform", "B0": "4 uG"}},
        )
        assert "only electrons and positrons feel it" in text

    def test_a_bound_that_excludes_the_start(self, refused):
        text = refused({"D0": {**D0, "start": "1e27 cm^2/s"}})
        assert "fit.parameters.D0.bounds" in text
        assert "exclude the start" in text

    def test_bounds_the_wrong_way_round(self, refused):
        assert "the lower bound is not below the upper one" in refused(
            {"D0": {**D0, "bounds": D0["bounds"][::-1]}}
        )

    def test_a_bound_that_the_model_refuses(self, refused):
        text = refused({"D0": {**D0, "bounds": ["0 cm^2/s", "2e29 cm^2/s"]}})
        assert "fit.parameters.D0.bounds[0]" in text
        assert "more than" in text

    @pytest.mark.parametrize(
        ("change", "key"),
        [
            ({"bounds": [1e28, "2e29 cm^2/s"]}, "bounds[0]"),
            ({"start": 2e28}, "start"),
            ({"prior": {"kind": "gaussian", "mean": 3e28, "sigma": "1e27 cm^2/s"}}, "prior"),
            ({"prior": {"kind": "gaussian", "mean": "3e28 cm^2/s", "sigma": "0 cm^2/s"}}, "prior"),
            ({"prior": {"kind": "gauss"}}, "prior.kind"),
            ({"bounds": ["1e28 cm^2/s"]}, "bounds"),
        ],
    )
    def test_numbers_without_units(self, refused, change, key):
        assert f"fit.parameters.D0.{key}" in refused({"D0": {**D0, **change}})

    def test_a_plain_number_with_a_unit(self, refused):
        text = refused({"delta": {"path": "physics.diffusion.delta[0]", "bounds": ["0.1 GV", 1.0]}})
        assert "expected a plain number" in text

    def test_a_logarithm_of_zero(self, refused):
        text = refused(
            {
                "delta": {
                    "path": "physics.diffusion.delta[0]",
                    "bounds": [0.0, 1.0],
                    "prior": {"kind": "log-uniform"},
                }
            }
        )
        assert "log-uniform needs positive bounds" in text

    def test_the_same_place_twice(self, refused):
        text = refused({"one": D0, "two": D0})
        assert 'fit.parameters.two.path  is varied by "one" already' in text

    def test_places_of_different_dimensions(self, refused):
        paths = ["physics.diffusion.D0", "physics.halo.half_height"]
        assert "joins numbers of different dimensions" in refused({"one": {**D0, "path": paths}})

    def test_a_profiled_parameter_that_needs_a_solve(self, refused):
        assert "only what does not can be profiled" in refused({"D0": {**D0, "profile": True}})

    def test_an_abundance_of_zero(self, refused):
        text = refused(
            {"boron": {"path": "physics.sources.snr.abundances.B11", "bounds": [0.0, 1.0]}},
            physics={"sources": {"snr": {"abundances": {"B11": 0.0}}}},
        )
        assert "is 0" in text


class TestTheRest:
    def test_no_section(self, raw):
        tables = raw()
        del tables["fit"]
        with pytest.raises(ConfigError, match=r"fit +is missing"):
            load_fit_mapping(tables)

    def test_a_run_in_time(self, refused):
        solver = {"kind": "crank-nicolson", "time": {"times": ["1 Myr"]}}
        assert "solver.kind" in refused(solver=solver)

    def test_profiles_and_contours_of_what_is_not_there(self, refused):
        text = refused(fit={"profiles": ["Delta"], "contours": [["D0", "D0"], ["D0", "eta"]]})
        assert 'fit.profiles[0]  no parameter "Delta"; known: D0, delta; did you mean "delta"?' in text
        assert "fit.contours[0]  expected two different parameters" in text
        assert 'no parameter "eta"' in text

    def test_a_sampler_that_is_not_there(self, refused):
        assert 'did you mean "emcee"' in refused(fit={"sampler": {"kind": "emcees"}})
        assert "fit.sampler.walkers" in refused(fit={"sampler": {"kind": "emcee", "walkers": 31}})

    def test_several_problems_in_one_message(self, refused):
        text = refused(
            {"D0": {**D0, "start": "1 kpc"}, "one": {"path": "physics.nothing", "bounds": [0, 1]}},
            fit={"data": [{"name": "nowhere"}]},
            solver={"tolerance": -1.0},
        )
        for key in ("solver.tolerance", "fit.data[0].name"):
            assert key in text
        text = refused(
            {"D0": {**D0, "start": "1 kpc"}, "one": {"path": "physics.nothing", "bounds": [0, 1]}},
            fit={"data": [{"name": "nowhere"}, {"name": "ams02-fe-rigidity"}]},
        )
        for key in ("fit.parameters.D0.start", "fit.parameters.one.path", "fit.data[0].name", "fit.data[1]"):
            assert key in text

    def test_a_name_that_is_no_file(self):
        with pytest.raises(ConfigError, match="not in the library of runs"):
            load_fit("bc-ams")


class TestOverrides:
    def test_of_the_fit(self, load):
        fit = load(
            overrides=[
                "fit.data[0].correlation_length=0.5",
                'fit.parameters.D0.start="2e28 cm^2/s"',
                "fit.minos=false",
                'fit.parameters.eta={ path = "physics.diffusion.eta", bounds = [-1, 1] }',
                "physics.diffusion.eta=0.5",
            ]
        )
        assert fit.fit.data[0].correlation_length == 0.5
        assert [p.name for p in fit.parameters] == ["D0", "delta", "eta"]
        assert fit.parameters[2].start == 0.5
        assert not fit.fit.minos
        assert fit.parameters[0].start == fit.run.config.physics.diffusion.D0

    def test_settings_of_the_default_sampler(self, load):
        """As the message of an unfinished chain says; the file has no section for the sampler."""
        sampler = load(overrides=["fit.sampler.steps=4000"]).fit.sampler
        assert (sampler.kind, sampler.steps) == ("emcee", 4000)

    def test_wrong_ones_are_said(self, refused):
        text = refused(overrides=["fit.data[0].corelation_length=1", "fit.sampler.walker=16"])
        assert "fit.data[0].corelation_length  unknown key; did you mean" in text
        assert "fit.sampler.walker             unknown key; did you mean fit.sampler.walkers?" in text
        assert "entries" not in text
        assert "not of the form path=value" in refused(overrides=["fit.minos"])

    def test_the_start_is_put_into_the_run(self, load):
        parameters = {"D0": {**D0, "start": "4e28 cm^2/s"}}
        fit = load(parameters)
        assert fit.run.resolved["physics"]["diffusion"]["D0"] == "4e+28 cm^2/s"

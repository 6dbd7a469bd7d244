"""Fits with point sources and dipoles: predictions against other paths of the package and closed formulas."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from click.testing import CliRunner

from cyldiff import constants as const
from cyldiff.cli import main
from cyldiff.config.load import load_config, load_mapping
from cyldiff.config.toml import to_toml
from cyldiff.data.dipoles import load_dipole
from cyldiff.errors import ConfigError
from cyldiff.fit.joint import JointModel
from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.load import describe, load_fit, load_fit_mapping
from cyldiff.fit.parameters import starts_of
from cyldiff.fit.point_sources import catalogue_of
from cyldiff.fit.report import write_fit
from cyldiff.fit.sample import fingerprint, sample
from cyldiff.fit.tune import tune
from cyldiff.fit.walk import Unfinished
from cyldiff.galaxy.coordinates import equatorial_vector, from_sun
from cyldiff.observables.anisotropy import anisotropy
from cyldiff.pipeline import run
from cyldiff.sources.catalogue_file import load_catalogue
from cyldiff.sources.combined import superpose
from cyldiff.sources.fluxes import source_fluxes
from cyldiff.units import to_internal

MICROQUASAR = "point_sources.sources.microquasar"
TINY = {
    "schema": 1,
    "run": {"name": "tiny"},
    "grid": {
        "use": "fit-2d",
        "space": {"r": {"n": 8}, "z": {"n": 8}},
        "momentum": {"min": "10 GeV", "max": "1 EeV", "per_decade": 6},
    },
    "physics": {"use": "nie-2026"},
    "species": {"include": ["H1", "He4"]},
    "solver": {"grid_error": {"enabled": False}},
    "output": {"quantities": []},
    "point_sources": {
        "kernel": "free",
        "sources": {
            "remnant": {
                "ra": "60 deg", "dec": "24.5 deg", "distance": "0.3 kpc", "age": "0.3 Myr",
                "history": {"kind": "burst", "energy": "1e52 erg"},
                "spectrum": {"kind": "power-law", "index": 2.15, "cutoff": "25 TV"},
                "species": {"H1": 1.0, "He4": 0.22},
            },
            "microquasar": {
                "l": "-22.6 deg", "b": "0 deg", "distance": "2.64 kpc", "age": "4.82 Myr",
                "minimum_energy": "1 PeV",
                "history": {"kind": "burst", "energy": "5e52 erg"},
                "spectrum": {"kind": "power-law", "index": 1.8, "cutoff": "5 PV"},
            },
        },
    },
    "fit": {
        "gradient": False,
        "data": [{"name": "lhaaso-epos-lhc-h-total-energy"}],
        "dipoles": [{"name": "kascade-grande-dipole-2015", "projected": False}],
        "parameters": {
            "l": {"path": f"{MICROQUASAR}.l", "bounds": ["-180 deg", "180 deg"]},
            "distance": {"path": f"{MICROQUASAR}.distance", "bounds": ["0.5 kpc", "8 kpc"]},
            "energy": {"path": f"{MICROQUASAR}.history.energy", "bounds": ["1e51 erg", "1e54 erg"]},
        },
    },
}  # fmt: skip
ENERGIES = np.geomspace(1e3, 3e6, 15)


def merged(base, changes):
    """Nested tables with changes on top; lists are replaced."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        inner = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if inner else copy.deepcopy(value)
    return result


def tiny(**changes):
    return merged(TINY, changes)


def only(raw, *names):
    """Some of the parameters."""
    raw["fit"]["parameters"] = {n: raw["fit"]["parameters"][n] for n in names}
    return raw


@pytest.fixture(scope="module")
def predicted():
    """Predictions at the start, by kernel."""
    found = {}
    for kernel in ("free", "halo"):
        fit = load_fit_mapping(tiny(point_sources={"kernel": kernel}))
        found[kernel] = JointModel.of(fit).predict(starts_of(fit.parameters))
    return found


@pytest.fixture(scope="module")
def separate():
    """A run of the grid, and the sources by themselves: the other way to the same numbers."""
    config = load_fit_mapping(TINY).run.config
    raw = {k: v for k, v in TINY.items() if k not in ("fit", "point_sources")}
    result = run(load_mapping(raw))
    return result, {k: source_fluxes(catalogue_of(config), result, kernel=k) for k in ("free", "halo")}


class TestPrediction:
    @pytest.mark.parametrize("kernel", ["free", "halo"])
    def test_spectra_are_those_of_grid_and_sources(self, predicted, separate, kernel):
        result, sources = separate
        both = superpose(result, sources[kernel])["flux_lis"].sel(species=["H1", "He4"]).values
        order = [s.name for s in predicted[kernel].species]
        mine = predicted[kernel].flux[[order.index("H1"), order.index("He4")]]
        there = both > 1e-60
        assert there.sum() > 60
        assert mine[there] == pytest.approx(both[there], rel=1e-6)

    @pytest.mark.parametrize("kernel", ["free", "halo"])
    def test_dipoles_are_those_of_grid_and_sources(self, predicted, separate, kernel):
        """The anisotropy of a saved result interpolates part by part, this one the sum."""
        result, sources = separate
        expected = anisotropy(result, sources=sources[kernel], energies=ENERGIES)
        amplitude, phase = predicted[kernel].dipole(ENERGIES)
        assert amplitude == pytest.approx(expected["amplitude"].values, rel=5e-3)
        assert phase == pytest.approx(expected["phase"].values, abs=1.0)

    def test_dipole_of_a_burst(self, predicted):
        """3 d / 2 c t towards the source, at every energy where it is alone (2.68e-3 for these numbers)."""
        high = np.array([2e7, 5e7, 1e8])
        expected = 1.5 * 2.64 / (const.SPEED_OF_LIGHT * 4.82)
        assert expected == pytest.approx(2.68e-3, rel=1e-3)
        for prediction in predicted.values():
            amplitude, phase = prediction.whole_dipole(high)
            assert amplitude == pytest.approx(expected, rel=1e-4)
            assert phase == pytest.approx(249.3, abs=0.1)
        projected = predicted["free"].dipole(high)[0]
        assert projected == pytest.approx(0.68 * expected, rel=5e-3)  # cos of Dec -47.2 deg

    def test_only_where_all_nuclei_are_known(self, predicted):
        """Beyond the last proton of the grid helium alone is left: that is no dipole of cosmic rays."""
        prediction = predicted["free"]
        energy = prediction.kinetic_energy
        proton, helium = (next(s for s in prediction.species if s.name == name) for name in ("H1", "He4"))
        low = 4.0 * (energy[0] + helium.mass_per_nucleon)
        high = energy[-1] + proton.mass_per_nucleon
        known = np.isfinite(prediction.vector(np.array([0.99 * low, low, high, 1.01 * high, 3.0 * high])))
        assert known.all(axis=1).tolist() == [False, True, True, False, False]

    def test_halo_takes_what_its_series_says(self, predicted):
        """G_z of the halo over that of free space at Dt = D t: eigenfunctions of the slab, z = z_s = 0."""
        free, halo = predicted["free"], predicted["halo"]
        place = free.shares.names.index("microquasar")
        proton = [s.name for s in free.species].index("H1")
        T = free.kinetic_energy
        for at in np.searchsorted(T, [1e5, 1e6, 4e6]):
            config = free.config
            D = float(config.physics.diffusion.coefficient(T[at] + 0.938, 1.0, 8.5, 0.0, axis="z"))
            s, H = D * 4.82, 4.5
            k = np.arange(1, 400, 2)
            G = np.sum(np.exp(-((k * np.pi / (2 * H)) ** 2) * s)) / H
            expected = G * np.sqrt(4 * np.pi * s)
            ratio = halo.shares.flux[place, proton, at] / free.shares.flux[place, proton, at]
            assert ratio == pytest.approx(expected, rel=0.02)  # losses in the disc differ a little

    def test_parts_add_up(self, predicted):
        for prediction in predicted.values():
            assert prediction.shares.names == ("snr", "remnant", "microquasar")
            assert prediction.shares.flux.sum(axis=0) == pytest.approx(prediction.flux, rel=1e-12)

    def test_nothing_beyond_the_grid(self, predicted):
        vector = predicted["free"].vector(np.array([0.5, 1e4, 1e12]))
        assert np.isnan(vector[[0, 2]]).all()
        assert np.isfinite(vector[1]).all()


class TestFit:
    def test_sources_need_no_solve(self):
        likelihood = Likelihood.of(load_fit_mapping(TINY))
        start = starts_of(likelihood.parameters)
        values = {likelihood(start * factor) for factor in (1.0, 1.01, 1.02)}
        assert len(values) == 3
        assert likelihood.model.solves == 1
        assert likelihood.no_gradient == "point sources have no adjoint"

    def test_distance_and_longitude_of_the_measured_dipole(self):
        """Amplitudes alone give d = 2 c t A / 3 with the weighted mean A; phases alone the right ascension."""
        data = load_dipole("kascade-grande-dipole-2015")
        raw = only(tiny(), "distance")
        raw["fit"]["dipoles"][0] |= {"what": ["amplitude"], "min": "5 PeV"}
        # spectra do not care: no error of a spectrum is this large
        raw["fit"]["data"] = [{"name": "lhaaso-epos-lhc-h-total-energy", "min": "10 PeV", "model_error": 0.9}]
        found = tune(load_fit_mapping(raw))
        weight = data.stat_plus[1:] ** -2.0
        mean = float(np.sum(weight * data.amplitude[1:]) / np.sum(weight))
        expected = mean * 2.0 * const.SPEED_OF_LIGHT * 4.82 / 3.0
        sigma = np.sum(weight) ** -0.5 / mean * expected
        assert found.values[0] == pytest.approx(expected, abs=0.02 * sigma)
        assert found.errors[0] == pytest.approx(sigma, rel=0.02)

        raw = only(tiny(), "l")
        raw["fit"]["dipoles"][0] |= {"what": ["phase"], "min": "5 PeV"}
        found = tune(load_fit_mapping(raw))
        longitude = float(found.values[0])
        sun = found.fit.run.config.physics.observer
        towards = from_sun(longitude, 0.0, 2.64, sun) - np.array([-sun.r, 0.0, sun.z])
        x, y, _ = equatorial_vector(towards)
        weight = data.phase_plus[1:] ** -2.0
        mean = float(np.sum(weight * data.phase[1:]) / np.sum(weight))
        assert np.degrees(np.arctan2(y, x)) % 360.0 == pytest.approx(mean, abs=0.3)

    def test_what_is_left_behind_runs(self, tmp_path):
        fit = load_fit_mapping(only(tiny(), "energy"))
        result = tune(fit)
        files = {f.name for f in write_fit(result, tmp_path / "fit")}
        assert {"best-fit.toml", "best-fit-sources.toml", "dipoles.png", "result.json"} <= files
        again = load_catalogue(tmp_path / "fit" / "best-fit-sources.toml")
        energy = again.sources[again.names.index("microquasar")].history.energy
        assert energy == pytest.approx(float(result.values[0]), rel=1e-12)
        assert load_config(tmp_path / "fit" / "best-fit.toml").config.run.name == "tiny"

    def test_draws(self):
        settings = {"kind": "emcee", "walkers": 8, "steps": 20, "check": 20}
        fit = load_fit_mapping(tiny(fit={"sampler": settings}))
        with pytest.raises(Unfinished):
            sample(fit, executor="serial")
        other = load_fit_mapping(tiny(fit={"sampler": settings, "dipoles": [{"name": "auger-dipole-2020"}]}))
        assert fingerprint(fit) != fingerprint(other)

    def test_slow_parameters_move_the_sources_too(self):
        raw = tiny()
        raw["fit"]["parameters"]["D0"] = {
            "path": "physics.diffusion.D0", "bounds": ["1e28 cm^2/s", "1e29 cm^2/s"],
        }  # fmt: skip
        model = JointModel.of(load_fit_mapping(raw))
        start = starts_of(model.parameters)
        more = start * np.where([p.name == "D0" for p in model.parameters], 1.2, 1.0)
        before, after = (model.predict(v) for v in (start, more))
        proton = [s.name for s in before.species].index("H1")
        one, other = (p.shares.flux[-1, proton] for p in (before, after))
        at = np.searchsorted(before.kinetic_energy, 1e6)
        # far from the source exp(-d^2/4Dt) is near one: J ~ D^-1.5
        assert other[at] / one[at] == pytest.approx(1.2**-1.5, rel=0.05)
        assert model.solves == 2

    @pytest.mark.parametrize("name", ["free", "free-paper", "halo"])
    def test_files_of_the_library(self, name):
        fit = load_fit(f"papers/nie-2026/{name}")
        assert {"l", "distance", "cutoff"} <= {p.name for p in fit.parameters}
        assert all(p.fast for p in fit.parameters)
        assert "auger-dipole-2020: amplitude and phase of the dipole, 6 energies" in describe(fit)


def refused(raw):
    with pytest.raises(ConfigError) as caught:
        load_fit_mapping(raw)
    return " ".join(str(caught.value).split())


class TestRefused:
    def parameter(self, path, bounds):
        raw = tiny()
        raw["fit"]["parameters"] = {"x": {"path": path, "bounds": bounds}}
        return raw

    def test_unknown_path(self):
        text = refused(self.parameter(f"{MICROQUASAR}.distnce", ["1 kpc", "3 kpc"]))
        assert 'did you mean "distance"' in text
        text = refused(self.parameter("point_sources.sources.mikroquasar.distance", ["1 kpc", "3 kpc"]))
        assert 'did you mean "microquasar"' in text
        text = refused(self.parameter("grid.momentum.per_decade", [5, 10]))
        assert "expected physics.… or point_sources.…" in text

    def test_bounds(self):
        text = refused(self.parameter(f"{MICROQUASAR}.distance", ["3 kpc", "4 kpc"]))
        assert "fit.parameters.x.bounds" in text
        assert "exclude the start" in text
        text = refused(self.parameter(f"{MICROQUASAR}.age", ["1 kpc", "30 kpc"]))
        assert "fit.parameters.x.bounds[0]" in text

    def test_bound_outside_the_halo(self):
        text = refused(self.parameter(f"{MICROQUASAR}.distance", ["1 kpc", "50 kpc"]))
        assert "fit.parameters.x.bounds[1]" in text
        assert "outside the halo" in text

    def test_source_outside_the_halo(self):
        text = refused(tiny(point_sources={"sources": {"microquasar": {"b": "80 deg", "distance": "6 kpc"}}}))
        assert "point_sources.sources.microquasar.distance" in text
        assert "outside the halo" in text

    def test_incomplete_source(self):
        raw = tiny()
        del raw["point_sources"]["sources"]["microquasar"]["age"]
        del raw["fit"]["parameters"]
        raw["fit"]["parameters"] = {"l": TINY["fit"]["parameters"]["l"]}
        assert "point_sources.sources.microquasar.age is missing" in refused(raw)

    def test_species_not_followed(self):
        text = refused(tiny(species={"include": ["H1"]}))
        assert "point_sources.sources.remnant.species" in text
        assert '"He4": not followed by this run' in text

    def test_population_twice(self):
        raw = tiny()
        raw["point_sources"]["sources"]["SNR"] = raw["point_sources"]["sources"]["remnant"]
        assert "must not be injected" in refused(raw)

    def test_kernel_and_keys(self):
        text = refused(tiny(point_sources={"kernel": "fre", "sources": {"microquasar": {"agee": "1 Myr"}}}))
        assert "point_sources.kernel" in text
        assert "did you mean point_sources.sources.microquasar.age?" in text

    def test_dipoles(self):
        choices = [
            {"name": "kascade-grande-dipole-2051"},
            {"name": "auger-dipole-2020", "min": "3 PV"},
            {"name": "icetop-dipole-2016", "min": "1 EeV"},
            {"name": "tibet-dipole-2017", "what": ["phase", "phase"]},
            {"name": "tibet-dipole-2017"},
        ]
        text = refused(tiny(fit={"dipoles": choices}))
        assert "fit.dipoles[0].name" in text
        assert 'did you mean "kascade-grande-dipole-2015"' in text
        assert "fit.dipoles[1].min" in text
        assert "icetop-dipole-2016 has no points in this range" in text
        assert "fit.dipoles[3].what names the same twice" in text
        assert "is named twice" in text

    def test_dipoles_without_point_sources(self):
        raw = tiny()
        del raw["point_sources"]
        raw["fit"]["parameters"] = {
            "D0": {"path": "physics.diffusion.D0", "bounds": ["1e28 cm^2/s", "1e29 cm^2/s"]}
        }
        assert "fit.dipoles a fit of dipoles needs point sources" in refused(raw)

    def test_a_species_that_no_datum_is_of(self):
        raw = tiny()
        raw["fit"] |= {"dipoles": [], "data": [{"name": "lhaaso-epos-lhc-he-total-energy"}]}
        raw["fit"]["parameters"] = {"energy": TINY["fit"]["parameters"]["energy"]}
        assert 'no data set of this fit is of the species of "microquasar"' in refused(raw)

    def test_a_parameter_that_changes_nothing(self):
        """Without dipoles the longitude is not felt in free space; known after one evaluation."""
        raw = only(tiny(), "l", "energy")
        raw["fit"]["dipoles"] = []
        with pytest.raises(ConfigError, match="no datum of this fit depends on it"):
            tune(load_fit_mapping(raw))

    def test_exit_status(self, tmp_path):
        file = tmp_path / "bad.toml"
        file.write_text(to_toml(self.parameter(f"{MICROQUASAR}.distnce", ["1 kpc", "3 kpc"])))
        done = CliRunner().invoke(main, ["tune", str(file), "-o", str(tmp_path / "out")])
        assert done.exit_code == 2
        assert "Traceback" not in done.output
        assert not (tmp_path / "out").exists()

    def test_check_lists_the_sources(self, tmp_path):
        file = tmp_path / "good.toml"
        file.write_text(to_toml(TINY))
        done = CliRunner().invoke(main, ["check", str(file)])
        assert done.exit_code == 0
        assert "point_sources.sources.microquasar" in done.output
        raw = {k: v for k, v in TINY.items() if k != "fit"}
        file.write_text(to_toml(raw))
        assert CliRunner().invoke(main, ["check", str(file)]).exit_code == 0


def test_energy_unit():
    """The start of the fixture in internal units, so that the numbers above mean what they say."""
    fit = load_fit_mapping(TINY)
    assert fit.parameters[2].start == pytest.approx(to_internal(5e52, "erg", "energy"))

"""Spectra as sums of components: values, fits, posteriors, and what is refused.

Printed values: Aharonian & Zhang 2026 (arXiv:2602.08223), Tables 1 to 3.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from cyldiff.data import load
from cyldiff.errors import ConfigError
from cyldiff.fit.components import Component, component_intensity, intensity_of, load_spectra_mapping
from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.load import load_fit, load_fit_mapping
from cyldiff.fit.sample import sample
from cyldiff.fit.tune import tune
from cyldiff.fit.walk import Unfinished
from cyldiff.observables.abscissa import ABSCISSAE
from cyldiff.observables.estimates import jet_maximum_energy
from cyldiff.resources import folder
from cyldiff.units import to_internal

UNIT = "GeV^1.75 m^-2 s^-1 sr^-1"
RUNS = Path(folder("runs")) / "papers" / "aharonian-zhang-2026"
MODELS = ("qgsjet-ii-04", "epos-lhc", "sibyll-23d")


def component(amplitude, index, cutoff, *, species="H1", **more):
    return {"species": species, "amplitude": f"{amplitude} {UNIT}", "index": index, "cutoff": cutoff, **more}


I = component(14500, 2.73, "68 TeV", sharpness=2.55)  # noqa: E741
II = component(34700, 2.39, "6.2 PeV")
HE = {"species": "He4"}
PROTON = {"I": I, "II": II}
PROTON_PRIMED = {
    "I": component(16200, 2.73, "63 TeV", sharpness=2.18),
    "II": {**II, "low_cutoff": "0.89 TeV"},
}
HELIUM = {
    "HeI": component(36300, 2.57, "468 TeV", sharpness=1.12, **HE),
    "HeII": component(21500, 2.39, "12.4 PeV", **HE),
}
ENERGIES = np.array([0.1, 1, 10, 30, 100, 300, 1000, 3000, 10000]) * 1e3


def spectra(components, **fit):
    raw = {"schema": 1, "run": {"name": "test"}, "spectrum": components}
    return {**raw, "fit": fit} if fit else raw


def weighted(components, energy, names):
    """E^2.75 J at total energies."""
    config = load_spectra_mapping(spectra(components)).config
    return intensity_of(config, names, ABSCISSAE["total_energy"], energy) * np.asarray(energy) ** 2.75


class TestCurves:
    """Central curves of the paper, worked out by hand elsewhere."""

    @pytest.mark.parametrize(
        ("components", "names", "expected"),
        [
            (PROTON, ["H"], [13320, 15514, 19726, 21712, 15860, 21433, 29531, 31765, 15844]),
            (PROTON_PRIMED, ["H"], [13475, 15293, 20549, 21871, 15774, 21369, 29505, 31756, 15842]),
            (HELIUM, ["He"], [7697, 12246, 19727, 24510, 29391, 29522, 23329, 25083, 21989]),
        ],
    )
    def test_values(self, components, names, expected):
        # the expected values are whole numbers
        assert weighted(components, ENERGIES, names) == pytest.approx(expected, rel=1e-4)

    def test_ratio_of_protons_to_helium(self):
        expected = [1.731, 1.267, 1.000, 0.886, 0.540, 0.726, 1.266, 1.266, 0.721]
        assert self.ratio(ENERGIES) == pytest.approx(expected, abs=6e-4)

    def test_features_of_the_ratio(self):
        """It falls to 0.54 near 100 TeV, and is largest again at 1 to 3 PeV."""
        energy = np.geomspace(3e4, 1e7, 2000)
        ratio = self.ratio(energy)
        low, high = np.argmin(ratio[energy < 3e5]), np.argmax(np.where(energy > 3e5, ratio, 0.0))
        assert ratio[low] == pytest.approx(0.54, rel=0.02)
        assert 7e4 < energy[low] < 1.3e5
        assert self.ratio(np.array([1e6, 3e6])) == pytest.approx([1.27, 1.27], rel=0.02)
        assert 1e6 < energy[high] < 3e6

    @staticmethod
    def ratio(energy):
        return weighted(PROTON, energy, ["H"]) / weighted(HELIUM, energy, ["He"])

    def test_only_the_second_helium_component_can_fade(self):
        """With the Emin of the row I' of Table 3, component I' would be gone at 1 TeV, where the data are not."""
        first = component(38000, 2.58, "447 TeV", sharpness=1.03, **HE)
        second = component(21500, 2.39, "12.4 PeV", low_cutoff="5.62 TeV", **HE)
        faded = weighted({"I": {**first, "low_cutoff": "4.37 TeV"}, "II": second}, [1e3], ["He"])[0]
        whole = weighted({"I": first, "II": second}, [1e3], ["He"])[0]
        data = load("dampe-he-kinetic-energy")
        measured = np.interp(1e3, data.x, data.y * data.x**2.75)
        error = np.interp(1e3, data.x, data.sigma_plus / data.y)
        assert faded == pytest.approx(155, rel=0.02)
        assert whole == pytest.approx(measured, rel=error)

    def test_highest_energy_of_a_jet(self):
        """Eq. 3: 10 PeV for 1e38 erg/s and sigma v/c = 1; also for 1e39 erg/s and 0.1."""
        for power, flow in ((1e38, 1.0), (1e39, 0.1)):
            assert jet_maximum_energy(to_internal(power, "erg/s", "power"), flow) == pytest.approx(
                1e7, rel=1e-9
            )


class TestAbscissae:
    @pytest.mark.parametrize("axis", ["rigidity", "kinetic_energy_per_nucleon", "kinetic_energy"])
    @pytest.mark.parametrize("name", ["H", "He"])
    def test_particles_are_counted_alike(self, axis, name):
        """The same particles between the same limits, whatever orders them."""
        config = load_spectra_mapping(spectra({**PROTON, **HELIUM})).config
        charge, nucleons, mass = (1, 1, 0.9382720885) if name == "H" else (2, 4, 3.72597640968 / 4)
        kinetic = np.array([5.0, 80.0])  # per nucleon
        total = nucleons * (kinetic + mass)
        ends = {
            "rigidity": np.sqrt(total**2 - (nucleons * mass) ** 2) / charge,
            "kinetic_energy_per_nucleon": kinetic,
            "kinetic_energy": nucleons * kinetic,
        }[axis]

        def count(axis, ends):
            at = lambda t: float(intensity_of(config, [name], ABSCISSAE[axis], np.exp(t))) * np.exp(t)  # noqa: E731
            return quad(at, *np.log(ends), epsrel=1e-9)[0]

        assert count(axis, ends) == pytest.approx(count("total_energy", total), rel=1e-7)

    def test_below_rest_there_is_nothing(self):
        config = load_spectra_mapping(spectra(PROTON)).config
        assert np.isnan(intensity_of(config, ["H"], ABSCISSAE["total_energy"], 0.5))

    def test_far_above_the_cut_off(self):
        one = Component.model_validate(component(1e4, 2.7, "10 TeV", sharpness=6.0))
        assert component_intensity(one, 1e60) == 0.0

    def test_without_cut_off(self):
        one = Component.model_validate({"species": "H1", "amplitude": f"1e4 {UNIT}", "index": 2.75})
        assert component_intensity(one, 1e3) * 1e3**2.75 == pytest.approx(1e4)


def fitted(name, model=None):
    species = "he" if name.startswith("helium") else "h"
    overrides = [f'fit.data[0].name="lhaaso-{model}-{species}-total-energy"'] if model else []
    result = tune(load_fit(RUNS / f"{name}.toml", overrides))
    return result, dict(zip([p.name for p in result.parameters], result.values, strict=True))


def within(value, printed, minus, plus):
    return printed - minus <= value <= printed + plus


class TestTables:
    """Best fits inside the intervals that the paper prints; docs/papers/aharonian-zhang-2026.md has all of them."""

    @pytest.mark.parametrize("model", ["epos-lhc", "qgsjet-ii-04"])
    def test_second_proton_component(self, model):
        result, best = fitted("proton-ii", model)
        assert within(best["A2"], 34700, 1600, 1600)
        assert within(best["G2"], 2.39, 0.05, 0.05)
        assert within(best["E2"], 6.2e6, 0.8e6, 0.9e6)
        assert result.chi2 / result.ndof < 1.0
        assert result.ndof == 13

    @pytest.mark.parametrize("model", MODELS)
    def test_first_proton_component(self, model):
        _, best = fitted("proton-i", model)
        assert within(best["A1"], 14500, 1900, 2500)
        assert within(best["G1"], 2.73, 0.02, 0.02)
        assert within(best["E1"], 68e3, 14e3, 18e3)
        assert within(best["b1"], 2.55, 0.90, 1.32)

    def test_helium(self):
        result, best = fitted("helium-i")
        assert within(best["A1"], 36300, 6100, 7400)
        assert within(best["G1"], 2.57, 0.03, 0.02)
        assert within(best["E1"], 468e3, 88e3, 95e3)
        assert within(best["b1"], 1.12, 0.26, 0.33)
        a2 = [p.name for p in result.parameters].index("A2")
        assert best["A2"] == pytest.approx(21500, abs=result.errors[a2])

    def test_helium_that_fades(self):
        _, best = fitted("helium-i-prime")
        assert within(best["A1"], 38000, 7100, 9900)
        assert within(best["G1"], 2.58, 0.03, 0.03)
        assert within(best["E1"], 447e3, 100e3, 103e3)
        assert within(best["b1"], 1.03, 0.23, 0.33)
        assert within(best["Emin2"], 5.62e3, 2.81e3, 5.60e3)

    def test_another_start_finds_the_same(self):
        _, best = fitted("proton-i")
        far = [
            "fit.parameters.E1.start='300 TeV'",
            "fit.parameters.b1.start=0.8",
            "fit.parameters.G1.start=2.5",
        ]
        again = tune(load_fit(RUNS / "proton-i.toml", far))
        assert again.values == pytest.approx(list(best.values()), rel=5e-3)

    def test_several_starts_find_the_lowest_minimum(self):
        """From the printed values the third component dies out; with others chi-square is nine lower."""
        model = ['fit.data[0].name="lhaaso-qgsjet-ii-04-h-total-energy"', "fit.minos=false"]
        single, several = (
            tune(load_fit(RUNS / "proton-iii-fixed.toml", [*model, f"fit.starts={n}"])) for n in (1, 20)
        )
        assert several.chi2 < single.chi2 - 5.0
        assert several.chi2 == pytest.approx(42.22, abs=0.05)

    @pytest.mark.parametrize("model", MODELS)
    def test_third_component_with_the_second_one_free(self, model):
        """The joint minimum is much better than the second one fixed; the index of the third is far above 2."""
        free, best = fitted("proton-iii-free", model)
        fixed, _ = fitted("proton-iii-fixed", model)
        assert free.chi2 < free.ndof
        assert free.chi2 < fixed.chi2 - 5.0
        assert within(best["E3"], 229e6, 85e6, 178e6)


def raw_fit(**changes):
    """A small fit as a file would have it."""
    path = "spectrum.II."
    parameters = {
        "A": {"path": path + "amplitude", "bounds": [f"5000 {UNIT}", f"9e4 {UNIT}"]},
        "G": {"path": path + "index", "bounds": [1.5, 3.5]},
        "E0": {"path": path + "cutoff", "bounds": ["1 PeV", "50 PeV"]},
    }
    data = [{"name": "lhaaso-epos-lhc-h-total-energy", "min": "300 TeV"}]
    fit = {"data": data, "parameters": parameters, "gradient": False, **changes}
    return deepcopy(spectra({"II": II}, **fit))


class TestChiSquare:
    def test_errors_face_the_model(self):
        """By hand: the error above the point where the model lies above it."""
        fit = load_fit_mapping(raw_fit(data=[{"name": "icetop-h-total-energy"}]))
        m = load("icetop-h-total-energy")
        model = weighted({"II": II}, m.x, ["H"]) * m.x**-2.75
        up = model >= m.y
        assert up.any()
        assert not up.all()
        sigma = np.where(up, np.hypot(m.stat_plus, m.syst_plus), np.hypot(m.stat_minus, m.syst_minus))
        expected = np.sum(((m.y - model) / sigma) ** 2)
        found = Likelihood.of(fit)([p.start for p in fit.parameters])
        assert found == pytest.approx(expected, rel=1e-9)

    def test_common_factor_is_profiled(self):
        """A normalisation error: the same as minimising over the factor with its own penalty."""
        from scipy.optimize import minimize_scalar

        error, name = 0.1, "dampe-h-kinetic-energy"
        fit = load_fit_mapping(raw_fit(data=[{"name": name, "min": "1 TeV", "normalisation_error": error}]))
        m = load(name)
        use = m.x >= 1e3
        term = Likelihood.of(fit)
        start = [p.start for p in fit.parameters]
        model = term.compare(start)[0].model
        sigma = np.where(model >= m.y[use], m.sigma_plus[use], m.sigma_minus[use])

        def by_hand(f):
            return np.sum(((m.y[use] - f * model) / sigma) ** 2) + ((f - 1.0) / error) ** 2

        best = minimize_scalar(by_hand, bounds=(0.1, 5.0), method="bounded", options={"xatol": 1e-10})
        assert term(start) == pytest.approx(best.fun, rel=1e-6)

    def test_energy_scale(self):
        """Energies 3 % too high by mistake: the nuisance finds it."""
        fit = load_fit_mapping(
            raw_fit(data=[{"name": "lhaaso-epos-lhc-h-total-energy", "energy_scale_error": 0.05}])
        )
        term = Likelihood.of(fit)
        start = np.array([p.start for p in fit.parameters])
        start[-1] = 0.03
        x = load("lhaaso-epos-lhc-h-total-energy").x
        expected = weighted({"II": II}, x / 1.03, ["H"]) * (x / 1.03) ** -2.75 / 1.03
        assert term.compare(start)[0].model == pytest.approx(expected, rel=1e-9)

    def test_ratio(self):
        """p/He of components next to a made-up measurement."""
        raw = spectra({**PROTON, **HELIUM}, **raw_fit()["fit"])
        fit = load_fit_mapping(raw)
        m = fit.data[0].measurement
        ratio = replace(m, numerator=("H",), denominator=("He",), y=np.full_like(m.y, 1.0))
        fit = replace(fit, data=(replace(fit.data[0], measurement=ratio),))
        found = Likelihood.of(fit).compare([p.start for p in fit.parameters])[0]
        assert found.model == pytest.approx(TestCurves.ratio(found.x), rel=1e-9)


class TestClosure:
    def test_true_parameters_come_back(self):
        """Mock points with the errors of LHAASO: pulls of 80 fits are those of normal numbers.

        Tolerances: three standard deviations of what 80 draws give.
        """
        fit = load_fit_mapping(raw_fit(minos=False))
        truth = np.array([p.start for p in fit.parameters])
        m = fit.data[0].measurement
        model = weighted({"II": II}, m.x, ["H"]) * m.x**-2.75
        random = np.random.default_rng(5)
        sigma, pulls, chi2 = m.sigma_plus, [], []
        for _ in range(80):
            mock = replace(m, y=model + sigma * random.standard_normal(len(m)))
            result = tune(replace(fit, data=(replace(fit.data[0], measurement=mock),)))
            pulls.append((result.values - truth) / result.errors)
            chi2.append(result.chi2)
        inside = np.mean(np.abs(pulls) < 1.0, axis=0)
        assert np.all(np.abs(inside - 0.683) < 3.0 * np.sqrt(0.683 * 0.317 / 80.0))
        assert np.all(np.mean(np.abs(pulls) < 2.0, axis=0) > 0.954 - 3.0 * np.sqrt(0.954 * 0.046 / 80.0))
        assert np.mean(chi2) == pytest.approx(13.0, abs=3.0 * np.sqrt(2.0 * 13.0 / 80.0))


class TestPosterior:
    def test_prior_of_a_variable_does_not_move_the_best_fit(self):
        raw = raw_fit()
        plain = tune(load_fit_mapping(raw))
        for name in ("A", "G", "E0"):
            raw["fit"]["parameters"][name]["prior"] = {"kind": "log-uniform"}
        flat = tune(load_fit_mapping(raw))
        assert flat.values == pytest.approx(plain.values, rel=1e-4)
        assert flat.chi2 == pytest.approx(plain.chi2, abs=1e-4)

    def test_near_the_best_fit_it_is_normal(self):
        fit = load_fit_mapping(raw_fit(sampler={"kind": "emcee", "walkers": 12, "steps": 3000, "taus": 20.0}))
        result = tune(fit)
        draws = sample(fit, executor="serial").draws
        low, middle, high = draws.quantiles((0.16, 0.5, 0.84))
        assert np.all(np.abs(middle - result.values) < 0.25 * result.errors)
        assert 0.5 * (high - low) == pytest.approx(result.errors, rel=0.2)

    def test_short_chain_is_refused(self):
        fit = load_fit_mapping(raw_fit(sampler={"kind": "emcee", "walkers": 12, "steps": 60}))
        with pytest.raises(Unfinished, match="60 steps are not enough"):
            sample(fit, executor="serial")


def refused(raw, *patterns):
    with pytest.raises(ConfigError) as error:
        load_fit_mapping(raw)
    for pattern in patterns:
        assert pattern in str(error.value)
    return error.value


class TestRefused:
    def test_unknown_component(self):
        raw = raw_fit()
        raw["fit"]["parameters"]["A"]["path"] = "spectrum.III.amplitude"
        refused(raw, "fit.parameters.A.path", '"III" unknown; known: II', 'did you mean "II"')

    def test_unknown_key(self):
        raw = raw_fit()
        raw["spectrum"]["II"]["cut_off"] = "3 PeV"
        refused(raw, "spectrum.II.cut_off", "did you mean spectrum.II.cutoff")

    def test_fixed_without_value(self):
        raw = raw_fit()
        del raw["spectrum"]["II"]["index"]
        refused(raw, "spectrum.II.index", "is missing; expected a number")

    def test_what_is_not_there_cannot_vary(self):
        raw = raw_fit()
        del raw["spectrum"]["II"]["cutoff"]
        refused(raw, "fit.parameters.E0.path", "has no value")

    def test_energy_without_unit(self):
        raw = raw_fit(data=[{"name": "lhaaso-epos-lhc-h-total-energy", "min": "300"}])
        raw["spectrum"]["II"]["cutoff"] = 6.2e6
        refused(raw, "fit.data[0].min", "spectrum.II.cutoff", "has no unit; expected energy")

    def test_amplitude_of_another_kind(self):
        raw = raw_fit()
        raw["spectrum"]["II"]["amplitude"] = "1e-12 GeV^-1 m^-2 s^-1 sr^-1"
        refused(raw, "spectrum.II.amplitude", "expected intensity times E^2.75")

    def test_no_data_in_the_range(self):
        raw = raw_fit(data=[{"name": "lhaaso-epos-lhc-h-total-energy", "min": "100 PeV"}])
        refused(raw, "fit.data[0]", "has no points in this range")

    def test_data_of_another_species(self):
        raw = raw_fit(data=[{"name": "dampe-he-kinetic-energy"}])
        refused(raw, "fit.data[0]", "needs He, of which there is no component")

    def test_component_nobody_measures(self):
        raw = raw_fit()
        raw["spectrum"]["HeII"] = HELIUM["HeII"]
        raw["fit"]["parameters"]["He"] = {"path": "spectrum.HeII.index", "bounds": [1.5, 3.5]}
        refused(raw, "fit.parameters.He.path", 'no data set of this fit is of the species of "HeII"')

    def test_nothing_but_the_spectrum_varies(self):
        raw = raw_fit()
        raw["fit"]["parameters"]["A"]["path"] = "physics.diffusion.D0"
        refused(raw, "only the spectrum can be fitted")

    def test_transport_beside_it(self):
        refused({**raw_fit(), "grid": {"use": "fit-2d"}}, "unknown key; known here: schema, run, spectrum")

    def test_unknown_nuclide(self):
        raw = raw_fit()
        raw["spectrum"]["II"]["species"] = "proton"
        refused(raw, "spectrum.II.species", "expected a nuclide")

    def test_bounds_that_are_no_value(self):
        raw = raw_fit()
        raw["fit"]["parameters"]["E0"]["bounds"] = ["-1 PeV", "50 PeV"]
        refused(raw, "fit.parameters.E0.bounds[0]", "expected more than")

    def test_command_leaves_nothing(self, tmp_path, monkeypatch):
        from click.testing import CliRunner

        from cyldiff.cli import main
        from cyldiff.config.toml import to_toml

        monkeypatch.chdir(tmp_path)
        raw = raw_fit()
        raw["spectrum"]["II"]["species"] = "H7"
        Path("bad.toml").write_text(to_toml(raw))
        answer = CliRunner().invoke(main, ["tune", "bad.toml", "-o", "out"])
        assert answer.exit_code == 2
        assert not Path("out").exists()


class TestCommand:
    def test_tune_leaves_all(self, tmp_path, monkeypatch):
        import json

        from click.testing import CliRunner

        from cyldiff.cli import main
        from cyldiff.fit.components import load_spectra

        monkeypatch.chdir(tmp_path)
        answer = CliRunner().invoke(main, ["tune", str(RUNS / "proton-ii.toml"), "-o", "out"])
        assert answer.exit_code == 0, answer.output
        numbers = json.loads(Path("out/result.json").read_text())
        assert {"chi2", "ndof", "calls", "parameters", "covariance"} <= set(numbers)
        best = load_spectra("out/best-fit.toml").config.spectrum["II"]
        assert best.index == numbers["parameters"]["G2"]["value"]
        assert Path("out/pulls.csv").read_text().count("\n") == 17
        assert Path("out/lhaaso-epos-lhc-h-total-energy.png").stat().st_size > 1000

    # variants.toml lists overrides of the others: tests/papers/test_aharonian_zhang_2026.py
    @pytest.mark.parametrize(
        "file", sorted(set(RUNS.glob("*.toml")) - {RUNS / "variants.toml"}), ids=lambda file: file.stem
    )
    def test_every_file_is_valid(self, file):
        fit = load_fit(file)
        assert fit.fit.sampler.walkers == 32
        assert fit.fit.sampler.taus == 50.0

"""Spectra of single sources: components, absorption, tables, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff.config.load_source import load_source, load_source_mapping
from cyldiff.errors import ConfigError, DataError
from cyldiff.observables.absorption import cmb_absorption
from cyldiff.observables.single_source import EnergyRange, sed

PROTONS = {
    "kind": "uniform-gas",
    "injection": {"kind": "broken-power-law", "indices": [2.0], "cutoff": "1 PV"},
    "energy": "1e50 erg",
    "above": "1 GeV",
    "gas_density": "1 cm^-3",
    "pion_production": {"kind": "kelner-2006", "nuclear_enhancement": "none"},
}
ELECTRONS = {
    "kind": "electrons",
    "injection": {"kind": "broken-power-law", "indices": [2.2], "cutoff": "100 TV"},
    "luminosity": "1e35 erg/s",
    "above": "1 GeV",
    "magnetic_field": "5 uG",
    "radiation": {"kind": "cmb"},
}


def mapping(**changes):
    raw = {
        "schema": 1,
        "source": {"name": "example", "distance": "2 kpc", "age": "10 kyr"},
        "energies": {"minimum": "1 TeV", "maximum": "100 TeV", "per_decade": 4},
        "components": {"protons": PROTONS, "electrons": ELECTRONS},
    }
    raw.update(changes)
    return raw


def load(*overrides, **changes):
    return load_source_mapping(mapping(**changes), overrides).model


def problems(*overrides, **changes):
    with pytest.raises(ConfigError) as caught:
        load(*overrides, **changes)
    return {p.key: p.message for p in caught.value.problems}


class TestSpectrum:
    def test_parts_and_sum(self):
        found = sed(load())
        assert list(found.parts) == ["protons", "electrons inverse-compton", "electrons synchrotron"]
        np.testing.assert_allclose(found.flux, sum(found.parts.values()), rtol=1e-12)
        np.testing.assert_allclose(found.sed, found.energy**2 * found.flux / const.ERG_GEV, rtol=1e-12)
        assert found.gaps() == []

    def test_columns(self):
        columns = sed(load()).columns()
        assert list(columns) == [
            "energy", "flux", "sed", "sed_protons", "sed_electrons_inverse-compton", "sed_electrons_synchrotron",
        ]  # fmt: skip
        np.testing.assert_allclose(columns["energy"], np.geomspace(1e3, 1e5, 9))

    def test_inverse_square(self):
        near, far = (sed(load(f'source.distance="{d} kpc"')).flux for d in (2, 6))
        np.testing.assert_allclose(near / far, 9.0, rtol=1e-12)

    @pytest.mark.parametrize(
        ("path", "part"),
        [
            ("components.protons.energy", "protons"),
            ("components.electrons.luminosity", "electrons synchrotron"),
            ("components.electrons.luminosity", "electrons inverse-compton"),
        ],
    )
    def test_linear_in_the_normalisation(self, path, part):
        unit = "erg" if path.endswith("energy") else "erg/s"
        one, three = (sed(load(f'{path}="{x}e40 {unit}"')).parts[part] for x in (1, 3))
        np.testing.assert_allclose(three, 3.0 * one, rtol=1e-10)

    def test_gas_and_energy_trade(self):
        one = sed(load()).parts["protons"]
        other = sed(
            load('components.protons.gas_density="10 cm^-3"', 'components.protons.energy="1e49 erg"')
        ).parts["protons"]
        np.testing.assert_allclose(one, other, rtol=1e-10)

    def test_steady_source_makes_a_cloud_like_uniform_gas(self):
        """Around a point, in the limit of a large D, all energies are diluted alike: n = Q / 4 pi D d."""
        cloud = {
            **{k: v for k, v in PROTONS.items() if k not in ("kind", "energy", "gas_density")},
            "kind": "cloud",
            "luminosity": "1e38 erg/s",
            "diffusion": {
                "kind": "power-law", "D0": "1e32 cm^2/s", "reference_rigidity": "1 TV", "delta": 0.0, "eta": 0.0,
            },
            "cloud": {"mass": "1e4 Msun", "helium_fraction": 0.0, "radius": "1 pc", "separation": "50 pc"},
        }  # fmt: skip
        model = load(components={"cloud": cloud}, source={"name": "x", "distance": "2 kpc", "age": "1 Myr"})
        component = model.components["cloud"]
        D = 1e32 * const.MYR_S / const.KPC_CM**2
        # protons per volume, as if a total N_p filled 4 pi D d / Q
        volume = 4.0 * np.pi * D * 0.05 * const.KPC_CM**3
        energy_in = 1e38 * const.MYR_S / volume * component.cloud.hydrogen_atoms
        gas = load(f'components.protons.energy="{energy_in!r} erg"', components={"protons": PROTONS})
        # 1 Myr is not for ever: erfc(d / sqrt(4 D t)) is 0.2 % below one
        np.testing.assert_allclose(sed(model).parts["cloud"], sed(gas).parts["protons"], rtol=5e-3)

    def test_given_energies(self):
        found = sed(load(), [2e3])
        assert found.energy.tolist() == [2e3]


class TestAbsorption:
    def test_microwaves(self):
        e = np.array([1e4, 1e6, 2e6])
        components = {"protons": PROTONS}
        bare = sed(load(components=components), e).flux
        absorbed = sed(load(components=components, absorption={"kind": "cmb"}), e).flux
        np.testing.assert_allclose(absorbed / bare, np.exp(-2.0 * cmb_absorption(e)), rtol=1e-9)

    def test_more_light_absorbs_more(self):
        e = np.array([1e5])
        components = {"protons": PROTONS}
        fluxes = [
            sed(load(components=components, absorption={"kind": kind}), e).flux[0]
            for kind in ("cmb", "delahaye-2010")
        ]
        assert fluxes[1] < fluxes[0]


class TestRanges:
    def test_below_a_model(self):
        found = sed(load(energies={"minimum": "1 keV", "maximum": "1 TeV", "per_decade": 2}))
        protons = found.parts["protons"]
        assert np.isnan(protons[found.energy < 99.0]).all()
        assert not np.isnan(protons[found.energy > 101.0]).any()
        assert found.gaps() == ["protons: its model does not hold below 100 GeV; left out there"]
        assert (found.flux > 0.0).all()

    def test_above_a_model(self):
        model = load('components.protons.pion_production={ kind = "kafexhiu-2014" }')
        with pytest.raises(DataError, match=r"protons: its model holds up to .* GeV, not to 1e\+07 GeV"):
            sed(model, [1e4, 1e7])

    def test_energies_include_both_ends(self):
        e = EnergyRange.model_validate({"minimum": "1 GeV", "maximum": "3 TeV", "per_decade": 10}).energies
        assert (e[0], e[-1]) == pytest.approx((1.0, 3e3), rel=1e-12)
        assert len(e) == 36


class TestRefused:
    def test_every_problem_in_one_message(self):
        found = problems(
            'source.age="-1 Myr"', "energies.per_decade=0", 'components.protons.energy="1e50"',
            'components.electrons.kind="electron"', "colour=1",
        )  # fmt: skip
        assert set(found) == {
            "source.age", "energies.per_decade", "components.protons.energy", "components.electrons.kind", "colour",
        }  # fmt: skip
        assert 'did you mean "electrons"' in found["components.electrons.kind"]
        assert "has no unit" in found["components.protons.energy"]

    def test_infinite_energy(self):
        raw = {**PROTONS, "injection": {"kind": "broken-power-law", "indices": [2.0]}}
        found = problems(components={"protons": raw})
        assert "infinite energy" in found["components.protons.injection"]

    def test_backwards(self):
        found = problems(energies={"minimum": "1 PeV", "maximum": "1 TeV"})
        assert found == {"energies": "minimum must be below maximum"}

    def test_diffusion_that_depends_on_the_place(self):
        raw = load_source("ss433-lepto-hadronic").raw
        raw["components"]["cloud"]["diffusion"] = {
            "kind": "spatially-dependent", "D0": "4e28 cm^2/s", "reference_rigidity": "4 GV", "delta0": 0.58,
            "eta": 0.05, "N_m": 0.62, "xi": 0.1, "n": 4, "z0": "5 kpc", "r_s": "8.5 kpc", "z_s": "0.2 kpc",
        }  # fmt: skip
        with pytest.raises(ConfigError, match="closed form only where D is the same everywhere"):
            load_source_mapping(raw)

    def test_faster_than_light(self):
        raw = load_source("ss433-lepto-hadronic").raw
        raw["source"]["age"] = "0.1 kyr"
        with pytest.raises(ConfigError, match=r"light needs 0\.26\d? kyr to the cloud"):
            load_source_mapping(raw)

    def test_scales_in_the_lobe(self):
        light = {"kind": "delahaye-2010", "z_scale": "1 kpc"}
        found = problems(components={"e": {**ELECTRONS, "radiation": light}}, absorption=light)
        assert "do not belong here" in found["components.e.radiation"]
        assert "uniform along the way" in found["absorption"]

    def test_fit_without_points(self):
        found = problems(fit={"free": {"components.protons.energy": ["1e49 erg", "1e51 erg"]}})
        assert found == {"compare.data": "is missing; a fit needs points"}

    @pytest.mark.parametrize(
        ("free", "words"),
        [
            ({"components.proton.energy": ["1 erg", "2 erg"]}, "the model has no value at"),
            ({"components.protons.energy": ["1e49 erg"]}, "expected two bounds"),
            ({"components.protons.energy": [1.0, 2.0]}, 'expected both in "erg"'),
            ({"components.protons.energy": ["1e51 erg", "1e49 erg"]}, "the lower one first"),
            ({"components.protons.energy": ["1e47 erg", "1e48 erg"]}, "outside the bounds"),
            ({"components.protons.injection.indices[3]": [1.0, 2.0]}, "the model has no value at"),
            ({"components.protons.kind": [1.0, 2.0]}, "expected a number"),
        ],
    )
    def test_wrong_parameters_of_a_fit(self, free, words):
        with pytest.raises(ConfigError, match=words):
            load(fit={"free": free}, compare={"data": ["v4641-sgr-lhaaso-2024"]})

    def test_unknown_points(self):
        found = problems(compare={"data": ["v4641-sgr-lhaso-2024"]})
        assert 'did you mean "v4641-sgr-lhaaso-2024"' in found["compare.data[0]"]


def test_budget_in_words():
    model = load_source("ss433-lepto-hadronic").model
    cloud, lobes = (model.components[name].budget(age=model.source.age) for name in ("cloud", "lobes"))
    assert cloud["power"] == "1e+39 erg/s above 1 GeV"
    assert cloud["energy"].startswith("6.31e+50 erg")
    assert lobes["energy"].startswith("3.79e+47 erg since birth, 1.7")


@pytest.mark.parametrize(
    "name", ["ss433-lepto-hadronic", "ss433-hadronic", "ss433-leptonic", "v4641-sgr-hadronic"]
)
def test_models_of_the_library(name):
    loaded = load_source(name, ["energies.per_decade=1"])
    assert loaded.model.title
    assert loaded.model.pedigree["citation"]
    assert (sed(loaded.model).flux > 0.0).all()

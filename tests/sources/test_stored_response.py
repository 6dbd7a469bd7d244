"""Sources read from a stored response of the grid: the same numbers, and no other model's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import cyldiff
from cyldiff.cli import main
from cyldiff.config.load import load_config
from cyldiff.errors import ConfigError, DataError
from cyldiff.sources.at_sun import to_intensity
from cyldiff.sources.catalogue_file import load_catalogue
from cyldiff.sources.model import as_model
from cyldiff.sources.response import SourceResponse, source_response
from cyldiff.sources.stored_response import PROPAGATION, differences, energies_of, model_of

COARSE = {"core": 0.4, "growth": 0.3}
COARSEST = {"core": 1.0, "growth": 0.3, "modes": 6}
SMALL = ("grid.space.z.n=13", "grid.momentum.per_decade=4", 'species.include=["H1"]', "compare.data=[]")
CATALOGUE = """
schema = 1
[[source]]
name = "burst"
position = ["-6 kpc", "1.5 kpc", "0.1 kpc"]
age = "2 Myr"
history = { kind = "burst", energy = "1e50 erg" }
spectrum = { kind = "power-law", index = 2.2, cutoff = "5 PV" }
species = { H1 = 1.0 }

[[source]]
name = "on"
position = ["-9.5 kpc", "-1 kpc", "0 kpc"]
age = "1 Myr"
history = { kind = "constant", luminosity = "1e39 erg/s", duration = "300 kyr" }
spectrum = { kind = "power-law", index = 2.0, cutoff = "10 PV" }
species = { H1 = 1.0 }
"""


def small(*overrides):
    return load_config("quickstart", (*SMALL, *overrides))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("stored")
    (place / "two.toml").write_text(CATALOGUE)
    return place


@pytest.fixture(scope="module")
def stored(folder):
    found = source_response(small(), kinetic_energy=[1e4, 1e6], ages=3.0, coupling="decoupled", **COARSE)
    found.save(folder / "h1.nc")
    return found


@pytest.fixture(scope="module")
def steady(folder):
    found = source_response(small(), kinetic_energy=[1e4, 1e6], coupling="decoupled", **COARSE)
    found.save(folder / "steady.nc")
    return found


@pytest.fixture(scope="module")
def catalogue(folder):
    return load_catalogue(folder / "two.toml")


def call(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


class TestNumbers:
    """What is read is what the response says."""

    def test_as_the_response_itself(self, folder, stored, catalogue):
        energy = np.geomspace(1e4, 1e6, 5)
        found = cyldiff.source_fluxes(catalogue, small(), response=folder / "h1.nc", kinetic_energy=energy)
        model = as_model(small())
        segments = catalogue.segments(model.physics.observer)
        spectra = catalogue.spectra(catalogue.species, energy)[:, 0]
        density, _ = stored.evaluate(segments, spectra, energy)
        for i in range(2):
            own = density[segments.source == i].sum(axis=0) * to_intensity(catalogue.species[0], energy)
            np.testing.assert_allclose(found["flux_lis"].values[i, 0], own, rtol=1e-6)
        assert found.attrs["kernel"] == "grid"
        assert found.attrs["response"].endswith("h1.nc")

    def test_as_the_closed_form(self, folder, stored, catalogue):
        """D of this model is uniform: halo and edge in closed form are another way to the same number."""
        energy = np.geomspace(1e4, 1e6, 3)
        found = cyldiff.source_fluxes(catalogue, None, response=folder / "h1.nc", kinetic_energy=energy)
        exact = cyldiff.source_fluxes(catalogue, small(), kernel="halo", edge=True, kinetic_energy=energy)
        np.testing.assert_allclose(found["flux_lis"], exact["flux_lis"], rtol=0.03)

    def test_model_and_energies_of_the_response(self, folder, stored, catalogue):
        found = cyldiff.source_fluxes(catalogue, None, response=stored)
        named = cyldiff.source_fluxes(catalogue, small(), response=stored)
        np.testing.assert_array_equal(found["flux_lis"], named["flux_lis"])
        energy = found["kinetic_energy"].values
        np.testing.assert_allclose(energy[[0, -1]], [1e4, 1e6])
        assert len(energy) == 33

    def test_motion_in_momentum(self, catalogue):
        """A coupled response has its own energies, and spectra at those that they come from."""
        solved = source_response(small(), kinetic_energy=[1e4], ages=3.0, coupling="coupled", **COARSEST)
        found = cyldiff.source_fluxes(catalogue, small(), response=solved)
        energy = solved.kinetic_energy
        np.testing.assert_array_equal(found["kinetic_energy"], energy)
        segments = catalogue.segments(small().config.physics.observer)
        spectra = catalogue.spectra(catalogue.species, solved.injected_energy)[:, 0]
        own = solved.evaluate(segments, spectra)[0] * to_intensity(catalogue.species[0], energy)
        np.testing.assert_allclose(found["flux_lis"].values[segments.source, 0], own, rtol=1e-12)
        assert found.attrs["left_out"] == "nothing of note"

    def test_from_physics_alone(self):
        """The model is recorded however the response was asked for."""
        physics = small().config.physics
        solved = source_response(physics, kinetic_energy=1e5, **COARSEST)
        assert differences(model_of({"x": solved}).physics, physics) == []
        assert differences(
            model_of({"x": solved}).physics, small("physics.halo.half_height=4 kpc").config.physics
        )


class TestRefused:
    """A response of another model, species, age or energy."""

    @pytest.mark.parametrize(
        ("override", "key"),
        [
            ("physics.diffusion.D0=4.5e28 cm^2/s", "diffusion.D0"),
            ("physics.halo.half_height=6 kpc", "halo.half_height"),
            ("physics.observer.r=8.2 kpc", "observer.r"),
            ("physics.gas.helium_fraction=0.1", "gas.helium_fraction"),
        ],
    )
    def test_another_model(self, stored, catalogue, override, key):
        with pytest.raises(ConfigError, match=f"of another model than .*{key}"):
            cyldiff.source_fluxes(catalogue, small(override), response=stored)

    def test_what_it_does_not_depend_on_may_differ(self, stored, catalogue):
        other = small("physics.modulation.potential=300 MV")
        assert "modulation" not in PROPAGATION
        assert cyldiff.source_fluxes(catalogue, other, response=stored).sizes["source"] == 2

    def test_a_steady_response(self, steady, catalogue):
        with pytest.raises(ConfigError, match="steady state, and sources have ages"):
            cyldiff.source_fluxes(catalogue, None, response=steady)

    def test_older_sources(self, folder, stored):
        older = load_catalogue(folder / "two.toml", ['source."burst".age=200 Myr'])
        with pytest.raises(ConfigError, match="older than the"):
            cyldiff.source_fluxes(older, None, response=stored)

    def test_energies_outside(self, stored, catalogue):
        with pytest.raises(ConfigError, match="the response covers"):
            cyldiff.source_fluxes(catalogue, None, response=stored, kinetic_energy=[1e3, 1e5])

    def test_species(self, folder, stored):
        more = load_catalogue(folder / "two.toml", ['source."on".species={H1=1.0, He4=0.1}'])
        with pytest.raises(ConfigError, match="no file is of He4"):
            cyldiff.source_fluxes(more, None, response=stored)
        with pytest.raises(ConfigError, match="2 files are of H1"):
            cyldiff.source_fluxes(folder / "two.toml", None, response={"a": stored, "b": stored})
        light = load_catalogue(folder / "two.toml", ['source."on".species={electron=1.0}'])
        with pytest.raises(ConfigError, match="of nuclei, and sources release electron"):
            cyldiff.source_fluxes(light, None, response=stored)

    def test_another_kernel(self, stored, catalogue):
        with pytest.raises(DataError, match='"halo" with a response'):
            cyldiff.source_fluxes(catalogue, None, response=stored, kernel="halo")

    def test_no_energy_in_common(self, stored):
        high = replace(stored, kinetic_energy=1e3 * stored.kinetic_energy)
        with pytest.raises(DataError, match="no energy in common"):
            energies_of({"a": stored, "b": high})

    def test_a_file_that_does_not_say_its_model(self, stored):
        with pytest.raises(DataError, match="does not say of which model"):
            model_of({"old.nc": replace(stored, attributes={})})


class TestCommand:
    """``cyldiff sources --response``."""

    def test_a_file_is_enough(self, folder, stored, monkeypatch):
        monkeypatch.chdir(folder)
        answer = call("sources", "two.toml", "--response", "h1.nc", "-o", "s.nc")
        assert answer.exit_code == 0, answer.stderr
        assert "kernel grid" in answer.stdout
        found = cyldiff.read_result(folder / "s.nc")
        exact = cyldiff.source_fluxes("two.toml", None, response=SourceResponse.load(folder / "h1.nc"))
        np.testing.assert_array_equal(found["flux_lis"], exact["flux_lis"])
        assert "D0" in found.attrs["config"]

    def test_all_problems_at_once(self, folder, stored, steady, monkeypatch):
        monkeypatch.chdir(folder)
        before = sorted(folder.iterdir())
        files = [part for name in ("h1.nc", "steady.nc", "no.nc") for part in ("--response", name)]
        wrong = ["--model", "nie-2026", "--kernel", "free", "-o", "h1.nc", "--energies", "1 GeV..1 TeV"]
        answer = call("sources", "two.toml", *files, *wrong)
        assert answer.exit_code == 2
        for text in ("no.nc: no such file", "another model than nie-2026", '"free" with --response', "is an input",
                     "2 files are of H1", "of the steady state", "the response covers"):  # fmt: skip
            assert text in " ".join(answer.stderr.split())
        assert "Traceback" not in answer.stderr
        assert sorted(folder.iterdir()) == before

    def test_the_model_of_a_response_stays(self, folder, stored, monkeypatch):
        monkeypatch.chdir(folder)
        answer = call(
            "sources", "two.toml", "--response", "h1.nc", "--set", "physics.halo.radius=15 kpc", "-o", "x.nc"
        )
        assert answer.exit_code == 2
        assert "cannot be changed" in answer.stderr
        assert not (folder / "x.nc").exists()
        answer = call("sources", "two.toml")
        assert answer.exit_code == 2
        assert "Missing option '--model' or '--response'" in answer.stderr

"""Sources on top of a result: sums, gradients, components; and every reason why two things do not add up."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

import cyldiff
from cyldiff.config.load import load_mapping
from cyldiff.errors import ConfigError, DataError
from cyldiff.observables.spectra import modulated_flux
from cyldiff.sources.catalogue_file import load_catalogue_mapping


def config(**more):
    """A solve of a moment, uniform D."""
    return load_mapping(
        {
            "schema": 1,
            "run": {"name": "tiny"},
            "grid": {
                "use": "fit-2d",
                "space": {"r": {"n": 8}, "z": {"n": 8}},
                "momentum": {"min": "10 GeV", "max": "10 PeV", "per_decade": 6},
            },
            "physics": {"use": "nie-2026", "reacceleration": {"kind": "none"}},
            "species": {"include": ["H1", "He4", "C12"]},
            "solver": {"tolerance": 1e-6, "grid_error": {"enabled": False}},
            **more,
        }
    )


@pytest.fixture(scope="module")
def result():
    return cyldiff.run(config())


@pytest.fixture(scope="module")
def two():
    """Two components on the grid."""
    raw = config().resolved["physics"]["sources"]["snr"]
    sources = {
        "snr": raw,
        "old": {
            **raw,
            "normalisation": {"kind": "luminosity", "power": "1e38 erg/s", "minimum_energy": "10 GeV"},
        },
    }
    return cyldiff.run(
        config(physics={"use": "nie-2026", "reacceleration": {"kind": "none"}, "sources": sources})
    )


@pytest.fixture(scope="module")
def sources(result):
    return cyldiff.source_fluxes("example", result)


def problems(result, sources):
    with pytest.raises(ConfigError) as caught:
        cyldiff.superpose(result, sources)
    return {p.key: p.message for p in caught.value.problems}


class TestSums:
    def test_intensities(self, result, sources):
        both = cyldiff.superpose(result, sources)
        for species in ("H1", "He4"):
            total = result["flux_lis"].sel(species=species) + sources["flux_lis_total"].sel(species=species)
            np.testing.assert_allclose(both["flux_lis"].sel(species=species), total, rtol=1e-12)
        np.testing.assert_array_equal(
            both["flux_lis"].sel(species="C12"), result["flux_lis"].sel(species="C12")
        )
        assert both["flux_lis"].dims == ("species", "kinetic_energy")

    def test_modulation(self, result, sources):
        both = cyldiff.superpose(result, sources)
        potential = result["flux_toa"].attrs["modulation_potential_GV"]
        assert potential == 0.55
        np.testing.assert_allclose(both["flux_toa"], modulated_flux(both, potential), rtol=1e-12)
        assert np.all(both["flux_toa"].sel(species="H1") > result["flux_toa"].sel(species="H1"))

    def test_gradients(self, result, sources):
        """Of n = sum n_i: grad ln n = sum n_i grad ln n_i / n; a 2-D grid has none along phi."""
        both = cyldiff.superpose(result, sources)
        assert list(both["direction"].values) == ["r", "phi", "z"]
        j, j_s = (d.sel(species="H1").values for d in (result["flux_lis"], sources["flux_lis_total"]))
        for direction in ("r", "phi", "z"):
            place = {"species": "H1", "direction": direction}
            mine = result["gradient_lis"].sel(place).values if direction != "phi" else 0.0
            expected = (j * mine + j_s * sources["gradient_lis_total"].sel(place).values) / (j + j_s)
            np.testing.assert_allclose(both["gradient_lis"].sel(place), expected, rtol=1e-10, atol=1e-14)

    def test_components(self, result, sources):
        both = cyldiff.superpose(result, sources)
        assert list(both["component"].values) == ["snr", "burst", "active", "flaring"]
        apart = both["flux_lis_component"]
        np.testing.assert_allclose(apart.sum("component"), both["flux_lis"], rtol=1e-12)
        slopes = (both["flux_lis_component"] * both["gradient_lis_component"]).sum("component") / both[
            "flux_lis"
        ]
        xr.testing.assert_allclose(
            slopes.transpose(*both["gradient_lis"].dims), both["gradient_lis"], rtol=1e-9
        )

    def test_several_components(self, two, sources):
        both = cyldiff.superpose(two, sources)
        assert list(both["component"].values) == ["snr", "old", "burst", "active", "flaring"]
        np.testing.assert_allclose(both["flux_lis_component"].sum("component"), both["flux_lis"], rtol=1e-6)

    def test_budget_by_component(self, result, sources):
        """Power above the lowest energy of the grid, of grid components and sources alike."""
        both = cyldiff.superpose(result, sources)
        power = dict(zip(both["component"].values, both["injected_power"].values, strict=True))
        assert power["snr"] == pytest.approx(result["injected_power"].item())
        assert power["burst"] == power["flaring"] == 0.0
        present = sources["present_power"].sel(source="active").sum().item()
        # of E^-2 to 10 PeV the part above 10 GeV per nucleon is about 14/16
        assert 0.8 * present < power["active"] < 0.92 * present

    def test_other_energies(self, result, sources):
        """Evaluated elsewhere and interpolated: what differs is the curvature between points."""
        elsewhere = cyldiff.source_fluxes("example", result, kinetic_energy=np.geomspace(5.0, 2e7, 130))
        one, other = cyldiff.superpose(result, sources), cyldiff.superpose(result, elsewhere)
        for name in ("burst", "active", "flaring"):
            a, b = (d["flux_lis_component"].sel(component=name, species="H1").values for d in (one, other))
            inside = a > 1e-30
            np.testing.assert_allclose(b[inside], a[inside], rtol=0.02)
        np.testing.assert_allclose(other["gradient_lis"], one["gradient_lis"], rtol=0.02, atol=1e-5)

    def test_a_second_catalogue(self, result, sources):
        more = cyldiff.source_fluxes("local-snr", result)
        both = cyldiff.superpose(cyldiff.superpose(result, sources), more)
        assert list(both["component"].values)[-1] == "local SNR"
        np.testing.assert_allclose(both["flux_lis_component"].sum("component"), both["flux_lis"], rtol=1e-12)
        said = json.loads(both.attrs["sources"])
        assert [one["catalogue_source"] for one in said] == ["example", "local-snr"]

    def test_observables_and_files(self, result, sources, tmp_path):
        both = cyldiff.superpose(result, sources)
        cyldiff.write_result(both, tmp_path / "both.nc")
        again = cyldiff.read_result(tmp_path / "both.nc")
        x = [100.0, 1e4]
        assert np.all(cyldiff.ratio(again, "H", "He", x=x) != cyldiff.ratio(result, "H", "He", x=x))
        assert again.attrs["config"] == result.attrs["config"]


class TestMaps:
    def test_dropped_without_the_sources(self, result, sources):
        assert "flux" in result
        assert "flux" not in cyldiff.superpose(result, sources)

    def test_on_the_mesh_of_the_result(self, result, sources):
        phi = np.array([np.pi, 2.0])
        mesh = {"r": result["r"].values, "phi": phi, "z": result["z"].values}
        flux = cyldiff.density_of_sources("example", result, **mesh)
        both = cyldiff.superpose(result, sources, flux=flux)["flux"]
        assert both.dims == ("species", "kinetic_energy", "r", "phi", "z")
        at = {"species": "He4", "r": mesh["r"][3], "z": mesh["z"][2]}
        expected = result["flux"].sel(at).values[:, None] + flux.sel(at).values
        np.testing.assert_allclose(both.sel(at), expected, rtol=1e-6)

    def test_another_mesh(self, result, sources):
        flux = cyldiff.density_of_sources("example", result, r=[1.0], phi=[0.0], z=[0.0])
        with pytest.raises(DataError, match="its r is not that of the result"):
            cyldiff.superpose(result, sources, flux=flux)


class TestRefused:
    def test_the_same_sources_twice(self, result, sources):
        found = problems(cyldiff.superpose(result, sources), sources)
        assert 'is the component "flaring" of the result already' in found["source"]

    def test_a_population_that_is_there(self, result, sources):
        named = sources.copy()
        named.attrs["population"] = "S N R"
        assert '"S N R" is the component "snr" of the result already' in problems(result, named)["population"]

    def test_another_model(self, result):
        other = cyldiff.source_fluxes(
            "local-snr", "example-plain-diffusion", kinetic_energy=result["kinetic_energy"].values
        )
        found = problems(result, other)
        assert found["physics.halo.half_height"] == 'is "5 kpc" of the sources, "4.5 kpc" of the result'
        assert "physics.diffusion.kind" in found
        assert "physics.observer.r" not in found

    def test_another_D(self, result):
        from cyldiff.sources.model import as_model

        model = as_model("nie-2026", overrides=["physics.diffusion.D0=4e28 cm^2/s"])
        other = cyldiff.source_fluxes("local-snr", model, kinetic_energy=result["kinetic_energy"].values)
        assert set(problems(result, other)) == {"physics.diffusion.D0"}

    def test_energies(self, result):
        short = cyldiff.source_fluxes("example", result, kinetic_energy=[1e3, 1e5])
        assert "the sources are known from 1000 to 100000 GeV/n" in problems(result, short)["kinetic_energy"]

    def test_species(self, result, sources):
        without = result.sel(species=["H1", "C12"])
        assert "He4 of the sources is not in the result" in problems(without, sources)["species"]

    def test_several_times(self, result, sources):
        assert "choose one" in problems(result.expand_dims(time=[1.0]), sources)["time"]

    def test_not_what_they_should_be(self, result, sources):
        found = problems(sources, result)
        assert "is missing in the sources" in found["source"]
        bare = result.copy()
        bare.attrs = {}
        assert "does not say with which model" in problems(bare, sources)["config"]

    def test_all_at_once(self, result):
        other = cyldiff.source_fluxes(
            load_catalogue_mapping(
                {
                    "schema": 1,
                    "source": [
                        {
                            "name": "S1", "position": ["-7 kpc", "1 kpc", "0 kpc"], "age": "1 Myr",
                            "history": {"kind": "burst", "energy": "1e50 erg"}, "species": {"Fe56": 1.0},
                            "spectrum": {"kind": "power-law", "index": 2.2, "cutoff": "5 PV"},
                        }
                    ],
                }
            ),
            "example-plain-diffusion",
            kinetic_energy=[1e3, 1e4],
        )  # fmt: skip
        assert {"species", "kinetic_energy", "physics.diffusion.kind"} <= set(problems(result, other))

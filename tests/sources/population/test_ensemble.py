"""Many realisations: the same on any number of processes, kept, gone on with, described."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from microquasars import SEA

import cyldiff
from cyldiff.errors import ConfigError, CyldiffError
from cyldiff.sources.population.ensemble import forget_batches, run_realisations

OUTPUT = ("output.realisations=true", "output.gradient=true", "output.brightest_at=1 PeV")


def test_processes_do_not_matter(population):
    """To the last bit, with batches that finish in any order."""
    loaded = population(*OUTPUT, "draw.realisations=120", "energies.per_decade=1")
    one, two = (cyldiff.population_fluxes(loaded, processes=n) for n in (1, 2))
    for name in one.variables:
        np.testing.assert_array_equal(one[name].values, two[name].values, err_msg=str(name))


def test_a_part_is_part_of_the_whole(population):
    loaded = [population(*OUTPUT, f"draw.realisations={n}") for n in (7, 60)]
    few, many = (cyldiff.population_fluxes(x, processes=1) for x in loaded)
    np.testing.assert_array_equal(few["flux_realisation"].values, many["flux_realisation"].values[:7])


def test_interrupted_and_continued(population, tmp_path):
    """Finished batches are read, not run again; more realisations go on where fewer ended."""
    folder = f"draw.checkpoint={tmp_path / 'kept'}"
    first = run_realisations(population(folder, "draw.realisations=50"), processes=1)
    files = {f: f.stat().st_mtime_ns for f in (tmp_path / "kept").iterdir()}
    assert len(files) == 2
    loaded = population(folder, "draw.realisations=60")
    second = run_realisations(loaded, processes=1)
    assert {f: f.stat().st_mtime_ns for f in files} == files
    np.testing.assert_array_equal(first["intensity"], second["intensity"][:50])
    plain = run_realisations(population("draw.realisations=60"), processes=1)
    np.testing.assert_array_equal(plain["intensity"], second["intensity"])
    forget_batches(loaded)
    assert not (tmp_path / "kept").exists()


def test_another_population_does_not_take_the_kept_ones(population, tmp_path):
    folder = f"draw.checkpoint={tmp_path / 'kept'}"
    a = run_realisations(population(folder, "draw.realisations=3"), processes=1)
    b = run_realisations(population(folder, "draw.realisations=3", "draw.seed=8"), processes=1)
    assert not np.array_equal(a["number"], b["number"])


def test_forgetting_leaves_other_files(population, tmp_path):
    kept = tmp_path / "kept"
    loaded = population(f"draw.checkpoint={kept}", "draw.realisations=3")
    run_realisations(loaded, processes=1)
    (kept / "mine.txt").write_text("mine")
    forget_batches(loaded)
    assert [f.name for f in kept.iterdir()] == ["mine.txt"]


@pytest.fixture(scope="module")
def result(population):
    return cyldiff.population_fluxes(
        population(*OUTPUT, SEA, "draw.realisations=40", "observers.ring={radius='8.5 kpc', n=6}"),
        processes=1,
    )


class TestDataset:
    def test_statistics_are_those_of_the_realisations(self, result):
        every = result["flux_realisation"]
        np.testing.assert_allclose(every.median("realisation"), result["flux_quantiles"].sel(quantile=0.5))
        np.testing.assert_allclose(every.min("realisation"), result["flux_minimum"])
        np.testing.assert_allclose(every.max("realisation"), result["flux_maximum"])
        np.testing.assert_allclose(every.mean("realisation"), result["flux_mean"])
        np.testing.assert_allclose(result["flux_lis"], every.isel(observer=0).median("realisation"))

    def test_dimensions(self, result):
        assert result["flux_quantiles"].dims == ("quantile", "observer", "species", "kinetic_energy")
        assert result["gradient_realisation"].dims == (
            "realisation",
            "species",
            "kinetic_energy",
            "direction",
        )
        assert list(result["direction"].values) == ["r", "phi", "z"]
        assert list(result["observer"].values[:2]) == ["Sun", "ring 0"]
        assert all("units" in result[name].attrs for name in result.data_vars)

    def test_the_first_of_the_ring_is_where_the_sun_is(self, result):
        np.testing.assert_allclose(result["flux_mean"][0], result["flux_mean"][1], rtol=1e-12)
        np.testing.assert_allclose(result["azimuth"], [0, 0, 60, 120, 180, 240, 300], atol=1e-9)

    def test_counts(self, result):
        assert result["number_excluded"].values.sum() > 0
        assert result["number_active"].values.mean() == pytest.approx(10.0, abs=2.0)
        active = result["number_active"].values > 0
        assert np.isfinite(result["nearest_active_distance"].values[active]).all()
        assert np.all(result["nearest_active_age"].values[active] < 0.1)
        assert np.all(result["brightest_share"].values <= 1.0)

    def test_attributes(self, result):
        a = result.attrs
        assert json.loads(a["seeds"]) == [7]
        assert a["selection"] == "no source younger than 0.5 Myr within 4 kpc of the Sun"
        assert a["selection_probability"] == pytest.approx(0.0169, abs=2e-4)
        assert "cyldiff_version" in a
        assert "flux_expected" in a["heavy_tail"]

    def test_it_runs_again_from_its_own_config(self, result):
        import tomllib

        from cyldiff.sources.population.load import load_population_mapping

        again = cyldiff.population_fluxes(
            load_population_mapping(tomllib.loads(result.attrs["config"])), processes=1
        )
        np.testing.assert_array_equal(again["flux_realisation"], result["flux_realisation"])

    def test_written_and_read(self, result, tmp_path):
        cyldiff.write_result(result, tmp_path / "p.nc")
        again = cyldiff.read_result(tmp_path / "p.nc")
        xr.testing.assert_equal(again, result)


def test_a_negative_number_is_no_realisation(population):
    with pytest.raises(CyldiffError, match="expected a number from 0 on"):
        cyldiff.draw_population(population(), -1)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("population.older_grid=galaxy-2d-corse",), 'did you mean "galaxy-2d-coarse"?'),
        (
            (
                "population.distribution={kind='spiral-arms', pattern='faucher-giguere-kaspi-2006', width='0.6 kpc',"
                " arm_fraction=0.9, axisymmetric={kind='lorimer-2006', vertical='plane'}}",
            ),
            "needs a 3-D grid",
        ),
    ],
)
def test_a_grid_that_does_not_do_is_refused_before_the_work(population, overrides, message):
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")) as error:
        cyldiff.population_fluxes(population("population.older=grid", *overrides), processes=1)
    assert all(p.key.startswith("population.older_grid") for p in error.value.problems)


def test_public_names(population):
    loaded = population()
    assert len(cyldiff.draw_population(loaded, 3)) > 800
    assert cyldiff.load_population("papers/kaci-2025/population").config.draw.seed == 2025

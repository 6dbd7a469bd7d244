"""A realisation as a catalogue file: TOML and ECSV, read back as the same sources."""

from __future__ import annotations

import numpy as np
import pytest
from microquasars import BURSTS

from cyldiff.errors import DataError
from cyldiff.sources.catalogue_file import load_catalogue
from cyldiff.sources.population.draw import PopulationDraw
from cyldiff.sources.population.export import catalogue_of, write_catalogue

SPREAD = ("population.index_spread=0.1", "population.normalisation=exact")


@pytest.mark.parametrize("suffix", [".toml", ".ecsv"])
@pytest.mark.parametrize(
    ("overrides", "without"), [((), ()), (SPREAD, ()), (BURSTS, ("lifetime", "luminosity"))]
)
def test_read_back(population, tmp_path, suffix, overrides, without):
    loaded = population(*overrides, without=without)
    one = PopulationDraw(loaded.config).realisation(4)
    path = tmp_path / f"sources{suffix}"
    write_catalogue(catalogue_of(loaded, one, younger_than=0.5), path)
    catalogue = load_catalogue(path)
    recent = one.age < 0.5
    assert len(catalogue) == recent.sum()
    assert catalogue.population == "microquasars"
    pieces = catalogue.segments(loaded.config.model.observer)
    np.testing.assert_allclose(pieces.position, one.position[recent], rtol=1e-14)
    np.testing.assert_allclose(pieces.oldest, one.age[recent], rtol=1e-14)
    np.testing.assert_allclose(pieces.energy, one.energy[recent], rtol=1e-12)
    np.testing.assert_allclose(pieces.youngest, one.segments().youngest[recent], rtol=1e-12, atol=1e-14)
    indices = [source.spectrum.index for source in catalogue.sources]
    np.testing.assert_allclose(indices, 2.0 + one.spectral_index[recent], rtol=1e-14)
    assert sorted(f.name for f in tmp_path.iterdir()) == [path.name]


def test_what_cannot_be_written(population, tmp_path):
    loaded = population()
    one = PopulationDraw(loaded.config).realisation(0)
    with pytest.raises(DataError, match=r"expected .toml or .ecsv"):
        write_catalogue(catalogue_of(loaded, one), tmp_path / "sources.csv")
    with pytest.raises(DataError, match="has no source"):
        write_catalogue(catalogue_of(loaded, one, younger_than=0.0), tmp_path / "sources.toml")
    with pytest.raises(DataError, match="cannot be written"):
        write_catalogue(catalogue_of(loaded, one, younger_than=0.5), tmp_path / "no" / "sources.toml")
    assert list(tmp_path.iterdir()) == []

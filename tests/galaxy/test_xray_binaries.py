"""Catalogues of X-ray binaries and the printed tables."""

from __future__ import annotations

import numpy as np
import pytest

import cyldiff
from cyldiff.errors import DataError
from cyldiff.galaxy.xray_binaries import (
    CATALOGUES,
    SOURCES,
    implied_rates,
    load_binaries,
    printed_densities,
    xrb_distribution,
)


class TestCatalogues:
    @pytest.mark.parametrize(
        ("name", "with_distance", "all_objects"), [("hmxb", 140, 172), ("lmxb", 291, 360)]
    )
    def test_counts(self, name, with_distance, all_objects):
        found = load_binaries(name)
        assert len(found) == with_distance
        assert found.in_catalogue == all_objects
        assert len(set(found.name)) == with_distance

    @pytest.mark.parametrize("name", CATALOGUES)
    def test_values_are_possible(self, name):
        found = load_binaries(name)
        assert (found.distance > 0.05).all()
        assert (found.distance < 50.0).all()
        assert ((found.longitude >= 0.0) & (found.longitude < 360.0)).all()
        assert (np.abs(found.latitude) <= 90.0).all()

    @pytest.mark.parametrize(
        ("catalogue", "name", "longitude", "latitude", "distance"),
        [
            # Simbad positions; distances of the catalogues
            ("hmxb", "SS 433", 39.694, -2.244, 6.806),
            ("hmxb", "Cyg X-1", 71.335, 3.067, 2.103),
            ("hmxb", "Cyg X-3", 79.845, 0.700, 7.4),
            ("lmxb", "V4641 Sgr", 6.774, -4.789, 4.6726),
            ("lmxb", "GRS 1915+105", 45.366, -0.219, 11.0),
        ],
    )
    def test_well_known_objects(self, catalogue, name, longitude, latitude, distance):
        found = load_binaries(catalogue)
        (i,) = np.flatnonzero(found.name == name)
        assert (found.longitude[i], found.latitude[i]) == pytest.approx((longitude, latitude), abs=0.005)
        assert found.distance[i] == distance

    @pytest.mark.parametrize("name", CATALOGUES)
    def test_positions_are_those_of_astropy(self, name):
        import astropy.units as u
        from astropy.coordinates import SkyCoord

        found = load_binaries(name)
        sky = SkyCoord(
            found.longitude * u.deg, found.latitude * u.deg, found.distance * u.kpc, frame="galactic"
        )
        x, y, _ = sky.cartesian.xyz.to_value(u.kpc)
        np.testing.assert_allclose(found.in_plane(8.5), np.stack([x - 8.5, y], axis=-1), atol=1e-10)

    def test_which_is_which(self):
        """Be stars and supergiants are high-mass donors, bursts and globular clusters low-mass systems."""
        assert sum("BE" in t or "SG" in t for t in load_binaries("hmxb").type) > 80
        assert not any("BE" in t.split(",") for t in load_binaries("lmxb").type)
        assert sum("GC" in t for t in load_binaries("lmxb").type) > 50

    def test_unknown(self):
        with pytest.raises(DataError, match='no catalogue "hmxbs"; known: hmxb, lmxb; did you mean "hmxb"'):
            load_binaries("hmxbs")


class TestPrintedTables:
    def test_they_are_those_of_the_cells(self):
        cells, table_1, table_2 = printed_densities()
        assert len(cells) == len(table_1) == len(table_2) == 65
        first = (cells.R == 8.5) & (cells.r == 0.0)
        assert (table_1[first], table_2[first]) == (6.06, 6.06)

    def test_implied_rates_of_exact_tables(self):
        cells, _, _ = printed_densities()
        exact = np.exp(0.3 * cells.r)
        c, low, high = implied_rates(cells, np.ones(65), exact)
        known = cells.r > 0.0
        np.testing.assert_allclose(c[known], 0.3)
        assert ((low < 0.3) & (high > 0.3))[known].all()
        assert np.isnan(c[~known]).all()


class TestDistribution:
    @pytest.mark.parametrize("source", SOURCES)
    def test_it_runs_and_reports(self, source):
        result = xrb_distribution(source)
        text = result.report()
        assert f"{result.selection.c:.4f}" in text
        assert len(result.rows.R) == 10
        assert set(result.fits) == {"plain", "means", "weighted"}
        if source.startswith("table"):
            assert result.kernel == "printed"
            assert not result.position
        else:
            assert "objects with a distance" in text

    def test_both_catalogues_together(self):
        whole, high, low = (xrb_distribution(s).apparent.value for s in ("catalogues", "hmxb", "lmxb"))
        np.testing.assert_allclose(whole, high + low, rtol=1e-12)

    def test_a_rate_of_one_s_own(self):
        result = xrb_distribution("table-1", c=0.2, c_error=0.01)
        np.testing.assert_allclose(
            result.corrected.value, result.apparent.value * np.exp(0.2 * result.cells.r)
        )
        assert result.c_error == 0.01

    def test_it_is_public(self):
        assert cyldiff.xrb_distribution is xrb_distribution

    def test_unknown(self):
        with pytest.raises(DataError, match=r'no source "table_1".*did you mean "table-1"'):
            xrb_distribution("table_1")

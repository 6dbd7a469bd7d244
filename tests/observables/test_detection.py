"""Sensitivity, extents and masks of a survey."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.integrate import quad

from cyldiff.errors import DataError
from cyldiff.galaxy.coordinates import equatorial_to_galactic, unit_vector
from cyldiff.observables.detection import (
    LATITUDE,
    ZENITH,
    Detection,
    exposure,
    extent_of,
    mask_discs,
    read_sensitivity,
)
from cyldiff.observables.regions import Region


def rule(**more):
    values = {"energy": "100 TeV", "sensitivity": "1e-14 erg cm^-2 s^-1", "point_spread": "0.3 deg", **more}
    return Detection.model_validate(values)


class TestSensitivity:
    def test_point_and_extended(self):
        """S_pt sqrt(1 + theta^2/theta_psf^2): of 0.4 deg with a spread of 0.3 deg it is 5/3 S_pt."""
        assert rule().threshold([0.0, 0.4], 90.0, 0.0) == pytest.approx([1e-14, 5.0 / 3.0 * 1e-14])

    def test_field_of_view(self):
        seen = rule(declination_min="-20 deg", declination_max="80 deg")
        lon, lat = equatorial_to_galactic([83.6, 83.6, 83.6, 83.6], [-20.1, -19.9, 79.9, 80.1])
        assert np.isfinite(seen.threshold(0.0, lon, lat)).tolist() == [False, True, True, False]

    def test_curve(self, tmp_path):
        file = tmp_path / "s.csv"
        file.write_text("# KM2A\nenergy,flux\n1e4,1e-13\n1e6,1e-15\n")
        by_curve = Detection.model_validate(
            {"energy": "100 TeV", "curve": str(file), "point_spread": "0.3 deg"}
        )
        assert by_curve.point_sensitivity() == pytest.approx(1e-14)  # a power law between the rows
        outside = by_curve.model_copy(update={"energy": 2e6})
        with pytest.raises(DataError, match="reaches from 10000 to 1e\\+06 GeV; expected 2e\\+06"):
            outside.point_sensitivity()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("energy,flux\n1e4,1e-13\n", "two rows at least"),
            ("energy,sens\n1,1\n2,2\n", "named so"),
            ("energy,flux\n1,x\n2,2\n", "not numbers only"),
            ("energy,flux\n2,1\n1,2\n", "increasing"),
            ("energy,flux\n1,-1\n2,2\n", "positive"),
        ],
    )
    def test_bad_curves(self, tmp_path, text, message):
        (tmp_path / "s.csv").write_text(text)
        with pytest.raises(DataError, match=message):
            read_sensitivity(tmp_path / "s.csv")

    def test_no_file(self, tmp_path):
        with pytest.raises(DataError, match="no such file"):
            read_sensitivity(tmp_path / "none.csv")

    def test_unknown_key(self):
        with pytest.raises(ValidationError):
            rule(point_spred="0.3 deg")


class TestExposure:
    def test_by_quadrature(self):
        """Time above the limit times cos(zenith), against direct quadrature over the hour angle."""

        def direct(dec):
            a, b = np.radians([LATITUDE, dec])

            def seen(h):
                c = np.sin(a) * np.sin(b) + np.cos(a) * np.cos(b) * np.cos(h)
                return c if c > np.cos(np.radians(ZENITH)) else 0.0

            return quad(seen, 0.0, np.pi, limit=400)[0]

        declinations = np.array([-15.0, 0.0, 22.0, 60.0, 75.0])
        expected = np.array([direct(d) for d in declinations])
        assert exposure(declinations) / exposure(22.0) == pytest.approx(expected / direct(22.0), rel=2e-3)

    def test_nothing_below_the_limit(self):
        assert exposure([LATITUDE - ZENITH - 0.1, LATITUDE + ZENITH + 0.1]) == pytest.approx([0.0, 0.0])
        assert exposure(np.linspace(-90, 90, 181)).max() == pytest.approx(1.0, rel=1e-3)

    def test_raises_the_threshold(self):
        lon, lat = equatorial_to_galactic([100.0, 100.0], [29.0, -10.0])
        high, low = rule(exposure="transit").threshold(0.0, lon, lat)
        assert low / high == pytest.approx(float(exposure(29.0) / exposure(-10.0)))
        assert low > 2.0 * high


HOW = {"diffusion_length": 0.1, "distance": 2.0}


class TestExtent:
    #: a disc of 2 deg of uniform brightness: F(< theta) = theta^2 / 4
    ANGLE = np.sqrt((np.arange(20000) + 0.5) / 20000) * 2.0
    WEIGHT = np.full(20000, 1.0 / 20000)

    def test_containment(self):
        found = extent_of(rule(), self.ANGLE[::-1], self.WEIGHT, **HOW)
        assert found.radius == pytest.approx(2.0 * np.sqrt(0.68), rel=1e-3)
        assert found.flux == pytest.approx(1.0)

    def test_diffusion_length(self):
        found = extent_of(rule(extent="diffusion"), self.ANGLE, self.WEIGHT, **HOW)
        assert found.radius == pytest.approx(np.degrees(np.arctan(0.05)))

    def test_best_is_all_of_a_disc(self):
        """theta^2 / sqrt(1 + theta^2/psf^2) grows: the best radius is the rim."""
        found = extent_of(rule(extent="best"), self.ANGLE, self.WEIGHT, **HOW)
        assert found.radius == pytest.approx(2.0, rel=1e-3)

    def test_best_is_the_core_of_a_halo(self):
        """A point with a faint wide halo is best seen as a point."""
        angle, weight = np.append(0.0, self.ANGLE), np.append(1.0, 0.1 * self.WEIGHT)
        found = extent_of(rule(extent="best"), angle, weight, **HOW)
        assert found.radius == 0.0
        assert found.flux == pytest.approx(1.0)


class TestMask:
    def test_radius_and_solid_angle(self):
        """n sqrt(0.4^2 + 0.3^2) = 1.25 deg; the region loses 2 pi (1 - cos r)."""
        discs = mask_discs(rule(), np.array([60.0]), np.array([1.0]), np.array([0.4]))
        assert discs[0].radius == pytest.approx(1.25)
        region = Region("box", (15.0, 125.0), (-5.0, 5.0))
        cap = 2.0 * np.pi * (1.0 - np.cos(np.radians(1.25)))
        assert region.solid_angle - region.without(discs).solid_angle == pytest.approx(cap, rel=3e-3)

    def test_outside_is_not_hidden(self):
        discs = mask_discs(rule(), np.array([60.0]), np.array([0.0]), np.array([0.4]))
        lon = np.array([60.0, 61.2, 61.3])
        region = Region("box", (15.0, 125.0), (-5.0, 5.0), discs)
        assert region.contains(lon, np.zeros(3)).tolist() == [False, False, True]
        assert unit_vector(60.0, 0.0) @ unit_vector(61.3, 0.0) < np.cos(np.radians(1.25))

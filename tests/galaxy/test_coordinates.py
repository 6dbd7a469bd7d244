"""One frame: against astropy over the whole sky, round trips, and the places of the papers' sources."""

from __future__ import annotations

from types import SimpleNamespace

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import FK5, ICRS, Galactic, Galactocentric, SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from cyldiff.galaxy.coordinates import (
    angles,
    equatorial_to_galactic,
    from_sun,
    galactic_to_equatorial,
    seen_from_sun,
    unit_vector,
)

SUN = SimpleNamespace(r=8.5, z=0.0)
LONGITUDE, LATITUDE = st.floats(0.0, 360.0), st.floats(-90.0, 90.0)
#: [deg]; the pole and the node are given to 1e-5 deg
ROUNDED = 5e-6
LENGTH = st.floats(0.01, 30.0)


def apart(one, other):
    """Angle between two directions given by (longitude, latitude) [deg]."""
    a, b = unit_vector(*one), unit_vector(*other)
    return np.degrees(2.0 * np.arcsin(0.5 * np.sqrt(np.sum((a - b) ** 2, axis=-1))))


class TestAgainstAstropy:
    @given(LONGITUDE, LATITUDE)
    def test_galactic_of_equatorial(self, ra, dec):
        """To the half of 1e-5 deg that the constants are rounded to; FK5 and ICRS are 0.02 arcsec apart."""
        mine = equatorial_to_galactic(ra, dec)
        for frame, limit in ((FK5(equinox="J2000"), ROUNDED), (ICRS(), ROUNDED + 0.025 / 3600.0)):
            theirs = SkyCoord(ra * u.deg, dec * u.deg, frame=frame).galactic
            assert apart(mine, (theirs.l.deg, theirs.b.deg)) < limit

    @given(LONGITUDE, LATITUDE)
    def test_equatorial_of_galactic(self, lon, lat):
        theirs = SkyCoord(lon * u.deg, lat * u.deg, frame=Galactic()).transform_to(FK5(equinox="J2000"))
        assert apart(galactic_to_equatorial(lon, lat), (theirs.ra.deg, theirs.dec.deg)) < ROUNDED

    @given(LONGITUDE, LATITUDE, LENGTH)
    def test_galactocentric(self, lon, lat, distance):
        """A Galactocentric frame whose centre is at l = b = 0 and whose Sun is in the plane is ours."""
        center = SkyCoord(0.0 * u.deg, 0.0 * u.deg, frame=Galactic()).icrs
        frame = Galactocentric(galcen_coord=center, galcen_distance=SUN.r * u.kpc, z_sun=0.0 * u.kpc)
        theirs = SkyCoord(lon * u.deg, lat * u.deg, distance * u.kpc, frame=Galactic()).transform_to(frame)
        mine = from_sun(lon, lat, distance, SUN)
        # astropy's roll about the line to the centre has 7 digits
        np.testing.assert_allclose(mine, theirs.cartesian.xyz.to_value(u.kpc), atol=2e-6 * distance)


class TestRoundTrips:
    @given(LONGITUDE, LATITUDE)
    def test_equatorial(self, ra, dec):
        assert apart(galactic_to_equatorial(*equatorial_to_galactic(ra, dec)), (ra, dec)) < 1e-12

    @given(LONGITUDE, LATITUDE, LENGTH, st.floats(0.0, 20.0), st.floats(-0.1, 0.1))
    def test_seen_from_where_it_is(self, lon, lat, distance, r_sun, z_sun):
        sun = SimpleNamespace(r=r_sun, z=z_sun)
        l_back, b_back, d_back = seen_from_sun(from_sun(lon, lat, distance, sun), sun)
        assert d_back == pytest.approx(distance, rel=1e-12, abs=1e-13)
        assert apart((l_back, b_back), (lon, lat)) < 1e-10

    @given(LONGITUDE, LATITUDE)
    def test_angles(self, lon, lat):
        assert apart(angles(unit_vector(lon, lat)), (lon, lat)) < 1e-12

    def test_arrays(self):
        lon, lat = np.linspace(0.0, 350.0, 12).reshape(3, 4), np.linspace(-80.0, 80.0, 4)
        assert from_sun(lon, lat, 2.0, SUN).shape == (3, 4, 3)
        np.testing.assert_allclose(seen_from_sun(from_sun(lon, lat, 2.0, SUN), SUN)[2], 2.0)


class TestConvention:
    def test_the_sun(self):
        np.testing.assert_allclose(from_sun(0.0, 0.0, 8.5, SUN), [0.0, 0.0, 0.0], atol=1e-15)
        np.testing.assert_allclose(from_sun(90.0, 0.0, 1.0, SUN), [-8.5, 1.0, 0.0], atol=1e-15)
        np.testing.assert_allclose(
            from_sun(0.0, 90.0, 1.0, SimpleNamespace(r=8.0, z=0.02)), [-8.0, 0.0, 1.02], atol=1e-15
        )

    def test_centre_and_anticentre(self):
        """RA 17.76 h and 5.76 h."""
        np.testing.assert_allclose(galactic_to_equatorial(0.0, 0.0), (266.405, -28.936), atol=5e-4)
        np.testing.assert_allclose(galactic_to_equatorial(180.0, 0.0), (86.405, 28.936), atol=5e-4)

    @pytest.mark.parametrize(
        ("ra", "dec", "distance", "galactic", "place"),
        [
            (287.89, 5.22, 4.6, (39.87, -2.08), (-4.97, 2.95, -0.17)),
            (274.82, -25.68, 6.2, (6.52, -4.90), (-2.36, 0.70, -0.53)),
            (288.63, 10.83, 9.4, (45.19, -0.13), (-1.87, 6.67, -0.02)),
            (275.20, 7.43, 2.96, (36.12, 10.17), (-6.15, 1.72, 0.52)),
            (299.48, 35.37, 2.2, (71.43, 3.23), (-7.80, 2.08, 0.12)),
        ],
        ids=["SS 433", "V4641 Sgr", "GRS 1915+105", "MAXI J1820+070", "Cygnus X-1"],
    )
    def test_places_of_microquasars(self, ra, dec, distance, galactic, place):
        """LHAASO centroids, arXiv:2410.08988, to the digits of an independent table."""
        lon, lat = equatorial_to_galactic(ra, dec)
        np.testing.assert_allclose((lon, lat), galactic, atol=0.00501)
        np.testing.assert_allclose(from_sun(lon, lat, distance, SUN), place, atol=0.00501)

    def test_local_remnant(self):
        """RA 4h00m, Dec +24d30', 0.3 kpc (Yue et al. 2025)."""
        lon, lat = equatorial_to_galactic(60.0, 24.5)
        np.testing.assert_allclose((lon, lat), (168.6, -21.2), atol=0.0501)
        np.testing.assert_allclose(from_sun(lon, lat, 0.3, SUN), (-8.77, 0.06, -0.11), atol=0.00501)

    def test_candidate_of_the_knee(self):
        """l = 337.4, b = 0 (Nie et al. 2026) is RA 249.3, Dec -47.2: 22.6 deg from the Galactic centre."""
        ra, dec = galactic_to_equatorial(337.4, 0.0)
        np.testing.assert_allclose((ra, dec), (249.3, -47.2), atol=0.0501)
        assert np.cos(np.radians(dec)) == pytest.approx(0.68, abs=0.005)

"""The dipole from gradients, and what arrays see of it: closed formulas, printed values, invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import dblquad

from cyldiff import constants as const
from cyldiff.errors import DataError
from cyldiff.galaxy.coordinates import (
    angles,
    equatorial_vector,
    from_sun,
    galactic_to_equatorial,
    unit_vector,
)
from cyldiff.observables.dipole import (
    along_sun,
    band_factor,
    diffusive_dipole,
    equatorial_projection,
    first_harmonic,
    streaming_dipole,
)
from cyldiff.sources.greens_function import burst, continuous


class _Sun:
    r, z = 8.5, 0.0


SUN = np.array([-8.5, 0.0, 0.0])
KM_S = 1e5 * const.MYR_S / const.KPC_CM
vectors = st.tuples(*[st.floats(-1.0, 1.0)] * 3).map(np.array).filter(lambda v: np.linalg.norm(v) > 1e-3)


def of_burst(longitude, latitude, distance, age, D=1.0, **halo):
    place = from_sun(longitude, latitude, distance, _Sun())
    density, gradient = burst(SUN, place, diffusion=D, age=age, **halo)
    return diffusive_dipole(gradient / density[..., None], D, 1.0)


class TestPrintedValues:
    """Numbers given for the anisotropy, to 1 % or the digits printed."""

    @pytest.mark.parametrize("D", [0.01, 1.0, 30.0])
    @pytest.mark.parametrize(("distance", "age", "value"), [(2.64, 4.82, 2.68e-3), (0.3, 0.3, 4.89e-3)])
    def test_a_burst_is_3_d_over_2_c_t_whatever_the_energy(self, distance, age, value, D):
        size = float(np.linalg.norm(of_burst(337.4, 0.0, distance, age, D=D)))
        assert size == pytest.approx(1.5 * distance / (const.SPEED_OF_LIGHT * age), rel=1e-12)
        assert size == pytest.approx(value, rel=2e-3)

    def test_it_points_to_the_source(self):
        vector = of_burst(337.4, 0.0, 2.64, 4.82)
        amplitude, phase, declination = equatorial_projection(vector)
        longitude, latitude = angles(vector)
        assert longitude == pytest.approx(337.4)
        assert latitude == pytest.approx(0.0, abs=1e-9)
        assert phase == pytest.approx(249.3, abs=0.05)
        assert phase / 15.0 == pytest.approx(16.6, abs=0.05)
        assert declination == pytest.approx(-47.2, abs=0.05)
        assert np.cos(np.radians(declination)) == pytest.approx(0.68, abs=0.005)
        assert amplitude == pytest.approx(1.82e-3, rel=2e-3)

    def test_the_nearby_remnant(self):
        """RA 4h00m, Dec +24d30m is l = 168.6, b = -21.2: there and back."""
        amplitude, phase, declination = equatorial_projection(of_burst(168.6, -21.2, 0.3, 0.3))
        assert phase == pytest.approx(60.0, abs=0.1)
        assert declination == pytest.approx(24.5, abs=0.1)
        assert amplitude == pytest.approx(4.89e-3 * np.cos(np.radians(24.5)), rel=2e-3)

    @pytest.mark.parametrize("age", [1e3, np.inf])
    def test_a_steady_source_is_3_D_over_c_d(self, age):
        """Uniform D; 3 D / c d far below the age at which the surroundings are filled."""
        D, distance = 2.0, 0.4
        density, gradient = continuous(SUN, from_sun(30.0, 10.0, distance, _Sun()), diffusion=D, duration=age)
        dipole = diffusive_dipole(gradient / density, D, 1.0)
        expected = 3.0 * D / (const.SPEED_OF_LIGHT * distance) * unit_vector(30.0, 10.0)
        np.testing.assert_allclose(dipole, expected, rtol=1e-2 if np.isfinite(age) else 1e-12)

    @pytest.mark.parametrize(("speed", "value"), [(20.0, 3.1e-4), (25.0, 3.9e-4)])
    def test_compton_getting(self, speed, value):
        apex = unit_vector(48.0, 24.0)
        dipole = streaming_dipole(speed * KM_S * apex, -2.7, 1.0)
        np.testing.assert_allclose(dipole, 4.7 * speed / 299792.458 * apex, rtol=1e-12)
        assert np.linalg.norm(dipole) == pytest.approx(value, abs=0.05e-4)  # the digits printed

    @pytest.mark.parametrize(
        ("direction", "phase", "declination"), [(0.0, 266.405, -28.936), (180.0, 86.405, 28.936)]
    )
    def test_centre_and_anticentre(self, direction, phase, declination):
        _, found, dec = equatorial_projection(unit_vector(direction, 0.0))
        assert found == pytest.approx(phase, abs=1e-3)
        assert dec == pytest.approx(declination, abs=1e-3)


class TestFrames:
    def test_axes_of_the_cylinder_at_the_sun(self):
        """Outwards is l = 180, growing phi is l = 270, up is b = 90."""
        for axis, (longitude, latitude) in {"r": (180.0, 0.0), "phi": (270.0, 0.0), "z": (0.0, 90.0)}.items():
            np.testing.assert_allclose(
                along_sun([1.0], (axis,)), unit_vector(longitude, latitude), atol=1e-15
            )
        np.testing.assert_allclose(along_sun([2.0, 3.0], ("r", "z")), [-2.0, 0.0, 3.0])
        with pytest.raises(DataError, match="directions theta unknown; known: r, phi, z"):
            along_sun([1.0], ("theta",))

    def test_equatorial_vectors_against_astropy(self):
        from astropy import units as u
        from astropy.coordinates import SkyCoord

        longitude, latitude = np.meshgrid(np.arange(0.0, 360.0, 30.0), [-80.0, -10.0, 45.0])
        icrs = SkyCoord(l=longitude * u.deg, b=latitude * u.deg, frame="galactic").fk5
        expected = unit_vector(icrs.ra.deg, icrs.dec.deg)
        np.testing.assert_allclose(equatorial_vector(unit_vector(longitude, latitude)), expected, atol=2e-6)

    @given(vectors, st.floats(1e-6, 1e3))
    def test_rotation_keeps_the_length_and_the_projection_is_that_of_the_direction(self, vector, size):
        turned = equatorial_vector(size * vector)
        length = size * np.linalg.norm(vector)
        assert np.linalg.norm(turned) == pytest.approx(length, rel=1e-12)
        amplitude, phase, declination = equatorial_projection(size * vector)
        ra, dec = galactic_to_equatorial(*angles(vector))
        assert amplitude == pytest.approx(length * np.cos(np.radians(dec)), rel=1e-9, abs=1e-12 * length)
        assert declination == pytest.approx(dec, abs=1e-7)
        if amplitude > 1e-6 * length:
            assert 0.0 <= phase < 360.0
            assert (phase - ra + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=1e-6)

    @given(vectors, vectors, st.floats(-3.0, 3.0))
    def test_dipoles_add_as_vectors(self, one, other, factor):
        sum_of = equatorial_vector(one + factor * other)
        np.testing.assert_allclose(
            sum_of, equatorial_vector(one) + factor * equatorial_vector(other), atol=1e-14
        )

    @given(vectors, st.floats(0.0, 360.0))
    def test_turning_the_sky_about_the_axis_of_the_earth_moves_the_phase_only(self, vector, angle):
        before = equatorial_projection(vector)
        a = np.radians(angle)
        turn = np.array([[np.cos(a), -np.sin(a), 0.0], [np.sin(a), np.cos(a), 0.0], [0.0, 0.0, 1.0]])
        rotation = equatorial_vector(np.eye(3))  # rows: images of the Galactic axes
        after = equatorial_projection(turn @ equatorial_vector(vector) @ rotation.T)
        assert after[0] == pytest.approx(before[0], abs=1e-12)
        assert after[2] == pytest.approx(before[2], abs=1e-6)
        if before[0] > 1e-6:
            difference = after[1] - before[1] - angle
            assert (difference + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=1e-5)

    def test_no_dipole_has_no_phase(self):
        amplitude, phase, declination = equatorial_projection(np.zeros((2, 3)))
        assert amplitude.tolist() == [0.0, 0.0]
        assert np.isnan(phase).all()
        assert np.isnan(declination).all()

    def test_the_phase_is_below_360(self):
        """A right ascension a rounding below 0 is 0, not 360."""
        towards = equatorial_vector(np.eye(3)) @ np.array([1.0, -1e-18, 0.0])
        _, phase, _ = equatorial_projection(towards)
        assert 0.0 <= phase < 360.0


class TestTensor:
    def test_anisotropic_diffusion_turns_the_dipole_towards_the_field(self):
        """D_perp << D_par along phi: the excess lies along the field whatever the gradient is."""
        gradient = np.array([0.3, 0.1, -0.2])
        isotropic = along_sun(diffusive_dipole(gradient, [1.0, 1.0, 1.0], 1.0), ("r", "phi", "z"))
        turned = along_sun(diffusive_dipole(gradient, [1e-3, 1.0, 1e-3], 1.0), ("r", "phi", "z"))
        along = np.array([0.0, -1.0, 0.0])
        assert np.dot(isotropic, along) / np.linalg.norm(isotropic) < 0.3
        assert np.dot(turned, along) / np.linalg.norm(turned) > 0.9999

    def test_slower_particles_have_a_larger_dipole(self):
        ratio = diffusive_dipole([0.1], [1.0], 0.5) / diffusive_dipole([0.1], [1.0], 1.0)
        assert ratio == pytest.approx(2.0)

    def test_a_wind_is_seen_from_where_it_comes(self):
        """Particles swept upwards arrive from below: against the velocity."""
        upwards = np.array([0.0, 0.0, 15.0 * KM_S])
        _, latitude = angles(-streaming_dipole(upwards, -2.7, 1.0))
        assert latitude == pytest.approx(-90.0)


class TestBand:
    @pytest.mark.parametrize("band", [(-20.0, 60.0), (-90.0, -25.0), (-90.0, 90.0)])
    def test_means_over_a_band(self, band):
        a, b = np.radians(band)
        solid = dblquad(lambda d, _: np.cos(d), 0.0, 1.0, a, b)[0]
        cosine = dblquad(lambda d, _: np.cos(d) ** 2, 0.0, 1.0, a, b)[0] / solid
        sine = dblquad(lambda d, _: np.cos(d) * np.sin(d), 0.0, 1.0, a, b)[0] / solid
        np.testing.assert_allclose(band_factor(*band), [cosine, sine], rtol=1e-10, atol=1e-14)

    @pytest.mark.parametrize("band", [(-20.0, 60.0), (-90.0, -25.0)])
    def test_harmonic_of_counts(self, band):
        """Directly: counts of 1 + delta . n from the band, analysed in right ascension."""
        delta = np.array([0.03, -0.05, 0.2])  # equatorial frame, large enough to see the denominator
        ra = np.radians(np.arange(0.0, 360.0, 2.0))
        nodes, weights = np.polynomial.legendre.leggauss(20)
        a, b = np.radians(band)
        dec = 0.5 * (a + b) + 0.5 * (b - a) * nodes
        seen = unit_vector(np.degrees(ra)[:, None], np.degrees(dec)[None, :]) @ delta
        counts = ((1.0 + seen) * np.cos(dec) * weights).sum(axis=1)
        harmonic = 2.0 * np.abs(np.sum(counts * np.exp(1j * ra))) / np.sum(counts)
        found = first_harmonic(np.hypot(delta[0], delta[1]), delta[2], band)
        assert found == pytest.approx(harmonic, rel=1e-8)

    @pytest.mark.parametrize("band", [(10.0, 10.0), (20.0, -20.0), (-91.0, 0.0), (0.0, np.nan)])
    def test_no_band(self, band):
        with pytest.raises(DataError, match=r"expected -90 <= low < high <= 90"):
            band_factor(*band)

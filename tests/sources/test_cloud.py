"""Mean density in a sphere beside a source."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erfc

from cyldiff.sources.cloud import mean_in_sphere

D = np.array([0.01, 0.1, 1.0])


def points_in_sphere(number, radius, separation):
    rng = np.random.default_rng(3)
    v = rng.standard_normal((number, 3))
    v *= (radius * rng.random(number) ** (1.0 / 3.0) / np.linalg.norm(v, axis=1))[:, None]
    return v + np.array([separation, 0.0, 0.0])


@pytest.mark.parametrize("separation", [0.0, 0.01, 0.02, 0.05, 0.1])
def test_average_of_drawn_points(separation):
    age, radius = 0.02, 0.02
    d = np.linalg.norm(points_in_sphere(400_000, radius, separation), axis=1)
    values = erfc(d / np.sqrt(4.0 * D[:, None] * age)) / (4.0 * np.pi * D[:, None] * d)
    found = mean_in_sphere(separation=separation, radius=radius, diffusion=D, age=age)
    # a few points near the source carry much of the mean
    error = np.std(values, axis=1) / np.sqrt(values.shape[1])
    assert (np.abs(found - values.mean(axis=1)) < 4.0 * error + 1e-12).all()


def test_around_the_source_itself():
    """Centred on the source the mean is a radial integral."""
    found = mean_in_sphere(separation=0.0, radius=0.02, diffusion=[1.0], age=0.02)
    expected = quad(lambda d: 3.0 * d / 0.02**3 * erfc(d / np.sqrt(0.08)) / (4.0 * np.pi), 0.0, 0.02)[0]
    assert found[0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("separation", [0.03, 0.1])
def test_steady_state_outside_is_the_value_at_the_centre(separation):
    """1/d is harmonic: its mean over a sphere that does not hold the source is that of the centre."""
    found = mean_in_sphere(separation=separation, radius=0.02, diffusion=D, age=1e9)
    np.testing.assert_allclose(found, 1.0 / (4.0 * np.pi * D * separation), rtol=1e-4)


def test_a_source_that_ended():
    """On for ten of twenty kyr: what began 20 kyr ago less what would have begun 10 kyr ago."""
    arguments = {"separation": 0.1, "radius": 0.02, "diffusion": D}
    found = mean_in_sphere(**arguments, age=0.02, duration=0.01)
    expected = mean_in_sphere(**arguments, age=0.02) - mean_in_sphere(**arguments, age=0.01)
    np.testing.assert_allclose(found, expected, rtol=1e-9)

"""Green's functions of uniform diffusion: printed values, limits, quadrature, gradients."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erfc

from cyldiff.sources.greens_function import burst, continuous, finite_life, vertical_kernel, vertical_share

H = 4.0
HERE, THERE = np.array([1.0, 0.5, 0.3]), np.array([0.0, 0.2, -0.1])


@pytest.mark.parametrize(
    ("z", "z_source", "spread", "value"),
    [
        (0.0, 0.0, 0.5, 0.3989422804),
        (0.0, 0.1, 4.0, 0.1357699439),
        (1.0, -0.5, 16.0, 0.0192075293),
        (0.0, 0.3, 40.0, 5.1996306e-4),
    ],
)
def test_vertical_kernel(z, z_source, spread, value):
    """Independent values, to the digits given."""
    assert vertical_kernel(z, z_source, spread, H)[0] == pytest.approx(value, rel=1e-8, abs=1e-10)


def test_halo_takes_particles_away():
    """Relative to free space at the source, for D t / H^2 = 0.1, 0.5, 1, 2, 5."""
    spread = H**2 * np.array([0.1, 0.5, 1.0, 2.0, 5.0])
    relative = vertical_kernel(0.0, 0.0, spread, H)[0] * np.sqrt(4.0 * np.pi * spread)
    np.testing.assert_allclose(relative, [0.99991, 0.7300, 0.3006, 0.0361, 3.5e-5], rtol=7e-3)


@pytest.mark.parametrize("z_source", [0.0, -1.3, 3.5])
def test_images_and_sines_meet(z_source):
    """Value, slope and content are continuous where the series change."""
    z = np.linspace(-H, H, 41)
    change = 0.5 * H**2
    for here, there in zip(
        vertical_kernel(z, z_source, change * (1 - 1e-13), H),
        vertical_kernel(z, z_source, change * (1 + 1e-13), H),
        strict=True,
    ):
        np.testing.assert_allclose(here, there, atol=1e-14)
    np.testing.assert_allclose(vertical_kernel(np.array([-H, H]), z_source, 3.0, H)[0], 0.0, atol=1e-15)


@pytest.mark.parametrize("spread", [0.3, 7.0, 9.0, 50.0])
def test_content(spread):
    total, _ = quad(
        lambda z: float(vertical_kernel(z, 0.7, spread, H)[0]), -H, H, points=[0.7], epsabs=0.0, epsrel=1e-11
    )
    assert vertical_share(0.7, spread, H) == pytest.approx(total, rel=1e-9)


def test_free_burst_holds_one_particle():
    n = lambda d: float(burst([d, 0.0, 0.0], [0.0, 0.0, 0.0], diffusion=0.3, age=2.0)[0])  # noqa: E731
    assert quad(lambda d: 4.0 * np.pi * d * d * n(d), 0.0, np.inf)[0] == pytest.approx(1.0, rel=1e-9)


def test_burst_in_a_high_halo_is_free():
    free = burst(HERE, THERE, diffusion=0.3, age=2.0)
    halo = burst(HERE, THERE, diffusion=0.3, age=2.0, half_height=100.0)
    for a, b in zip(free, halo, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_nothing_before_it_happens():
    density, gradient = burst(HERE, THERE, diffusion=1.0, age=np.array([-1.0, 0.0, 1.0]))
    assert np.all(density[:2] == 0.0)
    assert np.all(gradient[:2] == 0.0)
    assert density[2] > 0.0


def test_free_continuous_source():
    d = np.array([0.5, 1.0, 3.0])
    density, _ = continuous(d[:, None] * [0.0, 0.6, 0.8], np.zeros(3), diffusion=0.5, duration=4.0)
    np.testing.assert_allclose(density, erfc(d / np.sqrt(8.0)) / (2.0 * np.pi * d), rtol=1e-13)
    # int_0^3 (4 pi t)^(-3/2) exp(-1/4t) dt
    assert continuous([1.0, 0.0, 0.0], [0.0] * 3, diffusion=1.0, duration=3.0)[0] == pytest.approx(
        0.0543587, rel=1e-5
    )


@pytest.mark.parametrize("half_height", [None, H])
@pytest.mark.parametrize(
    ("age", "duration"), [(3.0, 3.0), (1.5, 1.0), (50.0, 50.0), (50.0, 2.0), (50.0, 45.0)]
)
def test_long_life_is_the_sum_of_bursts(half_height, age, duration):
    D = 0.7
    density, _ = finite_life(HERE, THERE, diffusion=D, age=age, duration=duration, half_height=half_height)
    n = lambda t: float(burst(HERE, THERE, diffusion=D, age=t, half_height=half_height)[0])  # noqa: E731
    edges = np.geomspace(max(age - duration, 0.01), age, 9)
    edges[0] = age - duration
    parts = [quad(n, a, b, epsabs=0.0, epsrel=1e-11)[0] for a, b in pairwise(edges)]
    assert density == pytest.approx(sum(parts), rel=1e-9)


@pytest.mark.parametrize("half_height", [None, H])
@pytest.mark.parametrize(
    "function",
    [
        lambda x, h: burst(x, THERE, diffusion=0.7, age=3.0, half_height=h),
        lambda x, h: burst(x, THERE, diffusion=0.7, age=30.0, half_height=h),
        lambda x, h: continuous(x, THERE, diffusion=0.7, duration=3.0, half_height=h),
        lambda x, h: continuous(x, THERE, diffusion=0.7, duration=np.inf, half_height=h),
        lambda x, h: finite_life(x, THERE, diffusion=0.7, age=30.0, duration=10.0, half_height=h),
    ],
)
def test_gradient(function, half_height):
    step = 1e-4
    numerical = [
        (function(HERE + step * e, half_height)[0] - function(HERE - step * e, half_height)[0]) / (2.0 * step)
        for e in np.eye(3)
    ]
    gradient = function(HERE, half_height)[1]
    np.testing.assert_allclose(gradient, numerical, atol=1e-6 * np.abs(gradient).max())


def test_steady_source_in_the_halo():
    """Close to it 1/(4 pi D d); averaged over the plane, the slab: int n dA = (H - |z|) / 2 D."""
    near = np.array([0.01, 0.0, 0.0])
    assert continuous(near, np.zeros(3), diffusion=0.5, duration=np.inf, half_height=H)[0] == pytest.approx(
        1.0 / (4.0 * np.pi * 0.5 * 0.01), rel=5e-3
    )
    z = 1.2

    def ring(rho):
        n, _ = continuous([rho, 0.0, z], np.zeros(3), diffusion=0.5, duration=np.inf, half_height=H)
        return 2.0 * np.pi * rho * float(n)

    assert quad(ring, 0.0, 60.0, limit=200)[0] == pytest.approx((H - z) / (2.0 * 0.5), rel=1e-7)


def test_dipole_of_a_burst():
    """|grad n| / n = d / (2 D t): the dipole 3 d / (2 c t) does not depend on D."""
    for D in (0.1, 2.0):
        n, gradient = burst(HERE, THERE, diffusion=D, age=3.0)
        assert D * np.linalg.norm(gradient) / n == pytest.approx(
            np.linalg.norm(HERE - THERE) / 6.0, rel=1e-12
        )
        assert np.dot(gradient, THERE - HERE) > 0.0


def test_arrays_broadcast():
    places = np.random.default_rng(1).normal(size=(5, 1, 3))
    D = np.array([0.3, 0.5])
    density, gradient = continuous(places, np.zeros(3), diffusion=D, duration=3.0, half_height=H)
    assert density.shape == (5, 2)
    assert gradient.shape == (5, 2, 3)
    one, slope = continuous(places[3, 0], np.zeros(3), diffusion=0.5, duration=3.0, half_height=H)
    np.testing.assert_allclose(density[3, 1], one, rtol=1e-14)
    np.testing.assert_allclose(gradient[3, 1], slope, rtol=1e-14)

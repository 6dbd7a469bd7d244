"""Sums over pieces of source histories: against scalar kernels, printed dipoles, survival, causality, the edge."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import exp1, jn_zeros, jv

from cyldiff import constants as const
from cyldiff.errors import GridError
from cyldiff.sources import kernels
from cyldiff.sources.edge import bessel_zeros, cylinder_modes
from cyldiff.sources.greens_function import burst, continuous, finite_life
from cyldiff.sources.kernels import sine_angle, sine_terms
from cyldiff.sources.segments import Segments
from cyldiff.sources.superposition import PointPropagation, check_times, green_functions, summed

H = 4.0
C = const.SPEED_OF_LIGHT
SUN = np.array([[-8.5, 0.0, 0.0]])


def pieces(position, oldest, youngest, energy=1.0, spectrum=0):
    position = np.atleast_2d(np.asarray(position, dtype=float))
    n = len(position)
    full = lambda a, kind=float: np.full(n, a, dtype=kind) if np.ndim(a) == 0 else np.asarray(a, dtype=kind)  # noqa: E731
    return Segments(
        position, full(oldest), full(youngest), full(energy), np.arange(n), full(spectrum, np.int64)
    )


def propagation(D, half_height=None, causality="none", **rest):
    D = np.atleast_1d(np.asarray(D, dtype=float))
    rest = {key: np.full(len(D), a) if key.endswith("rate") else a for key, a in rest.items()}
    return PointPropagation(D, np.full(len(D), C), half_height, causality=causality, **rest)


def population(n=200, seed=1, oldest=30.0, life=0.1):
    """Sources of a disc: still on, old, bursts among them."""
    random = np.random.default_rng(seed)
    r, phi = 15.0 * np.sqrt(random.random(n)), 2.0 * np.pi * random.random(n)
    position = np.stack([r * np.cos(phi), r * np.sin(phi), random.uniform(-0.2, 0.2, n)], axis=-1)
    old = oldest * random.random(n) ** 2
    young = np.where(np.arange(n) % 5 == 0, old, np.maximum(old - life, 0.0))
    return pieces(position, old, young, 10.0 ** random.random(n), random.integers(0, 2, n))


ENERGIES = np.geomspace(1e3, 1e8, 21)
DIFFUSION = 2.1 * (ENERGIES / 1e3) ** 0.5
SPECTRA = np.array([ENERGIES**-2.2, ENERGIES**-2.0 * np.exp(-ENERGIES / 1e6)])


# rows of energies against one energy at a time -------------------------------------------------------


@pytest.mark.parametrize("half_height", [None, H])
@pytest.mark.parametrize("causality", ["cut", "none"])
@pytest.mark.parametrize("lossy", [False, True])
def test_rows_are_what_scalar_kernels_give(half_height, causality, lossy):
    """To 2e-8 of the density, and of the length of the gradient."""
    segments = population(60)
    rest = {"decay_rate": np.linspace(0.5, 0.0, 21), "disc_rate": np.linspace(0.1, 0.0, 21)} if lossy else {}
    setting = PointPropagation(
        DIFFUSION, C * np.sqrt(1.0 - (0.938 / ENERGIES) ** 2), half_height, causality=causality, **rest
    )
    density, gradient = green_functions(segments, SUN, setting)
    height = np.inf if half_height is None else half_height
    rows = [setting.diffusion, setting.speed, *(rest.values() if lossy else (np.zeros(21),) * 2)]
    expected = np.empty((60, 4, 21))
    for i in range(60):
        away = SUN[0] - segments.position[i]
        place = (away[0], away[1], 0.0, segments.position[i, 2], height, np.inf)
        kernels.tabulate_at_edge(
            segments.youngest[i], segments.oldest[i], place, np.array(rows),
            (21, causality == "cut", lossy, np.inf), np.zeros((4, 1)), expected[i],
        )  # fmt: skip
    counts = expected[:, 0] > 1e-140  # the square of a length is a number
    assert counts.sum() > 500
    np.testing.assert_allclose(density[..., 0][counts], expected[:, 0][counts], rtol=2e-8)
    slope = np.moveaxis(expected[:, 1:], 1, -1)
    off = np.linalg.norm(gradient[:, :, 0] - slope, axis=-1)
    assert np.all(off[counts] < 2e-8 * np.linalg.norm(slope, axis=-1)[counts])


@pytest.mark.parametrize("half_height", [None, H])
def test_unordered_energies_and_observers(half_height):
    """Energies may come in any order, in any number; observers are one after the other."""
    segments, observers = population(30), np.array([[-8.5, 0.0, 0.0], [0.0, 1.0, 2.0], [3.0, 3.0, -1.0]])
    density, gradient = green_functions(segments, observers, propagation(DIFFUSION, half_height))
    shuffled = np.random.default_rng(3).permutation(21)
    again, slope = green_functions(segments, observers, propagation(DIFFUSION[shuffled], half_height))
    assert density.shape == (30, 21, 3)
    assert gradient.shape == (30, 21, 3, 3)
    np.testing.assert_array_equal(again, density[:, shuffled])
    np.testing.assert_array_equal(slope, gradient[:, shuffled])
    one, _ = green_functions(segments, observers[1:2], propagation(DIFFUSION[4], half_height))
    np.testing.assert_allclose(one[:, 0, 0], density[:, 4, 1], rtol=1e-7, atol=1e-300)


# sums ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edge", [None, 20.0])
@pytest.mark.parametrize("half_height", [None, H])
def test_summed_is_the_sum(half_height, edge):
    segments = population(200 if edge is None else 8)
    observers = np.array([[-8.5, 0.0, 0.0], [-8.0, 1.0, 0.3]])
    setting = propagation(DIFFUSION, half_height, "cut", edge=edge, disc_rate=0.01)
    green, slope = green_functions(segments, observers, setting)
    weight = (segments.energy[:, None] * SPECTRA[segments.spectrum])[:, :, None]
    density, gradient = summed(segments, SPECTRA, observers, setting, gradient=True)
    expected, expected_slope = np.sum(weight * green, axis=0), np.sum(weight[..., None] * slope, axis=0)
    np.testing.assert_allclose(density, expected, rtol=1e-12)
    length = np.linalg.norm(expected_slope, axis=-1, keepdims=True)
    assert np.all(np.abs(gradient - expected_slope) < 1e-11 * length)
    np.testing.assert_allclose(summed(segments, SPECTRA, observers, setting), density, rtol=1e-13)


def test_what_the_halo_has_lost_is_not_left_out_where_it_is_all():
    """Old sources alone: down to 1e-200 of what they once were."""
    segments = pieces([[1.0, 0.0, 0.1], [-9.0, 1.0, 0.0]], [100.0, 101.0], [100.0, 100.5])
    setting = propagation(DIFFUSION, H)
    green, _ = green_functions(segments, SUN, setting)
    density = summed(segments, np.ones((1, 21)), SUN, setting)
    assert green[:, 6:].max() < 1e-40
    assert np.count_nonzero(density) >= 10
    np.testing.assert_allclose(density, green.sum(axis=0), rtol=1e-12)


def test_no_sources():
    nothing = pieces(np.zeros((0, 3)), 1.0, 0.0)
    density, gradient = summed(nothing, SPECTRA, SUN, propagation(DIFFUSION, H), gradient=True)
    assert density.shape == (21, 1)
    assert gradient.shape == (21, 1, 3)
    assert not density.any()
    assert not gradient.any()


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_sums_are_linear_and_do_not_know_an_order(data):
    segments = population(40, seed=data.draw(st.integers(0, 10**6)))
    factor = data.draw(st.floats(1e-3, 1e3))
    order = np.array(data.draw(st.permutations(range(40))))
    half_height = data.draw(st.sampled_from([None, 2.0, 10.0]))
    setting = propagation(DIFFUSION, half_height, data.draw(st.sampled_from(["cut", "none"])))
    density = summed(segments, SPECTRA, SUN, setting)
    scaled = Segments(
        segments.position[order], segments.oldest[order], segments.youngest[order],
        factor * segments.energy[order], segments.source[order], segments.spectrum[order],
    )  # fmt: skip
    np.testing.assert_allclose(summed(scaled, SPECTRA, SUN, setting), factor * density, rtol=1e-11)
    half = np.arange(40) < 20
    parts = [
        summed(
            Segments(*(getattr(segments, name)[part] for name in Segments.__slots__)), SPECTRA, SUN, setting
        )
        for part in (half, ~half)
    ]
    np.testing.assert_allclose(parts[0] + parts[1], density, rtol=1e-11)


@given(
    st.floats(-3.0, 1.5), st.floats(-6.0, 0.0), st.floats(-1.5, 2.8), st.floats(-4.0, 1.3),
    st.sampled_from([None, 1.0, 4.0]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_piece_cut_in_two_is_the_same(log_old, log_length, log_D, log_d, half_height):
    """Any age, length, D and distance, with and without an end."""
    old, length = 10.0**log_old, 10.0 ** (log_old + log_length)
    young, middle = max(old - length, 0.0), old - 0.3 * length
    place = SUN[0] + 10.0**log_d * np.array([0.6, 0.8, 0.0]) + [0.0, 0.0, 0.05]
    segments = pieces([place] * 3, [old, old, middle], [young, middle, young])
    setting = propagation(10.0**log_D, half_height)
    (whole, first, second), slope = (a[:, 0, 0] for a in green_functions(segments, SUN, setting))
    lengths = segments.oldest - segments.youngest
    assert whole * lengths[0] == pytest.approx(first * lengths[1] + second * lengths[2], rel=1e-7, abs=1e-280)
    together = slope[1] * lengths[1] + slope[2] * lengths[2]
    assert np.all(np.abs(slope[0] * lengths[0] - together) <= 1e-7 * np.linalg.norm(together) + 1e-280)


# the functions of greens_function.py -----------------------------------------------------------------


def test_same_numbers_as_single_sources():
    segments = population(20)
    lasting, old = segments.oldest > segments.youngest, segments.oldest[:, None]
    density, gradient = (a[:, :, 0] for a in green_functions(segments, SUN, propagation(DIFFUSION, H)))
    place = segments.position[:, None]
    length = np.where(lasting, segments.oldest - segments.youngest, 1.0)[:, None]
    n, slope = finite_life(SUN[0], place, diffusion=DIFFUSION, age=old, duration=length, half_height=H)
    n, slope = n / length, slope / length[..., None]
    once, its_slope = burst(SUN[0], place, diffusion=DIFFUSION, age=old, half_height=H)
    n = np.where(lasting[:, None], n, once)
    slope = np.where(lasting[:, None, None], slope, its_slope)
    np.testing.assert_allclose(density, n, rtol=3e-8, atol=1e-280)
    off = np.linalg.norm(gradient - slope, axis=-1)
    assert np.all(off <= 3e-8 * np.linalg.norm(slope, axis=-1) + 1e-280)


# dipoles -------------------------------------------------------------------------------------------


def dipole(density, gradient, D, speed=C):
    """3 D grad n / (beta c n)."""
    return 3.0 * D * gradient / (speed * density)


@pytest.mark.parametrize(("distance", "age", "printed"), [(2.64, 4.82, 2.68e-3), (0.3, 0.3, 4.89e-3)])
def test_printed_dipoles(distance, age, printed):
    """|delta| = 3 d / 2 c t at every energy, towards the source (Shen & Mao 1971)."""
    towards = np.array([0.6, -0.64, 0.48])
    segments = pieces(SUN + distance * towards, age, age)
    density, gradient = green_functions(segments, SUN, propagation(DIFFUSION))
    delta = dipole(density[0, :, 0, None], gradient[0, :, 0], DIFFUSION[:, None])
    assert np.linalg.norm(delta[0]) == pytest.approx(printed, abs=5e-6)
    np.testing.assert_allclose(
        delta, 3.0 * distance / (2.0 * C * age) * np.tile(towards, (21, 1)), rtol=1e-12
    )


def test_dipole_of_a_steady_source():
    """3 D / (c d): a source that has been on for long."""
    D, d = 0.02, 0.5
    segments = pieces(SUN + np.array([d, 0.0, 0.0]), 1e9, 0.0)
    density, gradient = green_functions(segments, SUN, propagation(D))
    delta = dipole(density[0, 0, 0], gradient[0, 0, 0], D)
    assert delta[0] == pytest.approx(3.0 * D / (C * d), rel=1e-4)
    n, slope = continuous(SUN[0], segments.position[0], diffusion=D, duration=np.inf)
    assert dipole(n, slope, D)[0] == pytest.approx(3.0 * D / (C * d), rel=1e-14)


# survival ------------------------------------------------------------------------------------------


def test_decay_of_a_burst():
    segments = pieces([[-8.0, 0.0, 0.0]], 3.0, 3.0)
    plain = green_functions(segments, SUN, propagation(DIFFUSION, H))
    decayed = green_functions(segments, SUN, propagation(DIFFUSION, H, decay_rate=0.2))
    for a, b in zip(plain, decayed, strict=True):
        np.testing.assert_allclose(b, np.exp(-0.6) * a, rtol=1e-13)


def test_collisions_of_a_burst():
    """The gas of the disc is spread over 2 min(H, sqrt(4 D t)): by hand, and 2 % for PeV protons at 1 Myr."""
    D, age = 2.0, 5.0
    segments = pieces([[-8.0, 0.0, 0.0]], age, age)
    rate = lambda t: 0.03 / (2.0 * min(H, np.sqrt(4.0 * D * t)))  # noqa: E731
    lost = quad(rate, 0.0, 2.0)[0] + quad(rate, 2.0, age)[0]
    plain, _ = green_functions(segments, SUN, propagation(D, H))
    left, _ = green_functions(segments, SUN, propagation(D, H, disc_rate=0.03))
    assert left[0, 0, 0] / plain[0, 0, 0] == pytest.approx(np.exp(-lost), rel=1e-9)
    # 2.1 mg/cm^2 of gas, 57 mb at a PeV; per hydrogen atom 1.4 m_H
    column = 2.1e-3 / (1.4 * const.HYDROGEN_MASS_G)
    kappa = C * 57.0e-3 * const.BARN_CM2 * column
    segments = pieces([[-8.0, 0.0, 0.0]], 1.0, 1.0)
    plain, _ = green_functions(segments, SUN, propagation(30.0, H))
    left, _ = green_functions(segments, SUN, propagation(30.0, H, disc_rate=kappa))
    assert 0.0 < 1.0 - left[0, 0, 0] / plain[0, 0, 0] < 0.02


def test_decay_of_a_lasting_source():
    """In free space the steady state is exp(-d / sqrt(D tau)) / (4 pi D d)."""
    D, tau, d, on = 0.5, 2.0, 1.5, 200.0
    segments = pieces(SUN + np.array([0.0, d, 0.0]), on, 0.0)
    density, _ = green_functions(segments, SUN, propagation(D, decay_rate=1.0 / tau))
    assert density[0, 0, 0] * on == pytest.approx(
        np.exp(-d / np.sqrt(D * tau)) / (4.0 * np.pi * D * d), rel=1e-9
    )


def test_long_lived_source_in_the_halo_follows_the_slowest_sine():
    """An integral in closed form: at rho = 0, late, int exp(-s) / s ds = E_1."""
    D, z = 3.0, 0.5
    young, old = 40.0, 90.0
    segments = pieces([[-8.5, 0.0, z]], old, young)
    density, _ = green_functions(segments, SUN, propagation(D, H))
    rate = (0.5 * np.pi / H) ** 2 * D
    expected = np.sin(0.5 * np.pi * (z + H) / H) * (exp1(rate * young) - exp1(rate * old))
    assert density[0, 0, 0] * (old - young) == pytest.approx(expected / (4.0 * np.pi * D * H), rel=1e-7)


# causality -----------------------------------------------------------------------------------------


def test_burst_arrives_at_the_speed_of_light():
    d = 3.0
    for factor in (0.999, 1.001):
        segments = pieces(SUN + np.array([d, 0.0, 0.0]), factor * d / C, factor * d / C)
        cut, slope = green_functions(segments, SUN, propagation(DIFFUSION, H, "cut"))
        plain, _ = green_functions(segments, SUN, propagation(DIFFUSION, H))
        assert np.all(plain[0, -5:] > 0.0)
        np.testing.assert_array_equal(cut, plain if factor > 1.0 else 0.0 * plain)
        assert np.any(slope) == (factor > 1.0)


@pytest.mark.parametrize("half_height", [None, H])
def test_lasting_source_counts_from_its_arrival(half_height):
    """With the cut a source is what it was d / beta c ago, for every speed."""
    d, old = 2.0, 0.02
    speed = C * np.linspace(0.5, 1.0, 21)
    cut = PointPropagation(DIFFUSION, speed, half_height, causality="cut")
    plain = propagation(DIFFUSION, half_height)
    density, gradient = green_functions(pieces(SUN + np.array([d, 0.0, 0.0]), old, 0.0), SUN, cut)
    for e in range(21):
        arrival = d / speed[e]
        expected, slope = green_functions(pieces(SUN + np.array([d, 0.0, 0.0]), old, arrival), SUN, plain)
        part = (old - arrival) / old
        assert density[0, e, 0] == pytest.approx(part * expected[0, e, 0], rel=3e-8)
        off = np.linalg.norm(gradient[0, e, 0] - part * slope[0, e, 0])
        assert off < 3e-8 * part * np.linalg.norm(slope[0, e, 0])


def test_times_without_diffusion():
    """3 D / c^2 is 106 yr for 1e30 cm^2/s."""
    D = 1e30 * const.MYR_S / const.KPC_CM**2
    (young,) = check_times(pieces([[0.0, 0.0, 0.0]] * 2, [100e-6, 110e-6], [100e-6, 110e-6]), propagation(D))
    assert (young.source, young.oldest) == (0, 100e-6)
    assert check_times(pieces([[0.0, 0.0, 0.0]], 1.0, 106.5e-6), propagation(D)) == []
    (lasting,) = check_times(pieces([[0.0, 0.0, 0.0]], 1.0, 0.0), propagation([D, 1e-9, 10.0 * D]))
    np.testing.assert_array_equal(lasting.energies, [0, 1, 2])
    np.testing.assert_allclose(lasting.part, [1.06e-4, 3.2e-14, 1.06e-3], rtol=2e-2)


# the edge ------------------------------------------------------------------------------------------


def test_zeros_of_bessel_functions():
    """All of them: of neighbouring orders they alternate, and their number is that of Weyl's law."""
    order, zero, norm = bessel_zeros(200.0)
    for m in range(190):
        here, above = zero[order == m], zero[order == m + 1]
        assert np.all(np.abs(jv(m, here)) < 1e-11)
        assert np.all(above[: len(here) - 1] > here[:-1][: len(above)])
        assert np.all(above[: len(here) - 1] < here[1:][: len(above)])
    # both angles of every m > 0 count
    assert 2 * len(zero) - np.sum(order == 0) == pytest.approx(200.0**2 / 4.0 - 200.0 / 2.0, rel=5e-3)
    np.testing.assert_allclose(norm, jv(order + 1, zero), rtol=1e-13)


@lru_cache
def zeros_and_norms(m):
    zeros = jn_zeros(m, 60)
    return zeros, jv(m + 1, zeros) ** 2


def direct_series(source, observer, s, R):
    """The series written down again, all terms, row by row."""
    r, phi = np.hypot(*observer[:2]), np.arctan2(observer[1], observer[0])
    r_s, phi_s = np.hypot(*source[:2]), np.arctan2(source[1], source[0])
    total = 0.0
    for m in range(70):
        a, norms = zeros_and_norms(m)
        terms = jv(m, a * r / R) * jv(m, a * r_s / R) / norms * np.exp(-((a / R) ** 2) * s)
        total += (1.0 if m == 0 else 2.0) * np.cos(m * (phi - phi_s)) * np.sum(terms)
    return total / (np.pi * R * R)


@pytest.mark.parametrize("source", [(3.0, 0.0, 0.1), (-16.0, 2.0, -0.2), (0.0, 0.0, 0.0), (12.0, -15.0, 0.0)])
@pytest.mark.parametrize("half_height", [None, H])
def test_edge_is_the_bessel_series(source, half_height):
    D, R = np.array([1.0, 4.0, 20.0]), 20.0
    segments = pieces([source], 5.0, 5.0)
    density, _ = green_functions(segments, SUN, propagation(D, half_height, edge=R))
    for e in range(3):
        s = 5.0 * D[e]
        terms = sine_terms(sine_angle(0.0, H), sine_angle(source[2], H), H)
        across, _ = kernels.vertical(0.0, source[2], half_height or np.inf, s, 0.0, terms)
        expected = direct_series(np.array(source), SUN[0], s, R) * across
        assert density[0, e, 0] == pytest.approx(expected, rel=1e-6)


def test_edge_far_away_is_not_felt():
    segments = pieces([[3.0, 0.0, 0.1], [-8.0, 1.0, 0.0]], [3.0, 4.0], [3.0, 1.0])
    for half_height in (None, H):
        for a, b in zip(
            green_functions(segments, SUN, propagation([0.5, 5.0], half_height)),
            green_functions(segments, SUN, propagation([0.5, 5.0], half_height, edge=100.0)),
            strict=True,
        ):
            np.testing.assert_allclose(a, b, rtol=3e-8, atol=1e-20)


def test_nothing_is_at_the_edge_and_some_particles_leave():
    """Zero at r = R; what is inside falls off with the slowest mode in the end."""
    D, R = 20.0, 20.0
    segments = pieces([[3.0, 0.0, 0.0]] * 2, [40.0, 50.0], [40.0, 50.0])
    near, here = np.array([[0.0, R * (1.0 - 1e-9), 0.0]]), np.array([[0.0, 5.0, 0.0]])
    density, _ = green_functions(segments, np.concatenate([near, here]), propagation(D, edge=R))
    assert density[0, 0, 0] < 1e-8 * density[0, 0, 1]
    assert density[1, 0, 1] / density[0, 0, 1] == pytest.approx(
        np.exp(-((2.404825557695773 / R) ** 2) * D * 10.0) * np.sqrt(40.0 / 50.0), rel=1e-6
    )


@pytest.mark.parametrize("half_height", [None, H])
@pytest.mark.parametrize("losses", [{}, {"decay_rate": 0.1, "disc_rate": 0.02}])
def test_finite_piece_at_the_edge(half_height, losses):
    """The integral over its bursts, across all changes of form."""
    D, R, old, source = 6.0, 16.0, 8.0, np.array([-13.0, 3.0, 0.3])
    height = half_height or np.inf
    terms = sine_terms(sine_angle(0.0, H), sine_angle(source[2], H), H)
    edge_from, modes = cylinder_modes(source, SUN[0], edge=R, smallest=0.0)
    place = (*(SUN[0] - source)[:2], 0.0, source[2], height, edge_from)
    energy = (D, losses.get("decay_rate", 0.0), losses.get("disc_rate", 0.0))
    nodes = [*np.geomspace(1e-3, edge_from / D, 6), 0.25 * H**2 / D, 0.5 * H**2 / D, old]
    expected = sum(
        quad(lambda t: kernels.burst(t, energy, place, terms, modes)[0], a, b, epsabs=0.0, epsrel=1e-9)[0]
        for a, b in pairwise(nodes)
    )
    density, _ = green_functions(pieces(source, old, 0.0), SUN, propagation(D, half_height, edge=R, **losses))
    assert density[0, 0, 0] * old == pytest.approx(expected, rel=1e-7)


def test_too_near_the_edge_is_refused():
    with pytest.raises(GridError, match=r"so near the edge at 20 kpc .* expected .* or no edge"):
        green_functions(
            pieces([[19.999, 0.0, 0.0]], 1e-4, 1e-4), [[19.998, 0.0, 0.0]], propagation(0.1, edge=20.0)
        )
    _, modes = cylinder_modes(np.array([19.5, 0.0]), np.array([19.4, 0.2]), edge=20.0, smallest=0.5)
    assert 44.0 / 0.5 < modes[0, -1] <= 45.0 / 0.5


# bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"diffusion": np.array([1.0, -1.0])}, "diffusion must be finite and positive"),
        ({"speed": np.ones(3)}, r"speed has shape \(3,\); expected \(2,\)"),
        ({"decay_rate": np.array([0.0, -1.0])}, "decay_rate must be finite and not negative"),
        ({"half_height": 0.0}, "half_height = 0.0; expected a positive length"),
        ({"causality": "cutt"}, "causality = 'cutt'; expected one of cut, none"),
    ],
)
def test_bad_propagation(change, message):
    arguments = {"diffusion": np.ones(2), "speed": np.ones(2)} | change
    with pytest.raises(ValueError, match=message):
        PointPropagation(**arguments)


def test_places_outside():
    segments = pieces([[1.0, 0.0, 5.0], [0.0, 0.0, -4.0], [21.0, 0.0, 0.0]], 1.0, 0.0)
    with pytest.raises(GridError) as caught:
        green_functions(segments, [[0.0, 0.0, 4.0]], propagation(1.0, H, edge=20.0))
    text = str(caught.value)
    assert "2 sources outside of |z| < 4 kpc, the first at (1, 0, 5) kpc" in text
    assert "1 source outside of r < 20 kpc, the first at (21, 0, 0) kpc" in text
    assert "1 observer outside of |z| < 4 kpc" in text


def test_bad_sums():
    setting = propagation(DIFFUSION)
    with pytest.raises(ValueError, match=r"expected \(n_spectra, 21\)"):
        summed(population(3), np.ones((2, 5)), SUN, setting)
    with pytest.raises(ValueError, match="spectra that are not there; there are 1"):
        summed(population(9), SPECTRA[:1], SUN, setting)
    with pytest.raises(ValueError, match=r"expected \(n_obs, 3\)"):
        summed(population(3), SPECTRA, SUN[0], setting)
    with pytest.raises(ValueError, match="0 <= youngest <= oldest"):
        summed(pieces(SUN, 1.0, 2.0), SPECTRA, SUN, setting)

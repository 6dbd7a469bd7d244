"""Kernels of point sources: exponentials, the forms of a burst, integrals over ages; with and without compiler."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher
from scipy.integrate import quad

from cyldiff.sources import kernels
from cyldiff.sources.edge import cylinder_modes
from cyldiff.sources.kernels import sine_angle, sine_terms

H = 4.0
NO_MODES = np.zeros((4, 1))
FREE = ((0.0,) * 6, (0.0,) * 6)


@pytest.fixture
def interpreted(monkeypatch):
    """The kernels with the compiler switched off."""
    for name, kernel in vars(kernels).copy().items():
        if isinstance(kernel, Dispatcher):
            monkeypatch.setattr(kernels, name, kernel.py_func)


def terms_of(z, z_source):
    return sine_terms(sine_angle(z, H), sine_angle(z_source, H), H)


def reference(t, place, energy, half_height):
    """A burst, written down again: sums over many images or sines, survival."""
    dx, dy, z, z_source = place
    D, decay, disc = energy
    s = D * t
    if half_height is None:
        across = math.exp(-((z - z_source) ** 2) / (4.0 * s)) / math.sqrt(4.0 * math.pi * s)
        column = math.sqrt(t / D)
    else:
        if s < 0.4 * half_height**2:
            n = np.arange(-15, 16)
            sign = (-1.0) ** n
            away = z - sign * z_source - 2.0 * n * half_height
            across = np.sum(sign * np.exp(-(away**2) / (4.0 * s))) / math.sqrt(4.0 * math.pi * s)
        else:
            k = np.arange(1, 60) * np.pi / (2.0 * half_height)
            modes = np.sin(k * (z + half_height)) * np.sin(k * (z_source + half_height))
            across = np.sum(modes * np.exp(-(k**2) * s)) / half_height
        filled = half_height**2 / (4.0 * D)
        column = math.sqrt(min(t, filled) / D) + max(t - filled, 0.0) / half_height
    survival = math.exp(-decay * t - 0.5 * disc * column)
    return survival * across * math.exp(-(dx**2 + dy**2) / (4.0 * s)) / (4.0 * math.pi * s)


def test_exp():
    x = np.concatenate([-np.geomspace(1e-300, 699.0, 5000), [0.0, 1.0, 300.0]])
    result = np.array([kernels.exp(v) for v in x])
    np.testing.assert_allclose(result, np.exp(x), rtol=5e-16)
    assert kernels.exp(-701.0) == kernels.exp(-np.inf) == 0.0


@pytest.mark.parametrize("z_source", [0.0, -1.3, 3.5, 3.99])
@pytest.mark.parametrize("spread", [0.3, 0.4, 0.5, 0.6])
def test_images_and_sines_agree(spread, z_source):
    """Wherever rows of energies may take either, spreads of 0.3 to 0.6 H^2."""
    s, rate = spread * H**2, (0.5 * np.pi / H) ** 2
    for z in np.linspace(-H, H, 33):
        soon = kernels.images(z, z_source, H, s, 0.7)
        late = kernels.sines(terms_of(z, z_source), rate, s, 0.7)
        assert soon[0] == pytest.approx(late[0], rel=1e-12, abs=1e-15)
        assert soon[1] == pytest.approx(late[1], rel=1e-12, abs=1e-15)


def test_powers_of_the_slowest_sine_do_not_spoil_it():
    """Late there is one sine; down to the smallest numbers."""
    rate = (0.5 * np.pi / H) ** 2
    for s in np.geomspace(1.0, 690.0, 30) / rate:
        value, slope = kernels.sines(terms_of(1.0, -0.5), rate, s, 0.0)
        k = np.arange(1, 20) * np.pi / (2.0 * H)
        modes = np.sin(k * (-0.5 + H)) * np.exp(-(k**2) * s) / H
        assert value == pytest.approx(np.sum(modes * np.sin(k * (1.0 + H))), rel=1e-12)
        assert slope == pytest.approx(np.sum(k * modes * np.cos(k * (1.0 + H))), rel=1e-12)


@pytest.mark.parametrize("half_height", [H, np.inf])
def test_loss_exponent_is_the_integral_of_the_rate(half_height):
    D, decay, disc = 2.0, 0.3, 0.05
    rate = lambda t: decay + disc / (2.0 * min(half_height, math.sqrt(4.0 * D * t)))  # noqa: E731
    for t in (0.01, 1.9, 2.1, 30.0):
        edges = [0.0, 2.0, 30.0] if t > 2.0 else [0.0, t]
        edges[-1] = t
        integral = sum(quad(rate, a, b, epsrel=1e-12)[0] for a, b in pairwise(edges))
        assert kernels.loss_exponent(t, D, decay, disc, half_height) == pytest.approx(integral, rel=1e-9)


def test_printed_integral():
    """int_0^3 (4 pi t)^(-3/2) exp(-1/4t) dt = erfc(1 / sqrt(12)) / 4 pi = 0.0543587."""
    value = kernels.piece(0.0, 3.0, (1.0, 0.0, 0.0), (0.6, 0.8, 0.0, 0.0, np.inf, np.inf), FREE, NO_MODES)[0]
    assert value == pytest.approx(0.0543587, abs=5e-8)
    assert value == pytest.approx(math.erfc(1.0 / math.sqrt(12.0)) / (4.0 * math.pi), rel=1e-14)


@pytest.mark.parametrize("half_height", [None, H])
@pytest.mark.parametrize("energy", [(0.7, 0.0, 0.0), (0.7, 0.2, 0.0), (9.0, 0.0, 0.3), (9.0, 3.0, 1.0)])
@pytest.mark.parametrize(
    ("place", "young", "old"),
    [
        ((1.0, 0.5, 0.3, -0.1), 0.0, 3.0),
        ((1e-3, 0.0, 0.0, 0.0), 0.0, 0.1),  # very near
        ((0.0, 0.0, 0.2, 0.2), 1e-3, 2.0),  # at the source, after it ended
        ((7.0, 3.0, 3.9, -3.5), 1.0, 40.0),  # far, across the halo
        ((2.0, 0.0, 0.1, 0.0), 20.0, 20.0 + 1e-4),  # as good as a burst
        ((4.0, 0.0, 0.0, 0.0), 0.0, 200.0),
    ],
)
def test_piece_is_the_integral_of_bursts(half_height, energy, place, young, old):
    edges = np.geomspace(max(young, old * 1e-9), old, 60)
    edges[0] = young
    expected = sum(
        quad(reference, a, b, args=(place, energy, half_height), epsabs=0.0, epsrel=1e-11)[0]
        for a, b in pairwise(edges)
        if (place[0] ** 2 + place[1] ** 2 + (place[2] - place[3]) ** 2) / (4.0 * energy[0] * b) < 700.0
    )
    height = np.inf if half_height is None else half_height
    terms = FREE if half_height is None else terms_of(place[2], place[3])
    value = kernels.piece(young, old, energy, (*place, height, np.inf), terms, NO_MODES)[0]
    assert value == pytest.approx(expected, rel=2e-9)


def test_steady_source():
    """1 / (4 pi D d) in free space; with decay times exp(-d / sqrt(D tau))."""
    D, tau, d = 0.4, 2.5, 3.0
    geometry = (0.0, d, 0.0, 0.0, np.inf, np.inf)
    for decay, factor in ((0.0, 1.0), (1.0 / tau, math.exp(-d / math.sqrt(D * tau)))):
        value, _, slope, _ = kernels.piece(0.0, np.inf, (D, decay, 0.0), geometry, FREE, NO_MODES)
        assert value == pytest.approx(factor / (4.0 * np.pi * D * d), rel=1e-12)
        per_length = 1.0 / d + (1.0 / math.sqrt(D * tau) if decay else 0.0)
        assert slope == pytest.approx(-value * per_length, rel=1e-12)


def test_source_itself():
    """The density diverges while it is on, and is finite afterwards."""
    here = (0.0, 0.0, 0.0, 0.0, np.inf, np.inf)
    for energy in ((1.0, 0.0, 0.0), (1.0, 0.5, 0.0)):
        assert kernels.piece(0.0, 1.0, energy, here, FREE, NO_MODES)[0] == np.inf
    after = kernels.piece(1.0, 2.0, (1.0, 0.0, 0.0), here, FREE, NO_MODES)[0]
    assert after == pytest.approx(2.0 * (1.0 - 0.5**0.5) / (4.0 * np.pi) ** 1.5, rel=1e-13)


def rows(half_height):
    """Sums and tables for a few pieces of every sort: short, long, on, a burst, empty, steep."""
    position = np.array(
        [[1.0, 0.5, -0.2], [-7.0, 0.0, 0.1], [0.2, 0.0, 0.0], [3.0, 3.0, 1.0], [0.1, 0.0, 0.0]]
    )
    old = np.array([30.0, 0.11, 0.05, 4.0, 8.0])
    young = np.array([29.9, 0.01, 0.0, 4.0, 0.5])
    energies = np.zeros((4, 16))
    energies[0] = np.geomspace(0.3, 300.0, 16)
    energies[1] = 306.6 * np.sqrt(np.linspace(0.9, 1.0, 16))
    energies[2], energies[3] = np.linspace(0.0, 0.4, 16), np.linspace(0.1, 0.0, 16)
    observer = np.array([0.0, 0.1, 0.05])
    table, total = np.empty((5, 4, 13)), np.zeros((5, 16))
    for lossy in (True, False):
        if not lossy:
            energies[2:] = 0.0
        kernels.tabulate(
            position, young, old, observer, half_height, energies, (13, True, lossy, np.inf), table
        )
        yield table.copy()
        kernels.add_up(
            position, young, old, np.ones(5), np.array([0, 1, 0, 0, 1]), np.ones((2, 16)), observer, half_height,
            energies, (13, True, lossy, 45.0), total,
        )  # fmt: skip
        yield total[:, :13].copy()


@pytest.mark.parametrize("half_height", [np.inf, H])
def test_rows_with_and_without_compiler(half_height, request):
    compiled = list(rows(half_height))
    request.getfixturevalue("interpreted")
    assert not isinstance(kernels.add_up, Dispatcher)
    for a, b in zip(compiled, rows(half_height), strict=True):
        assert np.any(a != 0.0)
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13 * np.abs(b).max())


def test_elements_and_edge_with_and_without_compiler(request):
    position, source = (
        np.array([[1.0, 0.5, 0.3]] * 3),
        np.array([[0.0, 0.2, -0.1], [0.0, 0.0, 3.0], [9.0, 1.0, 0.0]]),
    )
    edge_from, modes = cylinder_modes(source[2], position[2], edge=12.0, smallest=1.0)
    assert edge_from < 1.0
    energies = np.array([[0.5, 3.0], [306.0, 306.0], [0.1, 0.0], [0.0, 0.01]])

    def evaluate():
        result, edge, line = np.zeros((4, 3)), np.zeros((4, 2)), np.zeros((2, 3))
        kernels.evaluate(
            position, source, np.full(3, 0.7), np.array([0.0, 1.0, 0.5]), np.full(3, 30.0), H, True, result
        )
        place = (*(position[2] - source[2])[:2], position[2, 2], source[2, 2], H, edge_from)
        kernels.tabulate_at_edge(1.0, 5.0, place, energies, (2, True, True, np.inf), modes, edge)
        kernels.evaluate_vertical(
            position[:, 2], source[:, 2], np.array([1.0, 7.0, 20.0]), H, line[0], line[1]
        )
        return result, edge, line

    compiled = evaluate()
    request.getfixturevalue("interpreted")
    for a, b in zip(compiled, evaluate(), strict=True):
        assert np.all(a != 0.0)
        np.testing.assert_allclose(a, b, rtol=1e-11)

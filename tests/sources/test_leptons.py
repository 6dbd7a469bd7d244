"""Electrons of point sources: closed forms, conservation, limits, quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from cyldiff import constants as const
from cyldiff.sources.cooling import Cooling
from cyldiff.sources.greens_function import burst, finite_life
from cyldiff.sources.leptons import lepton_green
from cyldiff.sources.segments import Segments

B0, D0, DELTA = 5e-3, 0.1, 0.4
SLOPE, CUT = 2.3, 2e5
SUN = np.array([-8.5, 0.0, 0.0])


def spectrum(energy):
    return energy**-SLOPE * np.exp(-energy / CUT)


def pieces(*rows):
    """Rows of (position, oldest, youngest, energy, source)."""
    position, oldest, youngest, energy, source = zip(*rows, strict=True)
    return Segments(
        position=np.array(position, dtype=float),
        oldest=np.array(oldest, dtype=float),
        youngest=np.array(youngest, dtype=float),
        energy=np.array(energy, dtype=float),
        source=np.array(source, dtype=np.int64),
        spectrum=np.zeros(len(rows), dtype=np.int64),
    )


@pytest.fixture(scope="module")
def table():
    return Cooling.build(lambda t: B0 * t**2, lambda t: D0 * t**DELTA, minimum=0.5, maximum=1e9)


def closed_form(energy, age, distance):
    """Atoyan, Aharonian & Voelk 1995 (Eq. 10, 11) for b = B0 E^2, D = D0 E^delta."""
    left = 1.0 - B0 * energy * age
    source = np.where(left > 0.0, energy / np.where(left > 0.0, left, 1.0), np.inf)
    rise = -np.expm1((1.0 - DELTA) * np.log1p(-B0 * energy * age))
    s = D0 * energy**DELTA * age * rise / ((1.0 - DELTA) * B0 * energy * age)
    density = energy**-SLOPE * left ** (SLOPE - 2.0) * np.exp(-source / CUT)
    return density * (4.0 * np.pi * s) ** -1.5 * np.exp(-(distance**2) / (4.0 * s))


def test_burst_in_closed_form(table):
    energy = np.geomspace(1.0, 1e4, 41)
    place = SUN + np.array([0.3, 0.2, 0.1])
    distance = np.sqrt(0.14)
    for age in (1e-3, 0.0123, 0.3):
        known = B0 * energy * age < 0.999
        found, gradient = lepton_green(
            pieces((place, age, age, 2.0, 0)), [spectrum], SUN, energy, cooling=table, causal=False
        )
        exact = 2.0 * closed_form(energy[known], age, distance)
        np.testing.assert_allclose(found[0, 0, known], exact, rtol=2e-6)
        assert np.all(found[0, 0, B0 * energy * age > 1.001] == 0.0)
        s = table.look_back(energy[known], age)[2]
        np.testing.assert_allclose(
            gradient[0, 0, known], (found[0, 0, known] / (2.0 * s))[:, None] * (place - SUN), rtol=1e-9
        )


def test_particles_are_conserved(table):
    """Int n dV dT = int q dT_s: nothing is lost, all only cools."""
    age, low, high = 0.02, 5.0, 50.0
    nodes, weights = np.polynomial.legendre.leggauss(60)
    u = 0.5 * np.log(low * high) + 0.5 * np.log(high / low) * nodes
    energy, measure = np.exp(u), 0.5 * np.log(high / low) * weights * np.exp(u)
    # radial integral with Gauss points; the observers lie along one line
    spread = table.look_back(energy, age)[2]
    edge = 12.0 * np.sqrt(spread.max())
    d = 0.5 * edge * (1.0 + np.polynomial.legendre.leggauss(200)[0])
    shell = 0.5 * edge * np.polynomial.legendre.leggauss(200)[1] * 4.0 * np.pi * d**2
    places = SUN + d[:, None] * np.array([0.0, 0.6, 0.8])
    found, _ = lepton_green(
        pieces((SUN, age, age, 1.0, 0)), [spectrum], places, energy, cooling=table, causal=False
    )
    number = np.dot(shell @ found[0], measure)
    source_low, source_high = table.look_back(np.array([low, high]), age)[0]
    injected, _ = quad(lambda x: spectrum(np.exp(x)) * np.exp(x), np.log(source_low), np.log(source_high),
                       epsabs=0.0, epsrel=1e-10)  # fmt: skip
    assert number == pytest.approx(injected, rel=1e-6)


@pytest.mark.parametrize("half_height", [None, 2.0])
def test_without_losses_it_is_the_nuclear_green_function(half_height):
    table = Cooling.build(lambda t: 1e-9 * t, lambda t: D0 * t**DELTA, minimum=1.0, maximum=1e7)
    energy = np.geomspace(1.0, 1e5, 7)
    D = D0 * energy**DELTA
    place = SUN + np.array([0.5, -0.3, 0.6])
    for age in (0.05, 3.0, 80.0):
        found, gradient = lepton_green(
            pieces((place, age, age, 1.0, 0)), [spectrum], SUN, energy,
            cooling=table, half_height=half_height, causal=False,
        )  # fmt: skip
        n, slope = burst(SUN, place, diffusion=D, age=age, half_height=half_height)
        reached = n > 1e-12 * n.max()
        np.testing.assert_allclose(found[0, 0][reached], (spectrum(energy) * n)[reached], rtol=1e-5)
        np.testing.assert_allclose(
            gradient[0, 0][reached], (spectrum(energy)[:, None] * slope)[reached], rtol=1e-5
        )


@pytest.mark.parametrize("half_height", [None, 2.0])
@pytest.mark.parametrize(("oldest", "youngest"), [(5.0, 0.0), (80.0, 0.0), (5.0, 1.0), (1.0, 0.999)])
def test_a_piece_without_losses(half_height, oldest, youngest):
    table = Cooling.build(lambda t: 0.0 * t, lambda t: D0 * t**DELTA, minimum=1.0, maximum=1e7)
    energy = np.geomspace(1.0, 1e5, 7)
    place = SUN + np.array([0.5, -0.3, 0.6])
    found, gradient = lepton_green(
        pieces((place, oldest, youngest, 3.0, 0)), [spectrum], SUN, energy,
        cooling=table, half_height=half_height, causal=False,
    )  # fmt: skip
    life = oldest - youngest
    n, slope = finite_life(
        SUN, place, diffusion=D0 * energy**DELTA, age=oldest, duration=life, half_height=half_height
    )
    rate = 3.0 * spectrum(energy) / life
    np.testing.assert_allclose(found[0, 0], rate * n, rtol=1e-6)
    np.testing.assert_allclose(
        gradient[0, 0], rate[:, None] * slope, rtol=1e-5, atol=1e-9 * np.abs(rate[0] * slope[0]).max()
    )


@pytest.mark.parametrize(("oldest", "youngest"), [(1e-2, 0.0), (10.0, 0.0), (0.5, 0.1), (1e3, 1e-4)])
@pytest.mark.parametrize("distance", [0.02, 0.5, 3.0])
def test_a_cooling_piece_against_quadrature(table, oldest, youngest, distance):
    """Int dt of the closed form of bursts."""
    place = SUN + np.array([0.0, 0.0, distance])
    for energy in (1.0, 30.0, 1e3, 3e4):
        end = min(oldest, (1.0 - 1e-12) / (B0 * energy))
        if end <= youngest:
            continue
        # before, exp(-100) of it has arrived
        start = max(youngest, distance**2 / (400.0 * D0 * energy**DELTA))
        if end <= start:
            continue
        exact, _ = quad(
            lambda x, e=energy: np.exp(x) * float(closed_form(e, np.exp(x), distance)),
            np.log(start), np.log(end), epsabs=0.0, epsrel=1e-9, limit=2000,
        )  # fmt: skip
        found, _ = lepton_green(
            pieces((place, oldest, youngest, 1.0, 0)), [spectrum], SUN, [energy], cooling=table, causal=False
        )
        expected = exact / (oldest - youngest)
        if expected > 1e-30:
            assert found[0, 0, 0] == pytest.approx(expected, rel=1e-5)


def test_pieces_add_up_to_their_source(table):
    """A piece is the sum of its parts, a source that of its pieces; linear in the energy."""
    energy = np.geomspace(1.0, 1e4, 9)
    a, b = SUN + np.array([0.4, 0.0, 0.0]), SUN + np.array([0.0, 1.0, 0.0])
    whole = pieces((a, 2.0, 0.0, 6.0, 0), (b, 0.1, 0.1, 5.0, 1))
    parts = pieces((a, 2.0, 1.5, 1.5, 0), (b, 0.1, 0.1, 2.0, 1), (a, 1.5, 0.0, 4.5, 0), (b, 0.1, 0.1, 3.0, 1))
    one, slope = lepton_green(whole, [spectrum], SUN, energy, cooling=table)
    other, other_slope = lepton_green(parts, [spectrum], SUN, energy, cooling=table)
    assert one.shape == (2, 1, 9)
    assert slope.shape == (2, 1, 9, 3)
    np.testing.assert_allclose(one, other, rtol=1e-6)
    np.testing.assert_allclose(slope, other_slope, rtol=1e-6, atol=1e-30)


def test_a_short_piece_is_a_burst(table):
    energy = np.geomspace(1.0, 1e3, 5)
    place = SUN + np.array([0.4, 0.3, 0.0])
    short = pieces((place, 0.1 + 1e-7, 0.1 - 1e-7, 1.0, 0))
    flash = pieces((place, 0.1, 0.1, 1.0, 0))
    one, _ = lepton_green(short, [spectrum], SUN, energy, cooling=table)
    other, _ = lepton_green(flash, [spectrum], SUN, energy, cooling=table)
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_halo_takes_what_it_should(table):
    """Between absorbing planes there is less; far from them nothing changes."""
    energy = np.geomspace(1.0, 1e4, 9)
    place = SUN + np.array([0.4, 0.0, 0.1])
    old = pieces((place, 10.0, 0.0, 1.0, 0))
    free, _ = lepton_green(old, [spectrum], SUN, energy, cooling=table)
    halo, _ = lepton_green(old, [spectrum], SUN, energy, cooling=table, half_height=0.5)
    wide, _ = lepton_green(old, [spectrum], SUN, energy, cooling=table, half_height=1e3)
    assert np.all(halo < free)
    np.testing.assert_allclose(wide, free, rtol=1e-6)
    edge, _ = lepton_green(old, [spectrum], [-8.5, 0.0, 0.5], energy, cooling=table, half_height=0.5)
    assert np.all(np.abs(edge) < 1e-10 * free)


def test_nothing_is_faster_than_light(table):
    energy = np.array([1e4])
    place = SUN + np.array([1.0, 0.0, 0.0])
    flight = 1.0 / const.SPEED_OF_LIGHT
    for age, seen in ((0.999 * flight, False), (1.001 * flight, True)):
        found, _ = lepton_green(pieces((place, age, age, 1.0, 0)), [spectrum], SUN, energy, cooling=table)
        assert (found[0, 0, 0] > 0.0) == seen
        steady, _ = lepton_green(pieces((place, age, 0.0, 1.0, 0)), [spectrum], SUN, energy, cooling=table)
        assert (steady[0, 0, 0] > 0.0) == seen
    free, _ = lepton_green(
        pieces((place, 1.0, 0.0, 1.0, 0)), [spectrum], SUN, energy, cooling=table, causal=False
    )
    causal, _ = lepton_green(pieces((place, 1.0, 0.0, 1.0, 0)), [spectrum], SUN, energy, cooling=table)
    late, _ = lepton_green(pieces((place, 1.0, flight, 1.0, 0)), [spectrum], SUN, energy, cooling=table)
    assert causal[0, 0, 0] <= free[0, 0, 0]
    assert causal[0, 0, 0] == pytest.approx(late[0, 0, 0] * (1.0 - flight), rel=1e-9)


def test_tabulated_spectrum(table):
    energy = np.geomspace(1.0, 1e3, 5)
    flash = pieces((SUN + 0.1, 0.1, 0.1, 1.0, 0))
    by_function, _ = lepton_green(flash, [spectrum], SUN, energy, cooling=table)
    by_array, _ = lepton_green(flash, spectrum(table.kinetic_energy)[None], SUN, energy, cooling=table)
    np.testing.assert_allclose(by_array, by_function, rtol=1e-4)


def test_at_the_source_itself(table):
    on, _ = lepton_green(pieces((SUN, 1.0, 0.0, 1.0, 0)), [spectrum], SUN, [10.0], cooling=table)
    off, _ = lepton_green(pieces((SUN, 1.0, 0.5, 1.0, 0)), [spectrum], SUN, [10.0], cooling=table)
    assert np.isinf(on[0, 0, 0])
    assert np.isfinite(off[0, 0, 0])


def test_refusals(table):
    flash = pieces((SUN + 0.1, 0.1, 0.1, 1.0, 0))
    for arguments, message in (
        ({"observers": [0.0, 0.0]}, "three coordinates"),
        ({"spectra": []}, "not among the 0"),
        ({"spectra": np.ones((1, 3))}, "3 energies"),
        ({"kinetic_energy": [0.01]}, "outside the table"),
        ({"half_height": 0.05}, "outside the halo"),
        ({"segments": pieces((SUN, 0.1, 0.2, 1.0, 0))}, "before it begins"),
    ):
        call = {
            "segments": flash,
            "spectra": [spectrum],
            "observers": SUN,
            "kinetic_energy": [10.0],
            **arguments,
        }
        with pytest.raises(ValueError, match=message):
            lepton_green(**call, cooling=table)


def test_nothing_of_nobody(table):
    nobody = Segments(
        *(np.zeros((0, 3)), *(np.zeros(0) for _ in range(3))), *(np.zeros(0, dtype=np.int64),) * 2
    )
    density, gradient = lepton_green(nobody, [spectrum], SUN, [10.0], cooling=table)
    assert density.shape == (0, 1, 1)
    assert gradient.shape == (0, 1, 1, 3)

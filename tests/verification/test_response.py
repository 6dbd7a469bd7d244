"""The response to point sources against closed forms (T17, T18) and against the grid, with momentum."""

from __future__ import annotations

import numpy as np
import pytest
from galaxy_model import small_run
from problems import CARBON, plane_source, slab_grid
from test_spatially_dependent import EMPTY, ENERGIES, H, integral, two_zones

from cyldiff.galaxy import Galaxy
from cyldiff.grid import Kinematics
from cyldiff.operators import TransportOperator
from cyldiff.operators.adjoint import adjoint
from cyldiff.pipeline import build_chain, build_grid
from cyldiff.solve.steady import SteadySolver
from cyldiff.sources.greens_function import burst, finite_life
from cyldiff.sources.response import source_response
from cyldiff.sources.response.motion import neglected_motion
from cyldiff.sources.segments import Segments
from cyldiff.transport.build import Propagation
from cyldiff.transport.convection import NoWind
from cyldiff.transport.reacceleration import NoReacceleration

SUN = np.array([-8.5, 0.0, 0.0])
HALO = 4.0
#: no gas, hence neither sinks nor losses: what the closed forms hold for
NO_GAS = tuple(f'physics.gas.{phase} = {{ kind = "none" }}' for phase in ("HI", "H2", "HII"))


def run(overrides=(), energies=("1 TeV", "1 PeV", 4.0), n_z=17):
    return small_run(("H1",), (*NO_GAS, *overrides), n_r=11, n_z=n_z, energies=energies)


def places(number, nearest, farthest, seed=3):
    """Cartesian places at random distances from the Sun, inside |z| < 3 kpc."""
    random = np.random.default_rng(seed)
    distance = np.exp(random.uniform(np.log(nearest), np.log(farthest), number))
    ways = random.normal(size=(number, 3))
    away = distance[:, None] * ways / np.linalg.norm(ways, axis=1)[:, None]
    away[:, 2] = np.clip(away[:, 2], -3.0, 3.0)
    return SUN + away


def pieces(position, oldest, youngest):
    n = len(position)
    none = np.zeros(n, dtype=np.int64)
    return Segments(
        np.asarray(position),
        np.broadcast_to(oldest, n).astype(float),
        np.broadcast_to(youngest, n).astype(float),
        np.ones(n),
        np.arange(n),
        none,
    )


def cartesian(gradient):
    """Directions r, phi, z at the Sun, which is at phi = pi, as x, y, z."""
    return gradient * np.array([-1.0, -1.0, 1.0])


def closed_form(segments, D):
    """Mean over each piece, shape (n,), and gradient (n, 3)."""
    if np.all(segments.oldest == segments.youngest):
        return burst(SUN, segments.position, diffusion=D, age=segments.oldest, half_height=HALO)
    length = segments.oldest - segments.youngest
    density, gradient = finite_life(
        SUN, segments.position, diffusion=D, age=segments.oldest, duration=length, half_height=HALO
    )
    return density / length, gradient / length[:, None]


@pytest.fixture(scope="module")
def steady():
    return source_response(run(n_z=25), kinetic_energy=[1e4, 1e6])


@pytest.fixture(scope="module")
def in_time():
    """One energy, all ages."""
    return source_response(run(n_z=25), kinetic_energy=1e5, ages=1e4, core=0.2, growth=0.1)


def test_steady_sources(steady):
    """T17 from 20 pc on: at most 2 % on the density, 3 % on the gradient, at energies between the solved ones."""
    energy = np.array([1e4, 6.3e4, 4e5])
    segments = pieces(places(300, 0.02, 5.0), 1.0, 0.0)
    density, gradient = steady.transfer(segments, energy)
    for k, D in enumerate(steady.diffusion(energy)):
        exact, slope = finite_life(
            SUN, segments.position, diffusion=D, age=np.inf, duration=np.inf, half_height=HALO
        )
        np.testing.assert_allclose(density[:, k], exact, rtol=0.02)
        off = np.linalg.norm(cartesian(gradient[:, k]) - slope, axis=1) / np.linalg.norm(slope, axis=1)
        assert off.max() < 0.03
        assert np.median(off) < 0.005
    assert steady.uniform
    assert steady.mirrored


@pytest.mark.parametrize("age", [0.003, 0.03, 0.3, 1.0])
def test_bursts(in_time, age):
    """T17 from 4 cells on: 2 % on the density, 5 % on the dipole, where a tenth of the most is seen."""
    segments = pieces(places(300, 0.3, 4.0), age, age)
    density, gradient = in_time.transfer(segments, causality=False)
    exact, slope = closed_form(segments, float(in_time.diffusion(1e5)))
    seen = exact > 0.1 * exact.max()
    assert np.count_nonzero(seen) > 15
    np.testing.assert_allclose(density[seen, 0], exact[seen], rtol=0.02)
    dipole, known = cartesian(gradient[seen, 0]) / density[seen], slope[seen] / exact[seen, None]
    off = np.linalg.norm(dipole - known, axis=1) / np.linalg.norm(known, axis=1)
    assert off.max() < 0.05
    # and nothing is made up where little is seen
    assert np.all(np.abs(density[:, 0] - exact) < 0.01 * exact.max())


@pytest.mark.parametrize(
    ("oldest", "youngest"), [(0.002, 0.0), (0.1, 0.0), (3.0, 0.0), (0.3, 0.25), (2.0, 0.1), (1.0, 0.001)]
)
def test_pieces_of_histories(in_time, oldest, youngest):
    """Sources that were on between two ages, also beside the Sun, where the closed form is used."""
    segments = pieces(places(300, 0.02, 3.0), oldest, youngest)
    density, gradient = in_time.transfer(segments, causality=False)
    exact, slope = closed_form(segments, float(in_time.diffusion(1e5)))
    seen = exact > 0.03 * np.quantile(exact, 0.9)
    np.testing.assert_allclose(density[seen, 0], exact[seen], rtol=0.02)
    size = np.linalg.norm(slope[seen], axis=1)
    off = np.linalg.norm(cartesian(gradient[seen, 0]) - slope[seen], axis=1)
    assert np.all(off < 0.05 * np.maximum(size, 0.05 * exact[seen]))


def test_a_source_that_is_on_for_long_is_a_steady_one(in_time):
    """The integral of bursts over all ages is the steady response, which is solved by itself."""
    position = places(100, 0.05, 5.0)
    limit = 9.99e3
    on = pieces(position, limit, 0.0)
    density, _ = in_time.transfer(on, causality=False)
    r, phi = np.hypot(position[:, 0], position[:, 1]), np.arctan2(position[:, 1], position[:, 0])
    steady = in_time.at(r, phi, position[:, 2])
    np.testing.assert_allclose(density * limit, steady, rtol=1e-3)
    # without the short cut by which it takes the steady table
    split = np.geomspace(1e-6, limit, 40)
    total = np.zeros(len(position))
    for young, old in zip([0.0, *split[:-1]], split, strict=True):
        total += in_time.transfer(pieces(position, old, young), causality=False)[0][:, 0] * (old - young)
    np.testing.assert_allclose(total, steady[:, 0], rtol=0.01)


def test_a_dipole_of_a_burst_does_not_know_d(in_time):
    """3 d / 2 c t: |grad n| / n = d / 2 D t (physics.md 11.1), from all directions in the plane."""
    D, age = float(in_time.diffusion(1e5)), 0.05
    for angle in np.linspace(0.0, 2.0 * np.pi, 7):
        segments = pieces(SUN + 0.8 * np.array([[np.cos(angle), np.sin(angle), 0.0]]), age, age)
        density, gradient = in_time.transfer(segments, causality=False)
        towards = cartesian(gradient[0, 0]) / density[0, 0]
        expected = (segments.position[0] - SUN) / (2.0 * D * age)
        np.testing.assert_allclose(towards, expected, atol=0.03 * np.linalg.norm(expected))


def test_an_observer_above_the_plane():
    """Not mirrored: both half-spaces are in the table."""
    response = source_response(
        run(('physics.observer.z = "0.3 kpc"',)), kinetic_energy=1e5, core=0.15, growth=0.1
    )
    assert not response.mirrored
    sun = np.array([-8.5, 0.0, 0.3])
    position = places(60, 0.05, 3.0) + np.array([0.0, 0.0, 0.3])
    density, gradient = response.transfer(pieces(position, 1.0, 0.0))
    exact, slope = finite_life(
        sun, position, diffusion=response.diffusion(1e5), age=np.inf, duration=np.inf, half_height=HALO
    )
    np.testing.assert_allclose(density[:, 0], exact, rtol=0.02)
    off = np.linalg.norm(cartesian(gradient[:, 0]) - slope, axis=1)
    assert np.all(off < 0.03 * np.linalg.norm(slope, axis=1))


def test_two_zone_slab():
    """T18 by the adjoint: a particle per Myr on the plane gives int_0^H dz / 2D, for every R."""
    law = two_zones()
    grid = slab_grid(33, H, energies=ENERGIES, stretch=5.0, kinks=law.kinks(H))
    laws = Propagation(grid, Galaxy.on_grid(EMPTY, grid), law, NoWind(), NoReacceleration(), losses=False)
    terms = laws.coefficients(Kinematics(ENERGIES, *CARBON), np.zeros(grid.shape))
    problem = adjoint(TransportOperator.build(grid, terms))
    # what is observed is the density on the plane, per volume of its cell
    found, _ = SteadySolver(1e-11).solve(problem, plane_source(grid))
    np.testing.assert_allclose(found[::-1, 0, 0], integral(law), rtol=1e-5)


REACCELERATION = ('physics.reacceleration = { kind = "seo-ptuskin-1994", alfven_speed = "25 km/s" }',)


def test_motion_in_momentum_against_the_grid():
    """Rings of sources at a few GeV with losses, reacceleration and secondary protons: 2-D forward solves."""
    law = small_run(("H1",), REACCELERATION, n_r=11, n_z=17, energies=("100 MeV", "1 TeV", 6.0))
    response = source_response(law, kinetic_energy=[3.0], coupling="coupled", core=0.4, growth=0.15, modes=24)
    assert response.coupled
    row = int(np.argmin(np.abs(response.injected_energy / response.kinetic_energy[0] - 1.0)))
    assert response.injected_energy[row] == response.kinetic_energy[0]
    alone = source_response(
        law, kinetic_energy=response.kinetic_energy, coupling="decoupled", core=0.4, growth=0.15, modes=24
    )
    fine = small_run(("H1",), REACCELERATION, n_r=41, n_z=17, energies=("100 MeV", "1 TeV", 6.0)).config
    grid = build_grid(fine)
    chain = build_chain(fine, grid)
    nucleus, operator = chain.kinematics(chain.network.species[0]), chain.operator(0)
    spectrum = nucleus.momentum**-2.3 / nucleus.beta
    injected = np.interp(np.log(response.injected_energy), np.log(grid.kinetic_energy), np.log(spectrum))
    angles = 2.0 * np.pi * (np.arange(32) + 0.5) / 32
    for ring in (12, 24):
        q = np.zeros(grid.shape)
        q[:, ring, 0] = spectrum * nucleus.momentum_per_energy / grid.volume[ring, 0]
        u, _ = SteadySolver(1e-8).solve(operator, q, feedback=chain.feedback(0))
        k = int(np.argmin(np.abs(grid.kinetic_energy / response.kinetic_energy[0] - 1.0)))
        expected = float(grid.at(u, 8.5)[k] / nucleus.momentum_per_energy[k])
        r = grid.r.centers[ring]
        around = np.stack([r * np.cos(angles), r * np.sin(angles), np.zeros(32)], axis=-1)
        seen, _ = response.evaluate(pieces(around, 1.0, 0.0), np.exp(injected)[None])
        assert seen.mean() == pytest.approx(expected, rel=0.01), r
        without, _ = alone.evaluate(pieces(around, 1.0, 0.0), np.exp(injected)[None, [row]])
        assert abs(without.mean() / expected - 1.0) > 0.05


def test_decision_about_motion_in_momentum():
    """Negligible at high energies only; what is left out is recorded, and decides."""
    law = small_run(("H1",), REACCELERATION, n_r=11, n_z=11, energies=("100 MeV", "100 TeV", 4.0))
    motion = neglected_motion(law.config)
    assert motion.change[motion.kinetic_energy < 3.0].min() > 0.1
    assert motion.change[-1] < 0.01
    assert np.all(np.diff(motion.change[8:]) < 0.0)
    coarse = {"core": 0.5, "growth": 0.2, "modes": 12}
    high = source_response(law, kinetic_energy=[3e4, 1e5], **coarse)
    assert not high.coupled
    np.testing.assert_allclose(high.neglected, motion.at(high.kinetic_energy))
    low = source_response(law, kinetic_energy=[10.0], **coarse)
    assert low.coupled
    every = source_response(law, **coarse)
    assert not every.coupled
    assert every.neglected.max() < 0.01 < motion.change[motion.kinetic_energy < every.kinetic_energy[0]].min()

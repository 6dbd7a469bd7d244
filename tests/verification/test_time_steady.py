"""A chain in time: the steady state as its limit, linearity, and the account of particles."""

from __future__ import annotations

import numpy as np
import pytest
from galaxy_model import ALL_PROCESSES, small_run
from problems import relative_difference
from time_problems import uniform_box, uniform_operator

from cyldiff.errors import ConvergenceError
from cyldiff.pipeline import build_chain, build_grid, build_sources
from cyldiff.solve.crank_nicolson import Stepper
from cyldiff.solve.evolution import Evolution, evolve
from cyldiff.solve.steady import SteadySolver
from cyldiff.sources.history import PiecewiseHistory

SPECIES = ("H1", "Be10", "B11", "C12")
CONSTANT = {"remnants": Evolution(lambda time: 1.0)}


def history(times, strengths):
    law = PiecewiseHistory(times=[f"{t} Myr" for t in times], strengths=strengths)
    return {"remnants": Evolution(law.strength, law.switches)}


@pytest.fixture(scope="module")
def chain():
    """Protons with their secondaries, 10Be, 11B and 12C, with every process."""
    run = small_run(SPECIES, ALL_PROCESSES, n_r=9, n_z=9, energies=("100 MeV", "1 TeV", 4.0))
    grid = build_grid(run.config)
    chain = build_chain(run.config, grid)
    return chain, build_sources(run.config, grid, chain.network.species)


@pytest.fixture(scope="module")
def steady(chain):
    solver, sources = chain
    return solver.solve(sources)


def test_long_time_limit_is_the_steady_state(chain, steady):
    """To 1e-6 for every nuclide, at a tolerance of 1e-2: the limit does not depend on the steps."""
    solver, sources = chain
    end = evolve(solver, sources, CONSTANT, [1e5], tolerance=1e-2)[-1]
    for i, species in enumerate(steady.species):
        assert relative_difference(end.density[0, i], steady.density[0, i]) < 1e-6, species.name


def test_the_limit_is_approached_from_below(chain, steady):
    solver, sources = chain
    snapshots = evolve(solver, sources, CONSTANT, [1.0, 10.0, 100.0, 1000.0], tolerance=1e-2)
    ratios = np.array([s.density[0, -1, :, 4, 0] / steady.density[0, -1, :, 4, 0] for s in snapshots])
    assert np.all(np.diff(ratios, axis=0) > -1e-6)
    assert ratios[0].max() < 0.9
    # the higher the energy, the sooner
    assert np.all(np.diff(ratios[1, 4:]) > 0.0)


def test_steady_stays_steady(chain, steady):
    solver, sources = chain
    snapshots = evolve(solver, sources, CONSTANT, [0.1, 5.0, 300.0], start=steady, tolerance=1e-2)
    for snapshot in snapshots:
        for i in range(len(SPECIES)):
            assert relative_difference(snapshot.density[0, i], steady.density[0, i]) < 1e-8


def test_particles_are_accounted_for(chain):
    """Injected = destroyed + escaped + lost below + kept, within the linear tolerance of every step."""
    solver, sources = chain
    solution = evolve(solver, sources, history((0.0, 5.0), (1.0, 0.0)), [8.0], tolerance=1e-5)[-1]
    assert np.abs(solution.balance).max() < 2e-7
    for flow in solution.flows:
        assert min(flow["source"], flow["sink"], flow["escape"], flow["loss"], flow["kept"]) > 0.0


def test_response_to_a_pulse_is_the_difference_of_two_steps(chain):
    """On from 1 to 3 Myr, seen at 6 Myr: on since 1 less on since 3 Myr."""
    solver, sources = chain
    pulse, early, late = (
        evolve(solver, sources, law, [2.0, 6.0], tolerance=3e-5)
        for law in (history((1.0, 3.0), (1.0, 0.0)), history((1.0,), (1.0,)), history((3.0,), (1.0,)))
    )
    np.testing.assert_array_equal(pulse[0].density, early[0].density)
    assert np.all(late[0].density == 0.0)
    difference = early[1].density - late[1].density
    for i in range(len(SPECIES)):
        assert relative_difference(pulse[1].density[0, i], difference[0, i]) < 5e-3
        # and relative to what was there at the end of the pulse
        top = early[0].density[0, i].max(axis=(1, 2))
        error = np.abs(pulse[1].density[0, i] - difference[0, i]).max(axis=(1, 2))
        assert np.max(error / top) < 5e-4


def test_doubled_sources_double_everything(chain):
    solver, sources = chain
    one = evolve(solver, sources, history((0.0,), (1.0,)), [3.0])[-1]
    two = evolve(solver, sources, history((0.0,), (2.0,)), [3.0])[-1]
    np.testing.assert_allclose(two.density, 2.0 * one.density, rtol=1e-12)


def test_negative_densities_are_refused(chain, steady):
    """Beyond the error of time they are a fault, and said to be."""
    solver, sources = chain
    with pytest.raises(ConvergenceError, match=r"C12 from remnants at 1 Myr: the density is negative"):
        evolve(solver, sources, history((99.0,), (1.0,)), [1.0], start=-steady.density)


def test_three_dimensions_reach_the_steady_state():
    """A source on one side of the Galaxy, and gas that varies around the circle: no symmetry left."""
    grid = uniform_box(8, 12, 7, radius=10.0, half_height=4.0)
    r, phi, z = (grid.coordinate(name)[0] for name in ("r", "phi", "z"))
    sink = 0.05 * (1.0 + 0.8 * np.cos(2.0 * phi + 0.3 * r)) * np.exp(-z)
    operator = uniform_operator(grid, [1.0, 0.3], sink=sink)
    source = np.ones(grid.shape) * np.exp(-((r - 5.0) ** 2) - z**2) * (1.0 + np.cos(phi - 1.0))
    steady = SteadySolver(1e-11).solve(operator, source)[0]
    stepper = Stepper([operator], lambda index, time, fields: source, tolerance=1e-2)
    end = stepper.advance([np.zeros(grid.shape)], [3e4])[-1][0]
    assert relative_difference(end, steady) < 1e-6
    assert stepper.report.accepted < 60


def test_two_and_three_dimensions_agree_in_time(chain):
    """T15: the same axisymmetric run on both grids, step for step."""
    densities = []
    for more in ((), ("grid.space.phi.n = 8",)):
        run = small_run(("C12",), (*ALL_PROCESSES, *more), n_r=7, n_z=7, energies=("1 GeV", "1 TeV", 2.0))
        grid = build_grid(run.config)
        solver = build_chain(run.config, grid)
        sources = build_sources(run.config, grid, solver.network.species)
        densities.append(evolve(solver, sources, CONSTANT, [5.0])[-1].density[0, 0])
    flat, around = densities
    assert np.ptp(around, axis=2).max() < 1e-7 * around.max()
    assert relative_difference(around[:, :, 0], flat) < 1e-5

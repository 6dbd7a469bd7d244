"""The adjoint against forward solves: 20 random sources, in 3-D, at rest and in time.

Both sides have the same discrete operator, with the modes of its cells in phi, so that they agree as well as
they are solved.
"""

from __future__ import annotations

import numpy as np
import pytest
from forward_modes import forward_density
from galaxy_model import SPATIALLY_DEPENDENT, small_run
from scipy.sparse.linalg import expm_multiply

from cyldiff.grid import per_momentum
from cyldiff.operators.adjoint import at_momenta, without_momentum
from cyldiff.pipeline import build_chain, build_grid
from cyldiff.solve.adjoint import AdjointModes, stencil
from cyldiff.solve.steady import SteadySolver
from cyldiff.sources.response import source_response
from cyldiff.sources.response.solve import turned_feedback

REACCELERATION = ('physics.reacceleration = { kind = "seo-ptuskin-1994", alfven_speed = "15 km/s" }',)
WIND = ('physics.convection = { kind = "linear-wind", V0 = "5 km/s", gradient = "3 km/s/kpc" }',)
LAWS = {"uniform": (*REACCELERATION, *WIND), "spatially dependent": (*REACCELERATION, *SPATIALLY_DEPENDENT)}
#: cells in phi; the Sun is on a centre, as for every even number
AROUND = 12
SOURCES = 20


def problem(law, energies=("1 GeV", "1 TeV", 5.0)):
    """Chain of protons on a small 3-D grid of both half-spaces."""
    mesh = (f"grid.space.phi = {{ n = {AROUND} }}", "grid.space.half_space = false")
    run = small_run(("H1",), (*LAWS[law], *mesh), n_r=9, n_z=11, energies=energies)
    return build_chain(run.config, build_grid(run.config))


def random_sources(grid, momentum):
    """Twenty cells with a power law each, shape of a field; and their places."""
    random = np.random.default_rng(20)
    for _ in range(SOURCES):
        cell = tuple(int(random.integers(n)) for n in grid.shape[1:])
        q = np.zeros(grid.shape)
        q[(slice(None), *cell)] = momentum ** -random.uniform(1.0, 1.6)
        yield cell, q


def response_at_cells(modes, found, weights):
    """Sum the modes of the cells in phi, shape (n_p, n_r, n_phi, n_z), in growing order of momentum."""
    psi = 2.0 * np.pi * np.arange(AROUND) / AROUND - np.pi
    waves = weights * np.cos(np.outer(psi, modes))
    return np.einsum("am,mkij->kiaj", waves, found)[::-1]


@pytest.mark.parametrize("law", LAWS)
def test_twenty_random_sources(law):
    """Density, and slopes in r and z, at one energy: losses, wind, reacceleration, secondary protons are on."""
    chain = problem(law)
    grid, operator, row = chain.grid, chain.operator(0), 6
    nucleus, feedback = chain.kinematics(chain.network.species[0]), chain.feedback(0)
    adjoint = AdjointModes.of(operator)
    adjoint = AdjointModes(adjoint.operator, adjoint.around, turned_feedback(chain))
    observed = np.zeros((3, *adjoint.operator.grid.shape))
    observed[:, len(operator.width) - 1 - row] = stencil(grid.meridional, 8.5, 0.0) / operator.width[row]
    importance = (nucleus.momentum**-1.3 * operator.width)[::-1]
    modes = np.arange(AROUND // 2 + 1, dtype=float)
    found = adjoint.steady(modes, lambda m: observed, tolerance=1e-10, weight=importance, cells=AROUND)
    # e_m, the highest counts once
    twice = np.where((modes > 0) & (modes < AROUND / 2), 2.0, 1.0)
    seen = [response_at_cells(modes, found[:, what], twice) for what in range(3)]
    weight = per_momentum(operator.width, 3) * grid.volume
    for cell, q in random_sources(grid, nucleus.momentum):
        u, _ = SteadySolver(1e-9).solve(operator, q, feedback=feedback)
        expected = [grid.at(u, 8.5)[row], *grid.gradient_at(u, 8.5)[::2, row]]
        answers = [float(np.sum(response * q * weight)) for response in seen]
        assert answers[0] == pytest.approx(expected[0], rel=1e-5), cell
        size = abs(expected[0])
        np.testing.assert_allclose(answers[1:], expected[1:], rtol=1e-4, atol=1e-5 * size)


@pytest.mark.parametrize("law", LAWS)
def test_twenty_random_bursts(law):
    """The same in time, where nothing moves in momentum: 20 bursts, against the exponential of the matrix."""
    chain = problem(law, energies=("1 TeV", "100 TeV", 2.0))
    grid = chain.grid
    operator = without_momentum(chain.operator(0))
    ages, energy = ([0.5, 3.0] if law == "uniform" else [0.1, 0.6]), 2
    alone = AdjointModes.of(at_momenta(operator, energy, energy + 1))
    modes = np.arange(AROUND // 2 + 1, dtype=float)
    observed = stencil(grid.meridional, 8.5, 0.0)[:1, None]
    path = [alone.in_time(m, observed, ages, tolerance=2e-4, cells=AROUND) for m in modes]
    twice = np.where((modes > 0) & (modes < AROUND / 2), 2.0, 1.0)
    seen = [response_at_cells(modes, np.stack([p[a][0] for p in path]), twice)[0] for a in range(len(ages))]
    cells = [cell for cell, _ in random_sources(grid, np.ones(len(operator.width)))]
    bursts = np.zeros((*grid.shape[1:], SOURCES))
    for number, cell in enumerate(cells):
        bursts[(*cell, number)] = 1.0 / grid.volume[cell]
    matrix = at_momenta(operator, energy, energy + 1).to_csr()
    for age, response in zip(ages, seen, strict=True):
        fields = expm_multiply(-age * matrix, bursts.reshape(-1, SOURCES)).reshape(bursts.shape)
        expected = np.array([grid.at(fields[None, ..., n], 8.5)[0] for n in range(SOURCES)])
        answers = np.array([response[cell] for cell in cells])
        # beside what is seen of the brightest: a far source has not arrived
        np.testing.assert_allclose(answers, expected, rtol=2e-3, atol=1e-4 * expected.max())
        assert np.count_nonzero(expected > 0.1 * expected.max()) >= 3


def test_axisymmetric_sources_are_the_mode_0():
    """A ring is seen as the mean over its points."""
    chain = problem("uniform", energies=("100 GeV", "100 TeV", 2.0))
    adjoint = AdjointModes.of(without_momentum(chain.operator(0)))
    modes = np.arange(AROUND // 2 + 1, dtype=float)
    observed = stencil(chain.grid.meridional, 8.5, 0.0)[:1, None]
    found = adjoint.steady(modes, lambda m: observed, tolerance=1e-8, cells=AROUND)[:, 0]
    twice = np.where((modes > 0) & (modes < AROUND / 2), 2.0, 1.0)
    around = response_at_cells(modes, found, twice)
    np.testing.assert_allclose(around.mean(axis=2), found[0][::-1], rtol=1e-12)
    assert np.ptp(around, axis=2).max() > 0.1 * around.max()


def test_spatially_dependent_sources_on_meshes_of_their_own():
    """The whole way, table and near field included, against forward solves on a mesh around each source."""
    run = small_run(("H1",), LAWS["spatially dependent"], n_r=11, n_z=25, energies=("100 GeV", "10 PeV", 4.0))
    energies = np.array([1e4, 1e5, 1e6])
    response = source_response(run, kinetic_energy=energies, core=0.04, growth=0.08)
    for place in ((7.9, np.pi + 0.05, 0.0), (8.8, np.pi - 0.02, 0.1), (6.0, np.pi - 0.4, -0.3)):
        expected = forward_density(run.config, place, energies, core=0.025, growth=0.08)
        assert response.at(*place, kinetic_energy=energies) == pytest.approx(expected, rel=0.02), place

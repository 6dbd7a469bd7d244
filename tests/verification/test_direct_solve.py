"""The iteration against the sparse factorisation of the same operator, every process on."""

from __future__ import annotations

import numpy as np
import pytest
from galaxy_model import ALL_PROCESSES, SPATIALLY_DEPENDENT, small_run
from problems import relative_difference

from cyldiff.pipeline import build_chain, build_grid, build_sources
from cyldiff.solve.steady import SteadySolver, solve_direct

#: reacceleration, wind, losses, spallation, decay (10Be) and secondary protons (1H)
NUCLIDES = ("Fe56", "C12", "Be10", "H1")
LAWS = {"homogeneous": (), "spatially-dependent": SPATIALLY_DEPENDENT}


def _solve(law, scheme, tolerance, *, direct):
    run = small_run(
        NUCLIDES, (*ALL_PROCESSES, *LAWS[law], f'solver.momentum_scheme = "{scheme}"'), tolerance=tolerance
    )
    grid = build_grid(run.config)
    chain = build_chain(run.config, grid)
    chain.direct = direct
    return chain.solve(build_sources(run.config, grid, chain.network.species))


@pytest.mark.parametrize("scheme", ["third-order", "chang-cooper"])
@pytest.mark.parametrize("law", LAWS)
def test_agreement_with_the_sparse_factorisation(law, scheme):
    """Largest difference over space, relative to the largest density at the same momentum."""
    exact = _solve(law, scheme, 1e-11, direct=True)
    found = _solve(law, scheme, 1e-11, direct=False)
    for index, species in enumerate(found.species):
        assert relative_difference(found.density[0, index], exact.density[0, index]) < 1e-8, species.name
        assert found.density[0, index].max() > 0.0
    # at the tolerance of a run the error stays of the order of the residual
    quick = _solve(law, scheme, 1e-8, direct=False)
    for index, species in enumerate(quick.species):
        assert relative_difference(quick.density[0, index], exact.density[0, index]) < 1e-7, species.name


def test_the_processes_are_on():
    """Each of them changes its nuclide by more than a percent, else the test above proves little."""
    reference = _at_sun(ALL_PROCESSES)
    switches = {
        "reacceleration": ('physics.reacceleration = { kind = "none" }', "C12"),
        "wind": ('physics.convection = { kind = "none" }', "C12"),
        "losses": ("physics.energy_losses = false", "Fe56"),
        "secondary protons": ("physics.secondary_protons = false", "H1"),
    }
    for name, (switch, species) in switches.items():
        changed = _at_sun((*ALL_PROCESSES, switch))
        assert np.abs(changed[species] / reference[species] - 1.0).max() > 0.01, name


def _at_sun(overrides):
    run = small_run(NUCLIDES, overrides, tolerance=1e-6)
    grid = build_grid(run.config)
    chain = build_chain(run.config, grid)
    solution = chain.solve(build_sources(run.config, grid, chain.network.species))
    return {s.name: grid.at(solution.density[0, i], 8.5) for i, s in enumerate(solution.species)}


@pytest.mark.parametrize("law", LAWS)
def test_the_safety_net_finds_the_same_solution(law):
    """GMRES around the cycle, taken after two stationary cycles."""
    run = small_run(("C12",), (*ALL_PROCESSES, *LAWS[law]))
    grid = build_grid(run.config)
    chain = build_chain(run.config, grid)
    problem = chain.operator(0)
    source = build_sources(run.config, grid, chain.network.species)[0]
    right = source.spectra["C12"][:, None, None] * source.density
    found, report = SteadySolver(1e-10, maximum_cycles=2, maximum_krylov=30).solve(problem, right)
    assert report.method == "gmres"
    assert relative_difference(found, solve_direct(problem, right)) < 1e-8

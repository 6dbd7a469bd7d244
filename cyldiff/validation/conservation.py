"""Identities of the discrete system, and the iteration against other ways to solve it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.grid import Grid, Kinematics, per_momentum
from cyldiff.operators import TransportOperator
from cyldiff.operators.adjoint import adjoint
from cyldiff.pipeline import build_chain, build_grid, build_sources
from cyldiff.solve.chain import ChainSolver
from cyldiff.solve.steady import SteadySolver
from cyldiff.sources.component import normalise
from cyldiff.validation.case import Case, Check, Refinement, below, close, largest
from cyldiff.validation.exact import energy_of_spectrum
from cyldiff.validation.model import ALL_PROCESSES, SPATIALLY_DEPENDENT, small_run
from cyldiff.validation.problems import relative_difference

__all__ = ["CASES"]

Array = NDArray[np.float64]
Checks = Sequence[Check | Refinement]

GROUP = "Conservation and consistency"
#: reacceleration, wind, losses, spallation, decay (10Be) and secondary protons (1H)
NUCLIDES = ("Fe56", "C12", "Be10", "H1")
MODELS = {
    "homogeneous": ALL_PROCESSES,
    "two zones": (*ALL_PROCESSES, *SPATIALLY_DEPENDENT),
    "chang-cooper": (*ALL_PROCESSES, 'solver.momentum_scheme = "chang-cooper"'),
    "whole space": (*ALL_PROCESSES, "grid.space.half_space = false", "grid.space.z.n = 13"),
    "three dimensions": (*ALL_PROCESSES, "grid.space.phi = { n = 6 }"),
}


def _chain(
    overrides: Sequence[str], species: Sequence[str] = ("C12",), **options: Any
) -> tuple[Any, Grid, ChainSolver]:
    run = small_run(species, overrides, **options)
    grid = build_grid(run.config)
    return run.config, grid, build_chain(run.config, grid)


def _weights(problem: TransportOperator) -> Array:
    return np.asarray(per_momentum(problem.width, len(problem.grid.axes)) * problem.grid.volume)


def _direct() -> Checks:
    checks: list[Check | Refinement] = []
    for name in ("homogeneous", "two zones"):
        solutions = []
        for direct in (True, False):
            config, grid, chain = _chain(MODELS[name], NUCLIDES)
            chain.direct = direct
            solutions.append(chain.solve(build_sources(config, grid, chain.network.species)))
        exact, found = solutions
        worst = largest(
            [relative_difference(found.density[0, i], exact.density[0, i]) for i in range(len(NUCLIDES))]
        )
        checks.append(below(f"{name}: 56Fe, 12C, 10Be, 1H, per momentum", worst, 1e-8))
    return checks


def _identity() -> Checks:
    checks: list[Check | Refinement] = []
    for name, overrides in MODELS.items():
        _, grid, chain = _chain(overrides, n_r=7, n_z=9)
        problem = chain.operator(0)
        weight, field = _weights(problem), np.random.default_rng(7).random(grid.shape)
        total = float(np.sum(problem.apply(field) * weight))
        sinks = float(np.sum(problem.sink_rate * field * weight))
        turnover = float(np.sum(problem.diagonal * field * weight))
        left = (total - sinks - sum(problem.outflow(field).values())) / turnover
        checks.append(below(f"{name}: sum of A x - sinks - outflow, of the turnover", left, 1e-12))
    return checks


def _account() -> Checks:
    config, grid, chain = _chain(ALL_PROCESSES, ("H1", "Be10", "C12"))
    solution = chain.solve(build_sources(config, grid, chain.network.species))
    return [below("imbalance of 1H, 10Be and 12C, of their sources", np.abs(solution.balance).max(), 1e-9)]


def _linear() -> Checks:
    _, grid, chain = _chain(ALL_PROCESSES)
    problem, solver, random = chain.operator(0), SteadySolver(1e-12), np.random.default_rng(3)
    first, second = random.random(grid.shape), random.random(grid.shape)
    one, two = (solver.solve(problem, q)[0] for q in (first, second))
    both, _ = solver.solve(problem, 2.0 * first + 0.7 * second)
    return [below("per momentum", relative_difference(both, 2.0 * one + 0.7 * two), 1e-10)]


def _adjoint() -> Checks:
    checks: list[Check | Refinement] = []
    for name, overrides in MODELS.items():
        forward = _chain(overrides, n_r=7, n_z=9)[2].operator(0)
        backward, w = adjoint(forward), _weights(forward)
        a, b = np.random.default_rng(3).uniform(0.1, 1.0, (2, *forward.grid.shape))
        left = np.sum(a * forward.apply(b) * w)
        right = np.sum(backward.apply(a[::-1])[::-1] * b * w)
        scale = np.sum(a * np.abs(forward.diagonal) * b * w)
        checks.append(
            below(f"{name}: <a, A b> - <A* a, b>, of the turnover", float((left - right) / scale), 1e-13)
        )
    return checks


def _adjoint_solution() -> Checks:
    forward = _chain(ALL_PROCESSES, ("H1",), n_r=7, n_z=9)[2].operator(0)
    w, (o, q) = _weights(forward), np.random.default_rng(6).uniform(0.1, 1.0, (2, *forward.grid.shape))
    u, _ = SteadySolver(1e-11).solve(forward, q)
    r, _ = SteadySolver(1e-11).solve(adjoint(forward), o[::-1])
    return [close("<o, A^-1 q> = <A*^-1 o, q>", np.sum(r[::-1] * q * w), np.sum(o * u * w), 1e-8)]


def _axisymmetric() -> Checks:
    densities = []
    for overrides in (ALL_PROCESSES, (*ALL_PROCESSES, "grid.space.phi = { n = 8 }")):
        config, grid, chain = _chain(overrides, ("H1", "Be10", "C12"), n_r=8, n_z=9)
        densities.append(chain.solve(build_sources(config, grid, chain.network.species)).density[0])
    flat, round_ = densities
    worst = largest(
        [
            relative_difference(b, np.broadcast_to(a[:, :, None, :], b.shape))
            for a, b in zip(flat, round_, strict=True)
        ]
    )
    return [below("1H, 10Be and 12C in every cell, per momentum", worst, 1e-8)]


def _half_space() -> Checks:
    densities = []
    for overrides in (("grid.space.z.n = 8",), ("grid.space.half_space = false", "grid.space.z.n = 15")):
        config, grid, chain = _chain((*ALL_PROCESSES, *overrides), ("Be10", "C12"), n_r=7)
        densities.append(chain.solve(build_sources(config, grid, chain.network.species)).density[0])
    half, whole = densities
    worst = largest([relative_difference(b[..., 7:], a) for a, b in zip(half, whole, strict=True)])
    return [below("10Be and 12C in every cell, per momentum", worst, 1e-8)]


def _power() -> Checks:
    config, grid, chain = _chain((), ("H1", "C12"), energies=("10 MeV", "100 TeV", 24.0), n_r=7, n_z=7)
    sources = build_sources(config, grid, chain.network.species)
    solution = chain.solve(sources)
    strength, power = normalise(config.physics, grid, sources, solution)["remnants"], 0.0
    for nucleus in solution.species:

        def per_energy(t: Any, nucleus: Any = nucleus) -> Any:
            k = Kinematics(np.atleast_1d(t), nucleus.Z, nucleus.A, nucleus.mass_per_nucleon)
            return (k.rigidity**-2.3 / k.beta)[0]

        shape = energy_of_spectrum(per_energy, 1.0, 1e5) / per_energy(100.0)
        power += strength * {"H1": 1.0, "C12": 3e-3}[nucleus.name] * nucleus.A * shape
    return [
        close("power above 1 GeV/n, asked for 1e41 erg/s", power / (const.ERG_GEV * const.MYR_S), 1e41, 1e-3)
    ]


CASES = (
    Case("direct-solve", GROUP, "The iteration finds what the factorisation of the same matrix finds.",
         "sparse LU (scipy, SuperLU), every process on", _direct),
    Case("finite-volume", GROUP,
         "What leaves a cell enters its neighbour: sum of A x = sinks + outflow, for any field.",
         "identity", _identity),
    Case("balance", GROUP, "Sources = collisions + decays + losses + escape for every solved nuclide.",
         "identity", _account),
    Case("linearity", GROUP, "The solution of 2 Q1 + 0.7 Q2 is that of the solutions.", "identity", _linear),
    Case("adjoint", GROUP, "The adjoint operator obeys <a, A b> = <A* a, b>.", "identity", _adjoint),
    Case("adjoint-solution", GROUP, "An adjoint solve gives what the forward one gives.",
         "identity", _adjoint_solution),
    Case("3d-2d", GROUP, "An axisymmetric problem in three dimensions is that in two.", "2-D solve", _axisymmetric),
    Case("half-space", GROUP, "The upper half-space is half of the whole.", "solve on both sides", _half_space),
    Case("source-power", GROUP, "int T Q dT of the sources is the power that was asked for.",
         "adaptive quadrature (scipy)", _power),
)  # fmt: skip

"""The network solved backwards: from the derivative of chi-square for the spectra to the multipliers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cyldiff.config.schema import RunConfig
from cyldiff.operators.adjoint import adjoint
from cyldiff.operators.operator import TransportOperator
from cyldiff.solve.adjoint import stencil
from cyldiff.solve.chain import ChainSolver
from cyldiff.solve.solution import PrimarySource
from cyldiff.solve.steady import SteadySolver
from cyldiff.sources.component import intensity
from cyldiff.transport.collisions import collision_rate, decay_rate

__all__ = ["Forward", "at_observer", "solve_backwards"]

Array = NDArray[np.float64]

#: residual of the adjoint relative to that of the run: the gradient is limited by the fields, not by it
LOOSER = 10.0


@dataclass(frozen=True)
class Forward:
    """A solution with what the adjoint needs.

    Attributes
    ----------
    config, chain, sources : the model, its solver, its components with present abundances
    density : shape (n_components, n_species, *field), of unit strength
    strength : shape (n_components,)
    steep : per nuclide, the faces in momentum that count as cut-offs
    operators : per nuclide
    """

    config: RunConfig
    chain: ChainSolver
    sources: list[PrimarySource]
    density: Array
    strength: Array
    steep: list[NDArray[np.bool_]]
    operators: list[TransportOperator]

    @classmethod
    def of(
        cls,
        config: RunConfig,
        chain: ChainSolver,
        sources: list[PrimarySource],
        density: Array,
        strength: Array,
    ) -> Forward:
        """Build the operators that the densities were solved with."""
        steep = [chain.cut_offs(j, sources, density) for j in range(len(chain.network.species))]
        operators = [chain.operator(j, s) for j, s in enumerate(steep)]
        return cls(config, chain, sources, density, strength, steep, operators)


def at_observer(density: Array, config: RunConfig, chain: ChainSolver) -> Array:
    """Intensities where the observer of a config is, shape (n_components, n_species, n_T)."""
    sun, grid = config.physics.observer, chain.grid
    return np.array(
        [
            [
                intensity(grid.at(field, sun.r, sun.z), s, grid)
                for field, s in zip(fields, chain.network.species, strict=True)
            ]
            for fields in density
        ]
    )


def solve_backwards(forward: Forward, seed: Array) -> Array:
    """Multipliers of one component, shape (n_species, *field), from light to heavy nuclides.

    Parameters
    ----------
    seed : dchi2/d(intensity at the Sun), shape (n_species, n_T)

    Raises
    ------
    ConvergenceError
        if an adjoint equation does not reach the tolerance of the run.
    """
    chain, network = forward.chain, forward.chain.network
    sun, numerics = forward.config.physics.observer, forward.config.solver
    here = stencil(chain.grid, sun.r, sun.z)[0]
    solver = SteadySolver(min(LOOSER * numerics.tolerance, 0.1), numerics.maximum_cycles)
    fields = np.zeros((len(network.species), *chain.grid.shape))
    for j in reversed(range(len(network.species))):
        species, operator = network.species[j], forward.operators[j]
        per_u = intensity(np.ones(len(operator.width)), species, chain.grid)
        per_u = per_u / (chain.kinematics(species).momentum_per_energy * operator.width)
        right = chain.column(seed[j] * per_u) * here + _from_children(forward, fields, j)
        if not right.any():
            continue
        # rows of the adjoint operator are in reverse order of momentum
        back = _returned(chain, j, operator.width)
        found, _ = solver.solve(
            adjoint(operator),
            np.ascontiguousarray(right[::-1]),
            feedback=None if back is None else _reversed(back),
            name=f"adjoint of {species.name}",
        )
        fields[j] = found[::-1]
    return fields


def _from_children(forward: Forward, fields: Array, j: int) -> Array:
    """What a nuclide adds to the sources of those it turns into, seen backwards."""
    chain, network = forward.chain, forward.chain.network
    kinematics = [chain.kinematics(s) for s in network.species]
    mine = kinematics[j].momentum_per_energy
    total = np.zeros(chain.grid.shape)
    for channel in np.flatnonzero(network.parent == j):
        i = int(network.child[channel])
        child = kinematics[i]
        rate = collision_rate(network.production[channel], child.beta, chain.galaxy.helium_fraction)
        total += chain.column(rate * child.momentum_per_energy / mine) * fields[i]
    total *= chain.galaxy.hydrogen
    for parent, i, branching in network.decays:
        if parent == j:
            rate = branching * decay_rate(network.species[j].half_life, kinematics[j].gamma)
            total += chain.column(rate * kinematics[i].momentum_per_energy / mine) * fields[i]
    return total


def _returned(chain: ChainSolver, j: int, width: Array) -> Callable[[Array], Array] | None:
    """Adjoint of the source that a nuclide makes of itself (secondary protons), a map of a field to a field.

    That source is the density of the gas times a matrix in momentum, which is found by probing.
    """
    feedback = chain.feedback(j)
    if feedback is None:
        return None
    gas = chain.galaxy.hydrogen
    densest = int(np.argmax(gas))
    matrix = np.empty((len(width), len(width)))
    for k in range(len(width)):
        unit = np.zeros(chain.grid.shape)
        unit[k] = 1.0
        matrix[:, k] = feedback(unit).reshape(len(width), -1)[:, densest] / gas.ravel()[densest]
    turned = (matrix * width[:, None]).T / width[:, None]
    return lambda field: np.einsum("ab,b...->a...", turned, field) * gas


def _reversed(feedback: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """The same map for fields in reverse order of momentum."""
    return lambda field: np.ascontiguousarray(feedback(field[::-1])[::-1])

"""What is left out of a response whose energies do not know of each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cyldiff.config.schema import RunConfig
from cyldiff.operators.adjoint import without_momentum
from cyldiff.solve.steady import SteadySolver
from cyldiff.stages import build_chain, build_grid

__all__ = ["Motion", "neglected_motion"]

Array = NDArray[np.float64]

#: index of the propagated spectrum that it is estimated with, U ~ p^-1.7
PROPAGATED = 1.7


@dataclass(frozen=True)
class Motion:
    """What motion in momentum would change the flux by, at the energies of a run; whether D is uniform."""

    kinetic_energy: Array
    change: Array
    uniform: bool

    def at(self, kinetic_energy: Array) -> Array:
        """The change at other energies, a power law between those of the run."""
        known = np.log(np.maximum(self.change, 1e-300))
        return np.exp(np.interp(np.log(kinetic_energy), np.log(self.kinetic_energy), known))


def neglected_motion(run: RunConfig) -> Motion:
    """Estimate of what losses, reacceleration, wind and secondary protons do to a flux at the Sun.

    To first order a rate rho of change of the density changes the flux at the Sun by the integral of rho
    along the ways of the particles. With rho that of U ~ p^-1.7, and ways counted until the particles
    leave the Galaxy (those from a source are shorter), this is the solution of ``A L = |rho|`` at the Sun.
    """
    species = run.species.include
    assert species is not None
    chain = build_chain(run, build_grid(run).meridional)
    index = next(i for i, s in enumerate(chain.network.species) if s.name == species[0])
    operator, nucleus = chain.operator(index), chain.kinematics(chain.network.species[index])
    U = chain.column(nucleus.momentum**-PROPAGATED) * np.ones(operator.grid.shape)
    space = sum(term.diagonal for term in operator.space.values())
    rate = operator.momentum_gain(U) / U - (operator.diagonal - operator.sink_rate - space)
    feedback = chain.feedback(index)
    if feedback is not None:
        rate = np.abs(rate) + feedback(U) / U
    # nothing enters from beyond the ends of the grid, where a spectrum would go on
    rate[-4:] = rate[-5]
    rate[0] = rate[1]
    change, _ = SteadySolver(1e-4).solve(without_momentum(operator), np.abs(rate), name="neglected motion")
    sun = run.physics.observer
    return Motion(chain.grid.kinetic_energy, chain.grid.at(change, sun.r, sun.z), operator.separable)

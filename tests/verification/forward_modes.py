"""Forward solves for one point source, on a mesh of its own around the source: what the adjoint is held against.

Nothing of the adjoint is in it: the operator of the run itself, the source as a Gaussian a short while
after its birth, modes in phi about the meridian of the source, and the field read at the Sun.
"""

from __future__ import annotations

import numpy as np

from cyldiff.grid import per_momentum
from cyldiff.operators.adjoint import at_momenta, scaled, without_momentum
from cyldiff.solve.adjoint import AdjointModes, even_steps, synthesis
from cyldiff.solve.azimuthal import meridional_operator
from cyldiff.sources.greens_function import burst, finite_life
from cyldiff.sources.response.mesh import ResponseMesh

__all__ = ["forward_density", "forward_modes"]


def forward_modes(operator):
    """Modes of a 3-D operator itself."""
    plane, losses = meridional_operator(operator)
    step = 2.0 * np.pi / operator.grid.shape[2]
    return AdjointModes(plane, 0.5 * step**2 * losses)


def forward_density(run, place, energies, *, ages=None, core=0.03, growth=0.06, ratio=0.05):
    """Density at the Sun of one particle per Myr, or of one particle released `ages` ago.

    Parameters
    ----------
    run : RunConfig with one nuclide
    place : r, phi, z of the source
    energies : growing, at least two [GeV/n]

    Returns
    -------
    (n_e,), or (n_ages, n_e)
    """
    r, phi, z = place
    physics = run.physics
    source = physics.model_copy(update={"observer": physics.observer.model_copy(update={"r": r, "z": z})})
    mesh = ResponseMesh.build(run.model_copy(update={"physics": source}), core, growth, None)
    chain = mesh.chain(np.asarray(energies))
    nucleus = chain.kinematics(chain.network.species[0])
    operator = without_momentum(chain.operator(0))
    D, begin = mesh.local_diffusion(nucleus), mesh.begin(nucleus)
    problem = forward_modes(operator)
    factor = 1.0 / D
    problem = AdjointModes(scaled(problem.operator, factor), problem.around * per_momentum(factor, 2))
    sun = physics.observer
    waves = synthesis(mesh.modes, np.array([phi - np.pi]))[0]
    here = np.array([-sun.r, 0.0, sun.z])
    there = np.array([r * np.cos(phi), r * np.sin(phi), z])
    flat = mesh.grid.meridional
    if ages is None:
        found = problem.steady(mesh.modes, lambda m: mesh.start(m)[:1, None], tolerance=1e-6)[:, 0]
        density = np.array(flat.at(np.tensordot(waves, found, axes=1), sun.r, sun.z)) / D
        return density + finite_life(here, there, diffusion=mesh.spread / begin, age=begin, duration=begin)[0]
    result = np.zeros((len(ages), len(D)))
    for k in range(len(D)):
        row = AdjointModes(at_momenta(problem.operator, k, k + 1), problem.around[k : k + 1])
        late = [a for a in ages if a > begin[k]]
        spreads = np.array([mesh.spread] + [mesh.spread + D[k] * (a - begin[k]) for a in late])
        total = np.zeros((len(late), *flat.shape[1:]))
        for number, m in enumerate(mesh.modes):
            path = row.in_steps(m, mesh.start(m)[:1, None], even_steps(spreads, ratio, np.inf), linear=1e-7)
            total += waves[number] * np.stack([fields[0][0] for fields in path])
        result[len(ages) - len(late) :, k] = flat.at(total, sun.r, sun.z)
        for a in range(len(ages) - len(late)):
            result[a, k] = burst(here, there, diffusion=mesh.spread / begin[k], age=ages[a])[0]
    return result

"""Small problems with every process on, in 2-D and 3-D, and what solves them on this rank's part.

As a program, ``parallel_cases.py CASE OUT.npz [PRECONDITIONER | direct]`` solves one with PETSc on all
ranks of an MPI launch and writes the densities.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import lru_cache

import numpy as np

from cyldiff.config.load import load_mapping
from cyldiff.galaxy import Galaxy
from cyldiff.grid import Grid
from cyldiff.parallel.comm import Comm, get_comm
from cyldiff.parallel.partition import own_part
from cyldiff.particles.network import Network
from cyldiff.particles.species import select
from cyldiff.solve.chain import ChainSolver
from cyldiff.solve.petsc import PetscSolver
from cyldiff.solve.steady import SteadySolver
from cyldiff.sources.component import primary_source
from cyldiff.transport.build import Propagation
from cyldiff.validation import model

SPECIES = ("H1", "He4", "C12", "B11", "Be10")
TOLERANCE = 1e-11
#: cells (p, r, [phi,] z)
SHAPES = {"2d": (33, 11, 9), "2d whole": (25, 9, 15), "3d": (17, 9, 6, 9), "3d tiny": (9, 5, 5, 5)}

CONFIG = {
    "schema": 1,
    "run": {"name": "parallel"},
    "grid": {
        "space": {
            "geometry": "cylindrical", "half_space": True,
            "r": {"n": 11}, "z": {"n": 9, "spacing": "sinh", "stretch": 4.0},
        },
        "momentum": {"min": "10 MeV", "max": "1 TeV", "per_decade": 6.0},
    },
    "physics": {
        **model.PHYSICS,
        "reacceleration": {"kind": "seo-ptuskin-1994", "alfven_speed": "25 km/s"},
        "convection": {"kind": "linear-wind", "V0": "5 km/s", "gradient": "3 km/s/kpc"},
        "sources": {
            "remnants": {
                **model.PHYSICS["sources"]["remnants"],
                "abundances": {"H1": 1.0, "He4": 0.08, "C12": 3e-3},
            }
        },
    },
    "species": {"include": list(SPECIES)},
    "solver": {"tolerance": TOLERANCE, "grid_error": {"enabled": False}},
}  # fmt: skip


def run_config(*overrides):
    """The 2-D case as a run."""
    return load_mapping(CONFIG, overrides)


def whole_grid(case):
    """The grid of all ranks."""
    shape = SHAPES[case]
    return Grid.build(
        kinetic_energy=np.geomspace(0.01, 1e4, shape[0]), radius=20.0, half_height=4.0, n_r=shape[1],
        n_z=shape[-1], half_space=case != "2d whole", stretch=4.0,
        n_phi=shape[2] if len(shape) == 4 else None,
    )  # fmt: skip


def chain_on(grid, comm=None, *, solver=None, lopsided=True):
    """Chain and sources on a grid, or on a part of one; in 3-D gas and sources depend on phi."""
    comm = comm or Comm()
    physics = run_config().config.physics
    galaxy = Galaxy.on_grid(physics.gas, grid)
    around = 1.0
    if grid.phi is not None and lopsided:
        around = 1.0 + 0.3 * np.cos(grid.phi.centers - 0.7)[None, :, None]
        galaxy = replace(galaxy, neutral=galaxy.neutral * around)
    propagation = Propagation(
        grid=grid, galaxy=galaxy, diffusion=physics.diffusion, convection=physics.convection,
        reacceleration=physics.reacceleration,
    )  # fmt: skip
    network = Network.build(
        select(max_z=None, include=SPECIES), inelastic=physics.inelastic, spallation=physics.spallation,
        kinetic_energy=grid.kinetic_energy,
    )  # fmt: skip
    chain = ChainSolver(propagation, network, solver or SteadySolver(TOLERANCE), comm=comm)
    sources = [
        primary_source(name, component, grid, network.species, observer_radius=8.5)
        for name, component in physics.sources.items()
    ]
    return chain, [replace(source, density=source.density * around) for source in sources]


@lru_cache
def native(case):
    """Densities by the native solver."""
    chain, sources = chain_on(whole_grid(case))
    return chain.solve(sources).density


def difference(density, reference):
    """Largest difference in space, relative to the largest density of a species at a momentum."""
    space = tuple(range(3, reference.ndim))
    return float((np.abs(density - reference).max(axis=space) / np.abs(reference).max(axis=space)).max())


def main(case, path, how="sweeps"):
    """Solve a case on all ranks; rank 0 writes."""
    comm = get_comm()
    whole = whole_grid(case)
    settings = {"direct": True} if how == "direct" else {"preconditioner": how}
    with PetscSolver(whole, comm, TOLERANCE, **settings) as solver:
        chain, sources = chain_on(own_part(whole, comm), comm, solver=solver)
        solution = chain.solve(sources)
    joined = solution.gather(comm)
    if comm.rank == 0:
        np.savez(
            path,
            density=joined.density,
            balance=solution.balance,
            steps=solution.steps,
            residual=solution.residual,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])

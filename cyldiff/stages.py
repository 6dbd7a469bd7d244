"""The arrows of the pipeline's picture: from a valid config to the parts that the solve is made of.

Each function here turns one section of the config into objects on a grid; the order in which they
are used is in :mod:`cyldiff.pipeline`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cyldiff.config.schema import RunConfig
from cyldiff.errors import CyldiffError
from cyldiff.galaxy import Galaxy
from cyldiff.grid import Grid, energy_grid
from cyldiff.io.checkpoint import Checkpoint, fingerprint
from cyldiff.io.grid_error import coarsened
from cyldiff.parallel.comm import Comm, get_comm
from cyldiff.parallel.partition import own_part
from cyldiff.particles.network import Network
from cyldiff.particles.species import Species, select
from cyldiff.solve.base import Solver
from cyldiff.solve.chain import ChainSolver
from cyldiff.solve.petsc import PetscSolver
from cyldiff.solve.solution import PrimarySource
from cyldiff.solve.steady import SteadySolver
from cyldiff.sources.component import primary_source
from cyldiff.transport.build import Propagation

__all__ = [
    "GRID_ERROR",
    "build_chain",
    "build_grid",
    "build_propagation",
    "build_sources",
    "forget_checkpoints",
    "open_checkpoint",
    "ranks",
    "whole",
]

#: label of the solve on the coarser mesh
GRID_ERROR = "grid error"


def build_grid(config: RunConfig) -> Grid:
    """Resolution from the grid section, box and observer from the physics."""
    space, momentum, physics = config.grid.space, config.grid.momentum, config.physics
    return Grid.build(
        kinetic_energy=energy_grid(momentum.min, momentum.max, momentum.per_decade),
        radius=physics.halo.radius,
        half_height=physics.halo.half_height,
        n_r=space.r.n if space.r else 1,
        n_z=space.z.n,
        n_phi=space.phi.n if space.phi else None,
        half_space=space.half_space,
        stretch=space.z.stretch if space.z.spacing == "sinh" else 0.0,
        slab_at=physics.observer.r if space.geometry == "slab" else None,
        kinks=physics.diffusion.kinks(physics.halo.half_height),
    )


def build_chain(
    config: RunConfig, grid: Grid, comm: Comm | None = None, *, positive: bool = True
) -> ChainSolver:
    """Galaxy, laws of motion and nuclear network on this rank's part of a grid, ready to be solved."""
    physics, numerics = config.physics, config.solver
    comm, whole_grid = comm or Comm(), grid
    grid = own_part(whole_grid, comm)
    galaxy = Galaxy.on_grid(
        physics.gas,
        grid,
        magnetic_field=physics.magnetic_field,
        radiation_field=physics.radiation_field,
    )
    propagation = build_propagation(config, grid, galaxy)
    network = Network.build(
        select(max_z=config.species.max_z, include=config.species.include),
        inelastic=physics.inelastic,
        spallation=physics.spallation,
        kinetic_energy=grid.kinetic_energy,
        leptons=physics.secondary_leptons,
    )
    return ChainSolver(
        propagation,
        network,
        _solver(config, whole_grid, comm),
        scheme=numerics.momentum_scheme,
        direct=numerics.backend == "direct",
        secondary_protons=physics.secondary_protons,
        positive=positive,
        comm=comm,
    )


def build_propagation(config: RunConfig, grid: Grid, galaxy: Galaxy) -> Propagation:
    """The laws of motion of a config on a grid with its gas."""
    physics = config.physics
    return Propagation(
        grid=grid,
        galaxy=galaxy,
        diffusion=physics.diffusion,
        convection=physics.convection,
        reacceleration=physics.reacceleration,
        losses=physics.energy_losses,
    )


def _solver(config: RunConfig, whole_grid: Grid, comm: Comm) -> Solver:
    numerics = config.solver
    if numerics.backend != "petsc":
        return SteadySolver(numerics.tolerance, numerics.maximum_cycles)
    return PetscSolver(
        whole_grid,
        comm,
        numerics.tolerance,
        direct=numerics.petsc.direct,
        preconditioner=numerics.petsc.preconditioner,
        maximum_iterations=numerics.petsc.maximum_iterations,
    )


def build_sources(config: RunConfig, grid: Grid, species: tuple[Species, ...]) -> list[PrimarySource]:
    """Every source component on the grid, kept apart until the observables."""
    observer = config.physics.observer
    return [
        primary_source(name, component, grid, species, observer_radius=observer.r)
        for name, component in config.physics.sources.items()
    ]


def ranks(config: RunConfig) -> Comm:
    """The processes that solve together; only the PETSc back end knows more than one."""
    comm = get_comm()
    if comm.size > 1 and config.solver.backend != "petsc":
        raise CyldiffError(
            f'{comm.size} processes were started; solver.backend = "{config.solver.backend}" uses one: '
            "add --set 'solver.backend = \"petsc\"', or start it without mpiexec"
        )
    return comm


def whole(source: PrimarySource, comm: Comm) -> PrimarySource:
    """A source component on the whole grid on rank 0, unchanged on the others."""
    joined = comm.gather(source.density, axis=0)
    return source if joined is None else replace(source, density=joined)


def open_checkpoint(config: RunConfig, grid: Grid, comm: Comm, label: str) -> Checkpoint | None:
    """The checkpoint of a solve, if the config asks for one; `label` keeps the coarser twin apart."""
    if not config.solver.checkpoint:
        return None
    return Checkpoint(_folder(config, label), fingerprint(config), grid=grid, comm=comm)


def _folder(config: RunConfig, label: str) -> Path:
    folder = Path(config.solver.checkpoint)
    return folder / "grid-error" if label == GRID_ERROR else folder


def forget_checkpoints(config: RunConfig) -> None:
    """Delete the checkpoint of a run whose result is safe; by rank 0."""
    comm = get_comm()
    if config.solver.checkpoint and comm.rank == 0:
        for one, label in ((coarsened(config), GRID_ERROR), (config, "")):
            if _folder(one, label).is_dir():
                Checkpoint(_folder(one, label), fingerprint(one), grid=build_grid(one), comm=Comm()).remove()

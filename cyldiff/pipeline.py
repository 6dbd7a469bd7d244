"""The whole run on one page: config, grid, physics, operator, solve, dataset.

    config ─► grid ─► galaxy, laws of motion, network, sources ─► chain of solves ─► dataset

Read :func:`run`; every arrow of the picture is one line of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import xarray as xr

from cyldiff.config.load import LoadedConfig, load_config
from cyldiff.config.schema import RunConfig
from cyldiff.errors import CyldiffError
from cyldiff.galaxy import Galaxy
from cyldiff.grid import Grid, energy_grid
from cyldiff.io.certificate import certify
from cyldiff.io.checkpoint import Checkpoint, fingerprint
from cyldiff.io.dataset import build_dataset, in_time
from cyldiff.io.grid_error import add_grid_error, coarsened
from cyldiff.io.provenance import stamp
from cyldiff.observables.spectra import modulated_flux
from cyldiff.parallel.comm import Comm, get_comm
from cyldiff.parallel.partition import own_part
from cyldiff.particles.network import Network
from cyldiff.particles.species import Species, select
from cyldiff.progress import track
from cyldiff.solve.base import Solver
from cyldiff.solve.chain import ChainSolution, ChainSolver, PrimarySource
from cyldiff.solve.evolution import Evolution, evolve
from cyldiff.solve.petsc import PetscSolver
from cyldiff.solve.steady import SteadySolver
from cyldiff.sources.component import normalise, primary_source
from cyldiff.transport.build import Propagation

__all__ = [
    "build_chain",
    "build_grid",
    "build_sources",
    "describe",
    "follow",
    "forget_checkpoints",
    "run",
    "solve",
]

#: label of the solve on the coarser mesh
GRID_ERROR = "grid error"


def run(config: LoadedConfig | str, *, quiet: bool = True) -> xr.Dataset:
    """Solve a run and return its result, certified.

    Parameters
    ----------
    config : LoadedConfig, or the name or path of a run file
    quiet : no progress on the terminal

    Under mpiexec all processes call it together; the others than rank 0 return an empty dataset.

    Raises
    ------
    ConfigError      if a file or name is not valid
    GridError        if the grid does not allow the model, or has too few cells for the processes
    DataError        if a checkpoint belongs to another run
    ConvergenceError if a nuclide does not converge or the certificate fails
    """
    loaded = config if isinstance(config, LoadedConfig) else load_config(config)
    comm = _ranks(loaded.config)
    quiet = quiet or comm.rank > 0
    started = time.perf_counter()
    dataset = solve(loaded.config, quiet=quiet, comm=comm)
    estimate = loaded.config.solver.grid_error
    coarse = None
    if estimate.enabled:
        coarse = solve(coarsened(loaded.config), quiet=quiet, label=GRID_ERROR, comm=comm, positive=False)
    if comm.rank > 0:
        return dataset
    if coarse is not None:
        add_grid_error(dataset, coarse)
    certify(dataset, loaded.config)
    return stamp(dataset, loaded, seconds=time.perf_counter() - started)


def solve(
    config: RunConfig,
    *,
    quiet: bool = True,
    label: str = "nuclides",
    comm: Comm | None = None,
    positive: bool = True,
) -> xr.Dataset:
    """From a valid config to a dataset: one solve of the whole chain on one grid.

    `positive` refuses negative densities; the coarse twin of an error estimate may have some.
    """
    comm = comm or Comm()
    grid = build_grid(config)
    chain = build_chain(config, grid, comm, positive=positive)
    sources = build_sources(config, chain.grid, chain.network.species)
    chain.record = _checkpoint(config, grid, comm, label)
    solution = chain.solve(sources, progress=_progress(label, quiet)).gather(comm)
    sources = [_whole(source, comm) for source in sources]
    if isinstance(chain.solver, PetscSolver):
        chain.solver.close()
    if solution is None:
        return xr.Dataset()
    strength = normalise(config.physics, grid, sources, solution)
    if config.solver.time is None:
        return describe(config, grid, sources, solution, strength)
    snapshots = follow(config, chain, sources, solution)
    datasets = [describe(config, grid, sources, snapshot, strength) for snapshot in snapshots]
    return in_time(datasets, config.solver.time.times)


def follow(
    config: RunConfig, chain: ChainSolver, sources: list[PrimarySource], steady: ChainSolution
) -> list[ChainSolution]:
    """The run in time: densities at the times asked for. `steady` fixes the strength of the sources."""
    time = config.solver.time
    assert time is not None
    histories = {name: source.history for name, source in config.physics.sources.items()}
    return evolve(
        chain,
        sources,
        {name: Evolution(h.strength, h.switches) for name, h in histories.items()},
        time.times,
        start=steady if time.start == "steady" else None,
        steady=steady,
        tolerance=time.tolerance,
        first_step=time.first_step,
    )


def describe(
    config: RunConfig,
    grid: Grid,
    sources: list[PrimarySource],
    solution: ChainSolution,
    strength: dict[str, float],
) -> xr.Dataset:
    """Densities as a dataset of intensities, at the Sun also modulated."""
    dataset = build_dataset(config, grid, sources, solution, strength)
    dataset["flux_toa"] = modulated_flux(dataset, config.physics.modulation.potential)
    return dataset


def _ranks(config: RunConfig) -> Comm:
    """The processes that solve together; only the PETSc back end knows more than one."""
    comm = get_comm()
    if comm.size > 1 and config.solver.backend != "petsc":
        raise CyldiffError(
            f'{comm.size} processes were started; solver.backend = "{config.solver.backend}" uses one: '
            "add --set 'solver.backend = \"petsc\"', or start it without mpiexec"
        )
    return comm


def _whole(source: PrimarySource, comm: Comm) -> PrimarySource:
    """A source component on the whole grid on rank 0, unchanged on the others."""
    joined = comm.gather(source.density, axis=0)
    return source if joined is None else replace(source, density=joined)


def _checkpoint(config: RunConfig, grid: Grid, comm: Comm, label: str) -> Checkpoint | None:
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
    comm, whole = comm or Comm(), grid
    grid = own_part(whole, comm)
    galaxy = Galaxy.on_grid(physics.gas, grid)
    propagation = Propagation(
        grid=grid,
        galaxy=galaxy,
        diffusion=physics.diffusion,
        convection=physics.convection,
        reacceleration=physics.reacceleration,
        losses=physics.energy_losses,
    )
    network = Network.build(
        select(max_z=config.species.max_z, include=config.species.include),
        inelastic=physics.inelastic,
        spallation=physics.spallation,
        kinetic_energy=grid.kinetic_energy,
    )
    solver: Solver = SteadySolver(numerics.tolerance, numerics.maximum_cycles)
    if numerics.backend == "petsc":
        solver = PetscSolver(
            whole,
            comm,
            numerics.tolerance,
            direct=numerics.petsc.direct,
            preconditioner=numerics.petsc.preconditioner,
            maximum_iterations=numerics.petsc.maximum_iterations,
        )
    return ChainSolver(
        propagation,
        network,
        solver,
        scheme=numerics.momentum_scheme,
        direct=numerics.backend == "direct",
        secondary_protons=physics.secondary_protons,
        positive=positive,
        comm=comm,
    )


def build_sources(config: RunConfig, grid: Grid, species: tuple[Species, ...]) -> list[PrimarySource]:
    """Every source component on the grid, kept apart until the observables."""
    observer = config.physics.observer
    return [
        primary_source(name, component, grid, species, observer_radius=observer.r)
        for name, component in config.physics.sources.items()
    ]


def _progress(label: str, quiet: bool) -> Callable[[Any], Any]:
    return lambda items: track(items, label=label, quiet=quiet)

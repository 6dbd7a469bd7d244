"""The whole run on one page: config, grid, physics, operator, solve, dataset.

    config ─► grid ─► galaxy, laws of motion, network, sources ─► chain of solves ─► dataset

Read :func:`run`; every arrow of the picture is one line of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray as xr

from cyldiff.config.load import LoadedConfig, load_config
from cyldiff.config.schema import RunConfig
from cyldiff.grid import Grid
from cyldiff.io.certificate import certify
from cyldiff.io.dataset import build_dataset, in_time
from cyldiff.io.grid_error import add_grid_error, coarsened
from cyldiff.io.provenance import stamp
from cyldiff.observables.spectra import modulated_flux
from cyldiff.parallel.comm import Comm
from cyldiff.progress import track
from cyldiff.solve.chain import ChainSolver
from cyldiff.solve.evolution import Evolution, evolve
from cyldiff.solve.solution import ChainSolution, PrimarySource
from cyldiff.sources.component import normalise
from cyldiff.stages import (
    GRID_ERROR,
    build_chain,
    build_grid,
    build_sources,
    forget_checkpoints,
    open_checkpoint,
    ranks,
    whole,
)

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


def run(config: LoadedConfig | str | Path, *, quiet: bool = True) -> xr.Dataset:
    """Solve a run and return its result, certified.

    Under mpiexec all processes call it together; the others than rank 0 return an empty dataset.

    Parameters
    ----------
    config : LoadedConfig, or the name or path of a run file
    quiet : no progress on the terminal

    Returns
    -------
    xarray.Dataset    intensities [m^-2 s^-1 sr^-1 (GeV/n)^-1] over species and kinetic energy per nucleon
                      [GeV], with the certificate and the whole config; see quantities

    Raises
    ------
    ConfigError         if a file or name is not valid
    GridError           if the grid does not allow the model, or has too few cells for the processes
    DataError           if a checkpoint belongs to another run
    ConvergenceError    if a nuclide does not converge or the certificate fails
    """
    loaded = config if isinstance(config, LoadedConfig) else load_config(config)
    comm = ranks(loaded.config)
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
    chain.record = open_checkpoint(config, grid, comm, label)
    solution = chain.solve(sources, progress=_progress(label, quiet)).gather(comm)
    sources = [whole(source, comm) for source in sources]
    chain.solver.close()  # all ranks together: not after an error, which may be on one alone
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


def _progress(label: str, quiet: bool) -> Callable[[Any], Any]:
    return lambda items: track(items, label=label, quiet=quiet)

"""The whole run on one page: config, grid, physics, operator, solve, dataset.

    config ─► grid ─► galaxy, laws of motion, network, sources ─► chain of solves ─► dataset

Read :func:`run`; every arrow of the picture is one line of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import xarray as xr

from cyldiff.config.load import LoadedConfig, load_config
from cyldiff.config.schema import RunConfig
from cyldiff.galaxy import Galaxy
from cyldiff.grid import Grid, energy_grid
from cyldiff.io.certificate import certify
from cyldiff.io.dataset import build_dataset, in_time
from cyldiff.io.grid_error import add_grid_error, coarsened
from cyldiff.io.provenance import stamp
from cyldiff.observables.spectra import modulated_flux
from cyldiff.particles.network import Network
from cyldiff.particles.species import Species, select
from cyldiff.progress import track
from cyldiff.solve.chain import ChainSolution, ChainSolver, PrimarySource
from cyldiff.solve.evolution import Evolution, evolve
from cyldiff.solve.steady import SteadySolver
from cyldiff.sources.component import normalise, primary_source
from cyldiff.transport.build import Propagation

__all__ = ["build_chain", "build_grid", "build_sources", "describe", "follow", "run", "solve"]


def run(config: LoadedConfig | str, *, quiet: bool = True) -> xr.Dataset:
    """Solve a run and return its result, certified.

    Parameters
    ----------
    config : LoadedConfig, or the name or path of a run file
    quiet : no progress on the terminal

    Raises
    ------
    ConfigError      if a file or name is not valid
    GridError        if the grid does not allow the model
    ConvergenceError if a nuclide does not converge or the certificate fails
    """
    loaded = config if isinstance(config, LoadedConfig) else load_config(config)
    started = time.perf_counter()
    dataset = solve(loaded.config, quiet=quiet)
    estimate = loaded.config.solver.grid_error
    if estimate.enabled:
        coarse = solve(coarsened(loaded.config), quiet=quiet, label="grid error", positive=False)
        add_grid_error(dataset, coarse)
    certify(dataset, loaded.config)
    return stamp(dataset, loaded, seconds=time.perf_counter() - started)


def solve(
    config: RunConfig, *, quiet: bool = True, label: str = "nuclides", positive: bool = True
) -> xr.Dataset:
    """From a valid config to a dataset: one solve of the whole chain on one grid.

    `positive` refuses negative densities; the coarse twin of an error estimate may have some.
    """
    grid = build_grid(config)
    chain = build_chain(config, grid, positive=positive)
    sources = build_sources(config, grid, chain.network.species)
    solution = chain.solve(sources, progress=_progress(label, quiet))
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


def build_chain(config: RunConfig, grid: Grid, *, positive: bool = True) -> ChainSolver:
    """Galaxy, laws of motion and nuclear network on a grid, ready to be solved."""
    physics, numerics = config.physics, config.solver
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
    solver = SteadySolver(numerics.tolerance, numerics.maximum_cycles)
    return ChainSolver(
        propagation,
        network,
        solver,
        scheme=numerics.momentum_scheme,
        direct=numerics.backend == "direct",
        secondary_protons=physics.secondary_protons,
        positive=positive,
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

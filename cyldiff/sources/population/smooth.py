"""The mean of a population from the grid: its births as a smooth source, solved like any other component.

Energies and D are those of the population's config, so that the same numbers come out as from the sum over
sources and from :mod:`cyldiff.sources.population.expected`; what the grid adds is the radial edge, and D, wind,
losses and gas that depend on the place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.config.load import LoadedConfig, load_mapping
from cyldiff.errors import ConfigError, Problem
from cyldiff.grid import Grid
from cyldiff.particles.species import Species
from cyldiff.solve.evolution import Evolution, evolve
from cyldiff.solve.solution import PrimarySource
from cyldiff.sources.component import intensity
from cyldiff.sources.laws import expectation_points
from cyldiff.sources.population.load import LoadedPopulation
from cyldiff.sources.population.model import PopulationModel
from cyldiff.sources.population.schema import Population
from cyldiff.stages import build_chain, build_grid

__all__ = ["SmoothPopulation", "mean_run", "smooth_population"]

Array = NDArray[np.float64]

#: laws of a model that does not tell them: nothing happens but diffusion
_NOTHING: dict[str, Any] = {
    "reacceleration": {"kind": "none"},
    "convection": {"kind": "none"},
    "modulation": {"kind": "none"},
    "gas": {
        "HI": {"kind": "none"},
        "H2": {"kind": "none"},
        "HII": {"kind": "none"},
        "helium_fraction": 0.1,
    },
    "inelastic": {"kind": "letaw-1983"},
    "spallation": {"kind": "evoli-2019", "extrapolation": "constant"},
}
#: energies of the grid around those asked for need a range
_LEAST_RANGE = 10.0


@dataclass(frozen=True)
class SmoothPopulation:
    """Mean density of a population on a grid.

    Attributes
    ----------
    grid : its energies include the range of the population's
    species : nuclides
    density : shape (species, *shape of the grid) [kpc^-3 (GeV/n)^-1]
    """

    grid: Grid
    species: tuple[Species, ...]
    density: Array

    def intensity_at(self, energies: Array, r: float, z: float, phi: float = np.pi) -> Array:
        """J at a place, shape (species, n_e) [m^-2 s^-1 sr^-1 (GeV/n)^-1]; power laws between energies."""
        rows = []
        for nucleus, density in zip(self.species, self.density, strict=True):
            flux = intensity(self.grid.at(density, r, z, phi), nucleus, self.grid)
            with np.errstate(divide="ignore"):
                known = np.log(np.maximum(flux, 1e-300))
            rows.append(np.exp(np.interp(np.log(energies), np.log(self.grid.kinetic_energy), known)))
        return np.stack(rows)


def mean_run(loaded: LoadedPopulation, *, grid: str = "galaxy-2d-coarse") -> LoadedConfig:
    """The run whose grid and laws the mean of a population is solved with.

    Parameters
    ----------
    grid : name of the library of grids; its momentum axis is replaced by the population's energies

    Raises
    ------
    ConfigError
        if the model does not make a run on this grid.
    """
    config, written = loaded.config, loaded.resolved["model"]
    model = {
        k: v for k, v in written.items() if k not in ("kernel", "collisions", "sources") and v is not None
    }
    physics = {**_NOTHING, **model}
    if not config.model.collisions:
        physics |= {key: _NOTHING[key] for key in ("gas", "inelastic", "spallation")}
    low = min(config.energies.min, config.energies.max / _LEAST_RANGE)
    population = loaded.resolved["population"]
    species = list(config.population.species)
    physics["sources"] = {
        config.population.name: {
            "distribution": population["distribution"],
            "injection": {"default": {"kind": "broken-power-law", "indices": [2.0]}},
            "abundances": {name: 1.0 for name in species},
            "reference_energy": f"{low!r} GeV",
            "normalisation": {"kind": "luminosity", "power": "1e39 erg/s", "minimum_energy": f"{low!r} GeV"},
        }
    }
    momentum = {
        "min": f"{low!r} GeV",
        "max": f"{config.energies.max!r} GeV",
        "per_decade": max(4.0, config.energies.per_decade),
    }
    raw = {
        "schema": 1,
        "run": {"name": "mean", "purpose": f"mean of the population {config.population.name}"},
        "grid": {"use": grid, "momentum": momentum},
        "physics": physics,
        "species": {"include": species},
    }
    try:
        return load_mapping(raw, source="the mean on the grid")
    except ConfigError as error:
        problems = [Problem(f"population.older_grid, {p.key}", p.message) for p in error.problems]
        raise ConfigError(loaded.source, problems) from None


def smooth_population(
    loaded: LoadedPopulation, *, grid: str = "galaxy-2d-coarse", older: bool = False
) -> SmoothPopulation:
    """Mean density of a population from the grid, all births or those before the history.

    Parameters
    ----------
    grid : name of the library of grids
    older : births before `history_length` only: a run in time from the steady state, in which what these births
        still inject fades out

    Raises
    ------
    ConfigError        if the model does not make a run on this grid
    ConvergenceError   if the solve does not converge
    """
    run, population = mean_run(loaded, grid=grid).config, loaded.config.population
    mesh = build_grid(run)
    chain = build_chain(run, mesh)
    model = PopulationModel(loaded.config)
    order = chain.network.species
    spectra = model.spectra_at(mesh.kinetic_energy)
    by_name = {s.name: row for s, row in zip(model.species, spectra, strict=True)}
    rate = population.rate * population.efficiency * mean_energy(population)
    law = run.physics.sources[population.name].distribution
    source = PrimarySource(
        population.name,
        law.on_grid(mesh, run.physics.observer.r),
        {s.name: rate * by_name[s.name] for s in order if s.name in by_name},
    )
    solution = chain.solve([source])
    if older:
        fading = Evolution(lambda t: 1.0 - given_within(population, t), (0.0,))
        (solution,) = evolve(
            chain, [source], {population.name: fading}, [population.history_length],
            start=solution, steady=solution, tolerance=1e-4,
        )  # fmt: skip
    chain.solver.close()
    place = [order.index(s) for s in model.species]
    return SmoothPopulation(mesh, model.species, solution.density[0, place])


def mean_energy(population: Population) -> float:
    """Mean energy of a source before the efficiency [GeV]."""
    given = population.life.mean if population.luminosity is not None else 1.0
    return float(population.amount.mean * given)


def given_within(population: Population, time: float) -> float:
    """Part of the energy of all sources that is given within a time after birth [Myr]."""
    if population.history == "burst" or time <= 0.0:
        return 1.0 if time > 0.0 else 0.0
    lifetimes = expectation_points(population.life)
    seen = np.minimum(lifetimes, time)
    if population.luminosity is None:
        return float(np.mean(seen / lifetimes))
    return float(seen.mean() / lifetimes.mean())

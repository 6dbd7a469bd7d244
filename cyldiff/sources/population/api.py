"""What users call: draw a population, and the fluxes of many realisations of it."""

from __future__ import annotations

import time
from pathlib import Path

import xarray as xr

from cyldiff.errors import CyldiffError
from cyldiff.sources.population.dataset import describe
from cyldiff.sources.population.draw import PopulationDraw, Realisation
from cyldiff.sources.population.ensemble import run_realisations
from cyldiff.sources.population.evaluate import Evaluation
from cyldiff.sources.population.gamma_dataset import describe_gamma
from cyldiff.sources.population.gamma_ensemble import run_gamma
from cyldiff.sources.population.load import LoadedPopulation, load_population
from cyldiff.sources.population.model import PopulationModel
from cyldiff.sources.population.smooth import mean_run

__all__ = ["draw_population", "population_fluxes", "population_gamma"]


def draw_population(config: LoadedPopulation | str | Path, index: int = 0) -> Realisation:
    """One realisation: the sources of the Galaxy as they might have been.

    Parameters
    ----------
    config : population, or the name or path of its file
    index : number of the realisation; the seed of the config and it decide everything

    Returns
    -------
    Realisation     positions, ages, lifetimes, energies; ``segments()`` for the closed forms

    Raises
    ------
    ConfigError     if the config is not valid
    CyldiffError    if the index is negative
    """
    if index < 0:
        raise CyldiffError(f"realisation {index}; expected a number from 0 on")
    return PopulationDraw(_loaded(config).config).realisation(index)


def population_fluxes(
    config: LoadedPopulation | str | Path, *, processes: int | None = None, quiet: bool = True
) -> xr.Dataset:
    """Intensities of all realisations of a population: quantiles, extremes, mean, counts.

    Parameters
    ----------
    config : population, or the name or path of its file
    processes : on this machine; default one per core, 1 for this process. The result does not depend on it
    quiet : no progress on the terminal

    Returns
    -------
    xarray.Dataset      see docs/how-to/populations.md

    Raises
    ------
    ConfigError     if the config is not valid
    CyldiffError    if a batch fails
    """
    started = time.perf_counter()
    loaded = _loaded(config)
    if loaded.config.population.older == "grid":
        mean_run(
            loaded, grid=loaded.config.population.older_grid
        )  # what is wrong with it shows before the work
    sample = run_realisations(loaded, processes=processes, quiet=quiet)
    evaluation = Evaluation(PopulationModel(loaded.config))
    rows = run_gamma(loaded, processes=processes, quiet=quiet) if loaded.config.gamma is not None else None
    result = describe(loaded, evaluation, sample, seconds=time.perf_counter() - started)
    return result if rows is None else result.merge(describe_gamma(loaded, rows), combine_attrs="override")


def population_gamma(
    config: LoadedPopulation | str | Path, *, processes: int | None = None, quiet: bool = True
) -> xr.Dataset:
    """Gamma rays of the realisations alone, for a population with a section ``[gamma]``.

    Parameters
    ----------
    config : population, or the name or path of its file
    processes : on this machine; default one per core, 1 for this process. The result does not depend on it
    quiet : no progress on the terminal

    Returns
    -------
    xarray.Dataset    the variables ``gamma_...`` and ``member_...`` [GeV^-1 cm^-2 s^-1 sr^-1 where intensities],
                      see docs/how-to/population-gamma.md

    Raises
    ------
    ConfigError     if the config is not valid
    CyldiffError    if there is no such section, or a batch fails
    """
    loaded = _loaded(config)
    if loaded.config.gamma is None:
        raise CyldiffError("the population has no section [gamma]")
    return describe_gamma(loaded, run_gamma(loaded, processes=processes, quiet=quiet))


def _loaded(config: LoadedPopulation | str | Path) -> LoadedPopulation:
    return config if isinstance(config, LoadedPopulation) else load_population(config)

"""cyldiff: transport of cosmic rays in the Galaxy.

>>> import cyldiff
>>> result = cyldiff.run(cyldiff.load_config("quickstart"))
>>> bc = cyldiff.ratio(result, "B", "C", abscissa="rigidity", potential=0.6)

What is listed here is the public interface; it is imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cyldiff.compiler_cache import ensure_writable_cache

if TYPE_CHECKING:
    from cyldiff.config.load import load_config
    from cyldiff.data.comparison import compare
    from cyldiff.data.measurements import load as load_measurement
    from cyldiff.galaxy.xray_binaries import xrb_distribution
    from cyldiff.io.netcdf import read_result, write_result
    from cyldiff.observables.anisotropy import anisotropy
    from cyldiff.observables.gamma import diffuse_sky
    from cyldiff.observables.ratios import ratio
    from cyldiff.observables.spectra import spectrum
    from cyldiff.own_physics.decorate import own
    from cyldiff.parallel.ensemble import run_ensemble
    from cyldiff.parallel.scan import scan
    from cyldiff.pipeline import run
    from cyldiff.sources.catalogue_file import load_catalogue
    from cyldiff.sources.combined import superpose
    from cyldiff.sources.fluxes import density_of_sources, source_fluxes
    from cyldiff.sources.population.api import draw_population, population_fluxes, population_gamma
    from cyldiff.sources.population.load import load_population
    from cyldiff.sources.response import SourceResponse, source_response

__all__ = [
    "SourceResponse",
    "anisotropy",
    "compare",
    "density_of_sources",
    "diffuse_sky",
    "draw_population",
    "load_catalogue",
    "load_config",
    "load_measurement",
    "load_population",
    "own",
    "population_fluxes",
    "population_gamma",
    "ratio",
    "read_result",
    "run",
    "run_ensemble",
    "scan",
    "source_fluxes",
    "source_response",
    "spectrum",
    "superpose",
    "write_result",
    "xrb_distribution",
]

_HOME = {
    "anisotropy": ("cyldiff.observables.anisotropy", "anisotropy"),
    "SourceResponse": ("cyldiff.sources.response", "SourceResponse"),
    "compare": ("cyldiff.data.comparison", "compare"),
    "density_of_sources": ("cyldiff.sources.fluxes", "density_of_sources"),
    "draw_population": ("cyldiff.sources.population.api", "draw_population"),
    "diffuse_sky": ("cyldiff.observables.gamma", "diffuse_sky"),
    "load_catalogue": ("cyldiff.sources.catalogue_file", "load_catalogue"),
    "load_config": ("cyldiff.config.load", "load_config"),
    "load_measurement": ("cyldiff.data.measurements", "load"),
    "load_population": ("cyldiff.sources.population.load", "load_population"),
    "own": ("cyldiff.own_physics.decorate", "own"),
    "population_fluxes": ("cyldiff.sources.population.api", "population_fluxes"),
    "population_gamma": ("cyldiff.sources.population.api", "population_gamma"),
    "ratio": ("cyldiff.observables.ratios", "ratio"),
    "read_result": ("cyldiff.io.netcdf", "read_result"),
    "run": ("cyldiff.pipeline", "run"),
    "run_ensemble": ("cyldiff.parallel.ensemble", "run_ensemble"),
    "scan": ("cyldiff.parallel.scan", "scan"),
    "source_fluxes": ("cyldiff.sources.fluxes", "source_fluxes"),
    "source_response": ("cyldiff.sources.response", "source_response"),
    "spectrum": ("cyldiff.observables.spectra", "spectrum"),
    "superpose": ("cyldiff.sources.combined", "superpose"),
    "write_result": ("cyldiff.io.netcdf", "write_result"),
    "xrb_distribution": ("cyldiff.galaxy.xray_binaries", "xrb_distribution"),
}

ensure_writable_cache()


def __getattr__(name: str) -> Any:
    try:
        module, attribute = _HOME[name]
    except KeyError:
        raise AttributeError(f"module 'cyldiff' has no attribute {name!r}") from None
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__

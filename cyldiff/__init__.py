"""cyldiff: transport of cosmic rays in the Galaxy.

>>> import cyldiff
>>> result = cyldiff.run(cyldiff.load_config("quickstart"))
>>> bc = cyldiff.ratio(result, "B", "C", abscissa="rigidity", potential=0.6)

What is listed here is the public interface; it is imported when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyldiff.compiler_cache import ensure_writable_cache

if TYPE_CHECKING:
    from cyldiff.config.load import load_config
    from cyldiff.config.load_source import load_source
    from cyldiff.data.comparison import compare
    from cyldiff.data.dipoles import load_dipole
    from cyldiff.data.measurements import load as load_measurement
    from cyldiff.errors import (
        ConfigError,
        ConvergenceError,
        CyldiffError,
        DataError,
        GridError,
        OwnPhysicsError,
    )
    from cyldiff.fit.load import load_fit
    from cyldiff.fit.sample import sample
    from cyldiff.fit.sed import fit_sed
    from cyldiff.fit.tune import tune
    from cyldiff.galaxy.xray_binaries import xrb_distribution
    from cyldiff.io.dragon import read_dragon
    from cyldiff.io.galdef import read_galdef
    from cyldiff.io.hermes import write_hermes
    from cyldiff.io.netcdf import read_result, write_result
    from cyldiff.io.sky_map import save_sky
    from cyldiff.io.spectra_table import write_spectra
    from cyldiff.observables.anisotropy import anisotropy
    from cyldiff.observables.gamma import diffuse_sky
    from cyldiff.observables.place import spectra_at
    from cyldiff.observables.ratios import ratio
    from cyldiff.observables.single_source import sed
    from cyldiff.observables.spectra import spectrum
    from cyldiff.own_physics.decorate import own
    from cyldiff.parallel.ensemble import run_ensemble
    from cyldiff.parallel.scan import scan
    from cyldiff.pipeline import run
    from cyldiff.plot import draw
    from cyldiff.sources.catalogue_file import load_catalogue
    from cyldiff.sources.combined import superpose
    from cyldiff.sources.fluxes import density_of_sources, source_fluxes
    from cyldiff.sources.population.api import draw_population, population_fluxes, population_gamma
    from cyldiff.sources.population.load import load_population
    from cyldiff.sources.response import SourceResponse, source_response
    from cyldiff.validation.run import validate

    __version__: str

__all__ = [
    "ConfigError",
    "ConvergenceError",
    "CyldiffError",
    "DataError",
    "GridError",
    "OwnPhysicsError",
    "SourceResponse",
    "anisotropy",
    "compare",
    "density_of_sources",
    "diffuse_sky",
    "draw",
    "draw_population",
    "fit_sed",
    "load_catalogue",
    "load_config",
    "load_dipole",
    "load_fit",
    "load_measurement",
    "load_population",
    "load_source",
    "own",
    "population_fluxes",
    "population_gamma",
    "ratio",
    "read_dragon",
    "read_galdef",
    "read_result",
    "run",
    "run_ensemble",
    "sample",
    "save_sky",
    "scan",
    "sed",
    "source_fluxes",
    "source_response",
    "spectra_at",
    "spectrum",
    "superpose",
    "tune",
    "validate",
    "write_hermes",
    "write_result",
    "write_spectra",
    "xrb_distribution",
]

#: where each name is
_HOME = {
    "ConfigError": "cyldiff.errors",
    "ConvergenceError": "cyldiff.errors",
    "CyldiffError": "cyldiff.errors",
    "DataError": "cyldiff.errors",
    "GridError": "cyldiff.errors",
    "OwnPhysicsError": "cyldiff.errors",
    "SourceResponse": "cyldiff.sources.response",
    "anisotropy": "cyldiff.observables.anisotropy",
    "compare": "cyldiff.data.comparison",
    "density_of_sources": "cyldiff.sources.fluxes",
    "diffuse_sky": "cyldiff.observables.gamma",
    "draw": "cyldiff.plot",
    "draw_population": "cyldiff.sources.population.api",
    "fit_sed": "cyldiff.fit.sed",
    "load_catalogue": "cyldiff.sources.catalogue_file",
    "load_config": "cyldiff.config.load",
    "load_dipole": "cyldiff.data.dipoles",
    "load_fit": "cyldiff.fit.load",
    "load_measurement": "cyldiff.data.measurements",
    "load_population": "cyldiff.sources.population.load",
    "load_source": "cyldiff.config.load_source",
    "own": "cyldiff.own_physics.decorate",
    "population_fluxes": "cyldiff.sources.population.api",
    "population_gamma": "cyldiff.sources.population.api",
    "ratio": "cyldiff.observables.ratios",
    "read_dragon": "cyldiff.io.dragon",
    "read_galdef": "cyldiff.io.galdef",
    "read_result": "cyldiff.io.netcdf",
    "run": "cyldiff.pipeline",
    "run_ensemble": "cyldiff.parallel.ensemble",
    "sample": "cyldiff.fit.sample",
    "save_sky": "cyldiff.io.sky_map",
    "scan": "cyldiff.parallel.scan",
    "sed": "cyldiff.observables.single_source",
    "source_fluxes": "cyldiff.sources.fluxes",
    "source_response": "cyldiff.sources.response",
    "spectra_at": "cyldiff.observables.place",
    "spectrum": "cyldiff.observables.spectra",
    "superpose": "cyldiff.sources.combined",
    "tune": "cyldiff.fit.tune",
    "validate": "cyldiff.validation.run",
    "write_hermes": "cyldiff.io.hermes",
    "write_result": "cyldiff.io.netcdf",
    "write_spectra": "cyldiff.io.spectra_table",
    "xrb_distribution": "cyldiff.galaxy.xray_binaries",
}
#: what a name is called there, if otherwise
_CALLED = {"load_measurement": "load"}

ensure_writable_cache()

# a type checker knows the names from above, and is to complain about any other
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version

            return version("cyldiff")
        if name not in _HOME:
            raise AttributeError(f"module 'cyldiff' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_HOME[name]), _CALLED.get(name, name))


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

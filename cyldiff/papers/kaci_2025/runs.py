"""What the figures are drawn from: histories of the population, the remnants on the grid, gamma rays of both.

All of it is ``runs/papers/kaci-2025`` with the overrides that stand here; each result is kept as a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.config.load import load_config
from cyldiff.galaxy.radiation_field import CosmicMicrowaveBackground
from cyldiff.io.netcdf import write_result
from cyldiff.observables.gamma import DiffuseSky
from cyldiff.observables.regions import region_named
from cyldiff.papers.study import Study
from cyldiff.pipeline import run
from cyldiff.sources.population.api import population_fluxes, population_gamma
from cyldiff.sources.population.load import LoadedPopulation, load_population

__all__ = [
    "KNEE",
    "LAWS",
    "ONE_ENERGY",
    "POPULATION",
    "Size",
    "at_knee",
    "gamma_rays",
    "laws_at_knee",
    "loaded",
    "remnant_flux",
    "remnant_gamma",
    "remnants",
    "ring",
    "sea",
    "size_of",
    "total",
]

Array = NDArray[np.float64]

POPULATION, GAMMA, REMNANTS = (f"papers/kaci-2025/{name}" for name in ("population", "gamma", "remnants"))
#: energy of Fig. 1 [GeV]
KNEE = 3.5e6
#: the sea: no source younger than the residence time, nearer than what is diffused over in it
SEA = "selection.exclude={younger_than='500 kyr', within='4 kpc'}"
#: 1.1 TeV to 111 PeV, ten per decade: holds 3.5 PeV
SPECTRUM = ("energies.min=1.106797181 TeV", "energies.max=110.6797181 PeV", "energies.per_decade=10",
            "population.older=mean")  # fmt: skip
#: at the knee alone, where H^2/D is 0.65 Myr
ONE_ENERGY = ("energies.min=3.5 PeV", "energies.max=3.501 PeV", "energies.per_decade=1",
              "population.history_length=8 Myr", "output.brightest_at=3.5 PeV")  # fmt: skip
#: radial laws that give the printed probability of the sea; that of the paper is a figure of another
LAWS = ("yusifov-kucuk-2004", "case-bhattacharya-1998", "lorimer-2006", "green-2015")


@dataclass(frozen=True, slots=True)
class Size:
    """How many realisations: of the total, the sea, rings drawn and rings counted, each law, gamma rays."""

    total: int
    sea: int
    rings: int
    many_rings: int
    law: int
    gamma: int


def size_of(study: Study) -> Size:
    """The numbers of the paper; few in smoke mode."""
    return Size(200, 100, 8, 8, 100, 4) if study.smoke else Size(10_000, 100, 8, 100, 400, 100)


def loaded(*overrides: str) -> LoadedPopulation:
    """The population of the paper with changes."""
    return load_population(POPULATION, overrides)


def total(study: Study) -> xr.Dataset:
    """Protons of all microquasars (Fig. 2, lower panel), with every spectrum."""
    n = f"draw.realisations={size_of(study).total}"
    return _fluxes(study, "total", *SPECTRUM, n, "output.realisations=true")


def sea(study: Study) -> xr.Dataset:
    """Protons of old and distant ones (Fig. 2, upper panel)."""
    return _fluxes(study, "sea", *SPECTRUM, f"draw.realisations={size_of(study).sea}", SEA)


def ring(study: Study) -> xr.Dataset:
    """Protons on the circle of Fig. 1; the first realisations are drawn, all are counted."""
    circle, size = "observers.ring={radius='8.5 kpc', n=360}", size_of(study)
    n = f"draw.realisations={size.many_rings}"
    return _fluxes(study, "ring", circle, *ONE_ENERGY, n, "output.realisations=true")


def laws_at_knee(study: Study) -> dict[str, tuple[xr.Dataset, xr.Dataset]]:
    """Total and sea at 3.5 PeV for several radial laws."""
    found = {}
    for law in LAWS:
        n = f"draw.realisations={size_of(study).law}"
        place = f"population.distribution={{kind='{law}', vertical='uniform', scale_height='0.2 kpc'}}"
        every, quiet = loaded(place, *ONE_ENERGY, n), loaded(place, *ONE_ENERGY, n, SEA)
        found[law] = _evaluated(study, every), _evaluated(study, quiet)
    return found


def remnants(study: Study, cutoff: float) -> xr.Dataset:
    """Protons of the remnants on the grid, with another cut-off [GeV]."""
    overrides = [f"physics.sources.snr.injection.default.cutoff={cutoff / 1e3:.6g} TV"]
    if study.smoke:
        overrides += ["grid.momentum.per_decade=5"]
    return run(load_config(REMNANTS, overrides), quiet=True)


def remnant_flux(result: xr.Dataset, energy: Array) -> Array:
    """Protons of the remnants at the Sun at energies [GeV]."""
    own, flux = result["kinetic_energy"].values, result["flux_lis"].values[0]
    return np.asarray(np.exp(np.interp(np.log(energy), np.log(own), np.log(np.maximum(flux, 1e-300)))))


def gamma_rays(study: Study) -> xr.Dataset:
    """Gamma rays of the microquasars (Figs. 3 and 4)."""
    config = load_population(GAMMA, [f"draw.realisations={size_of(study).gamma}"])
    found = population_gamma(config, processes=study.processes, quiet=study.quiet)
    write_result(found, study.results / "gamma.nc")
    return found


def remnant_gamma(result: xr.Dataset, energies: Array) -> dict[str, Array]:
    """Diffuse gamma rays of the remnants by region [GeV^-1 cm^-2 s^-1 sr^-1]: whole regions, production as above."""
    gamma: Any = load_population(GAMMA).config.gamma
    sky = DiffuseSky.of(result, gamma.production, energies=energies, radiation=CosmicMicrowaveBackground())
    return {name: sky.region(region_named(name))["intensity"].values for name in gamma.regions}


def at_knee(dataset: xr.Dataset) -> int:
    """Number of the energy that is next to 3.5 PeV."""
    return int(np.argmin(np.abs(np.log(dataset["kinetic_energy"].values / KNEE))))


def _fluxes(study: Study, name: str, *overrides: str) -> xr.Dataset:
    found = _evaluated(study, loaded(*overrides))
    write_result(found, study.results / f"{name}.nc")
    return found


def _evaluated(study: Study, config: LoadedPopulation) -> xr.Dataset:
    return population_fluxes(config, processes=study.processes, quiet=study.quiet)

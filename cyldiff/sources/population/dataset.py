"""The result of a population as one self-describing dataset."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.catalogue import QUANTITIES
from cyldiff.io.provenance import software
from cyldiff.sources.population.checks import neglected
from cyldiff.sources.population.ensemble import Sample
from cyldiff.sources.population.evaluate import Evaluation
from cyldiff.sources.population.load import LoadedPopulation
from cyldiff.sources.population.model import PopulationModel
from cyldiff.sources.population.schema import Reference
from cyldiff.sources.population.statistics import QUANTILES, spread_of
from cyldiff.sources.propagation import left_out

__all__ = ["describe"]

Array = NDArray[np.float64]

_PER_REALISATION = (
    "number",
    "number_active",
    "number_excluded",
    "nearest_active_distance",
    "nearest_active_age",
    "brightest_share",
    "brightest_distance",
    "brightest_age",
    "brightest_energy",
)


def describe(
    loaded: LoadedPopulation, evaluation: Evaluation, sample: Sample, *, seconds: float
) -> xr.Dataset:
    """Statistics of the realisations, and what is needed to read them without cyldiff."""
    config, model = loaded.config, evaluation.model
    spread = spread_of(sample["intensity"])
    older = 0.0 if config.population.older == "neglected" else evaluation.older[0]
    data: dict[str, Any] = {
        "flux_lis": spread.quantiles[QUANTILES.index(0.5), 0],
        "flux_quantiles": spread.quantiles,
        "flux_minimum": spread.minimum,
        "flux_maximum": spread.maximum,
        "flux_mean": spread.mean,
        "flux_expected": evaluation.expected("all") + older,
        "largest_share": spread.largest_share,
        "tail_index": spread.tail_index,
        "tail_index_error": spread.tail_error,
        "charge": [s.Z for s in model.species],
        "mass_number": [s.A for s in model.species],
        "mass_per_nucleon": [s.mass_per_nucleon for s in model.species],
        "half_life": [s.half_life for s in model.species],
        "position_observer": model.observers,
        **{name: sample[name] for name in _PER_REALISATION if name in sample},
    }
    if config.output.realisations:
        data["flux_realisation"] = sample["intensity"]
    if "gradient" in sample:
        data["gradient_realisation"] = sample["gradient"]
    if config.reference is not None:
        data["flux_reference"] = reference_flux(config.reference, model.energies)
    coords = {
        "kinetic_energy": model.energies,
        "species": [s.name for s in model.species],
        "quantile": list(QUANTILES),
        "observer": ["Sun", *(f"ring {i}" for i in range(len(model.observers) - 1))],
        "axis": ["x", "y", "z"],
        "direction": ["r", "phi", "z"],
        "realisation": np.arange(config.draw.realisations),
    }
    dataset = _described(data, coords)
    azimuth = np.degrees(np.arctan2(model.observers[:, 1], model.observers[:, 0]) - np.pi) % 360.0
    dataset["azimuth"] = (
        "observer",
        azimuth,
        {"units": "degree", "long_name": "azimuth around the Galactic centre, 0 at the Sun, +phi"},
    )
    dataset.attrs = _attributes(loaded, evaluation, seconds)
    return dataset


def reference_flux(reference: Reference, energies: Array) -> Array:
    """Measured intensity at kinetic energies per nucleon [m^-2 s^-1 sr^-1 (GeV/n)^-1]."""
    flux = reference.intensity * (energies / reference.energy) ** -reference.index
    return flux if reference.cutoff is None else flux * np.exp(-energies / reference.cutoff)


def _described(data: dict[str, Any], coords: dict[str, Any]) -> xr.Dataset:
    """Attach dims, units and long names from the catalogue."""
    variables = {}
    for name, values in data.items():
        q = QUANTITIES[name]
        variables[name] = (q.dims, np.asarray(values), {"units": q.units, "long_name": q.long_name})
    used = {dim for dims, *_ in variables.values() for dim in dims}
    dataset = xr.Dataset(variables, coords={k: v for k, v in coords.items() if k in used})
    for coordinate in dataset.coords:
        if coordinate in QUANTITIES:
            q = QUANTITIES[str(coordinate)]
            dataset[coordinate].attrs.update({"units": q.units, "long_name": q.long_name})
    dataset["flux_lis"].attrs["long_name"] = "interstellar intensity at the Sun, median of the realisations"
    return dataset


def _attributes(loaded: LoadedPopulation, evaluation: Evaluation, seconds: float) -> dict[str, Any]:
    config, model = loaded.config, evaluation.model
    region = config.selection.exclude
    return {
        "title": config.title or f"cyldiff population {config.population.name}",
        "population": config.population.name,
        "realisations": config.draw.realisations,
        "mean_active": model.draw.mean_active,
        "selection": "none"
        if region is None
        else f"no source younger than {region.younger_than:g} Myr within {region.within:g} kpc of the Sun",
        "selection_probability": model.draw.probability,
        "mean_excluded": model.draw.mean_excluded,
        "neglected_at_lowest_energy": neglected(model) if config.population.older == "neglected" else 0.0,
        "older": config.population.older,
        "kernel": "free" if config.model.kernel == "free" else "halo",
        "left_out": _left_out(model),
        "heavy_tail": "quantiles describe the realisations; flux_mean is ruled by its largest members, see "
        "largest_share and tail_index (a variance exists for an index above 2), and flux_expected is the mean "
        "without sampling error",
        "random_numbers": "realisation k: PCG64(SeedSequence(seed, spawn_key=(k,)))",
        **software(seconds=seconds),
        "seeds": json.dumps([config.draw.seed]),
        "config": loaded.toml(),
        "config_source": loaded.source,
    }


def _left_out(model: PopulationModel) -> str:
    """What the closed forms leave out of the model, in words."""
    section: Any = model.config.model
    said: list[str] = []
    if not (section.collisions and section.gas is not None and section.inelastic is not None):
        said.append("decay and collisions with the gas")
    if section.gas is None or section.reacceleration is None or section.convection is None:
        said.append("wind, reacceleration and energy losses: the model does not tell them")
    elif section.inelastic is not None:
        said += left_out(section, model.species[0], model.energies)
    return "; ".join(said) or "nothing of note"

"""The fluxes of sources as one self-describing dataset (variables and units of the catalogue of quantities)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.catalogue import QUANTITIES
from cyldiff.config.toml import to_toml
from cyldiff.galaxy.coordinates import seen_from_sun
from cyldiff.sources.at_sun import AtSun
from cyldiff.sources.catalogue import Catalogue
from cyldiff.sources.model import PropagationModel
from cyldiff.sources.validity import FLAGS

__all__ = ["DIRECTIONS", "origin", "sources_dataset", "total_gradient"]

Array = NDArray[np.float64]

DIRECTIONS = ("r", "phi", "z")


def total_gradient(flux: Array, gradient: Array) -> Array:
    """Gradient of the logarithm of a sum over the first dimension, from those of its parts."""
    total = flux.sum(axis=0)[..., None]
    weighted = (flux[..., None] * gradient).sum(axis=0)
    return np.divide(weighted, total, out=np.zeros_like(weighted), where=total > 0.0)


def sources_dataset(
    catalogue: Catalogue, model: PropagationModel, energy: Array, parts: Sequence[AtSun]
) -> xr.Dataset:
    """All variables with their units; `parts` are the species of the catalogue."""
    flux, gradient = np.stack([p.flux for p in parts], 1), np.stack([p.gradient for p in parts], 1)
    flags = np.stack([p.flags for p in parts], 1)
    species, sun = catalogue.species, model.physics.observer
    segments, spectra = catalogue.segments(sun), catalogue.spectra(species, energy)
    number = np.zeros(flux.shape)
    np.add.at(number, segments.source, segments.energy[:, None, None] * spectra[segments.spectrum])
    places = catalogue.positions(sun)
    longitude, latitude, distance = seen_from_sun(places, sun)
    data: dict[str, Any] = {
        "flux_lis": flux,
        "gradient_lis": gradient,
        "flux_lis_total": flux.sum(axis=0),
        "gradient_lis_total": total_gradient(flux, gradient),
        "injected_energy": catalogue.energy(species),
        "present_power": catalogue.power(species),
        "injected_number": number,
        "position": places,
        "galactic_longitude": longitude,
        "galactic_latitude": latitude,
        "distance": distance,
        "age": [source.age for source in catalogue.sources],
        "validity": flags.astype(np.int8),
        "charge": [s.Z for s in species],
        "mass_number": [s.A for s in species],
        "mass_per_nucleon": [s.mass_per_nucleon for s in species],
        "half_life": [s.half_life for s in species],
    }
    variables = {}
    for name, values in data.items():
        q = QUANTITIES[name]
        dims = ("source", *q.dims) if name in ("flux_lis", "gradient_lis") else q.dims
        variables[name] = (dims, np.asarray(values), {"units": q.units, "long_name": q.long_name})
    coords = {
        "source": list(catalogue.names),
        "species": [s.name for s in species],
        "kinetic_energy": energy,
        "direction": list(DIRECTIONS),
        "axis": ["x", "y", "z"],
    }
    dataset = xr.Dataset(variables, coords=coords)
    for name in ("source", "species", "kinetic_energy"):
        dataset[name].attrs.update(units=QUANTITIES[name].units, long_name=QUANTITIES[name].long_name)
    dataset["validity"].attrs.update(
        flag_masks=[np.int8(bit) for bit in FLAGS], flag_meanings=" ".join(FLAGS.values())
    )
    return dataset


def origin(catalogue: Catalogue, model: PropagationModel) -> dict[str, Any]:
    """Attributes that say which sources and which model."""
    return {
        "title": f"cyldiff sources {catalogue.source}",
        "purpose": catalogue.title,
        "catalogue": to_toml_rows(catalogue),
        "catalogue_source": catalogue.source,
        "catalogue_sha256": catalogue.checksum,
        "population": catalogue.population or "",
        "config": model.toml(),
        "config_source": model.name,
    }


def to_toml_rows(catalogue: Catalogue) -> str:
    """The rows as TOML, defaults filled in; the file that gives the same sources again."""
    head = {key: value for key, value in catalogue.resolved.items() if key != "source"}
    rows = [
        to_toml({"source": row}).replace("[source]", "[[source]]", 1)
        for row in catalogue.resolved.get("source", ())
    ]
    return "\n".join([to_toml(head), *rows])

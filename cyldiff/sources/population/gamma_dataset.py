"""Gamma rays of a population as variables of its result."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from cyldiff.catalogue import QUANTITIES
from cyldiff.sources.population.gamma import CASES
from cyldiff.sources.population.gamma_ensemble import GammaRows
from cyldiff.sources.population.load import LoadedPopulation
from cyldiff.sources.population.statistics import QUANTILES

__all__ = ["describe_gamma"]

_REGIONS = ("sea", "active", "ended", "diffuse_sea", "diffuse_unresolved", "diffuse_leaked")
_MEMBERS = ("realisation", "longitude", "latitude", "distance", "age", "active", "flux", "extent", "threshold",
            "detected", "mean")  # fmt: skip


def describe_gamma(loaded: LoadedPopulation, rows: GammaRows) -> xr.Dataset:
    """Every realisation, its members, and quantiles over the realisations."""
    gamma: Any = loaded.config.gamma
    whole = rows["sea"] + rows["active"] + rows["ended"]
    diffuse = rows["diffuse_sea"] + rows["diffuse_unresolved"]
    n, cases = rows["sea"].shape[0], rows["solid_angle"].shape[1]
    number = np.zeros((n, cases), dtype=np.int64)
    np.add.at(number, rows["member_realisation"].astype(np.int64), rows["member_detected"].astype(np.int64))
    data: dict[str, Any] = {
        **{f"gamma_{name}": rows[name] for name in _REGIONS},
        **{f"member_{name}": rows[f"member_{name}"] for name in _MEMBERS},
        "gamma_total_quantiles": np.quantile(whole, QUANTILES, axis=0),
        "gamma_diffuse_quantiles": _quantiles(diffuse),
        "gamma_solid_angle": rows["solid_angle"],
        "number_detected": number,
    }
    coords = {
        "gamma_energy": gamma.energies.values,
        "gamma_realisation": np.arange(n),
        "region": list(gamma.regions),
        "cloud_case": list(CASES[:cases]),
        "quantile": list(QUANTILES),
    }
    variables = {
        name: (QUANTITIES[name].dims, np.asarray(values),
               {"units": QUANTITIES[name].units, "long_name": QUANTITIES[name].long_name})
        for name, values in data.items()
    }  # fmt: skip
    dataset = xr.Dataset(variables, coords=coords)
    for name in ("gamma_energy", "gamma_realisation", "region", "cloud_case"):
        q = QUANTITIES[name]
        dataset[name].attrs.update({"units": q.units, "long_name": q.long_name})
    return dataset


def _quantiles(diffuse: Any) -> Any:
    """Quantiles of the realisations in which the discs leave something; NaN if there is none."""
    kept = np.isfinite(diffuse).all(axis=-1)
    out = np.full((len(QUANTILES), *diffuse.shape[1:]), np.nan)
    for c in range(diffuse.shape[1]):
        for g in range(diffuse.shape[2]):
            if kept[:, c, g].any():
                out[:, c, g] = np.quantile(diffuse[kept[:, c, g], c, g], QUANTILES, axis=0)
    return out

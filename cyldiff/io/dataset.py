"""The result as one self-describing dataset (variables and units of the catalogue)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.catalogue import QUANTITIES
from cyldiff.config.schema import RunConfig
from cyldiff.grid import Axis, Grid
from cyldiff.solve.chain import ChainSolution, PrimarySource
from cyldiff.sources.component import injected_power, intensity

__all__ = ["build_dataset"]

Array = NDArray[np.float64]


def build_dataset(
    config: RunConfig,
    grid: Grid,
    sources: Sequence[PrimarySource],
    solution: ChainSolution,
    strength: dict[str, float],
) -> xr.Dataset:
    """Fluxes at the Sun and everywhere, with what is needed to read them without cyldiff.

    Species are ordered by charge and mass number.
    """
    order = sorted(range(len(solution.species)), key=lambda i: (solution.species[i].Z, solution.species[i].A))
    species = [solution.species[i] for i in order]
    sun = config.physics.observer
    scale = np.array([strength[s.name] for s in sources])
    density = np.einsum("c,cskrz->skrz", scale, solution.density) if len(sources) > 1 else None
    single = solution.density[0]

    def total(index: int) -> Array:
        return single[index] * scale[0] if density is None else density[index]

    at_sun = np.stack([grid.at(total(i), sun.r, sun.z) for i in order])
    slope = np.stack([grid.gradient_at(total(i), sun.r, sun.z) for i in order])
    with np.errstate(divide="ignore", invalid="ignore"):
        gradient = np.where(at_sun[:, None] > 0.0, slope / at_sun[:, None], 0.0)
    flux_lis = np.stack([intensity(n, s, grid) for n, s in zip(at_sun, species, strict=True)])

    data: dict[str, Any] = {
        "charge": [s.Z for s in species],
        "mass_number": [s.A for s in species],
        "mass_per_nucleon": [s.mass_per_nucleon for s in species],
        "half_life": [s.half_life for s in species],
        "flux_lis": flux_lis,
        "gradient_lis": np.moveaxis(gradient, 1, 2),
        "residual": solution.residual[order],
        "balance": solution.balance[order],
        "minimum": solution.minimum[order],
        "steps": solution.steps[order],
        "source_density": np.stack([s.density for s in sources]),
        "injected_power": [
            strength[s.name]
            * injected_power(s, grid, solution.species, float(grid.kinetic_energy[0]))
            / (const.ERG_GEV * const.MYR_S)
            for s in sources
        ],
        "r_bounds": _bounds(grid.r),
        "z_bounds": _bounds(grid.z),
    }
    if "flux" in config.output.quantities:
        data["flux"] = np.stack(
            [intensity(total(i), s, grid) for i, s in zip(order, species, strict=True)], dtype=np.float32,
            casting="same_kind",
        )  # fmt: skip
    if config.output.components or len(sources) > 1:
        data["flux_lis_component"] = np.stack(
            [
                np.stack([intensity(grid.at(x[i] * f, sun.r, sun.z), s, grid) for i, s in zip(order, species, strict=True)])
                for x, f in zip(solution.density, scale, strict=True)
            ]
        )
    coords = {
        "kinetic_energy": grid.kinetic_energy,
        "species": [s.name for s in species],
        "r": grid.r.centers,
        "z": grid.z.centers,
        "component": [s.name for s in sources],
        "direction": ["r", "z"],
    }
    return _described(data, coords)


def _described(data: dict[str, Any], coords: dict[str, Any]) -> xr.Dataset:
    """Attach dims, units and long names from the catalogue."""
    variables = {}
    for name, values in data.items():
        q = QUANTITIES[name]
        variables[name] = (q.dims, np.asarray(values), {"units": q.units, "long_name": q.long_name})
    dataset = xr.Dataset(variables, coords=coords)
    for name in coords:
        if name in QUANTITIES:
            q = QUANTITIES[name]
            dataset[name].attrs.update({"units": q.units, "long_name": q.long_name})
    for name in ("r", "z"):
        dataset[name].attrs["bounds"] = f"{name}_bounds"
    return dataset


def _bounds(axis: Axis) -> Array:
    return np.stack([axis.faces[:-1], axis.faces[1:]], axis=1)

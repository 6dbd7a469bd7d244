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
from cyldiff.particles.species import Species
from cyldiff.solve.solution import ChainSolution, PrimarySource
from cyldiff.sources.component import injected_power, intensity

__all__ = ["build_dataset", "in_time", "latest"]

Array = NDArray[np.float64]


def build_dataset(
    config: RunConfig,
    grid: Grid,
    sources: Sequence[PrimarySource],
    solution: ChainSolution,
    strength: dict[str, float],
) -> xr.Dataset:
    """Fluxes at the Sun and everywhere, with what is needed to read them without cyldiff.

    Species are ordered by charge and mass number, leptons last.
    """
    order = sorted(range(len(solution.species)), key=lambda i: _rank(solution.species[i]))
    species = [solution.species[i] for i in order]
    sun = config.physics.observer
    scale = np.array([strength[s.name] for s in sources])

    def total(index: int) -> Array:
        return np.einsum("c,c...->...", scale, solution.density[:, index])

    at_sun, gradient = _observed([total(i) for i in order], grid, sun.r, sun.z)
    flux_lis = np.stack([intensity(n, s, grid) for n, s in zip(at_sun, species, strict=True)])

    data: dict[str, Any] = {
        "charge": [s.Z for s in species],
        "mass_number": [s.A for s in species],
        "mass_per_nucleon": [s.mass_per_nucleon for s in species],
        "half_life": [s.half_life for s in species],
        "flux_lis": flux_lis,
        "gradient_lis": gradient,
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
        **{f"{axis.name}_bounds": _bounds(axis) for axis in grid.axes},
    }
    wanted = config.output.quantities
    if "flux" in (("flux",) if wanted is None and grid.phi is None else wanted or ()):
        data["flux"] = np.stack(
            [intensity(total(i), s, grid) for i, s in zip(order, species, strict=True)], dtype=np.float32,
            casting="same_kind",
        )  # fmt: skip
        if config.output.components:
            data["flux_component"] = np.stack(
                [
                    [
                        intensity(factor * density[i], s, grid).astype(np.float32)
                        for i, s in zip(order, species, strict=True)
                    ]
                    for factor, density in zip(scale, solution.density, strict=True)
                ]
            )
    if config.output.components or len(sources) > 1:
        fluxes, gradients = [], []
        for factor, density in zip(scale, solution.density, strict=True):
            here, slope = _observed([density[i] for i in order], grid, sun.r, sun.z)
            fluxes.append([factor * intensity(n, s, grid) for n, s in zip(here, species, strict=True)])
            gradients.append(slope)
        data["flux_lis_component"], data["gradient_lis_component"] = np.array(fluxes), np.stack(gradients)
    coords = {
        "kinetic_energy": grid.kinetic_energy,
        "species": [s.name for s in species],
        **{axis.name: axis.centers for axis in grid.axes},
        "component": [s.name for s in sources],
        "direction": [axis.name for axis in grid.axes],
    }
    return _described(data, coords)


def _rank(species: Species) -> tuple[bool, int, int]:
    return species.is_lepton, species.Z, species.A


def _observed(fields: Sequence[Array], grid: Grid, r: float, z: float) -> tuple[Array, Array]:
    """Densities at the Sun, shape (n, p), and gradients of their logarithms, (n, p, direction) [1/kpc].

    The gradient is that of the interpolating cubic, of third order in the cells; 0 where nothing is.
    """
    value = np.stack([grid.at(field, r, z) for field in fields])
    slope = np.stack([grid.gradient_at(field, r, z) for field in fields])
    with np.errstate(divide="ignore", invalid="ignore"):
        gradient = np.where(value[:, None] > 0.0, slope / value[:, None], 0.0)
    return value, np.moveaxis(gradient, 1, 2)


def _described(data: dict[str, Any], coords: dict[str, Any]) -> xr.Dataset:
    """Attach dims, units and long names from the catalogue."""
    variables = {}
    for name, values in data.items():
        q = QUANTITIES[name]
        dims = _with_phi(q.dims) if "phi" in coords else q.dims
        variables[name] = (dims, np.asarray(values), {"units": q.units, "long_name": q.long_name})
    dataset = xr.Dataset(variables, coords=coords)
    for name in coords:
        if name in QUANTITIES:
            q = QUANTITIES[name]
            dataset[name].attrs.update({"units": q.units, "long_name": q.long_name})
    for name in (n for n in ("r", "phi", "z") if n in coords):
        dataset[name].attrs["bounds"] = f"{name}_bounds"
    return dataset


def _with_phi(dims: tuple[str, ...]) -> tuple[str, ...]:
    """Dimensions of a map on a 3-D grid: phi between r and z."""
    if "r" not in dims or "z" not in dims:
        return dims
    return (*dims[: dims.index("z")], "phi", *dims[dims.index("z") :])


#: what differs from one time to the next
_EVOLVING = (
    "flux_lis", "flux_toa", "flux", "flux_lis_component", "flux_component", "gradient_lis",
    "gradient_lis_component", "minimum",
)  # fmt: skip


def in_time(datasets: Sequence[xr.Dataset], times: Sequence[float]) -> xr.Dataset:
    """One dataset with a leading ``time`` dimension on all that evolves; the rest is that of the end."""
    q = QUANTITIES["time"]
    axis = xr.DataArray(
        list(times), dims="time", name="time", attrs={"units": q.units, "long_name": q.long_name}
    )
    result = datasets[-1].copy()
    for name in (n for n in _EVOLVING if n in result):
        result[name] = xr.concat([d[name] for d in datasets], dim=axis)
    return result


def latest(dataset: xr.Dataset) -> xr.Dataset:
    """The result at its last time; a steady one as it is."""
    return dataset.isel(time=-1) if "time" in dataset.dims else dataset


def _bounds(axis: Axis) -> Array:
    return np.stack([axis.faces[:-1], axis.faces[1:]], axis=1)

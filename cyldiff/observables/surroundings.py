"""What lines of sight of a result pass through, from the stored config: gas, radiation, box, place of the Sun."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.errors import DataError
from cyldiff.galaxy import spiral_arms as _spiral_arms  # noqa: F401 - registers its kinds
from cyldiff.galaxy.gas import GasModel
from cyldiff.galaxy.radiation_field import RadiationField
from cyldiff.observables.emission import Mesh
from cyldiff.observables.line_of_sight import LineOfSight
from cyldiff.observables.user_gas import GasCube, RingColumns
from cyldiff.registry import lookup
from cyldiff.units import parse_quantity

__all__ = ["Sun", "gas_of", "radiation_of", "sight_of", "sun_of"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sun:
    """Where lines of sight start: galactocentric radius and height [kpc]."""

    r: float
    z: float


def sight_of(
    dataset: xr.Dataset, gas: GasModel, mesh: Mesh, own_gas: GasCube | RingColumns | None
) -> LineOfSight:
    """Lines of sight through the gas of the run, or that of the user."""
    sun = sun_of(dataset)
    if isinstance(own_gas, GasCube):
        return LineOfSight(sun, own_gas, mesh, longest=own_gas.longest)
    around = "phi" in dataset.dims

    def density(r: Array, z: Array, phi: Array) -> Array:
        return gas.hydrogen(r, z, phi if around else None)

    return LineOfSight(sun, density, mesh, gas.edges, rings=own_gas)


def gas_of(dataset: xr.Dataset) -> GasModel:
    """Gas of the run that made a result.

    Raises
    ------
    DataError
        if the result has no config, or one that this version cannot read.
    """
    try:
        return GasModel.model_validate(_physics(dataset)["gas"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"the gas of this result cannot be read from its config: {error}") from None


def radiation_of(dataset: xr.Dataset) -> RadiationField:
    """Radiation field of the run that made a result.

    Raises
    ------
    DataError
        if the config of the result has none, or one that this version cannot read.
    """
    try:
        fields = _physics(dataset)["radiation_field"]
        field: RadiationField = lookup("radiation-field", fields["kind"]).model_validate(fields)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"the radiation field of this result cannot be read from its config: {error}"
        ) from None
    return field


def sun_of(dataset: xr.Dataset) -> Sun:
    """Place of the Sun in the run that made a result.

    Raises
    ------
    DataError
        if the result has no config, or one that this version cannot read.
    """
    try:
        observer = _physics(dataset)["observer"]
        return Sun(*(parse_quantity(observer[key], "length") for key in ("r", "z")))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"the place of the Sun cannot be read from the config of this result: {error}"
        ) from None


def _physics(dataset: xr.Dataset) -> dict[str, Any]:
    return dict(tomllib.loads(str(dataset.attrs["config"]))["physics"])

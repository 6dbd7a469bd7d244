"""The laws of motion at the Sun, as a result file remembers them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff import registry
from cyldiff.errors import DataError
from cyldiff.observables.dipole import along_sun
from cyldiff.transport import convection as _convection  # noqa: F401 - registers its kinds
from cyldiff.transport import diffusion as _diffusion  # noqa: F401 - registers its kinds
from cyldiff.units import parse_quantity

__all__ = ["LocalTransport", "same_model"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """Diffusion and wind where the Sun is.

    Attributes
    ----------
    diffusion, convection : laws of :mod:`cyldiff.transport`
    r, z : position of the Sun [kpc]
    """

    diffusion: Any
    convection: Any
    r: float
    z: float

    @classmethod
    def of(cls, dataset: xr.Dataset) -> LocalTransport:
        """Those of the run that made a result, from its stored config.

        Raises
        ------
        DataError
            if the result has no config, or one that this version cannot read.
        """
        try:
            physics = tomllib.loads(str(dataset.attrs["config"]))["physics"]
            sun = {key: parse_quantity(physics["observer"][key], "length") for key in ("r", "z")}
            laws = {name: _law(name, physics[name]) for name in ("diffusion", "convection")}
        except KeyError as error:
            raise DataError(
                f"the result does not say how its particles move ({error.args[0]} is missing)"
            ) from None
        except (TypeError, ValueError) as error:
            raise DataError(f"the config stored with the result cannot be read: {error}") from None
        return cls(**laws, **sun)

    def along(self, directions: tuple[str, ...], rigidity: Array, beta: Array) -> Array:
        """D along the directions "r", "phi", "z" at rigidities [GV]; shape (n, directions) [kpc^2/Myr]."""
        r, z = np.full(rigidity.shape, self.r), np.full(rigidity.shape, self.z)
        each = [self.diffusion.coefficient(rigidity, beta, r, z, axis=axis) for axis in directions]
        return np.stack([np.broadcast_to(D, rigidity.shape) for D in each], axis=-1).astype(float)

    @property
    def wind(self) -> Array:
        """Velocity of the wind at the Sun in the Galactic frame, shape (3,) [kpc/Myr]."""
        return along_sun(np.array([float(self.convection.velocity(self.z))]), ("z",))


def same_model(result: xr.Dataset, sources: xr.Dataset) -> None:
    """Refuse a source list that says it was made in another halo, with another D or for another Sun.

    Raises
    ------
    DataError
        naming what differs.
    """
    if "config" not in sources.attrs or "config" not in result.attrs:
        return
    one, other = LocalTransport.of(result), LocalTransport.of(sources)
    differing = {
        "diffusion law": one.diffusion != other.diffusion,
        "position of the Sun": (one.r, one.z) != (other.r, other.z),
        "halo": _halo(result) != _halo(sources),
    }
    if any(differing.values()):
        raise DataError(
            f"the point sources were computed with another {', '.join(k for k, v in differing.items() if v)} than "
            "the result; compute them with its model"
        )


def _halo(dataset: xr.Dataset) -> dict[str, float]:
    section = tomllib.loads(str(dataset.attrs["config"]))["physics"].get("halo", {})
    return {key: parse_quantity(value, "length") for key, value in section.items()}


def _law(family: str, section: dict[str, Any]) -> Any:
    return registry.lookup(family, section["kind"]).model_validate(section)

"""Strength of the Galactic magnetic field, which electrons and positrons radiate in.

Only the total strength counts for the losses: the pitch angles of diffusing particles are isotropic.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from cyldiff import constants as const
from cyldiff.config.base import Model, Quantity
from cyldiff.registry import register

__all__ = ["ExponentialField", "MagneticField", "UniformField"]

Array = NDArray[np.float64]


class MagneticField(Model):
    """Base of all fields: strength B(r, z) and its energy density."""

    def strength(self, r: ArrayLike, z: ArrayLike) -> Array:
        """B at r, z [kpc], broadcast shape [microgauss]."""
        raise NotImplementedError

    def energy_density(self, r: ArrayLike, z: ArrayLike) -> Array:
        """B^2 / 8 pi at r, z [kpc], broadcast shape [GeV/cm^3]."""
        return const.MICROGAUSS_ENERGY_DENSITY * self.strength(r, z) ** 2


@register("magnetic-field", "uniform")
class UniformField(MagneticField):
    """The same strength everywhere."""

    kind: Literal["uniform"] = "uniform"
    B0: Quantity("magnetic field") = Field(ge=0, le=1e6, description="strength of the total field")  # type: ignore[valid-type]

    def strength(self, r: ArrayLike, z: ArrayLike) -> Array:
        """B0 [microgauss]."""
        return np.full(np.broadcast_shapes(np.shape(r), np.shape(z)), self.B0)


@register("magnetic-field", "exponential")
class ExponentialField(MagneticField):
    """B = B0 exp[-(r - r0) / rho_B - |z| / z_B].

    The form of GALPROP (Strong, Moskalenko & Reimer 2000, ApJ 537, 763, Eq. 1: B0 = 6.1 microgauss, rho_B = 10
    kpc, z_B = 2 kpc at r0 = 8.5 kpc).
    """

    kind: Literal["exponential"] = "exponential"
    B0: Quantity("magnetic field") = Field(  # type: ignore[valid-type]
        ge=0, le=1e6, description="strength at reference_radius in the plane"
    )
    reference_radius: Quantity("length") = Field(ge=0, description="r0: the Sun's, where B0 is measured")  # type: ignore[valid-type]
    r_scale: Quantity("length") = Field(gt=0, description="rho_B: length of the radial decrease")  # type: ignore[valid-type]
    z_scale: Quantity("length") = Field(gt=0, description="z_B: length of the vertical decrease")  # type: ignore[valid-type]

    def model_post_init(self, context: Any) -> None:
        """A field at the Galactic centre that is a number."""
        if self.reference_radius > 100.0 * self.r_scale:
            raise ValueError("r_scale is below a hundredth of reference_radius")

    def strength(self, r: ArrayLike, z: ArrayLike) -> Array:
        """B [microgauss]."""
        r, z = np.asarray(r, dtype=float), np.asarray(z, dtype=float)
        return self.B0 * np.exp(-(r - self.reference_radius) / self.r_scale - np.abs(z) / self.z_scale)

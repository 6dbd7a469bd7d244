"""The Galactic wind: V_z(z) away from the plane, with its adiabatic term through div V."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from cyldiff.config.base import Model, Quantity
from cyldiff.grid import Grid
from cyldiff.registry import register

__all__ = ["LinearWind", "NoWind"]

Array = NDArray[np.float64]


@register("convection", "none")
class NoWind(Model):
    """No wind."""

    kind: Literal["none"] = "none"

    def velocity(self, z: ArrayLike) -> Array:
        """Zero, shape of z."""
        return np.zeros(np.shape(z))

    def face_velocity(self, grid: Grid) -> Array:
        """Zero, shape (n_z + 1,)."""
        return self.velocity(grid.z.faces)


@register("convection", "linear-wind")
class LinearWind(Model):
    """V_z = sgn(z) (V0 + V' |z|), physics of Strong, Moskalenko & Ptuskin 2007, section 2.

    On the grid the velocity lives on faces and div V of a cell is the difference of its faces, so
    that the jump at the plane acts as 2 V0 delta(z) whatever the mesh.
    """

    kind: Literal["linear-wind"] = "linear-wind"
    V0: Quantity("speed") = Field(ge=0, description="speed of the wind just above the plane")  # type: ignore[valid-type]
    gradient: Quantity("speed gradient") = Field(ge=0, description="increase of the speed per height")  # type: ignore[valid-type]

    def velocity(self, z: ArrayLike) -> Array:
        """V_z at heights z [kpc], of their shape [kpc/Myr]; zero on the plane itself."""
        height = np.asarray(z, dtype=float)
        return np.sign(height) * (self.V0 + self.gradient * np.abs(height))

    def face_velocity(self, grid: Grid) -> Array:
        """V_z on the z faces, shape (n_z + 1,) [kpc/Myr]."""
        return self.velocity(grid.z.faces)

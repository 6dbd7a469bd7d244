"""The Galactic wind: V_z(z) away from the plane, with its adiabatic term through div V."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
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

    def face_velocity(self, grid: Grid) -> Array:
        """Zero, shape (n_z + 1,)."""
        return np.zeros(grid.z.n + 1)


@register("convection", "linear-wind")
class LinearWind(Model):
    """V_z = sgn(z) (V0 + V' |z|), physics of Strong, Moskalenko & Ptuskin 2007, section 2.

    On the grid the velocity lives on faces and div V of a cell is the difference of its faces, so
    that the jump at the plane acts as 2 V0 delta(z) whatever the mesh.
    """

    kind: Literal["linear-wind"] = "linear-wind"
    V0: Quantity("speed") = Field(ge=0, description="speed of the wind just above the plane")  # type: ignore[valid-type]
    gradient: Quantity("speed gradient") = Field(ge=0, description="increase of the speed per height")  # type: ignore[valid-type]

    def face_velocity(self, grid: Grid) -> Array:
        """V_z on the z faces, shape (n_z + 1,) [kpc/Myr]; zero on the plane itself."""
        z = grid.z.faces
        return np.sign(z) * (self.V0 + self.gradient * np.abs(z))

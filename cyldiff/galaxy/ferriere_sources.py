"""Supernovae of both types after Ferriere 2001: two discs, so that the density is no product of r and z."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cyldiff.config.base import Model, Quantity
from cyldiff.grid import Grid
from cyldiff.registry import register

__all__ = ["Ferriere2001"]

Array = NDArray[np.float64]

#: place of the Sun [kpc], Ferriere 2001, RMP 73, 1031
_R_SUN = 8.5
#: type I: rate at the Sun [kpc^-3 Myr^-1] and lengths in r and z [kpc], Ferriere 2001
_TYPE_I, _R_I, _Z_I = 7.3, 4.5, 0.325
#: type II: rate at the Sun [kpc^-3 Myr^-1] and length in r [kpc], Ferriere 2001
_TYPE_II, _R_II = 50.0, 6.8
#: type II: parts and heights [kpc] of two Gaussians in z, Ferriere 2001
_Z_II = ((0.79, 0.212), (0.21, 0.636))
#: type II falls again inside this radius, with this width [kpc]: 3.55 exp[-((r - 3.7)/2.1)^2], Ferriere 2001
_RING, _R_RING, _AT_RING = 3.7, 2.1, 3.55


@register("source-distribution", "ferriere-2001")
class Ferriere2001(Model):
    """Supernovae, Ferriere 2001, RMP 73, 1031: type I follows old stars, type II pulsars and HII regions.

    Rates per volume, r and z in kpc: type I 7.3 exp[-(r - 8.5)/4.5 - |z|/0.325]; type II
    50 {0.79 exp[-(z/0.212)^2] + 0.21 exp[-(z/0.636)^2]} exp[-(r^2 - 8.5^2)/6.8^2] for r > 3.7, inside
    3.55 exp[-((r - 3.7)/2.1)^2] instead of the last factor. The Sun of the law is at 8.5 kpc, whatever the observer.
    """

    kind: Literal["ferriere-2001"] = "ferriere-2001"
    maximum_radius: Quantity("length") | None = Field(default=None, gt=0, description="no sources beyond")  # type: ignore[valid-type]

    symmetric: ClassVar[bool] = True

    def density(self, r: Array, z: Array) -> Array:
        """Supernovae per volume [kpc^-3 Myr^-1], the broadcast shape of r and z [kpc]."""
        old = _TYPE_I * np.exp(-(r - _R_SUN) / _R_I - np.abs(z) / _Z_I)
        ring = _AT_RING * np.exp(-(((r - _RING) / _R_RING) ** 2))
        young = np.where(r > _RING, np.exp(-(r**2 - _R_SUN**2) / _R_II**2), ring)
        vertical = sum(part * np.exp(-((z / h) ** 2)) for part, h in _Z_II)
        q = old + _TYPE_II * young * vertical
        return np.asarray(q if self.maximum_radius is None else np.where(r <= self.maximum_radius, q, 0.0))

    def on_grid(
        self, grid: Grid, observer_radius: float, *, around: Callable[[Array, Array], Array] | None = None
    ) -> Array:
        """Cell averages normalised with the discrete volumes, sum(q * volume) = 1 [kpc^-3].

        Parameters
        ----------
        around : factor at (r, phi) whose mean over phi is one; needs a 3-D grid

        Returns
        -------
        ndarray, shape (n_r, n_z) or (n_r, n_phi, n_z)
        """
        density = grid.cell_average(self.density, around=around)
        total = grid.integral(density)
        if not total > 0.0:
            raise ValueError("the source distribution is zero everywhere on the grid")
        return density / total

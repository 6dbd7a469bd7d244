"""Diffusive reacceleration: D_pp from D_xx (Seo & Ptuskin 1994, ApJ 431, 705)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cyldiff.config.base import Model, Quantity
from cyldiff.registry import register

__all__ = ["NoReacceleration", "SeoPtuskin1994"]

Array = NDArray[np.float64]


@register("reacceleration", "none")
class NoReacceleration(Model):
    """No reacceleration: momentum changes by losses only."""

    kind: Literal["none"] = "none"

    def rate(self, D: Array, slope: Array) -> Array | None:
        """None: there is no momentum diffusion."""
        return None


@register("reacceleration", "seo-ptuskin-1994")
class SeoPtuskin1994(Model):
    """D_pp = 4 p^2 v_A^2 / [3 delta (4 - delta^2)(4 - delta) D], with w = 1 as in GALPROP."""

    kind: Literal["seo-ptuskin-1994"] = "seo-ptuskin-1994"
    alfven_speed: Quantity("speed") = Field(  # type: ignore[valid-type]
        ge=0, description="v_A, with w = 1: the speed divided by the root of the wave energy density"
    )

    def rate(self, D: Array, slope: Array) -> Array | None:
        """D_pp / p^2 [1/Myr], the broadcast shape of D and slope."""
        if self.alfven_speed == 0.0:
            return None
        prefactor = 4.0 / (3.0 * slope * (4.0 - slope**2) * (4.0 - slope))
        return np.asarray(prefactor * self.alfven_speed**2 / D)

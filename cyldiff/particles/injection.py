"""Injection spectra of the sources: broken power laws in rigidity with cut-offs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from cyldiff.config.base import Model, Number, Quantity
from cyldiff.registry import register

__all__ = ["BrokenPowerLawInjection"]

Array = NDArray[np.float64]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@register("injection", "broken-power-law")
class BrokenPowerLawInjection(Model):
    """dN/dR ~ R^-gamma[0] prod_i [1 + (R/R_i)^(1/s_i)]^(-s_i (gamma[i+1] - gamma[i])) exp[-(R/R_c)^b].

    Any number of breaks R_i, continuous; s_i = 0 is a sharp break. The cut-off is exponential for
    b = 1, super-exponential above; without `cutoff` there is none. The index refers to dN/dR, which
    is dN/dE only at beta = 1.
    """

    kind: Literal["broken-power-law"] = "broken-power-law"
    indices: Annotated[
        tuple[Annotated[Number, Field(gt=-5.0, lt=10.0)], ...],
        BeforeValidator(_as_tuple),
        Field(min_length=1),
    ] = Field(description="index gamma of dN/dR ~ R^-gamma below the first break, between and above them")
    breaks: Annotated[tuple[Quantity("rigidity"), ...], BeforeValidator(_as_tuple)] = Field(  # type: ignore[valid-type]
        default=(), description="rigidities R_i of the breaks, increasing"
    )
    smoothness: Annotated[tuple[Annotated[Number, Field(ge=0.0)], ...], BeforeValidator(_as_tuple)] = Field(
        default=(), description="s_i of each break; empty: all sharp"
    )
    cutoff: Quantity("rigidity") | None = Field(  # type: ignore[valid-type]
        default=None, gt=0, description="rigidity of the exponential cut-off; without it there is none"
    )
    cutoff_sharpness: Number = Field(default=1.0, gt=0.0, description="power b in exp[-(R/R_c)^b]")

    def model_post_init(self, context: Any) -> None:
        """One more index than breaks; smoothness empty (all sharp) or one per break."""
        n = len(self.breaks)
        if len(self.indices) != n + 1:
            raise ValueError(f"{n} breaks need {n + 1} indices, found {len(self.indices)}")
        if len(self.smoothness) not in (0, n):
            raise ValueError(
                f"{n} breaks need {n} values of smoothness or none, found {len(self.smoothness)}"
            )
        if any(b <= 0 for b in self.breaks) or list(self.breaks) != sorted(set(self.breaks)):
            raise ValueError("breaks must be positive and increasing")

    def per_rigidity(self, rigidity: Array) -> Array:
        """Relative dN/dR, same shape as rigidity [GV]."""
        spectrum = rigidity ** -self.indices[0]
        smooth = self.smoothness or (0.0,) * len(self.breaks)
        for position, s, step in zip(self.breaks, smooth, np.diff(self.indices), strict=True):
            x = rigidity / position
            # (1 + x^(1/s))^s without the overflow of x^(1/s)
            base = np.maximum(x, 1.0) if s == 0.0 else np.exp(s * np.logaddexp(0.0, np.log(x) / s))
            spectrum = spectrum * base**-step
        if self.cutoff is not None:
            spectrum = spectrum * np.exp(-((rigidity / self.cutoff) ** self.cutoff_sharpness))
        return np.asarray(spectrum)

"""The samplers a tuning file can name, with their settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from cyldiff.config.base import Integer, Model, Number
from cyldiff.registry import register

__all__ = ["Emcee", "Nautilus"]


@register("sampler", "emcee")
class Emcee(Model):
    """Affine-invariant ensemble of walkers (Foreman-Mackey et al. 2013, PASP 125, 306)."""

    kind: Literal["emcee"] = "emcee"
    walkers: Integer = Field(
        default=32, ge=4, description="even, at least two times the number of parameters and two more"
    )
    moves: Literal["mixed", "stretch", "differential-evolution"] = Field(
        default="mixed",
        description='"mixed": draws of the normal distribution around the minimum, where walkers start there, '
        "differential evolution and a kernel density; the fewest steps",
    )
    steps: Integer = Field(default=2000, ge=10, description="steps of every walker at most")
    taus: Number = Field(
        default=50.0, ge=10.0, description="autocorrelation times after which a chain counts as converged"
    )
    check: Integer = Field(default=50, ge=5, description="steps between looks at the convergence")
    thin: Integer = Field(default=1, ge=1, description="every so many steps are kept in the result")
    start: Literal["minimum", "prior"] = Field(
        default="minimum", description="walkers start around the best fit, or spread over the prior"
    )
    seed: Integer = Field(default=0, ge=0, description="of the random numbers")

    @field_validator("walkers")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError(f"found {value}; expected an even number")
        return value


@register("sampler", "nautilus")
class Nautilus(Model):
    """Nested sampling with neural networks: posterior and evidence (Lange 2023, MNRAS 525, 3181)."""

    kind: Literal["nautilus"] = "nautilus"
    live_points: Integer = Field(
        default=1000, ge=50, description="live points; more find more separate maxima"
    )
    effective: Integer = Field(
        default=5000, ge=100, description="effective number of draws at which the posterior is complete"
    )
    remaining: Number = Field(
        default=0.01, gt=0.0, lt=1.0, description="share of the evidence left in the live points at the end"
    )
    maximum_calls: Integer = Field(default=200000, ge=100, description="evaluations of chi-square at most")
    seed: Integer = Field(default=0, ge=0, description="of the random numbers")

"""When sources are on: the strength of a component as a function of time."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from cyldiff.config.base import Model, Number, Quantity
from cyldiff.registry import register

__all__ = ["AlwaysOn", "PiecewiseHistory"]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@register("history", "constant")
class AlwaysOn(Model):
    """The same strength at all times."""

    kind: Literal["constant"] = "constant"

    @property
    def switches(self) -> tuple[float, ...]:
        """No time at which the strength jumps."""
        return ()

    def strength(self, time: float) -> float:
        """One."""
        return 1.0


@register("history", "piecewise")
class PiecewiseHistory(Model):
    """Constant between switches: ``strengths[i]`` from ``times[i]`` on, nothing before ``times[0]``.

    A source that lives from 1 to 3 Myr: times = ["1 Myr", "3 Myr"], strengths = [1.0, 0.0]. Strengths are
    relative to the normalisation of the component, which holds for strength 1.
    """

    kind: Literal["piecewise"] = "piecewise"
    times: Annotated[tuple[Quantity("time"), ...], BeforeValidator(_as_tuple)] = Field(  # type: ignore[valid-type]
        min_length=1, description="times at which the strength changes, increasing"
    )
    strengths: Annotated[tuple[Annotated[Number, Field(ge=0.0)], ...], BeforeValidator(_as_tuple)] = Field(
        min_length=1, description="strength from each of the times on, relative to the normalisation"
    )

    def model_post_init(self, context: Any) -> None:
        """One strength per time, times increasing."""
        if len(self.times) != len(self.strengths):
            raise ValueError(f"{len(self.times)} times need as many strengths, found {len(self.strengths)}")
        if list(self.times) != sorted(set(self.times)):
            raise ValueError("times must increase")

    @property
    def switches(self) -> tuple[float, ...]:
        """Times at which the strength jumps [Myr]."""
        return tuple(self.times)

    def strength(self, time: float) -> float:
        """Relative strength at a time [Myr]; at a switch, that from the switch on."""
        place = int(np.searchsorted(np.asarray(self.times), time, side="right"))
        return 0.0 if place == 0 else float(self.strengths[place - 1])

"""What a single source has given to cosmic rays and when: its energy at once, or its luminosity in time.

A history is asked at the source's present age and answers in pieces (see :mod:`cyldiff.sources.segments`):
how long ago a piece began and ended, and the energy it gave, evenly in time. What lies in the future of the
source has not happened.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from cyldiff.config.base import Model, Quantity
from cyldiff.registry import register

__all__ = ["Burst", "ConstantLuminosity", "LuminosityTable", "Piece"]


class Piece(NamedTuple):
    """Began `oldest` and ended `youngest` ago [Myr]; gave `energy` [GeV]."""

    oldest: float
    youngest: float
    energy: float


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@register("luminosity-history", "burst")
class Burst(Model):
    """All at once, at birth."""

    kind: Literal["burst"] = "burst"
    energy: Quantity("energy") = Field(gt=0, description="total energy, before the efficiency")  # type: ignore[valid-type]

    def pieces(self, age: float) -> tuple[Piece, ...]:
        """One piece of no length."""
        return (Piece(age, age, self.energy),)

    def power(self, age: float) -> float:
        """Nothing any more [GeV/Myr]."""
        return 0.0


@register("luminosity-history", "constant")
class ConstantLuminosity(Model):
    """A constant luminosity from birth on, for `duration` or until now."""

    kind: Literal["constant"] = "constant"
    luminosity: Quantity("power") = Field(gt=0, description="before the efficiency")  # type: ignore[valid-type]
    duration: Quantity("time") | None = Field(  # type: ignore[valid-type]
        default=None, gt=0, description="how long after birth it is on; without it: until now"
    )

    def _ended(self, age: float) -> float:
        return 0.0 if self.duration is None else max(age - self.duration, 0.0)

    def pieces(self, age: float) -> tuple[Piece, ...]:
        """One piece, which ended `duration` after birth or goes on."""
        ended = self._ended(age)
        return (Piece(age, ended, self.luminosity * (age - ended)),)

    def power(self, age: float) -> float:
        """Present luminosity [GeV/Myr]; zero after the end."""
        return self.luminosity if self._ended(age) == 0.0 else 0.0


@register("luminosity-history", "table")
class LuminosityTable(Model):
    """Constant between `times` after birth: ``luminosities[i]`` from ``times[i]`` on, nothing before the first.

    The last one lasts until now: a source that ends has 0 there.
    """

    kind: Literal["table"] = "table"
    times: Annotated[tuple[Quantity("time"), ...], BeforeValidator(_as_tuple)] = Field(  # type: ignore[valid-type]
        min_length=1, description="times after birth at which the luminosity changes, increasing"
    )
    luminosities: Annotated[tuple[Quantity("power"), ...], BeforeValidator(_as_tuple)] = Field(  # type: ignore[valid-type]
        min_length=1, description="luminosity from each of the times on, before the efficiency"
    )

    def model_post_init(self, context: Any) -> None:
        """One luminosity per time, times increasing from 0 on, something injected."""
        if len(self.times) != len(self.luminosities):
            raise ValueError(
                f"{len(self.times)} times need as many luminosities, found {len(self.luminosities)}"
            )
        if self.times[0] < 0.0 or list(self.times) != sorted(set(self.times)):
            raise ValueError("times must increase, the first being at least 0")
        if min(self.luminosities) < 0.0 or max(self.luminosities) == 0.0:
            raise ValueError("luminosities must not be negative, nor all zero")

    def pieces(self, age: float) -> tuple[Piece, ...]:
        """A piece for every step that has begun and is not zero."""
        ago = [max(age - time, 0.0) for time in (*self.times, age)]
        steps = zip(pairwise(ago), self.luminosities, strict=True)
        return tuple(Piece(a, b, power * (a - b)) for (a, b), power in steps if a > b and power > 0.0)

    def power(self, age: float) -> float:
        """Present luminosity [GeV/Myr]."""
        begun = [power for time, power in zip(self.times, self.luminosities, strict=True) if time < age]
        return begun[-1] if begun else 0.0

"""How lifetimes, powers and energies are spread over the members of a population.

Every law has ``quantile(u)``, the value below which the part u of the members lies, and its ``mean``. A member
is drawn as the quantile of one uniform random number, so that a law costs one number per source whatever it is.
"""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.special import ndtri

from cyldiff.config.base import Model, Number, Quantity
from cyldiff.registry import register

__all__ = [
    "ExponentialLifetime",
    "FixedEnergy",
    "FixedLifetime",
    "FixedLuminosity",
    "Law",
    "LogNormalEnergy",
    "LogNormalLuminosity",
    "LogUniformLifetime",
    "PowerLawEnergy",
    "PowerLawLuminosity",
    "UniformLifetime",
    "expectation_points",
]

Array = NDArray[np.float64]

#: parts u at which expectations of functions of a law are taken
_POINTS = 4000


class Law(Protocol):
    """What all laws have."""

    @property
    def mean(self) -> float:
        """Mean over the members."""

    def quantile(self, u: Array) -> Array:
        """Value below which the part u lies, 0 <= u < 1."""


def expectation_points(law: Law) -> Array:
    """Equally probable values of a law: the mean of f over them is the expectation of f."""
    return law.quantile((np.arange(_POINTS) + 0.5) / _POINTS)


class _Fixed(Model):
    value: float

    @property
    def mean(self) -> float:
        """Mean over the members."""
        return self.value

    def quantile(self, u: Array) -> Array:
        """The same for all."""
        return np.full_like(u, self.value)


class _Range(Model):
    min: float
    max: float

    @model_validator(mode="after")
    def _ordered(self) -> _Range:
        if self.min > self.max:
            raise ValueError("min is larger than max; expected min <= max")
        return self


class _PowerLaw(_Range):
    def _slope(self) -> float:
        return float(getattr(self, "alpha", 1.0))

    @property
    def mean(self) -> float:
        """Mean over the members."""
        span = float(np.log(self.max / self.min))
        above, below = (_integral(n - self._slope(), span) for n in (2.0, 1.0))
        return self.min * above / below if span > 0.0 else self.min

    def quantile(self, u: Array) -> Array:
        """Inverse of the cumulated power law."""
        power, span = 1.0 - self._slope(), float(np.log(self.max / self.min))
        if abs(power * span) < 1e-9:
            return self.min * np.exp(u * span)
        return self.min * np.exp(np.log1p(u * np.expm1(power * span)) / power)


def _integral(power: float, span: float) -> float:
    """int_0^span exp(power x) dx."""
    return span if abs(power * span) < 1e-9 else float(np.expm1(power * span)) / power


class _LogNormal(Model):
    median: float
    dex: float

    @property
    def mean(self) -> float:
        """Mean over the members."""
        return float(self.median * np.exp(0.5 * (self.dex * np.log(10.0)) ** 2))

    def quantile(self, u: Array) -> Array:
        """Inverse of the cumulated normal law of the logarithm."""
        return self.median * 10.0 ** (self.dex * ndtri(np.maximum(u, 1e-300)))


@register("lifetime", "fixed")
class FixedLifetime(_Fixed):
    """The same for all sources."""

    kind: Literal["fixed"] = "fixed"
    value: Quantity("time") = Field(gt=0, description="how long a source is on")  # type: ignore[valid-type]


@register("lifetime", "uniform")
class UniformLifetime(_Range):
    """Evenly between two values."""

    kind: Literal["uniform"] = "uniform"
    min: Quantity("time") = Field(gt=0, description="shortest")  # type: ignore[valid-type]
    max: Quantity("time") = Field(gt=0, description="longest")  # type: ignore[valid-type]

    @property
    def mean(self) -> float:
        """Mean over the members."""
        return 0.5 * (self.min + self.max)

    def quantile(self, u: Array) -> Array:
        """A straight line."""
        return self.min + u * (self.max - self.min)


@register("lifetime", "log-uniform")
class LogUniformLifetime(_PowerLaw):
    """Evenly in the logarithm between two values, dN/dT ~ 1/T."""

    kind: Literal["log-uniform"] = "log-uniform"
    min: Quantity("time") = Field(gt=0, description="shortest")  # type: ignore[valid-type]
    max: Quantity("time") = Field(gt=0, description="longest")  # type: ignore[valid-type]


@register("lifetime", "exponential")
class ExponentialLifetime(Model):
    """dN/dT ~ exp(-T / mean): a source ends at any time with the same probability."""

    kind: Literal["exponential"] = "exponential"
    mean: Quantity("time") = Field(gt=0, description="mean of the lifetimes")  # type: ignore[valid-type]

    def quantile(self, u: Array) -> Array:
        """-mean ln(1 - u)."""
        return -self.mean * np.log1p(-u)


@register("luminosity", "fixed")
class FixedLuminosity(_Fixed):
    """The same for all sources."""

    kind: Literal["fixed"] = "fixed"
    value: Quantity("power") = Field(gt=0, description="power of a source")  # type: ignore[valid-type]


@register("luminosity", "power-law")
class PowerLawLuminosity(_PowerLaw):
    """dN/dL ~ L^-alpha between two values; alpha = 1 is even in ln L."""

    kind: Literal["power-law"] = "power-law"
    min: Quantity("power") = Field(gt=0, description="least")  # type: ignore[valid-type]
    max: Quantity("power") = Field(gt=0, description="largest")  # type: ignore[valid-type]
    alpha: Number = Field(ge=-20, le=20, description="dN/dL ~ L^-alpha")


@register("luminosity", "log-normal")
class LogNormalLuminosity(_LogNormal):
    """Normal in log10 L."""

    kind: Literal["log-normal"] = "log-normal"
    median: Quantity("power") = Field(gt=0, description="half of the sources have less")  # type: ignore[valid-type]
    dex: Number = Field(ge=0, le=3, description="standard deviation of log10 L")


@register("released-energy", "fixed")
class FixedEnergy(_Fixed):
    """The same for all sources."""

    kind: Literal["fixed"] = "fixed"
    value: Quantity("energy") = Field(gt=0, description="energy of a source")  # type: ignore[valid-type]


@register("released-energy", "power-law")
class PowerLawEnergy(_PowerLaw):
    """dN/dE ~ E^-alpha between two values; alpha = 1 is even in ln E."""

    kind: Literal["power-law"] = "power-law"
    min: Quantity("energy") = Field(gt=0, description="least")  # type: ignore[valid-type]
    max: Quantity("energy") = Field(gt=0, description="largest")  # type: ignore[valid-type]
    alpha: Number = Field(ge=-20, le=20, description="dN/dE ~ E^-alpha")


@register("released-energy", "log-normal")
class LogNormalEnergy(_LogNormal):
    """Normal in log10 E."""

    kind: Literal["log-normal"] = "log-normal"
    median: Quantity("energy") = Field(gt=0, description="half of the sources have less")  # type: ignore[valid-type]
    dex: Number = Field(ge=0, le=3, description="standard deviation of log10 E")

"""Prior knowledge of a parameter, in its own unit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field
from scipy.special import ndtr, ndtri

from cyldiff.config.base import Model, Number
from cyldiff.registry import register

__all__ = ["Gaussian", "LogUniform", "Prior", "Uniform"]


class Prior(Model):
    """Base of the priors; their numbers are read by :meth:`in_units` once the dimension is known."""

    @property
    def constrains(self) -> bool:
        """Whether it is knowledge like a measurement, and not only a choice of the variable to be flat in."""
        return False

    def in_units(self, read: Callable[[Any], float]) -> Prior:
        """A copy with every quantity read by ``read(text) -> float``; ValueError with what is wrong."""
        return self

    def chi2(self, value: float) -> float:
        """Minus twice the logarithm of the density, up to a constant."""
        return 0.0

    def slope(self, value: float) -> float:
        """Derivative of :meth:`chi2`."""
        return 0.0

    def quantile(self, share: float, low: float, high: float) -> float:
        """Value below which a share of the prior lies, inside the bounds."""
        return low + share * (high - low)


@register("prior", "uniform")
class Uniform(Prior):
    """Flat between the bounds."""

    kind: Literal["uniform"] = "uniform"


@register("prior", "log-uniform")
class LogUniform(Prior):
    """Flat in the logarithm between the bounds, which must be positive.

    A choice of the variable for samplers; the best fit is that of the data, whatever the variable.
    """

    kind: Literal["log-uniform"] = "log-uniform"

    def chi2(self, value: float) -> float:
        """2 ln(value)."""
        return 2.0 * math.log(value) if value > 0.0 else math.inf

    def slope(self, value: float) -> float:
        """2 / value."""
        return 2.0 / value

    def quantile(self, share: float, low: float, high: float) -> float:
        """Geometric interpolation."""
        return low * (high / low) ** share


@register("prior", "gaussian")
class Gaussian(Prior):
    """Normal around a mean; cut at the bounds."""

    kind: Literal["gaussian"] = "gaussian"
    mean: Number | str = Field(description="with the unit of the parameter")
    sigma: Number | str = Field(description="standard deviation, with the unit of the parameter")

    @property
    def constrains(self) -> bool:
        """Yes."""
        return True

    def in_units(self, read: Callable[[Any], float]) -> Gaussian:
        """Mean and sigma in internal units."""
        mean, sigma = read(self.mean), read(self.sigma)
        if not sigma > 0.0:
            raise ValueError("sigma of the prior must be positive")
        return Gaussian(mean=mean, sigma=sigma)

    def chi2(self, value: float) -> float:
        """((value - mean) / sigma)^2."""
        return self.pull(value) ** 2

    def slope(self, value: float) -> float:
        """2 (value - mean) / sigma^2."""
        return 2.0 * self.pull(value) / float(self.sigma)

    def pull(self, value: float) -> float:
        """(value - mean) / sigma."""
        return (value - float(self.mean)) / float(self.sigma)

    def quantile(self, share: float, low: float, high: float) -> float:
        """Inverse of the cut normal distribution."""
        a, b = ndtr(self.pull(low)), ndtr(self.pull(high))
        value = float(self.mean) + float(self.sigma) * float(ndtri(a + share * (b - a)))
        return min(max(value, low), high)

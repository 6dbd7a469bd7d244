"""Fits of spectra that are sums of components: what predicts, what is compared, what data feel.

The likelihood, the minimum, the errors, the samplers and the files are those of every other fit
(:mod:`cyldiff.fit.likelihood`, :mod:`cyldiff.fit.tune`); a tuning file with a section ``[spectrum]`` gets
the model of this module in the place of the transport. Nothing is modulated: fit data from above about 50 GeV.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cyldiff.fit.components import SpectrumConfig, intensity_of
from cyldiff.fit.load import LoadedFit
from cyldiff.fit.parameters import Parameter, Values
from cyldiff.fit.terms import MeasuredTerm
from cyldiff.observables.abscissa import abscissa_named

__all__ = ["SpectraModel", "SpectraPrediction", "SpectraTerm"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SpectraPrediction:
    """Components at some values of the parameters.

    Attributes
    ----------
    config : with these values put in
    values : of all parameters by name, internal units
    """

    config: SpectrumConfig
    values: Mapping[str, float]


@dataclass
class SpectraModel:
    """Components as a function of the parameters of a fit; nothing is ever solved.

    Attributes
    ----------
    parameters, base : of the fit, and its components at the start
    solves : 0
    """

    parameters: tuple[Parameter, ...]
    base: SpectrumConfig
    solves: int = 0

    @classmethod
    def of(cls, fit: LoadedFit) -> SpectraModel:
        """The model of a tuning file with a section [spectrum]."""
        config = fit.run.config
        assert isinstance(config, SpectrumConfig)
        return cls(fit.parameters, config)

    def predict(self, values: Values) -> SpectraPrediction:
        """The components with these values put in."""
        changes: dict[str, dict[str, float]] = {}
        for parameter, value in zip(self.parameters, values, strict=True):
            for (_, component, key), number in parameter.put(value):
                changes.setdefault(component, {})[key] = number
        components = {
            name: one.model_copy(update=changes[name]) if name in changes else one
            for name, one in self.base.spectrum.items()
        }
        config = self.base.model_copy(update={"spectrum": components})
        named = {p.name: float(v) for p, v in zip(self.parameters, values, strict=True)}
        return SpectraPrediction(config, named)


class SpectraTerm(MeasuredTerm[SpectraPrediction]):
    """A measured spectrum, sum of spectra or ratio next to components."""

    def model(self, prediction: SpectraPrediction, x: Array) -> Array:
        """See :class:`MeasuredTerm`."""
        m = self.data.measurement
        axis = abscissa_named(m.abscissa)
        stretch = 1.0 + prediction.values.get(self.data.nuisance, 0.0)
        at = x / stretch  # measured energies are so many times the true ones
        above = intensity_of(prediction.config, m.numerator, axis, at)
        if not m.denominator:
            return above / stretch
        below = intensity_of(prediction.config, m.denominator, axis, at)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(below > 0.0, above / below, np.nan)

    def slope(self, prediction: SpectraPrediction) -> Array | None:
        """Not known; the model is so fast that differences do."""
        return None

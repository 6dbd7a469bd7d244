"""Chi-square of a model: the sum of its terms and of the priors, with its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import CyldiffError
from cyldiff.fit.components import LoadedSpectra
from cyldiff.fit.dipole_terms import DipoleTerm
from cyldiff.fit.gradient import NetworkGradient
from cyldiff.fit.joint import JointModel
from cyldiff.fit.load import LoadedFit
from cyldiff.fit.model import FitModel
from cyldiff.fit.parameters import Parameter, Values, starts_of
from cyldiff.fit.phenomenology import SpectraModel, SpectraTerm
from cyldiff.fit.point_sources import LoadedJoint
from cyldiff.fit.priors import Gaussian
from cyldiff.fit.terms import Fitted, SpectrumTerm, Term

__all__ = ["Likelihood", "Predicts"]

Array = NDArray[np.float64]

#: step of a fast parameter for its derivative, relative to itself or to a thousandth of its range
FAST_STEP = 1e-5


class Predicts(Protocol):
    """A model as a function of parameters; terms of its own read what it predicts."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What it depends on."""

    @property
    def solves(self) -> int:
        """Transport solves so far."""

    def predict(self, values: Values) -> Any:
        """What terms read; CyldiffError if the model has no solution there."""


class Likelihood:
    """Chi-square as a function of the parameters of a fit, in internal units; an :class:`Objective`.

    Parameters
    ----------
    model : predicts what the terms read
    terms : what they are compared with

    Attributes
    ----------
    calls : evaluations so far
    """

    def __init__(self, model: Predicts, terms: Sequence[Term[Any]]) -> None:
        self.model = model
        self.parameters: tuple[Parameter, ...] = model.parameters
        self.calls = 0
        self._terms = tuple(terms)
        self._covered: tuple[Term[Any], ...] | None = None
        self._network = NetworkGradient(model) if isinstance(model, FitModel) else None

    @classmethod
    def of(cls, fit: LoadedFit) -> Likelihood:
        """That of a tuning file."""
        if isinstance(fit.run, LoadedSpectra):
            return cls(SpectraModel.of(fit), [SpectraTerm(data) for data in fit.data])
        spectra = [SpectrumTerm(data) for data in fit.data]
        if isinstance(fit.run, LoadedJoint):
            return cls(JointModel.of(fit), [*spectra, *_dipole_terms(fit)])
        return cls(FitModel.of(fit), spectra)

    @property
    def terms(self) -> tuple[Term[Any], ...]:
        """The terms, with the points that the model reaches at its start."""
        if self._covered is None:
            start = self.model.predict(starts_of(self.parameters))
            self._covered = tuple(term.covered(start) for term in self._terms)
        return self._covered

    @property
    def n_points(self) -> int:
        """Data points that count."""
        return sum(term.n_points for term in self.terms)

    def __call__(self, values: Values) -> float:
        """Chi-square, priors included; infinite where the model does not reach the data.

        Raises
        ------
        CyldiffError
            if the model cannot be solved there.
        """
        self.calls += 1
        return self._data(self.model.predict(values)) + self.prior(values)

    def prior(self, values: Values) -> float:
        """What the priors add."""
        return float(sum(p.prior.chi2(float(v)) for p, v in zip(self.parameters, values, strict=True)))

    def residuals(self, values: Values) -> Array:
        """Numbers whose squares add up to chi-square, but for priors that are not gaussian."""
        prediction = self.model.predict(values)
        pulls = [
            p.prior.pull(float(v))
            for p, v in zip(self.parameters, values, strict=True)
            if isinstance(p.prior, Gaussian)
        ]
        return np.concatenate([*(term.residuals(prediction) for term in self.terms), pulls])

    def compare(self, values: Values) -> list[Fitted]:
        """Every term next to the model."""
        prediction = self.model.predict(values)
        return [term.compare(prediction) for term in self.terms]

    @property
    def no_gradient(self) -> str:
        """Why there is no gradient; empty if there is one."""
        if self._network:
            return self._network.refused
        joint = isinstance(self.model, JointModel)
        return "point sources have no adjoint" if joint else "the model has no transport"

    def gradient(self, values: Values) -> Array:
        """Derivatives of chi-square for all parameters, shape (n,): one solve of the network backwards.

        Raises
        ------
        CyldiffError
            if there is no gradient, or the model cannot be solved there.
        """
        if self._network is None or self.no_gradient:
            raise CyldiffError(f"no gradient: {self.no_gradient}")
        values = np.asarray(values, dtype=float)
        prediction = self.model.predict(values)
        to_flux = np.zeros_like(prediction.flux)
        for term in self.terms:
            slope = term.slope(prediction)
            if slope is None:
                raise CyldiffError(f"no gradient: that of {term.name} is not known")
            to_flux += slope
        result = self._network(values, to_flux)
        for i, p in enumerate(self.parameters):
            result[i] += p.prior.slope(float(values[i])) + (self._fast_slope(values, i) if p.fast else 0.0)
        return result

    def _fast_slope(self, values: Array, i: int) -> float:
        """Nothing is solved: plain differences."""
        p = self.parameters[i]
        step = FAST_STEP * max(abs(values[i]), 1e-3 * (p.high - p.low))
        ends = []
        for value in (max(values[i] - step, p.low), min(values[i] + step, p.high)):
            moved = values.copy()
            moved[i] = value
            ends.append((value, self._data(self.model.predict(moved))))
        return (ends[1][1] - ends[0][1]) / (ends[1][0] - ends[0][0])

    def _data(self, prediction: Any) -> float:
        residuals = [term.residuals(prediction) for term in self.terms]
        return float(sum(r @ r for r in residuals))


def _dipole_terms(fit: LoadedFit) -> list[DipoleTerm]:
    """Amplitudes and phases, a term each."""
    return [
        DipoleTerm(d.measurement, what, d.low, d.high, whole=not d.choice.projected)
        for d in fit.dipoles
        for what in d.choice.what
    ]

"""What chi-square is added up from: a data set with its errors, next to what the model says.

    chi2 = sum over terms |residuals|^2  +  sum over parameters  prior(value)

For spectra and ratios the residuals are L^-1 (data - model) with C = L L^T and

    C_ij = stat_i^2 delta_ij + syst_i syst_j exp(-|lg x_i - lg x_j| / l) + (e m_i)^2 delta_ij + s^2 m_i m_j ,

l the correlation length of the systematic errors, e the relative error of the model m, s that of the
normalisation. The last term is a normalisation nuisance with its best value put in: for a linear nuisance,
profiling and adding to C are the same. Errors that differ up and down count on the side that faces the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from cyldiff.fit.load import DataSet
from cyldiff.fit.model import Prediction
from cyldiff.fit.rows import Rows
from cyldiff.observables.abscissa import Abscissa, Nuclide, abscissa_named
from cyldiff.observables.interpolation import LogLogCurve
from cyldiff.observables.modulation import force_field
from cyldiff.observables.spectra import standard_name
from cyldiff.particles.species import Species

__all__ = ["Fitted", "MeasuredTerm", "SpectrumTerm", "Term"]

Array = NDArray[np.float64]
#: what a model predicts, whatever kind of model it is
Predicted = TypeVar("Predicted")
Read = TypeVar("Read", contravariant=True)


class Term(Protocol[Read]):
    """A part of chi-square that reads what the model predicts."""

    @property
    def name(self) -> str:
        """Of the data."""

    @property
    def n_points(self) -> int:
        """Numbers that count as data points."""

    def covered(self, start: Read) -> Term[Read]:
        """The term with the points that the model reaches at its start; these stay, whatever varies."""

    def residuals(self, prediction: Read) -> Array:
        """Independent deviations in units of their errors; infinite where the model has no value."""

    def slope(self, prediction: Read) -> Array | None:
        """Derivative of chi-square for the intensities at the Sun, shape (n_s, n_T); None if not known."""

    def compare(self, prediction: Read) -> Fitted:
        """The data next to the model, for tables and figures."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Data next to the model.

    Attributes
    ----------
    name, unit : of the data and of x
    use : which rows of the measurement count, shape (number of rows,)
    left_out : rows inside the asked range that the grid does not reach
    x, y, model, sigma : shape (n,); sigma is the total error of single points on the side of the model
    chi2 : with correlations
    """

    name: str
    unit: str
    use: NDArray[np.bool_]
    left_out: int
    x: Array
    y: Array
    model: Array
    sigma: Array
    chi2: float

    @property
    def pull(self) -> Array:
        """(data - model) / sigma."""
        return (self.y - self.model) / self.sigma


@dataclass(frozen=True)
class MeasuredTerm(Rows, Generic[Predicted]):
    """A measured spectrum or ratio with its errors; what the model says there is left to subclasses.

    Attributes
    ----------
    data : DataSet
    use : rows that count; None before :meth:`covered`
    """

    data: DataSet
    use: NDArray[np.bool_] | None = None

    @property
    def name(self) -> str:
        """Of the measurement."""
        return self.data.measurement.name

    @cached_property
    def _asked(self) -> NDArray[np.bool_]:
        m = self.data.measurement
        return (m.x >= self.data.low) & (m.x <= self.data.high) & ~m.upper_limit

    def covered(self, start: Predicted) -> Self:
        """See :class:`Term`."""
        return replace(self, use=self._asked & np.isfinite(self.model(start, self.data.measurement.x)))

    def model(self, prediction: Predicted, x: Array) -> Array:
        """Model at any abscissae, in the unit of the measurement; NaN where it does not reach."""
        raise NotImplementedError

    def residuals(self, prediction: Predicted) -> Array:
        """See :class:`Term`."""
        model = self.model(prediction, self.data.measurement.x[self._use])
        if not np.all(np.isfinite(model)):
            return np.full(len(model), np.inf)
        choice = self.data.choice
        if choice.correlation_length is None and choice.normalisation_error == 0.0:
            return (self._y - model) / np.sqrt(self._own_variance(model) + self._syst(model) ** 2)
        lower = np.linalg.cholesky(self.covariance(model))
        return np.asarray(solve_triangular(lower, self._y - model, lower=True))

    def compare(self, prediction: Predicted) -> Fitted:
        """See :class:`Term`."""
        m, residuals = self.data.measurement, self.residuals(prediction)
        model = self.model(prediction, m.x[self._use])
        return Fitted(
            name=m.name,
            unit=m.x_unit,
            use=self._use,
            left_out=int((self._asked & ~self._use).sum()),
            x=m.x[self._use],
            y=self._y,
            model=model,
            sigma=np.sqrt(self._own_variance(model) + self._syst(model) ** 2),
            chi2=float(residuals @ residuals),
        )

    @property
    def _y(self) -> Array:
        return self.data.measurement.y[self._use]

    def _facing(self, minus: Array, plus: Array, model: Array) -> Array:
        """Errors on the side of the model."""
        return np.where(model >= self._y, plus[self._use], minus[self._use])

    def _syst(self, model: Array) -> Array:
        m = self.data.measurement
        return self._facing(m.syst_minus, m.syst_plus, model)

    def _own_variance(self, model: Array) -> Array:
        """Of what is independent from point to point whatever the correlation length."""
        m = self.data.measurement
        stat = self._facing(m.stat_minus, m.stat_plus, model)
        return stat**2 + (self.data.choice.model_error * model) ** 2

    def covariance(self, model: Array) -> Array:
        """Of the errors on the side of a model, shape (n, n)."""
        choice, syst = self.data.choice, self._syst(model)
        common = choice.normalisation_error * model
        covariance = np.diag(self._own_variance(model)) + np.outer(common, common)
        return covariance + np.outer(syst, syst) * self._correlation

    @cached_property
    def _correlation(self) -> Array:
        """Of the systematic errors, shape (n, n)."""
        length, log_x = self.data.choice.correlation_length, np.log10(self.data.measurement.x[self._use])
        if length is None:
            return np.eye(len(log_x))
        return np.exp(-np.abs(np.subtract.outer(log_x, log_x)) / length)

    def _to_model(self, model: Array) -> Array:
        """dchi2/d(model); errors that scale with the model included."""
        choice = self.data.choice
        u = np.linalg.solve(self.covariance(model), self._y - model)
        slope = -2.0 * u - 2.0 * choice.model_error**2 * model * u**2
        return np.asarray(slope - 2.0 * choice.normalisation_error**2 * u * float(u @ model))


@dataclass(frozen=True)
class SpectrumTerm(MeasuredTerm[Prediction]):
    """A measured spectrum or ratio next to spectra on a grid, modulated."""

    def model(self, prediction: Prediction, x: Array) -> Array:
        """See :class:`MeasuredTerm`."""
        return _Reading.of(self, prediction, x).value

    def slope(self, prediction: Prediction) -> Array:
        """See :class:`Term`."""
        reading = _Reading.of(self, prediction, self.data.measurement.x[self._use])
        return reading.slope(self._to_model(reading.value), prediction.flux.shape)


@dataclass(frozen=True)
class _Reading:
    """How a measurement reads the spectra: sums of modulated nuclides, and their quotient.

    Attributes
    ----------
    above, below : nuclides of numerator and denominator (none for a spectrum)
    stretch : what a wrong energy scale does to an intensity
    """

    above: list[_Nuclide]
    below: list[_Nuclide]
    stretch: float

    @classmethod
    def of(cls, term: SpectrumTerm, prediction: Prediction, x: Array) -> _Reading:
        m = term.data.measurement
        axis = abscissa_named(m.abscissa)
        shift = prediction.values.get(term.data.nuisance, 0.0)
        modulation = prediction.config.physics.modulation
        potential = 0.0 if m.interstellar else modulation.potential_for(m.experiment)
        at = x / (1.0 + shift)  # measured energies are 1 + shift times the true ones
        above, below = (
            [_Nuclide.of(prediction, i, axis, at, potential) for i in _members(prediction.species, names)]
            for names in (m.numerator, m.denominator)
        )
        return cls(above, below, 1.0 if m.denominator else 1.0 / (1.0 + shift))

    @property
    def value(self) -> Array:
        """Model at the abscissae."""
        total = np.sum([n.intensity for n in self.above], axis=0) * self.stretch
        if not self.below:
            return np.asarray(total)
        under = np.sum([n.intensity for n in self.below], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(under > 0.0, total / under, np.nan)

    def slope(self, to_model: Array, shape: tuple[int, ...]) -> Array:
        """From dchi2/d(model) to dchi2/d(intensity on the grid)."""
        result = np.zeros(shape)
        value = self.value
        under = np.sum([n.intensity for n in self.below], axis=0) if self.below else np.ones_like(value)
        for nuclide in self.above:
            result[nuclide.place] += (to_model * self.stretch / under) @ nuclide.derivative
        for nuclide in self.below:
            result[nuclide.place] -= (to_model * value / under) @ nuclide.derivative
        return result


@dataclass(frozen=True)
class _Nuclide:
    """One nuclide as a measurement reads it: ``factor * curve(energy)``.

    Attributes
    ----------
    place : of the nuclide in the prediction
    curve : its interstellar spectrum
    energy : outside the heliosphere, per nucleon [GeV/n], shape (n,)
    factor : of the force field and of the change of abscissa; NaN outside the grid
    """

    place: int
    curve: LogLogCurve
    energy: Array
    factor: Array

    @classmethod
    def of(cls, prediction: Prediction, place: int, axis: Abscissa, x: Array, potential: float) -> _Nuclide:
        species, grid = prediction.species[place], prediction.kinetic_energy
        nuclide = Nuclide(species.Z, species.A, species.mass_per_nucleon)
        energy = axis.kinetic_energy(x, nuclide)
        # the force field multiplies whatever the spectrum is: that of a flat one is the factor
        factor = force_field(
            grid,
            np.ones_like(grid),
            charge=species.Z,
            mass_number=species.A,
            mass_per_nucleon=species.mass_per_nucleon,
            potential=potential,
            at=energy,
        )
        inside = np.isfinite(factor)
        factor[inside] *= axis.jacobian(energy[inside], nuclide)
        outside = energy + abs(species.Z) / nuclide.nucleons * potential
        return cls(place, LogLogCurve(grid, prediction.flux[place]), outside, factor)

    @cached_property
    def intensity(self) -> Array:
        """Modulated, per unit of the abscissa; NaN outside the grid."""
        return self.factor * self.curve.continued(self.energy)

    @cached_property
    def derivative(self) -> Array:
        """Of the intensity for the interstellar one on the grid, shape (n, n_T)."""
        return self.factor[:, None] * self.curve.derivative(self.energy)


def _members(species: Sequence[Species], names: Sequence[str]) -> list[int]:
    """Places of the nuclides that names of nuclides or elements stand for, each once."""
    wanted = {standard_name(name) for name in names}
    return [i for i, s in enumerate(species) if s.name in wanted or s.element in wanted]

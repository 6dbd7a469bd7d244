"""Chi-square of a model against data sets with statistical, systematic and common errors.

    chi2 = sum over data sets  r^T C^-1 r  +  sum over parameters  prior(value)

with r = data - model and C_ij = stat_i^2 delta_ij + syst_i syst_j exp(-|lg x_i - lg x_j| / l)
+ (model error)_i^2 delta_ij + s^2 m_i m_j. Errors that differ up and down count on the side that faces the
model (physics of AMS-02: none do). The last term is a normalisation nuisance of relative width s with the best
value put in: for a linear nuisance, profiling and adding to C are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.data.comparison import predict
from cyldiff.fit.config import DataSet, LoadedFit, Parameter
from cyldiff.fit.model import FitModel, Values

__all__ = ["Fitted", "Likelihood"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A data set next to the model.

    Attributes
    ----------
    data : DataSet
    use : which rows of the measurement count
    x, y, model, sigma : shape (n,); sigma is the total error of single points on the side of the model
    covariance : shape (n, n)
    chi2 : of the set, correlations included
    """

    data: DataSet
    use: NDArray[np.bool_]
    x: Array
    y: Array
    model: Array
    sigma: Array
    covariance: Array
    chi2: float

    @property
    def pull(self) -> Array:
        """(data - model) / sigma."""
        return (self.y - self.model) / self.sigma


class Likelihood:
    """Chi-square as a function of the parameters of a fit, in internal units.

    Attributes
    ----------
    calls : evaluations so far
    """

    def __init__(self, fit: LoadedFit) -> None:
        self.fit = fit
        self.model = FitModel(fit)
        self.parameters: tuple[Parameter, ...] = fit.parameters
        self.calls = 0
        #: rows inside the range; those that the grid does not reach are dropped at the start and stay dropped
        self._use: list[NDArray[np.bool_]] | None = None

    def __call__(self, values: Values) -> float:
        """Chi-square, priors included."""
        self.calls += 1
        return self.chi2_of(self.model.spectra(values), values)

    def chi2_of(self, spectra: xr.Dataset, values: Values) -> float:
        """Chi-square of given spectra at the Sun, priors included."""
        return sum(f.chi2 for f in self.compare(spectra, values)) + self.prior(values)

    def prior(self, values: Values) -> float:
        """What the priors add."""
        return float(sum(p.prior.chi2(float(v)) for p, v in zip(self.parameters, values, strict=True)))

    @property
    def n_points(self) -> int:
        """Data points that count."""
        return sum(int(use.sum()) for use in self._rows(None))

    def compare(self, spectra: xr.Dataset, values: Values) -> list[Fitted]:
        """Every data set next to the model."""
        modulation = self.model.config(values).physics.modulation
        found = []
        for data, use in zip(self.fit.data, self._rows(spectra), strict=True):
            m = data.measurement
            shift = self.energy_shift(m.name, values)
            model = _predicted(spectra, data, modulation.potential_for(m.experiment), shift)
            found.append(_fitted(data, use, model))
        return found

    def _rows(self, spectra: xr.Dataset | None) -> list[NDArray[np.bool_]]:
        if self._use is None:
            spectra = self.model.spectra([p.start for p in self.parameters]) if spectra is None else spectra
            start = [p.start for p in self.parameters]
            modulation = self.model.config(start).physics.modulation
            rows = []
            for data in self.fit.data:
                m = data.measurement
                model = predict(spectra, m, potential=modulation.potential_for(m.experiment))
                inside = (m.x >= data.low) & (m.x <= data.high)
                rows.append(inside & ~m.upper_limit & np.isfinite(model))
            self._use = rows
        return self._use

    def energy_shift(self, name: str, values: Values) -> float:
        """Relative error of the energy scale of a data set."""
        wanted = ("data", name, "energy_scale")
        for p, v in zip(self.parameters, values, strict=True):
            if wanted in p.paths:
                return float(v)
        return 0.0


def _predicted(spectra: xr.Dataset, data: DataSet, potential: float, shift: float) -> Array:
    """Model at the abscissae; measured energies are 1 + shift times the true ones."""
    m = data.measurement
    if shift == 0.0:
        return predict(spectra, m, potential=potential)
    model = predict(spectra, replace(m, x=m.x / (1.0 + shift)), potential=potential)
    return model if m.denominator else model / (1.0 + shift)


def _fitted(data: DataSet, use: NDArray[np.bool_], model: Array) -> Fitted:
    m, choice = data.measurement, data.choice
    x, y, model = m.x[use], m.y[use], model[use]
    above = model >= y
    stat = np.where(above, m.stat_plus[use], m.stat_minus[use])
    syst = np.where(above, m.syst_plus[use], m.syst_minus[use])
    own = choice.model_error * model
    sigma = np.sqrt(stat**2 + syst**2 + own**2)
    covariance = np.diag(stat**2 + own**2)
    if choice.correlation_length is None:
        covariance += np.diag(syst**2)
    else:
        distance = np.abs(np.subtract.outer(np.log10(x), np.log10(x)))
        covariance += np.outer(syst, syst) * np.exp(-distance / choice.correlation_length)
    common = choice.normalisation_error * model
    covariance += np.outer(common, common)
    residual = y - model
    # a model that does not reach the data is as bad as can be
    chi2 = float(residual @ np.linalg.solve(covariance, residual)) if np.all(np.isfinite(model)) else 1e300
    return Fitted(data, use, x, y, model, sigma, covariance, chi2)

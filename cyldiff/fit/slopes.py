"""Derivative of chi-square for the spectra at the Sun, in closed form.

A datum reads a spectrum through a cubic spline of ln J over ln T (:class:`LogLogCurve`) at one shifted energy, so
that d ln J(T') / d ln J_k is the cardinal spline of knot k at T'; what modulation and change of abscissa multiply
with does not depend on J.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from cyldiff.errors import CyldiffError
from cyldiff.fit.likelihood import Fitted, Likelihood
from cyldiff.fit.model import Response, Values, dataset_of
from cyldiff.observables.abscissa import Nuclide, abscissa_named
from cyldiff.observables.spectra import intensity, members

__all__ = ["slopes"]

Array = NDArray[np.float64]


def slopes(likelihood: Likelihood, response: Response, flux: Array, values: Values) -> Array:
    """dchi2/dF of the interstellar intensities F, without the priors, shape (n_species, n_T)."""
    spectra = dataset_of(response, flux)
    names = [s.name for s in response.species]
    modulation = likelihood.model.config(values).physics.modulation
    log_t = np.log(response.kinetic_energy)
    cardinal = CubicSpline(log_t, np.eye(len(log_t)))
    result = np.zeros_like(flux)
    for fitted in likelihood.compare(spectra, values):
        m = fitted.data.measurement
        shift = likelihood.energy_shift(m.name, values)
        x = fitted.x / (1.0 + shift)
        potential = 0.0 if m.interstellar else modulation.potential_for(m.experiment)
        to_model = _to_model(fitted)
        parts = [(m.numerator, _each(spectra, m.numerator, m.abscissa, x, potential))]
        if m.denominator:
            parts.append((m.denominator, _each(spectra, m.denominator, m.abscissa, x, potential)))
        sums = [np.sum(list(found.values()), axis=0) for _, found in parts]
        for number, (_, found) in enumerate(parts):
            # of A / B: dA / B and - A dB / B^2; of a spectrum: the model itself
            lever = to_model / sums[0] * fitted.model if number == 0 else -to_model / sums[1] * fitted.model
            for name, one in found.items():
                s = names.index(name)
                if np.any(flux[s] <= 0.0):
                    raise CyldiffError(
                        f"the gradient needs a positive spectrum of {name}; set fit.gradient = false"
                    )
                where = _energies(response, s, m.abscissa, x, potential)
                result[s] += (lever * one) @ cardinal(np.log(where)) / flux[s]
    return result


def _each(
    spectra: object, what: Sequence[str], abscissa: str, x: Array, potential: float
) -> dict[str, Array]:
    axis = abscissa_named(abscissa)
    return {
        name: intensity(spectra, name, axis, x=x, potential=potential)  # type: ignore[arg-type]
        for name in members(spectra, what)  # type: ignore[arg-type]
    }


def _energies(response: Response, s: int, abscissa: str, x: Array, potential: float) -> Array:
    """Interstellar kinetic energy per nucleon that a datum reads, within the grid."""
    species = response.species[s]
    nuclide = Nuclide(species.Z, species.A, species.mass_per_nucleon)
    t = abscissa_named(abscissa).kinetic_energy(x, nuclide) + species.Z / species.A * potential
    return np.clip(t, response.kinetic_energy[0], response.kinetic_energy[-1])


def _to_model(fitted: Fitted) -> Array:
    """dchi2/d(model) of the points of a set; errors that scale with the model included."""
    residual, choice = fitted.y - fitted.model, fitted.data.choice
    own = choice.model_error**2
    u = np.linalg.solve(fitted.covariance, residual)
    slope = -2.0 * u - 2.0 * own * fitted.model * u**2
    return np.asarray(slope - 2.0 * choice.normalisation_error**2 * u * float(u @ fitted.model))

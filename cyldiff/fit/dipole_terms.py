"""Measured dipoles as terms of chi-square: amplitudes, and phases that go round the circle.

A phase with error s that is off by d has the wrapped normal density (Mardia & Jupp 2000, Directional Statistics,
section 3.5.7)

    f(d) = sum over k  exp[-(d + 360 k)^2 / (2 s^2)] ,        chi2 = -2 ln [ f(d) / f(0) ] .

It is (d / s)^2 for a small error, has no jump at the opposite direction, and for a large error says that any
direction is as good as another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from cyldiff.data.dipoles import DipoleMeasurement
from cyldiff.fit.rows import Rows
from cyldiff.fit.terms import Fitted

__all__ = ["DipoleTerm", "HasDipole", "wrapped_difference", "wrapped_residual"]

Array = NDArray[np.float64]

#: turns of the circle that count; more add nothing for errors up to the largest
TURNS = np.arange(-8, 9)
#: an error beyond this is no information: the wrapped density is flat to 1e-8 [deg]
LARGEST = 360.0


class HasDipole(Protocol):
    """A prediction that knows the dipole at the Sun."""

    def dipole(self, energies: Array) -> tuple[Array, Array]:
        """Amplitude and phase [deg] at total energies per particle [GeV]; NaN where there is none."""

    def whole_dipole(self, energies: Array) -> tuple[Array, Array]:
        """As :meth:`dipole` with the length of the whole vector as amplitude."""


def wrapped_difference(phase: Array, other: Array) -> Array:
    """The shorter way from `other` to `phase`, in [-180, 180) [deg]."""
    return np.asarray((np.asarray(phase) - np.asarray(other) + 180.0) % 360.0 - 180.0)


def wrapped_residual(difference: Array, sigma: Array) -> Array:
    """Root of chi-square of a wrapped normal error, with the sign of the difference.

    Parameters
    ----------
    difference : in [-180, 180) [deg]
    sigma : standard deviation before wrapping, positive [deg]
    """
    sigma = np.minimum(np.asarray(sigma, dtype=float), LARGEST)[..., None]
    d = np.asarray(difference, dtype=float)

    def log_density(angle: Array) -> Array:
        return np.asarray(logsumexp(-0.5 * ((angle[..., None] + 360.0 * TURNS) / sigma) ** 2, axis=-1))

    chi2 = -2.0 * (log_density(d) - log_density(np.zeros_like(d)))
    return np.asarray(np.sign(d) * np.sqrt(np.maximum(chi2, 0.0)))


@dataclass(frozen=True)
class DipoleTerm(Rows):
    """Amplitudes or phases of one experiment, independent from point to point.

    Attributes
    ----------
    data : DipoleMeasurement
    what : "amplitude" or "phase"
    low, high : range of the energy used, ends included [GeV]
    use : rows that count; None before :meth:`covered`
    whole : compare amplitudes with the length of the whole dipole, not of its part in the equatorial plane
    """

    data: DipoleMeasurement
    what: Literal["amplitude", "phase"]
    low: float = 0.0
    high: float = float("inf")
    use: NDArray[np.bool_] | None = None
    whole: bool = False

    @property
    def name(self) -> str:
        """Of the data and of what is read of them."""
        return f"{self.data.name}:{self.what}"

    @property
    def _asked(self) -> NDArray[np.bool_]:
        """Rows in the range that give a value and its errors."""
        minus, plus = self._errors
        inside = (self.data.energy >= self.low) & (self.data.energy <= self.high)
        return inside & np.isfinite(self._measured) & (minus > 0.0) & (plus > 0.0)

    @property
    def _measured(self) -> Array:
        return self.data.phase if self.what == "phase" else self.data.amplitude

    @property
    def _errors(self) -> tuple[Array, Array]:
        if self.what == "phase":
            return self.data.phase_minus, self.data.phase_plus
        # a systematic error that is not given is none
        stat, syst = (
            [np.nan_to_num(e) for e in pair]
            for pair in (
                (self.data.stat_minus, self.data.stat_plus),
                (self.data.syst_minus, self.data.syst_plus),
            )
        )
        return np.hypot(stat[0], syst[0]), np.hypot(stat[1], syst[1])

    def covered(self, start: HasDipole) -> DipoleTerm:
        """See :class:`cyldiff.fit.terms.Term`."""
        return replace(self, use=self._asked & np.isfinite(self._model(start)))

    def _model(self, prediction: HasDipole) -> Array:
        """At all rows of the data, NaN where they are not asked for."""
        result = np.full(len(self.data), np.nan)
        asked = self._asked if self.use is None else self.use
        if asked.any():
            read = prediction.whole_dipole if self.whole else prediction.dipole
            result[asked] = read(self.data.energy[asked])[self.what == "phase"]
        return result

    def residuals(self, prediction: HasDipole) -> Array:
        """See :class:`cyldiff.fit.terms.Term`; the error on the side of the model."""
        use, model = self._use, self._model(prediction)
        if not np.all(np.isfinite(model[use])):
            return np.full(self.n_points, np.inf)
        difference, sigma = self._difference(model)
        return wrapped_residual(difference, sigma) if self.what == "phase" else difference / sigma

    def _difference(self, model: Array) -> tuple[Array, Array]:
        """Data minus model, and the error that faces the model, of the rows that count."""
        use = self._use
        if self.what == "phase":
            difference = wrapped_difference(self._measured[use], model[use])
        else:
            difference = self._measured[use] - model[use]
        minus, plus = self._errors
        return difference, np.where(difference <= 0.0, plus[use], minus[use])

    def slope(self, prediction: HasDipole) -> None:
        """Not known: a dipole follows from gradients, not from the spectra at the Sun alone."""
        return

    def compare(self, prediction: HasDipole) -> Fitted:
        """See :class:`cyldiff.fit.terms.Term`; phases of the model are written next to those measured."""
        use, residuals, model = self._use, self.residuals(prediction), self._model(prediction)
        difference, sigma = self._difference(model)
        return Fitted(
            name=self.name,
            unit="GeV",
            use=use,
            left_out=int((self._asked & ~use).sum()),
            x=self.data.energy[use],
            y=self._measured[use],
            model=self._measured[use] - difference,
            sigma=sigma,
            chi2=float(residuals @ residuals),
        )

"""Measured protons that the paper shows: DAMPE and CREAM below the knee, LHAASO and IceTop around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cyldiff.data.measurements import Measurement, load

__all__ = ["HADRONIC", "SHOWN", "Points", "lhaaso", "points"]

Array = NDArray[np.float64]

#: hadronic interaction models of LHAASO; the paper does not say which of them it shows
HADRONIC = ("epos-lhc", "qgsjet-ii-04", "sibyll-23d")
#: other experiments of Fig. 2 (CREAM: the flight on the space station)
SHOWN = ("dampe-h-kinetic-energy", "iss-cream-h-kinetic-energy", "icetop-h-total-energy")


@dataclass(frozen=True, slots=True)
class Points:
    """Measured intensities, kinetic energy and total energy taken as the same (0.1 % at 1 TeV).

    Attributes
    ----------
    energy : shape (n,) [GeV]
    flux, sigma : shape (n,) [m^-2 s^-1 sr^-1 GeV^-1]       sigma: the mean of both sides, all errors
    """

    energy: Array
    flux: Array
    sigma: Array

    def between(self, low: float, high: float) -> Points:
        """Those from `low` to `high` [GeV]."""
        kept = (self.energy >= low) & (self.energy <= high)
        return Points(self.energy[kept], self.flux[kept], self.sigma[kept])


def lhaaso() -> tuple[Measurement, ...]:
    """The protons of LHAASO under its three hadronic interaction models."""
    return tuple(load(f"lhaaso-{name}-h-total-energy") for name in HADRONIC)


def points(*, low: float, high: float) -> Points:
    """All points between two energies [GeV].

    Of LHAASO the mean of the three models, with half of their range as one more error.
    """
    parts = []
    for name in SHOWN:
        one = load(name)
        kept = ~one.upper_limit
        sigma = 0.5 * (one.sigma_minus + one.sigma_plus)
        parts.append(Points(one.x[kept], one.y[kept], sigma[kept]))
    three = lhaaso()
    flux = np.stack([one.y for one in three])
    own = np.mean([0.5 * (one.sigma_minus + one.sigma_plus) for one in three], axis=0)
    parts.append(Points(three[0].x, flux.mean(axis=0), np.hypot(own, 0.5 * np.ptp(flux, axis=0))))
    every = Points(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("energy", "flux", "sigma")))
    return every.between(low, high)

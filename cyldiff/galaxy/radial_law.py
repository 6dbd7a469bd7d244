"""The radial law of Yue et al. 2025, Eq. 7, fitted to surface densities: a power of the radius with an offset.

    rho(R) = A [(R + R1) / (R_sun + R1)]^a

With a large offset it is an exponential of the scale (R_sun + R1) / |a|. Lengths in kpc, densities in kpc^-2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit

from cyldiff.errors import DataError

__all__ = ["RadialFit", "fit_radial_law", "radial_law"]

Array = NDArray[np.float64]

#: offset, in units of R_sun, beyond which the law cannot be told from an exponential
FAR = 100.0
#: smallest offset [kpc]: keeps R + R1 positive at the centre
NEAR = 1e-3


@dataclass(frozen=True, slots=True)
class RadialFit:
    """rho(R) = A [(R + R1) / (R_sun + R1)]^a, Eq. 7.

    Attributes
    ----------
    A : density at the Sun [kpc^-2]
    a : power
    R1 : offset [kpc]
    covariance : shape (3, 3), of (A, a, R1)
    chi2 : sum of squared residuals, over the squared errors if the fit was weighted
    points : number of circles in the fit
    observer_radius : R_sun [kpc]
    """

    A: float
    a: float
    R1: float
    covariance: Array
    chi2: float
    points: int
    observer_radius: float

    @property
    def errors(self) -> Array:
        """Standard errors of (A, a, R1)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def exponential(self) -> bool:
        """Whether the law is an exponential within the data: an offset far beyond them, without a limit."""
        return FAR * self.observer_radius < self.R1

    @property
    def scale_length(self) -> float:
        """-rho / (d rho / dR) at the Sun, (R_sun + R1) / |a| for a falling law [kpc]."""
        return -(self.observer_radius + self.R1) / self.a

    def __call__(self, R: ArrayLike) -> Array:
        """Density at R [kpc^-2]."""
        return radial_law(R, A=self.A, a=self.a, R1=self.R1, observer_radius=self.observer_radius)


def radial_law(R: ArrayLike, *, A: float, a: float, R1: float, observer_radius: float) -> Array:
    """A [(R + R1) / (R_sun + R1)]^a [kpc^-2], Eq. 7."""
    return A * ((np.asarray(R, dtype=float) + R1) / (observer_radius + R1)) ** a


def fit_radial_law(
    R: ArrayLike, density: ArrayLike, error: ArrayLike | None = None, *, observer_radius: float
) -> RadialFit:
    """Fit Eq. 7 to densities [kpc^-2] at R [kpc]; without `error` all points weigh the same.

    The errors of an unweighted fit come from its residuals, those of a weighted one from `error`. a and R1 are
    strongly correlated; where the data prefer an exponential both run away (:attr:`RadialFit.exponential`).

    Raises
    ------
    DataError
        if fewer than four circles have objects, or the fit finds no minimum.
    """
    R, density = np.asarray(R, dtype=float), np.asarray(density, dtype=float)
    sigma = None if error is None else np.asarray(error, dtype=float)
    use = np.isfinite(density) if sigma is None else np.isfinite(density) & (sigma > 0.0)
    if np.count_nonzero(use) < 4:
        raise DataError(f"{np.count_nonzero(use)} circles with objects; a law of three parameters needs four")

    def law(R: Array, A: float, a: float, R1: float) -> Array:
        return radial_law(R, A=A, a=a, R1=R1, observer_radius=observer_radius)

    options: Any = {} if sigma is None else {"sigma": sigma[use], "absolute_sigma": True}
    start = (float(np.interp(observer_radius, R[use], density[use])), -5.0, observer_radius)
    try:
        best, covariance = curve_fit(
            law,
            R[use],
            density[use],
            p0=start,
            bounds=([0.0, -np.inf, NEAR], np.inf),
            max_nfev=20000,
            xtol=1e-12,
            ftol=1e-12,
            **options,
        )
    except RuntimeError as failure:
        raise DataError(f"the radial law finds no minimum ({failure})") from None
    residual = density[use] - law(R[use], *best)
    chi2 = float(np.sum((residual / (1.0 if sigma is None else sigma[use])) ** 2))
    A, a, R1 = map(float, best)
    return RadialFit(A, a, R1, covariance, chi2, int(np.count_nonzero(use)), observer_radius)

"""The scan in efficiency, index of the microquasars and cut-off of the remnants, against the protons at Earth.

    J(E) = A (E / 10 TeV)^-g exp(-E / E_c) + (eta / 0.1) R_s(E) M(E)

M is the median of the histories for eta = 0.1 and index 2. Nothing is lost on the way, so another index s changes
every history by the same factor, that of Eq. 1 with the power kept between E_0 and E_max:

    R_s = E^(2-s) ln(E_max / E_0) / I_s ,   I_s = int E^(1-s) dE = (E_max^(2-s) - E_0^(2-s)) / (2 - s)

A and g of the remnants, which the paper does not print, are fitted for each set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.papers.kaci_2025.measured import Points

__all__ = [
    "CUTOFFS",
    "EFFICIENCIES",
    "FITTED",
    "INDICES",
    "PIVOT",
    "RANGE",
    "Fit",
    "Scan",
    "fit_remnants",
    "index_factor",
    "scan_protons",
]

Array = NDArray[np.float64]

#: Eq. 1 [GeV]
E0, EMAX = 1.0, 1.0e7
#: energy at which the remnants are normalised [GeV]
PIVOT = 1.0e4
#: data of the scan [GeV]: above 10 PeV the paper's microquasars are cut off and other sources are needed
RANGE = (1.0e3, 1.0e7)
#: sets: index, efficiency, cut-off [GeV]; remnants that reach more than 1 PeV would be another model
INDICES = np.round(np.arange(1.80, 2.301, 0.025), 3)
EFFICIENCIES = np.geomspace(0.02, 1.0, 52)
CUTOFFS = np.geomspace(1.0e4, 1.0e6, 41)
#: remnants are fitted up to here [GeV] (the paper does not say how), and how far from the band a point may be
FITTED, SIGMAS = 1.0e4, 2.0
#: no limit
EVERY = (0.0, np.inf)
_STEPS = 40


def index_factor(energy: ArrayLike, index: ArrayLike) -> Array:
    """R_s: injection of index s relative to that of index 2, at equal power; any shapes that broadcast."""
    e, a = np.asarray(energy, dtype=float), 2.0 - np.asarray(index, dtype=float)
    x = np.log(EMAX / E0)
    flat = np.abs(a) < 1e-9
    safe = np.where(flat, 1.0, a)
    power = np.where(flat, x, np.expm1(safe * x) / safe)
    return (e / E0) ** a * x / power


@dataclass(frozen=True, slots=True)
class Fit:
    """Best remnants beside given microquasars; all of the shape of the sets.

    Attributes
    ----------
    flux : A at 10 TeV [m^-2 s^-1 sr^-1 GeV^-1]
    index : g
    chi2 : sum over the points
    """

    flux: Array
    index: Array
    chi2: Array

    def at(self, energy: Array, cutoff: ArrayLike) -> Array:
        """Intensity of the remnants, shape (..., n)."""
        power = (energy / PIVOT) ** -self.index[..., None]
        return self.flux[..., None] * power * np.exp(-energy / np.asarray(cutoff)[..., None])


def fit_remnants(data: Points, microquasars: ArrayLike, cutoff: ArrayLike) -> Fit:
    """A and g by weighted least squares (Levenberg's damping).

    Parameters
    ----------
    data : Points, n of them
    microquasars : their intensity at the energies of the data, shape (..., n)
    cutoff : E_c, shape (...) [GeV]
    """
    cut = np.asarray(cutoff, dtype=float)
    known = np.broadcast_to(np.asarray(microquasars, dtype=float), (*cut.shape, len(data.energy)))
    u, roll = np.log(data.energy / PIVOT), np.exp(-data.energy / cut[..., None])
    weight = 1.0 / data.sigma

    def state(p: Array) -> tuple[Array, Array, Array]:
        own = np.exp(p[..., :1] - p[..., 1:] * u) * roll
        residual = (data.flux - known - own) * weight
        return np.sum(residual**2, axis=-1), residual, own * weight

    p = np.empty((*cut.shape, 2))
    p[..., 0] = np.log(np.interp(PIVOT, data.energy[order := np.argsort(data.energy)], data.flux[order]))
    p[..., 1] = 2.7
    damping = np.full(cut.shape, 1e-3)
    chi2, residual, own = state(p)
    for _ in range(_STEPS):
        step = _step(own, u, residual, damping)
        trial = state(p + step)
        better = trial[0] < chi2
        p = np.where(better[..., None], p + step, p)
        chi2 = np.where(better, trial[0], chi2)
        residual = np.where(better[..., None], trial[1], residual)
        own = np.where(better[..., None], trial[2], own)
        damping = np.clip(np.where(better, 0.3 * damping, 5.0 * damping), 1e-9, 1e6)
    return Fit(np.exp(p[..., 0]), p[..., 1], chi2)


def _step(own: Array, u: Array, residual: Array, damping: Array) -> Array:
    """Solution of the damped normal equations for d own/d ln A = own, d own/d g = -u own."""
    aa, ag, gg = (np.sum(own**2 * f, axis=-1) for f in (1.0, -u, u**2))
    ra, rg = np.sum(own * residual, axis=-1), np.sum(-u * own * residual, axis=-1)
    aa, gg = aa * (1.0 + damping), gg * (1.0 + damping)
    det = np.maximum(aa * gg - ag**2, 1e-300)
    step = np.stack([(gg * ra - ag * rg) / det, (aa * rg - ag * ra) / det], axis=-1)
    return np.clip(step, -1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Scan:
    """All sets, axes (index, efficiency, cut-off).

    Attributes
    ----------
    index, efficiency, cutoff : the axes; cutoff [GeV]
    passes : shape (n_s, n_eta, n_c): remnants fitted to the points below `fitted`, then every point in the 68 % band
        of the sum or within two of its errors
    chi2 : same shape: of the median history, remnants fitted to all points
    points : number of points
    """

    index: Array
    efficiency: Array
    cutoff: Array
    passes: NDArray[np.bool_]
    chi2: Array
    points: int

    def among(
        self, *, index: tuple[float, float] = EVERY, efficiency: tuple[float, float] = EVERY,
        cutoff: tuple[float, float] = EVERY,
    ) -> NDArray[np.bool_]:  # fmt: skip
        """Passing sets inside limits, both included."""
        inside = [(a >= low * (1.0 - 1e-9)) & (a <= high * (1.0 + 1e-9)) for a, (low, high) in (
            (self.index, index), (self.efficiency, efficiency), (self.cutoff, cutoff))]  # fmt: skip
        return self.passes & inside[0][:, None, None] & inside[1][:, None] & inside[2]

    def range_of(self, axis: int, kept: NDArray[np.bool_]) -> tuple[float, float]:
        """Smallest and largest value of an axis among some sets; NaN if there is none."""
        values = (self.index, self.efficiency, self.cutoff)[axis]
        found = values[kept.any(axis=tuple(k for k in range(3) if k != axis))]
        return (float(found.min()), float(found.max())) if len(found) else (float("nan"), float("nan"))

    def best(self) -> tuple[Array, Array, Array]:
        """For every index the smallest chi^2, with its efficiency and cut-off, shape (n_s,) each."""
        flat = self.chi2.reshape(len(self.index), -1)
        at = np.argmin(flat, axis=1)
        eta, cut = np.unravel_index(at, self.chi2.shape[1:])
        return flat.min(axis=1), self.efficiency[eta], self.cutoff[cut]


def scan_protons(data: Points, energy: Array, band: Array, *, fitted: float = FITTED) -> Scan:
    """All sets.

    Parameters
    ----------
    data : Points
    energy, band : 16 %, median and 84 % of the histories, shape (n_e,), (3, n_e) [GeV, m^-2 s^-1 sr^-1 GeV^-1]
    fitted : the remnants of `passes` are fitted to the points up to here [GeV]
    """
    low, median, high = (np.exp(np.interp(np.log(data.energy), np.log(energy), np.log(one))) for one in band)
    shape = (len(EFFICIENCIES), len(CUTOFFS))
    factor, cutoff = (EFFICIENCIES / 0.1)[:, None, None], np.broadcast_to(CUTOFFS, shape)
    few = data.energy <= fitted
    below = Points(data.energy[few], data.flux[few], data.sigma[few])
    chi2, passes = np.empty((len(INDICES), *shape)), np.empty((len(INDICES), *shape), dtype=bool)
    for i, s in enumerate(INDICES):
        scale = factor * index_factor(data.energy, s)
        chi2[i] = fit_remnants(data, scale * median, cutoff).chi2
        own = fit_remnants(below, (scale * median)[..., few], cutoff).at(data.energy, cutoff)
        outside = np.maximum(own + scale * low - data.flux, data.flux - own - scale * high)
        passes[i] = np.all(outside <= SIGMAS * data.sigma, axis=-1)
    return Scan(INDICES, EFFICIENCIES, CUTOFFS, passes, chi2, len(data.energy))

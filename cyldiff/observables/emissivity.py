"""Emissivity per hydrogen atom from tabulated spectra, exact for local power laws.

Of nuclei with intensities J_i(T) [GeV^-1 cm^-2 s^-1 sr^-1] an atom emits, per steradian,

    q(E)/4pi = sum_i Int dT J_i(T) dsigma_i/dE(E, T)        [GeV^-1 s^-1 sr^-1]

which is (c/4pi) Int n_p sigma F dE_p/E_p for protons at beta = 1 (physics: Kelner et al. 2006, Eq. 71).
Between two energies of the grid J is a power law (a straight line in log-log). The integral over each such
piece is a Gauss-Legendre sum in ln T of power law times cross section, so its weights depend on the energies
only; a table of them, made once, turns any number of spectra into emissivities by one matrix product.

Above the last energy of the grid the last power law is continued, at most as hard as T^-2, over two decades;
what it adds is told by :meth:`Emissivity.continued_share`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff import constants as const
from cyldiff.errors import DataError
from cyldiff.particles.pion_production import PionProduction

__all__ = ["Emissivity", "flux_of_density", "pion_emissivity"]

Array = NDArray[np.float64]

#: decades over which the last power law is continued
TAIL_DECADES = 2.0
#: hardest slope of the continuation
TAIL_SLOPE = -2.0
#: Gauss-Legendre points per decade of kinetic energy, at least, and per piece, at least
POINTS_PER_DECADE, POINTS = 40, 4
#: a secondary needs nuclei of ten times its energy
REACH = 10.0
#: no pion is made below this kinetic energy per nucleon [GeV] (Kafexhiu et al. 2014, PRD 90, 123014)
_THRESHOLD = 0.28
_TINY = 1e-300
_MILLIBARN = 1e-3 * const.BARN_CM2


def flux_of_density(kinetic_energy: ArrayLike, density: ArrayLike, mass_per_nucleon: float) -> Array:
    """Intensity J = beta c n / 4 pi of a density n(T) along the first axis.

    Parameters
    ----------
    kinetic_energy : array_like, shape (n_T,)       [GeV/n]
    density : array_like, shape (n_T, ...)          [GeV^-1 cm^-3]
    mass_per_nucleon : float                        [GeV]

    Returns
    -------
    ndarray, shape of `density`                     [GeV^-1 cm^-2 s^-1 sr^-1]
    """
    t = np.asarray(kinetic_energy, dtype=float)
    beta = np.sqrt(t * (t + 2.0 * mass_per_nucleon)) / (t + mass_per_nucleon)
    n = np.asarray(density, dtype=float)
    return np.asarray(beta.reshape(-1, *[1] * (n.ndim - 1)) * const.SPEED_OF_LIGHT_CM_S / (4.0 * np.pi) * n)


@dataclass(frozen=True, slots=True)
class Emissivity:
    """Weights that turn spectra on one grid into emissivities per hydrogen atom.

    Attributes
    ----------
    energy : ndarray, shape (n_energy,)             of the secondaries [GeV]
    kinetic_energy : ndarray, shape (n_T,)          grid of the spectra [GeV/n]
    matrices : name of the nuclide -> ndarray, shape (n_energy, n_points)    [GeV^-1 cm^2 GeV]
    lower : ndarray of int, shape (n_points,)       index of the grid energy below each point
    fraction : ndarray, shape (n_points,)           place between the two in ln T; above 1 in the continuation
    """

    energy: Array
    kinetic_energy: Array
    matrices: Mapping[str, Array]
    lower: NDArray[np.int64]
    fraction: Array

    @classmethod
    def build(
        cls,
        energy: ArrayLike,
        kinetic_energy: ArrayLike,
        model: PionProduction,
        *,
        mass_numbers: Mapping[str, int] | None = None,
        secondary: str = "gamma",
        helium_fraction: float = 0.0,
    ) -> Emissivity:
        """Tabulate the weights of a model.

        Parameters
        ----------
        energy : array_like, shape (n_energy,)          of the secondaries [GeV]
        kinetic_energy : array_like, shape (n_T,)       grid of the spectra, increasing [GeV/n]
        model : PionProduction
        mass_numbers : mapping                          nuclide -> A of all there are; default protons only
        secondary : str                                 "gamma", "neutrino" (all flavours) or "electron"
        helium_fraction : float                         He per H of the gas (kind "aafrag")

        Raises
        ------
        DataError
            if an energy is outside the model or not supported by the grid; the message has the range.
        """
        e = np.atleast_1d(np.asarray(energy, dtype=float))
        t = np.asarray(kinetic_energy, dtype=float)
        check_energies(e, t, model)
        nuclides = dict(mass_numbers) if mass_numbers is not None else {"H1": 1}
        lower, fraction, weight = _points(t)
        step = np.log(t[lower + 1] / t[lower])
        at = t[lower] * np.exp(fraction * step)
        tables: dict[int, Array] = {}
        matrices = {}
        for name in model.projectiles(nuclides):
            a = nuclides[name]
            if a not in tables:
                sigma = model.cross_section(
                    e, at, mass_number=a, secondary=secondary, helium_fraction=helium_fraction
                )
                tables[a] = sigma * _MILLIBARN * weight * step * at
            matrices[name] = tables[a]
        if not matrices:
            raise DataError(f"none of the nuclides {', '.join(nuclides)} radiates in this model")
        return cls(e, t, matrices, lower, fraction)

    def __call__(self, flux: Mapping[str, ArrayLike], *, continued: bool = True) -> Array:
        """Emissivity per hydrogen atom and steradian.

        Parameters
        ----------
        flux : name -> array_like, shape (n_T, ...)     intensity J(T) of every nuclide of `matrices`
            [GeV^-1 cm^-2 s^-1 sr^-1]
        continued : bool                                with the power law above the grid

        Returns
        -------
        ndarray, shape (n_energy, ...)                  q/4pi [GeV^-1 s^-1 sr^-1]
        """
        total: Any = None
        for name, matrix in self.matrices.items():
            values = np.asarray(flux[name], dtype=float)
            if values.shape[0] != self.kinetic_energy.size:
                raise DataError(
                    f"the spectrum of {name} has {values.shape[0]} energies, "
                    f"the grid {self.kinetic_energy.size}"
                )
            part = self._one(matrix, values.reshape(values.shape[0], -1), continued)
            part = part.reshape(self.energy.size, *values.shape[1:])
            total = part if total is None else total + part
        return np.asarray(total)

    def _one(self, matrix: Array, flux: Array, continued: bool) -> Array:
        out = np.empty((matrix.shape[0], flux.shape[1]))
        use = slice(None) if continued else self.fraction <= 1.0
        lower, fraction = self.lower[use], self.fraction[use][:, None]
        weights = np.ascontiguousarray(matrix[:, use])
        # blocks, because there are more points than energies in the spectra
        for start in range(0, flux.shape[1], 4096):
            block = slice(start, start + 4096)
            log = np.log(np.maximum(flux[:, block], _TINY))
            slope = np.diff(log, axis=0)
            if continued:
                tail = TAIL_SLOPE * np.log(self.kinetic_energy[-1] / self.kinetic_energy[-2])
                steepened = np.minimum(slope[-1], tail)
                at = log[lower] + fraction * slope[lower]
                beyond = self.fraction > 1.0
                at[beyond] = log[-1] + (fraction[beyond] - 1.0) * steepened
            else:
                at = log[lower] + fraction * slope[lower]
            out[:, block] = weights @ np.exp(at)
        return out

    def continued_share(self, flux: Mapping[str, ArrayLike]) -> Array:
        """Share of the emissivity that comes from above the grid, shape (n_energy, ...)."""
        whole, inside = self(flux), self(flux, continued=False)
        return np.asarray(np.where(whole > 0.0, 1.0 - inside / np.where(whole > 0.0, whole, 1.0), 0.0))


def supported(kinetic_energy: ArrayLike, model: PionProduction) -> tuple[float, float]:
    """Energies of secondaries [GeV] that a grid of nuclei and a model allow.

    Up to a tenth of the last kinetic energy: there the nuclei above it still make a third of the emissivity
    of a T^-2.7 spectrum. From below only if all nuclei above the pion threshold that can make the secondary
    are on the grid.
    """
    t = np.asarray(kinetic_energy, dtype=float)
    low, high = model.energies
    return max(low, t[0] if t[0] > _THRESHOLD else 0.0), min(high, t[-1] / REACH)


def check_energies(energy: Array, kinetic_energy: Array, model: PionProduction) -> None:
    """Refuse energies outside :func:`supported`.

    Raises
    ------
    DataError
        naming those that are outside, and the range.
    """
    low, high = supported(kinetic_energy, model)
    kind = getattr(model, "kind", type(model).__name__)
    if low >= high:
        raise DataError(
            f'this result supports no energy of the model "{kind}": nuclei reach {kinetic_energy[-1]:g} GeV/n, '
            f"which is enough up to {high:g} GeV, and the model starts at {model.energies[0]:g} GeV"
        )
    bad = energy[(energy < low * (1.0 - 1e-6)) | (energy > high * (1.0 + 1e-6)) | ~np.isfinite(energy)]
    if bad.size:
        shown = ", ".join(f"{e:g}" for e in bad[:4]) + (", …" if bad.size > 4 else "")
        raise DataError(
            f"energies {shown} GeV are not supported: nuclei of this result reach {kinetic_energy[-1]:g} GeV/n "
            f'and the model "{kind}" holds from {model.energies[0]:g} GeV; '
            f"expected {low:g} to {high:g} GeV"
        )


def pion_emissivity(
    energy: ArrayLike,
    kinetic_energy: ArrayLike,
    flux: ArrayLike,
    model: PionProduction,
    *,
    secondary: str = "gamma",
) -> Array:
    """q/4pi per hydrogen atom [GeV^-1 s^-1 sr^-1] of protons with the intensity `flux`, shape (n_T, ...).

    Arguments and errors as :meth:`Emissivity.build`; `flux` in GeV^-1 cm^-2 s^-1 sr^-1.
    """
    return Emissivity.build(energy, kinetic_energy, model, secondary=secondary)({"H1": flux})


def _points(t: Array) -> tuple[NDArray[np.int64], Array, Array]:
    """Gauss-Legendre points of all pieces in ln T: lower grid index, fraction of the step, weight."""
    steps = np.log(np.diff(t) / t[:-1] + 1.0)
    rows, fractions, weights = [], [], []
    for i, step in enumerate(steps):
        n = max(POINTS, int(np.ceil(POINTS_PER_DECADE * step / np.log(10.0))))
        x, w = np.polynomial.legendre.leggauss(n)
        rows.append(np.full(n, i))
        fractions.append(0.5 * (1.0 + x))
        weights.append(0.5 * w)
    last = len(steps) - 1
    pieces = int(np.ceil(TAIL_DECADES * 4))
    length = TAIL_DECADES * np.log(10.0) / steps[last] / pieces
    x, w = np.polynomial.legendre.leggauss(int(np.ceil(POINTS_PER_DECADE / 4)))
    for k in range(pieces):
        rows.append(np.full(x.size, last))
        fractions.append(1.0 + length * (k + 0.5 * (1.0 + x)))
        weights.append(0.5 * length * w)
    return np.concatenate(rows), np.concatenate(fractions), np.concatenate(weights)

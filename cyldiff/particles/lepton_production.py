"""Electrons and positrons that cosmic-ray protons and helium make on interstellar gas.

They come from charged pions and kaons (and their muons), so that their energy is not that per nucleon of the
parent: production is a matrix in energy,

    Q(T_k) = c sum_targets n int beta(T') dsigma/dT_k(T', T_k) N(T') dT'.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import lru_cache
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.config.base import Model
from cyldiff.errors import DataError
from cyldiff.grid import Kinematics
from cyldiff.particles.aafrag import package
from cyldiff.particles.species import Species, nuclides
from cyldiff.registry import register

__all__ = ["AAfrag", "LeptonProduction"]

Array = NDArray[np.float64]

#: Gauss-Legendre points between two energies of the grid
_POINTS = 6
#: what N(T) is taken to be between them, T^-INDEX times a straight line in ln T: exact for that power law
_INDEX = 2.7
#: parents up to this factor above the grid count
_TAIL = 1e3
#: names in AAfrag
_PROJECTILES = {"H1": "p", "He4": "He"}
#: kinetic energy of a proton that makes a pion on a proton at rest [GeV] (Kafexhiu et al. 2014, PRD 90, 123014)
PION_THRESHOLD = 0.2797


class LeptonProduction(Model):
    """Base of the kinds.

    Attributes
    ----------
    parents : names of the nuclides that make leptons
    """

    parents: ClassVar[tuple[str, ...]] = ()

    def matrix(self, parent: Species, child: Species, kinetic_energy: ArrayLike) -> Array:
        """Production of a lepton by a nuclide on hydrogen and helium.

        Parameters
        ----------
        parent, child : a nuclide of `parents`, a lepton
        kinetic_energy : ndarray, shape (n_T,)   of the parent per nucleon, and of the lepton [GeV]

        Returns
        -------
        ndarray, shape (2, n_T, n_T)   ``matrix[target] @ N`` is int beta dsigma/dT N(T') dT' [mb], for N(T')
            per (GeV/n). Above the last energy N goes on as T'^-2.7 up to a thousand times it, or the end of the
            tables: half of the leptons of T come from parents of more than 10 T.

        Raises
        ------
        DataError   if the tables are not installed
        """
        energies = np.asarray(kinetic_energy, dtype=float)
        return _matrix(self, parent.name, child.name, tuple(energies.tolist())).copy()

    @abstractmethod
    def cross_section(self, parent: str, child: str, target: str, *, at: Array, energy: Array) -> Array:
        """dsigma/dT of the lepton [mb/GeV], shape (n_at, n_energy).

        Parameters
        ----------
        parent, child, target : e.g. "He4", "positron", "H"
        at : kinetic energy of the parent per nucleon [GeV], shape (n_at,)
        energy : kinetic energy of the lepton [GeV], shape (n_energy,)
        """

    def highest(self, parent: str) -> float:
        """Kinetic energy per nucleon at which cross sections end [GeV]."""
        return math.inf

    def check(self) -> None:
        """Raise DataError if something that is needed is not there."""


@lru_cache(maxsize=16)
def _matrix(model: LeptonProduction, parent: str, child: str, energies: tuple[float, ...]) -> Array:
    grid = np.array(energies)
    nucleus = nuclides()[parent]
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    step = float(np.log(grid[-1] / grid[0])) / (len(grid) - 1)
    end = max(min(_TAIL * grid[-1], model.highest(parent)), grid[-1])
    tail = int(np.log(end / grid[-1]) / step)
    lower = np.concatenate([grid[:-1], grid[-1] * np.exp(step * np.arange(tail))])[:, None]
    share = 0.5 * (1.0 + nodes)
    at = lower * np.exp(step * share)
    beta = Kinematics(at.ravel(), nucleus.Z, nucleus.A, nucleus.mass_per_nucleon).beta.reshape(at.shape)
    # dT' = T' dlnT', N(T') = T'^-index [(1 - x) N_j T_j^index + x N_(j+1) T_(j+1)^index]; in the tail both are
    # the last energy
    measure = 0.5 * weights * step * at ** (1.0 - _INDEX) * beta
    left = np.minimum(np.arange(len(lower)), len(grid) - 1)
    right = np.minimum(left + 1, len(grid) - 1)
    shares = np.zeros((len(lower), _POINTS, len(grid)))
    rows = np.arange(len(lower))
    shares[rows, :, left] += measure * (1.0 - share) * grid[left, None] ** _INDEX
    shares[rows, :, right] += measure * share * grid[right, None] ** _INDEX
    to_grid = shares.reshape(-1, len(grid))
    targets = (model.cross_section(parent, child, t, at=at.ravel(), energy=grid) for t in ("H", "He"))
    return np.stack([sigma.T @ to_grid for sigma in targets])


@register("lepton-production", "aafrag")
class AAfrag(LeptonProduction):
    """Spectra of QGSJET-II-04m as tabulated by AAfrag, and of Kamae et al. below its tables.

    Kachelriess, Moskalenko & Ostapchenko 2019, CPC 245, 106846 (AAfrag); Koldobskiy et al. 2021, PRD 104,
    123027 (the package ``aafragpy``, which both are read through). Protons and 4He on hydrogen and helium;
    heavier nuclei, some 7 % of all that is made, are left out.

    The tables for protons begin at a total energy of 4 GeV. Below, spectra are those of p-p of Kamae et al.
    2006, ApJ 647, 692, times one number per pair of nuclei that makes the number of leptons continuous there.
    It is 0.85 for positrons of p-p and 0.5 for electrons, which is how far the two models are from each other.
    """

    kind: Literal["aafrag"] = "aafrag"
    parents: ClassVar[tuple[str, ...]] = ("H1", "He4")

    def check(self) -> None:
        """Raise DataError if ``aafragpy`` is not installed."""
        package()

    def highest(self, parent: str) -> float:
        """End of the tables, on hydrogen and helium [GeV per nucleon]."""
        nucleus = nuclides()[parent]
        name = _PROJECTILES[parent]
        return min(_last(f"{name}-{t}") for t in ("p", "He")) / nucleus.A - nucleus.mass_per_nucleon

    def cross_section(self, parent: str, child: str, target: str, *, at: Array, energy: Array) -> Array:
        """dsigma/dT of the lepton [mb/GeV], shape (n_at, n_energy)."""
        projectile, on = _PROJECTILES[parent], {"H": "p", "He": "He"}[target]
        secondary = {"electron": "el", "positron": "posi"}[child]
        on_table = at >= _lowest()
        result = np.empty((len(at), len(energy)))
        result[on_table] = _tabulated(secondary, projectile, on, at[on_table], energy)
        result[~on_table] = _kamae(secondary, at[~on_table], energy)
        if not on_table.all():
            result[~on_table] *= _joint(secondary, projectile, on)
        return result


@lru_cache(maxsize=8)
def _last(combination: str) -> float:
    """Last total energy of a table [GeV]."""
    return float(np.max(package().open_data_files("posi", combination)[0])) / 1e9


def _lowest() -> float:
    """Kinetic energy of a proton at which the tables begin [GeV]."""
    first = float(np.min(package().open_data_files("posi", "p-p")[0])) / 1e9
    return first - nuclides()["H1"].mass_per_nucleon


def _tabulated(secondary: str, projectile: str, target: str, at: Array, energy: Array) -> Array:
    """dsigma/dE of AAfrag [mb/GeV], shape (n_at, n_energy); energies of the projectile per nucleon."""
    nucleus = nuclides()["H1" if projectile == "p" else "He4"]
    combination = f"{projectile}-{target}"
    # the tables have the total energy of the whole nucleus
    total = nucleus.A * (at + nucleus.mass_per_nucleon)
    if not total.size:
        return np.zeros((0, len(energy)))
    if total.max() > _last(combination):
        raise DataError(
            f"aafrag: the table {combination} ends at {_last(combination) / nucleus.A:.3g} GeV per nucleon, found "
            f"{at.max():.3g}; expected a lower grid.momentum.max"
        )
    values = package().get_cross_section(secondary, combination, total, energy)[0]
    return np.nan_to_num(np.asarray(values, dtype=float)).reshape(-1, len(energy))


@lru_cache(maxsize=16)
def _joint(secondary: str, projectile: str, target: str) -> float:
    """Leptons of AAfrag over those of Kamae et al. in p-p, at the lowest energy of the tables."""
    at = np.array([_lowest()])
    energy = np.geomspace(1e-3, 2.0 * at[0], 400)
    spectra = (_tabulated(secondary, projectile, target, at, energy), _kamae(secondary, at, energy))
    here, there = (np.trapezoid(sigma[0] * energy, np.log(energy)) for sigma in spectra)
    return float(here / there)


def _kamae(secondary: str, at: Array, energy: Array) -> Array:
    """dsigma/dE of p-p of Kamae et al. 2006 [mb/GeV], shape (n_at, n_energy)."""
    model = import_module("aafragpy.Kamae2006")
    name = {"el": "elec", "posi": "posi"}[secondary]
    repair = secondary == "posi" and _wrong_factor(model)
    result = np.zeros((len(at), len(energy)))
    for i, t in enumerate(at):
        if t < PION_THRESHOLD:
            continue
        factor = _positron_factor(t, 10.4) / _positron_factor(t, 1.04) if repair else 1.0
        for k, e in enumerate(energy):
            if e < t:
                sigma = factor * model.sigma_incl_nond(e, t, name) + model.sigma_incl_diff(e, t, name)
                sigma += model.sigma_incl_res(e, t, name)
                # only positive pions come of the Delta of p-p
                sigma += model.sigma_incl_delta(e, t, name) if secondary == "posi" else 0.0
                result[i, k] = sigma / e
    return result


def _positron_factor(t: float, denominator: float) -> float:
    """Renormalisation of the non-diffractive part below 5.52 GeV (Kamae et al. 2006, Table 5)."""
    y = math.log10(t * 1e-3) + 3.25
    return 2.22 * math.exp(-98.9 * (y / (1.0 + denominator * y)) ** 2)


def _wrong_factor(model: Any) -> bool:
    """Whether aafragpy has 1.04 for the 10.4 of Kamae et al. 2006 (2.0.4 has): a jump at 5.52 GeV tells."""
    below, above = (model.sigma_incl_nond(0.3, t, "posi") for t in (5.519, 5.521))
    return bool(below < 0.5 * above)

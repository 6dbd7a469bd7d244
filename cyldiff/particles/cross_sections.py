"""What all nuclear cross sections share: tabulated curves, and the step from hydrogen to helium.

Energies are kinetic energies per nucleon of the projectile [GeV], cross sections are in mb.
Arrays of cross sections carry the target as an axis of length two: hydrogen, helium.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.errors import DataError
from cyldiff.resources import Table

__all__ = [
    "Curves",
    "Extrapolation",
    "FloatArray",
    "check_energies",
    "helium_ratio_inelastic",
    "helium_ratio_spallation",
]

FloatArray = NDArray[np.float64]
#: what a table does outside its energies: refuse to answer, or repeat its last value
Extrapolation = Literal["refuse", "constant"]

_ENERGY_COLUMN = " GeV/n"

# Ferrando et al. 1988, PRC 37, 1490: parameters of the helium-to-hydrogen ratio of spallation
_RATIO_ENERGY = np.array([0.43, 0.73, 1.51])  # GeV per nucleon
_RATIO_MU = np.array([0.082, 0.047, 0.031])
_RATIO_DELTA = np.array([2.45, 3.45, 4.40])
_RATIO_POWER = 1.43
_RATIO_CHARGE = np.array([6.0, 8.0, 26.0])
_RATIO_F = np.array([-0.76, -0.41, 1.00])


def check_energies(kinetic_energy: ArrayLike) -> FloatArray:
    """Kinetic energies per nucleon [GeV] as a 1-D array of positive, finite numbers.

    Raises
    ------
    DataError
        if one is not.
    """
    energies = np.atleast_1d(np.asarray(kinetic_energy, dtype=float))
    if energies.ndim != 1 or not np.all(np.isfinite(energies)) or np.any(energies <= 0):
        raise DataError("kinetic energies must be a list of positive, finite numbers")
    return energies


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Many curves over the same energies, linear in the logarithm of the energy between them.

    Attributes
    ----------
    name : str
        used in messages
    energy : ndarray, shape (n_knots,)
        kinetic energy per nucleon [GeV], increasing
    values : ndarray, shape (n_curves, n_knots)
        cross sections [mb]
    """

    name: str
    energy: FloatArray
    values: FloatArray

    @classmethod
    def from_table(cls, table: Table, name: str) -> Curves:
        """Curves in the rows of a table whose columns ``"0.1 GeV/n"`` hold the values."""
        columns = [c for c in table.columns if c.endswith(_ENERGY_COLUMN)]
        energy = np.array([float(c.removesuffix(_ENERGY_COLUMN)) for c in columns])
        values = np.stack([np.asarray(table[c], dtype=float) for c in columns], axis=1)
        if np.any(np.diff(energy) <= 0) or not np.all(np.isfinite(values)) or np.any(values < 0):
            raise DataError(f"{table.path.name}: energies must increase, values must not be negative")
        return cls(name=name, energy=energy, values=values)

    def at(self, kinetic_energy: FloatArray, rows: Any, *, extrapolation: Extrapolation) -> FloatArray:
        """Values of some of the curves.

        Parameters
        ----------
        kinetic_energy : ndarray, shape (n_T,)      [GeV per nucleon]
        rows : index of the curves wanted
        extrapolation : "refuse" or "constant"

        Returns
        -------
        ndarray, shape (n_rows, n_T)                [mb]

        Raises
        ------
        DataError
            if an energy is outside the table and `extrapolation` is "refuse".
        """
        low, high = self.energy[0], self.energy[-1]
        outside = (kinetic_energy < low * (1 - 1e-9)) | (kinetic_energy > high * (1 + 1e-9))
        if extrapolation == "refuse" and np.any(outside):
            raise DataError(
                f"{self.name} covers {low:g} to {high:g} GeV per nucleon, asked for "
                f"{kinetic_energy.min():g} to {kinetic_energy.max():g}; "
                'allow it with extrapolation = "constant"'
            )
        position = np.interp(np.log(kinetic_energy), np.log(self.energy), np.arange(self.energy.size))
        # hat functions: weight of every knot at every energy, so that all curves are one product
        weights = np.maximum(0.0, 1.0 - np.abs(np.arange(self.energy.size)[:, None] - position))
        return np.asarray(self.values[rows] @ weights)


def helium_ratio_inelastic(mass_number: ArrayLike) -> FloatArray:
    """Ratio of the total inelastic cross sections on helium and on hydrogen, 2.10 A^-0.055.

    Source: Ferrando et al. 1988, PRC 37, 1490.
    """
    return np.asarray(2.10 * np.asarray(mass_number, dtype=float) ** -0.055)


def helium_ratio_spallation(
    parent_charge: ArrayLike, child_charge: ArrayLike, kinetic_energy: FloatArray
) -> FloatArray:
    """Ratio of the production cross sections of one fragment on helium and on hydrogen.

    exp(mu |Z_i - Z_f - f delta|^1.43), mu and delta linear in ln T between 0.43, 0.73 and
    1.51 GeV per nucleon and constant outside, f linear in ln Z_i through carbon, oxygen and iron
    (and beyond them along the same lines). Beyond Z_i - Z_f = Z_i / 2, where nothing was
    measured, the ratio continues along its tangent instead of growing exponentially.

    Parameters
    ----------
    parent_charge, child_charge : array_like, shape (n,)
    kinetic_energy : ndarray, shape (n_T,)      [GeV per nucleon]

    Returns
    -------
    ndarray, shape (n, n_T)

    Source: Ferrando et al. 1988, PRC 37, 1490; the tangent is ours.
    """
    parent = np.asarray(parent_charge, dtype=float)[:, None]
    lost = parent - np.asarray(child_charge, dtype=float)[:, None]
    log_energy, knots = np.log(kinetic_energy), np.log(_RATIO_ENERGY)
    mu = np.interp(log_energy, knots, _RATIO_MU)
    delta = np.interp(log_energy, knots, _RATIO_DELTA)
    slopes = np.diff(_RATIO_F) / np.diff(np.log(_RATIO_CHARGE))
    slope = np.where(parent < _RATIO_CHARGE[1], slopes[0], slopes[1])
    f = _RATIO_F[1] + slope * np.log(parent / _RATIO_CHARGE[1])
    limit = parent / 2
    argument = np.minimum(lost, limit) - f * delta
    ratio = np.exp(mu * np.abs(argument) ** _RATIO_POWER)
    tangent = mu * _RATIO_POWER * np.abs(argument) ** (_RATIO_POWER - 1) * np.sign(argument)
    return np.asarray(ratio * (1.0 + np.maximum(lost - limit, 0.0) * tangent))

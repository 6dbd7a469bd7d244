"""Emissivity per hydrogen atom as one matrix, so that the emission of a sum of sources is the sum of theirs.

:class:`cyldiff.observables.emissivity.Emissivity` joins the energies of a spectrum by local power laws, which is
not linear in the spectrum. Here J(T) T^a is a straight line in ln T between two energies, with one slope a for
all spectra; for a T^-s spectrum on steps of ln T = h this is off by at most (s - a)^2 h^2 / 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.observables.emissivity import Emissivity
from cyldiff.particles.pion_production import PionProduction

__all__ = ["SLOPE", "LinearEmissivity"]

Array = NDArray[np.float64]

#: slope a: between the injected T^-2 next to a source and T^-2.7 far from it
SLOPE = 2.35


@dataclass(frozen=True, slots=True)
class LinearEmissivity:
    """Matrices from intensities on a grid of nuclei to emissivities.

    Attributes
    ----------
    energy : ndarray, shape (n_energy,)             of the secondaries [GeV]
    kinetic_energy : ndarray, shape (n_T,)          of the nuclei [GeV/n]
    matrices : name -> ndarray, shape (n_energy, n_T)   [cm^2 GeV GeV^-1]
    """

    energy: Array
    kinetic_energy: Array
    matrices: Mapping[str, Array]

    @classmethod
    def build(
        cls,
        energy: ArrayLike,
        kinetic_energy: ArrayLike,
        model: PionProduction,
        *,
        mass_numbers: Mapping[str, int] | None = None,
        helium_fraction: float = 0.0,
        slope: float = SLOPE,
    ) -> LinearEmissivity:
        """Tabulate a model of gamma rays; arguments and errors as :meth:`Emissivity.build`."""
        table = Emissivity.build(
            energy, kinetic_energy, model, mass_numbers=mass_numbers, helium_fraction=helium_fraction
        )
        t = table.kinetic_energy
        low, part = table.lower, table.fraction
        step = np.log(t[low + 1] / t[low])
        # J = T^-a [(1 - f) J_l T_l^a + f J_u T_u^a], continued above the grid from its last value alone
        beyond = part > 1.0
        below = np.where(beyond, 0.0, (1.0 - part) * np.exp(-slope * part * step))
        above = np.where(beyond, 1.0, part) * np.exp(-slope * (part - 1.0) * step)
        matrices = {}
        for name, weights in table.matrices.items():
            matrix = np.zeros((t.size, table.energy.size))
            np.add.at(matrix, low, (weights * below).T)
            np.add.at(matrix, low + 1, (weights * above).T)
            matrices[name] = np.ascontiguousarray(matrix.T)
        return cls(table.energy, t, matrices)

    def __call__(self, flux: Mapping[str, ArrayLike]) -> Array:
        """q/4pi [GeV^-1 s^-1 sr^-1], shape (n_energy, ...), of J [GeV^-1 cm^-2 s^-1 sr^-1], (n_T, ...)."""
        return np.asarray(
            sum(np.tensordot(m, np.asarray(flux[name]), axes=1) for name, m in self.matrices.items())
        )

"""The four abscissae data are given in, and how an intensity changes from one to another.

With the kinetic energy per nucleon T, mass per nucleon m, mass number A, charge Z and speed beta::

    rigidity                      R = A sqrt(T (T + 2 m)) / abs(Z)     dT/dR = beta abs(Z)/A
    kinetic energy per particle   A T                                  dT/dE = 1/A
    total energy per particle     A (T + m)                            dT/dE = 1/A

and J(x) = J(T) dT/dx. A lepton (A = 0) counts as one particle with T per particle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.errors import DataError, nearest
from cyldiff.grid.kinematics import Kinematics, kinetic_energy_of_rigidity

__all__ = ["ABSCISSAE", "Abscissa", "Nuclide", "abscissa_named"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Nuclide:
    """What conversions and modulation need to know of a species; A of a lepton is 0.

    Attributes
    ----------
    charge : int                Z, not 0
    mass_number : int           A
    mass_per_nucleon : float    m [GeV]
    """

    charge: int
    mass_number: int
    mass_per_nucleon: float

    @property
    def nucleons(self) -> int:
        """By what per-nucleon quantities are multiplied: A, or 1 for a lepton."""
        return max(self.mass_number, 1)

    def kinematics(self, kinetic_energy: Array) -> Kinematics:
        """Kinematic quantities at T [GeV/n]."""
        return Kinematics(kinetic_energy, self.charge, self.nucleons, self.mass_per_nucleon)


@dataclass(frozen=True, slots=True)
class Abscissa:
    """One way to order particles: name, symbol, unit, and the map from and to T."""

    name: str
    long_name: str
    symbol: str
    unit: str

    def of(self, kinetic_energy: ArrayLike, nuclide: Nuclide) -> Array:
        """Value [its unit] at the kinetic energy per nucleon T [GeV/n] of a nuclide."""
        t = np.asarray(kinetic_energy, dtype=float)
        match self.name:
            case "rigidity":
                return nuclide.kinematics(t).rigidity
            case "kinetic_energy":
                return t * nuclide.nucleons
            case "total_energy":
                return (t + nuclide.mass_per_nucleon) * nuclide.nucleons
        return t

    def kinetic_energy(self, x: ArrayLike, nuclide: Nuclide) -> Array:
        """Kinetic energy per nucleon T [GeV/n] at the value `x`; not positive below rest."""
        x = np.asarray(x, dtype=float)
        match self.name:
            case "rigidity":
                return kinetic_energy_of_rigidity(
                    x,
                    charge=nuclide.charge,
                    mass_number=nuclide.nucleons,
                    mass_per_nucleon=nuclide.mass_per_nucleon,
                )
            case "kinetic_energy":
                return x / nuclide.nucleons
            case "total_energy":
                return x / nuclide.nucleons - nuclide.mass_per_nucleon
        return x

    def jacobian(self, kinetic_energy: ArrayLike, nuclide: Nuclide) -> Array:
        """dT/dx at T [GeV/n]: what J(T) is multiplied with to become J(x)."""
        t = np.asarray(kinetic_energy, dtype=float)
        match self.name:
            case "rigidity":
                return nuclide.kinematics(t).beta * abs(nuclide.charge) / nuclide.nucleons
            case "kinetic_energy" | "total_energy":
                return np.full(t.shape, 1.0 / nuclide.nucleons)
        return np.ones(t.shape)

    @property
    def intensity_unit(self) -> str:
        """Unit of an intensity J(x) as it stands in files."""
        per = f"({self.unit})-1" if "/" in self.unit else f"{self.unit}-1"
        return f"m-2 s-1 sr-1 {per}"


ABSCISSAE: dict[str, Abscissa] = {
    a.name: a
    for a in (
        Abscissa("rigidity", "rigidity", "R", "GV"),
        Abscissa("kinetic_energy_per_nucleon", "kinetic energy per nucleon", "T", "GeV/n"),
        Abscissa("kinetic_energy", "kinetic energy of the particle", "E", "GeV"),
        Abscissa("total_energy", "total energy of the particle", "E", "GeV"),
    )
}


def abscissa_named(name: Any) -> Abscissa:
    """Abscissa of a name.

    Raises
    ------
    DataError
        naming the known ones and the nearest.
    """
    if isinstance(name, str) and name in ABSCISSAE:
        return ABSCISSAE[name]
    raise DataError(
        f'abscissa "{name}" unknown; known: {", ".join(ABSCISSAE)}{nearest(str(name), ABSCISSAE)}'
    )

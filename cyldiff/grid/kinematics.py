"""Kinetic energy per nucleon, momentum, rigidity and speed of a particle.

A nucleus has mass number A, charge Z and mass per nucleon m [GeV]; T is the kinetic energy per
nucleon [GeV/n], p the total momentum [GeV/c], R the rigidity [GV]. A lepton has A = 0: it counts as
one particle of mass m with T per particle, so that p = R = sqrt(T (T + 2 m)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Kinematics", "kinetic_energy_of_rigidity"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kinematics:
    """All kinematic quantities of one nuclide, or lepton, on a grid of T.

    Attributes
    ----------
    kinetic_energy : ndarray, shape (n,)   T [GeV/n], of a lepton per particle
    charge, mass_number : int              Z (not 0), A; A = 0 is a lepton
    mass_per_nucleon : float               m [GeV], of a lepton its mass
    """

    kinetic_energy: Array
    charge: int
    mass_number: int
    mass_per_nucleon: float

    @property
    def nucleons(self) -> int:
        """What quantities per nucleon are multiplied by: A, 1 for a lepton."""
        return max(self.mass_number, 1)

    @property
    def is_lepton(self) -> bool:
        """Whether it is an electron or positron."""
        return self.mass_number == 0

    @property
    def gamma(self) -> Array:
        """Lorentz factor."""
        return 1.0 + self.kinetic_energy / self.mass_per_nucleon

    @property
    def momentum(self) -> Array:
        """Total momentum p = A sqrt(T (T + 2 m)) [GeV/c]; A counts 1 for a lepton."""
        t = self.kinetic_energy
        return self.nucleons * np.sqrt(t * (t + 2.0 * self.mass_per_nucleon))

    @property
    def beta(self) -> Array:
        """Speed in units of c, at most 1: far above the mass the last digit would be rounded up."""
        t, m = self.kinetic_energy, self.mass_per_nucleon
        return np.minimum(np.sqrt(t * (t + 2.0 * m)) / (t + m), 1.0)

    @property
    def rigidity(self) -> Array:
        """R = p / abs(Z) [GV]."""
        return self.momentum / abs(self.charge)

    @property
    def dlnp_dlnT(self) -> Array:
        """Derivative of ln p with respect to ln T: (T + m) / (T + 2 m), between 1/2 and 1."""
        t, m = self.kinetic_energy, self.mass_per_nucleon
        return (t + m) / (t + 2.0 * m)

    @property
    def momentum_per_energy(self) -> Array:
        """N(lnp) = momentum_per_energy * N(T): p beta / A [GeV/n], from dT = beta dp / A."""
        return self.momentum * self.beta / self.nucleons

    def at(self, kinetic_energy: Array) -> Kinematics:
        """The same nuclide on another grid of T."""
        return Kinematics(kinetic_energy, self.charge, self.mass_number, self.mass_per_nucleon)


def kinetic_energy_of_rigidity(
    rigidity: Array, *, charge: int, mass_number: int, mass_per_nucleon: float
) -> Array:
    """Kinetic energy per nucleon [GeV/n] at rigidity R [GV]; exact inverse of ``Kinematics.rigidity``."""
    p_n = np.asarray(rigidity, dtype=float) * abs(charge) / max(mass_number, 1)
    m = mass_per_nucleon
    return p_n * p_n / (np.sqrt(p_n * p_n + m * m) + m)

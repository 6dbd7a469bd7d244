"""The mesh and the kinematics on it."""

from cyldiff.grid.axis import Axis
from cyldiff.grid.grid import Grid, energy_grid, per_momentum
from cyldiff.grid.kinematics import Kinematics, kinetic_energy_of_rigidity

__all__ = ["Axis", "Grid", "Kinematics", "energy_grid", "kinetic_energy_of_rigidity", "per_momentum"]

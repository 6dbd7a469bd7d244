"""The Galaxy on a grid: gas, magnetic field and radiation as cell averages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import GridError
from cyldiff.galaxy.gas import GasModel
from cyldiff.galaxy.magnetic_field import MagneticField
from cyldiff.galaxy.radiation_field import Greybody, RadiationField
from cyldiff.grid import Grid

__all__ = ["Galaxy"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Galaxy:
    """What the transport needs to know of the interstellar medium.

    Attributes
    ----------
    neutral, ionised : ndarray, shape (n_r, n_z) or (n_r, n_phi, n_z)   H nuclei, neutral and ionised [cm^-3]
    helium_fraction : float                                             He nuclei per H nucleus
    magnetic : ndarray of the same shape, or None    energy density of the magnetic field [GeV/cm^3]
    radiation : tuple of Greybody, or None           as at the Sun
    radiation_profile : ndarray of the same shape    what those that are not uniform are multiplied by
    """

    neutral: Array
    ionised: Array
    helium_fraction: float
    magnetic: Array | None = None
    radiation: tuple[Greybody, ...] | None = None
    radiation_profile: Array = field(default_factory=lambda: np.ones(()))

    @classmethod
    def on_grid(
        cls,
        gas: GasModel,
        grid: Grid,
        *,
        magnetic_field: MagneticField | None = None,
        radiation_field: RadiationField | None = None,
    ) -> Galaxy:
        """Average a gas model, and the fields that leptons need, over the cells of a grid.

        Raises
        ------
        GridError
            for a half-space grid under a gas model that is not even in z, a 2-D grid under one that
            depends on phi, or a density that is negative or not a number anywhere.
        """
        if grid.z.folded and not gas.symmetric:
            raise GridError("the gas model is not symmetric in z; use a grid with half_space = false")
        fields: dict[str, Any] = {
            "neutral": _averaged((gas.HI, gas.H2), grid),
            "ionised": _averaged((gas.HII,), grid),
        }
        for name, values in fields.items():
            if not np.all(np.isfinite(values)) or np.any(values < 0.0):
                raise GridError(f"the {name} gas density is negative or not a number somewhere on the grid")
        if magnetic_field is not None:
            fields["magnetic"] = grid.cell_average(magnetic_field.energy_density)
        if radiation_field is not None:
            fields["radiation"] = radiation_field.parts
            fields["radiation_profile"] = grid.cell_average(radiation_field.profile)
        return cls(**fields, helium_fraction=gas.helium_fraction)

    @property
    def hydrogen(self) -> Array:
        """All H nuclei [cm^-3]."""
        return self.neutral + self.ionised

    @property
    def helium(self) -> Array:
        """All He nuclei [cm^-3]."""
        return self.helium_fraction * self.hydrogen


def _averaged(phases: tuple[Any, ...], grid: Grid) -> Array:
    """Cell averages of phases together; each with its own dependence on phi, if it has one."""
    total = np.zeros(grid.shape[1:])
    for phase in phases:
        around = getattr(phase, "around", None)
        total += grid.cell_average(phase.density, edges=getattr(phase, "edges", ()), around=around)
    return total

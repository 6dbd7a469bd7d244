"""The Galaxy on a grid: gas densities as cell averages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import GridError
from cyldiff.galaxy.gas import GasModel
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
    """

    neutral: Array
    ionised: Array
    helium_fraction: float

    @classmethod
    def on_grid(cls, gas: GasModel, grid: Grid) -> Galaxy:
        """Average a gas model over the cells of a grid.

        Raises
        ------
        GridError
            for a half-space grid under a gas model that is not even in z, a 2-D grid under one that
            depends on phi, or a density that is negative or not a number anywhere.
        """
        if grid.z.folded and not gas.symmetric:
            raise GridError("the gas model is not symmetric in z; use a grid with half_space = false")
        fields = {
            "neutral": _averaged((gas.HI, gas.H2), grid),
            "ionised": _averaged((gas.HII,), grid),
        }
        for name, values in fields.items():
            if not np.all(np.isfinite(values)) or np.any(values < 0.0):
                raise GridError(f"the {name} gas density is negative or not a number somewhere on the grid")
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

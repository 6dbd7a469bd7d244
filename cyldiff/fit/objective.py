"""What minimisers, profiles and samplers ask of a chi-square."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import CyldiffError
from cyldiff.fit.parameters import Parameter, Values

__all__ = ["IMPOSSIBLE", "Objective", "guarded"]

Array = NDArray[np.float64]

#: chi-square of a model that cannot be solved: far above any that can
IMPOSSIBLE = 1e12


class Objective(Protocol):
    """Chi-square as a function of parameters in internal units: twice minus the logarithm of a posterior.

    Attributes
    ----------
    parameters : what it depends on, in this order
    no_gradient : why it has no gradient; empty if it has one
    """

    parameters: tuple[Parameter, ...]

    @property
    def no_gradient(self) -> str:
        """Why it has no gradient; empty if it has one."""

    def __call__(self, values: Values) -> float:
        """Chi-square with the priors; a function of the values alone.

        Raises
        ------
        CyldiffError
            if the model has no solution there.
        """

    def gradient(self, values: Values) -> Array:
        """Its derivatives, shape (n,)."""


def guarded(objective: Objective, values: Values) -> float:
    """Chi-square; a model that cannot be solved is a bad model, not the end of a fit."""
    try:
        found = objective(values)
    except CyldiffError:
        return IMPOSSIBLE
    return found if np.isfinite(found) else IMPOSSIBLE

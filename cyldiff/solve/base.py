"""What every solver returns besides the field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cyldiff.operators import TransportOperator

__all__ = ["Record", "SolveReport", "Solver"]

Array = NDArray[np.float64]


class Solver(Protocol):
    """What the chain of nuclides needs of a solver; on several ranks all of them call it together."""

    @property
    def state(self) -> dict[str, float]:
        """What it remembers from one nuclide to the next."""
        ...

    def restore(self, state: dict[str, float]) -> None:
        """Continue from a state."""
        ...

    def solve(
        self,
        operator: TransportOperator,
        source: Array,
        *,
        guess: Array | None = None,
        feedback: Callable[[Array], Array] | None = None,
        name: str = "field",
    ) -> tuple[Array, SolveReport]:
        """Solution of A x = source + feedback(x)."""
        ...

    def close(self) -> None:
        """Give back what is held outside Python; the solver can still be used again."""
        ...


class Record(Protocol):
    """Finished nuclides that outlive the process (a checkpoint)."""

    def restore(self, name: str) -> dict[str, Any] | None:
        """What was kept of a nuclide, this rank's part of it, or None."""
        ...

    def keep(self, name: str, kept: dict[str, Any]) -> None:
        """Keep a finished nuclide."""
        ...


@dataclass(frozen=True, slots=True)
class SolveReport:
    """How a solve ended.

    Attributes
    ----------
    method : "stationary", "gmres", "azimuthal", "direct" or "petsc" with the Krylov method
    steps : factored pseudo-time steps spent (matrix-vector work included)
    residual : true relative residual, the largest over momenta of
        sum |q - A x| V / sum (source + gain from other momenta) V
    history : residual after every cycle
    """

    method: str
    steps: int
    residual: float
    history: tuple[float, ...]

"""What every solver returns besides the field."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SolveReport"]


@dataclass(frozen=True, slots=True)
class SolveReport:
    """How a solve ended.

    Attributes
    ----------
    method : "stationary", "gmres" or "direct"
    steps : factored pseudo-time steps spent (matrix-vector work included)
    residual : true relative residual, the largest over momenta of
        sum |q - A x| V / sum (source + gain from other momenta) V
    history : residual after every cycle
    """

    method: str
    steps: int
    residual: float
    history: tuple[float, ...]

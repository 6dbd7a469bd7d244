"""One cycle of the steady solver's sweeps as a preconditioner on overlapping parts of the grid.

Restricted additive Schwarz: every rank extends its part by a few r cells of its neighbours, sweeps
along the lines of that block, and keeps the result in its own cells. The sweeps make the number of
iterations independent of the resolution, the overlap nearly so of a moderate number of ranks: what is wrong
at a cut is damped over the height of the halo by escape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cyldiff.grid import Grid
from cyldiff.operators import TransportOperator
from cyldiff.operators.operator import AxisTerm
from cyldiff.parallel.comm import Comm
from cyldiff.parallel.partition import Partition
from cyldiff.solve.azimuthal import meridional_sweeps
from cyldiff.solve.steady import SteadySolver

__all__ = ["OverlappingSweeps"]

Array = NDArray[np.float64]


class OverlappingSweeps:
    """Approximate inverse of the operator of all ranks.

    Parameters
    ----------
    whole : grid of all ranks
    overlap : r cells taken from each neighbour, at most what it has
    """

    def __init__(self, whole: Grid, comm: Comm, *, overlap: int) -> None:
        self.whole, self.comm = whole, comm
        partition = Partition(whole.r.n, comm.size)
        self.low, self.high = partition.range(comm.rank)
        self.overlap = min(overlap, partition.smallest) if comm.size > 1 else 0
        self.below = min(self.overlap, self.low)
        self.above = min(self.overlap, whole.r.n - self.high)
        self._solver = SteadySolver(1e-8)
        self._sweep: Callable[[Array], Array] | None = None

    def set_operator(self, operator: TransportOperator) -> None:
        """Prepare for the operator of this rank's part."""
        self._solver.forget()
        self._sweep = meridional_sweeps(self._solver, self._extended(operator))

    def apply(self, defect: Array) -> Array:
        """Correction for a defect, both fields of this rank's part; linear."""
        assert self._sweep is not None
        correction = self._sweep(self._with_neighbours(defect))
        return correction[:, self.below : self.below + self.high - self.low]

    def _with_neighbours(self, field: Array) -> Array:
        """A field with the cells of the neighbours that the block overlaps."""
        if self.overlap == 0:
            return field
        taken = self.comm.neighbours(field[:, : self.overlap], field[:, -self.overlap :])
        parts = [taken[0], field, taken[1]]
        return np.concatenate([part for part in parts if part is not None], axis=1)

    def _extended(self, operator: TransportOperator) -> TransportOperator:
        """The operator on this rank's part and the overlap."""
        if self.overlap == 0:
            return operator
        wide = self._with_neighbours
        none = np.zeros(1)
        space = {
            name: AxisTerm(wide(term.lower), wide(term.upper), wide(term.diagonal), (none, none))
            for name, term in operator.space.items()
        }
        diffusion = operator.reacceleration
        return replace(
            operator,
            grid=self.whole.part(self.low - self.below, self.high + self.above),
            space=space,
            momentum={offset: wide(gain) for offset, gain in operator.momentum.items()},
            diagonal=wide(operator.diagonal),
            loss_rate=wide(operator.loss_rate),
            sink_rate=wide(operator.sink_rate),
            reacceleration=None if diffusion is None else {k: wide(v) for k, v in diffusion.items()},
            D_center=wide(operator.D_center),
        )

"""Which cells belong to which rank: contiguous ranges in r, everything above them included."""

from __future__ import annotations

from dataclasses import dataclass

from cyldiff.errors import GridError
from cyldiff.grid import Grid
from cyldiff.parallel.comm import Comm

__all__ = ["Partition", "own_part"]


@dataclass(frozen=True, slots=True)
class Partition:
    """`cells` r cells over `ranks` ranks, as evenly as they go.

    Raises
    ------
    GridError    for more ranks than cells
    """

    cells: int
    ranks: int

    def __post_init__(self) -> None:
        if self.ranks > self.cells:
            one = "a slab has one r cell" if self.cells == 1 else f"the grid has {self.cells} r cells"
            raise GridError(f"{self.ranks} ranks are too many: {one}; start at most {self.cells}")

    def range(self, rank: int) -> tuple[int, int]:
        """First cell of a rank, and the one after its last."""
        return rank * self.cells // self.ranks, (rank + 1) * self.cells // self.ranks

    @property
    def smallest(self) -> int:
        """Fewest cells that a rank has."""
        return self.cells // self.ranks


def own_part(grid: Grid, comm: Comm) -> Grid:
    """The part of a grid that belongs to this rank; the grid itself if there is one rank only."""
    low, high = Partition(grid.r.n, comm.size).range(comm.rank)
    return grid if comm.size == 1 else grid.part(low, high, over_parts=comm.sum_number)

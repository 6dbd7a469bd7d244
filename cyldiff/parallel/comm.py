"""How ranks talk: a small interface, its serial twin (rank 0 of 1) and the one on mpi4py.

Everything else calls these methods and works the same on one rank, without mpi4py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import CyldiffError
from cyldiff.parallel.launch import launched_ranks

__all__ = ["Comm", "MpiComm", "get_comm"]

Array = NDArray[np.float64]


class Comm:
    """Rank 0 of 1: every reduction returns what it was given."""

    rank = 0
    size = 1

    def sum(self, values: Array) -> Array:
        """Sum of an array over all ranks, on all ranks."""
        return values

    def sum_number(self, value: float) -> float:
        """Sum of a number over all ranks, on all ranks."""
        return float(self.sum(np.array([value]))[0])

    def any(self, condition: bool) -> bool:
        """Whether it is true on some rank."""
        return bool(self.sum_number(float(condition)) > 0.0)

    def maximum(self, values: Array) -> Array:
        """Largest of an array over all ranks, on all ranks."""
        return values

    def broadcast(self, thing: Any) -> Any:
        """What rank 0 has, on all ranks."""
        return thing

    def from_all(self, thing: Any) -> list[Any]:
        """What every rank has, on all ranks, by rank."""
        return [thing]

    def gather(self, field: Array, axis: int) -> Array | None:
        """The parts of a field joined along the axis of r on rank 0; None on the others."""
        return field

    def neighbours(self, low: Array, high: Array) -> tuple[Array | None, Array | None]:
        """Give `low` to the rank below and `high` to the rank above; take what they give in return.

        What is taken has the shape of what is given; None where there is no neighbour.
        """
        return None, None


class MpiComm(Comm):
    """The same on an MPI communicator (of mpi4py)."""

    def __init__(self, mpi: Any) -> None:
        self.mpi = mpi
        self.rank, self.size = mpi.Get_rank(), mpi.Get_size()

    def sum(self, values: Array) -> Array:
        """Sum of an array over all ranks, on all ranks."""
        return self._reduced(values, "SUM")

    def maximum(self, values: Array) -> Array:
        """Largest of an array over all ranks, on all ranks."""
        return self._reduced(values, "MAX")

    def _reduced(self, values: Array, operation: str) -> Array:
        from mpi4py import MPI

        given = np.ascontiguousarray(values, dtype=float)
        total = np.empty_like(given)
        self.mpi.Allreduce(given, total, op=getattr(MPI, operation))
        return total

    def broadcast(self, thing: Any) -> Any:
        """What rank 0 has, on all ranks."""
        return self.mpi.bcast(thing)

    def from_all(self, thing: Any) -> list[Any]:
        """What every rank has, on all ranks, by rank."""
        return list(self.mpi.allgather(thing))

    def gather(self, field: Array, axis: int) -> Array | None:
        """The parts of a field joined along the axis of r on rank 0, one message per rank."""
        shapes = self.mpi.gather(field.shape)
        if self.rank > 0:
            self.mpi.Send(np.ascontiguousarray(field), dest=0)
            return None
        parts = [field]
        for rank in range(1, self.size):
            part = np.empty(shapes[rank])
            self.mpi.Recv(part, source=rank)
            parts.append(part)
        return np.concatenate(parts, axis=axis)

    def neighbours(self, low: Array, high: Array) -> tuple[Array | None, Array | None]:
        """Exchange with the ranks below and above, both at the same time."""
        requests: list[Any] = []
        taken: list[Array | None] = []
        for given, other, up in ((low, self.rank - 1, 0), (high, self.rank + 1, 1)):
            if not 0 <= other < self.size:
                taken.append(None)
                continue
            received = np.empty(given.shape)
            requests.append(self.mpi.Irecv(received, source=other, tag=1 - up))
            requests.append(self.mpi.Isend(np.ascontiguousarray(given), dest=other, tag=up))
            taken.append(received)
        for request in requests:
            request.Wait()
        return taken[0], taken[1]


def get_comm() -> Comm:
    """All processes of an MPI launch, or the serial twin where there is one process.

    Raises
    ------
    CyldiffError
        if a launcher started several processes and mpi4py is missing or belongs to another MPI.
    """
    wanted = launched_ranks()
    if wanted == 1:
        return Comm()
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise CyldiffError(
            f"{wanted} processes were started, but mpi4py cannot be used ({error}); see docs/clusters.md"
        ) from None
    if MPI.COMM_WORLD.Get_size() != wanted:
        raise CyldiffError(
            f"the launcher started {wanted} processes, but each of them is alone: "
            "mpiexec and mpi4py belong to different MPI libraries; see docs/clusters.md"
        )
    return MpiComm(MPI.COMM_WORLD)

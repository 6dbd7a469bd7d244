"""What a process knows of an MPI launch without MPI, and how it ends with the others.

Imports nothing but the standard library: the command line needs it before anything else.
"""

from __future__ import annotations

import os
import sys
import time
from typing import NoReturn

__all__ = ["end", "launched_rank", "launched_ranks", "work_alone"]

#: with these Open MPI, MPICH and its kin, and srun tell a process how many there are, and which it is
_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")
_RANKS = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID")
#: how long a rank that failed waits for rank 0 to report the same error first [s]
GRACE = 2.0
#: whether this process solves by itself, whatever the launcher started
_state = {"alone": False}


def work_alone() -> None:
    """Take no notice of the other processes of the launch from now on: for a worker, which has members of its own."""
    _state["alone"] = True


def launched_ranks() -> int:
    """Number of processes the MPI launcher says there are; 1 without one, and for a worker."""
    if _state["alone"]:
        return 1
    return max([1, *(int(os.environ[name]) for name in _SIZES if os.environ.get(name, "").isdigit())])


def launched_rank() -> int:
    """Number of this process as the MPI launcher counts; 0 without one."""
    if launched_ranks() == 1:
        return 0
    return next((int(os.environ[name]) for name in _RANKS if os.environ.get(name, "").isdigit()), 0)


def _tell(message: str) -> None:
    """A message on standard error, if that takes one: the status says it too."""
    if sys.stderr is None:
        return
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends


def end(message: str, status: int) -> NoReturn:
    """End the process with a message on standard error; under MPI, all of them with one message.

    Rank 0 reports at once. Another rank gives rank 0, which mostly meets the same error, the time to
    do so before it speaks for itself. Nobody waits for a rank that is gone.
    """
    if "mpi4py.MPI" not in sys.modules or launched_ranks() == 1:
        if launched_rank() == 0:
            _tell(message)
        sys.exit(status)
    rank = launched_rank()
    if rank > 0:
        time.sleep(GRACE)
        message = f"rank {rank}: {message}"
    _tell(message)
    sys.modules["mpi4py.MPI"].COMM_WORLD.Abort(status)
    sys.exit(status)

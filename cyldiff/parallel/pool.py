"""Workers that make an object once and call it on many small tasks: for samplers, step after step.

An ensemble (:mod:`cyldiff.parallel.ensemble`) hands out runs that know nothing of each other; here the
workers stay, so that what is expensive to prepare is prepared once in each.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any, Self

from cyldiff import registry
from cyldiff.errors import CyldiffError, nearest, quoted
from cyldiff.parallel.executors import (
    EXECUTORS,
    deaf_workers,
    mpi_pool,
    one_thread,
    start_worker,
    stop_workers,
)

__all__ = ["Pool", "check_executor"]

Call = Callable[[Any], Any]


class Pool:
    """Calls ``make()(task)`` for tasks, in this process, in others of this machine, or on ranks of MPI.

    Parameters
    ----------
    make : returns the function to call; of a module, or a partial of one, because workers import it
    executor : "serial", "processes", or "mpi" for ``mpiexec -n N python -m mpi4py.futures …``
    workers : processes; default all cores this process may use, with MPI all ranks but the first

    Raises
    ------
    CyldiffError
        for an unknown executor, less than one worker, or MPI that is not there.
    """

    def __init__(
        self, make: Callable[[], Call], *, executor: str = "processes", workers: int | None = None
    ) -> None:
        check_executor(executor, workers)
        self._make = make
        self._pool: Executor | None = None
        self._here: Call | None = None
        self.executor = executor
        self.workers = 1 if executor == "serial" else workers or len(os.sched_getaffinity(0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            if kind is not None and not issubclass(kind, Exception):
                stop_workers(self._pool)
            self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def map(self, tasks: Iterable[Any]) -> list[Any]:
        """Results in the order of the tasks.

        Raises
        ------
        CyldiffError
            if a worker died; exceptions of the function come through.
        """
        if self.executor == "serial" or (self.executor == "processes" and self.workers == 1):
            if self._here is None:
                self._here = self._make()
            return [self._here(task) for task in tasks]
        with one_thread():
            if self._pool is None:
                self._pool = self._open()
            try:
                with deaf_workers():
                    values = self._pool.map(_call, list(tasks))
                return list(values)
            except BrokenProcessPool:
                raise CyldiffError(
                    "a worker process died (killed, out of memory, or a crash below Python)"
                ) from None

    def _open(self) -> Executor:
        if self.executor == "mpi":
            return mpi_pool(None, initializer=_prepare, initargs=(self._make, registry.baggage()))
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            self.workers, mp_context=context, initializer=_prepare, initargs=(self._make, registry.baggage())
        )


def check_executor(executor: str, workers: int | None) -> None:
    """Refuse, before any work, a name that no executor has, and less than one worker.

    Raises
    ------
    CyldiffError
        with what is wrong.
    """
    if executor not in EXECUTORS:
        raise CyldiffError(
            f"executor {quoted(executor)} unknown; known: {', '.join(EXECUTORS)}{nearest(executor, EXECUTORS)}"
        )
    if workers is not None and workers < 1:
        raise CyldiffError(f"{workers} workers; expected at least 1")


class _Worker:
    """What a worker process has made."""

    make: Callable[[], Call] | None = None
    made: Call | None = None


def _prepare(make: Callable[[], Call], carried: registry.Baggage) -> None:
    start_worker(carried)
    _Worker.make = make


def _call(task: Any) -> Any:
    """Make the function with the first task, so that its errors have somewhere to go."""
    if _Worker.made is None:
        assert _Worker.make is not None
        _Worker.made = _Worker.make()
    return _Worker.made(task)

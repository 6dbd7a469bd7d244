"""Where the members of an ensemble run: this process, processes of this machine, ranks of MPI.

An executor turns tasks into pairs (number of the task, result) in the order of completion. A result is
what the function returned, or an exception: of a worker that died, or of a value that cannot travel.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol

from cyldiff import registry
from cyldiff.errors import CyldiffError
from cyldiff.parallel.launch import work_alone

__all__ = [
    "EXECUTORS",
    "Executor",
    "MPIRanks",
    "Processes",
    "Serial",
    "deaf_workers",
    "mpi_pool",
    "one_thread",
    "start_worker",
    "stop_workers",
]

Call = Callable[[Any], Any]
Results = Iterator[tuple[int, Any]]

#: libraries that would start threads in every worker
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
_NUMBA = "NUMBA_NUM_THREADS"
_DIED = "its process died (killed, out of memory, or a crash below Python)"


class Executor(Protocol):
    """Runs tasks somewhere."""

    def __init__(self, workers: int | None) -> None:
        """Prepare for a number of workers."""

    def run(self, function: Call, tasks: Sequence[Any]) -> Results:
        """Call the function on every task; pairs (number, result or exception) as they come."""


class Serial:
    """One after the other in this process; a crash ends it."""

    def __init__(self, workers: int | None) -> None:
        pass

    def run(self, function: Call, tasks: Sequence[Any]) -> Results:
        """Results in order."""
        for number, task in enumerate(tasks):
            yield number, function(task)


class Processes:
    """Processes of this machine, each with one thread; they are spawned, so that nothing is inherited.

    When a worker dies the whole pool breaks, and nobody knows which of the tasks in flight it was. No
    more tasks than workers are in flight; after a break each of them is run again in a process of its
    own, and only the one that dies there as well is given up.
    """

    def __init__(self, workers: int | None) -> None:
        if workers is not None and workers < 1:
            raise CyldiffError(f"{workers} workers; expected at least 1")
        self.workers = workers or len(os.sched_getaffinity(0))

    def run(self, function: Call, tasks: Sequence[Any]) -> Results:
        """Results as they come."""
        waiting = deque(range(len(tasks)))
        with one_thread():
            while waiting:
                suspects: list[int] = []
                yield from self._until_broken(function, tasks, waiting, suspects)
                for number in suspects:
                    yield number, self._alone(function, tasks[number])

    def _until_broken(
        self, function: Call, tasks: Sequence[Any], waiting: deque[int], suspects: list[int]
    ) -> Results:
        """Work off `waiting`; if the pool breaks, the tasks in flight become `suspects`."""
        pool = self._pool(min(self.workers, len(waiting)))
        running: dict[Future[Any], int] = {}
        try:
            while (waiting or running) and not suspects:
                try:
                    while waiting and len(running) < self.workers:
                        with deaf_workers():
                            running[pool.submit(function, tasks[waiting[0]])] = waiting[0]
                        waiting.popleft()
                    finished = wait(running, return_when=FIRST_COMPLETED).done
                except BrokenProcessPool:
                    finished = set(running)
                for future in finished:
                    number = running.pop(future)
                    error = future.exception() if future.done() else BrokenProcessPool()
                    if isinstance(error, BrokenProcessPool):
                        suspects.append(number)
                    else:
                        yield number, future.result() if error is None else error
                if suspects:
                    suspects.extend(running.values())
                    suspects.sort()
        except BaseException:
            stop_workers(pool)
            raise
        finally:
            # without waiting, so that an interrupt takes effect at once
            pool.shutdown(wait=not running, cancel_futures=True)

    def _alone(self, function: Call, task: Any) -> Any:
        with self._pool(1) as pool:
            try:
                with deaf_workers():
                    future = pool.submit(function, task)
                return future.result()
            except BrokenProcessPool:
                return CyldiffError(_DIED)
            except Exception as error:  # the value cannot travel
                return error
            except BaseException:
                stop_workers(pool)
                raise

    def _pool(self, workers: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=start_worker,
            initargs=(registry.baggage(),),
        )


class MPIRanks:
    """Ranks of ``mpiexec -n N python -m mpi4py.futures SCRIPT``: rank 0 hands out, the others work.

    The death of a rank ends the job, as MPI has it; run again with the same folder to go on.
    """

    def __init__(self, workers: int | None) -> None:
        self.pool = mpi_pool(workers, initializer=start_worker, initargs=(registry.baggage(),))

    def run(self, function: Call, tasks: Sequence[Any]) -> Results:
        """Results as they come."""
        with self.pool as pool:
            running = {pool.submit(function, task): number for number, task in enumerate(tasks)}
            try:
                while running:
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        error = future.exception()
                        yield running.pop(future), future.result() if error is None else error
            finally:
                for future in running:
                    future.cancel()


def mpi_pool(workers: int | None, **options: Any) -> Any:
    """Pool of mpi4py.futures.

    Raises
    ------
    CyldiffError
        if mpi4py cannot be imported.
    """
    try:
        from mpi4py.futures import MPIPoolExecutor
    except ImportError as error:
        raise CyldiffError(
            f'executor = "mpi" needs mpi4py, which cannot be imported ({error}); '
            'install it (pip install mpi4py) beside an MPI library, or use executor = "processes"'
        ) from None
    return MPIPoolExecutor(workers, **options)


#: executors by name
EXECUTORS: dict[str, type[Executor]] = {"processes": Processes, "serial": Serial, "mpi": MPIRanks}


def start_worker(carried: registry.Baggage = ((), ())) -> None:
    """One thread of numba too, which reads this when it compiles; its cache on disk serves all workers.

    A rank of MPI that works for an ensemble solves by itself. `carried` are the kinds that do not come with
    cyldiff, see :func:`cyldiff.registry.baggage`.
    """
    work_alone()
    for name in (*_THREADS, _NUMBA):
        os.environ.setdefault(name, "1")
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_after, args=(parent,), daemon=True).start()
    registry.arrive(carried)


def _leave_after(parent: Any) -> None:
    """A worker whose parent was killed would wait for tasks for ever."""
    parent.join()
    os._exit(1)


@contextmanager
def deaf_workers() -> Iterator[None]:
    """Let processes that start now not hear Ctrl-C, which the terminal sends to all of them.

    They would answer with a traceback each. Here the signal waits until the start is done; who is interrupted
    ends the workers, see :func:`stop_workers`.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def stop_workers(pool: Any) -> None:
    """End the processes of a pool at once; a pool of another kind is left alone."""
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.terminate()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let processes that start now have one thread of linear algebra each, unless the user has chosen."""
    new = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(new, "1"))
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)

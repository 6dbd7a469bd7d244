"""Run a function on many members: parameter sets, source histories, resolutions.

    members ─► executor (serial, processes, MPI) ─► outcomes, one by one, into a folder

A member that fails, or whose process dies, is reported and does not end the rest. What is done is
kept: the same call goes on where an interrupted one was. Results do not depend on the executor, on
the number of workers, or on the order.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cyldiff.errors import CyldiffError, nearest
from cyldiff.parallel.executors import EXECUTORS, Executor
from cyldiff.parallel.store import Store, fingerprint

__all__ = ["Ensemble", "Member", "Outcome", "run_ensemble"]

_log = logging.getLogger(__name__)

Progress = Callable[["Outcome", int, int], None]


@dataclass(frozen=True, slots=True)
class Member:
    """One run of an ensemble, as the function sees it.

    Attributes
    ----------
    name : unique in the ensemble
    argument : anything that can be pickled: overrides, a config, numbers
    root_seed : of the ensemble
    """

    name: str
    argument: Any = None
    root_seed: int = 0

    @property
    def seed(self) -> np.random.SeedSequence:
        """Seed of this member: from its name and the root seed alone, hence the same in every order."""
        words = np.frombuffer(hashlib.sha256(self.name.encode()).digest(), dtype="<u4")
        return np.random.SeedSequence([self.root_seed, *words.tolist()])

    def generator(self) -> np.random.Generator:
        """A fresh random generator of this member."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a member.

    Attributes
    ----------
    name : of the member
    done : False if it failed
    value : what the function returned; None if it failed
    message : why it failed, in a line
    details : the traceback, if there is one
    seconds : wall time of the function
    stored : taken from the folder instead of run
    """

    name: str
    done: bool
    value: Any = None
    message: str = ""
    details: str = ""
    seconds: float = 0.0
    stored: bool = False


@dataclass(frozen=True)
class Ensemble:
    """All outcomes, in the order of the members."""

    outcomes: tuple[Outcome, ...]

    @property
    def values(self) -> dict[str, Any]:
        """Name and result of the members that are done."""
        return {o.name: o.value for o in self.outcomes if o.done}

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The members that are not."""
        return tuple(o for o in self.outcomes if not o.done)

    def check(self) -> Ensemble:
        """Return itself if no member failed.

        Raises
        ------
        CyldiffError
            naming every member that failed, with its message.
        """
        if self.failed:
            lines = [f"{len(self.failed)} of {len(self.outcomes)} members failed"]
            raise CyldiffError("\n".join([*lines, *(f"  {o.name}: {o.message}" for o in self.failed)]))
        return self


def run_ensemble(
    members: Mapping[str, Any] | Iterable[str | Member],
    function: Callable[[Member], Any],
    *,
    executor: Literal["processes", "serial", "mpi"] = "processes",
    workers: int | None = None,
    folder: str | Path | None = None,
    retry_failed: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Ensemble:
    """Run ``function(member)`` for every member.

    Parameters
    ----------
    members : name -> argument, or names, or members
    function : of a module (not a lambda), called in the worker with a :class:`Member`. It reduces the
        result there: what it returns travels back and into the folder. An xarray object becomes a NetCDF
        file; numbers, text, lists, tables and arrays go into the record of the member.
    executor : "processes" on this machine; "mpi" for ``mpiexec -n N python -m mpi4py.futures SCRIPT``;
        "serial" in this process
    workers : processes; default all cores, with MPI all ranks but the first
    folder : where outcomes are kept; a member that is there with the same argument, function and seed is
        not run again
    retry_failed : run members again that the folder holds as failed
    seed : root of the members' seeds
    progress : called with every outcome, the number of members ready, and that of all

    Returns
    -------
    Ensemble    outcomes in the order of the members

    Raises
    ------
    CyldiffError
        for two members of one name, a function or argument that cannot be sent to a worker, an unknown
        executor, or MPI that is not there. A member that fails is no error, see :meth:`Ensemble.check`.
    """
    chosen = _members(members, seed)
    _check_executor(executor)
    if executor != "serial":
        _check_picklable(function, chosen)
    store = None if folder is None else Store(Path(folder))
    prints = {m.name: fingerprint(m.argument, function, m.root_seed) for m in chosen} if store else {}
    ready: dict[str, Outcome] = {}
    for member in chosen if store else ():
        record = store.read(member.name, prints[member.name]) if store else None
        if record is not None and (record["done"] or not retry_failed):
            ready[member.name] = Outcome(**record, stored=True)
    for outcome in ready.values():
        _report(outcome, progress, len(ready), len(chosen))
    left = [m for m in chosen if m.name not in ready]
    if left:
        with closing(_run(EXECUTORS[executor](workers), function, left)) as outcomes:
            for outcome in outcomes:
                kept = outcome if store is None else _kept(store, outcome, prints[outcome.name])
                ready[kept.name] = kept
                _report(kept, progress, len(ready), len(chosen))
    return Ensemble(tuple(ready[m.name] for m in chosen))


def _run(
    pool: Executor, function: Callable[[Member], Any], members: list[Member]
) -> Generator[Outcome, None, None]:
    """Outcomes as they come; a member whose worker died, or whose value stays there, becomes a failed one."""
    for number, result in pool.run(_call, [(function, m) for m in members]):
        if isinstance(result, Outcome):
            yield result
        else:
            message = str(result)
            if not isinstance(result, CyldiffError):  # `_call` catches all others in the worker
                message = f"its value cannot be sent back from the worker: it cannot be pickled ({message})"
            yield Outcome(members[number].name, done=False, message=message)


def _call(task: tuple[Callable[[Member], Any], Member]) -> Outcome:
    """Run one member in the worker; an exception becomes its message."""
    function, member = task
    started = time.perf_counter()
    try:
        value = function(member)
    except Exception as error:  # one member must not end the others
        message = str(error) if isinstance(error, CyldiffError) else f"{type(error).__name__}: {error}"
        outcome = Outcome(member.name, done=False, message=message, details=traceback.format_exc())
    else:
        outcome = Outcome(member.name, done=True, value=value)
    return replace(outcome, seconds=time.perf_counter() - started)


def _kept(store: Store, outcome: Outcome, mark: str) -> Outcome:
    """Write an outcome; one whose value cannot be written has failed."""
    try:
        store.write(outcome, mark)
    except CyldiffError as error:
        outcome = replace(outcome, done=False, value=None, message=str(error))
        store.write(outcome, mark)
    return outcome


def _report(outcome: Outcome, progress: Progress | None, ready: int, total: int) -> None:
    if not outcome.done:
        _log.warning("%s failed: %s", outcome.name, outcome.message)
    if progress is not None:
        progress(outcome, ready, total)


def _members(members: Mapping[str, Any] | Iterable[str | Member], seed: int) -> list[Member]:
    if isinstance(members, Mapping):
        chosen = [Member(name, argument) for name, argument in members.items()]
    else:
        chosen = [m if isinstance(m, Member) else Member(m) for m in members]
    names = [m.name for m in chosen]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise CyldiffError(f"members must have different names; found twice: {', '.join(twice)}")
    return [replace(m, root_seed=seed) for m in chosen]


def _check_executor(name: str) -> None:
    if name not in EXECUTORS:
        known = ", ".join(EXECUTORS)
        raise CyldiffError(f'executor "{name}" unknown; known: {known}{nearest(name, EXECUTORS)}')


def _check_picklable(function: Callable[[Member], Any], members: list[Member]) -> None:
    """A worker imports the function by name; say so before anything starts."""
    for what, thing in (
        ("the function", function),
        *((f"the argument of {m.name}", m.argument) for m in members),
    ):
        try:
            pickle.dumps(thing)
        except Exception as error:  # pickle raises what the object raises
            raise CyldiffError(
                f"{what} cannot be sent to a worker ({error}); "
                'define it at the top level of a module, or use executor = "serial"'
            ) from None

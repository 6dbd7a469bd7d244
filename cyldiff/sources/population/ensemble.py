"""Many realisations on many processes: batches of fixed size, each from its numbers alone.

A realisation depends on the seed and its number only, and a batch on the numbers in it, so that the result is
the same, to the last bit, for any number of processes and any order. With a folder, finished batches are kept
and an interrupted call goes on where it was.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.config.toml import to_toml
from cyldiff.parallel.ensemble import Member, Outcome, run_ensemble
from cyldiff.sources.population.evaluate import Evaluation
from cyldiff.sources.population.load import LoadedPopulation, load_population_mapping
from cyldiff.sources.population.model import PopulationModel

__all__ = ["Sample", "evaluate_batch", "forget_batches", "progress_bar", "run_realisations"]

Array = NDArray[np.float64]
#: one row per realisation: name -> array
Sample = dict[str, Any]

#: realisations of a batch, at most; its cost is what an interruption can lose
_BATCH = 50
#: realisations times observers of a batch, about
_EVALUATIONS = 2000


def run_realisations(loaded: LoadedPopulation, *, processes: int | None, quiet: bool = True) -> Sample:
    """All realisations of a population, first axis in their order.

    Parameters
    ----------
    processes : on this machine; None for one per core, 1 for this process
    quiet : no progress on the terminal

    Returns
    -------
    dict of arrays: intensity (n, observers, species, n_e), number, number_active, number_excluded (n,), and
    what the output asks for: gradient (n, species, n_e, 3); brightest_* (n,)

    Raises
    ------
    CyldiffError
        if a batch fails.
    """
    # what a batch does not depend on is left out, so that more realisations go on where fewer ended
    common = {**loaded.resolved["draw"], "realisations": 1, "checkpoint": ""}
    fluxes = {key: value for key, value in loaded.resolved.items() if key != "gamma"}
    text, n = to_toml({**fluxes, "draw": common}), loaded.config.draw.realisations
    batch = _batch_size(loaded)
    members = {}
    for first in range(0, n, batch):
        last = min(first + batch, n)
        members[f"realisations {first} to {last - 1}"] = {"config": text, "first": first, "last": last}
    with progress_bar(n, batch, quiet) as progress:
        ensemble = run_ensemble(
            members,
            evaluate_batch,
            executor="serial" if processes == 1 or len(members) == 1 else "processes",
            workers=processes,
            folder=loaded.config.draw.checkpoint or None,
            seed=loaded.config.draw.seed,
            progress=progress,
        ).check()
    batches = list(ensemble.values.values())
    return {name: np.concatenate([np.asarray(b[name]) for b in batches]) for name in batches[0]}


def _batch_size(loaded: LoadedPopulation) -> int:
    """Realisations of a batch: a matter of the config, not of the number of processes."""
    ring = loaded.config.observers.ring
    observers = 1 + (ring.n if ring is not None else 0)
    return min(_BATCH, max(1, _EVALUATIONS // observers))


def forget_batches(loaded: LoadedPopulation) -> None:
    """Remove the batches of a result that is written; other files of the folder stay, and the folder with them."""
    folder = loaded.config.draw.checkpoint
    if not folder:
        return
    for place in (Path(folder) / "gamma", Path(folder)):
        for file in place.glob("realisations_*"):
            file.unlink(missing_ok=True)
        with suppress(OSError):
            place.rmdir()


def evaluate_batch(member: Member) -> xr.Dataset:
    """Realisations `first` to `last` - 1 of a config: the function that goes to the workers."""
    evaluation = _evaluation(member.argument["config"])
    output = evaluation.model.config.output
    rows: dict[str, list[Any]] = {}
    for index in range(member.argument["first"], member.argument["last"]):
        for name, value in _row(evaluation, index, output).items():
            rows.setdefault(name, []).append(value)
    return xr.Dataset(
        {name: (_dims(name, np.ndim(values[0])), np.asarray(values)) for name, values in rows.items()}
    )


def _row(evaluation: Evaluation, index: int, output: Any) -> dict[str, Any]:
    realisation = evaluation.model.draw.realisation(index)
    distance = realisation.distance(evaluation.model.draw.sun)
    active = np.flatnonzero(realisation.active)
    nearest = active[np.argmin(distance[active])] if len(active) else -1
    row = {
        "intensity": evaluation.intensity(realisation),
        "number": len(realisation),
        "number_active": len(active),
        "number_excluded": realisation.excluded,
        "nearest_active_distance": distance[nearest] if nearest >= 0 else np.nan,
        "nearest_active_age": realisation.age[nearest] if nearest >= 0 else np.nan,
    }
    if output.gradient:
        row["gradient"] = evaluation.gradient(realisation)
    if output.brightest_at is not None:
        found = evaluation.brightest(realisation, output.brightest_at)
        there = found.number >= 0
        row["brightest_share"] = found.share
        row["brightest_distance"] = distance[found.number] if there else np.nan
        row["brightest_age"] = realisation.age[found.number] if there else np.nan
        row["brightest_energy"] = realisation.energy[found.number] if there else np.nan
    return row


def _dims(name: str, ndim: int) -> tuple[str, ...]:
    return ("realisation", *(f"{name}_{axis}" for axis in range(ndim)))


@lru_cache(maxsize=4)
def _evaluation(text: str) -> Evaluation:
    """Everything that realisations of a config share, once per process."""
    loaded = load_population_mapping(tomllib.loads(text), source="population")
    return Evaluation(PopulationModel(loaded.config))


@contextmanager
def progress_bar(total: int, batch: int, quiet: bool) -> Iterator[Callable[[Outcome, int, int], None] | None]:
    """A bar of realisations on a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=total, desc="realisations", leave=False, unit="") as bar:

        def advance(outcome: Outcome, ready: int, members: int) -> None:
            bar.update(min(batch, total - bar.n))

        yield advance

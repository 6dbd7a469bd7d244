"""Gamma rays of many realisations on many processes; see :mod:`cyldiff.sources.population.ensemble`."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.config.toml import to_toml
from cyldiff.parallel.ensemble import Member, run_ensemble
from cyldiff.sources.population.ensemble import progress_bar
from cyldiff.sources.population.gamma import GammaEvaluation
from cyldiff.sources.population.gamma_parts import gamma_of
from cyldiff.sources.population.load import LoadedPopulation, load_population_mapping
from cyldiff.sources.population.model import gamma_model

__all__ = ["GammaRows", "evaluate_gamma_batch", "gamma_evaluation", "run_gamma"]

Array = NDArray[np.float64]
#: name -> array: of regions one row per realisation, of members (names with ``member_``) one row per member
GammaRows = dict[str, Any]

#: realisations of a batch; its cost is what an interruption can lose
_BATCH = 4
#: folder of finished batches below that of the fluxes
FOLDER = "gamma"


def run_gamma(loaded: LoadedPopulation, *, processes: int | None, quiet: bool = True) -> GammaRows:
    """Gamma rays of the first realisations of a population with a section ``[gamma]``.

    The result does not depend on the number of processes.

    Parameters
    ----------
    processes : on this machine; None for one per core, 1 for this process
    quiet : no progress on the terminal

    Raises
    ------
    CyldiffError
        if a batch fails.
    """
    config = loaded.config
    assert config.gamma is not None
    n = config.gamma.realisations or config.draw.realisations
    common = {
        **loaded.resolved,
        "draw": {**loaded.resolved["draw"], "realisations": 1, "checkpoint": ""},
        "gamma": {k: v for k, v in loaded.resolved["gamma"].items() if k != "realisations" and v is not None},
    }
    text, members = to_toml(common), {}
    for first in range(0, n, _BATCH):
        last = min(first + _BATCH, n)
        members[f"realisations {first} to {last - 1}"] = {"config": text, "first": first, "last": last}
    with progress_bar(n, _BATCH, quiet) as progress:
        ensemble = run_ensemble(
            members,
            evaluate_gamma_batch,
            executor="serial" if processes == 1 or len(members) == 1 else "processes",
            workers=processes,
            folder=Path(config.draw.checkpoint) / FOLDER if config.draw.checkpoint else None,
            seed=config.draw.seed,
            progress=progress,
        ).check()
    batches = list(ensemble.values.values())
    return {name: np.concatenate([np.asarray(b[name]) for b in batches]) for name in batches[0]}


def evaluate_gamma_batch(member: Member) -> xr.Dataset:
    """Realisations `first` to `last` - 1 of a config: the function that goes to the workers."""
    evaluation = gamma_evaluation(member.argument["config"])
    rows: dict[str, list[Any]] = {}
    for index in range(member.argument["first"], member.argument["last"]):
        sample = gamma_of(evaluation, evaluation.model.draw.realisation(index))
        for name, value in sample.regions.items():
            rows.setdefault(name, []).append(value[None])
        n = len(sample.members["number"])
        for name, value in {"realisation": np.full(n, index), **sample.members}.items():
            rows.setdefault(f"member_{name}", []).append(value)
    arrays = {name: np.concatenate(values) for name, values in rows.items()}
    return xr.Dataset({name: (_dims(name, value.ndim), value) for name, value in arrays.items()})


def _dims(name: str, ndim: int) -> tuple[str, ...]:
    first = "member" if name.startswith("member_") else "realisation"
    return (first, *(f"{name}_{axis}" for axis in range(1, ndim)))


@lru_cache(maxsize=2)
def gamma_evaluation(text: str) -> GammaEvaluation:
    """Everything that realisations of a config share, once per process."""
    config = load_population_mapping(tomllib.loads(text), source="population").config
    assert config.gamma is not None
    return GammaEvaluation(gamma_model(config), config.gamma)

"""Whether a result can be made again here: its config, the tables it read, the version that wrote it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import xarray as xr

from cyldiff import resources
from cyldiff.config.load import LoadedConfig, load_mapping
from cyldiff.errors import ConfigError, Problem, nearest
from cyldiff.io.description import config_of, kind_of, tables_of
from cyldiff.io.difference import relative_differences
from cyldiff.io.provenance import version

__all__ = ["REPRODUCED", "Replay", "largest_difference", "obstacles", "replayable"]

#: largest relative difference of a spectrum that counts as the same number
REPRODUCED = 1e-10
_SPECTRA = ("flux_lis", "flux_toa", "flux_lis_component")

Replay = tuple[LoadedConfig | None, list[Problem]]


def replayable(dataset: xr.Dataset, path: Path) -> Replay:
    """The config of a result of a run, ready to be run again; problems where there is none."""
    kind = kind_of(dataset)
    if kind != "result of a run":
        found = kind or "a file of another kind"
        return None, [Problem("file", f"{path} holds {found}; expected the result of a run")]
    raw = config_of(dataset)
    if not raw:
        return None, [Problem("file", f"{path} carries no configuration")]
    try:
        return load_mapping(raw, source=str(path)), []
    except ConfigError as error:
        return None, list(error.problems)


def obstacles(dataset: xr.Dataset) -> list[Problem]:
    """Why the numbers could come out differently here: tables that changed, another major version."""
    return [*_version_problem(dataset), *_table_problems(tables_of(dataset))]


def _version_problem(dataset: xr.Dataset) -> list[Problem]:
    made, here = str(dataset.attrs.get("cyldiff_version", "unknown")), version()
    if made.split(".")[0] == here.split(".")[0]:
        return []
    return [Problem("version", f"made with cyldiff {made}, this is {here}: another major version")]


def _table_problems(tables: dict[str, str]) -> list[Problem]:
    places: dict[str, list[Path]] = {}
    for folder in (*resources.library("models"), resources.folder("physics")):
        for file in folder.rglob("*.csv"):
            places.setdefault(file.name, []).append(file)
    problems = []
    for name, digest in tables.items():
        found = [hashlib.sha256(file.read_bytes()).hexdigest() for file in places.get(name, [])]
        if not found:
            problems.append(Problem(name, f"this table is not here{nearest(name, places)}"))
        elif digest not in found:
            problems.append(
                Problem(name, f"the table has changed: sha256 was {digest[:12]}…, is {found[0][:12]}…")
            )
    return problems


def largest_difference(old: xr.Dataset, new: xr.Dataset) -> float:
    """Largest relative difference of all spectra at the Sun of a result and its rerun; infinite if shapes differ."""
    largest = 0.0
    for name in (n for n in _SPECTRA if n in old):
        if name not in new or old[name].shape != new[name].shape:
            return float("inf")
        largest = max(largest, float(np.max(relative_differences(old[name].values, new[name].values))))
    return largest

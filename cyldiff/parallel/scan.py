"""A grid of parameters: one run per combination, one observable of each, one dataset of all."""

from __future__ import annotations

import itertools
import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cyldiff import pipeline
from cyldiff.config.load import LoadedConfig, load_config, load_mapping
from cyldiff.errors import CyldiffError
from cyldiff.parallel.ensemble import Member, run_ensemble

__all__ = ["scan"]

Observable = Callable[[xr.Dataset], Any]


def scan(
    config: LoadedConfig | str | Path,
    parameters: Mapping[str, Sequence[Any]],
    observable: Observable,
    **options: Any,
) -> xr.Dataset:
    """Run a config for every combination of parameters and collect an observable.

    Parameters
    ----------
    config : config, or the name or path of a run file; it is read once
    parameters : dotted path of the config -> values, e.g.
        ``{"physics.diffusion.D0": ["3e28 cm^2/s", "4e28 cm^2/s"]}``
    observable : of a module, called in the worker with the result of a run; returns a number, an array,
        a DataArray or a Dataset, of the same shape for every run. For B/C at given rigidities:
        ``functools.partial(cyldiff.ratio, numerator="B", denominator="C", x=[10, 100], potential=0.6)``
    options : of :func:`cyldiff.parallel.run_ensemble`, e.g. folder, workers, executor

    Returns
    -------
    Dataset    a dimension per parameter, named by its path, before those of the observable; NaN where a
               run failed, whose message is in ``message``

    Raises
    ------
    CyldiffError
        if the config, or a single one of the values, is not valid (ConfigError with all problems), before
        anything runs; or if every run failed.
    """
    base = config if isinstance(config, LoadedConfig) else load_config(config)
    grid = {path: list(values) for path, values in parameters.items()}
    if not grid or not all(grid.values()):
        raise CyldiffError("a scan needs at least one parameter, and values for each")
    _check(base, grid)
    text = base.toml()
    members = {}
    for combination in itertools.product(*grid.values()):
        overrides = [f"{path}={_toml(value)}" for path, value in zip(grid, combination, strict=True)]
        members[", ".join(overrides)] = {"config": text, "overrides": overrides}
    ensemble = run_ensemble(members, _Observed(observable), **options)
    if not ensemble.values:
        raise CyldiffError(f"every run of the scan failed; the first: {ensemble.failed[0].message}")
    return _collected(grid, [(o.value if o.done else None, o.message) for o in ensemble.outcomes], base)


class _Observed:
    """Run a member's config and reduce the result: the function that goes to the workers."""

    def __init__(self, observable: Observable) -> None:
        self.func = observable

    def __call__(self, member: Member) -> xr.Dataset:
        loaded = _load(member.argument["config"], member.argument["overrides"])
        found = self.func(pipeline.run(loaded))
        if isinstance(found, xr.Dataset):
            return found
        if isinstance(found, xr.DataArray):
            return found.to_dataset(name=found.name or "observable")
        values = np.asarray(found)
        return xr.Dataset({"observable": ([f"axis_{n}" for n in range(values.ndim)], values)})


def _load(text: str, overrides: Sequence[str]) -> LoadedConfig:
    return load_mapping(tomllib.loads(text), overrides, source="scan")


def _check(base: LoadedConfig, grid: Mapping[str, Sequence[Any]]) -> None:
    """Every value by itself, the others at their first: a wrong path or value shows before any run."""
    text = base.toml()
    first = {path: values[0] for path, values in grid.items()}
    for path, values in grid.items():
        for value in values:
            _load(text, [f"{p}={_toml(v)}" for p, v in {**first, path: value}.items()])


def _collected(
    grid: Mapping[str, Sequence[Any]], results: Sequence[tuple[xr.Dataset | None, str]], base: LoadedConfig
) -> xr.Dataset:
    """Put the results of the combinations, last parameter fastest, into one dataset."""
    lengths = tuple(len(values) for values in grid.values())
    first = next(value for value, _ in results if value is not None)
    variables: dict[str, Any] = {}
    for name, like in first.data_vars.items():
        blank = np.full(like.shape, np.nan)
        values = [blank if value is None else value[name].values for value, _ in results]
        if any(v.shape != like.shape for v in values):
            raise CyldiffError(
                f'the observable "{name}" has another shape in some runs; expected {like.shape}'
            )
        variables[str(name)] = (
            (*grid, *like.dims),
            np.stack(values).reshape(*lengths, *like.shape),
            like.attrs,
        )
    texts = np.array([text for _, text in results], dtype=object).reshape(lengths)
    variables["message"] = (tuple(grid), texts, {"long_name": "why a run failed; empty if it did not"})
    coords = {name: coordinate.variable for name, coordinate in first.coords.items()}
    labels = {path: [_label(v) for v in values] for path, values in grid.items()}
    attrs = {"config": base.toml(), "config_source": base.source}
    return xr.Dataset(variables, coords={**coords, **labels}, attrs=attrs)


def _label(value: Any) -> Any:
    """Coordinate of a value: the number or text itself, anything else as it is written in TOML."""
    return value if isinstance(value, int | float | str) and not isinstance(value, bool) else _toml(value)


def _toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    raise CyldiffError(f"a value of type {type(value).__name__} cannot be a value of a config")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)

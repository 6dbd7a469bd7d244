"""Read a population: TOML file, the model it uses, overrides; validate; remember where each value is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cyldiff import resources
from cyldiff.config.layers import Layers
from cyldiff.config.load import Loaded, assemble
from cyldiff.config.validate import validate_as
from cyldiff.errors import ConfigError, Problem
from cyldiff.sources.population.checks import checks, history_check
from cyldiff.sources.population.schema import PopulationConfig

__all__ = ["LoadedPopulation", "load_population", "load_population_mapping"]

#: the section that may name a file of the library with ``use``
_LIBRARIES = {"model": "models"}


@dataclass(frozen=True)
class LoadedPopulation(Loaded[PopulationConfig]):
    """A valid population; `config` is a :class:`PopulationConfig`."""


def load_population(
    path: str | Path, overrides: Sequence[str] = (), *, base: Path | None = None
) -> LoadedPopulation:
    """Read and validate a population file, or a name of the library of populations.

    Parameters
    ----------
    path : file, or bare name such as "papers/kaci-2025"
    overrides : "dotted.path=value" items; the value is read as TOML, else as text
    base : folder that a relative path starts from; default the current one

    Returns
    -------
    LoadedPopulation    the valid config, with the text and the origin of every value

    Raises
    ------
    ConfigError
        with every problem found.
    """
    with resources.readable(path):
        file = resources.find("populations", str(path), beside=base)
        raw = resources.read_toml(file)
    if "run" in raw and "population" not in raw:
        known = ", ".join(resources.names("populations"))
        problem = Problem("file", f"is a run, not a population; see cyldiff run. Populations: {known}")
        raise ConfigError(str(path), [problem])
    loaded = load_population_mapping(raw, overrides, source=str(path), beside=file.parent)
    return replace(loaded, inputs=(file, *loaded.inputs))


def load_population_mapping(
    raw: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    source: str = "population",
    beside: Path | None = None,
) -> LoadedPopulation:
    """Validate a population given as nested dicts; the twin of :func:`load_population`.

    Parameters
    ----------
    raw : nested plain values, as in a file
    overrides : "dotted.path=value" items
    source : what to call it in messages
    beside : folder that relative paths in it start from; default the current one

    Raises
    ------
    ConfigError
        with every problem found.
    """
    layers = Layers(source, beside, _LIBRARIES)
    config, resolved, origin, inputs = assemble(raw, overrides, layers, _validate)
    return LoadedPopulation(config, resolved, origin, source, inputs)


def _validate(raw: Any, incomplete: frozenset[Any]) -> tuple[PopulationConfig | None, list[Problem]]:
    config, problems = validate_as(PopulationConfig, checks, raw, incomplete)
    if config is not None and not problems:
        problems = history_check(config)
    return (None if problems else config), problems

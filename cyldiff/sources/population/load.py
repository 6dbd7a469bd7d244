"""Read a population: TOML file, the model it uses, overrides; validate; remember where each value is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cyldiff import resources
from cyldiff.config.layers import Layers
from cyldiff.config.load import assemble
from cyldiff.config.toml import to_toml
from cyldiff.config.validate import validate_as
from cyldiff.errors import ConfigError, DataError, Problem
from cyldiff.sources.population.checks import checks, history_check
from cyldiff.sources.population.schema import PopulationConfig

__all__ = ["LoadedPopulation", "load_population", "load_population_mapping"]

#: the section that may name a file of the library with ``use``
_LIBRARIES = {"model": "models"}


@dataclass(frozen=True)
class LoadedPopulation:
    """A valid population with its text, complete, and the origin of every value.

    Attributes
    ----------
    config : PopulationConfig
    resolved : nested dict, everything spelled out
    origin : dotted path -> where the value was set; "default" where nobody did
    source : name of the file
    inputs : files that were read
    """

    config: PopulationConfig
    resolved: dict[str, Any]
    origin: dict[str, str]
    source: str
    inputs: tuple[Path, ...] = ()

    def toml(self) -> str:
        """The resolved config as a TOML file that reproduces this population by itself."""
        return to_toml(self.resolved)


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
    try:
        file = resources.find("populations", str(path), beside=base)
        raw = resources.read_toml(file)
    except DataError as error:
        raise ConfigError(str(path), [Problem("file", str(error).removeprefix(f"{path}: "))]) from None
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

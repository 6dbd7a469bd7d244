"""Read the model of a single source: a TOML file in the form of :class:`SingleSource`, and overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cyldiff import kinds as _kinds  # noqa: F401 - registers all kinds of the package
from cyldiff import resources
from cyldiff.config.layers import parse_override, plant, put, values
from cyldiff.config.report import problems_of
from cyldiff.config.toml import to_toml
from cyldiff.data.seds import SedPoints, load_sed
from cyldiff.errors import ConfigError, DataError, Problem, quoted
from cyldiff.fit.sed import free_parameters
from cyldiff.observables.single_source import SingleSource

__all__ = ["LoadedSource", "load_source", "load_source_mapping"]


@dataclass(frozen=True)
class LoadedSource:
    """A valid model with its plain values and the points it is compared with.

    Attributes
    ----------
    model : SingleSource
    raw : nested plain values, overrides included
    data : sets of SED points named under ``compare``
    inputs : files that were read
    """

    model: SingleSource
    raw: dict[str, Any]
    data: tuple[SedPoints, ...]
    inputs: tuple[Path, ...] = ()

    def toml(self) -> str:
        """The model as a TOML file."""
        return to_toml(self.raw)


def load_source(path: str | Path, overrides: Sequence[str] = ()) -> LoadedSource:
    """Read and validate the model of a source.

    Parameters
    ----------
    path : file, or a name of the library such as "ss433-lepto-hadronic"
    overrides : "dotted.path=value" items; the value is read as TOML, else as text

    Returns
    -------
    LoadedSource
        the model as an object and as plain values, with where it is from.

    Raises
    ------
    ConfigError
        with every problem found.
    """
    with resources.readable(path):
        file = resources.find("emission", str(path))
        raw = resources.read_toml(file)
    return load_source_mapping(raw, overrides, source=str(path), beside=file.parent, inputs=(file,))


def load_source_mapping(
    raw: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    source: str = "source",
    beside: Path | None = None,
    inputs: tuple[Path, ...] = (),
) -> LoadedSource:
    """Validate a model given as nested dicts; the twin of :func:`load_source`."""
    problems: list[Problem] = []
    tree = plant(raw, source)
    for text in overrides:
        item = parse_override(text)
        if item is None:
            problems.append(Problem("--set", f"{quoted(text)} is not of the form path=value"))
            continue
        put(tree, item[0], plant(item[1], "--set"))
    complete = values(tree)
    model: SingleSource | None = None
    try:
        model = SingleSource.model_validate(complete)
        problems += model.problems()
    except ValidationError as found:
        problems += problems_of(SingleSource, complete, found.errors(include_url=False))
    data: list[SedPoints] = []
    for i, name in enumerate(model.compare.data if model is not None else ()):
        try:
            data.append(load_sed(name, beside=beside))
        except DataError as error:
            problems.append(Problem(f"compare.data[{i}]", str(error)))
    if model is not None and model.fit is not None:
        problems += free_parameters(complete, model.fit.free)[1]
    if problems or model is None:
        raise ConfigError(source, problems)
    return LoadedSource(model, complete, tuple(data), inputs)

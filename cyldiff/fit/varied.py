"""From ``[fit.parameters]`` to numbers in internal units, checked against the model they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from pydantic import BaseModel

from cyldiff.config.load import LoadedConfig
from cyldiff.config.toml import dotted, split_path
from cyldiff.errors import ConfigError, CyldiffError, Problem, quoted
from cyldiff.fit.components import LoadedSpectra
from cyldiff.fit.config import FitConfig, ParameterConfig
from cyldiff.fit.parameters import Parameter, is_fast
from cyldiff.fit.paths import Place, locate
from cyldiff.fit.priors import LogUniform
from cyldiff.units import parse_quantity

__all__ = ["Felt", "Run", "check_at_bounds", "read_parameters", "with_values"]

Path = tuple[str, ...]
#: what a tuning file may hold besides its section [fit]
Run: TypeAlias = LoadedConfig | LoadedSpectra

#: sections that can be fitted, with an example of a path
_SECTIONS = {
    "physics": "physics.diffusion.D0",
    "point_sources": "point_sources.sources.NAME.distance",
    "spectrum": "spectrum.NAME.amplitude",
}


class Felt(Protocol):
    """What the data of a fit feel of a model."""

    def uncovered(self, ranges: Sequence[tuple[float, float]]) -> list[tuple[int, str]]:
        """Data sets that the model does not reach, with the reason."""

    def idle(self, paths: Sequence[Path]) -> str:
        """Why no datum depends on what stands at these paths; empty if one may."""


def read_parameters(
    fit: FitConfig, config: BaseModel, influence: Felt
) -> tuple[list[Parameter], list[Problem]]:
    """The parameters that are valid, and all that is wrong with the others.

    Parameters
    ----------
    config : the run they belong to
    influence : what the data feel
    """
    parameters, problems = [], []
    taken: dict[Path, str] = {}
    for name, wanted in fit.parameters.items():
        key = f"fit.parameters.{name}"
        try:
            paths = tuple(_path(text, config) for text in wanted.path)
            places = [_place(config, path) for path in paths]
        except ValueError as error:
            problems.append(Problem(f"{key}.path", str(error)))
            continue
        wrong = _check_paths(paths, places, taken, wanted, influence)
        taken.update(dict.fromkeys(paths, name))
        parameter, values_wrong = _values(name, wanted, paths, places)
        problems += [Problem(f"{key}.{part}", text) for part, text in (*wrong, *values_wrong)]
        if parameter is not None and not wrong:
            parameters.append(parameter)
    return parameters, problems


def _path(text: str, config: BaseModel) -> Path:
    path = split_path(text)
    sections = {name: example for name, example in _SECTIONS.items() if name in type(config).model_fields}
    if path is None:
        raise ValueError(f"{quoted(text)} is no path; expected e.g. {next(iter(sections.values()))}")
    if path[0] not in sections:
        some, starts = " and ".join(sections), " or ".join(f"{name}.…" for name in sections)
        raise ValueError(f"{quoted(text)}: only the {some} can be fitted; expected {starts}")
    return path


def _place(config: BaseModel, path: Path) -> Place:
    try:
        return locate(config, path)
    except ValueError as error:
        raise ValueError(f'"{".".join(path)}": {error}') from None


def _check_paths(
    paths: tuple[Path, ...],
    places: Sequence[Place],
    taken: dict[Path, str],
    wanted: ParameterConfig,
    influence: Felt,
) -> list[tuple[str, str]]:
    """What is wrong with where a parameter stands, as (part of the parameter, text)."""
    problems = []
    twice = next((taken[path] for path in paths if path in taken), None)
    if twice:
        problems.append(("path", f'is varied by "{twice}" already'))
    if len(set(paths)) < len(paths):
        problems.append(("path", "names the same place twice"))
    if len({place.dimension for place in places}) > 1:
        problems.append(("path", "joins numbers of different dimensions"))
    idle = influence.idle(paths)
    if idle:
        problems.append(("path", idle))
    slow = [path for path in paths if not is_fast(path)]
    if wanted.profile and slow:
        problems.append(("profile", f"{dotted(slow[0])} needs a solve; only what does not can be profiled"))
    for path, place in zip(paths, places, strict=True):
        if path[3:4] == ("abundances",) and place.value == 0.0:
            problems.append(("path", f"{dotted(path)} is 0; the fit needs a start to scale"))
        if wanted.relative and place.value == 0.0:
            problems.append(("relative", f"{dotted(path)} is 0; no factor changes it"))
    return problems


def _values(
    name: str, wanted: ParameterConfig, paths: tuple[Path, ...], places: Sequence[Place]
) -> tuple[Parameter | None, list[tuple[str, str]]]:
    """Start, bounds and prior in internal units, or what is wrong with them."""
    problems: list[tuple[str, str]] = []
    dimension = None if wanted.relative else places[0].dimension

    def read(value: Any) -> float:
        if dimension is not None:
            return parse_quantity(value, dimension)
        if isinstance(value, bool | str):
            raise ValueError(f"found {quoted(value)}; expected a plain number")
        return float(value)

    def tried(part: str, value: Any) -> float | None:
        try:
            return read(value)
        except ValueError as error:
            problems.append((part, str(error)))
            return None

    given = 1.0 if wanted.relative else places[0].value
    start = given if wanted.start is None else tried("start", wanted.start)
    low, high = tried("bounds[0]", wanted.bounds[0]), tried("bounds[1]", wanted.bounds[1])
    prior = wanted.prior
    try:
        prior = wanted.prior.in_units(read)
    except ValueError as error:
        problems.append(("prior", str(error)))
    if low is not None and high is not None and start is not None:
        problems += _check_range(wanted, start, low, high)
    if problems or start is None or low is None or high is None:
        return None, problems
    bases = tuple(place.value for place in places) if wanted.relative else ()
    fast = all(is_fast(path) for path in paths)
    in_config = places[0].dimension
    return Parameter(name, paths, in_config, start, low, high, prior, fast, wanted.profile, bases), []


def _check_range(wanted: ParameterConfig, start: float, low: float, high: float) -> list[tuple[str, str]]:
    problems = []
    if not low < high:
        problems.append(("bounds", "the lower bound is not below the upper one"))
    elif not low <= start <= high:
        problems.append(("bounds", f"exclude the start, {start:g} in internal units"))
    if isinstance(wanted.prior, LogUniform):
        if low <= 0.0:
            problems.append(("prior", "log-uniform needs positive bounds"))
        if wanted.profile:
            problems.append(("prior", "a profiled parameter has a uniform or a gaussian prior"))
    return problems


def check_at_bounds(run: Run, parameters: Sequence[Parameter], source: str) -> list[Problem]:
    """Bounds that are no valid value of the model, found out before anything runs."""
    problems = []
    for p in parameters:
        for side, value in (("bounds[0]", p.low), ("bounds[1]", p.high)):
            try:
                with_values(run, [p], [value], source)
            except CyldiffError as error:
                found = error.problems[0].message if isinstance(error, ConfigError) else str(error)
                problems.append(Problem(f"fit.parameters.{p.name}.{side}", found))
    return problems


def with_values(run: Run, parameters: Sequence[Parameter], values: Sequence[float], source: str) -> Run:
    """The run with other values of the parameters, validated.

    Raises
    ------
    ConfigError
        if the model does not allow them.
    """
    overrides = [
        f"{dotted(path)}={p.written(number)}"
        for p, value in zip(parameters, values, strict=True)
        for path, number in p.put(value)
    ]
    return run.changed(overrides, source=source) if overrides else run

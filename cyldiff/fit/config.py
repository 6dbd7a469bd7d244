"""The ``[fit]`` section of a tuning file, and the file as a whole: a run plus what is fitted to what.

schema, run, grid, physics, species, solver   as in any run: the model and its start
fit.data                                      measured data, ranges, correlations, nuisances
fit.parameters.NAME                           numbers of the model that vary
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, field_validator

from cyldiff import resources
from cyldiff.config.base import Integer, Kind, Model, Number
from cyldiff.config.load import LoadedConfig, load_mapping
from cyldiff.config.report import problems_of
from cyldiff.config.schema import RunConfig
from cyldiff.config.toml import split_path
from cyldiff.data.measurements import Measurement, load
from cyldiff.errors import ConfigError, CyldiffError, DataError, Problem, quoted
from cyldiff.fit.influence import Influence
from cyldiff.fit.paths import Place, locate
from cyldiff.fit.priors import Prior, Uniform
from cyldiff.units import parse_quantity

__all__ = ["DataChoice", "DataSet", "FitConfig", "LoadedFit", "Parameter", "ParameterConfig", "load_fit"]

#: dimension of the abscissae of data, by their unit
_X_DIMENSION = {"GV": "rigidity", "GeV": "energy", "GeV/n": "energy"}


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _paths(value: Any) -> Any:
    return (value,) if isinstance(value, str) else _as_tuple(value)


class DataChoice(Model):
    """A data set and how its errors are to be read."""

    name: str = Field(description="data set of the library, or a file")
    min: str | None = Field(default=None, description="lowest abscissa used, with its unit")
    max: str | None = Field(default=None, description="highest abscissa used, with its unit")
    correlation_length: Number | None = Field(
        default=None,
        gt=0.0,
        description="of the systematic errors, in decades of the abscissa; none: independent",
    )
    normalisation_error: Number = Field(
        default=0.0, ge=0.0, lt=1.0, description="relative error common to all points, profiled exactly"
    )
    energy_scale_error: Number = Field(
        default=0.0,
        ge=0.0,
        lt=0.5,
        description="relative error of the energy scale; adds a nuisance parameter",
    )
    model_error: Number = Field(
        default=0.0, ge=0.0, lt=1.0, description="relative error of the model, independent at every point"
    )


class ParameterConfig(Model):
    """A number of the model that varies."""

    path: Annotated[tuple[str, ...], BeforeValidator(_paths)] = Field(
        min_length=1, description="where it stands in the config; several paths share the value"
    )
    start: Number | str | None = Field(default=None, description="default: what the config says")
    bounds: Annotated[tuple[Number | str, Number | str], BeforeValidator(_as_tuple)] = Field(
        description="lowest and highest value, with units"
    )
    prior: Kind("prior") = Field(default_factory=Uniform, description="prior knowledge")  # type: ignore[valid-type]

    @field_validator("start", "bounds", mode="before")
    @classmethod
    def _no_truth(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError(f"found {quoted(value)}; expected a number")
        return value


class FitConfig(Model):
    """What is fitted to what."""

    data: Annotated[tuple[DataChoice, ...], BeforeValidator(_as_tuple)] = Field(
        min_length=1, description="measured data"
    )
    parameters: dict[str, ParameterConfig] = Field(
        min_length=1, description="what varies, by a name of your choice"
    )
    gradient: bool = Field(default=True, description="gradients by the adjoint instead of finite differences")
    minos: bool = Field(default=True, description="asymmetric errors from the shape of chi-square")
    maximum_calls: Integer = Field(default=2000, ge=10, description="evaluations of chi-square at most")
    # sampler


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in internal units.

    Attributes
    ----------
    paths : of the config; ("data", NAME, "energy_scale") for a nuisance of a data set
    dimension : of :data:`cyldiff.units.DIMENSIONS`, None for a plain number
    fast : changing it needs no transport solve
    """

    name: str
    paths: tuple[tuple[str, ...], ...]
    dimension: str | None
    start: float
    low: float
    high: float
    prior: Prior
    fast: bool


@dataclass(frozen=True, slots=True)
class DataSet:
    """A measurement with the range and the errors that count."""

    measurement: Measurement
    choice: DataChoice
    low: float
    high: float


@dataclass(frozen=True)
class LoadedFit:
    """A valid tuning file: the run it starts from, parameters, data.

    Attributes
    ----------
    run : LoadedConfig      the model at its start, with the start values put in
    """

    run: LoadedConfig
    fit: FitConfig
    parameters: tuple[Parameter, ...]
    data: tuple[DataSet, ...]
    source: str


def load_fit(path: str | Path, overrides: Sequence[str] = ()) -> LoadedFit:
    """Read and validate a tuning file, or a name of the library of runs.

    Raises
    ------
    ConfigError
        with every problem found.
    """
    try:
        file = path if isinstance(path, Path) else resources.find("runs", path)
        raw = resources.read_toml(file)
    except DataError as error:
        raise ConfigError(str(path), [Problem("file", str(error).removeprefix(f"{path}: "))]) from None
    return load_fit_mapping(raw, overrides, source=str(path), beside=file.parent)


def load_fit_mapping(
    raw: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    source: str = "fit",
    beside: Path | None = None,
) -> LoadedFit:
    """Validate a tuning file given as nested dicts."""
    problems: list[Problem] = []
    run = None
    try:
        rest = {key: value for key, value in raw.items() if key != "fit"}
        run = load_mapping(rest, overrides, source=source, beside=beside)
    except ConfigError as error:
        problems += error.problems
    section = raw.get("fit")
    if not isinstance(section, Mapping):
        problems.append(Problem("fit", "is missing; expected a table with data and parameters"))
        raise ConfigError(source, problems)
    try:
        fit = FitConfig.model_validate(dict(section))
    except ValidationError as error:
        found = problems_of(FitConfig, section, error.errors(include_url=False))
        problems += [Problem(f"fit.{p.key}", p.message) for p in found]
        raise ConfigError(source, problems) from None
    data, wrong = _data(fit, beside)
    problems += wrong
    if run is None:
        raise ConfigError(source, problems)
    influence = Influence(run.config, [d.measurement for d in data])
    problems += [
        Problem(f"fit.data[{i}]", text) for i, text in influence.uncovered([(d.low, d.high) for d in data])
    ]
    parameters, wrong = _parameters(fit, run.config, influence)
    problems += wrong
    parameters += [_energy_scale(d) for d in data if d.choice.energy_scale_error > 0.0]
    if problems:
        raise ConfigError(source, problems)
    return LoadedFit(run, fit, tuple(parameters), tuple(data), source)


def _data(fit: FitConfig, beside: Path | None) -> tuple[list[DataSet], list[Problem]]:
    sets, problems = [], []
    for i, choice in enumerate(fit.data):
        try:
            measurement = load(choice.name, beside=beside)
        except DataError as error:
            problems.append(Problem(f"fit.data[{i}].name", str(error)))
            continue
        limits = []
        for key, default in (("min", 0.0), ("max", float("inf"))):
            text = getattr(choice, key)
            try:
                limits.append(
                    default if text is None else parse_quantity(text, _X_DIMENSION[measurement.x_unit])
                )
            except ValueError as error:
                problems.append(Problem(f"fit.data[{i}].{key}", str(error)))
        if len(limits) == 2:
            inside = (measurement.x >= limits[0]) & (measurement.x <= limits[1]) & ~measurement.upper_limit
            if not inside.any():
                problems.append(Problem(f"fit.data[{i}]", f"{choice.name} has no points in this range"))
            sets.append(DataSet(measurement, choice, *limits))
    return sets, problems


def _parameters(
    fit: FitConfig, config: RunConfig, influence: Influence
) -> tuple[list[Parameter], list[Problem]]:
    parameters, problems = [], []
    taken: dict[tuple[str, ...], str] = {}
    for name, wanted in fit.parameters.items():
        key = f"fit.parameters.{name}"
        try:
            paths = tuple(_path(text) for text in wanted.path)
            places = [_place(config, path) for path in paths]
        except ValueError as error:
            problems.append(Problem(f"{key}.path", str(error)))
            continue
        twice = next((taken[path] for path in paths if path in taken), None)
        if twice:
            problems.append(Problem(f"{key}.path", f'is varied by "{twice}" already'))
        taken.update(dict.fromkeys(paths, name))
        idle = influence.idle(paths)
        if idle:
            problems.append(Problem(f"{key}.path", idle))
        parameter, wrong = _values(name, wanted, paths, places[0])
        problems += [Problem(f"{key}.{part}", text) for part, text in wrong]
        if parameter is not None and not twice and not idle:
            parameters.append(parameter)
    return parameters, problems


def _path(text: str) -> tuple[str, ...]:
    path = split_path(text)
    if path is None:
        raise ValueError(f"{quoted(text)} is no path; expected e.g. physics.diffusion.D0")
    if path[0] != "physics":
        raise ValueError(f"{quoted(text)}: only the physics can be fitted; expected physics.…")
    return path


def _place(config: RunConfig, path: tuple[str, ...]) -> Place:
    try:
        return locate(config, path)
    except ValueError as error:
        raise ValueError(f'"{".".join(path)}": {error}') from None


def _values(
    name: str, wanted: ParameterConfig, paths: tuple[tuple[str, ...], ...], place: Place
) -> tuple[Parameter | None, list[tuple[str, str]]]:
    """Start, bounds and prior in internal units, or what is wrong with them."""
    problems: list[tuple[str, str]] = []

    def read(value: Any) -> float:
        if place.dimension is not None:
            return parse_quantity(value, place.dimension)
        if isinstance(value, bool | str):
            raise ValueError(f"found {quoted(value)}; expected a plain number")
        return float(value)

    def tried(part: str, value: Any) -> float | None:
        try:
            return read(value)
        except ValueError as error:
            problems.append((part, str(error)))
            return None

    start = place.value if wanted.start is None else tried("start", wanted.start)
    low, high = tried("bounds[0]", wanted.bounds[0]), tried("bounds[1]", wanted.bounds[1])
    prior = wanted.prior
    try:
        prior = wanted.prior.in_units(read)
    except ValueError as error:
        problems.append(("prior", str(error)))
    if low is not None and high is not None:
        if not low < high:
            problems.append(("bounds", "the lower bound is not below the upper one"))
        elif start is not None and not low <= start <= high:
            problems.append(("bounds", f"exclude the start, {start:g} in internal units"))
        elif wanted.prior.kind == "log-uniform" and low <= 0.0:
            problems.append(("prior", "log-uniform needs positive bounds"))
    if problems or start is None or low is None or high is None:
        return None, problems
    fast = all(is_fast(path) for path in paths)
    return Parameter(name, paths, place.dimension, start, low, high, prior, fast), []


def is_fast(path: tuple[str, ...]) -> bool:
    """Whether changing what stands there leaves the transport as it is."""
    if path[:2] == ("physics", "modulation") or path[0] == "data":
        return True
    return path[:2] == ("physics", "sources") and path[3:4] in (("abundances",), ("normalisation",))


def _energy_scale(data: DataSet) -> Parameter:
    from cyldiff.fit.priors import Gaussian

    sigma, name = data.choice.energy_scale_error, data.measurement.name
    return Parameter(
        name=f"energy_scale:{name}",
        paths=(("data", name, "energy_scale"),),
        dimension=None,
        start=0.0,
        low=-5.0 * sigma,
        high=5.0 * sigma,
        prior=Gaussian(mean=0.0, sigma=sigma),
        fast=True,
    )


def check_at_bounds(fit: LoadedFit) -> list[Problem]:
    """Values that the schema refuses at a bound, before anything runs."""
    from cyldiff.config.toml import dotted
    from cyldiff.units import format_quantity

    problems = []
    for p in fit.parameters:
        if p.paths[0][0] == "data":
            continue
        for side, value in (("bounds[0]", p.low), ("bounds[1]", p.high)):
            text = repr(value) if p.dimension is None else f'"{format_quantity(value, p.dimension)}"'
            try:
                load_mapping(
                    fit.run.resolved, [f"{dotted(path)}={text}" for path in p.paths], source=fit.source
                )
            except CyldiffError as error:
                found = error.problems[0].message if isinstance(error, ConfigError) else str(error)
                problems.append(Problem(f"fit.parameters.{p.name}.{side}", found))
    return problems

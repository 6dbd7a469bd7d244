"""Read a tuning file: a run, and in ``[fit]`` what varies and what it is compared with.

Everything that can be known without a solve is checked here, and reported in one message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cyldiff import resources
from cyldiff.config.base import Model
from cyldiff.config.layers import parse_override
from cyldiff.config.load import LoadedConfig, load_mapping, run_file
from cyldiff.config.report import problems_of
from cyldiff.data.measurements import Measurement, load
from cyldiff.errors import ConfigError, DataError, Problem, nearest, quoted
from cyldiff.fit.components import LoadedSpectra, load_spectra_mapping
from cyldiff.fit.config import DataChoice, FitConfig
from cyldiff.fit.dipole_data import DipoleSet, read_dipoles
from cyldiff.fit.influence import Influence
from cyldiff.fit.parameters import NUISANCE, Parameter
from cyldiff.fit.point_sources import SECTION, LoadedJoint, load_joint_mapping
from cyldiff.fit.priors import Gaussian, Uniform
from cyldiff.fit.spectra_influence import SpectraInfluence
from cyldiff.fit.varied import Felt, Run, check_at_bounds, read_parameters, with_values
from cyldiff.units import parse_quantity

__all__ = ["DataSet", "LoadedFit", "describe", "is_tuning_file", "load_fit", "load_fit_mapping"]

#: dimension of the abscissae of data, by their unit
_X_DIMENSION = {"GV": "rigidity", "GeV": "energy", "GeV/n": "energy"}
#: bounds of a nuisance, in units of its error
_NUISANCE_RANGE = 5.0


@dataclass(frozen=True, slots=True)
class DataSet:
    """A measurement with the range and the errors that count.

    Attributes
    ----------
    low, high : range of x used, ends included, in the unit of the measurement
    nuisance : name of the parameter that shifts its energy scale, or ""
    """

    measurement: Measurement
    choice: DataChoice
    low: float
    high: float
    nuisance: str = ""


@dataclass(frozen=True)
class LoadedFit:
    """A valid tuning file: the run it starts from, parameters, data.

    Attributes
    ----------
    run : the model with the start values put in; spectra as sums of components if it has a section [spectrum]
    fit : the section [fit]
    parameters : those of the file, then the nuisances of data sets
    source : name of the file
    inputs : files that were read
    dipoles : measured anisotropy
    """

    run: Run
    fit: FitConfig
    parameters: tuple[Parameter, ...]
    data: tuple[DataSet, ...]
    source: str
    inputs: tuple[Path, ...] = ()
    dipoles: tuple[DipoleSet, ...] = ()


def is_tuning_file(path: str | Path) -> bool:
    """Whether a file, or a name of the library of runs, has a section [fit]."""
    try:
        return "fit" in resources.read_toml(run_file(path))
    except DataError:
        return False


def describe(fit: LoadedFit) -> str:
    """What varies and what it is compared with, one line each."""
    lines = ["fit.parameters:"]
    for p in fit.parameters:
        kind = "profiled" if p.profile else "no solve" if p.fast else "transport"
        prior = "" if isinstance(p.prior, Uniform) else f", prior {type(p.prior).__name__.lower()}"
        lines.append(
            f"  {p.name}: {p.shown(p.start)} in {p.shown(p.low)} to {p.shown(p.high)}{prior} ({kind})"
        )
    lines.append("fit.data:")
    for d in fit.data:
        inside = (d.measurement.x >= d.low) & (d.measurement.x <= d.high) & ~d.measurement.upper_limit
        lines.append(
            f"  {d.measurement.name}: {d.measurement.quantity}, {int(inside.sum())} of {inside.size} points{_said(d)}"
        )
    for dipole in fit.dipoles:
        energy = dipole.measurement.energy
        inside = (energy >= dipole.low) & (energy <= dipole.high)
        what = " and ".join(dipole.choice.what)
        lines.append(f"  {dipole.measurement.name}: {what} of the dipole, {int(inside.sum())} energies")
    return "\n".join(lines)


def _said(data: DataSet) -> str:
    """Range and errors that the file gives to a data set."""
    unit, choice = data.measurement.x_unit, data.choice
    said = [f"from {data.low:g} {unit}"] if data.low > 0.0 else []
    said += [f"to {data.high:g} {unit}"] if data.high < float("inf") else []
    if choice.correlation_length is not None:
        said.append(f"correlation length of systematic errors {choice.correlation_length:g} decade")
    errors = {
        "common error": choice.normalisation_error,
        "error of the energy scale": choice.energy_scale_error,
        "error of the model": choice.model_error,
    }
    said += [f"{name} {100.0 * size:g} %" for name, size in errors.items() if size]
    return "".join(f", {part}" for part in said)


def load_fit(path: str | Path, overrides: Sequence[str] = ()) -> LoadedFit:
    """Read and validate a tuning file, or a name of the library of runs.

    Parameters
    ----------
    path : file, or a name of the library such as "tuning/bc-ams02"
    overrides : "dotted.path=value" items, of the run and of [fit]

    Returns
    -------
    LoadedFit
        run, data and parameters, validated; nothing is solved.

    Raises
    ------
    ConfigError
        with every problem found.
    """
    with resources.readable(path):
        file = run_file(path)
        raw = resources.read_toml(file)
    return load_fit_mapping(raw, overrides, source=str(path), beside=file.parent, inputs=(file,))


def load_fit_mapping(
    raw: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    source: str = "fit",
    beside: Path | None = None,
    inputs: Sequence[Path] = (),
) -> LoadedFit:
    """Validate a tuning file given as nested dicts; the Python twin of :func:`load_fit`."""
    problems: list[Problem] = []
    run: Run | None = None
    section, others = _overridden(raw.get("fit"), overrides)
    try:
        rest = {key: value for key, value in raw.items() if key != "fit"}
        run = _reader(rest)(rest, others, source=source, beside=beside)
    except ConfigError as error:
        problems += error.problems
    fit, wrong = _section(section)
    problems += wrong
    if fit is None:
        raise ConfigError(source, problems)
    data, wrong = _data(fit, beside)
    problems += wrong
    dipoles, wrong = read_dipoles(fit.dipoles, beside)
    problems += wrong
    if run is None:
        raise ConfigError(source, problems)
    problems += _runnable(run, dipoles)
    influence = _influence(run, data, dipoles)
    problems += [
        Problem(f"fit.data[{fit.data.index(data[i].choice)}]", text)
        for i, text in influence.uncovered([(d.low, d.high) for d in data])
    ]
    parameters, wrong = read_parameters(fit, run.config, influence)
    problems += [*wrong, *_asked(fit)]
    parameters += [_energy_scale(d) for d in data if d.nuisance]
    problems += check_at_bounds(run, parameters, source)
    if problems:
        raise ConfigError(source, problems)
    started = with_values(run, parameters, [p.start for p in parameters], source)
    files = (*inputs, *run.inputs)
    return LoadedFit(started, fit, tuple(parameters), tuple(data), source, files, tuple(dipoles))


def _reader(raw: Mapping[str, Any]) -> Callable[..., Run]:
    """What reads a file: components, a run with point sources, or a run."""
    if "spectrum" in raw:
        return load_spectra_mapping
    return load_joint_mapping if SECTION in raw else load_mapping


def _overridden(section: Any, overrides: Sequence[str]) -> tuple[Any, list[str]]:
    """The section with the overrides that are meant for it; the others are handed back."""
    section, others = deepcopy(section), []
    for text in overrides:
        item = parse_override(text)
        if item is None or item[0][0] != "fit" or not isinstance(section, Mapping):
            others.append(text)
        else:
            section = _put(section, item[0][1:], item[1])
    return section, others


def _put(here: Any, path: Sequence[str], value: Any) -> Any:
    """Nested tables and lists with another value at a path; new tables are made on the way."""
    if not path:
        return value
    key, below = path[0], path[1:]
    if isinstance(here, list) and key.isascii() and key.isdigit() and int(key) < len(here):
        return [_put(item, below, value) if i == int(key) else item for i, item in enumerate(here)]
    table = dict(here) if isinstance(here, Mapping) else {}
    table[key] = _put(table.get(key), below, value)
    return table


class _File(Model):
    """Gives the keys of the section their full names."""

    fit: FitConfig


def _section(section: Any) -> tuple[FitConfig | None, list[Problem]]:
    if not isinstance(section, Mapping):
        return None, [Problem("fit", "is missing; expected a table with data and parameters")]
    try:
        return _File.model_validate({"fit": dict(section)}).fit, []
    except ValidationError as error:
        shown = dict(section)
        if isinstance(shown.get("sampler"), Mapping):
            shown["sampler"] = {"kind": "emcee", **shown["sampler"]}  # as the section reads it
        return None, problems_of(_File, {"fit": shown}, error.errors(include_url=False))


def _influence(run: Run, data: Sequence[DataSet], dipoles: Sequence[DipoleSet]) -> Felt:
    measured = [d.measurement for d in data]
    if isinstance(run, LoadedSpectra):
        return SpectraInfluence(run.config, measured)
    return Influence(run.config, measured, dipoles=bool(dipoles))


def _runnable(run: Run, dipoles: Sequence[DipoleSet]) -> list[Problem]:
    """What a run may be and a fit may not."""
    if dipoles and not isinstance(run, LoadedJoint):
        text = "a fit of dipoles needs point sources; expected a section [point_sources]"
        return [Problem("fit.dipoles", text)]
    if isinstance(run, LoadedConfig) and run.config.solver.kind != "steady":
        return [Problem("solver.kind", f'found "{run.config.solver.kind}"; a fit needs "steady"')]
    return []


def _data(fit: FitConfig, beside: Path | None) -> tuple[list[DataSet], list[Problem]]:
    sets: list[DataSet] = []
    problems = []
    for i, choice in enumerate(fit.data):
        try:
            measurement = load(choice.name, beside=beside)
        except DataError as error:
            problems.append(Problem(f"fit.data[{i}].name", str(error)))
            continue
        if measurement.name in [d.measurement.name for d in sets]:
            problems.append(Problem(f"fit.data[{i}].name", f"{quoted(measurement.name)} is named twice"))
        limits, wrong = _range(choice, measurement)
        problems += [Problem(f"fit.data[{i}].{key}", text) for key, text in wrong]
        if limits is None:
            continue
        inside = (measurement.x >= limits[0]) & (measurement.x <= limits[1]) & ~measurement.upper_limit
        if not inside.any():
            problems.append(Problem(f"fit.data[{i}]", f"{choice.name} has no points in this range"))
        nuisance = f"energy_scale:{measurement.name}" if choice.energy_scale_error > 0.0 else ""
        sets.append(DataSet(measurement, choice, *limits, nuisance))
    return sets, problems


def _range(
    choice: DataChoice, measurement: Measurement
) -> tuple[tuple[float, float] | None, list[tuple[str, str]]]:
    """Range of x in the unit of the measurement, or what is wrong with it."""
    limits, problems = [], []
    for key, text, default in (("min", choice.min, 0.0), ("max", choice.max, float("inf"))):
        try:
            limits.append(default if text is None else parse_quantity(text, _X_DIMENSION[measurement.x_unit]))
        except ValueError as error:
            problems.append((key, str(error)))
    return ((limits[0], limits[1]) if not problems else None), problems


def _energy_scale(data: DataSet) -> Parameter:
    """The nuisance of a data set whose energies may all be wrong by the same factor."""
    sigma = data.choice.energy_scale_error
    return Parameter(
        name=data.nuisance,
        paths=((NUISANCE, data.measurement.name, "energy_scale"),),
        dimension=None,
        start=0.0,
        low=-_NUISANCE_RANGE * sigma,
        high=_NUISANCE_RANGE * sigma,
        prior=Gaussian(mean=0.0, sigma=sigma),
        fast=True,
    )


def _asked(fit: FitConfig) -> list[Problem]:
    """Profiles and contours of parameters that are not there."""
    places = [(f"fit.profiles[{i}]", name) for i, name in enumerate(fit.profiles)]
    places += [(f"fit.contours[{i}]", name) for i, pair in enumerate(fit.contours) for name in pair]
    problems = [
        Problem(key, f"no parameter {quoted(name)}; known: {', '.join(fit.parameters)}"
                     f"{nearest(name, fit.parameters)}")
        for key, name in places
        if name not in fit.parameters
    ]  # fmt: skip
    problems += [
        Problem(f"fit.contours[{i}]", "expected two different parameters")
        for i, (one, other) in enumerate(fit.contours)
        if one == other
    ]
    return problems

"""Read catalogues of sources: TOML with ``[[source]]`` rows, or an ECSV table with one row per source.

Both become the same plain rows and are validated in one way; an error lists what is wrong in every row. Defaults,
the table [defaults] of a TOML file or ``defaults`` in the header of an ECSV file, go under the rows.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, ValidationError

from cyldiff import kinds as _kinds  # noqa: F401 - registers all kinds of the package
from cyldiff import resources
from cyldiff.config.base import Model
from cyldiff.config.layers import Tree, merge, origin_at, parse_override, plant, put, values
from cyldiff.config.report import problems_of
from cyldiff.config.schema import PhysicsConfig
from cyldiff.config.toml import split_path
from cyldiff.config.validate import valid_parts
from cyldiff.errors import ConfigError, DataError, Problem, nearest, quoted
from cyldiff.sources.catalogue import (
    Catalogue,
    CatalogueSource,
    coordinates_problem,
    emission_problems,
    place_of,
)
from cyldiff.sources.ecsv import read_ecsv

__all__ = ["check_catalogue", "load_catalogue", "load_catalogue_mapping", "same_population", "twice"]

Array = NDArray[np.float64]

_DEFAULTS, _SET = "[defaults]", "--set"
_MISSING = {
    "age": 'is missing; expected a time since birth, e.g. "1 Myr"',
    "history": 'is missing; expected e.g. { kind = "burst", energy = "1e50 erg" }',
    "spectrum": 'is missing; expected e.g. { kind = "power-law", index = 2.2, cutoff = "5 PV" }',
}


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class _Head(Model):
    """What a file says beside its sources."""

    schema_version: Literal[1] = Field(alias="schema", description="version of this set of keys")
    title: str = Field(default="", description="what the catalogue is")
    catalogue: dict[str, Any] = Field(default_factory=dict, description="pedigree: citation, notes")
    population: str | None = Field(
        default=None, min_length=1, description="name of the population these sources are"
    )
    defaults: dict[str, Any] = Field(default_factory=dict, description="keys for the sources that lack them")
    source: Annotated[tuple[Any, ...], BeforeValidator(_as_tuple)] = Field(
        min_length=1, description="the sources, one table [[source]] each"
    )


def load_catalogue(
    path: str | Path,
    overrides: Sequence[str] = (),
    *,
    model: PhysicsConfig | None = None,
    objects: bool = False,
) -> Catalogue:
    """Read and validate a catalogue.

    Parameters
    ----------
    path : file (.toml or .ecsv), or a name of the library such as "nie-2026-microquasars"
    overrides : "defaults.KEY=value" or 'source."NAME".KEY=value' items
    model : the sources must lie in its halo, and be none of its own components
    objects : accept sources of which only the place is known

    Raises
    ------
    ConfigError
        with every problem of every source.
    """
    try:
        file = resources.find("catalogues", str(path))
        raw = read_ecsv(file) if file.suffix == ".ecsv" else resources.read_toml(file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except DataError as error:
        raise ConfigError(str(path), [Problem("file", str(error).removeprefix(f"{path}: "))]) from None
    word = "column" if file.suffix == ".ecsv" else "key"
    return _load(raw, overrides, model, objects, _File(str(path), word, checksum=digest, inputs=(file,)))


def load_catalogue_mapping(
    raw: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    model: PhysicsConfig | None = None,
    objects: bool = False,
    source: str = "catalogue",
) -> Catalogue:
    """Validate a catalogue given as nested dicts, as in a TOML file; the twin of :func:`load_catalogue`."""
    if not isinstance(raw, Mapping):
        raise ConfigError(source, [Problem("file", "expected a table with a list of sources")])
    return _load(raw, overrides, model, objects, _File(source, "key"))


def check_catalogue(catalogue: Catalogue, model: PhysicsConfig) -> None:
    """Refuse sources that a model has no place for, or has already; those of :func:`load_catalogue` with `model`.

    Raises
    ------
    ConfigError
        with every problem of every source.
    """
    problems = [
        Problem(f"source {number} ({quoted(source.name, 40)}), key {problem.key}", problem.message)
        for number, source in enumerate(catalogue.sources, start=1)
        for problem in _in_halo(source.place(model.observer), model, source.place_key)
    ]
    named = [("population", catalogue.population)] if catalogue.population else []
    named += [(f"source {number}", name) for number, name in enumerate(catalogue.names, start=1)]
    problems += _populations(named, model)
    if problems:
        raise ConfigError(catalogue.source, problems)


def same_population(one: str, other: str) -> bool:
    """Whether two names are the same but for case, hyphens, underscores and spaces."""
    return _plain(one) == _plain(other)


def twice(name: str, component: str, owner: str) -> str:
    """What to say of a population that is there already."""
    return (
        f'{quoted(name)} is the component "{component}" of {owner} already; one population must not be injected '
        "twice: rename it if it is another one, or leave it out on one side"
    )


@dataclass(frozen=True, slots=True)
class _File:
    """Where the rows are from, and what their keys are called there."""

    name: str
    word: str
    checksum: str = ""
    inputs: tuple[Path, ...] = ()


@dataclass
class _Rows:
    """Rows with their defaults, and what is wrong with them."""

    file: _File
    numbers: list[int] = field(default_factory=list)
    trees: list[Tree] = field(default_factory=list)
    names: list[Any] = field(default_factory=list)
    problems: list[list[Problem]] = field(default_factory=list)
    sources: list[CatalogueSource | None] = field(default_factory=list)


def _load(
    raw: Mapping[str, Any],
    overrides: Sequence[str],
    model: PhysicsConfig | None,
    objects: bool,
    file: _File,
) -> Catalogue:
    try:
        head, problems = _head(raw)
        changes = [item for text in overrides if (item := _override(text, problems))]
        rows = _rows(head, changes, file, problems)
        for tree in rows.trees:
            source, found = _validate(values(tree), objects, model)
            rows.sources.append(source)
            rows.problems.append(found)
        _named_twice(rows)
        problems += list(_reported(rows))
        problems += _populations(_names(head, rows), model) if model is not None else []
    except RecursionError:
        raise ConfigError(file.name, [Problem("file", "tables are nested too deeply")]) from None
    if problems or head is None:
        raise ConfigError(file.name, problems)
    population = {"population": head.population} if head.population else {}
    resolved = {"schema": 1, "title": head.title, **population, "catalogue": head.catalogue}
    return Catalogue(
        sources=tuple(source for source in rows.sources if source is not None),
        title=head.title,
        pedigree=head.catalogue,
        population=head.population,
        source=file.name,
        checksum=file.checksum,
        resolved={**resolved, "source": [values(tree) for tree in rows.trees]},
        inputs=file.inputs,
    )


def _head(raw: Mapping[str, Any]) -> tuple[_Head | None, list[Problem]]:
    """The keys outside of the rows."""
    try:
        return _Head.model_validate(dict(raw)), []
    except ValidationError as found:
        return None, problems_of(_Head, raw, found.errors(include_url=False))


def _override(text: str, problems: list[Problem]) -> tuple[tuple[str, ...], Any] | None:
    item = parse_override(text)
    if item is not None:
        path = item[0]
        if (path[0] == "defaults" and len(path) > 1) or (path[0] == "source" and len(path) > 2):
            return item
    expected = 'expected defaults.KEY=value or source."NAME".KEY=value'
    problems.append(Problem(_SET, f"{quoted(text)}: {expected} for a catalogue"))
    return None


def _rows(
    head: _Head | None, changes: list[tuple[tuple[str, ...], Any]], file: _File, problems: list[Problem]
) -> _Rows:
    """Rows on top of their defaults, with the changes; what is no table is a problem."""
    rows = _Rows(file)
    if head is None:
        return rows
    defaults: Tree = plant(head.defaults, _DEFAULTS)
    for path, value in changes:
        if path[0] == "defaults":
            put(defaults, path[1:], plant(value, _SET))
    for number, row in enumerate(head.source, start=1):
        if not isinstance(row, Mapping):
            problems.append(Problem(f"source {number}", f"found {quoted(row)}; expected a table of keys"))
            continue
        own = plant(row, file.name)
        # the mix of a row is all of it: nothing is added from the defaults
        under = {key: value for key, value in defaults.items() if key != "species" or key not in own}
        tree = merge(under, own)
        for path, value in changes:
            if path[0] == "source" and path[1] == row.get("name"):
                put(tree, path[2:], plant(value, _SET))
        rows.numbers.append(number)
        rows.trees.append(tree)
        rows.names.append(values(tree["name"]) if "name" in tree else None)
    for path, _ in changes:
        if path[0] == "source" and path[1] not in rows.names:
            known = [name for name in rows.names if isinstance(name, str)]
            problems.append(Problem(_SET, f"there is no source {quoted(path[1])}{nearest(path[1], known)}"))
    return rows


def _validate(
    row: Mapping[str, Any], objects: bool, model: PhysicsConfig | None
) -> tuple[CatalogueSource | None, list[Problem]]:
    """A row as a source, or what is wrong with it: keys one by one, then what they are to each other."""
    source, errors = None, []
    row = {key: value for key, value in row.items() if value is not None}
    try:
        source = CatalogueSource.model_validate(row)
    except ValidationError as found:
        # contradictions between keys are looked for below, whatever else is wrong
        errors = [e for e in found.errors(include_url=False) if e["loc"]]
    problems = problems_of(CatalogueSource, row, errors)
    parts = valid_parts(CatalogueSource, row, errors)
    valid = {str(path[0]): value for path, value in parts.items() if len(path) == 1 and value is not None}
    if wrong := coordinates_problem(row):
        problems.append(Problem("", wrong))
    elif model is not None and not coordinates_problem(valid):
        key = "position" if "position" in valid else "distance"
        problems += _in_halo(place_of(valid, model.observer), model, key)
    problems += [Problem(key, message) for key, message in emission_problems(valid)]
    if not objects:
        problems += [Problem(key, _MISSING[key]) for key in _MISSING if key not in row]
    return (None if problems else source), problems


def _in_halo(place: Array, model: PhysicsConfig, key: str) -> Iterator[Problem]:
    """The source is inside the box, and not where the Sun is."""
    (x, y, z), sun, halo = place, model.observer, model.halo
    r = float(np.hypot(x, y))
    if not (r < halo.radius and abs(z) < halo.half_height):
        yield Problem(
            key,
            f"r = {r:.3g} kpc, z = {z:.3g} kpc is outside the halo (r < {halo.radius:g} kpc, "
            f"|z| < {halo.half_height:g} kpc)",
        )
    if np.hypot(np.hypot(x + sun.r, y), z - sun.z) < 1e-6:
        yield Problem(key, "is where the Sun is; expected a place at a distance")


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _named_twice(rows: _Rows) -> None:
    first: dict[str, int] = {}
    for number, name in enumerate(rows.names):
        if isinstance(name, str):
            before = first.setdefault(_plain(name), number)
            if before < number:
                problem = Problem(
                    "name", f"is that of source {rows.numbers[before]} too; expected another one"
                )
                rows.problems[number].append(problem)


def _names(head: _Head | None, rows: _Rows) -> list[tuple[str, str]]:
    """What is called how: the whole, and every source."""
    named = [("population", head.population)] if head is not None and head.population else []
    return named + [
        (_label(rows, i, "name"), name) for i, name in enumerate(rows.names) if isinstance(name, str)
    ]


def _populations(named: list[tuple[str, str]], model: PhysicsConfig) -> Iterator[Problem]:
    """No component of the model is injected a second time."""
    for key, name in named:
        for component in model.sources:
            if same_population(name, component):
                yield Problem(key, twice(name, component, "the model"))


def _label(rows: _Rows, number: int, key: str) -> str:
    name = rows.names[number]
    who = f" ({quoted(name, 40)})" if isinstance(name, str) else ""
    return f"source {rows.numbers[number]}{who}" + (f", {rows.file.word} {key}" if key else "")


def _reported(rows: _Rows) -> Iterator[Problem]:
    """Problems of the rows by row and key; once only what is wrong with the defaults or with every row."""
    often = Counter(same for problems in rows.problems for same in {(p.key, p.message) for p in problems})
    said: set[tuple[str, str]] = set()
    for number, problems in enumerate(rows.problems):
        for problem in problems:
            origin = origin_at(rows.trees[number], split_path(problem.key) or ())
            same = (problem.key, problem.message)
            everywhere = len(rows.problems) > 1 and often[same] == len(rows.problems)
            if origin == _DEFAULTS or (origin == _SET and often[same] > 1):
                label, message = f"defaults.{problem.key}", problem.message
            elif everywhere:
                label, message = f"every source, {rows.file.word} {problem.key}", _for_all(problem)
            else:
                where = origin if origin == _SET else ""
                yield Problem(_label(rows, number, problem.key), problem.message, where)
                continue
            if same not in said:
                said.add(same)
                yield Problem(label, message)


def _for_all(problem: Problem) -> str:
    """How to give every source a key that all of them lack."""
    if problem.message != _MISSING.get(problem.key):
        return problem.message
    return f"{problem.message}; for all at once in [defaults], or with --set 'defaults.{problem.key} = …'"

"""Read catalogues of sources: TOML with ``[[source]]`` rows, or an ECSV table with one row per source.

Both become the same plain rows and are validated in one way; an error lists what is wrong in every row. Defaults,
the table [defaults] of a TOML file or ``defaults`` in the header of an ECSV file, go under the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from cyldiff import kinds as _kinds  # noqa: F401 - registers all kinds of the package
from cyldiff import resources
from cyldiff.config.base import Model
from cyldiff.config.layers import Tree, merge, parse_override, plant, put, values
from cyldiff.config.report import problems_of
from cyldiff.config.schema import PhysicsConfig
from cyldiff.config.validate import valid_parts
from cyldiff.errors import ConfigError, Problem, nearest, quoted
from cyldiff.sources.catalogue import (
    Catalogue,
    CatalogueSource,
    coordinates_problem,
    emission_problems,
    place_of,
)
from cyldiff.sources.catalogue_checks import (
    DEFAULTS,
    MISSING,
    SET,
    Rows,
    in_halo,
    label,
    named_twice,
    populations,
    reported,
)
from cyldiff.sources.ecsv import read_ecsv

__all__ = ["check_catalogue", "load_catalogue", "load_catalogue_mapping"]


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

    Returns
    -------
    Catalogue    sources with places, spectra and histories, in the order of the file

    Raises
    ------
    ConfigError
        with every problem of every source.
    """
    with resources.readable(path):
        file = resources.find("catalogues", str(path))
        raw = read_ecsv(file) if file.suffix == ".ecsv" else resources.read_toml(file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
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
        for problem in in_halo(source.place(model.observer), model, source.place_key)
    ]
    named = [("population", catalogue.population)] if catalogue.population else []
    named += [(f"source {number}", name) for number, name in enumerate(catalogue.names, start=1)]
    problems += populations(named, model)
    if problems:
        raise ConfigError(catalogue.source, problems)


@dataclass(frozen=True, slots=True)
class _File:
    """Where the rows are from, and what their keys are called there."""

    name: str
    word: str
    checksum: str = ""
    inputs: tuple[Path, ...] = ()


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
        named_twice(rows)
        problems += list(reported(rows))
        problems += populations(_names(head, rows), model) if model is not None else []
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
    problems.append(Problem(SET, f"{quoted(text)}: {expected} for a catalogue"))
    return None


def _rows(
    head: _Head | None, changes: list[tuple[tuple[str, ...], Any]], file: _File, problems: list[Problem]
) -> Rows:
    """Rows on top of their defaults, with the changes; what is no table is a problem."""
    rows = Rows(file.word)
    if head is None:
        return rows
    defaults: Tree = plant(head.defaults, DEFAULTS)
    for path, value in changes:
        if path[0] == "defaults":
            put(defaults, path[1:], plant(value, SET))
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
                put(tree, path[2:], plant(value, SET))
        rows.numbers.append(number)
        rows.trees.append(tree)
        rows.names.append(values(tree["name"]) if "name" in tree else None)
    for path, _ in changes:
        if path[0] == "source" and path[1] not in rows.names:
            known = [name for name in rows.names if isinstance(name, str)]
            problems.append(Problem(SET, f"there is no source {quoted(path[1])}{nearest(path[1], known)}"))
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
    valid = _valid(source, row, errors)
    if wrong := coordinates_problem(row):
        problems.append(Problem("", wrong))
    elif model is not None and not coordinates_problem(valid):
        key = "position" if "position" in valid else "distance"
        problems += in_halo(place_of(valid, model.observer), model, key)
    if source is None:
        problems += [Problem(key, message) for key, message in emission_problems(valid)]
    if not objects:
        problems += [Problem(key, MISSING[key]) for key in MISSING if key not in row]
    return (None if problems else source), problems


def _valid(source: CatalogueSource | None, row: Mapping[str, Any], errors: list[Any]) -> dict[str, Any]:
    """Values of the keys of a row that are valid by themselves."""
    if source is not None:
        return source.by_key()
    parts = valid_parts(CatalogueSource, row, errors)
    return {str(path[0]): value for path, value in parts.items() if len(path) == 1 and value is not None}


def _names(head: _Head | None, rows: Rows) -> list[tuple[str, str]]:
    """What is called how: the whole, and every source."""
    named = [("population", head.population)] if head is not None and head.population else []
    return named + [
        (label(rows, i, "name"), name) for i, name in enumerate(rows.names) if isinstance(name, str)
    ]

"""What is wrong with the rows of a catalogue together: names, places in a model, and how it is all said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.config.layers import Tree, origin_at
from cyldiff.config.schema import PhysicsConfig
from cyldiff.config.toml import split_path
from cyldiff.errors import Problem, quoted
from cyldiff.sources.catalogue import CatalogueSource

__all__ = [
    "DEFAULTS",
    "MISSING",
    "SET",
    "Rows",
    "in_halo",
    "label",
    "named_twice",
    "populations",
    "reported",
    "same_population",
    "twice",
]

Array = NDArray[np.float64]

#: origins of values that are not a row's own
DEFAULTS, SET = "[defaults]", "--set"
MISSING = {
    "age": 'is missing; expected a time since birth, e.g. "1 Myr"',
    "history": 'is missing; expected e.g. { kind = "burst", energy = "1e50 erg" }',
    "spectrum": 'is missing; expected e.g. { kind = "power-law", index = 2.2, cutoff = "5 PV" }',
}


@dataclass
class Rows:
    """Rows with their defaults, and what is wrong with them.

    Attributes
    ----------
    word : what a key is called in the file, "key" or "column"
    numbers : place of each row in the file, from 1
    trees : its values and where they are from
    names : what it says its name is
    problems, sources : what is wrong with it, and what it is otherwise
    """

    word: str
    numbers: list[int] = field(default_factory=list)
    trees: list[Tree] = field(default_factory=list)
    names: list[Any] = field(default_factory=list)
    problems: list[list[Problem]] = field(default_factory=list)
    sources: list[CatalogueSource | None] = field(default_factory=list)


def same_population(one: str, other: str) -> bool:
    """Whether two names are the same but for case, and for hyphens, underscores and blanks before letters.

    The sign of a coordinate counts: GRS 1915+105 is not GRS 1915-105.
    """

    def plain(name: str) -> str:
        return re.sub(r"[\s_-]+(?!\d)", "", name.casefold())

    return plain(one) == plain(other)


def twice(name: str, component: str, owner: str) -> str:
    """What to say of a population that is there already."""
    return (
        f'{quoted(name)} is the component "{component}" of {owner} already; one population must not be injected '
        "twice: rename it if it is another one, or leave it out on one side"
    )


def in_halo(place: Array, model: PhysicsConfig, key: str) -> Iterator[Problem]:
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


def named_twice(rows: Rows) -> None:
    """Add the problem of two sources of one name."""
    first: dict[str, int] = {}
    for number, name in enumerate(rows.names):
        if isinstance(name, str):
            before = first.setdefault(" ".join(name.casefold().split()), number)
            if before < number:
                problem = Problem(
                    "name", f"is that of source {rows.numbers[before]} too; expected another one"
                )
                rows.problems[number].append(problem)


def populations(named: list[tuple[str, str]], model: PhysicsConfig) -> Iterator[Problem]:
    """No component of the model is injected a second time."""
    for key, name in named:
        for component in model.sources:
            if same_population(name, component):
                yield Problem(key, twice(name, component, "the model"))


def label(rows: Rows, number: int, key: str) -> str:
    """A key of a row, as a message names it."""
    name = rows.names[number]
    who = f" ({quoted(name, 40)})" if isinstance(name, str) else ""
    return f"source {rows.numbers[number]}{who}" + (f", {rows.word} {key}" if key else "")


def reported(rows: Rows) -> Iterator[Problem]:
    """Problems of the rows by row and key; once only what is wrong with the defaults or with every row."""
    often = Counter(same for problems in rows.problems for same in {(p.key, p.message) for p in problems})
    said: set[tuple[str, str]] = set()
    for number, problems in enumerate(rows.problems):
        for problem in problems:
            origin = origin_at(rows.trees[number], split_path(problem.key) or ())
            same = (problem.key, problem.message)
            everywhere = len(rows.problems) > 1 and often[same] == len(rows.problems)
            if origin == DEFAULTS or (origin == SET and often[same] > 1):
                where, message = f"defaults.{problem.key}", problem.message
            elif everywhere:
                where, message = f"every source, {rows.word} {problem.key}", _for_all(problem)
            else:
                here = label(rows, number, problem.key)
                yield Problem(here, problem.message, origin if origin == SET else "")
                continue
            if same not in said:
                said.add(same)
                yield Problem(where, message)


def _for_all(problem: Problem) -> str:
    """How to give every source a key that all of them lack."""
    if problem.message != MISSING.get(problem.key):
        return problem.message
    return f"{problem.message}; for all at once in [defaults], or with --set 'defaults.{problem.key} = …'"

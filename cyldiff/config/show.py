"""A loaded config as text: every value with its unit and where it was set, grouped by table."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Protocol

from cyldiff.config.feasibility import estimated_memory, mesh_shape
from cyldiff.config.load import LoadedConfig
from cyldiff.config.parts import followed_species, spread
from cyldiff.config.toml import dotted, leaves, shown
from cyldiff.data.measurements import load
from cyldiff.screen import LINE

__all__ = ["listing", "sizes"]

#: tables of more numbers than this are printed several to a line
_MANY = 12
_VALUE_WIDTH = 28

Row = tuple[tuple[str, ...], Any]


class Resolved(Protocol):
    """What can be listed: all values as they would be written, and who set them."""

    @property
    def resolved(self) -> dict[str, Any]:
        """Nested values."""

    @property
    def origin(self) -> dict[str, str]:
        """Dotted path -> origin."""


def listing(loaded: Resolved) -> str:
    """All keys of a config as in a TOML file, one per line: key, value, origin in brackets.

    Long tables of numbers (abundances) come several to a line, by origin.
    """
    width = max(len(dotted(path[-1:])) for path, _ in leaves(loaded.resolved))
    lines: list[str] = []
    for table, rows in _tables(loaded.resolved, ()):
        if table:
            lines += ["", f"[{dotted(table)}]"]
        if len(rows) > _MANY and all(isinstance(v, int | float) for _, v in rows):
            lines += _packed(rows, loaded.origin)
        else:
            lines += [_line(path, value, loaded.origin[dotted(path)], width) for path, value in rows]
    return "\n".join(lines)


def _tables(raw: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Row]]]:
    """Tables from the outside in, each with its own values."""
    rows = [((*path, key), value) for key, value in raw.items() if not (isinstance(value, Mapping) and value)]
    if rows:
        yield path, rows
    for key, value in raw.items():
        if isinstance(value, Mapping):
            yield from _tables(value, (*path, key))


def sizes(loaded: LoadedConfig) -> str:
    """How large the run will be: nuclides, cells, memory, and the data it will be compared with."""
    config = loaded.config
    parts = spread(config)
    energies, *cells = mesh_shape(parts) or (0,)
    names = ("r", "phi", "z") if len(cells) == 3 else ("r", "z")
    mesh = " x ".join(
        [f"{energies} energies", *(f"{n} {name}" for n, name in zip(cells, names, strict=True))]
    )
    half = " (half-space)" if config.grid.space.half_space else ""
    lines = [
        f"{len(followed_species(parts))} nuclides on {mesh}{half}, "
        f"about {(estimated_memory(parts) or 0.0) / 1e9:.1g} GB of memory"
    ]
    rows = []
    for name in config.compare.data:
        data = load(name)
        potential = 0.0 if data.interstellar else config.physics.modulation.potential_for(data.experiment)
        solar = "interstellar" if data.interstellar else f"{1e3 * potential:g}\u00a0MV"
        rows.append((name, data.quantity, data.experiment, f"{len(data)}\u00a0points", solar))
    if rows:
        lines += ["", "to be compared with, and the potential of its solar modulation"]
        width = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines += [
            "  " + "  ".join(text.ljust(w) for text, w in zip(row, width, strict=True)).rstrip()
            for row in rows
        ]
    return "\n".join(lines)


def _line(path: tuple[str, ...], value: Any, origin: str, width: int) -> str:
    """A key with its value and where it was set, within the width of a screen unless words are longer."""
    head, mark = f"  {dotted(path[-1:]):<{width}}  ", f"  [{origin}]"
    text = shown(value) if value != "" else '""'
    if len(head) + max(len(text), _VALUE_WIDTH) + len(mark) <= LINE:
        return f"{head}{text:<{_VALUE_WIDTH}}{mark}"
    sentences = isinstance(value, list | tuple) and any(len(str(v).split()) > 3 for v in value)
    parts = [shown(v) for v in value] if sentences else [text]
    return _with_mark([line for part in parts for line in _wrap(part, LINE - len(head))], head, mark)


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _with_mark(lines: list[str], head: str, mark: str) -> str:
    """Lines under the end of `head`, `mark` behind the last one or, if there is no room, below it."""
    indent = " " * len(head)
    body = [head + lines[0], *(indent + line for line in lines[1:])]
    if len(body[-1]) + len(mark) <= LINE:
        body[-1] += mark
    else:
        body.append(mark.lstrip().rjust(LINE) if len(mark) <= LINE else mark)
    return "\n".join(body)


def _packed(block: list[Row], origins: Mapping[str, str]) -> list[str]:
    lines = []
    for origin, group in groupby(block, key=lambda row: origins[dotted(row[0])]):
        entries = "  ".join(f"{dotted(path[-1:])}\u00a0{shown(value)}" for path, value in group)
        lines.append(_with_mark(_wrap(entries, LINE - 2), "  ", f"  [{origin}]").replace("\u00a0", " "))
    return lines

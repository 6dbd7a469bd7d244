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

__all__ = ["listing", "sizes"]

#: tables of more numbers than this are printed several to a line
_MANY = 12
_VALUE_WIDTH = 28
_LINE = 100

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
    for name in config.compare.data:
        data = load(name)
        potential = 0.0 if data.interstellar else config.physics.modulation.potential_for(data.experiment)
        lines.append(
            f"to be compared with {name}: {data.quantity} of {data.experiment}, {len(data)} points, "
            f"modulation potential {1e3 * potential:g} MV"
        )
    return "\n".join(lines)


def _line(path: tuple[str, ...], value: Any, origin: str, width: int) -> str:
    text = shown(value)
    indent = " " * (width + 4)
    if len(text) > _VALUE_WIDTH:
        first, *rest = textwrap.wrap(text, _LINE - width, break_long_words=False, break_on_hyphens=False) or [
            ""
        ]
        wrapped = "\n".join([first, *(indent + line for line in rest)])
        return f"  {dotted(path[-1:]):<{width}}  {wrapped}  [{origin}]"
    return f"  {dotted(path[-1:]):<{width}}  {text:<{_VALUE_WIDTH}}  [{origin}]"


def _packed(block: list[Row], origins: Mapping[str, str]) -> list[str]:
    lines = []
    for origin, group in groupby(block, key=lambda row: origins[dotted(row[0])]):
        entries = "  ".join(f"{dotted(path[-1:])}\u00a0{shown(value)}" for path, value in group)
        wrapped = textwrap.wrap(entries, _LINE, break_long_words=False, break_on_hyphens=False)
        lines += [f"  {line}".replace("\u00a0", " ") for line in wrapped]
        lines[-1] += f"  [{origin}]"
    return lines

"""Text for a terminal: lines that are too long are folded at blanks, under the column they are in.

In a pipe or a file nothing is folded, so that one entry stays one line.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import TextIO

__all__ = ["LINE", "fold", "for_screen", "numbers_table", "upright"]

#: columns that tables and listings are laid out for
LINE = 80
#: narrowest terminal that lines are folded for
_NARROWEST = 40
#: indentation of what continues a line without columns
_INDENT = 4
_FIRST_COLUMN = re.compile(r"\s*\S+(?: \S+)*\s{2,}(?=\S)")


def fold(text: str, width: int = LINE) -> str:
    """Fold every line that is longer than `width` at its blanks.

    What continues a line stands under its second column (the text after the first gap of two blanks or
    more) if that begins in the left half; if it begins further right, all of it goes below the first column,
    four blanks in. Words are not broken; a blank that must not break (U+00A0) becomes a plain one.
    """
    return "\n".join(_folded(line, width) for line in text.split("\n")).replace("\u00a0", " ")


def _folded(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    start = len(line) - len(line.lstrip())
    column = _FIRST_COLUMN.match(line)
    if column and column.end() > width // 2:
        return "\n".join(
            [column.group().rstrip(), *_wrapped(line[column.end() :], width, start + _INDENT, first=False)]
        )
    return "\n".join(_wrapped(line, width, column.end() if column else start + _INDENT))


def _wrapped(text: str, width: int, indent: int, *, first: bool = True) -> list[str]:
    """Lines of `text`, all but the first (that too, if not `first`) `indent` blanks in."""
    blanks = " " * indent
    return textwrap.wrap(
        text,
        width,
        initial_indent="" if first else blanks,
        subsequent_indent=blanks,
        break_long_words=False,
        break_on_hyphens=False,
    )


def for_screen(text: str, stream: TextIO | None = None) -> str:
    """`text` as it is to be printed: folded to the width of the terminal that `stream` is, else as it is.

    Parameters
    ----------
    stream : where it goes; default standard output
    """
    stream = sys.stdout if stream is None else stream
    if stream is None or not stream.isatty():  # None: it was closed
        return text.replace("\u00a0", " ")
    return fold(text, _width())


def numbers_table(
    columns: Mapping[str, Iterable[float]], units: Mapping[str, str], width: int | None = None
) -> str:
    """Columns of numbers for people: a line of units, names, then five digits, aligned at the right.

    Where they are wider than the terminal, they come in blocks that all begin with the first column.

    Parameters
    ----------
    columns : numbers by name, all of the same length; the first is what the others are given at
    units : by name; a name that is not in it has the unit of the column before it; empty: no line of units
    width : columns of the terminal; default that of standard output
    """
    width = _width() if width is None else width
    cells: list[list[str]] = []
    for name, values in columns.items():
        texts = [name, *(f"{value:.5g}" for value in values)]
        size = max(map(len, texts))
        cells.append([text.rjust(size) for text in texts])
    blocks: list[list[list[str]]] = []
    for column in cells[1:] or [[]]:
        if not blocks or sum(len(c[0]) + 2 for c in (*blocks[-1], column)) - 2 > width:
            blocks.append([cells[0]])
        blocks[-1] += [column] if column else []
    text = "\n\n".join("\n".join("  ".join(row) for row in zip(*block, strict=True)) for block in blocks)
    return f"{fold(_units_line(columns, units), width)}\n\n{text}" if units else text


def _units_line(names: Iterable[str], units: Mapping[str, str]) -> str:
    """Which columns have which unit; neighbours with the same unit together."""
    groups: list[tuple[list[str], str]] = []
    for name in names:
        unit = units.get(name, groups[-1][1] if groups else "1")
        if groups and groups[-1][1] == unit:
            groups[-1][0].append(name)
        else:
            groups.append(([name], unit))
    # a unit stays in one piece
    return "; ".join(f"{', '.join(some)} [{unit.replace(' ', chr(0xA0))}]" for some, unit in groups)


def upright(text: str, width: int | None = None) -> str:
    """`text` with every Markdown table that is wider than the terminal turned: a block per row, a line per column."""
    width = _width() if width is None else width
    lines: list[str] = []
    table: list[list[str]] = []
    for line in [*text.split("\n"), ""]:
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip().strip("|").split("|")])
            continue
        if table:
            lines += _turned(table)
        table = []
        lines.append(line)
    fits = all(len(line) <= width for line in text.split("\n"))
    return text if fits else "\n".join(lines[:-1])


def _turned(table: list[list[str]]) -> list[str]:
    """A block per row of a table whose second row is the ruler: its first cell, then name and value of the others."""
    head, _, *rows = table
    size = max(map(len, head[1:]), default=0)
    return [
        line
        for row in rows
        for line in (
            row[0],
            *(f"  {name:<{size}}  {cell}" for name, cell in zip(head[1:], row[1:], strict=True)),
            "",
        )
    ]


def _width() -> int:
    return max(shutil.get_terminal_size((LINE, 24)).columns, _NARROWEST)

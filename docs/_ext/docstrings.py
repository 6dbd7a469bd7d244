"""Docstrings with a column of descriptions, as the code has them, in the form that napoleon reads."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_SECTIONS = ("Parameters", "Returns", "Raises", "Attributes")
_COLUMNS = re.compile(r"^(\S.*?\S|\S)\s{2,}(\S.*)$")
#: what a type begins with; other words after ``name :`` are what it is
_TYPE = re.compile(
    r"^(optional|array[_-]like|ndarray|scalar|float|int|str|bool|bytes|list|tuple|dict|mapping|sequence"
    r"|iterable|collection|callable|function\b|[\w.]*\.[A-Z]\w+|[A-Z]\w+(\s|,|$)|None)"
)


def split_columns(lines: list[str]) -> list[str]:
    """Entries ``name : type    what it is`` on two lines; what continues them under it.

    ``name : what it is`` has no type, on one line or on many.
    """
    found: list[str] = []
    section = ""
    for number, line in enumerate(lines):
        below = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if below and set(below) == {"-"}:
            section = line.strip()
        if section not in _SECTIONS or set(line.strip()) == {"-"} or not line.strip():
            found.append(line)
        elif line.startswith(" "):
            found.append(f"    {line.strip()}")
        elif columns := _COLUMNS.match(line):
            found += [columns[1], f"    {columns[2]}"]
        else:
            name, _, said = line.partition(" : ")
            if said and section in ("Parameters", "Attributes") and not _TYPE.match(said):
                found += [name, f"    {said}"]
            else:
                found.append(line)
    return found


def process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = split_columns(lines)


def setup(app: Sphinx) -> dict[str, object]:
    app.connect("autodoc-process-docstring", process, priority=100)  # before napoleon
    return {"parallel_read_safe": True, "parallel_write_safe": True}

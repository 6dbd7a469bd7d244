"""Docstrings with a column of descriptions, as the code has them, in the form that napoleon reads."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_SECTIONS = ("Parameters", "Returns", "Raises", "Attributes")
_COLUMNS = re.compile(r"^(\S.*?\S|\S)\s{2,}(\S.*)$")


def split_columns(lines: list[str]) -> list[str]:
    """Entries ``name : type    what it is`` on two lines; what continues them under it."""
    found: list[str] = []
    inside = False
    for number, line in enumerate(lines):
        below = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if below and set(below) == {"-"}:
            inside = line.strip() in _SECTIONS
        if not inside or set(line.strip()) == {"-"} or not line.strip():
            found.append(line)
        elif line.startswith(" "):
            found.append(f"    {line.strip()}")
        elif columns := _COLUMNS.match(line):
            found += [columns[1], f"    {columns[2]}"]
        else:
            found.append(line)
    return found


def process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = split_columns(lines)


def setup(app: Sphinx) -> dict[str, object]:
    app.connect("autodoc-process-docstring", process, priority=100)  # before napoleon
    return {"parallel_read_safe": True, "parallel_write_safe": True}

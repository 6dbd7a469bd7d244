"""Nested tables of plain values: dotted paths, and TOML text that reads back as equal."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["dotted", "leaves", "shown", "split_path", "to_toml"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SEGMENT = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^."'\s]+))\s*(?:\.|$)""")


def dotted(path: Sequence[Any]) -> str:
    """``("a", "C12->B11", 0)`` as ``a."C12->B11"[0]``."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{_key(str(key))}"
    return text.removeprefix(".")


def split_path(text: str) -> tuple[str, ...] | None:
    """Inverse of :func:`dotted` for paths typed by a user; None if it is none."""
    text = re.sub(r"\[([0-9]+)\]", r".\1", text)
    keys: list[str] = []
    position = 0
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            return None
        keys.append(next(group for group in match.groups() if group is not None))
        position = match.end()
    return tuple(keys) if keys and not text.rstrip().endswith(".") else None


def leaves(raw: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """All values of nested tables with their paths; an empty table counts as a value."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, value in raw.items():
        here = (*path, key)
        found += leaves(value, here) if isinstance(value, Mapping) and value else [(here, value)]
    return found


def shown(value: Any) -> str:
    """A value as a user would write it; "none" for what is not given."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(shown(v) for v in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k} = {shown(v)}" for k, v in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def to_toml(raw: Mapping[str, Any]) -> str:
    """Write nested tables of plain values as TOML; None is left out, tuples become lists."""
    return "\n".join(_table_lines(raw, ())).strip() + "\n"


def _table_lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    values = {k: v for k, v in table.items() if not isinstance(v, Mapping) and v is not None}
    lines = ["", f"[{'.'.join(map(_key, path))}]"] if path and (values or not table) else []
    lines += [f"{_key(k)} = {_value(v)}" for k, v in values.items()]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += _table_lines(value, (*path, key))
    return lines


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    # JSON escapes are valid TOML; JSON lets pass a character TOML does not
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else str(float(value))
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value if v is not None) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return _text(str(value))

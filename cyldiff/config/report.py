"""Turn what pydantic found into messages for physicists; write a config as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from cyldiff.config.tree import field_of, known_keys, model_at, slot_of
from cyldiff.errors import Problem, nearest
from cyldiff.units import DIMENSIONS

__all__ = ["flatten", "problems_of", "to_toml"]

_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def problems_of(root: type[BaseModel], raw: Mapping[str, Any], errors: Iterable[Any]) -> list[Problem]:
    """One :class:`Problem` per pydantic error: key, what was found, what is expected, nearest name."""
    return [_problem(root, raw, error) for error in errors]


def _problem(root: type[BaseModel], raw: Mapping[str, Any], error: Any) -> Problem:
    path = tuple(error["loc"])
    owner = model_at(root, raw, path[:-1]) if path else root
    key = ".".join(str(p) for p in path)
    kind = error["type"]
    found = _show(_get(raw, path))
    if kind == "extra_forbidden":
        known = known_keys(owner) if owner is not None else []
        hint = nearest(str(path[-1]), known)
        prefix = ".".join(str(p) for p in path[:-1])
        if hint and prefix:
            hint = hint.replace('"', f'"{prefix}.', 1)
        return Problem(key, f"unknown key{hint or '; known here: ' + ', '.join(known)}")
    field = field_of(owner, path[-1]) if owner is not None and path else None
    if kind == "missing":
        return Problem(key, f"is missing; expected {_expected(field)}")
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", str(error["ctx"]["expected"])) or [str(error["ctx"]["expected"])]
        value = str(error["input"])
        return Problem(key, f'"{value}" unknown; known: {", ".join(known)}{nearest(value, known)}')
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return Problem(key, f"found {found}; expected {words} {error['ctx'][name]:g}{_unit(field)}")
    if kind == "value_error":
        message = str(error["ctx"]["error"]) if "ctx" in error else error["msg"]
        return Problem(key, message)
    if kind in ("too_short", "too_long"):
        return Problem(key, f"found {found}; {error['msg'][0].lower()}{error['msg'][1:]}")
    return Problem(key, f"found {found}; expected {_expected(field)}")


def _expected(field: Any) -> str:
    if field is None:
        return "another type of value"
    slot = slot_of(field)
    if slot.dimension:
        return f'{slot.dimension}, e.g. "{DIMENSIONS[slot.dimension][1]}"'
    description = f" ({field.description})" if field.description else ""
    if slot.family:
        return f'a table with a "kind"{description}'
    if slot.model or slot.table:
        return f"a table{description}"
    name = getattr(field.annotation, "__name__", str(field.annotation))
    words = {"float": "a number", "int": "a whole number", "str": "text", "bool": "true or false"}
    return words.get(name, "a list" if "tuple" in str(field.annotation) else name) + description


def _unit(field: Any) -> str:
    slot = slot_of(field) if field is not None else None
    return f" {DIMENSIONS[slot.dimension][0]}" if slot is not None and slot.dimension else ""


def _get(raw: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        try:
            raw = raw[key]
        except (KeyError, IndexError, TypeError):
            return None
    return raw


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, Mapping) else "a table"


def flatten(raw: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"a": {"b": 1}}`` as ``{"a.b": 1}``."""
    flat: dict[str, Any] = {}
    for key, value in raw.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, f"{path}."))
        else:
            flat[path] = value
    return flat


def to_toml(raw: Mapping[str, Any]) -> str:
    """Write nested tables of plain values as TOML (what ``tomllib`` reads back as equal)."""
    return "\n".join(_table_lines(raw, ())).strip() + "\n"


def _table_lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    values = {k: v for k, v in table.items() if not isinstance(v, Mapping) and v is not None}
    lines = [""] + [f"[{'.'.join(map(_key, path))}]"] if path and (values or not table) else []
    lines += [f"{_key(k)} = {_value(v)}" for k, v in values.items()]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += _table_lines(value, (*path, key))
    return lines


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, int):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False)

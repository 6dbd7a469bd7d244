"""Turn what pydantic found into messages for physicists: key, found, expected, nearest name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cyldiff import registry
from cyldiff.config.toml import dotted
from cyldiff.config.tree import field_of, known_keys, model_at, slot_of, walk
from cyldiff.errors import Problem, nearest, quoted
from cyldiff.units import DIMENSIONS, format_quantity

__all__ = ["choices_of", "problems_of"]

#: problems of one table that are spelled out; nobody reads more, and nearest names take time
_MANY = 100
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_WORDS: dict[type | None, str] = {
    float: "a number",
    int: "a whole number",
    str: "text",
    bool: "true or false",
}

Path = tuple[Any, ...]


def problems_of(root: type[BaseModel], raw: Mapping[str, Any], errors: Iterable[Any]) -> list[Problem]:
    """One :class:`Problem` per pydantic error; of very many the first ones, and how many more there are.

    Parameters
    ----------
    root : model that `raw` was validated with
    raw : nested plain values
    errors : items of ``ValidationError.errors()``
    """
    told = [e for e in errors if not _follows(raw, e)]
    problems = [Problem(dotted(e["loc"]), _message(root, raw, e)) for e in told[:_MANY]]
    if len(told) > _MANY:
        problems.append(Problem("…", f"{len(told) - _MANY} more problems of this kind or another"))
    return problems


def _follows(raw: Mapping[str, Any], error: Any) -> bool:
    """A list that is too short only because its entries, which are reported, were refused."""
    if error["type"] != "too_short":
        return False
    found = _get(raw, tuple(error["loc"]))
    return isinstance(found, Sized) and len(found) >= error["ctx"]["min_length"]


def _message(root: type[BaseModel], raw: Mapping[str, Any], error: Any) -> str:
    path, kind = tuple(error["loc"]), error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(root, raw, path)
    field = _field_at(root, raw, path)
    found = quoted(_get(raw, path))
    if kind == "missing":
        return f"is missing; expected {_expected(field)}"
    if kind == "literal_error" and field is not None:
        known = [str(choice) for choice in choices_of(field)]
        return f"{found} unknown; known: {', '.join(known)}{nearest(str(error['input']), known)}"
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"found {found}; expected {words} {_bound(error['ctx'][name], field)}"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "unknown_kind":
        return str(error["msg"])
    if kind == "too_short":
        return f"has {error['ctx']['actual_length']} entries; expected at least {error['ctx']['min_length']}"
    return f"found {found}; expected {_expected(field)}"


def _unknown_key(root: type[BaseModel], raw: Mapping[str, Any], path: Path) -> str:
    """What to say of a key that does not exist here: the nearest one, or where it does exist."""
    name = str(path[-1])
    owner = model_at(root, raw, path[:-1])
    if owner is None:
        return "unknown key"
    known = known_keys(owner)
    others = [kind for kind, cls in _siblings(owner).items() if name in known_keys(cls)]
    if others:
        mine = next(kind for kind, cls in _siblings(owner).items() if cls is owner)
        return (
            f'unknown key of kind "{mine}"; it belongs to {", ".join(others)}; known here: {", ".join(known)}'
        )
    hint = nearest(name, known)
    if hint:
        near = next(key for key in known if f'"{key}"' in hint)
        return f"unknown key; did you mean {dotted((*path[:-1], near))}?"
    elsewhere = _elsewhere(root, name, str(path[0]))
    return f"unknown key; {elsewhere or 'known here: ' + ', '.join(known)}"


def _siblings(cls: type[BaseModel]) -> Mapping[str, type[BaseModel]]:
    """All kinds of the family a class belongs to; empty for a model that is no kind."""
    return next((k for f in registry.families() if cls in (k := registry.kinds(f)).values()), {})


def _elsewhere(root: type[BaseModel], name: str, section: str) -> str:
    """Hint at keys of this name in other tables, the outermost ones, or of a similar one in the same section."""
    paths = list(dict.fromkeys(path for path, _, _ in walk(root)))
    hits = [p for p in paths if p.rpartition(".")[2] == name]
    hits = [p for p in hits if p.count(".") == min(h.count(".") for h in hits)]
    if not hits:
        inside = {p.rpartition(".")[2]: p for p in reversed(paths) if p.startswith(f"{section}.")}
        hint = nearest(name, inside)
        hits = [path for tail, path in inside.items() if f'"{tail}"' in hint]
    return f"did you mean {' or '.join(hits[:3])}?" if hits else ""


def _field_at(root: type[BaseModel], raw: Any, path: Path) -> FieldInfo | None:
    """Field that reads the value at `path`; for an entry of a list or free table, that of the whole."""
    while path:
        owner = model_at(root, raw, path[:-1])
        field = field_of(owner, path[-1]) if owner is not None else None
        if field is not None:
            return field
        path = path[:-1]
    return None


def _expected(field: FieldInfo | None) -> str:
    if field is None:
        return "another type of value"
    slot = slot_of(field)
    description = f" ({field.description})" if field.description else ""
    if slot.table or (slot.model is not None and slot.family is None):
        return f"a table{description}"
    if slot.dimension:
        example = f'{slot.dimension}, e.g. "{DIMENSIONS[slot.dimension][1]}"'
        return f"a list of {example}" if slot.many else example
    if slot.family:
        return f'a table with a "kind"{description}'
    choices = choices_of(field)
    if choices:
        return " or ".join(quoted(c) for c in choices) + description
    plain = _WORDS.get(slot.plain, "another value")
    return ("a list" if slot.many else plain) + description


def choices_of(field: FieldInfo) -> tuple[Any, ...]:
    """Words to choose from; empty if the field takes other values."""
    annotation = field.annotation
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _bound(value: float, field: FieldInfo | None) -> str:
    dimension = slot_of(field).dimension if field is not None else None
    return format_quantity(float(value), dimension) if dimension else f"{value:g}"


def _get(raw: Any, path: Path) -> Any:
    for key in path:
        try:
            raw = raw[key]
        except (KeyError, IndexError, TypeError):
            return None
    return raw

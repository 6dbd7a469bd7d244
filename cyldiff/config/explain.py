"""Answers to "what is this key?" and "what is there?"."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from cyldiff import kinds as _kinds  # noqa: F401 - registers all kinds of the package
from cyldiff import registry, resources
from cyldiff.config.schema import RunConfig
from cyldiff.config.tree import slot_of, walk
from cyldiff.errors import DataError, nearest
from cyldiff.units import DIMENSIONS

__all__ = ["explain_key", "library_listing"]

_LISTINGS = ("runs", "models", "grids", "data", "species", "kinds")


def explain_key(key: str) -> str:
    """Meaning, accepted values and default of a config key; a trailing part of the path is enough.

    Raises
    ------
    DataError
        naming the nearest key, if there is none of this name.
    """
    entries = list(walk(RunConfig))
    wanted = key.split(".")
    hits = [e for e in entries if _matches(e[0].split("."), wanted)]
    if not hits:
        paths = sorted({e[0] for e in entries})
        tails = {p.split(".")[-1] for p in paths}
        raise DataError(f'no config key "{key}"{nearest(key, paths) or nearest(wanted[-1], tails)}')
    return "\n\n".join(_entry(path, owner, field) for path, owner, field in hits)


def _matches(path: list[str], wanted: list[str]) -> bool:
    """Whether `wanted` is `path` or its tail; a free name matches anything."""
    if len(wanted) > len(path):
        return False
    tail = path[len(path) - len(wanted) :]
    return all(p in ("NAME", w) for p, w in zip(tail, wanted, strict=True))


def _entry(path: str, owner: str, field: FieldInfo) -> str:
    slot = slot_of(field)
    title = f'{path}   (kind "{owner}")' if owner else path
    lines = [title]
    if field.description:
        lines.append(f"    {field.description}")
    if slot.dimension:
        internal, example, _ = DIMENSIONS[slot.dimension]
        lines.append(f'    {slot.dimension} as text with a unit, e.g. "{example}" (kept in {internal})')
    elif slot.family:
        lines.append(f"    table with a kind: {', '.join(registry.kinds(slot.family))}")
        lines += [f"      {k}: {_first_line(c)}" for k, c in registry.kinds(slot.family).items()]
    else:
        lines.append(f"    {_type_name(field)}")
    default = field.get_default(call_default_factory=True) if not field.is_required() else PydanticUndefined
    lines.append("    required" if default is PydanticUndefined else f"    default: {_default(default)}")
    bounds = [str(m) for m in field.metadata if type(m).__name__ in ("Gt", "Ge", "Lt", "Le")]
    if bounds:
        lines.append(f"    bounds: {', '.join(b.split('(')[0].lower() + ' ' + b.split('=')[1][:-1] for b in bounds)}")
    return "\n".join(lines)


def _default(value: Any) -> str:
    return "none" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


def _type_name(field: FieldInfo) -> str:
    text = str(field.annotation)
    for ugly in ("typing.", "cyldiff.config.schema.", "cyldiff.galaxy.gas."):
        text = text.replace(ugly, "")
    return text.removeprefix("<class '").removesuffix("'>")


def _first_line(cls: type) -> str:
    return (inspect.getdoc(cls) or "").split("\n")[0]


def library_listing(what: str | None) -> str:
    """Names of the library; `what` is one of runs, models, grids, data, species, kinds."""
    if what is not None and what not in _LISTINGS:
        raise DataError(f'nothing called "{what}" to list; known: {", ".join(_LISTINGS)}{nearest(what, _LISTINGS)}')
    blocks = [_listing(name) for name in (_LISTINGS if what is None else (what,))]
    return "\n\n".join(blocks)


def _listing(what: str) -> str:
    if what in ("runs", "models", "grids"):
        rows: Iterable[tuple[str, str]] = (
            (name, _title(resources.read_toml(path))) for name, path in resources.names(what).items()
        )
    elif what == "data":
        from cyldiff.data.measurements import available, load

        rows = ((name, load(name).citation) for name in available())
    elif what == "species":
        from cyldiff.particles.species import nuclides

        rows = (
            (s.name, "stable" if s.half_life == float("inf") else f"half-life {s.half_life:g} Myr")
            for s in nuclides().values()
        )
    else:
        rows = (
            (f"{family}: {kind}", _first_line(cls))
            for family in registry.families()
            for kind, cls in registry.kinds(family).items()
        )
    table = list(rows)
    width = max((len(name) for name, _ in table), default=0)
    return "\n".join([f"{what}:", *(f"  {name:<{width}}  {text}".rstrip() for name, text in table)])


def _title(raw: dict[str, Any]) -> str:
    run = raw.get("run")
    return str(raw.get("title") or (run.get("purpose", "") if isinstance(run, dict) else ""))

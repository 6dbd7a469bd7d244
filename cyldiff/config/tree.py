"""Walk the tree of config models: which keys exist at a path, what they mean, what they expect."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cyldiff import registry
from cyldiff.config.base import KindOf, Unit

__all__ = ["Slot", "known_keys", "model_at", "slot_of", "walk"]

Path = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """What a key accepts: a value, a model, a kind of a family, or a list or table of one of these.

    Attributes
    ----------
    family : family of kinds to choose from
    model : class of a table with fixed keys
    table, many, optional : a table with free keys; a list; may be left out without a default
    dimension : of a value with a unit
    plain : float, int, str or bool
    bounds : (word, limit) pairs of a number, in internal units
    """

    family: str | None = None
    model: type[BaseModel] | None = None
    table: bool = False
    many: bool = False
    optional: bool = False
    dimension: str | None = None
    plain: type | None = None
    bounds: tuple[tuple[str, float], ...] = ()

    def model_for(self, raw: Any) -> type[BaseModel] | None:
        """Model class that reads `raw`, a kind being chosen by its ``kind``."""
        if self.family is None:
            return self.model
        kind = raw.get("kind") if isinstance(raw, Mapping) else None
        return registry.kinds(self.family).get(kind) if isinstance(kind, str) else None


def slot_of(field: FieldInfo) -> Slot:
    """What a field accepts."""
    notes: list[Any] = list(field.metadata)
    seen: set[Any] = set()
    plain: type | None = None
    model: type[BaseModel] | None = None
    stack: list[Any] = [field.annotation]
    while stack:
        annotation = stack.pop()
        origin, arguments = get_origin(annotation), get_args(annotation)
        seen.add(Union if origin is types.UnionType else origin)
        if origin is Annotated:
            notes += arguments[1:]
            stack.append(arguments[0])
        elif origin is dict:
            stack.append(arguments[1])
        elif origin in (Union, types.UnionType, tuple):
            stack += [a for a in arguments if a is not Ellipsis]
        elif annotation in (float, int, str, bool):
            plain = annotation
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    notes += [inner for note in notes if isinstance(note, FieldInfo) for inner in note.metadata]
    family = next((n.family for n in notes if isinstance(n, KindOf)), None)
    return Slot(
        family=family,
        model=None if family or model is BaseModel else model,
        table=dict in seen,
        many=tuple in seen,
        optional=Union in seen,
        dimension=next((n.dimension for n in notes if isinstance(n, Unit)), None),
        plain=plain,
        bounds=tuple(_bounds(notes)),
    )


def _bounds(notes: list[Any]) -> Iterator[tuple[str, float]]:
    words = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
    for note in notes:
        for name, word in words.items():
            limit = getattr(note, name, None)
            if limit is not None and not isinstance(note, FieldInfo):
                yield word, limit


def known_keys(model: type[BaseModel]) -> list[str]:
    """Names of a model's keys as a user writes them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def field_of(model: type[BaseModel], key: Any) -> FieldInfo | None:
    """Field behind a key as a user writes it."""
    return next((f for n, f in model.model_fields.items() if key == (f.alias or n)), None)


def model_at(root: type[BaseModel], raw: Any, path: Path) -> type[BaseModel] | None:
    """Model class that reads the table at `path` of the raw config; None for free tables and values."""
    model: type[BaseModel] | None = root
    entries: Slot | None = None
    for key in path:
        if isinstance(raw, list | tuple) and isinstance(key, int):
            raw = raw[key] if key < len(raw) else None
            continue
        raw = raw.get(key) if isinstance(raw, Mapping) else None
        if entries is not None:
            model, entries = entries.model_for(raw), None
            continue
        field = field_of(model, key) if model is not None else None
        if field is None:
            return None
        slot = slot_of(field)
        model, entries = (None, slot) if slot.table else (slot.model_for(raw), None)
    return model


def walk(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, FieldInfo]]:
    """All keys below a model: (dotted path, kind that owns the key or "", field).

    Kind fields are followed into every kind of their family, tables under ``NAME``. A kind that wraps
    another one of its family is not followed into itself.
    """
    yield from _walk(model, prefix, "", ())


def _walk(
    model: type[BaseModel], prefix: str, owner: str, inside: tuple[type[BaseModel], ...]
) -> Iterator[tuple[str, str, FieldInfo]]:
    for name, field in model.model_fields.items():
        path = prefix + (field.alias or name)
        yield path, owner, field
        slot = slot_of(field)
        below = f"{path}.NAME." if slot.table else f"{path}."
        if slot.family is not None:
            for kind, cls in registry.kinds(slot.family).items():
                if cls not in inside:
                    yield from _walk(cls, below, kind, (*inside, cls))
        elif slot.model is not None:
            yield from _walk(slot.model, below, owner, inside)

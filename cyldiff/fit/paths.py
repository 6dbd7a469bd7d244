"""Numbers inside a config by their dotted path: read one, learn its dimension, put another in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cyldiff.config.tree import known_keys, slot_of
from cyldiff.errors import nearest, quoted

__all__ = ["Place", "locate", "replaced"]

Config = TypeVar("Config", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Place:
    """A number of a config.

    Attributes
    ----------
    value : in internal units
    dimension : name of :data:`cyldiff.units.DIMENSIONS`; None for a plain number
    """

    value: float
    dimension: str | None


def locate(config: BaseModel, path: Sequence[str]) -> Place:
    """Find the number at a path.

    Raises
    ------
    ValueError
        naming the nearest key if there is none, or what is there if it is not a number.
    """
    here: Any = config
    dimension: str | None = None
    for position, key in enumerate(path):
        if isinstance(here, BaseModel):
            name, field = _field(here, key)
            dimension = slot_of(field).dimension
            here = getattr(here, name)
        elif isinstance(here, Mapping):
            if key not in here:
                raise ValueError(_unknown(key, [str(k) for k in here]))
            here = here[key]
        elif isinstance(here, tuple):
            if not (key.isascii() and key.isdigit() and int(key) < len(here)):
                raise ValueError(f"there is no entry {quoted(key)}; known: 0 to {len(here) - 1}")
            here = here[int(key)]
        else:
            raise ValueError(f'"{path[position - 1]}" is {quoted(here)}; it has no parts')
    if here is None:
        raise ValueError("has no value in this config that a fit could start from")
    if isinstance(here, bool) or not isinstance(here, float):
        kind = "a table" if isinstance(here, BaseModel | Mapping) else quoted(here)
        raise ValueError(f"is {kind}; expected a number that can vary")
    return Place(here, dimension)


def replaced(config: Config, path: Sequence[str], value: float) -> Config:
    """A copy of a config with another number at a path that :func:`locate` knows."""
    return _replaced(config, tuple(path), value)


def _replaced(here: Any, path: tuple[str, ...], value: float) -> Any:
    if not path:
        return value
    key, below = path[0], path[1:]
    if isinstance(here, BaseModel):
        name, _ = _field(here, key)
        return here.model_copy(update={name: _replaced(getattr(here, name), below, value)})
    if isinstance(here, Mapping):
        return {**here, key: _replaced(here[key], below, value)}
    place = int(key)
    return tuple(_replaced(item, below, value) if i == place else item for i, item in enumerate(here))


def _field(model: BaseModel, key: str) -> tuple[str, FieldInfo]:
    for name, field in type(model).model_fields.items():
        if key == (field.alias or name):
            return name, field
    raise ValueError(_unknown(key, known_keys(type(model))))


def _unknown(key: str, known: Sequence[str]) -> str:
    return f"{quoted(key)} unknown; known: {', '.join(known)}{nearest(key, known)}"

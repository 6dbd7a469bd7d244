"""The valid parts of a config, which may be less than all of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from cyldiff.errors import DataError
from cyldiff.particles.species import Species, select

__all__ = ["Parts", "followed_species", "spread"]


class Parts(dict[tuple[Any, ...], Any]):
    """Path -> valid value. What is not valid, or is part of nothing valid, is not there.

    ``parts.at("physics.halo")`` is the halo or None; ``parts.under("physics.sources")`` names the
    tables there, valid or not.
    """

    def at(self, path: str, *more: Any) -> Any:
        """Value at a dotted path (and further keys that may have dots in them), or None."""
        return self.get((*path.split("."), *more))

    def under(self, path: str) -> list[str]:
        """Keys of the table at a dotted path, in order."""
        place = tuple(path.split("."))
        return list(dict.fromkeys(p[len(place)] for p in self if p[: len(place)] == place and p != place))


def spread(value: Any, path: tuple[Any, ...] = ()) -> Parts:
    """A valid value and everything it consists of."""
    parts = Parts({path: value})
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            parts.update(spread(getattr(value, name), (*path, field.alias or name)))
    elif isinstance(value, Mapping):
        for key, below in value.items():
            parts.update(spread(below, (*path, key)))
    return parts


def followed_species(parts: Parts) -> tuple[Species, ...]:
    """Nuclides of the run; none if that cannot be said."""
    if parts.at("species") is None:
        return ()
    try:
        return select(max_z=parts.at("species.max_z"), include=parts.at("species.include"))
    except DataError:
        return ()

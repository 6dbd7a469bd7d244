"""Kinds: the named choices of a config (``kind = "power-law"``) and the classes behind them.

A family (``"diffusion"``, ``"gas"``, …) holds one frozen pydantic class per kind. The class
*is* the physics: its fields are the parameters, its methods the formulas. A package of
somebody else adds kinds through the entry point group ``cyldiff.kinds``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module, metadata
from typing import Any, TypeVar

from cyldiff.errors import CyldiffError, nearest, quoted

__all__ = ["families", "kinds", "lookup", "register"]

_T = TypeVar("_T")
_FAMILIES: dict[str, dict[str, type[Any]]] = {}
_state = {"plugins_loaded": False}


def register(family: str, kind: str) -> Callable[[type[_T]], type[_T]]:
    """Class decorator: make the class known as `kind` of `family`."""

    def add(cls: type[_T]) -> type[_T]:
        table = _FAMILIES.setdefault(family, {})
        if kind in table and table[kind].__qualname__ != cls.__qualname__:
            raise CyldiffError(f'kind "{kind}" of {family} is registered twice')
        table[kind] = cls
        return cls

    return add


def kinds(family: str) -> dict[str, type[Any]]:
    """All kinds of a family, those of installed plug-ins included."""
    if not _state["plugins_loaded"]:
        _state["plugins_loaded"] = True
        for entry in metadata.entry_points(group="cyldiff.kinds"):
            _load_plugin(entry.name, entry.value)
    return dict(_FAMILIES.get(family, {}))


def _load_plugin(name: str, module: str) -> None:
    try:
        import_module(module)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise CyldiffError(f'the plug-in "{name}" cannot be imported ({module}: {reason})') from error


def families() -> list[str]:
    """Names of all families."""
    return sorted(_FAMILIES)


def lookup(family: str, kind: object) -> type[Any]:
    """Class of a kind.

    Raises
    ------
    ValueError
        naming the known kinds and the nearest one.
    """
    known = kinds(family)
    if isinstance(kind, str) and kind in known:
        return known[kind]
    raise ValueError(f"{quoted(kind)} unknown; known: {', '.join(known)}{nearest(str(kind), known)}")

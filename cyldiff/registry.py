"""Kinds: the named choices of a config (``kind = "power-law"``) and the classes behind them.

A family (``"diffusion"``, ``"gas"``, …) holds one frozen pydantic class per kind. The class
*is* the physics: its fields are the parameters, its methods the formulas. A package of
somebody else adds kinds through the entry point group ``cyldiff.kinds``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module, metadata
from types import ModuleType
from typing import Any, TypeVar

from cyldiff.errors import CyldiffError, nearest, quoted

__all__ = [
    "arrive",
    "baggage",
    "families",
    "kinds",
    "lookup",
    "only_here",
    "register",
    "registered",
    "why_only_here",
]

_T = TypeVar("_T")
_FAMILIES: dict[str, dict[str, type[Any]]] = {}
_state = {"plugins_loaded": False}
#: family and kind of what the parent of this process knows and this one cannot
_LEFT_BEHIND: set[tuple[str, str]] = set()
Baggage = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]


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
    if isinstance(kind, str) and (family, kind) in _LEFT_BEHIND:
        raise ValueError(why_only_here(family, f"{quoted(kind)}"))
    raise ValueError(f"{quoted(kind)} unknown; known: {', '.join(known)}{nearest(str(kind), known)}")


def registered(family: str, kind: str) -> type[Any] | None:
    """Class of a kind that is known by now; plug-ins are not loaded for it."""
    return _FAMILIES.get(family, {}).get(kind)


def only_here(cls: type[Any]) -> bool:
    """Whether a class was made in a notebook or at a prompt, which no other process can import."""
    main: ModuleType | None = sys.modules.get(cls.__module__)
    return cls.__module__ == "__main__" and getattr(main, "__file__", None) is None


def why_only_here(family: str, what: str) -> str:
    """What to say of a kind that a worker process does not have."""
    return (
        f"{what} of {family} is defined in a notebook or at a prompt, which worker processes cannot see; "
        'put it into a module of its own (a .py file) and import that, or use executor = "serial"'
    )


def baggage() -> Baggage:
    """What worker processes need to know of kinds from elsewhere: modules to import, and kinds that cannot travel."""
    others = [
        (f, k, cls)
        for f, table in _FAMILIES.items()
        for k, cls in table.items()
        if cls.__module__.partition(".")[0] != "cyldiff"
    ]
    modules = dict.fromkeys(
        c.__module__ for _, _, c in others if c.__module__ not in ("__main__", "__mp_main__")
    )
    return tuple(modules), tuple((f, k) for f, k, c in others if only_here(c))


def arrive(carried: Baggage) -> None:
    """Take up in a worker what :func:`baggage` named in its parent; a module that is not there is left out."""
    modules, left = carried
    for name in modules:
        with suppress(Exception):  # the kind is then unknown, which is said where it is asked for
            import_module(name)
    _LEFT_BEHIND.update(left)

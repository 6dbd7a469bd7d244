"""From plain values to models: every problem of every section, not only the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from cyldiff.config.checks import cross_checks
from cyldiff.config.parts import Parts, spread
from cyldiff.config.report import problems_of
from cyldiff.config.schema import RunConfig
from cyldiff.config.tree import slot_of
from cyldiff.errors import Problem

__all__ = ["valid_parts", "validate", "validate_as"]

Path = tuple[Any, ...]
Root = TypeVar("Root", bound=BaseModel)


def validate(
    raw: Mapping[str, Any], incomplete: frozenset[Path] = frozenset()
) -> tuple[RunConfig | None, list[Problem]]:
    """Check all values of a run, then what they are to each other; see :func:`validate_as`."""
    return validate_as(RunConfig, cross_checks, raw, incomplete)


def validate_as(
    root: type[Root],
    checks: Callable[[Parts], Iterable[Problem]],
    raw: Mapping[str, Any],
    incomplete: frozenset[Path] = frozenset(),
) -> tuple[Root | None, list[Problem]]:
    """Check all values, then what they are to each other.

    Parameters
    ----------
    root : model of the whole
    checks : what to ask of the valid parts
    raw : nested plain values
    incomplete : paths of tables whose missing keys were reported in another way

    Returns
    -------
    config : root, or None if there is a problem
    problems : list of Problem
    """
    config: Root | None = None
    errors: list[Any] = []
    try:
        config = root.model_validate(raw)
    except ValidationError as found:
        errors = found.errors(include_url=False)
    problems = problems_of(root, raw, [e for e in errors if not _excused(e, incomplete)])
    parts = valid_parts(root, raw, errors) if config is None else spread(config)
    problems += checks(parts)
    return (None if problems else config), problems


def valid_parts(model: type[BaseModel], raw: Mapping[str, Any], errors: list[Any]) -> Parts:
    """What of `raw` is valid by itself, `errors` being those of its validation with `model`."""
    parts = Parts()
    _collect(model, raw, (), [tuple(e["loc"]) for e in errors], parts)
    return parts


def _excused(error: Any, incomplete: frozenset[Path]) -> bool:
    """Whether a key is missing only because the file that has it could not be read."""
    place = tuple(error["loc"])
    missing = error["type"] == "missing" or (error["type"] == "unknown_kind" and error["input"] is None)
    return missing and any(place[: len(path)] == path for path in incomplete)


def _collect(
    model: type[BaseModel], raw: Mapping[str, Any], path: Path, errors: list[Path], parts: Parts
) -> None:
    """Gather what is valid by itself although something else is not."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        here = (*path, key)
        if key not in raw:
            if not field.is_required():
                parts.update(spread(field.get_default(call_default_factory=True), here))
            continue
        if not any(place[: len(here)] == here for place in errors):
            # a model may fill in its parts before it reads them, e.g. names from keys: they are not valid alone
            with suppress(ValidationError):
                parts.update(spread(_adapter(model, name).validate_python(raw[key]), here))
            continue
        slot = slot_of(field)
        if slot.model is None or not isinstance(raw[key], Mapping):
            continue
        if not slot.table:
            _collect(slot.model, raw[key], here, errors, parts)
            continue
        for entry, value in raw[key].items():
            if isinstance(value, Mapping):
                _collect(slot.model, value, (*here, entry), errors, parts)


@lru_cache(maxsize=256)
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field: FieldInfo = model.model_fields[name]
    annotation: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return TypeAdapter(annotation)

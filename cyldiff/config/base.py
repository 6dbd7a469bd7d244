"""What every config model shares: frozen, strict about keys, numbers and units.

``Quantity("length")`` as a field type reads ``"4 kpc"`` and stores kpc; ``Number`` refuses
booleans and text; :func:`kind_field` makes a field that picks a class by its ``kind``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SerializeAsAny,
    ValidationInfo,
)

from cyldiff import registry
from cyldiff.units import format_quantity, parse_quantity

__all__ = ["Integer", "Kind", "KindOf", "Model", "Number", "Quantity", "Unit"]


class Model(BaseModel):
    """Base of all config models: frozen, unknown keys refused, no NaN or infinity."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )


@dataclass(frozen=True, slots=True)
class Unit:
    """Annotation that tells which dimension a float field has."""

    dimension: str


@dataclass(frozen=True, slots=True)
class KindOf:
    """Annotation that tells which family a kind field chooses from."""

    family: str


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number, found {_found(value)}")
    return value


def _integer(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected a whole number, found {_found(value)}")
    return value


def _found(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


Number = Annotated[float, BeforeValidator(_number)]
Integer = Annotated[int, BeforeValidator(_integer)]


def Quantity(dimension: str) -> Any:  # noqa: N802 - reads as a type where it is used
    """Field type of a dimensional value: text with a unit in, internal float inside."""

    return Annotated[
        float,
        BeforeValidator(lambda text: parse_quantity(text, dimension)),
        PlainSerializer(lambda value: format_quantity(value, dimension), return_type=str),
        Unit(dimension),
    ]


def Kind(family: str) -> Any:  # noqa: N802 - reads as a type where it is used
    """Field type that picks its class by ``kind`` among those registered for `family`."""

    def build(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, BaseModel):
            return value
        if not isinstance(value, Mapping):
            raise ValueError(f'expected a table with a "kind", found {_found(value)}')
        if "kind" not in value:
            raise ValueError(f'"kind" is missing; known: {", ".join(registry.kinds(family))}')
        cls = registry.lookup(family, value["kind"])
        return cls.model_validate(dict(value), context=info.context)

    return Annotated[SerializeAsAny[BaseModel], BeforeValidator(build), KindOf(family)]

"""What every config model shares: frozen, strict about keys, numbers and units.

``Quantity("length")`` as a field type reads ``"4 kpc"`` and stores kpc; ``Number`` refuses
booleans, text, infinity and NaN; ``Kind("diffusion")`` makes a field that picks a class by its
``kind``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NoReturn, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from cyldiff import registry
from cyldiff.errors import quoted
from cyldiff.units import format_quantity, parse_quantity

__all__ = ["Integer", "Kind", "KindOf", "Model", "Number", "Quantity", "Unit"]


class Model(BaseModel):
    """Base of all config models: frozen, unknown keys refused, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, arbitrary_types_allowed=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_conversion_of_truth(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse 1 and "yes" as true, and true as 1; the other types see to themselves."""
        annotation = cls.model_fields[str(info.field_name)].annotation
        if annotation is bool and not isinstance(value, bool):
            raise ValueError(f"found {quoted(value)}; expected true or false")
        if get_origin(annotation) is Literal and isinstance(value, bool):
            raise PydanticCustomError("literal_error", "", {"expected": str(annotation)})
        return value


@dataclass(frozen=True, slots=True)
class Unit:
    """Annotation that tells which dimension a float field has."""

    dimension: str


@dataclass(frozen=True, slots=True)
class KindOf:
    """Annotation that tells which family a kind field chooses from."""

    family: str


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"found {quoted(value)}; expected a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"found {quoted(value)}; expected a finite number")
    return number


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"found {quoted(value)}; expected a whole number")
    return value


Number = Annotated[float, BeforeValidator(_number)]
Integer = Annotated[int, BeforeValidator(_integer)]


def Quantity(dimension: str) -> Any:
    """Field type of a dimensional value: text with a unit in, internal float inside."""
    return Annotated[
        float,
        BeforeValidator(lambda text: parse_quantity(text, dimension)),
        PlainSerializer(lambda value: format_quantity(value, dimension), return_type=str),
        Unit(dimension),
    ]


def Kind(family: str) -> Any:
    """Field type that picks its class by ``kind`` among those registered for `family`."""

    def build(value: Any, info: ValidationInfo) -> Any:
        known = registry.kinds(family)
        if type(value) in known.values():
            return value
        if not isinstance(value, Mapping):
            example = f'{{ kind = "{next(iter(known), "…")}" }}'
            raise ValueError(f'found {quoted(value)}; expected a table with a "kind", e.g. {example}')
        if "kind" not in value:
            _refuse_kind(family, f"is missing; known: {', '.join(known)}", None)
        try:
            cls = registry.lookup(family, value["kind"])
        except ValueError as error:
            _refuse_kind(family, str(error), value["kind"])
        return cls.model_validate(dict(value), context=info.context)

    return Annotated[SerializeAsAny[BaseModel], BeforeValidator(build), KindOf(family)]


def _refuse_kind(family: str, message: str, found: Any) -> NoReturn:
    """Report a problem of the key ``kind``, not of the table around it."""
    error = PydanticCustomError("unknown_kind", "{message}", {"message": message})
    details = InitErrorDetails(type=error, loc=("kind",), input=found)
    raise ValidationError.from_exception_data(family, [details])

"""Read a function's signature: what it takes from cyldiff, and which keywords become keys of a config."""

from __future__ import annotations

import hashlib
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

from pydantic import Field

from cyldiff.config.base import Number, Quantity
from cyldiff.errors import OwnPhysicsError, nearest, quoted
from cyldiff.units import dimension_of, parse_quantity, to_internal

__all__ = ["Parameter", "Signature", "code_of", "file_of", "place_of", "read_signature", "unit_factor"]

Function = Callable[..., Any]
_TAKEN = ("kind", "code")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A keyword of the function, which is a key of the config.

    Attributes
    ----------
    name : of both
    annotation : type of the pydantic field
    field : its default and description
    factor : from the unit of the function to the internal one; None for what has no unit
    """

    name: str
    annotation: Any
    field: Any = field(compare=False)
    factor: float | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes.

    Attributes
    ----------
    arguments : name -> factor from the unit the function wants to the internal one
    parameters : keywords that become keys of the config
    """

    arguments: dict[str, float]
    parameters: tuple[Parameter, ...]


def place_of(function: Function) -> str:
    """File and line of a function, for messages."""
    code: CodeType | None = getattr(inspect.unwrap(function), "__code__", None)
    return "" if code is None else f"{file_of(code.co_filename)}, line {code.co_firstlineno}"


def file_of(name: str) -> str:
    """Name of a file for messages; cells of a notebook have none that says anything."""
    if "ipykernel" in name:
        return "a cell of the notebook"
    return "the prompt" if name.startswith("<") else Path(name).name


def code_of(function: Function, options: str) -> str:
    """Short checksum of what a function does; comments, layout and docstrings do not count.

    Functions that it calls, and variables from outside of it, are not looked into.
    """
    import ast

    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        node = tree.body[0]
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = []
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
        text = ast.unparse(tree)
    except (OSError, TypeError, SyntaxError, IndexError):  # typed at a prompt: the compiled code says it too
        code: CodeType | None = getattr(function, "__code__", None)
        text = _compiled(code) if code is not None else type(function).__qualname__
    return hashlib.sha256(f"{text}\n{options}".encode()).hexdigest()[:12]


def _compiled(code: CodeType) -> str:
    """What compiled code does, as text: the same in every session, as its place in memory is not."""
    constants = [_compiled(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    names = (code.co_names, code.co_varnames, code.co_freevars)
    return f"{code.co_code.hex()} {constants!r} {names!r}"


def unit_factor(unit: object, dimension: str, what: str) -> float:
    """Factor from a unit to the internal one.

    Raises
    ------
    OwnPhysicsError
        if it is none, or of another dimension.
    """
    if not isinstance(unit, str):
        raise OwnPhysicsError(f"{what} is {quoted(unit)}; expected a unit of {dimension} as text")
    try:
        return to_internal(1.0, unit, dimension)
    except ValueError as error:
        raise OwnPhysicsError(f"{what}: {error}") from None


def read_signature(
    function: Function,
    known: Mapping[str, str],
    *,
    units: Mapping[str, str],
    base: type,
    result: tuple[str, float] = ("", 1.0),
) -> Signature:
    """Split the arguments of a function into physics and parameters.

    A parameter comes in the unit that `units` says; else in that of the arguments, or of the result, of its
    dimension, so that ratios of equals are pure numbers; else in that of its default.

    Parameters
    ----------
    known : arguments of the family and their dimensions; "" for pure numbers and names
    units : units that the function wants its arguments in, and of required parameters
    base : class of the family, whose names are taken
    result : dimension of the result and the factor from its unit to the internal one

    Raises
    ------
    OwnPhysicsError
        with everything that is wrong with the signature.
    """
    arguments: dict[str, float] = {}
    parameters: list[Parameter] = []
    problems: list[str] = []
    scales = _scales(known, units, result)
    given = inspect.signature(function).parameters
    for name, parameter in given.items():
        try:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
                raise OwnPhysicsError(
                    f'"{parameter}" cannot be filled by name; expected named arguments only'
                )
            if name in known:
                arguments[name] = _argument(parameter, known[name], units, scales)
            else:
                parameters.append(_parameter(parameter, known, units, base, scales))
        except OwnPhysicsError as error:
            problems.append(str(error))
    for name in units:
        if name not in given:
            problems.append(f'arguments: "{name}" is no argument of the function{nearest(name, given)}')
    if problems:
        raise OwnPhysicsError("; ".join(problems))
    return Signature(arguments, tuple(parameters))


def _scales(
    known: Mapping[str, str], units: Mapping[str, str], result: tuple[str, float]
) -> dict[str, float]:
    """Dimension -> factor of the unit that a function counts it in; kpc, GV and GeV if it does not say."""
    scales = {"length": 1.0, "rigidity": 1.0, "energy": 1.0}
    stated: dict[str, float] = {}
    for name, dimension in known.items():
        if name in units and dimension:
            factor = unit_factor(units[name], dimension, f'arguments: unit of "{name}"')
            if stated.setdefault(dimension, factor) != factor:
                raise OwnPhysicsError(f"arguments: two units of {dimension}; expected one for all of them")
    return {**scales, **({result[0]: result[1]} if result[0] else {}), **stated}


def _argument(
    parameter: inspect.Parameter, dimension: str, units: Mapping[str, str], scales: Mapping[str, float]
) -> float:
    name = parameter.name
    if parameter.default is not parameter.empty:
        raise OwnPhysicsError(f'"{name}" comes from cyldiff and has no default; remove it')
    if name in units and not dimension:
        raise OwnPhysicsError(f'arguments: "{name}" has no unit')
    return scales.get(dimension, 1.0)


def _parameter(
    parameter: inspect.Parameter,
    known: Mapping[str, str],
    units: Mapping[str, str],
    base: type,
    scales: Mapping[str, float],
) -> Parameter:
    name, default = parameter.name, parameter.default
    if name in _TAKEN or name.startswith(("_", "model_")) or hasattr(base, name) or name in _fields(base):
        raise OwnPhysicsError(
            f'the keyword "{name}" is a name that cyldiff uses itself; expected another one'
        )
    required = default is parameter.empty
    if required and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
        raise OwnPhysicsError(
            f'unknown argument "{name}"{nearest(name, known)} (it may take {", ".join(known)}; '
            "parameters of your own have a default, or come after a *)"
        )
    description = f"keyword of the function, {_said(default, units.get(name), required=required)}"
    return _typed(name, ... if required else default, units.get(name), description, scales)


def _fields(base: type) -> Iterator[str]:
    yield from getattr(base, "model_fields", {})


def _said(default: Any, unit: str | None, *, required: bool) -> str:
    if required:
        return f"in {unit}" if unit else "a number"
    return f"which has {default!r} there"


def _typed(
    name: str, default: Any, unit: str | None, description: str, scales: Mapping[str, float]
) -> Parameter:
    if isinstance(default, bool):
        return Parameter(name, bool, Field(default=default, description=description))
    if isinstance(default, int | float) or (default is ... and unit is None):
        value = default if default is ... else float(default)
        return Parameter(name, Number, Field(default=value, description=description))
    if not isinstance(default, str) and default is not ...:
        raise OwnPhysicsError(
            f'default of "{name}" is {quoted(default)}; expected a number, text with a unit such as "4 kpc", or a bool'
        )
    try:
        dimension, own = dimension_of(default if isinstance(default, str) else f"1 {unit}")
        value = ... if default is ... else parse_quantity(default, dimension)
    except ValueError as error:
        raise OwnPhysicsError(
            f'default of "{name}": {error}' if default is not ... else f"{name}: {error}"
        ) from None
    if unit is not None:
        factor = unit_factor(unit, dimension, f'arguments: unit of "{name}"')
    else:
        factor = scales.get(dimension, to_internal(1.0, own, dimension))
    return Parameter(name, Quantity(dimension), Field(default=value, description=description), factor)

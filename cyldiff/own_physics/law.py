"""Call a user's function: arguments in its units, its result in ours, and nothing that is no physics."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from cyldiff import registry
from cyldiff.config.base import Model
from cyldiff.errors import OwnPhysicsError
from cyldiff.own_physics.signature import Signature, file_of

__all__ = ["Law", "OwnLaw", "Where"]

Array = NDArray[np.float64]
#: errors of functions that were written for one number at a time
_NOT_FOR_ARRAYS = ("only length-1 arrays", "only 0-dimensional arrays", "truth value of an array")


@dataclass(frozen=True)
class Where:
    """The box and the energies at which laws are tried before a run.

    Attributes
    ----------
    radius, half_height : of the halo [kpc]
    observer_radius : of the Sun [kpc]
    energies : kinetic energies per nucleon [GeV]
    rigidity, beta : of the same length as each other
    species : names of the nuclides of the run
    """

    radius: float
    half_height: float
    observer_radius: float
    energies: Array
    rigidity: Array
    beta: Array
    species: tuple[str, ...] = ()

    @property
    def r(self) -> Array:
        """Radii from the axis to the edge, shape (n_r,)."""
        return np.linspace(0.0, self.radius, 24)

    @property
    def z(self) -> Array:
        """Heights on both sides of the plane, shape (n_z,), dense near it; with the plane."""
        height = self.half_height * np.linspace(0.0, 1.0, 16) ** 3
        return np.concatenate([-height[:0:-1], height])


@dataclass(frozen=True)
class Law:
    """A function with what it takes, gives, and where it is.

    Attributes
    ----------
    title : e.g. 'diffusion "my-law"'
    function : of the user
    signature : what it takes
    result : word for the result: "D", "the density"
    unit, factor : of the result, and from there to the internal unit
    zero : whether the result may be zero
    signed : whether it may be negative
    place : file and line
    code : checksum of the function
    """

    title: str
    function: Callable[..., Any]
    signature: Signature
    result: str
    unit: str = ""
    factor: float = 1.0
    zero: bool = True
    signed: bool = False
    place: str = ""
    code: str = ""

    def __call__(self, model: Any, **given: Any) -> Array:
        """Result in internal units for arguments in internal units; its shape broadcasts to theirs.

        A result of fewer dimensions gets leading ones of length one.

        Raises
        ------
        OwnPhysicsError
            for a result of another shape or type, not finite, of the wrong sign, and for any exception.
        """
        shape = np.broadcast_shapes(*(np.shape(v) for v in given.values() if not isinstance(v, str)))
        found = self._call(model, given)
        values = self._numbers(found)
        try:
            fits = np.broadcast_shapes(values.shape, shape) == shape
        except ValueError:
            fits = False
        if not fits:
            shapes = ", ".join(f"{n} {np.shape(given[n])}" for n in self.signature.arguments if n in given)
            self._refuse(
                f"gave an array of shape {values.shape} for arguments of shape {shapes}; "
                f"expected one that broadcasts to {shape}, as arithmetic and numpy functions of them do"
            )
        self._check(np.broadcast_to(values, shape), given, shape)
        return (values * self.factor).reshape((1,) * (len(shape) - values.ndim) + values.shape)

    def full(self, model: Any, **given: Any) -> Array:
        """The same in the full broadcast shape of the arguments."""
        shape = np.broadcast_shapes(*(np.shape(v) for v in given.values() if not isinstance(v, str)))
        return np.array(np.broadcast_to(self(model, **given), shape))

    def _call(self, model: Any, given: Mapping[str, Any]) -> Any:
        inputs: dict[str, Any] = {}
        for name, factor in self.signature.arguments.items():
            inputs[name] = _untouchable(given[name], factor)
        for parameter in self.signature.parameters:
            value = getattr(model, parameter.name)
            inputs[parameter.name] = value if parameter.factor is None else value / parameter.factor
        try:
            # what overflows or divides by zero is found in the result
            with np.errstate(all="ignore"):
                return self.function(**inputs)
        except Exception as error:  # whatever the user's function raises
            hint = ""
            if any(words in str(error) for words in _NOT_FOR_ARRAYS):
                hint = "; its arguments are numpy arrays: use np.exp, np.where, … instead of math and if"
            elif "read-only" in str(error):
                hint = "; its arguments must not be changed in place"
            what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise OwnPhysicsError(f"{self.title}: {what}{hint} ({self._line(error)})") from error

    def _line(self, error: Exception) -> str:
        """File, line and text where it happened, in the user's file if it went through that."""
        code: CodeType | None = getattr(self.function, "__code__", None)
        frames = traceback.extract_tb(error.__traceback__)[1:]
        own = [f for f in frames if code is not None and f.filename == code.co_filename]
        if not (own or frames):
            return self.place
        frame = (own or frames)[-1]
        text = f": {frame.line}" if frame.line else ""
        return f"{file_of(frame.filename)}, line {frame.lineno}{text}"

    def _numbers(self, found: Any) -> Array:
        if found is None:
            self._refuse("gave nothing (None); expected a return of numbers")
        if hasattr(found, "unit"):
            expected = f"in {self.unit}" if self.unit else "without a unit"
            self._refuse(f'gave a quantity with the unit "{found.unit}"; expected plain numbers {expected}')
        try:
            values = np.asarray(found)
        except ValueError:
            values = np.asarray(None)
        if values.dtype.kind not in "fiu":
            what = "complex numbers" if values.dtype.kind == "c" else type(found).__name__
            self._refuse(f"gave {what}; expected real numbers")
        return values.astype(float)

    def _check(self, values: Array, given: Mapping[str, Any], shape: tuple[int, ...]) -> None:
        bad = ~np.isfinite(values)
        expected = "a finite number"
        if not bad.any() and not self.signed:
            bad = values < 0.0 if self.zero else values <= 0.0
            expected = "0 or more" if self.zero else "more than 0"
        if not bad.any():
            return
        first = np.unravel_index(int(np.argmax(bad)), shape)
        at = []
        for name, factor in self.signature.arguments.items():
            value = given[name]
            if isinstance(value, str):
                at.append(f'{name} = "{value}"')
            else:
                at.append(f"{name} = {np.broadcast_to(value, shape)[first] / factor:.4g}")
        unit = f" {self.unit}" if self.unit not in ("", "1") else ""
        found = f"{self.result} is {values[first]:.4g}{unit}"
        self._refuse(
            f"{found} at {', '.join(at)}; expected {expected}" if at else f"{found}; expected {expected}"
        )

    def _refuse(self, message: str) -> NoReturn:
        raise OwnPhysicsError(f"{self.title}: {message} ({self.place})")


def _untouchable(value: Any, factor: float) -> Any:
    """An argument in the unit of the function, which it cannot change in place."""
    if isinstance(value, str):
        return value
    array = np.asarray(value, dtype=float)
    view = array.view() if factor == 1.0 else np.asarray(array / factor)
    view.flags.writeable = False
    return view


class OwnLaw(Model):
    """Base of the classes that :func:`cyldiff.own` makes; `law` is the function behind it."""

    law: ClassVar[Law]
    family: ClassVar[str]

    code: str = Field(default="", description="checksum of the function; written by cyldiff")

    @field_validator("code")
    @classmethod
    def _same_code(cls, value: str) -> str:
        if value != cls.law.code:
            raise ValueError(
                f"the function has changed since ({cls.law.place}): it has the checksum {cls.law.code} now; "
                "remove the key to use it as it is"
            )
        return value

    def try_over(self, where: Where) -> None:
        """Evaluate over the box of a run; OwnPhysicsError if the law gives what is no physics."""
        raise NotImplementedError

    def __reduce__(self) -> tuple[Any, ...]:
        """By family and kind: another process has to know the function."""
        if registry.only_here(type(self)):
            import pickle

            raise pickle.PicklingError(registry.why_only_here(self.family, self.law.title.partition(" ")[2]))
        return _rebuilt, (self.family, self.model_dump())


def _rebuilt(family: str, values: dict[str, Any]) -> Any:
    try:
        return registry.lookup(family, values["kind"]).model_validate(values)
    except ValueError as error:
        raise OwnPhysicsError(f"{family}: {error}") from None

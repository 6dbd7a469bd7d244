"""The ``[fit]`` section of a tuning file: what is fitted to what, and how the posterior is drawn."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from cyldiff.config.base import Integer, Kind, Model, Number
from cyldiff.errors import quoted
from cyldiff.fit.priors import Uniform
from cyldiff.fit.samplers import Emcee

__all__ = ["DataChoice", "DipoleChoice", "FitConfig", "ParameterConfig"]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _paths(value: Any) -> Any:
    return (value,) if isinstance(value, str) else _as_tuple(value)


def _pairs(value: Any) -> Any:
    return tuple(_as_tuple(pair) for pair in value) if isinstance(value, list) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class DataChoice(Model):
    """A data set and how its errors are to be read."""

    name: str = Field(description="data set of the library, or a file beside the tuning file")
    min: str | None = Field(default=None, description="lowest abscissa used, with its unit")
    max: str | None = Field(default=None, description="highest abscissa used, with its unit")
    correlation_length: Number | None = Field(
        default=None,
        gt=0.0,
        description="of the systematic errors, in decades of the abscissa; none: independent",
    )
    normalisation_error: Number = Field(
        default=0.0, ge=0.0, lt=1.0, description="relative error common to all points, profiled exactly"
    )
    energy_scale_error: Number = Field(
        default=0.0,
        ge=0.0,
        lt=0.2,
        description="relative error of the energy scale; adds a nuisance parameter",
    )
    model_error: Number = Field(
        default=0.0, ge=0.0, lt=1.0, description="relative error of the model, independent at every point"
    )


class DipoleChoice(Model):
    """Measured dipoles, of a model with point sources."""

    name: str = Field(description="dipole data of the library, or a file beside the tuning file")
    min: str | None = Field(default=None, description="lowest energy used, with its unit")
    max: str | None = Field(default=None, description="highest energy used, with its unit")
    what: Annotated[tuple[Literal["amplitude", "phase"], ...], BeforeValidator(_as_tuple)] = Field(
        default=("amplitude", "phase"), min_length=1, description="what is read of them"
    )
    projected: bool = Field(
        default=True,
        description="amplitudes are those of the part of the dipole in the equatorial plane, as arrays "
        "measure; false: the length of the whole vector",
    )


class ParameterConfig(Model):
    """A number of the model that varies."""

    path: Annotated[tuple[str, ...], BeforeValidator(_paths)] = Field(
        min_length=1, description="where it stands in the config; several paths share the value"
    )
    relative: bool = Field(
        default=False, description="the parameter is a factor on what the config says, the same for all paths"
    )
    start: Number | str | None = Field(
        default=None, description="default: what the config says; 1 if relative"
    )
    bounds: Annotated[tuple[Number | str, Number | str], BeforeValidator(_as_tuple)] = Field(
        description="lowest and highest value, with units"
    )
    prior: Kind("prior") = Field(default_factory=Uniform, description="prior knowledge")  # type: ignore[valid-type]
    profile: bool = Field(
        default=False,
        description="best value for every value of the others; for what needs no solve of the transport",
    )

    @field_validator("start", "bounds", mode="before")
    @classmethod
    def _no_truth(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError(f"found {quoted(value)}; expected a number")
        return value


class FitConfig(Model):
    """What is fitted to what."""

    data: Annotated[tuple[DataChoice, ...], BeforeValidator(_as_tuple)] = Field(
        min_length=1, description="measured data"
    )
    dipoles: Annotated[tuple[DipoleChoice, ...], BeforeValidator(_as_tuple)] = Field(
        default=(), description="measured anisotropy; needs a section [point_sources]"
    )
    parameters: dict[str, ParameterConfig] = Field(
        min_length=1, description="what varies, by a name of your choice"
    )
    gradient: bool = Field(default=True, description="gradients by the adjoint instead of finite differences")
    minos: bool = Field(default=True, description="asymmetric errors from the shape of chi-square")
    maximum_calls: Integer = Field(
        default=2000, ge=10, description="evaluations of chi-square for the minimum"
    )
    starts: Integer = Field(
        default=1,
        ge=1,
        le=1000,
        description="minima looked for from the start and from so many minus one places of the priors; "
        "the lowest counts",
    )
    profiles: Names = Field(default=(), description="parameters whose profile likelihood is drawn")
    contours: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_pairs)] = Field(
        default=(), description="pairs of parameters whose contours at 68 and 95 % are drawn"
    )
    sampler: Kind("sampler") = Field(default_factory=Emcee, description="how the posterior is drawn")  # type: ignore[valid-type]

    @field_validator("sampler", mode="before")
    @classmethod
    def _emcee(cls, value: Any) -> Any:
        """Its settings may be changed without naming the default kind."""
        return {"kind": "emcee", **value} if isinstance(value, dict) else value

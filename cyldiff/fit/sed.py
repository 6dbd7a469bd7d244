"""Fit of a single source to its SED points: any number of a model's keys within bounds.

chi^2 = sum_i [(M_i - y_i) / sigma_i]^2 with the error on the side of the model: towards larger values where the
model lies above the point. Upper limits are not part of it. A key whose bounds have a unit, or are positive numbers
far apart, is varied in its logarithm. Errors are those of the linearised problem at the minimum,
sigma^2 = diag (J^T J)^-1.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from cyldiff.config.toml import dotted, split_path
from cyldiff.data.seds import SedPoints
from cyldiff.errors import ConvergenceError, DataError, Problem, quoted
from cyldiff.observables.single_source import SingleSource, sed

__all__ = ["Parameter", "SedFit", "fit_sed", "free_parameters"]

Array = NDArray[np.float64]

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*")
#: bounds further apart than this factor, both positive, make a parameter logarithmic
_WIDE = 10.0
#: a fit whose parameter lies this near to a bound, in units of the range, says so
_AT_BOUND = 1e-4


@dataclass(frozen=True, slots=True)
class Parameter:
    """A key of the model that may change.

    Attributes
    ----------
    path : keys and places in lists that lead to it
    unit : of value and bounds; "" for a plain number
    start, low, high : first value and bounds, in that unit
    logarithmic : varied as its logarithm
    """

    path: tuple[str, ...]
    unit: str
    start: float
    low: float
    high: float
    logarithmic: bool

    @property
    def name(self) -> str:
        """Dotted path."""
        return dotted(tuple(int(key) if key.isdigit() else key for key in self.path))

    def text(self, value: float) -> Any:
        """What stands in a config for a value."""
        return f"{value!r} {self.unit}" if self.unit else value

    def to_variable(self, value: float) -> float:
        """What the minimiser varies."""
        return float(np.log(value)) if self.logarithmic else value

    def from_variable(self, variable: float) -> float:
        """Inverse of :meth:`to_variable`."""
        return float(np.clip(np.exp(variable) if self.logarithmic else variable, self.low, self.high))


@dataclass(frozen=True, slots=True)
class SedFit:
    """The best model.

    Attributes
    ----------
    model : SingleSource at the minimum
    raw : the same as plain values
    parameters : what was free
    values, errors : of the parameters, in their units; an error is NaN where the points do not determine it
    correlation : shape (n, n)
    chi2 : at the minimum
    points : how many points were fitted
    exceeded : energies [GeV] of upper limits that lie below the model
    """

    model: SingleSource
    raw: dict[str, Any]
    parameters: tuple[Parameter, ...]
    values: tuple[float, ...]
    errors: tuple[float, ...]
    correlation: Array
    chi2: float
    points: int
    exceeded: tuple[float, ...]

    @property
    def degrees_of_freedom(self) -> int:
        """Points minus parameters."""
        return self.points - len(self.parameters)

    def report(self) -> str:
        """Parameters with errors, chi^2, what is at a bound and which limits are exceeded."""
        width = max(len(p.name) for p in self.parameters)
        lines = []
        for p, value, error in zip(self.parameters, self.values, self.errors, strict=True):
            place = (p.to_variable(value) - p.to_variable(p.low)) / (
                p.to_variable(p.high) - p.to_variable(p.low)
            )
            end = "   at its bound" if min(place, 1.0 - place) < _AT_BOUND else ""
            spread = f"{error:.2g}" if np.isfinite(error) else "not determined"
            lines.append(f"  {p.name:<{width}}  {value:.4g} +- {spread} {p.unit}".rstrip() + end)
        lines.append(f"  chi2 = {self.chi2:.2f} for {self.points} points, {len(self.parameters)} parameters")
        lines += [f"  above the upper limit at {energy:.3g} GeV" for energy in self.exceeded]
        return "\n".join(lines)


def free_parameters(
    raw: Mapping[str, Any], free: Mapping[str, Sequence[Any]]
) -> tuple[list[Parameter], list[Problem]]:
    """Keys of a model that a fit may change, and what is wrong with them.

    Parameters
    ----------
    raw : the model as plain values
    free : dotted path -> two bounds, numbers or text with the unit that the key has in the model
    """
    found: list[Parameter] = []
    problems: list[Problem] = []
    for name, bounds in free.items():
        try:
            found.append(_parameter(raw, name, bounds))
        except ValueError as error:
            problems.append(Problem(f"fit.free.{dotted((name,))}", str(error)))
    return found, problems


def fit_sed(raw: Mapping[str, Any], data: Sequence[SedPoints]) -> SedFit:
    """Fit the keys under ``fit.free`` of a model to points.

    Parameters
    ----------
    raw : a valid SingleSource as plain values, with a section ``fit``
    data : sets of points; all are used together

    Returns
    -------
    SedFit
        values and errors of the free keys, chi-square, and the model with the best values.

    Raises
    ------
    DataError
        if there are fewer points than parameters, or a point lies where a component's model does not hold.
    ConvergenceError
        if there is no minimum.
    """
    start = SingleSource.model_validate(raw)
    if start.fit is None:
        raise DataError("the model has no section fit: nothing to change")
    parameters, problems = free_parameters(raw, start.fit.free)
    if problems:
        raise DataError("; ".join(f"{p.key}: {p.message}" for p in problems))
    energy, value, minus, plus = _points(data, start)
    if energy.size < len(parameters):
        raise DataError(f"{energy.size} points are not enough for {len(parameters)} free parameters")
    _check_range(start, energy)

    def model_at(variables: Array) -> SingleSource:
        return SingleSource.model_validate(_with(raw, parameters, variables))

    def residuals(variables: Array) -> Array:
        spread = sed(model_at(variables), energy).sed - value
        return spread / np.where(spread > 0.0, plus, minus)

    low, high, first = (
        np.array([p.to_variable(getattr(p, name)) for p in parameters]) for name in ("low", "high", "start")
    )
    # the minimiser must start inside
    first = np.clip(first, low + 1e-6 * (high - low), high - 1e-6 * (high - low))
    found = least_squares(
        residuals, first, bounds=(low, high), x_scale=0.1 * (high - low), xtol=1e-9, ftol=1e-10, gtol=1e-9
    )
    if not found.success:
        raise ConvergenceError(f"the fit of {start.source.name} does not converge: {found.message}")
    return _result(raw, parameters, found, data, energy.size)


def _result(
    raw: Mapping[str, Any], parameters: list[Parameter], found: Any, data: Sequence[SedPoints], points: int
) -> SedFit:
    covariance = _covariance(found.jac)
    sigma = np.sqrt(np.diag(covariance))
    values = tuple(p.from_variable(x) for p, x in zip(parameters, found.x, strict=True))
    errors = tuple(
        float(s * (value if p.logarithmic else 1.0))
        for p, s, value in zip(parameters, sigma, values, strict=True)
    )
    best = _with(raw, parameters, found.x)
    model = SingleSource.model_validate(best)
    with np.errstate(invalid="ignore"):
        correlation = covariance / np.outer(sigma, sigma)
    return SedFit(
        model=model,
        raw=best,
        parameters=tuple(parameters),
        values=values,
        errors=errors,
        correlation=correlation,
        chi2=float(2.0 * found.cost),
        points=points,
        exceeded=_exceeded(model, data),
    )


def _covariance(jacobian: Array) -> Array:
    """(J^T J)^-1; NaN if a direction is not determined."""
    normal = jacobian.T @ jacobian
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-300))
    scaled = normal / np.outer(scale, scale)
    if not np.linalg.cond(scaled) < 1e14:
        return np.full(normal.shape, np.nan)
    return np.asarray(np.linalg.inv(scaled) / np.outer(scale, scale))


def _points(data: Sequence[SedPoints], model: SingleSource) -> tuple[Array, Array, Array, Array]:
    """Measured points within the energies of the fit: energy, value, errors."""
    fit = model.fit
    low = fit.minimum if fit is not None and fit.minimum is not None else 0.0
    high = fit.maximum if fit is not None and fit.maximum is not None else np.inf
    columns = []
    for one in data:
        use = ~one.upper_limit & (one.energy >= low) & (one.energy <= high)
        columns.append(np.stack([one.energy, one.sed, one.minus, one.plus])[:, use])
    energy, value, minus, plus = np.concatenate(columns, axis=1) if columns else np.empty((4, 0))
    return energy, value, minus, plus


def _check_range(model: SingleSource, energy: Array) -> None:
    """Every component must be known at every point."""
    gaps = sed(model, np.sort(energy)).gaps()
    if gaps:
        raise DataError(f"{gaps[0]}; points below cannot be fitted: set fit.minimum or choose another model")


def _exceeded(model: SingleSource, data: Sequence[SedPoints]) -> tuple[float, ...]:
    """Energies of limits below the model; parts that are not known there only make it larger."""
    energy = np.concatenate([one.energy[one.upper_limit] for one in data])
    value = np.concatenate([one.sed[one.upper_limit] for one in data])
    if energy.size == 0:
        return ()
    order = np.argsort(energy)
    flux = sed(model, energy[order]).sed
    return tuple(float(e) for e, m, y in zip(energy[order], flux, value[order], strict=True) if m > y)


def _parameter(raw: Mapping[str, Any], name: str, bounds: Sequence[Any]) -> Parameter:
    path = split_path(name)
    if path is None:
        raise ValueError(f"{quoted(name)} is not a path of keys")
    if len(bounds) != 2:
        raise ValueError(f"has {len(bounds)} entries; expected two bounds")
    start, unit = _number(_get(raw, path, name))
    low, high = (_number(bound) for bound in bounds)
    if not low[1] == high[1] == unit:
        expected = f'in "{unit}", the unit the key has in the model' if unit else "plain numbers"
        raise ValueError(f"found bounds {quoted(list(bounds))}; expected both {expected}")
    if not low[0] < high[0]:
        raise ValueError(f"found bounds {quoted(list(bounds))}; expected the lower one first")
    if not low[0] <= start <= high[0]:
        raise ValueError(f"the value of the model, {start:g} {unit}".rstrip() + ", lies outside the bounds")
    logarithmic = low[0] > 0.0 and (bool(unit) or high[0] > _WIDE * low[0])
    return Parameter(path, unit, start, low[0], high[0], logarithmic)


def _get(raw: Mapping[str, Any], path: tuple[str, ...], name: str) -> Any:
    value: Any = raw
    for key in path:
        try:
            value = value[int(key)] if isinstance(value, list | tuple) else value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise ValueError(f"the model has no value at {name}") from None
    return value


def _number(value: Any) -> tuple[float, str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value), ""
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"found {quoted(value)}; expected a number, with or without a unit")
    return float(match[1]), match[2]


def _with(raw: Mapping[str, Any], parameters: Sequence[Parameter], variables: Array) -> dict[str, Any]:
    """The model with other values."""
    changed = copy.deepcopy(dict(raw))
    for p, x in zip(parameters, variables, strict=True):
        place: Any = changed
        *above, last = p.path
        for key in above:
            place = place[int(key)] if isinstance(place, list) else place[key]
        place[int(last) if isinstance(place, list) else last] = p.text(p.from_variable(float(x)))
    return changed

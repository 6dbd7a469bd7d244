"""The minimum of chi-square and its errors: MINUIT, with gradients by the adjoint where wanted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import ConfigError, ConvergenceError, CyldiffError, Problem
from cyldiff.fit.config import LoadedFit, Parameter, check_at_bounds
from cyldiff.fit.errors import curvature, profile_end
from cyldiff.fit.likelihood import Fitted, Likelihood
from cyldiff.fit.model import Values
from cyldiff.units import format_quantity

__all__ = ["FitResult", "tune"]

Array = NDArray[np.float64]
#: chi-square of a model that cannot be solved: far above any that can
IMPOSSIBLE = 1e12
#: relative step of the probe that a parameter matters at all
PROBE = 1e-3


@dataclass(frozen=True)
class FitResult:
    """The best fit.

    Attributes
    ----------
    values, errors : shape (n,), internal units; symmetric errors of the Hesse matrix
    lower, upper : shape (n,), MINOS errors (negative, positive); NaN where not asked for or not found
    covariance : shape (n, n)
    chi2, ndof, n_points : priors count into chi2, not into ndof
    calls, gradient_calls, solves : evaluations of chi-square, of its gradient, of the chain
    fitted : every data set next to the model
    """

    fit: LoadedFit
    parameters: tuple[Parameter, ...]
    values: Array
    errors: Array
    lower: Array
    upper: Array
    covariance: Array
    chi2: float
    ndof: int
    n_points: int
    calls: int
    gradient_calls: int
    solves: int
    seconds: float
    fitted: tuple[Fitted, ...]

    def table(self) -> str:
        """Best values with their errors, one line per parameter."""
        rows: list[tuple[str, ...]] = [("parameter", "value", "error", "lower", "upper", "start")]
        for i, p in enumerate(self.parameters):
            rows.append((p.name, *(_shown(p, v) for v in self._row(i)), _shown(p, p.start)))
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines = [
            "  ".join(
                c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        quality = f"chi2 {self.chi2:.2f} for {self.n_points} points and {self.ndof} degrees of freedom"
        effort = f"{self.calls} calls, {self.gradient_calls} gradients, {self.solves} solves of the chain"
        return "\n".join([*lines, "", quality, f"{effort}, {self.seconds:.1f} s"])

    def _row(self, i: int) -> tuple[float, ...]:
        return tuple(float(a[i]) for a in (self.values, self.errors, self.lower, self.upper))


def _shown(parameter: Parameter, value: float) -> str:
    if not np.isfinite(value):
        return "-"
    rounded = float(f"{value:.4g}")
    if parameter.dimension is None:
        return f"{rounded:.4g}"
    number, _, unit = format_quantity(value, parameter.dimension).partition(" ")
    return f"{float(number):.4g} {unit}"


def tune(
    fit: LoadedFit, *, gradient: bool | None = None, progress: Callable[[int, float], None] | None = None
) -> FitResult:
    """Find the best values of the parameters of a fit and their errors.

    Parameters
    ----------
    gradient : use the adjoint; default as the file says
    progress : called with (number of the call, chi-square)

    Raises
    ------
    ConfigError        if a bound is no valid value of the model, or nothing depends on a parameter
    ConvergenceError   if no minimum is found
    """
    from iminuit import Minuit

    problems = check_at_bounds(fit)
    if problems:
        raise ConfigError(fit.source, problems)
    started = time.perf_counter()
    likelihood = Likelihood(fit)
    start = np.array([p.start for p in fit.parameters])
    scale = np.array([_scale(p) for p in fit.parameters])
    low, high = (np.array([getattr(p, side) for p in fit.parameters]) for side in ("low", "high"))

    def chi2(x: Array) -> float:
        # bounds are exact in the scaled variable, rounding must not step over them
        values = np.clip(np.asarray(x) * scale, low, high)
        found = _guarded(likelihood, values)
        if progress is not None:
            progress(likelihood.calls, found)
        return found

    counter = {"gradient": 0}
    grad = None
    if fit.fit.gradient if gradient is None else gradient:
        from cyldiff.fit.gradient import Gradient

        adjoint = Gradient(likelihood)

        def grad(x: Array) -> Array:
            counter["gradient"] += 1
            return adjoint(np.clip(np.asarray(x) * scale, low, high)) * scale

    _refuse_idle(likelihood, start, low, high)
    minuit = Minuit(chi2, start / scale, grad=grad, name=[p.name for p in fit.parameters])
    minuit.errordef = Minuit.LEAST_SQUARES
    minuit.limits = list(zip(low / scale, high / scale, strict=True))
    minuit.errors = (
        np.minimum(0.05 * (high - low), np.maximum(0.02 * np.abs(start), 1e-3 * (high - low))) / scale
    )
    minuit.strategy = 1
    minuit.migrad(ncall=fit.fit.maximum_calls)
    if not minuit.valid:
        raise ConvergenceError(f"{fit.source}: no minimum after {minuit.nfcn} calls; {_reason(minuit)}")
    best = np.array(minuit.values)
    if grad is None:
        covariance, lower, upper = _by_calls(minuit, fit)
    else:
        covariance, lower, upper = _by_gradients(minuit, fit, chi2, grad)
    values = np.clip(best * scale, low, high)
    fitted = likelihood.compare(likelihood.model.spectra(values), values)
    points = likelihood.n_points
    constrained = sum(p.prior.kind == "gaussian" for p in fit.parameters)  # type: ignore[attr-defined]
    return FitResult(
        fit=fit,
        parameters=fit.parameters,
        values=values,
        errors=np.sqrt(np.diag(covariance)) * scale,
        lower=lower * scale,
        upper=upper * scale,
        covariance=covariance * np.outer(scale, scale),
        chi2=float(minuit.fval),
        ndof=points - len(start) + constrained,
        n_points=points,
        calls=likelihood.calls,
        gradient_calls=counter["gradient"],
        solves=likelihood.model.solves,
        seconds=time.perf_counter() - started,
        fitted=tuple(fitted),
    )


def _by_calls(minuit: Any, fit: LoadedFit) -> tuple[Array, Array, Array]:
    """Covariance, lower and upper errors from evaluations of chi-square: HESSE and MINOS."""
    best = np.array(minuit.values)
    minuit.hesse()
    lower, upper = np.full(len(best), np.nan), np.full(len(best), np.nan)
    covariance = np.asarray(minuit.covariance)
    if fit.fit.minos:
        minuit.minos()
        for i, p in enumerate(fit.parameters):
            error = minuit.merrors[p.name]
            if error.is_valid:
                lower[i], upper[i] = error.lower, error.upper
    return covariance, lower, upper


def _by_gradients(
    minuit: Any, fit: LoadedFit, chi2: Callable[[Array], float], grad: Callable[[Array], Array]
) -> tuple[Array, Array, Array]:
    """The same from gradients."""
    best = np.array(minuit.values)
    low, high = (
        np.array([p.lower_limit for p in minuit.params]),
        np.array([p.upper_limit for p in minuit.params]),
    )
    matrix = curvature(grad, best, np.array(minuit.errors), low, high)
    covariance: Array = np.asarray(2.0 * np.linalg.inv(matrix), dtype=float)
    if not np.all(np.linalg.eigvalsh(covariance) > 0.0):
        raise ConvergenceError(
            f"{fit.source}: chi-square does not curve upwards; parameters may be degenerate, give them priors"
        )
    lower, upper = np.full(len(best), np.nan), np.full(len(best), np.nan)
    if fit.fit.minos:
        for i in range(len(best)):
            for ends, side in ((lower, -1.0), (upper, 1.0)):
                ends[i] = profile_end(chi2, grad, best, minuit.fval, matrix, i, side, low, high)
    return covariance, lower, upper


def _scale(p: Parameter) -> float:
    """A size of the parameter, so that the minimiser works with numbers of order one."""
    return abs(p.start) if p.start != 0.0 else 0.5 * (p.high - p.low)


def _guarded(likelihood: Likelihood, values: Array) -> float:
    """Chi-square; a model that cannot be solved is a bad model, not the end of the fit."""
    try:
        found = likelihood(values)
    except (ConvergenceError, CyldiffError):
        return IMPOSSIBLE
    return found if np.isfinite(found) else IMPOSSIBLE


def _refuse_idle(likelihood: Likelihood, start: Array, low: Array, high: Array) -> None:
    """Refuse parameters that change nothing; what can be known without solving was checked before."""
    problems = []
    data = likelihood(start) - likelihood.prior(start)
    for i, p in enumerate(likelihood.parameters):
        moved = start.copy()
        step = PROBE * (high[i] - low[i])
        moved[i] = start[i] + step if start[i] + step <= high[i] else start[i] - step
        change = likelihood(moved) - likelihood.prior(moved) - data
        if change == 0.0:
            problems.append(Problem(f"fit.parameters.{p.name}.path", "no datum of this fit depends on it"))
    if problems:
        raise ConfigError(likelihood.fit.source, problems)


def _reason(minuit: Any) -> str:
    minimum = minuit.fmin
    if minimum.has_reached_call_limit:
        return 'raise "fit.maximum_calls", or start nearer'
    if minimum.has_parameters_at_limit:
        at = [p.name for p in minuit.params if _at_limit(p)]
        return f"at the bound: {', '.join(at) or 'a parameter'}"
    return f"distance to the minimum {minimum.edm:.1e}; parameters may be degenerate, give them priors"


def _at_limit(parameter: Any) -> bool:
    low, high = parameter.lower_limit, parameter.upper_limit
    return bool(min(parameter.value - low, high - parameter.value) < 0.01 * (high - low))


def values_of(fit: LoadedFit, values: Values) -> dict[str, float]:
    """Values by name."""
    return {p.name: float(v) for p, v in zip(fit.parameters, values, strict=True)}

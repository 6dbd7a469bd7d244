"""The minimum of chi-square and its errors: MINUIT, with gradients by the adjoint where there are any."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import ConfigError, Problem
from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.load import LoadedFit
from cyldiff.fit.parameters import Parameter
from cyldiff.fit.priors import Gaussian
from cyldiff.fit.profiled import Profiled
from cyldiff.fit.search import Progress, Search
from cyldiff.fit.terms import Fitted
from cyldiff.fit.uncertainty import Errors, by_calls, by_gradients, rough_errors

__all__ = ["FitResult", "tune"]

_log = logging.getLogger(__name__)

Array = NDArray[np.float64]
#: relative step of the probe that a parameter matters at all
PROBE = 1e-3


@dataclass(frozen=True)
class FitResult:
    """The best fit.

    Attributes
    ----------
    fit : what was asked
    likelihood : of all parameters, solved at the best values last
    values, errors : shape (n,), internal units; symmetric errors of the Hesse matrix, NaN at a bound
    lower, upper : shape (n,), errors where chi-square has risen by one (negative, positive); NaN where not
        asked for or not found
    covariance : shape (n, n)
    at_bound : shape (n,)
    chi2, ndof, n_points : priors count into chi2; a gaussian prior counts as a point into ndof
    calls, gradient_calls, solves : evaluations of chi-square, of its gradient, of the chain
    fitted : every data set next to the model
    search, surroundings : chi-square in scaled variables and its errors there
    """

    fit: LoadedFit
    likelihood: Likelihood
    values: Array
    errors: Array
    lower: Array
    upper: Array
    covariance: Array
    at_bound: NDArray[np.bool_]
    chi2: float
    ndof: int
    n_points: int
    calls: int
    gradient_calls: int
    solves: int
    seconds: float
    fitted: tuple[Fitted, ...]
    search: Search
    surroundings: Errors

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """In the order of the values."""
        return self.fit.parameters

    def table(self) -> str:
        """Best values with their errors, one line per parameter; "lower" and "upper" are errors too."""
        rows: list[tuple[str, ...]] = [("parameter", "value", "error", "lower", "upper", "start", "unit")]
        for i, p in enumerate(self.parameters):
            numbers = (self.values, self.errors, self.lower, self.upper)
            shown = [p.number(float(column[i])) for column in numbers]
            if self.at_bound[i]:
                shown[1] = "at its bound"
            rows.append((p.name, *shown, p.number(p.start), "" if p.unit == "1" else p.unit))
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines = [
            "  ".join(
                c.ljust(w) if k in (0, len(row) - 1) else c.rjust(w)
                for k, (c, w) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        priors = sum(isinstance(p.prior, Gaussian) for p in self.parameters)
        also = f" and {priors} gaussian prior{'s' if priors > 1 else ''}" if priors else ""
        quality = f"chi2 {self.chi2:.2f} for {self.n_points} points{also}, {self.ndof} degrees of freedom"
        left_out = [f"{f.left_out} of {f.name}" for f in self.fitted if f.left_out]
        if left_out:
            quality += f"; points beyond the grid: {', '.join(left_out)}"
        effort = f"{self.calls} calls, {self.gradient_calls} gradients, {self.solves} solves of the chain"
        return "\n".join([*lines, "", quality, f"{effort}, {self.seconds:.1f} s"])


def tune(
    fit: LoadedFit,
    *,
    gradient: bool | None = None,
    progress: Progress | None = None,
    likelihood: Likelihood | None = None,
) -> FitResult:
    """Find the best values of the parameters of a fit and their errors.

    Parameters
    ----------
    fit : what :func:`cyldiff.load_fit` returns
    gradient : use the adjoint; default as the file says. Where there is no adjoint, differences of chi-square
        take its place and the log says so.
    progress : called with (number of the call, chi-square)
    likelihood : of the same parameters, where the model is more than the run of the file

    Returns
    -------
    FitResult
        values, errors and covariance in internal units, chi2, ndof, and every data set next to the model.

    Raises
    ------
    ConfigError        if nothing depends on a parameter
    ConvergenceError   if no minimum is found, or parameters are degenerate
    """
    started = time.perf_counter()
    likelihood = likelihood or Likelihood.of(fit)
    wanted = fit.fit.gradient if gradient is None else gradient
    if wanted and likelihood.no_gradient:
        _log.warning("%s; finite differences instead", likelihood.no_gradient)
    use = wanted and not likelihood.no_gradient
    search = Search(likelihood, use, progress)
    _refuse_idle(search, fit.source)
    calls, gradient_calls = 0, 0
    if any(p.profile for p in fit.parameters):
        x, rough, calls, gradient_calls = _profiled_minimum(search, fit)
        minuit = search.minuit(x)
    else:
        minuit = search.minimise(fit.fit.maximum_calls, fit.source, fit.fit.starts)
        x, rough = np.array(minuit.values), np.array(minuit.errors)
    if use:
        errors = by_gradients(search, x, rough, minos=fit.fit.minos, source=fit.source)
    else:
        errors = by_calls(search, minuit, minos=fit.fit.minos, source=fit.source)
    values = search.values(errors.best)
    fitted = tuple(likelihood.compare(values))
    gaussian = sum(isinstance(p.prior, Gaussian) for p in fit.parameters)
    return FitResult(
        fit=fit,
        likelihood=likelihood,
        values=values,
        errors=np.sqrt(np.diag(errors.covariance)) * search.scale,
        lower=errors.lower * search.scale,
        upper=errors.upper * search.scale,
        covariance=errors.covariance * np.outer(search.scale, search.scale),
        at_bound=errors.at_bound,
        chi2=errors.chi2,
        ndof=likelihood.n_points - len(values) + gaussian,
        n_points=likelihood.n_points,
        calls=search.calls + calls,
        gradient_calls=search.gradient_calls + gradient_calls,
        solves=likelihood.model.solves,
        seconds=time.perf_counter() - started,
        fitted=fitted,
        search=search,
        surroundings=errors,
    )


def _profiled_minimum(search: Search, fit: LoadedFit) -> tuple[Array, Array, int, int]:
    """The minimum in all parameters, rough errors, and evaluations spent besides those of the search."""
    likelihood = search.objective
    assert isinstance(likelihood, Likelihood)
    inner = np.array([p.profile for p in fit.parameters])
    profiled = Profiled(likelihood)
    reduced = Search(profiled, search.with_gradient, search.progress)
    outside, rough = reduced.start, np.empty(len(inner))
    if not inner.all():
        minuit = reduced.minimise(fit.fit.maximum_calls, fit.source, fit.fit.starts)
        outside, rough[~inner] = np.array(minuit.values), np.array(minuit.errors)
    x = profiled.complete(reduced.values(outside)) / search.scale
    rough[inner] = rough_errors(search, x, np.flatnonzero(inner))
    return x, rough, reduced.calls, reduced.gradient_calls


def _refuse_idle(search: Search, source: str) -> None:
    """Refuse parameters that change nothing; what can be known without solving was checked before."""
    likelihood = search.objective
    assert isinstance(likelihood, Likelihood)
    start = search.values(search.start)
    search.calls += 1
    data = likelihood(start) - likelihood.prior(start)  # a start without a solution is an error
    suspects: list[int] = list(range(len(start)))
    if search.with_gradient:
        slopes = likelihood.gradient(start)
        search.gradient_calls += 1
        priors = [p.prior.slope(float(v)) for p, v in zip(likelihood.parameters, start, strict=True)]
        suspects = [i for i, slope in enumerate(slopes - priors) if slope == 0.0]
    problems = []
    for i in suspects:
        p, moved = likelihood.parameters[i], start.copy()
        step = PROBE * (p.high - p.low)
        moved[i] = start[i] + step if start[i] + step <= p.high else start[i] - step
        search.calls += 1
        if likelihood(moved) - likelihood.prior(moved) == data:
            problems.append(Problem(f"fit.parameters.{p.name}.path", "no datum of this fit depends on it"))
    if problems:
        raise ConfigError(source, problems)

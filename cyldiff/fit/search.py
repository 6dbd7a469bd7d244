"""Chi-square as MINUIT wants it: variables of order one, inside their bounds, every evaluation counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from cyldiff.errors import ConvergenceError
from cyldiff.fit.objective import IMPOSSIBLE, Objective, guarded
from cyldiff.fit.parameters import Parameter, Values, limits_of, starts_of

__all__ = ["Progress", "Search"]

Array = NDArray[np.float64]
#: called with the number of the call and chi-square
Progress = Callable[[int, float], None]

#: a parameter this near to a bound, in units of its range, is at it
NEAR = 1e-3


@dataclass
class Search:
    """An objective in scaled variables.

    Attributes
    ----------
    objective : what is minimised
    with_gradient : use its gradient
    calls, gradient_calls : evaluations so far
    """

    objective: Objective
    with_gradient: bool
    progress: Progress | None = None
    calls: int = 0
    gradient_calls: int = 0
    scale: Array = field(init=False)
    low: Array = field(init=False)
    high: Array = field(init=False)

    def __post_init__(self) -> None:
        parameters = self.objective.parameters
        self.scale = np.array([p.scale for p in parameters])
        low, high = limits_of(parameters)
        self.low, self.high = low / self.scale, high / self.scale

    @property
    def start(self) -> Array:
        """Start values, scaled."""
        return np.asarray(starts_of(self.objective.parameters) / self.scale)

    def values(self, x: Values) -> Array:
        """In internal units; bounds are exact in scaled variables, and rounding must not step over them."""
        low, high = limits_of(self.objective.parameters)
        return np.clip(np.asarray(x, dtype=float) * self.scale, low, high)

    def chi2(self, x: Values) -> float:
        """Chi-square, far too large where the model has no solution.

        Priors that are no constraint are left out: they belong to the density of a posterior, whose maximum
        depends on the variables it is written in.
        """
        self.calls += 1
        values = self.values(x)
        found = guarded(self.objective, values)
        if found < IMPOSSIBLE:
            found -= sum(p.prior.chi2(float(v)) for p, v in self._unconstrained(values))
        if self.progress is not None:
            self.progress(self.calls, found)
        return found

    def gradient(self, x: Values) -> Array:
        """Its derivatives for the scaled variables."""
        self.gradient_calls += 1
        values = self.values(x)
        slopes = self.objective.gradient(values)
        for i, (p, v) in enumerate(zip(self.objective.parameters, values, strict=True)):
            slopes[i] -= 0.0 if p.prior.constrains else p.prior.slope(float(v))
        return slopes * self.scale

    def _unconstrained(self, values: Array) -> Iterator[tuple[Parameter, float]]:
        for p, v in zip(self.objective.parameters, values, strict=True):
            if not p.prior.constrains:
                yield p, v

    def at_bound(self, x: Array) -> NDArray[np.bool_]:
        """Which variables are at a bound."""
        return np.minimum(x - self.low, self.high - x) < NEAR * (self.high - self.low)

    def minuit(self, x: Array) -> Any:
        """MINUIT (F. James & M. Roos 1975, Comput. Phys. Commun. 10, 343) at a place."""
        from iminuit import Minuit

        names = [p.name for p in self.objective.parameters]
        minuit = Minuit(self.chi2, x, grad=self.gradient if self.with_gradient else None, name=names)
        minuit.errordef = Minuit.LEAST_SQUARES
        minuit.limits = list(zip(self.low, self.high, strict=True))
        spread = self.high - self.low
        minuit.errors = np.minimum(0.05 * spread, np.maximum(0.02 * np.abs(x), 1e-3 * spread))
        # with a gradient the matrix of second derivatives is cheaper by its differences
        minuit.strategy = 0 if self.with_gradient else 1
        return minuit

    def minimise(self, maximum_calls: int, source: str, starts: int = 1) -> Any:
        """MINUIT at the minimum.

        Parameters
        ----------
        maximum_calls : from every start
        starts : the first is that of the parameters, the others are spread over the priors

        Raises
        ------
        ConvergenceError
            if none is found; says what may be done about it.
        """
        found = []
        for x in self._starts(starts):
            minuit = self.minuit(x)
            minuit.migrad(ncall=maximum_calls)
            found.append(minuit)
        minuit = min(found, key=lambda m: (not m.valid, m.fval))
        if not minuit.valid or minuit.fval >= IMPOSSIBLE:
            raise ConvergenceError(f"{source}: no minimum after {self.calls} calls; {self._reason(minuit)}")
        return minuit

    def _starts(self, number: int) -> list[Array]:
        """Places to start from, scaled: Halton's sequence in the shares of the priors."""
        parameters = self.objective.parameters
        if number == 1 or not parameters:
            return [self.start]
        shares = qmc.Halton(len(parameters), seed=0).random(number - 1)
        spread = [
            np.array(
                [p.prior.quantile(float(s), p.low, p.high) for p, s in zip(parameters, row, strict=True)]
            )
            for row in shares
        ]
        return [self.start, *(values / self.scale for values in spread)]

    def _reason(self, minuit: Any) -> str:
        minimum = minuit.fmin
        if minimum.has_reached_call_limit:
            return 'raise "fit.maximum_calls", or start nearer'
        if minuit.fval >= IMPOSSIBLE:
            return "the model has no solution near the start"
        at = self.at_bound(np.array(minuit.values))
        if at.any():
            names = [p.name for p, there in zip(self.objective.parameters, at, strict=True) if there]
            return f"at the bound: {', '.join(names)}"
        return f"distance to the minimum {minimum.edm:.1e}; parameters may be degenerate, give them priors"

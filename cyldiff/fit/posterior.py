"""The posterior as samplers want it, and its draws as a dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cyldiff.fit.objective import IMPOSSIBLE, Objective, guarded
from cyldiff.fit.parameters import Parameter, limits_of
from cyldiff.fit.profiled import Profiled
from cyldiff.parallel.pool import Pool

__all__ = ["Draws", "Evaluate", "LogPosterior"]

Array = NDArray[np.float64]
Make = Callable[[], Objective]


@dataclass(frozen=True)
class Evaluate:
    """What a worker does with a place: chi-square, and the best values of profiled parameters."""

    objective: Objective

    def __call__(self, values: Array) -> Array:
        """Shape (1 + number of profiled parameters,)."""
        chi2 = guarded(self.objective, values)
        if not isinstance(self.objective, Profiled):
            return np.array([chi2])
        if chi2 >= IMPOSSIBLE:
            return np.concatenate([[chi2], np.full(len(self.objective.inner), np.nan)])
        inside = np.array([p.profile for p in self.objective.whole.parameters])
        return np.concatenate([[chi2], self.objective.complete(values)[inside]])


@dataclass
class LogPosterior:
    """Logarithm of the posterior of many places at once, spread over workers.

    Attributes
    ----------
    pool : of :class:`Evaluate`
    parameters : what a place is made of
    profiled : number of profiled parameters
    calls : evaluations of chi-square so far
    progress : called with them after every batch
    """

    pool: Pool
    parameters: tuple[Parameter, ...]
    profiled: int = 0
    progress: Callable[[int], None] | None = None
    calls: int = 0
    low: Array = field(init=False)
    high: Array = field(init=False)

    def __post_init__(self) -> None:
        self.low, self.high = limits_of(self.parameters)

    def __call__(self, places: Array) -> Array:
        """Log posterior and best values of profiled parameters, shape (k, 1 + …); places of shape (k, n).

        Minus infinity outside the bounds, where nothing is evaluated.
        """
        places = np.atleast_2d(places)
        inside = np.all((places >= self.low) & (places <= self.high), axis=1)
        found = self.pool.map(list(places[inside]))
        self.calls += len(found)
        result = np.full((len(places), 1 + self.profiled), np.nan)
        result[:, 0] = -np.inf
        if found:
            result[inside] = found
            result[inside, 0] *= -0.5
        # so far from any model that has a solution that it does not count
        result[result[:, 0] <= -0.5 * IMPOSSIBLE, 0] = -np.inf
        if self.progress is not None:
            self.progress(self.calls)
        return result

    def prior(self, places: Array) -> Array:
        """What the priors of the parameters add to the log posterior, shape (k,)."""
        return -0.5 * np.array(
            [sum(p.prior.chi2(float(v)) for p, v in zip(self.parameters, x, strict=True)) for x in places]
        )

    def from_unit(self, cube: Array) -> Array:
        """Places at shares of the priors, shape as the shares (k, n)."""
        quantiles = [
            [p.prior.quantile(float(s), p.low, p.high) for p, s in zip(self.parameters, row, strict=True)]
            for row in np.atleast_2d(cube)
        ]
        return np.array(quantiles)


@dataclass(frozen=True)
class Draws:
    """Draws from a posterior.

    Attributes
    ----------
    parameters : of the columns of `values`: those sampled, then those profiled
    values : shape (n_draws, n), internal units
    log_posterior, weight : shape (n_draws,)
    steps, walkers : how the draws are ordered (step after step), 0 if they have no order
    burn_in : steps at the begin that do not count
    tau : autocorrelation times in steps, shape (number of sampled parameters,)
    acceptance : share of accepted steps per walker
    log_evidence : of the model, NaN if the sampler does not give it
    calls : evaluations of chi-square
    """

    parameters: tuple[Parameter, ...]
    values: Array
    log_posterior: Array
    weight: Array
    calls: int
    steps: int = 0
    walkers: int = 0
    burn_in: int = 0
    tau: Array = field(default_factory=lambda: np.zeros(0))
    acceptance: Array = field(default_factory=lambda: np.zeros(0))
    log_evidence: float = float("nan")

    @property
    def best(self) -> Array:
        """The draw with the highest posterior."""
        return self.values[int(np.argmax(self.log_posterior))]

    @property
    def counting(self) -> NDArray[np.bool_]:
        """Draws after the burn-in."""
        return np.arange(len(self.values)) >= self.burn_in * self.walkers

    @property
    def effective(self) -> float:
        """Number of independent draws that the counting ones are worth."""
        w = self.weight[self.counting]
        size = float(w.sum() ** 2 / np.sum(w**2))
        return size / float(np.max(self.tau)) if len(self.tau) else size

    def quantiles(self, shares: Sequence[float]) -> Array:
        """Of every parameter, shape (number of shares, n)."""
        values, w = self.values[self.counting], self.weight[self.counting]
        rows = []
        for column in values.T:
            order = np.argsort(column)
            below = (np.cumsum(w[order]) - 0.5 * w[order]) / w.sum()
            rows.append(np.interp(shares, below, column[order]))
        return np.array(rows).T

    def moments(self) -> tuple[Array, Array]:
        """Means, shape (n,), and covariance, shape (n, n)."""
        values, w = self.values[self.counting], self.weight[self.counting]
        return np.average(values, axis=0, weights=w), np.atleast_2d(np.cov(values.T, aweights=w))

"""Posterior of an objective by the affine-invariant ensemble (Foreman-Mackey et al. 2013, PASP 125, 306).

A chain counts as done when it is `taus` times as long as its longest autocorrelation time and that time has
settled (Goodman & Weare 2010, Comm. App. Math. Comp. Sci. 5, 65, sec. 3); one that is not done is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import truncnorm

from cyldiff.errors import ConvergenceError
from cyldiff.fit.objective import IMPOSSIBLE, Objective, guarded
from cyldiff.fit.parameters import Parameter, Values, limits_of
from cyldiff.fit.samplers import Emcee

__all__ = ["Posterior", "posterior"]

Array = NDArray[np.float64]

#: an autocorrelation time has settled when it changes by less than this from one look to the next
SETTLED = 0.05
#: the first so many autocorrelation times remember the start
BURN_IN = 5
#: what walkers start with: this share of the errors around the minimum
SPREAD = 0.3


@dataclass(frozen=True)
class Posterior:
    """Draws from a posterior.

    Attributes
    ----------
    parameters : length n
    chain : shape (steps, walkers, n), internal units, from the first step on
    autocorrelation : times, shape (n,), in steps
    """

    parameters: tuple[Parameter, ...]
    chain: Array
    autocorrelation: Array

    @property
    def settled(self) -> Array:
        """Draws after the start is forgotten, shape (many, n)."""
        first = int(np.ceil(BURN_IN * self.autocorrelation.max()))
        return self.chain[first:].reshape(-1, self.chain.shape[2])

    def quantiles(self, *shares: float) -> Array:
        """Values below which shares of the draws lie, shape (number of shares, n)."""
        return np.quantile(self.settled, shares, axis=0)

    def draws(self, number: int, seed: int = 0) -> Array:
        """Draws at random, shape (number, n)."""
        chosen = np.random.default_rng(seed).choice(len(self.settled), number, replace=False)
        return np.asarray(self.settled[chosen])


def posterior(objective: Objective, settings: Emcee, best: Values, errors: Values) -> Posterior:
    """Draw from exp(-chi2 / 2) inside the bounds of the parameters.

    Parameters
    ----------
    objective : chi-square with the priors
    settings : walkers, steps at most, autocorrelation times asked for, seed
    best, errors : where the walkers start, shape (n,), internal units; an error that is not known is NaN

    Raises
    ------
    ConvergenceError
        if the chain is not long enough after all steps, with the parameter that mixes worst.
    """
    import emcee

    parameters = objective.parameters
    low, high = limits_of(parameters)

    def log_probability(values: Array) -> float:
        if np.any(values < low) or np.any(values > high):
            return -np.inf
        chi2 = guarded(objective, values)
        return -np.inf if chi2 >= IMPOSSIBLE else -0.5 * chi2

    if settings.walkers < 2 * len(parameters):
        raise ConvergenceError(
            f"{settings.walkers} walkers for {len(parameters)} parameters; at least twice as many are needed"
        )
    random = np.random.RandomState(settings.seed)
    start = _start(
        random, settings.walkers, np.asarray(best, dtype=float), np.asarray(errors, dtype=float), low, high
    )
    sampler = emcee.EnsembleSampler(settings.walkers, len(parameters), log_probability)
    state = emcee.State(start, random_state=random.get_state())
    before = np.full(len(parameters), np.inf)
    times = before
    for number, _ in enumerate(sampler.sample(state, iterations=settings.steps), start=1):
        if number % settings.check:
            continue
        times = np.asarray(sampler.get_autocorr_time(tol=0))
        moved = np.abs(times - before) > SETTLED * times
        if np.all(number >= settings.taus * times) and not moved.any():
            return Posterior(parameters, sampler.get_chain(), times)
        before = times
    worst = int(np.argmax(np.where(np.isfinite(times), times, np.inf)))
    raise ConvergenceError(
        f"the chain of {settings.steps} steps has not converged: the autocorrelation time of "
        f"{parameters[worst].name} is {times[worst]:.0f} steps and {settings.taus:g} of them are asked for; "
        'raise "fit.sampler.steps"'
    )


def _start(
    random: np.random.RandomState,
    walkers: int,
    best: Array,
    errors: Array,
    low: Array,
    high: Array,
) -> Array:
    """Walkers around a place, inside the bounds, shape (walkers, n)."""
    width = SPREAD * np.where(np.isfinite(errors), np.minimum(errors, high - low), 0.1 * (high - low))
    return truncnorm.rvs(
        (low - best) / width, (high - best) / width, loc=best, scale=width,
        size=(walkers, len(best)), random_state=random,
    )  # fmt: skip

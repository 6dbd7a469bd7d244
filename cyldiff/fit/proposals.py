"""The normal distribution around a minimum: where walkers start, and places they are offered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import CyldiffError
from cyldiff.fit.parameters import limits_of
from cyldiff.fit.tune import FitResult

__all__ = ["Normal", "inside", "normal_around"]

Array = NDArray[np.float64]

#: tries to draw walkers inside the bounds
TRIES = 1000
#: share of the range of a parameter that stands for its error where it is at its bound
AT_BOUND = 0.01
#: degrees of freedom of Student's distribution: tails that are wider than those of most posteriors
FREEDOM = 5


@dataclass(frozen=True)
class Normal:
    """A normal distribution of sampled parameters.

    Attributes
    ----------
    mean : shape (n,)
    covariance : shape (n, n)
    profiled : best values of the parameters that are not sampled
    """

    mean: Array
    covariance: Array
    profiled: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def best(self) -> Array:
        """Those sampled, then those profiled."""
        return np.concatenate([self.mean, self.profiled])

    @property
    def _root(self) -> tuple[Array, Array]:
        """Errors, and the Cholesky root of the correlation: sizes of parameters differ by many decades."""
        sigma = np.sqrt(np.diag(self.covariance))
        return sigma, np.linalg.cholesky(self.covariance / np.outer(sigma, sigma))

    def start(self, low: Array, high: Array, walkers: int, generator: np.random.Generator) -> Array:
        """Walkers inside the bounds, shape (walkers, n)."""
        sigma, root = self._root
        return inside(
            lambda k: self.mean + sigma * (generator.standard_normal((k, len(sigma))) @ root.T),
            low,
            high,
            walkers,
        )

    def move(self, scale: Array) -> Any:
        """A move of emcee that offers draws of Student's distribution, whatever the place of a walker.

        A place x' is taken with probability min(1, p(x') t(x) / p(x) t(x')): Hastings 1970, Biometrika 57, 97; with t
        of wider tails than p no walker stays for long (Mengersen & Tweedie 1996, Ann. Statist. 24, 101).

        Parameters
        ----------
        scale : shape (n,), walkers are in units of it
        """
        from emcee import moves

        (sigma, root), n = self._root, len(scale)

        def density(places: Array) -> Array:
            away = np.linalg.solve(root, ((places * scale - self.mean) / sigma).T)
            return np.asarray(-0.5 * (FREEDOM + n) * np.log1p(np.sum(away**2, axis=0) / FREEDOM))

        def propose(places: Array, random: np.random.RandomState) -> tuple[Array, Array]:
            count = len(places)
            stretch = np.sqrt(random.chisquare(FREEDOM, size=count) / FREEDOM)
            away = random.standard_normal((count, n)) / stretch[:, None]
            new = (self.mean + sigma * (away @ root.T)) / scale
            return new, density(places) - density(new)

        return moves.MHMove(propose, ndim=n)


def normal_around(found: FitResult) -> Normal:
    """The normal distribution of the Hesse matrix; parameters at their bound have a small part of their range."""
    inner = np.array([p.profile for p in found.parameters])
    places, sampled = np.flatnonzero(~inner), [p for p in found.parameters if not p.profile]
    low, high = limits_of(sampled)
    covariance = found.covariance[np.ix_(places, places)]
    missing = found.at_bound[places]
    covariance[missing], covariance[:, missing] = 0.0, 0.0
    covariance[missing, missing] = (AT_BOUND * (high - low)[missing]) ** 2
    return Normal(np.clip(found.values[places], low, high), covariance, found.values[inner])


def inside(draw: Callable[[int], Array], low: Array, high: Array, count: int) -> Array:
    """So many places inside the bounds from a function that draws some; shape (count, n).

    Raises
    ------
    CyldiffError
        if hardly any draw is inside.
    """
    found: list[Array] = []
    for _ in range(TRIES):
        places = draw(count)
        found += list(places[np.all((places > low) & (places < high), axis=1)])
        if len(found) >= count:
            return np.array(found[:count])
    raise CyldiffError(
        'hardly any place around the best fit is inside the bounds; set fit.sampler.start = "prior"'
    )

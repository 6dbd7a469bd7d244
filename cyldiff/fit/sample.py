"""The posterior of a fit: from a tuning file to draws, on many processes, interrupted or not."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cyldiff.config.memory import shortage
from cyldiff.errors import ConfigError, CyldiffError, Problem
from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.load import LoadedFit
from cyldiff.fit.nested import nest
from cyldiff.fit.objective import Objective
from cyldiff.fit.parameters import Parameter, limits_of
from cyldiff.fit.posterior import Draws, Evaluate, LogPosterior
from cyldiff.fit.profiled import Profiled
from cyldiff.fit.proposals import Normal, normal_around
from cyldiff.fit.samplers import Emcee, Nautilus
from cyldiff.fit.tune import FitResult, tune
from cyldiff.fit.walk import kept_near, walk
from cyldiff.io.provenance import version
from cyldiff.parallel.pool import Pool, check_executor
from cyldiff.progress import meter

__all__ = ["STATES", "Posterior", "draw", "sample"]

_log = logging.getLogger(__name__)

Array = NDArray[np.float64]

#: file that keeps a chain, by the kind of the sampler
STATES = {"emcee": "sampler.npz", "nautilus": "sampler.h5"}
#: settings that a chain may be continued with other values of
_MAY_CHANGE = {"steps", "taus", "thin", "maximum_calls", "effective"}


@dataclass(frozen=True)
class Posterior:
    """Draws of a fit.

    Attributes
    ----------
    draws : of the sampled parameters, then of the profiled ones
    best : place of the minimum of chi-square, in the order of the draws; None if it was not looked for
    """

    fit: LoadedFit
    draws: Draws
    best: Array | None


def sample(
    fit: LoadedFit,
    *,
    state: Path | None = None,
    executor: str = "processes",
    workers: int | None = None,
    quiet: bool = True,
) -> Posterior:
    """Draw from the posterior of a fit.

    Parameters
    ----------
    fit : what :func:`cyldiff.load_fit` returns
    state : file that keeps the chain; if it is there, the sampling goes on from it
    executor, workers : see :class:`cyldiff.parallel.pool.Pool`
    quiet : no progress on the terminal

    Returns
    -------
    Posterior
        ``draws`` of the parameters in internal units, with their chi-square.

    Raises
    ------
    ConfigError        if the sampler cannot draw that many parameters
    Unfinished         if the draws have not converged; the state is kept
    DataError          if the state is of another fit
    """
    check_executor(executor, workers)
    settings, parameters = fit.fit.sampler, order_of(fit)
    sampled = [p for p in parameters if not p.profile]
    problems = _check(settings, len(sampled))
    if problems:
        raise ConfigError(fit.source, problems)
    best, near = None, None
    if isinstance(settings, Emcee) and settings.start == "minimum":
        kept = state is not None and state.is_file()
        near = kept_near(state, fingerprint(fit)) if state and kept else normal_around(_minimum(fit, quiet))
        best = near.best if near else None
    with Pool(partial(_evaluate, fit), executor=executor, workers=workers) as pool:
        draws = draw(
            pool, sampled, settings, profiled=len(parameters) - len(sampled), near=near, state=state,
            fingerprint=fingerprint(fit), quiet=quiet,
        )  # fmt: skip
    return Posterior(fit, _named(draws, parameters), best)


def draw(
    pool: Pool,
    parameters: list[Parameter],
    settings: Emcee | Nautilus,
    *,
    profiled: int = 0,
    near: Normal | None = None,
    state: Path | None = None,
    fingerprint: str = "",
    quiet: bool = True,
) -> Draws:
    """Draw from any posterior that a pool of :class:`~cyldiff.fit.posterior.Evaluate` knows.

    Parameters
    ----------
    parameters : that are sampled
    profiled : number of those that the pool finds by itself
    near : first walkers of emcee, and places they are offered; default: walkers start all over the prior
    """
    target = LogPosterior(pool, tuple(parameters), profiled)
    if isinstance(settings, Emcee):
        first = partial(_spread, parameters, settings.walkers)
        if near is not None:
            first = partial(near.start, *limits_of(parameters), settings.walkers)
        with meter("steps", settings.steps, quiet=quiet) as show:
            return walk(
                target, settings, first, near=near, state=state, fingerprint=fingerprint, progress=show
            )
    with meter("calls", quiet=quiet) as show:
        target.progress = lambda calls: show(calls, "")
        return nest(target, settings, state=state, fingerprint=fingerprint, progress=show)


def order_of(fit: LoadedFit) -> tuple[Parameter, ...]:
    """Parameters in the order of the draws: those sampled, then those profiled."""
    return tuple(sorted(fit.parameters, key=lambda p: p.profile))


def fingerprint(fit: LoadedFit) -> str:
    """Checksum of all that a chain follows from."""
    section = fit.fit.model_dump(mode="json")
    section["sampler"] = {k: v for k, v in section["sampler"].items() if k not in _MAY_CHANGE}
    for name in ("profiles", "contours", "minos"):
        section.pop(name)
    data: list[list[object]] = [
        [d.measurement.name, d.measurement.y.tolist(), d.low, d.high] for d in fit.data
    ]
    data += [
        [d.measurement.name, d.measurement.amplitude.tolist(), d.measurement.phase.tolist(), d.low, d.high]
        for d in fit.dipoles
    ]
    text = json.dumps([fit.run.toml(), section, data, version()], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _evaluate(fit: LoadedFit) -> Evaluate:
    """What a worker makes."""
    likelihood = Likelihood.of(fit)
    objective: Objective = likelihood
    if any(p.profile for p in fit.parameters):
        objective = Profiled(likelihood)
    return Evaluate(objective)


def _check(settings: Emcee | Nautilus, n: int) -> list[Problem]:
    """What is wrong with a sampler for so many parameters."""
    if n == 0:
        return [Problem("fit.parameters", "all are profiled; there is nothing to draw")]
    if isinstance(settings, Emcee) and settings.walkers < 2 * n + 2:
        found = f"found {settings.walkers}; expected at least {2 * n + 2} for {n} parameters"
        return [Problem("fit.sampler.walkers", found)]
    if isinstance(settings, Nautilus) and n < 2:
        return [Problem("fit.sampler.kind", "nautilus needs at least two parameters; use emcee")]
    if isinstance(settings, Emcee):
        # every number of the chain, its copy for the summary, and the one that is written
        kept = settings.walkers * settings.steps
        if reason := shortage(3.0 * 8.0 * kept * (n + 2)):
            found = f"{settings.walkers} walkers with {settings.steps} steps {reason}; expected fewer"
            return [Problem("fit.sampler.steps", found)]
    return []


def _minimum(fit: LoadedFit, quiet: bool) -> FitResult:
    """The best fit, which walkers start around."""
    try:
        with meter("calls of the minimum", quiet=quiet) as show:
            plain = fit.fit.model_copy(update={"minos": False})
            found = tune(
                replace(fit, fit=plain),
                progress=lambda call, chi2: show(call, f"chi2 {chi2:.3f}"),
            )
    except ConfigError:
        raise
    except CyldiffError as error:
        raise type(error)(f'{error}; walkers that need no minimum: fit.sampler.start = "prior"') from None
    _log.info("minimum: chi2 %.3f after %d calls", found.chi2, found.calls)
    return found


def _spread(sampled: list[Parameter], walkers: int, generator: np.random.Generator) -> Array:
    """Walkers drawn from the prior."""
    shares = generator.uniform(size=(walkers, len(sampled)))
    return np.array(
        [[p.prior.quantile(s, p.low, p.high) for p, s in zip(sampled, row, strict=True)] for row in shares]
    )


def _named(draws: Draws, parameters: tuple[Parameter, ...]) -> Draws:
    return replace(draws, parameters=parameters)

"""An ensemble of walkers (emcee), with a state on disk that goes on exactly where it was."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import ConvergenceError, DataError
from cyldiff.fit.posterior import Draws, LogPosterior
from cyldiff.fit.proposals import Normal
from cyldiff.fit.samplers import Emcee

__all__ = ["Unfinished", "convergence", "kept_near", "walk"]

Array = NDArray[np.float64]
#: called with the number of steps and a word about them
Progress = Callable[[int, str], None]

#: seconds between two writes of the state
SAVE_EVERY = 30.0
#: autocorrelation times that are left out at the begin
BURN_IN = 3.0
#: steps after the burn-in without which no autocorrelation time is believed
SHORTEST = 100


class Unfinished(ConvergenceError):
    """A chain that has not converged; it is kept and can go on."""


@dataclass
class _State:
    """A chain so far: steps by walkers by parameters, and the random numbers to come."""

    values: list[Array]
    log_posterior: list[Array]
    extra: list[Array]
    accepted: Array
    random: tuple[Any, ...] | None
    calls: int = 0
    near: Normal | None = None

    def add(self, state: Any, scale: Array, moved: NDArray[np.bool_], calls: int) -> None:
        """One more step, as emcee gives it in units of `scale`; the random numbers are those after it."""
        walkers = len(state.coords)
        blobs = np.zeros((walkers, 0)) if state.blobs is None else np.array(state.blobs, dtype=float)
        self.values.append(state.coords * scale)
        self.log_posterior.append(state.log_prob.copy())
        self.extra.append(blobs.reshape(walkers, -1))
        self.accepted = self.accepted + moved
        self.random, self.calls = state.random_state, calls

    def save(self, path: Path, fingerprint: str) -> None:
        """Replace the file in one go."""
        if self.random is None:
            return
        part = path.with_name(f".{path.name}.part.npz")
        name, keys, position, has_gauss, gauss = self.random
        near = self.near or Normal(np.zeros(0), np.zeros((0, 0)))
        try:
            np.savez(
                part, values=np.array(self.values), log_posterior=np.array(self.log_posterior),
                extra=np.array(self.extra), accepted=self.accepted, calls=self.calls, fingerprint=fingerprint,
                random_name=name, random_keys=keys, random_rest=np.array([position, has_gauss, gauss]),
                mean=near.mean, covariance=near.covariance, profiled=near.profiled,
            )  # fmt: skip
            part.replace(path)
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror or error})") from None
        finally:
            part.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> _State:
        try:
            with np.load(path, allow_pickle=False) as kept:
                if str(kept["fingerprint"]) != fingerprint:
                    raise DataError(
                        f"{path}: the chain of another fit (model, data, parameters, sampler or version differ); "
                        "use another folder"
                    )
                rest = kept["random_rest"]
                random = (
                    str(kept["random_name"]), kept["random_keys"], int(rest[0]), int(rest[1]), float(rest[2])
                )  # fmt: skip
                values, log_posterior, extra = (list(kept[k]) for k in ("values", "log_posterior", "extra"))
                near = Normal(*(kept[k] for k in ("mean", "covariance", "profiled")))
                return cls(
                    values, log_posterior, extra, kept["accepted"], random, int(kept["calls"]),
                    near if near.mean.size else None,
                )  # fmt: skip
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path}: not a readable chain ({error})") from None


def walk(
    target: LogPosterior,
    settings: Emcee,
    start: Callable[[np.random.Generator], Array],
    *,
    near: Normal | None = None,
    state: Path | None = None,
    fingerprint: str = "",
    progress: Progress | None = None,
) -> Draws:
    """Let the walkers walk until the chain has converged.

    Parameters
    ----------
    start : first places from a random generator, shape (walkers, n); not asked if there is a state
    near : the posterior may look like it; walkers are offered places of it. That of the state comes first
    state : file that the chain is kept in; if it is there, the walk goes on from it
    fingerprint : of the problem; a state of another one is refused

    Raises
    ------
    Unfinished
        if the chain has not converged after all steps; says how many more it may need.
    DataError
        if the state is damaged or of another problem.
    """
    from emcee import EnsembleSampler, State

    n, chain = len(target.parameters), _State([], [], [], np.zeros(settings.walkers), None, near=near)
    scale, kept = _scale(target), state is not None and state.is_file()
    if state is not None and kept:
        chain = _State.load(state, fingerprint)
    sampler = EnsembleSampler(
        settings.walkers, n, _rows(target, scale), vectorize=True, moves=_moves(settings, chain.near, scale)
    )
    if kept:
        target.calls = chain.calls
        blobs = chain.extra[-1] if chain.extra[-1].size else None
        last = State(chain.values[-1] / scale, chain.log_posterior[-1], blobs, chain.random, copy=True)
    else:
        generator = np.random.default_rng(settings.seed)
        last = State(start(generator) / scale, random_state=np.random.RandomState(settings.seed).get_state())
    saved = time.monotonic()
    try:
        while len(chain.values) < settings.steps and not _converged(chain, settings):
            started = last.coords.copy()
            (last,) = sampler.sample(last, store=False, skip_initial_state_check=bool(chain.values))
            chain.add(last, scale, np.any(last.coords != started, axis=1), target.calls)
            if progress is not None:
                progress(len(chain.values), f"best chi2 {-2.0 * float(np.max(last.log_prob)):.2f}")
            if state is not None and time.monotonic() - saved > SAVE_EVERY:
                chain.save(state, fingerprint)
                saved = time.monotonic()
    finally:
        if state is not None:
            chain.save(state, fingerprint)
    return _draws(chain, target, settings)


def kept_near(state: Path, fingerprint: str) -> Normal | None:
    """The distribution that a chain in a file is offered places of; errors as :func:`walk`."""
    return _State.load(state, fingerprint).near


def _moves(settings: Emcee, near: Normal | None, scale: Array) -> Any:
    """How walkers propose their next place.

    Stretch: Goodman & Weare 2010, Comm. App. Math. Comp. Sci. 5, 65. Differential evolution: ter Braak 2006,
    Stat. Comput. 16, 239. Kernel density: of the other half of the walkers, as emcee has it.
    """
    from emcee import moves

    if settings.moves == "stretch":
        return moves.StretchMove()
    evolution = moves.DEMove()
    if settings.moves != "mixed":
        return evolution
    if near is None:
        return [(evolution, 0.5), (moves.KDEMove(), 0.5)]
    return [(near.move(scale), 0.5), (evolution, 0.25), (moves.KDEMove(), 0.25)]


def _scale(target: LogPosterior) -> Array:
    """Sizes of the parameters, so that the density of the walkers has numbers of order one.

    Powers of two: a chain that is kept in units of the parameters goes on bit by bit.
    """
    return np.asarray(np.exp2(np.round(np.log2([p.scale for p in target.parameters]))))


def _rows(target: LogPosterior, scale: Array) -> Callable[[Array], Array]:
    """As emcee reads it: rows with what is kept beside the posterior, or plain numbers."""

    def evaluate(places: Array) -> Array:
        found = target(places * scale)
        return found[:, 0] if found.shape[1] == 1 else found

    return evaluate


def _converged(chain: _State, settings: Emcee) -> bool:
    """Looked at every so many steps, so that where a chain ends does not depend on interruptions."""
    done = len(chain.values)
    if done == 0 or done % settings.check:
        return False
    return convergence(np.array(chain.values), settings.taus)[2] == 0


def convergence(values: Array, taus: float) -> tuple[Array, int, int]:
    """Autocorrelation times, burn-in, and how many more steps a chain needs (0: it has converged).

    Parameters
    ----------
    values : shape (steps, walkers, n)
    taus : autocorrelation times that a chain must have after its burn-in

    The integrated autocorrelation time is that of emcee (Goodman & Weare 2010, Comm. App. Math. Comp. Sci. 5,
    65; window of Sokal); a chain much shorter than 50 of them underestimates it.
    """
    from emcee.autocorr import integrated_time

    steps = len(values)

    def tau_of(part: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.maximum(integrated_time(part, tol=0, quiet=True), 1.0)

    tau = tau_of(values)
    if not np.all(np.isfinite(tau)):
        return tau, steps // 2, steps
    burn_in = min(int(np.ceil(BURN_IN * tau.max())), steps // 2)
    tau = tau_of(values[burn_in:])
    if not np.all(np.isfinite(tau)):
        return tau, burn_in, steps
    needed = max(int(np.ceil(taus * tau.max())), SHORTEST) - (steps - burn_in)
    return tau, burn_in, max(needed, 0)


def _draws(chain: _State, target: LogPosterior, settings: Emcee) -> Draws:
    values = np.array(chain.values)
    tau, burn_in, needed = convergence(values, settings.taus)
    if needed:
        total = len(values) + int(np.ceil(1.2 * needed))
        raise Unfinished(
            f"{len(values)} steps are not enough: the longest autocorrelation time is {np.max(tau):.0f} steps, and "
            f"{settings.taus:g} of them, at least {SHORTEST} steps, are wanted after a burn-in of {burn_in}. About "
            f"{needed} more steps: go on with --resume --set fit.sampler.steps={total}"
        )
    extra = np.array(chain.extra)
    joined = np.concatenate([values, extra], axis=2)
    return Draws(
        parameters=target.parameters,
        values=joined.reshape(-1, joined.shape[2]),
        log_posterior=np.array(chain.log_posterior).ravel(),
        weight=np.ones(values.shape[0] * values.shape[1]),
        calls=chain.calls,
        steps=len(values),
        walkers=settings.walkers,
        burn_in=burn_in,
        tau=tau,
        acceptance=chain.accepted / len(values),
    )

"""Nested sampling (nautilus): posterior and evidence, with a state on disk that is always complete."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import DataError
from cyldiff.fit.objective import IMPOSSIBLE
from cyldiff.fit.posterior import Draws, LogPosterior
from cyldiff.fit.samplers import Nautilus
from cyldiff.fit.walk import Unfinished

__all__ = ["nest"]

Array = NDArray[np.float64]
Progress = Callable[[int, str], None]

#: seconds between two copies of the state
SAVE_EVERY = 30.0
#: name under which the state remembers what it is of
_MARK = "cyldiff_fingerprint"


def nest(
    target: LogPosterior,
    settings: Nautilus,
    *,
    state: Path | None = None,
    fingerprint: str = "",
    progress: Progress | None = None,
) -> Draws:
    """Sample until the posterior has the wanted effective number of draws.

    Parameters
    ----------
    state : file (.h5) that the live points are kept in; if it is there, the sampling goes on from it
    fingerprint : of the problem; a state of another one is refused

    Raises
    ------
    Unfinished
        if the calls run out before.
    DataError
        if the state is damaged or of another problem.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "state.h5"
        keeper = _Keeper(work, state, fingerprint)
        target.calls = keeper.restore()
        sampler = _sampler(target, settings, work, keeper)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # networks that do not converge only make worse proposals
                done = sampler.run(
                    f_live=settings.remaining, n_eff=settings.effective, n_like_max=settings.maximum_calls
                )
        finally:
            keeper.keep(always=True)
        if progress is not None:
            progress(sampler.n_like, f"ln evidence {sampler.log_z:.2f}")
        if not done:
            raise Unfinished(
                f"{sampler.n_like} calls are not enough: {sampler.n_eff:.0f} effective draws of "
                f"{settings.effective}. Go on with --resume --set fit.sampler.maximum_calls="
                f"{2 * settings.maximum_calls}"
            )
        return _draws(sampler, target)


def _sampler(target: LogPosterior, settings: Nautilus, work: Path, keeper: _Keeper) -> Any:
    from nautilus import Sampler

    def likelihood(places: Array) -> Any:
        keeper.keep()  # between batches the file is complete
        found = target(places)
        level = np.maximum(found[:, 0] - target.prior(places), -0.5 * IMPOSSIBLE)
        return level if not target.profiled else (level, *found[:, 1:].T)

    return Sampler(
        target.from_unit, likelihood, n_dim=len(target.parameters), n_live=settings.live_points,
        vectorized=True, pass_dict=False, seed=settings.seed, filepath=work, resume=True,
    )  # fmt: skip


class _Keeper:
    """Copies the file that nautilus works with to the one that is kept, when it is complete."""

    def __init__(self, work: Path, kept: Path | None, fingerprint: str) -> None:
        self.work, self.kept, self.fingerprint = work, kept, fingerprint
        self.last = time.monotonic()

    def restore(self) -> int:
        """Bring back what is kept; returns the calls it took."""
        import h5py

        if self.kept is None or not self.kept.is_file():
            return 0
        try:
            shutil.copyfile(self.kept, self.work)
            with h5py.File(self.work, "r") as file:
                found, calls = str(file.attrs.get(_MARK, "")), int(file["sampler"].attrs["n_like"])
        except (OSError, KeyError, ValueError) as error:
            raise DataError(f"{self.kept}: not a readable state of the sampler ({error})") from None
        if found != self.fingerprint:
            raise DataError(
                f"{self.kept}: the state of another fit (model, data, parameters, sampler or version differ); "
                "use another folder"
            )
        return calls

    def keep(self, *, always: bool = False) -> None:
        """Replace the kept file in one go, not too often unless `always`."""
        import h5py

        due = always or time.monotonic() - self.last > SAVE_EVERY
        if self.kept is None or not due or not self.work.is_file():
            return
        part = self.kept.with_name(f".{self.kept.name}.part")
        try:
            shutil.copyfile(self.work, part)
            with h5py.File(part, "r+") as file:
                file.attrs[_MARK] = self.fingerprint
            os.replace(part, self.kept)
        except OSError as error:
            if not always:
                raise DataError(f"{self.kept}: cannot be written ({error})") from None
        finally:
            part.unlink(missing_ok=True)
        self.last = time.monotonic()


def _draws(sampler: Any, target: LogPosterior) -> Draws:
    found = sampler.posterior(return_as_dict=False, return_blobs=bool(target.profiled))
    values, log_weight, level = found[:3]
    log_posterior = level + target.prior(values)
    if target.profiled:
        blobs = found[3]
        columns = [blobs[name] for name in blobs.dtype.names] if blobs.dtype.names else [blobs]
        values = np.column_stack([values, *columns])
    return Draws(
        parameters=target.parameters,
        values=values,
        log_posterior=log_posterior,
        weight=np.exp(log_weight - log_weight.max()),
        calls=target.calls,
        log_evidence=float(sampler.log_z),
    )

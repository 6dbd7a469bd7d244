"""All fits of the paper: minimum and posterior of the files under runs/papers/aharonian-zhang-2026."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cyldiff import resources
from cyldiff.errors import ConvergenceError
from cyldiff.fit.components import SpectrumConfig
from cyldiff.fit.load import LoadedFit, load_fit
from cyldiff.fit.phenomenology import SpectraModel
from cyldiff.fit.sample import sample
from cyldiff.fit.tune import FitResult, tune
from cyldiff.io.whole import write_whole
from cyldiff.papers.aharonian_zhang_2026.printed import INTERACTIONS, TABLES
from cyldiff.papers.study import Study
from cyldiff.parallel.pool import Pool

__all__ = ["RUNS", "SHARPNESS", "Fit", "Fits", "Job", "jobs", "run", "run_all", "variants"]

Array = NDArray[np.float64]

RUNS = resources.folder("runs") / "papers" / "aharonian-zhang-2026"
#: Fig. 4
SHARPNESS = "proton-ii-sharpness"
#: draws that are kept for figures
KEPT = 5000


@dataclass(frozen=True)
class Job:
    """A fit: its label and file, the LHAASO fluxes, further overrides, and whether the posterior is drawn."""

    label: str
    name: str
    interactions: str
    overrides: tuple[str, ...] = ()
    sampled: bool = False

    def load(self) -> LoadedFit:
        """The fit with the LHAASO fluxes put in, unless its data are chosen otherwise."""
        species = "he" if self.name.startswith("helium") else "h"
        chosen = [f'fit.data[0].name="lhaaso-{self.interactions}-{species}-total-energy"']
        if any(text.startswith("fit.data=") for text in self.overrides):
            chosen = []
        return load_fit(RUNS / f"{self.name}.toml", [*chosen, *self.overrides])


@dataclass(frozen=True)
class Fit:
    """What a job gives.

    Attributes
    ----------
    names, factors : of the parameters, and what turns internal units into those of the numbers below
    best, lower, upper : shape (n,); Minos errors, NaN where there are none
    spread : covariance of the minimum, shape (n, n)
    chi2, ndof : of the minimum
    rise : chi-square of the printed values less that of the minimum; NaN for other fits
    quantiles : 50, 16 and 84 % of the posterior, shape (3, n); None if it was not drawn
    draws : some of the posterior, shape (KEPT, n)
    failed : why there is no minimum; the rest is empty then
    """

    job: Job
    names: tuple[str, ...] = ()
    factors: Array | None = None
    best: Array | None = None
    lower: Array | None = None
    upper: Array | None = None
    spread: Array | None = None
    chi2: float = float("nan")
    ndof: int = 0
    rise: float = float("nan")
    quantiles: Array | None = None
    draws: Array | None = None
    failed: str = ""

    def value(self, name: str) -> tuple[float, float, float]:
        """Median and distances to 16 and 84 %; without a posterior best value and Minos errors."""
        i = self.names.index(name)
        if self.quantiles is not None:
            middle, low, high = self.quantiles[:, i]
            return float(middle), float(middle - low), float(high - middle)
        assert self.best is not None
        assert self.lower is not None
        assert self.upper is not None
        return float(self.best[i]), float(-self.lower[i]), float(self.upper[i])

    def config(self, values: Array | None = None) -> SpectrumConfig:
        """Components with medians put in (of component III the best values), or with other values.

        The parameters of the third component hang on each other so much that their medians together are no good fit.
        """
        if values is None:
            median = self.quantiles is not None and "iii" not in self.job.name
            values = self.quantiles[0] if median and self.quantiles is not None else self.best
        assert values is not None
        assert self.factors is not None
        return SpectraModel.of(self.job.load()).predict(list(values / self.factors)).config

    def plain(self) -> dict[str, object]:
        """For a JSON file."""

        def listed(values: Array | None) -> list[float | None] | None:
            return None if values is None else [float(v) if np.isfinite(v) else None for v in values]

        return {
            "label": self.job.label, "fit": self.job.name, "interactions": self.job.interactions,
            "parameters": list(self.names), "best": listed(self.best), "lower": listed(self.lower),
            "upper": listed(self.upper), "chi2": self.chi2, "ndof": self.ndof,
            "median_16_84": None if self.quantiles is None else [listed(q) for q in self.quantiles],
            "failed": self.failed,
        }  # fmt: skip


Fits = dict[tuple[str, str], Fit]


def jobs(*, smoke: bool) -> list[Job]:
    """Long ones first; the smoke mode has minima with one model of interactions alone."""
    names = ["proton-iii-free", "proton-iii-fixed", "proton-i-prime", "helium-i-prime", SHARPNESS]
    names += [name for name in TABLES if name not in names]
    chosen = INTERACTIONS[:1] if smoke else INTERACTIONS
    # where the third component is not needed, its posterior has no end that a chain would find
    found = [
        Job(name, name, one, sampled=not smoke and ("iii" not in name or one == INTERACTIONS[0]))
        for one in chosen
        for name in names
    ]
    return found + [Job(label, name, INTERACTIONS[0], overrides) for label, name, overrides in variants()]


def variants() -> list[tuple[str, str, tuple[str, ...]]]:
    """Label, file and overrides of the fits with other choices."""
    entries = resources.read_toml(RUNS / "variants.toml")["variant"]
    return [(entry["name"], entry["fit"], tuple(entry["set"])) for entry in entries]


def run(job: Job) -> Fit:
    """Minimum, errors, and posterior if wanted."""
    loaded = job.load()
    try:
        result = tune(loaded)
    except ConvergenceError as error:
        return Fit(job, failed=str(error))
    factors = np.array([p.factor for p in result.parameters])
    quantiles, draws = None, None
    if job.sampled:
        found = sample(loaded, executor="serial").draws
        quantiles = np.array(found.quantiles((0.5, 0.16, 0.84))) * factors
        some = np.random.default_rng(0).choice(found.values[found.counting], KEPT, replace=False)
        draws = some * factors
    return Fit(
        job, tuple(p.name for p in result.parameters), factors, best=result.values * factors,
        lower=result.lower * factors, upper=result.upper * factors,
        spread=result.covariance * np.outer(factors, factors), chi2=result.chi2, ndof=result.ndof,
        rise=_rise(job, result, factors), quantiles=quantiles, draws=draws,
    )  # fmt: skip


def _rise(job: Job, result: FitResult, factors: Array) -> float:
    if job.name not in TABLES:
        return float("nan")
    row = TABLES[job.name].values
    printed = np.array([row[p.name].value * row[p.name].size for p in result.parameters]) / factors
    return float(result.search.chi2(printed / result.search.scale) - result.chi2)


def _worker() -> Callable[[Job], Fit]:
    return run


def run_all(study: Study) -> Fits:
    """All jobs, on the processes of the study; a summary goes to results/fits.json."""
    todo = jobs(smoke=study.smoke)
    executor = "serial" if study.smoke else "processes"
    with Pool(_worker, executor=executor, workers=study.processes) as pool:
        done: Sequence[Fit] = pool.map(todo)
    text = json.dumps([fit.plain() for fit in done], indent=1)
    write_whole(study.results / "fits.json", text)
    return {(fit.job.label, fit.job.interactions): fit for fit in done}

"""Closure: fits to mock data made with known parameters find them as often as their errors say.

    python docs/scripts/closure.py FOLDER [--mocks 20] [--processes 1]

makes mock B/C and C of AMS-02 (errors and correlations of the real data, values of a model with known parameters),
fits each set, and asks for every parameter by how much chi-square rises when it is held at its true value, the
others at their best: at most 1 in 68 % of the cases, at most 4 in 95 %. Outcomes stay in FOLDER, an interrupted
run goes on there; then it prints the table and writes docs/figures/closure.png.
"""

from __future__ import annotations

import argparse
import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff import resources
from cyldiff.fit.curvature import fixed_minimum
from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.load import LoadedFit, load_fit_mapping
from cyldiff.fit.terms import SpectrumTerm
from cyldiff.fit.tune import FitResult, tune
from cyldiff.parallel.ensemble import Member, run_ensemble

Array = NDArray[np.float64]
FIGURE = Path(__file__).resolve().parents[1] / "figures" / "closure.png"

#: what the mock data are made with; the fits start at the values of the model file
TRUTH = {
    "D0": 0.0862,  # kpc^2/Myr: 2.6e28 cm^2/s
    "delta": 0.55,
    "delta_high": 0.33,
    "break": 250.0,  # GV
    "eta": 0.1,
    "index": 2.36,
    "carbon": 1.02,
}


def closure_fit() -> LoadedFit:
    """B/C and C of AMS-02 with seven parameters and no prior."""
    raw: dict[str, Any] = copy.deepcopy(resources.read_toml(resources.find("runs", "tuning/bc-ams02")))
    fit = raw["fit"]
    fit["data"] = [
        {"name": name, "min": "3 GV", "correlation_length": 1.0}
        for name in ("ams02-b-c-rigidity", "ams02-c-rigidity")
    ]
    fit["parameters"]["break"].pop("prior")
    fit["parameters"]["index"] = {
        "path": "physics.sources.snr.injection.default.indices[0]",
        "bounds": [2.0, 2.8],
    }
    fit["parameters"]["carbon"] = {
        "path": "physics.sources.snr.normalisation.flux",
        "relative": True,
        "bounds": [0.8, 1.25],
        "profile": True,
    }
    fit["minos"] = False
    return load_fit_mapping(raw, source="closure")


def mock(fit: LoadedFit, truth: Array, generator: np.random.Generator) -> LoadedFit:
    """The fit with values drawn around the model of the true parameters."""
    likelihood = Likelihood.of(fit)
    prediction = likelihood.model.predict(truth)
    sets = []
    for data, term in zip(fit.data, likelihood.terms, strict=True):
        assert isinstance(term, SpectrumTerm)
        x = data.measurement.x[term.use]
        model = term.model(prediction, x)
        y = data.measurement.y.copy()
        y[term.use] = model + generator.multivariate_normal(np.zeros(len(x)), term.covariance(model))
        sets.append(replace(data, measurement=replace(data.measurement, y=y)))
    return replace(fit, data=tuple(sets))


def one(member: Member) -> dict[str, Any]:
    """Fit one mock set; rises of chi-square at the true values, pulls, and what it took."""
    fit = closure_fit()
    truth = np.array([TRUTH[p.name] for p in fit.parameters])
    result = tune(mock(fit, truth, member.generator()))
    rises, failed = [], []
    for i, p in enumerate(fit.parameters):
        rise = _rise(result, truth, i)
        if rise is None:
            failed.append(p.name)
        rises.append(np.nan if rise is None else rise)
    return {
        "rise": np.array(rises),
        "pull": (result.values - truth) / result.errors,
        "value": result.values,
        "error": result.errors,
        "chi2": result.chi2,
        "ndof": result.ndof,
        "calls": result.calls,
        "gradients": result.gradient_calls,
        "failed": failed,
    }


def _rise(result: FitResult, truth: Array, i: int) -> float | None:
    """By how much chi-square rises with parameter `i` at its true value, the others at their best."""
    minimum = result.surroundings.minimum
    if minimum is None or result.at_bound.any():
        return None
    covariance = minimum.covariance
    away = truth[i] / result.search.scale[i] - minimum.best[i]
    start = minimum.best + away * covariance[:, i] / covariance[i, i]
    found = fixed_minimum(minimum, np.arange(len(truth)) == i, start)
    return None if found is None else found[1] - minimum.value


def draw(names: list[str], pulls: Array, rises: Array, path: Path) -> None:
    """Signed roots of the rises, one row per parameter, and the shares inside one and two sigma."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    from cyldiff.plot import style

    signed = np.sign(pulls) * np.sqrt(np.maximum(rises, 0.0))
    with rc_context(style.RC):
        figure = Figure(figsize=(7.2, 0.55 * len(names) + 1.4), layout="constrained")
        axes = figure.subplots()
        axes.axvspan(-2.0, 2.0, color="0.93", lw=0)
        axes.axvspan(-1.0, 1.0, color="0.84", lw=0)
        axes.axvline(0.0, color="black", lw=0.8)
        for row in range(len(names)):
            spread = 0.25 * np.linspace(-1.0, 1.0, len(signed))
            axes.plot(signed[:, row], row + spread, "o", color="black", ms=3.5)
            shares = [100.0 * np.mean(rises[:, row] <= level) for level in (1.0, 4.0)]
            axes.text(3.5, row, f"{shares[0]:.0f} %, {shares[1]:.0f} %", va="center", ha="left", fontsize=9)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlim(-3.3, 3.3)
        axes.invert_yaxis()
        axes.set_xlabel("deviation from the truth in sigma (root of the rise of $\\chi^2$)")
        axes.set_title("inside 1 and 2 sigma", loc="right", fontsize=9)
        figure.savefig(path)


def main() -> None:
    """Fit, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mocks", type=int, default=20)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    members = [f"mock {number:02d}" for number in range(options.mocks)]
    ensemble = run_ensemble(
        members, one, folder=options.folder, workers=options.processes, seed=2026,
        executor="serial" if options.processes == 1 else "processes",
        progress=lambda outcome, ready, total: print(f"{outcome.name}: {ready} of {total}", flush=True),
    ).check()  # fmt: skip
    found = list(ensemble.values.values())
    names = [p.name for p in closure_fit().parameters]
    rises, pulls = (np.array([f[key] for f in found]) for key in ("rise", "pull"))
    print(f"{'parameter':12} inside 1 sigma  inside 2 sigma  mean pull  spread of pulls")
    for i, name in enumerate(names):
        shares = [100.0 * np.mean(rises[:, i] <= level) for level in (1.0, 4.0)]
        print(
            f"{name:12} {shares[0]:10.0f} % {shares[1]:13.0f} % {pulls[:, i].mean():12.2f} {pulls[:, i].std():12.2f}"
        )
    chi2 = np.array([f["chi2"] for f in found])
    print(
        f"chi2 {chi2.mean():.1f} +- {chi2.std() / np.sqrt(len(chi2)):.1f} for {found[0]['ndof']} degrees of freedom"
    )
    print(
        f"calls {np.mean([f['calls'] for f in found]):.0f}, gradients {np.mean([f['gradients'] for f in found]):.0f}"
    )
    draw(names, pulls, rises, FIGURE)


if __name__ == "__main__":
    main()

"""All fits of Aharonian & Zhang 2026 (arXiv:2602.08223), Tables 1 to 3, for three hadronic interaction models.

    python docs/scripts/aharonian_zhang.py fits fits.json     every fit: best values, posterior (half an hour)
    python docs/scripts/aharonian_zhang.py table fits.json    printed next to ours: docs/papers/aharonian-zhang-2026.csv

The figures are drawn from the same file by aharonian_zhang_figures.py.
"""

from __future__ import annotations

import csv
import json
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

from cyldiff.errors import ConvergenceError
from cyldiff.fit.load import load_fit
from cyldiff.fit.sample import sample
from cyldiff.fit.tune import tune
from cyldiff.resources import folder

TABLE = Path(__file__).parents[1] / "papers" / "aharonian-zhang-2026.csv"
RUNS = Path(folder("runs")) / "papers" / "aharonian-zhang-2026"
MODELS = ("epos-lhc", "qgsjet-ii-04", "sibyll-23d")
#: (value, error downwards, error upwards) as printed, in the units of result.json
PRINTED: dict[str, dict[str, tuple[float, float, float]]] = {
    "proton-ii": {"A2": (34700, 1600, 1600), "G2": (2.39, 0.05, 0.05), "E2": (6.2e6, 0.8e6, 0.9e6)},
    "proton-i": {
        "A1": (14500, 1900, 2500),
        "G1": (2.73, 0.02, 0.02),
        "E1": (68e3, 14e3, 18e3),
        "b1": (2.55, 0.90, 1.32),
    },
    "proton-i-prime": {
        "A1": (16200, 2700, 4200),
        "G1": (2.73, 0.03, 0.02),
        "E1": (63e3, 12e3, 16e3),
        "b1": (2.18, 0.74, 1.31),
        "Emin2": (890, 570, 1300),
    },
    "proton-iii-fixed": {"A3": (340, 170, 280), "G3": (1.91, 0.21, 0.19), "E3": (102e6, 26e6, 43e6)},
    "proton-iii-free": {
        "A3": (4100, 2000, 2000),
        "G3": (2.59, 0.19, 0.12),
        "E3": (229e6, 85e6, 178e6),
        "A2": (30200, 2800, 2800),
        "E2": (5.6e6, 0.4e6, 0.3e6),
    },
    "helium-i": {
        "A1": (36300, 6100, 7400),
        "G1": (2.57, 0.03, 0.02),
        "E1": (468e3, 88e3, 95e3),
        "b1": (1.12, 0.26, 0.33),
        "A2": (21500, np.nan, np.nan),
    },
    "helium-i-prime": {
        "A1": (38000, 7100, 9900),
        "G1": (2.58, 0.03, 0.03),
        "E1": (447e3, 100e3, 103e3),
        "b1": (1.03, 0.23, 0.33),
        "Emin2": (5620, 2810, 5600),
    },
    "proton-ii-sharpness": {},
}
#: the same fits with other choices, best values only
VARIANTS: dict[str, tuple[str, list[str]]] = {
    "proton-i, LHAASO from 0.16 PeV": ("proton-i", ['fit.data[0].min="100 TeV"']),
    "proton-i, DAMPE from 40 GeV": ("proton-i", ['fit.data[1].min="40 GeV"']),
    "proton-i, DAMPE errors common to all points": ("proton-i", ["fit.data[1].correlation_length=100.0"]),
    "proton-i-prime, DAMPE from 40 GeV": ("proton-i-prime", ['fit.data[1].min="40 GeV"']),
    "proton-ii, LHAASO to 10 PeV": ("proton-ii", ['fit.data[0].max="10 PeV"']),
    "proton-iii-fixed, IceTop alone": (
        "proton-iii-fixed",
        ['fit.data=[{name="icetop-h-total-energy", max="502 PeV"}]'],
    ),
    "proton-iii-free, IceTop errors common to all points": (
        "proton-iii-free",
        ["fit.data[1].correlation_length=100.0"],
    ),
}


def fit(job: tuple[str, str, str, list[str], bool]) -> dict[str, Any]:
    """One fit of one file for one model of hadronic interactions."""
    label, name, model, overrides, sampled = job
    species = "he" if name.startswith("helium") else "h"
    chosen = [f'fit.data[0].name="lhaaso-{model}-{species}-total-energy"']
    if any(text.startswith("fit.data=") for text in overrides):
        chosen = []
    loaded = load_fit(RUNS / f"{name}.toml", [*chosen, *overrides])
    try:
        result = tune(loaded)
    except ConvergenceError as error:
        print(f"{label} ({model}): {error}", flush=True)
        return {"label": label, "fit": name, "model": model, "failed": str(error)}
    factors = np.array([p.factor for p in result.parameters])
    names = [p.name for p in result.parameters]

    def columns(*rows: Any) -> dict[str, list[float | None]]:
        return {
            key: [float(v) if np.isfinite(v) else None for v in (np.array(rows) * factors)[:, i]]
            for i, key in enumerate(names)
        }

    found: dict[str, Any] = {
        "label": label,
        "fit": name,
        "model": model,
        "best": columns(result.values, result.lower, result.upper),
        "units": [p.unit for p in result.parameters],
        "chi2": result.chi2,
        "ndof": result.ndof,
        "at_bound": [n for n, at in zip(names, result.at_bound, strict=True) if at],
    }
    printed = PRINTED[name]
    if printed:
        values = np.array([printed[key][0] for key in names]) / factors
        found["rise"] = result.search.chi2(values / result.search.scale) - result.chi2
    if sampled:
        draws = sample(loaded, executor="serial").draws
        found["posterior"] = columns(*draws.quantiles((0.5, 0.16, 0.84)))
        found["steps"], found["burn_in"] = draws.steps, draws.burn_in
        found["autocorrelation"] = float(draws.tau.max())
        some = np.random.default_rng(0).choice(draws.values[draws.counting], 5000, replace=False) * factors
        found["draws"] = some[:200].tolist()
        if name == "proton-ii-sharpness":
            found["corner"] = some.tolist()
    print(f"{label} ({model}): chi2 {result.chi2:.1f} / {result.ndof}", flush=True)
    return found


def run_fits(path: Path) -> None:
    """All fits that are not in the file yet, two at a time."""
    # where the third component is not needed, its posterior has no end that a chain would find in a day
    jobs = [
        (name, name, model, [], "iii" not in name or model == MODELS[0])
        for name in PRINTED
        for model in MODELS
    ]
    jobs += [(label, *variant, False) for label, variant in _variants()]
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    done = {(f["label"], f["model"]) for f in known}
    with ProcessPoolExecutor(2) as pool:
        waiting = [pool.submit(fit, job) for job in jobs if (job[0], job[2]) not in done]
        for one in as_completed(waiting):
            known.append(one.result())
            path.write_text(json.dumps(known), encoding="utf-8")


def _variants() -> list[tuple[str, tuple[str, str, list[str]]]]:
    return [
        (label, (name, model, overrides))
        for label, (name, overrides) in VARIANTS.items()
        for model in (MODELS[:1] if "alone" in label else MODELS)
    ]


def write_table(path: Path) -> None:
    """One row per printed number: ours is the median of the posterior with EPOS-LHC."""
    found = {(f["label"], f["model"]): f for f in json.loads(path.read_text(encoding="utf-8"))}
    header = [
        "item",
        "printed",
        "ours",
        "tolerance",
        "verdict",
        "unit",
        "best fit",
        *MODELS[1:],
        "rise of chi2",
    ]
    TABLE.parent.mkdir(exist_ok=True)
    with TABLE.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(header)
        for name, rows in PRINTED.items():
            for i, (key, (value, minus, plus)) in enumerate(rows.items()):
                fits = [found[name, model] for model in MODELS]
                first = fits[0]
                middle, low, high = first["posterior"][key]
                if np.isnan(minus):
                    minus, plus = high - middle, middle - low
                inside = value - minus <= middle <= value + plus
                table.writerow(
                    [
                        f"{name} {key}",
                        f"{value:g}",
                        f"{middle:.4g} -{middle - low:.2g} +{high - middle:.2g}",
                        f"-{minus:.3g} +{plus:.3g}",
                        "pass" if inside else "fail",
                        first["units"][list(first["best"]).index(key)],
                        f"{first['best'][key][0]:.4g}",
                        *(f"{f.get('posterior', f['best'])[key][0]:.4g}" for f in fits[1:]),
                        f"{first['rise']:.2f}" if i == 0 else "",
                    ]
                )
    print(f"{TABLE} written")
    for f in found.values():
        if "failed" in f:
            print(f"{f['label']} | {f['model']} | {f['failed']}")
            continue
        best = ", ".join(
            f"{k} {v[0]:.4g} ({v[1] or np.nan:+.2g} {v[2] or np.nan:+.2g})" for k, v in f["best"].items()
        )
        print(
            f"{f['label']} | {f['model']} | {f['chi2']:.1f}/{f['ndof']} | rise {f.get('rise', np.nan):.1f} | {best}"
        )


if __name__ == "__main__":
    {"fits": run_fits, "table": write_table}[sys.argv[1]](Path(sys.argv[2]))

"""How the parameters of the two example models were found: a least-squares fit to AMS-02 data.

Run ``python docs/models/tune_models.py plain`` (or ``reacceleration``); it takes some minutes, prints
the parameters that stand in ``physics/models/example-*.toml`` and writes the abundance table beside.
Every element's source abundance is rescaled to its own AMS-02 spectrum between the steps of the
fit; transport and injection parameters are fitted to B/C, H, He, C, O and Fe by scipy.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from cyldiff import pipeline
from cyldiff.config.load import LoadedConfig, load_mapping
from cyldiff.data.comparison import predict
from cyldiff.data.measurements import load
from cyldiff.particles.abundances import load_abundances

Array = NDArray[np.float64]

#: elements whose source abundance follows from a measured spectrum
MEASURED = ("He", "C", "N", "O", "Ne", "Na", "Mg", "Al", "Si", "S", "Fe")
#: others keep their solar ratio to one of these
LIKE_SULPHUR = ("P", "Cl", "Ar", "K")
LIKE_IRON = ("Ca", "Sc", "Ti", "V", "Cr", "Mn", "Co", "Ni")
#: cosmic-ray source ratio of the neon isotopes, Binns et al. 2005, ApJ 634, 351
NEON_22_TO_20 = 0.387
MODEL_ERROR = 0.02  #: added in quadrature, relative: keeps the tiny errors of H and He from ruling

#: name -> (start, low, high)
COMMON = {
    "gamma_H": (2.38, 2.0, 2.8),
    "gamma_He": (2.32, 2.0, 2.8),
    "gamma": (2.36, 2.0, 2.8),
}
PLAIN = {
    "D0": (4.0, 0.5, 20.0),
    "delta": (0.5, 0.2, 0.9),
    "step": (0.2, 0.0, 0.6),
    "break": (300.0, 100.0, 1000.0),
    "eta": (-0.5, -3.0, 2.0),
    **COMMON,
}
REACCELERATION = {
    "D0": (5.5, 0.5, 20.0),
    "delta": (0.40, 0.2, 0.7),
    "step": (0.15, 0.0, 0.6),
    "break": (300.0, 100.0, 1000.0),
    "eta": (0.5, -3.0, 2.0),
    "low_break": (6.0, 2.0, 20.0),
    "gamma_low": (1.8, 0.5, 2.4),
    **COMMON,
}
#: Alfven speed of the reacceleration example [km/s]; left free, the fit sends it below 2 km/s
ALFVEN_SPEED = 20.0
#: data sets and the range used [GV]
DATA = {
    "ams02-b-c-rigidity": (3.0, 2000.0),
    "ams02-h-rigidity": (5.0, 1500.0),
    "ams02-he-rigidity": (5.0, 2000.0),
    "ams02-c-rigidity": (5.0, 2000.0),
    "ams02-o-rigidity": (5.0, 2000.0),
    "ams02-fe-rigidity": (10.0, 1000.0),
}
GRID = {
    "space": {
        "geometry": "cylindrical",
        "half_space": True,
        "r": {"n": 25},
        "z": {"n": 17, "spacing": "sinh", "stretch": 5.0},
    },
    "momentum": {"min": "50 MeV", "max": "100 TeV", "per_decade": 8},
}
POTENTIAL = 0.6  #: GV, mean of the AMS-02 years 2011-2018


def physics(kind: str, p: dict[str, float], abundances: dict[str, float]) -> dict[str, object]:
    """The model as a config section."""
    low = kind == "reacceleration"
    slope = [p["gamma_low"]] if low else []
    breaks = [f"{p['low_break']} GV"] if low else []

    def injection(name: str) -> dict[str, object]:
        return {"kind": "broken-power-law", "indices": [*slope, p[name]], "breaks": breaks}

    return {
        "halo": {"radius": "20 kpc", "half_height": "5 kpc"},
        "observer": {"r": "8.5 kpc", "z": "0 kpc"},
        "diffusion": {
            "kind": "broken-power-law",
            "D0": f"{p['D0']}e28 cm^2/s",
            "reference_rigidity": "4 GV",
            "delta": [p["delta"], p["delta"] - p["step"]],
            "breaks": [f"{p['break']} GV"],
            "smoothness": [0.3],
            "eta": p["eta"],
        },
        "reacceleration": {"kind": "seo-ptuskin-1994", "alfven_speed": f"{ALFVEN_SPEED} km/s"}
        if low
        else {"kind": "none"},
        "convection": {"kind": "none"},
        "gas": {
            "HI": {"kind": "ferriere-2001-hi"},
            "H2": {"kind": "ferriere-2001-h2"},
            "HII": {"kind": "cordes-1991"},
            "helium_fraction": 0.11,
        },
        "inelastic": {"kind": "tripathi-1999", "extrapolation": "constant"},
        "spallation": {"kind": "evoli-2019", "extrapolation": "constant"},
        "modulation": {"kind": "force-field", "potential": f"{POTENTIAL} GV"},
        "sources": {
            "snr": {
                "reference_energy": "100 GeV",
                "distribution": {"kind": "case-bhattacharya-1998", "scale_height": "0.1 kpc"},
                "abundances": abundances,
                "normalisation": {
                    "kind": "local-flux",
                    "species": "H1",
                    "kinetic_energy": "100 GeV",
                    "flux": f"{p['flux']} GeV^-1 m^-2 s^-1 sr^-1",
                },
                "injection": {
                    "default": injection("gamma"),
                    "H1": injection("gamma_H"),
                    "He": injection("gamma_He"),
                },
            }
        },
    }


def config(kind: str, p: dict[str, float], abundances: dict[str, float]) -> LoadedConfig:
    """A run of the model on the grid of the fit."""
    return load_mapping(
        {
            "schema": 1,
            "run": {"name": "tune"},
            "grid": GRID,
            "physics": physics(kind, p, abundances),
            "solver": {"tolerance": 1e-6, "grid_error": {"enabled": False}},
            "output": {"quantities": []},
        }
    )


def first_abundances() -> dict[str, float]:
    """Solar isotopic composition of the elements, hydrogen set to 1e6."""
    solar = load_abundances("solar-lodders-2003")
    kept = {"H", *MEASURED, *LIKE_SULPHUR, *LIKE_IRON}
    table = {n: x for n, x in solar.items() if element(n) in kept and n not in ("H2", "He3")}
    table["Ne22"] = NEON_22_TO_20 * table["Ne20"]
    # cosmic-ray sources are enriched in everything heavier than helium: a start near the answer
    for name in table:
        table[name] *= {"H": 1e6 / solar["H1"], "He": 7e4 / solar["He4"]}.get(
            element(name), 7e2 / solar["Si28"]
        )
    return table


def element(name: str) -> str:
    """Symbol of a nuclide's element."""
    return name.rstrip("0123456789")


def rescale(table: dict[str, float], result: object) -> dict[str, float]:
    """Bring every measured element to its own spectrum between 15 and 150 GV."""
    factors = {}
    for symbol in MEASURED:
        data = load(f"ams02-{symbol.lower()}-rigidity")
        use = (data.x > 15.0) & (data.x < 150.0)
        model = predict(result, data, potential=POTENTIAL)[use]
        share = primary_share(table, symbol)
        wanted = 1.0 + (float(np.mean(data.y[use] / model)) - 1.0) / share
        factors[symbol] = float(np.clip(wanted, 0.3, 3.0))
    factors |= dict.fromkeys(LIKE_SULPHUR, factors["S"]) | dict.fromkeys(LIKE_IRON, factors["Fe"])
    return {n: x * factors.get(element(n), 1.0) for n, x in table.items()}


def primary_share(table: dict[str, float], symbol: str) -> float:
    """Rough primary share of an element's flux, so that rescaling neither over- nor undershoots."""
    return {"N": 0.35, "Na": 0.4, "Al": 0.7, "S": 0.85, "C": 0.9, "Ne": 0.85}.get(symbol, 1.0)


def residuals(values: Array, kind: str, names: list[str], table: dict[str, float], flux: float) -> Array:
    """(data - model) / sigma of all data sets in their ranges; normalisations profiled."""
    p = dict(zip(names, values, strict=True)) | {"flux": flux}
    result = pipeline.run(config(kind, p, table))
    rows = []
    for name, (low, high) in DATA.items():
        data = load(name)
        use = (data.x >= low) & (data.x <= high)
        model, y = predict(result, data, potential=POTENTIAL)[use], data.y[use]
        sigma = np.hypot(0.5 * (data.sigma_minus + data.sigma_plus)[use], MODEL_ERROR * y)
        free = 1.0
        if not data.denominator:
            free = float(np.sum(y * model / sigma**2) / np.sum((model / sigma) ** 2))
        rows.append((y - free * model) / sigma)
    return np.concatenate(rows)


def proton_flux(kind: str, p: dict[str, float], table: dict[str, float]) -> float:
    """Flux at 100 GeV that brings protons to AMS-02 between 30 and 300 GV."""
    result = pipeline.run(config(kind, p, table))
    data = load("ams02-h-rigidity")
    use = (data.x > 30.0) & (data.x < 300.0)
    return float(p["flux"] * np.mean(data.y[use] / predict(result, data, potential=POTENTIAL)[use]))


def main(kind: str) -> None:
    """Fit, print, write the table of abundances."""
    space = PLAIN if kind == "plain" else REACCELERATION
    names = list(space)
    start, low, high = (np.array([space[n][i] for n in names]) for i in range(3))
    table, flux = first_abundances(), 0.045
    for round_number in range(4):
        for _ in range(3 if round_number == 0 else 2):
            p = dict(zip(names, start, strict=True)) | {"flux": flux}
            flux = proton_flux(kind, p, table)
            p["flux"] = flux
            table = rescale(table, pipeline.run(config(kind, p, table)))
        fit = least_squares(
            residuals, start, bounds=(low, high), x_scale=np.abs(start), diff_step=1e-3,
            args=(kind, names, table, flux), max_nfev=6,
        )  # fmt: skip
        start = fit.x
        print(f"round {round_number}: chi2 {2 * fit.cost:.1f} for {len(fit.fun)} points", flush=True)
        print("  " + ", ".join(f"{n} = {v:.4g}" for n, v in zip(names, fit.x, strict=True)), flush=True)
    errors = np.sqrt(np.diag(np.linalg.inv(fit.jac.T @ fit.jac)))
    for name, value, error in zip(names, fit.x, errors, strict=True):
        print(f"{name} = {value:.4g} +- {error:.2g}")
    print(f"flux = {flux:.5g}")
    lines = ["species,abundance", *(f"{n},{x:.4g}" for n, x in table.items())]
    Path(f"abundances-{kind}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "plain")

"""What sampling leaves in its folder: the chain as NetCDF, the corner plot, numbers, the best model."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cyldiff.fit.folder import complete_folder
from cyldiff.fit.report import model_files
from cyldiff.fit.sample import STATES, Posterior
from cyldiff.io.provenance import version

__all__ = ["check_sample_folder", "dataset_of", "summary", "write_posterior"]

CHAIN = "chain.nc"
#: shares of the summary: 16, 50, 84 %
SHARES = (0.1587, 0.5, 0.8413)


def check_sample_folder(folder: Path, *, resume: bool) -> str:
    """Reason why a chain cannot go into a folder; empty if it can."""
    from cyldiff.fit.folder import check_folder

    # a name that is too long or no name at all is told by the check of the folder
    marks = [name for name in (*STATES.values(), CHAIN) if os.path.isfile(folder / name)]
    if marks and not resume:
        return f'"{folder}" holds a chain; use --resume to go on with it, or another folder'
    return check_folder(folder, marks[0] if marks else CHAIN)


def summary(posterior: Posterior) -> str:
    """Median and 68 % interval of every parameter, one line each, and how good the draws are."""
    draws = posterior.draws
    low, middle, high = draws.quantiles(SHARES)
    rows: list[tuple[str, ...]] = [("parameter", "median", "-", "+", "best draw", "tau")]
    for i, p in enumerate(draws.parameters):
        tau = f"{draws.tau[i]:.0f}" if i < len(draws.tau) else "-"
        numbers = (middle[i], low[i] - middle[i], high[i] - middle[i], draws.best[i])
        rows.append((p.name, *(p.shown(float(v)) for v in numbers), tau))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = [
        "  ".join(
            c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    quality = (
        f"{int(draws.counting.sum())} draws worth {draws.effective:.0f} independent ones, {draws.calls} calls"
    )
    if draws.steps:
        quality += (
            f"; {draws.steps} steps of {draws.walkers} walkers, burn-in {draws.burn_in}, "
            f"acceptance {float(np.mean(draws.acceptance)):.2f}"
        )
    if np.isfinite(draws.log_evidence):
        quality += f"; ln evidence {draws.log_evidence:.2f}"
    profiled = [p.name for p in draws.parameters if p.profile]
    if profiled:
        quality += f"\nat their best for every draw, not marginalised: {', '.join(profiled)}"
    return "\n".join([*lines, "", quality])


def dataset_of(posterior: Posterior) -> xr.Dataset:
    """The draws as a dataset: ``value(parameter, step, walker)``, or ``value(parameter, draw)`` with weights."""
    draws, thin = posterior.draws, getattr(posterior.fit.fit.sampler, "thin", 1)
    factors = np.array([p.factor for p in draws.parameters])
    shape = (draws.steps, draws.walkers) if draws.steps else (len(draws.values),)
    dims = ("step", "walker") if draws.steps else ("draw",)

    def kept(flat: Any) -> Any:
        return flat.reshape(*shape, *flat.shape[1:])[:: thin if draws.steps else 1]

    value = np.moveaxis(kept(draws.values * factors), -1, 0)
    log_posterior = kept(draws.log_posterior)
    variables: dict[str, Any] = {
        "value": (("parameter", *dims), value, {"long_name": "value of the parameter, in its unit"}),
        "log_posterior": (dims, log_posterior, {"units": "1", "long_name": "logarithm of the posterior"}),
        "chi2": (dims, -2.0 * log_posterior, {"units": "1", "long_name": "chi-square with the priors"}),
        "best": ("parameter", draws.best * factors, {"long_name": "draw with the highest posterior"}),
    }
    if posterior.best is not None:
        variables["minimum"] = (
            "parameter", posterior.best * factors, {"long_name": "place of the smallest chi-square"}
        )  # fmt: skip
    if draws.steps:
        tau = np.full(len(draws.parameters), np.nan)
        tau[: len(draws.tau)] = draws.tau
        variables["tau"] = (
            "parameter", tau, {"units": "1", "long_name": "integrated autocorrelation time in steps"}
        )  # fmt: skip
        variables["acceptance"] = (
            "walker", draws.acceptance, {"units": "1", "long_name": "share of accepted steps"}
        )  # fmt: skip
    else:
        variables["weight"] = (dims, draws.weight, {"units": "1", "long_name": "weight of the draw"})
    coords: dict[str, Any] = {
        "parameter": [p.name for p in draws.parameters],
        "unit": ("parameter", [p.unit for p in draws.parameters]),
        "path": ("parameter", [" ".join(".".join(path) for path in p.paths) for p in draws.parameters]),
        "profiled": ("parameter", [int(p.profile) for p in draws.parameters]),
    }
    if draws.steps:
        coords["step"] = np.arange(0, draws.steps, thin)
    fit = posterior.fit
    attrs = {
        "title": f"posterior of {fit.run.config.run.name}",
        "sampler": fit.fit.sampler.model_dump_json(),
        "seed": fit.fit.sampler.seed,
        "burn_in": draws.burn_in,
        "calls": draws.calls,
        "effective_draws": draws.effective,
        "log_evidence": draws.log_evidence,
        "config": fit.run.toml(),
        "fit": fit.fit.model_dump_json(),
        "config_source": fit.source,
        "cyldiff_version": version(),
    }
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def write_posterior(posterior: Posterior, folder: Path) -> list[Path]:
    """Write chain.nc, posterior.json, best-fit.toml and corner.png beside the state; returns the files.

    Raises
    ------
    DataError
        if the folder cannot be written.
    """
    from cyldiff.plot.corner import draw_corner

    draws = posterior.draws
    with complete_folder(folder) as part:
        dataset_of(posterior).to_netcdf(part / CHAIN, engine="netcdf4", format="NETCDF4")
        (part / "posterior.json").write_text(
            json.dumps(_numbers(posterior), indent=2) + "\n", encoding="utf-8"
        )
        best = {p.name: v for p, v in zip(draws.parameters, draws.best, strict=True)}
        values = [best[p.name] for p in posterior.fit.parameters]
        for name, text in model_files(posterior.fit, values).items():
            (part / name).write_text(text, encoding="utf-8")
        factors = np.array([p.factor for p in draws.parameters])
        marked = draws.best if posterior.best is None else posterior.best
        draw_corner(
            (draws.values * factors)[draws.counting],
            draws.weight[draws.counting],
            marked * factors,
            labels=[p.name if p.unit == "1" else f"{p.name}\n[{p.unit}]" for p in draws.parameters],
            path=part / "corner.png",
        )
        names = sorted(file.name for file in part.iterdir())
    return [Path(folder) / name for name in names]


def _numbers(posterior: Posterior) -> dict[str, Any]:
    draws = posterior.draws
    factors = np.array([p.factor for p in draws.parameters])
    low, middle, high = draws.quantiles(SHARES) * factors
    mean, covariance = draws.moments()
    return {
        "sampler": posterior.fit.fit.sampler.model_dump(mode="json"),
        "calls": draws.calls,
        "steps": draws.steps,
        "burn_in": draws.burn_in,
        "effective_draws": draws.effective,
        "acceptance": float(np.mean(draws.acceptance)) if len(draws.acceptance) else None,
        "log_evidence": draws.log_evidence if np.isfinite(draws.log_evidence) else None,
        "chi2": -2.0 * float(np.max(draws.log_posterior)),
        "parameters": {
            p.name: {
                "median": middle[i],
                "lower": low[i] - middle[i],
                "upper": high[i] - middle[i],
                "mean": mean[i] * factors[i],
                "standard_deviation": float(np.sqrt(covariance[i, i])) * factors[i],
                "best": draws.best[i] * factors[i],
                "tau": float(draws.tau[i]) if i < len(draws.tau) else None,
                "unit": p.unit,
                "profiled": p.profile,
            }
            for i, p in enumerate(draws.parameters)
        },
        "covariance": {
            "parameters": [p.name for p in draws.parameters],
            "matrix": (covariance * np.outer(factors, factors)).tolist(),
        },
        "cyldiff_version": version(),
        "config": posterior.fit.source,
    }

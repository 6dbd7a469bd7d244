"""What a fit leaves in its folder: best model, numbers, pulls, figures. All of it or nothing."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from cyldiff.config.load import load_mapping
from cyldiff.config.toml import dotted
from cyldiff.errors import DataError
from cyldiff.fit.config import LoadedFit, Parameter
from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.tune import FitResult
from cyldiff.io.provenance import version
from cyldiff.units import format_quantity, to_internal

__all__ = ["best_fit_toml", "check_folder", "write_fit"]

#: a folder with this file is an older fit, which may be replaced
_MARK = "result.json"


def check_folder(folder: Path) -> str:
    """Reason why a fit cannot be written into a folder; empty if it can."""
    if folder.exists() and not folder.is_dir():
        return f'"{folder}" is a file; expected a folder'
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _MARK).is_file():
        return f'"{folder}" has other files in it; expected a new folder, or one of an older fit'
    parent = folder.absolute().parent
    if not parent.is_dir():
        return f'folder "{parent}" does not exist'
    return (
        "" if os.access(folder if folder.is_dir() else parent, os.W_OK) else f'"{folder}" may not be written'
    )


def write_fit(result: FitResult, folder: Path) -> list[Path]:
    """Write best-fit.toml, result.json, pulls.csv and a figure per data set; returns the files.

    Raises
    ------
    DataError
        if the folder cannot be written; then nothing is left behind.
    """
    folder = Path(folder).absolute()
    part = None
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
        part.chmod(0o755)
        (part / "best-fit.toml").write_text(best_fit_toml(result), encoding="utf-8")
        (part / _MARK).write_text(json.dumps(_numbers(result), indent=2) + "\n", encoding="utf-8")
        _write_pulls(result, part / "pulls.csv")
        _draw(result, part)
        names = sorted(file.name for file in part.iterdir())
        if folder.is_dir():
            for name in names:
                (part / name).replace(folder / name)
        else:
            part.rename(folder)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror or error})") from None
    finally:
        if part is not None and part.exists():
            shutil.rmtree(part, ignore_errors=True)
    return [folder / name for name in names]


def best_fit_toml(result: FitResult) -> str:
    """The run with the best values put in, complete: it runs by itself."""
    return _with_values(result.fit, result.values)


def _with_values(fit: LoadedFit, values: Any) -> str:
    overrides = []
    for p, value in zip(fit.parameters, values, strict=True):
        overrides += [f"{dotted(path)}={_written(p, float(value))}" for path in p.paths if path[0] != "data"]
    return load_mapping(fit.run.resolved, overrides, source=fit.source).toml()


def _written(p: Parameter, value: float) -> str:
    return repr(value) if p.dimension is None else f'"{format_quantity(value, p.dimension)}"'


def _numbers(result: FitResult) -> dict[str, Any]:
    units = [_unit(p) for p in result.parameters]
    factors = np.array([_factor(p) for p in result.parameters])

    def number(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    return {
        "chi2": result.chi2,
        "ndof": result.ndof,
        "n_points": result.n_points,
        "calls": result.calls,
        "gradient_calls": result.gradient_calls,
        "solves": result.solves,
        "seconds": result.seconds,
        "parameters": {
            p.name: {
                "value": number(result.values[i] * factors[i]),
                "error": number(result.errors[i] * factors[i]),
                "lower": number(result.lower[i] * factors[i]),
                "upper": number(result.upper[i] * factors[i]),
                "unit": units[i],
                "path": [".".join(path) for path in p.paths],
            }
            for i, p in enumerate(result.parameters)
        },
        "covariance": {
            "parameters": [p.name for p in result.parameters],
            "matrix": (result.covariance * np.outer(factors, factors)).tolist(),
        },
        "data": [
            {"name": f.data.measurement.name, "points": int(f.use.sum()), "chi2": f.chi2}
            for f in result.fitted
        ],
        "cyldiff_version": version(),
        "config": result.fit.source,
    }


def _unit(p: Parameter) -> str:
    """Unit that numbers of a parameter are written in: that of the dimension's example."""
    return "1" if p.dimension is None else format_quantity(1.0, p.dimension).partition(" ")[2]


def _factor(p: Parameter) -> float:
    """From internal units to that unit."""
    if p.dimension is None:
        return 1.0
    return 1.0 / to_internal(1.0, _unit(p), p.dimension)


def _write_pulls(result: FitResult, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["data", "x", "x_unit", "measured", "model", "sigma", "pull"])
        for f in result.fitted:
            m = f.data.measurement
            for row in zip(f.x, f.y, f.model, f.sigma, f.pull, strict=True):
                x, *rest = (float(v) for v in row)
                table.writerow([m.name, repr(x), m.x_unit, *map(repr, rest)])


def _draw(result: FitResult, folder: Path) -> None:
    from dataclasses import replace

    from cyldiff.data.comparison import predict
    from cyldiff.plot.fit import FitPanel, draw_fit

    likelihood = Likelihood(result.fit)
    spectra = likelihood.model.spectra(result.values)
    modulation = likelihood.model.config(result.values).physics.modulation
    for f in result.fitted:
        m = f.data.measurement
        x = np.geomspace(0.7 * m.x[0], 1.4 * m.x[-1], 300)
        y = predict(spectra, replace(m, x=x), potential=modulation.potential_for(m.experiment))
        inside = np.isfinite(y)
        panel = FitPanel(m, f.use, f.model, f.pull, (x[inside], y[inside]), f.chi2)
        draw_fit(panel, folder / f"{m.name}.png")

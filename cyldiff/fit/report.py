"""What a fit leaves in its folder: best model, numbers, pulls, profiles, figures. All of it or nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.config.toml import to_toml
from cyldiff.fit.folder import complete_folder, file_name
from cyldiff.fit.load import DataSet, LoadedFit
from cyldiff.fit.parameters import Parameter, Values
from cyldiff.fit.point_sources import LoadedJoint
from cyldiff.fit.profiles import Contour, Profile
from cyldiff.fit.terms import Fitted, MeasuredTerm
from cyldiff.fit.tune import FitResult
from cyldiff.fit.varied import with_values
from cyldiff.io.provenance import version

__all__ = ["MARK", "model_files", "write_fit"]

Array = NDArray[np.float64]

#: a folder with this file is an older fit, which may be replaced
MARK = "result.json"


def write_fit(
    result: FitResult,
    folder: Path,
    *,
    profiles: Sequence[Profile] = (),
    contours: Sequence[Contour] = (),
) -> list[Path]:
    """Write best-fit.toml, result.json, pulls.csv and the figures; returns the files.

    Raises
    ------
    DataError
        if the folder cannot be written; then nothing is left behind.
    """
    with complete_folder(folder) as part:
        for name, text in model_files(result.fit, result.values).items():
            (part / name).write_text(text, encoding="utf-8")
        (part / MARK).write_text(json.dumps(_numbers(result), indent=2) + "\n", encoding="utf-8")
        _write_pulls(result, part / "pulls.csv")
        for fitted, data, term in _spectra(result):
            _draw(result, fitted, data, term, part)
        if result.fit.dipoles:
            _draw_dipoles(result, part / "dipoles.png")
        for profile in profiles:
            _write_profile(result, profile, part)
        for contour in contours:
            _write_contour(result, contour, part)
        names = sorted(file.name for file in part.iterdir())
    return [Path(folder) / name for name in names]


def model_files(fit: LoadedFit, values: Values) -> dict[str, str]:
    """The model of a fit with values put in, complete, by the name of its file.

    A run runs by itself; its point sources are a catalogue beside it.
    """
    run = with_values(fit.run, fit.parameters, list(values), fit.source)
    if isinstance(run, LoadedJoint):
        return {"best-fit.toml": run.run_toml(), "best-fit-sources.toml": run.catalogue_toml()}
    return {"best-fit.toml": to_toml(_with_pedigree(run.resolved, fit))}


def _with_pedigree(resolved: Mapping[str, Any], fit: LoadedFit) -> dict[str, Any]:
    """The run with a pedigree that says what was fitted, to what: that of its model is no longer all true."""
    physics = resolved.get("physics")
    if not isinstance(physics, Mapping):  # sums of spectra
        return dict(resolved)
    before = physics.get("source", {}).get("citation", "")
    own = [p.name for p in fit.parameters if p.paths]
    pedigree = {
        "citation": f"fit of {fit.source} by cyldiff {version()}",
        "data": ", ".join(d.measurement.name for d in fit.data),
        "notes": [
            f"Fitted: {', '.join(own)}; their errors stand in the .json file that was written with this one."
        ]
        + ([f"All other values: {before}"] if before else []),
    }
    return {**resolved, "physics": {**physics, "source": pedigree}}


def _numbers(result: FitResult) -> dict[str, Any]:
    factors = np.array([p.factor for p in result.parameters])
    columns = {name: getattr(result, name) * factors for name in ("values", "errors", "lower", "upper")}
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
                "value": _number(columns["values"][i]),
                "error": _number(columns["errors"][i]),
                "lower": _number(columns["lower"][i]),
                "upper": _number(columns["upper"][i]),
                "unit": p.unit,
                "path": [".".join(path) for path in p.paths],
                "relative": bool(p.bases),
                "profiled": p.profile,
                "at_bound": bool(result.at_bound[i]),
            }
            for i, p in enumerate(result.parameters)
        },
        "covariance": {
            "parameters": [p.name for p in result.parameters],
            "matrix": [[_number(v) for v in row] for row in result.covariance * np.outer(factors, factors)],
        },
        "data": [
            {"name": f.name, "points": int(f.use.sum()), "left_out": f.left_out, "chi2": f.chi2}
            for f in result.fitted
        ],
        "cyldiff_version": version(),
        "config": result.fit.source,
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(header)
        for row in rows:
            table.writerow([repr(float(v)) if isinstance(v, float | np.floating) else v for v in row])


def _write_pulls(result: FitResult, path: Path) -> None:
    rows = [
        (f.name, *numbers[:1], f.unit, *numbers[1:])
        for f in result.fitted
        for numbers in zip(f.x, f.y, f.model, f.sigma, f.pull, strict=True)
    ]
    _write_table(path, ["data", "x", "x_unit", "measured", "model", "sigma", "pull"], rows)


def _spectra(result: FitResult) -> Iterable[tuple[Fitted, DataSet, MeasuredTerm[Any]]]:
    """Spectra and ratios with what they are drawn from."""
    data = {d.measurement.name: d for d in result.fit.data}
    for fitted, term in zip(result.fitted, result.likelihood.terms, strict=True):
        if isinstance(term, MeasuredTerm):
            yield fitted, data[term.name], term


def _draw(result: FitResult, fitted: Fitted, data: DataSet, term: MeasuredTerm[Any], folder: Path) -> None:
    from cyldiff.plot.fit import FitPanel, draw_fit

    m = data.measurement
    x = np.geomspace(0.7 * m.x[0], 1.4 * m.x[-1], 300)
    y = term.model(result.likelihood.model.predict(result.values), x)
    inside = np.isfinite(y)
    panel = FitPanel(m, fitted.use, fitted.model, fitted.pull, (x[inside], y[inside]), fitted.chi2)
    draw_fit(panel, folder / f"{file_name(m.name)}.png")


def _draw_dipoles(result: FitResult, path: Path) -> None:
    from cyldiff.plot.fit import DipolePanel, draw_dipoles

    used = {f.name: f.use for f in result.fitted}
    panels = []
    for d in result.fit.dipoles:
        rows = [
            used.get(f"{d.measurement.name}:{what}", np.zeros(len(d.measurement), dtype=bool))
            for what in ("amplitude", "phase")
        ]
        panels.append(DipolePanel(d.measurement, rows[0], rows[1]))
    prediction = result.likelihood.model.predict(result.values)
    lowest = min(float(d.measurement.energy[0]) for d in result.fit.dipoles)
    highest = max(float(d.measurement.energy[-1]) for d in result.fit.dipoles)
    energy = np.geomspace(0.1 * lowest, highest, 300)
    projected = result.fit.dipoles[0].choice.projected
    amplitude, phase = (prediction.dipole if projected else prediction.whole_dipole)(energy)
    draw_dipoles(panels, (energy, amplitude, phase), path)


def _label(p: Parameter) -> str:
    return p.name if p.unit == "1" else f"{p.name} [{p.unit}]"


def _write_profile(result: FitResult, profile: Profile, folder: Path) -> None:
    from cyldiff.plot.fit import draw_profile

    named = {p.name: p for p in result.parameters}
    mine = named[profile.name]
    factors = np.array([p.factor for p in result.parameters])
    others = [i for i, p in enumerate(result.parameters) if p is not mine]
    header = [_label(mine), "chi2 - minimum", *(_label(result.parameters[i]) for i in others)]
    scaled = profile.others * factors
    rows = np.column_stack([profile.values * mine.factor, profile.rise, scaled[:, others]])
    stem = folder / f"profile-{file_name(profile.name)}"
    _write_table(stem.with_name(f"{stem.name}.csv"), header, rows)
    place = result.parameters.index(mine)
    parabola = result.values[place] * mine.factor, result.errors[place] * mine.factor
    draw_profile(
        rows[:, 0], profile.rise, parabola, label=_label(mine), path=stem.with_name(f"{stem.name}.png")
    )


def _write_contour(result: FitResult, contour: Contour, folder: Path) -> None:
    from cyldiff.plot.fit import draw_contour

    named = {p.name: p for p in result.parameters}
    pair = [named[name] for name in contour.names]
    factors = np.array([p.factor for p in pair])
    lines = {level: line * factors for level, line in contour.lines.items()}
    stem = folder / f"contour-{file_name(*contour.names)}"
    rows = [(level, *place) for level, line in lines.items() for place in line]
    _write_table(stem.with_name(f"{stem.name}.csv"), ["level", *map(_label, pair)], rows)
    best = [float(result.values[result.parameters.index(p)] * p.factor) for p in pair]
    draw_contour(
        lines, (best[0], best[1]), labels=(_label(pair[0]), _label(pair[1])),
        path=stem.with_name(f"{stem.name}.png"),
    )  # fmt: skip

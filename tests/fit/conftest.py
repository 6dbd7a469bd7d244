"""Small fits: a few nuclides on a coarse grid, solved in hundredths of a second."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
#: makes the targets importable, here and in worker processes
sys.path.insert(0, str(HERE))

TINY = {
    "schema": 1,
    "run": {"name": "tiny"},
    "grid": {
        "use": "fit-2d",
        "space": {"r": {"n": 8}, "z": {"n": 8}},
        "momentum": {"min": "100 MeV", "max": "10 TeV", "per_decade": 6},
    },
    "physics": {
        "use": "example-plain-diffusion",
        "sources": {
            "snr": {
                "normalisation": {"species": "C12", "flux": "9.2e-5 GeV^-1 m^-2 s^-1 sr^-1"},
            }
        },
        "spallation": {"scale": {"C12->B11": 1.0}},
    },
    "species": {"include": ["B10", "B11", "C12", "N14", "O16"]},
    "solver": {"tolerance": 1e-6, "grid_error": {"enabled": False}},
    "output": {"quantities": []},
    "fit": {
        "data": [{"name": "ams02-b-c-rigidity", "min": "5 GV", "max": "500 GV"}],
        "parameters": {
            "D0": {"path": "physics.diffusion.D0", "bounds": ["5e27 cm^2/s", "2e29 cm^2/s"]},
            "delta": {"path": "physics.diffusion.delta[0]", "bounds": [0.1, 1.2]},
        },
    },
}


def merged(base, changes):
    """Nested tables with changes on top; lists are replaced."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


@pytest.fixture
def raw():
    """Nested tables of a small tuning file; ``raw(fit={…}, physics={…})`` with changes."""
    return lambda **changes: merged(TINY, changes)


@pytest.fixture
def load(raw):
    """A small fit with changes: ``load(fit={…})``; parameters given replace those of the file."""
    from cyldiff.fit.load import load_fit_mapping

    def build(parameters=None, overrides=(), **changes):
        tables = raw(**changes)
        if parameters is not None:
            tables["fit"]["parameters"] = parameters
        return load_fit_mapping(tables, overrides)

    return build


@pytest.fixture
def starts():
    """Start values of a fit."""
    return lambda fit: np.array([p.start for p in fit.parameters])


@pytest.fixture
def write_data(tmp_path):
    """Write a data set of B/C: ``write_data("name", x, y, stat_minus, stat_plus, …)`` -> path of the table."""
    import hashlib

    def write(name, x, y, stat_minus, stat_plus=None, syst=0.0, **pedigree):
        columns = [x, y, stat_minus, stat_minus if stat_plus is None else stat_plus]
        columns = [np.broadcast_to(np.asarray(c, dtype=float), np.shape(x)) for c in columns]
        lines = ["x,x_low,x_high,y,stat_minus,stat_plus,syst_minus,syst_plus,upper_limit"]
        for one, value, minus, plus in zip(*columns, strict=True):
            lines.append(f"{one!r},,,{value!r},{minus!r},{plus!r},{syst},{syst},0".replace("np.float64", ""))
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(lines).replace("(", "").replace(")", "") + "\n")
        source = {
            "title": "mock", "citation": "nobody 2026", "retrieved_from": "a test", "retrieved_on": "2026-01-01",
            "licence": "none", "processing": "none", "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "experiment": "AMS-02", "numerator": ["B"], "denominator": ["C"], "abscissa": "rigidity",
            "x_unit": "GV", "y_unit": "1", "period": "never", "interstellar": False, **pedigree,
        }  # fmt: skip
        import json

        text = "\n".join(f"{k} = {json.dumps(v)}" for k, v in source.items())
        path.with_suffix(".source.toml").write_text(text + "\n[columns]\nx = 'rigidity [GV]'\n")
        return str(path)

    return write


@pytest.fixture
def asymmetric(write_data):
    """A data set whose upper errors are half of the lower ones, with points above and below any model."""
    x = np.geomspace(5.0, 500.0, 12)
    y = 0.3 * (x / 5.0) ** -0.4 * np.where(np.arange(12) % 2, 1.15, 0.85)
    return write_data("asymmetric", x, y, 0.1 * y, 0.05 * y)


@pytest.fixture(scope="module")
def tiny_tables():
    """The tables of a small fit, a copy for each module."""
    return copy.deepcopy(TINY)

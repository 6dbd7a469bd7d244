"""A catalogue of two rows as plain values, and a model to put it into."""

from __future__ import annotations

import copy

import pytest

from cyldiff.sources.model import as_model

ROWS = {
    "schema": 1,
    "source": [
        {
            "name": "one",
            "l": "337.4 deg",
            "b": "0 deg",
            "distance": "2.64 kpc",
            "age": "4.82 Myr",
            "history": {"kind": "burst", "energy": "1e50 erg"},
            "spectrum": {"kind": "power-law", "index": 2.2, "cutoff": "5 PV"},
            "species": {"H1": 1.0, "He4": 0.1},
        },
        {
            "name": "two",
            "position": ["-7.5 kpc", "1.5 kpc", "0.1 kpc"],
            "age": "1 Myr",
            "history": {"kind": "constant", "luminosity": "1e38 erg/s", "duration": "300 kyr"},
            "spectrum": {"kind": "power-law", "index": 2.0, "cutoff": "10 PV"},
            "efficiency": 0.1,
        },
    ],
}


@pytest.fixture
def raw():
    return copy.deepcopy(ROWS)


@pytest.fixture(scope="session")
def model():
    """Uniform D, H = 4.5 kpc, the Sun at 8.5 kpc."""
    return as_model("nie-2026")

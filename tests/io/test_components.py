"""Maps of source components in a result: written when asked for, they add up to the whole."""

from __future__ import annotations

import numpy as np
import pytest

import cyldiff
from cyldiff.catalogue import QUANTITIES
from cyldiff.config.load import load_mapping

SECOND = {
    "distribution": {"kind": "uniform", "vertical": "plane"},
    "reference_energy": "100 GeV",
    "abundances": {"H1": 1.0, "He4": 0.1},
    "injection": {"default": {"kind": "broken-power-law", "indices": [2.1]}},
    "normalisation": {"kind": "luminosity", "power": "1e39 erg/s", "minimum_energy": "1 GeV"},
}


def run(**output):
    return cyldiff.run(
        load_mapping(
            {
                "schema": 1,
                "run": {"name": "parts"},
                "grid": {
                    "use": "fit-2d",
                    "space": {"r": {"n": 8}, "z": {"n": 8}},
                    "momentum": {"min": "1 GeV", "max": "10 TeV", "per_decade": 5},
                },
                "physics": {"use": "example-plain-diffusion", "sources": {"second": SECOND}},
                "species": {"include": ["H1", "He4"]},
                "solver": {"grid_error": {"enabled": False}},
                "output": output,
            }
        )
    )


def test_components_add_up():
    result = run(components=True)
    parts = result["flux_component"]
    assert parts.dims == QUANTITIES["flux_component"].dims == ("component", *result["flux"].dims)
    assert parts.dtype == np.float32
    assert list(parts["component"].values) == ["snr", "second"]
    assert parts.sum("component").values == pytest.approx(result["flux"].values, rel=1e-6)
    # at the Sun they are the spectra that every run with two components has
    at_sun = parts.sel(species="H1").isel(r=3, z=0) / result["flux"].sel(species="H1").isel(r=3, z=0)
    share = result["flux_lis_component"].sel(species="H1") / result["flux_lis"].sel(species="H1")
    assert at_sun.values == pytest.approx(share.values, abs=0.05)


def test_only_when_asked_for():
    assert "flux_component" not in run()
    assert "flux_component" not in run(components=True, quantities=[])

"""A small, complete config that the tests of this folder break in one place at a time."""

from __future__ import annotations

import copy

import pytest

POWER_LAW = {"kind": "broken-power-law", "indices": [2.3]}

COMPLETE = {
    "schema": 1,
    "run": {"name": "small", "purpose": "a config for tests"},
    "grid": {
        "space": {
            "geometry": "cylindrical",
            "half_space": True,
            "r": {"n": 6},
            "z": {"n": 6, "spacing": "sinh", "stretch": 4.0},
        },
        "momentum": {"min": "100 MeV", "max": "1 TeV", "per_decade": 5},
    },
    "physics": {
        "title": "plain diffusion",
        "halo": {"radius": "20 kpc", "half_height": "4 kpc"},
        "observer": {"r": "8.5 kpc", "z": "0 kpc"},
        "diffusion": {
            "kind": "power-law",
            "D0": "4e28 cm^2/s",
            "reference_rigidity": "4 GV",
            "delta": 0.4,
            "eta": 1.0,
        },
        "reacceleration": {"kind": "none"},
        "convection": {"kind": "none"},
        "gas": {
            "helium_fraction": 0.11,
            "HI": {"kind": "ferriere-2001-hi"},
            "H2": {"kind": "ferriere-2001-h2"},
            "HII": {"kind": "cordes-1991"},
        },
        "inelastic": {"kind": "letaw-1983"},
        "spallation": {"kind": "evoli-2019", "extrapolation": "constant"},
        "modulation": {"kind": "force-field", "potential": "600 MV"},
        "sources": {
            "snr": {
                "distribution": {
                    "kind": "case-bhattacharya-1998",
                    "vertical": "exponential",
                    "scale_height": "0.2 kpc",
                },
                "injection": {"default": dict(POWER_LAW), "H1": dict(POWER_LAW)},
                "abundances": {"H1": 1.0, "He4": 0.1, "C12": 0.003},
                "reference_energy": "100 GeV",
                "normalisation": {
                    "kind": "local-flux",
                    "species": "H1",
                    "kinetic_energy": "100 GeV",
                    "flux": "0.045 GeV^-1 m^-2 s^-1 sr^-1",
                },
            }
        },
    },
    "species": {"include": ["H1", "He4", "B11", "C12"]},
    "solver": {"tolerance": 1e-6, "grid_error": {"enabled": False}},
    "output": {"quantities": []},
    "compare": {"data": ["ams02-h-rigidity"]},
}


@pytest.fixture
def complete():
    """A copy to be changed."""
    return copy.deepcopy(COMPLETE)

"""A population of microquasars in a small config, and changes to it."""

from __future__ import annotations

MICROQUASARS = {
    "schema": 1,
    "population": {
        "name": "microquasars",
        "rate": "0.1 kyr^-1",
        "history_length": "10 Myr",
        "history": "constant",
        "lifetime": {"kind": "fixed", "value": "100 kyr"},
        "distribution": {"kind": "yusifov-kucuk-2004", "vertical": "uniform", "scale_height": "0.2 kpc"},
        "luminosity": {"kind": "power-law", "min": "1e39 erg/s", "max": "1e40 erg/s", "alpha": 1},
        "efficiency": 0.1,
        "spectrum": {"kind": "power-law", "index": 2.0, "cutoff": "10 PV", "variable": "kinetic-energy"},
        "minimum_energy": "1 GeV",
        "normalisation": "logarithmic",
        "species": {"H1": 1.0},
    },
    "draw": {"realisations": 20, "seed": 7},
    "model": {
        "halo": {"radius": "20 kpc", "half_height": "3 kpc"},
        "observer": {"r": "8.5 kpc", "z": "0 kpc"},
        "diffusion": {
            "kind": "power-law",
            "D0": "3.99e28 cm^2/s",
            "reference_rigidity": "3 GV",
            "delta": 0.3333333333333333,
            "eta": 1.0,
        },
    },
    "energies": {"min": "100 TeV", "max": "10 PeV", "per_decade": 2},
}

#: a source of every realisation is at least this far from an observer there
ABOVE = "model.observer.z=1.5 kpc"
SEA = "selection.exclude={younger_than='500 kyr', within='4 kpc'}"
BURSTS = (
    "population.history=burst",
    "population.normalisation=exact",
    "population.energy={kind='fixed', value='1e51 erg'}",
)

"""One complete model with every process, cut to a small grid: for cases that need the whole path.

The numbers are plausible, not tuned, and independent of the models that the package ships.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cyldiff.config.load import LoadedConfig, load_mapping

__all__ = ["ALL_PROCESSES", "PHYSICS", "SPATIALLY_DEPENDENT", "small_run"]

#: a small model with everything, its numbers round
_POWER_LAW = {"kind": "broken-power-law", "indices": [2.3]}

#: box, laws and sources of it
PHYSICS: dict[str, Any] = {
    "halo": {"radius": "20 kpc", "half_height": "4 kpc"},
    "observer": {"r": "8.5 kpc", "z": "0 kpc"},
    "diffusion": {
        "kind": "power-law",
        "D0": "5.8e28 cm^2/s",
        "reference_rigidity": "4 GV",
        "delta": 0.35,
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
    "modulation": {"kind": "force-field", "potential": "0 MV"},
    "sources": {
        "remnants": {
            "distribution": {
                "kind": "case-bhattacharya-1996",
                "vertical": "exponential",
                "scale_height": "0.2 kpc",
            },
            "injection": {"default": _POWER_LAW},
            "abundances": {"H1": 1.0, "He4": 0.08, "C12": 3e-3, "O16": 4e-3, "Fe56": 4e-4},
            "reference_energy": "100 GeV",
            "normalisation": {"kind": "luminosity", "power": "1e41 erg/s", "minimum_energy": "1 GeV"},
        }
    },
}

#: overrides that switch on what the base model leaves out
ALL_PROCESSES = (
    'physics.reacceleration = { kind = "seo-ptuskin-1994", alfven_speed = "25 km/s" }',
    'physics.convection = { kind = "linear-wind", V0 = "5 km/s", gradient = "3 km/s/kpc" }',
)

#: overrides that replace the diffusion law by one that varies in r, z and slope
SPATIALLY_DEPENDENT = (
    'physics.diffusion = { kind = "spatially-dependent", D0 = "4e28 cm^2/s", reference_rigidity = "4 GV", '
    'delta0 = 0.58, eta = 0.05, N_m = 0.62, xi = 0.1, n = 4, z0 = "4 kpc", r_s = "8.5 kpc", '
    'z_s = "0.2 kpc" }',
    'physics.reacceleration.alfven_speed = "6 km/s"',
)


def small_run(
    species: Sequence[str],
    overrides: Sequence[str] = (),
    *,
    n_r: int = 11,
    n_z: int = 11,
    energies: tuple[str, str, float] = ("10 MeV", "1 TeV", 6.0),
    tolerance: float = 1e-11,
    slab: bool = False,
) -> LoadedConfig:
    """Validated run of the base model with `overrides` ("path = value") and the nuclides `species`."""
    low, high, per_decade = energies
    space: dict[str, Any] = {"geometry": "slab" if slab else "cylindrical", "half_space": True}
    space["z"] = {"n": n_z, "spacing": "sinh", "stretch": 4.0}
    if not slab:
        space["r"] = {"n": n_r}
    raw = {
        "schema": 1,
        "run": {"name": "verification"},
        "grid": {"space": space, "momentum": {"min": low, "max": high, "per_decade": per_decade}},
        "physics": PHYSICS,
        "species": {"include": list(species)},
        "solver": {"tolerance": tolerance, "grid_error": {"enabled": False}},
    }
    return load_mapping(raw, overrides)

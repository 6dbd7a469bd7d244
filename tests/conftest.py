"""Drawn examples are the same in every run; HYPOTHESIS_PROFILE=searching draws new ones.

A result as the pipeline writes it, with intensities and gas that have closed forms.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray as xr
from hypothesis import settings

from cyldiff.constants import ATOMIC_MASS_UNIT, PROTON_MASS

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("searching", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

CONFIG = """
[physics.observer]
r = "8.5 kpc"
z = "{z_sun} kpc"
[physics.gas]
HI = {{ kind = "{HI}"{more} }}
H2 = {{ kind = "{H2}"{co} }}
HII = {{ kind = "{HII}" }}
helium_fraction = 0.1
"""
UNIFORM_DISC = ', surface_density = "2 mg/cm^2", half_thickness = "0.2 kpc"'


@pytest.fixture(scope="session")
def result():
    """``result(shape=…, gas=…)``: protons T^-2.7 times ``shape(r, z)``, or one of r, phi, z if there are n_phi."""

    def make(
        shape=lambda r, z: np.ones_like(r * z),
        *,
        gas="ferriere",
        n_phi=None,
        half_space=True,
        z_sun=0.0,
        radius=20.0,
        half_height=4.0,
        parts=None,
        top=1e8,
    ):
        t = np.geomspace(1.0, top, 1 + 8 * round(np.log10(top)))
        r_faces = np.linspace(0.0, radius, 41)
        z_faces = np.linspace(0.0 if half_space else -half_height, half_height, 41 if half_space else 81)
        r, z = 0.5 * (r_faces[1:] + r_faces[:-1]), 0.5 * (z_faces[1:] + z_faces[:-1])
        dims, coords = ("r", "z"), {"r": r, "z": z}
        if n_phi is None:
            space = shape(r[:, None], z[None, :]) * np.ones((r.size, z.size))
        else:
            phi = (np.arange(n_phi) + 0.5) * 2 * np.pi / n_phi
            space = shape(r[:, None, None], phi[:, None], z) * np.ones((r.size, n_phi, z.size))
            dims, coords = ("r", "phi", "z"), {"r": r, "phi": phi, "z": z}
        spectrum = np.stack([t**-2.7, 0.05 * t**-2.7])
        flux = spectrum.reshape(2, t.size, *[1] * space.ndim) * space
        kinds = {
            "ferriere": ("ferriere-2001-hi", "ferriere-2001-h2", "cordes-1991", ""),
            "disc": ("uniform-disc", "none", "none", UNIFORM_DISC),
            "none": ("none", "none", "none", ""),
        }[gas]
        config = CONFIG.format(HI=kinds[0], H2=kinds[1], HII=kinds[2], more=kinds[3], co="", z_sun=z_sun)
        names = ["snr"] if parts is None else list(parts)
        dataset = xr.Dataset(
            {
                "flux": (("species", "kinetic_energy", *dims), flux.astype(np.float32)),
                "flux_lis": (("species", "kinetic_energy"), spectrum),
                "charge": ("species", [1, 2]),
                "mass_number": ("species", [1, 4]),
                "mass_per_nucleon": ("species", [PROTON_MASS, ATOMIC_MASS_UNIT]),
                "r_bounds": (("r", "bounds"), np.stack([r_faces[:-1], r_faces[1:]], axis=1)),
                "z_bounds": (("z", "bounds"), np.stack([z_faces[:-1], z_faces[1:]], axis=1)),
            },
            coords={"species": ["H1", "He4"], "kinetic_energy": t, "component": names, **coords},
            attrs={"config": config},
        )
        if parts is not None:
            each = np.stack([share * flux for share in parts.values()])
            dataset["flux_component"] = (("component", *dataset["flux"].dims), each.astype(np.float32))
        return dataset

    return make

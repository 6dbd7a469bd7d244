"""Dipole of the model of Yue et al. 2025 with and without a nearby remnant; draws docs/figures/anisotropy.png.

The remnant is that of the paper (RA 4h00m, Dec +24d30m, 0.3 kpc, 3e5 yr, a burst). Index, cut-off and energy are not
printed there; those here make a fifth of the protons at 1 TeV. D is that of the model at the Sun, everywhere:
sqrt(4 D t) is 0.4 kpc at 10 TV, close to the thickness of the inner zone.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import xarray as xr
from click.testing import CliRunner

import cyldiff
from cyldiff import constants as const
from cyldiff.cli import main
from cyldiff.config.load import load_mapping
from cyldiff.galaxy.coordinates import equatorial_to_galactic, from_sun
from cyldiff.io.netcdf import write_result
from cyldiff.observables.local_transport import LocalTransport
from cyldiff.observables.spectra import nuclide_of
from cyldiff.sources.component import FLUX_UNIT
from cyldiff.sources.greens_function import burst

FIGURE = Path(__file__).parents[1] / "figures" / "anisotropy.png"
RUN = {
    "schema": 1,
    "run": {"name": "anisotropy"},
    "grid": {"use": "galaxy-2d-coarse", "momentum": {"min": "1 GeV", "max": "1 EeV", "per_decade": 12}},
    "physics": {"use": "yue-2025"},
    "species": {"include": ["H1", "He4", "C12", "O16", "Fe56"]},
    "solver": {"grid_error": {"enabled": False}},
}
RA, DEC, DISTANCE, AGE = 60.0, 24.5, 0.3, 0.3
INDEX, CUTOFF, HELIUM, SHARE = 2.1, 25e3, 0.1, 0.2


def remnant(result: xr.Dataset) -> tuple[xr.Dataset, float]:
    """The source list, and the energy of its protons above 1 GeV [erg]."""
    laws = LocalTransport.of(result)
    sun = np.array([-laws.r, 0.0, laws.z])
    place = from_sun(*equatorial_to_galactic(RA, DEC), DISTANCE, laws)
    energy = result["kinetic_energy"].values
    flux, gradient = [], []
    for name, ratio in (("H1", 1.0), ("He4", HELIUM)):
        nuclide = nuclide_of(result, name)
        k = nuclide.kinematics(energy)
        D = laws.along(("r",), k.rigidity, k.beta)[:, 0]
        density, slope = burst(sun, place, diffusion=D, age=AGE, half_height=5.0)
        injected = ratio * k.rigidity**-INDEX * np.exp(-k.rigidity / CUTOFF)  # dN/dR
        # J(T) = (beta c / 4 pi) n(R) dR/dT
        flux.append(
            const.SPEED_OF_LIGHT
            / (4.0 * np.pi)
            * FLUX_UNIT
            * density
            * injected
            * nuclide.nucleons
            / nuclide.charge
        )
        gradient.append(slope / density[:, None] * [-1.0, -1.0, 1.0])
    at = int(np.argmin(np.abs(energy - 1e3)))
    protons = float(result["flux_lis"].sel(species="H1")[at])
    factor = SHARE * protons / flux[0][at]
    R = np.geomspace(1.0, 1e6, 4000)
    released = factor * np.trapezoid(R * R ** (1.0 - INDEX) * np.exp(-R / CUTOFF), np.log(R)) / const.ERG_GEV
    dims = ("source", "species", "kinetic_energy")
    return xr.Dataset(
        {
            "flux_lis": (dims, factor * np.array([flux]), {"units": "m-2 s-1 sr-1 (GeV/n)-1"}),
            "gradient_lis": ((*dims, "direction"), np.array([gradient]), {"units": "kiloparsec-1"}),
        },
        coords={
            "source": ["nearby remnant"], "species": ["H1", "He4"], "kinetic_energy": energy,
            "direction": ["r", "phi", "z"],
        },
    ), released  # fmt: skip


if __name__ == "__main__":
    solved = cyldiff.run(load_mapping(RUN))
    sources, energy = remnant(solved)
    with tempfile.TemporaryDirectory() as folder:
        write_result(solved, Path(folder) / "out.nc")
        write_result(sources, Path(folder) / "sources.nc")
        options = ["--sources", f"{folder}/sources.nc", "--plot", str(FIGURE), "-o", f"{folder}/table.csv"]
        answer = CliRunner().invoke(
            main, ["anisotropy", f"{folder}/out.nc", *options], catch_exceptions=False
        )
        table = np.genfromtxt(f"{folder}/table.csv", delimiter=",", skip_header=1)
    print(answer.output)
    print(f"nearby remnant: {energy:.2e} erg in protons above 1 GV")
    above = table[(table[:, 0] > 1e3) & (table[:, 0] < 1e7)]
    turned = (above[:, 2] + 180.0) % 360.0 - 180.0
    print(f"phase turns fastest at {above[int(np.argmin(np.diff(turned))), 0]:.3g} GeV")
    dip = above[above[:, 0] < 1e6]
    print(f"amplitude dips to {dip[:, 1].min():.2e} at {dip[int(np.argmin(dip[:, 1])), 0]:.3g} GeV")
    for wanted in (1e3, 1e4, 1e5, 1e6):
        row = table[int(np.argmin(np.abs(np.log(table[:, 0] / wanted))))]
        print(f"{row[0]:10.3g} GeV  amplitude {row[1]:.2e}  phase {row[2]:.1f} deg")

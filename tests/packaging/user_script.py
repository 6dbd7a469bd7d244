"""What a user may write: run by tests/packaging/test_interface.py, and checked there by ``mypy --strict``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cyldiff

SMALL = [
    "grid.use=fit-2d",
    'species.include=["C12", "B11", "B10", "He4", "H1"]',
    "solver.grid_error.enabled=false",
    "compare.data=[]",
    'grid.momentum={ min = "1 GeV", max = "100 TeV", per_decade = 8 }',
]


@cyldiff.own("diffusion", units="cm^2/s")
def two_slopes(
    rigidity: NDArray[np.float64],
    beta: NDArray[np.float64],
    *,
    D0: Any = "4e28 cm^2/s",
    break_rigidity: Any = "300 GV",
) -> NDArray[np.float64]:
    """A power law that flattens at a break."""
    x = rigidity / break_rigidity
    spectrum: NDArray[np.float64] = D0 * beta * x**0.5 * (1.0 + x) ** -0.2
    return spectrum


def main(folder: Path) -> None:
    """From a config to figures and files."""
    config = cyldiff.load_config("quickstart", [*SMALL, 'physics.diffusion={ kind = "two-slopes" }'])
    result = cyldiff.run(config)
    cyldiff.write_result(result, folder / "result.nc")
    result = cyldiff.read_result(str(folder / "result.nc"))

    bc = cyldiff.ratio(result, "B", "C", abscissa="rigidity", potential=0.6)
    print("B/C at the first rigidity:", float(bc.values[0]))
    measured = cyldiff.load_measurement("ams02-b-c-rigidity")
    print(cyldiff.compare(result, measured, potential=0.6).chi2)
    cyldiff.draw(result, "B/C", path=folder / "bc.png", potential=0.6)

    there = cyldiff.spectra_at(result, "l=80deg b=1deg d=1.4kpc")
    print("carbon there:", cyldiff.spectrum(there, "C").values[:2])
    cyldiff.write_spectra(there, folder / "there.ecsv", species=["B", "C"])

    fluxes = cyldiff.source_fluxes(cyldiff.load_catalogue("example"), result)
    dipole = cyldiff.anisotropy(result, sources=fluxes, energies=[1e4], species="p+He")
    print("dipole at 10 TeV:", float(dipole["amplitude"].values[0]))

    sky = cyldiff.diffuse_sky(result, energies=[100.0, 1000.0])
    print("towards the centre:", sky.intensity(0.0, 0.0).shape)
    cyldiff.save_sky(sky, folder / "sky.nc", nside=2)
    cyldiff.write_hermes(result, folder / "maps.fits", species=["H1"])

    try:
        cyldiff.load_config("quikstart")
    except cyldiff.ConfigError as error:
        print(error.problems[0].message)


def fit(file: str | Path) -> float:
    """Tune a model."""
    found = cyldiff.tune(cyldiff.load_fit(file))
    print(found.table())
    return found.chi2

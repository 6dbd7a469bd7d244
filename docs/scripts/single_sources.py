"""Print the numbers of docs/theory/single-sources.md and draw its figures.

    python docs/scripts/single_sources.py [FOLDER]

The folder is docs/figures/sources if none is named.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from cyldiff import constants as const
from cyldiff.config.load_source import load_source
from cyldiff.fit.sed import fit_sed
from cyldiff.observables.estimates import leaky_box_intensity, thin_disc_intensity
from cyldiff.observables.single_source import sed
from cyldiff.plot.sed import draw_sed

CMB = 'components.lobes.radiation={ kind = "cmb" }'
PROTONS = 'components.cloud.pion_production.nuclear_enhancement="none"'
#: model, part, energies [TeV], overrides, name of the row
ROWS = (
    ("ss433-lepto-hadronic", "cloud", (10, 25, 100, 200, 400, 800), (PROTONS,), "cloud, p-p alone"),
    ("ss433-hadronic", "protons", (1, 10, 25, 100, 200, 400), (), "uniform gas"),
    ("ss433-leptonic", "lobes inverse-compton", (1, 3, 10, 30, 100), (CMB,), "electrons, CMB"),
    ("ss433-leptonic", "lobes inverse-compton", (1, 3, 10, 30, 100), (), "electrons, CMB and greybodies"),
    (
        "ss433-leptonic",
        "lobes inverse-compton",
        (1, 3, 10, 30, 100),
        (CMB, 'components.lobes.injection.cutoff="10 PV"'),
        "electrons to 10 PeV, CMB",
    ),
)


def spectra() -> None:
    """E^2 F of SS 433 in 1e-13 erg cm^-2 s^-1."""
    for model, part, energies, changes, name in ROWS:
        loaded = load_source(model, changes)
        found = sed(loaded.model, 1e3 * np.array(energies))
        values = found.of(found.parts[part]) / 1e-13
        print(f"{name}: " + ", ".join(f"{e} TeV {v:.3g}" for e, v in zip(energies, values, strict=True)))


def cooling() -> None:
    """What the estimate min(t_cool, t_age) is worth."""
    lobes = load_source("ss433-leptonic", [CMB]).model.components["lobes"]
    t = np.array([300.0, 1e3, 2e3, 1e4, 1e5, 3e5])
    grid = np.unique(np.concatenate([t, np.geomspace(1e-3, 2e6, 1001)]))
    exact = lobes.model_copy(update={"cooling": "exact"}).number(grid, age=0.02)
    ratio = np.interp(t, grid, exact / lobes.number(grid, age=0.02))
    print("exact / minimum: " + ", ".join(f"{e:g} GeV {r:.3f}" for e, r in zip(t, ratio, strict=True)))


def main(folder: Path) -> None:
    """Numbers to the terminal, figures to the folder."""
    spectra()
    cooling()
    halo = {"diffusion": 1e31 * const.MYR_S / const.KPC_CM**2, "half_height": 4.0, "radius": 15.0}
    power = 1e39 * const.ERG_GEV * const.MYR_S
    for name, law in (("leaky box", leaky_box_intensity), ("thin disc", thin_disc_intensity)):
        print(f"{name}: {1e9 * law(power, **halo):.4g} eV cm^-2 s^-1 sr^-1")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("ss433-lepto-hadronic", "ss433-leptonic"):
        loaded = load_source(name, ["energies.per_decade=30"])
        draw_sed(sed(loaded.model), path=folder / f"{name}.png", title=loaded.model.source.name)
    loaded = load_source("v4641-sgr-hadronic")
    fit = fit_sed(loaded.raw, loaded.data)
    print(f"V4641 Sgr\n{fit.report()}")
    draw_sed(sed(fit.model), path=folder / "v4641-sgr.png", data=loaded.data, title="V4641 Sgr, fitted")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "figures" / "sources")

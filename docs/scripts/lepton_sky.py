"""Gamma rays of nuclei and electrons: draws docs/figures/gamma-leptons*.png, prints the numbers of the theory page.

python docs/scripts/lepton_sky.py
"""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import xarray as xr
from click.testing import CliRunner
from matplotlib import rc_context
from matplotlib.figure import Figure

import cyldiff
from cyldiff.cli import main
from cyldiff.config.load import load_config
from cyldiff.observables.regions import Region, region_named
from cyldiff.plot.style import RC, line_of

FIGURES = Path(__file__).parents[1] / "figures"
INNER = "l=-30..30,b=-5..5"
MODEL = "kafexhiu-2014"
FALLING = (
    'physics.radiation_field={ kind = "delahaye-2010", reference_radius = "8.5 kpc", r_scale = "5 kpc", '
    'z_scale = "5 kpc" }'
)


def shares(spectrum: xr.Dataset, at: tuple[float, ...]) -> None:
    """Parts of the intensity [%]."""
    for energy in at:
        here = spectrum.sel(energy=energy, method="nearest")
        parts = 100.0 * here["intensity_component"] / here["intensity"]
        text = ", ".join(f"{n} {v:.1f}" for n, v in zip(parts["component"].values, parts.values, strict=True))
        print(f"{float(here['energy']):g} GeV: {float(here['intensity']):.3e}; {text}")


def draw(spectrum: xr.Dataset, profile: xr.Dataset, latitude: np.ndarray) -> None:
    """Spectrum of the inner Galaxy, and intensities against latitude."""
    with rc_context(RC):
        figure = Figure(figsize=(9.6, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        energy = spectrum["energy"].values
        left.loglog(energy, energy**2 * spectrum["intensity"], color="black", lw=2.0, label="sum")
        right.semilogy(latitude, profile["intensity"][0] * 1e2, color="black", lw=2.0)
        for rank, name in enumerate(spectrum["component"].values):
            look = line_of(1 + rank)
            part = spectrum["intensity_component"].sel(component=name)
            left.loglog(energy, energy**2 * part, label=str(name), **look)
            right.semilogy(latitude, profile["intensity_component"].sel(component=name)[0] * 1e2, **look)
        left.set(xlabel="Energy $E$ [GeV]", ylim=(5e-8, 1.2e-4), title="|l| < 30°, |b| < 5°")
        left.set_ylabel(r"$E^2 I_\gamma$   [GeV cm$^{-2}$ s$^{-1}$ sr$^{-1}$]")
        right.set(xlabel="Galactic latitude $b$ [deg]", title="|l| < 30° at 10 GeV", ylim=(1e-8, 5e-5))
        right.set_ylabel(r"$E^2 I_\gamma$   [GeV cm$^{-2}$ s$^{-1}$ sr$^{-1}$]")
        left.legend(loc="lower left")
        figure.savefig(FIGURES / "gamma-leptons.png")


def solved(*changes: str) -> xr.Dataset:
    """The run with electrons."""
    return cyldiff.run(load_config("electrons", ["compare.data=[]", *changes]))


def run() -> None:
    """Solve, draw, print."""
    result = solved()
    started = time.process_time()
    sky = cyldiff.diffuse_sky(result, model=MODEL, energies=10.0 ** np.arange(-1.5, 4.01, 0.125))
    spectrum = sky.region(region_named(INNER))
    print(f"region, {spectrum.sizes['energy']} energies: {time.process_time() - started:.1f} s")
    shares(spectrum, (0.0316, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4))
    high = cyldiff.diffuse_sky(result, model=MODEL, energies=[0.1, 1.0, 10.0, 100.0, 1e3])
    print("|b| > 20 deg")
    shares(high.region(region_named("l=-180..180,b=20..90")), (0.1, 1.0, 10.0, 100.0, 1e3))
    edges = np.concatenate(
        [np.arange(-30.0, -4.9, 2.5), np.arange(-4.5, 4.6, 0.5), np.arange(5.0, 30.1, 2.5)]
    )
    slices = [Region("slice", (-30.0, 30.0), (a, b)) for a, b in pairwise(edges)]
    profile = cyldiff.diffuse_sky(result, model=MODEL, energies=[10.0]).profile(slices)
    draw(spectrum, profile, 0.5 * (edges[:-1] + edges[1:]))
    print("starlight falling off with 5 kpc in r")
    falling = cyldiff.diffuse_sky(solved(FALLING), model=MODEL, energies=[1.0, 10.0, 100.0])
    shares(falling.region(region_named(INNER)), (1.0, 10.0, 100.0))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "electrons.nc"
        cyldiff.write_result(result, file)
        arguments = (
            "gamma", file, "--only", "inverse-compton", "--energies", "10 GeV", "--draw", "sky",
            "--plot", FIGURES / "gamma-inverse-compton.png",
        )  # fmt: skip
        answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
        if answer.exit_code:
            raise SystemExit(answer.output)


if __name__ == "__main__":
    run()

"""Diffuse gamma rays of the default model: draws docs/figures/gamma-*.png, prints the numbers of the theory page."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from click.testing import CliRunner

import cyldiff
from cyldiff.cli import main
from cyldiff.config.load import load_config
from cyldiff.data.diffuse import load_diffuse
from cyldiff.galaxy.radiation_field import Delahaye2010
from cyldiff.observables.regions import REGIONS, region_named
from cyldiff.observables.sky import map_average

FIGURES = Path(__file__).parents[1] / "figures"


def command(*arguments: object) -> None:
    """Run the program in this process."""
    answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    if answer.exit_code:
        raise SystemExit(answer.output)


def figures(result: Path) -> None:
    """The four figures."""
    for draw, energies in (
        ("spectrum", "100 GeV..1 PeV"),
        ("profile", "100 GeV, 10 TeV, 200 TeV, 1 PeV"),
        ("sky", "10 TeV"),
        ("plane", "1 PeV"),
    ):
        region = "l=-180..180,b=-5..5" if draw == "profile" else "lhaaso-inner"
        command(
            "gamma", result, "--draw", draw, "--energies", energies, "--region", region,
            "--plot", FIGURES / f"gamma-{draw}.png",
        )  # fmt: skip


def numbers(result: Path) -> None:
    """What the text quotes."""
    dataset = cyldiff.read_result(result)
    energies = [1e3, 1e4, 1e5, 1e6]
    inner = REGIONS["lhaaso-inner"]
    kelner, kafexhiu, aafrag = (
        cyldiff.diffuse_sky(dataset, model=model, energies=energies).region(inner)["intensity"].values
        for model in ("kelner-2006", "kafexhiu-2014", "aafrag")
    )
    print("1, 10, 100, 1000 TeV: Kafexhiu / Kelner", kafexhiu / kelner, "AAfrag / Kelner", aafrag / kelner)
    for name in ("inner", "outer"):
        data = load_diffuse(f"lhaaso-km2a-diffuse-{name}-2023")
        sky = cyldiff.diffuse_sky(dataset, energies=data.energy)
        ratio = data.intensity / sky.region(REGIONS[f"lhaaso-{name}"])["intensity"].values
        print(name, "LHAASO / model", dict(zip(data.energy, np.round(ratio, 2), strict=True)))
    at = [3e4, 1e5, 2e5, 1e6]
    fields = {
        "cmb": "cmb",
        "local": Delahaye2010(),
        "falling": Delahaye2010(reference_radius="8.5 kpc", r_scale="4 kpc", z_scale="2 kpc"),
    }
    for place in ("l=-5..5,b=-2..2", "lhaaso-inner"):
        clear = cyldiff.diffuse_sky(dataset, energies=at, absorption=None).region(region_named(place))
        for name, field in fields.items():
            dim = cyldiff.diffuse_sky(dataset, energies=at, absorption=field).region(region_named(place))
            print(place, name, 1.0 - (dim["intensity"] / clear["intensity"]).values)
    sky = cyldiff.diffuse_sky(dataset, energies=energies)
    pixels = sky.pixels(64)["intensity"].values
    for name in ("lhaaso-inner", "lhaaso-outer"):
        print(
            name,
            "map / direct",
            map_average(pixels, REGIONS[name]) / sky.region(REGIONS[name])["intensity"].values,
        )


def run() -> None:
    """Solve, draw, print."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.nc"
        cyldiff.write_result(cyldiff.run(load_config("quickstart", ["compare.data=[]"])), result)
        figures(result)
        numbers(result)


if __name__ == "__main__":
    run()

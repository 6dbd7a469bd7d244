"""``cyldiff gamma``: tables, maps and figures from a result; what is wrong is refused before work starts."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from cyldiff.cli import main
from cyldiff.galaxy.radiation_field import CosmicMicrowaveBackground
from cyldiff.io.netcdf import write_result
from cyldiff.observables.gamma import DiffuseSky
from cyldiff.observables.regions import REGIONS
from cyldiff.particles.pion_production import Kelner2006

CATALOGUE = """
schema = 1
title = "one burst"
[catalogue]
citation = "nobody 2026"
[[source]]
name = "burst"
l = "50 deg"
b = "1 deg"
distance = "2 kpc"
age = "50 kyr"
history = { kind = "burst", energy = "1e50 erg" }
spectrum = { kind = "power-law", index = 2.2 }
"""


def table(text):
    """Columns of a CSV by name."""
    lines = text.strip().splitlines()
    rows = np.array([[float(cell) for cell in line.split(",")] for line in lines[1:]])
    return dict(zip(lines[0].split(","), rows.T, strict=True))


def halo(r, z):
    return np.exp(-(r - 8.5) / 6.0) * (1.0 - np.abs(z) / 4.0)


@pytest.fixture
def dataset(result):
    return result(halo, parts={"snr": 0.75, "xrb": 0.25}, top=1e7)


@pytest.fixture
def call(dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_result(dataset, tmp_path / "r.nc")

    def invoke(*arguments, status=0):
        answer = CliRunner().invoke(main, ["gamma", *map(str, arguments)], catch_exceptions=False)
        assert answer.exit_code == status, answer.output
        return answer

    return invoke


def test_a_table_is_printed(call, dataset):
    answer = call("r.nc")
    columns = table(answer.stdout)
    assert list(columns) == ["energy", "intensity", "snr", "xrb"]
    assert columns["energy"][[0, -1]] == pytest.approx([100.0, 1e6])
    sky = DiffuseSky.of(dataset, Kelner2006(), radiation=CosmicMicrowaveBackground())
    expected = sky.region(REGIONS["lhaaso-inner"])["intensity"].values
    assert columns["intensity"] == pytest.approx(expected, rel=1e-6)
    assert columns["xrb"] == pytest.approx(0.25 * columns["intensity"], rel=1e-5)
    assert "0.3347 sr" in answer.stderr
    assert "nuclei above the grid" in answer.stderr


def test_a_table_is_written(call, tmp_path):
    answer = call("r.nc", "--region", "l=125..235,b=-5..5", "--energies", "10 TeV, 100 TeV", "-o", "t.csv")
    assert "t.csv written" in answer.stdout
    written = table((tmp_path / "t.csv").read_text())
    named = table(call("r.nc", "--region", "lhaaso-outer", "--energies", "10 TeV, 100 TeV").stdout)
    assert written["energy"].tolist() == [1e4, 1e5]
    assert written["intensity"] == pytest.approx(named["intensity"], rel=1e-6)


def test_options_of_the_physics(call):
    few = "--energies", "100 TeV, 1 PeV"
    plain, none, double, clear, neutrinos, kafexhiu, weighted, dusty = (
        table(call("r.nc", *few, *more).stdout)["intensity"]
        for more in (
            (), ("--enhancement", "none"), ("--enhancement", "2"), ("--no-absorption",), ("--neutrinos",),
            ("--model", "kafexhiu-2014"), ("--weight", "xrb=3"), ("--absorption", "delahaye-2010"),
        )
    )  # fmt: skip
    assert plain == pytest.approx(1.84 * none, rel=1e-6)
    assert double == pytest.approx(2.0 * none, rel=1e-6)
    assert clear[0] == pytest.approx(plain[0], rel=1e-2)
    assert clear[1] > 1.3 * plain[1]
    assert np.all((neutrinos > 0.5 * clear) & (neutrinos < 1.2 * clear))
    assert kafexhiu == pytest.approx(plain, rel=0.3)
    assert weighted == pytest.approx(1.5 * plain, rel=1e-5)
    assert 0.9 * plain[0] < dusty[0] < plain[0]


def test_explicit_nuclei(call):
    pytest.importorskip("aafragpy", reason="aafragpy is not installed")
    explicit = table(call("r.nc", "--model", "aafrag", "--energies", "10 TeV, 100 TeV").stdout)["intensity"]
    kelner = table(call("r.nc", "--energies", "10 TeV, 100 TeV").stdout)["intensity"]
    assert np.all((explicit > 0.5 * kelner) & (explicit < 1.2 * kelner))


def test_masks(call, tmp_path):
    (tmp_path / "discs.csv").write_text("l,b,radius\n40,0,4\n75,0,4\n")
    few = "--energies", "10 TeV"
    plain, masked, library = (
        call("r.nc", *few, *more)
        for more in ((), ("--mask", "discs.csv"), ("--mask", "lhaaso-2024-microquasars"))
    )
    intensity = [table(answer.stdout)["intensity"][0] for answer in (plain, masked, library)]
    assert intensity[1] < 0.98 * intensity[0]
    assert 0.98 * intensity[0] < intensity[2] < intensity[0]
    assert "2 discs masked" in masked.stderr
    assert "5 discs masked" in library.stderr


@pytest.mark.parametrize("draw", ["spectrum", "profile", "sky", "plane"])
def test_figures(call, tmp_path, draw):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    call("r.nc", "--plot", "f.png", "--draw", draw, "--energies", "100 TeV")
    assert (tmp_path / "f.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.png", "r.nc"]


def test_maps(call, tmp_path):
    pytest.importorskip("astropy_healpix", reason="astropy-healpix is not installed")
    call("r.nc", "--map", "m.fits", "--nside", "8", "--energies", "10 TeV, 100 TeV")
    call("r.nc", "--map", "m.nc", "--nside", "8", "--energies", "10 TeV, 100 TeV")
    from astropy.io import fits

    with fits.open(tmp_path / "m.fits") as hdus, xr.open_dataset(tmp_path / "m.nc") as pixels:
        assert hdus[0].data.shape == (2, 46, 91)
        assert hdus["SKYMAP"].data["ENERGY2"] * 1e3 == pytest.approx(pixels["intensity"].values[1], rel=1e-5)
        assert pixels["intensity_component"].sizes == {"component": 2, "energy": 2, "pixel": 768}


def test_own_gas(call, tmp_path):
    x = np.linspace(-20.0, 20.0, 9)
    cube = np.full((9, 9, 9), 0.5)
    xr.Dataset({"density": (("x", "y", "z"), cube)}, coords={"x": x, "y": x, "z": x}).to_netcdf("gas.nc")
    twice = 2.0 * cube
    xr.Dataset({"density": (("x", "y", "z"), twice)}, coords={"x": x, "y": x, "z": x}).to_netcdf("more.nc")
    one, two = (
        table(call("r.nc", "--gas", name, "--energies", "10 TeV").stdout)["intensity"]
        for name in ("gas.nc", "more.nc")
    )
    assert two == pytest.approx(2.0 * one, rel=1e-6)


def test_point_sources(tiny):
    """A catalogue on top of a run, made by the commands themselves."""
    (tiny.parent / "one.toml").write_text(CATALOGUE)

    def run(*arguments):
        answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
        assert answer.exit_code == 0, answer.output
        return answer

    run("run", "tiny.toml", "--set", 'species.include=["H1"]')
    run("sources", "one.toml", "--model", "tiny.nc", "-o", "s.nc")
    few = "--energies", "200 GeV, 500 GeV"
    columns = table(run("gamma", "tiny.nc", "--sources", "s.nc", *few).stdout)
    assert list(columns) == ["energy", "intensity", "snr", "burst"]
    assert columns["snr"] + columns["burst"] == pytest.approx(columns["intensity"], rel=1e-6)
    assert np.all((columns["burst"] > 0.0) & (columns["burst"] < columns["snr"]))
    away = table(run("gamma", "tiny.nc", "--sources", "s.nc", "--region", "l=150..230,b=-5..5", *few).stdout)
    assert np.all(away["burst"] < 0.02 * columns["burst"])
    ten = table(run("gamma", "tiny.nc", "--sources", "s.nc", "--weight", "burst=10", *few).stdout)
    assert ten["burst"] == pytest.approx(10.0 * columns["burst"], rel=1e-3)
    # sources of another model, or a file that is no list of sources
    run("sources", "one.toml", "--model", "nie-2026", "--energies", "100 GeV..1 PeV", "-o", "other.nc")
    for name in ("other.nc", "tiny.nc"):
        answer = CliRunner().invoke(main, ["gamma", "tiny.nc", "--sources", name], catch_exceptions=False)
        assert answer.exit_code == 2, answer.output


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("none.nc",), ("none.nc: no such file",)),
        (("r.nc", "--region", "lhaaso-iner"), ('did you mean "lhaaso-inner"',)),
        (("r.nc", "--region", "l=9..3"), ("increasing range",)),
        (("r.nc", "--energies", "1 PeV..1 TeV"), ("lower end first",)),
        (("r.nc", "--energies", "100"), ("has no unit",)),
        (("r.nc", "--energies", "100 PeV"), ("not supported", "expected 100 to 1e+06 GeV")),
        (("r.nc", "--energies", "1 GeV..1 TeV"), ("expected 100 to 1e+06 GeV",)),
        (("r.nc", "--model", "kelner-2007"), ('did you mean "kelner-2006"',)),
        (("r.nc", "--model", "aafrag", "--enhancement", "1.84"), ("--enhancement", "sums projectiles")),
        (("r.nc", "--enhancement", "mori"), ("mori-2009",)),
        (("r.nc", "--enhancement", "0.1"), ("from 1 to 5",)),
        (("r.nc", "--model", "kafexhiu-2014", "--neutrinos"), ("makes gamma, not",)),
        (("r.nc", "--absorption", "cmbb"), ('did you mean "cmb"',)),
        (("r.nc", "--absorption", "cmb", "--no-absorption"), ("exclude each other",)),
        (("r.nc", "--weight", "xrd=2"), ('did you mean "xrb"',)),
        (("r.nc", "--weight", "xrb=-2"), ("NAME=FACTOR",)),
        (("r.nc", "--map", "m.fit"), ('did you mean "fits"',)),
        (("r.nc", "--map", "m.fits", "--nside", "48"), ("power of two",)),
        (("r.nc", "--plot", "f.jpg"), ('"jpg" unknown',)),
        (("r.nc", "--plot", "f.png", "--draw", "globe"), ("known: spectrum, profile, sky, plane",)),
        (("r.nc", "--draw", "sky"), ("give --plot",)),
        (("r.nc", "-o", "r.nc"), ("is an input of this run",)),
        (("r.nc", "-o", "no/t.csv"), ('folder "no" does not exist',)),
        (("r.nc", "-o", "t.csv", "--map", "t.csv"), ('"csv" unknown',)),
        (("r.nc", "--mask", "no.csv"), ("no such file",)),
        (("r.nc", "--mask", "no-catalogue"), ("no-catalogue",)),
        (("r.nc", "--gas", "r.nc"), ("expected density(x, y, z)",)),
        (("r.nc", "--region", "x", "--model", "y", "--energies", "z"), ("3 problems",)),
    ],
)
def test_bad_input(call, tmp_path, arguments, parts):
    answer = call(*arguments, status=2)
    for part in parts:
        assert part in answer.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.nc"]


def test_a_result_without_maps(call, dataset, tmp_path):
    write_result(dataset.drop_vars(["flux", "flux_component"]), tmp_path / "bare.nc")
    assert 'output.quantities = ["flux"]' in call("bare.nc", status=2).stderr

"""``cyldiff export``: files that the other programs read."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable
from click.testing import CliRunner

import cyldiff as package
from cyldiff.cli import main


def call(*arguments, status=0):
    answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert answer.exit_code == status, answer.output
    assert "Traceback" not in answer.output
    return answer


def test_ecsv(here):
    call("export", "a.nc", "--format", "ecsv", "-o", "a.ecsv")
    table, result = QTable.read("a.ecsv"), package.read_result(here / "a.nc")
    names = [str(s) for s in result["species"].values]
    assert table.colnames == ["kinetic_energy_per_nucleon", *(c for n in names for c in (n, f"{n}:snr"))]
    assert table["kinetic_energy_per_nucleon"].unit == u.GeV
    for name in names:
        found = table[name].to_value("m-2 s-1 sr-1 GeV-1")
        np.testing.assert_allclose(found, result["flux_lis"].sel(species=name), rtol=1e-12)
    assert table.meta["title"] == "cyldiff run tiny"
    assert table.meta["place"] == "Sun"


def test_csv_of_some_species_elsewhere(here):
    call(
        "export",
        "a.nc",
        "--format",
        "csv",
        "-o",
        "a.csv",
        "--species",
        "C,H1",
        "--at",
        "r=4kpc phi=0deg z=1kpc",
    )
    head, first = (here / "a.csv").read_text().splitlines()[:2]
    assert head == "kinetic_energy_per_nucleon,H1,H1:snr,C12,C12:snr"
    assert len(first.split(",")) == 5


@pytest.mark.parametrize("ending", ["fits", "fits.gz"])
def test_hermes(here, ending):
    call(
        "export",
        "a.nc",
        "--format",
        "hermes",
        "-o",
        f"a.{ending}",
        "--species",
        "H,C12",
        "--step-z",
        "500 pc",
    )
    with fits.open(f"a.{ending}") as hdus:
        head = hdus[0].header
        assert (head["DIMZ"], head["DIME"], head["DIMR"]) == (22, 31, 162)
        assert (head["RMIN"], head["RMAX"], head["ZMIN"], head["ZMAX"]) == (-20.0, 20.0, -5.0, 5.0)
        assert [(h.header["Z_"], h.header["A"], h.data.shape) for h in hdus[1:]] == [
            (1, 1, (22, 162, 31)), (6, 12, (22, 162, 31)),
        ]  # fmt: skip
        flux = package.read_result(here / "a.nc")["flux"].sel(species="C12")
        # the sample in the plane next to 8.5 kpc lies between two cells of 2.5 kpc
        middle = hdus[2].data[10, 80 + 34]
        assert np.all(middle < flux.isel(r=2, z=0).values * 1.05)
        assert np.all(middle > flux.isel(r=4, z=0).values * 0.95)
    text = call("info", f"a.{ending}").stdout
    assert "22 x 162 x 31" in text
    assert "title: cyldiff run tiny" in text


def test_gammapy(here):
    pytest.importorskip("astropy_healpix")
    answer = call("export", "a.nc", "--format", "gammapy", "-o", "sky.fits", "--nside", 8)
    assert "sky.fits written" in answer.stdout
    with fits.open("sky.fits") as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "ENERGIES", "SKYMAP"]
    from gammapy.maps import Map

    found = Map.read("sky.fits")
    assert found.geom.frame == "galactic"
    assert "sky.fits: FITS file of cyldiff" in call("info", "sky.fits").stdout


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--format", "hermess", "-o", "x.fits", "--step-z", "3"),
         ("2 problems", 'did you mean "hermes"', "has no unit")),
        (("--format", "hermes", "-o", "x.csv", "--at", "sun", "--step-r", "1 m", "--species", "Q"),
         ("4 problems", "ends in .fits or .fits.gz", "--at", "no meaning", "1 pc to 10 kpc", '"Q" is not in')),
        (("--format", "ecsv", "-o", "a.ecsv", "--nside", "8", "--at", "x=1kpc y=2kpc z=30kpc"),
         ("2 problems", "--nside", "outside of the halo")),
        (("--format", "csv", "-o", "no/a.csv"), ('folder "no" does not exist',)),
        (("--format", "gammapy", "-o", "a.fits", "--nside", "7"), ("nside",)),
    ],
)  # fmt: skip
def test_bad_input(here, arguments, parts):
    answer = call("export", "a.nc", *arguments, status=2)
    assert all(part in answer.stderr for part in parts), answer.stderr
    assert [p.name for p in here.iterdir()] == ["a.nc"]


def test_no_maps(here):
    result = package.read_result(here / "a.nc").drop_vars(["flux", "flux_component"])
    package.write_result(result, here / "b.nc")
    for kind in ("hermes", "gammapy"):
        assert "holds no maps" in call("export", "b.nc", "--format", kind, "-o", "b.fits", status=2).stderr
    call("export", "b.nc", "--format", "ecsv", "-o", "b.ecsv")

"""``cyldiff spectrum``: columns, units, places; and how it says no."""

from __future__ import annotations

import io

import numpy as np
import pytest
import xarray as xr
from astropy import units as u
from astropy.table import QTable
from click.testing import CliRunner

import cyldiff as package
from cyldiff.cli import main


def call(*arguments, status=0):
    answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert answer.exit_code == status, answer.output
    assert "Traceback" not in answer.output
    return answer


def table(text):
    return np.genfromtxt(io.StringIO(text), delimiter=",", names=True, deletechars="")


def test_at_the_sun_it_is_what_the_result_holds(here):
    found = table(call("spectrum", "a.nc", "--species", "C12,B11").stdout)
    assert found.dtype.names == ("kinetic_energy_per_nucleon", "C12", "C12:snr", "B11", "B11:snr")
    result = package.read_result(here / "a.nc")
    for name in ("C12", "B11"):
        np.testing.assert_allclose(found[name], result["flux_lis"].sel(species=name), rtol=1e-7)
        np.testing.assert_allclose(found[f"{name}:snr"], found[name], rtol=1e-7)


def test_the_map_at_the_place_of_the_sun_is_the_same(here):
    """Both are the cubic through the cells; the map is stored with seven digits."""
    sun = table(call("spectrum", "a.nc", "--species", "C12").stdout)
    place = table(call("spectrum", "a.nc", "--species", "C12", "--at", "r=8.5kpc phi=180deg z=0kpc").stdout)
    np.testing.assert_allclose(place["C12"], sun["C12"], rtol=1e-6)
    seen = table(call("spectrum", "a.nc", "--species", "C12", "--at", "l=33deg b=0deg d=0kpc").stdout)
    np.testing.assert_allclose(seen["C12"], sun["C12"], rtol=1e-6)


def test_further_out_is_less(here):
    values = [
        table(call("spectrum", "a.nc", "--species", "H1", "--at", f"l={angle}deg b=0deg d=4kpc").stdout)["H1"]
        for angle in (0, 180)
    ]
    assert np.all(values[0] > values[1])


def test_ecsv_has_units_and_says_where_it_is_from(here):
    call("spectrum", "a.nc", "--species", "C12", "--at", "l=80deg b=1deg d=1.4kpc", "-o", "c.ecsv",
         "--abscissa", "rigidity", "--potential", "600 MV")  # fmt: skip
    found = QTable.read("c.ecsv")
    assert found["rigidity"].unit == u.GV
    assert found["C12"].unit.is_equivalent("m-2 s-1 sr-1 GV-1")
    assert found.meta["place"].startswith("x = -8.25693 kpc, y = 1.37852 kpc")
    assert found.meta["cyldiff_version"]
    assert "tables" in found.meta
    assert "physics" in found.meta["config"]
    expected = package.spectrum(package.read_result(here / "a.nc"), "C12", abscissa="rigidity",
                                x=found["rigidity"].value, potential=0.6)  # fmt: skip
    ratio = found["C12"].value / expected.values
    assert np.all((ratio > 0.9) & (ratio < 1.1))


def test_netcdf_csv_and_a_figure(here):
    call("spectrum", "a.nc", "--species", "C,H", "-o", "c.nc", "--plot", "c.png")
    with xr.open_dataset("c.nc") as found:
        assert found["C"].attrs["units"] == "m-2 s-1 sr-1 GeV-1"
        assert found["kinetic_energy_per_nucleon"].attrs["units"] == "GeV"
    assert (here / "c.png").read_bytes().startswith(b"\x89PNG")
    call("spectrum", "a.nc", "--species", "C,H", "-o", "c.csv")
    assert (here / "c.csv").read_text().startswith("kinetic_energy_per_nucleon,C,C:snr,H,H:snr\n")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--species", "Q9", "--at", "l=80 b=1deg d=1kpc", "--potential", "-3 MV", "-o", "x.txt", "--plot", "x.jpg",
          "--abscissa", "rigidty"),
         ("6 problems", '"Q9" is not in this result', 'l: "80" has no unit', "at least 0 MV", '"txt" unknown',
          '"jpg" unknown', 'did you mean "rigidity"')),
        (("--species", "C12", "--at", "x=20kpc y=8kpc z=0kpc"), ("outside of the halo", "r from 0 to 20 kpc")),
        (("--species", "C12", "-o", "no/x.csv"), ('folder "no" does not exist',)),
        (("--species", ","), ("no species asked for",)),
    ],
)  # fmt: skip
def test_bad_input(here, arguments, parts):
    answer = call("spectrum", "a.nc", *arguments, status=2)
    assert all(part in answer.stderr for part in parts), answer.stderr
    assert [p.name for p in here.iterdir()] == ["a.nc"]


def test_no_result(here):
    assert "no such file" in call("spectrum", "b.nc", "--species", "C12", status=2).stderr
    assert "is an input" in call("spectrum", "a.nc", "--species", "C12", "-o", "a.nc", status=2).stderr

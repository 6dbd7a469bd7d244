"""``cyldiff info``, ``diff`` and ``rerun``."""

from __future__ import annotations

import json
import tomllib

import pytest
import xarray as xr
from click.testing import CliRunner

from cyldiff.cli import main
from cyldiff.io.netcdf import write_result


def call(*arguments, status=0):
    answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert answer.exit_code == status, answer.output
    assert "Traceback" not in answer.output
    return answer


@pytest.fixture
def a(tiny, tmp_path):
    call("run", "tiny.toml", "-o", "a.nc")
    return tmp_path / "a.nc"


def altered(path, target, **attributes):
    with xr.open_dataset(path) as dataset:
        changed = dataset.load().assign_attrs(attributes)
    write_result(changed, target)


def test_info_of_a_result(a):
    text = call("info", "a.nc").stdout
    for part in (
        "a.nc: result of a run", "cyldiff run tiny", "certificate", "residual", "packages", "numpy",
        "tables read:", "SHA-256", "flux_lis", "m-2 s-1 sr-1 (GeV/n)-1", "31 kinetic_energy",
    ):  # fmt: skip
        assert part in text
    config = tomllib.loads(call("info", "a.nc", "--config").stdout)
    assert config["physics"]["halo"]["half_height"]
    with xr.open_dataset(a) as dataset:
        tables = json.loads(dataset.attrs["tables"])
    assert tables
    assert all(name in text and digest in text for name, digest in tables.items())


def test_info_of_the_other_writers(a, tmp_path):
    call("sources", "example", "--model", "a.nc", "-o", "s.nc")
    assert "s.nc: fluxes of point sources" in call("info", "s.nc").stdout
    pytest.importorskip("astropy_healpix")
    call("gamma", "a.nc", "--map", "sky.nc", "--nside", 2, "--energies", "1 TeV")
    text = call("info", "sky.nc").stdout
    for part in ("sky.nc: sky map", "pion production", "version", "numpy", "nside", "GeV-1 cm-2 s-1 sr-1"):
        assert part in text
    chain = xr.Dataset({"log_posterior": ("draw", [0.0])}, attrs={"sampler": "{}", "config": "x = 1\n"})
    write_result(chain, tmp_path / "chain.nc")
    assert "chain.nc: chain of parameters" in call("info", "chain.nc").stdout
    assert call("info", "chain.nc", "--config").stdout == "x = 1\n"


def test_info_of_a_sky_map_in_fits(tmp_path, monkeypatch):
    from astropy.io import fits

    monkeypatch.chdir(tmp_path)
    hdu = fits.PrimaryHDU([[1.0, 2.0]])
    hdu.header["CREATOR"] = "cyldiff"
    hdu.header["BUNIT"] = "cm-2 s-1 MeV-1 sr-1"
    hdu.writeto("sky.fits")
    text = call("info", "sky.fits").stdout
    assert "1 x 2 cm-2 s-1 MeV-1 sr-1" in text
    fits.PrimaryHDU([[1.0]]).writeto("other.fits")
    assert "was not written by cyldiff" in call("info", "other.fits", status=2).stderr


@pytest.mark.parametrize(
    ("name", "part"),
    [("none.nc", "no such file"), (".", "is a folder"), ("tiny.toml", "not a readable NetCDF file"),
     ("foreign.nc", "was not written by cyldiff")],
)  # fmt: skip
def test_info_of_what_is_no_file_of_ours(tiny, tmp_path, name, part):
    xr.Dataset({"x": ("y", [1.0])}).to_netcdf(tmp_path / "foreign.nc")
    assert part in call("info", name, status=2).stderr


def test_diff_names_what_changed_with_units(a):
    call("run", "tiny.toml", "-o", "b.nc", "--set", "physics.diffusion.D0=5e28 cm^2/s",
         "--set", "grid.momentum.per_decade=8", "--set", 'species.include=["H1","He4"]')  # fmt: skip
    text = call("diff", "a.nc", "b.nc").stdout
    with xr.open_dataset(a) as dataset:
        old = tomllib.loads(dataset.attrs["config"])["physics"]["diffusion"]["D0"]
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert any(
        line.startswith("physics.diffusion.D0 ") and line.endswith("-> 5e+28 cm^2/s") for line in lines
    )
    assert old.split()[1] == "cm^2/s"
    assert "grid.momentum.per_decade 6 -> 8" in lines
    assert "species only in -: B11, C12" in lines
    assert "resolution and solver: 1 changed" in lines
    largest = next(line for line in lines if line.startswith("interstellar spectra"))
    assert 0.0 < float(largest.split()[-1]) <= 1.0


def test_diff_of_the_same_and_of_the_same_values_written_differently(a, tmp_path):
    text = call("diff", "a.nc", "a.nc").stdout
    for part in ("configuration: the same", "tables: the same", "versions: the same", "difference 0"):
        assert part in text
    with xr.open_dataset(a) as dataset:
        config = dataset.attrs["config"]
    altered(a, tmp_path / "b.nc", config=config.replace('radius = "20 kpc"', 'radius = "20000 pc"'))
    assert "configuration: the same" in call("diff", "a.nc", "b.nc").stdout


def test_diff_of_tables_and_versions(a, tmp_path):
    with xr.open_dataset(a) as dataset:
        tables = json.loads(dataset.attrs["tables"])
    name = next(iter(tables))
    altered(a, tmp_path / "b.nc", tables=json.dumps({**tables, name: "0" * 64}), cyldiff_version="0.0.1")
    text = call("diff", "a.nc", "b.nc").stdout
    assert f"{name}  sha256 {tables[name][:12]} -> sha256 000000000000" in text
    assert "-> 0.0.1" in text


def test_diff_says_all_that_is_wrong(tiny):
    answer = call("diff", "no.nc", "neither.nc", status=2)
    assert "2 problems" in answer.stderr
    assert "no.nc: no such file" in answer.stderr
    assert "neither.nc: no such file" in answer.stderr


def test_diff_with_a_file_without_spectra(a):
    call("sources", "example", "--model", "a.nc", "-o", "s.nc")
    assert "spectra: not compared" in call("diff", "a.nc", "s.nc").stdout


def test_a_rerun_reproduces_the_numbers(a, tmp_path):
    answer = call("rerun", "a.nc", "-o", "b.nc")
    assert "\nreproduced: " in answer.stdout
    with xr.open_dataset(a) as old, xr.open_dataset(tmp_path / "b.nc") as new:
        for name in ("flux_lis", "flux_toa", "flux"):
            assert abs(new[name] / old[name].where(old[name] > 0) - 1).max() < 1e-10
        assert old.attrs["config"] == new.attrs["config"]


def test_a_rerun_that_comes_out_differently_says_so(a, tmp_path):
    with xr.open_dataset(a) as dataset:
        changed = dataset.load()
    changed["flux_lis"][0, 3] *= 1.0 + 1e-8
    write_result(changed, tmp_path / "c.nc")
    answer = call("rerun", "c.nc", "-o", "d.nc", status=3)
    assert "not reproduced: largest relative difference of the spectra at the Sun: 1e-08" in answer.stderr
    assert (tmp_path / "d.nc").is_file()


def test_a_rerun_is_refused_with_other_tables_or_versions(a, tmp_path):
    with xr.open_dataset(a) as dataset:
        tables = json.loads(dataset.attrs["tables"])
    name = next(iter(tables))
    wrong = json.dumps({**tables, name: "0" * 64, "gone.csv": "1" * 64})
    altered(a, tmp_path / "b.nc", tables=wrong, cyldiff_version="7.1.0")
    answer = call("rerun", "b.nc", "-o", "c.nc", status=2)
    for part in ("3 problems", "made with cyldiff 7.1.0", f"{name} ", "has changed", "gone.csv", "--force"):
        assert part in answer.stderr
    assert not (tmp_path / "c.nc").exists()
    answer = call("rerun", "b.nc", "-o", "c.nc", "--force")
    assert "forced:" in answer.stderr
    assert "reproduced" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("none.nc", "-o", "no/b.nc"), ("2 problems", "no such file", 'folder "no" does not exist')),
        (("a.nc", "-o", "a.nc"), ("is an input of this run",)),
        (("s.nc", "-o", "b.nc"), ("holds fluxes of point sources; expected the result of a run",)),
        (("bad.nc", "-o", "b.nc"), ("physics.diffusion.D0", 'found unit "kpc"')),
    ],
)
def test_a_rerun_of_bad_input(a, tmp_path, arguments, parts):
    call("sources", "example", "--model", "a.nc", "-o", "s.nc")
    with xr.open_dataset(a) as dataset:
        raw = tomllib.loads(dataset.attrs["config"])
        text = dataset.attrs["config"].replace(raw["physics"]["diffusion"]["D0"], "5 kpc")
    altered(a, tmp_path / "bad.nc", config=text)
    answer = call("rerun", *arguments, status=2)
    assert all(part in answer.stderr for part in parts), answer.stderr
    assert not (tmp_path / "b.nc").exists()

"""The result file: complete or not there, readable without cyldiff, and it reproduces its run."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import cyldiff
from cyldiff.config.load import load_config
from cyldiff.errors import DataError
from cyldiff.io.netcdf import check_writable, read_result, write_result

SMALL = (
    "grid.space.r.n=7", "grid.space.z.n=7", 'grid.momentum.min="100 MeV"', 'grid.momentum.max="10 TeV"',
    "grid.momentum.per_decade=5", 'species.include=["H1","He4","B11","C12"]', "solver.tolerance=1e-6",
    "solver.grid_error.enabled=false", 'compare.data=["ams02-h-rigidity"]', 'run.purpose="größer, \\"quoted\\""',
)  # fmt: skip


@pytest.fixture(scope="module")
def loaded():
    return load_config("quickstart", SMALL)


@pytest.fixture(scope="module")
def result(loaded):
    return cyldiff.run(loaded)


@pytest.fixture
def file(result, tmp_path):
    write_result(result, tmp_path / "a.nc")
    return tmp_path / "a.nc"


class TestContract:
    """What others rely on: names, dimensions, units, readable by anybody."""

    def test_dimensions_and_units(self, file):
        with xr.open_dataset(file) as result:
            spectrum = ("species", "kinetic_energy")
            intensity = "m-2 s-1 sr-1 (GeV/n)-1"
            for name, dims, units in (
                ("kinetic_energy", ("kinetic_energy",), "GeV"),
                ("r", ("r",), "kiloparsec"),
                ("z", ("z",), "kiloparsec"),
                ("flux_lis", spectrum, intensity),
                ("flux_toa", spectrum, intensity),
                ("flux", (*spectrum, "r", "z"), intensity),
                ("gradient_lis", (*spectrum, "direction"), "kiloparsec-1"),
                ("residual", ("species",), "1"),
                ("balance", ("species",), "1"),
            ):
                assert result[name].dims == dims
                assert result[name].attrs["units"] == units
                assert result[name].attrs["long_name"]
            assert list(result["species"].values) == ["H1", "He4", "B11", "C12"]
            # bounds have the unit of their coordinate (CF conventions, section 7.1)
            assert result["r"].attrs["bounds"] == "r_bounds"
            assert result["r_bounds"].dims == ("r", "bounds")
            assert float(result["r_bounds"].max()) == 20.0

    def test_attributes(self, file, loaded):
        with xr.open_dataset(file) as result:
            attributes = result.attrs
        assert attributes["Conventions"].startswith("CF-")
        assert attributes["purpose"] == loaded.config.run.purpose
        for name in (
            "cyldiff_version",
            "history",
            "python",
            "packages",
            "wall_seconds",
            "peak_memory_MB",
            "seeds",
        ):
            assert name in attributes
        tables = json.loads(attributes["tables"])
        assert len(tables["nuclides.csv"]) == 64
        assert "spallation_evoli_2019.csv" in tables or "spallation_webber_2003.csv" in tables

    def test_plain_readers_in_a_process_without_cyldiff(self, file, result):
        code = f"""
import sys
sys.modules["cyldiff"] = None
import netCDF4, xarray
with xarray.open_dataset({str(file)!r}) as d:
    print(float(d["flux_lis"].sel(species="C12").sel(kinetic_energy=10.0, method="nearest")))
with netCDF4.Dataset({str(file)!r}) as d:
    print(float(d["flux_lis"][3, :].max()), d.data_model, d["species"][3], d["flux"].filters()["zlib"])
print(any(name.startswith("cyldiff.") for name in sys.modules))
"""
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        first, second, third = answer.stdout.splitlines()
        expected = result["flux_lis"].sel(species="C12")
        assert float(first) == float(expected.sel(kinetic_energy=10.0, method="nearest"))
        assert second.split()[:3] == [repr(float(expected.max())), "NETCDF4", "C12"]
        assert third == "False"

    def test_the_config_in_it_gives_the_same_run(self, file, loaded, tmp_path):
        """As a file of its own, without any library file."""
        with xr.open_dataset(file) as result:
            text = result.attrs["config"]
        (tmp_path / "again.toml").write_text(text)
        again = load_config(tmp_path / "again.toml")
        assert again.config == loaded.config
        assert again.inputs == (tmp_path / "again.toml",)
        assert again.toml() == text

    def test_it_is_solved_again_to_the_same_numbers(self, file, tmp_path, result):
        (tmp_path / "again.toml").write_text(result.attrs["config"])
        again = cyldiff.run(str(tmp_path / "again.toml"))
        np.testing.assert_array_equal(again["flux_lis"], result["flux_lis"])

    def test_reading_gives_back_what_was_written(self, file, result):
        again = read_result(file)
        xr.testing.assert_identical(again.drop_attrs(), result.drop_attrs())
        assert again.attrs["config"] == result.attrs["config"]

    def test_large_fields_are_compressed(self, tmp_path):
        big = xr.Dataset({"flux_lis": (("a", "b"), np.zeros((1000, 1000)))})
        write_result(big, tmp_path / "big.nc")
        assert (tmp_path / "big.nc").stat().st_size < 1e6


class TestWriting:
    def test_permissions_are_those_of_any_new_file(self, result, tmp_path):
        mask = os.umask(0o027)
        try:
            write_result(result, tmp_path / "a.nc")
        finally:
            os.umask(mask)
        assert stat.S_IMODE((tmp_path / "a.nc").stat().st_mode) == 0o640

    @pytest.mark.parametrize(
        "error",
        [
            OSError(errno.ENOSPC, "No space left on device"),
            OSError(errno.EDQUOT, "Disk quota exceeded"),
            RuntimeError("NetCDF: HDF error"),
        ],
        ids=["full disk", "quota", "hdf"],
    )
    def test_an_error_leaves_the_older_file(self, result, tmp_path, monkeypatch, error):
        (tmp_path / "a.nc").write_text("older")

        def fails(self, path, **options):
            path.write_bytes(b"half of it")
            raise error

        monkeypatch.setattr(xr.Dataset, "to_netcdf", fails)
        with pytest.raises(DataError, match=r"a\.nc: cannot be written") as caught:
            write_result(result, tmp_path / "a.nc")
        assert (error.strerror if isinstance(error, OSError) else "HDF error") in str(caught.value)
        assert [p.name for p in tmp_path.iterdir()] == ["a.nc"]
        assert (tmp_path / "a.nc").read_text() == "older"

    @pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
    def test_a_disk_that_is_really_full(self, tmp_path):
        """A limit on the size of files makes the library itself fail in the middle of writing."""
        code = f"""
import resource, signal
from pathlib import Path
import numpy as np, xarray as xr
from cyldiff.errors import DataError
from cyldiff.io.netcdf import write_result
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
data = xr.Dataset({{"flux_lis": ("x", np.random.default_rng(1).random(200_000))}})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_result(data, Path({str(tmp_path / "a.nc")!r}))
except DataError as error:
    print(error)
"""
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "a.nc: cannot be written" in answer.stdout, answer.stderr
        assert list(tmp_path.iterdir()) == []

    def test_an_interruption_leaves_nothing(self, result, tmp_path, monkeypatch):
        def interrupted(self, path, **options):
            path.write_bytes(b"half of it")
            raise KeyboardInterrupt

        monkeypatch.setattr(xr.Dataset, "to_netcdf", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_result(result, tmp_path / "a.nc")
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_went_away(self, result, tmp_path):
        with pytest.raises(DataError, match="cannot be written"):
            write_result(result, tmp_path / "gone" / "a.nc")


class TestCheck:
    def test_good(self, tmp_path):
        (tmp_path / "old.nc").write_text("old")
        assert check_writable(tmp_path / "new.nc") is None
        assert check_writable(tmp_path / "old.nc") is None
        assert [p.name for p in tmp_path.iterdir()] == ["old.nc"]

    def test_bad(self, tmp_path):
        (tmp_path / "file").touch()
        (tmp_path / "loop").symlink_to("loop")
        for path, words in (
            (tmp_path, "is a folder"),
            (tmp_path / "no" / "a.nc", "does not exist"),
            (tmp_path / "file" / "a.nc", "is not a folder"),
            (tmp_path / ("x" * 300), "cannot be written"),
            (tmp_path / "a\0b", "cannot be written"),
        ):
            assert words in check_writable(path)


class TestReading:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "not a readable NetCDF file"),
            (b"text", "not a readable NetCDF file"),
            (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "not a readable NetCDF file"),
            (b"CDF\x01" + b"\xff" * 100, "not a readable NetCDF file"),
        ],
    )
    def test_no_netcdf(self, tmp_path, content, words):
        (tmp_path / "a.nc").write_bytes(content)
        with pytest.raises(DataError, match=words):
            read_result(tmp_path / "a.nc")

    def test_half_a_file(self, file):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        with pytest.raises(DataError, match="not a readable NetCDF file"):
            read_result(file)

    def test_another_netcdf_file(self, tmp_path):
        xr.Dataset({"temperature": ("x", [1.0])}).to_netcdf(tmp_path / "a.nc")
        with pytest.raises(
            DataError, match="not a cyldiff result, it lacks flux_lis, species, kinetic_energy"
        ):
            read_result(tmp_path / "a.nc")

    def test_missing_and_folder(self, tmp_path):
        with pytest.raises(DataError, match="no such file"):
            read_result(tmp_path / "a.nc")
        with pytest.raises(DataError, match="is a folder"):
            read_result(str(tmp_path))

"""Result files that were cut, overwritten in places or edited: a message and status 2, or an answer; no traceback."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import cyldiff
from cyldiff.cli import main
from cyldiff.errors import DataError

COMMANDS = (
    ("plot", "B/C", "-o", "f.png"),
    ("anisotropy", "-o", "t.csv"),
    ("gamma", "--energies", "100 GeV, 1 TeV", "-o", "g.csv"),
)
BYTES, STRUCTURES = 40, 110


def call(path, monkeypatch):
    """All commands on a file: they answer or refuse, and leave a whole file or none."""
    monkeypatch.chdir(path.parent)
    for name, *rest in COMMANDS:
        result = CliRunner().invoke(main, [name, path.name, *rest])
        assert result.exception is None or isinstance(result.exception, SystemExit), (name, result.exc_info)
        assert result.exit_code in (0, 2), (name, result.output)
        left = path.parent / rest[-1]
        assert left.exists() == (result.exit_code == 0), name
        left.unlink(missing_ok=True)


@pytest.mark.parametrize("seed", range(BYTES))
def test_bytes(seed, small_file, tmp_path, monkeypatch):
    """Cut at any place, or some bytes replaced, most of them in the headers."""
    chosen = random.Random(seed)
    content = bytearray(small_file.read_bytes())
    if seed % 3 == 0:
        content = content[: chosen.randrange(len(content))]
    else:
        for _ in range(chosen.choice((1, 5, 50))):
            content[chosen.randrange(min(len(content), chosen.choice((200, 5000, 10**9))))] = (
                chosen.randrange(256)
            )
    path = tmp_path / "x.nc"
    path.write_bytes(content)
    call(path, monkeypatch)


def edited(dataset, kind, chosen):
    """The result with one thing changed."""
    name = chosen.choice(sorted(map(str, dataset.variables)))
    dim = chosen.choice(sorted(map(str, dataset.dims)))
    if kind == "variable dropped":
        return dataset.drop_vars(name)
    if kind == "attribute dropped":
        left = dict(dataset.attrs)
        del left[chosen.choice(sorted(left))]
        return dataset.drop_attrs(deep=False).assign_attrs(left)
    if kind == "attribute changed":
        key = chosen.choice(sorted(dataset.attrs))
        return dataset.assign_attrs({key: chosen.choice(("", 3.5, "[", "{}", "schema = 2"))})
    if kind == "unit changed":
        changed = dataset.copy()
        changed[name].attrs["units"] = chosen.choice(("parsec", 3, ""))
        return changed
    if kind in SELECTIONS:
        return SELECTIONS[kind](dataset, dim)
    values = dataset[name].values
    if values.dtype.kind != "f" and kind != "text":
        return dataset
    values = {
        "text": lambda: np.full(values.shape, "a", dtype=object),
        "integers": lambda: values.clip(-1e9, 1e9).astype(np.int64),
        "not a number": lambda: np.where(
            np.arange(values.size).reshape(values.shape) % 7 == 0, np.nan, values
        ),
        "negative": lambda: -values,
        "zero": lambda: 0.0 * np.where(np.isfinite(values), values, 0.0),
        "infinite": lambda: values + np.inf,
    }[kind]()
    assign = dataset.assign_coords if name in dataset.coords else dataset.assign
    return assign({name: (dataset[name].dims, values, dataset[name].attrs)})


SELECTIONS = {
    "empty": lambda d, dim: d.isel({dim: slice(0, 0)}),
    "twice": lambda d, dim: d.isel({dim: [0, *range(d.sizes[dim])]}),
    "backwards": lambda d, dim: d.isel({dim: slice(None, None, -1)}),
    "one left": lambda d, dim: d.isel({dim: slice(0, 1)}),
    "dimension gone": lambda d, dim: d.isel({dim: 0}),
    "dimension dropped": lambda d, dim: d.isel({dim: 0}, drop=True),
    "renamed": lambda d, dim: d.rename({dim: "zz"}),
    "turned": lambda d, dim: d.transpose(*reversed(list(d.dims))),
}
KINDS = (
    "variable dropped", "attribute dropped", "attribute changed", "unit changed", "text", "integers", "not a number",
    "negative", "zero", "infinite", *SELECTIONS,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(STRUCTURES))
def test_structures(seed, small, tmp_path, monkeypatch):
    """Whole NetCDF files in which one variable, coordinate or attribute is not what it should be."""
    chosen = random.Random(1000 + seed)
    path = tmp_path / "x.nc"
    try:
        edited(small, KINDS[seed % len(KINDS)], chosen).to_netcdf(path)
    except (RuntimeError, ValueError, TypeError):
        pytest.skip("NetCDF has no such file")
    call(path, monkeypatch)


class TestMessages:
    """What is said of files with a wrong structure."""

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda d: d.isel(species=slice(0, 0)), "dimension species is empty"),
            (
                lambda d: d.isel(kinetic_energy=slice(None, None, -1)),
                "coordinate kinetic_energy does not rise",
            ),
            (lambda d: d.isel(species=[0, 0, 1]), "species has the same name twice"),
            (lambda d: d.isel(z=0, drop=True), "flux has the dimensions (species, kinetic_energy, r)"),
            (
                lambda d: d.assign(flux_lis=d["flux_lis"] * np.nan),
                "flux_lis holds values that are no numbers",
            ),
            (lambda d: d.drop_vars("charge"), "variable charge is missing"),
        ],
    )
    def test_what_is_wrong_is_named(self, small, tmp_path, change, words):
        path = tmp_path / "x.nc"
        change(small).to_netcdf(path)
        with pytest.raises(DataError, match=words.replace("(", r"\(").replace(")", r"\)")):
            cyldiff.read_result(path)

    def test_all_problems_at_once(self, small, tmp_path):
        path = tmp_path / "x.nc"
        small.isel(z=slice(None, None, -1), r=slice(None, None, -1)).to_netcdf(path)
        with pytest.raises(DataError) as refused:
            cyldiff.read_result(path)
        assert "coordinate r does not rise" in str(refused.value)
        assert "coordinate z does not rise" in str(refused.value)

    def test_turned_dimensions_are_read_in_order(self, small, tmp_path):
        """xarray users transpose: that is no error."""
        path = tmp_path / "x.nc"
        small.transpose("z", "r", "kinetic_energy", "species", ...).to_netcdf(path)
        again = cyldiff.read_result(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            xr.testing.assert_equal(again["flux"], small["flux"])
        assert again["flux"].dims == small["flux"].dims

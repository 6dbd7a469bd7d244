"""Random columns are written and read back; random catalogues, discs and gas come back or are refused."""

from __future__ import annotations

import csv
import io
import itertools
import math

import numpy as np
import pytest
import xarray as xr
from astropy import units as u
from astropy.table import QTable
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cyldiff.errors import ConfigError, DataError
from cyldiff.io.ecsv import Column, write_columns
from cyldiff.io.table import table_text, write_table
from cyldiff.observables.detection import read_sensitivity
from cyldiff.observables.regions import read_discs
from cyldiff.observables.user_gas import GasCube, RingColumns, read_gas
from cyldiff.sources.catalogue_file import load_catalogue

QUIET = settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
COUNT = itertools.count()
NUMBERS = st.one_of(st.floats(-1e300, 1e300), st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 5e-324]))
NAMES = st.text("abcxyzHe12:+-_ ,\"'#é", min_size=1, max_size=8).filter(lambda name: name.strip() == name)


def columns_of(draw, numbers=NUMBERS):
    n = draw(st.integers(0, 5))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    return {name: np.array(draw(st.lists(numbers, min_size=n, max_size=n)), dtype=float) for name in names}


@QUIET
@given(st.data())
def test_a_table_as_csv(data):
    """Any reader of CSV finds the names and eight digits of every number."""
    columns = columns_of(data.draw)
    head, *rows = csv.reader(io.StringIO(table_text(columns)))
    assert head == list(columns)
    for i, values in enumerate(columns.values()):
        found = [float(row[i]) for row in rows]
        np.testing.assert_allclose(found, values, rtol=5e-8, atol=1e-323)


@QUIET
@given(st.data())
def test_a_table_as_ecsv(tmp_path, data):
    """astropy finds all digits, the units and the metadata."""
    columns = columns_of(data.draw)
    units = [data.draw(st.sampled_from(["GeV", "GV", "m-2 s-1 sr-1 GeV-1", "", "deg"])) for _ in columns]
    meta = data.draw(st.dictionaries(st.sampled_from(["title", "config", "place"]), st.text(max_size=8)))
    assume(not any("\r" in v or "\x85" in v or not v.isprintable() for v in meta.values()))
    path = tmp_path / f"{next(COUNT)}.ecsv"
    listed = [Column(n, v, unit, "what") for (n, v), unit in zip(columns.items(), units, strict=True)]
    write_columns(listed, path, meta)
    found = QTable.read(path, format="ascii.ecsv")
    assert found.colnames == list(columns)
    assert dict(found.meta) == meta
    for column in listed:
        one = found[column.name]
        np.testing.assert_array_equal(getattr(one, "value", one), column.values)
        assert u.Unit(getattr(one, "unit", None) or "") == u.Unit(column.unit)


def test_columns_of_different_lengths(tmp_path):
    with pytest.raises(DataError, match="cannot be written"):
        write_table({"a": [1.0], "b": [1.0, 2.0]}, tmp_path / "t.csv")
    assert not list(tmp_path.iterdir())


#: columns of a catalogue: the unit it may have, and a value of it in the unit of the comparison
COLUMNS = {
    "l": [(u.deg, 1.0), (u.arcmin, 60.0), (u.rad, math.pi / 180.0)],
    "b": [(u.deg, 1.0), (u.rad, math.pi / 180.0)],
    "distance": [(u.kpc, 1.0), (u.pc, 1e3)],
    "age": [(u.Myr, 1.0), (u.kyr, 1e3)],
}


@st.composite
def catalogues(draw):
    n = draw(st.integers(1, 4))
    values = {
        "l": [draw(st.floats(0.0, 359.0)) for _ in range(n)],
        "b": [draw(st.floats(-20.0, 20.0)) for _ in range(n)],
        "distance": [draw(st.floats(0.05, 5.0)) for _ in range(n)],
        "age": [draw(st.floats(1e-3, 10.0)) for _ in range(n)],
    }
    units = {name: draw(st.sampled_from(choices)) for name, choices in COLUMNS.items()}
    order = draw(st.permutations([*values, "name"]))
    return values, units, order, draw(st.sampled_from(["\n", "\r\n"]))


DEFAULTS = (
    'defaults.history={ kind = "burst", energy = "1e50 erg" }',
    'defaults.spectrum={ kind = "power-law", index = 2.2, cutoff = "5 PV" }',
)


@QUIET
@given(catalogues())
def test_a_catalogue_in_any_units_and_order(tmp_path, drawn):
    values, units, order, end = drawn
    table = QTable(meta={"schema": 1})
    for name in order:
        if name == "name":
            table[name] = [f"s{i}" for i in range(len(values["l"]))]
        else:
            unit, factor = units[name]
            table[name] = np.array(values[name]) * factor * unit
    stream = io.StringIO()
    table.write(stream, format="ascii.ecsv")
    path = tmp_path / f"{next(COUNT)}.ecsv"
    path.write_bytes(stream.getvalue().replace("\n", end).encode())
    found = load_catalogue(path, DEFAULTS)
    assert found.names == tuple(f"s{i}" for i in range(len(values["l"])))
    for source, l, b, distance, age in zip(found.sources, *values.values(), strict=True):  # noqa: E741
        assert (source.longitude, source.latitude) == pytest.approx((l, b), rel=1e-12, abs=1e-12)
        assert (source.distance, source.age) == pytest.approx((distance, age), rel=1e-12)


@QUIET
@given(
    catalogues(), st.sampled_from([*COLUMNS, "name"]), st.sampled_from(["gone", "unit", "nan", "negative"])
)
def test_a_catalogue_with_one_thing_wrong(tmp_path, drawn, column, how):
    values, _, order, _ = drawn
    assume(
        (column, how) not in {("l", "negative"), ("b", "negative")}
        and not (column == "name" and how != "gone")
    )
    table = QTable(meta={"schema": 1})
    for name in order:
        if name == column and how == "gone":
            continue
        if name == "name":
            table[name] = [f"s{i}" for i in range(len(values["l"]))]
            continue
        numbers = np.array(values[name])
        unit = COLUMNS[name][0][0]
        if name == column:
            unit = u.K if how == "unit" else unit
            numbers = numbers * np.nan if how == "nan" else -numbers if how == "negative" else numbers
        table[name] = numbers * unit
    path = tmp_path / f"{next(COUNT)}.ecsv"
    table.write(path, format="ascii.ecsv")
    with pytest.raises(ConfigError) as error:
        load_catalogue(path, DEFAULTS)
    assert column in str(error.value)
    assert not any(word in str(error.value) for word in ("pydantic", "Error", "Input should"))


@QUIET
@given(
    st.lists(st.tuples(st.floats(-360, 360), st.floats(-90, 90), st.floats(0.01, 90)), min_size=1, max_size=5),
    st.permutations(["l", "b", "radius", "remark"]), st.sampled_from(["\n", "\r\n"]), st.booleans(),
)  # fmt: skip
def test_discs(tmp_path, discs, order, end, mark):
    rows = [dict(zip(("l", "b", "radius"), disc, strict=True), remark="x") for disc in discs]
    lines = ["# a comment", ",".join(order), *(",".join(str(row[name]) for name in order) for row in rows)]
    path = tmp_path / f"{next(COUNT)}.csv"
    path.write_bytes(b"\xef\xbb\xbf" * (mark and 1) + end.join(lines).encode())
    assert [(d.longitude, d.latitude, d.radius) for d in read_discs(path)] == discs


@QUIET
@given(st.lists(st.lists(st.one_of(st.floats().map(repr), st.text(max_size=4)), max_size=4), max_size=4))
def test_discs_and_curves_of_anything(tmp_path, rows):
    """Discs on the sky and rising curves, or a message."""
    for head, read in (("l,b,radius", read_discs), ("energy,flux", read_sensitivity)):
        path = tmp_path / f"{next(COUNT)}.csv"
        path.write_text(
            "\n".join([head, *(",".join(row) for row in rows)]), encoding="utf-8", errors="replace"
        )
        try:
            found = read(path)
        except DataError as error:
            message = str(error)
        else:
            message = path.name
            if read is read_discs:
                assert all(0.0 < d.radius <= 90.0 and abs(d.latitude) <= 90.0 for d in found)
            else:
                assert np.all(np.diff(found[0]) > 0.0)
                assert np.all(np.isfinite(found[1]))
        assert path.name in message


AXES = st.lists(st.floats(-50, 50), min_size=2, max_size=4, unique=True).map(sorted)


@QUIET
@given(st.sampled_from([("x", "y", "z"), ("r", "z")]), st.data())
def test_a_cube_of_gas(tmp_path, dims, data):
    """In any order of the dimensions, the same at its nodes."""
    axes = {name: np.array(data.draw(AXES)) for name in dims}
    assume(all(np.diff(axis).min() > 1e-6 for axis in axes.values()))
    shape = tuple(axis.size for axis in axes.values())
    values = np.array(
        data.draw(st.lists(st.floats(0, 1e6), min_size=math.prod(shape), max_size=math.prod(shape)))
    )
    cube = xr.DataArray(values.reshape(shape), dims=dims, coords=axes)
    path = tmp_path / f"{next(COUNT)}.nc"
    cube.transpose(*data.draw(st.permutations(dims))).to_dataset(name="density").to_netcdf(path)
    gas = read_gas(path)
    assert isinstance(gas, GasCube)
    np.testing.assert_array_equal(gas.values, values.reshape(shape))
    for found, name in zip(gas.axes, dims, strict=True):
        np.testing.assert_array_equal(found, axes[name])


CHANGES = {
    "negative": lambda d: d.assign(density=d["density"] - 10.0),
    "not a number": lambda d: d.assign(density=d["density"].where(d["r"] > d["r"].min())),
    "infinite": lambda d: d.assign(density=d["density"] + np.inf),
    "backwards": lambda d: d.isel(r=slice(None, None, -1)),
    "one node": lambda d: d.isel(z=slice(0, 1)),
    "no coordinate": lambda d: d.drop_vars("r"),
    "another dimension": lambda d: d.rename(r="s"),
    "one dimension more": lambda d: d.expand_dims("t"),
    "text": lambda d: d.assign(density=d["density"].astype(str)),
    "text as a coordinate": lambda d: d.assign_coords(r=[str(v) for v in d["r"].values]),
    "no density": lambda d: d.rename(density="rho"),
    "coordinate not a number": lambda d: d.assign_coords(r=np.where(d["r"] > d["r"].min(), d["r"], np.nan)),
    "complex rings": lambda d: xr.Dataset(
        {"column": (("ring", "b", "l"), np.ones((1, 2, 2))), "ring_bounds": ("ring", [1.0])},
        coords={"b": [0.0, 1.0], "l": [0.0, 1.0]},
    ),
    "rings that overlap": lambda d: xr.Dataset(
        {"column": (("ring", "b", "l"), np.ones((2, 2, 2))), "ring_bounds": (("ring", "e"), [[0, 5.0], [4.0, 9.0]])},
        coords={"b": [0.0, 1.0], "l": [0.0, 1.0]},
    ),
    "rings of nobody": lambda d: xr.Dataset(
        {"column": (("ring", "b", "l"), np.ones((0, 2, 2))), "ring_bounds": (("ring", "e"), np.ones((0, 2)))},
        coords={"b": [0.0, 1.0], "l": [0.0, 1.0]},
    ),
    "rings without end": lambda d: xr.Dataset(
        {"column": (("ring", "b", "l"), np.ones((1, 2, 2))), "ring_bounds": (("ring", "e"), [[0.0, np.nan]])},
        coords={"b": [0.0, 1.0], "l": [0.0, 1.0]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", CHANGES)
def test_gas_that_is_none(tmp_path, how):
    dataset = xr.Dataset(
        {"density": (("r", "z"), np.ones((3, 3)))}, coords={"r": [1.0, 2.0, 3.0], "z": [-1.0, 0.0, 1.0]}
    )
    path = tmp_path / "gas.nc"
    CHANGES[how](dataset).to_netcdf(path)
    with pytest.raises(DataError) as error:
        read_gas(path)
    assert "gas.nc" in str(error.value)


@QUIET
@given(st.integers(1, 4), st.data())
def test_columns_in_rings(tmp_path, n, data):
    edges = np.cumsum(data.draw(st.lists(st.floats(0.1, 5), min_size=2 * n, max_size=2 * n)))
    b, l = np.linspace(-5.0, 5.0, 3), np.linspace(10.0, 80.0, 4)  # noqa: E741
    values = np.array(data.draw(st.lists(st.floats(0, 1e23), min_size=12 * n, max_size=12 * n))).reshape(
        n, 3, 4
    )
    path = tmp_path / f"{next(COUNT)}.nc"
    xr.Dataset(
        {"column": (("ring", "b", "l"), values), "ring_bounds": (("ring", "edge"), edges.reshape(n, 2))},
        coords={"b": b, "l": l},
    ).to_netcdf(path)
    rings = read_gas(path)
    assert isinstance(rings, RingColumns)
    for i, j in itertools.product(range(3), range(4)):
        np.testing.assert_allclose(rings.at([l[j]], [b[i]])[:, 0], values[:, i, j], rtol=1e-12)
    np.testing.assert_array_equal(rings.ring_of(rings.bounds.mean(axis=1)), np.arange(n))

"""Gas of the user: cubes and columns in rings against the gas of the run, and files that are refused."""

import numpy as np
import pytest
import xarray as xr

from cyldiff import constants as const
from cyldiff.errors import DataError
from cyldiff.observables.gamma import DiffuseSky
from cyldiff.observables.surroundings import gas_of
from cyldiff.observables.user_gas import GasCube, RingColumns, read_gas
from cyldiff.particles.pion_production import Kelner2006

DIRECTIONS = [20.0, 80.0, 200.0, 310.0], [0.4, -2.0, 5.0, 0.0]


def halo(r, z):
    return np.exp(-(r - 8.5) / 6.0) * (1.0 - np.abs(z) / 4.0)


def sky(dataset, gas=None):
    return DiffuseSky.of(dataset, Kelner2006(), energies=[1e3, 1e5], own_gas=gas)


def test_a_cube_of_the_gas_of_the_run(result, tmp_path):
    dataset = result(halo)
    r, z = np.linspace(0.0, 20.0, 801), np.linspace(-1.5, 1.5, 601)
    density = gas_of(dataset).hydrogen(r[:, None], z[None, :])
    xr.Dataset({"density": (("r", "z"), density)}, coords={"r": r, "z": z}).to_netcdf(tmp_path / "gas.nc")
    gas = read_gas(tmp_path / "gas.nc")
    assert isinstance(gas, GasCube)
    # what the cube has not is the thick ionised gas above 1.5 kpc
    assert sky(dataset, gas).intensity(*DIRECTIONS) == pytest.approx(
        sky(dataset).intensity(*DIRECTIONS), rel=5e-3
    )


def test_a_cloud_in_a_cube(result, tmp_path):
    # 100 cm^-3 in a cube of 0.2 kpc side at l = 90, 2 kpc away: seen there, with its depth, and nowhere else
    x, y, z = np.linspace(-9.0, -8.0, 101), np.linspace(1.5, 2.5, 101), np.linspace(-0.5, 0.5, 101)
    inside = np.einsum("i,j,k->ijk", *((np.abs(a - c) <= 0.1001) for a, c in ((x, -8.5), (y, 2.0), (z, 0.0))))
    cube = xr.Dataset({"density": (("z", "y", "x"), 100.0 * inside.T)}, coords={"x": x, "y": y, "z": z})
    cube.to_netcdf(tmp_path / "cloud.nc")
    line = sky(result(halo), read_gas(tmp_path / "cloud.nc")).sight
    # linear edges of a cell: a tenth of a kpc and a half cell more on both sides
    assert line.column(90.0, 0.0)[0] == pytest.approx(100.0 * 0.21 * const.KPC_CM, rel=1e-3)
    assert np.all(line.column([80.0, 270.0, 90.0], [0.0, 0.0, 10.0]) == 0.0)


class TestRings:
    BOUNDS = np.array([[0.0, 4.0], [4.0, 7.0], [7.0, 10.0], [10.0, 20.0]])

    def columns(self, dataset, longitude, latitude):
        """Columns of the gas of the run in rings, by brute force."""
        gas = gas_of(dataset)
        s = (np.arange(60_000) + 0.5) * 5e-4
        out = np.zeros((len(self.BOUNDS), latitude.size, longitude.size))
        for i, b in enumerate(np.radians(latitude)):
            for j, l in enumerate(np.radians(longitude)):  # noqa: E741
                x, y = -8.5 + s * np.cos(b) * np.cos(l), s * np.cos(b) * np.sin(l)
                r, z = np.hypot(x, y), s * np.sin(b)
                n = np.where((r < 20.0) & (np.abs(z) < 4.0), gas.hydrogen(r, z), 0.0)
                for k, (low, high) in enumerate(self.BOUNDS):
                    out[k, i, j] = n[(r >= low) & (r < high)].sum() * 5e-4 * const.KPC_CM
        return out

    def write(self, path, values, longitude, latitude):
        xr.Dataset(
            {"column": (("ring", "b", "l"), values), "ring_bounds": (("ring", "edge"), self.BOUNDS)},
            coords={"b": latitude, "l": longitude},
        ).to_netcdf(path)
        return read_gas(path)

    def test_columns_of_the_run_change_nothing(self, result, tmp_path):
        dataset = result(halo)
        longitude, latitude = np.array([19.0, 20.0, 80.0, 81.0]), np.array([-2.0, 0.4, 5.0])
        rings = self.write(tmp_path / "r.nc", self.columns(dataset, longitude, latitude), longitude, latitude)
        assert isinstance(rings, RingColumns)
        where = [20.0, 80.0], [0.4, -2.0]
        assert sky(dataset, rings).intensity(*where) == pytest.approx(
            sky(dataset).intensity(*where), rel=2e-3
        )

    def test_each_ring_counts_by_itself(self, result, tmp_path):
        dataset = result(halo)
        longitude, latitude = np.array([10.0, 30.0]), np.array([-1.0, 1.0])
        values = self.columns(dataset, longitude, latitude)
        seen = []
        for factor in (np.ones(4), np.array([1.0, 2.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0, 0.0])):
            rings = self.write(tmp_path / "r.nc", factor[:, None, None] * values, longitude, latitude)
            one = sky(dataset, rings)
            seen.append((one.intensity(20.0, 0.5)[0, :, 0], one.sight.column(20.0, 0.5)[0]))
        (plain, column), (more, _), (ring, column_of_ring) = seen
        assert more - plain == pytest.approx(ring, rel=1e-6)
        expected = RingColumns.at(rings, np.array([20.0]), np.array([0.5]))
        assert column_of_ring == pytest.approx(expected[1, 0], rel=1e-9)
        assert 0.1 * column < column_of_ring < column

    def test_where_the_run_has_no_gas_it_is_spread_evenly(self, result, tmp_path):
        dataset = result(gas="none")
        longitude, latitude = np.array([0.0, 359.0]), np.array([-90.0, 90.0])
        values = np.zeros((4, 2, 2))
        values[3] = 1e21
        rings = self.write(tmp_path / "r.nc", values, longitude, latitude)
        # beyond the solar circle: from 1.5 to 11.5 kpc, towards the anticentre
        assert sky(dataset, rings).sight.column(180.0, 0.0)[0] == pytest.approx(1e21, rel=1e-9)

    def test_longitudes_are_closed(self, result, tmp_path):
        longitude, latitude = np.arange(0.5, 360.0), np.array([-1.0, 1.0])
        values = np.broadcast_to(1e21 + 1e20 * np.cos(np.radians(longitude)), (4, 2, 360))
        rings = self.write(tmp_path / "r.nc", values, longitude, latitude)
        at = rings.at(np.array([0.0, 359.9, -0.1, 180.0]), np.zeros(4))[0]
        assert at == pytest.approx([1.1e21, 1.1e21, 1.1e21, 0.9e21], rel=1e-4)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"gas": (("x",), [1.0, 2.0])}, "found gas"),
        ({"density": (("x", "y"), np.ones((2, 2)))}, "dimensions x, y; expected x, y, z or r, z"),
        ({"density": (("r", "z"), -np.ones((2, 2)))}, "negative"),
        (
            {"column": (("ring", "b", "l"), np.ones((1, 2, 2))), "ring_bounds": (("ring", "edge"), [[5.0, 3.0]])},
            "ring_bounds",
        ),
    ],
)  # fmt: skip
def test_files_that_are_refused(tmp_path, variables, words):
    coords = {name: [0.0, 1.0] for name in "xyzrbl" if any(name in v[0] for v in variables.values())}
    xr.Dataset(variables, coords=coords).to_netcdf(tmp_path / "gas.nc")
    with pytest.raises(DataError, match=words):
        read_gas(tmp_path / "gas.nc")


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_gas(tmp_path / "no.nc")

"""Gas of the user: a density cube, or observed columns in rings around the Galactic centre, from NetCDF.

* ``density(x, y, z)`` or ``density(r, z)``: H nuclei [cm^-3] at coordinates in kpc (frame of
  :mod:`cyldiff.galaxy.coordinates`); linear in between, nothing outside. It takes the place of the gas of the run.
* ``column(ring, b, l)``: columns of H nuclei [cm^-2] at Galactic b and l [deg], with ``ring_bounds(ring, 2)`` in kpc.
  On every line of sight the gas of the run is scaled, ring by ring, to these columns, so that what lies where in
  a ring is that of the run and how much there is that of the observer. Where the run has no gas the column is spread
  evenly over the ring.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from cyldiff.errors import DataError
from cyldiff.resources import no_file

__all__ = ["GasCube", "RingColumns", "read_gas"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GasCube:
    """A density on a mesh.

    Attributes
    ----------
    axes : coordinates of the nodes along (x, y, z) or (r, z), each increasing [kpc]
    values : H nuclei [cm^-3], shape of the axes
    """

    axes: tuple[Array, ...]
    values: Array

    def __call__(self, r: Array, z: Array, phi: Array) -> Array:
        """Density [cm^-3] at points of one shape [kpc, radian]."""
        if len(self.axes) == 2:
            places = np.stack([r, z], axis=-1)
        else:
            places = np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=-1)
        find = RegularGridInterpolator(self.axes, self.values, bounds_error=False, fill_value=0.0)
        return np.asarray(find(places))

    @property
    def longest(self) -> float:
        """Longest first piece of a line of sight that does not jump over a cell [kpc]."""
        return 10.0 * min(float(np.diff(axis).min()) for axis in self.axes)


@dataclass(frozen=True)
class RingColumns:
    """Columns of rings.

    Attributes
    ----------
    bounds : ndarray, shape (n_rings, 2)        inner and outer radius [kpc], increasing, without overlap
    latitude, longitude : ndarray               nodes, increasing [deg]; l over 360 deg is closed
    values : ndarray, shape (n_rings, n_b, n_l) H nuclei [cm^-2]
    """

    bounds: Array
    latitude: Array
    longitude: Array
    values: Array

    def at(self, longitude: Array, latitude: Array) -> Array:
        """Columns in directions [deg], 1-D, shape (n_rings, n) [cm^-2]; zero outside of the map."""
        axes = self.latitude, self.longitude
        low = self.longitude[0]
        where = np.stack([latitude, low + (longitude - low) % 360.0], axis=-1)
        find = RegularGridInterpolator(
            axes, np.moveaxis(self.values, 0, -1), bounds_error=False, fill_value=0.0
        )
        return np.asarray(find(where)).T

    @property
    def radii(self) -> tuple[float, ...]:
        """Radii at which a ring begins or ends [kpc]."""
        return tuple(np.unique(self.bounds[self.bounds > 0.0]).tolist())

    def ring_of(self, r: Array) -> NDArray[np.int64]:
        """Number of the ring at radii [kpc]; -1 between and beyond the rings."""
        ring = np.searchsorted(self.bounds[:, 0], r, side="right") - 1
        inside = (ring >= 0) & (r < self.bounds[np.maximum(ring, 0), 1])
        return np.where(inside, ring, -1)

    def scaled(
        self, start: NDArray[np.int64], r: Array, weight: Array, density: Array, wanted: Array
    ) -> Array:
        """Densities at points of some lines of sight, scaled to columns `wanted`, shape (n_rings, n_lines)."""
        n_rings = len(self.bounds)
        ring = self.ring_of(r)
        line = np.repeat(np.arange(start.size - 1), np.diff(start))
        counts = ring >= 0
        group = (line * n_rings + ring)[counts]
        size = (start.size - 1) * n_rings
        target = wanted.T.ravel()
        there = np.bincount(group, (weight * density)[counts], size)
        length = np.bincount(group, weight[counts], size)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(there > 0.0, target / there, 0.0)
            even = np.where((there <= 0.0) & (length > 0.0), target / length, 0.0)
        out = np.zeros_like(density)
        out[counts] = factor[group] * density[counts] + even[group]
        return out


def read_gas(path: Path) -> GasCube | RingColumns:
    """Read the gas of the user.

    Raises
    ------
    DataError
        if the file is none of the two kinds, or its numbers cannot be gas.
    """
    if reason := no_file(path):
        raise DataError(f"{path}: {reason}")
    try:
        with xr.open_dataset(path, engine="netcdf4") as opened:
            dataset = opened.load()
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{path}: not a readable NetCDF file ({getattr(error, 'strerror', None) or error})"
        ) from None
    if "density" in dataset:
        return _cube(path, dataset["density"])
    if "column" in dataset and "ring_bounds" in dataset:
        return _rings(path, dataset)
    raise DataError(
        f"{path}: expected density(x, y, z), density(r, z), or column(ring, b, l) with ring_bounds; "
        f"found {', '.join(map(str, dataset.data_vars)) or 'no variable'}"
    )


def _cube(path: Path, density: xr.DataArray) -> GasCube:
    dims = next((d for d in (("x", "y", "z"), ("r", "z")) if set(d) == set(density.dims)), None)
    if dims is None:
        raise DataError(
            f"{path}: density has the dimensions {', '.join(map(str, density.dims))}; expected x, y, z or r, z"
        )
    axes = tuple(_axis(path, density, name) for name in dims)
    return GasCube(axes, _not_negative(path, "density", density.transpose(*dims).values))


def _rings(path: Path, dataset: xr.Dataset) -> RingColumns:
    column = dataset["column"]
    if set(column.dims) != {"ring", "b", "l"}:
        raise DataError(
            f"{path}: column has the dimensions {', '.join(map(str, column.dims))}; expected ring, b, l"
        )
    bounds = _numbers(path, "ring_bounds", dataset["ring_bounds"].values)
    edges = bounds.ravel()
    good = bounds.shape == (column.sizes["ring"], 2) and edges.size and np.all(np.isfinite(edges))
    if not good or edges[0] < 0.0 or np.any(np.diff(edges) < 0.0):
        raise DataError(
            f"{path}: ring_bounds must be (n_rings, 2) radii that increase and do not overlap [kpc]"
        )
    values = _not_negative(path, "column", column.transpose("ring", "b", "l").values)
    latitude, longitude = (_axis(path, column, name) for name in ("b", "l"))
    if longitude[-1] - longitude[0] > 360.0 or np.abs(latitude).max() > 90.0:
        raise DataError(f"{path}: l and b are no directions in degrees")
    # a map of all longitudes, at centres of pixels: closed over the gap
    gap = 360.0 - (longitude[-1] - longitude[0])
    if 0.0 < gap <= 1.5 * np.diff(longitude).max():
        longitude = np.append(longitude, longitude[0] + 360.0)
        values = np.concatenate([values, values[..., :1]], axis=-1)
    return RingColumns(bounds, latitude, longitude, values)


def _axis(path: Path, variable: xr.DataArray, name: str) -> Array:
    axis = _numbers(path, name, variable[name].values)
    if name not in variable.coords or axis.size < 2 or not np.all(np.diff(axis) > 0.0):
        raise DataError(f"{path}: the coordinate {name} must have at least two values that increase")
    return axis


def _not_negative(path: Path, name: str, values: Any) -> Array:
    array = _numbers(path, name, values)
    if not np.all(np.isfinite(array) & (array >= 0.0)):
        raise DataError(f"{path}: {name} is negative or not a number somewhere")
    return array


def _numbers(path: Path, name: str, values: Any) -> Array:
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise DataError(f"{path}: {name} is not numbers")
    return array.astype(float)

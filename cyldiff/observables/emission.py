"""Emission in space: values at the nodes of a cylindrical mesh, linear between them, zero outside the box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numba import njit
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from cyldiff.errors import DataError
from cyldiff.observables.emissivity import Emissivity

__all__ = ["EmissionField", "Mesh", "fluxes", "mass_numbers"]

Array = NDArray[np.float64]

#: pieces every interval of a 2-D grid is cut into by monotone cubics, so that linear is fine enough
REFINEMENT = 4
#: intensities of result files, m^-2 to cm^-2
_PER_CM2 = 1e-4


@dataclass(frozen=True, slots=True)
class Mesh:
    """Nodes of a cylinder; the last node in r and both ends in z lie on its surface.

    Attributes
    ----------
    r : ndarray, shape (n_r,)       from 0 to R [kpc]
    z : ndarray, shape (n_z,)       from -H to H [kpc]
    n_phi : int                     equal steps around the circle, centred at (m + 1/2) 2 pi / n; 1: no phi
    """

    r: Array
    z: Array
    n_phi: int = 1

    @property
    def radius(self) -> float:
        """R [kpc]."""
        return float(self.r[-1])

    @property
    def half_height(self) -> float:
        """H [kpc]."""
        return float(self.z[-1])


@dataclass(frozen=True, slots=True)
class EmissionField:
    """What is emitted per steradian and energy, per hydrogen atom or per volume.

    Attributes
    ----------
    energy : ndarray, shape (n_energy,)                     [GeV]
    mesh : Mesh
    values : ndarray, shape (n_r, n_phi, n_z, n_energy)     [GeV^-1 s^-1 sr^-1], if not `per_atom` and cm^-3
    name : str                                              of the component
    per_atom : bool                                         to be multiplied by the density of the gas
    """

    energy: Array
    mesh: Mesh
    values: Array
    name: str = "pi0"
    per_atom: bool = True

    def at(self, r: Array, z: Array, phi: Array | None = None) -> Array:
        """Values at points of one shape [kpc, radian], that shape and then (n_energy,)."""
        r, z = np.broadcast_arrays(np.asarray(r, dtype=float), np.asarray(z, dtype=float))
        around = np.zeros(r.shape) if phi is None else np.broadcast_to(np.asarray(phi, float), r.shape)
        out = np.zeros((r.size, self.energy.size))
        mesh = self.mesh
        _interpolate(r.ravel(), around.ravel(), z.ravel(), mesh.r, mesh.z, self.values, out)
        return out.reshape(*r.shape, self.energy.size)

    @classmethod
    def on_grid(
        cls, dataset: xr.Dataset, energy: Array, cells: Array, *, name: str = "pi0", per_atom: bool = True
    ) -> EmissionField:
        """Carry cell values of a result over to the nodes of a finer mesh.

        Parameters
        ----------
        dataset : xarray.Dataset                            a result, for its grid
        energy : ndarray, shape (n_energy,)                 [GeV]
        cells : ndarray, shape (n_energy, n_r, [n_phi,] n_z)
            values at the cell centres; zero on the surface of the box, even in z on a half-space grid

        Raises
        ------
        DataError
            for a result without r (a slab).
        """
        mesh, on_mesh = _to_mesh(dataset, np.asarray(cells, dtype=float))
        return cls(np.asarray(energy, dtype=float), mesh, on_mesh, name, per_atom)

    @classmethod
    def of_pions(
        cls, dataset: xr.Dataset, table: Emissivity, *, component: str | None = None, name: str = "pi0"
    ) -> EmissionField:
        """Emissivity per hydrogen atom of the nuclei of a result, or of one of its source components.

        Raises
        ------
        DataError
            if the result holds no intensity everywhere, or none of the component.
        """
        cells = table(fluxes(dataset, table, component))
        return cls.on_grid(dataset, table.energy, cells, name=name)


def mass_numbers(dataset: xr.Dataset) -> dict[str, int]:
    """A of every species of a result by name; leptons have 0."""
    return {
        str(n): int(a) for n, a in zip(dataset["species"].values, dataset["mass_number"].values, strict=True)
    }


def fluxes(dataset: xr.Dataset, table: Emissivity, component: str | None = None) -> Mapping[str, Array]:
    """Intensities [GeV^-1 cm^-2 s^-1 sr^-1] of the nuclides of `table`, shape (n_T, n_r, [n_phi,] n_z)."""
    variable = "flux" if component is None else "flux_component"
    if variable not in dataset:
        key = 'quantities = ["flux"]' if component is None else "components = true"
        raise DataError(
            f"this result does not hold {variable}, the intensity everywhere; run it again with "
            f"output.{key}" + ("" if component is None else " and the flux among its quantities")
        )
    stored = dataset[variable] if component is None else dataset[variable].sel(component=component)
    return {name: _PER_CM2 * stored.sel(species=name).values.astype(float) for name in table.matrices}


def _to_mesh(dataset: xr.Dataset, cells: Array) -> tuple[Mesh, Array]:
    """Nodes and values (n_r, n_phi, n_z, n_energy) of a finer mesh that reaches to the surface."""
    if "r" not in dataset.dims or dataset.sizes["r"] < 2:
        raise DataError("a 1-D result (slab) has no lines of sight; run it on a cylindrical grid")
    n_phi = dataset.sizes.get("phi", 1)
    values = np.moveaxis(cells, 0, -1)
    if "phi" not in dataset.dims:
        values = values[:, None]
    refine = REFINEMENT if n_phi == 1 else 1
    r, values = _along_r(dataset, values, refine)
    z, values = _along_z(dataset, values, refine)
    return Mesh(r, z, n_phi), np.ascontiguousarray(np.maximum(values, 0.0))


def _along_r(dataset: xr.Dataset, values: Array, refine: int) -> tuple[Array, Array]:
    """From cell centres to nodes from 0 to R: through the axis to the other side, to zero at R."""
    centers = dataset["r"].values.astype(float)
    radius = float(dataset["r_bounds"].values[-1, 1])
    half_turn = values.shape[1] // 2
    other_side = np.roll(values[:2], half_turn, axis=1)[::-1]
    x = np.concatenate([-centers[1::-1], centers, [radius]])
    y = np.concatenate([other_side, values, np.zeros((1, *values.shape[1:]))])
    nodes = np.concatenate([[0.0], centers, [radius]])
    fine = _refined(nodes, refine)
    return fine, PchipInterpolator(x, y, axis=0)(fine)


def _along_z(dataset: xr.Dataset, values: Array, refine: int) -> tuple[Array, Array]:
    """From cell centres to nodes from -H to H, zero there; a half-space is mirrored."""
    centers, bounds = dataset["z"].values.astype(float), dataset["z_bounds"].values
    height = float(bounds[-1, 1])
    edge = np.zeros_like(values[:, :, :1])
    if bounds[0, 0] >= 0.0:
        keep = 1 if centers[0] == 0.0 else 0
        centers = np.concatenate([-centers[: keep - 1 if keep else None : -1], centers])
        values = np.concatenate([values[:, :, : keep - 1 if keep else None : -1], values], axis=2)
    x = np.concatenate([[-height], centers, [height]])
    y = np.concatenate([edge, values, edge], axis=2)
    fine = _refined(x, refine)
    return fine, PchipInterpolator(x, y, axis=2)(fine)


def _refined(nodes: Array, pieces: int) -> Array:
    """Every interval cut into equal pieces."""
    inside = np.arange(pieces) / pieces
    fine = nodes[:-1, None] + np.diff(nodes)[:, None] * inside
    return np.concatenate([fine.ravel(), nodes[-1:]])


@njit(cache=True, error_model="numpy")
def _place(x, nodes):
    """Index of the interval of `nodes` that holds x, and the fraction of it below x."""
    low, high = 0, nodes.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if nodes[middle] <= x:
            low = middle
        else:
            high = middle
    return low, (x - nodes[low]) / (nodes[low + 1] - nodes[low])


@njit(cache=True, error_model="numpy")
def _azimuth(phi, n_phi):
    """The two cells around phi and the share of the second."""
    if n_phi == 1:
        return 0, 0, 0.0
    turn = phi / (2.0 * np.pi)
    place = (turn - np.floor(turn)) * n_phi - 0.5
    first = int(np.floor(place))
    return first % n_phi, (first + 1) % n_phi, place - first


@njit(cache=True, error_model="numpy")
def _interpolate(r, phi, z, r_nodes, z_nodes, values, out):
    """Linear interpolation at points, added to `out` (n_points, n_energy)."""
    for k in range(r.size):
        if r[k] >= r_nodes[-1] or abs(z[k]) >= z_nodes[-1]:
            continue
        i, u = _place(r[k], r_nodes)
        j, v = _place(z[k], z_nodes)
        m, n, w = _azimuth(phi[k], values.shape[1])
        for around, share in ((m, 1.0 - w), (n, w)):
            if share == 0.0:
                continue
            a, b = share * (1.0 - u) * (1.0 - v), share * (1.0 - u) * v
            c, d = share * u * (1.0 - v), share * u * v
            for e in range(values.shape[3]):
                out[k, e] += (
                    a * values[i, around, j, e]
                    + b * values[i, around, j + 1, e]
                    + c * values[i + 1, around, j, e]
                    + d * values[i + 1, around, j + 1, e]
                )

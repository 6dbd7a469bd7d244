"""Emission in space: values at the nodes of a cylindrical mesh, linear between them, zero outside the box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from cyldiff.errors import DataError
from cyldiff.observables.emissivity import Emissivity
from cyldiff.observables.sky_kernels import interpolate

__all__ = ["EmissionField", "EmissionStack", "Mesh", "fluxes", "mass_numbers"]

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
        interpolate(r.ravel(), around.ravel(), z.ravel(), mesh.r, mesh.z, self.values, out)
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


@dataclass(frozen=True, slots=True)
class EmissionStack:
    """Several fields on one mesh at the same energies, as the sums over lines of sight take them.

    Attributes
    ----------
    names : tuple of str
    energy : ndarray, shape (n_energy,)                                 [GeV]
    mesh : Mesh
    values : ndarray, shape (n_r, n_phi, n_z, n_fields, n_energy)
    per_atom : ndarray of bool, shape (n_fields,)
    """

    names: tuple[str, ...]
    energy: Array
    mesh: Mesh
    values: Array
    per_atom: NDArray[np.bool_]

    @classmethod
    def of(cls, fields: Sequence[EmissionField]) -> EmissionStack:
        """Join fields.

        Raises
        ------
        DataError
            if they do not share their energies and their mesh.
        """
        first = fields[0]
        for other in fields[1:]:
            same = (
                np.array_equal(other.energy, first.energy)
                and other.mesh.n_phi == first.mesh.n_phi
                and np.array_equal(other.mesh.r, first.mesh.r)
                and np.array_equal(other.mesh.z, first.mesh.z)
            )
            if not same:
                raise DataError(f"{other.name} and {first.name} are not on the same mesh and energies")
        return cls(
            tuple(field.name for field in fields),
            first.energy,
            first.mesh,
            np.ascontiguousarray(np.stack([field.values for field in fields], axis=3)),
            np.array([field.per_atom for field in fields]),
        )

    def sums(self, chosen: Sequence[int]) -> tuple[EmissionField, ...]:
        """Sum of the fields of the gas, and of those of the volume, at the energies `chosen`."""
        parts = []
        for per_atom in (True, False):
            here = self.per_atom == per_atom
            if here.any():
                values = np.ascontiguousarray(self.values[:, :, :, here][..., chosen].sum(axis=3))
                parts.append(EmissionField(self.energy[chosen], self.mesh, values, "sum", per_atom))
        return tuple(parts)


def mass_numbers(dataset: xr.Dataset) -> dict[str, int]:
    """A of every nucleus of a result by name; leptons and antiprotons, which do not count here, have 0."""
    columns = (dataset[key].values for key in ("species", "mass_number", "charge"))
    return {str(n): int(a) if z > 0 else 0 for n, a, z in zip(*columns, strict=True)}


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
    # emissivities per atom are small numbers; the slopes of the cubics divide by their differences
    scale = values.max(axis=(0, 1, 2), initial=0.0)
    scale = np.where(scale > 0.0, scale, 1.0)
    with np.errstate(over="ignore"):
        r, values = _along_r(dataset, values / scale, refine)
        z, values = _along_z(dataset, values, refine)
    return Mesh(r, z, n_phi), np.ascontiguousarray(np.maximum(values, 0.0) * scale)


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
    values = PchipInterpolator(x, y, axis=2)(fine)
    if bounds[0, 0] >= 0.0:  # a mirror image to the last digit: such a sky is computed once
        fine, values = 0.5 * (fine - fine[::-1]), 0.5 * (values + values[:, :, ::-1])
    return fine, values


def _refined(nodes: Array, pieces: int) -> Array:
    """Every interval cut into equal pieces."""
    inside = np.arange(pieces) / pieces
    fine = nodes[:-1, None] + np.diff(nodes)[:, None] * inside
    return np.concatenate([fine.ravel(), nodes[-1:]])

"""The mesh: (T, r, z) finite volumes of a cylinder, or of a slab.

The dimension and the metric live here and nowhere else: a term of the equation asks for
``volume`` and ``face_area`` and loops over ``axes``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import GridError
from cyldiff.grid.axis import Axis, radial_axis, slab_axis, vertical_axis

__all__ = ["Grid", "energy_grid"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Master grid in kinetic energy per nucleon, and the spatial axes r and z.

    Fields have dims ``("p", "r", "z")``; the momentum of a nuclide at index k is that of
    ``kinetic_energy[k]``, so spallation is diagonal.

    Attributes
    ----------
    kinetic_energy : ndarray, shape (n_p,)   log-uniform [GeV/n]
    r, z : Axis
    slab : bool    1-D: a single cell in r that nothing leaves
    """

    kinetic_energy: Array
    r: Axis
    z: Axis
    slab: bool = False

    @classmethod
    def build(
        cls,
        *,
        kinetic_energy: Array,
        radius: float,
        half_height: float,
        n_r: int,
        n_z: int,
        half_space: bool,
        stretch: float = 0.0,
        slab_at: float | None = None,
        kinks: tuple[float, ...] = (),
    ) -> Grid:
        """Make the mesh of a cylinder, or of a slab at radius `slab_at`."""
        z = vertical_axis(n_z, half_height, half_space=half_space, stretch=stretch, kinks=kinks)
        r = radial_axis(n_r, radius) if slab_at is None else slab_axis(slab_at)
        return cls(np.asarray(kinetic_energy, dtype=float), r, z, slab=slab_at is not None)

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Spatial axes in the order of the array dimensions."""
        return (self.r, self.z)

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the array dimensions."""
        return ("p", "r", "z")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of a field."""
        return (len(self.kinetic_energy), self.r.n, self.z.n)

    @property
    def log_step(self) -> float:
        """Step in ln T."""
        t = self.kinetic_energy
        return float(np.log(t[-1] / t[0]) / (len(t) - 1))

    @property
    def kinetic_energy_faces(self) -> Array:
        """Faces between the energies and beyond both ends, shape (n_p + 1,) [GeV/n]."""
        half = np.exp(0.5 * self.log_step)
        return np.concatenate([self.kinetic_energy / half, self.kinetic_energy[-1:] * half])

    @property
    def ring_area(self) -> Array:
        """Area of each cell seen along z, shape (n_r,) [kpc^2]."""
        if self.slab:
            return np.ones(1)
        return np.pi * np.diff(self.r.faces**2)

    @property
    def volume(self) -> Array:
        """Volume of the cells, shape (n_r, n_z) [kpc^3]; a folded grid counts both halves."""
        fold = 2.0 if self.z.folded else 1.0
        return fold * self.ring_area[:, None] * self.z.widths[None, :]

    def face_area(self, axis: str) -> Array:
        """Area of the faces of an axis [kpc^2], one more entry than cells along that axis."""
        fold = 2.0 if self.z.folded else 1.0
        if axis == "r":
            circumference = np.zeros(2) if self.slab else 2.0 * np.pi * self.r.faces
            return fold * circumference[:, None] * self.z.widths[None, :]
        if axis == "z":
            area = np.repeat(self.ring_area[:, None], self.z.n + 1, axis=1) * fold
            if self.z.folded:
                area[:, 0] = 0.0
            return area
        raise GridError(f'no axis "{axis}"; known: r, z')

    def cell_average(
        self, function: Callable[[Array, Array], Array], *, points: int = 12, edges: tuple[float, ...] = ()
    ) -> Array:
        """Volume average of ``function(r, z)`` over every cell, shape (n_r, n_z).

        Gauss-Legendre in r (weighted with r) and in z. A cell is split at z = 0, where discs of
        exponential profile have their kink, and at the heights ``edges`` [kpc], on both sides of the
        plane, where the function jumps. Point values would make the grammage depend on the mesh.
        """
        nodes, weights = np.polynomial.legendre.leggauss(points)
        r_points, r_weights = self._radial_quadrature(nodes, weights)
        low, high = self.z.faces[:-1], self.z.faces[1:]
        cuts = [-np.inf, *sorted({0.0, *edges, *(-e for e in edges)}), np.inf]
        total = np.zeros((self.r.n, self.z.n))
        for below, above in pairwise(cuts):
            a, b = np.clip(below, low, high), np.clip(above, low, high)
            z_points = 0.5 * (a + b)[:, None] + 0.5 * (b - a)[:, None] * nodes
            z_weights = 0.5 * ((b - a) / (high - low))[:, None] * weights
            values = function(r_points[:, None, :, None], z_points[None, :, None, :])
            total += np.einsum("ijab,ia,jb->ij", values, r_weights, z_weights)
        return total

    def _radial_quadrature(self, nodes: Array, weights: Array) -> tuple[Array, Array]:
        if self.slab:
            return self.r.centers[:, None], np.ones((1, 1))
        low, high = self.r.faces[:-1, None], self.r.faces[1:, None]
        points = 0.5 * (low + high) + 0.5 * (high - low) * nodes
        share = 0.5 * (high - low) * weights * points / (0.5 * (high**2 - low**2))
        return points, share

    def at(self, field: Array, r: float, z: float = 0.0) -> Array:
        """Value of ``field[..., r, z]`` at a point, by cubic interpolation through cell centres.

        On a folded axis the field is even in z. Shape of the leading dimensions is kept.
        """
        in_z = np.moveaxis(field, -1, 0)
        centers = self.z.centers
        if self.z.folded:
            mirror = min(3, self.z.n - 1)
            centers = np.concatenate([-centers[mirror:0:-1], centers])
            in_z = np.concatenate([in_z[mirror:0:-1], in_z])
            z = abs(z)
        on_plane = _lagrange(centers, in_z, z)
        return _lagrange(self.r.centers, np.moveaxis(on_plane, -1, 0), r)

    def gradient_at(self, field: Array, r: float, z: float = 0.0) -> Array:
        """Gradient (d/dr, d/dz) of a field at a point [1/kpc], from the same cubic; shape (2, ...)."""
        step_r = 1e-3 * float(np.diff(self.r.centers[:2])[0]) if self.r.n > 1 else 0.0
        step_z = 1e-3 * float(self.z.widths.min())
        if step_r:
            d_r = (self.at(field, r + step_r, z) - self.at(field, r - step_r, z)) / (2 * step_r)
        else:
            d_r = np.zeros(field.shape[:-2])
        if self.z.folded and z == 0.0:
            d_z = np.zeros(field.shape[:-2])
        else:
            d_z = (self.at(field, r, z + step_z) - self.at(field, r, z - step_z)) / (2 * step_z)
        return np.stack([d_r, d_z])


def _lagrange(x: Array, values: Array, where: float) -> Array:
    """Cubic (or lower, on few points) Lagrange interpolation along the first dimension."""
    order = min(4, len(x))
    first = int(np.clip(np.searchsorted(x, where) - order // 2, 0, len(x) - order))
    nodes = x[first : first + order]
    result = np.zeros(values.shape[1:])
    for a in range(order):
        others = np.delete(nodes, a)
        result = result + values[first + a] * float(np.prod((where - others) / (nodes[a] - others)))
    return result


def energy_grid(minimum: float, maximum: float, per_decade: float) -> Array:
    """Log-uniform kinetic energies per nucleon [GeV/n] from `minimum` to `maximum`.

    The number of points is odd, so that every second one makes a grid of its own.
    """
    if not 0.0 < minimum < maximum:
        raise GridError(f"momentum: the energy range {minimum:g} to {maximum:g} GeV is empty")
    intervals = round(per_decade * np.log10(maximum / minimum))
    intervals = max(4, intervals + intervals % 2)
    return np.geomspace(minimum, maximum, intervals + 1)

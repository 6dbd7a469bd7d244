"""The mesh: (T, r, z) or (T, r, phi, z) finite volumes of a cylinder, or of a slab.

The dimension and the metric live here and nowhere else: a term of the equation asks for
``volume`` and ``face_area`` and loops over ``axes``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import GridError
from cyldiff.grid.axis import Axis, azimuthal_axis, radial_axis, slab_axis, vertical_axis

__all__ = ["Grid", "energy_grid", "per_momentum"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Master grid in kinetic energy per nucleon, and the spatial axes r, z and, in 3-D, phi.

    Fields have dims ``("p", "r", "z")`` or ``("p", "r", "phi", "z")``; the momentum of a nuclide at index
    k is that of ``kinetic_energy[k]``, so spallation is diagonal.

    Attributes
    ----------
    kinetic_energy : ndarray, shape (n_p,)   log-uniform [GeV/n]
    r, z : Axis
    slab : bool    1-D: a single cell in r that nothing leaves
    phi : Axis or None    3-D: the circle
    over_parts : sum of a number over all parts of the grid this is one of; the number itself on a whole grid
    """

    kinetic_energy: Array
    r: Axis
    z: Axis
    slab: bool = False
    phi: Axis | None = None
    over_parts: Callable[[float], float] = float

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
        n_phi: int | None = None,
        slab_at: float | None = None,
        kinks: tuple[float, ...] = (),
    ) -> Grid:
        """Make the mesh of a cylinder, or of a slab at radius `slab_at`."""
        z = vertical_axis(n_z, half_height, half_space=half_space, stretch=stretch, kinks=kinks)
        r = radial_axis(n_r, radius) if slab_at is None else slab_axis(slab_at)
        phi = None if n_phi is None else azimuthal_axis(n_phi)
        return cls(np.asarray(kinetic_energy, dtype=float), r, z, slab=slab_at is not None, phi=phi)

    def part(self, low: int, high: int, *, over_parts: Callable[[float], float] = float) -> Grid:
        """The r cells `low` to `high` - 1 with everything above them: the share of one rank.

        Volumes, areas and spacings are those of the whole grid.

        Raises
        ------
        GridError    if there are no such cells
        """
        return replace(self, r=self.r.part(low, high), over_parts=over_parts)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Spatial axes in the order of the array dimensions."""
        return (self.r, self.z) if self.phi is None else (self.r, self.phi, self.z)

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the array dimensions."""
        return ("p", *(axis.name for axis in self.axes))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a field."""
        return (len(self.kinetic_energy), *(axis.n for axis in self.axes))

    @property
    def meridional(self) -> Grid:
        """The 2-D grid of the same r and z (of the same grid, if it is 2-D)."""
        return replace(self, phi=None)

    def coordinate(self, axis: str, *, faces: bool = False) -> Array:
        """Centres (or faces) of an axis, shaped to broadcast against a field [kpc; phi: radian]."""
        number = [a.name for a in self.axes].index(axis)
        shape = [1] * (1 + len(self.axes))
        shape[1 + number] = -1
        chosen = self.axes[number]
        return (chosen.faces if faces else chosen.centers).reshape(shape)

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
        """Area of each cell (2-D: ring) seen along z, shape (n_r,) [kpc^2]."""
        if self.slab:
            return np.ones(1)
        return 0.5 * self._angle * np.diff(self.r.faces**2)

    @property
    def _angle(self) -> float:
        """Angle that a cell covers around the axis."""
        return 2.0 * np.pi / (1 if self.phi is None else self.phi.n)

    @property
    def _fold(self) -> float:
        """A folded grid counts both halves."""
        return 2.0 if self.z.folded else 1.0

    @property
    def volume(self) -> Array:
        """Volume of the cells, shape of the axes [kpc^3]; a folded grid counts both halves."""
        return np.broadcast_to(
            self._space(self._fold * self.ring_area, "r") * self._space(self.z.widths, "z"), self.shape[1:]
        ).copy()

    def integral(self, density: Array) -> float:
        """Integral of a density (shape of the axes) over the whole grid, all its parts together."""
        return self.over_parts(float(np.sum(density * self.volume)))

    def _space(self, values: Array, axis: str) -> Array:
        """View 1-D values along an axis as varying in space."""
        return values.reshape([-1 if a.name == axis else 1 for a in self.axes])

    def face_area(self, axis: str) -> Array:
        """Area of the faces of an axis [kpc^2], one more entry than cells along that axis."""
        if axis == "r":
            across = np.zeros(2) if self.slab else self._angle * self.r.faces
            return self._fold * self._space(across, "r") * self._space(self.z.widths, "z")
        if axis == "z":
            through = np.full(self.z.n + 1, self._fold)
            if self.z.folded:
                through[0] = 0.0
            return self._space(self.ring_area, "r") * self._space(through, "z")
        if axis == "phi" and self.phi is not None:
            wall = self._fold * self._space(self.r.widths, "r") * self._space(self.z.widths, "z")
            return wall * self._space(np.ones(self.phi.n + 1), "phi")
        raise GridError(f'no axis "{axis}"; known: {", ".join(a.name for a in self.axes)}')

    def spacing(self, axis: str) -> Array:
        """Distance between the centres on both sides of every face of an axis [kpc], broadcastable."""
        chosen = next(a for a in self.axes if a.name == axis)
        along = self._space(chosen.spacings, axis)
        return along * self._space(self.r.centers, "r") if axis == "phi" else along

    def cell_average(
        self,
        function: Callable[..., Array],
        *,
        points: int = 12,
        edges: tuple[float, ...] = (),
        around: Callable[[Array, Array], Array] | None = None,
    ) -> Array:
        """Volume average of ``function(r, z)`` over every cell, shape of the axes.

        Gauss-Legendre in r (weighted with r) and in z. A cell is split at z = 0, where discs of
        exponential profile have their kink, and at the heights ``edges`` [kpc], on both sides of the
        plane, where the function jumps. Point values would make the grammage depend on the mesh.

        On a 3-D grid the function may be multiplied by ``around(r, phi)``, whose mean over phi is one
        and is made so on the mesh too; a function with the attribute ``azimuthal = True`` is called as
        ``function(r, phi, z)``. Both are averaged over phi as well.

        Raises
        ------
        GridError
            for a law that depends on phi on a grid without phi.
        """
        if getattr(function, "azimuthal", False):
            return self._average_around(function, points, edges)
        columns, r_points, r_weights = self._columns(function, points, edges)
        if around is not None:
            factor = self._factor_around(around, r_points)
            return np.einsum("ija,ia,ima->imj", columns, r_weights, factor)
        averaged = np.einsum("ija,ia->ij", columns, r_weights)
        if self.phi is None:
            return averaged
        return np.repeat(averaged[:, None, :], self.phi.n, axis=1)

    def _azimuths(self) -> tuple[Array, Array]:
        """Gauss-Legendre points of every cell in phi, shape (n_phi, 4), and their weights."""
        if self.phi is None:
            raise GridError("a source or gas law that depends on phi needs a 3-D grid; give space.phi cells")
        nodes, weights = np.polynomial.legendre.leggauss(4)
        return self.phi.centers[:, None] + np.pi / self.phi.n * nodes, 0.5 * weights

    def _factor_around(self, around: Callable[[Array, Array], Array], r_points: Array) -> Array:
        """Averages over the cells in phi at the points (n_r, a), shape (n_r, n_phi, a)."""
        azimuths, weights = self._azimuths()
        values = around(r_points[:, None, :, None], azimuths[None, :, None, :])
        factor: Array = np.sum(values * weights, axis=-1)
        return factor / factor.mean(axis=1, keepdims=True)

    def _average_around(self, function: Callable[..., Array], points: int, edges: tuple[float, ...]) -> Array:
        """Average of a function of (r, phi, z)."""
        total = np.zeros(self.shape[1:])
        azimuths, weights = self._azimuths()
        for m, in_cell in enumerate(azimuths):
            for angle, weight in zip(in_cell, weights, strict=True):
                columns, _, r_weights = self._columns(
                    lambda r, z, angle=angle: function(r, np.asarray(angle), z), points, edges
                )
                total[:, m] += weight * np.einsum("ija,ia->ij", columns, r_weights)
        return total

    def _columns(
        self, function: Callable[..., Array], points: int, edges: tuple[float, ...]
    ) -> tuple[Array, Array, Array]:
        """Averages over the cells in z at points in r: (n_r, n_z, a), the points (n_r, a), their weights."""
        nodes, weights = np.polynomial.legendre.leggauss(points)
        r_points, r_weights = self._radial_quadrature(nodes, weights)
        low, high = self.z.faces[:-1], self.z.faces[1:]
        cuts = [-np.inf, *sorted({0.0, *edges, *(-e for e in edges)}), np.inf]
        total = np.zeros((self.r.n, self.z.n, r_points.shape[1]))
        for below, above in pairwise(cuts):
            a, b = np.clip(below, low, high), np.clip(above, low, high)
            if not np.any(b > a):
                continue
            z_points = 0.5 * (a + b)[:, None] + 0.5 * (b - a)[:, None] * nodes
            z_weights = 0.5 * ((b - a) / (high - low))[:, None] * weights
            values = function(r_points[:, None, :, None], z_points[None, :, None, :])
            total += np.einsum("ijab,jb->ija", np.broadcast_to(values, (*total.shape, points)), z_weights)
        return total, r_points, r_weights

    def _radial_quadrature(self, nodes: Array, weights: Array) -> tuple[Array, Array]:
        if self.slab:
            return self.r.centers[:, None], np.ones((1, 1))
        low, high = self.r.faces[:-1, None], self.r.faces[1:, None]
        points = 0.5 * (low + high) + 0.5 * (high - low) * nodes
        share = 0.5 * (high - low) * weights * points / (0.5 * (high**2 - low**2))
        return points, share

    def at(self, field: Array, r: float, z: float = 0.0, phi: float = np.pi) -> Array:
        """Value of ``field[..., r, [phi,] z]`` at a point, by cubic interpolation through cell centres.

        On a folded axis the field is even in z, around the circle it is periodic. Shape of the leading
        dimensions is kept. The default phi is the Sun's.
        """
        on_plane = self._at_height(field, z)
        if self.phi is not None:
            on_plane = self._at_azimuth(on_plane, phi)
        return _lagrange(self.r.centers, np.moveaxis(on_plane, -1, 0), r)

    def _at_height(self, field: Array, z: float) -> Array:
        in_z = np.moveaxis(field, -1, 0)
        centers = self.z.centers
        if self.z.folded:
            mirror = min(3, self.z.n - 1)
            centers = np.concatenate([-centers[mirror:0:-1], centers])
            in_z = np.concatenate([in_z[mirror:0:-1], in_z])
            z = abs(z)
        return _lagrange(centers, in_z, z)

    def _at_azimuth(self, field: Array, phi: float) -> Array:
        assert self.phi is not None
        step = 2.0 * np.pi / self.phi.n
        place = (phi % (2.0 * np.pi)) / step
        first = int(np.floor(place)) - 1
        around = np.moveaxis(field, -1, 0)
        nodes = np.arange(first, first + 4)
        return _lagrange(nodes.astype(float), around[nodes % self.phi.n], place)

    def gradient_at(self, field: Array, r: float, z: float = 0.0, phi: float = np.pi) -> Array:
        """Gradient along the axes of the grid at a point [1/kpc], from the same cubic.

        Shape (number of axes, ...): d/dr, [(1/r) d/dphi,] d/dz.
        """
        small = 1e-3
        rows = []
        for axis in self.axes:
            here = {"r": r, "z": z, "phi": phi}
            step = small * float(axis.widths.min())
            flat = axis.n == 1 or (axis.folded and z == 0.0)
            if flat:
                rows.append(np.zeros(field.shape[: field.ndim - len(self.axes)]))
                continue
            up, down = ({**here, axis.name: here[axis.name] + sign * step} for sign in (1, -1))
            length = 2.0 * step * (r if axis.name == "phi" else 1.0)
            rows.append((self.at(field, **up) - self.at(field, **down)) / length)
        return np.stack(rows)


def per_momentum(values: NDArray[Any], space: int) -> NDArray[Any]:
    """View values of shape (n_p,) as a field that varies with momentum only, `space` axes in space."""
    return np.asarray(values).reshape(-1, *[1] * space)


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

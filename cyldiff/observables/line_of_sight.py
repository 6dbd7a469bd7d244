"""Intensity along lines of sight: adaptive quadrature that follows the gas.

    I(E, l, b) = Int ds n_H (q/4pi)(E) exp[-tau(E, s)]        [GeV^-1 cm^-2 s^-1 sr^-1]

from the Sun to the surface of the box. Every line is cut where it passes the Galactic axis and the plane and
where the gas jumps, and each piece is halved until two Gauss-Kronrod rules of 7 and 15 points (Piessens et al.
1983, QUADPACK) agree; what must agree is the gas column and the intensity at three energies, so that thin
discs, rings and the centre are found. The points are then used for all energies and all components.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff import constants as const
from cyldiff.galaxy.coordinates import Place, angles, unit_vector
from cyldiff.observables.absorption import STEP, Absorption
from cyldiff.observables.emission import EmissionField, EmissionStack, Mesh
from cyldiff.observables.sky_kernels import collect
from cyldiff.observables.source_emission import SourceField
from cyldiff.observables.user_gas import RingColumns

__all__ = ["LineOfSight", "Points"]

Array = NDArray[np.float64]
#: density of H nuclei [cm^-3] at (r, z, phi) [kpc, radian], arrays of one shape
Gas = Callable[[Array, Array, Array], Array]

#: relative difference of the two rules that a whole line may have; the finer one is much closer
TOLERANCE = 2e-4
#: halvings of a piece
DEPTH = 14
#: longest first piece [kpc]
LONGEST = 4.0
#: directions handled together
BLOCK = 512

# Gauss-Kronrod pair of 7 and 15 points on [-1, 1] (Piessens et al. 1983, QUADPACK, routine qk15)
_X = np.array(
    [0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
     0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
     0.586087235467691130294144691693013, 0.405845151377397166906606412076961,
     0.207784955007898467600689403773245]
)  # fmt: skip
_W15 = np.array(
    [0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
     0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
     0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
     0.204432940075298892414161999234649]
)  # fmt: skip
_W7 = np.array(
    [0.129484966168869693270611432679082, 0.279705391489276667901467771423780,
     0.381830050505118944950369775488975]
)  # fmt: skip
NODES = np.concatenate([-_X, [0.0], _X[::-1]])
KRONROD = np.concatenate([_W15, [0.209482141084727828012999174891714], _W15[::-1]])
GAUSS = np.zeros(15)
GAUSS[1:7:2], GAUSS[7], GAUSS[13:7:-2] = _W7, 0.417959183673469387755102040816327, _W7


@dataclass(frozen=True, slots=True)
class Points:
    """Quadrature points of some lines of sight, those of line k at ``start[k]:start[k + 1]``, in order of s.

    Attributes
    ----------
    start : ndarray of int, shape (n_lines + 1,)
    s, r, z, phi : ndarray, shape (n_points,)       distance from the Sun and place [kpc, radian]
    weight : ndarray, shape (n_points,)             length that a point stands for [cm]
    density : ndarray, shape (n_points,)            H nuclei [cm^-3]
    """

    start: NDArray[np.int64]
    s: Array
    r: Array
    z: Array
    phi: Array
    weight: Array
    density: Array


@dataclass(frozen=True, slots=True)
class LineOfSight:
    """What lines of sight from the Sun pass through.

    Attributes
    ----------
    sun : Place                     where the lines start
    gas : callable                  density of H nuclei [cm^-3] of (r, z, phi)
    mesh : Mesh                     box in which the lines end
    edges : tuple of float          heights at which the gas jumps [kpc]
    tolerance : float               see TOLERANCE
    longest : float                 longest first piece; smaller for clumpy gas [kpc]
    rings : RingColumns or None     columns that the gas is scaled to
    """

    sun: Place
    gas: Gas
    mesh: Mesh
    edges: tuple[float, ...] = ()
    tolerance: float = TOLERANCE
    longest: float = LONGEST
    rings: RingColumns | None = None

    def intensity(
        self,
        longitude: ArrayLike,
        latitude: ArrayLike,
        emission: EmissionStack,
        absorption: Absorption | None = None,
    ) -> Array:
        """Intensities in directions l, b [deg] (1-D arrays of one length n).

        Returns
        -------
        ndarray, shape (n_fields, n_energy, n)      [GeV^-1 cm^-2 s^-1 sr^-1]
        """
        unit = unit_vector(np.atleast_1d(longitude), np.atleast_1d(latitude))
        shape = len(emission.names), emission.energy.size
        absorption = absorption or Absorption.none(shape[1])
        near, far = absorption.tables(2.0 * np.hypot(self.mesh.radius, self.mesh.half_height))
        out = np.zeros((*shape, unit.shape[0]))
        for block, points in self._blocks(unit, _Watch.of_stack(emission, absorption)):
            seen = np.zeros((points.start.size - 1, *shape))
            through = _seen_through(points, absorption, self.sun)
            if through.max(initial=0.0) > STEP * (far.shape[0] - 1) > 0.0:
                _, far = absorption.tables(float(through.max()))
            weight = points.weight * np.where(emission.per_atom[:, None], points.density, 1.0)
            collect(
                points.start, points.r, points.phi, points.z, weight, points.s, through, STEP, near, far,
                emission.mesh.r, emission.mesh.z, emission.values, seen,
            )  # fmt: skip
            out[:, :, block] = np.moveaxis(seen, 0, -1)
        return out

    def column(self, longitude: ArrayLike, latitude: ArrayLike) -> Array:
        """Column of H nuclei to the surface of the box in directions l, b [deg], shape (n,) [cm^-2]."""
        unit = unit_vector(np.atleast_1d(longitude), np.atleast_1d(latitude))
        columns = [
            np.add.reduceat(points.weight * points.density, points.start[:-1])
            for _, points in self._blocks(unit, _Watch((), np.zeros(0)))
        ]
        return np.concatenate(columns)

    def around(
        self,
        longitude: ArrayLike,
        latitude: ArrayLike,
        source: SourceField,
        absorption: Absorption | None = None,
    ) -> Array:
        """Intensities of the gas around a point source in directions l, b [deg], shape (n_energy, n).

        The lines are cut where they pass the source, and the points fitted to its emission.
        """
        unit = unit_vector(np.atleast_1d(longitude), np.atleast_1d(latitude))
        absorption = absorption or Absorption.none(source.energy.size)
        n = source.energy.size
        chosen = sorted({0, n // 2, n - 1})
        watch = _Watch((source.few(chosen),), absorption.uniform[chosen])
        out = np.zeros((n, unit.shape[0]))
        for block, points in self._blocks(unit, watch, source.position):
            through = _seen_through(points, absorption, self.sun)
            tau = np.outer(points.s, absorption.uniform) + np.outer(through, absorption.varying)
            seen = source.at(points.r, points.z, points.phi) * np.exp(-tau)
            weighted = seen * (points.weight * points.density)[:, None]
            out[:, block] = np.add.reduceat(weighted, points.start[:-1], axis=0).T
        return out

    def _blocks(
        self, unit: Array, watch: _Watch, passing: Array | None = None
    ) -> Iterator[tuple[slice, Points]]:
        for start in range(0, unit.shape[0], BLOCK):
            block = slice(start, start + BLOCK)
            yield block, self._points(unit[block], watch, passing)

    def points(
        self, unit: Array, emission: EmissionStack | None = None, absorption: Absorption | None = None
    ) -> Points:
        """Quadrature points along unit vectors, shape (n, 3), fitted to the gas and the emission."""
        watch = _Watch((), np.zeros(0)) if emission is None else _Watch.of_stack(emission, absorption)
        return self._points(unit, watch, None)

    def _points(self, unit: Array, watch: _Watch, passing: Array | None) -> Points:
        lines, low, high = self._pieces(unit, passing)
        origin = np.array([-self.sun.r, 0.0, self.sun.z])
        found = np.zeros((watch.size, unit.shape[0]))
        kept: list[tuple[Array, ...]] = []
        for depth in range(DEPTH + 1):
            half = 0.5 * (high - low)
            s = 0.5 * (low + high)[:, None] + half[:, None] * NODES
            place = origin + s[..., None] * unit[lines][:, None, :]
            r, z = np.hypot(place[..., 0], place[..., 1]), place[..., 2]
            phi = np.arctan2(place[..., 1], place[..., 0])
            density = np.broadcast_to(self.gas(r, z, phi), s.shape)
            values = watch.values(density, r, z, phi, s)
            fine = np.einsum("cnk,k,n->cn", values, KRONROD, half)
            error = np.abs(fine - np.einsum("cnk,k,n->cn", values, GAUSS, half))
            here = np.stack([np.bincount(lines, row, unit.shape[0]) for row in fine])
            allowed = 0.5 * self.tolerance * (found + here)
            good = np.all(error <= allowed[:, lines], axis=0) | (depth == DEPTH)
            found += np.stack([np.bincount(lines[good], row[good], unit.shape[0]) for row in fine])
            weight = half[:, None] * KRONROD * const.KPC_CM
            index = np.broadcast_to(lines[:, None], s.shape)
            kept.append(tuple(x[good].ravel() for x in (index, s, r, z, phi, weight, density)))
            if good.all():
                break
            bad = ~good
            middle = 0.5 * (low + high)[bad]
            lines = np.repeat(lines[bad], 2)
            low, high = (np.stack(pair, axis=1).ravel() for pair in ((low[bad], middle), (middle, high[bad])))
        index, *rest = (np.concatenate(column) for column in zip(*kept, strict=True))
        order = np.lexsort((rest[0], index))
        counts = np.bincount(index.astype(np.int64), minlength=unit.shape[0])
        start = np.concatenate([[0], np.cumsum(counts)])
        points = Points(start, *(column[order] for column in rest))
        if self.rings is None:
            return points
        wanted = self.rings.at(*angles(unit))
        scaled = self.rings.scaled(start, points.r, points.weight, points.density, wanted)
        return replace(points, density=scaled)

    def _pieces(self, unit: Array, passing: Array | None) -> tuple[NDArray[np.int64], Array, Array]:
        """First pieces of every line: its number, lower and upper end [kpc]; cut next to the place `passing`."""
        across = np.hypot(unit[:, 0], unit[:, 1])
        end = self._end(unit, across)
        with np.errstate(divide="ignore", invalid="ignore"):
            axis = np.where(across > 0.0, unit[:, 0] * self.sun.r / across**2, 0.0)
            heights = {0.0, *self.edges, *(-e for e in self.edges)}
            crossings = [(height - self.sun.z) / unit[:, 2] for height in sorted(heights)]
        steps = np.arange(
            0.0, 2.0 * np.hypot(self.mesh.radius, self.mesh.half_height) + self.longest, self.longest
        )
        for radius in self.rings.radii if self.rings else ():
            crossings += self._through(unit, across, radius)
        if passing is not None:
            crossings.append(unit @ (passing - np.array([-self.sun.r, 0.0, self.sun.z])))
        cuts = np.stack([axis, *crossings, *(np.full(end.shape, s) for s in steps), end], axis=1)
        cuts = np.sort(
            np.clip(np.nan_to_num(cuts, nan=0.0, posinf=0.0, neginf=0.0), 0.0, end[:, None]), axis=1
        )
        real = np.diff(cuts, axis=1) > 1e-9 * end[:, None]
        lines = np.broadcast_to(np.arange(unit.shape[0])[:, None], real.shape)[real]
        # a cut that is left out for being next to another one is bridged
        low = np.where(real, cuts[:, :-1], 0.0)[real]
        first = np.concatenate([[True], lines[1:] != lines[:-1]])
        low[first] = 0.0
        high = np.concatenate([low[1:], [0.0]])
        last = np.concatenate([first[1:], [True]])
        high[last] = end
        return lines, low, high

    def _through(self, unit: Array, across: Array, radius: float) -> list[Array]:
        """Distances at which lines enter and leave a cylinder [kpc]; zero where they do not."""
        with np.errstate(divide="ignore", invalid="ignore"):
            towards = unit[:, 0] * self.sun.r
            root = np.sqrt(towards**2 + across**2 * (radius**2 - self.sun.r**2))
            return [np.nan_to_num((towards + sign * root) / across**2, nan=0.0) for sign in (-1.0, 1.0)]

    def _end(self, unit: Array, across: Array) -> Array:
        """Distance to the surface of the box [kpc]."""
        sun, radius, height = self.sun, self.mesh.radius, self.mesh.half_height
        with np.errstate(divide="ignore", invalid="ignore"):
            towards = unit[:, 0] * sun.r
            wall = (towards + np.sqrt(towards**2 + across**2 * (radius**2 - sun.r**2))) / across**2
            lid = (np.copysign(height, unit[:, 2]) - sun.z) / unit[:, 2]
        return np.fmin(np.where(across > 0.0, wall, np.inf), np.where(unit[:, 2] != 0.0, lid, np.inf))


@dataclass(frozen=True, slots=True)
class _Watch:
    """What the quadrature looks at: the gas column, or the intensity at three energies.

    Emission of the gas and of the volume are looked at apart.
    """

    fields: tuple[EmissionField | SourceField, ...]
    absorption: Array

    @classmethod
    def of_stack(cls, emission: EmissionStack, absorption: Absorption | None) -> _Watch:
        n = emission.energy.size
        chosen = sorted({0, n // 2, n - 1})
        uniform = np.zeros(n) if absorption is None else absorption.uniform
        return cls(emission.sums(chosen), uniform[chosen])

    @property
    def size(self) -> int:
        """Number of integrands."""
        return sum(field.energy.size for field in self.fields) or 1

    def values(self, density: Array, r: Array, z: Array, phi: Array, s: Array) -> Array:
        """Integrands, shape (size, *shape of the points)."""
        if not self.fields:
            return density[None]
        dimming = np.exp(-self.absorption[:, None, None] * s)
        rows = []
        for field in self.fields:
            seen = np.moveaxis(field.at(r, z, phi), -1, 0) * dimming
            rows.append(seen * density if field.per_atom else seen)
        return np.concatenate(rows)


def _seen_through(points: Points, absorption: Absorption, sun: Place) -> Array:
    """Integral of the profile of the radiation from the Sun to every point, by trapezoids [kpc]."""
    if absorption.profile is None:
        return np.zeros(points.s.shape)
    profile = np.broadcast_to(absorption.profile(points.r, points.z), points.s.shape)
    at_sun = float(absorption.profile(np.asarray(sun.r), np.asarray(sun.z)))
    length = np.diff(points.s, prepend=0.0)
    before = np.concatenate([[at_sun], profile[:-1]])
    first = points.start[:-1]
    length[first], before[first] = points.s[first], at_sun
    total = np.cumsum(0.5 * (before + profile) * length)
    # what the lines before have added up
    return np.asarray(total - np.repeat(np.concatenate([[0.0], total])[first], np.diff(points.start)))

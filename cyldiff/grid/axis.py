"""One spatial axis of the mesh: cell faces, cell centres, stretching."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from cyldiff.errors import GridError

__all__ = ["Axis", "azimuthal_axis", "radial_axis", "refined_radial_axis", "slab_axis", "vertical_axis"]

#: a finite-volume axis needs this many cells for a second difference and a boundary on each side
MINIMUM_CELLS = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """Cells of one coordinate.

    Attributes
    ----------
    name : "r", "phi" or "z"
    faces : ndarray, shape (n + 1,)   [kpc; phi: radian]
    centers : ndarray, shape (n,)     [kpc; phi: radian], the point a cell value belongs to
    folded : bool
        the axis is the upper half of a symmetric one: its first cell is half of a cell that
        is centred on zero, and nothing flows through its first face.
    periodic : bool
        the last cell is the neighbour of the first one, through the face that both end in
    beyond : pair of float or None    [kpc]
        centre of the next cell below and above, where the axis is a part of a longer one that was
        cut there; None at its own ends
    """

    name: str
    faces: NDArray[np.float64]
    centers: NDArray[np.float64]
    folded: bool = False
    periodic: bool = False
    beyond: tuple[float | None, float | None] = (None, None)

    def part(self, low: int, high: int) -> Axis:
        """The cells `low` to `high` - 1 as an axis of its own, which knows where it was cut.

        Raises
        ------
        GridError
            if there are no such cells, or the axis is folded or periodic.
        """
        if not 0 <= low < high <= self.n:
            raise GridError(f"{self.name}: no cells {low} to {high - 1} among {self.n}")
        if (low, high) == (0, self.n):
            return self
        if self.folded or self.periodic:
            raise GridError(f"{self.name}: only an axis with two ends can be cut")
        below = self.beyond[0] if low == 0 else float(self.centers[low - 1])
        above = self.beyond[1] if high == self.n else float(self.centers[high])
        return replace(
            self, faces=self.faces[low : high + 1], centers=self.centers[low:high], beyond=(below, above)
        )

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.centers)

    @property
    def widths(self) -> NDArray[np.float64]:
        """Cell widths [kpc]."""
        return np.diff(self.faces)

    @property
    def spacings(self) -> NDArray[np.float64]:
        """Distance between neighbouring centres; at the ends, between centre and face [kpc; phi: radian].

        Where the axis was cut, the neighbour is the cell beyond the cut.

        Shape (n + 1,), one entry per face; infinite at the symmetry plane of a folded axis.
        """
        if self.periodic:
            return np.full(self.n + 1, 2.0 * np.pi / self.n)
        first, last = (
            end if centre is None else centre
            for end, centre in zip((self.faces[0], self.faces[-1]), self.beyond, strict=True)
        )
        points = np.concatenate([[first], self.centers, [last]])
        spacings = np.diff(points)
        if self.folded:
            spacings[0] = np.inf
        return spacings


def radial_axis(n: int, radius: float) -> Axis:
    """Uniform cells from the axis to `radius`; no node lies on r = 0, no flux passes it."""
    _enough("r", n)
    faces = np.linspace(0.0, radius, n + 1)
    return Axis("r", faces, 0.5 * (faces[1:] + faces[:-1]))


def refined_radial_axis(radius: float, around: float, cell: float, growth: float) -> Axis:
    """Cells that are `cell` wide at the radius `around` and grow away from it, by `growth` each in the end.

    The faces are ``around + (cell / g) sinh(g xi)`` of uniform faces in xi [kpc].
    """
    scale = cell / growth
    low, high = np.arcsinh(-around / scale), np.arcsinh((radius - around) / scale)
    n = max(int(np.ceil((high - low) / growth)), MINIMUM_CELLS)
    faces = around + scale * np.sinh(np.linspace(low, high, n + 1))
    faces[0], faces[-1] = 0.0, radius
    return Axis("r", faces, 0.5 * (faces[1:] + faces[:-1]))


def azimuthal_axis(n: int) -> Axis:
    """`n` equal cells around the circle.

    phi = 0 is a cell centre and points along +x; the Sun, at x < 0, has phi = pi.
    """
    _enough("phi", n)
    step = 2.0 * np.pi / n
    index = np.arange(n + 1, dtype=float)
    return Axis("phi", step * (index - 0.5), step * index[:-1], periodic=True)


def slab_axis(position: float) -> Axis:
    """One cell of unit area (1 kpc^2) at galactocentric radius `position`: the 1-D slab."""
    half = 0.5
    return Axis("r", np.array([position - half, position + half]), np.array([position]))


def vertical_axis(
    n: int, half_height: float, *, half_space: bool, stretch: float = 0.0, kinks: tuple[float, ...] = ()
) -> Axis:
    """Cells in z, symmetric about a cell centred on the plane.

    The faces are ``z = H sinh(a zeta) / sinh(a)`` of uniform faces in zeta; ``a = 0`` is uniform.
    If D has a kink (``kinks``, in kpc), `stretch` is moved by the least amount that puts a face on
    the first of them (not on a uniform axis).

    Parameters
    ----------
    n : int
        cells of the whole axis, or of the upper half if `half_space` (whose twin has 2 n - 1)
    half_height : float        H [kpc]
    half_space : bool          z >= 0 only
    stretch : float            a; about 5 for a disc of 0.1 kpc in a halo of 4 kpc

    Raises
    ------
    GridError
        for an even number of cells (the Sun would lie on a face) or too few of them.
    """
    _enough("z", n)
    if not half_space and n % 2 == 0:
        raise GridError(
            f"z: {n} cells put a face on the galactic plane; expected an odd number, e.g. {n + 1}"
        )
    whole = 2 * n - 1 if half_space else n
    inside = [k for k in kinks if 0.0 < k < half_height]
    if stretch > 0.0 and inside:
        stretch = _stretch_with_face(whole, half_height, stretch, inside[0])
    index = np.arange(n + 1) - 0.5 if half_space else np.arange(n + 1) - whole / 2
    faces = _stretched(index * 2.0 / whole, half_height, stretch)
    middle = np.arange(n) if half_space else np.arange(n) - (whole - 1) / 2
    centers = _stretched(middle * 2.0 / whole, half_height, stretch)
    faces[-1] = half_height
    faces[0] = 0.0 if half_space else -half_height
    return Axis("z", faces, centers, folded=half_space)


def _stretched(zeta: NDArray[np.float64], half_height: float, stretch: float) -> NDArray[np.float64]:
    if stretch == 0.0:
        return half_height * zeta
    return half_height * np.sinh(stretch * zeta) / np.sinh(stretch)


def _stretch_with_face(whole: int, half_height: float, stretch: float, kink: float) -> float:
    """The stretch nearest to the wanted one for which a face lies at `kink`."""

    def face(a: float, index: int) -> float:
        return float(half_height * np.sinh(a * (index + 0.5) * 2.0 / whole) / np.sinh(a))

    low, high = 0.05, 12.0
    candidates = [
        brentq(lambda a, i=i: face(a, i) - kink, low, high)
        for i in range((whole - 1) // 2)
        if face(low, i) > kink > face(high, i)
    ]
    return float(min(candidates, key=lambda a: abs(a - stretch), default=stretch))


def _enough(name: str, n: int) -> None:
    if n < MINIMUM_CELLS:
        raise GridError(f"{name}: {n} cells are too few; expected at least {MINIMUM_CELLS}")

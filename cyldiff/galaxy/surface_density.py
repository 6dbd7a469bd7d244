"""Surface density of a population from a catalogue that fades with distance.

The method of Yusifov & Kucuk 2004 (A&A 422, 545) for pulsars, as Yue et al. 2025 use it for X-ray binaries
(their section 2.2; equation numbers below are theirs). Circles around the Sun (radii r_i) and around the
Galactic centre (R_j) meet in points; a cell is a disc around such a point. Seen from the Sun a population
fades as K(r) = exp(-c r). On the circle R = R_sun the true density is the same everywhere, so the fall of the
counts along it gives c; all cells are then corrected and averaged over each circle around the centre.

Everything is in the plane: lengths in kpc, densities in kpc^-2, the Sun at (-R_sun, 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.errors import DataError, nearest, quoted

__all__ = [
    "KERNELS",
    "Cells",
    "Density",
    "RowMeans",
    "SelectionFit",
    "apparent_density",
    "build_cells",
    "cell_radius",
    "corrected_density",
    "density_of_values",
    "fit_selection",
    "row_means",
]

Array = NDArray[np.float64]

#: how objects count in a cell: those inside its disc, or all with a Gaussian of its radius
KERNELS = ("disc", "gaussian")
#: two circles are the same if their radii differ by less [kpc]
SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Cells:
    """Discs around the points where circles around the Sun and around the Galactic centre meet.

    Attributes
    ----------
    R, r : shape (n,), distance of the point from the Galactic centre and from the Sun [kpc]
    radius : shape (n,), of the disc [kpc]
    center : shape (n, 2), the point with y >= 0 [kpc]; the other is its mirror image in the line from the
        Sun through the centre
    observer_radius : R_sun [kpc]
    """

    R: Array
    r: Array
    radius: Array
    center: Array
    observer_radius: float

    def __len__(self) -> int:
        return len(self.R)

    @property
    def area(self) -> Array:
        """Area of one disc [kpc^2]."""
        return np.pi * self.radius**2


@dataclass(frozen=True, slots=True)
class Density:
    """Surface density in cells, mean of a cell and its mirror image.

    Attributes
    ----------
    value : shape (n,) [kpc^-2]
    counts : shape (n,), number of objects the value rests on, for its Poisson error
    error : shape (n,) [kpc^-2]; NaN where nothing was counted
    """

    value: Array
    counts: Array
    error: Array


@dataclass(frozen=True, slots=True)
class SelectionFit:
    """ln(rho_0 K) = ln rho_0 - c r, the straight line of Eq. 4.

    Attributes
    ----------
    c, c_error : how fast the population fades [kpc^-1]
    log_density, log_density_error : ln rho_0, of the true density on the circle in kpc^-2
    cells : number of cells of the circle in the fit; empty ones have no logarithm
    """

    c: float
    c_error: float
    log_density: float
    log_density_error: float
    cells: int

    @property
    def density(self) -> float:
        """rho_0 [kpc^-2]."""
        return float(np.exp(self.log_density))

    def factor(self, r: ArrayLike) -> Array:
        """K(r) = exp(-c r), Eq. 2, at distances from the Sun [kpc]."""
        return np.exp(-self.c * np.asarray(r, dtype=float))


@dataclass(frozen=True, slots=True)
class RowMeans:
    """Density against the distance from the Galactic centre, over the cells of each circle.

    Attributes
    ----------
    R : shape (m,) [kpc]
    plain : shape (m,), mean of the cells [kpc^-2]
    weighted, weighted_error : shape (m,), mean with the weights 1/sigma^2 of Eq. 6 [kpc^-2]
    cells : shape (m,), number of cells; those with nothing in them count in the plain mean only
    """

    R: Array
    plain: Array
    weighted: Array
    weighted_error: Array
    cells: NDArray[np.int64]


def cell_radius(layer: ArrayLike) -> Array:
    """Radius of a cell [kpc]: 0.85 [1.2 (i - 1) / 11 + 1], layer i = 1 around the Sun (section 2.2)."""
    return 0.85 * (1.2 * (np.asarray(layer, dtype=float) - 1.0) / 11.0 + 1.0)


def build_cells(*, step: float = 1.7, layers: int = 10, observer_radius: float = 8.5) -> Cells:
    """All points where `layers` circles around the Sun meet as many around the Galactic centre.

    Radii are 0, `step`, 2 `step`, ... [kpc]; a circle of radius 0 is a point. Circles that touch meet once,
    on the line from the Sun through the centre. The cells are ordered by R, then by r.
    """
    radii = step * np.arange(layers)
    R, r = (a.ravel() for a in np.meshgrid(radii, radii, indexing="ij"))
    layer = np.tile(np.arange(1, layers + 1), layers)
    meet = (np.abs(R - r) <= observer_radius + SAME) & (R + r >= observer_radius - SAME)
    R, r, layer = R[meet], r[meet], layer[meet]
    # R^2 = x^2 + y^2 and r^2 = (x + R_sun)^2 + y^2
    x = (r**2 - R**2 - observer_radius**2) / (2.0 * observer_radius)
    y_squared = R**2 - x**2
    # of circles that touch only round-off is left, which a root would blow up
    y = np.sqrt(np.where(y_squared > SAME, y_squared, 0.0))
    return Cells(R, r, cell_radius(layer), np.stack([x, y], axis=-1), observer_radius)


def apparent_density(position: ArrayLike, cells: Cells, *, kernel: str = "disc") -> Density:
    """Observed surface density, mean of each cell and its mirror image, with Poisson errors.

    Parameters
    ----------
    position : shape (n, 2), objects in the plane [kpc]
    kernel : "disc", N / (pi R_c^2) as the paper says; or "gaussian", every object spread over a Gaussian
        whose standard deviation is the radius of the cell. The counts are then effective ones,
        (sum w)^2 / sum w^2.

    Raises
    ------
    DataError
        if the kernel is unknown.
    """
    if kernel not in KERNELS:
        raise DataError(
            f"no kernel {quoted(kernel)}; known: {', '.join(KERNELS)}{nearest(str(kernel), KERNELS)}"
        )
    x, y = np.asarray(position, dtype=float).T
    value, counts = np.zeros(len(cells)), np.zeros(len(cells))
    for i, ((x_i, y_i), radius) in enumerate(zip(cells.center, cells.radius, strict=True)):
        weight = sum(_weight((x - x_i) ** 2 + (y - side * y_i) ** 2, radius, kernel) for side in (1.0, -1.0))
        value[i] = 0.5 * np.sum(weight)
        # an object on the axis is in the cell and in its image; it is still one object
        if value[i] > 0.0:
            counts[i] = np.sum(weight) ** 2 / np.sum(np.square(weight))
    return _with_error(value, counts, 0.0)


def density_of_values(value: ArrayLike, cells: Cells) -> Density:
    """Printed densities as a :class:`Density`: the count of a cell is taken as density times area."""
    value = np.asarray(value, dtype=float)
    return _with_error(value, value * cells.area, 0.0)


def fit_selection(cells: Cells, density: Density) -> SelectionFit:
    """How fast the population fades, from the circle R = R_sun: a straight line through ln rho (Eq. 4).

    Least squares without weights, as in the paper; errors from the scatter about the line.

    Raises
    ------
    DataError
        if fewer than three cells of the circle have objects in them.
    """
    on_circle = np.abs(cells.R - cells.observer_radius) < SAME
    use = on_circle & (density.value > 0.0)
    if np.count_nonzero(use) < 3:
        raise DataError(
            f"{np.count_nonzero(use)} of {np.count_nonzero(on_circle)} cells at R = {cells.observer_radius:g} kpc "
            "have objects in them; the selection needs three"
        )
    line, covariance = np.polyfit(cells.r[use], np.log(density.value[use]), 1, cov="unscaled")
    residual = np.log(density.value[use]) - np.polyval(line, cells.r[use])
    spread = np.sum(residual**2) / (np.count_nonzero(use) - 2)
    errors = np.sqrt(np.diag(covariance) * spread)
    return SelectionFit(
        c=float(-line[0]),
        c_error=float(errors[0]),
        log_density=float(line[1]),
        log_density_error=float(errors[1]),
        cells=int(np.count_nonzero(use)),
    )


def corrected_density(cells: Cells, density: Density, *, c: float, c_error: float) -> Density:
    """Density rho exp(c r) without selection, with the error (sigma/rho)^2 = 1/N + (r sigma_c)^2 of Eq. 5."""
    value = density.value * np.exp(c * cells.r)
    return _with_error(value, density.counts, cells.r * c_error)


def row_means(cells: Cells, density: Density) -> RowMeans:
    """Means over the cells of each circle around the Galactic centre, plain and weighted (Eq. 6).

    An empty cell has no error, so it has no weight either. The errors are those of Eq. 6, which takes cells for
    independent; they are not, because all are corrected with the same c and neighbours overlap.
    """
    R, row = np.unique(cells.R, return_inverse=True)
    number = np.bincount(row)
    plain = np.bincount(row, weights=density.value) / number
    filled = density.value > 0.0
    weight = np.zeros(len(cells))
    weight[filled] = density.error[filled] ** -2
    total = np.bincount(row, weights=weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        weighted = np.bincount(row, weights=weight * density.value) / total
        error = total**-0.5
    return RowMeans(R, plain, weighted, np.where(total > 0.0, error, np.nan), number)


def _weight(squared: Array, radius: float, kernel: str) -> Array:
    """What an object at a squared distance adds to the density of a cell [kpc^-2]."""
    if kernel == "disc":
        return (squared < radius**2) / (np.pi * radius**2)
    return np.exp(-0.5 * squared / radius**2) / (2.0 * np.pi * radius**2)


def _with_error(value: Array, counts: Array, relative: ArrayLike) -> Density:
    """A density whose error is Poisson's and another relative one, in quadrature."""
    with np.errstate(divide="ignore", invalid="ignore"):
        error = value * np.sqrt(1.0 / counts + np.asarray(relative, dtype=float) ** 2)
    return Density(value, counts, np.where(counts > 0.0, error, np.nan))

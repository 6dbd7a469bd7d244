"""A manufactured solution with every term of the equation variable in r, z and ln p.

    U(p, r, z) = f(x) J0(zeta r / R) cos(pi z / 2 H),   x = ln p,

with D = D_p(x) a(r) c(z), wind V = V1 z, losses b = b_p(x) e(r, z) (the adiabatic term included in
b), reacceleration g = g_p(x) e(r, z) and sinks S = s_p(x) e(r, z). f is a Gaussian that vanishes at
both ends of the energy range, as the boundary conditions ask. The source that makes U exact,

    Q = -div(D grad U) + d(V U)/dz - d/dx[g (U' - 3 U) + b U] + S U,

is differentiated by hand below, term by term.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import j0, j1, jn_zeros

from cyldiff.grid import Grid, Kinematics, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.validation.problems import CARBON, coefficients, cylinder_grid, slab_grid

__all__ = ["Problem", "momentum_only", "radial_only", "space_and_momentum", "vertical_only"]

Array = NDArray[np.float64]
#: operator, source, exact solution
Problem = tuple[TransportOperator, Array, Array]

ZETA = float(jn_zeros(0, 1)[0])
#: the box of the cases [kpc], and their kinetic energies per nucleon [GeV]
RADIUS, HEIGHT = 10.0, 3.0
RANGE = (0.05, 2.0e4)


class _Spectrum:
    """Functions of x = ln p: the solution's f and the shapes of D, b, g and S."""

    def __init__(self, x: Array, middle: float, width: float = 1.35) -> None:
        y = (x - middle) / width
        self.f = np.exp(-(y**2))
        self.f1 = -2.0 * y / width * self.f
        self.f2 = (4.0 * y**2 - 2.0) / width**2 * self.f
        u = x - middle
        self.D = 0.4 * np.exp(0.4 * u)
        self.g = 0.05 * np.exp(-0.4 * u)
        self.g1 = -0.4 * self.g
        self.b = 0.03 * np.exp(-0.5 * u) + 0.01 * np.exp(0.3 * u)
        self.b1 = -0.015 * np.exp(-0.5 * u) + 0.003 * np.exp(0.3 * u)
        self.s = 0.02 * (1.0 + 0.3 * np.tanh(u))

    def momentum_flux_slope(self, reacceleration: bool = True) -> Array:
        """d/dx [g (f' - 3 f) + b f]."""
        losses = self.b1 * self.f + self.b * self.f1
        if not reacceleration:
            return losses
        return self.g1 * (self.f1 - 3.0 * self.f) + self.g * (self.f2 - 3.0 * self.f1) + losses


def _spectra(grid: Grid) -> tuple[_Spectrum, _Spectrum]:
    """The same functions at the momenta of the cells and of the faces; shape (n, 1, 1)."""
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    ends = Kinematics(np.array(RANGE), *CARBON)
    middle = float(np.mean(np.log(ends.momentum)))
    faces = nucleus.at(grid.kinetic_energy_faces)
    at_cells, at_faces = (_Spectrum(np.log(k.momentum)[:, None, None], middle) for k in (nucleus, faces))
    return at_cells, at_faces


def _a(r: Array) -> tuple[Array, Array]:
    """Radial factor of D and its derivative."""
    return 1.0 + 0.8 * (r / RADIUS) ** 2, 1.6 * r / RADIUS**2


def _c(z: Array) -> tuple[Array, Array]:
    """Vertical factor of D and its derivative."""
    return 0.5 + (z / HEIGHT) ** 2, 2.0 * z / HEIGHT**2


def _e(r: float | Array, z: Array) -> Array:
    """Where there is gas: weight of b, g and S."""
    return np.asarray(1.0 + 0.5 * np.cos(np.pi * z / HEIGHT) * np.exp(-((r / RADIUS) ** 2)))


def _radial(r: Array) -> tuple[Array, Array]:
    """J0, and (1/r) d/dr [r a dJ0/dr]."""
    k = ZETA / RADIUS
    a, a1 = _a(r)
    return j0(k * r), -(k**2) * a * j0(k * r) - a1 * k * j1(k * r)


def _vertical(z: Array, wind: float) -> tuple[Array, Array, Array]:
    """cos, d/dz [c d cos/dz] and d/dz [V cos] with V = wind z."""
    k = 0.5 * np.pi / HEIGHT
    c, c1 = _c(z)
    cosine, sine = np.cos(k * z), np.sin(k * z)
    return cosine, -(k**2) * c * cosine - c1 * k * sine, wind * (cosine - k * z * sine)


def space_and_momentum(
    n_r: int,
    n_z: int,
    per_decade: float,
    *,
    scheme: str = "third-order",
    half_space: bool = True,
    stretch: float = 0.0,
) -> Problem:
    """Operator, source and exact solution with all terms, on a grid (n_r, n_z, per_decade)."""
    grid = cylinder_grid(
        n_r,
        n_z,
        HEIGHT,
        radius=RADIUS,
        energies=energy_grid(*RANGE, per_decade),
        half_space=half_space,
        stretch=stretch,
    )
    cell, face = _spectra(grid)
    r, z = grid.r.centers[None, :, None], grid.z.centers[None, None, :]
    r_face, z_face = grid.r.faces[None, :, None], grid.z.faces[None, None, :]
    wind = 0.03
    R, R2 = _radial(r)
    Z, Z2, VZ = _vertical(z, wind)
    c, a = _c(z)[0], _a(r)[0]
    exact = cell.f * R * Z
    source = -cell.D * cell.f * (c * Z * R2 + a * R * Z2) + cell.f * R * VZ
    source = source + _e(r, z) * R * Z * (cell.s * cell.f - cell.momentum_flux_slope())
    terms = coefficients(
        grid,
        D=cell.D * a * c,
        D_r=cell.D * _a(r_face)[0] * c,
        D_z=cell.D * a * _c(z_face)[0],
        wind=wind * z_face,
        loss=cell.b * _e(r, z),
        reacceleration=face.g * _e(r, z),
        sink=cell.s * _e(r, z),
    )
    return TransportOperator.build(grid, terms, scheme=scheme), source, exact


def radial_only(n_r: int) -> Problem:
    """Variable D in r; the profile in z is an eigenvector of the discrete operator, hence exact."""
    grid = cylinder_grid(n_r, 7, HEIGHT, radius=RADIUS)
    r, z = grid.r.centers[None, :, None], grid.z.centers[None, None, :]
    a = _a(r)[0]
    R, R2 = _radial(r)
    # second difference of the cosine: -4 sin^2(k dz / 2) / dz^2
    dz = HEIGHT / (grid.z.n - 0.5)
    Z = np.cos(0.5 * np.pi * z / HEIGHT)
    eigenvalue = (2.0 / dz * np.sin(0.25 * np.pi * dz / HEIGHT)) ** 2
    exact = np.ones(grid.shape) * R * Z
    source = np.ones(grid.shape) * (eigenvalue * a * R - R2) * Z
    terms = coefficients(grid, D=a, D_r=_a(grid.r.faces[None, :, None])[0], D_z=a)
    return TransportOperator.build(grid, terms), source, exact


def vertical_only(n_z: int, *, stretch: float = 0.0, half_space: bool = True) -> Problem:
    """Slab: variable D, wind and sinks in z."""
    grid = slab_grid(n_z, HEIGHT, stretch=stretch, half_space=half_space)
    z, wind = grid.z.centers[None, None, :], 0.2
    Z, Z2, VZ = _vertical(z, wind)
    sink = 0.3 * _e(8.5, z)
    exact = np.ones(grid.shape) * Z
    source = np.ones(grid.shape) * (-Z2 + VZ + sink * Z)
    z_face = grid.z.faces[None, None, :]
    terms = coefficients(grid, D=_c(z)[0], D_z=_c(z_face)[0], wind=wind * z_face, sink=sink)
    return TransportOperator.build(grid, terms), source, exact


def momentum_only(per_decade: float, *, scheme: str = "third-order", reacceleration: bool = True) -> Problem:
    """Slab whose profile in z is exact: losses, reacceleration and sinks in ln p."""
    grid = slab_grid(7, HEIGHT, energies=energy_grid(*RANGE, per_decade))
    cell, face = _spectra(grid)
    dz = HEIGHT / (grid.z.n - 0.5)
    eigenvalue = (2.0 / dz * np.sin(0.25 * np.pi * dz / HEIGHT)) ** 2
    Z = np.cos(0.5 * np.pi * grid.z.centers / HEIGHT)
    source = (eigenvalue * cell.D + cell.s) * cell.f - cell.momentum_flux_slope(reacceleration)
    terms = coefficients(
        grid, D=cell.D, loss=cell.b, reacceleration=face.g if reacceleration else None, sink=cell.s
    )
    return TransportOperator.build(grid, terms, scheme=scheme), source * Z, cell.f * Z

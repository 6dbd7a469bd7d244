"""Small transport problems with closed solutions: grids, coefficients, norms, observed orders."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.grid import Grid, Kinematics, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.solve.steady import SteadySolver, solve_direct
from cyldiff.transport.coefficients import TransportCoefficients

__all__ = [
    "CARBON",
    "coefficients",
    "cylinder_grid",
    "direct",
    "iterate",
    "observed_orders",
    "one_energy",
    "operator",
    "plane_source",
    "relative_difference",
    "slab_grid",
]

Array = NDArray[np.float64]

#: charge, mass number, mass per nucleon [GeV]
CARBON = (6, 12, 0.93149410242)
#: the shortest energy grid: five energies, decoupled when nothing moves in momentum
one_energy = energy_grid(10.0, 20.0, 10.0)


def slab_grid(
    n_z: int = 25,
    half_height: float = 4.0,
    *,
    energies: Array = one_energy,
    stretch: float = 0.0,
    half_space: bool = True,
    kinks: tuple[float, ...] = (),
) -> Grid:
    """One-dimensional slab at the Sun."""
    return Grid.build(
        kinetic_energy=energies,
        radius=20.0,
        half_height=half_height,
        n_r=1,
        n_z=n_z,
        half_space=half_space,
        stretch=stretch,
        slab_at=8.5,
        kinks=kinks,
    )


def cylinder_grid(
    n_r: int = 21,
    n_z: int = 21,
    half_height: float = 4.0,
    *,
    radius: float = 20.0,
    energies: Array = one_energy,
    stretch: float = 0.0,
    half_space: bool = True,
) -> Grid:
    """Two-dimensional (r, z) grid."""
    return Grid.build(
        kinetic_energy=energies,
        radius=radius,
        half_height=half_height,
        n_r=n_r,
        n_z=n_z,
        half_space=half_space,
        stretch=stretch,
    )


def coefficients(
    grid: Grid,
    *,
    D: ArrayLike = 1.0,
    D_r: ArrayLike | None = None,
    D_z: ArrayLike | None = None,
    wind: ArrayLike | None = None,
    loss: ArrayLike = 0.0,
    reacceleration: ArrayLike | None = None,
    sink: ArrayLike = 0.0,
) -> TransportCoefficients:
    """Coefficients from plain arrays or numbers that broadcast; carbon's momenta.

    D : in the cells; D_r, D_z : on the faces, D if not given
    wind : on the z faces; loss : b in the cells; reacceleration : g on the momentum faces
    """
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    n_p, n_r, n_z = grid.shape
    log_p = np.log(nucleus.momentum)

    def full(values: ArrayLike, shape: tuple[int, ...]) -> Array:
        return np.array(np.broadcast_to(values, shape), dtype=float)

    faces = {"r": (n_p, n_r + 1, n_z), "z": (n_p, n_r, n_z + 1)}
    return TransportCoefficients(
        D_face={
            "r": full(D if D_r is None else D_r, faces["r"]),
            "z": full(D if D_z is None else D_z, faces["z"]),
        },
        V_face={"z": full(0.0 if wind is None else wind, (1, 1, n_z + 1))},
        D_center=full(D, grid.shape),
        loss_rate=full(loss, grid.shape),
        reacceleration_face=None if reacceleration is None else full(reacceleration, (n_p + 1, n_r, n_z)),
        sink_rate=full(sink, grid.shape),
        log_momentum=log_p,
        log_momentum_width=nucleus.dlnp_dlnT * grid.log_step,
        log_momentum_spacing=np.diff(log_p),
    )


def operator(grid: Grid, *, scheme: str = "third-order", **terms: Any) -> TransportOperator:
    """Operator of :func:`coefficients`."""
    return TransportOperator.build(grid, coefficients(grid, **terms), scheme=scheme)


def plane_source(grid: Grid, surface: ArrayLike = 1.0) -> Array:
    """q(r) delta(z): all of it in the cell on the plane, shape (n_p, n_r, n_z).

    surface : density per area [kpc^-2 Myr^-1], a number or one value per radial cell
    """
    source = np.zeros(grid.shape)
    thickness = grid.z.widths * (2.0 if grid.z.folded else 1.0)
    middle = 0 if grid.z.folded else grid.z.n // 2
    source[..., middle] = np.broadcast_to(surface, grid.r.n) / thickness[middle]
    return source


def iterate(problem: TransportOperator, source: Array, *, tolerance: float = 1e-11) -> Array:
    """Solution U [any unit] by the iteration; source of the shape of the grid [U / Myr]."""
    return SteadySolver(tolerance).solve(problem, source)[0]


def direct(problem: TransportOperator, source: Array) -> Array:
    """Solution by the sparse factorisation; as :func:`iterate`."""
    return solve_direct(problem, source)


def relative_difference(field: ArrayLike, reference: ArrayLike) -> float:
    """Largest over momenta of max|field - reference| / max|reference|, both over space."""
    field, reference = np.asarray(field), np.asarray(reference)
    space = tuple(range(1, field.ndim))
    return float(np.max(np.abs(field - reference).max(axis=space) / np.abs(reference).max(axis=space)))


def observed_orders(errors: ArrayLike, ratio: float = 2.0) -> Array:
    """ln(e_h / e_(h/ratio)) / ln(ratio) of successive refinements."""
    errors = np.asarray(errors, dtype=float)
    return np.asarray(np.log(errors[:-1] / errors[1:]) / np.log(ratio))

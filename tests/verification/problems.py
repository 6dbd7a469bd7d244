"""Small transport problems of the verification tests: grids, coefficients, norms, observed orders."""

from __future__ import annotations

import numpy as np

from cyldiff.grid import Grid, Kinematics, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.solve.steady import SteadySolver, solve_direct
from cyldiff.transport.coefficients import TransportCoefficients

__all__ = [
    "CARBON",
    "coefficients",
    "direct",
    "iterate",
    "observed_orders",
    "one_energy",
    "operator",
    "plane_source",
    "relative_difference",
    "slab_grid",
]

#: charge, mass number, mass per nucleon [GeV]
CARBON = (6, 12, 0.93149410242)
#: the shortest energy grid: five energies, decoupled when nothing moves in momentum
one_energy = energy_grid(10.0, 20.0, 10.0)


def slab_grid(n_z=25, half_height=4.0, *, energies=one_energy, stretch=0.0, half_space=True, kinks=()):
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
    n_r=21, n_z=21, half_height=4.0, *, radius=20.0, energies=one_energy, stretch=0.0, half_space=True
):
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


def coefficients(grid, *, D=1.0, D_r=None, D_z=None, wind=None, loss=0.0, reacceleration=None, sink=0.0):
    """Coefficients from plain arrays or numbers that broadcast; carbon's momenta.

    D : in the cells; D_r, D_z : on the faces, D if not given
    wind : on the z faces; loss : b in the cells; reacceleration : g on the momentum faces
    """
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    n_p, n_r, n_z = grid.shape
    log_p = np.log(nucleus.momentum)
    full = lambda values, shape: np.array(np.broadcast_to(values, shape), dtype=float)  # noqa: E731
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


def operator(grid, *, scheme="third-order", **terms):
    """Operator of :func:`coefficients`."""
    return TransportOperator.build(grid, coefficients(grid, **terms), scheme=scheme)


def plane_source(grid, surface=1.0):
    """q(r) delta(z): all of it in the cell on the plane, shape (n_p, n_r, n_z).

    surface : density per area [kpc^-2 Myr^-1], a number or one value per radial cell
    """
    source = np.zeros(grid.shape)
    thickness = grid.z.widths * (2.0 if grid.z.folded else 1.0)
    middle = 0 if grid.z.folded else grid.z.n // 2
    source[..., middle] = np.broadcast_to(surface, grid.r.n) / thickness[middle]
    return source


def iterate(problem, source, *, tolerance=1e-11):
    """Solution by the iteration."""
    return SteadySolver(tolerance).solve(problem, source)[0]


def direct(problem, source):
    """Solution by the sparse factorisation."""
    return solve_direct(problem, source)


def relative_difference(field, reference):
    """Largest over momenta of max|field - reference| / max|reference|, both over space."""
    field, reference = np.asarray(field), np.asarray(reference)
    space = tuple(range(1, field.ndim))
    return float(np.max(np.abs(field - reference).max(axis=space) / np.abs(reference).max(axis=space)))


def observed_orders(errors, ratio=2.0):
    """ln(e_h / e_(h/ratio)) / ln(ratio) of successive refinements."""
    errors = np.asarray(errors)
    return np.log(errors[:-1] / errors[1:]) / np.log(ratio)

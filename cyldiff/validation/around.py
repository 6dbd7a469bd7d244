"""A manufactured solution with a pattern around the circle, in (r, phi, z)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import j0, j1, jn_zeros

from cyldiff.grid import Grid, Kinematics
from cyldiff.operators import TransportOperator
from cyldiff.transport.coefficients import TransportCoefficients
from cyldiff.validation.manufactured import Problem
from cyldiff.validation.problems import CARBON, one_energy

__all__ = ["around_the_circle"]

Array = NDArray[np.float64]

#: the box of the case [kpc]
RADIUS, HEIGHT = 10.0, 3.0


def around_the_circle(n_r: int, n_phi: int, n_z: int, *, modulated: bool = True) -> Problem:
    """U = J0(zeta r/R) cos(pi z/2H) [1 + 0.3 cos(phi) (r/R)^2 (1 - r/R)] and D, sinks variable in r, phi, z.

    D_rr = a(r) c(z), D_zz = a c / 2, D_phiphi = 3 a c (the tensor is diagonal, not isotropic), and the
    sink depends on phi. The source is -div(D grad U) + S U, by hand.
    """
    grid = Grid.build(
        kinetic_energy=one_energy,
        radius=RADIUS,
        half_height=HEIGHT,
        n_r=n_r,
        n_z=n_z,
        half_space=True,
        n_phi=n_phi,
    )

    def a(r: Array) -> Array:
        return 1.0 + 0.8 * (r / RADIUS) ** 2

    def c(z: Array) -> Array:
        return 0.5 + (z / HEIGHT) ** 2

    r, phi, z = (grid.coordinate(name) for name in ("r", "phi", "z"))
    zeta = float(jn_zeros(0, 1)[0])
    k, m = zeta / RADIUS, 0.5 * np.pi / HEIGHT
    b = 0.3 if modulated else 0.0
    J, J1 = j0(k * r), -k * j1(k * r)
    # J'' from Bessel's equation
    J2 = -(k**2) * J - J1 / r
    x = r / RADIUS
    g, g1, g2 = x**2 - x**3, (2.0 * x - 3.0 * x**2) / RADIUS, (2.0 - 6.0 * x) / RADIUS**2
    cosine = b * np.cos(phi)
    F, F1 = J * (1 + g * cosine), J1 * (1 + g * cosine) + J * g1 * cosine
    F2 = J2 * (1 + g * cosine) + 2.0 * J1 * g1 * cosine + J * g2 * cosine
    Fpp = -J * g * cosine
    Z, Z1, Z2 = np.cos(m * z), -m * np.sin(m * z), -(m**2) * np.cos(m * z)
    a1, c1 = 1.6 * r / RADIUS**2, 2.0 * z / HEIGHT**2
    radial = c(z) * (a(r) * F2 + (a1 + a(r) / r) * F1) * Z
    vertical = 0.5 * a(r) * F * (c(z) * Z2 + c1 * Z1)
    azimuthal = 3.0 * a(r) * c(z) * Fpp / r**2 * Z
    sink = (0.2 + 0.1 * np.cos(phi) * x) * np.ones(grid.shape)
    exact = F * Z * np.ones(grid.shape)
    q = -(radial + vertical + azimuthal) + sink * exact
    D = a(r) * c(z) * np.ones(grid.shape)
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    log_p = np.log(nucleus.momentum)
    terms = TransportCoefficients(
        D_face={
            "r": a(grid.coordinate("r", faces=True)) * c(z),
            "phi": 3.0 * a(r) * c(z),
            "z": 0.5 * a(r) * c(grid.coordinate("z", faces=True)),
        },
        V_face={},
        D_center=D,
        loss_rate=np.zeros(grid.shape),
        reacceleration_face=None,
        sink_rate=sink,
        log_momentum=log_p,
        log_momentum_width=nucleus.dlnp_dlnT * grid.log_step,
        log_momentum_spacing=np.diff(log_p),
    )
    return TransportOperator.build(grid, terms), q, exact

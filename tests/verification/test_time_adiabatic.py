"""T11 in time: a wind V' z thins the gas out and cools it: U(x, t) = U0(x + V't/3) exp(-V't)."""

from __future__ import annotations

import numpy as np
import pytest
from problems import CARBON, coefficients, slab_grid

from cyldiff.grid import Kinematics, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.solve.crank_nicolson import Stepper

GRADIENT, END = 0.3, 5.0


def expansion(per_decade):
    """Energies, solution in the plane and exact solution after END."""
    grid = slab_grid(9, 4.0, energies=energy_grid(0.1, 1e4, per_decade))
    log_p = np.log(Kinematics(grid.kinetic_energy, *CARBON).momentum)
    middle = 0.5 * (log_p[0] + log_p[-1])
    spectrum = lambda x: np.exp(-(((x - middle) / 1.5) ** 2))  # noqa: E731
    # next to no diffusion: what the edge does stays there
    terms = coefficients(grid, D=1e-6, wind=GRADIENT * grid.z.faces, loss=GRADIENT / 3.0)
    start = np.broadcast_to(spectrum(log_p)[:, None, None], grid.shape)
    stepper = Stepper([TransportOperator.build(grid, terms)], lambda i, t, f: 0.0, tolerance=1e-5)
    field = stepper.advance([start], [END])[0][0]
    exact = spectrum(log_p + GRADIENT * END / 3.0) * np.exp(-GRADIENT * END)
    return grid.kinetic_energy, field[:, 0, :5], exact


@pytest.mark.parametrize("per_decade", [16, 32])
def test_uniform_expansion(per_decade):
    _, field, exact = expansion(per_decade)
    # homogeneous as far as the edge is not felt
    assert np.ptp(field, axis=1).max() < 1e-6 * exact.max()
    assert np.abs(field[:, 0] - exact).max() < 1e-3 * exact.max()


def test_third_order_in_momentum():
    errors = []
    for per_decade in (8, 16, 32):
        _, field, exact = expansion(per_decade)
        errors.append(np.abs(field[:, 0] - exact).max() / exact.max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(orders > 2.5), (errors, orders)

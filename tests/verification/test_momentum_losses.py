"""Losses alone (T9) and the adiabatic losses of a wind (T11, steady)."""

from __future__ import annotations

import numpy as np
import pytest
from exact import pure_loss
from problems import CARBON, direct, iterate, observed_orders, operator, plane_source, slab_grid
from scipy.special import erfc

from cyldiff.galaxy import Galaxy
from cyldiff.galaxy.gas import GasModel
from cyldiff.grid import Kinematics, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.transport.build import Propagation
from cyldiff.transport.convection import LinearWind
from cyldiff.transport.diffusion import PowerLawDiffusion
from cyldiff.transport.reacceleration import NoReacceleration

NO_ESCAPE = 1e-14  # kpc^2/Myr: nothing leaves in the time the losses take
EMPTY = GasModel.model_validate(
    {"HI": {"kind": "none"}, "H2": {"kind": "none"}, "HII": {"kind": "none"}, "helium_fraction": 0.0}
)


def _grid(per_decade, low=0.01, high=1e4):
    grid = slab_grid(5, energies=energy_grid(low, high, per_decade))
    return grid, Kinematics(grid.kinetic_energy, *CARBON)


def _line_error(per_decade, scheme):
    """A Gaussian line in ln p that cools: largest error of b U relative to all that was injected."""
    grid, nucleus = _grid(per_decade)
    x, middle, width = np.log(nucleus.momentum), np.log(100.0), 1.2
    b = 0.01 * np.exp(middle - x) + 0.02 * np.exp(0.5 * (x - middle))
    problem = operator(grid, D=NO_ESCAPE, loss=b[:, None, None], scheme=scheme)
    source = np.broadcast_to(np.exp(-(((x - middle) / width) ** 2))[:, None, None], grid.shape)
    exact = pure_loss(x, lambda _: b, lambda y: 0.5 * width * np.sqrt(np.pi) * erfc((y - middle) / width))
    found = direct(problem, source.copy())[:, 0, 0]
    return np.abs(b * (found - exact)).max() / (b * exact).max()


@pytest.mark.parametrize(
    ("scheme", "order", "at_32"),
    [("third-order", 3.0, 3e-5), ("chang-cooper", 1.0, 2e-2), ("upwind", 1.0, 2e-2)],
)
def test_order_of_the_schemes(scheme, order, at_32):
    """T9. Without momentum diffusion Chang and Cooper's flux is the upwind one."""
    errors = [_line_error(n, scheme) for n in (8, 16, 32, 64)]
    orders = observed_orders(errors)
    assert np.all(np.abs(orders - order) < 0.05), orders
    assert errors[2] < at_32


@pytest.mark.parametrize("power", [1.0, -2.0])
def test_power_law_source(power):
    """T9: b = b0 E^2 (power 1) gives psi = E^-(s+1) / (b0 (s-1)); power -2 is like ionisation."""
    grid, nucleus = _grid(12.0)
    p, s = nucleus.momentum, 2.3
    b = 0.01 * p**power
    problem = operator(grid, D=NO_ESCAPE, loss=b[:, None, None])
    source = np.broadcast_to((p ** (1.0 - s))[:, None, None], grid.shape).copy()
    # nothing is injected above the uppermost face
    top = nucleus.at(grid.kinetic_energy_faces[-1:]).momentum[0]
    exact = pure_loss(p, lambda _: b, lambda x: (x ** (1.0 - s) - top ** (1.0 - s)) / (s - 1.0))
    found = direct(problem, source)[:, 0, 0]
    below = grid.kinetic_energy < grid.kinetic_energy[-1] / 30.0
    np.testing.assert_allclose(found[below], exact[below], rtol=3e-3)
    assert np.all(found > 0.0)


def test_the_iteration_handles_losses_without_any_escape():
    grid, nucleus = _grid(16.0)
    problem = operator(grid, D=NO_ESCAPE, loss=(0.01 * nucleus.momentum)[:, None, None])
    source = np.broadcast_to((nucleus.momentum**-1.3)[:, None, None], grid.shape).copy()
    np.testing.assert_allclose(iterate(problem, source), direct(problem, source), rtol=1e-8)


def test_adiabatic_losses_of_a_uniform_expansion():
    """T11, steady: div V = V' everywhere, sources everywhere: U = 3 q / (V' (3 + s - 1)) for q ~ p^-s."""
    grid = slab_grid(21, energies=energy_grid(10.0, 1e5, 12.0))
    wind = LinearWind(V0="0 km/s", gradient="10 km/s/kpc")
    diffusion = PowerLawDiffusion(D0="1e26 cm^2/s", reference_rigidity="1 GV", delta=0.0, eta=0.0)
    galaxy = Galaxy.on_grid(EMPTY, grid)
    laws = Propagation(grid, galaxy, diffusion, wind, NoReacceleration(), losses=False)
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    problem = TransportOperator.build(grid, laws.coefficients(nucleus, np.zeros(grid.shape)))
    source = np.broadcast_to((nucleus.momentum**-1.3)[:, None, None], grid.shape).copy()
    found = iterate(problem, source)
    exact = 3.0 * source / (wind.gradient * (3.0 + 1.3))
    inside = (grid.kinetic_energy > 15.0) & (grid.kinetic_energy < 1e3), slice(None), slice(0, -1)
    np.testing.assert_allclose(found[inside], exact[inside], rtol=1e-3)


@pytest.mark.parametrize("half_space", [True, False])
def test_adiabatic_losses_at_the_plane(half_space):
    """A constant wind u turns at the plane: (2u/3) p delta(z) of losses, for q ~ p^-s

    N(0) [2u / (1 - exp(-uH/D)) + (2u/3)(s - 1)] = q.
    """
    H, s = 4.0, 2.3
    grid = slab_grid(
        21 if half_space else 41, H, energies=energy_grid(10.0, 1e5, 12.0), half_space=half_space
    )
    wind = LinearWind(V0="20 km/s", gradient="0 km/s/kpc")
    diffusion = PowerLawDiffusion(D0="1e28 cm^2/s", reference_rigidity="1 GV", delta=0.0, eta=0.0)
    galaxy = Galaxy.on_grid(EMPTY, grid)
    laws = Propagation(grid, galaxy, diffusion, wind, NoReacceleration(), losses=False)
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    problem = TransportOperator.build(grid, laws.coefficients(nucleus, np.zeros(grid.shape)))
    spectrum = nucleus.momentum ** (1.0 - s)
    found = iterate(problem, plane_source(grid) * spectrum[:, None, None])
    u, D = wind.V0, diffusion.D0
    rate = 2.0 * u / (1.0 - np.exp(-u * H / D)) + 2.0 * u / 3.0 * (s - 1.0)
    # the flux through the bottom is extrapolated: 0.8 % in the lowest cell, gone in the third
    below = (grid.kinetic_energy > 15.0) & (grid.kinetic_energy < 1e3)
    np.testing.assert_allclose(grid.at(found, 8.5)[below], (spectrum / rate)[below], rtol=1e-3)

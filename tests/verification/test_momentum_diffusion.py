"""T10: momentum diffusion alone: its equilibrium, its conservation and a power-law balance."""

from __future__ import annotations

import numpy as np
import pytest
from problems import CARBON, direct, observed_orders, operator, slab_grid

from cyldiff.grid import Kinematics, energy_grid

NO_ESCAPE = 1e-14
SCHEMES = ["third-order", "chang-cooper"]


def _grid(per_decade, low=0.01, high=1e4):
    grid = slab_grid(5, energies=energy_grid(low, high, per_decade))
    return grid, Kinematics(grid.kinetic_energy, *CARBON)


@pytest.mark.parametrize("scheme", ["chang-cooper", "upwind"])
def test_equilibrium_needs_no_source(scheme):
    """psi ~ p^2, U ~ p^3, whatever D_pp(p) is: fitted fluxes keep it to round-off."""
    grid, nucleus = _grid(12.0)
    rate = 0.02 * (1.0 + 0.9 * np.sin(np.arange(len(grid.kinetic_energy) + 1)))
    problem = operator(grid, D=NO_ESCAPE, reacceleration=rate[:, None, None], scheme=scheme)
    field = np.broadcast_to((nucleus.momentum**3)[:, None, None], grid.shape)
    left = problem.apply(field) / (problem.diagonal * field)
    assert np.abs(left).max() < 1e-12


def _departure_from_equilibrium(per_decade, scheme):
    """Closed box with a trace of sources and sinks, two decades of energy: spread of U / p^3."""
    grid, nucleus = _grid(per_decade, low=1.0, high=100.0)
    faces = nucleus.at(grid.kinetic_energy_faces).momentum
    rate = 0.02 * (faces / 100.0) ** -0.4
    problem = operator(grid, D=1e-16, reacceleration=rate[:, None, None], sink=1e-9, scheme=scheme)
    shape = direct(problem, np.ones(grid.shape))[:, 0, 0] / nucleus.momentum**3
    return np.ptp(shape) / shape.mean()


def test_equilibrium_is_reached():
    """Unfitted, the third-order scheme is second order here; a spectrum as steep as p^3 needs many cells."""
    assert _departure_from_equilibrium(12.0, "chang-cooper") < 1e-3
    errors = [_departure_from_equilibrium(n, "third-order") for n in (24.0, 48.0, 96.0)]
    assert np.all(observed_orders(errors) > 1.9), errors
    assert errors[-1] < 1e-2


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_particle_passes_the_ends_of_the_range(scheme):
    grid, _ = _grid(12.0)
    problem = operator(grid, D=NO_ESCAPE, reacceleration=0.02, scheme=scheme)
    field = np.random.default_rng(1).random(grid.shape)
    change = np.einsum("k,krz->rz", problem.width, problem.apply(field))
    size = np.einsum("k,krz->rz", problem.width, problem.diagonal * field)
    assert np.abs(change / size).max() < 1e-8  # what is left is the escape in NO_ESCAPE


def _balance_error(per_decade, scheme):
    """Source p^-s, escape 1/tau: g (a^2 - 3 a) U - U / tau + Q = 0 with U ~ p^a, a = 1 - s."""
    grid, nucleus = _grid(per_decade, low=1e-3, high=1e8)
    g, tau, a = 0.001, 30.0, -1.4  # the ends are forgotten as p^-3 and p^9
    problem = operator(grid, D=NO_ESCAPE, reacceleration=g, sink=1.0 / tau, scheme=scheme)
    power_law = nucleus.momentum**a
    source = np.broadcast_to(power_law[:, None, None], grid.shape).copy()
    exact = power_law / (1.0 / tau - g * (a * a - 3.0 * a))
    inside = (grid.kinetic_energy > 10.0) & (grid.kinetic_energy < 1e3)
    return np.abs(direct(problem, source)[inside, 0, 0] / exact[inside] - 1.0).max()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_power_law_balance_is_second_order(scheme):
    errors = [_balance_error(n, scheme) for n in (8, 16, 32)]
    assert np.all(observed_orders(errors) > 1.95), errors
    assert errors[-1] < 1e-2


def _losses_and_diffusion(per_decade, scheme):
    """Constant b and g without source: U'' - 3 U' + (b/g) U' = 0; the flux b U + g (U' - 3 U) vanishes

    for U ~ p^(3 - b/g), the quasi-equilibrium that Chang and Cooper's weights are made for.
    """
    grid, nucleus = _grid(per_decade, low=10.0, high=1e4)
    b, g = 0.05, 0.02
    problem = operator(grid, D=NO_ESCAPE, loss=b, reacceleration=g, scheme=scheme)
    field = np.broadcast_to((nucleus.momentum ** (3.0 - b / g))[:, None, None], grid.shape)
    left = (problem.apply(field) / (problem.diagonal * field))[2:-2]
    return np.abs(left).max()


def test_chang_cooper_keeps_the_balance_of_losses_and_acceleration():
    """To the precision to which ln p of the cells is uniform in ln T; the other scheme to its order."""
    assert _losses_and_diffusion(12.0, "chang-cooper") < 1e-10
    errors = np.array([_losses_and_diffusion(n, "third-order") for n in (12.0, 24.0)])
    assert np.all(errors > 1e-8)
    assert observed_orders(errors)[0] > 2.0


def test_fitted_flux_has_the_right_limits():
    """B(w): 1 at zero, -w towards minus infinity, w exp(-w) towards infinity; B(-w) - B(w) = w."""
    from cyldiff.operators.schemes import bernoulli

    w = np.concatenate([-np.logspace(6, -8, 60), np.logspace(-8, 6, 60)])
    np.testing.assert_allclose(bernoulli(-w) - bernoulli(w), w, rtol=1e-9, atol=1e-12)
    assert np.all(bernoulli(w) >= 0.0)


@pytest.mark.parametrize("ratio", [1e2, 1e4, 1e7])
def test_chang_cooper_is_upwind_where_diffusion_is_negligible(ratio):
    """Losses `ratio` times faster than reacceleration, as at low energy in the disc."""
    grid, nucleus = _grid(8.0)
    x = np.log(nucleus.momentum)
    line = np.exp(-((x - np.log(100.0)) ** 2))[:, None, None] * np.ones(grid.shape)
    terms = {"D": NO_ESCAPE, "loss": 0.02}
    fitted = direct(operator(grid, reacceleration=0.02 / ratio, scheme="chang-cooper", **terms), line)
    upwind = direct(operator(grid, scheme="upwind", **terms), line)
    assert np.abs(fitted - upwind).max() < 10.0 / ratio * upwind.max()

"""T2, T14, T15 in (r, phi, z): observed orders, agreement with two dimensions, conservation, periodicity."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from problems import CARBON, observed_orders, one_energy, relative_difference

from cyldiff.errors import ConvergenceError
from cyldiff.galaxy import Galaxy
from cyldiff.grid import Grid, Kinematics, energy_grid, per_momentum
from cyldiff.operators import TransportOperator
from cyldiff.solve.azimuthal import relative_residual
from cyldiff.solve.steady import SteadySolver, solve_direct
from cyldiff.transport.build import Propagation
from cyldiff.transport.convection import LinearWind, NoWind
from cyldiff.transport.diffusion import AnisotropicDiffusion, PowerLawDiffusion
from cyldiff.transport.reacceleration import NoReacceleration, SeoPtuskin1994
from cyldiff.validation.around import around_the_circle

DIFFUSION = PowerLawDiffusion(D0="5.8e28 cm^2/s", reference_rigidity="4 GV", delta=0.33, eta=1.0)
ANISOTROPIC = AnisotropicDiffusion(
    parallel=DIFFUSION,
    perpendicular=PowerLawDiffusion(D0="2e28 cm^2/s", reference_rigidity="4 GV", delta=0.5, eta=0.5),
)
ALL = {
    "wind": LinearWind(V0="5 km/s", gradient="3 km/s/kpc"),
    "alfven": SeoPtuskin1994(alfven_speed="30 km/s"),
}


def mesh(n_phi: int | None = 8, *, n_r=8, n_z=7, half_space=True, energies=(0.1, 1e4, 3.0)):
    return Grid.build(
        kinetic_energy=energy_grid(*energies),
        radius=20.0,
        half_height=4.0,
        n_r=n_r,
        n_z=n_z if half_space else 2 * n_z - 1,
        half_space=half_space,
        stretch=4.0,
        n_phi=n_phi,
    )


def around(grid):
    """Three unequal bumps around the circle that twist with r; 1 everywhere in two dimensions."""
    if grid.phi is None:
        return np.ones((1, 1))
    phi, r = grid.coordinate("phi")[0], grid.coordinate("r")[0]
    return 1.0 + 0.6 * np.cos(2.0 * phi + 3.0 * np.log(r)) + 0.2 * np.sin(phi)


def problem(
    grid, *, gas_arms=False, diffusion=DIFFUSION, wind=None, alfven=None, scheme="third-order", turn=0
):
    """Carbon with losses and collisions in a gas disc, in arms if wanted, turned by `turn` cells in phi."""
    disc = np.exp(-grid.coordinate("r")[0] / 8.0 - np.abs(grid.coordinate("z")[0]) / 0.2) * np.ones(
        grid.shape[1:]
    )
    if gas_arms:
        disc = disc * around(grid)
    if turn:
        disc = np.roll(disc, turn, axis=1)
    gas = Galaxy(disc, 0.03 * disc, 0.1)
    motion = Propagation(grid, gas, diffusion, wind or NoWind(), alfven or NoReacceleration())
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    sink = per_momentum(0.4 * nucleus.beta, len(grid.axes)) * gas.hydrogen
    return TransportOperator.build(grid, motion.coefficients(nucleus, sink), scheme=scheme)


def spectrum(grid):
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    return per_momentum(nucleus.momentum_per_energy * nucleus.rigidity**-2.3, len(grid.axes))


def source(grid):
    """Disc with arms and one bright cell."""
    q = np.exp(-grid.coordinate("r") / 6.0 - np.abs(grid.coordinate("z")) / 0.3) * np.ones(grid.shape)
    if grid.phi is not None:
        q = q * around(grid)
        q[:, grid.r.n // 2, 3, grid.z.n // 3] += 5.0
    return q * spectrum(grid)


def solve(operator, q, tolerance=1e-11):
    return SteadySolver(tolerance).solve(operator, q)[0]


# T2: manufactured solutions


def error(case):
    """L2 norm over space of the error, over that of the solution."""
    operator, q, exact = case
    squares = [
        np.sum(field**2 * operator.grid.volume) for field in (solve(operator, q, 1e-10) - exact, exact)
    ]
    return float(np.sqrt(squares[0] / squares[1]))


def test_second_order_in_three_dimensions():
    """T2: r, phi and z refined together."""
    errors = [error(around_the_circle(n, n, n // 2 + 1)) for n in (16, 32, 64)]
    assert np.all(np.abs(observed_orders(errors) - 2.0) < 0.08), errors
    assert errors[-1] < 1e-4


def test_second_order_in_phi_alone():
    """The error in phi is what a finer mesh in phi changes: differences of solutions fall by four."""
    solutions = [solve(*around_the_circle(12, n, 7)[:2], 1e-12) for n in (12, 24, 48, 96)]
    at_common = [x[0, :, :: x.shape[2] // 12, :] for x in solutions]
    steps = [np.abs(b - a).max() for a, b in pairwise(at_common)]
    assert np.all(np.abs(observed_orders(steps) - 2.0) < 0.1), steps


def test_second_order_in_r_and_z_around_the_axis():
    """No node lies on r = 0; a pattern that depends on phi there keeps the order."""
    errors = [error(around_the_circle(n, 64, n + 1)) for n in (12, 24, 48)]
    assert np.all(np.abs(observed_orders(errors) - 2.0) < 0.08), errors


# The iteration against the sparse factorisation

CASES = {
    "plain": {},
    "every process": ALL,
    "chang-cooper": {**ALL, "scheme": "chang-cooper"},
    "anisotropic": {**ALL, "diffusion": ANISOTROPIC},
}


@pytest.mark.parametrize("gas_arms", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_agreement_with_the_sparse_factorisation(case, gas_arms):
    grid = mesh(half_space=case != "anisotropic")
    operator, q = problem(grid, gas_arms=gas_arms, **CASES[case]), source(grid)
    found, report = SteadySolver(1e-11).solve(operator, q)
    assert relative_difference(found, solve_direct(operator, q)) < 1e-8
    # axisymmetric coefficients: the mean and one pass through the modes
    assert (len(report.history) == 2) == (not gas_arms)


def test_residual_is_the_true_one():
    """What the kernel reports is what the operator gives."""
    grid = mesh()
    operator, q = problem(grid, gas_arms=True, **ALL), source(grid)
    found, report = SteadySolver(1e-6).solve(operator, q)
    assert relative_residual(operator, found, q)[1] == pytest.approx(report.residual, rel=1e-6)
    assert report.residual <= 1e-6


def test_a_guess_is_used():
    grid = mesh()
    operator, q = problem(grid, gas_arms=True), source(grid)
    cold, report = SteadySolver(1e-9).solve(operator, q)
    warm, again = SteadySolver(1e-9).solve(operator, q, guess=cold)
    assert again.steps == 0
    assert report.steps > 0
    np.testing.assert_array_equal(warm, cold)


def test_a_source_at_one_momentum_only():
    """Nothing enters the other momenta but what comes from above."""
    grid = mesh()
    operator = problem(grid)
    q = np.zeros(grid.shape)
    q[10, 4, 2, 1] = 1.0
    found = solve(operator, q, 1e-10)
    exact = solve_direct(operator, q)
    assert np.abs(found - exact).max() < 1e-8 * exact.max()


def test_a_feedback_is_part_of_the_equation():
    """A source that depends on the solution, here a tenth of the sinks, equals smaller sinks."""
    grid = mesh()
    operator, q = problem(grid, gas_arms=True), source(grid)
    share = 0.1 * operator.sink_rate
    found, _ = SteadySolver(1e-11).solve(operator, q, feedback=lambda x: share * x)
    matrix = TransportOperator.build(grid, _with_sink(grid, 0.9))
    assert relative_difference(found, solve_direct(matrix, q)) < 1e-8


def _with_sink(grid, factor):
    disc = np.exp(-grid.coordinate("r")[0] / 8.0 - np.abs(grid.coordinate("z")[0]) / 0.2) * around(grid)
    gas = Galaxy(disc * np.ones(grid.shape[1:]), 0.03 * disc * np.ones(grid.shape[1:]), 0.1)
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    sink = per_momentum(0.4 * nucleus.beta, len(grid.axes)) * gas.hydrogen
    return Propagation(grid, gas, DIFFUSION, NoWind(), NoReacceleration()).coefficients(
        nucleus, factor * sink
    )


def test_not_converged_is_an_error():
    grid = mesh()
    operator, q = problem(grid, gas_arms=True), source(grid)
    with pytest.raises(ConvergenceError, match="the tolerance is"):
        SteadySolver(1e-11, maximum_cycles=1, maximum_krylov=1).solve(operator, q)


# T15: two dimensions


@pytest.mark.parametrize("case", ["plain", "every process"])
@pytest.mark.parametrize("half_space", [True, False])
def test_an_axisymmetric_source_is_the_two_dimensional_one(case, half_space):
    grid = mesh(12, half_space=half_space)
    flat = grid.meridional
    found = solve(problem(grid, **CASES[case]), np.ones(grid.shape) * source(flat)[:, :, None, :])
    expected = solve(problem(flat, **CASES[case]), source(flat))
    np.testing.assert_allclose(found, np.broadcast_to(expected[:, :, None, :], grid.shape), rtol=1e-8)


@pytest.mark.parametrize("place", [(0, 3), (5, 1)])
def test_mean_over_phi_of_a_point_source_is_the_ring(place):
    """A cell of the 3-D grid that injects one particle, and the whole ring that does so."""
    grid = mesh(16)
    flat = grid.meridional
    point, ring = np.zeros(grid.shape), np.zeros(flat.shape)
    point[:, place[0], 5, place[1]] = 1.0 / grid.volume[place[0], 5, place[1]]
    ring[:, place[0], place[1]] = 1.0 / flat.volume[place]
    found = solve(problem(grid, **ALL), point * spectrum(grid))
    expected = solve(problem(flat, **ALL), ring * spectrum(flat))
    assert relative_difference(found.mean(axis=2), expected) < 1e-8
    # the point itself is not a ring
    assert found[:, 5, 5, 0].max() > 1.02 * found[:, 5].mean(axis=1)[:, 0].max()


def test_a_source_at_a_point_is_symmetric_about_its_meridian():
    grid = mesh(16)
    q = np.zeros(grid.shape)
    q[:, 4, 6, 1] = 1.0
    found = solve(problem(grid, **ALL), q)
    mirrored = found[:, :, (12 - np.arange(16)) % 16, :]
    assert relative_difference(found, mirrored) < 1e-8


@pytest.mark.parametrize("turn", [1, 5])
def test_turning_the_sources_and_the_gas_turns_the_solution(turn):
    grid = mesh(8)
    q = source(grid)
    found = solve(problem(grid, gas_arms=True, **ALL), q)
    turned = solve(problem(grid, gas_arms=True, turn=turn, **ALL), np.roll(q, turn, axis=2))
    assert relative_difference(turned, np.roll(found, turn, axis=2)) < 1e-9


def test_the_solution_is_positive_and_linear():
    grid = mesh(8)
    operator = problem(grid, gas_arms=True, **ALL)
    q = source(grid)
    other = np.roll(q, 3, axis=2)
    a, b, both = (solve(operator, s) for s in (q, other, 2.0 * q + 3.0 * other))
    assert min(a.min(), b.min()) > 0.0
    assert relative_difference(both, 2.0 * a + 3.0 * b) < 1e-9


# T14: conservation


@pytest.mark.parametrize("half_space", [True, False])
def test_finite_volume_identity(half_space):
    """Sum of (A x) over all cells = sinks + outflow, for a field that solves nothing."""
    grid = mesh(8, half_space=half_space)
    operator = problem(grid, gas_arms=True, diffusion=ANISOTROPIC, **ALL)
    weight = per_momentum(operator.width, 3) * grid.volume
    field = np.random.default_rng(7).random(grid.shape)
    total = np.sum(operator.apply(field) * weight)
    sinks = np.sum(operator.sink_rate * field * weight)
    flows = operator.outflow(field)
    assert abs(total - sinks - sum(flows.values())) < 1e-12 * np.sum(operator.diagonal * field * weight)
    assert flows["phi_low"] == flows["phi_high"] == flows["r_low"] == 0.0
    assert min(flows["r_high"], flows["z_high"], flows["p_low"]) > 0.0


def test_particles_of_a_solution_balance():
    grid = mesh(8)
    operator, q = problem(grid, gas_arms=True, **ALL), source(grid)
    found = solve(operator, q)
    weight = per_momentum(operator.width, 3) * grid.volume
    gone = np.sum(operator.sink_rate * found * weight) + sum(operator.outflow(found).values())
    assert gone == pytest.approx(np.sum(q * weight), rel=1e-9)


def test_matrix_and_operator_are_the_same():
    grid = mesh(6)
    operator = problem(grid, gas_arms=True, diffusion=ANISOTROPIC, **ALL)
    field = np.random.default_rng(5).random(grid.shape)
    np.testing.assert_allclose(
        operator.to_csr() @ field.ravel(), operator.apply(field).ravel(), rtol=1e-11, atol=1e-11
    )


# The observer


def smooth(r, phi, z):
    """A field of x = r cos(phi), y = r sin(phi) and z."""
    return np.exp(-0.03 * r**2 - 0.1 * z**2) * (
        1.0 + 0.2 * r * np.sin(phi) / 8.0 + 0.1 * r * np.cos(phi) / 8.0
    )


@pytest.mark.parametrize("half_space", [True, False])
def test_value_and_gradient_at_the_sun(half_space):
    """At phi = pi: x = -r, so that the radial derivative is -d/dx and (1/r) d/dphi is -d/dy."""
    errors = []
    for n in (16, 32, 64):
        grid = Grid.build(
            kinetic_energy=one_energy,
            radius=20.0,
            half_height=4.0,
            n_r=n,
            n_z=n // 2 + 1 if half_space else n + 1,
            half_space=half_space,
            n_phi=n,
        )
        r, phi, z = (grid.coordinate(name) for name in ("r", "phi", "z"))
        field = smooth(r, phi, z) * np.ones(grid.shape)
        value, gradient = grid.at(field, 8.5, 0.2), grid.gradient_at(field, 8.5, 0.2)
        assert value.shape == (grid.shape[0],)
        assert gradient.shape == (3, grid.shape[0])
        h = 1e-6
        expected = [
            (smooth(8.5 + h, np.pi, 0.2) - smooth(8.5 - h, np.pi, 0.2)) / (2 * h),
            (smooth(8.5, np.pi + h, 0.2) - smooth(8.5, np.pi - h, 0.2)) / (2 * h * 8.5),
            (smooth(8.5, np.pi, 0.2 + h) - smooth(8.5, np.pi, 0.2 - h)) / (2 * h),
        ]
        errors.append([abs(value[0] - smooth(8.5, np.pi, 0.2)), *np.abs(gradient[:, 0] - np.array(expected))])
    errors = np.array(errors)
    assert np.all(errors[-1] < [1e-6, 1e-5, 1e-5, 1e-5]), errors
    # third order of the cubic's slope, or better
    assert np.all(np.log2(errors[0, 1:] / errors[2, 1:]) / 2 > 2.5), errors


def test_interpolation_passes_the_seam():
    """phi = 0 is an ordinary place, whatever multiple of 2 pi names it."""
    grid = mesh(24, energies=(10.0, 20.0, 10.0))
    r, phi, z = (grid.coordinate(name) for name in ("r", "phi", "z"))
    field = smooth(r, phi, z) * np.ones(grid.shape)
    for angle in (-0.1, 0.0, 0.1, 6.2):
        here = grid.at(field, 9.0, 0.0, angle)
        np.testing.assert_allclose(here, grid.at(field, 9.0, 0.0, angle + 2.0 * np.pi), rtol=1e-12)
        assert here[0] == pytest.approx(smooth(9.0, angle, 0.0), rel=2e-3)


def test_the_gradient_points_to_a_source_beside_the_sun():
    """A source towards l = 90 deg, at phi < pi: the density falls with phi."""
    grid = mesh(32, n_r=16, energies=(10.0, 1e4, 3.0))
    q = np.zeros(grid.shape)
    q[:, 7, 14, 0] = 1.0
    found = solve(problem(grid), q)
    slope = grid.gradient_at(found, 8.5)
    assert np.all(slope[1] < 0.0)
    np.testing.assert_array_equal(slope[2], 0.0)

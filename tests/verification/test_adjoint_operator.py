"""The adjoint operator: the inner-product identity, and the solvers of the operator applied to it."""

from __future__ import annotations

import numpy as np
import pytest
from galaxy_model import ALL_PROCESSES, SPATIALLY_DEPENDENT, small_run

from cyldiff.grid import per_momentum
from cyldiff.operators.adjoint import adjoint, at_momenta, scaled, without_momentum
from cyldiff.pipeline import build_chain, build_grid
from cyldiff.solve.crank_nicolson import Stepper
from cyldiff.solve.steady import SteadySolver, solve_direct

EVERYTHING = {
    "losses and spallation": (),
    "every process": ALL_PROCESSES,
    "spatially dependent": (*ALL_PROCESSES, *SPATIALLY_DEPENDENT),
    "both half-spaces": (*ALL_PROCESSES, "grid.space.half_space = false"),
    "three dimensions": (*ALL_PROCESSES, "grid.space.phi = { n = 6 }"),
}


def operator(overrides, scheme="third-order", species="C12"):
    run = small_run((species,), (*overrides, f'solver.momentum_scheme = "{scheme}"'), n_r=7, n_z=9)
    return build_chain(run.config, build_grid(run.config)).operator(0)


def weights(problem):
    return per_momentum(problem.width, len(problem.grid.axes)) * problem.grid.volume


def fields(problem, seed, number=2):
    """Random fields, smoothly falling with momentum as real ones do."""
    return np.random.default_rng(seed).uniform(0.1, 1.0, (number, *problem.grid.shape))


@pytest.mark.parametrize("scheme", ["third-order", "chang-cooper", "upwind"])
@pytest.mark.parametrize("case", EVERYTHING)
def test_inner_product_identity(case, scheme):
    """<a, A b> = <A* a, b> to round-off, with every process on."""
    forward = operator(EVERYTHING[case], scheme)
    backward = adjoint(forward)
    a, b = fields(forward, 3)
    w = weights(forward)
    left = np.sum(a * forward.apply(b) * w)
    right = np.sum(backward.apply(a[::-1])[::-1] * b * w)
    assert abs(left - right) < 1e-13 * np.sum(a * np.abs(forward.diagonal) * b * w)
    # the parts that solvers precondition with obey it too
    if forward.reacceleration is not None:
        product = {}
        for name, problem, x, y in (("forward", forward, a, b), ("backward", backward, b[::-1], a[::-1])):
            bands = problem.reacceleration
            image = bands[0] * y
            image[1:] -= bands[-1][1:] * y[:-1]
            image[:-1] -= bands[1][:-1] * y[1:]
            product[name] = np.sum(x * image * weights(problem))
        assert product["backward"] == pytest.approx(product["forward"], rel=1e-12)


@pytest.mark.parametrize("case", ["every process", "three dimensions"])
def test_adjoint_of_the_adjoint(case):
    forward = operator(EVERYTHING[case])
    again = adjoint(adjoint(forward))
    x = fields(forward, 4, 1)[0]
    np.testing.assert_allclose(again.apply(x), forward.apply(x), rtol=1e-11)
    assert again.upward is False


def test_diffusion_is_its_own_adjoint_and_a_wind_is_not():
    still = without_momentum(operator(()))
    windy = without_momentum(operator(ALL_PROCESSES))
    for problem, same in ((still, True), (windy, False)):
        x = fields(problem, 5, 1)[0]
        turned = adjoint(problem).apply(x[::-1])[::-1]
        assert np.allclose(turned, problem.apply(x), rtol=1e-9) is same


def importance(problem):
    """What a power-law source injects per ln p: the weight of momenta in a sum over them."""
    t = problem.grid.kinetic_energy
    return (t * (t + 1.863)) ** -0.65 * problem.width


@pytest.mark.parametrize("case", EVERYTHING)
def test_the_sweeps_apply(case):
    """One momentum is observed: in a few cycles the sweeps find what a sparse factorisation finds.

    Responses to other momenta cover many decades; what counts is their sum with a spectrum.
    """
    backward = adjoint(operator(EVERYTHING[case]))
    q = np.zeros(backward.grid.shape)
    k = q.shape[0] // 2
    q[(k, 3, *([2] if q.ndim == 4 else []), q.shape[-1] // 2)] = 1.0
    weight = importance(backward)
    allowed = 1e-10 * q.max() * backward.grid.volume.min() * weight[k] / weight
    found, _ = SteadySolver(1e-10, maximum_cycles=20).reduce(backward, q, allowed)
    exact = solve_direct(backward, q)
    w = weights(backward) * per_momentum(weight, q.ndim - 1)
    assert np.sum(np.abs(found - exact) * w) < 1e-8 * np.sum(exact * w)


@pytest.mark.parametrize("case", ["losses and spallation", "every process", "spatially dependent"])
def test_the_same_number_from_both_sides(case):
    """<o, A^-1 q> = <A*^-1 o, q>: one adjoint solve replaces a solve per source."""
    forward = operator(EVERYTHING[case], species="H1")
    w = weights(forward)
    o, q = fields(forward, 6)
    u, _ = SteadySolver(1e-11).solve(forward, q)
    r, _ = SteadySolver(1e-11).solve(adjoint(forward), o[::-1])
    assert np.sum(r[::-1] * q * w) == pytest.approx(np.sum(o * u * w), rel=1e-8)


def test_the_same_number_from_both_sides_in_time():
    """<o, U(t)> = <R(t), U(0)>, with the error of the time steps."""
    forward = operator(ALL_PROCESSES)
    w = weights(forward)
    o, start = (np.zeros(forward.grid.shape) for _ in range(2))
    smooth = np.exp(-((forward.grid.r.centers[:, None] - 6.0) ** 2) / 40.0 - np.abs(forward.grid.z.centers))
    o[20], start[:] = smooth, smooth[::-1] * np.exp(-0.1 * np.arange(len(start)))[:, None, None]
    found = []
    for problem, first in ((forward, start), (adjoint(forward), o[::-1])):
        weight = importance(problem) if problem.upward else None
        stepper = Stepper([problem], lambda index, time, fields: 0.0, tolerance=1e-5, weight=weight)
        found.append(stepper.advance([first], [3.0])[0][0])
    left, right = np.sum(o * found[0] * w), np.sum(found[1][::-1] * start * w)
    assert right == pytest.approx(left, rel=1e-4)
    assert abs(left / np.sum(o * start * w) - 1.0) > 0.1


def test_momenta_alone():
    """Some rows of the operator, with nothing from beyond them."""
    forward = operator(ALL_PROCESSES)
    part = at_momenta(forward, 5, 17)
    x = np.zeros(forward.grid.shape)
    x[5:17] = fields(forward, 8, 1)[0][5:17]
    np.testing.assert_allclose(part.apply(x[5:17]), forward.apply(x)[5:17], rtol=1e-12)
    assert set(part.outflow(x[5:17]).values()) == {0.0}


def test_scaled_operator():
    forward = without_momentum(operator(ALL_PROCESSES))
    factor = np.linspace(1.0, 2.0, forward.grid.shape[0])
    x = fields(forward, 9, 1)[0]
    expected = factor[:, None, None] * forward.apply(x)
    np.testing.assert_allclose(scaled(forward, factor).apply(x), expected, rtol=1e-12)


def test_without_momentum_conserves_energy():
    """Only sinks and escape are left: no momentum knows of another."""
    problem = without_momentum(operator(ALL_PROCESSES))
    x = np.zeros(problem.grid.shape)
    x[10] = 1.0
    image = problem.apply(x)
    assert not image[:10].any()
    assert not image[11:].any()
    escape = sum(flow for name, flow in problem.outflow(x).items() if name != "p_low")
    volume = problem.grid.volume * problem.width[10]
    balance = np.sum((image - problem.sink_rate * x)[10] * volume)
    assert balance == pytest.approx(escape, rel=1e-10)

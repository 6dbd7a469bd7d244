"""Sources that jump, and steps much longer than dx^2 / D: what the damped start is for."""

from __future__ import annotations

import numpy as np
import pytest
from problems import operator, plane_source, slab_grid
from time_problems import fixed_steps, no_source

from cyldiff.solve.crank_nicolson import Stepper
from cyldiff.solve.steady import solve_direct

D, H = 0.5, 4.0


@pytest.fixture(scope="module")
def slab():
    """Narrow cells: dx^2 / D is 1e-4 Myr in the plane and 0.3 Myr at the edge."""
    grid = slab_grid(41, H, stretch=4.0)
    problem = operator(grid, D=D)
    source = plane_source(grid)
    return grid, problem, source, solve_direct(problem, source)


def alternation(fields):
    """Largest change of a value, in the direction opposite to the change before."""
    steps = np.diff([u[0, 0] for u in fields], axis=0)
    return float(np.max(np.where(steps[1:] * steps[:-1] < 0.0, np.abs(steps[1:]), 0.0)))


#: steps of 1 Myr
TIMES = np.arange(0.0, 16.0)


def switch_on(slab, *, damped):
    grid, problem, source, steady = slab
    fields = fixed_steps(problem, np.zeros(grid.shape), TIMES, source=lambda i, t, f: source, damped=damped)
    return [u / steady[0, 0, 0] for u in fields]


def switch_off(slab, *, damped):
    _, problem, _, steady = slab
    fields = fixed_steps(problem, steady, TIMES, source=no_source, damped=damped)
    return [u / steady[0, 0, 0] for u in fields]


@pytest.mark.parametrize("case", [switch_on, switch_off])
def test_no_ringing(slab, case):
    fields = case(slab, damped=True)
    assert min(float(u.min()) for u in fields) >= -1e-9
    assert alternation(fields) < 1e-3
    # after 15 Myr of H^2/D = 32 Myr it is the solution of small steps
    exact = Stepper(
        [slab[1]], (lambda i, t, f: slab[2]) if case is switch_on else no_source, tolerance=1e-6
    ).advance([fields[0] * slab[3][0, 0, 0]], [TIMES[-1]])[0][0]
    assert np.abs(fields[-1] - exact / slab[3][0, 0, 0]).max() < 2e-3


@pytest.mark.parametrize("case", [switch_on, switch_off])
def test_it_would_ring(slab, case):
    """The same without the damped start: the plane jumps up and down by percents of its steady value."""
    fields = case(slab, damped=False)
    assert alternation(fields) > 0.05
    late = fields[-5:]
    assert alternation(late) > 0.02


def test_it_would_be_negative(slab):
    """A short burst in the plane, followed without the damped start."""
    _, problem, source, _ = slab
    fields = fixed_steps(problem, source, TIMES[:4], source=no_source, damped=False)
    assert min(float(u.min()) for u in fields[1:]) < -0.1 * float(fields[1].max())
    fields = fixed_steps(problem, source, TIMES[:4], source=no_source, damped=True)
    assert min(float(u.min()) for u in fields[1:]) >= 0.0


def test_on_and_off_with_controlled_steps(slab):
    """A source from 1 to 3 Myr, outputs all along, tolerance 1e-2: nothing negative, nothing rings."""
    grid, problem, source, steady = slab
    times = [0.5, *np.arange(1.0, 8.0, 0.25)]
    stepper = Stepper([problem], lambda i, t, f: source * (1.0 <= t < 3.0), tolerance=1e-2)
    fields = [u for (u,) in stepper.advance([np.zeros(grid.shape)], times, switches=[1.0, 3.0])]
    plane = np.array([u[0, 0, 0] for u in fields]) / steady[0, 0, 0]
    assert np.all(fields[0] == 0.0)
    assert min(float(u.min()) for u in fields) >= -1e-6 * steady.max()
    on = np.array(times) <= 3.0
    assert np.all(np.diff(plane[on]) >= 0.0)
    assert np.all(np.diff(plane[~on]) < 0.0)
    assert stepper.report.steps[-1] > 50.0 * np.min(grid.z.widths) ** 2 / D

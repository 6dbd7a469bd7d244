"""T1 in time: a manufactured solution with every term, times (1 + 1/2 cos wt), at fixed steps."""

from __future__ import annotations

import numpy as np
from manufactured import space_and_momentum
from problems import observed_orders
from time_problems import fixed_steps

OMEGA, END = 2.0 * np.pi / 3.0, 3.0


def factor(t):
    """Amplitude and its derivative."""
    return 1.0 + 0.5 * np.cos(OMEGA * t), -0.5 * OMEGA * np.sin(OMEGA * t)


def error(problem, source, exact, steps):
    """Largest error at the end over the largest value; `source` is A U of the amplitude 1."""

    def q(index, time, fields):
        amplitude, slope = factor(time)
        return amplitude * source + slope * exact

    times = np.linspace(0.0, END, steps + 1)
    start = factor(0.0)[0] * exact
    field = fixed_steps(problem, start, times, source=q, damped=False, tolerance=1e-6)[-1]
    return float(np.abs(field / factor(END)[0] - exact).max() / exact.max())


def errors_in_time(steps=(8, 16, 32, 64)):
    """The discrete operator's own solution: nothing but the error of time."""
    problem, _, exact = space_and_momentum(12, 13, 6)
    return [error(problem, problem.apply(exact), exact, n) for n in steps]


def errors_together(levels=(8, 16, 32)):
    """Steps, r, z and ln p refined together."""
    return [error(*space_and_momentum(n, n + 1, n / 2), 2 * n) for n in levels]


def test_second_order_in_time():
    errors = errors_in_time()
    orders = observed_orders(errors)
    assert np.all(np.abs(orders[-2:] - 2.0) < 0.05), (errors, orders)
    assert errors[-1] < 1e-3


def test_second_order_in_time_space_and_momentum():
    errors = errors_together()
    orders = observed_orders(errors)
    assert np.all(orders > 1.9), (errors, orders)

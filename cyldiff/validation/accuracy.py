"""Orders of accuracy on manufactured solutions (Roache 2002, J. Fluids Eng. 124, 4): T1, T2."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cyldiff.operators import TransportOperator
from cyldiff.solve.crank_nicolson import Stepper
from cyldiff.validation.around import around_the_circle
from cyldiff.validation.case import Case, Check, Refinement, below, orders
from cyldiff.validation.manufactured import (
    Problem,
    momentum_only,
    radial_only,
    space_and_momentum,
    vertical_only,
)
from cyldiff.validation.problems import iterate

__all__ = ["CASES", "error"]

Array = NDArray[np.float64]
Checks = Sequence[Check | Refinement]

GROUP = "Order of accuracy"
MANUFACTURED = "manufactured solution with every coefficient variable, its source differentiated by hand"


def error(case: Problem) -> float:
    """Largest error anywhere over the largest value anywhere."""
    problem, source, exact = case
    return float(np.abs(iterate(problem, source, tolerance=1e-10) - exact).max() / np.abs(exact).max())


def _radius() -> Checks:
    cells = (20, 40, 80, 160)
    return orders(
        "r", [f"{n} cells" for n in cells], [error(radial_only(n)) for n in cells], 2.0, within=0.08
    )


def _height() -> Checks:
    cells = (20, 40, 80, 160)
    errors = [error(vertical_only(n + 1)) for n in cells]
    return orders("z, uniform cells, with wind", [f"{n + 1} cells" for n in cells], errors, 2.0, within=0.08)


def _stretched() -> Checks:
    cells = (40, 80, 160, 320)
    errors = [error(vertical_only(n + 1, stretch=4.0)) for n in cells]
    return orders("z, sinh cells, with wind", [f"{n + 1} cells" for n in cells], errors, 2.0, within=0.1)


def _acceleration() -> Checks:
    found: list[Check | Refinement] = []
    for scheme in ("third-order", "chang-cooper"):
        numbers = (16, 32, 64, 128)
        errors = [error(momentum_only(n, scheme=scheme)) for n in numbers]
        meshes = [f"{n} per decade" for n in numbers]
        found += orders(f"ln p, {scheme}, reacceleration and losses", meshes, errors, 2.0, within=0.12)
    return found


def _losses() -> Checks:
    found: list[Check | Refinement] = []
    for scheme, order in (("third-order", 3.0), ("chang-cooper", 1.0)):
        numbers = (8, 16, 32, 64)
        errors = [error(momentum_only(n, scheme=scheme, reacceleration=False)) for n in numbers]
        meshes = [f"{n} per decade" for n in numbers]
        found += orders(f"ln p, {scheme}, losses only", meshes, errors, order, within=0.05)
    return found


def _together() -> Checks:
    levels = (8, 16, 32, 64)
    errors = [error(space_and_momentum(n, n + 1, n / 2)) for n in levels]
    meshes = [f"{n} x {n + 1} cells, {n // 2} per decade" for n in levels]
    return [
        *orders("r, z and ln p together", meshes, errors, 2.0, within=0.25),
        below("error on the finest", errors[-1], 1e-3),
    ]


def _around() -> Checks:
    levels = (12, 24, 48)
    errors = []
    for n in levels:
        problem, source, exact = around_the_circle(n, n, n // 2 + 1)
        weight = problem.grid.volume
        field = iterate(problem, source, tolerance=1e-10)
        errors.append(float(np.sqrt(np.sum((field - exact) ** 2 * weight) / np.sum(exact**2 * weight))))
    meshes = [f"{n} x {n} x {n // 2 + 1} cells" for n in levels]
    return orders("r, phi and z together (L2)", meshes, errors, 2.0, within=0.08, last=1)


#: amplitude 1 + 1/2 cos(wt) of the manufactured solution in time
OMEGA, END = 2.0 * np.pi / 3.0, 3.0


def _time_error(problem: TransportOperator, exact: Array, steps: int) -> float:
    """The discrete operator's own solution: nothing but the error of time is left."""
    source = problem.apply(exact)

    def amplitude(t: float) -> tuple[float, float]:
        return 1.0 + 0.5 * np.cos(OMEGA * t), -0.5 * OMEGA * np.sin(OMEGA * t)

    def injected(index: int, time: float, fields: object) -> Array:
        factor, slope = amplitude(time)
        return factor * source + slope * exact

    stepper = Stepper([problem], injected, tolerance=1e-6)
    half, account = [np.full(problem.grid.shape[0], 0.5)], [dict.fromkeys(stepper.accounts[0], 0.0)]
    fields = [amplitude(0.0)[0] * exact]
    for before, after in pairwise(np.linspace(0.0, END, steps + 1)):
        fields = stepper.step(fields, before, after - before, half, account)
    return float(np.abs(fields[0] / amplitude(END)[0] - exact).max() / exact.max())


def _time() -> Checks:
    problem, _, exact = space_and_momentum(10, 11, 5)
    steps = (8, 16, 32, 64)
    errors = [_time_error(problem, exact, n) for n in steps]
    return orders("time, Crank-Nicolson, every term", [f"{n} steps" for n in steps], errors, 2.0, within=0.05)


CASES = (
    Case("order-r", GROUP, "The radial operator is of second order.", MANUFACTURED, _radius),
    Case("order-z", GROUP, "The vertical operator with wind is of second order.", MANUFACTURED, _height),
    Case("order-z-stretched", GROUP, "So it is on cells that grow with height.", MANUFACTURED, _stretched),
    Case("order-momentum", GROUP, "Momentum diffusion with losses is of second order.", MANUFACTURED, _acceleration),
    Case("order-losses", GROUP, "Losses alone are of third order by default, of first order when fitted.",
         MANUFACTURED, _losses),
    Case("order-all", GROUP, "All terms and directions together are of second order.", MANUFACTURED, _together),
    Case("order-3d", GROUP, "In three dimensions a pattern around the circle is of second order.",
         MANUFACTURED, _around),
    Case("order-time", GROUP, "Crank-Nicolson steps are of second order.",
         "manufactured solution times 1 + 1/2 cos(wt)", _time),
)  # fmt: skip

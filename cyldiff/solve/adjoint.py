"""What an observer sees: adjoint solves, one Fourier mode in phi after the other.

Where D, wind and gas are the same at every phi, the response R(r, psi, z) of an observer to a source
depends on the angle psi between them only, ``R = sum_m e_m R_m(r, z) cos(m psi)`` with e_0 = 1 and
e_m = 2. Every R_m obeys the 2-D adjoint equation with the sink m^2 D / r^2, so that there is no mesh in
phi: m may be any number, and modes between those that were solved are interpolated.

Three things are observed at a place: the density and its derivatives in r and z (that in phi follows
from the modes of the density). They enter as right-hand sides: as the stencils with which
:meth:`Grid.at` reads a field, or as what they have become a short while earlier, a Gaussian that the grid
resolves (:mod:`cyldiff.sources.response.kernel_modes`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from cyldiff.errors import ConvergenceError, GridError
from cyldiff.grid import Grid, per_momentum
from cyldiff.operators import TransportOperator
from cyldiff.operators.adjoint import adjoint, at_momenta, scaled, without_momentum
from cyldiff.solve.azimuthal import meridional_operator
from cyldiff.solve.crank_nicolson import DAMPING_EVERY, DAMPING_PART, Stepper
from cyldiff.solve.steady import SHIFT_RATIO, SteadySolver, longest_time

__all__ = ["AdjointModes", "even_steps", "mode_numbers", "stencil", "synthesis"]

Array = NDArray[np.float64]
Feedback = Callable[[Array], Array]

#: what is observed
VALUE, SLOPE_R, SLOPE_Z = range(3)
#: every mode up to this one is solved
EVERY_MODE = 12
#: ratio of neighbouring modes beyond
MODE_RATIO = 1.12
#: of the spline between solved modes
SPLINE_ORDER = 7
#: cycles of one pass of a steady solve, and passes before it counts as failed
MAXIMUM_CYCLES, MAXIMUM_PASSES = 60, 12
#: residual that cannot be reduced, relative to sum (diagonal |R| V)
ROUND_OFF = 1e-13
_NOTHING = np.zeros(1)


def stencil(grid: Grid, r: float, z: float) -> Array:
    """How :meth:`Grid.at` and :meth:`Grid.gradient_at` read a 2-D field, per volume, shape (3, n_r, n_z).

    The sum of it with ``field * volume`` is the density, its derivative in r, and in z, at (r, z).
    """
    along_r, along_z = np.eye(grid.r.n)[:, :, None], np.eye(grid.z.n)[:, None, :]
    values = [grid.at(unit + np.zeros((1, grid.r.n, grid.z.n)), r, z) for unit in (along_r, along_z)]
    slopes = [grid.gradient_at(unit + np.zeros((1, grid.r.n, grid.z.n)), r, z) for unit in (along_r, along_z)]
    weights = [
        np.outer(values[0], values[1]),
        np.outer(slopes[0][0], values[1]),
        np.outer(values[0], slopes[1][-1]),
    ]
    return np.stack(weights) / grid.volume


def mode_numbers(highest: float) -> Array:
    """The modes to solve: all of the lowest, then fewer and fewer, up to `highest` or just beyond."""
    modes = list(range(EVERY_MODE + 1))
    while modes[-1] < highest:
        modes.append(max(modes[-1] + 1, round(modes[-1] * MODE_RATIO)))
    return np.array(modes[: max(int(np.searchsorted(modes, highest)) + 1, 2)], dtype=float)


def synthesis(modes: Array, angles: Array, *, odd: bool = False) -> Array:
    """Matrix (angles, modes) that sums solved modes, and those interpolated between, at the angles psi.

    ``sum_m e_m R_m cos(m psi)``; `odd`: ``sum_m 2 m R_m sin(m psi)``, the derivative for the observer's phi.
    """
    every = np.arange(int(modes[-1]) + 1)
    # evenly spaced where all are solved, and where neighbours have a ratio
    scale = np.arcsinh(modes / EVERY_MODE)
    order = min(SPLINE_ORDER, len(modes) - 1)
    between = make_interp_spline(scale, np.eye(len(modes)), k=order - (order + 1) % 2)
    weight = np.where(every > 0, 2.0, 1.0)
    phase = np.outer(angles, every)
    waves = weight * every * np.sin(phase) if odd else weight * np.cos(phase)
    return waves @ between(np.arcsinh(every / EVERY_MODE))


class _ModeSolver(SteadySolver):
    """The steady solver, with no pseudo-times below that of the smallest cell."""

    shortest = 0.0

    def shifts(self, operator: TransportOperator, p_stiffness: float) -> Array:
        usual = super().shifts(operator, p_stiffness)
        shortest = max(usual[-1], min(self.shortest, usual[0]))
        count = 1 + int(np.ceil(np.log(usual[0] / shortest) / np.log(SHIFT_RATIO)))
        return np.geomspace(usual[0], shortest, count)


@dataclass(frozen=True)
class AdjointModes:
    """The adjoint of one nuclide in 2-D, and what makes it that of a mode.

    Rows are in reverse order of momentum, see :mod:`cyldiff.operators.adjoint`.

    Attributes
    ----------
    operator : adjoint averaged over phi, without phi [1/Myr]
    around : sink of the mode m = 1, shape of a field [1/Myr]
    feedback : adjoint of what a nuclide makes of itself, on fields of the operator
    """

    operator: TransportOperator
    around: Array
    feedback: Feedback | None = None

    @classmethod
    def of(cls, operator: TransportOperator) -> AdjointModes:
        """Take the adjoint of a 3-D operator; its cells in phi only serve to find out D along phi.

        Raises
        ------
        GridError
            if anything but the sources depends on phi.
        """
        if "phi" not in operator.space:
            raise GridError("the modes of an adjoint need an operator with phi")
        for field in (operator.diagonal, operator.sink_rate, operator.loss_rate):
            if np.ptp(field, axis=2).max() > 1e-9 * np.abs(field).max():
                raise GridError(
                    "the gas depends on phi; the response needs a model whose gas, D and wind do not: "
                    "choose axisymmetric gas"
                )
        turned, losses = meridional_operator(adjoint(operator))
        step = 2.0 * np.pi / operator.grid.shape[2]
        return cls(turned, 0.5 * step**2 * losses)

    def last(self, n: int) -> AdjointModes:
        """The lowest `n` momenta alone, which come last."""
        size = self.operator.grid.shape[0]
        return AdjointModes(at_momenta(self.operator, size - n, size), self.around[size - n :])

    def in_units(self, factor: Array) -> AdjointModes:
        """The same with time in units of `factor`, one per momentum, equal ones where they are coupled."""
        feedback = self.feedback
        return AdjointModes(
            scaled(self.operator, factor),
            self.around * per_momentum(factor, 2),
            None if feedback is None else lambda field: factor[0] * feedback(field),
        )

    def longest(self) -> float:
        """Longest mean time to leave the box, of the mode 0, over all places and momenta, without sinks."""
        operator = without_momentum(replace(self.operator, sink_rate=np.zeros_like(self.operator.sink_rate)))
        found, _ = SteadySolver(1e-3).solve(operator, np.ones(operator.grid.shape), name="time to escape")
        return float(found.max())

    def mode(self, m: float, cells: int | None = None) -> TransportOperator:
        """The operator of a mode; with `cells`, of the finite volumes of so many cells in phi."""
        square = m * m
        if cells is not None:
            step = 2.0 * np.pi / cells
            square = 2.0 * (1.0 - np.cos(m * step)) / step**2
        extra = square * self.around
        return replace(
            self.operator, sink_rate=self.operator.sink_rate + extra, diagonal=self.operator.diagonal + extra
        )

    def steady(
        self, modes: Sequence[float], right: Callable[[float], Array], *, tolerance: float = 1e-6,
        weight: Array | None = None, cells: int | None = None,
    ) -> Array:  # fmt: skip
        """Responses that have come to rest, shape (n_modes, n_right, *shape of a field).

        Parameters
        ----------
        right : mode -> right-hand sides, shape (n_right, *shape of a field), or broadcasting to it
        tolerance : residual relative to the right-hand side, as the sum over cells, per momentum
        weight : importance of the momenta where they are coupled, shape (n_p,): then the residual at a
            momentum is relative to the largest weighted right-hand side, over its weight
        cells : see :meth:`mode`

        Raises
        ------
        ConvergenceError
            if the tolerance is not reached.
        """
        shape = self.operator.grid.shape
        solver = _ModeSolver(0.0, maximum_cycles=MAXIMUM_CYCLES)
        whole = longest_time(self.operator)
        in_plane = sum(np.max(self.operator.space[a].diagonal / self.operator.D_center) for a in ("r", "z"))
        solver.shortest = 1.0 / float(in_plane)
        found = []
        for m in modes:
            operator = self.mode(m, cells)
            # a mode does not live longer than it takes to cross its waves at the edge
            solver.longest = whole if m == 0 else min(whole, (self.operator.grid.r.faces[-1] / m) ** 2)
            row = []
            for q in right(m):
                q = np.broadcast_to(q, shape)
                row.append(_solve(solver, operator, self.feedback, q, tolerance, weight, f"mode {m:g}"))
            found.append(np.stack(row))
        return np.stack(found)

    def in_time(
        self, m: float, start: Array, times: Sequence[float], *, begin: float = 0.0, tolerance: float = 1e-3,
        linear: float = 1e-3, weight: Array | None = None, cells: int | None = None,
        finished: Callable[[float, Sequence[Array]], bool] | None = None,
    ) -> list[list[Array]]:  # fmt: skip
        """Responses of a mode to bursts of the given ages, for every start (n_starts, *shape of a field).

        Returns
        -------
        list over times of a list over starts; ends early if `finished`, see :meth:`Stepper.advance`
        """
        stepper, fields = self._stepper(m, start, tolerance * linear, tolerance, weight, cells)
        return stepper.advance(fields, list(times), begin=begin, finished=finished)

    def in_steps(
        self, m: float, start: Array, steps: Sequence[Array], *, linear: float = 1e-6,
        weight: Array | None = None, finished: Callable[[float, Sequence[Array]], bool] | None = None,
    ) -> list[list[Array]]:  # fmt: skip
        """The same in given steps, so that the errors of neighbouring modes are alike and cancel in their sum.

        Parameters
        ----------
        steps : for every requested age the times at which steps end, the first array with the beginning in
            front; see :func:`even_steps`
        linear : residual of the linear solve of a step, relative to what it moves
        """
        stepper, fields = self._stepper(m, start, linear, 1.0, weight, None)
        half = [np.full(self.operator.grid.shape[0], 0.5)] * len(fields)
        fully = [np.ones(self.operator.grid.shape[0])] * len(fields)
        accounts = stepper.accounts
        time, found, taken = float(steps[0][0]), [], 0
        for part in steps:
            for end in (float(t) for t in part if t > time):
                step, ahead = end - time, 0.0
                if taken == 0:
                    fields = list(stepper.damped_steps(fields, time, end, accounts)[-1][1])
                else:
                    if taken % DAMPING_EVERY == 0:
                        ahead = DAMPING_PART * step
                        fields = stepper.step(fields, time, ahead, fully, accounts)
                    fields = stepper.step(fields, time + ahead, step - ahead, half, accounts)
                time, taken = end, taken + 1
            found.append(list(fields))
            if finished is not None and finished(time, fields):
                break
        return found

    def _stepper(
        self,
        m: float,
        start: Array,
        residual: float,
        tolerance: float,
        weight: Array | None,
        cells: int | None,
    ) -> tuple[Stepper, list[Array]]:
        """All starts of a mode together, and the fields they begin with."""
        operator = self.mode(m, cells)
        stepper = Stepper(
            [operator] * len(start), lambda index, time, fields: _NOTHING, tolerance=tolerance,
            linear=residual / tolerance, feedback=lambda index: self.feedback, weight=weight,
        )  # fmt: skip
        return stepper, [np.array(u) for u in np.broadcast_to(start, (len(start), *operator.grid.shape))]


def even_steps(ages: Array, ratio: float, longest: float) -> list[Array]:
    """Steps from each age to the next, none longer than `ratio` of the age, or than `longest`.

    A list of arrays of the times at which steps end, one per age from the second on; the first array begins
    with the first age.
    """
    steps: list[Array] = []
    for before, after in pairwise(ages):
        n = int(np.ceil(max(np.log(after / before) / np.log1p(ratio), (after - before) / longest)))
        steps.append(np.geomspace(before, after, n + 1)[(1 if steps else 0) :])
    return steps


def _solve(
    solver: SteadySolver, operator: TransportOperator, feedback: Feedback | None, q: Array, tolerance: float,
    weight: Array | None, name: str,
) -> Array:  # fmt: skip
    """One right-hand side, by cycles until what is left is below the tolerance."""
    volume = operator.grid.volume.ravel()

    def size(field: Array) -> Array:
        return np.abs(field).reshape(len(field), -1) @ volume

    allowed = tolerance * size(q)
    if weight is not None:
        allowed = tolerance * float(np.max(size(q) * weight)) / weight
    allowed = np.maximum(allowed, 1e-290)
    found, defect = np.zeros(q.shape), q
    # once without feedback; with it, every pass brings in one more generation
    for _ in range(MAXIMUM_PASSES):
        change, _ = solver.reduce(operator, defect, 0.5 * allowed)
        found = found + change
        defect = q - operator.apply(found)
        if feedback is not None:
            defect += feedback(found)
        # what round-off leaves of a sum over large terms does not count
        worst = float(np.max(size(defect) / (allowed + ROUND_OFF * size(operator.diagonal * found))))
        if worst <= 1.0:
            return found
    raise ConvergenceError(f"{name}: residual {worst:.1e} times the tolerance after {MAXIMUM_PASSES} passes")

"""Time dependence: Crank-Nicolson in delta form, with a Rannacher start at every switch.

A step from U to U + d solves ``(A + 2/dt) d = 2 (q - A U)`` with q the mean of its values at both ends: the
unsplit right-hand side of Douglas & Gunn 1964 (Numer. Math. 6, 428). Their factored left-hand side is
one cycle of the steady solver, which is repeated here until the residual of the step is far below the
error of time: there is no splitting error, and a constant source relaxes exactly to the steady
solution, whatever the step. After every switch of a source two steps are replaced by four backward
Euler half-steps (Rannacher 1984, Numer. Math. 43, 309): same matrix, ``(A + 2/dt) d = q - A U``; they damp
what Crank-Nicolson would let ring.

The step follows from the local error dt^3/12 times the third derivative, which the divided difference of
the last four solutions gives, per momentum and relative to the largest density that momentum has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import ConvergenceError
from cyldiff.grid import per_momentum
from cyldiff.operators import TransportOperator
from cyldiff.solve.steady import SteadySolver, longest_time

__all__ = ["Stepper", "TimeReport", "shifted"]

Array = NDArray[np.float64]
GROWTH, SHRINK = 2.0, 0.3  #: largest and smallest change of a step
SAFETY = 0.9
HALF_STEPS = 4  #: backward Euler half-steps after a switch
#: residual of the linear solve of a step, relative to the tolerance of the step
LINEAR = 1e-3
MAXIMUM_FEEDBACK = 20


def shifted(operator: TransportOperator, rate: float) -> TransportOperator:
    """The operator A + rate."""
    return replace(operator, sink_rate=operator.sink_rate + rate, diagonal=operator.diagonal + rate)


@dataclass
class TimeReport:
    """How a time-dependent solve went: steps accepted, rejected and taken [Myr], solver steps, and the
    largest residual a linear solve was allowed to leave, relative to what changes in the step."""

    linear_residual: float = 0.0
    accepted: int = 0
    rejected: int = 0
    solver_steps: int = 0
    steps: list[float] = field(default_factory=list)


@dataclass
class Stepper:
    """Advances one or more coupled fields in time.

    The fields are solved in order; the source of a field may depend on those before it (the parents of a
    nuclide), at the same time.

    Parameters
    ----------
    operators : one per field
    source : (index, time, fields) -> ndarray, the source of field `index`, given the fields before it
    tolerance : error per step, relative to the largest value at the same momentum so far
    solver_tolerance : floor of the linear solves' residual
    feedback : index -> part of the source that depends linearly on the field itself, or None
    """

    operators: Sequence[TransportOperator]
    source: Callable[[int, float, Sequence[Array]], Array]
    tolerance: float = 1e-3
    solver_tolerance: float = 1e-10
    feedback: Callable[[int], Callable[[Array], Array] | None] = lambda index: None
    maximum_steps: int = 100_000
    report: TimeReport = field(default_factory=TimeReport)
    _longest: dict[int, float] = field(default_factory=dict, repr=False)
    _flows: list[tuple[int, Array, Array, float]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self._solver = SteadySolver(self.solver_tolerance)
        self.accounts = [dict.fromkeys(("injected", "sink", "escape", "loss"), 0.0) for _ in self.operators]

    def advance(
        self,
        start: Sequence[Array],
        times: Sequence[float],
        *,
        begin: float = 0.0,
        switches: Sequence[float] = (),
        first_step: float | None = None,
    ) -> list[list[Array]]:
        """Fields at the requested times.

        Parameters
        ----------
        start : fields at `begin`, each of the operator's shape
        times : increasing, none before `begin` [Myr]
        begin : start time [Myr]; counts as a switch
        switches : times at which sources change abruptly [Myr]
        first_step : first trial step after a switch [Myr]; default: 1e-3 of what follows until the next stop

        Returns
        -------
        list over times of lists of fields

        Raises
        ------
        ConvergenceError
            if a step does not converge or the error cannot be met.
        """
        stops = sorted({*times, *(s for s in switches if begin < s < max(times))})
        state = _State([u.copy() for u in start], begin)
        results: dict[float, list[Array]] = {}
        if begin in times:
            results[begin] = [u.copy() for u in state.fields]
        fresh = True
        for stop in (t for t in stops if t > begin):
            self._to(state, stop, fresh, first_step)
            fresh = stop in switches
            if stop in times:
                results[stop] = [u.copy() for u in state.fields]
        return [results[t] for t in times]

    def _to(self, state: _State, stop: float, fresh: bool, first_step: float | None) -> None:
        """Integrate to `stop`; `fresh` after a switch: start with damped steps and forget the slope."""
        if fresh:
            step = min(first_step or 1e-3 * (stop - state.time), stop - state.time)
            state.forget()
        else:
            step = min(state.next_step, stop - state.time)
        damped = fresh
        for _ in range(self.maximum_steps):
            left = stop - state.time
            if left <= 1e-12 * max(abs(stop), 1e-300):
                state.time = stop
                return
            # no sliver of a step at the end
            step = left if step > 0.9 * left else min(step, 0.5 * left) if step > 0.5 * left else step
            step, damped = self._try(state, step, damped)
        raise ConvergenceError(f"more than {self.maximum_steps} steps before {stop:g} Myr")

    def _try(self, state: _State, step: float, damped: bool) -> tuple[float, bool]:
        """One step; returns the step to try next, and whether it has to be damped still."""
        if step < 1e-14 * max(abs(state.time), step, 1e-12):
            raise ConvergenceError(f"the time step shrank to {step:.1e} Myr at {state.time:g} Myr")
        self._flows.clear()
        new = self._damped(state, step) if damped else self._step(state.fields, state.time, step)
        error = 0.0 if damped else state.error(new, step) / self.tolerance
        if error > 1.0:
            self.report.rejected += 1
            return step * max(SHRINK, SAFETY * error ** (-1.0 / 3.0)), damped
        self.report.accepted += 1
        self.report.steps.append(step)
        self._book()
        state.accept(new, step)
        factor = min(GROWTH, SAFETY * max(error, 1e-12) ** (-1.0 / 3.0))
        # until there is enough history for an estimate the step stays
        state.next_step = step * (factor if state.has_estimate else 1.0)
        return state.next_step, False

    def _book(self) -> None:
        """Add the flows of an accepted step to the accounts: number of particles, by field."""
        for i, u, q, duration in self._flows:
            operator, account = self.operators[i], self.accounts[i]
            weight = per_momentum(operator.width, u.ndim - 1) * operator.grid.volume * duration
            out = operator.outflow(u)
            account["injected"] += float(np.sum(q * weight))
            account["sink"] += float(np.sum(operator.sink_rate * u * weight))
            account["loss"] += duration * out.pop("p_low")
            account["escape"] += duration * sum(out.values())

    def _step(self, fields: Sequence[Array], time: float, step: float) -> list[Array]:
        """Crank-Nicolson."""
        new: list[Array] = []
        for i, u in enumerate(fields):
            q = 0.5 * (self.source(i, time, fields) + self.source(i, time + step, new))
            d, q = self._implicit(i, q, u, step, 2.0)
            new.append(u + d)
            self._flows.append((i, u + 0.5 * d, q, step))
        return new

    def _damped(self, state: _State, step: float) -> list[Array]:
        """The same interval in four backward Euler steps: the half-steps of two Crank-Nicolson steps."""
        fields: Sequence[Array] = state.fields
        part = step / HALF_STEPS
        for n in range(HALF_STEPS):
            time = state.time + (n + 1) * part
            new: list[Array] = []
            for i, u in enumerate(fields):
                d, q = self._implicit(i, self.source(i, time, new), u, part, 1.0)
                new.append(u + d)
                self._flows.append((i, u + d, q, part))
            fields = new
        return list(fields)

    def _implicit(self, index: int, q: Array, u: Array, step: float, theta: float) -> tuple[Array, Array]:
        """Change d of ``(A + theta/step) d = theta (q - A u)`` and the source with the field's own part.

        The feedback is taken at ``u + d / theta`` and found by iteration; it is a small part of the sinks.
        """
        operator, feedback = self.operators[index], self.feedback(index)
        moved = shifted(operator, theta / step)
        drain = operator.apply(u)
        if feedback is None:
            return self._solve(index, moved, theta * (q - drain), u, step), q
        d = np.zeros_like(u)
        for _ in range(MAXIMUM_FEEDBACK):
            total = q + feedback(u + d / theta)
            updated = self._solve(index, moved, theta * (total - drain), u, step)
            change = np.max(np.abs(updated - d)) / max(float(np.max(np.abs(updated))), 1e-300)
            d = updated
            if change < LINEAR * self.tolerance:
                break
        return d, total

    def _solve(self, index: int, operator: TransportOperator, rhs: Array, u: Array, step: float) -> Array:
        """The change d of a step, to a residual far below the error of the step."""
        base = self.operators[index]
        if index not in self._longest:
            self._longest[index] = longest_time(base)
        # nothing lives longer than the step itself
        self._solver.longest = min(self._longest[index], float(base.D_center.max()) * step)
        in_space = tuple(range(1, u.ndim))
        content = np.sum(np.abs(u) * operator.grid.volume, axis=in_space) / step
        # what may be left: a small part of the tolerance times the content, or of the change itself
        change = np.sum(np.abs(rhs) * operator.grid.volume, axis=in_space)
        allowed = LINEAR * self.tolerance * np.maximum(content, change) + self.solver_tolerance * change
        d, steps = self._solver.reduce(operator, rhs, np.maximum(allowed, 1e-290))
        self.report.solver_steps += steps
        self.report.linear_residual = max(self.report.linear_residual, LINEAR * self.tolerance)
        return np.array(d)


class _State:
    """Fields at a time, and the last three of them for the error estimate."""

    def __init__(self, fields: list[Array], time: float) -> None:
        self.fields, self.time = fields, time
        self.next_step = 0.0
        self.history: list[tuple[float, list[Array]]] = [(time, fields)]
        self.tops = [_largest(u) for u in fields]

    @property
    def has_estimate(self) -> bool:
        """Whether the history is long enough for a third difference with the next step."""
        return len(self.history) >= 3

    def forget(self) -> None:
        """After a switch nothing before it tells about what follows."""
        self.history = [(self.time, self.fields)]

    def error(self, new: Sequence[Array], step: float) -> float:
        """Largest local error of the step, relative to the largest value at the same momentum so far."""
        if not self.has_estimate:
            return 0.0
        times = [t for t, _ in self.history] + [self.time + step]
        worst = 0.0
        for i, v in enumerate(new):
            values = [fields[i] for _, fields in self.history] + [v]
            third = np.zeros_like(v)
            for k, (a, u) in enumerate(zip(times, values, strict=True)):
                third += u / np.prod([a - b for j, b in enumerate(times) if j != k])
            # the third derivative is six times the divided difference
            estimate = 0.5 * step**3 * _largest(third)
            top = np.maximum(self.tops[i], _largest(v))
            alive = top > 1e-280
            worst = max(worst, float(np.max(estimate[alive] / top[alive], initial=0.0)))
        return worst

    def accept(self, new: list[Array], step: float) -> None:
        """Take the step."""
        self.tops = [np.maximum(t, _largest(v)) for t, v in zip(self.tops, new, strict=True)]
        self.fields, self.time = new, self.time + step
        self.history = [*self.history[-2:], (self.time, new)]


def _largest(u: Array) -> Array:
    return np.asarray(np.abs(u).max(axis=tuple(range(1, u.ndim))))

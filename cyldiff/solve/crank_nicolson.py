"""Time dependence: Crank-Nicolson in delta form, with a Rannacher start at every switch.

A step dt takes U to U + d. With w = U + theta d, the field in the middle of the step (theta = 1/2),

    d / dt = q - A w,   solved as   (A + 1/(theta dt)) e = q - A U,   e = theta d,

with the source q in the middle of the step: the unsplit right-hand side of Douglas & Gunn 1964 (Numer.
Math. 6, 428). Their factored left-hand side is one cycle of the steady solver, repeated until the
residual of the step is far below the error of time: there is no splitting error, and a constant source
relaxes exactly to the steady solution, whatever the step. Since q is never asked for at the ends of a
step, and steps end on switches, a source that jumps is seen on the right side of its jump.

After every switch the first step is made of four backward Euler steps (theta = 1; Rannacher 1984, Numer.
Math. 43, 309), which damp what Crank-Nicolson would let ring. A short one every few steps damps what is left
of linear residuals and early noise. Momenta that hardly change any more or have faded away go on with
backward Euler alone: it costs them no accuracy, and takes them to the steady state in long steps.

The step follows from the local error, dt^3/12 times the third derivative, which the divided difference
of the last four solutions gives; see docs/theory/time.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import ConvergenceError
from cyldiff.grid import per_momentum
from cyldiff.operators import TransportOperator
from cyldiff.solve.steady import SHIFT_RATIO, SteadySolver, longest_time
from cyldiff.solve.time_progress import DAMPED, FAINT, Moment, Progress

__all__ = ["Stepper", "TimeReport", "shifted"]

Array = NDArray[np.float64]
Feedback = Callable[[Array], Array]

GROWTH, SHRINK = 2.0, 0.2  #: largest and smallest change of a step
#: part of the step that the error estimate would allow
SAFETY = 0.9
#: every so many steps, one begins with backward Euler over this part of it
DAMPING_EVERY, DAMPING_PART = 8, 1.0 / 16.0
#: residual of the linear solve of a step, as a part of the tolerance, if nothing else is asked
LINEAR = 1e-3
#: and of what is to be solved, so that the steady state is reached and not only approached
REDUCTION = 0.03
#: residual that cannot be reduced, relative to sum (diagonal |U| V)
ROUND_OFF = 1e-14
MAXIMUM_CORRECTIONS = 30


def shifted(operator: TransportOperator, rate: Array | float) -> TransportOperator:
    """The operator A + rate; a rate per momentum has one entry each."""
    added = per_momentum(np.atleast_1d(rate), len(operator.grid.axes))
    return replace(operator, sink_rate=operator.sink_rate + added, diagonal=operator.diagonal + added)


@dataclass
class TimeReport:
    """How a time-dependent solve went.

    Attributes
    ----------
    accepted, rejected : steps
    steps : lengths of the accepted steps [Myr]
    solver_steps : factored steps of the linear solver
    linear_residual : largest residual of a linear solve, measured, relative to what a step moves or holds
    """

    accepted: int = 0
    rejected: int = 0
    steps: list[float] = field(default_factory=list)
    solver_steps: int = 0
    linear_residual: float = 0.0


@dataclass
class Stepper:
    """Advances one or more coupled fields in time.

    The fields are solved in order; the source of a field may depend on those before it (the parents of a
    nuclide), at the same time.

    Parameters
    ----------
    operators : one per field
    source : (index, time, fields) -> ndarray, the source of field `index` in the middle of a step, given
        the fields before it at that time
    tolerance : error per step, relative to the largest density at the same momentum, or to what that
        will be at the next output or switch if it goes on growing as it does
    feedback : index -> part of the source that depends linearly on the field itself, or None
    maximum_steps : more of them, accepted and rejected, are an error
    weight : importance of the momenta relative to one another, shape (n_p,): what is `FAINT` of the
        largest need not be exact. Without it every momentum is, however little it holds.
    linear : residual of the linear solve of a step, as a part of the tolerance

    Attributes
    ----------
    report : TimeReport
    accounts : per field the number injected, lost to sinks, escaped through the surface and lost
        through the lowest momentum, since the start
    largest : per field and momentum the largest density so far
    """

    operators: Sequence[TransportOperator]
    source: Callable[[int, float, Sequence[Array]], Array]
    tolerance: float = 1e-3
    feedback: Callable[[int], Feedback | None] = lambda index: None
    maximum_steps: int = 100_000
    weight: Array | None = None
    linear: float = LINEAR
    report: TimeReport = field(default_factory=TimeReport)

    def __post_init__(self) -> None:
        different = {id(operator): operator for operator in self.operators}
        solvers = {key: _StepSolver(operator) for key, operator in different.items()}
        self._linear = [solvers[id(operator)] for operator in self.operators]
        self.accounts = [_empty_account() for _ in self.operators]
        self.largest: list[Array] = [np.zeros(o.grid.shape[0]) for o in self.operators]

    def advance(
        self,
        start: Sequence[Array],
        times: Sequence[float],
        *,
        begin: float = 0.0,
        switches: Sequence[float] = (),
        first_step: float | None = None,
        finished: Callable[[float, Sequence[Array]], bool] | None = None,
    ) -> list[list[Array]]:
        """Fields at the requested times.

        Parameters
        ----------
        start : fields at `begin`, each of the operator's shape
        times : increasing, none before `begin` [Myr]
        begin : start time [Myr]; counts as a switch
        switches : times at which sources change abruptly [Myr]; steps end there
        first_step : first trial step after a switch [Myr]; default: 1e-3 of what follows until the next stop
        finished : asked at every requested time, whether what follows is not needed

        Returns
        -------
        list over times of lists of fields; ends early if `finished`

        Raises
        ------
        ConvergenceError
            if a step does not converge, or the error cannot be met in `maximum_steps`.
        """
        if not times or list(times) != sorted(set(times)) or times[0] < begin:
            raise ValueError(f"times must increase from {begin:g} Myr on")
        stops = sorted({*times, *(s for s in switches if begin < s < times[-1])} - {begin})
        state = Progress(begin, [np.array(u, dtype=float) for u in start], self.largest, self.weight)
        results: list[list[Array]] = []
        if times[0] == begin:
            results.append(list(state.fields))
        fresh = True
        for stop in stops:
            if fresh:
                state.restart(first_step or 1e-3 * (stop - state.time))
            self._to(state, stop)
            fresh = stop in switches
            if stop in times:
                results.append(list(state.fields))
                if finished is not None and finished(stop, state.fields):
                    break
        return results

    def _to(self, state: Progress, stop: float) -> None:
        """Steps that end on `stop`."""
        state.stop = stop
        while state.time < stop:
            if self.report.accepted + self.report.rejected >= self.maximum_steps:
                raise ConvergenceError(
                    f"{self.maximum_steps} steps are not enough: {state.time:g} of {stop:g} Myr done"
                )
            left, end = stop - state.time, state.time + state.next_step
            if state.next_step > 0.9 * left:
                end = stop
            elif state.next_step > 0.5 * left:  # two equal steps instead of one and a sliver
                end = state.time + 0.5 * left
            if not end - state.time > 1e-13 * max(abs(end), left):
                raise ConvergenceError(
                    f"the time step shrank to {state.next_step:.1e} Myr at {state.time:g} Myr"
                )
            self._try(state, end)

    def _try(self, state: Progress, end: float) -> None:
        """One step; accepted or not, it leaves the next step to try."""
        step = end - state.time
        accounts = [_empty_account() for _ in self.operators]
        if state.fresh:
            path = self.damped_steps(state.fields, state.time, end, accounts)
            error, order = state.damped_error(path) / self.tolerance, 2
        else:
            path = [(end, self._smooth_step(state, step, accounts))]
            error, order = state.error(*path[0]) / self.tolerance, 3
        best = SAFETY * max(error, 1e-12) ** (-1.0 / order)
        if not error <= 1.0:
            self.report.rejected += 1
            state.next_step = step * (max(SHRINK, best) if np.isfinite(best) else SHRINK)
            return
        self.report.accepted += 1
        self.report.steps.append(step)
        for total, account in zip(self.accounts, accounts, strict=True):
            for key, number in account.items():
                total[key] += number
        # a step that was cut short to end on a stop does not shorten the next one
        state.next_step = min(step * best, GROWTH * max(step, 0.0 if state.fresh else state.next_step))
        if state.fresh:
            state.next_step = step
        state.accept(path)

    def damped_steps(
        self, fields: Sequence[Array], time: float, end: float, accounts: Sequence[dict[str, float]]
    ) -> list[Moment]:
        """Times and fields of the backward Euler steps up to `end`, the start included."""
        path: list[Moment] = [(time, fields)]
        times = np.linspace(time, end, DAMPED + 1)
        for before, after in pairwise(times):
            theta = [np.ones_like(top) for top in self.largest]
            new = self.step(path[-1][1], before, after - before, theta, accounts)
            path.append((float(after), new))
        return path

    def _smooth_step(self, state: Progress, step: float, accounts: list[dict[str, float]]) -> list[Array]:
        """Crank-Nicolson; every few steps with a short backward Euler step ahead of it."""
        fields, ahead = state.fields, 0.0
        if state.taken % DAMPING_EVERY == 0:
            ahead = DAMPING_PART * step
            fully = [np.ones_like(top) for top in self.largest]
            fields = self.step(fields, state.time, ahead, fully, accounts)
        return self.step(
            fields, state.time + ahead, step - ahead, state.implicitness(self.tolerance), accounts
        )

    def step(
        self,
        fields: Sequence[Array],
        time: float,
        step: float,
        theta: Sequence[Array],
        accounts: Sequence[dict[str, float]],
    ) -> list[Array]:
        """All fields after one step, theta per field and momentum; the flows are added to `accounts`."""
        middle: list[Array] = []
        new: list[Array] = []
        for i, u in enumerate(fields):
            q = self.source(i, time + 0.5 * step, middle)
            e, q = self._implicit(i, q, u, theta[i] * step, step)
            middle.append(u + e)
            new.append(u + e / per_momentum(theta[i], u.ndim - 1))
            self._book(i, middle[-1], q, step, accounts[i])
        return new

    def _implicit(self, index: int, q: Array, u: Array, lead: Array, step: float) -> tuple[Array, Array]:
        """Solution e of ``(A + 1/lead) e = q - A u``, and q with the part that the field feeds itself.

        That part is taken at ``u + e``. Solve, measure the true residual, correct: one solve and one
        measurement without feedback, a few more with it.
        """
        operator, feedback = self.operators[index], self.feedback(index)
        rate = per_momentum(1.0 / lead, u.ndim - 1)
        system, e = shifted(operator, 1.0 / lead), np.zeros_like(u)
        held = _norm(operator, u) / step
        irreducible = ROUND_OFF * _norm(operator, operator.diagonal * u)
        allowed = None
        for _ in range(MAXIMUM_CORRECTIONS):
            total = q if feedback is None else q + feedback(u + e)
            defect = total - operator.apply(u + e) - rate * e
            left = _norm(operator, defect)
            if allowed is None:
                scale = np.maximum(held, left)
                allowed = np.minimum(self.linear * self.tolerance * scale, REDUCTION * left)
                allowed = np.maximum(allowed, np.maximum(irreducible, 1e-290))
                if self.weight is not None:
                    faint = FAINT * self.linear * float(np.max(scale * self.weight))
                    allowed = np.maximum(allowed, faint / self.weight)
            if np.all(left <= allowed):
                alive = scale > 1e-280
                worst = float(np.max(left[alive] / scale[alive], initial=0.0))
                self.report.linear_residual = max(self.report.linear_residual, worst)
                return e, total
            correction, steps = self._linear[index].reduce_step(
                system, defect, 0.5 * allowed, float(lead.max())
            )
            e = e + correction
            self.report.solver_steps += steps
        excess = float(np.max(left / np.asarray(allowed)))
        raise ConvergenceError(
            f"a step of {step:.3g} Myr: residual {excess:.1e} times what its tolerance allows"
        )

    def _book(self, index: int, w: Array, q: Array, step: float, account: dict[str, float]) -> None:
        """Add the flows of a step to an account."""
        operator = self.operators[index]
        number = step * operator.width
        out = operator.outflow(w)
        account["injected"] += float(np.dot(number, _sum(operator, q)))
        account["sink"] += float(np.dot(number, _sum(operator, operator.sink_rate * w)))
        account["loss"] += step * out.pop("p_low")
        account["escape"] += step * sum(out.values())


class _StepSolver(SteadySolver):
    """The steady solver's cycle, with pseudo-times no longer than the step itself."""

    def __init__(self, operator: TransportOperator) -> None:
        super().__init__(tolerance=0.0)
        self.whole = longest_time(operator)
        self.fastest = float(np.max(operator.D_center))
        in_plane = sum(np.max(operator.space[a].diagonal / operator.D_center) for a in ("r", "z"))
        self.shortest = 1.0 / float(in_plane)

    def shifts(self, operator: TransportOperator, p_stiffness: float) -> Array:
        """Pseudo-times from the length of the step down to the time of the smallest cell."""
        usual = super().shifts(operator, p_stiffness)
        shortest = min(max(usual[-1], self.shortest), usual[0])
        if p_stiffness > 0.0:
            shortest = min(shortest, max(usual[-1], 1.0 / p_stiffness))
        count = 1 + int(np.ceil(np.log(usual[0] / shortest) / np.log(SHIFT_RATIO)))
        return np.geomspace(usual[0], shortest, count)

    def reduce_step(
        self, system: TransportOperator, defect: Array, allowed: Array, lead: float
    ) -> tuple[Array, int]:
        """Correction that leaves no more than `allowed`, and the steps spent."""
        # nothing lives longer than the step
        self.longest = min(self.whole, self.fastest * lead)
        return self.reduce(system, defect, allowed)


def _norm(operator: TransportOperator, x: Array) -> Array:
    """Sum of |x| V per momentum."""
    return _sum(operator, np.abs(x))


def _sum(operator: TransportOperator, x: Array) -> Array:
    """Sum of x V per momentum."""
    x = np.broadcast_to(x, operator.grid.shape)
    return x.reshape(len(x), -1) @ operator.grid.volume.ravel()


def _empty_account() -> dict[str, float]:
    return dict.fromkeys(("injected", "sink", "escape", "loss"), 0.0)

"""Three dimensions: every Fourier mode in phi is a 2-D problem.

Where D, wind and gas are the same at every phi, the circle decouples exactly: a mode exp(i m phi) of the
solution obeys the 2-D equation with the extra sink ``(1 - cos(m dphi))`` times the losses through the
phi faces, and the 2-D solver does the rest. Where they are not (gas in spiral arms), the modes of the
equation averaged over phi turn the residual of the full equation into a correction, and a conjugate
residual method (GCR: Eisenstat, Elman & Schultz 1983, SIAM J. Numer. Anal. 20, 345) combines the
last few of these so that the residual is least.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cyldiff.errors import ConvergenceError
from cyldiff.operators.operator import AxisTerm, TransportOperator
from cyldiff.solve.base import SolveReport

if TYPE_CHECKING:
    from cyldiff.solve.steady import SteadySolver

__all__ = [
    "meridional_operator",
    "meridional_sweeps",
    "reduce_azimuthal",
    "relative_residual",
    "residual_sums",
    "solve_azimuthal",
]

Array = NDArray[np.float64]
Feedback = Callable[[Array], Array]

#: residual of a mode relative to what the whole correction needs: one pass suffices if nothing depends on phi
EXACT = 0.5
#: and where the modes are only an approximation, relative to the present residual
LOOSE = 0.1
KEPT = 3  #: corrections that a new one is combined with
PHI = 2  #: dimension of phi in a field (p, r, phi, z)


def solve_azimuthal(
    solver: SteadySolver,
    operator: TransportOperator,
    source: Array,
    *,
    guess: Array | None,
    feedback: Feedback | None,
    name: str,
) -> tuple[Array, SolveReport]:
    """Solve a 3-D operator to the solver's tolerance; arguments as :meth:`SteadySolver.solve`."""
    problem = _Azimuthal(solver, operator, source, feedback)
    x = problem.start(name) if guess is None else guess.copy()
    defect, residual = problem.defect(x)
    history = [residual]
    directions = _Directions(problem.weight(), problem.volume)
    while history[-1] > solver.tolerance and len(history) <= solver.maximum_cycles:
        change = problem.correct(defect, history[-1])
        after, residual = problem.defect(x + change)
        if residual <= solver.tolerance:
            x = x + change
        else:
            directions.step(x, defect, change, defect - after)
            residual = problem.measure(defect)
            if residual <= solver.tolerance:
                # the recurrence of the defect and its scale are not exact
                defect, residual = problem.defect(x)
        history.append(residual)
        if not np.isfinite(residual):
            break
    if not history[-1] <= solver.tolerance:
        raise ConvergenceError(
            f"{name}: residual {history[-1]:.1e} after {problem.steps} steps; "
            f"the tolerance is {solver.tolerance:.1e}"
        )
    return x, SolveReport("azimuthal", problem.steps, history[-1], tuple(history))


def reduce_azimuthal(
    solver: SteadySolver, operator: TransportOperator, source: Array, allowed: Array | None
) -> tuple[Array, int]:
    """3-D twin of :meth:`SteadySolver.reduce`: corrections until the residual is below `allowed`."""
    if allowed is None:
        raise ValueError("a 3-D reduction needs the residual it may leave")
    problem = _Azimuthal(solver, operator, source, None)
    solution, defect = np.zeros_like(source), source
    volume, in_space = operator.grid.volume, tuple(range(1, source.ndim))
    for _ in range(solver.maximum_cycles):
        left = np.sum(np.abs(defect) * volume, axis=in_space)
        if np.all(left <= allowed):
            break
        share = allowed if problem.exact else np.maximum(LOOSE * left, allowed)
        solution = solution + problem.modes(defect, 0.5 * share)
        defect = source - operator.apply(solution)
    return solution, problem.steps


def relative_residual(operator: TransportOperator, x: Array, source: Array) -> tuple[Array, float]:
    """The defect q - A x and its true relative residual, as defined for every solver.

    The largest over momenta of sum |q - A x| V / sum (|q| + max(net gain from other momenta, 0)) V.
    """
    defect = source - operator.apply(x)
    left, entering = residual_sums(operator, x, source, defect)
    return defect, _largest_ratio(left, entering)


def meridional_sweeps(solver: SteadySolver, operator: TransportOperator) -> Callable[[Array], Array]:
    """Cycles of sweeps from zero as a linear map of a defect to a correction, in 2-D and in 3-D."""
    if "phi" not in operator.space:
        return solver.cycle_of(operator)
    problem = _Azimuthal(solver, operator, np.zeros(operator.grid.shape), None)
    return lambda defect: problem.modes(defect, None)


def residual_sums(operator: TransportOperator, x: Array, source: Array, defect: Array) -> tuple[Array, Array]:
    """What is left and what enters at every momentum, summed over the cells; their ratio is the residual."""
    in_space = tuple(range(1, x.ndim))
    volume = operator.grid.volume
    net = operator.momentum_gain(x) - _momentum_loss(operator) * x
    left = np.sum(np.abs(defect) * volume, axis=in_space)
    entering = np.sum((np.abs(source) + np.maximum(net, 0.0)) * volume, axis=in_space)
    return left, entering


def _momentum_loss(operator: TransportOperator) -> Array:
    """The part of the diagonal that moves to other momenta."""
    return np.asarray(
        operator.diagonal - operator.sink_rate - sum(t.diagonal for t in operator.space.values())
    )


def _largest_ratio(left: Array, entering: Array) -> float:
    alive = entering > 1e-280
    return float(np.max(left[alive] / entering[alive], initial=0.0))


def meridional_operator(operator: TransportOperator) -> tuple[TransportOperator, Array]:
    """The 2-D operator averaged over phi, and the average losses through the phi faces."""
    mean = {name: _mean_term(term) for name, term in operator.space.items()}
    around = mean.pop("phi").diagonal
    diffusion = operator.reacceleration
    averaged = replace(
        operator,
        grid=operator.grid.meridional,
        space=mean,
        momentum={k: v.mean(axis=PHI) for k, v in operator.momentum.items()},
        diagonal=operator.diagonal.mean(axis=PHI) - around,
        loss_rate=operator.loss_rate.mean(axis=PHI),
        sink_rate=operator.sink_rate.mean(axis=PHI),
        reacceleration=None if diffusion is None else {k: v.mean(axis=PHI) for k, v in diffusion.items()},
        D_center=operator.D_center.mean(axis=PHI),
        bottom=operator.bottom.mean(axis=PHI),
    )
    return averaged, around


def _mean_term(term: AxisTerm) -> AxisTerm:
    none = np.zeros(1)
    return AxisTerm(
        lower=term.lower.mean(axis=PHI),
        upper=term.upper.mean(axis=PHI),
        diagonal=term.diagonal.mean(axis=PHI),
        escape=(none, none),
    )


class _Azimuthal:
    """A 3-D system with its averaged 2-D operator."""

    def __init__(
        self, solver: SteadySolver, operator: TransportOperator, source: Array, feedback: Feedback | None
    ) -> None:
        self.solver, self.operator, self.source, self.feedback = solver, operator, source, feedback
        self.plane, self.around = meridional_operator(operator)
        self.exact = all(_same_at_every_phi(a) for a in self._varying())
        self.n_phi = operator.grid.shape[PHI]
        self.volume = operator.grid.volume
        self.momentum_loss = _momentum_loss(operator)
        self.steps = 0
        self.entering = np.ones(operator.grid.shape[0])

    def _varying(self) -> list[Array]:
        o = self.operator
        terms = [np.asarray(term.diagonal) for term in o.space.values()]
        return [o.diagonal, o.sink_rate, o.loss_rate, *terms]

    def start(self, name: str) -> Array:
        """The axisymmetric solution of the source averaged over phi.

        It also tells what enters every momentum from above, which the modes are measured by.
        """
        mean, report = self.solver.solve(self.plane, self.source.mean(axis=PHI), name=name)
        self.steps += report.steps
        return np.repeat(mean[:, :, None, :], self.n_phi, axis=PHI)

    def defect(self, x: Array) -> tuple[Array, float]:
        """Compute q - A x and its relative residual."""
        source = self.source if self.feedback is None else self.source + self.feedback(x)
        o = self.operator
        r, phi, z = (o.space[axis.name] for axis in o.grid.axes)
        defect = np.empty_like(x)
        left, entering = np.empty((2, len(x)))
        _defect(
            x, source, o.diagonal, o.momentum[-1], o.momentum[1], o.momentum[2], self.momentum_loss,
            r.lower, r.upper, phi.lower, phi.upper, z.lower, z.upper, self.volume, defect, left, entering,
        )  # fmt: skip
        self.entering = entering
        return defect, _largest_ratio(left, entering)

    def measure(self, defect: Array) -> float:
        """Relative residual of a defect, with what entered at the last evaluation."""
        return _largest_ratio(np.einsum("kimj,imj->k", np.abs(defect), self.volume), self.entering)

    def weight(self) -> Array:
        """Makes defects of all cells and momenta comparable."""
        return np.divide(1.0, self.entering, out=np.zeros_like(self.entering), where=self.entering > 1e-280)

    def correct(self, defect: Array, residual: float) -> Array:
        """Solve for the correction, mode by mode, as well as the next residual needs it."""
        wanted = LOOSE * residual
        if self.exact and self.feedback is None:
            wanted = EXACT * self.solver.tolerance
        # the L1 norm of the field is at most that of all modes together, 2 n_phi real parts; rfft sums over
        # the circle and a 2-D cell has the volume of its whole ring, so that half of the total for each part
        # is safe. What they leave has no common phase: the root of their number more is enough.
        return self.modes(defect, 0.5 * np.sqrt(0.5 * self.n_phi) * wanted * self.entering)

    def modes(self, defect: Array, share: Array | None) -> Array:
        """Solve every mode of a defect until each part leaves at most `share` of it, per momentum.

        Without `share`, by a fixed number of cycles: then the map is linear.
        """
        modes = np.fft.rfft(defect, axis=PHI)
        for m in range(modes.shape[PHI]):
            operator = self._mode(m)
            mode = modes[:, :, m]
            for part in (mode.real, mode.imag):
                if np.any(part):
                    solved, steps = self.solver.reduce(operator, np.ascontiguousarray(part), share)
                    part[...] = solved
                    self.steps += steps
        return np.fft.irfft(modes, n=self.n_phi, axis=PHI)

    def _mode(self, m: int) -> TransportOperator:
        """The 2-D operator of the mode exp(i m phi)."""
        extra = self.around * (1.0 - np.cos(2.0 * np.pi * m / self.n_phi))
        plane = self.plane
        return replace(plane, sink_rate=plane.sink_rate + extra, diagonal=plane.diagonal + extra)


def _same_at_every_phi(values: Array) -> bool:
    return bool(np.ptp(values, axis=PHI).max() <= 1e-12 * np.abs(values).max())


class _Directions:
    """The last corrections, with defects that are orthogonal to one another."""

    def __init__(self, weight: Array, volume: Array) -> None:
        self.weight, self.volume = weight**2, volume**2
        self.kept: list[tuple[Array, Array]] = []

    def step(self, x: Array, defect: Array, change: Array, image: Array) -> None:
        """Move x along `change`, whose image A dx is given, as far as makes the defect least; in place."""
        for old_change, old_image in self.kept:
            along = self._product(image, old_image)
            change -= along * old_change
            image -= along * old_image
        size = np.sqrt(self._product(image, image))
        if not size > 0.0:
            return
        change /= size
        image /= size
        along = self._product(defect, image)
        x += along * change
        defect -= along * image
        self.kept = [*self.kept[1 - KEPT :], (change, image)]

    def _product(self, a: Array, b: Array) -> float:
        planes = np.einsum("kimj,kimj,imj->k", a, b, self.volume)
        return float(planes @ self.weight)


@njit(error_model="numpy", fastmath=True, cache=True, nogil=True)
def _defect(
    x: Array, source: Array, diagonal: Array, p_lower: Array, p_upper: Array, p_second: Array,
    p_loss: Array, r_lower: Array, r_upper: Array, phi_lower: Array, phi_upper: Array, z_lower: Array,
    z_upper: Array, volume: Array, defect: Array, left: Array, entering: Array,
) -> None:  # fmt: skip
    """Fill q - A x, its L1 norm and that of what enters, per momentum; see `relative_residual`."""
    n_p, n_r, n_phi, n_z = x.shape
    none = np.zeros(n_z)
    gain = np.empty(n_z)
    for k in range(n_p):
        missing, entered = 0.0, 0.0
        for i in range(n_r):
            for m in range(n_phi):
                before, after = (m - 1) % n_phi, (m + 1) % n_phi
                here = x[k, i, m]
                below = x[k - 1, i, m] if k > 0 else none
                above = x[k + 1, i, m] if k + 1 < n_p else none
                second = x[k + 2, i, m] if k + 2 < n_p else none
                inside = x[k, i - 1, m] if i > 0 else none
                outside = x[k, i + 1, m] if i + 1 < n_r else none
                out = defect[k, i, m]
                for j in range(n_z):
                    gain[j] = (
                        p_lower[k, i, m, j] * below[j]
                        + p_upper[k, i, m, j] * above[j]
                        + p_second[k, i, m, j] * second[j]
                    )
                    out[j] = (
                        source[k, i, m, j]
                        - diagonal[k, i, m, j] * here[j]
                        + gain[j]
                        + r_lower[k, i, m, j] * inside[j]
                        + r_upper[k, i, m, j] * outside[j]
                        + phi_lower[k, i, m, j] * x[k, i, before, j]
                        + phi_upper[k, i, m, j] * x[k, i, after, j]
                    )
                for j in range(1, n_z):
                    out[j] += z_lower[k, i, m, j] * here[j - 1]
                for j in range(n_z - 1):
                    out[j] += z_upper[k, i, m, j] * here[j + 1]
                for j in range(n_z):
                    missing += abs(out[j]) * volume[i, m, j]
                    net = gain[j] - p_loss[k, i, m, j] * here[j]
                    entered += (abs(source[k, i, m, j]) + max(net, 0.0)) * volume[i, m, j]
        left[k] = missing
        entering[k] = entered

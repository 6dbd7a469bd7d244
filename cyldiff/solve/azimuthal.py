"""Three dimensions: defect correction with every Fourier mode in phi solved as a 2-D problem.

Where D, wind and gas are the same at every phi, the circle decouples exactly: a mode exp(i m phi) of the
solution obeys the 2-D equation with the extra sink ``(1 - cos(m dphi))`` times the losses through the
phi faces, and the 2-D solver does the rest. Where they are not (gas in spiral arms), the same with
coefficients averaged over phi corrects the residual of the full equation, and GMRES takes over if
that alone is slow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres

from cyldiff.errors import ConvergenceError
from cyldiff.operators.operator import AxisTerm, TransportOperator
from cyldiff.solve.base import SolveReport

if TYPE_CHECKING:
    from cyldiff.solve.steady import SteadySolver

__all__ = [
    "meridional_operator",
    "meridional_sweeps",
    "relative_residual",
    "residual_sums",
    "solve_azimuthal",
]

Array = NDArray[np.float64]
Feedback = Callable[[Array], Array]

#: residual of a mode relative to what the whole correction needs: one pass suffices if nothing depends on phi
EXACT = 0.2
#: and where the modes are only a preconditioner
LOOSE = 0.05
STALL = 0.5  #: contraction of the defect correction that calls for GMRES
KRYLOV_VECTORS = 12
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
    solution = np.zeros(operator.grid.shape) if guess is None else guess.copy()
    defect, residual = problem.defect(solution)
    history, method = [residual], "azimuthal"
    while history[-1] > solver.tolerance and len(history) <= solver.maximum_cycles:
        if len(history) > 3 and not history[-1] < STALL * history[-2]:
            method = "azimuthal gmres"
            break
        solution = solution + problem.correct(defect, history[-1])
        defect, residual = problem.defect(solution)
        history.append(residual)
        if not np.isfinite(residual):
            break
    if method.endswith("gmres"):
        solution = problem.krylov(solution, history)
    if not history[-1] <= solver.tolerance:
        raise ConvergenceError(
            f"{name}: residual {history[-1]:.1e} after {problem.steps} steps; "
            f"the tolerance is {solver.tolerance:.1e}"
        )
    return solution, SolveReport(method, problem.steps, history[-1], tuple(history))


def relative_residual(operator: TransportOperator, x: Array, source: Array) -> tuple[Array, float]:
    """The defect q - A x and its true relative residual, as defined for every solver.

    The largest over momenta of sum |q - A x| V / sum (|q| + max(net gain from other momenta, 0)) V.
    """
    defect = source - operator.apply(x)
    left, entering = residual_sums(operator, x, source, defect)
    alive = entering > 1e-280
    return defect, float(np.max(left[alive] / entering[alive], initial=0.0))


def meridional_sweeps(solver: SteadySolver, operator: TransportOperator) -> Callable[[Array], Array]:
    """One cycle of sweeps from zero as a linear map of a defect to a correction, in 2-D and in 3-D."""
    if "phi" not in operator.space:
        return solver.cycle_of(operator)
    problem = _Azimuthal(solver, operator, np.zeros(operator.grid.shape), None)
    return lambda defect: problem.correct(defect, None)


def residual_sums(operator: TransportOperator, x: Array, source: Array, defect: Array) -> tuple[Array, Array]:
    """What is left and what enters at every momentum, summed over the cells; their ratio is the residual."""
    in_space = tuple(range(1, x.ndim))
    volume = operator.grid.volume
    momentum_loss = operator.diagonal - operator.sink_rate - sum(t.diagonal for t in operator.space.values())
    net = operator.momentum_gain(x) - momentum_loss * x
    left = np.sum(np.abs(defect) * volume, axis=in_space)
    entering = np.sum((np.abs(source) + np.maximum(net, 0.0)) * volume, axis=in_space)
    return left, entering


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
        spread = max(np.ptp(a, axis=PHI).max() / max(np.abs(a).max(), 1e-300) for a in self._varying())
        self.exact = spread < 1e-12
        self.n_phi = operator.grid.shape[PHI]
        self.steps = 0
        self.entering = np.ones(operator.grid.shape[0])

    def _varying(self) -> list[Array]:
        o = self.operator
        return [
            o.sink_rate,
            o.loss_rate,
            np.asarray(o.space["r"].diagonal),
            np.asarray(o.space["phi"].diagonal),
        ]

    def defect(self, x: Array) -> tuple[Array, float]:
        source = self.source if self.feedback is None else self.source + self.feedback(x)
        defect = source - self.operator.apply(x)
        left, self.entering = residual_sums(self.operator, x, source, defect)
        alive = self.entering > 1e-280
        return defect, float(np.max(left[alive] / self.entering[alive], initial=0.0))

    def correct(self, defect: Array, residual: float | None) -> Array:
        """Solve for the correction, mode by mode, as well as the next residual needs it.

        Without a residual: a fixed number of cycles, a linear map for the Krylov method.
        """
        wanted = LOOSE * (residual or 0.0)
        if self.exact and self.feedback is None:
            wanted = EXACT * self.solver.tolerance
        modes = np.fft.rfft(defect, axis=PHI)
        # the L1 norm of the field is at most that of all modes together, 2 n_phi real parts; rfft sums over
        # the circle and a 2-D cell has the volume of its whole ring, so a part may leave half of the total
        share = None if residual is None else 0.5 * wanted * self.entering
        for m in range(modes.shape[PHI]):
            angle = 2.0 * np.pi * m / self.n_phi
            extra = self.around * (1.0 - np.cos(angle))
            operator = replace(
                self.plane, sink_rate=self.plane.sink_rate + extra, diagonal=self.plane.diagonal + extra
            )
            mode = modes[:, :, m]
            for part in (mode.real, mode.imag):
                if np.any(part):
                    solved, steps = self.solver.reduce(operator, np.ascontiguousarray(part), share)
                    part[...] = solved
                    self.steps += steps
        return np.fft.irfft(modes, n=self.n_phi, axis=PHI)

    def krylov(self, solution: Array, history: list[float]) -> Array:
        """GMRES on the 3-D operator with the averaged modes as preconditioner, scaled per momentum."""
        size, shape = self.source.size, self.source.shape
        scale = np.abs(solution).max(axis=tuple(range(1, solution.ndim)), keepdims=True)
        scale[scale == 0.0] = 1.0

        def apply(vector: Array) -> Array:
            x = vector.reshape(shape) * scale
            image = self.operator.apply(x)
            if self.feedback is not None:
                image -= self.feedback(x)
            return (self.correct(image, None) / scale).ravel()

        system = LinearOperator((size, size), matvec=apply, dtype=float)
        for _ in range(self.solver.maximum_krylov):
            defect, _ = self.defect(solution)
            rhs = (self.correct(defect, None) / scale).ravel()
            change, _ = gmres(system, rhs, restart=KRYLOV_VECTORS, maxiter=1, rtol=1e-3)
            solution = solution + change.reshape(shape) * scale
            history.append(self.defect(solution)[1])
            if history[-1] <= self.solver.tolerance or not np.isfinite(history[-1]):
                break
        return solution

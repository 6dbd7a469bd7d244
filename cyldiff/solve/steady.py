"""Steady solver: unsplit factored pseudo-time stepping to a residual, with a Krylov safety net.

The iteration corrects the full unsplit residual, so that its limit has no splitting bias: lines
along z fused with a momentum march, lines along r, lines along p for reacceleration. The
pseudo-time is local, s / D(p, r, z), which makes a short geometric list of s serve all momenta
and any contrast of D; the list follows from the operator. See docs/theory/solver.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import LinearOperator, gmres, splu

from cyldiff.errors import ConvergenceError
from cyldiff.operators import TransportOperator
from cyldiff.solve import kernels
from cyldiff.solve.azimuthal import meridional_operator, reduce_azimuthal, solve_azimuthal
from cyldiff.solve.base import SolveReport

__all__ = ["SteadySolver", "longest_time", "march_lead", "solve_direct"]

Array = NDArray[np.float64]
#: linear map of the solution to an additional source, e.g. secondary protons
Feedback = Callable[[Array], Array]

RELAXATION = 1.8  #: over-relaxation of the stationary iteration
KRYLOV_RELAXATION = 1.3  #: of the cycle used as a preconditioner
SHIFT_RATIO = 12.0  #: largest ratio of neighbouring pseudo-times
SHIFT_SPAN = 2400.0  #: largest over smallest pseudo-time without reacceleration
STALL = 0.6  #: contraction per cycle that counts as a stall
KRYLOV_VECTORS = 16


@dataclass
class SteadySolver:
    """Solves A U = q for one nuclide after another on one grid.

    Parameters
    ----------
    tolerance : relative residual to reach
    maximum_cycles : stationary cycles before the safety net
    maximum_krylov : restarts of the safety net before the solve counts as failed
    longest : longest pseudo-time [kpc^2]; by default taken from the first operator, since it hardly
        differs between nuclides
    """

    tolerance: float
    maximum_cycles: int = 40
    maximum_krylov: int = 12
    longest: float | None = None
    _work: dict[str, Array] = field(default_factory=dict, repr=False)

    def solve(
        self,
        operator: TransportOperator,
        source: Array,
        *,
        guess: Array | None = None,
        feedback: Feedback | None = None,
        name: str = "field",
    ) -> tuple[Array, SolveReport]:
        """Solve to the tolerance.

        Parameters
        ----------
        source : ndarray, shape (n_p, n_r, n_z)   q [U / Myr]
        guess : start; zero by default
        feedback : part of the source that depends linearly on the solution
        name : what is solved, for messages

        Raises
        ------
        ConvergenceError
            if the source is not finite, or the tolerance is not reached.
        """
        if not np.all(np.isfinite(source)):
            raise ConvergenceError(f"{name}: the source is not a finite number everywhere")
        if "phi" in operator.space:
            return solve_azimuthal(self, operator, source, guess=guess, feedback=feedback, name=name)
        problem = _Problem(self, operator, source, feedback)
        problem.start(guess)
        return problem.run(name)

    def reduce(
        self, operator: TransportOperator, source: Array, allowed: Array | None, *, cycles: int = 2
    ) -> tuple[Array, int]:
        """Stationary cycles from zero until sum |q - A x| V is below `allowed` at every momentum.

        Without `allowed`, exactly `cycles` of them: then the result is linear in the source. Stops
        without an error after ``maximum_cycles``: the caller measures its own residual.

        Returns
        -------
        solution, and the number of steps
        """
        if "phi" in operator.space:
            return reduce_azimuthal(self, operator, source, allowed)
        problem = _Problem(self, operator, source, None)
        problem.start(None)
        for _ in range(cycles if allowed is None else self.maximum_cycles):
            if allowed is not None and np.all(problem.norms()[0] <= allowed):
                break
            problem.cycle(RELAXATION if allowed is not None else KRYLOV_RELAXATION)
        return problem.inner, problem.steps

    def cycle_of(self, operator: TransportOperator) -> Callable[[Array], Array]:
        """One cycle from zero as a linear map of the source: the preconditioner of a Krylov method.

        The map works in the solver's own arrays: no other solve may come between its calls, and its
        result is overwritten by the next one.
        """
        problem = _Problem(self, operator, np.zeros(operator.grid.shape), None)

        def sweep(source: Array) -> Array:
            problem.source = source
            problem.set_source(None)
            problem.start(None)
            problem.cycle(KRYLOV_RELAXATION)
            return problem.inner

        return sweep

    @property
    def state(self) -> dict[str, float]:
        """What a solver remembers from one nuclide to the next besides work arrays."""
        return {} if self.longest is None else {"longest": self.longest}

    def restore(self, state: dict[str, float]) -> None:
        """Continue as the solver that had this state."""
        self.longest = state.get("longest", self.longest)

    def close(self) -> None:
        """Nothing to give back; the work arrays go with the solver."""

    def forget(self) -> None:
        """Start with the next operator as a new solver would."""
        self.longest = None

    def scratch(self, name: str, shape: tuple[int, ...]) -> Array:
        """A work array that is reused from solve to solve."""
        array = self._work.get(name)
        if array is None or array.shape != shape:
            array = self._work[name] = kernels.aligned_zeros(shape)
        return array

    def shifts(self, operator: TransportOperator, p_stiffness: float) -> Array:
        """Pseudo-times s [kpc^2] from the longest to the shortest scale of the operator."""
        if self.longest is None:
            self.longest = longest_time(operator)
        longest = self.longest
        shortest = longest / SHIFT_SPAN
        if p_stiffness > 0.0:
            shortest = min(shortest, 1.0 / p_stiffness)
        count = 1 + int(np.ceil(np.log(longest / shortest) / np.log(SHIFT_RATIO)))
        return np.geomspace(longest, shortest, count)


class _Problem:
    """One linear system prepared for the kernels."""

    def __init__(
        self, solver: SteadySolver, operator: TransportOperator, source: Array, feedback: Feedback | None
    ) -> None:
        self.solver, self.operator, self.feedback = solver, operator, feedback
        self.source = source
        shape = operator.grid.shape
        n_p, n_r, n_z = shape
        scratch = solver.scratch
        self.x = scratch("x", (n_p + 3, n_r + 2, n_z + 2))
        self.inner = self.x[1:-2, 1:-1, 1:-1]
        self.D = scratch("D", shape)
        self.D[...] = operator.D_center
        r, z, p = operator.space["r"], operator.space["z"], operator.momentum
        planes = 1 if operator.separable else n_p
        self.a, self.b = scratch("a", (planes, 5, n_r, n_z)), scratch("b", (planes, 2, n_z, n_r))
        self.c, self.t = scratch("c", (n_p, 5, n_r, n_z)), scratch("t", (n_p, 3, n_z, n_r))
        lead = march_lead(operator)
        kernels.scale(
            self.D, r.lower, r.upper, r.diagonal, z.lower, z.upper, z.diagonal,
            p[-1], p[1], p[2], operator.diagonal, operator.sink_rate, operator.loss_rate,
            operator.width, lead, operator.upward, self.a, self.b, self.c, self.t,
        )  # fmt: skip
        self.q = scratch("q", shape)
        self.volume = operator.grid.volume
        self.has_g = operator.reacceleration is not None
        self.g = self._reacceleration(shape)
        stiffness = float(self.g[:, kernels.G_DIAGONAL].max()) if self.has_g else 0.0
        self.shift_list = solver.shifts(operator, stiffness)
        self.steps = 0
        self.set_source(None)

    def _reacceleration(self, shape: tuple[int, ...]) -> Array:
        bands = self.operator.reacceleration
        if bands is None:
            return np.zeros((1, 4, 1, 1))
        n_p, n_r, n_z = shape
        g = self.solver.scratch("g", (n_p, 4, n_r, n_z))
        for row, offset in ((kernels.G_LOWER, -1), (kernels.G_DIAGONAL, 0), (kernels.G_UPPER, 1)):
            np.divide(bands[offset], self.D, out=g[:, row])
        np.reciprocal(self.D * _escape_time(self.operator), out=g[:, kernels.ESCAPE])
        return g

    def start(self, guess: Array | None) -> None:
        self.inner[...] = 0.0 if guess is None else guess

    def set_source(self, field_now: Array | None) -> None:
        total = self.source
        if self.feedback is not None and field_now is not None:
            total = total + self.feedback(field_now)
        np.divide(total, self.D, out=self.q)

    def cycle(self, omega: float, cap: float = 1.0) -> None:
        """One pass through all pseudo-times, acting on ``self.x``."""
        n_p, n_r, n_z = self.q.shape
        scratch = self.solver.scratch
        delta = scratch("delta", (n_p + 1, n_r, n_z))
        factor = scratch("factor", delta.shape if self.has_g else (1, 1, 1))
        tile, pivots_r = (scratch(name, (n_r, kernels.padded(n_z))) for name in ("tile", "pivots_r"))
        y, above, pivots_z = (
            scratch(name, (n_z, kernels.padded(n_r))) for name in ("y", "above", "pivots_z")
        )
        carry = scratch("carry", (2, kernels.padded(max(n_r, n_z))))
        for s in self.shift_list:
            kernels.sweep(
                self.x, self.q, self.a, self.b, self.c, self.t, self.g, self.has_g, float(s), omega, cap,
                delta, factor, tile, y, above, pivots_r, pivots_z, carry,
            )  # fmt: skip
            self.steps += 1

    def norms(self) -> tuple[Array, Array]:
        """L1 norms over space of q - A x, and of what enters, per momentum."""
        n_p = self.q.shape[0]
        left, entering = np.zeros(n_p), np.zeros(n_p)
        kernels.residual_norms(self.x, self.q, self.a, self.c, self.D, self.volume, left, entering)
        return left, entering

    def residual(self) -> float:
        """True relative residual, with the feedback of the present solution in the source."""
        if self.feedback is not None:
            self.set_source(self.inner)
        left, entering = self.norms()
        alive = entering > 1e-280
        return float(np.max(left[alive] / entering[alive], initial=0.0))

    def run(self, name: str) -> tuple[Array, SolveReport]:
        history = [self.residual()]
        stalls = 0
        while history[-1] > self.solver.tolerance and len(history) <= self.solver.maximum_cycles:
            self.cycle(RELAXATION)
            history.append(self.residual())
            worse = not history[-1] < STALL * history[-2]
            stalls = stalls + 1 if worse and len(history) > 4 else 0
            if stalls >= 3 or not np.isfinite(history[-1]):
                break
        method = "stationary"
        if not history[-1] <= self.solver.tolerance:
            method = "gmres"
            # a hopeless start may overflow on the way; the residual tells
            with np.errstate(all="ignore"):
                self.krylov(history)
        if not history[-1] <= self.solver.tolerance:
            raise ConvergenceError(
                f"{name}: residual {history[-1]:.1e} after {self.steps} steps; "
                f"the tolerance is {self.solver.tolerance:.1e}"
            )
        return self.inner.copy(), SolveReport(method, self.steps, history[-1], tuple(history))

    def krylov(self, history: list[float]) -> None:
        """GMRES on the fixed point of the cycle, in unknowns scaled per momentum."""
        if not np.isfinite(history[-1]) or history[-1] > 10.0:
            self.inner[...] = 0.0
        self._cycle_with_feedback()
        scale = np.abs(self.inner).max(axis=(1, 2), keepdims=True)
        scale[scale == 0.0] = 1.0
        shape, size = self.q.shape, self.q.size

        def increment(vector: Array, homogeneous: bool) -> Array:
            """Map x to x - cycle(x), for the homogeneous problem or the full one, scaled."""
            start = vector.reshape(shape) * scale
            self.inner[...] = start
            if homogeneous:
                self.q[...] = self.feedback(start) / self.D if self.feedback is not None else 0.0
            else:
                self.set_source(start)
            self.cycle(KRYLOV_RELAXATION, cap=2.0)
            return ((start - self.inner) / scale).ravel()

        system = LinearOperator((size, size), matvec=lambda v: increment(v, True), dtype=float)
        solution = (self.inner / scale).ravel()
        for _ in range(self.solver.maximum_krylov):
            rhs = -increment(solution, False)
            correction, _ = gmres(system, rhs, restart=KRYLOV_VECTORS, maxiter=1, rtol=1e-3)
            solution = solution + correction
            self.inner[...] = solution.reshape(shape) * scale
            self.set_source(self.inner)
            history.append(self.residual())
            if history[-1] <= self.solver.tolerance or not np.isfinite(history[-1]):
                break

    def _cycle_with_feedback(self) -> None:
        self.set_source(self.inner)
        self.cycle(KRYLOV_RELAXATION, cap=2.0)


def march_lead(operator: TransportOperator) -> Array:
    """Order of the march's loss flux per momentum: 1/2 second-order upwind, 0 first-order upwind.

    The second order follows the third-order residual closely where losses rule; under reacceleration
    it is not diagonally dominant any more and the first order converges twice as fast.
    """
    lead = np.zeros(operator.grid.shape[0])
    if operator.scheme == "third-order" and operator.reacceleration is None:
        lead[:-1] = 0.5
        if operator.upward:  # the row without a second neighbour is the first one
            lead = lead[::-1].copy()
    return lead


def _escape_time(operator: TransportOperator) -> Array:
    """One-dimensional mean escape time int_z^H z'/D dz' of every cell [Myr]."""
    z = operator.grid.z
    share = np.abs(z.centers) * z.widths / operator.D_center
    above = np.cumsum(share[..., ::-1], axis=-1)[..., ::-1] - 0.5 * share
    if not z.folded:
        below = np.cumsum(share, axis=-1) - 0.5 * share
        above = np.where(z.centers >= 0.0, above, below)
    return np.maximum(above, 1e-3 * above.max(axis=-1, keepdims=True))


def longest_time(operator: TransportOperator) -> float:
    """Largest y with (A_r + A_z) y = D over a few momentum planes [kpc^2]; in 3-D, averaged over phi."""
    if "phi" in operator.space:
        operator = meridional_operator(operator)[0]
    n_p, n_r, n_z = operator.grid.shape
    longest = 0.0
    for k in np.unique(np.linspace(0, n_p - 1, 5).astype(int)):
        D = operator.D_center[k]
        index = np.arange(n_r * n_z).reshape(n_r, n_z)
        rows, columns, values = [index.ravel()], [index.ravel()], []
        values.append(sum(t.diagonal[k] for t in operator.space.values()).ravel())
        r, z = operator.space["r"], operator.space["z"]
        for here, there, gain in (
            (index[1:], index[:-1], r.lower[k, 1:]),
            (index[:-1], index[1:], r.upper[k, :-1]),
            (index[:, 1:], index[:, :-1], z.lower[k, :, 1:]),
            (index[:, :-1], index[:, 1:], z.upper[k, :, :-1]),
        ):
            rows.append(here.ravel())
            columns.append(there.ravel())
            values.append(-gain.ravel())
        triple = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        plane = coo_array(triple, shape=(n_r * n_z, n_r * n_z)).tocsc()
        longest = max(longest, float(splu(plane).solve(D.ravel()).max()))
    return longest


def solve_direct(operator: TransportOperator, source: Array) -> Array:
    """The same system by a sparse LU factorisation (SuperLU): exact, slow, for tests and small grids.

    Parameters
    ----------
    source : ndarray, shape of the grid   q [U / Myr]

    Returns
    -------
    ndarray, the same shape               U
    """
    return splu(operator.to_csr().tocsc()).solve(source.ravel()).reshape(operator.grid.shape)

"""The PETSc back end: one nuclide's system assembled and solved by all ranks together.

Every rank has the operator of its own r cells and writes their rows, so that no rank ever holds the
matrix. The unknown is scaled with sqrt(volume) over what enters at its momentum (a diagonal
similarity): fluxes fall by fifteen decades over the energy grid, and unscaled norms would know the
lowest energies only. In the scaled unknown the 2-norm bounds the true residual from above.

PETSc options with the prefix ``cyldiff_`` (in the environment variable PETSC_OPTIONS) win over the defaults.
petsc4py is imported here and nowhere else, when a solver is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import ConvergenceError, CyldiffError
from cyldiff.grid import Grid
from cyldiff.operators import TransportOperator
from cyldiff.parallel.comm import Comm, MpiComm
from cyldiff.parallel.partition import Partition
from cyldiff.solve.assembly import LocalRows, field_of, local_rows, vector_of
from cyldiff.solve.azimuthal import residual_sums
from cyldiff.solve.base import SolveReport
from cyldiff.solve.schwarz import OverlappingSweeps

__all__ = ["PRECONDITIONERS", "PetscSolver", "load_petsc"]

Array = NDArray[np.float64]
Feedback = Callable[[Array], Array]

#: known preconditioners and their PETSc options; "sweeps" is :class:`OverlappingSweeps`
PRECONDITIONERS = {
    "sweeps": {},
    "ilu": {"pc_type": "bjacobi", "sub_pc_type": "ilu", "sub_pc_factor_levels": "1"},
    "hypre": {
        "pc_type": "hypre", "pc_hypre_type": "boomeramg", "pc_hypre_boomeramg_strong_threshold": "0.5",
        "pc_hypre_boomeramg_coarsen_type": "HMIS", "pc_hypre_boomeramg_interp_type": "ext+i",
        "pc_hypre_boomeramg_P_max": "4",
    },
}  # fmt: skip
PREFIX = "cyldiff_"
OVERLAP = 2  #: r cells of each neighbour that the sweeps of a rank cover
MAXIMUM_PASSES = 30  #: Krylov solves of one nuclide (feedback, tightened tolerance)
FEEDBACK_STEP = 0.03  #: reduction per pass while the source still follows the solution
ALIVE = 1e-280  #: momenta that receive less carry nothing


def load_petsc() -> Any:
    """The module petsc4py.PETSc.

    Raises
    ------
    CyldiffError
        if it is missing, with what to do about it.
    """
    try:
        import petsc4py

        # PETSc's signal handler would turn an end by the launcher into pages of text
        petsc4py.init(["cyldiff", "-no_signal_handler"])
        from petsc4py import PETSc
    except ImportError as error:
        raise CyldiffError(
            f'solver.backend = "petsc" needs petsc4py, which cannot be imported ({error}); '
            'README.md, "On a cluster", has the two commands that install it, '
            'or use solver.backend = "numba" on one process'
        ) from None
    return PETSc


@dataclass
class PetscSolver:
    """Solves A U = q on all ranks together; the same method as the steady solver's.

    Parameters
    ----------
    whole : grid of all ranks
    comm : the ranks
    tolerance : true relative residual to reach
    direct : one sparse factorisation (MUMPS or SuperLU_DIST; PETSc's own on one rank) as a check
    preconditioner : "sweeps", "ilu" (blocks) or "hypre" (BoomerAMG)
    maximum_iterations : of one nuclide, all Krylov solves together

    Use it in a ``with`` block, or call :meth:`close` on all ranks.
    """

    whole: Grid
    comm: Comm
    tolerance: float
    direct: bool = False
    preconditioner: str = "sweeps"
    maximum_iterations: int = 500
    _petsc: Any = field(default=None, repr=False)
    _matrix: Any = field(default=None, repr=False)
    _krylov: Any = field(default=None, repr=False)
    _sweeps: OverlappingSweeps | None = field(default=None, repr=False)
    _energies: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        self._range = Partition(self.whole.r.n, self.comm.size).range(self.comm.rank)
        self._petsc = load_petsc()
        size = int(np.prod(self.whole.shape))
        if (
            size * 12 > np.iinfo(self._petsc.IntType).max * self.comm.size
            or size > np.iinfo(self._petsc.IntType).max
        ):
            raise CyldiffError(
                f"{size} unknowns on {self.comm.size} ranks are too many for PETSc with 32-bit integers; "
                "use more ranks, or a PETSc configured with --with-64-bit-indices"
            )

    def __enter__(self) -> PetscSolver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # destroying is collective: after an error on this rank alone it would wait for the others
        if error is None:
            self.close()

    def close(self) -> None:
        """Destroy the PETSc objects, all ranks together; the solver can still be used again."""
        for thing in (self._krylov, self._matrix):
            if thing is not None:
                thing.destroy()
        self._krylov = self._matrix = self._sweeps = None

    @property
    def state(self) -> dict[str, float]:
        """Nothing is remembered from one nuclide to the next."""
        return {}

    def restore(self, state: dict[str, float]) -> None:
        """Nothing to do."""

    def solve(
        self,
        operator: TransportOperator,
        source: Array,
        *,
        guess: Array | None = None,
        feedback: Feedback | None = None,
        name: str = "field",
    ) -> tuple[Array, SolveReport]:
        """Solve to the tolerance; all ranks together, each with its part of operator and fields.

        Parameters
        ----------
        source : ndarray, shape (n_p, n_r of this rank, [n_phi,] n_z)   q [U / Myr]
        guess : start; zero by default
        feedback : part of the source that depends linearly on the solution, place by place
        name : what is solved, for messages

        Raises
        ------
        ConvergenceError
            on all ranks: if the source is not finite, or the tolerance is not reached.
        """
        if self.comm.any(not np.all(np.isfinite(source))):
            raise ConvergenceError(f"{name}: the source is not a finite number everywhere")
        if len(operator.width) != self._energies:
            # a spectrum that is cut off has fewer energies, so that matrix and sweeps are other ones
            self.close()
            self._energies = len(operator.width)
        try:
            return _System(self, operator, source, feedback).run(guess, name)
        except self._petsc.Error as error:
            raise ConvergenceError(f"{name}: PETSc failed: {error}") from None

    def matrix(self, operator: TransportOperator) -> Any:
        """The matrix of an operator, refilled if there is one already (it has the same pattern)."""
        low, _ = self._range
        rows = local_rows(operator, first_r=low, all_r=self.whole.r.n, dtype=self._petsc.IntType)
        if self._matrix is None:
            self._matrix = self._new_matrix(rows)
        else:
            self._matrix.setValuesCSR(rows.starts, rows.columns, rows.values)
            self._matrix.assemble()
        return self._matrix

    def _new_matrix(self, rows: LocalRows) -> Any:
        size = (rows.rows, rows.columns_in_all)
        return self._petsc.Mat().createAIJ(
            (size, size), csr=(rows.starts, rows.columns, rows.values), comm=self._mpi
        )

    @property
    def _mpi(self) -> Any:
        return self.comm.mpi if isinstance(self.comm, MpiComm) else self._petsc.COMM_SELF

    def krylov(self, matrix: Any, operator: TransportOperator, scale: Array) -> Any:
        """The Krylov solver for a matrix already scaled."""
        if self._krylov is None:
            self._krylov = self._new_krylov()
        self._krylov.setOperators(matrix)
        context = self._krylov.getPC()
        if context.getType() == "python":
            if self._sweeps is None:
                whole = replace(self.whole, kinetic_energy=operator.grid.kinetic_energy)
                self._sweeps = OverlappingSweeps(whole, self.comm, overlap=OVERLAP)
            self._sweeps.set_operator(operator)
            context.setPythonContext(_ScaledSweeps(self._sweeps, scale, operator.grid.shape))
        return self._krylov

    def _new_krylov(self) -> Any:
        petsc = self._petsc
        krylov = petsc.KSP().create(comm=self._mpi)
        krylov.setOptionsPrefix(PREFIX)
        if self.direct:
            krylov.setType("preonly")
            context = krylov.getPC()
            context.setType("lu")
            packages = [p for p in ("mumps", "superlu_dist") if petsc.Sys.hasExternalPackage(p)]
            if packages:
                context.setFactorSolverType(packages[0])
            elif self.comm.size > 1:
                raise CyldiffError(
                    "solver.petsc.direct on several ranks needs a PETSc with MUMPS or SuperLU_DIST"
                )
        else:
            krylov.setType("bcgs")
            krylov.setPCSide(petsc.PC.Side.RIGHT)
            krylov.setNormType(petsc.KSP.NormType.UNPRECONDITIONED)
            if self.preconditioner == "sweeps":
                krylov.getPC().setType("python")
            options = petsc.Options(PREFIX)
            for key, value in PRECONDITIONERS[self.preconditioner].items():
                if not options.hasName(key):
                    options[key] = value
        krylov.setFromOptions()
        return krylov


class _ScaledSweeps:
    """The sweeps as PETSc calls a preconditioner: vectors in the scaled unknown."""

    def __init__(self, sweeps: OverlappingSweeps, scale: Array, shape: tuple[int, ...]) -> None:
        self.sweeps, self.scale, self.shape = sweeps, scale, shape

    def apply(self, context: Any, given: Any, result: Any) -> None:
        """Result = S M^-1 S^-1 given."""
        correction = self.sweeps.apply(field_of(given.array_r / self.scale, self.shape))
        result.array[:] = vector_of(correction) * self.scale


class _System:
    """One linear system of all ranks."""

    def __init__(
        self, solver: PetscSolver, operator: TransportOperator, source: Array, feedback: Feedback | None
    ) -> None:
        self.solver, self.operator, self.source, self.feedback = solver, operator, source, feedback
        self.comm = solver.comm
        self.iterations = 0

    def run(self, guess: Array | None, name: str) -> tuple[Array, SolveReport]:
        """Correct the solution until its true residual is small enough."""
        solver, matrix = self.solver, self.solver.matrix(self.operator)
        self.vectors = matrix.createVecs()
        solution = np.zeros(self.operator.grid.shape) if guess is None else guess.copy()
        try:
            self.scale = np.ones(self.source.size)
            defect, entering, residual = self.residual(matrix, solution)
            self.scale = self.scaling(entering)
            self.rescale(matrix)
            krylov = solver.krylov(matrix, self.operator, self.scale)
            history = self.iterate(matrix, krylov, solution, defect, residual)
        finally:
            for vector in self.vectors:
                vector.destroy()
        if not history[-1] <= solver.tolerance:
            raise ConvergenceError(
                f"{name}: residual {history[-1]:.1e} after {self.iterations} iterations; "
                f"the tolerance is {solver.tolerance:.1e}"
            )
        method = "petsc direct" if solver.direct else f"petsc {krylov.getType()}"
        return solution, SolveReport(method, self.iterations, history[-1], tuple(history))

    def iterate(
        self, matrix: Any, krylov: Any, solution: Array, defect: Array, residual: float
    ) -> list[float]:
        """Corrections, each by one Krylov solve, added to `solution`; the residuals."""
        tolerance, most = self.solver.tolerance, self.solver.maximum_iterations
        # the 2-norm bounds the residual, mostly from afar
        target, bound = 3.0 * tolerance, None
        history = [residual]
        given, result = self.vectors
        while history[-1] > tolerance and len(history) <= MAXIMUM_PASSES and self.iterations < most:
            given.array[:] = vector_of(defect) * self.scale
            norm = given.norm()
            if bound is not None:
                target = min(0.5 * norm, bound)
            if self.feedback is not None:
                target = max(target, FEEDBACK_STEP * norm)
            krylov.setTolerances(rtol=1e-30, atol=target, divtol=1e30, max_it=most - self.iterations)
            krylov.solve(given, result)
            self.iterations += krylov.getIterationNumber()
            solution += field_of(result.array_r / self.scale, solution.shape)
            defect, _, residual = self.residual(matrix, solution)
            history.append(residual)
            if not np.isfinite(residual) or (len(history) > 5 and not residual < 0.9 * min(history[:-3])):
                break
            bound = 0.3 * target * tolerance / max(residual, 1e-300)
        return history

    def residual(self, matrix: Any, solution: Array) -> tuple[Array, Array, float]:
        """Defect q - A x, what enters at every momentum, and the true relative residual (all ranks)."""
        source = self.source if self.feedback is None else self.source + self.feedback(solution)
        given, result = self.vectors
        given.array[:] = vector_of(solution) * self.scale
        matrix.mult(given, result)
        defect = source - field_of(result.array_r / self.scale, solution.shape)
        left, entering = self.comm.sum(np.stack(residual_sums(self.operator, solution, source, defect)))
        alive = entering > ALIVE
        return defect, entering, float(np.max(left[alive] / entering[alive], initial=0.0))

    def scaling(self, entering: Array) -> Array:
        """Factor of every row: sqrt(volume in cell and box) over what enters at its momentum."""
        volume = self.operator.grid.volume
        box = self.comm.sum_number(float(volume.sum()))
        alive = np.flatnonzero(entering > ALIVE)
        if len(alive):
            places = np.arange(len(entering))
            entering = np.exp(np.interp(places, alive, np.log(entering[alive])))
        else:
            entering = np.ones(len(entering))
        return np.multiply.outer(np.sqrt(volume * box).ravel(), 1.0 / entering).ravel()

    def rescale(self, matrix: Any) -> None:
        """Turn the matrix into that of the scaled unknown, S A S^-1."""
        given, result = self.vectors
        given.array[:] = self.scale
        result.array[:] = 1.0 / self.scale
        matrix.diagonalScale(given, result)

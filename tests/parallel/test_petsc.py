"""The PETSc back end against the native solver, on 1, 2 and 3 ranks, every process on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cyldiff.errors import ConvergenceError, CyldiffError

HERE = Path(__file__).parent
AGREEMENT = 1e-9


def solve(mpi, ranks, case, how, folder):
    path = folder / "out.npz"
    done = mpi(ranks, HERE / "parallel_cases.py", case, path, how)
    assert done.returncode == 0, done.stderr
    return np.load(path)


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("case", ["2d", "2d whole", "3d"])
def test_same_answer_as_the_native_solver(mpi, cases, tmp_path, case, ranks):
    result = solve(mpi, ranks, case, "sweeps", tmp_path)
    assert cases.difference(result["density"], cases.native(case)) < AGREEMENT
    assert np.abs(result["balance"]).max() < 1e-9
    assert result["residual"].max() <= cases.TOLERANCE


@pytest.mark.mpi
@pytest.mark.parametrize("how", ["ilu", "direct"])
@pytest.mark.parametrize("case", ["2d", "3d tiny"])
def test_other_preconditioners_and_the_factorisation_agree(mpi, cases, tmp_path, case, how):
    result = solve(mpi, 2, case, how, tmp_path)
    assert cases.difference(result["density"], cases.native(case)) < AGREEMENT


@pytest.mark.mpi
def test_iterations_hardly_depend_on_the_number_of_ranks(mpi, tmp_path):
    steps = [solve(mpi, ranks, "2d", "sweeps", tmp_path)["steps"].sum() for ranks in (1, 3)]
    assert steps[1] <= 1.6 * steps[0]


@pytest.fixture
def one_rank(petsc, cases):
    """Solver, operator and source of a nuclide on one rank."""
    from cyldiff.parallel.comm import Comm
    from cyldiff.solve.petsc import PetscSolver

    grid = cases.whole_grid("2d")
    chain, (component,) = cases.chain_on(grid)
    source = chain.column(component.spectra["C12"]) * component.density
    with PetscSolver(grid, Comm(), 1e-9) as solver:
        yield solver, chain.operator(0), source


def test_matrix_is_the_operator(one_rank):
    solver, operator, _ = one_rank
    for _ in range(2):  # made, then refilled
        starts, columns, values = solver.matrix(operator).getValuesCSR()
        size = operator.diagonal.size
        order = np.arange(size).reshape(operator.grid.shape)
        order = np.moveaxis(order, 0, -1).ravel()
        expected = operator.to_csr()[order][:, order]
        expected.sort_indices()
        assert np.array_equal(starts, expected.indptr)
        assert np.array_equal(columns, expected.indices)
        assert np.array_equal(values, expected.data)


def test_a_good_guess_needs_no_iteration(one_rank):
    solver, operator, source = one_rank
    solution, report = solver.solve(operator, source)
    assert report.residual <= 1e-9 < report.history[0]
    again, report = solver.solve(operator, source, guess=solution)
    assert report.steps == 0
    assert np.array_equal(again, solution)


def test_no_source_no_particles(one_rank):
    solver, operator, source = one_rank
    solution, report = solver.solve(operator, 0.0 * source)
    assert not solution.any()
    assert report.residual == 0.0


def test_a_source_that_is_not_a_number_is_refused(one_rank):
    solver, operator, source = one_rank
    with pytest.raises(ConvergenceError, match="C12: the source is not a finite number"):
        solver.solve(operator, np.where(source == source.max(), np.nan, source), name="C12")


def test_too_few_iterations_are_an_error(one_rank):
    solver, operator, source = one_rank
    solver.maximum_iterations = 1
    solver.tolerance = 1e-13
    with pytest.raises(ConvergenceError, match=r"C12: residual .* the tolerance is 1\.0e-13"):
        solver.solve(operator, source, name="C12")


def test_close_and_use_again(one_rank):
    solver, operator, source = one_rank
    first, _ = solver.solve(operator, source)
    solver.close()
    assert np.array_equal(solver.solve(operator, source)[0], first)


def test_without_petsc4py_the_error_says_how_to_get_it(monkeypatch, cases):
    from cyldiff.parallel.comm import Comm
    from cyldiff.solve.petsc import PetscSolver

    monkeypatch.setitem(sys.modules, "petsc4py", None)
    with pytest.raises(CyldiffError, match=r"needs petsc4py.*README") as caught:
        PetscSolver(cases.whole_grid("2d"), Comm(), 1e-8)
    assert caught.value.exit_status == 2


def test_the_serial_path_never_imports_petsc4py_or_mpi4py():
    code = (
        "import sys, cyldiff, cyldiff.pipeline, cyldiff.cli, cyldiff.parallel.comm as c; c.get_comm();"
        "print([m for m in ('petsc4py', 'mpi4py') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

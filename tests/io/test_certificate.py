"""The certificate of a result refuses numbers that are none."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.errors import ConvergenceError
from cyldiff.io.certificate import certify
from cyldiff.pipeline import run
from cyldiff.solve.base import SolveReport
from cyldiff.solve.solution import ChainSolution
from cyldiff.validation.model import small_run


@pytest.fixture(scope="module")
def solved():
    loaded = small_run(("C12", "B11"), slab=True, n_z=9, energies=("1 GeV", "1 TeV", 4.0))
    return loaded.config, run(loaded)


def test_it_holds(solved):
    config, result = solved
    certify(result.copy(deep=True), config)


@pytest.mark.parametrize("species", [0, 1])
@pytest.mark.parametrize("name", ["residual", "balance", "flux_lis"])
def test_one_number_that_is_none_is_refused(solved, name, species):
    """xarray leaves NaN out of its maxima, and one good nuclide would stand for all."""
    config, result = solved
    changed = result.copy(deep=True)
    changed[name][species] = np.nan
    with pytest.raises(ConvergenceError, match="failed its certificate"):
        certify(changed, config)


def test_a_residual_that_is_none_is_the_largest():
    def report(residual):
        return SolveReport("pseudo-time", 1, residual, ())

    rows = tuple((report(r),) for r in (1e-9, float("nan"), 1e-8))
    rows += ((report(1e-9), report(float("nan"))), (None, None))
    solution = ChainSolution((), np.zeros((2, 5, 1, 1)), rows, np.zeros(5), ())
    assert np.isnan(solution.residual).tolist() == [False, True, False, True, False]
    assert solution.residual[4] == 0.0

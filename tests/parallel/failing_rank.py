"""A run in which one rank fails in the middle of a solve: ``failing_rank.py RANK CONFIG``."""

from __future__ import annotations

import sys

from cyldiff.cli import main
from cyldiff.errors import ConvergenceError
from cyldiff.parallel.launch import launched_rank
from cyldiff.solve import petsc

solve = petsc.PetscSolver.solve


def faulty(self, *args, name="field", **kwargs):
    if name == "He4" and launched_rank() == int(sys.argv[1]):
        if sys.argv[3] == "reported":
            raise ConvergenceError("He4: this rank fails")
        raise ZeroDivisionError("a fault of the program")
    return solve(self, *args, name=name, **kwargs)


petsc.PetscSolver.solve = faulty
main(["run", sys.argv[2], "-o", "result.nc"])

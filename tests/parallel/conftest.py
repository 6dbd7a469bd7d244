"""With a real MPI and a real PETSc where they are, skipped with a reason elsewhere."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
#: makes the cases importable
sys.path.insert(0, str(HERE))

MISSING = [name for name in ("petsc4py", "mpi4py") if importlib.util.find_spec(name) is None]
LAUNCHER = shutil.which("mpiexec") or shutil.which("mpirun")


@pytest.fixture(scope="session")
def cases():
    """The module of the cases."""
    import parallel_cases

    return parallel_cases


@pytest.fixture(scope="session")
def petsc():
    """Petsc4py, or a skip that says what is missing."""
    if "petsc4py" in MISSING:
        pytest.skip("petsc4py is not installed (docs/clusters.md)")


@pytest.fixture(scope="session")
def mpi():
    """Run a command on some processes: ``mpi(ranks, "script.py", ...)`` -> CompletedProcess."""
    if MISSING:
        pytest.skip(f"{' and '.join(MISSING)} not installed (docs/clusters.md)")
    if LAUNCHER is None:
        pytest.skip("there is no mpiexec (docs/clusters.md)")
    return launch


def launch(ranks, *command, timeout=120.0, cwd=None):
    """`command` with this Python on `ranks` processes; more of them than cores, and root, are allowed."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1",
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
    }
    return subprocess.run(
        [LAUNCHER, "-n", str(ranks), sys.executable, *map(str, command)],
        capture_output=True, text=True, timeout=timeout, env=environment, cwd=cwd, check=False,
    )  # fmt: skip

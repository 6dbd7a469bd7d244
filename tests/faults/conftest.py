"""A small result and its file, made once; the tests here share a module."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import cyldiff

sys.path.insert(0, str(Path(__file__).parent))

SMALL = (
    "grid.use=fit-2d",
    "grid.space.r.n=8",
    "grid.space.z.n=8",
    'grid.momentum={ min = "100 MeV", max = "10 TeV", per_decade = 6 }',
    'species.include=["H1", "He4", "B11", "C12"]',
    "solver.tolerance=1e-5",
    "solver.grid_error.enabled=false",
    "compare.data=[]",
    "output.components=true",
)


@pytest.fixture(scope="session")
def small():
    """A result of four nuclides on a coarse mesh, components kept apart."""
    return cyldiff.run(cyldiff.load_config("quickstart", SMALL))


@pytest.fixture(scope="session")
def small_file(small, tmp_path_factory):
    """Path of its file."""
    path = tmp_path_factory.mktemp("small") / "small.nc"
    cyldiff.write_result(small, path)
    return path

"""The estimate of memory is on the high side, but not absurd."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cyldiff.config import memory
from cyldiff.config.memory import available_memory, needed_memory

PEAK = """
import sys
from cyldiff.config.load import load_config
from cyldiff.pipeline import run
overrides = ["solver.grid_error.enabled=false", "solver.tolerance=1e-2", "compare.data=[]", *sys.argv[2:]]
run(load_config(sys.argv[1], overrides))
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    ("overrides", "shape", "species"),
    [
        (('species.include=["H1"]', "grid.space.r.n=121", "grid.space.z.n=81"), (109, 121, 81), 1),
        (
            ('species.include=["H1", "He4", "C12", "O16"]', "grid.space.r.n=81", "grid.space.z.n=65"),
            (109, 81, 65),
            4,
        ),
    ],
)
def test_measured_peaks(overrides, shape, species):
    answer = subprocess.run(
        [sys.executable, "-c", PEAK, "quickstart", *overrides], capture_output=True, text=True, check=True
    )
    peak = 1024.0 * float(answer.stdout)  # not ru_maxrss: that of a child begins at its parent's
    estimate = needed_memory(shape, species=species)
    assert peak < estimate < 2.5 * peak


def test_it_grows_with_everything():
    base = needed_memory((100, 50, 50), species=10)
    assert needed_memory((200, 50, 50), species=10) > base
    assert needed_memory((100, 50, 50), species=20) > base
    assert needed_memory((100, 50, 50), species=10, components=2) > base
    assert needed_memory((100, 50, 50), species=10, flux=False) < base
    assert needed_memory((100, 50, 50), species=10, parts=True) > base
    assert needed_memory((100, 50, 50), species=10, direct=True) > 10 * base


def test_there_is_memory_here():
    assert available_memory() > 1e8


def test_the_least_of_all_limits_counts(monkeypatch):
    monkeypatch.setattr(memory, "_machine", lambda: 8e9)
    monkeypatch.setattr(memory, "_control_group", lambda: 3e9)
    monkeypatch.setattr(memory, "_process_limit", lambda: None)
    assert available_memory() == 3e9
    monkeypatch.setattr(memory, "_machine", lambda: None)
    monkeypatch.setattr(memory, "_control_group", lambda: None)
    assert available_memory() is None


@pytest.mark.skipif(os.name != "posix", reason="no such limit")
def test_the_limit_of_the_shell():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33));"
        "from cyldiff.config.memory import available_memory; print(available_memory() <= 2**33)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "True"

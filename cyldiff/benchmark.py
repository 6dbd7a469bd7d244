"""How fast cyldiff is here: the cases of docs/performance.md, each against a plain copy of its field.

Every case runs in a process of its own, on one thread, so that its peak memory is its own. A time
is CPU time (on a shared machine the slices of others do not count; their use of the cache does), the
best of a few repetitions; a ratio to a copy made in the same minutes says more than seconds.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CASES", "report", "run_case"]

Array = NDArray[np.int64]

#: name -> (run, overrides, repetitions)
CASES: dict[str, tuple[str, tuple[str, ...], int]] = {
    "full chain, 1e-4": (
        "quickstart",
        ("grid.space.z.n=41", "grid.momentum.per_decade=10.67", "solver.tolerance=1e-4"),
        3,
    ),
    "full chain, 1e-8": ("quickstart", ("grid.space.z.n=41", "grid.momentum.per_decade=10.67"), 2),
    "full chain with reacceleration, 1e-4": (
        "models/reacceleration",
        ("grid.space.z.n=41", "grid.momentum.per_decade=10.67", "solver.tolerance=1e-4"),
        3,
    ),
    "spatially dependent D, two components, 1e-4": (
        "models/yue-2025",
        ("grid.space.z.n=41", "grid.momentum.per_decade=10.67", "solver.tolerance=1e-4"),
        2,
    ),
    "3-D, spiral arms, one nuclide, 1e-6": (
        "spiral-arms",
        (
            "grid.space.r.n=41",
            "grid.space.phi.n=64",
            "grid.space.z.n=33",
            "grid.momentum.per_decade=10.67",
            'species.include=["H1"]',
            "physics.secondary_protons=false",
            "compare.data=[]",
            "solver.tolerance=1e-6",
        ),
        1,
    ),
    "B/C evaluation": ("tuning/bc-evaluation", (), 5),
}


def report(names: Sequence[str] | None = None, progress: Callable[[str], None] = lambda text: None) -> str:
    """Run cases, each in a fresh process, and return a Markdown table."""
    rows = []
    for name in names or CASES:
        progress(name)
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "NUMBA_NUM_THREADS": "1",
        }
        answer = subprocess.run(
            [sys.executable, "-m", "cyldiff.benchmark", name],
            capture_output=True, text=True, check=True, env=environment,
        )  # fmt: skip
        rows.append(json.loads(answer.stdout))
    head = (
        "| case | nuclides | unknowns | solver CPU s | steps per nuclide | ns per unknown and step "
        "| copy ns | ratio | set-up CPU s | peak MB |"
    )
    lines = [head, "|" + "---|" * 10]
    for r in rows:
        lines.append(
            f"| {r['name']} | {r['nuclides']} | {r['cells']} | {r['solve_s']:.2f} | {r['steps']:.0f} "
            f"| {r['ns']:.1f} | {r['copy_ns']:.2f} | {r['ns'] / r['copy_ns']:.0f} "
            f"| {r['setup_s']:.2f} | {r['memory_MB']:.0f} |"
        )
    lines += [
        "",
        f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}, one thread.",
    ]
    return "\n".join(lines)


def run_case(name: str) -> dict[str, Any]:
    """Measure one case in this process."""
    from cyldiff import pipeline
    from cyldiff.config.load import load_config

    run, overrides, repetitions = CASES[name]
    config = load_config(run, overrides).config
    grid = pipeline.build_grid(config)

    def solve() -> tuple[float, float, Array]:
        start = time.process_time()
        chain = pipeline.build_chain(config, grid)
        sources = pipeline.build_sources(config, grid, chain.network.species)
        ready = time.process_time()
        steps = chain.solve(sources).steps
        return time.process_time() - ready, ready - start, steps

    solve()  # compiles, and reads the tables
    cells = int(np.prod(grid.shape))
    times, copies = [], [_copy_ns(cells)]
    for _ in range(repetitions):
        times.append(solve())
        copies.append(_copy_ns(cells))
    seconds, setup, steps = min(times, key=lambda row: row[0])
    return {
        "name": name,
        "nuclides": len(steps),
        "cells": cells,
        "solve_s": seconds,
        "setup_s": setup,
        "steps": float(steps[steps > 0].mean()),
        "ns": seconds / (steps.sum() * cells) * 1e9,
        "copy_ns": min(copies),
        "memory_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    }


def _copy_ns(cells: int) -> float:
    source, target = np.random.default_rng(1).random(cells), np.empty(cells)
    best = np.inf
    for _ in range(20):
        start = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - start)
    return best / cells * 1e9


if __name__ == "__main__":
    print(json.dumps(run_case(sys.argv[1])))

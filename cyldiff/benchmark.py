"""How fast cyldiff is here: the cases of docs/performance.md, each against a plain copy of its field.

Point sources are measured against the exponential instead.

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
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.benchmark_response import RESPONSES, response_table, run_response

__all__ = [
    "CASES",
    "NAMES",
    "POINT_SOURCES",
    "POPULATION",
    "report",
    "run_case",
    "run_point_sources",
    "run_population",
]

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

#: one realisation of a population, density at the Sun
POINT_SOURCES = "point sources"
#: the same with everything: drawing, fluxes, the brightest source
POPULATION = "population"
NAMES = (*CASES, POINT_SOURCES, POPULATION, *RESPONSES)


def report(names: Sequence[str] | None = None, progress: Callable[[str], None] = lambda text: None) -> str:
    """Run cases, each in a fresh process, and return a Markdown table."""
    rows = []
    for name in names or NAMES:
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
    lines = _solver_table([r for r in rows if r["name"] in CASES])
    lines += _point_source_table([r for r in rows if r["name"] == POINT_SOURCES])
    lines += _population_table([r for r in rows if r["name"] == POPULATION])
    lines += response_table([r for r in rows if r["name"] in RESPONSES])
    lines.append(
        f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}, one thread."
    )
    return "\n".join(lines)


def _solver_table(rows: Sequence[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
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
    return [*lines, ""]


def _point_source_table(rows: Sequence[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    head = (
        "| case | sources | energies | evaluations per s and core | ns per evaluation | one exp, ns | numpy's exp, ns "
        "| ratio | CPU s of 10^4 realisations | peak MB |"
    )
    lines = [head, "|" + "---|" * 10]
    for r in rows:
        lines.append(
            f"| {r['name']} | {r['sources']} | {r['energies']} | {1e9 / r['ns']:.2g} | {r['ns']:.1f} "
            f"| {r['exp_ns']:.1f} | {r['numpy_exp_ns']:.1f} | {r['ns'] / r['exp_ns']:.1f} "
            f"| {1e-5 * r['ns'] * r['sources'] * r['energies']:.0f} | {r['memory_MB']:.0f} |"
        )
    return [*lines, ""]


def _population_table(rows: Sequence[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    head = (
        "| case | sources | energies | drawing, ms | fluxes, ms | brightest source, ms "
        "| CPU s of 10^4 realisations | start, CPU s | peak MB |"
    )
    lines = [head, "|" + "---|" * 9]
    for r in rows:
        lines.append(
            f"| {r['name']} | {r['sources']:.0f} | {r['energies']} | {r['draw_ms']:.2f} | {r['flux_ms']:.2f} "
            f"| {r['brightest_ms']:.2f} | {10.0 * (r['draw_ms'] + r['flux_ms'] + r['brightest_ms']):.0f} "
            f"| {r['start_s']:.1f} | {r['memory_MB']:.0f} |"
        )
    return [*lines, ""]


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


def run_point_sources(repetitions: int = 20) -> dict[str, Any]:
    """Measure the density at the Sun of populations in this process.

    Sources of 0.1 Myr each, 0.1 per kyr, back to 30 Myr, within 15 kpc and 0.2 kpc of the plane; 60 energies
    from 1 TeV to 100 PeV, D = 4e28 cm^2/s (R / 4 GV)^0.5, H = 4 kpc. An evaluation is one source at one
    energy; those that the halo has long lost count, too.
    """
    from cyldiff.constants import PROTON_MASS, SPEED_OF_LIGHT
    from cyldiff.sources.segments import Segments
    from cyldiff.sources.superposition import PointPropagation, summed
    from cyldiff.units import to_internal

    n, life, energy = 3000, 0.1, np.geomspace(1e3, 1e8, 60)
    diffusion = to_internal(4e28, "cm^2/s", "length²/time") * (energy / 4.0) ** 0.5
    propagation = PointPropagation(
        diffusion, SPEED_OF_LIGHT * np.sqrt(1.0 - (PROTON_MASS / energy) ** 2), 4.0
    )
    random = np.random.default_rng(1)
    best, sun, spectra = np.inf, np.array([[-8.5, 0.0, 0.0]]), energy[None, :] ** -2.2
    for _ in range(repetitions):
        r, phi = 15.0 * np.sqrt(random.random(n)), 2.0 * np.pi * random.random(n)
        position = np.stack([r * np.cos(phi), r * np.sin(phi), random.uniform(-0.2, 0.2, n)], axis=-1)
        old, none = 30.0 * random.random(n), np.zeros(n, dtype=np.int64)
        sources = Segments(position, old, np.maximum(old - life, 0.0), 10.0 ** random.random(n), none, none)
        start = time.process_time()
        summed(sources, spectra, sun, propagation)
        best = min(best, time.process_time() - start)
    exp_ns, numpy_exp_ns = _exp_ns()
    return {
        "name": POINT_SOURCES,
        "sources": n,
        "energies": len(energy),
        "ns": best / (n * len(energy)) * 1e9,
        "exp_ns": exp_ns,
        "numpy_exp_ns": numpy_exp_ns,
        "memory_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    }


def run_population(realisations: int = 50, repetitions: int = 5) -> dict[str, Any]:
    """Measure single realisations of papers/kaci-2025/population in this process."""
    start = time.process_time()
    from cyldiff.sources.population.evaluate import Evaluation
    from cyldiff.sources.population.load import load_population
    from cyldiff.sources.population.model import PopulationModel

    model = PopulationModel(load_population("papers/kaci-2025/population").config)
    evaluation = Evaluation(model)
    evaluation.intensity(model.draw.realisation(0))
    evaluation.brightest(model.draw.realisation(0), 3.5e6)
    ready = time.process_time() - start
    best = [np.inf] * 3
    for _ in range(repetitions):
        marks = [time.process_time()]
        drawn = [model.draw.realisation(i) for i in range(realisations)]
        marks.append(time.process_time())
        for one in drawn:
            evaluation.intensity(one)
        marks.append(time.process_time())
        for one in drawn:
            evaluation.brightest(one, 3.5e6)
        marks.append(time.process_time())
        best = [min(b, step) for b, step in zip(best, np.diff(marks).tolist(), strict=True)]
    return {
        "name": POPULATION,
        "sources": float(np.mean([len(one) for one in drawn])),
        "energies": len(model.energies),
        **{
            f"{key}_ms": 1e3 * b / realisations
            for key, b in zip(("draw", "flux", "brightest"), best, strict=True)
        },
        "start_s": ready,
        "memory_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    }


def _exp_ns() -> tuple[float, float]:
    """Of the exponential of the C library, one after the other in a compiled loop, and of numpy's."""
    import math

    from numba import njit

    def add_exponentials(x: Any) -> float:
        total = 0.0
        for i in range(len(x)):
            total += math.exp(x[i])
        return total

    x = -40.0 * np.random.default_rng(1).random(10_000)
    compiled: Any = njit(add_exponentials)
    compiled(x)
    best = [np.inf, np.inf]
    for _ in range(20):
        for k, function in enumerate((compiled, np.exp)):
            start = time.perf_counter()
            function(x)
            best[k] = min(best[k], time.perf_counter() - start)
    return best[0] / len(x) * 1e9, best[1] / len(x) * 1e9


def _copy_ns(cells: int) -> float:
    source, target = np.random.default_rng(1).random(cells), np.empty(cells)
    best = np.inf
    for _ in range(20):
        start = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - start)
    return best / cells * 1e9


if __name__ == "__main__":
    special: dict[str, Callable[[], dict[str, Any]]] = {
        POINT_SOURCES: run_point_sources,
        POPULATION: run_population,
        **{name: partial(run_response, name) for name in RESPONSES},
    }
    case = sys.argv[1]
    print(json.dumps(special[case]() if case in special else run_case(case)))

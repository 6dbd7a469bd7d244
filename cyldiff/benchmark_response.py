"""How fast the response to point sources is: its solve, and the sources it answers for."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["RESPONSES", "response_table", "run_response"]

#: name -> (run, range of energies [GeV/n], oldest age [Myr] or None for the steady state)
RESPONSES: dict[str, tuple[str, tuple[float, float], float | None]] = {
    "response, spatially dependent D, steady": ("models/yue-2025", (1e3, 1e7), None),
    "response, uniform D, all ages": ("quickstart", (1e5, 1e7), 1e4),
}
SOURCES, ENERGIES = 10_000, 60


def run_response(name: str, repetitions: int = 3) -> dict[str, Any]:
    """Measure a solve, and 10^4 sources at 60 energies with their gradients, in this process."""
    from cyldiff.config.load import load_config
    from cyldiff.sources.response import source_response
    from cyldiff.sources.segments import Segments

    run, span, oldest = RESPONSES[name]
    config = load_config(run, ("compare.data=[]",))
    coarse: dict[str, Any] = {"core": 1.0, "growth": 0.3}
    source_response(config, kinetic_energy=span[1], ages=oldest, **coarse)  # compiles
    start = time.process_time()
    response = source_response(config, kinetic_energy=span, ages=oldest)
    solved = time.process_time() - start
    random = np.random.default_rng(1)
    r, phi = 15.0 * np.sqrt(random.random(SOURCES)), 2.0 * np.pi * random.random(SOURCES)
    place = np.stack([r * np.cos(phi), r * np.sin(phi), random.uniform(-0.2, 0.2, SOURCES)], axis=-1)
    old, none = 3.0 * random.random(SOURCES), np.zeros(SOURCES, dtype=np.int64)
    histories = {"on since ever": (old, 0.0 * old)}
    if oldest is not None:
        histories = {
            "bursts": (old, old),
            "0.1 Myr each": (old, np.maximum(old - 0.1, 0.0)),
            "on": (old, 0.0 * old),
        }
    energy = np.geomspace(*span, ENERGIES)
    seconds = {}
    for what, (began, ended) in histories.items():
        sources = Segments(place, began, ended, np.ones(SOURCES), none, none)
        times = []
        for _ in range(repetitions + 1):
            start = time.process_time()
            response.evaluate(sources, energy[None] ** -2.2, energy)
            times.append(time.process_time() - start)
        seconds[what] = min(times[1:])
    return {
        "name": name,
        "solve_s": solved,
        "energies": len(response.kinetic_energy),
        "modes": response.attributes["modes"],
        "table_MB": response.values.nbytes / 1e6,
        "evaluate_s": seconds,
        "memory_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    }


def response_table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Rows of :func:`run_response` as Markdown."""
    if not rows:
        return []
    head = (
        f"| case | solved energies | modes | solve, CPU s | CPU s for {SOURCES} sources at {ENERGIES} energies "
        "| table, MB | peak MB |"
    )
    lines = [head, "|" + "---|" * 7]
    for r in rows:
        each = ", ".join(f"{what} {s:.2f}" for what, s in r["evaluate_s"].items())
        lines.append(
            f"| {r['name']} | {r['energies']} | {r['modes']} | {r['solve_s']:.0f} | {each} | {r['table_MB']:.0f} "
            f"| {r['memory_MB']:.0f} |"
        )
    return [*lines, ""]

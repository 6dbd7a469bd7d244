"""How fast the diffuse sky is: ``python -m cyldiff.benchmark_sky`` prints the table of docs/performance.md.

Each case runs in a process of its own on one thread, on the result of the quickstart run with protons only (2-D,
standard grid); the second time counts, after numba has compiled.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["CASES", "report", "run_case"]

#: energies of all cases [GeV]
ENERGIES = np.geomspace(1e2, 1e6, 30)
CASES = {
    "region spectrum, LHAASO inner": "region",
    "profile in l, 20 slices": "profile",
    "all sky, nside 64, pixel means": "pixels",
    "all sky, plate-carree image of 0.5 deg": "image",
}


def report(progress: Callable[[str], None] = lambda text: None) -> str:
    """Run all cases, each in a fresh process, and return a Markdown table."""
    import cyldiff
    from cyldiff.config.load import load_config

    lines = [
        "| case, 30 energies, pi0 with absorption on the CMB | wall s | CPU s | peak MB |",
        "|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.nc"
        progress("quickstart, protons only")
        overrides = ['species.include=["H1"]', "compare.data=[]", "solver.grid_error.enabled=false"]
        cyldiff.write_result(cyldiff.run(load_config("quickstart", overrides)), path)
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "NUMBA")}
        for name in CASES:
            progress(name)
            answer = subprocess.run(
                [sys.executable, "-m", "cyldiff.benchmark_sky", str(path), name],
                capture_output=True, text=True, check=True, env={**os.environ, **threads},
            )  # fmt: skip
            row = json.loads(answer.stdout)
            lines.append(f"| {name} | {row['wall_s']:.2f} | {row['cpu_s']:.2f} | {row['memory_MB']:.0f} |")
    return "\n".join(lines)


def run_case(path: Path, name: str) -> dict[str, Any]:
    """Measure one case on a result file in this process."""
    from cyldiff.commands.gamma import slices
    from cyldiff.io.netcdf import read_result
    from cyldiff.observables.gamma import diffuse_sky
    from cyldiff.observables.regions import REGIONS

    dataset, region = read_result(path), REGIONS["lhaaso-inner"]

    def once() -> Any:
        sky = diffuse_sky(dataset, energies=ENERGIES)
        match CASES[name]:
            case "region":
                return sky.region(region)
            case "profile":
                return sky.profile(slices(region))
            case "pixels":
                return sky.pixels(64)
        return sky.image(0.5)

    once()
    wall, cpu = time.perf_counter(), time.process_time()
    once()
    return {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "memory_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    }


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(run_case(Path(sys.argv[1]), sys.argv[2])))
    else:
        print(report(progress=lambda text: print(f"{text} …", file=sys.stderr)))

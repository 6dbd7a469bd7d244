"""One nuclide with PETSc on the ranks of an MPI launch: seconds, iterations, memory (docs/scaling.md).

    mpiexec -n 2 python docs/scripts/scaling.py --cells 97,41,33 [--cells 49,21,32,17 ...] [--how sweeps]

prints one row of the tables per mesh: cells are (p, r, z) or (p, r, phi, z), half-space.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from cyldiff.config.load import load_config
from cyldiff.grid import Grid
from cyldiff.parallel.comm import get_comm
from cyldiff.parallel.partition import own_part
from cyldiff.pipeline import build_chain, build_sources
from cyldiff.solve.petsc import PetscSolver

OVERRIDES = (
    "compare.data = []",
    'species.include = ["C12", "H1"]',
    'solver.backend = "petsc"',
    "solver.tolerance = 1e-8",
)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", action="append", required=True)
    parser.add_argument("--how", default="sweeps")
    parser.add_argument("--model", default="models/reacceleration")
    arguments = parser.parse_args()
    dimension = arguments.cells[0].count(",")
    warm = (9, 4 + get_comm().size, *(5,) * (dimension - 1))  # compiles, loads libraries
    measure(warm, arguments.how, arguments.model)
    for cells in arguments.cells:
        row = measure(tuple(int(n) for n in cells.split(",")), arguments.how, arguments.model)
        if row:
            print("| " + " | ".join(row) + " |", flush=True)


def measure(cells: tuple[int, ...], how: str, model: str) -> list[str]:
    """One row, on rank 0."""
    comm = get_comm()
    config = load_config(model, OVERRIDES).config
    whole = Grid.build(
        kinetic_energy=np.geomspace(0.01, 1e5, cells[0]), radius=config.physics.halo.radius,
        half_height=config.physics.halo.half_height, n_r=cells[1], n_z=cells[-1],
        half_space=True, stretch=5.0,
        n_phi=cells[2] if len(cells) == 4 else None,
    )  # fmt: skip
    chain = build_chain(config, whole, comm)
    (component, *_) = build_sources(config, own_part(whole, comm), chain.network.species)
    carbon = next(i for i, s in enumerate(chain.network.species) if s.name == "C12")
    solver = PetscSolver(whole, comm, config.solver.tolerance, preconditioner=how)
    source = chain.column(component.spectra["C12"]) * component.density
    if source.ndim == 4:  # all modes around the circle take part
        source = source * (1.0 + 0.5 * np.cos(chain.grid.phi.centers[None, None, :, None] - 0.3) ** 7)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(2):
        comm.sum(np.zeros(1))
        wall, cpu = time.perf_counter(), time.process_time()
        operator = chain.operator(carbon)
        built = time.process_time() - cpu
        _, report = solver.solve(operator, source)
        seconds.append((time.perf_counter() - wall, time.process_time() - cpu, built))
    solver.close()
    memory = comm.sum_number(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024.0
    total_cpu = comm.sum_number(seconds[1][1])
    if comm.rank > 0:
        return []
    size = int(np.prod(cells))
    return [
        " x ".join(map(str, cells)), f"{size}", str(comm.size), how, str(report.steps),
        f"{report.residual:.0e}",
        f"{seconds[1][2]:.2f}", f"{total_cpu:.2f}", f"{seconds[1][0]:.2f}", f"{memory / size:.0f}",
    ]  # fmt: skip


if __name__ == "__main__":
    main()

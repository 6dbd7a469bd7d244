"""Draw the figures of time dependence, and print the numbers of docs/theory/time.md and docs/verification.md.

    python tests/verification/figures_time.py [FOLDER]

The folder is docs/figures/verification if none is named.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import test_point_source as point_tests
import test_time_adiabatic as adiabatic_tests
import test_time_order as order_tests
import test_time_spreading as spreading_tests
from galaxy_model import ALL_PROCESSES, small_run
from problems import observed_orders, operator, slab_grid
from scipy.special import erf
from time_problems import cartesian, no_source, sphere_of_cells

from cyldiff.pipeline import build_chain, build_grid, build_sources
from cyldiff.plot.style import LINES, RC, SEQUENCE, label_of
from cyldiff.solve.crank_nicolson import Stepper
from cyldiff.solve.evolution import Evolution, evolve
from cyldiff.sources.greens_function import burst, continuous, vertical_kernel
from cyldiff.sources.point import local_cell

FOLDER = Path(__file__).parents[2] / "docs" / "figures" / "verification"
BLACK, BLUE, RED, GREEN, PINK, ORANGE, SKY, WINE = SEQUENCE


def main(folder: Path) -> None:
    """Draw everything."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({**RC, "savefig.dpi": 110}):
        for draw in (time_spreading, time_burst, time_approach):
            figure = draw()
            figure.savefig(folder / f"{draw.__name__}.png", bbox_inches="tight")
            plt.close(figure)
    tolerances()
    numbers()


def measured(name: str, *values: float) -> None:
    """Print a line of numbers."""
    print(f"{name:58s}", " ".join(f"{v:.3g}" for v in values))


def time_spreading():
    """T3: cuts through the Gaussian along r, and its L2 error against the number of cells."""
    figure, axes = plt.subplots(1, 2, figsize=(10.0, 4.2), layout="constrained")
    grid = spreading_tests.uniform_box(
        *spreading_tests.LEVELS[1], radius=spreading_tests.BOX, half_height=spreading_tests.HEIGHT
    )
    ray = int(np.argmin(np.abs(np.angle(np.exp(1j * (grid.phi.centers - 2.0))))))
    first = np.full(2, 0.5 * spreading_tests.SIGMA**2)
    start = spreading_tests.gaussian(grid, first)
    times = [0.2, 0.5, 1.0]
    stepper = Stepper([spreading_tests.uniform_operator(grid, spreading_tests.D)], no_source, tolerance=3e-4)
    states = [start, *(u for (u,) in stepper.advance([start], times))]
    for t, field, colour in zip([0.0, *times], states, (BLACK, BLUE, GREEN, RED), strict=True):
        exact = spreading_tests.gaussian(grid, first + spreading_tests.D * t)
        axes[0].semilogy(grid.r.centers, exact[0, :, ray, 0], color=colour, label=f"$t$ = {t:g} Myr")
        axes[0].semilogy(grid.r.centers, field[0, :, ray, 0], "o", color=colour, ms=3.5)
    axes[0].set(xlabel="$r$ along the ray through the centre [kpc]", ylabel="density [kpc$^{-3}$]")
    axes[0].set(ylim=(1e-6, 0.1), title="lines: exact; points: 24 × 48 × 15 cells")
    axes[0].legend()
    cells = np.array([2.0, 3.0, 4.0])
    errors = np.array([spreading_tests.l2_error(level) for level in range(3)])
    for k, colour in ((0, BLUE), (1, ORANGE)):
        label = f"$D$ = {spreading_tests.D[k]:g} kpc²/Myr"
        axes[1].loglog(cells, errors[:, k], "o-", color=colour, label=label)
    axes[1].loglog(cells, 0.02 * (cells / 2.0) ** -2, ":", color="0.5", label="order 2")
    axes[1].axhline(0.01, color=RED, lw=1.0, ls="--")
    axes[1].set(xlabel="initial width in cells", ylabel="relative $L_2$ error after 1 Myr")
    axes[1].set_xticks(cells, ["2", "3", "4"])
    axes[1].minorticks_off()
    axes[1].set_yticks([2e-3, 5e-3, 1e-2, 2e-2], ["0.2 %", "0.5 %", "1 %", "2 %"])
    axes[1].legend()
    for k in (0, 1):
        orders = (observed_orders(errors[:2, k], 1.5)[0], observed_orders(errors[1:, k], 4.0 / 3.0)[0])
        measured("T3 L2 errors, orders", *errors[:, k], *orders)
    return figure


def time_burst():
    """T4 and T17: a burst in the halo against its Green's function, with residuals."""
    figure, axes = plt.subplots(
        2, 2, figsize=(10.0, 6.4), layout="constrained", height_ratios=(3, 1), sharex="col"
    )
    spreads = [0.1, 0.5, 2.0, 8.0, 16.0]
    grid, fields = point_tests.slab_burst(0.5, spreads)
    fine = np.linspace(-4.0, 4.0, 400)
    for spread, field, colour in zip(spreads, fields, (BLACK, BLUE, GREEN, ORANGE, RED), strict=True):
        exact = vertical_kernel(grid.z.centers, 0.5, spread, 4.0)[0]
        axes[0, 0].semilogy(fine, vertical_kernel(fine, 0.5, spread, 4.0)[0], color=colour)
        axes[0, 0].semilogy(
            grid.z.centers[::3], field[::3], "o", ms=3.5, color=colour, label=f"$Dt$ = {spread:g} kpc²"
        )
        axes[1, 0].plot(grid.z.centers, 100.0 * (field - exact) / exact.max(), color=colour)
        measured(f"T4 largest error, D t = {spread:g}", np.abs(field - exact).max() / exact.max())
    axes[0, 0].set(
        ylim=(1e-4, 20.0), ylabel="density [kpc$^{-1}$]", title="plane burst at $z$ = 0.5 kpc, $H$ = 4 kpc"
    )
    axes[1, 0].set(xlabel="$z$ [kpc]", ylabel="error [% of top]", ylim=(-1.2, 1.2))
    grid = point_tests.halo_grid()
    begin = (1.5 * local_cell(grid, point_tests.PLACE)) ** 2 / (2.0 * point_tests.D[1])
    times = [0.3, 0.6, 1.0, 1.5]
    states, _ = point_tests.burst_run(grid, times, begin)
    away = np.linalg.norm(cartesian(grid) - np.array(point_tests.PLACE), axis=-1)
    for t, field, colour in zip(times, states, (BLACK, BLUE, GREEN, RED), strict=True):
        exact = burst(cartesian(grid), point_tests.PLACE, diffusion=1.0, age=t, half_height=point_tests.HALO)[
            0
        ]
        chosen = (away < 3.0) & (grid.coordinate("z")[0] == 0.0)
        order = np.argsort(away[chosen])
        d, n, e = away[chosen][order], field[0][chosen][order], exact[chosen][order]
        axes[0, 1].semilogy(d, e, color=colour)
        axes[0, 1].semilogy(d[::3], n[::3], "o", ms=3, color=colour, label=f"$t$ = {t:g} Myr")
        axes[1, 1].plot(d, 100.0 * (n / e - 1.0), ".", ms=2.5, color=colour)
    axes[1, 1].axvline(4.0 * local_cell(grid, point_tests.PLACE), color="0.6", lw=0.9, ls=":")
    axes[0, 1].set(ylim=(1e-4, 0.3), ylabel="density [kpc$^{-3}$]")
    axes[0, 1].set_title("point burst, $D$ = 1 kpc²/Myr, $H$ = 2 kpc, in the plane")
    axes[1, 1].set(xlabel="distance [kpc]", ylabel="error [%]", ylim=(-4.0, 4.0), xlim=(0.0, 3.0))
    axes[0, 0].legend(ncols=3, loc="upper center", columnspacing=1.0)
    axes[0, 1].legend()
    return figure


def time_approach():
    """Sources switched on in an empty Galaxy: flux at the Sun relative to the steady state."""
    figure, axes = plt.subplots(1, 2, figsize=(10.0, 4.2), layout="constrained", sharey=True)
    species = ("H1", "Be10", "B11", "C12")
    run = small_run(species, ALL_PROCESSES, n_r=17, n_z=17, energies=("100 MeV", "10 TeV", 4.0))
    grid = build_grid(run.config)
    chain = build_chain(run.config, grid)
    sources = build_sources(run.config, grid, chain.network.species)
    steady = chain.solve(sources)
    times = np.geomspace(0.1, 1000.0, 33)
    snapshots = evolve(chain, sources, {"remnants": Evolution(lambda t: 1.0)}, list(times), tolerance=1e-3)
    names = [s.name for s in steady.species]
    at_sun = lambda s, name: grid.at(s.density[0, names.index(name)], 8.5)  # noqa: E731
    ratio = {n: np.array([at_sun(s, n) / at_sun(steady, n) for s in snapshots]) for n in names}
    for k, colour, dashes in zip((4, 8, 12, 16), (BLACK, BLUE, GREEN, RED), LINES[:4], strict=True):
        axes[0].semilogx(
            times, ratio["C12"][:, k], color=colour, ls=dashes, label=f"{grid.kinetic_energy[k]:.0f} GeV/n"
        )
    for name, colour, dashes in zip(species, (BLACK, ORANGE, BLUE, GREEN), LINES[:4], strict=True):
        axes[1].semilogx(times, ratio[name][:, 8], color=colour, ls=dashes, label=label_of(name))
    for ax, title in zip(axes, ("$^{12}$C", f"{grid.kinetic_energy[8]:.0f} GeV/n"), strict=True):
        ax.set(xlabel="time since switch-on [Myr]", title=title, ylim=(0.0, 1.05))
        ax.legend()
    axes[0].set_ylabel("density at the Sun / steady")
    measured("1 - ratio to steady at 1 Gyr", *(float(np.abs(1.0 - ratio[n][-1]).max()) for n in names))
    return figure


def tolerances() -> None:
    """How the error at the end follows the tolerance: a Gaussian of 0.4 kpc in a slab of 4 kpc, D = 1."""
    grid = slab_grid(65, 4.0)
    problem = operator(grid, D=1.0)

    def exact(spread):
        width = np.sqrt(2.0 * spread)
        images = ((-1.0) ** n * 0.5 * erf((grid.z.faces - 8.0 * n) / width) for n in range(-8, 9))
        return np.diff(sum(images)) / grid.z.widths

    start = np.broadcast_to(exact(0.4**2), grid.shape)
    times, fine = [0.5, 4.0, 20.0], None
    for tolerance in (1e-8, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
        stepper = Stepper([problem], no_source, tolerance=tolerance)
        begun = time.perf_counter()
        found = [u[0, 0] for (u,) in stepper.advance([start], times)]
        seconds = time.perf_counter() - begun
        fine = found if fine is None else fine
        of_time = [np.abs(a - b).max() / b.max() for a, b in zip(found, fine, strict=True)]
        of_all = [
            np.abs(a - exact(0.4**2 + 2.0 * t)).max() / a.max() for a, t in zip(found, times, strict=True)
        ]
        r = stepper.report
        measured(
            f"tolerance {tolerance:g}: steps, solver steps", r.accepted, r.rejected, r.solver_steps, seconds
        )
        measured("    error of time at 0.5, 4, 20 Myr", *of_time)
        measured("    with that of the cells", *of_all)


def numbers() -> None:
    """Numbers of the table of the verification page."""
    errors = order_tests.errors_in_time()
    measured("T1 in time: orders, error", *observed_orders(errors), errors[-1])
    errors = order_tests.errors_together()
    measured("T1 together: orders, error", *observed_orders(errors), errors[-1])
    for per_decade in (8, 16, 32):
        _, field, exact = adiabatic_tests.expansion(per_decade)
        measured(f"T11 {per_decade} per decade", np.abs(field[:, 0] - exact).max() / exact.max())
    grid = point_tests.halo_grid()
    cell, place, D = local_cell(grid, point_tests.PLACE), point_tests.PLACE, point_tests.D
    (early, late), ahead = point_tests.continuous_run(grid, [2.0, 40.0])
    for k in (0, 1):
        for field, age, far in ((early, 2.0 + ahead[k], 2.0), (late, np.inf, 1.5)):
            near = sphere_of_cells(grid, place, nearest=4.0 * cell, farthest=far)
            exact = continuous(
                cartesian(grid), place, diffusion=D[k], duration=age, half_height=point_tests.HALO
            )
            off = point_tests.deviation(grid, field[k], exact, near)
            measured(f"T17 lasting, D = {D[k]}, age {age:.3g}: density, dipole", *off)
    begin = (1.5 * cell) ** 2 / (2.0 * D[1])
    fields, _ = point_tests.burst_run(grid, [1.0, 1.5], begin)
    for field, age in zip(fields, (1.0, 1.5), strict=True):
        for k in (0, 1):
            far = min(np.sqrt(4.0 * D[k] * age), 2.0)
            near = sphere_of_cells(grid, place, nearest=4.0 * cell, farthest=far)
            exact = burst(cartesian(grid), place, diffusion=D[k], age=age, half_height=point_tests.HALO)
            measured(
                f"T17 burst, D = {D[k]}, age {age}: density, dipole",
                *point_tests.deviation(grid, field[k], exact, near),
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)

"""Draw the figures of docs/verification.md, and print the numbers measured for its table.

    python tests/verification/figures.py [FOLDER]

The folder is docs/figures/verification if none is named.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import test_momentum_diffusion as diffusion_tests
import test_momentum_losses as losses_tests
import test_network_limits as network_tests
import test_spatially_dependent as two_zone_tests
from exact import bessel_cylinder, case_bhattacharya_1996, decaying_slab, windy_slab
from galaxy_model import ALL_PROCESSES, SPATIALLY_DEPENDENT, small_run
from manufactured import momentum_only, radial_only, space_and_momentum, vertical_only
from problems import (
    CARBON,
    cylinder_grid,
    direct,
    iterate,
    observed_orders,
    operator,
    plane_source,
    relative_difference,
    slab_grid,
)
from scipy.special import erfc

from cyldiff.grid import Kinematics, energy_grid
from cyldiff.pipeline import build_chain, build_grid, build_sources
from cyldiff.plot.style import RC, SEQUENCE
from cyldiff.solve.steady import SteadySolver

FOLDER = Path(__file__).parents[2] / "docs" / "figures" / "verification"
BLACK, BLUE, RED, GREEN, PINK, ORANGE, SKY, WINE = SEQUENCE


def main(folder: Path) -> None:
    """Draw everything."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = (orders, slab, bessel, losses, two_zones, thin_disc, slopes, convergence)
    with mpl.rc_context({**RC, "savefig.dpi": 110}):
        for draw in figures:
            figure = draw()
            figure.savefig(folder / f"{draw.__name__}.png", bbox_inches="tight")
            plt.close(figure)
    direct_solve()


def measured(name: str, *values: float) -> None:
    """Print a line of numbers."""
    print(f"{name:58s}", " ".join(f"{v:.3g}" for v in values))


def _error(case) -> float:
    problem, source, exact = case
    return float(np.abs(iterate(problem, source, tolerance=1e-10) - exact).max() / np.abs(exact).max())


def orders():
    """T1: error of the manufactured solution against the number of cells."""
    space = np.array([10, 20, 40, 80, 160])
    momentum = np.array([8, 16, 32, 64, 128])
    together = np.array([8, 16, 32, 64])
    left = {
        "$r$": (space, [_error(radial_only(n)) for n in space], "o", BLUE),
        "$z$, uniform": (space, [_error(vertical_only(n + 1)) for n in space], "s", GREEN),
        "$z$, sinh": (space, [_error(vertical_only(n + 1, stretch=4.0)) for n in space], "^", ORANGE),
        "all terms, $r$, $z$, $\\ln p$ together": (
            together,
            [_error(space_and_momentum(n, n + 1, n / 2)) for n in together],
            "D",
            BLACK,
        ),
    }
    right = {
        "third-order": ("third-order", True, "o", BLUE),
        "Chang–Cooper": ("chang-cooper", True, "s", RED),
        "third-order, losses only": ("third-order", False, "o", SKY),
        "Chang–Cooper, losses only": ("chang-cooper", False, "s", ORANGE),
    }
    figure, axes = plt.subplots(1, 2, figsize=(10.0, 4.4), layout="constrained")
    for label, (cells, errors, marker, colour) in left.items():
        axes[0].loglog(cells, errors, marker, ls="-", color=colour, label=label)
        measured(f"orders {label}", *observed_orders(errors), errors[-1])
    for label, (scheme, with_g, marker, colour) in right.items():
        errors = [_error(momentum_only(n, scheme=scheme, reacceleration=with_g)) for n in momentum]
        axes[1].loglog(momentum, errors, marker, ls="-", color=colour, label=label)
        measured(f"orders {label}", *observed_orders(errors), errors[-1])
    for ax, cells, start, powers in (
        (axes[0], space, 4e-2, (2,)),
        (axes[1], momentum, 6e-2, (1, 2, 3)),
    ):
        for power in powers:
            guide = start * (cells / cells[0]) ** -float(power)
            ax.loglog(cells, guide, color="0.6", lw=0.9, ls=":")
            ax.annotate(f" order {power}", (cells[-1], guide[-1]), color="0.4", fontsize=9, va="center")
        ax.set_xlim(0.72 * cells[0], 2.1 * cells[-1])
        ax.legend(loc="lower left")
        ax.set_ylabel("largest error / largest density")
    axes[0].set_xlabel("cells (of the half-space in $z$)")
    axes[1].set_xlabel("energies per decade")
    return figure


def slab():
    """T5, T7, T8: profiles of the slab."""
    D, H = 0.05, 4.0
    figure, ax = plt.subplots(figsize=(6.2, 4.6), layout="constrained")
    z = np.linspace(0.0, H, 400)
    cases = (
        ("diffusion (T5)", {}, lambda z: (H - z) / (2 * D), BLACK, "o"),
        (
            "wind 0.02 kpc/Myr (T7)",
            {"wind": 0.02},
            lambda z: windy_slab(z, q=1, D=D, half_height=H, wind=0.02),
            BLUE,
            "s",
        ),
        (
            "decay, 30 Myr (T8)",
            {"sink": 1 / 30},
            lambda z: decaying_slab(z, q=1, D=D, half_height=H, lifetime=30),
            RED,
            "^",
        ),
    )
    for label, terms, exact, colour, marker in cases:
        for n_z, stretch in ((17, 3.0), (33, 5.0)):
            grid = slab_grid(n_z, H, stretch=stretch)
            options = dict(terms)
            if "wind" in options:
                options["wind"] = options["wind"] * np.sign(grid.z.faces)
            field = iterate(operator(grid, D=D, **options), plane_source(grid))[0, 0]
            measured(f"slab {label} {n_z}", field[0] / exact(0.0) - 1.0)
            if n_z == 17:
                ax.plot(grid.z.centers, field, marker, color=colour, ms=5, mfc="white", zorder=3)
        ax.plot(z, exact(z), color=colour, label=label)
    ax.set(
        xlabel="height $z$ [kpc]",
        ylabel="density for $q = 1$ [Myr kpc$^{-1}$]",
        xlim=(0.0, H),
        ylim=(0.0, None),
    )
    ax.legend(title="lines: closed solutions, points: 17 sinh cells")
    return figure


def bessel():
    """T6: supernova remnants in a cylinder."""
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(6.6, 6.2), sharex=True, height_ratios=(2, 1.4), layout="constrained"
    )
    r = np.linspace(0.0, 20.0, 301)
    for half_height, colour in ((4.0, BLUE), (0.5, RED)):
        series = bessel_cylinder(
            case_bhattacharya_1996, r, 0.0 * r, radius=20.0, half_height=half_height, modes=1000
        )
        top.plot(r, series, color=colour, label=f"$H$ = {half_height:g} kpc")
        for n_r, marker, fill in ((41, "o", "white"), (81, ".", colour)):
            grid = cylinder_grid(n_r, 21, half_height)
            rings = grid.cell_average(lambda r, z: case_bhattacharya_1996(r) + 0.0 * z)[:, 0]
            field = iterate(operator(grid), plane_source(grid, rings))[0]
            exact = bessel_cylinder(
                case_bhattacharya_1996,
                grid.r.centers,
                0.0 * grid.r.centers,
                radius=20.0,
                half_height=half_height,
                modes=1000,
            )
            deviation = field[:, 0] / exact - 1.0
            if n_r == 41:
                top.plot(grid.r.centers, field[:, 0], marker, color=colour, mfc=fill, ms=4.5)
            bottom.plot(
                grid.r.centers,
                100 * deviation,
                marker + "-",
                color=colour,
                mfc=fill,
                ms=4,
                lw=0.8,
                label=f"{half_height:g} kpc, {n_r} rings",
            )
            sun = float(
                bessel_cylinder(
                    case_bhattacharya_1996, 8.5, 0.0, radius=20.0, half_height=half_height, modes=1000
                )
            )
            measured(
                f"bessel H={half_height} n_r={n_r}: Sun, 3 innermost",
                grid.at(field, 8.5) / sun - 1.0,
                *deviation[:3],
            )
    top.axvline(8.5, color="0.7", lw=0.8)
    top.annotate("Sun", (8.6, 0.05), color="0.4", fontsize=9)
    top.set(ylabel="$N(r, 0)$ for $D = 1$ kpc$^2$/Myr", ylim=(0.0, None))
    top.legend(title="lines: Bessel series, points: 41 rings")
    bottom.axhline(0.0, color="0.6", lw=0.8)
    bottom.axhspan(-0.1, 0.1, color="0.92", zorder=0)
    bottom.set(xlabel="radius $r$ [kpc]", ylabel="cells / series − 1 [%]", xlim=(0.0, 20.0), ylim=(-1.3, 1.9))
    bottom.legend(ncols=2, fontsize=8.5)
    return figure


def losses():
    """T9: a line that cools, for three schemes."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.0, 4.4), layout="constrained")
    grid = slab_grid(5, energies=energy_grid(0.01, 1e4, 8.0))
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    x, middle, width = np.log(nucleus.momentum), np.log(100.0), 1.2
    b = 0.01 * np.exp(middle - x) + 0.02 * np.exp(0.5 * (x - middle))
    source = np.broadcast_to(np.exp(-(((x - middle) / width) ** 2))[:, None, None], grid.shape).copy()
    exact = 0.5 * width * np.sqrt(np.pi) * erfc((x - middle) / width)
    left.semilogx(grid.kinetic_energy, exact, color="0.3", lw=3.5, alpha=0.35, label="closed solution")
    resolutions = np.array([8, 16, 32, 64])
    for scheme, colour, marker in (("third-order", BLUE, "o"), ("chang-cooper", RED, "s")):
        field = direct(operator(grid, D=1e-14, loss=b[:, None, None], scheme=scheme), source)[:, 0, 0]
        left.semilogx(
            grid.kinetic_energy,
            b * field,
            marker + "-",
            color=colour,
            ms=3.5,
            lw=0.9,
            label=f"{scheme}, 8 per decade",
        )
        errors = [losses_tests._line_error(n, scheme) for n in resolutions]
        right.loglog(resolutions, errors, marker + "-", color=colour, label=scheme)
        measured(f"losses {scheme}", *observed_orders(errors), *errors)
    for power in (1, 3):
        right.loglog(resolutions, 8e-2 * (resolutions / 8) ** -float(power), color="0.6", ls=":", lw=0.9)
        right.annotate(f" order {power}", (64, 8e-2 * 8.0**-power), color="0.4", fontsize=9, va="center")
    right.set_xlim(7.0, 110.0)
    right.set_xticks(resolutions, [str(n) for n in resolutions])
    right.tick_params(axis="x", which="minor", labelbottom=False)
    left.set(xlabel="kinetic energy $T$ [GeV/n]", ylabel="flux down in energy, $b\\,U$", xlim=(0.3, 1e3))
    right.set(xlabel="energies per decade", ylabel="largest error of $b\\,U$ / its largest value")
    left.legend()
    right.legend()
    return figure


def two_zones():
    """T18: density on the plane of a slab with two zones against the integral of 1/D."""
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(6.6, 6.4), sharex=True, height_ratios=(2, 1.4), layout="constrained"
    )
    rigidity = Kinematics(two_zone_tests.ENERGIES, *CARBON).rigidity
    cases = (
        ("no contrast ($N_m = 1$, $f = 0$)", {"N_m": 1.0, "disc_modulation": False}, BLACK),
        ("Yue et al. 2025, $n = 4$", {}, BLUE),
        ("$N_m = 0.3$, $n = 20$", {"N_m": 0.3, "n": 20}, GREEN),
        ("$N_m = 0.3$, jump ($n = 10^9$)", {"N_m": 0.3, "n": 1e9}, RED),
    )
    for label, changes, colour in cases:
        law = two_zone_tests.two_zones(**changes)
        exact = two_zone_tests.integral(law)
        top.loglog(rigidity, exact, color=colour, label=label)
        for n_z, marker, fill in ((17, "o", "white"), (33, "s", colour)):
            found, _ = two_zone_tests.plane_density(law, n_z)
            if n_z == 17:
                top.loglog(rigidity, found, marker, color=colour, mfc=fill, ms=5)
            deviation = np.abs(found / exact - 1.0)
            measured(f"two zones {label} {n_z}", deviation.max())
            bottom.loglog(
                rigidity, np.maximum(deviation, 1e-13), marker + "-", color=colour, mfc=fill, ms=4, lw=0.7
            )
    top.set(ylabel="$\\psi(0)$ for $q = 1$ [Myr kpc$^{-1}$]")
    top.legend(title="lines: $\\frac{1}{2}\\int_0^H dz/D$, circles: 17 cells")
    bottom.axhline(1e-3, color="0.6", ls=":", lw=0.9)
    bottom.annotate("accepted", (rigidity[0], 1.3e-3), color="0.4", fontsize=9)
    bottom.set(
        xlabel="rigidity $R$ [GV]", ylabel="relative deviation\n(squares: 33 cells)", ylim=(1e-14, 1e-2)
    )
    return figure


def thin_disc():
    """T12/T13: boron over carbon of a thin disc against the closed formula."""
    chain, at_sun = network_tests._solve(
        network_tests.THIN_DISC,
        ("C12", "B11"),
        slab=True,
        n_z=41,
        energies=("100 MeV", "1 PeV", 4.0),
        tolerance=1e-10,
    )
    exact = network_tests.thin_disc_ratio(chain)
    ratio = at_sun["B11"] / at_sun["C12"]
    energy = chain.grid.kinetic_energy
    measured("thin disc B11/C12", np.abs(ratio / exact - 1.0).max())
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(6.2, 5.2), sharex=True, height_ratios=(2.4, 1), layout="constrained"
    )
    top.loglog(energy, exact, color=BLUE, label="$k\\sigma_{ps}\\,/\\,(1/X + k\\sigma_s)$")
    top.loglog(energy, ratio, "o", color=BLACK, mfc="white", ms=4.5, label="solver, 41 cells")
    top.set(ylabel="$^{11}$B from $^{12}$C / $^{12}$C")
    top.legend()
    bottom.semilogx(energy, 1e12 * (ratio / exact - 1.0), "o-", color=BLACK, ms=3.5, lw=0.8)
    bottom.axhline(0.0, color="0.6", lw=0.8)
    bottom.set(xlabel="kinetic energy $T$ [GeV/n]", ylabel="deviation [$10^{-12}$]")
    return figure


def slopes():
    """T13: slopes of carbon and of B/C far above spallation."""
    energy, primary, ratio = network_tests.high_energy_slopes()
    far = energy > 2e4
    measured(
        "slopes beyond 20 TeV/n: primary, B/C",
        np.abs(primary[far] + 2.65).max(),
        np.abs(ratio[far] + 0.35).max(),
    )
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 4.0), layout="constrained")
    for ax, values, limit, label in (
        (axes[0], primary, -2.65, "slope of $^{12}$C"),
        (axes[1], ratio, -0.35, "slope of B / C"),
    ):
        ax.semilogx(energy, values, ".-", color=BLUE, ms=4)
        ax.axhline(limit, color=RED, lw=1.0, ls="--")
        ax.set(xlabel="kinetic energy $T$ [GeV/n]", ylabel=label)
    axes[0].annotate("$-(s + \\delta)$", (2.0, -2.645), color=RED, va="bottom")
    axes[1].annotate("$-\\delta$", (2.0, -0.349), color=RED, va="bottom")
    return figure


def convergence():
    """Residual after every pseudo-time step for several models: docs/theory/solver.md."""
    figure, ax = plt.subplots(figsize=(6.8, 4.8), layout="constrained")
    cases = (
        ("no reacceleration", ("C12",), (), BLACK),
        ("all processes, $^{12}$C", ("C12",), ALL_PROCESSES, BLUE),
        ("all processes, $^{56}$Fe", ("Fe56",), ALL_PROCESSES, SKY),
        ("all processes, $^{1}$H with secondaries", ("H1",), ALL_PROCESSES, GREEN),
        ("all processes, two zones, $^{12}$C", ("C12",), (*ALL_PROCESSES, *SPATIALLY_DEPENDENT), RED),
    )
    for label, species, overrides, colour in cases:
        run = small_run(
            species, overrides, n_r=41, n_z=33, energies=("10 MeV", "10 PeV", 12.0), tolerance=1e-10
        )
        grid = build_grid(run.config)
        chain = build_chain(run.config, grid)
        solution = chain.solve(build_sources(run.config, grid, chain.network.species))
        report = solution.reports[0][0]
        per_cycle = report.steps / (len(report.history) - 1)
        steps = per_cycle * np.arange(len(report.history))
        ax.semilogy(steps, report.history, "o-", color=colour, ms=3.5, label=label)
        reached = int(steps[int(np.argmax(np.array(report.history) < 1e-8))])
        to_percent = int(steps[int(np.argmax(np.array(report.history) < 1e-4))])
        measured(f"steps to 1e-4, 1e-8: {label}", to_percent, reached)
    ax.axhline(1e-8, color="0.6", ls=":", lw=0.9)
    ax.set(xlabel="pseudo-time steps", ylabel="true relative residual", xlim=(0.0, None))
    ax.legend(title="41 × 33 × 109 cells, cold start")
    return figure


def direct_solve() -> None:
    """Print the differences between iteration and factorisation, and T10 and T22 numbers."""
    for law, extra in (("homogeneous", ()), ("two zones", SPATIALLY_DEPENDENT)):
        for scheme in ("third-order", "chang-cooper"):
            solutions = []
            for exact in (True, False):
                run = small_run(
                    ("Fe56", "C12", "Be10", "H1"),
                    (*ALL_PROCESSES, *extra, f'solver.momentum_scheme = "{scheme}"'),
                )
                grid = build_grid(run.config)
                chain = build_chain(run.config, grid)
                chain.direct = exact
                solutions.append(chain.solve(build_sources(run.config, grid, chain.network.species)))
            reference, found = solutions
            differences = [
                relative_difference(found.density[0, i], reference.density[0, i])
                for i in range(len(found.species))
            ]
            measured(f"direct {law} {scheme} {[s.name for s in found.species]}", *differences)
    for scheme in ("chang-cooper", "third-order"):
        spread = [diffusion_tests._departure_from_equilibrium(n, scheme) for n in (12.0, 24.0, 48.0, 96.0)]
        measured(f"equilibrium {scheme}", *spread)
        measured(
            f"power-law balance {scheme}", *[diffusion_tests._balance_error(n, scheme) for n in (8, 16, 32)]
        )
    run = small_run(("C12",), ALL_PROCESSES)
    grid = build_grid(run.config)
    problem = build_chain(run.config, grid).operator(0)
    random = np.random.default_rng(3)
    first, second = random.random(grid.shape), random.random(grid.shape)
    solver = SteadySolver(1e-12)
    one, two, both = (solver.solve(problem, q)[0] for q in (first, second, 2.0 * first + 0.7 * second))
    measured("linearity", relative_difference(both, 2.0 * one + 0.7 * two))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)

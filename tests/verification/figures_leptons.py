"""Draw the figures of docs/theory/leptons.md, and print its numbers.

    python tests/verification/figures_leptons.py [FOLDER]

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
import test_leptons as tests
from problems import iterate, observed_orders, plane_source, slab_grid

from cyldiff import pipeline
from cyldiff.config.load import load_config
from cyldiff.data import compare, format_comparisons, load
from cyldiff.galaxy.magnetic_field import UniformField
from cyldiff.galaxy.radiation_field import Delahaye2010
from cyldiff.grid import energy_grid
from cyldiff.plot.style import LINES, RC, SEQUENCE, colour_of, marker_of
from cyldiff.sources.cooling import Cooling, electron
from cyldiff.sources.leptons import lepton_green
from cyldiff.sources.segments import Segments
from cyldiff.transport import lepton_losses as losses

FOLDER = Path(__file__).parents[2] / "docs" / "figures" / "verification"
BLACK, BLUE, RED, GREEN, PINK, ORANGE, SKY, WINE = SEQUENCE
#: data of the run and the energies they are fitted above
DATA = {
    "ams02-electron-rigidity": 1.5,
    "ams02-positron-rigidity": 10.0,
    "calet-electron-positron-total-energy": 10.0,
    "dampe-electron-positron-total-energy": 10.0,
}


def main(folder: Path) -> None:
    """Draw everything."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({**RC, "savefig.dpi": 110}):
        for draw in (lepton_cooling, lepton_disc, lepton_spectra):
            figure = draw()
            figure.savefig(folder / f"{draw.__name__}.png", bbox_inches="tight")
            plt.close(figure)
    orders()
    speed()


def measured(name: str, *values: float) -> None:
    """Print a line of numbers."""
    print(f"{name:58s}", " ".join(f"{v:.3g}" for v in values))


def lepton_cooling():
    """Time T / b that every process takes, in gas of 1 H, 0.02 e, 5 microgauss and the local light."""
    figure, axis = plt.subplots(figsize=(6.6, 5.2), layout="constrained")
    energy = np.geomspace(1e-3, 1e6, 400)
    e = electron(energy)
    light = Delahaye2010().parts
    field = float(UniformField(B0="5 uG").energy_density(8.5, 0.0))
    rows = {
        "ionisation (1 H cm$^{-3}$)": (losses.ionisation_loss(e, 0.11), WINE),
        "Coulomb (0.02 e cm$^{-3}$)": (losses.coulomb_loss(e, 0.02), PINK),
        "bremsstrahlung (1 H cm$^{-3}$)": (losses.bremsstrahlung_neutral(e, 0.11), GREEN),
        "synchrotron (5 µG)": (field * losses.synchrotron_loss(e), BLUE),
        "inverse Compton, CMB": (losses.inverse_compton_loss(e, light[:1]), ORANGE),
        "inverse Compton, dust": (losses.inverse_compton_loss(e, light[1:3]), SKY),
        "inverse Compton, stars": (losses.inverse_compton_loss(e, light[3:]), RED),
    }
    for dashes, (label, (loss, colour)) in zip(LINES[1:], rows.items(), strict=True):
        axis.loglog(energy, energy / loss, color=colour, ls=dashes, lw=1.4, label=label)
    total = sum(loss for loss, _ in rows.values())
    axis.loglog(energy, energy / total, color=BLACK, lw=2.2, label="all")
    axis.set(xlim=(1e-3, 1e6), ylim=(1e-4, 3e7), xlabel="kinetic energy $T$ [GeV]", ylabel="$T/b$ [Myr]")
    axis.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=8.5)
    return figure


def lepton_disc():
    """Steady thin disc: spectrum at several heights against the quadrature, and its error."""
    figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.3), layout="constrained")
    grid = slab_grid(61, tests.H, energies=energy_grid(0.5, 1e7, 16), stretch=6.0)
    lepton, s = tests.electron(grid), 2.3
    weight = tests.column(lepton.momentum_per_energy, grid)
    found = iterate(
        tests.operator(grid, tests.DIFFUSION),
        plane_source(grid) * tests.column(grid.kinetic_energy**-s, grid) * weight,
    )
    found = found / weight
    table = tests.cooling(maximum=float(grid.kinetic_energy_faces[-1]))
    used = (grid.kinetic_energy > 1.0) & (grid.kinetic_energy < 1e6)
    energy = grid.kinetic_energy[used]
    for (height, colour), dashes in zip(
        ((0.0, BLACK), (0.2, BLUE), (0.5, GREEN), (1.0, RED)), LINES, strict=False
    ):
        j = int(np.argmin(np.abs(grid.z.centers - height)))
        exact = tests.thin_disc(grid.z.centers[j], energy, s, table, tests.H)
        label = f"$z$ = {grid.z.centers[j]:.2f} kpc"
        axes[0].loglog(energy, energy**3 * exact, color=colour, ls=dashes, label=label)
        axes[0].loglog(energy[::4], (energy**3 * found[used, 0, j])[::4], "o", ms=3.5, color=colour)
        seen = exact > 1e-6 * tests.thin_disc(0.0, energy, s, table, tests.H)
        axes[1].loglog(
            energy[seen], np.abs(found[used, 0, j] / exact - 1.0)[seen], color=colour, ls=dashes, label=label
        )
    axes[0].set(xlabel="kinetic energy [GeV]", ylabel="$T^3 N$ [arbitrary]", ylim=(1e-4, 3e3))
    axes[0].set(title="lines: quadrature; points: 61 cells, 16 per decade")
    axes[0].legend()
    axes[1].set(xlabel="kinetic energy [GeV]", ylabel="relative error", ylim=(1e-6, 1.0))
    return figure


def lepton_spectra():
    """The run electrons: components at the Sun against AMS-02, CALET and DAMPE."""
    figure, axes = plt.subplots(1, 3, figsize=(11.4, 4.4), layout="constrained")
    start = time.perf_counter()
    result = pipeline.run(load_config("electrons"))
    measured("run electrons: seconds", time.perf_counter() - start)
    energy = result["kinetic_energy"].values
    print(format_comparisons([compare(result, load(n), potential=0.6, x_min=x) for n, x in DATA.items()]))
    panels = {
        "electrons": (["electron"], ["ams02-electron-rigidity"]),
        "positrons": (["positron"], ["ams02-positron-rigidity"]),
        "both": (["electron", "positron"], [*DATA][2:]),
    }
    colours = {"snr": GREEN, "electrons": ORANGE, "pulsars": RED}
    labels = {"snr": "secondary", "electrons": "remnants", "pulsars": "pulsars"}
    cube = energy**3
    for axis, (title, (species, names)) in zip(axes, panels.items(), strict=True):
        for rank, name in enumerate(names):
            m = load(name)
            axis.errorbar(
                m.x, m.x**3 * m.y, yerr=[m.x**3 * m.sigma_minus, m.x**3 * m.sigma_plus], ls="none", ms=3.5,
                marker=marker_of(m.experiment, rank), color=colour_of(m.experiment, rank), label=m.experiment,
            )  # fmt: skip
        for dashes, name in zip(LINES[1:], colours, strict=False):
            part = result["flux_lis_component"].sel(component=name, species=species).sum("species").values
            if part.any():
                axis.loglog(energy, cube * part, ls=dashes, lw=1.2, color=colours[name], label=labels[name])
        total = result["flux_toa"].sel(species=species).sum("species").values
        axis.loglog(energy, cube * total, color=BLACK, label="all, 600 MV")
        axis.loglog(
            energy, cube * result["flux_lis"].sel(species=species).sum("species").values, ":", color=BLACK,
            label="all, interstellar",
        )  # fmt: skip
        low = 0.5 if title == "positrons" else 2.0
        axis.set(title=title, xlim=(0.5, 2e4), ylim=(low, 50.0 if title == "positrons" else 1e3))
        axis.set(xlabel="energy [GeV]", ylabel="$E^3 J$ [m$^{-2}$ s$^{-1}$ sr$^{-1}$ GeV$^2$]")
        lines = axis.get_legend_handles_labels()
        shown = [row[-2:] for row in lines] if title == "both" else lines
        axis.legend(*shown, fontsize=8.5)
    positron = result["grid_error"].sel(species=["electron", "positron"]).values
    inside = (energy > 1.0) & (energy < 1e3)
    measured("grid error of leptons, 1 GeV to 1 TeV", positron[:, inside].max())
    return figure


def orders() -> None:
    """Errors and orders of the tests."""
    for scheme in ("third-order", "upwind"):
        errors = [tests.line_error(n, scheme) for n in (8, 16, 32, 64)]
        measured(f"T9 {scheme}: errors; orders", *errors, *observed_orders(errors))
    errors = [np.abs(f - e).max() / e.max() for f, e in (tests.cooled(n) for n in (8, 16, 32))]
    measured("T9 in time: errors; orders", *errors, *observed_orders(errors))
    errors = [tests.disc_error(n, c, 5.0)[0][0].max() for n, c in ((6, 16), (12, 31), (24, 61))]
    measured("thin disc in the plane: errors; orders", *errors, *observed_orders(errors))
    plane, above = tests.disc_error(16, 61, 6.0)[0]
    measured("thin disc 61 cells, 16 per decade: plane, 0.5 kpc", plane.max(), above.max())


def speed() -> None:
    """Sources per second of the closed form, 60 energies, in a halo."""
    medium = losses.local_medium(
        8.5, 0.0, magnetic_field=UniformField(B0="5 uG"), radiation_field=Delahaye2010()
    )
    table = Cooling.of_medium(medium, tests.DIFFUSION)
    rng, n = np.random.default_rng(1), 10_000
    place = np.stack([rng.uniform(-12, 12, n), rng.uniform(-12, 12, n), rng.uniform(-0.2, 0.2, n)], axis=1)
    born = rng.uniform(0.0, 100.0, n)
    for name, ended in (("bursts", born), ("sources that are still on", np.zeros(n))):
        zero = np.zeros(n, dtype=np.int64)
        pieces = Segments(place, born, ended, np.ones(n), np.arange(n), zero)
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            lepton_green(
                pieces, [lambda t: t**-2.3 * np.exp(-t / 1e5)], [-8.5, 0.0, 0.0], np.geomspace(1.0, 1e5, 60),
                cooling=table, half_height=4.0,
            )  # fmt: skip
            seconds.append(time.perf_counter() - start)
        measured(f"10^4 {name}, 60 energies: seconds", min(seconds))
    measured("Myr of 1 TeV electrons in the local field", 1e3 / float(table.loss(1e3)))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)

"""Figures 1 and 2 of Kaci et al. 2025: protons on a circle of 8.5 kpc, and the band of their spectra at the Sun.

python docs/scripts/kaci_2025.py            writes docs/figures/population-kaci-2025.png, prints its numbers
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

import cyldiff
from cyldiff.plot import style

NAME = "papers/kaci-2025/population"
SEA = "selection.exclude={younger_than='500 kyr', within='4 kpc'}"
RING = "observers.ring={radius='8.5 kpc', n=360}"
TARGET = Path(__file__).resolve().parents[1] / "figures" / "population-kaci-2025.png"
POWER = 2.75
MAGENTA, CYAN, PURPLE = "#CC79A7", "#56B4E9", "#5B2A86"


def fluxes(*overrides):
    """Realisations of the population with changes."""
    return cyldiff.population_fluxes(cyldiff.load_population(NAME, overrides))


def around(ax, found) -> None:
    """Fig. 1: single realisations around the circle, relative to the protons at the knee."""
    k = int(np.argmin(np.abs(np.log(found["kinetic_energy"].values / 3.5e6))))
    unit = float(found["flux_reference"][k])
    ring = found["flux_realisation"].values[:, 1:, 0, k] / unit
    azimuth = np.append(found["azimuth"].values[1:], 360.0)
    for colour, one in zip(style.SEQUENCE, ring, strict=False):
        ax.plot(azimuth, np.append(one, one[0]), color=colour, lw=1.1)
    ax.axhline(1.0, color="black", lw=0.8)
    ax.set(yscale="log", xlim=(0, 360), xticks=range(0, 361, 90), xlabel="Azimuth [degree]",
           ylabel="J / measured at 3.5 PeV", title="r = 8.5 kpc, eight histories")  # fmt: skip
    print(
        f"ring, {len(ring)} realisations: least {ring.min():.3g}, largest {ring.max():.3g} of the measured flux"
    )


def band(ax, found, remnants, title) -> None:
    """Fig. 2: 68 % of the microquasars, the remnants, and both together with data."""
    x = found["kinetic_energy"].values
    scale = x**POWER
    low, median, high = found["flux_quantiles"].sel(quantile=[0.16, 0.5, 0.84]).values[:, 0, 0]
    other = np.exp(np.interp(np.log(x), np.log(remnants["kinetic_energy"].values),
                             np.log(np.maximum(remnants["flux_lis"].values[0], 1e-300))))  # fmt: skip
    ax.fill_between(x, low * scale, high * scale, color=MAGENTA, alpha=0.5, lw=0, label="microquasars, 68 %")
    ax.plot(x, median * scale, color=MAGENTA, lw=1.2)
    ax.plot(x, other * scale, color=CYAN, lw=1.4, ls="--", label="remnants, cut at 260 TeV")
    ax.fill_between(x, (low + other) * scale, (high + other) * scale, color=PURPLE, alpha=0.2, lw=0)
    ax.plot(x, (median + other) * scale, color=PURPLE, lw=1.6, label="both")
    ax.plot(
        x,
        found["flux_reference"].values * scale,
        color="black",
        lw=1.0,
        ls=":",
        label="fit to LHAASO protons",
    )
    data = cyldiff.load_measurement("dampe-h-kinetic-energy")
    factor = data.x**POWER
    ax.errorbar(data.x, data.y * factor, yerr=[data.sigma_minus * factor, data.sigma_plus * factor], fmt="s", ms=3,
                color=style.colour_of("DAMPE"), lw=0, elinewidth=0.9, label="DAMPE")  # fmt: skip
    ax.set(xscale="log", yscale="log", xlim=(1e3, 3e7), ylim=(1e3, 2e5), xlabel="Kinetic energy [GeV]",
           ylabel=r"$E^{2.75} J$  [m$^{-2}$ s$^{-1}$ sr$^{-1}$ GeV$^{1.75}$]", title=title)  # fmt: skip
    k = int(np.argmin(np.abs(np.log(x / 3.5e6))))
    shown = np.array([low[k], median[k], high[k]]) / float(found["flux_reference"][k])
    print(f"{title}: 16/50/84 % {np.round(shown, 2)} of the measured flux at {x[k] / 1e6:.3g} PeV")


def main() -> None:
    """Run what the figures need, and draw them."""
    remnants = cyldiff.run("papers/kaci-2025/remnants")
    # energies that hold 3.5 PeV
    energies = (
        "energies.min=1.1068 TeV",
        "energies.max=35 PeV",
        "energies.per_decade=10",
        "population.older=mean",
    )
    on_ring = ("energies.min=35 TeV", "energies.max=35 PeV", "energies.per_decade=5")
    with plt.rc_context(style.RC):
        figure, axes = plt.subplots(1, 3, figsize=(15.5, 4.6), layout="constrained")
        ring = fluxes(RING, "output.realisations=true", "draw.realisations=20", *on_ring)
        around(axes[0], ring)
        band(axes[1], fluxes(SEA, *energies, "draw.realisations=100"), remnants, "the sea, 100 histories")
        band(axes[2], fluxes(*energies), remnants, "all, 10$^4$ histories")
        axes[1].legend(loc="lower left", fontsize=8.5)
        figure.savefig(TARGET, dpi=110)
    print(f"{TARGET.name} written")


if __name__ == "__main__":
    main()

"""Figures 3 and 4."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cyldiff.data.diffuse import diffuse_in
from cyldiff.papers.kaci_2025.figures import CYAN, MAGENTA
from cyldiff.plot import style

__all__ = ["detections_figure", "diffuse_figure"]

Array = NDArray[np.float64]

#: power of the energy that intensities are multiplied with
POWER = 2.5
BLUE, YELLOW, RED = style.BLUE, style.ORANGE, style.VERMILLION
_TITLES = {"lhaaso-inner": "inner Galaxy, 15° < l < 125°", "lhaaso-outer": "outer Galaxy, 125° < l < 235°"}


def detections_figure(numbers: xr.Dataset, cloud: str) -> Figure:
    """Fig. 3: number of detected microquasars per history, without clouds and with one kind."""
    figure = Figure(figsize=(6.6, 4.6), layout="constrained")
    ax: Any = figure.subplots()
    bare, with_cloud = (
        numbers["number_detected"].isel(criterion=0).sel(cloud=c).values for c in ("none", cloud)
    )
    edges = np.arange(max(bare.max(), with_cloud.max(), 8) + 2) - 0.5
    ax.hist(bare, bins=edges, color=BLUE, alpha=0.45, histtype="stepfilled", label="no clouds")
    ax.hist(
        with_cloud,
        bins=edges,
        color=YELLOW,
        histtype="step",
        lw=2.0,
        ls="--",
        label=f"clouds, {_pretty(cloud)}",
    )
    for values, colour in ((bare, BLUE), (with_cloud, RED)):
        ax.axvline(float(values.mean()), color=colour, lw=1.4, ls="--", label=f"mean {values.mean():.2f}")
    ax.set(xlabel="Microquasars detected at 100 TeV", ylabel="Histories", xlim=(edges[0], edges[-1]),
           title=f"{len(bare)} histories")  # fmt: skip
    ax.legend()
    return figure


def _pretty(cloud: str) -> str:
    return cloud.replace("cm-3", "cm$^{-3}$")


def diffuse_figure(gamma: xr.Dataset, remnants: dict[str, Array], *, case: str = "no clouds") -> Figure:
    """Fig. 4: microquasars that are not detected, remnants, both together, and LHAASO; inner above, outer below."""
    figure = Figure(figsize=(6.8, 8.6), layout="constrained")
    panels: Any = figure.subplots(len(remnants), 1, sharex=True)
    one = gamma.sel(cloud_case=case)
    for ax, (region, own) in zip(panels, remnants.items(), strict=True):
        _region(ax, one.sel(region=region), own, region)
    panels[-1].set_xlabel("Energy [GeV]")
    panels[0].legend(loc="lower left", fontsize=8.5)
    return figure


def _region(ax: Any, here: xr.Dataset, remnants: Array, region: str) -> None:
    energy = here["gamma_energy"].values
    scale = energy**POWER
    low, median, high = here["gamma_diffuse_quantiles"].sel(quantile=[0.16, 0.5, 0.84]).values
    ax.fill_between(energy, (low + remnants) * scale, (high + remnants) * scale, color=style.YELLOW, alpha=0.55, lw=0,
                    label="microquasars and remnants, 68 %")  # fmt: skip
    ax.fill_between(
        energy, low * scale, high * scale, color=MAGENTA, alpha=0.5, lw=0, label="microquasars, 68 %"
    )
    ax.plot(energy, median * scale, color=style.WINE, lw=1.6, label="microquasars, median")
    parts = (("sea", ":"), ("unresolved", "-."))
    for name, dashes in parts:
        value = here[f"gamma_diffuse_{name}"].median("gamma_realisation").values * scale
        ax.plot(energy, value, color="0.3", lw=1.1, ls=dashes, label=f"{name} alone, median")
    ax.plot(energy, remnants * scale, color=CYAN, lw=1.7, ls="--", label="remnants, 200 TeV")
    for data in diffuse_in(region):
        s = data.energy**POWER
        errors = s * np.stack([data.sigma_minus, data.sigma_plus])
        ax.errorbar(data.energy, s * data.intensity, yerr=errors, fmt="o", ms=4.5, lw=0, elinewidth=1.0,
                    color="black", label=f"{data.experiment}, masked", zorder=5)  # fmt: skip
    ax.set(xscale="log", yscale="log", title=_TITLES.get(region, region),
           ylabel=r"$E^{2.5}\,I_\gamma$  [GeV$^{1.5}$ cm$^{-2}$ s$^{-1}$ sr$^{-1}$]")  # fmt: skip
    shown = np.concatenate(
        [(high + remnants) * scale, *(d.intensity * d.energy**POWER for d in diffuse_in(region))]
    )
    shown = shown[np.isfinite(shown)]
    ax.set_ylim(shown.max() / 150.0, shown.max() * 2.0)

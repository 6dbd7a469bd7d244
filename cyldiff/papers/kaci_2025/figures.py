"""Figures 1 and 2, and the scan."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from cyldiff.data.measurements import Measurement, load
from cyldiff.papers.kaci_2025.measured import HADRONIC, SHOWN, lhaaso
from cyldiff.papers.kaci_2025.scan import Scan
from cyldiff.papers.kaci_2025.scan_items import BOX
from cyldiff.plot import style

__all__ = ["CYAN", "MAGENTA", "ring_figure", "scan_figure", "spectra_figure"]

Array = NDArray[np.float64]

MAGENTA, CYAN, PURPLE = style.PURPLE, style.SKY, style.WINE
POWER = 2.75  #: of the energy that intensities are multiplied with
_LABELS = {"dampe": "DAMPE", "iss-cream": "ISS-CREAM", "icetop": "IceTop"}
_LOOKS = {"dampe": ("s", style.VERMILLION), "iss-cream": ("D", style.GREEN), "icetop": ("^", style.BLUE)}


def ring_figure(ring: xr.Dataset, drawn: int) -> Figure:
    """Fig. 1: single histories around the circle, over the protons at the knee."""
    figure = Figure(figsize=(6.2, 4.2), layout="constrained")
    ax: Any = figure.subplots()
    around = ring["flux_realisation"].values[:drawn, 1:, 0, 0] / float(ring["flux_reference"][0])
    azimuth = np.append(ring["azimuth"].values[1:], 360.0)
    for rank, one in enumerate(around):
        ax.plot(azimuth, np.append(one, one[0]), lw=1.2, **style.line_of(rank))
    ax.axhline(1.0, color="0.35", lw=1.0, ls=":")
    ax.text(
        1.01, 1.0, "measured", va="center", fontsize=9.0, color="0.35", transform=ax.get_yaxis_transform()
    )
    ax.set(yscale="log", xlim=(0, 360), xticks=range(0, 361, 60), xlabel=r"$\theta$ [deg]",
           ylabel=r"$J$ / measured, protons of 3.5 PeV",
           title=f"r = 8.5 kpc, {len(around)} histories")  # fmt: skip
    return figure


def spectra_figure(sea: xr.Dataset, total: xr.Dataset, remnants: Array) -> Figure:
    """Fig. 2: the sea above, all microquasars below, with the remnants and data."""
    figure = Figure(figsize=(7.2, 9.0), layout="constrained")
    panels: Any = figure.subplots(2, 1, sharex=True)
    for ax, found, words in zip(panels, (sea, total), ("sea alone", "total"), strict=True):
        _spectrum(ax, found, remnants)
        n = found.sizes["realisation"]
        ax.set_title(f"{words}, {n} histories", fontsize=11.0)
    panels[1].set_xlabel("Energy [GeV]")
    panels[0].legend(loc="upper left", fontsize=8.5, ncols=3)
    return figure


def _spectrum(ax: Any, found: xr.Dataset, remnants: Array) -> None:
    e = found["kinetic_energy"].values
    scale = e**POWER
    low, median, high = found["flux_quantiles"].values[1:4, 0, 0]
    ax.fill_between(e, low * scale, high * scale, color=MAGENTA, alpha=0.5, lw=0, label="microquasars, 68 %")
    ax.plot(e, remnants * scale, color=CYAN, lw=1.6, ls="--", label="remnants, 260 TeV")
    ax.fill_between(e, (low + remnants) * scale, (high + remnants) * scale, color=PURPLE, alpha=0.18, lw=0)
    ax.plot(e, (median + remnants) * scale, color=PURPLE, lw=1.7, label="sum, median")
    for name in SHOWN:
        key = next(k for k in _LABELS if name.startswith(k))
        _points(ax, load(name), *_LOOKS[key], _LABELS[key])
    for marker, model, one in zip("ovP", HADRONIC, lhaaso(), strict=True):
        _points(ax, one, marker, "black", f"LHAASO {model}", size=3.2)
    ax.set(xscale="log", yscale="log", xlim=(1e3, 1e8), ylim=(1e3, 3e5),
           ylabel=r"$E^{2.75} J$  [m$^{-2}$ s$^{-1}$ sr$^{-1}$ GeV$^{1.75}$]")  # fmt: skip


def _points(ax: Any, data: Measurement, marker: str, colour: str, label: str, size: float = 4.0) -> None:
    kept = ~data.upper_limit
    x, s = data.x[kept], data.x[kept] ** POWER
    y, minus, plus = data.y[kept] * s, data.sigma_minus[kept] * s, data.sigma_plus[kept] * s
    ax.errorbar(x, y, yerr=[np.minimum(minus, 0.999 * y), plus], fmt=marker, ms=size, color=colour, lw=0,
                elinewidth=0.9, label=label)  # fmt: skip


def scan_figure(found: Scan) -> Figure:
    """Sets that pass: efficiency over index at any cut-off, cut-off over index at any efficiency; best fits."""
    figure = Figure(figsize=(10.6, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    panels: Any = ((left, found.efficiency, 2, "efficiency", "Efficiency"),
                   (right, found.cutoff / 1e3, 1, "cutoff", "Cut-off of the remnants [TeV]"))  # fmt: skip
    best = found.best()
    for ax, axis, other, key, label in panels:
        part = found.passes.mean(axis=other).T
        mesh = ax.pcolormesh(found.index, axis, np.where(part > 0.0, part, np.nan), cmap=style.SEQUENTIAL, vmin=0.0,
                             shading="nearest", rasterized=True)  # fmt: skip
        unit = 1.0 if key == "efficiency" else 1e-3
        line = unit * best[1 if key == "efficiency" else 2]
        at_edge = (line >= axis[-1] * (1.0 - 1e-9)) | (line <= axis[0] * (1.0 + 1e-9))
        # white with a black rim: seen on every colour of the map and beside it
        ax.plot(found.index, np.where(at_edge, np.nan, line), color="white", lw=1.3, marker="o", ms=4.0,
                mec="black", mew=0.7, path_effects=[withStroke(linewidth=2.4, foreground="black")],
                label=r"least $\chi^2$ of the median")  # fmt: skip
        (x0, x1), (y0, y1) = BOX["index"], BOX[key]
        ax.add_patch(Rectangle((x0, unit * y0), x1 - x0, unit * (y1 - y0), fill=False, ec=style.VERMILLION, lw=1.6,
                               label="printed"))  # fmt: skip
        ax.set(yscale="log", xlabel="Index of the microquasars", ylabel=label, xlim=(1.79, 2.31))
        ax.legend(loc="upper left" if key == "efficiency" else "lower left", fontsize=9.0)
        figure.colorbar(
            mesh, ax=ax, label=f"part of the {'cut-offs' if key == 'efficiency' else 'efficiencies'}"
        )
    return figure

"""Figures of the gamma rays of a population: diffuse intensity by region, and how many sources are detected."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from cyldiff.data.diffuse import diffuse_in
from cyldiff.errors import DataError, nearest
from cyldiff.plot import style

__all__ = ["detections_figure", "diffuse_figure"]

#: power of the energy that intensities are multiplied with
POWER = 2.5
_BAND, _LINE = style.PURPLE, style.WINE
_COLOURS = (style.BLUE, style.ORANGE)


def diffuse_figure(dataset: xr.Dataset, what: str) -> Figure:
    """Sea plus unresolved sources outside the discs: median, 68 % and 95 %, and its parts, with data.

    Parameters
    ----------
    dataset : of :func:`cyldiff.population_fluxes`, with gamma rays
    what : "no clouds" or "clouds"; default the first
    """
    case = _case(dataset, what)
    one = dataset.sel(cloud_case=case)
    regions = [str(name) for name in dataset["region"].values]
    figure = Figure(figsize=(4.7 * len(regions), 4.6), layout="constrained")
    for ax, region in zip(np.ravel(figure.subplots(1, len(regions), squeeze=False)), regions, strict=True):
        _region(ax, one.sel(region=region), region)
    figure.suptitle(f"{_title(dataset)}, {case}", fontsize=11.0)
    return figure


def _region(ax: Any, here: xr.Dataset, region: str) -> None:
    energy = here["gamma_energy"].values
    scale = energy**POWER
    low2, low, median, high, high2 = here["gamma_diffuse_quantiles"].values * scale
    ax.fill_between(energy, low2, high2, color=_BAND, alpha=0.25, lw=0, label="diffuse, 95 %")
    ax.fill_between(energy, low, high, color=_BAND, alpha=0.5, lw=0, label="68 %")
    ax.plot(energy, median, color=_LINE, lw=1.9, label="median")
    shown = [low2, high2]
    sea = here["gamma_diffuse_sea"].median("gamma_realisation").values * scale
    ax.plot(energy, sea, color="0.3", lw=1.1, ls="--", label="median of the sea")
    total = here["gamma_total_quantiles"].sel(quantile=0.5).values * scale
    ax.plot(energy, total, color="black", lw=1.0, ls="-.", label="whole region, median of all")
    for data in diffuse_in(region):
        s = data.energy**POWER
        ax.errorbar(
            data.energy, s * data.intensity, yerr=s * np.stack([data.sigma_minus, data.sigma_plus]), fmt="o",
            ms=4.5, lw=0, elinewidth=1.0, color="black",
            label=f"{data.experiment}, sources masked", zorder=5,
        )  # fmt: skip
        shown.append(s * data.intensity)
    values = np.concatenate(shown)
    values = values[np.isfinite(values) & (values > 0.0)]
    if values.size:
        ax.set_ylim(max(values.min() / 2.0, values.max() * 1e-3), values.max() * 3.0)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_title(region, fontsize=11.0)
    ax.set_xlabel("Energy $E$ [GeV]")
    ax.set_ylabel(r"$E^{2.5}\,I_\gamma$   [GeV$^{1.5}$ cm$^{-2}$ s$^{-1}$ sr$^{-1}$]")
    ax.legend(loc="lower left", fontsize=8.5)


def detections_figure(dataset: xr.Dataset) -> Figure:
    """Histogram of the number of detected sources, its mean as a line."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    ax: Any = figure.subplots()
    number = dataset["number_detected"].values
    edges = np.arange(number.max(initial=0) + 2) - 0.5
    for k, case in enumerate(str(name) for name in dataset["cloud_case"].values):
        mean = float(number[:, k].mean())
        ax.hist(
            number[:, k], bins=edges, color=_COLOURS[k], alpha=0.45 if k == 0 else 1.0,
            histtype="stepfilled" if k == 0 else "step", lw=1.8,
            ls="-" if k == 0 else "--", label=f"{case}, mean {mean:.2f}",
        )  # fmt: skip
        ax.axvline(mean, color=_COLOURS[k], lw=1.2, ls="--")
    ax.set_xlabel("Detected sources")
    ax.set_ylabel("Realisations")
    ax.set_title(_title(dataset), fontsize=11.0)
    ax.legend()
    return figure


def _case(dataset: xr.Dataset, what: str) -> str:
    known = [str(name) for name in dataset["cloud_case"].values]
    wanted = what.strip() or known[0]
    if wanted not in known:
        raise DataError(
            f'"{wanted}" is no case of this population; known: {", ".join(known)}{nearest(wanted, known)}'
        )
    return wanted


def _title(dataset: xr.Dataset) -> str:
    return (
        f"{dataset.attrs.get('population', 'population')}, {dataset.sizes['gamma_realisation']} realisations"
    )

"""Items of the gamma rays: clouds, number of detections (Fig. 3), diffuse emission (Fig. 4)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.constants import HYDROGEN_MASS_G, KPC_CM, SOLAR_MASS_G
from cyldiff.data.diffuse import diffuse_in
from cyldiff.papers.items import Item, close, open_item
from cyldiff.papers.kaci_2025.verdicts import undecided

__all__ = ["cloud_mass", "detected", "diffuse"]

Array = NDArray[np.float64]

RECIPE = (
    "The criterion (its reference 34), the gas and the reference spectrum (its reference 21) and the field of view "
    "are not printed. Sensitivity 1e-14 erg/cm^2/s at 100 TeV, point spread 0.3 deg, -20 to 80 deg are taken."
)
SKY = "Mask, gas columns (its reference 21) and the curve of unresolved pulsars (its reference 36) are not at hand."
#: which energies the paper says are explained [GeV], by region
_EXPLAINED = {"lhaaso-inner": 5.0e4, "lhaaso-outer": 1.0e4}


def cloud_mass() -> list[Item]:
    """Largest mass of a cloud, 300 cm^-3 within 50 pc, hydrogen alone."""
    volume = 4.0 / 3.0 * np.pi * (0.05 * KPC_CM) ** 3
    mass = float(np.log10(300.0 * volume * HYDROGEN_MASS_G / SOLAR_MASS_G))
    return [
        close("lg of the largest mass of a cloud", 6.5, mass, absolute=0.1, unit="solar masses",
              note="Hydrogen alone; 6.74 with helium."),
    ]  # fmt: skip


def detected(numbers: xr.Dataset) -> list[Item]:
    """Mean number of detected sources under each criterion, without clouds and with the printed ones."""
    means = numbers["number_detected"].mean("realisation")
    items = []
    for criterion in (str(name) for name in numbers["criterion"].values):
        bare, *clouds = (float(x) for x in means.sel(criterion=criterion).values)
        items += [
            undecided(f"Fig. 3, mean number detected without clouds: {criterion}", "3.6", [bare], 3.6, 3.6,
                      relative=0.3, missing=RECIPE),
            undecided(f"Fig. 3, mean number detected with clouds: {criterion}", "5.1 to 5.6", clouds, 5.1, 5.6,
                      relative=0.3, missing=RECIPE),
        ]  # fmt: skip
    return items


def diffuse(gamma: xr.Dataset, remnants: dict[str, Array], *, case: str = "no clouds") -> list[Item]:
    """Sea and unresolved sources over the diffuse emission measured by LHAASO."""
    energy, items = gamma["gamma_energy"].values, []
    for region, lowest in _EXPLAINED.items():
        median = gamma["gamma_diffuse_quantiles"].sel(quantile=0.5, region=region, cloud_case=case).values
        data = diffuse_in(region)[0]
        here = data.energy >= lowest
        own, both = (
            np.exp(np.interp(np.log(data.energy), np.log(energy), np.log(y))) / data.intensity
            for y in (median, median + remnants[region])
        )
        name, above = region.removeprefix("lhaaso-"), f"above {lowest / 1e3:g} TeV"
        said = "all, with few pulsars" if region == "lhaaso-inner" else "all"
        items += [
            undecided(f"Fig. 4, {name}, microquasars / measured {above}", said, list(own[here]), 1.0, 1.0,
                      times=2.0, missing=SKY),
            undecided(f"Fig. 4, {name}, with the remnants {above}", said, list(both[here]), 1.0, 1.0,
                      times=2.0, missing=SKY),
        ]  # fmt: skip
    return [*items, open_item("Fig. 4, unresolved pulsars", "a curve of its reference 36", "not drawn",
                              missing="Neither the reference nor another source is at hand.")]  # fmt: skip

"""Items of the protons: sources on, power, residence, Figs. 1 and 2, and the independent check of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import integrate, stats

from cyldiff.constants import SPEED_OF_LIGHT
from cyldiff.data.measurements import load
from cyldiff.papers.items import Item, claim, close, factor, interval, open_item
from cyldiff.papers.kaci_2025.measured import lhaaso
from cyldiff.papers.kaci_2025.runs import KNEE, SPECTRUM, at_knee, loaded
from cyldiff.papers.kaci_2025.verdicts import undecided
from cyldiff.sources.component import FLUX_UNIT
from cyldiff.sources.population.model import PopulationModel

__all__ = [
    "active",
    "check",
    "dominance",
    "injection",
    "knee",
    "relative",
    "ring_items",
    "sea_items",
    "shape",
]

Array = NDArray[np.float64]

BUMP = "Median history and remnants of Fig. 2; slope and strength of the remnants are not printed, they are fitted."
LAW = "The radial law is a figure of a paper that is not at hand; Yusifov & Kucuk 2004 is taken."
NUMBER = "The number of histories in Fig. 1 is not printed; eight are drawn."
COEFFICIENT = "D is not printed (normalised to B/C): 1.33e28 cm^2/s (H/kpc) at 3 GV, Blasi & Amato 2012."
CHECK = "Independent calculation of the same model: 400 histories for each of four radial laws at 3.5 PeV."
LARGEST = (
    "Fluxes a hundred times the measured one need a source that is on within 0.15 kpc, about 3D/c, within which "
    "protons of PeV energies do not diffuse. How many sources are that near depends on the radial law, which is not "
    "at hand, and which of 10^4 histories has one on chance."
)
#: up to here the largest fluxes are compared with data [GeV]; above, the cut-off of the sources is in control
HIGHEST = 2.0e7
#: words, printed, key, limits: the range of the mean; 20 % of quantiles of one digit; a factor 1.5 of the extremes
_TOTAL = (
    ("mean, by integration", "0.9 to 1.3", "expected", 0.9, 1.3),
    ("16 %", "0.4", "16", 0.32, 0.48),
    ("median", "0.7", "50", 0.56, 0.84),
    ("84 %", "1.6", "84", 1.28, 1.92),
    ("least", "0.14 to 0.18", "min", 0.14 / 1.5, 0.18 * 1.5),
    ("largest", "10 to 45", "max", 10.0 / 1.5, 45.0 * 1.5),
)
#: 7 % beyond the printed ranges, which is three standard errors of the quantiles of 400 histories
_SEA = (
    ("16 %", "0.19 to 0.22", "16", 0.93 * 0.19, 1.07 * 0.22),
    ("median", "0.27 to 0.30", "50", 0.93 * 0.27, 1.07 * 0.30),
    ("84 %", "0.35 to 0.40", "84", 0.93 * 0.35, 1.07 * 0.40),
)


def relative(dataset: xr.Dataset) -> Array:
    """Spectra of all histories at the Sun over the measured protons at the knee, shape (n, n_e)."""
    return np.asarray(dataset["flux_realisation"].values[:, 0, 0] / dataset["flux_reference"].values)


def active(total: xr.Dataset) -> list[Item]:
    """<N_active> = 10, and that it is a Poisson number."""
    counts = total["number_active"].values
    n, mean = len(counts), float(total.attrs["mean_active"])
    room = 3.0 * np.sqrt(mean / n)
    edges = _equal_bins(mean, n)
    seen = np.histogram(counts, bins=edges)[0]
    expected = n * np.diff(stats.poisson(mean).cdf(edges - 0.5))
    p = float(stats.chisquare(seen, expected * seen.sum() / expected.sum()).pvalue)
    return [
        close("sources on at a time, rate times lifetime", 10.0, mean, relative=1e-3),
        close(f"the same in {n} histories, three standard errors", 10.0, float(counts.mean()), absolute=room),
        claim("their number is a Poisson number", "10, Poisson", f"chi-square p = {p:.2g}, {len(seen)} bins",
              holds=p > 0.01, tolerance="p > 0.01"),
    ]  # fmt: skip


def _equal_bins(mean: float, n: int) -> Array:
    """Edges of whole numbers with at least five expected in each bin."""
    law = stats.poisson(mean)
    inside = [k for k in range(200) if n * law.cdf(k - 1) >= 5.0 and n * law.sf(k - 1) >= 5.0]
    return np.array([0.0, *inside, np.inf])


def injection() -> list[Item]:
    """Power of Eq. 1 by quadrature over the spectrum that is really injected; residence time and spread."""
    model = PopulationModel(loaded("energies.min=1 GeV", "energies.max=1 EeV", "population.older=mean",
                                   "output.brightest_at=1 PeV").config)  # fmt: skip

    def power(x: float) -> float:
        e = np.exp(x)
        return float(e * e * model.spectra_at(np.array([e]))[0, 0])

    share = integrate.quad(power, 0.0, np.log(1e9), limit=400)[0]
    D = float(np.exp(np.interp(np.log(KNEE), np.log(model.energies), np.log(model.travel["H1"].diffusion))))
    height: Any = model.half_height
    return [
        close("injected power of Eq. 1 above 1 GeV", 0.964, share, relative=1e-3, unit="eta L0"),
        close("residence time H^2/D at 3.5 PeV", 650.0, 1e3 * height**2 / D, relative=0.05, unit="kyr",
              note=COEFFICIENT),
        interval("spread sqrt(2 D t) in 650 kyr at 3.5 PeV", "about 4", float(np.sqrt(2.0 * D * 0.65)),
                 low=3.5, high=4.5, unit="kpc", note="The tolerance is that of one digit."),
    ]  # fmt: skip


def ring_items(ring: xr.Dataset, drawn: int) -> list[Item]:
    """Least and largest flux on the circle of Fig. 1."""
    around = ring["flux_realisation"].values[:, 1:, 0, 0] / float(ring["flux_reference"][0])
    shown, note = around[:drawn], f"{NUMBER} {LAW}"
    largest = float(shown.max())
    return [
        factor("Fig. 1, least flux on the circle / measured, 3.5 PeV", 0.25, float(shown.min()), times=1.5, note=note),
        claim("Fig. 1, largest flux on the circle / measured", "more than 10", f"{largest:.3g}",
              holds=largest > 10.0 / 1.5, tolerance="above 10, factor 1.5", note=note),
        open_item(f"the same in {len(around)} histories, least and largest", "1/4 and more than 10",
                  f"{around.min():.3g} and {around.max():.3g}", missing=NUMBER),
    ]  # fmt: skip


def sea_items(sea: xr.Dataset) -> list[Item]:
    """Fig. 2, upper panel: sea over measured at the knee, and how probable it is."""
    k = at_knee(sea)
    low, median, high = 100.0 * sea["flux_quantiles"].values[1:4, 0, 0, k] / float(sea["flux_reference"][k])
    n = sea.sizes["realisation"]
    return [
        factor("probability of no source younger than 500 kyr within 4 kpc", 1.0,
               100.0 * float(sea.attrs["selection_probability"]), times=2.0, unit="%", note=LAW),
        interval(f"Fig. 2, sea / measured at 3.5 PeV, 16 % of {n} histories", "at least 25", low,
                 low=15.0, high=60.0, unit="%", note=LAW),
        interval("the same, median", "25 to 50", median, low=15.0, high=60.0, unit="%", note=LAW),
        interval("the same, 84 %", "25 to 50", high, low=15.0, high=60.0, unit="%", note=LAW),
    ]  # fmt: skip


def knee(total: xr.Dataset, remnants: Array) -> list[Item]:
    """Fig. 2, lower panel: the 68 % band around the knee, and the largest fluxes.

    Parameters
    ----------
    remnants : their intensity at the energies of `total`
    """
    e = total["kinetic_energy"].values
    low, high = (total["flux_quantiles"].values[i, 0, 0] + remnants for i in (1, 3))
    seen = [(one.x, one.y) for one in (*lhaaso(), load("icetop-h-total-energy"))]
    x, y = (np.concatenate([pair[i] for pair in seen]) for i in (0, 1))
    around = (x >= 1e6) & (x <= 1e7)
    inside = (y >= np.interp(np.log(x), np.log(e), low)) & (y <= np.interp(np.log(x), np.log(e), high))
    held, n = int((inside & around).sum()), int(around.sum())
    ratio = relative(total)
    k, few = at_knee(total), x <= HIGHEST
    most, where = _largest(total, x[few], y[few])
    number = _expected_above(100.0, x[few], y[few])
    chance = 1.0 - np.exp(-number) * (1.0 + number)
    return [
        claim("Fig. 2, LHAASO (three models) and IceTop from 1 to 10 PeV in the 68 % band", "all",
              f"{held} of {n}", holds=held == n, tolerance="all points", note=LAW),
        claim("chance of two or more in 10^4 histories above 100 times a measured point up to 20 PeV", "some are",
              f"{100.0 * chance:.2g} % ({number:.2g} expected)", holds=chance > 0.05, tolerance="above 5 %",
              note=LARGEST),
        open_item(f"largest of our {len(ratio)} histories / measured at 3.5 PeV", "some above 100",
                  float(ratio[:, k].max()), missing=LARGEST),
        open_item("the same at the points of LHAASO and IceTop up to 20 PeV", "some above 100",
                  f"{most:.3g} at {where / 1e6:.3g} PeV", missing=LARGEST),
    ]  # fmt: skip


def _largest(total: xr.Dataset, x: Array, y: Array) -> tuple[float, float]:
    """Largest flux of all histories over a measured point, and the energy of the point [GeV]."""
    e, most = np.log(total["kinetic_energy"].values), np.log(total["flux_maximum"].values[0, 0])
    ratio = np.exp(np.interp(np.log(x), e, most)) / y
    best = int(np.argmax(ratio))
    return float(ratio[best]), float(x[best])


def _expected_above(times: float, energy: Array, flux: Array) -> float:
    """Mean number, in 10^4 histories, of sources whose own flux is above `times` a measured one, at the best energy.

    Near a source that is on, n = Q / (4 pi D d): it is within d = c Q / ((4 pi)^2 D J). Sources further away and
    the sea are left out.
    """
    model = PopulationModel(loaded(*SPECTRUM).config)
    population, places, own = model.config.population, model.draw.places, np.log(model.energies)
    D = np.exp(np.interp(np.log(energy), own, np.log(model.travel["H1"].diffusion)))
    spectrum = model.spectra_at(energy)[0]
    density = times * flux * 4.0 * np.pi / (SPEED_OF_LIGHT * FLUX_UNIT)
    widest = float(np.max(spectrum / (4.0 * np.pi * D * density)))
    u: Array = np.linspace(0.0025, 0.9975, 200)
    power = population.efficiency * population.amount.quantile(u)
    inside = [places.share_within(model.draw.sun, float(p * widest)) for p in power]
    return 1e4 * model.draw.mean_active * float(np.mean(inside))


def shape(energy: Array, summed: Array) -> list[Item]:
    """Where the median history with the remnants has its bump and its hardening."""
    curve = np.log(summed * energy**2.75)
    slope = np.gradient(curve, np.log(energy))
    curvature = np.gradient(slope, np.log(energy))
    bump = _extreme(energy, -curve, 2e3, 1.5e5)
    trough = _extreme(energy, curve, max(bump, 2e4), 2e6)
    hardest = _extreme(energy, -curvature, 5e4, 2e6)
    return [
        undecided("energy of the bump, largest E^2.75 J [TeV]", "10", [bump / 1e3], 10.0, 10.0, times=2.0,
                  missing=BUMP),
        undecided("energy of the hardening, largest curvature [TeV]", "300", [hardest / 1e3], 300.0, 300.0,
                  times=2.0, missing=BUMP),
        undecided("the same, least E^2.75 J above the bump [TeV]", "300", [trough / 1e3], 300.0, 300.0,
                  times=2.0, missing=BUMP),
    ]  # fmt: skip


def _extreme(energy: Array, curve: Array, low: float, high: float) -> float:
    """Energy of the least value inside a range, by a parabola through three points."""
    inside = np.flatnonzero((energy >= low) & (energy <= high))
    k = int(np.clip(inside[np.argmin(curve[inside])], 1, len(energy) - 2))
    x = np.log(energy[k - 1 : k + 2])
    a, b, _ = np.polyfit(x - x[1], curve[k - 1 : k + 2], 2)
    move = float(np.clip(-0.5 * b / a, x[0] - x[1], x[2] - x[1])) if a > 0.0 else 0.0
    return float(np.exp(x[1] + move))


def dominance(total: xr.Dataset, summed: Array) -> list[Item]:
    """How much of the sum the microquasars are below and at the knee."""
    e = total["kinetic_energy"].values
    share = total["flux_quantiles"].values[2, 0, 0] / summed
    at = [float(np.interp(np.log(x), np.log(e), share)) for x in (1e3 * 1.2, 1e4, KNEE)]
    words = ", ".join(f"{100.0 * s:.3g} %" for s in at)
    holds = at[0] < 0.2 and at[0] < at[1] < at[2] and at[2] > 0.9
    return [
        claim("median share of the microquasars at 1.2 TeV, 10 TeV, 3.5 PeV", "small, not negligible, all", words,
              holds=holds, tolerance="rising, below 20 % at 1.2 TeV, above 90 % at 3.5 PeV"),
    ]  # fmt: skip


def check(laws: dict[str, tuple[xr.Dataset, xr.Dataset]]) -> list[Item]:
    """The independent numbers of the same model: total and sea relative to the protons at the knee."""
    totals = [_numbers(every) for every, _ in laws.values()]
    seas = [_numbers(quiet) for _, quiet in laws.values()]
    n, items = next(iter(laws.values()))[0].sizes["realisation"], []
    for words, printed, key, low, high in _TOTAL:
        name = f"check, total / measured, {words}, {n} histories of each law"
        items.append(_all_within(name, printed, [t[key] for t in totals], low, high))
    for words, printed, key, low, high in _SEA:
        name = f"check, sea / measured, {words}"
        items.append(_all_within(name, printed, [t[key] for t in seas], low, high))
    return items


def _numbers(dataset: xr.Dataset) -> dict[str, float]:
    unit = float(dataset["flux_reference"][0])
    low, median, high = dataset["flux_quantiles"].values[1:4, 0, 0, 0] / unit
    return {
        "expected": float(dataset["flux_expected"][0, 0]) / unit, "16": float(low), "50": float(median),
        "84": float(high),
        "min": float(dataset["flux_minimum"][0, 0, 0]) / unit, "max": float(dataset["flux_maximum"][0, 0, 0]) / unit,
    }  # fmt: skip


def _all_within(item: str, printed: str, ours: list[float], low: float, high: float) -> Item:
    words = f"{min(ours):.3g} to {max(ours):.3g}"
    return claim(item, printed, words, holds=min(ours) >= low and max(ours) <= high,
                 tolerance=f"{low:.3g} to {high:.3g}", note=CHECK)  # fmt: skip

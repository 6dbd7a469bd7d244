"""Section 4.2 and Fig. 4 of Yue et al. 2025: the spectrum of protons and what the paper leaves open of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cyldiff.constants import ERG_GEV
from cyldiff.data.measurements import Measurement, load
from cyldiff.fit.terms import Fitted
from cyldiff.observables.modulation import force_field
from cyldiff.papers.items import Item, claim, factor, open_item
from cyldiff.papers.study import Study
from cyldiff.papers.yue_2025.figures import POWER, proton_figure
from cyldiff.papers.yue_2025.protons import SPECIES, ProtonFit
from cyldiff.particles.species import nuclides

__all__ = ["compare_closed_form", "intensities", "rerun_spectrum"]

Array = NDArray[np.float64]

#: parameters of the fit: words, factor to the unit, unit
FREE = {
    "snr_index": ("index of the remnants", 1.0, "1"),
    "snr_flux": ("protons of the remnants at 100 GeV", 1.0, "GeV^-1 m^-2 s^-1 sr^-1"),
    "xrb_index": ("index of the X-ray binaries", 1.0, "1"),
    "xrb_flux": ("protons of the X-ray binaries at 1 PeV", 1.0, "GeV^-1 m^-2 s^-1 sr^-1"),
    "local_energy": (
        "q0: energy of the local source in protons above 1 GeV (Eq. 11)",
        1.0 / ERG_GEV,
        "erg",
    ),
    "local_index": ("gamma of the local source (Eq. 11)", 1.0, "1"),
    "local_cutoff": ("R_c of the local source (Eq. 11)", 1e-3, "TV"),
}
#: what stands in the figure and not in the fit: published after the paper
SHOWN = ("lhaaso-epos-lhc-h-total-energy",)
#: Fig. 4 shall agree within this
AGREEMENT = 0.10
#: kinetic energies of the figure [GeV]
LOWEST, HIGHEST = 20.0, 1e8
#: the bubble that the nearby source is for, section 3.1 [GeV]
BUBBLE = (200.0, 14e3)


def intensities(fit: ProtonFit) -> tuple[Array, dict[str, Array]]:
    """Total energy of protons [GeV], and the modulated intensity of every part [m^-2 s^-1 sr^-1 GeV^-1]."""
    kinetic, proton = fit.protons["kinetic_energy"].values, nuclides()[SPECIES]
    each = fit.protons["flux_lis_component"].sel(species=SPECIES)
    interstellar = {
        "supernova remnants": each.sel(component="snr").values,
        "X-ray binaries": each.sel(component="xrb").values,
        "local source": fit.local["flux_lis"].isel(source=0, species=0).values,
    }
    at = kinetic[(kinetic >= LOWEST) & (kinetic <= HIGHEST)]
    potential = float(fit.protons["flux_toa"].attrs["modulation_potential_GV"])
    modulated = {
        name: force_field(
            kinetic, flux, charge=proton.Z, mass_number=proton.A, mass_per_nucleon=proton.mass_per_nucleon,
            potential=potential, at=at,
        )
        for name, flux in interstellar.items()
    }  # fmt: skip
    return at + proton.mass_per_nucleon, modulated


def rerun_spectrum(study: Study, fit: ProtonFit) -> None:
    """Items and Fig. 4."""
    energy, parts = intensities(fit)
    study.add(*_fitted(fit), *(_agreement(one) for one in fit.result.fitted), *_shape(energy, parts))
    study.figure(
        "fig4",
        "Fig. 4: protons of remnants, X-ray binaries and the local source, modulated; hollow points are "
        "younger than the paper",
        lambda: proton_figure(energy, parts, _data(fit), SHOWN),
    )


def compare_closed_form(study: Study, closed: ProtonFit, zones: ProtonFit) -> None:
    """Items of the local source and a figure, with D at the Sun everywhere for it; `zones` is the other fit."""
    energy = closed.local["kinetic_energy"].values
    near = int(np.argmin(np.abs(np.log(energy / BUBBLE[1]))))
    arriving = [
        float((fit.local["flux_lis"] / fit.local["injected_number"]).values[0, 0, near])
        for fit in (closed, zones)
    ]
    missing = (
        "The same fit with the closed form of the halo and D at the Sun for the local source: chi-square "
        f"{closed.result.chi2:.1f}. The paper does not say how its burst was evaluated. With D of every place "
        f"{arriving[0] / arriving[1]:.1f} times fewer of its protons of {energy[near] / 1e3:.0f} TeV are at the Sun, "
        "because D rises away from the plane; the source has to be so much stronger and harder."
    )
    for name in ("local_energy", "local_index", "local_cutoff", "snr_index"):
        words, unit, text = FREE[name]
        study.add(_open(closed, f"{words}, D at the Sun everywhere", name, unit, text, missing))
    at, parts = intensities(closed)
    study.figure(
        "fig4-closed-form",
        "As Fig. 4, the local source with D at the Sun everywhere",
        lambda: proton_figure(at, parts, _data(closed), SHOWN),
    )


def _data(fit: ProtonFit) -> list[Measurement]:
    return [load(one.name) for one in fit.result.fitted] + [load(name) for name in SHOWN]


def _open(fit: ProtonFit, words: str, name: str, unit: float, text: str, missing: str) -> Item:
    """A fitted parameter with its error."""
    value, error = (number * unit for number in fit.value(name))
    item = words if text == "1" else f"{words} [{text}]"
    return open_item(item, "not printed", f"{value:.3g} ± {error:.2g}", missing=missing)


def _fitted(fit: ProtonFit) -> list[Item]:
    """What the paper does not give, as fitted."""
    result = fit.result
    missing = (
        f"Not printed; fitted together to AMS-02, DAMPE, GRAPES-3 and KASCADE: chi-square "
        f"{result.chi2:.1f}, {result.ndof} degrees "
        f"of freedom, {fit.rounds} rounds, the last moved nothing by more than {fit.moved:.2g} of its "
        f"error. Cut-offs of "
        "remnants (150 TV) and binaries (2.5 PV) are those of the paper."
    )
    items = [_open(fit, words, name, unit, text, missing) for name, (words, unit, text) in FREE.items()]
    power = float(fit.protons["injected_power"].sel(component="xrb").values)
    items.append(
        open_item(
            "power of all X-ray binaries in protons above 10 GeV [erg/s]", "not printed", power,
            missing="Follows from index and strength.",
        )
    )  # fmt: skip
    return items


def _agreement(one: Fitted) -> Item:
    """How far the model is from a data set, rms."""
    rms = float(np.sqrt(np.mean((one.model / one.y - 1.0) ** 2)))
    error = float(np.sqrt(np.mean((one.sigma / one.y) ** 2)))
    room = max(AGREEMENT, error)
    return claim(
        f"protons, rms deviation from {load(one.name).experiment} (Fig. 4)",
        "perfectly consistent", f"{100 * rms:.1f} %", holds=rms <= room, tolerance=f"{100 * room:.0f} %",
        note="Tolerance: 10 %, or the rms error of the points where that is larger.",
    )  # fmt: skip


def _shape(energy: Array, parts: Mapping[str, Array]) -> list[Item]:
    """Bump of the local source, and who is above whom."""
    total = np.sum(list(parts.values()), axis=0)
    fine = np.geomspace(1e3, 1e5, 400)
    curve = np.interp(np.log(fine), np.log(energy), np.log(total * energy**POWER))
    softening = float(fine[np.argmax(curve)])
    share = parts["local source"] / total
    inside = (energy >= BUBBLE[0]) & (energy <= BUBBLE[1])
    above = parts["X-ray binaries"] > 0.5 * total
    first = float(energy[np.flatnonzero(~above)[-1] + 1])
    return [
        factor(
            "top of the bump in E^2.7 J (bubble from 200 GV to 14 TV, section 3.1)", BUBBLE[1], softening,
            times=2.0, unit="GeV",
        ),
        open_item(
            "share of the local source, 200 GeV to 14 TeV (Fig. 4)", "blue curve of a figure",
            f"{100 * share[inside].min():.0f} to {100 * share[inside].max():.0f} %",
            missing="Read from a figure in the paper. The local source and the index of the remnants are degenerate.",
        ),
        open_item(
            "energy above which X-ray binaries are more than half (Fig. 4) [GeV]", "green curve of a figure", first,
            missing="Read from a figure in the paper.",
        ),
    ]  # fmt: skip

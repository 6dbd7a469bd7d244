"""Numbers of the paper that need no fit: its curves, p/He, Eq. 3, and the power that PeV protons need."""

from __future__ import annotations

import numpy as np

from cyldiff import constants as const
from cyldiff.fit.components import SpectrumConfig, load_spectra
from cyldiff.observables.estimates import jet_maximum_energy, leaky_box_intensity, thin_disc_intensity
from cyldiff.papers.aharonian_zhang_2026.fits import RUNS, Fits
from cyldiff.papers.aharonian_zhang_2026.points import Array, curve, points
from cyldiff.papers.aharonian_zhang_2026.printed import INTERACTIONS
from cyldiff.papers.items import Item, claim, close, interval
from cyldiff.papers.study import Study

__all__ = ["curves", "features", "power"]

FIRST = INTERACTIONS[0]
#: [GeV]
ENERGIES = 1e3 * np.array([0.1, 1.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0])
#: E^2.75 J of the printed central curves at these energies, evaluated independently of this package
SAMPLES = {
    ("proton-i", "H"): (13320, 15514, 19726, 21712, 15860, 21433, 29531, 31765, 15844),
    ("proton-i-prime", "H"): (13475, 15293, 20549, 21871, 15774, 21369, 29505, 31756, 15842),
    ("helium-i", "He"): (7697, 12246, 19727, 24510, 29391, 29522, 23329, 25083, 21989),
}
#: halo of LHAASO 2024: half height and radius [kpc]
HALO = {"half_height": 4.0, "radius": 15.0}


def curves(study: Study) -> None:
    """Eqs. 1 and 2 with the printed parameters, and Eq. 3."""
    for (name, species), expected in SAMPLES.items():
        ours = curve(load_spectra(RUNS / f"{name}.toml").config, ENERGIES, species)
        off = float(np.max(np.abs(ours / expected - 1.0)))
        study.add(
            claim(
                f"curve of {name} (Figs. 2, 5), 0.1 TeV to 10 PeV, against an independent evaluation",
                "curve",
                f"largest difference {off:.1e}",
                holds=off < 1e-4,
                tolerance="1e-4",
                note="Parameters as printed; the other side are whole numbers worked out elsewhere.",
            )
        )
    erg = const.ERG_GEV * const.MYR_S
    study.add(
        close("Eq. 3: Emax for 1e38 erg/s and sigma v/c = 1", 10.0, jet_maximum_energy(1e38 * erg, 1.0) / 1e6,
              relative=1e-9, unit="PeV"),
        close("Eq. 3: Emax for 1e39 erg/s and sigma v/c = 0.1", 10.0, jet_maximum_energy(1e39 * erg, 0.1) / 1e6,
              relative=1e-9, unit="PeV"),
        close("Eq. 3: jet power for 100 PeV (sigma v/c = 1)", 1e40,
              1e38 * (1e8 / jet_maximum_energy(1e38 * erg, 1.0)) ** 2, relative=1e-9, unit="erg/s"),
    )  # fmt: skip


def features(study: Study, fits: Fits) -> None:
    """p/He falls, recovers, is largest at PeV; as printed and as fitted."""
    printed = [load_spectra(RUNS / f"{name}.toml").config for name in ("proton-i", "helium-i")]

    def fallen(energy: Array) -> Array:
        return curve(printed[0], energy, "H") / curve(printed[1], energy, "He")

    at = fallen(np.array([1e5, 1e6, 3e6]))
    study.add(
        close("p/He of the printed curves at 100 TeV (Fig. 6)", 0.54, float(at[0]), relative=0.02),
        close("p/He of the printed curves at 1 PeV (Fig. 6)", 1.27, float(at[1]), relative=0.02),
        close("p/He of the printed curves at 3 PeV (Fig. 6)", 1.27, float(at[2]), relative=0.02),
    )
    protons, helium = (fits[name, FIRST].config() for name in ("proton-i", "helium-i"))
    energy = np.geomspace(3e4, 1e7, 2000)
    ours = curve(protons, energy, "H") / curve(helium, energy, "He")
    low = int(np.argmin(np.where(energy < 3e5, ours, np.inf)))
    high = int(np.argmax(np.where(energy > 3e5, ours, 0.0)))
    study.add(
        close("p/He fitted: smallest near 100 TeV", 0.54, float(ours[low]), relative=0.1,
              note="The tolerance is that of the fitted spectra, 5 % each."),
        close("p/He fitted: largest at PeV energies", 1.27, float(ours[high]), relative=0.1,
              note="The tolerance is that of the fitted spectra, 5 % each."),
        interval("p/He fitted: energy of the maximum [PeV]", "1 to 3", float(energy[high]) / 1e6, low=1.0, high=3.0),
        _below_300_tev(printed[0], "printed"),
        _below_300_tev(protons, "fitted"),
    )  # fmt: skip


def _below_300_tev(config: SpectrumConfig, name: str) -> Item:
    """LHAASO below 300 TeV, where the paper does not fit."""
    data = points(f"lhaaso-{FIRST}-h-total-energy")
    use = data.energy < 3e5
    model = curve(config, data.energy[use], "H")
    off = data.value[use] - model
    in_sigma = np.max(np.abs(off) / np.where(off > 0.0, data.minus[use], data.plus[use]))
    worst = float(np.max(np.abs(off / model)))
    return claim(
        f"LHAASO protons below 300 TeV off the {name} curve (IV.1)", "not more than 10 %",
        f"up to {100 * worst:.0f} % ({in_sigma:.1f} sigma)", holds=worst < 0.105, tolerance="10 %, rounded",
        note="LHAASO with EPOS-LHC.",
    )  # fmt: skip


def power(study: Study, fits: Fits) -> None:
    """Power that sustains the measured PeV protons: E^2 Q at 1 PeV, for two laws of escape and two D."""
    second = fits["proton-ii", FIRST].config()
    flux = 1e-4 * float(curve(second, np.array([1e6]), "H")[0]) * 1e6**-0.75  # E^2 J, GeV cm^-2 s^-1 sr^-1
    unit = const.ERG_GEV * const.MYR_S
    for law, name in ((leaky_box_intensity, "leaky box"), (thin_disc_intensity, "thin disc")):
        for d in (2.8e30, 1e31):
            made = law(unit, diffusion=d * const.MYR_S / const.KPC_CM**2, **HALO)
            study.add(
                interval(
                    f"power in PeV protons, {name}, D(1 PeV) = {d:g} cm^2/s [erg/s]", "1e38 to 1e39", flux / made,
                    low=3.3e37, high=3e39,
                    note="E^2 Q at 1 PeV of component II in the halo of LHAASO 2024 (H = 4 kpc, R = 15 kpc). The paper "
                    "gives a range for the unknown time in the Galaxy; the tolerance is a factor 3 beyond it.",
                )
            )  # fmt: skip

"""Numbers of the paper that need no fit: its curves, p/He, Eq. 3, and the power that PeV protons need."""

from __future__ import annotations

from collections.abc import Sequence

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
    energy = np.geomspace(3e5, 1e7, 2000)
    printed = [load_spectra(RUNS / f"{name}.toml").config for name in ("proton-i", "helium-i")]
    fitted = [fits[name, FIRST].config() for name in ("proton-i", "helium-i")]
    both = "The fitted spectra of protons and helium may be off by 5 % each."
    for name, configs, relative, note in (("printed", printed, 0.02, ""), ("fitted", fitted, 0.1, both)):
        for at, value in ((1e5, 0.54), (1e6, 1.27), (3e6, 1.27)):
            where = "100 TeV" if at < 1e6 else f"{at / 1e6:g} PeV"
            study.add(
                close(
                    f"p/He of the {name} curves at {where} (Fig. 6)", value,
                    float(_ratio(configs, np.array([at]))[0]), relative=relative, note=note,
                )
            )  # fmt: skip
    ours = _ratio(fitted, energy)
    largest = float(energy[np.argmax(ours)]) / 1e6
    study.add(
        claim(
            "p/He: largest at PeV energies (Fig. 6)", "maximum at PeV energies",
            f"{np.max(ours):.2f} at {largest:.1f} PeV; printed curves {np.max(_ratio(printed, energy)):.2f}",
            holds=1.0 < largest < 3.0, tolerance="1 to 3 PeV",
        ),
        _below_300_tev(printed[0]),
    )  # fmt: skip


def _ratio(configs: Sequence[SpectrumConfig], energy: Array) -> Array:
    return curve(configs[0], energy, "H") / curve(configs[1], energy, "He")


def _below_300_tev(config: SpectrumConfig) -> Item:
    """LHAASO below 300 TeV, where the paper does not fit."""
    worst = {}
    for one in INTERACTIONS:
        data = points(f"lhaaso-{one}-h-total-energy")
        use = data.energy < 3e5
        worst[one] = float(np.max(np.abs(data.value[use] / curve(config, data.energy[use], "H") - 1.0)))
    return claim(
        "LHAASO protons below 300 TeV off the printed curve (IV.1)", "not more than 10 %",
        ", ".join(f"{one} {100 * off:.0f} %" for one, off in worst.items()),
        holds=worst[FIRST] < 0.105, tolerance=f"10 %, rounded, with {FIRST}",
        note="Largest deviation of the three points; their errors are 5 to 6 %.",
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

"""Section 4.2 and Fig. 5 of Yue et al. 2025: amplitude and phase of the anisotropy of the same protons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff import pipeline
from cyldiff.config.load import load_config
from cyldiff.data.dipoles import default_dipoles
from cyldiff.fit.dipole_terms import wrapped_difference
from cyldiff.observables.anisotropy import anisotropy
from cyldiff.papers.items import Item, claim, factor, open_item
from cyldiff.papers.study import Study
from cyldiff.papers.yue_2025.protons import ProtonFit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["closed_form_dipole", "rerun_dipole"]

Array = NDArray[np.float64]

NUCLEI = "papers/yue-2025/nuclei"
#: right ascension of the Galactic centre and of the opposite direction [deg], J2000
CENTRE, ANTICENTRE = 266.4, 86.4
#: energies of the figure [GeV], and points per decade
RANGE, PER_DECADE = (1e2, 1e8), 16
#: where the phase turns in the data and in Fig. 5; the knee; the dip the paper speaks of [GeV]
TURN, KNEE, DIP = 1e5, (1e6, 8e6), (1e7, 1e8)
#: bend of ln A against ln E that would be a feature
FEATURE = 0.1


def rerun_dipole(study: Study, fit: ProtonFit) -> None:
    """Items and Fig. 5."""
    dipole = _dipole(fit)
    dip = _dip(dipole, [] if study.smoke else _changes(fit), study.smoke)
    study.add(*_phase(dipole), *_amplitudes(dipole), _knee(dipole), dip)
    study.figure(
        "fig5",
        "Fig. 5: anisotropy of the protons, amplitude and phase; names of the parts: snr, xrb, local SNR",
        lambda: _figure(dipole),
    )


def closed_form_dipole(study: Study, closed: ProtonFit) -> None:
    """The same with D at the Sun everywhere for the local source: items up to its cut-off, and a figure."""
    dipole, words = _dipole(closed), ", D at the Sun everywhere"
    study.add(*_phase(dipole, words)[:2], _amplitudes(dipole, words)[0])
    study.figure(
        "fig5-closed-form",
        "As Fig. 5, the local source with D at the Sun everywhere",
        lambda: _figure(dipole),
    )


def _dipole(fit: ProtonFit) -> xr.Dataset:
    count = int(PER_DECADE * np.log10(RANGE[1] / RANGE[0])) + 1
    return anisotropy(fit.protons, sources=fit.local, species="p", energies=np.geomspace(*RANGE, count))


def _figure(dipole: xr.Dataset) -> Figure:
    from cyldiff.plot.anisotropy_figure import anisotropy_figure

    return anisotropy_figure(dipole, default_dipoles(), RANGE)


def _phase(dipole: xr.Dataset, words: str = "") -> list[Item]:
    energy, phase = dipole["energy"].values, dipole["phase"].values
    outward = np.abs(wrapped_difference(phase, np.full_like(phase, ANTICENTRE))) < 90.0
    low, high = (float(np.interp(np.log(e), np.log(energy), phase)) for e in (1e4, 1e6))
    turn = float(energy[np.flatnonzero(outward)[-1]])
    note = (
        "Below the turn the phase is about that of the local source, RA 60°; above it that of the Galactic centre, "
        "RA 266°. The turn is where the two dipoles are equal: it depends on how fast the local source fades."
    )
    return [
        claim(
            f"phase at 10 TeV (Fig. 5){words}", "anticentre, RA 86°", f"RA {low:.0f}°",
            holds=_within(low, ANTICENTRE), tolerance="90°", note=note,
        ),
        factor(
            f"energy where the phase turns (Fig. 5, read as 100 TeV){words}", TURN, turn, times=2.0, unit="GeV",
            note=note,
        ),
        claim(
            f"phase at 1 PeV (Fig. 5){words}", "Galactic centre, RA 266°", f"RA {high:.0f}°",
            holds=_within(high, CENTRE), tolerance="90°", note=note,
        ),
    ]  # fmt: skip


def _within(phase: float, direction: float) -> bool:
    """Whether a phase is in the half of the sky around a direction [deg]."""
    return bool(abs(float(wrapped_difference(np.array(phase), np.array(direction)))) < 90.0)


def _amplitudes(dipole: xr.Dataset, words: str = "") -> list[Item]:
    """At two energies, next to what was measured within a factor of two around them."""
    energy = dipole["energy"].values
    every = [(e, a) for one in default_dipoles() for e, a in zip(one.energy, one.amplitude, strict=True)]
    items = []
    for word, at in (("10 TeV", 1e4), ("1 PeV", 1e6)):
        near = [a for e, a in every if 0.5 * at <= e <= 2.0 * at and np.isfinite(a)]
        ours = float(np.interp(np.log(at), np.log(energy), dipole["amplitude"].values))
        items.append(
            factor(
                f"amplitude at {word}, measured (median of {len(near)} points) and ours (Fig. 5){words}",
                float(np.median(near)), ours, times=2.0,
                note="The paper says that the model fits well. Only the spectrum is fitted here.",
            )
        )  # fmt: skip
    return items


def _slope(energy: Array, amplitude: Array, limits: tuple[float, float]) -> Array:
    """Slope d ln A / d ln E between two energies."""
    use = (energy >= limits[0]) & (energy <= limits[1])
    return np.gradient(np.log(amplitude[use]), np.log(energy[use]))


def _knee(dipole: xr.Dataset) -> Item:
    slope = _slope(dipole["energy"].values, dipole["amplitude"].values, KNEE)
    return claim(
        "anisotropy at the knee, 1 to 8 PeV (Fig. 5)", "no extra features",
        f"A ~ E^{slope.mean():.2f}, slope constant within {np.ptp(slope):.2f}", holds=bool(np.ptp(slope) < FEATURE),
        tolerance=f"slope within {FEATURE}",
    )  # fmt: skip


def _changes(fit: ProtonFit) -> Sequence[str]:
    """The run with nuclei at the values of the fit."""
    physics = fit.result.fit.run.config.physics  # type: ignore[union-attr]
    index, flux = fit.value("xrb_index")[0], fit.value("xrb_flux")[0]
    return [
        f'physics.diffusion.reference_rigidity="{physics.diffusion.reference_rigidity} GV"',
        f"physics.sources.xrb.injection.default.indices=[{index}]",
        f'physics.sources.xrb.normalisation.flux="{flux} GeV^-1 m^-2 s^-1 sr^-1"',
    ]


def _dip(dipole: xr.Dataset, changes: Sequence[str], smoke: bool) -> Item:
    """Where the amplitude falls between 10 and 100 PeV, for protons and for nuclei up to iron."""
    energy, words = dipole["energy"].values, []
    slope = _slope(energy, dipole["amplitude"].values, DIP)
    words.append(f"protons: none, slope {slope.min():.2f} or more")
    if not smoke:
        result = pipeline.run(load_config(NUCLEI, changes))
        at = np.geomspace(KNEE[0], 5.0 * DIP[1], 80)
        every = _slope(
            at, anisotropy(result, species="all", energies=at)["amplitude"].values, (KNEE[0], DIP[1])
        )
        where = at[int(np.argmin(every))]
        words.append(f"nuclei of the binaries: slope falls to {every.min():.2f} at {where:.1e} GeV")
    return open_item(
        "dip of the amplitude, 1e7 to 1e8 GeV (Fig. 5)", "an interesting dip structure", "; ".join(words),
        missing="What the binaries inject beside protons is not printed. Above 1 PeV they are the only component, and "
                "the amplitude of protons alone rises as D. As lighter nuclei reach their cut-offs the "
                "mean rigidity falls: "
                "with the mix of the remnants the rise stops, a dip needs more heavy nuclei.",
    )  # fmt: skip

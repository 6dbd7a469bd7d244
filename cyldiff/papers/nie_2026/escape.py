"""What a halo does to the conclusion: the energy a burst must have, and the distances that leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.fit.tune import FitResult
from cyldiff.observables.interpolation import LogLogCurve
from cyldiff.papers.items import open_item
from cyldiff.papers.nie_2026.joint import PRINTED, JointFits
from cyldiff.papers.study import Study
from cyldiff.sources.component import FLUX_UNIT
from cyldiff.sources.greens_function import burst

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Needed", "halo", "needed_energy"]

Array = NDArray[np.float64]

#: energy at which the source is normalised [GeV]
KNEE = 1e6
#: luminosities that are compared [erg/s]: a powerful jet, and ten of them
POWERS = (1e39, 1e40)


@dataclass(frozen=True)
class Needed:
    """Energy E^2 q at 1 PeV, per unit of ln E, of a burst that gives the flux at 1 PeV and the dipole.

    Attributes
    ----------
    age : shape (n,) [Myr]
    distance : that gives the dipole, shape (n,) [kpc]
    energy : by kernel, shape (n,) [erg]
    """

    age: Array
    distance: Array
    energy: dict[str, Array]


def needed_energy(flux: float, ratio: float, *, diffusion: float, half_height: float, age: Array) -> Needed:
    """Burst at d = ratio * age with J at 1 PeV.

    Parameters
    ----------
    flux : J at 1 PeV [m^-2 s^-1 sr^-1 GeV^-1]
    ratio : d / t [kpc/Myr], from the dipole 3 d / 2 c t
    diffusion : D at 1 PV [kpc^2/Myr]
    half_height : H [kpc]
    age : shape (n,) [Myr]
    """
    distance = ratio * age
    density = flux * 4.0 * np.pi / (const.SPEED_OF_LIGHT * FLUX_UNIT)
    place = np.stack([distance, np.zeros_like(age), np.zeros_like(age)], axis=-1)
    energy = {}
    for kernel, height in (("free", None), ("halo", half_height)):
        green, _ = burst(place, np.zeros(3), diffusion=diffusion, age=age, half_height=height)
        energy[kernel] = KNEE**2 * density / green / const.ERG_GEV
    return Needed(age, distance, energy)


def halo(study: Study, fits: JointFits) -> None:
    """Numbers and a figure of the energy needed, with and without escape."""
    prediction = fits.predicted("free")
    place = prediction.shares.names.index("microquasar")
    flux = float(
        LogLogCurve(prediction.kinetic_energy, prediction.shares.flux[place, 0])(np.array([KNEE]))[0]
    )
    physics = prediction.config.physics
    D = float(
        physics.diffusion.coefficient(np.array([KNEE]), np.ones(1), np.zeros(1), np.zeros(1), axis="z")[0]
    )
    law = {"diffusion": D, "half_height": physics.halo.half_height}
    ratio = PRINTED["distance"][0] / PRINTED["age"][0]
    at = needed_energy(flux, ratio, age=np.array([PRINTED["age"][0]]), **law)
    limits = "E^2 q at 1 PeV, d / t from the printed dipole. "
    for kernel, words in (("free", "in free space"), ("halo", "with the halo, H = 4.5 kpc")):
        study.add(
            open_item(f"Energy per ln E at 1 PeV of the printed best fit, {words} [erg]", "not printed",
                      float(at.energy[kernel][0]),
                      missing=limits + "A jet of 1e39 erg/s gives 1.5e53 erg in 4.82 Myr, in all forms.")
        )  # fmt: skip
    curve = needed_energy(flux, ratio, age=np.geomspace(0.01, 10.0, 241), **law)
    for power in POWERS:
        study.add(
            open_item(f"Distances at which {power:.0e} erg/s over the age are enough [kpc]", "2.64 in free space",
                      "; ".join(f"{kernel}: {_allowed(curve, kernel, power)}" for kernel in curve.energy),
                      missing=limits + "All the power goes into one e-fold of proton energies there: a bound.")
        )  # fmt: skip
    _fit(study, fits.halo)

    def figure() -> Figure:
        from cyldiff.papers.nie_2026.figures import halo_figure

        return halo_figure(curve, POWERS)

    study.figure("halo", "What the halo does: energy needed against age and distance", figure)


def _allowed(curve: Needed, kernel: str, power: float) -> str:
    """Largest distance at which a luminosity over the age is more than what is needed; younger sources need less."""
    enough = curve.energy[kernel] <= power * curve.age * const.MYR_S
    if not enough.any():
        return "none"
    farthest = float(curve.distance[np.flatnonzero(enough)[-1]])
    return f"all up to {farthest:.1f} and more" if enough[-1] else f"up to {farthest:.2g}"


def _fit(study: Study, found: FitResult) -> None:
    """The joint fit with escape."""
    for name, unit in (
        ("distance", "kpc"),
        ("age", "Myr"),
        ("cutoff", "PV"),
        ("index", ""),
        ("energy", "erg above 1 PeV"),
    ):
        i = [p.name for p in found.parameters].index(name)
        scale = {"cutoff": 1e-6, "energy": 1.0 / const.ERG_GEV}.get(name, 1.0)
        printed = f"{PRINTED[name][0]:g} (free space)" if name in PRINTED else "not printed"
        value, error = found.values[i] * scale, found.errors[i] * scale
        study.add(
            open_item(f"Joint fit with the halo: {name}" + (f" [{unit}]" if unit else ""), printed,
                      f"{value:.3g} ± {error:.2g}",
                      missing="the paper uses free space; papers/nie-2026/halo is the same fit with "
                      f"escape at |z| = 4.5 kpc and the age free (chi2 {found.chi2:.0f}, {found.ndof} dof).")
        )  # fmt: skip

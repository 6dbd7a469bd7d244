"""What a source injects: a law of the spectrum and a mix of species, normalised to the energy they carry.

All species of a source have one law f. The mix gives their dN/dR relative to each other **at equal
rigidity**: dN_s/dR = w_s f(R); with ``variable = "kinetic-energy"`` the law is one of the kinetic energy per
charge instead, dN_s/d(T_p/Z) = w_s f(T_p/Z), T_p being that of the whole particle. Both are the same where
R >> A m/Z. Against an abundance X_s given at equal kinetic energy per nucleon, a power law of index g has
w_s / w_p = (X_s / X_p) (A/Z)^(g - 1): for helium and g = 2.2 a factor 2.3.

The energy of a source is the kinetic energy of all its species above `minimum_energy` **per particle**, 1 GeV
by default, which is how the papers on microquasars count (Kaci et al., Eq. 1: E0 = 1 GeV; Nie et al.,
Table 2: above 1 GeV).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cyldiff.config.base import Model, Number, Quantity
from cyldiff.grid import Kinematics, kinetic_energy_of_rigidity
from cyldiff.particles.injection import BrokenPowerLawInjection
from cyldiff.particles.species import Species, known_species
from cyldiff.registry import register

__all__ = [
    "BrokenPowerLawSpectrum",
    "Normalisation",
    "PowerLawSpectrum",
    "SourceSpectrum",
    "Variable",
    "carries_energy",
    "diverges",
    "energy_shares",
    "injectable",
    "injected_spectra",
    "logarithmic_refused",
]

Array = NDArray[np.float64]
Variable = Literal["rigidity", "kinetic-energy"]
Normalisation = Literal["exact", "logarithmic"]

#: exp[-(R/R_c)^b] beyond (R/R_c)^b = 120 carries less than 1e-40 of the energy
_DEPTH = 120.0
#: a law without a cut-off is integrated this far beyond its last break, then as a pure power law
_FAR = 1e12
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)

_VARIABLE = (
    'what the law is one of: "rigidity", or "kinetic-energy" of the particle per charge, whose cut-off is '
    "written as a rigidity too"
)


class SourceSpectrum(Protocol):
    """What all kinds of the family "source-spectrum" have."""

    def __hash__(self) -> int:
        """Frozen, so that it can be a key."""

    @property
    def cutoff(self) -> float | None:
        """Rigidity of the cut-off [GV], if there is one."""

    @property
    def variable(self) -> Variable:
        """What the law is one of."""

    @property
    def law(self) -> BrokenPowerLawInjection:
        """The same law as an injection spectrum of the grid."""


@register("source-spectrum", "power-law")
class PowerLawSpectrum(Model):
    """dN/dR ~ R^-index exp[-(R/cutoff)^cutoff_sharpness]."""

    kind: Literal["power-law"] = "power-law"
    index: Annotated[Number, Field(gt=-5.0, lt=10.0)] = Field(description="gamma of dN/dR ~ R^-gamma")
    cutoff: Quantity("rigidity") | None = Field(  # type: ignore[valid-type]
        default=None, gt=0, description="rigidity of the exponential cut-off; without it there is none"
    )
    cutoff_sharpness: Annotated[Number, Field(gt=0.0, le=100.0)] = Field(
        default=1.0, description="power b in exp[-(R/R_c)^b]"
    )
    variable: Variable = Field(default="rigidity", description=_VARIABLE)

    @property
    def law(self) -> BrokenPowerLawInjection:
        """The same law as an injection spectrum of the grid."""
        return BrokenPowerLawInjection.model_construct(
            indices=(self.index,), cutoff=self.cutoff, cutoff_sharpness=self.cutoff_sharpness
        )


@register("source-spectrum", "broken-power-law")
class BrokenPowerLawSpectrum(BrokenPowerLawInjection):
    """The injection spectrum of a grid component: breaks, smooth or sharp, and a cut-off."""

    variable: Variable = Field(default="rigidity", description=_VARIABLE)

    @property
    def law(self) -> BrokenPowerLawInjection:
        """Itself."""
        return self


def injectable() -> Mapping[str, Species]:
    """Species that a source may inject, by name."""
    return known_species()


def diverges(spectrum: SourceSpectrum) -> bool:
    """Whether the energy above any minimum is infinite: no cut-off, and falling no faster than R^-2."""
    return spectrum.cutoff is None and spectrum.law.indices[-1] <= 2.0


def logarithmic_refused(spectrum: SourceSpectrum) -> str:
    """Reason why Kaci et al. Eq. 1 does not apply to a spectrum; empty if it does."""
    law = spectrum.law
    fits = law.indices == (2.0,) and law.cutoff is not None and spectrum.variable == "kinetic-energy"
    if fits:
        return ""
    return (
        '"logarithmic" is ln(cutoff / minimum_energy), the energy of a power law of index 2 that ends at its '
        'cutoff (Kaci et al., Eq. 1); it needs index = 2, a cutoff and variable = "kinetic-energy"'
    )


def injected_spectra(
    spectrum: SourceSpectrum,
    mix: Mapping[str, float],
    species: Sequence[Species],
    kinetic_energy: Array,
    *,
    minimum_energy: float,
    normalisation: Normalisation = "exact",
) -> Array:
    """Number injected per (GeV/n) for each GeV of the source's energy, all species together carrying it.

    The spectrum goes on below `minimum_energy`; what is there does not count.

    Parameters
    ----------
    spectrum : kind of the family "source-spectrum"
    mix : species -> relative dN/dR at equal rigidity
    species : those asked for; others of the mix count for the energy all the same
    kinetic_energy : per nucleon, shape (n_e,) [GeV/n]
    minimum_energy : kinetic energy per particle above which energy counts [GeV]
    normalisation : "exact", or "logarithmic" as Kaci et al. Eq. 1: Q = L / ln(E_c / E_0) E^-2 exp(-E / E_c)

    Returns
    -------
    ndarray, shape (len(species), n_e) [1 / (GeV/n) / GeV]
    """
    total = sum(_counted(spectrum, mix, minimum_energy, normalisation).values())
    rows = [
        mix.get(s.name, 0.0) * _per_energy(spectrum, s, np.asarray(kinetic_energy, dtype=float)) / total
        for s in species
    ]
    return np.stack(rows)


def carries_energy(spectrum: SourceSpectrum, mix: Mapping[str, float], minimum_energy: float) -> bool:
    """Whether the energy above a minimum per particle [GeV] is positive and finite."""
    total = sum(_counted(spectrum, mix, minimum_energy, "exact").values())
    return bool(np.isfinite(total) and total > 0.0)


def energy_shares(
    spectrum: SourceSpectrum,
    mix: Mapping[str, float],
    *,
    minimum_energy: float,
    normalisation: Normalisation = "exact",
) -> dict[str, float]:
    """Kinetic energy that each species really carries, per unit of the source's energy.

    They add up to 1, or to 0.964 for "logarithmic" between 1 GeV and 10 PeV.
    """
    total = sum(_counted(spectrum, mix, minimum_energy, normalisation).values())
    exact = _counted(spectrum, mix, minimum_energy, "exact")
    return {name: energy / total for name, energy in exact.items()}


def _counted(
    spectrum: SourceSpectrum, mix: Mapping[str, float], minimum: float, normalisation: Normalisation
) -> dict[str, float]:
    """Energy of each species [GeV] for f normalised to 1 at 1 GV, as the normalisation counts it."""
    known = injectable()
    cutoff = spectrum.cutoff
    if normalisation == "logarithmic" and cutoff is not None:
        return {
            name: weight * abs(known[name].Z) * float(np.log(abs(known[name].Z) * cutoff / minimum))
            for name, weight in mix.items()
        }
    return {name: weight * _energy_above(spectrum, known[name], minimum) for name, weight in mix.items()}


def _per_energy(spectrum: SourceSpectrum, nucleus: Species, kinetic_energy: Array) -> Array:
    """dN/dT per nucleon of one species with weight 1."""
    k = Kinematics(kinetic_energy, nucleus.Z, nucleus.A, nucleus.mass_per_nucleon)
    nucleons_per_charge = nucleus.nucleons / abs(nucleus.Z)
    if spectrum.variable == "kinetic-energy":
        return spectrum.law.per_rigidity(kinetic_energy * nucleons_per_charge) * nucleons_per_charge
    return spectrum.law.per_rigidity(k.rigidity) * nucleons_per_charge / k.beta


@lru_cache(maxsize=4096)
def _energy_above(spectrum: SourceSpectrum, nucleus: Species, minimum: float) -> float:
    """Int T_p dN of one species with weight 1 above a kinetic energy per particle [GeV]."""
    with np.errstate(all="ignore"):  # of a law beyond all bounds; carries_energy() says so
        lowest = minimum / nucleus.nucleons
        edges = _energy_of(spectrum, nucleus, np.exp(_panels(spectrum.law)))
        edges = np.unique(np.concatenate([[lowest], edges[edges > lowest]]))
        low, high = np.log(edges[:-1, None]), np.log(edges[1:, None])
        t = np.exp(0.5 * (low + high) + 0.5 * (high - low) * _NODES)
        per_log = nucleus.nucleons * t**2 * _per_energy(spectrum, nucleus, t)
        inside = float(np.sum(0.5 * (high - low) * _WEIGHTS * per_log))
        if spectrum.cutoff is not None:
            return inside
        end = edges[-1:]
        tail = nucleus.nucleons * end**2 * _per_energy(spectrum, nucleus, end)
        return inside + float(tail[0]) / (spectrum.law.indices[-1] - 2.0)


def _energy_of(spectrum: SourceSpectrum, nucleus: Species, x: Array) -> Array:
    """Kinetic energy per nucleon at a value of the law's variable [GV]."""
    if spectrum.variable == "kinetic-energy":
        return x * abs(nucleus.Z) / nucleus.nucleons
    return kinetic_energy_of_rigidity(
        x, charge=nucleus.Z, mass_number=nucleus.A, mass_per_nucleon=nucleus.mass_per_nucleon
    )


def _panels(law: BrokenPowerLawInjection) -> Array:
    """Places in ln x between which the law is smooth: denser where it bends."""
    last = law.cutoff if law.cutoff is not None else max([*law.breaks, 1e3])
    top = np.log(last) + (np.log(_DEPTH) / law.cutoff_sharpness if law.cutoff is not None else np.log(_FAR))
    places = [np.arange(np.log(1e-12), top, 0.25)]
    around = np.linspace(-10.0, 10.0, 81)
    if law.cutoff is not None:
        places.append(np.log(law.cutoff) + around / law.cutoff_sharpness)
    smooth = law.smoothness or (0.0,) * len(law.breaks)
    for position, s in zip(law.breaks, smooth, strict=True):
        places.append(np.log(position) + around * s if s > 0.0 else np.array([np.log(position)]))
    every = np.concatenate([*places, [top]])
    return np.unique(every[every <= top])

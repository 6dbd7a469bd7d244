"""The kinds of "pion-production": which model turns nuclei on gas into gamma rays and neutrinos.

A kind gives dsigma/dE per hydrogen atom of the gas [mb/GeV] for each nuclide of a result. The two ways to
count nuclei exclude each other. The parametrisations of p-p collisions know protons on hydrogen only and
multiply by one factor, the nuclear enhancement, for nuclei in the rays and helium in the gas; AAfrag sums
projectiles and targets at equal energy per nucleon, and has no such factor.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator

from cyldiff import constants as const
from cyldiff.config.base import Model, Number
from cyldiff.errors import DataError, nearest, quoted
from cyldiff.particles import aafrag, kafexhiu, kelner
from cyldiff.registry import register

__all__ = ["ENHANCEMENTS", "AAfrag", "Kafexhiu2014", "Kelner2006", "PionProduction"]

Array = NDArray[np.float64]

#: named nuclear enhancements. Mori 2009, Astropart. Phys. 31, 341: 1.84 at 10 GeV per nucleon with DPMJET-3.
#: "kafexhiu-2014" is a function of energy (PRD 90, 123014, Eqs. 21-24)
ENHANCEMENTS: dict[str, float] = {"none": 1.0, "mori-2009": 1.84}
_OF_ENERGY = "kafexhiu-2014"


class PionProduction(Model):
    """Base of the kinds."""

    @property
    @abstractmethod
    def energies(self) -> tuple[float, float]:
        """Energies of the secondaries for which the model holds [GeV]."""

    @property
    @abstractmethod
    def secondaries(self) -> tuple[str, ...]:
        """What the model makes, of "gamma", "neutrino" (all flavours, both signs), "electron" (both signs)."""

    @abstractmethod
    def projectiles(self, mass_numbers: dict[str, int]) -> tuple[str, ...]:
        """Which of the nuclides (name -> mass number A; leptons have 0) radiate by themselves."""

    @abstractmethod
    def _per_hydrogen(
        self, energy: Array, kinetic_energy: Array, mass_number: int, secondary: str, helium_fraction: float
    ) -> Array: ...

    def cross_section(
        self,
        energy: ArrayLike,
        kinetic_energy: ArrayLike,
        *,
        mass_number: int = 1,
        secondary: str = "gamma",
        helium_fraction: float = 0.0,
    ) -> Array:
        """Inclusive dsigma/dE per hydrogen atom of the gas.

        Parameters
        ----------
        energy : array_like, shape (n_energy,)      of the secondary [GeV]
        kinetic_energy : array_like, shape (n_T,)   of the nucleus, per nucleon [GeV/n]
        mass_number : int                           A of the nucleus
        secondary : str                             "gamma", "neutrino" or "electron"
        helium_fraction : float                     He per H in the gas; used by the kind "aafrag" only

        Returns
        -------
        ndarray, shape (n_energy, n_T)              [mb/GeV]

        Raises
        ------
        DataError
            for a secondary the model does not make.
        """
        if secondary not in self.secondaries:
            kind = getattr(self, "kind", "")
            raise DataError(
                f"the model {quoted(kind)} makes {', '.join(self.secondaries)}, "
                f"not {quoted(secondary)}{nearest(secondary, self.secondaries)}"
            )
        e = np.atleast_1d(np.asarray(energy, dtype=float))
        t = np.atleast_1d(np.asarray(kinetic_energy, dtype=float))
        return self._per_hydrogen(e, t, mass_number, secondary, helium_fraction)


class _ProtonProton(PionProduction):
    """What the two parametrisations of p-p collisions share: the nuclear enhancement."""

    nuclear_enhancement: Number | str = Field(
        default="mori-2009",
        description="factor for nuclei in the rays and helium in the gas: a number or the name of a paper",
    )

    @field_validator("nuclear_enhancement", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if isinstance(value, str):
            known = (*ENHANCEMENTS, _OF_ENERGY)
            if value not in known:
                raise ValueError(
                    f"{quoted(value)} unknown; known: {', '.join(known)}, or a number{nearest(value, known)}"
                )
        elif isinstance(value, int | float) and not isinstance(value, bool) and not 1.0 <= value <= 5.0:
            raise ValueError(f"found {value:g}; expected a factor from 1 to 5")
        return value

    def enhancement(self, kinetic_energy: ArrayLike) -> Array:
        """The nuclear enhancement at T [GeV/n], same shape."""
        t = np.asarray(kinetic_energy, dtype=float)
        if self.nuclear_enhancement == _OF_ENERGY:
            return kafexhiu.nuclear_enhancement(t)
        value = self.nuclear_enhancement
        return np.full(t.shape, ENHANCEMENTS[value] if isinstance(value, str) else value)

    def projectiles(self, mass_numbers: dict[str, int]) -> tuple[str, ...]:
        """Protons; the enhancement stands for all others."""
        return tuple(name for name, a in mass_numbers.items() if a == 1)


@register("pion-production", "kelner-2006")
class Kelner2006(_ProtonProton):
    """Kelner, Aharonian & Bugayov 2006 (PRD 74, 034018): SIBYLL p-p above 100 GeV, gamma, e, neutrinos.

    Their continuation below 100 GeV (a delta function matched to each spectrum) is not linear in the
    spectrum and left out: use "kafexhiu-2014" or "aafrag" there.
    """

    kind: Literal["kelner-2006"] = "kelner-2006"

    @property
    def energies(self) -> tuple[float, float]:
        """From 100 GeV, the lowest proton of the fits, to their highest [GeV]."""
        return kelner.PROTON_ENERGIES

    @property
    def secondaries(self) -> tuple[str, ...]:
        """All that the paper gives."""
        return tuple(kelner.SPECTRA)

    def _per_hydrogen(
        self, energy: Array, kinetic_energy: Array, mass_number: int, secondary: str, helium_fraction: float
    ) -> Array:
        proton = kinetic_energy + const.PROTON_MASS
        usable = proton >= kelner.PROTON_ENERGIES[0] * (1.0 - 1e-9)
        safe = np.where(usable, proton, 1e3)
        spectrum = kelner.SPECTRA[secondary](energy[:, None] / safe, safe)
        return np.where(
            usable, self.enhancement(kinetic_energy) * kelner.inelastic(safe) * spectrum / safe, 0.0
        )


@register("pion-production", "kafexhiu-2014")
class Kafexhiu2014(_ProtonProton):
    """Kafexhiu et al. 2014 (PRD 90, 123014): gamma rays of p-p collisions from the threshold to 1 PeV."""

    kind: Literal["kafexhiu-2014"] = "kafexhiu-2014"
    generator: Literal["geant4", "pythia8", "sibyll", "qgsjet"] = Field(
        default="pythia8", description="event generator above 50 or 100 GeV"
    )

    @property
    def energies(self) -> tuple[float, float]:
        """From 1 MeV to 1 PeV [GeV]."""
        return 1e-3, 1e6

    @property
    def secondaries(self) -> tuple[str, ...]:
        """Gamma rays only."""
        return ("gamma",)

    def _per_hydrogen(
        self, energy: Array, kinetic_energy: Array, mass_number: int, secondary: str, helium_fraction: float
    ) -> Array:
        sigma = kafexhiu.cross_section(energy[:, None], kinetic_energy, generator=self.generator)
        return self.enhancement(kinetic_energy) * sigma


@register("pion-production", "aafrag")
class AAfrag(PionProduction):
    """AAfrag 2.02 (CPC 287, 108698): QGSJET-II-04m for each projectile on hydrogen and helium, no enhancement.

    Needs the package ``aafragpy`` (extra ``gamma``).
    """

    kind: Literal["aafrag"] = "aafrag"

    @property
    def energies(self) -> tuple[float, float]:
        """From the energy above which every proton that matters is in the tables, to 1 EeV [GeV]."""
        return aafrag.lowest_kinetic_energy(), 1e9

    @property
    def secondaries(self) -> tuple[str, ...]:
        """All that is read of the tables."""
        return tuple(aafrag.SECONDARIES)

    def projectiles(self, mass_numbers: dict[str, int]) -> tuple[str, ...]:
        """All nuclei."""
        return tuple(name for name, a in mass_numbers.items() if a >= 1)

    def _per_hydrogen(
        self, energy: Array, kinetic_energy: Array, mass_number: int, secondary: str, helium_fraction: float
    ) -> Array:
        def on(target: str) -> Array:
            return aafrag.cross_section(
                energy, kinetic_energy, mass_number=mass_number, target=target, secondary=secondary
            )

        return on("H") + helium_fraction * on("He") if helium_fraction else on("H")

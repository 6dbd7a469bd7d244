"""The classes behind own functions of energy and species: injection and cross sections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.own_physics.law import OwnLaw, Where
from cyldiff.particles.cross_sections import (
    FloatArray,
    check_energies,
    helium_ratio_inelastic,
    helium_ratio_spallation,
)
from cyldiff.particles.inelastic import Inelastic
from cyldiff.particles.spallation import Spallation, scale_factors
from cyldiff.particles.species import Species, nuclides

__all__ = ["OwnInelastic", "OwnInjection", "OwnSpallation"]

Array = NDArray[np.float64]


class OwnInjection(OwnLaw):
    """dN/dR by a function."""

    def per_rigidity(self, rigidity: Array) -> Array:
        """Relative dN/dR, same shape as rigidity [GV]."""
        return self.law.full(self, rigidity=rigidity)

    def try_over(self, where: Where) -> None:
        """At the rigidities of the run."""
        self.per_rigidity(where.rigidity)


class OwnInelastic(OwnLaw, Inelastic):
    """Total inelastic cross sections of nuclei, A > 1, by a function; protons as in all kinds.

    A function without the argument `target` is for hydrogen; helium is 2.10 A^-0.055 times that (Ferrando et
    al. 1988, PRC 37, 1490), as in the shipped kinds.
    """

    def _nuclei(self, species: Sequence[Species], energies: FloatArray) -> FloatArray:
        out = np.empty((len(species), 2, energies.size))
        both = "target" in self.law.signature.arguments
        for row, s in zip(out, species, strict=True):
            for i, target in enumerate(("H", "He") if both else ("H",)):
                row[i] = self.law.full(
                    self, kinetic_energy=energies, Z=float(s.Z), A=float(s.A), nuclide=s.name, target=target
                )
            if not both:
                row[1] = row[0] * helium_ratio_inelastic(s.A)
        return out

    def try_over(self, where: Where) -> None:
        """Nuclei of the run at the energies of the run."""
        known = nuclides()
        self._nuclei([known[n] for n in where.species if n in known and known[n].A > 1], where.energies)


class OwnSpallation(OwnLaw, Spallation):
    """Production cross sections of some channels by a function, all others as in a shipped set.

    Cumulative ones: what the function gives for 11B includes what comes through 11C. A function without the
    argument `target` is for hydrogen; helium follows by the ratio of Ferrando et al. 1988, PRC 37, 1490.
    """

    channels: ClassVar[tuple[tuple[str, str], ...]] = ()

    def sigma(self, parent: Species | str, child: Species | str, kinetic_energy: ArrayLike) -> FloatArray:
        """Cumulative production cross section of one channel, shape (2, n_T) [mb]."""
        pair = tuple(s.name if isinstance(s, Species) else s for s in (parent, child))
        if pair not in self.channels:
            return super().sigma(parent, child, kinetic_energy)
        factor = scale_factors(self.scale, np.array(pair[:1]), np.array(pair[1:]))
        return self._own(pair[0], pair[1], check_energies(kinetic_energy)) * factor

    def production(
        self, parents: ArrayLike, kinetic_energy: ArrayLike
    ) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.str_], FloatArray]:
        """All channels of some parents, see :meth:`Spallation.production`."""
        energies = check_energies(kinetic_energy)
        start, end, origin, sigma = super().production(parents, energies)
        keep = np.array([pair not in self.channels for pair in zip(start, end, strict=True)], dtype=bool)
        own = [pair for pair in self.channels if pair[0] in set(np.asarray(parents).ravel().tolist())]
        if not own:
            return start, end, origin, sigma
        return (
            np.concatenate([start[keep], [parent for parent, _ in own]]),
            np.concatenate([end[keep], [child for _, child in own]]),
            np.concatenate([origin[keep], [self.law.title] * len(own)]),
            np.concatenate([sigma[keep], [self.sigma(*pair, energies) for pair in own]]),
        )

    def _own(self, parent: str, child: str, energies: FloatArray) -> FloatArray:
        one, other = nuclides()[parent], nuclides()[child]
        given = {"kinetic_energy": energies, "parent": parent, "child": child}
        if "target" in self.law.signature.arguments:
            return np.stack([self.law.full(self, **given, target=target) for target in ("H", "He")])
        hydrogen = self.law.full(self, **given, target="H")
        return np.stack([hydrogen, hydrogen * helium_ratio_spallation([one.Z], [other.Z], energies)[0]])

    def try_over(self, where: Where) -> None:
        """Own channels at the energies of the run."""
        for parent, child in self.channels:
            self._own(parent, child, where.energies)

"""Total inelastic cross sections: what removes a nucleus when it meets hydrogen or helium.

Each kind answers for every nuclide on both targets. Two rules hold for all of them:

* proton on proton is the formula of Kafexhiu et al. 2014, rising with energy without end;
* proton on helium equals 4He on hydrogen at the same energy per nucleon (the same collision
  seen from the other side).

Cross sections of nuclei are constant above the energies where a kind is defined.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from cyldiff.config.base import Model
from cyldiff.errors import DataError
from cyldiff.particles.cross_sections import (
    Curves,
    Extrapolation,
    FloatArray,
    check_energies,
    helium_ratio_inelastic,
)
from cyldiff.particles.species import Species, hint, nuclides
from cyldiff.registry import register
from cyldiff.resources import folder, read_table

__all__ = ["Barashenkov1994", "Inelastic", "Letaw1983", "Tripathi1999", "proton_proton"]

_PION_THRESHOLD = 0.2797  # GeV, Kafexhiu et al. 2014


def proton_proton(kinetic_energy: ArrayLike) -> FloatArray:
    """Inelastic cross section of proton on proton [mb], zero below the pion threshold.

    (30.7 - 0.96 L + 0.18 L²) [1 - (T_th/T)^1.9]³ with L = ln(T/T_th), T_th = 0.2797 GeV.

    Source: Kafexhiu, Aharonian, Taylor, Vila 2014, PRD 90, 123014, Eq. (1).
    """
    ratio = np.maximum(np.asarray(kinetic_energy, dtype=float) / _PION_THRESHOLD, 1.0)
    log = np.log(ratio)
    return np.asarray((30.7 - 0.96 * log + 0.18 * log**2) * (1.0 - ratio**-1.9) ** 3)


class Inelastic(Model):
    """Base of the kinds: they say what nuclei do on hydrogen and helium, A > 1."""

    def table(self, species: Sequence[Species], kinetic_energy: ArrayLike) -> FloatArray:
        """Inelastic cross sections of many nuclides.

        Parameters
        ----------
        species : sequence of Species, length n
        kinetic_energy : array_like, shape (n_T,)   [GeV per nucleon]

        Returns
        -------
        ndarray, shape (n, 2, n_T)                  [mb], targets hydrogen and helium

        Raises
        ------
        DataError
            outside the energies of the table, unless ``extrapolation = "constant"``.
        """
        energies = check_energies(kinetic_energy)
        out = np.empty((len(species), 2, energies.size))
        nuclei = [i for i, s in enumerate(species) if s.A > 1]
        out[nuclei] = self._nuclei([species[i] for i in nuclei], energies)
        for i, s in enumerate(species):
            if s.A == 1:
                out[i, 0] = proton_proton(energies)
                out[i, 1] = self._nuclei([nuclides()["He4"]], energies)[0, 0]
        return out

    def sigma(self, species: Species | str, kinetic_energy: ArrayLike) -> FloatArray:
        """Inelastic cross sections of one nuclide, shape (2, n_T) [mb]; see :meth:`table`."""
        if isinstance(species, str):
            known = nuclides()
            if species not in known:
                raise DataError(f'unknown species "{species}"{hint(species)}')
            species = known[species]
        return np.asarray(self.table([species], kinetic_energy)[0])

    @abstractmethod
    def _nuclei(self, species: Sequence[Species], energies: FloatArray) -> FloatArray:
        """Cross sections of nuclei with A > 1, shape (n, 2, n_T)."""


@register("inelastic", "letaw-1983")
class Letaw1983(Inelastic):
    """The formula of Letaw, Silberberg & Tsao 1983 (ApJS 51, 271), valid at all energies.

    45 A^0.7 [1 + 0.016 sin(5.3 - 2.63 ln A)] [1 - 0.62 exp(-T/0.2 GeV) sin(10.9 (T/MeV)^-0.28)] mb
    on hydrogen; times 0.8 for helium and [1 + 0.75 exp(-T/75 MeV)] for beryllium projectiles.
    On helium: times 2.10 A^-0.055 (Ferrando et al. 1988). The fit is meant for A >= 4; 2H is
    outside of it.
    """

    kind: Literal["letaw-1983"] = "letaw-1983"

    def _nuclei(self, species: Sequence[Species], energies: FloatArray) -> FloatArray:
        mass = np.array([s.A for s in species], dtype=float)[:, None]
        charge = np.array([s.Z for s in species])[:, None]
        plateau = 45.0 * mass**0.7 * (1.0 + 0.016 * np.sin(5.3 - 2.63 * np.log(mass)))
        shape = 1.0 - 0.62 * np.exp(-energies / 0.2) * np.sin(10.9 * (1e3 * energies) ** -0.28)
        special = np.where(charge == 2, 0.8, 1.0) * np.where(
            charge == 4, 1.0 + 0.75 * np.exp(-energies / 0.075), 1.0
        )
        hydrogen = plateau * shape * special
        return np.stack([hydrogen, hydrogen * helium_ratio_inelastic(mass)], axis=1)


@register("inelastic", "tripathi-1999")
class Tripathi1999(Inelastic):
    """Tripathi, Cucinotta & Wilson 1999 on both targets, with Coste et al. 2012 for Z <= 2.

    A table from 0.05 to 6.3 GeV per nucleon (``inelastic_tripathi_1999.csv``).
    """

    kind: Literal["tripathi-1999"] = "tripathi-1999"
    extrapolation: Extrapolation = Field(
        default="refuse", description="energies outside the table: an error, or its last value"
    )

    def _nuclei(self, species: Sequence[Species], energies: FloatArray) -> FloatArray:
        curves, row_of = _curves("inelastic_tripathi_1999", "tripathi-1999")
        rows = [_row(row_of, s.name, target, self.kind) for s in species for target in ("H", "He")]
        values = curves.at(energies, rows, extrapolation=self.extrapolation)
        return values.reshape(len(species), 2, energies.size)


@register("inelastic", "barashenkov-1994")
class Barashenkov1994(Inelastic):
    """Barashenkov & Polanski 1994 (CROSEC) on hydrogen; on helium times 2.10 A^-0.055.

    A table from 0.01 to 10 GeV per nucleon (``inelastic_barashenkov_1994.csv``).
    """

    kind: Literal["barashenkov-1994"] = "barashenkov-1994"
    extrapolation: Extrapolation = Field(
        default="refuse", description="energies outside the table: an error, or its last value"
    )

    def _nuclei(self, species: Sequence[Species], energies: FloatArray) -> FloatArray:
        curves, row_of = _curves("inelastic_barashenkov_1994", "barashenkov-1994")
        rows = [_row(row_of, s.name, "H", self.kind) for s in species]
        hydrogen = curves.at(energies, rows, extrapolation=self.extrapolation)
        ratio = helium_ratio_inelastic([s.A for s in species])[:, None]
        return np.stack([hydrogen, hydrogen * ratio], axis=1)


def _row(row_of: dict[tuple[str, str], int], name: str, target: str, kind: str) -> int:
    if (name, target) not in row_of:
        raise DataError(
            f'inelastic "{kind}" has no cross section of {name}; '
            '"letaw-1983" is a formula for all, or write your own'
        )
    return row_of[name, target]


@lru_cache(maxsize=8)
def _curves(stem: str, name: str) -> tuple[Curves, dict[tuple[str, str], int]]:
    """Curves of a table and the row of each (nuclide, target)."""
    table = read_table(folder("physics") / "particles" / f"{stem}.csv")
    names = [str(n) for n in table["nuclide"]]
    targets = [str(t) for t in table["target"]] if "target" in table.columns else ["H"] * len(names)
    row_of = {key: row for row, key in enumerate(zip(names, targets, strict=True))}
    return Curves.from_table(table, name), row_of

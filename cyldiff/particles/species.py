"""The particles that are followed: what they are, and which of them a run wants.

The list is a table, ``physics/particles/nuclides.csv``: everything from 1H to 64Ni that lives
longer than about a thousand years as a fully stripped nucleus. Nuclides that decay by electron
capture only (7Be, 37Ar, 41Ca, 44Ti, 49V, 51Cr, 53Mn, 55Fe, 57Co, 59Ni) are stable there,
because a bare nucleus has no electron to capture.

Electrons and positrons have the mass number 0 and count as one particle, with the kinetic energy of the
particle where nuclei have that per nucleon. A run follows them if it names them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from cyldiff.constants import ATOMIC_MASS_UNIT, ELECTRON_MASS
from cyldiff.errors import DataError, nearest
from cyldiff.resources import folder, read_table

__all__ = ["MAX_Z", "Species", "element", "hint", "known_species", "leptons", "nuclides", "select"]

MAX_Z = 28  #: nickel, the heaviest element of the table


@dataclass(frozen=True, slots=True)
class Species:
    """One nuclide or lepton.

    Attributes
    ----------
    name : str
        element symbol and mass number, ``"Be10"``; ``"electron"``, ``"positron"``
    Z, A : int
        charge and mass number; A = 0 for a lepton
    mass_per_nucleon : float
        [GeV], the proton mass for A = 1 and the atomic mass unit above; the mass of a lepton
    half_life : float
        of the bare nucleus at rest [Myr], infinite if stable
    daughters : tuple of (str, float)
        names and branching of what it decays to, short-lived steps skipped
    """

    name: str
    Z: int
    A: int
    mass_per_nucleon: float
    half_life: float
    daughters: tuple[tuple[str, float], ...]

    @property
    def element(self) -> str:
        """Element symbol."""
        return element(self.name)

    @property
    def is_lepton(self) -> bool:
        """True for electrons and positrons."""
        return self.A == 0

    @property
    def nucleons(self) -> int:
        """What quantities per nucleon are multiplied by: A, 1 for a lepton."""
        return max(self.A, 1)

    @property
    def is_stable(self) -> bool:
        """True if the bare nucleus does not decay."""
        return math.isinf(self.half_life)

    @property
    def mean_life(self) -> float:
        """Mean life of the bare nucleus at rest [Myr], half-life / ln 2; infinite if stable."""
        return self.half_life / math.log(2)


def element(name: str) -> str:
    """Element symbol of a nuclide's name: ``"Be10"`` → ``"Be"``."""
    return name.rstrip("0123456789")


@lru_cache(maxsize=1)
def nuclides() -> Mapping[str, Species]:
    """All nuclides by name, in the order of the table (by charge, then mass number)."""
    table = read_table(folder("physics") / "particles" / "nuclides.csv")
    known: dict[str, Species] = {}
    for i, name in enumerate(str(n) for n in table["name"]):
        half_life = float(table["half_life_Myr"][i])
        daughter = str(table["daughter"][i])
        known[name] = Species(
            name=name,
            Z=int(table["Z"][i]),
            A=int(table["A"][i]),
            mass_per_nucleon=float(table["mass_per_nucleon_u"][i]) * ATOMIC_MASS_UNIT,
            half_life=math.inf if math.isnan(half_life) else half_life,
            daughters=((daughter, float(table["branching"][i])),) if daughter else (),
        )
    return MappingProxyType(known)


@lru_cache(maxsize=1)
def leptons() -> Mapping[str, Species]:
    """Electron and positron by name."""
    charges = {"electron": -1, "positron": 1}
    made = {n: Species(n, z, 0, ELECTRON_MASS, math.inf, ()) for n, z in charges.items()}
    return MappingProxyType(made)


@lru_cache(maxsize=1)
def known_species() -> Mapping[str, Species]:
    """Nuclides, then leptons, by name."""
    return MappingProxyType({**nuclides(), **leptons()})


def hint(name: str, known: Iterable[str] | None = None) -> str:
    """Hint at the species somebody may have meant; understands ``"10Be"`` too. Empty if none.

    `known` are the names to choose from, all nuclides and leptons by default.
    """
    choice = list(known_species()) if known is None else list(known)
    swapped = re.sub(r"^(\d+)-?([A-Za-z]+)$", r"\2\1", name.strip())
    return nearest(swapped, choice)


def select(*, max_z: int | None = None, include: Iterable[str] | None = None) -> tuple[Species, ...]:
    """Species of a run, nuclides in the order of the table, then leptons.

    Parameters
    ----------
    max_z : int, optional
        heaviest element to keep, 1 to 28
    include : iterable of str, optional
        names to keep, all nuclides by default; with `max_z` too, those of them up to that element

    Raises
    ------
    DataError
        if a name is unknown (all unknown names are listed, each with the nearest valid one),
        `max_z` is outside 1 to 28, or nothing is left.
    """
    known = known_species()
    if max_z is not None and not 1 <= max_z <= MAX_Z:
        raise DataError(f"max_z = {max_z} is outside 1 (hydrogen) to {MAX_Z} (nickel)")
    wanted = set(nuclides()) if include is None else set(include)
    unknown = sorted(wanted - set(known))
    if unknown:
        named = ", ".join(f'"{name}"{hint(name)}' for name in unknown)
        raise DataError(f"unknown species: {named}")
    chosen = tuple(s for s in known.values() if s.name in wanted and (max_z is None or max_z >= s.Z))
    if not chosen:
        raise DataError("no species is left to follow; include at least one up to max_z")
    return chosen

"""The particles that are followed: what they are, and which of them a run wants.

The list is a table, ``physics/particles/nuclides.csv``: everything from 1H to 64Ni that lives
longer than about a thousand years as a fully stripped nucleus, and what a user adds by a table ``own-nuclides.csv``
of the same columns in a folder of ``$CYLDIFF_PATH``. Nuclides that decay by electron
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
from cyldiff.resources import Table, folder, read_table, user_folders

__all__ = ["MAX_Z", "Species", "element", "hint", "known_species", "leptons", "nuclides", "select"]

MAX_Z = 28  #: nickel, the heaviest element of the table
#: the table of a user; a result keeps the checksums of tables by their names, so that it has another name
OWN_TABLE = "own-nuclides.csv"


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
    """All nuclides by name, by charge, then mass number: those of the library and those of the user.

    Raises
    ------
    DataError
        if a table of the user cannot be read, or says what cannot be, with every problem of it.
    """
    known = _read(read_table(folder("physics") / "particles" / "nuclides.csv"))
    for path in (place / OWN_TABLE for place in user_folders()):
        if path.is_file():
            added = _read(read_table(path))
            if problems := _problems(added, known):
                raise DataError(f"{path}: {'; '.join(problems)}")
            known.update(added)
    return MappingProxyType(dict(sorted(known.items(), key=lambda item: (item[1].Z, item[1].A))))


def _read(table: Table) -> dict[str, Species]:
    """Nuclides of a table by name; a whole number that is none becomes -1, which no nuclide has."""
    columns = {c: table[c] for c in ("Z", "A", "mass_per_nucleon_u", "half_life_Myr", "branching")}
    words = [c for c, values in columns.items() if values.dtype.kind != "f"]
    if words:
        raise DataError(f"{table.path}: the column {words[0]} holds what is no number")
    known: dict[str, Species] = {}
    for i, name in enumerate(str(n) for n in table["name"]):
        half_life, branching = float(columns["half_life_Myr"][i]), float(columns["branching"][i])
        # a column of empty entries alone is read as numbers
        daughter = str(table["daughter"][i]) if table["daughter"].dtype.kind != "f" else ""
        if name in known:
            raise DataError(f'{table.path}: "{name}" occurs twice')
        known[name] = Species(
            name=name,
            Z=_whole(float(columns["Z"][i])),
            A=_whole(float(columns["A"][i])),
            mass_per_nucleon=float(columns["mass_per_nucleon_u"][i]) * ATOMIC_MASS_UNIT,
            half_life=math.inf if math.isnan(half_life) else half_life,
            daughters=((daughter, 1.0 if math.isnan(branching) else branching),) if daughter else (),
        )
    return known


def _whole(number: float) -> int:
    return int(number) if math.isfinite(number) and number == int(number) else -1


def _problems(added: Mapping[str, Species], known: Mapping[str, Species]) -> list[str]:
    """What is wrong with the nuclides that a user adds to the known ones."""
    symbols = {s.Z: s.element for s in known.values()}
    found = []
    for name, one in added.items():
        if name in known:
            found.append(f'"{name}" is in the library already')
        if name != f"{symbols.get(one.Z)}{one.A}" or not one.Z <= one.A:
            found.append(f'"{name}": Z = {one.Z}, A = {one.A} do not go with the name; Z is 1 to {MAX_Z}')
        if not 0.9 < one.mass_per_nucleon < 1.0:
            found.append(f'"{name}": {one.mass_per_nucleon:g} GeV per nucleon; expected about 1 u')
        if not one.half_life > 0.0:
            found.append(f'"{name}": half-life {one.half_life:g} Myr; expected more than 0, empty if stable')
        for daughter, branching in one.daughters:
            if daughter not in {**known, **added} or {**known, **added}[daughter].A != one.A:
                found.append(f'"{name}": the daughter "{daughter}" is no known nuclide of its mass number')
            if not 0.0 < branching <= 1.0:
                found.append(f'"{name}": branching {branching:g}; expected 0 to 1')
    return found


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

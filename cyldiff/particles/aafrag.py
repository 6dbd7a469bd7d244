"""Secondaries of nuclei on hydrogen and helium from the tables of AAfrag, read through ``aafragpy``.

AAfrag 2.02 (Kachelriess, Moskalenko & Ostapchenko 2019, CPC 245, 106846; Kachelriess, Ostapchenko & Tjemsland
2023, CPC 287, 108698) tabulates the inclusive spectra of QGSJET-II-04m; ``aafragpy`` (Koldobskiy et al. 2021,
PRD 104, 123027) carries the tables and interpolates them. There are p, He, C, Al, Fe on hydrogen and p, He on
helium, against the total energy of the projectile.

What the tables do not hold is made from them, at equal kinetic energy per nucleon T and secondary energy E:

* other projectiles: linear in ln(dsigma/dE) over ln A between the two tabulated neighbours;
* projectiles above helium on helium: their value on hydrogen times (He on He) / (He on H);
* above the last energy of a table: E dsigma/dE at equal E/T keeps its last value (Feynman scaling).
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff import constants as const
from cyldiff.errors import DataError

__all__ = ["SECONDARIES", "cross_section", "lowest_kinetic_energy", "package"]

Array = NDArray[np.float64]

#: mass number -> name of the projectile in AAfrag, on hydrogen
PROJECTILES = {1: "p", 4: "He", 12: "C", 27: "Al", 56: "Fe"}
#: our name of a secondary -> those of aafragpy that it is the sum of
SECONDARIES: dict[str, tuple[str, ...]] = {
    "gamma": ("gam",),
    "neutrino": ("nu_all",),
    "electron": ("el", "posi"),
}


def package() -> Any:
    """The package ``aafragpy``; DataError if it is not installed."""
    try:
        return import_module("aafragpy")
    except ImportError:
        raise DataError(
            'the model "aafrag" needs the package aafragpy; install cyldiff with its extra "gamma": '
            'pip install "cyldiff[gamma]"'
        ) from None


@lru_cache(maxsize=64)
def _energies(secondary: str, combination: str) -> tuple[float, float]:
    """First and last total energy of the projectile in a table [GeV]."""
    primary, _, _ = package().open_data_files(secondary, combination)
    return float(primary[0]) / 1e9, float(primary[-1]) / 1e9


def lowest_kinetic_energy() -> float:
    """Kinetic energy per nucleon at which the last of the tables starts [GeV]: that of p on H and He."""
    tables = [("p-p", 1, const.PROTON_MASS), ("p-He", 1, const.PROTON_MASS)]
    tables += [(f"{name}-p", a, const.ATOMIC_MASS_UNIT) for a, name in PROJECTILES.items() if a > 1]
    return max(_energies("gam", name)[0] / a - mass for name, a, mass in tables)


def _table(secondary: str, projectile: int, target: str, energy: Array, kinetic_energy: Array) -> Array:
    """dsigma/dE [mb/GeV] of one tabulated pair, shape (n_energy, n_T); zero below the table. Not to be changed."""
    return _cached(secondary, projectile, target, energy.tobytes(), kinetic_energy.tobytes())


@lru_cache(maxsize=16)
def _cached(secondary: str, projectile: int, target: str, energies: bytes, kinetic_energies: bytes) -> Array:
    """The same by the bytes of the energies: every nuclide asks for the two tables next to it."""
    energy, kinetic_energy = np.frombuffer(energies), np.frombuffer(kinetic_energies)
    combination = f"{PROJECTILES[projectile]}-{target}"
    mass = const.PROTON_MASS if projectile == 1 else const.ATOMIC_MASS_UNIT
    out = np.zeros((energy.size, kinetic_energy.size))
    for name in SECONDARIES[secondary]:
        last = _energies(name, combination)[1] / projectile - mass
        on_table = kinetic_energy <= last
        out[:, on_table] += _read(name, combination, energy, projectile * (kinetic_energy[on_table] + mass))
        for j in np.flatnonzero(~on_table):
            scale = kinetic_energy[j] / last
            at_last = np.array([projectile * (last + mass)])
            out[:, j] += _read(name, combination, energy / scale, at_last)[:, 0] / scale
    return out


def _read(name: str, combination: str, energy: Array, primary: Array) -> Array:
    if primary.size == 0:
        return np.zeros((energy.size, 0))
    values, _, _ = package().get_cross_section(name, combination, primary, energy, outside_bounds="zeros")
    return np.nan_to_num(np.asarray(values, dtype=float)).reshape(primary.size, energy.size).T


def cross_section(
    energy: ArrayLike, kinetic_energy: ArrayLike, *, mass_number: int, target: str, secondary: str = "gamma"
) -> Array:
    """Inclusive dsigma/dE of a nucleus on a target.

    Parameters
    ----------
    energy : array_like, shape (n_energy,)          of the secondary [GeV]
    kinetic_energy : array_like, shape (n_T,)       of the nucleus, per nucleon [GeV/n]
    mass_number : int                               A of the nucleus, at least 1
    target : str                                    "H" or "He"
    secondary : str                                 a key of SECONDARIES

    Returns
    -------
    ndarray, shape (n_energy, n_T)      [mb/GeV]; zero below :func:`lowest_kinetic_energy` (a little less
        for nuclei)

    Raises
    ------
    DataError
        if ``aafragpy`` is not installed.
    """
    e = np.atleast_1d(np.asarray(energy, dtype=float))
    t = np.atleast_1d(np.asarray(kinetic_energy, dtype=float))
    if mass_number in PROJECTILES:
        return _on_target(secondary, mass_number, target, e, t)
    lighter = max((a for a in PROJECTILES if a < mass_number), default=1)
    heavier = min((a for a in PROJECTILES if a > mass_number), default=56)
    if mass_number > 56:
        # nickel: beside iron, whose A^0.9 or so it follows; the pair Al, Fe gives the power
        lighter, heavier = 27, 56
    share = np.log(mass_number / lighter) / np.log(heavier / lighter)
    low = _on_target(secondary, lighter, target, e, t)
    high = _on_target(secondary, heavier, target, e, t)
    both = (low > 0.0) & (high > 0.0)
    return np.where(both, np.where(both, low, 1.0) ** (1.0 - share) * np.where(both, high, 1.0) ** share, 0.0)


def _on_target(secondary: str, projectile: int, target: str, energy: Array, kinetic_energy: Array) -> Array:
    if target == "H":
        return _table(secondary, projectile, "p", energy, kinetic_energy)
    if projectile in (1, 4):
        return _table(secondary, projectile, "He", energy, kinetic_energy)
    on_hydrogen = _table(secondary, projectile, "p", energy, kinetic_energy)
    helium = [_table(secondary, 4, name, energy, kinetic_energy) for name in ("He", "p")]
    known = helium[1] > 0.0
    return np.where(known, on_hydrogen * helium[0] / np.where(known, helium[1], 1.0), 0.0)

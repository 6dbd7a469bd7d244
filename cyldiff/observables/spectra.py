"""Spectra at the Sun from a result file: isotopes modulated, converted, then summed.

Everything works from the saved dataset alone, whose variables are ``flux_lis(species,
kinetic_energy)`` [m^-2 s^-1 sr^-1 (GeV/n)^-1] and, per species, ``charge``, ``mass_number`` and
``mass_per_nucleon`` [GeV].
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from cyldiff.errors import DataError, nearest
from cyldiff.observables.abscissa import Abscissa, Nuclide, abscissa_named
from cyldiff.observables.modulation import force_field

__all__ = [
    "default_abscissae",
    "intensity",
    "members",
    "modulated_flux",
    "nuclide_of",
    "spectrum",
    "standard_name",
]

Array = NDArray[np.float64]

_ISOTOPE = re.compile(r"^([A-Z][a-z]?)(\d+)$")
_MASS_FIRST = re.compile(r"^(\d+)([A-Z][a-z]?)$")


def standard_name(name: str) -> str:
    """Name of a species or element as the package writes it: ``10Be`` becomes ``Be10``."""
    match = _MASS_FIRST.match(name.strip())
    return match.group(2) + match.group(1) if match else name.strip()


def _species(dataset: xr.Dataset) -> list[str]:
    return [str(name) for name in dataset["species"].values]


def members(dataset: xr.Dataset, what: str | Iterable[str]) -> tuple[str, ...]:
    """Species of the dataset that a name, or several, stand for.

    Parameters
    ----------
    dataset : xarray.Dataset    a result
    what : str or iterable      a species ("B10", "10B"), an element ("B": all its isotopes), or several

    Returns
    -------
    tuple of str                names of species, each once, in the order of the dataset

    Raises
    ------
    DataError
        if a name is neither a species nor an element of the dataset; names the nearest.
    """
    present = _species(dataset)
    elements: dict[str, list[str]] = {}
    for name in present:
        if match := _ISOTOPE.match(name):
            elements.setdefault(match.group(1), []).append(name)
    wanted: set[str] = set()
    names = [what] if isinstance(what, str) else list(what)
    if not names:
        raise DataError("no species asked for")
    for name in map(standard_name, names):
        if name not in present and name not in elements:
            others = [n for n in present if not _ISOTOPE.match(n)]
            raise DataError(
                f'"{name}" is not in this result; it holds isotopes of {", ".join([*elements, *others])}'
                f"{nearest(name, [*present, *elements])}"
            )
        wanted.update([name] if name in present else elements[name])
    return tuple(name for name in present if name in wanted)


def nuclide_of(dataset: xr.Dataset, name: str) -> Nuclide:
    """Charge, mass number and mass per nucleon of a species of the dataset."""
    charge, mass_number, mass = (
        dataset[key].sel(species=name).item() for key in ("charge", "mass_number", "mass_per_nucleon")
    )
    return Nuclide(int(charge), int(mass_number), float(mass))


def modulated_flux(dataset: xr.Dataset, potential: float) -> xr.DataArray:
    """All interstellar intensities after the force field, on the grid of the dataset.

    Parameters
    ----------
    dataset : xarray.Dataset    a result
    potential : float           modulation potential [GV]

    Returns
    -------
    DataArray(species, kinetic_energy)      [m^-2 s^-1 sr^-1 (GeV/n)^-1]
    """
    energy = dataset["kinetic_energy"].values
    rows = []
    for name in _species(dataset):
        nuclide = nuclide_of(dataset, name)
        rows.append(
            force_field(
                energy,
                dataset["flux_lis"].sel(species=name).values,
                charge=nuclide.charge,
                mass_number=nuclide.mass_number,
                mass_per_nucleon=nuclide.mass_per_nucleon,
                potential=potential,
            )
        )
    lis = dataset["flux_lis"].transpose("species", "kinetic_energy")
    return lis.copy(data=np.array(rows)).assign_attrs(
        long_name="intensity at the Sun after solar modulation", modulation_potential_GV=float(potential)
    )


def default_abscissae(
    dataset: xr.Dataset, names: Iterable[str], abscissa: Abscissa, *, points: int | None = None
) -> Array:
    """Abscissae over the range that all the species `names` cover, logarithmically spaced.

    For the kinetic energy per nucleon, and with `points` not given, the grid of the dataset.
    """
    energy = dataset["kinetic_energy"].values.astype(float)
    if abscissa.name == "kinetic_energy_per_nucleon" and points is None:
        return np.asarray(energy)
    ends = [abscissa.of(energy[[0, -1]], nuclide_of(dataset, name)) for name in names]
    low, high = max(e[0] for e in ends), min(e[1] for e in ends)
    if not low < high:
        raise DataError(f"the species {', '.join(names)} have no {abscissa.long_name} in common")
    x: Array = np.geomspace(low, high, points or energy.size)
    # back on the round trip through T the ends may fall outside the range by rounding
    x[0], x[-1] = low * (1.0 + 1e-12), high * (1.0 - 1e-12)
    return x


def intensity(dataset: xr.Dataset, name: str, abscissa: Abscissa, *, x: Array, potential: float) -> Array:
    """Intensity J(x) of one species, modulated on its own energies and then converted.

    Returns
    -------
    ndarray, shape of `x`       [m^-2 s^-1 sr^-1 per unit of the abscissa]; NaN outside the grid
    """
    nuclide = nuclide_of(dataset, name)
    kinetic_energy = abscissa.kinetic_energy(x, nuclide)
    flux = force_field(
        dataset["kinetic_energy"].values,
        dataset["flux_lis"].sel(species=name).values,
        charge=nuclide.charge,
        mass_number=nuclide.mass_number,
        mass_per_nucleon=nuclide.mass_per_nucleon,
        potential=potential,
        at=kinetic_energy,
    )
    inside = np.isfinite(flux)
    flux[inside] *= abscissa.jacobian(kinetic_energy[inside], nuclide)
    return flux


def spectrum(
    dataset: xr.Dataset,
    what: str | Iterable[str],
    *,
    abscissa: str = "kinetic_energy_per_nucleon",
    x: ArrayLike | None = None,
    potential: float = 0.0,
) -> xr.DataArray:
    """Spectrum at the Sun of a species, an element or several, against any abscissa.

    Every isotope is modulated on its own kinetic energies, converted to the abscissa and only
    then summed with the others at equal abscissa, as an experiment without mass resolution does.

    Parameters
    ----------
    dataset : xarray.Dataset    a result
    what : str or iterable      "B10" (or "10B"), "B" (its isotopes), or several of them
    abscissa : str              "rigidity" [GV], "kinetic_energy_per_nucleon" [GeV/n], "kinetic_energy"
                                or "total_energy" of the particle [GeV]
    x : array_like, optional    where, in the unit of the abscissa; default: over the range of the result
    potential : float           modulation potential [GV]; 0 gives the interstellar spectrum

    Returns
    -------
    DataArray(abscissa)         J [m^-2 s^-1 sr^-1 per unit of the abscissa]; NaN at every x that one of
                                the isotopes does not cover

    Raises
    ------
    DataError
        for a species, abscissa or potential that does not exist.
    """
    axis = abscissa_named(abscissa)
    names = members(dataset, what)
    if x is None:
        x = default_abscissae(dataset, names, axis)
    where = np.atleast_1d(np.asarray(x, dtype=float))
    total = np.zeros(where.shape)
    for name in names:
        total += intensity(dataset, name, axis, x=where, potential=potential)
    label = standard_name(what) if isinstance(what, str) else "+".join(names)
    return xr.DataArray(
        total,
        dims=(axis.name,),
        coords={axis.name: (axis.name, where, {"units": axis.unit, "long_name": axis.long_name})},
        name="intensity",
        attrs={
            "units": axis.intensity_unit,
            "long_name": f"intensity of {label}",
            "species": ", ".join(names),
            "modulation_potential_GV": float(potential),
        },
    )

"""What the anisotropy is added up from: intensities and gradients at the Sun, by component and by source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from cyldiff.errors import DataError
from cyldiff.observables.dipole import SUN_AXES

__all__ = ["WHOLE", "Part", "parts_of_result", "parts_of_sources"]

Array = NDArray[np.float64]

#: name of a result whose components were not kept apart
WHOLE = "result"
#: intensities below this count as nothing: their gradient would be rounding
_TINY = 1.0e-290
_UNIT = "m-2 s-1 sr-1 (GeV/n)-1"


@dataclass(frozen=True, slots=True)
class Part:
    """One component or source at the Sun.

    Attributes
    ----------
    name : str
    kinetic_energy : shape (n,)               per nucleon [GeV/n]
    species : names, first dimension of
    flux : shape (species, n)                 intensity [m^-2 s^-1 sr^-1 (GeV/n)^-1]
    gradient : shape (species, n, directions) of ln(density) [1/kpc]
    directions : along which the gradient is given: "r", "phi", "z" at the Sun
    weight : factor of the intensity
    """

    name: str
    kinetic_energy: Array
    species: tuple[str, ...]
    flux: Array
    gradient: Array
    directions: tuple[str, ...]
    weight: float = 1.0

    def times(self, weight: float) -> Part:
        """The same with another factor."""
        return replace(self, weight=weight)

    def flux_of(self, name: str) -> Array:
        """Intensity of a species on the grid of the part, without the factor."""
        return self.flux[self.species.index(name)]

    def gradient_at(self, name: str, kinetic_energy: Array) -> Array:
        """Gradient of ln(density) of a species at T [GeV/n] within the grid, shape (..., directions) [1/kpc].

        Cubic in ln T where there are particles, 0 where there are none.
        """
        number = self.species.index(name)
        values = np.zeros((*kinetic_energy.shape, len(self.directions)))
        there = np.flatnonzero(self.flux[number] > _TINY)
        for run in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
            if run.size < 2:
                continue
            log_t = np.log(self.kinetic_energy[run])
            at = np.log(kinetic_energy)
            inside = (at >= log_t[0] - 1e-9) & (at <= log_t[-1] + 1e-9)
            values[inside] = CubicSpline(log_t, self.gradient[number, run])(at[inside])
        return values


def parts_of_result(dataset: xr.Dataset) -> list[Part]:
    """Components of a result; the whole of one that keeps no more than that.

    Raises
    ------
    DataError
        if the gradients are missing.
    """
    _needs(dataset, ("flux_lis", "gradient_lis", "charge", "mass_number", "mass_per_nucleon"), "the result")
    names = [str(name) for name in dataset["component"].values] if "component" in dataset.coords else []
    if {"flux_lis_component", "gradient_lis_component"} <= set(dataset.variables):
        return _parts(dataset, names, "component", "_component", "the result")
    name = names[0] if len(names) == 1 else WHOLE
    return _parts(dataset.expand_dims(whole=[name]), [name], "whole", "", "the result")


def parts_of_sources(sources: xr.Dataset | None, result: xr.Dataset) -> list[Part]:
    """Point sources of a list, each a part; none without a list.

    Raises
    ------
    DataError
        if the list lacks what is needed, or none of its species is in the result.
    """
    if sources is None:
        return []
    what = "the source list"
    _needs(sources, ("flux_lis", "gradient_lis", "source", "species", "kinetic_energy"), what)
    if "source" not in sources["flux_lis"].dims:
        raise DataError(f"{what}: flux_lis has no dimension source")
    names = [str(name) for name in sources["source"].values]
    parts = _parts(sources, names, "source", "", what)
    known = {str(name) for name in result["species"].values}
    if parts and not known & set(parts[0].species):
        held = ", ".join(parts[0].species)
        raise DataError(
            f"{what} holds {held}, of which the result has none; solve a run that follows them (species.max_z, "
            "species.include)"
        )
    return parts


def _needs(dataset: xr.Dataset, names: Sequence[str], what: str) -> None:
    missing = [name for name in names if name not in dataset.variables]
    if missing:
        raise DataError(f"{what} lacks {', '.join(missing)}; it cannot give an anisotropy")


def _parts(dataset: xr.Dataset, names: list[str], by: str, ending: str, what: str) -> list[Part]:
    """One part per entry of the dimension `by`."""
    dims = (by, "species", "kinetic_energy")
    extra = sorted(map(str, {*dataset[f"flux_lis{ending}"].dims} - {*dims}))
    if extra:
        raise DataError(f"{what} has a dimension {', '.join(extra)}; choose one entry of it first")
    unit = dataset[f"flux_lis{ending}"].attrs.get("units", _UNIT)
    if unit != _UNIT:
        raise DataError(f'{what}: flux_lis{ending} is in "{unit}"; expected "{_UNIT}"')
    flux = dataset[f"flux_lis{ending}"].transpose(*dims).values.astype(float)
    gradient = dataset[f"gradient_lis{ending}"].transpose(*dims, "direction").values.astype(float)
    if not (np.all(np.isfinite(flux)) and np.all(np.isfinite(gradient))):
        raise DataError(f"{what}: flux_lis{ending} or gradient_lis{ending} is not finite everywhere")
    directions = tuple(str(name) for name in dataset["direction"].values)
    unknown = [name for name in directions if name not in SUN_AXES]
    if unknown:
        raise DataError(f"{what}: direction {', '.join(unknown)} unknown; known: {', '.join(SUN_AXES)}")
    species = tuple(str(name) for name in dataset["species"].values)
    energy = dataset["kinetic_energy"].values.astype(float)
    return [Part(name, energy, species, flux[i], gradient[i], directions) for i, name in enumerate(names)]

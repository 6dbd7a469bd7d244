"""Spectra of a result as curves, as the columns of a table, and as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.io.ecsv import Column, origin_of, write_columns
from cyldiff.observables.abscissa import Abscissa, abscissa_named
from cyldiff.observables.spectra import default_abscissae, members
from cyldiff.observables.spectra import spectrum as at_sun

__all__ = ["Curves", "columns_of", "curves_of", "write_spectra"]

#: (name, component) -> intensity; the component "" is the sum
Curves = dict[tuple[str, str], NDArray[np.float64]]


def curves_of(
    dataset: xr.Dataset, names: Sequence[str], axis: Abscissa, potential: float
) -> tuple[NDArray[np.float64], Curves]:
    """Common abscissae, and intensities by (name, component); the component "" is the sum."""
    x = default_abscissae(dataset, members(dataset, names), axis)
    parts = {"": dataset}
    if "flux_lis_component" in dataset:
        each = dataset["flux_lis_component"]
        parts |= {str(c): dataset.assign(flux_lis=each.sel(component=c)) for c in dataset["component"].values}
    curves: Curves = {}
    for name in names:
        for part, held in parts.items():
            curves[name, part] = at_sun(held, name, abscissa=axis.name, x=x, potential=potential).values
    return x, curves


def columns_of(axis: Abscissa, x: NDArray[np.float64], curves: Curves) -> list[Column]:
    """Columns with units: the abscissa, then NAME or NAME:COMPONENT."""
    unit, intensity = axis.unit.replace("/n", ""), axis.intensity_unit.replace("(GeV/n)", "GeV")
    columns = [Column(axis.name, x, unit, axis.long_name)]
    for (name, part), values in curves.items():
        words = f"intensity of {name}" + (f" from the sources {part}" if part else "")
        columns.append(
            Column(f"{name}:{part}" if part else name, values, intensity, f"{words} per {axis.unit}")
        )
    return columns


def write_spectra(
    dataset: xr.Dataset,
    path: str | Path,
    *,
    species: Sequence[str] | None = None,
    abscissa: str = "kinetic_energy_per_nucleon",
    potential: float = 0.0,
) -> None:
    """Write spectra as ECSV, which astropy reads with units; as CSV without them if `path` ends in .csv.

    Columns are the abscissa, then the intensity of every name and, if the result holds components,
    NAME:COMPONENT for each of them [m^-2 s^-1 sr^-1 per unit of the abscissa].

    Parameters
    ----------
    dataset : a result at one time, or what :func:`cyldiff.spectra_at` makes of it
    path : .ecsv or .csv
    species : nuclides or elements; default all nuclides of the result
    abscissa : "kinetic_energy_per_nucleon" [GeV/n], "rigidity" [GV], "kinetic_energy" or "total_energy" [GeV]
    potential : of the solar modulation [GV]; default: interstellar

    Raises
    ------
    DataError
        for an unknown name, or if the file cannot be written; nothing is left behind.
    """
    names = [str(name) for name in dataset["species"].values] if species is None else list(species)
    axis = abscissa_named(abscissa)
    x, curves = curves_of(dataset, names, axis, potential)
    write_columns(columns_of(axis, x, curves), Path(path), origin_of(dataset))

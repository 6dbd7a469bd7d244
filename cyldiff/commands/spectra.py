"""Spectra of a result as curves and as the columns of a table: what ``spectrum`` and ``export`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray

    from cyldiff.io.ecsv import Column
    from cyldiff.observables.abscissa import Abscissa

    Curves = dict[tuple[str, str], NDArray[np.float64]]

__all__ = ["columns_of", "curves_of"]


def curves_of(
    dataset: xr.Dataset, names: list[str], axis: Abscissa, potential: float
) -> tuple[NDArray[np.float64], Curves]:
    """Common abscissae, and intensities by (name, component); the component "" is the sum."""
    from cyldiff.observables.spectra import default_abscissae, members
    from cyldiff.observables.spectra import spectrum as at_sun

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
    from cyldiff.io.ecsv import Column

    unit, intensity = axis.unit.replace("/n", ""), axis.intensity_unit.replace("(GeV/n)", "GeV")
    columns = [Column(axis.name, x, unit, axis.long_name)]
    for (name, part), values in curves.items():
        words = f"intensity of {name}" + (f" from the sources {part}" if part else "")
        columns.append(
            Column(f"{name}:{part}" if part else name, values, intensity, f"{words} per {axis.unit}")
        )
    return columns

"""Ratios of spectra, formed at equal rigidity or equal energy as a data set asks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from cyldiff.observables.abscissa import abscissa_named
from cyldiff.observables.spectra import default_abscissae, members, spectrum, standard_name

__all__ = ["ratio"]


def ratio(
    dataset: xr.Dataset,
    numerator: str | Iterable[str],
    denominator: str | Iterable[str],
    *,
    abscissa: str = "rigidity",
    x: ArrayLike | None = None,
    potential: float = 0.0,
) -> xr.DataArray:
    """Ratio of two spectra at the Sun at equal abscissa, for example B/C or 10Be/9Be.

    Parameters
    ----------
    dataset : xarray.Dataset             a result
    numerator, denominator : str or iterable    species, elements or several, as in :func:`spectrum`
    abscissa : str                       at equal what; see :func:`spectrum`
    x : array_like, optional             where; default: over the common range of both
    potential : float                    modulation potential [GV]; 0 gives the interstellar ratio

    Returns
    -------
    DataArray(abscissa)                  dimensionless; NaN where one of the two is not covered, or
                                         the denominator is zero

    Raises
    ------
    DataError
        for a species, abscissa or potential that does not exist.
    """
    numerator = numerator if isinstance(numerator, str) else tuple(numerator)
    denominator = denominator if isinstance(denominator, str) else tuple(denominator)
    if x is None:
        names = (*members(dataset, numerator), *members(dataset, denominator))
        x = default_abscissae(dataset, names, abscissa_named(abscissa))
    above = spectrum(dataset, numerator, abscissa=abscissa, x=x, potential=potential)
    below = spectrum(dataset, denominator, abscissa=abscissa, x=x, potential=potential)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(below.values > 0.0, above.values / below.values, np.nan)
    label = f"{_label(numerator)}/{_label(denominator)}"
    species = f"{above.attrs['species']} / {below.attrs['species']}"
    quotient = above.copy(data=values).rename("ratio")
    return quotient.assign_attrs(units="1", long_name=f"ratio {label}", species=species)


def _label(what: str | tuple[str, ...]) -> str:
    names = (what,) if isinstance(what, str) else what
    return "+".join(standard_name(name) for name in names)

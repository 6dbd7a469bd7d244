"""Spectra anywhere in the halo: a place as text, and the maps of a result interpolated to it.

How between the cells: :mod:`cyldiff.observables.resample`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from cyldiff.errors import DataError, nearest, quoted
from cyldiff.galaxy.coordinates import Place, from_sun
from cyldiff.observables.resample import Resampling
from cyldiff.observables.surroundings import sun_of
from cyldiff.units import parse_quantity

__all__ = ["of_sources", "parse_place", "spectra_at"]

Array = NDArray[np.float64]

_FORMS: tuple[dict[str, str], ...] = (
    {"l": "angle", "b": "angle", "d": "length"},
    {"x": "length", "y": "length", "z": "length"},
    {"r": "length", "phi": "angle", "z": "length"},
)
_EXPECTED = 'expected "l=80deg b=1deg d=1.4kpc", "x=-8kpc y=1kpc z=0kpc", "r=4kpc phi=180deg z=0kpc" or "sun"'
_PART = re.compile(r"\s*(\w+)\s*=\s*(.*?)\s*(?=\b\w+\s*=|$)[,\s]*")


def parse_place(text: str, sun: Place) -> Array | None:
    """Cartesian position [kpc], shape (3,), of a place given as text; None for the Sun itself.

    Parameters
    ----------
    text : "sun"; or l, b, d seen from the Sun; or x, y, z; or r, phi, z (the Sun is at phi = 180 deg).
        Every number has a unit.
    sun : where the Sun is

    Raises
    ------
    DataError
        with all that is wrong with it.
    """
    if text.strip().lower() == "sun":
        return None
    parts = _parts(text)
    form = next((f for f in _FORMS if set(f) == set(parts)), None)
    if form is None:
        keys = {key for f in _FORMS for key in f}
        hints = [f'"{k}" unknown{nearest(k, keys)}' for k in parts if k not in keys]
        raise DataError("; ".join([f"found {quoted(text)}", *hints, _EXPECTED]))
    values, problems = {}, []
    for key, dimension in form.items():
        try:
            values[key] = parse_quantity(parts[key], dimension)
        except ValueError as error:
            problems.append(f"{key}: {error}")
    if not problems and not -90.0 <= values.get("b", 0.0) <= 90.0:
        problems.append(f"b: found {values['b']:g} deg; expected -90 to 90 deg")
    problems += [f"{k}: found {values[k]:g} kpc; expected at least 0 kpc"
                 for k in ("d", "r") if values.get(k, 0.0) < 0.0]  # fmt: skip
    if problems:
        raise DataError("; ".join(problems))
    return _cartesian(values, sun)


def _parts(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None or match.end() == position or match[1] in found:
            raise DataError(f"found {quoted(text)}; {_EXPECTED}")
        found[match[1]] = match[2].rstrip(", ")
        position = match.end()
    return found


def _cartesian(values: Mapping[str, float], sun: Place) -> Array:
    if "l" in values:
        return from_sun(values["l"], values["b"], values["d"], sun)
    if "x" in values:
        return np.array([values["x"], values["y"], values["z"]])
    angle = np.radians(values["phi"])
    return np.array([values["r"] * np.cos(angle), values["r"] * np.sin(angle), values["z"]])


def of_sources(dataset: xr.Dataset) -> xr.Dataset:
    """Fluxes of point sources as a result whose components are the sources; any other dataset as it is."""
    if "flux_lis_total" not in dataset or "source" not in dataset.dims:
        return dataset
    return dataset.assign(
        flux_lis=dataset["flux_lis_total"],
        flux_lis_component=dataset["flux_lis"].rename(source="component"),
    )


def spectra_at(dataset: xr.Dataset, position: ArrayLike | str | None) -> xr.Dataset:
    """A result whose spectra "at the Sun" are those at another place: ``flux_lis`` and its components.

    Parameters
    ----------
    dataset : a result at one time; with maps (``flux``), except for the Sun itself
    position : x, y, z [kpc], or text as :func:`parse_place` reads it, "l=80deg b=1deg d=1.4kpc"; None and "sun"
        are the Sun, whose spectra the result holds with all digits

    Returns
    -------
    xarray.Dataset
        flux_lis(species, kinetic_energy), flux_lis_component where the result has it, and what describes
        the species; [m^-2 s^-1 sr^-1 (GeV/n)^-1]. The attribute `place` says where.

    Raises
    ------
    DataError
        outside of the halo, with its range, for text that is no place, or if the result holds no maps.
    """
    if isinstance(position, str):
        position = None if position.strip().lower() == "sun" else parse_place(position, sun_of(dataset))
    names = [n for n in ("charge", "mass_number", "mass_per_nucleon") if n in dataset]
    if position is None:
        names += [n for n in ("flux_lis", "flux_lis_component") if n in dataset]
        return dataset[names].assign_attrs(place="Sun")
    if "source" in dataset.dims:
        raise DataError('fluxes of point sources are those at the Sun; ask for "sun"')
    if "flux" not in dataset:
        raise DataError(
            'the result holds no maps; run it with output.quantities = ["flux"], or ask for "sun"'
        )
    x, y, height = (float(v) for v in np.asarray(position, dtype=float))
    r, z, phi = float(np.hypot(x, y)), height, float(np.arctan2(y, x))
    _inside(dataset, r, z)
    there = Resampling.of(dataset, r, phi, z)
    found = dataset[names].assign_attrs(place=f"x = {x:.6g} kpc, y = {y:.6g} kpc, z = {height:.6g} kpc")
    for name in ("flux", "flux_component"):
        if name not in dataset:
            continue
        axes = [d for d in ("r", "phi", "z") if d in dataset[name].dims]
        map_ = dataset[name].transpose(..., *axes)
        dims = tuple(d for d in map_.dims if d not in axes)
        shape = map_.shape[: len(dims)]
        values = there(map_.values.reshape(-1, *map_.shape[len(dims) :])).reshape(shape)
        attrs = {**map_.attrs, "long_name": str(map_.attrs.get("long_name", "intensity")) + " at the place"}
        found[name.replace("flux", "flux_lis", 1)] = (dims, values, attrs)
    return found.assign_coords({n: c for n, c in dataset.coords.items() if n in found.dims})


def _inside(dataset: xr.Dataset, r: float, z: float) -> None:
    """Refuse a place outside of the halo, with its range."""
    low, high = (float(f(dataset["r_bounds"].values)) for f in (np.min, np.max))
    top = float(np.max(dataset["z_bounds"].values))
    if low <= r <= high and abs(z) <= top:
        return
    raise DataError(
        f"r = {r:.4g} kpc, z = {z:.4g} kpc is outside of the halo; expected r from {low:g} to {high:g} kpc "
        f"and z from {-top:g} to {top:g} kpc"
    )

"""Whether a file has the shape of a result: dimensions, coordinates and kinds of values as in the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cyldiff.catalogue import QUANTITIES

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["in_order", "structure_problems"]

#: coordinates that are names
_LABELS = frozenset(
    {"species", "component", "direction", "source", "region", "observer", "cloud_case", "axis", "process"}
)
#: coordinates that must rise
_RISING = ("kinetic_energy", "r", "z", "phi", "time", "gamma_energy")
#: dimensions a variable may have beside those of the catalogue: a run in time, a list of sources, three dimensions
_MORE = ("time", "source", "phi")
#: intensities must be numbers everywhere
_FINITE = ("flux_lis", "flux", "flux_lis_component", "flux_component")
#: what a spectrum of a grid cannot be read without
_SPECIES = ("charge", "mass_number", "mass_per_nucleon")


def structure_problems(dataset: xr.Dataset) -> list[str]:
    """What is wrong with the shape of a result, in words; empty if nothing is.

    Names that the catalogue of quantities does not know are left alone.
    """
    problems = [f"dimension {name} is empty" for name, size in dataset.sizes.items() if size == 0]
    for name in dataset.variables:
        problems += _variable(dataset, str(name))
    if not problems:
        needed = () if "source" in dataset.dims else _SPECIES
        cells = [f"{d}_bounds" for d in ("r", "phi", "z") if d in dataset.dims]
        problems += [f"variable {name} is missing" for name in (*needed, *cells) if name not in dataset]
    return problems


def in_order(dataset: xr.Dataset) -> xr.Dataset:
    """The same with the dimensions of every known quantity in the order of the catalogue."""
    turned = {}
    for name, variable in dataset.data_vars.items():
        quantity = QUANTITIES.get(str(name))
        if quantity is None:
            continue
        order = _expected(quantity.dims, tuple(map(str, variable.dims)))
        if order != variable.dims:
            turned[name] = variable.transpose(*order)
    return dataset.assign(turned) if turned else dataset


def _expected(dims: tuple[str, ...], found: tuple[str, ...]) -> tuple[str, ...]:
    """Dimensions of the catalogue, those of `found` that may come in addition put in their places."""
    first = tuple(d for d in ("time", "source") if d in found and d not in dims)
    if "phi" in found and "phi" not in dims and "z" in dims:
        dims = (*dims[: dims.index("z")], "phi", *dims[dims.index("z") :])
    return first + dims


def _variable(dataset: xr.Dataset, name: str) -> list[str]:
    quantity = QUANTITIES.get(name)
    if quantity is None and name not in _LABELS:
        return []
    variable = dataset.variables[name]
    found = tuple(map(str, variable.dims))
    if quantity is not None:
        more = [d for d in found if d not in quantity.dims]
        if not set(quantity.dims) <= set(found) or any(d not in _MORE for d in more):
            return [f"{name} has the dimensions ({', '.join(found)}); expected ({', '.join(quantity.dims)})"]
    problems = [
        f"{name} has no coordinate {d}"
        for d in found
        if d in (*_LABELS, *_RISING) and d not in dataset.coords and d != name
    ]
    values = variable.values
    if name in _LABELS:
        if len(set(map(str, values.ravel().tolist()))) < values.size:
            problems.append(f"{name} has the same name twice")
        return problems
    if values.dtype.kind not in "fiub":
        return [*problems, f"{name} is not a table of numbers"]
    if name in _RISING:
        if not np.all(np.isfinite(values)) or np.any(np.diff(values) <= 0.0):
            problems.append(f"coordinate {name} does not rise from value to value")
        elif name in ("kinetic_energy", "gamma_energy", "r") and values.size and values.flat[0] < 0.0:
            problems.append(f"coordinate {name} is negative")
    elif name.endswith("_bounds"):
        if values.shape[1:] != (2,) or not (
            np.all(values[:, 1] > values[:, 0]) and np.allclose(values[1:, 0], values[:-1, 1], atol=1e-9)
        ):
            problems.append(f"{name} are no cells side by side")
    elif name in _FINITE and not np.all(np.isfinite(values)):
        problems.append(f"{name} holds values that are no numbers")
    return problems

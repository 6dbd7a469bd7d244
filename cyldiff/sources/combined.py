"""Point sources on top of a result: transport is linear, so intensities add up, and gradients by their weights.

Nothing is added that would not be one solution: the sources must have travelled in the same halo, with the same D and
to the same observer, and none of them may be in the result already.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.constants import ERG_GEV
from cyldiff.errors import ConfigError, DataError, Problem, quoted
from cyldiff.observables.spectra import modulated_flux
from cyldiff.sources.catalogue_checks import same_population, twice
from cyldiff.sources.fluxes_dataset import DIRECTIONS, total_gradient
from cyldiff.sources.model import physics_of
from cyldiff.sources.spectrum import injectable

__all__ = ["superpose"]

Array = NDArray[np.float64]

_SPECTRUM = ("species", "kinetic_energy")
#: what must be the same in the model of the result and in that of the sources
_SAME = ("halo", "observer", "diffusion")
_ROUNDING = 1e-9


def superpose(result: xr.Dataset, sources: xr.Dataset, *, flux: xr.DataArray | None = None) -> xr.Dataset:
    """Add point sources to the result of a grid.

    Every source becomes a component. Intensities at the Sun, before and after modulation, are those of all
    components; the gradient of the logarithm of the density is the mean of theirs weighted with the intensities.
    What the result says of its own solve (residual, balance, grid error) stays as it is. Maps are dropped, unless
    `flux` has the sources on the same mesh.

    Parameters
    ----------
    result : of :func:`cyldiff.run`, at one time
    sources : of :func:`cyldiff.source_fluxes`; interpolated in energy (a power law between points) where the
        grids differ
    flux : of :func:`cyldiff.density_of_sources` at the r, phi, z of the result

    Returns
    -------
    xarray.Dataset    like `result`, with a component for every source

    Raises
    ------
    ConfigError
        with every reason why the two are not parts of one solution: model, species, energies, or a population
        that both have.
    """
    problems = list(_problems(result, sources))
    if problems:
        raise ConfigError(f"{_named(sources)} on top of {_named(result)}", problems)
    added = _on_grid_of(result, sources)
    combined = _components(result, added)
    combined["flux_lis"] = result["flux_lis"].copy(
        data=(result["flux_lis"] + added["flux_lis"].sum("source")).transpose(*_SPECTRUM).values
    )
    whole = _in_three_directions(result["gradient_lis"])
    combined["gradient_lis"] = whole.copy(
        data=total_gradient(
            np.concatenate([result["flux_lis"].transpose(*_SPECTRUM).values[None], added["flux_lis"].values]),
            np.concatenate([whole.values[None], added["gradient_lis"].values]),
        )
    )
    if "flux_toa" in result:
        potential = float(result["flux_toa"].attrs.get("modulation_potential_GV", 0.0))
        combined["flux_toa"] = modulated_flux(combined, potential)
    if flux is not None:
        combined["flux"] = _map(result, flux)
    earlier = json.loads(result.attrs.get("sources", "[]"))
    kept = ("catalogue_source", "catalogue_sha256", "population", "kernel", "edge", "diffusion", "left_out")
    combined.attrs = {
        **result.attrs,
        "sources": json.dumps([*earlier, {key: str(sources.attrs.get(key, "")) for key in kept}]),
    }
    return combined


def _named(dataset: xr.Dataset) -> str:
    return str(dataset.attrs.get("title", "")).removeprefix("cyldiff ") or "a dataset"


def _problems(result: xr.Dataset, sources: xr.Dataset) -> Iterator[Problem]:
    """Every reason why the two cannot be added."""
    missing = [
        Problem(name, f"is missing in {what}; expected {expected}")
        for dataset, what, expected, names in (
            (result, "the result", "the dataset of a run", ("flux_lis", "gradient_lis")),
            (
                sources,
                "the sources",
                "the dataset of source_fluxes",
                ("flux_lis", "gradient_lis", "source", "distance"),
            ),
        )
        for name in names
        if name not in dataset.variables
    ]
    if "time" in result.dims:
        missing.append(Problem("time", "the result has several; choose one: result.isel(time=-1)"))
    yield from missing
    if not missing:
        yield from _models(result, sources)
        yield from _names(result, sources)
        yield from _grids(result, sources)


def _models(result: xr.Dataset, sources: xr.Dataset) -> Iterator[Problem]:
    try:
        of_result, of_sources = physics_of(result, "the result"), physics_of(sources, "the file of sources")
    except DataError as error:
        yield Problem("config", str(error))
        return
    for name in _SAME:
        mine, theirs = (
            getattr(physics, name).model_dump(by_alias=True) for physics in (of_result, of_sources)
        )
        for key in dict.fromkeys([*mine, *theirs]):
            if mine.get(key) != theirs.get(key):
                yield Problem(
                    f"physics.{name}.{key}",
                    f"is {quoted(theirs.get(key))} of the sources, {quoted(mine.get(key))} of the result",
                )


def _names(result: xr.Dataset, sources: xr.Dataset) -> Iterator[Problem]:
    components = [str(name) for name in result["component"].values] if "component" in result.coords else []
    population = str(sources.attrs.get("population", ""))
    named = [("population", population)] if population else []
    named += [("source", str(name)) for name in sources["source"].values]
    for key, name in named:
        for component in components:
            if same_population(name, component):
                yield Problem(key, twice(name, component, "the result"))


def _grids(result: xr.Dataset, sources: xr.Dataset) -> Iterator[Problem]:
    have = [str(name) for name in result["species"].values]
    for name in map(str, sources["species"].values):
        if name not in have:
            yield Problem("species", f"{name} of the sources is not in the result ({', '.join(have[:6])}, …)")
    low, high = (float(sources["kinetic_energy"].values[i]) for i in (0, -1))
    first, last = (float(result["kinetic_energy"].values[i]) for i in (0, -1))
    if first < low * (1.0 - _ROUNDING) or last > high * (1.0 + _ROUNDING):
        yield Problem(
            "kinetic_energy",
            f"the sources are known from {low:g} to {high:g} GeV/n, the result goes from {first:g} to {last:g}; "
            "evaluate them on its energies (--model RESULT.nc), or cut the result",
        )


def _on_grid_of(result: xr.Dataset, sources: xr.Dataset) -> xr.Dataset:
    """Fluxes, gradients and numbers of the sources for the species and energies of the result."""
    energy = result["kinetic_energy"].values.astype(float)
    own = sources["kinetic_energy"].values.astype(float)
    kept = sources[["flux_lis", "gradient_lis", "injected_number", "injected_energy", "present_power"]]
    if own.shape != energy.shape or not np.allclose(own, energy, rtol=_ROUNDING, atol=0.0):
        x, at = np.log(own), np.log(np.clip(energy, own[0], own[-1]))
        new = {}
        for name in ("flux_lis", "injected_number"):
            new[name] = _power_law(kept[name].transpose("source", *_SPECTRUM).values, x, at)
        slope = kept["gradient_lis"].transpose("source", "species", "direction", "kinetic_energy").values
        there = new["flux_lis"][..., None] > 0.0
        new["gradient_lis"] = np.where(there, np.moveaxis(_linear(slope, x, at), 2, 3), 0.0)
        dims = {
            name: (*("source", *_SPECTRUM), *(("direction",) if name == "gradient_lis" else ()))
            for name in new
        }
        kept = kept.drop_dims("kinetic_energy").assign({name: (dims[name], new[name]) for name in new})
    kept = kept.assign_coords(kinetic_energy=energy).reindex(species=result["species"].values, fill_value=0.0)
    order = {"flux_lis": ("source", *_SPECTRUM), "gradient_lis": ("source", *_SPECTRUM, "direction")}
    kept = kept.assign({name: kept[name].transpose(*dims) for name, dims in order.items()})
    return kept.reindex(direction=list(DIRECTIONS), fill_value=0.0)


def _linear(values: Array, x: Array, at: Array) -> Array:
    """Linear interpolation along the last dimension."""
    right = np.clip(np.searchsorted(x, at), 1, len(x) - 1)
    share = (at - x[right - 1]) / (x[right] - x[right - 1])
    return (1.0 - share) * values[..., right - 1] + share * values[..., right]


def _power_law(values: Array, x: Array, at: Array) -> Array:
    """A power law between two points, zero where one of them is."""
    with np.errstate(divide="ignore"):
        logs = np.log(values)
    right = np.clip(np.searchsorted(x, at), 1, len(x) - 1)
    none = ~(np.isfinite(logs[..., right - 1]) & np.isfinite(logs[..., right]))
    return np.where(none, 0.0, np.exp(_linear(np.where(np.isfinite(logs), logs, 0.0), x, at)))


def _in_three_directions(gradient: xr.DataArray) -> xr.DataArray:
    """The gradient along r, phi, z; zero along what the grid does not resolve."""
    full = gradient.reindex(direction=list(DIRECTIONS), fill_value=0.0)
    return full.transpose(*(d for d in gradient.dims if d != "direction"), "direction")


def _components(result: xr.Dataset, added: xr.Dataset) -> xr.Dataset:
    """The result with one more component for each source, without the maps and the old gradients."""
    names = [str(name) for name in added["source"].values]
    old = [str(name) for name in result["component"].values] if "component" in result.coords else ["grid"]
    if "component" not in result.coords:
        result = result.assign_coords(component=old)
    apart = result.drop_vars(
        [n for n in ("flux", "flux_component", "gradient_lis", "flux_toa") if n in result]
    )
    flux = result.get("flux_lis_component")
    slope = result.get("gradient_lis_component")
    if len(old) == 1:
        flux = result["flux_lis"].expand_dims(component=old)
        slope = result["gradient_lis"].expand_dims(component=old)
    mine = added.rename(source="component")
    apart = apart.drop_vars(
        [n for n in ("flux_lis_component", "gradient_lis_component", "direction") if n in apart]
    )
    apart = apart.reindex(component=[*old, *names])
    if flux is not None:
        apart["flux_lis_component"] = _appended(flux, mine["flux_lis"])
    if slope is not None:
        apart["gradient_lis_component"] = _appended(_in_three_directions(slope), mine["gradient_lis"])
    if "injected_power" in apart:
        power = apart["injected_power"].values.copy()
        power[len(old) :] = _power_above(added)
        apart["injected_power"] = apart["injected_power"].copy(data=power)
    return apart.assign_coords(direction=list(DIRECTIONS))


def _appended(one: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    attrs: dict[Any, Any] = one.attrs
    joined = xr.concat([one.transpose("component", ...), other.transpose("component", ...)], dim="component")
    return joined.assign_attrs(attrs)


def _power_above(added: xr.Dataset) -> Array:
    """Present power above the lowest energy of the grid [erg/s], the integral as for grid components."""
    t = added["kinetic_energy"].values
    nucleons = np.array([injectable()[str(name)].nucleons for name in added["species"].values])
    number = added["injected_number"].transpose("source", *_SPECTRUM).values
    energy = np.trapezoid(nucleons[:, None] * t**2 * number, x=np.log(t), axis=-1) / ERG_GEV
    given = added["injected_energy"].transpose("source", "species").values
    power = added["present_power"].transpose("source", "species").values
    return np.sum(np.divide(energy * power, given, out=np.zeros_like(given), where=given > 0.0), axis=1)


def _map(result: xr.Dataset, flux: xr.DataArray) -> xr.DataArray:
    """Intensity everywhere of the result and of the sources, on the mesh of both."""
    if "flux" not in result:
        raise DataError('the result has no map of its own; run it with output.quantities = ["flux"]')
    for axis in ("r", "z", *(("phi",) if "phi" in result.coords else ()), "kinetic_energy"):
        mine, theirs = result[axis].values, flux[axis].values
        if mine.shape != theirs.shape or not np.allclose(mine, theirs, rtol=1e-6, atol=1e-9):
            raise DataError(f"flux: its {axis} is not that of the result")
    every = flux.reindex(species=result["species"].values, fill_value=0.0)
    every = every.assign_coords({axis: result[axis].values for axis in ("r", "z", "kinetic_energy")})
    whole = result["flux"].astype(float) + every
    return whole.transpose(*_SPECTRUM, "r", "phi", "z").assign_attrs(result["flux"].attrs)

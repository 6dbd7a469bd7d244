"""Discretisation error at the Sun from a second solve on a coarser mesh."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from cyldiff.catalogue import QUANTITIES
from cyldiff.config.schema import RunConfig
from cyldiff.grid.axis import MINIMUM_CELLS
from cyldiff.io.dataset import latest

__all__ = ["SAFETY", "add_grid_error", "coarsened", "relative_error"]

Array = NDArray[np.float64]

#: factor on the Richardson estimate, the grid convergence index of Roache 1994,
#: J. Fluids Eng. 116, 405, for a scheme of verified order
SAFETY = 1.25
#: order of the scheme in space and momentum, see docs/verification.md
ORDER = 2


def coarsened(config: RunConfig) -> RunConfig:
    """The same run with cells larger by ``solver.grid_error.coarsening`` in every direction."""
    factor = config.solver.grid_error.coarsening
    grid = config.grid
    z_cells = max(MINIMUM_CELLS, round(grid.space.z.n / factor))
    if not grid.space.half_space:
        z_cells += 1 - z_cells % 2
    space = grid.space.model_copy(
        update={
            "z": grid.space.z.model_copy(update={"n": z_cells}),
            "r": grid.space.r
            and grid.space.r.model_copy(update={"n": max(MINIMUM_CELLS, round(grid.space.r.n / factor))}),
            "phi": grid.space.phi
            and grid.space.phi.model_copy(update={"n": max(MINIMUM_CELLS, round(grid.space.phi.n / factor))}),
        }
    )
    momentum = grid.momentum.model_copy(update={"per_decade": grid.momentum.per_decade / factor})
    return config.model_copy(
        update={
            "grid": grid.model_copy(update={"space": space, "momentum": momentum}),
            "output": config.output.model_copy(
                update={"quantities": ()}
            ),  # the spectra at the Sun are enough
        }
    )


def relative_error(fine: Array, coarse: Array, ratio: float) -> Array:
    """Estimate |error| of `fine`, relative: safety * |coarse - fine| / (ratio^order - 1) / fine."""
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = np.abs(coarse / fine - 1.0)
    return np.where(fine > 0.0, SAFETY * difference / (ratio**ORDER - 1.0), 0.0)


def add_grid_error(dataset: xr.Dataset, coarse: xr.Dataset) -> None:
    """Add ``grid_error`` of the fluxes and attributes for ratios that matter, from a coarser twin."""
    ratio = _step_ratio(dataset, coarse)
    on_fine = coarse_on_fine(dataset, coarse)
    q = QUANTITIES["grid_error"]
    values = relative_error(latest(dataset)["flux_lis"].values, on_fine, ratio)
    dataset["grid_error"] = (q.dims, values, {"units": q.units, "long_name": q.long_name})
    dataset["flux_lis_coarse"] = (
        q.dims,
        on_fine,
        {
            "units": QUANTITIES["flux_lis"].units,
            "long_name": "interstellar intensity at the Sun, coarser mesh",
        },
    )
    dataset.attrs["grid_error_ratio"] = ratio


def coarse_on_fine(dataset: xr.Dataset, coarse: xr.Dataset) -> Array:
    """Spectra of the coarse mesh at the energies of the fine one (cubic in log-log)."""
    x, x_coarse = (np.log(d["kinetic_energy"].values) for d in (dataset, coarse))
    rows = []
    for flux in latest(coarse)["flux_lis"].sel(species=dataset["species"]).values:
        positive = flux > 0.0
        row = np.zeros(len(x))
        if positive.sum() >= 4:
            spline = CubicSpline(x_coarse[positive], np.log(flux[positive]), extrapolate=False)
            row = np.exp(np.nan_to_num(spline(x), nan=-np.inf))
        rows.append(row)
    return np.array(rows)


def _step_ratio(dataset: xr.Dataset, coarse: xr.Dataset) -> float:
    """Ratio of the cell sizes: the smallest over the directions, to be on the safe side."""
    ratios = [
        dataset.sizes[name] / coarse.sizes[name]
        for name in ("r", "phi", "z")
        if coarse.sizes.get(name, 1) > 1
    ]
    steps = [np.log(d["kinetic_energy"].values[1] / d["kinetic_energy"].values[0]) for d in (coarse, dataset)]
    return float(min([*ratios, steps[0] / steps[1]]))

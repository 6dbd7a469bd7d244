"""What sources of a catalogue give at the Sun, and anywhere: intensities, gradients and the energy budget.

    catalogue ─► pieces of histories, spectra ─┐
                                               ├─► density of each source ─► dataset
    model ─► how each species travels ─────────┘

The dataset has the intensity of every source apart, ``flux_lis(source, species, kinetic_energy)``, and the gradient of
the logarithm of its density along r, phi, z at the Sun, like that of a result: there e_r = -e_x and
e_phi = -e_y in the frame of :mod:`cyldiff.galaxy.coordinates`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from cyldiff.catalogue import QUANTITIES
from cyldiff.config.memory import shortage
from cyldiff.errors import CyldiffError, DataError, nearest, quoted
from cyldiff.grid import energy_grid
from cyldiff.io.provenance import software
from cyldiff.particles.species import Species
from cyldiff.sources import stored_response as stored
from cyldiff.sources.at_sun import AtSun, response_at_sun, to_intensity
from cyldiff.sources.catalogue import Catalogue
from cyldiff.sources.catalogue_file import check_catalogue, load_catalogue
from cyldiff.sources.fluxes_dataset import origin, sources_dataset
from cyldiff.sources.leptons_at_sun import leptons_at_sun
from cyldiff.sources.model import PropagationModel, as_model
from cyldiff.sources.propagation import (
    KERNELS,
    default_kernel,
    is_uniform,
    left_out,
    propagation_at_sun,
    require_uniform,
    uniform_propagation,
)
from cyldiff.sources.superposition import PointPropagation, green_functions, summed
from cyldiff.sources.validity import validity

__all__ = ["DEFAULT_ENERGIES", "LARGEST_ENERGY", "check_size", "density_of_sources", "source_fluxes"]

Array = NDArray[np.float64]

#: energies of a model that has no grid [GeV/n], and points per decade
DEFAULT_ENERGIES, PER_DECADE = (10.0, 1e8), 16.0
#: ten times the highest energy seen in air showers, 3.2e20 eV (Bird et al. 1995, ApJ 441, 144) [GeV/n]
LARGEST_ENERGY = 3.2e12
#: Green's functions below this [kpc^-3] are nothing: their gradient would be rounding
_NOTHING = 1e-280
#: along r, phi, z at the Sun, of a vector in x, y, z
_AT_SUN = np.array([[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]])


def source_fluxes(
    catalogue: Catalogue | str | Path,
    model: Any,
    *,
    kernel: str | None = None,
    edge: bool = False,
    kinetic_energy: ArrayLike | None = None,
    response: Any = None,
) -> xr.Dataset:
    """Intensity and gradient at the Sun of every source, their sum, and the energy budget.

    Parameters
    ----------
    catalogue : or its name or file
    model : name or file of a model, run or result; or such an object; None: that of the response
    kernel : "halo", "free" or "grid"; default "halo" where D is uniform, "grid" elsewhere. With D that is not
        uniform, "halo" and "free" take D at the Sun for D everywhere, and the dataset says so
    edge : also let particles escape at the radius of the halo
    kinetic_energy : per nucleon, increasing [GeV/n]; default the grid of the run or result, or 10 GeV/n to
        100 PeV/n; with responses, what they cover
    response : responses of the model that are solved already, one for each species: of
        :func:`cyldiff.source_response`, or files of ``cyldiff response``. The kernel is then "grid"

    Returns
    -------
    xarray.Dataset      see docs/how-to/sources.md

    Raises
    ------
    ConfigError     if catalogue or model are not valid, or a response is not of the model
    CyldiffError    if the model has no closed form and none was asked for by name
    """
    started = time.perf_counter()
    solved = None if response is None else stored.named(response)
    model = stored.model_of(solved) if model is None and solved else as_model(model)
    catalogue = _checked(catalogue, model)
    name = chosen_kernel(kernel, model) if solved is None else _grid_kernel(kernel)
    if solved is not None and kinetic_energy is None:
        energy = stored.energies_of(solved)
    else:
        energy = _energies(kinetic_energy, model)
    check_size(catalogue, energy)
    if name == "grid":
        ready = None if solved is None else stored.checked(solved, model, catalogue, energy)
        parts, note = response_at_sun(catalogue, model, energy, ready)
    else:
        parts = _closed_forms(catalogue, model, energy, kernel=name, edge=edge, named=kernel is not None)
        nuclei = [s for s in catalogue.species if not s.is_lepton]
        note = "; ".join(left_out(model.physics, nuclei[0], energy) if nuclei else [])
    dataset = sources_dataset(catalogue, model, energy, parts)
    uniform = "uniform" if is_uniform(model.physics) else "that at the Sun, taken for all places"
    dataset.attrs = {
        **origin(catalogue, model),
        "kernel": name,
        "edge": "escape at the radius of the halo" if edge or name == "grid" else "none",
        "diffusion": "that of every place" if name == "grid" else uniform,
        "left_out": note or "nothing of note",
        **({} if solved is None else {"response": ", ".join(solved)}),
        **software(seconds=time.perf_counter() - started),
    }
    return dataset


def _closed_forms(
    catalogue: Catalogue, model: PropagationModel, energy: Array, *, kernel: str, edge: bool, named: bool
) -> list[AtSun]:
    """Every species from every source, at the Sun."""
    sun = model.physics.observer
    segments, spectra = catalogue.segments(sun), catalogue.spectra(catalogue.species, energy)
    here = np.array([[-sun.r, 0.0, sun.z]])
    parts = []
    for i, nucleus in enumerate(catalogue.species):
        if nucleus.is_lepton:
            require_uniform(model.physics, named=named)
            height = model.physics.halo.half_height if kernel == "halo" else None
            parts.append(
                leptons_at_sun(catalogue, nucleus, model, energy, half_height=height, to_sun=_AT_SUN)
            )
            continue
        travel = _travel(model, nucleus, energy, kernel=kernel, edge=edge, named=named)
        value, slope = green_functions(segments, here, travel)
        number = segments.energy[:, None] * spectra[segments.spectrum, i]
        there = value[:, :, 0] > _NOTHING
        density = np.where(there, number * value[:, :, 0], 0.0)
        gradient = np.where(there[..., None], number[..., None] * slope[:, :, 0] @ _AT_SUN.T, 0.0)
        flags = validity(segments, len(catalogue), here[0], travel, model.physics.halo)
        parts.append(AtSun.of_pieces(nucleus, energy, segments, len(catalogue), density, gradient, flags))
    return parts


def density_of_sources(
    catalogue: Catalogue | str | Path,
    model: Any,
    *,
    points: ArrayLike | None = None,
    r: ArrayLike | None = None,
    phi: ArrayLike | None = None,
    z: ArrayLike | None = None,
    kernel: str | None = None,
    edge: bool = False,
    kinetic_energy: ArrayLike | None = None,
) -> xr.DataArray:
    """Intensity of the nuclei of all sources together at points, or at the nodes of a cylindrical mesh.

    Parameters
    ----------
    points : (x, y, z), shape (n, 3) [kpc]; or instead
    r, phi, z : nodes of a mesh [kpc, radian, kpc]; the Sun is at phi = pi
    catalogue, model, kernel, edge, kinetic_energy : as :func:`source_fluxes`

    Returns
    -------
    DataArray(species, kinetic_energy, point) or (species, kinetic_energy, r, phi, z)
        [m^-2 s^-1 sr^-1 (GeV/n)^-1]; infinite at the place of a source that is still on

    Raises
    ------
    CyldiffError
        as :func:`source_fluxes`, and if a point is outside of the halo.
    """
    model = as_model(model)
    catalogue = _checked(catalogue, model)
    energy, name = _energies(kinetic_energy, model), chosen_kernel(kernel, model)
    where, shape, coords = _places(points, r, phi, z)
    if name == "grid":
        raise CyldiffError(
            "the response of the grid is known for the Sun only; ask for a kernel by name, or put the sources on a grid"
        )
    species = tuple(s for s in catalogue.species if not s.is_lepton)
    if not species:
        raise CyldiffError("the density of leptons is known at the Sun only; see source_fluxes")
    segments, spectra = catalogue.segments(model.physics.observer), catalogue.spectra(species, energy)
    flux = []
    for i, nucleus in enumerate(species):
        travel = _travel(model, nucleus, energy, kernel=name, edge=edge, named=kernel is not None)
        density = summed(segments, spectra[:, i], where, travel)
        flux.append(np.asarray(density) * to_intensity(nucleus, energy)[:, None])
    q = QUANTITIES["flux"]
    return xr.DataArray(
        np.stack(flux).reshape(len(species), len(energy), *shape),
        dims=("species", "kinetic_energy", *coords),
        coords={
            "species": [s.name for s in species],
            "kinetic_energy": energy,
            **{k: v for k, v in coords.items() if k != "point"},
        },
        name="flux",
        attrs={"units": q.units, "long_name": q.long_name},
    )


def chosen_kernel(kernel: str | None, model: PropagationModel) -> str:
    """The kernel asked for, or the one that suits the model.

    Raises
    ------
    DataError
        if there is none of this name.
    """
    if kernel is None:
        return default_kernel(model.physics)
    if kernel not in KERNELS:
        raise DataError(
            f"kernel {quoted(kernel)} unknown; known: {', '.join(KERNELS)}{nearest(kernel, KERNELS)}"
        )
    return kernel


def _grid_kernel(kernel: str | None) -> str:
    """The kernel of a stored response.

    Raises
    ------
    DataError
        if another one is asked for.
    """
    if kernel not in (None, "grid"):
        raise DataError(f'kernel {quoted(str(kernel))} with a response; expected none, or "grid"')
    return "grid"


def _checked(catalogue: Catalogue | str | Path, model: PropagationModel) -> Catalogue:
    """The sources, all of which the model has a place for."""
    if not isinstance(catalogue, Catalogue):
        return load_catalogue(catalogue, model=model.physics)
    check_catalogue(catalogue, model.physics)
    return catalogue


def check_size(catalogue: Catalogue, energy: Array) -> None:
    """Refuse, before anything is computed, sources and energies whose fluxes do not fit into memory.

    Raises
    ------
    DataError
        saying how much they need and how much there is.
    """
    sources, points = len(catalogue), len(catalogue.species) * energy.size
    # intensity, three components of the gradient, and what they are made of
    if reason := shortage(12.0 * 8.0 * sources * points):
        raise DataError(f"{sources} sources at {points} energies {reason}; expected fewer")


def _energies(kinetic_energy: ArrayLike | None, model: PropagationModel) -> Array:
    """Energies asked for, those of the run or result, or the default."""
    if kinetic_energy is None:
        return (
            model.kinetic_energy
            if model.kinetic_energy is not None
            else energy_grid(*DEFAULT_ENERGIES, PER_DECADE)
        )
    energy = np.atleast_1d(np.asarray(kinetic_energy, dtype=float))
    if energy.ndim != 1 or not np.all(np.isfinite(energy) & (energy > 0.0)) or np.any(np.diff(energy) <= 0.0):
        raise DataError("kinetic_energy: expected positive numbers that increase [GeV/n]")
    if energy[-1] > LARGEST_ENERGY:
        raise DataError(
            f"kinetic_energy: found {energy[-1]:g} GeV/n; expected at most {LARGEST_ENERGY:g} GeV/n"
        )
    return energy


def _travel(
    model: PropagationModel, nucleus: Species, energy: Array, *, kernel: str, edge: bool, named: bool
) -> PointPropagation:
    """How a species travels; with D at the Sun only if the kernel was asked for by name."""
    make = propagation_at_sun if named else uniform_propagation
    return make(model.physics, nucleus, energy, kernel=kernel, edge=edge)


def _places(
    points: ArrayLike | None, r: ArrayLike | None, phi: ArrayLike | None, z: ArrayLike | None
) -> tuple[Array, tuple[int, ...], dict[str, Any]]:
    """Cartesian points, and the shape and coordinates of what they are."""
    if points is not None and r is None and phi is None and z is None:
        where = np.atleast_2d(np.asarray(points, dtype=float))
        if where.ndim != 2 or where.shape[1] != 3:
            raise DataError(f"points have the shape {where.shape}; expected (n, 3)")
        return where, (len(where),), {"point": None}
    if points is not None or r is None or phi is None or z is None:
        raise DataError("expected points, or all of r, phi and z")
    axes = [np.atleast_1d(np.asarray(a, dtype=float)) for a in (r, phi, z)]
    R, P, Z = np.meshgrid(*axes, indexing="ij")
    where = np.stack([R * np.cos(P), R * np.sin(P), Z], axis=-1).reshape(-1, 3)
    return where, R.shape, dict(zip(("r", "phi", "z"), axes, strict=True))

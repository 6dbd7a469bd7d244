"""Checks that need numbers: the mesh, the memory, the ranges of tables and formulas on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.config.memory import available_memory, needed_memory
from cyldiff.config.parts import Parts, followed_species
from cyldiff.config.toml import dotted
from cyldiff.errors import CyldiffError, DataError, GridError, Problem
from cyldiff.grid import Grid, Kinematics, energy_grid
from cyldiff.grid.axis import vertical_axis
from cyldiff.particles.species import nuclides

__all__ = ["NUMERICAL_CHECKS", "estimated_memory", "mesh_shape"]

Array = NDArray[np.float64]
GIGABYTE = 1e9  #: bytes
#: points per coordinate at which formulas are tried
_POINTS = 25
#: cells in space above which the source distribution is left to the run
_MANY_CELLS = 100_000


def _vertical_cells(parts: Parts) -> Iterator[Problem]:
    """The numbers of cells make a mesh."""
    z, half_space = parts.at("grid.space.z"), parts.at("grid.space.half_space")
    if z is None or half_space is None:
        return
    try:
        vertical_axis(z.n, 1.0, half_space=half_space)
    except GridError as error:
        yield Problem("grid.space.z.n", str(error).removeprefix("z: "))


def _memory(parts: Parts) -> Iterator[Problem]:
    """The run fits into memory."""
    shape, needed = mesh_shape(parts), estimated_memory(parts)
    available = available_memory()
    if shape is None or needed is None or available is None or needed <= available:
        return
    species = len(followed_species(parts))
    axes = "energy, r, phi, z" if len(shape) > 3 else "energy, r, z"
    how = "backend = numba, " if parts.at("solver.backend") == "direct" else ""
    yield Problem(
        "grid",
        f"{' x '.join(map(str, shape))} cells ({axes}) and {species} species need about "
        f"{needed / GIGABYTE:.2g} GB of memory, {available / GIGABYTE:.2g} GB are free; "
        f"expected {how}fewer cells, energies or species",
    )


def estimated_memory(parts: Parts) -> float | None:
    """Memory that the run needs [bytes]; None if that cannot be said yet."""
    shape, species, solver = mesh_shape(parts), followed_species(parts), parts.at("solver")
    if shape is None or not species or solver is None or parts.at("output") is None:
        return None
    quantities, time = parts.at("output.quantities"), parts.at("solver.time")
    return needed_memory(
        shape,
        species=len(species),
        components=max(1, len(parts.under("physics.sources"))),
        times=1 if time is None else 1 + len(time.times),
        flux=len(shape) < 4 if quantities is None else "flux" in quantities,
        parts=parts.at("output.components") is True,
        direct=solver.backend == "direct",
    )


def _tables(parts: Parts) -> Iterator[Problem]:
    """Cross sections exist at all energies of the grid."""
    energies = _energy_range(parts)
    species = [s for s in followed_species(parts) if not s.is_lepton]
    if energies is None or not species:
        return
    energies = energies[[0, -1]]
    inelastic, spallation = parts.at("physics.inelastic"), parts.at("physics.spallation")
    attempts: tuple[tuple[str, Any, Callable[[], Any]], ...] = (
        ("physics.inelastic", inelastic, lambda: inelastic.table(species, energies)),
        (
            "physics.spallation",
            spallation,
            lambda: spallation.production([s.name for s in species], energies),
        ),
    )
    for path, part, attempt in attempts:
        if part is None:
            continue
        try:
            attempt()
        except DataError as error:
            yield Problem(path, str(error))


def _diffusion(parts: Parts) -> Iterator[Problem]:
    """D is a positive number everywhere, and its slope allows the reacceleration."""
    law, energies, place = parts.at("physics.diffusion"), _energy_range(parts), _places(parts)
    if law is None or energies is None or place is None:
        return
    r, z = place
    for nucleus in _extremes(parts, energies):
        with np.errstate(all="ignore"):
            D = law.coefficient(
                nucleus.rigidity[:, None, None],
                nucleus.beta[:, None, None],
                r[None, :, None],
                z[None, None, :],
                axis="z",
            )
        bad = ~(np.isfinite(D) & (D > 0.0))
        if bad.any():
            k = int(np.argmax(np.broadcast_to(bad, (len(energies), *bad.shape[1:])).any(axis=(1, 2))))
            value = np.asarray(D)[bad].flat[0]
            yield Problem(
                "physics.diffusion",
                f"D is {value:g} kpc^2/Myr at a rigidity of {nucleus.rigidity[k]:.3g} GV; "
                "expected a positive number at all energies of the grid",
            )
            return
    yield from _slope(parts, law, r, z)


def _slope(parts: Parts, law: Any, r: Array, z: Array) -> Iterator[Problem]:
    reacceleration = parts.at("physics.reacceleration")
    if reacceleration is None or not getattr(reacceleration, "alfven_speed", 0.0):
        return
    slope = np.asarray(law.slope(r[:, None], z[None, :]))
    if np.any(slope <= 0.0) or np.any(slope >= 2.0):
        worst = slope.min() if np.any(slope <= 0.0) else slope.max()
        yield Problem(
            "physics.reacceleration.alfven_speed",
            f"reacceleration needs a slope of D between 0 and 2 at low rigidity, found {worst:.3g}; "
            'expected another diffusion law, or reacceleration = { kind = "none" }',
        )


def _injection(parts: Parts) -> Iterator[Problem]:
    """Spectra of the sources are numbers on the grid and positive where abundances are given."""
    energies = _energy_range(parts)
    if energies is None:
        return
    for name in parts.under("physics.sources"):
        path = ("physics", "sources", name)
        reference = parts.get((*path, "reference_energy"))
        for species, law in (parts.get((*path, "injection")) or {}).items():
            points = energies if reference is None else np.append(energies, reference)
            for nucleus in _extremes(parts, points):
                with np.errstate(all="ignore"):
                    spectrum = law.per_rigidity(nucleus.rigidity)
                problem = _bad_spectrum(spectrum, with_reference=reference is not None)
                if problem:
                    yield Problem(dotted((*path, "injection", species)), problem)
                    break


def _bad_spectrum(spectrum: Array, *, with_reference: bool) -> str:
    if not np.all(np.isfinite(spectrum)) or np.any(spectrum < 0.0):
        return "the spectrum is not a finite number at all energies of the grid"
    if with_reference and not spectrum[-1] > 0.0:
        return "the spectrum is zero at reference_energy; expected a higher cutoff or a lower reference"
    return ""


def _distribution(parts: Parts) -> Iterator[Problem]:
    """The sources are somewhere in the box."""
    sun, grid = parts.at("physics.observer.r"), _mesh(parts)
    if sun is None or grid is None:
        return
    for name in parts.under("physics.sources"):
        law = parts.at("physics.sources", name, "distribution")
        if law is None:
            continue
        try:
            with np.errstate(all="ignore"):
                density = law.on_grid(grid, sun)
            reason = (
                "" if np.all(np.isfinite(density)) else "the source distribution is not finite on the grid"
            )
        except (CyldiffError, ValueError) as error:
            reason = str(error)
        if reason:
            yield Problem(dotted(("physics", "sources", name, "distribution")), reason)


def _mesh(parts: Parts) -> Grid | None:
    """Spatial mesh of the run, if it is known, valid and not too large for a check."""
    space, halo, shape = parts.at("grid.space"), parts.at("physics.halo"), mesh_shape(parts)
    sun = parts.at("physics.observer.r")
    if space is None or halo is None or shape is None or sun is None:
        return None
    if math.prod(shape[1:]) > _MANY_CELLS:
        return None
    try:
        return Grid.build(
            kinetic_energy=np.array([1.0, 10.0]),
            radius=halo.radius,
            half_height=halo.half_height,
            n_r=shape[1],
            n_z=shape[-1],
            n_phi=space.phi.n if space.phi else None,
            half_space=space.half_space,
            stretch=space.z.stretch if space.z.spacing == "sinh" else 0.0,
            slab_at=sun if space.geometry == "slab" else None,
        )
    except GridError:  # reported already
        return None


def mesh_shape(parts: Parts) -> tuple[int, ...] | None:
    """Numbers of energies and of cells in r, phi (in 3-D) and z; None if they are not known."""
    space, momentum = parts.at("grid.space"), parts.at("grid.momentum")
    if space is None or momentum is None:
        return None
    energies = len(energy_grid(momentum.min, momentum.max, momentum.per_decade))
    phi = (space.phi.n,) if space.phi else ()
    return (energies, space.r.n if space.r else 1, *phi, space.z.n)


def _energy_range(parts: Parts) -> Array | None:
    """Energies of the grid, a few of them with both ends [GeV/n]."""
    momentum = parts.at("grid.momentum")
    return np.geomspace(momentum.min, momentum.max, _POINTS) if momentum is not None else None


def _places(parts: Parts) -> tuple[Array, Array] | None:
    """Points in r and z over the box [kpc]."""
    halo = parts.at("physics.halo")
    if halo is None:
        return None
    height = halo.half_height * np.linspace(0.0, 1.0, _POINTS) ** 3
    return np.linspace(0.0, halo.radius, _POINTS), np.concatenate([-height[:0:-1], height])


def _extremes(parts: Parts, energies: Array) -> list[Kinematics]:
    """The lightest and the heaviest nuclide, and a lepton if one is followed."""
    known = list(nuclides().values())
    chosen = [known[0], known[-1], *[s for s in followed_species(parts) if s.is_lepton][:1]]
    return [Kinematics(energies, s.Z, s.A, s.mass_per_nucleon) for s in chosen]


NUMERICAL_CHECKS: tuple[Callable[[Parts], Iterator[Problem]], ...] = (
    _vertical_cells,
    _memory,
    _tables,
    _diffusion,
    _injection,
    _distribution,
)

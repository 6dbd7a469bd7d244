"""Solve for what the Sun can see: from a config to a :class:`SourceResponse`.

    config ─► mesh around the Sun ─► adjoint of one nuclide ─► modes in phi ─► table in (r, psi, z, E, age)

Two ways through momentum. *Decoupled*: every energy by itself, all in one solve; right where what a
particle loses or gains on its way is negligible. *Coupled*: one solve per observed energy, exact. What
decoupling leaves out is estimated for every energy, decides, and is kept in the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff import resources
from cyldiff.config.load import LoadedConfig, load_config
from cyldiff.config.schema import PhysicsConfig, RunConfig
from cyldiff.config.toml import to_toml
from cyldiff.errors import DataError, nearest, quoted
from cyldiff.galaxy import Galaxy
from cyldiff.operators.adjoint import without_momentum
from cyldiff.particles.species import nuclides
from cyldiff.solve.adjoint import AdjointModes
from cyldiff.solve.chain import ChainSolver
from cyldiff.sources.response.mesh import ResponseMesh
from cyldiff.sources.response.motion import Motion, neglected_motion
from cyldiff.sources.response.response import SourceResponse
from cyldiff.sources.response.tables import check_size, solve_tables, spreads
from cyldiff.sources.segments import Segments
from cyldiff.transport.collisions import secondary_proton_source

__all__ = ["NEGLIGIBLE", "Coupling", "grid_density", "source_response", "turned_feedback"]

Array = NDArray[np.float64]
Coupling = Literal["auto", "decoupled", "coupled"]

#: what motion in momentum may change the flux by before it is followed
NEGLIGIBLE = 0.01
#: solved energies per decade where they do not know of each other
PER_DECADE = 1.0
#: decades of injected energy above the highest observed one; below the lowest, all under reacceleration,
#: else as many rows as the flux in momentum reaches over
ABOVE, BELOW = 1.5, 3
#: importance of injected energies: index of a source spectrum in U
INJECTED = 1.3


def source_response(
    config: str | Path | LoadedConfig | RunConfig | PhysicsConfig,
    *,
    species: str = "H1",
    kinetic_energy: ArrayLike | None = None,
    ages: ArrayLike | None = None,
    coupling: Coupling = "auto",
    core: float | None = None,
    growth: float | None = None,
    modes: int | None = None,
    quiet: bool = True,
) -> SourceResponse:
    """Response of the density of a nuclide at the Sun to sources of the same nuclide anywhere.

    Parameters
    ----------
    config : run (name, file or object) or model, whose physics, cells in z and momentum range are used
    species : nuclide that is observed, and that the sources inject
    kinetic_energy : observed energies per nucleon [GeV/n]. Decoupled: their range is covered, default all
        of the run above the lowest energy where that is allowed. Coupled: each is moved to the nearest
        energy of the run and solved by itself.
    ages : ages that will be asked for; all up to the largest are covered [Myr]. Default: the steady state
    coupling : whether motion in momentum is followed; "auto": where it changes the flux by more than 1 %
    core : standard deviation of the kernel that the solve starts from; cells around the Sun are half of
        it [kpc]. Default: 0.1 where D is uniform, which makes the closed form near the Sun exact; else 0.03
    growth : by which part cells in r grow away from the Sun; default 0.08, or 0.06 where D is not uniform
    modes : highest mode in phi; default: as the core needs
    quiet : no progress on the terminal

    Returns
    -------
    SourceResponse    density and its gradient at the Sun per injected particle [kpc^-3], for sources anywhere

    Raises
    ------
    DataError       for an unknown species, energies outside the range of the run, ages that are not positive
    GridError       if the model is not axisymmetric, D depends on direction, or the table would be too large
    ConvergenceError    if a mode does not reach the tolerance of the run
    """
    run, source = _run(config)
    if species not in nuclides():
        raise DataError(f"species {quoted(species)} unknown{nearest(species, nuclides())}")
    run = run.model_copy(
        update={"species": run.species.model_copy(update={"include": (species,), "max_z": None})}
    )
    oldest = _oldest(ages)
    motion = neglected_motion(run)
    wanted = _wanted(kinetic_energy, motion, coupling)
    coupled = coupling == "coupled" or (coupling == "auto" and bool(np.any(motion.at(wanted) > NEGLIGIBLE)))
    uniform = motion.uniform
    mesh = ResponseMesh.build(
        run,
        (0.1 if uniform else 0.03) if core is None else core,
        (0.08 if uniform else 0.06) if growth is None else growth,
        modes,
    )
    if coupled:
        return _coupled(run, source, mesh, wanted, motion, oldest, quiet)
    return _decoupled(run, source, mesh, wanted, motion, oldest, quiet)


def _run(config: str | Path | LoadedConfig | RunConfig | PhysicsConfig) -> tuple[RunConfig, str]:
    """The run, and its text for the record."""
    if isinstance(config, PhysicsConfig):
        space = resources.read_toml(resources.find("grids", "galaxy-2d-standard"))
        space.pop("schema"), space.pop("title", None)
        config = RunConfig.model_validate(
            {"schema": 1, "run": {"name": "response"}, "grid": space, "physics": config}
        )
    if isinstance(config, RunConfig):
        return config, to_toml({"physics": config.physics.model_dump(by_alias=True)})
    loaded = config if isinstance(config, LoadedConfig) else load_config(config)
    return loaded.config, loaded.toml()


def _oldest(ages: ArrayLike | None) -> float | None:
    if ages is None:
        return None
    values = np.atleast_1d(np.asarray(ages, dtype=float))
    if not len(values) or not np.all(values > 0.0):
        raise DataError("ages must be positive")
    return float(values.max())


def _wanted(kinetic_energy: ArrayLike | None, motion: Motion, coupling: Coupling) -> Array:
    """Observed energies, in order."""
    every = motion.kinetic_energy
    if kinetic_energy is not None:
        energy = np.unique(np.asarray(kinetic_energy, dtype=float))
        if not len(energy) or not (
            every[0] * (1 - 1e-9) <= energy[0] and energy[-1] <= every[-1] * (1 + 1e-9)
        ):
            shown = f"{energy[0]:.4g} to {energy[-1]:.4g}" if len(energy) else "none"
            raise DataError(
                f"energies {shown} GeV/n; expected some within those of the run, "
                f"{every[0]:.4g} to {every[-1]:.4g} GeV/n"
            )
        return energy
    if coupling != "auto":
        return every
    moving = np.flatnonzero(motion.change > NEGLIGIBLE)
    first = int(moving[-1]) + 1 if len(moving) else 0
    if first >= len(every) - 1:
        raise DataError(
            "at no energy of this run is motion in momentum negligible; name the energies to be observed, "
            "each is solved by itself"
        )
    return every[first:]


def _decoupled(
    run: RunConfig,
    source: str,
    mesh: ResponseMesh,
    wanted: Array,
    motion: Motion,
    oldest: float | None,
    quiet: bool,
) -> SourceResponse:
    """All energies at once, each in units of its own D: nodes over the range of those wanted."""
    count = len(wanted)
    if count > 1:
        count = max(int(np.ceil(np.log10(wanted[-1] / wanted[0]) * PER_DECADE)) + 1, 4)
    energy = np.geomspace(wanted[0], wanted[-1], count) if count > 1 else wanted
    check_size(mesh, count, oldest is not None)
    # a mesh has two energies at least
    chain = mesh.chain(energy if count > 1 else np.array([wanted[0], 1.01 * wanted[0]]))
    operator = without_momentum(chain.operator(0))
    problem = AdjointModes.of(operator).last(count)
    D = mesh.local_diffusion(chain.kinematics(chain.network.species[0]).at(energy))
    problem = problem.in_units(1.0 / D[::-1])
    spread, gone = spreads(mesh, [problem], None if oldest is None else oldest * float(D.max()))
    label = f"modes of {chain.network.species[0].name}"
    table = solve_tables(mesh, problem, lambda q: q[:, None], spread, label=label, quiet=quiet)
    return _result(
        run, source, mesh, chain, operator.separable, kinetic_energy=energy, injected_energy=energy,
        weight=np.ones((len(energy), 1)), spread=spread, gone=gone, values=table.values[:, :, :, :, None],
        z=table.z, mirrored=table.mirrored, neglected=motion.at(energy),
    )  # fmt: skip


def _coupled(
    run: RunConfig,
    source: str,
    mesh: ResponseMesh,
    wanted: Array,
    motion: Motion,
    oldest: float | None,
    quiet: bool,
) -> SourceResponse:
    """Every observed energy by itself, with the momenta that it comes from."""
    every = motion.kinetic_energy
    rows = np.unique([int(np.argmin(np.abs(np.log(every / e)))) for e in wanted])
    step = np.log10(every[1] / every[0])
    low = 0 if run.physics.reacceleration.kind != "none" else max(int(rows[0]) - BELOW, 0)
    high = min(int(rows[-1]) + round(ABOVE / step) + 1, len(every))
    chain = mesh.chain(every[low:high])
    rows = rows - low
    nucleus, operator = chain.kinematics(chain.network.species[0]), chain.operator(0)
    n, width, per_energy = high - low, operator.width, nucleus.momentum_per_energy
    check_size(mesh, n * len(rows), oldest is not None)
    whole = replace(AdjointModes.of(operator), feedback=turned_feedback(chain))
    importance = (nucleus.momentum**-INJECTED * width)[::-1]
    D = mesh.local_diffusion(nucleus)
    problems = [whole.in_units(np.full(n, 1.0 / D[row])) for row in rows]
    reach = None if oldest is None else oldest * float(D[rows].max())
    spread, gone = spreads(mesh, problems, reach)
    tables = []
    for row, problem in zip(rows, problems, strict=True):
        # the observation is a density per ln p in one row; R is per particle
        def right(q: Array, row: int = int(row)) -> Array:
            field = np.zeros((len(q), *whole.operator.grid.shape))
            field[:, n - 1 - row] = q / width[row]
            return field

        label = f"modes at {chain.grid.kinetic_energy[row]:.4g} GeV/n"
        tables.append(
            solve_tables(mesh, problem, right, spread, importance=importance, label=label, quiet=quiet)
        )
    return _result(
        run, source, mesh, chain, operator.separable, kinetic_energy=chain.grid.kinetic_energy[rows],
        injected_energy=chain.grid.kinetic_energy, weight=width * per_energy / per_energy[rows, None],
        spread=spread, gone=gone, values=np.stack([t.values for t in tables], axis=3), z=tables[0].z,
        mirrored=tables[0].mirrored, neglected=np.zeros(len(rows)),
    )  # fmt: skip


def turned_feedback(chain: ChainSolver) -> Callable[[Array], Array] | None:
    """Adjoint of the protons that protons leave behind, in reverse order of momentum."""
    if chain.feedback(0) is None:
        return None
    nucleus = chain.kinematics(chain.network.species[0])
    per_energy = nucleus.momentum_per_energy
    width = nucleus.dlnp_dlnT * chain.grid.log_step
    made = secondary_proton_source(
        np.diag(1.0 / per_energy), proton=nucleus, sigma=chain.network.inelastic[0],
        galaxy=Galaxy(np.ones(1), np.zeros(1), chain.galaxy.helium_fraction), log_step=chain.grid.log_step,
    )  # fmt: skip
    matrix = (made * per_energy[:, None]).T * width / width[:, None]
    matrix = matrix[::-1, ::-1].copy()
    gas = chain.galaxy.hydrogen.mean(axis=1)
    return lambda field: np.tensordot(matrix, field, axes=1) * gas


def _result(
    run: RunConfig, source: str, mesh: ResponseMesh, chain: ChainSolver, separable: bool, **parts: Any
) -> SourceResponse:
    physics, energy = run.physics, parts["kinetic_energy"]
    nucleus = chain.kinematics(chain.network.species[0])
    # the law of D between the nodes, with a little room at the ends
    span = np.log10(energy[-1] / energy[0])
    law = np.geomspace(energy[0] * 0.999, energy[-1] * 1.001, max(int(24 * span), 8))
    here = (nucleus.rigidity, nucleus.beta, np.asarray(physics.observer.r), np.asarray(physics.observer.z))
    along = [physics.diffusion.coefficient(*here, axis=axis) for axis in ("r", "phi", "z")]
    isotropic = all(np.allclose(D, along[0], rtol=1e-9) for D in along)
    return SourceResponse(
        species=chain.network.species[0].name,
        observer=(physics.observer.r, physics.observer.z),
        box=(physics.halo.radius, physics.halo.half_height),
        core=mesh.core,
        law_energy=law,
        law_diffusion=mesh.local_diffusion(nucleus.at(law)),
        law_begin=mesh.begin(nucleus.at(law)),
        r=mesh.grid.r.centers[mesh.rows],
        psi=mesh.psi,
        uniform=separable and isotropic,
        attributes={
            "config": source,
            "cells_r": mesh.grid.r.n,
            "cells_z": mesh.grid.z.n,
            "modes": len(mesh.modes),
            "highest_mode": float(mesh.modes[-1]),
        },
        **parts,
    )


def grid_density(
    segments: Segments,
    spectra: ArrayLike,
    config: str | Path | LoadedConfig | RunConfig | PhysicsConfig | SourceResponse,
    species: str,
    kinetic_energy: ArrayLike,
    **choices: Any,
) -> tuple[Array, Array]:
    """Density and gradient of every piece at the Sun where there is no closed form.

    Parameters
    ----------
    segments : pieces of source histories
    spectra : (n_spectra, n_e), injected number per GeV/n and per GeV of energy at `kinetic_energy`
    config : run, model, or a response that is solved already
    kinetic_energy : (n_e,) [GeV/n]
    choices : passed on to :func:`source_response`

    Returns
    -------
    density N(T) of every piece, shape (n, n_e) [kpc^-3 (GeV/n)^-1]; gradient (n, n_e, 3) along r, phi, z
    """
    energy = np.asarray(kinetic_energy, dtype=float)
    response = config
    if not isinstance(response, SourceResponse):
        ages = float(np.max(segments.oldest, initial=1.0))
        defaults: dict[str, Any] = {"kinetic_energy": energy, "ages": ages, "coupling": "decoupled"}
        response = source_response(config, species=species, **{**defaults, **choices})  # type: ignore[arg-type]
    return response.evaluate(segments, spectra, energy)

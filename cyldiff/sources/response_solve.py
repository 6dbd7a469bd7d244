"""Solve for what the Sun can see: from a config to a :class:`SourceResponse`.

    config ─► mesh around the Sun ─► adjoint of one nuclide ─► modes in phi ─► table in (r, psi, z, E, age)

Two ways through momentum. *Decoupled*: every energy by itself, all in one solve; right where what a
particle loses or gains on its way is negligible. *Coupled*: one solve per observed energy, exact. What
decoupling leaves out is estimated for every energy, decides, and is kept in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff import resources
from cyldiff.config.load import LoadedConfig, load_config
from cyldiff.config.schema import PhysicsConfig, RunConfig
from cyldiff.errors import DataError, GridError, nearest, quoted
from cyldiff.galaxy import Galaxy
from cyldiff.grid import Grid, Kinematics
from cyldiff.grid.axis import MINIMUM_CELLS, azimuthal_axis, refined_radial_axis, vertical_axis
from cyldiff.operators.adjoint import without_momentum
from cyldiff.particles.species import nuclides
from cyldiff.progress import track
from cyldiff.solve.adjoint import SLOPE_R, SLOPE_Z, VALUE, AdjointModes, mode_numbers, synthesis
from cyldiff.solve.chain import ChainSolver
from cyldiff.solve.steady import SteadySolver
from cyldiff.sources.kernel_modes import kernel_mode
from cyldiff.sources.response import SourceResponse
from cyldiff.sources.segments import Segments
from cyldiff.stages import build_chain, build_grid
from cyldiff.transport.collisions import secondary_proton_source

__all__ = ["NEGLIGIBLE", "grid_density", "neglected_motion", "source_response"]

Array = NDArray[np.float64]
Table = NDArray[np.float32]
Coupling = Literal["auto", "decoupled", "coupled"]

#: what motion in momentum may change the flux by before it is followed
NEGLIGIBLE = 0.01
#: index of the propagated spectrum that this is estimated with, U ~ p^-1.7
PROPAGATED = 1.7
#: solved energies per decade where they do not know of each other
PER_DECADE = 2.0
#: ages per decade of the spread
AGES_PER_DECADE = 6
#: modes in phi beyond which the starting kernel has nothing: exp(-4.8^2 / 2) = 1e-5
KERNEL_MODES = 4.8
#: a mode has faded away at this part of the mode 0
FADED = 1e-6
#: e-folding times of the slowest mode after which nothing is left
GONE = 12.0
#: growth of the nodes of the table in psi
PSI_GROWTH = 0.16
#: residual of a steady mode, error of a time step, and residual of its linear solve in units of that
STEADY, IN_TIME, LINEAR = 1e-5, 5e-3, 1e-2
#: largest table [bytes]
LARGEST = 4e9
#: decades of injected energy above and below an observed one
ABOVE, BELOW = 1.5, 0.5
#: importance of injected energies: index of a source spectrum in U
INJECTED = 1.3


def source_response(
    config: str | Path | LoadedConfig | RunConfig | PhysicsConfig,
    *,
    species: str = "H1",
    kinetic_energy: ArrayLike | None = None,
    ages: ArrayLike | None = None,
    coupling: Coupling = "auto",
    core: float = 0.06,
    growth: float = 0.08,
    modes: int | None = None,
    quiet: bool = True,
) -> SourceResponse:
    """Response of the density of a nuclide at the Sun to sources of the same nuclide anywhere.

    Parameters
    ----------
    config : run (name, file or object) or model, whose physics, cells in z and momentum range are used
    kinetic_energy : observed energies per nucleon [GeV/n]. Decoupled: their range is covered, default all
        of the run above the lowest energy where that is allowed. Coupled: each is moved to the nearest
        energy of the run and solved by itself.
    ages : ages that will be asked for; all up to the largest are covered [Myr]. Default: the steady state
    coupling : whether motion in momentum is followed; "auto": where it changes the flux by more than 1 %
    core : standard deviation of the kernel that the solve starts from; cells around the Sun are half of it [kpc]
    growth : by which part cells in r grow away from the Sun
    modes : highest mode in phi; default: as the core needs
    quiet : no progress on the terminal

    Raises
    ------
    DataError       for an unknown species, energies outside the range of the run, ages that are not positive
    GridError       if the model is not axisymmetric, D depends on direction, or the table would be too large
    ConvergenceError
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
    coupled = coupling == "coupled" or (
        coupling == "auto" and bool(np.any(_between(motion, wanted) > NEGLIGIBLE))
    )
    mesh = _Mesh.build(run, core, growth, modes)
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
        return config, ""
    loaded = config if isinstance(config, LoadedConfig) else load_config(config)
    return loaded.config, loaded.toml()


def _oldest(ages: ArrayLike | None) -> float | None:
    if ages is None:
        return None
    values = np.atleast_1d(np.asarray(ages, dtype=float))
    if not len(values) or not np.all(values > 0.0):
        raise DataError("ages must be positive")
    return float(values.max())


@dataclass(frozen=True)
class Motion:
    """What motion in momentum would change the flux by, at the energies of a run."""

    kinetic_energy: Array
    change: Array


def neglected_motion(run: RunConfig) -> Motion:
    """Estimate of what losses, reacceleration, wind and secondary protons do to a flux at the Sun.

    To first order a rate rho of change of the density changes the flux at the Sun by the integral of rho
    along the ways of the particles. With rho that of U ~ p^-1.7, and ways counted until the particles
    leave the Galaxy (those from a source are shorter), this is the solution of ``A L = |rho|`` at the Sun.
    """
    species = run.species.include
    assert species is not None
    chain = build_chain(run, build_grid(run))
    index = next(i for i, s in enumerate(chain.network.species) if s.name == species[0])
    operator, nucleus = chain.operator(index), chain.kinematics(chain.network.species[index])
    U = chain.column(nucleus.momentum**-PROPAGATED) * np.ones(operator.grid.shape)
    space = sum(term.diagonal for term in operator.space.values())
    rate = operator.momentum_gain(U) / U - (operator.diagonal - operator.sink_rate - space)
    # nothing enters at the ends of the grid, where a spectrum would go on
    rate[-2:] = rate[-3]
    rate[0] = rate[1]
    feedback = chain.feedback(index)
    if feedback is not None:
        rate = np.abs(rate) + feedback(U) / U
    change, _ = SteadySolver(1e-4).solve(without_momentum(operator), np.abs(rate), name="neglected motion")
    sun = run.physics.observer
    return Motion(chain.grid.kinetic_energy, chain.grid.at(change, sun.r, sun.z))


def _between(motion: Motion, energy: Array) -> Array:
    return np.exp(
        np.interp(np.log(energy), np.log(motion.kinetic_energy), np.log(np.maximum(motion.change, 1e-300)))
    )


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
                f"energies {shown} GeV/n; expected some within those of the run, {every[0]:.4g} to {every[-1]:.4g} GeV/n"
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


@dataclass(frozen=True)
class _Mesh:
    """Cells around the Sun, modes, and nodes of the table."""

    run: RunConfig
    grid: Grid
    core: float
    modes: Array
    psi: Array
    rows: NDArray[np.int64]

    @classmethod
    def build(cls, run: RunConfig, core: float, growth: float, modes: int | None) -> _Mesh:
        physics, space = run.physics, run.grid.space
        if space.geometry == "slab":
            raise GridError("a slab has no point sources; use a cylindrical grid")
        if not (core > 0.0 and 0.0 < growth <= 0.3):
            raise GridError(f"core = {core:g} kpc, growth = {growth:g}; expected a length, and at most 0.3")
        H, sun = physics.halo.half_height, physics.observer
        grid = build_grid(run)
        n_z = 2 * space.z.n - 1 if space.half_space else space.z.n
        grid = replace(
            grid,
            r=refined_radial_axis(physics.halo.radius, sun.r, 0.5 * core, growth),
            phi=azimuthal_axis(MINIMUM_CELLS),
            z=vertical_axis(
                n_z, H, half_space=False, kinks=physics.diffusion.kinks(H),
                stretch=space.z.stretch if space.z.spacing == "sinh" else 0.0,
            ),
        )  # fmt: skip
        highest = KERNEL_MODES * sun.r / core if modes is None else float(modes)
        # in the table every second cell in r; angles as dense as these at the Sun
        first = core / sun.r
        n = int(np.ceil(np.arcsinh(np.pi * PSI_GROWTH / first) / PSI_GROWTH))
        top = np.arcsinh(np.pi * PSI_GROWTH / first)
        inside = first / PSI_GROWTH * np.sinh(np.linspace(0.0, top, n + 1))
        # two nodes beyond either end, where R is the mirror image
        psi = np.concatenate([-inside[2:0:-1], inside, 2.0 * np.pi - inside[-2:-4:-1]])
        return cls(run, grid, core, mode_numbers(highest), psi, np.arange(0, grid.r.n, 2))

    def chain(self, energy: Array) -> ChainSolver:
        """The nuclide on this mesh at some energies."""
        return build_chain(self.run, replace(self.grid, kinetic_energy=energy))

    @property
    def spread(self) -> float:
        """Spread of the starting kernel [kpc^2]."""
        return 0.5 * self.core**2

    def start(self, mode: float) -> Array:
        """Observations of value, slope in r and slope in z, as they are after the first spread."""
        sun = self.run.physics.observer
        return kernel_mode(self.grid.meridional, sun.r, sun.z, self.spread, mode)

    def local_diffusion(self, nucleus: Kinematics, x: ArrayLike = 0.0, z: ArrayLike = 0.0) -> Array:
        """D along r at points beside the observer, shape (n_e, *x.shape) [kpc^2/Myr]."""
        sun = self.run.physics.observer
        x, z = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(z, dtype=float))
        momenta = (slice(None), *[None] * x.ndim)
        D = self.run.physics.diffusion.coefficient(
            nucleus.rigidity[momenta], nucleus.beta[momenta], np.abs(sun.r + x), sun.z + z, axis="r"
        )
        return np.broadcast_to(D, (len(nucleus.kinetic_energy), *x.shape)).astype(float)

    def begin(self, nucleus: Kinematics) -> Array:
        """Age at which the starting kernel has its spread, with the mean of D over the kernel [Myr].

        ``t = int_0^s ds' / <D>_s'``, the mean over a Gaussian of the variance 2 s' (D depends on r and z).
        """
        points = np.linspace(-4.0, 4.0, 25)
        weights = np.exp(-0.5 * points**2)
        weights = np.outer(weights, weights) / weights.sum() ** 2
        x, z = np.meshgrid(points, points, indexing="ij")
        nodes, shares = np.polynomial.legendre.leggauss(6)
        age = np.zeros(len(nucleus.kinetic_energy))
        for u, share in zip(0.5 * (nodes + 1.0), 0.5 * shares, strict=True):
            width = self.core * u  # the variance is 2 s u^2
            mean = np.sum(self.local_diffusion(nucleus, width * x, width * z) * weights, axis=(1, 2))
            age += share * 2.0 * u * self.spread / mean
        return age


def _decoupled(
    run: RunConfig, source: str, mesh: _Mesh, wanted: Array, motion: Motion, oldest: float | None, quiet: bool
) -> SourceResponse:
    """All energies at once, each in units of its own D: nodes over the range of those wanted."""
    count = len(wanted)
    if count > 1:
        count = max(int(np.ceil(np.log10(wanted[-1] / wanted[0]) * PER_DECADE)) + 1, 4)
    energy = np.geomspace(wanted[0], wanted[-1], count) if count > 1 else wanted
    # a mesh has two energies at least
    chain = mesh.chain(energy if count > 1 else np.array([wanted[0], 1.01 * wanted[0]]))
    operator = without_momentum(chain.operator(0))
    problem = AdjointModes.of(operator).last(count)
    D = mesh.local_diffusion(chain.kinematics(chain.network.species[0]).at(energy))
    problem = problem.in_units(1.0 / D[::-1])
    spread, gone = _spreads(mesh, [problem], None if oldest is None else oldest * float(D.max()))
    table = _tables(
        mesh, problem, lambda q: q[:, None], spread, None, f"modes of {run.species.include}", quiet
    )
    return _result(
        run, source, mesh, chain, operator.separable, kinetic_energy=energy, injected_energy=energy,
        weight=np.ones((len(energy), 1)), spread=spread, gone=gone, values=table.values[:, :, :, :, None],
        z=table.z, mirrored=table.mirrored, neglected=_between(motion, energy),
    )  # fmt: skip


def _coupled(
    run: RunConfig, source: str, mesh: _Mesh, wanted: Array, motion: Motion, oldest: float | None, quiet: bool
) -> SourceResponse:
    """Every observed energy by itself, with the momenta that it comes from."""
    every = motion.kinetic_energy
    rows = np.unique([int(np.argmin(np.abs(np.log(every / e)))) for e in wanted])
    step = np.log10(every[1] / every[0])
    low = max(int(rows[0]) - round(BELOW / step), 0)
    high = min(int(rows[-1]) + round(ABOVE / step) + 1, len(every))
    chain = mesh.chain(every[low:high])
    rows = rows - low
    nucleus, operator = chain.kinematics(chain.network.species[0]), chain.operator(0)
    n, width, per_energy = high - low, operator.width, nucleus.momentum_per_energy
    _check_size(mesh, n * len(rows), oldest is not None)
    whole = replace(AdjointModes.of(operator), feedback=_turned_feedback(chain))
    importance = (nucleus.momentum**-INJECTED * width)[::-1]
    D = mesh.local_diffusion(nucleus)
    problems = [whole.in_units(np.full(n, 1.0 / D[row])) for row in rows]
    reach = None if oldest is None else oldest * float(D[rows].max())
    spread, gone = _spreads(mesh, problems, reach)
    tables = []
    for row, problem in zip(rows, problems, strict=True):
        # the observation is a density per ln p in one row; R is per particle
        def right(q: Array, row: int = int(row)) -> Array:
            field = np.zeros((len(q), *whole.operator.grid.shape))
            field[:, n - 1 - row] = q / width[row]
            return field

        label = f"modes at {chain.grid.kinetic_energy[row]:.4g} GeV/n"
        tables.append(_tables(mesh, problem, right, spread, importance, label, quiet))
    return _result(
        run, source, mesh, chain, operator.separable, kinetic_energy=chain.grid.kinetic_energy[rows],
        injected_energy=chain.grid.kinetic_energy, weight=width * per_energy / per_energy[rows, None],
        spread=spread, gone=gone, values=np.stack([t.values for t in tables], axis=3), z=tables[0].z,
        mirrored=tables[0].mirrored, neglected=np.zeros(len(rows)),
    )  # fmt: skip


def _turned_feedback(chain: ChainSolver) -> Callable[[Array], Array] | None:
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


def _spreads(mesh: _Mesh, problems: Sequence[AdjointModes], reach: float | None) -> tuple[Array, bool]:
    """Spreads of the ages in the table, and whether nothing is left at the last one."""
    if reach is None:
        return np.zeros(0), False
    longest = max(problem.longest() for problem in problems)
    end = GONE * longest
    gone = reach >= end
    end = max(min(end, reach), 4.0 * mesh.spread)
    count = max(int(np.ceil(np.log10(end / mesh.spread) * AGES_PER_DECADE)) + 1, 4)
    return np.geomspace(mesh.spread, end, count), gone


@dataclass(frozen=True)
class _Table:
    """What a solve leaves: nodes in z, and values of shape (n_r, n_psi, n_z, n_p, n_a + 1, 4)."""

    z: Array
    mirrored: bool
    values: Table


def _check_size(mesh: _Mesh, fields: int, in_time: bool) -> None:
    ages = 6 * AGES_PER_DECADE if in_time else 1
    size = 4.0 * 4 * len(mesh.rows) * len(mesh.psi) * mesh.grid.z.n * fields * ages
    if size > LARGEST:
        raise GridError(
            f"the table of this response would take about {size / 1e9:.0f} GB; "
            "ask for fewer energies, no ages, a coarser core, or fewer cells in z"
        )


def _tables(
    mesh: _Mesh, problem: AdjointModes, right: Callable[[Array], Array], spread: Array,
    importance: Array | None, label: str, quiet: bool,
) -> _Table:  # fmt: skip
    """Solve mode after mode, and sum them up at the nodes in psi."""
    n_p, ages = problem.operator.grid.shape[0], len(spread)
    _check_size(mesh, n_p, ages > 0)
    sun = mesh.run.physics.observer
    even, odd = synthesis(mesh.modes, mesh.psi), synthesis(mesh.modes, mesh.psi, odd=True) / sun.r
    weight = np.ones(n_p) if importance is None else importance
    top: dict[float, float] = {}
    values, first, mirrored = np.zeros(0), 0, False

    def faded(time: float, fields: Sequence[Array]) -> bool:
        return bool(np.max(_largest(fields[VALUE]) * weight / top[time]) < FADED)

    for number, mode in enumerate(track(list(mesh.modes), label=label, quiet=quiet)):
        start = right(mesh.start(mode))
        steady = problem.steady([mode], lambda m, q=start: q, tolerance=STEADY, weight=importance)[0]
        if number == 0:
            mirrored = _is_mirrored(steady, sun.z)
            # two nodes below the plane, where R is the mirror image
            first = mesh.grid.z.n // 2 - 2 if mirrored else 0
            values = np.zeros(
                (ages + 1, 4, len(mesh.psi), n_p, len(mesh.rows), mesh.grid.z.n - first), dtype=np.float32
            )
        found = [steady]
        if ages:
            path = problem.in_time(
                mode, start, spread[1:], begin=spread[0], tolerance=IN_TIME, linear=LINEAR,
                weight=importance, finished=faded if number else None,
            )  # fmt: skip
            shape = steady.shape
            found = [np.broadcast_to(start, shape), *(np.stack(fields) for fields in path), steady]
            if number == 0:
                # relative to each momentum by itself, unless they are coupled
                for time, fields in zip(spread[1:], path, strict=True):
                    peak = _largest(fields[VALUE]) * weight
                    top[time] = peak if importance is None else np.max(peak)
        for age, field in zip([*range(len(found) - 1), ages], found, strict=True):
            kept = field[:, ::-1][:, :, mesh.rows, first:].astype(np.float32)
            for place, (waves, what) in enumerate(
                ((even, VALUE), (even, SLOPE_R), (odd, VALUE), (even, SLOPE_Z))
            ):
                values[age, place] += waves[:, number].astype(np.float32)[:, None, None, None] * kept[what]
    # (age, component, psi, p, r, z) to (r, psi, z, p, age, component)
    ordered = np.ascontiguousarray(values.transpose(4, 2, 5, 3, 0, 1))
    return _Table(mesh.grid.z.centers[first:], mirrored, ordered)


def _largest(field: Array) -> Array:
    return np.asarray(np.abs(field).max(axis=(1, 2)))


def _is_mirrored(fields: Array, height: float) -> bool:
    """Whether the response is even in z; its slope in z is then odd."""
    value = fields[VALUE]
    return height == 0.0 and bool(np.abs(value - value[..., ::-1]).max() < STEADY * np.abs(value).max())


def _result(
    run: RunConfig, source: str, mesh: _Mesh, chain: ChainSolver, separable: bool, **parts: Any
) -> SourceResponse:
    physics, energy = run.physics, parts["kinetic_energy"]
    nucleus = chain.kinematics(chain.network.species[0])
    # the law of D between the nodes, with a little room at the ends
    span = np.log10(energy[-1] / energy[0])
    law = np.geomspace(energy[0] * 0.999, energy[-1] * 1.001, max(int(24 * span), 8))
    isotropic = all(
        np.allclose(physics.diffusion.coefficient(*_values(nucleus), np.asarray(8.0), np.asarray(0.0), axis=axis),
                    physics.diffusion.coefficient(*_values(nucleus), np.asarray(8.0), np.asarray(0.0), axis="r"))
        for axis in ("phi", "z")
    )  # fmt: skip
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


def _values(nucleus: Kinematics) -> tuple[Array, Array]:
    return nucleus.rigidity, nucleus.beta


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

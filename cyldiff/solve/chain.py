"""The nuclear network, heaviest first: every nuclide is solved with what its parents leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.errors import ConvergenceError
from cyldiff.galaxy import Galaxy
from cyldiff.grid import Grid, Kinematics, per_momentum
from cyldiff.operators import TransportOperator
from cyldiff.operators.schemes import steep_faces, steep_places
from cyldiff.parallel.comm import Comm
from cyldiff.particles.network import Network
from cyldiff.particles.species import Species
from cyldiff.solve.base import Record, Solver, SolveReport
from cyldiff.solve.positivity import NEGATIVE, fault
from cyldiff.solve.solution import ChainSolution, Flow, PrimarySource
from cyldiff.solve.steady import solve_direct
from cyldiff.transport.build import Propagation
from cyldiff.transport.collisions import collision_rate, decay_rate, secondary_proton_source

__all__ = ["ChainSolver"]

Array = NDArray[np.float64]
#: linear map of a nuclide's density to a source it makes of itself
Feedback = Callable[[Array], Array]
Progress = Callable[[Sequence[Species]], Iterable[Species]]

#: a source this far below the largest is cut off: such momenta are not solved, their density is zero
FAINTEST = 1e-60
#: solves of a lepton with more and more upwind fluxes, until nothing is negative
WIDENINGS = 5
MINIMUM_ALIVE = 8  #: energies that are always solved


@dataclass
class ChainSolver:
    """Solves the network on one grid, or on this rank's part of it.

    Parameters
    ----------
    propagation : laws of motion on the grid, on several ranks this rank's part of it
    network : nuclides in order, cross sections, decays
    solver : of one nuclide
    scheme : momentum flux
    direct : use the sparse factorisation instead of the iteration
    secondary_protons : follow protons left behind by inelastic reactions
    positive : refuse densities that are negative beyond round-off
    comm : the ranks
    record : keeps finished nuclides for a restart
    """

    propagation: Propagation
    network: Network
    solver: Solver
    scheme: str = "third-order"
    direct: bool = False
    secondary_protons: bool = True
    positive: bool = True
    comm: Comm = field(default_factory=Comm)
    record: Record | None = None

    @property
    def grid(self) -> Grid:
        """The mesh."""
        return self.propagation.grid

    @property
    def galaxy(self) -> Galaxy:
        """Gas on the mesh."""
        return self.propagation.galaxy

    def solve(
        self, sources: Sequence[PrimarySource], progress: Progress = iter, *, guess: Array | None = None
    ) -> ChainSolution:
        """Densities of all species for every source component.

        Parameters
        ----------
        guess : ndarray, shape of the densities: where the iteration starts, e.g. the solution of a similar
            model; by default every nuclide starts from the one before

        Raises
        ------
        ConvergenceError
            if a nuclide does not converge, or its density is negative or not a number.
        """
        chain = self.network.species
        density = np.zeros((len(sources), len(chain), *self.grid.shape))
        reports, flows = [], []
        entering: dict[int, Array] = {}
        position = {s.name: i for i, s in enumerate(chain)}
        for species in progress(chain):
            index = position[species.name]
            row, flow = self._kept(index, species, density, entering) or self._solve_species(
                index, species, sources, density, entering, guess
            )
            reports.append(row)
            flows.append(flow)
        balance = np.array([f["balance"] for f in flows])
        return ChainSolution(tuple(chain), density, tuple(reports), balance, tuple(flows))

    def operator(
        self, index: int, steep: NDArray[np.bool_] | None = None, *, scheme: str | None = None
    ) -> TransportOperator:
        """Discrete operator of the species at a place of the chain.

        `steep` marks cut-offs in momentum; `scheme` is another momentum flux than that of the chain.
        """
        species = self.network.species[index]
        nucleus = self.kinematics(species)
        return TransportOperator.build(
            self.grid,
            self.propagation.coefficients(nucleus, self._sink(index, species, nucleus)),
            scheme=scheme or self.scheme,
            steep=steep,
        )

    def _kept(
        self, index: int, species: Species, density: Array, entering: dict[int, Array]
    ) -> tuple[tuple[SolveReport | None, ...], dict[str, float]] | None:
        """What the record has of a nuclide, put where a solve would have put it."""
        kept = self.record.restore(species.name) if self.record else None
        if kept is None:
            return None
        density[:, index] = kept["density"]
        entering.clear()
        entering.update(kept["entering"])
        self.solver.restore(kept["state"])
        return kept["reports"], kept["flow"]

    @property
    def _in_space(self) -> tuple[int, ...]:
        return tuple(range(1, 1 + len(self.grid.axes)))

    def column(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values per momentum, ready to multiply a field."""
        return per_momentum(values, len(self.grid.axes))

    def kinematics(self, species: Species) -> Kinematics:
        """Kinematics of a nuclide on the master grid."""
        return Kinematics(self.grid.kinetic_energy, species.Z, species.A, species.mass_per_nucleon)

    def _sink(self, index: int, species: Species, nucleus: Kinematics) -> Array:
        rate = collision_rate(self.network.inelastic[index], nucleus.beta, self.galaxy.helium_fraction)
        decay = decay_rate(species.half_life, nucleus.gamma)
        return self.column(rate) * self.galaxy.hydrogen + self.column(decay)

    def _solve_species(
        self,
        index: int,
        species: Species,
        sources: Sequence[PrimarySource],
        density: Array,
        entering: dict[int, Array],
        similar: Array | None,
    ) -> tuple[tuple[SolveReport | None, ...], dict[str, float]]:
        """Solve one nuclide for all components.

        The start is what it is in a similar model, or else the nuclide before, scaled by source.
        """
        nucleus = self.kinematics(species)
        to_log_p = self.column(nucleus.momentum_per_energy)
        feedback = self.feedback(index)
        entries, levels = self._entries(index, sources, density)
        steep = steep_faces(np.array(levels))
        shared = None if self._steep_by_place(species) else self.operator(index, steep)
        row: list[SolveReport | None] = []
        flow = Flow(self.comm)
        for number, component in enumerate(sources):
            source, level = entries[number], levels[number]
            if not self.comm.any(bool(source.any())):  # nothing can come of nothing, whatever feeds back
                entering.pop(number, None)
                row.append(None)
                continue
            name = species.name if len(sources) == 1 else f"{species.name} from {component.name}"
            alive, guess = _alive(level), None
            if similar is not None:
                guess = similar[number, index] * to_log_p
            elif number in entering:
                before = density[number, index - 1] * to_log_p
                # beyond a cut-off the density no longer goes with the source
                guess = before * self.column(np.where(steep, 0.0, _ratio(level, entering[number])))
            entering[number] = level
            if shared is None:
                operator, solution, report = self._solve_by_place(index, source, alive, name)
            else:
                operator = shared
                solution, report = self._solve_one(operator, source, guess, feedback, name, alive)
            self._check(solution, name)
            flow.add(operator, solution, source if feedback is None else source + feedback(solution))
            density[number, index] = solution / to_log_p
            row.append(report)
        total = flow.result()
        if self.record:
            kept = {"density": density[:, index], "entering": entering, "state": self.solver.state}
            self.record.keep(species.name, {**kept, "reports": tuple(row), "flow": total})
        return tuple(row), total

    def _steep_by_place(self, species: Species) -> bool:
        """Whether spectra end at every place by themselves: where leptons do not get to before they cool."""
        return species.is_lepton and self.scheme == "third-order"

    def _solve_by_place(
        self, index: int, source: Array, alive: int, name: str
    ) -> tuple[TransportOperator, Array, SolveReport]:
        """Solve a lepton: first with upwind losses, then with the third order wherever that is no danger.

        The first solution, which is positive, says where the spectra are too steep for a third-order flux.
        Where the second one is negative all the same, the flux is made upwind as well.
        """
        upwind = self.operator(index, scheme="upwind")
        solution, report = self._solve_one(upwind, source, None, None, f"{name} (upwind losses)", alive)
        steep, steps = steep_places(solution), report.steps
        for _ in range(WIDENINGS):
            operator = self.operator(index, steep)
            solution, report = self._solve_one(operator, source, solution, None, name, alive)
            steps += report.steps
            largest = self.comm.maximum(np.nan_to_num(solution.max(axis=self._in_space), nan=0.0))
            negative = solution < -0.01 * NEGATIVE * self.column(largest)
            if not self.comm.any(bool(negative.any())):
                break
            steep = steep | negative
            steep[1:] |= negative[:-1]
        return operator, solution, replace(report, steps=steps)

    def _check(self, solution: Array, name: str) -> None:
        """Refuse a field that is not a number, or negative beyond round-off, on all ranks together."""
        largest = np.nan_to_num(solution.max(axis=self._in_space), nan=0.0)
        found = fault(solution, self.comm.maximum(largest), self.grid, self.positive)
        worst = min((fault for fault in self.comm.from_all(found) if fault), default=None)
        if worst:
            raise ConvergenceError(f"{name}: {worst[1]}")

    def _solve_one(
        self,
        operator: TransportOperator,
        source: Array,
        guess: Array | None,
        feedback: Feedback | None,
        name: str,
        alive: int,
    ) -> tuple[Array, SolveReport]:
        """Solve the lowest `alive` momenta; nothing is above."""
        whole = np.zeros(self.grid.shape)
        if feedback is not None and alive < len(whole):
            feedback = _padded(feedback, self.grid.shape, alive)
        operator, source = operator.below(alive), source[:alive]
        guess = None if guess is None else guess[:alive]
        if not self.direct:
            whole[:alive], report = self.solver.solve(
                operator, source, guess=guess, feedback=feedback, name=name
            )
            return whole, report
        solution = solve_direct(operator, source)
        while feedback is not None:
            updated = solve_direct(operator, source + feedback(solution))
            change = np.max(np.abs(updated - solution)) / np.max(np.abs(updated))
            solution = updated
            if not change >= 1e-12:  # NaN too: the check of the density says where
                break
        whole[:alive] = solution
        return whole, SolveReport("direct", 0, 0.0, ())

    def feedback(self, index: int) -> Feedback | None:
        """Source that the solution of a nuclide makes of itself: secondary protons, for protons."""
        species = self.network.species[index]
        if species.name != "H1" or not self.secondary_protons:
            return None
        nucleus = self.kinematics(species)
        to_log_p = self.column(nucleus.momentum_per_energy)

        def protons(solution: Array) -> Array:
            produced = secondary_proton_source(
                solution / to_log_p,
                proton=nucleus,
                sigma=self.network.inelastic[index],
                galaxy=self.galaxy,
                log_step=self.grid.log_step,
            )
            return produced * to_log_p

        return protons

    def cut_offs(self, index: int, sources: Sequence[PrimarySource], density: Array) -> NDArray[np.bool_]:
        """Lower faces of momenta at which a species' spectrum is cut off, given the densities of its parents.

        Parameters
        ----------
        density : ndarray, shape (n_components, n_species, *shape of a field), with that of a lepton itself

        Returns
        -------
        ndarray, shape (n_p,), of a lepton the shape of a field; all components together
        """
        if self._steep_by_place(self.network.species[index]):
            known = [steep_places(field) for field in density[:, index] if field.any()]
            return np.any(known, axis=0) if known else np.zeros(self.grid.shape, dtype=bool)
        return steep_faces(np.array(self._entries(index, sources, density)[1]))

    def _entries(
        self, index: int, sources: Sequence[PrimarySource], density: Array
    ) -> tuple[list[Array], list[Array]]:
        """Sources of U of one nuclide, per component, and what each injects at every momentum."""
        to_log_p = self.column(self.kinematics(self.network.species[index]).momentum_per_energy)
        entries = [self.injected(index, one, density[n]) * to_log_p for n, one in enumerate(sources)]
        return entries, [self._level(source) for source in entries]

    def _level(self, source: Array) -> Array:
        """What a source injects at each momentum, all ranks together, shape (n_p,)."""
        return np.asarray(self.comm.sum(np.sum(np.abs(source) * self.grid.volume, axis=self._in_space)))

    def injected(self, index: int, component: PrimarySource, density: Array) -> Array:
        """Source of N(T) of one nuclide: what is injected, and what heavier nuclides leave behind."""
        species = self.network.species[index]
        source = self.secondary_source(index, density, self.kinematics(species))
        spectrum = component.spectra.get(species.name)
        if spectrum is not None:
            source += self.column(spectrum) * component.density
        return source

    def secondary_source(self, index: int, density: Array, nucleus: Kinematics) -> Array:
        """Source of N(T) from spallation and decay of heavier nuclides; of leptons, from those of nuclei."""
        net, helium = self.network, self.galaxy.helium_fraction
        mine = np.flatnonzero(net.child == index)
        total = np.zeros(self.grid.shape)
        if len(mine):
            sigma = net.production[mine]
            rates = np.stack([collision_rate(s, nucleus.beta, helium) for s in sigma])
            flat = (len(rates[0]), -1)
            _accumulate(total.reshape(flat), density.reshape(len(density), *flat), net.parent[mine], rates)
            total *= self.galaxy.hydrogen
        for parent, child, branching in net.decays:
            if child == index:
                mother = net.species[parent]
                rate = branching * decay_rate(mother.half_life, self.kinematics(mother).gamma)
                total += self.column(rate) * density[parent]
        for parent, child, sigma in net.leptons:
            if child == index:
                rate = const.MILLIBARN_DENSITY_RATE * (sigma[0] + helium * sigma[1])
                made = rate @ density[parent].reshape(len(rate), -1)
                total += made.reshape(self.grid.shape) * self.galaxy.hydrogen
        return total


@njit(error_model="numpy", fastmath=True, cache=True, nogil=True)
def _accumulate(total: Array, density: Array, parents: NDArray[np.int64], rates: Array) -> None:
    """total[k] += sum_c rates[c, k] density[parents[c], k], one momentum after the other."""
    n_p, cells = total.shape
    for k in range(n_p):
        out = total[k]
        for c in range(len(parents)):
            rate = rates[c, k]
            if rate == 0.0:
                continue
            plane = density[parents[c], k]
            for i in range(cells):
                out[i] += rate * plane[i]


def _alive(level: Array) -> int:
    """Number of momenta worth solving: all up to the last whose source is not `FAINTEST` of the largest."""
    seen = np.flatnonzero(level > FAINTEST * level.max())
    return min(len(level), max(int(seen[-1]) + 1, MINIMUM_ALIVE)) if len(seen) else len(level)


def _padded(feedback: Feedback, shape: tuple[int, ...], alive: int) -> Feedback:
    """The feedback of the lowest `alive` momenta, nothing being above."""

    def of_part(part: Array) -> Array:
        whole = np.zeros(shape)
        whole[:alive] = part
        return feedback(whole)[:alive]

    return of_part


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0.0)

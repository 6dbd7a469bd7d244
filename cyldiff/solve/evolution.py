"""The nuclear network in time: all nuclides advance together, heaviest first within every step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cyldiff.grid import per_momentum
from cyldiff.operators import TransportOperator
from cyldiff.solve.base import SolveReport
from cyldiff.solve.chain import ChainSolution, ChainSolver, PrimarySource, check_density
from cyldiff.solve.crank_nicolson import Stepper
from cyldiff.transport.collisions import collision_rate, decay_rate

__all__ = ["Evolution", "evolve"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Evolution:
    """Strength of a component in time.

    Attributes
    ----------
    strength : time [Myr] -> factor on the component's source, constant between switches
    switches : times at which it jumps [Myr]
    """

    strength: Callable[[float], float]
    switches: tuple[float, ...] = ()


def evolve(
    chain: ChainSolver,
    sources: Sequence[PrimarySource],
    histories: Mapping[str, Evolution],
    times: Sequence[float],
    *,
    start: ChainSolution | None = None,
    tolerance: float = 1e-3,
    first_step: float | None = None,
    progress: Callable[[Sequence[PrimarySource]], Iterable[PrimarySource]] = iter,
) -> list[ChainSolution]:
    """Densities of all species at the requested times, from time 0 on.

    Parameters
    ----------
    chain : the network on its grid
    sources : components with unit strength
    histories : component name -> strength in time
    times : increasing, not negative [Myr]
    start : densities at time 0; empty space by default
    tolerance : error per step, see :class:`Stepper`
    first_step : first trial step after a switch [Myr]

    Raises
    ------
    ConvergenceError
        if a step does not converge, or a density is negative or not a number at an output time.
    """
    operators = [chain.operator(i) for i in range(len(chain.network.species))]
    snapshots = [np.zeros((len(sources), len(operators), *chain.grid.shape)) for _ in times]
    reports: list[list[SolveReport | None]] = [[] for _ in operators]
    accounts: list[dict[str, float]] = [{} for _ in operators]
    for number, component in enumerate(progress(sources)):
        member = _Component(chain, component, histories[component.name])
        stepper = Stepper(operators, member.source, tolerance=tolerance, feedback=member.feedback)
        first = [
            np.zeros(chain.grid.shape) if start is None else start.density[number, i] * member.to_log_p[i]
            for i in range(len(operators))
        ]
        before = [_content(operators[i], u) for i, u in enumerate(first)]
        states = stepper.advance(
            first, times, switches=histories[component.name].switches, first_step=first_step
        )
        for snapshot, fields in zip(snapshots, states, strict=True):
            for i, u in enumerate(fields):
                name = f"{chain.network.species[i].name} from {component.name}"
                check_density(u, chain.grid, name, positive=chain.positive)
                snapshot[number, i] = u / member.to_log_p[i]
        for i, account in enumerate(stepper.accounts):
            kept = _content(operators[i], states[-1][i]) - before[i]
            lost = account["sink"] + account["escape"] + account["loss"]
            for key, value in {**account, "source": account["injected"], "kept": kept, "lost": lost}.items():
                accounts[i][key] = accounts[i].get(key, 0.0) + value
            worst = stepper.report.linear_residual
            reports[i].append(SolveReport("crank-nicolson", stepper.report.solver_steps, worst, ()))
    for account in accounts:
        missing = account["injected"] - account["lost"] - account["kept"]
        turned_over = account["injected"] + account["lost"]
        account["balance"] = missing / turned_over if turned_over > 0.0 else 0.0
    balance = np.array([a["balance"] for a in accounts])
    rows = tuple(tuple(row) for row in reports)
    return [ChainSolution(chain.network.species, s, rows, balance, tuple(accounts)) for s in snapshots]


def _content(operator: TransportOperator, u: Array) -> float:
    """Number of particles."""
    weight = per_momentum(operator.width, u.ndim - 1) * operator.grid.volume
    return float(np.sum(u * weight))


class _Component:
    """Sources of one component: primary with its history, secondary from the parents at the same time."""

    def __init__(self, chain: ChainSolver, component: PrimarySource, history: Evolution) -> None:
        self.chain, self.component, self.history = chain, component, history
        network = chain.network
        self.nuclei = [chain.kinematics(s) for s in network.species]
        self.to_log_p = [chain.column(k.momentum_per_energy) for k in self.nuclei]
        self.parents: list[list[tuple[int, Array]]] = []
        helium = chain.galaxy.helium_fraction
        for index, nucleus in enumerate(self.nuclei):
            rows = []
            for channel in np.flatnonzero(network.child == index):
                parent = int(network.parent[channel])
                rate = collision_rate(network.production[channel], nucleus.beta, helium)
                rows.append((parent, chain.column(rate) * chain.galaxy.hydrogen))
            for parent, child, branching in network.decays:
                if child == index:
                    mother = network.species[parent]
                    rate = branching * decay_rate(mother.half_life, self.nuclei[parent].gamma)
                    rows.append((parent, chain.column(rate)))
            self.parents.append(rows)

    def source(self, index: int, time: float, fields: Sequence[Array]) -> Array:
        """Source of U of one nuclide at a time, given the fields of those before it."""
        total = np.zeros(self.chain.grid.shape)
        spectrum = self.component.spectra.get(self.chain.network.species[index].name)
        factor = self.history.strength(time)
        if spectrum is not None and factor != 0.0:
            total += factor * self.chain.column(spectrum) * self.component.density
        for parent, rate in self.parents[index]:
            total += rate * (fields[parent] / self.to_log_p[parent])
        return total * self.to_log_p[index]

    def feedback(self, index: int) -> Callable[[Array], Array] | None:
        """Secondary protons, for protons."""
        return self.chain.feedback(index)

"""The nuclear network in time: all nuclides advance together, heaviest first within every step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import ConvergenceError
from cyldiff.grid import per_momentum
from cyldiff.operators import TransportOperator
from cyldiff.solve.base import SolveReport
from cyldiff.solve.chain import ChainSolver
from cyldiff.solve.crank_nicolson import Stepper
from cyldiff.solve.positivity import check_density
from cyldiff.solve.solution import ChainSolution, PrimarySource

__all__ = ["Evolution", "evolve"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Evolution:
    """Strength of a component in time.

    Attributes
    ----------
    strength : time [Myr] -> factor on the component's source
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
    begin: float = 0.0,
    start: ChainSolution | Array | None = None,
    steady: ChainSolution | None = None,
    tolerance: float = 1e-3,
    first_step: float | None = None,
    progress: Callable[[Sequence[PrimarySource]], Iterable[PrimarySource]] = iter,
) -> list[ChainSolution]:
    """Densities of all species at the requested times.

    Parameters
    ----------
    chain : the network on its grid
    sources : components with unit strength
    histories : component name -> strength in time
    times : increasing, none before `begin` [Myr]
    begin : when the run starts [Myr]
    start : densities N(T) at that time, as a solution or an array of shape (n_components, n_species,
        *shape of a field), e.g. from :func:`cyldiff.sources.point.kernel_on_grid`; empty by default
    steady : the steady solution, which tells where spectra of secondaries are cut off; without it that is
        judged from what is injected alone
    tolerance : error per step, see :class:`Stepper`
    first_step : first trial step after a switch [Myr]

    Raises
    ------
    ConvergenceError
        if a step does not converge, or at an output time a density is not a number, or negative by more than
        the tolerance of the largest that its momentum has seen.
    """
    initial = start.density if isinstance(start, ChainSolution) else start
    shape = (len(sources), len(chain.network.species), *chain.grid.shape)
    known = np.zeros(shape) if steady is None else steady.density
    operators = [chain.operator(i, chain.cut_offs(i, sources, known)) for i in range(shape[1])]
    leptons = [i for i, s in enumerate(chain.network.species) if s.is_lepton]
    snapshots = [np.zeros(shape) for _ in times]
    reports: list[list[SolveReport | None]] = [[] for _ in operators]
    accounts: list[dict[str, float]] = [{} for _ in operators]
    for number, component in enumerate(progress(sources)):
        history = histories[component.name]
        member = _Component(chain, component, history)
        for i in leptons:  # their spectra end where they cool, which is another place for every component
            operators[i] = chain.operator(i, chain.cut_offs(i, [component], known[number : number + 1]))
        stepper = Stepper(operators, member.source, tolerance=tolerance, feedback=chain.feedback)
        first = [
            np.zeros(chain.grid.shape) if initial is None else initial[number, i] * member.to_log_p[i]
            for i in range(len(operators))
        ]
        states = stepper.advance(first, times, begin=begin, switches=history.switches, first_step=first_step)
        names = [f"{s.name} from {component.name}" for s in chain.network.species]
        for time, snapshot, fields in zip(times, snapshots, states, strict=True):
            for i, u in enumerate(fields):
                _check(u, stepper.largest[i], chain, f"{names[i]} at {time:g} Myr", tolerance)
                snapshot[number, i] = u / member.to_log_p[i]
        for i, account in enumerate(stepper.accounts):
            kept = _content(operators[i], states[-1][i]) - _content(operators[i], first[i])
            _add(accounts[i], account, kept)
            worst = stepper.report.linear_residual
            reports[i].append(SolveReport("crank-nicolson", stepper.report.solver_steps, worst, ()))
    for account in accounts:
        missing = account["source"] - account["lost"] - account["kept"]
        turned_over = account["source"] + account["lost"]
        account["balance"] = missing / turned_over if turned_over != 0.0 else 0.0
    balance = np.array([a["balance"] for a in accounts])
    rows = tuple(tuple(row) for row in reports)
    return [ChainSolution(chain.network.species, s, rows, balance, tuple(accounts)) for s in snapshots]


def _add(total: dict[str, float], account: dict[str, float], kept: float) -> None:
    """Add the account of one component; what it gained is what came less what went."""
    lost = account["sink"] + account["escape"] + account["loss"]
    went = {key: account[key] for key in ("sink", "escape", "loss")}
    for key, value in {"source": account["injected"], **went, "kept": kept, "lost": lost}.items():
        total[key] = total.get(key, 0.0) + value


def _check(u: Array, largest: Array, chain: ChainSolver, name: str, tolerance: float) -> None:
    """Refuse a field that is not a number, or negative beyond the error of time."""
    check_density(u, chain.grid, name, positive=False)
    lowest = u.min(axis=tuple(range(1, u.ndim)))
    worst = float(np.min(lowest[largest > 0.0] / largest[largest > 0.0], initial=0.0))
    if chain.positive and worst < -tolerance:
        raise ConvergenceError(
            f"{name}: the density is negative ({worst:.1e} of the largest so far at that energy); "
            "a smaller solver.time.tolerance, or more energies per decade, helps"
        )


def _content(operator: TransportOperator, u: Array) -> float:
    """Number of particles."""
    weight = per_momentum(operator.width, u.ndim - 1) * operator.grid.volume
    return float(np.sum(u * weight))


class _Component:
    """Sources of one component: primary with its history, secondary from the parents at the same time."""

    def __init__(self, chain: ChainSolver, component: PrimarySource, history: Evolution) -> None:
        self.chain, self.component, self.history = chain, component, history
        self.nuclei = [chain.kinematics(s) for s in chain.network.species]
        self.to_log_p = [chain.column(k.momentum_per_energy) for k in self.nuclei]
        self.density = np.zeros((len(self.nuclei), *chain.grid.shape))

    def source(self, index: int, time: float, fields: Sequence[Array]) -> Array:
        """Source of U of one nuclide at a time, given the fields of those before it.

        Nuclides are asked for in order, so that only the one before is new.
        """
        if index > 0:
            np.divide(fields[index - 1], self.to_log_p[index - 1], out=self.density[index - 1])
        total = self.chain.secondary_source(index, self.density, self.nuclei[index])
        spectrum = self.component.spectra.get(self.chain.network.species[index].name)
        factor = self.history.strength(time)
        if spectrum is not None and factor != 0.0:
            total += factor * self.chain.column(spectrum) * self.component.density
        total *= self.to_log_p[index]
        return total

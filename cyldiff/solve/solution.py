"""What goes into the solve of a chain and what comes out: sources, densities, where the particles went."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cyldiff.grid import per_momentum
from cyldiff.operators import TransportOperator
from cyldiff.parallel.comm import Comm
from cyldiff.particles.species import Species
from cyldiff.solve.base import SolveReport

__all__ = ["ChainSolution", "Flow", "PrimarySource"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PrimarySource:
    """One source component on the grid.

    Attributes
    ----------
    name : str
    density : ndarray, shape of the axes      sum(density * volume) = 1 over the whole grid [kpc^-3]
    spectra : dict species -> ndarray (n_p,)  injected number per (GeV/n) and Myr
    """

    name: str
    density: Array
    spectra: dict[str, Array]


@dataclass(frozen=True)
class ChainSolution:
    """Densities of all nuclides and how they were obtained.

    Attributes
    ----------
    species : in the order of the solve
    density : ndarray, shape (n_components, n_species, *shape of a field)
        N(T): number per volume and kinetic energy per nucleon [kpc^-3 (GeV/n)^-1]
    reports : per species, per component; None where there is no source at all
    balance : ndarray, shape (n_species,)  sources - sinks - escape, relative to the sources
    flows : per species: source, sink, decay, escape and loss through the lowest energy
    """

    species: tuple[Species, ...]
    density: Array
    reports: tuple[tuple[SolveReport | None, ...], ...]
    balance: Array
    flows: tuple[dict[str, float], ...]

    def gather(self, comm: Comm) -> ChainSolution | None:
        """The solution on the whole grid on rank 0, None on the others; field by field."""
        if comm.size == 1:
            return self
        whole: Array | None = None
        for place in np.ndindex(self.density.shape[:2]):
            joined = comm.gather(self.density[place], axis=1)
            if joined is None:
                continue
            if whole is None:
                whole = np.empty((*self.density.shape[:2], *joined.shape))
            whole[place] = joined
        return None if whole is None else replace(self, density=whole)

    @property
    def residual(self) -> Array:
        """Largest residual of each species."""
        return np.array([np.max([r.residual for r in row if r], initial=0.0) for row in self.reports])

    @property
    def steps(self) -> NDArray[np.int64]:
        """Pseudo-time steps of each species, all components together."""
        return np.array([sum(r.steps for r in row if r) for row in self.reports])

    @property
    def minimum(self) -> Array:
        """Smallest density of each species relative to the largest at the same momentum."""
        space = tuple(range(3, self.density.ndim))
        per_plane = self.density.min(axis=space), self.density.max(axis=space)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(per_plane[1] > 0.0, per_plane[0] / per_plane[1], per_plane[0])
        return np.asarray(ratio.min(axis=(0, 2)))


class Flow:
    """Adds up where the particles of one nuclide come from and go to."""

    def __init__(self, comm: Comm) -> None:
        self.comm = comm
        self.total = dict.fromkeys(("source", "sink", "escape", "loss"), 0.0)

    def add(self, operator: TransportOperator, solution: Array, source: Array) -> None:
        """Count a solution N(ln p) of a source in the same unit."""
        out = operator.outflow(solution)
        weight = per_momentum(operator.width, len(operator.grid.axes)) * operator.grid.volume
        self.total["source"] += float(np.sum(source * weight))
        self.total["sink"] += float(np.sum(operator.sink_rate * solution * weight))
        self.total["loss"] += out.pop("p_low")
        self.total["escape"] += sum(out.values())

    def result(self) -> dict[str, float]:
        """Source, sink, loss and escape of all ranks [1/Myr]; balance: what is missing, relative to the source."""
        summed = self.comm.sum(np.array(list(self.total.values())))
        t = dict(zip(self.total, (float(value) for value in summed), strict=True))
        missing = t["source"] - t["sink"] - t["escape"] - t["loss"]
        return {**t, "balance": missing / t["source"] if t["source"] != 0.0 else 0.0}

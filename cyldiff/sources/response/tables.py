"""From modes to the table of a response."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cyldiff.config.memory import shortage
from cyldiff.errors import GridError
from cyldiff.progress import track
from cyldiff.solve.adjoint import SLOPE_R, SLOPE_Z, VALUE, AdjointModes, even_steps, synthesis
from cyldiff.sources.response.mesh import ResponseMesh

__all__ = ["ModeTable", "check_size", "solve_tables", "spreads"]

Array = NDArray[np.float64]
Table = NDArray[np.float32]

#: ages per decade of the spread
AGES_PER_DECADE = 6
#: a mode has faded away at this part of the mode 0
FADED = 1e-7
#: longest mean times to escape after which nothing is left
GONE = 8.0
#: residual of a steady mode, and of a time step
STEADY, LINEAR = 1e-5, 5e-7
#: time step relative to the age, and longest relative to the mean time to escape
STEP, LONGEST_STEP = 0.06, 0.1
#: largest table [bytes]
LARGEST = 2e9


def spreads(mesh: ResponseMesh, problems: Sequence[AdjointModes], reach: float | None) -> tuple[Array, bool]:
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
class ModeTable:
    """What a solve leaves: nodes in z, and values of shape (n_r, n_psi, n_z, n_p, n_a + 1, 4)."""

    z: Array
    mirrored: bool
    values: Table


def check_size(mesh: ResponseMesh, fields: int, in_time: bool) -> None:
    """Refuse a table that would fill the memory."""
    ages = 6 * AGES_PER_DECADE if in_time else 1
    size = 4.0 * 4 * len(mesh.rows) * len(mesh.psi) * mesh.grid.z.n * fields * ages
    reason = shortage(size)
    if size > LARGEST or reason:
        raise GridError(
            f"the table of this response would {reason or f'take about {size / 1e9:.2g} GB'}; "
            "ask for fewer energies, no ages, a coarser core, or fewer cells in z"
        )


def solve_tables(
    mesh: ResponseMesh,
    problem: AdjointModes,
    right: Callable[[Array], Array],
    spread: Array,
    *,
    importance: Array | None = None,
    label: str = "modes",
    quiet: bool = True,
) -> ModeTable:
    """Solve mode after mode, and sum them up at the nodes in psi.

    Parameters
    ----------
    problem : time in units of the spread
    right : an observation (3, n_r, n_z) as right-hand sides (3, n_p or 1, n_r, n_z)
    spread : ages of the table, the first that of the mesh's start; none for the steady state alone
    importance : of coupled momenta, in the order of the problem
    """
    history = _History(problem, spread, importance)
    mirrored = False
    for number, mode in enumerate(track(list(mesh.modes), label=label, quiet=quiet)):
        start = right(mesh.start(mode))
        steady = problem.steady([mode], lambda m: start, tolerance=STEADY, weight=importance)[0]  # noqa: B023
        if number == 0:
            mirrored = _is_mirrored(steady, mesh.run.physics.observer.z)
            # two nodes below the plane, where R is the mirror image
            history.cut = (mesh.rows, mesh.grid.z.n // 2 - 2 if mirrored else 0)
        history.keep(number, len(spread), steady)
        if len(spread):
            history.follow(number, mode, start)
    return ModeTable(mesh.grid.z.centers[history.cut[1] :], mirrored, history.summed(mesh))


class _History:
    """Modes that were solved, age after age; the steady state comes last."""

    def __init__(self, problem: AdjointModes, spread: Array, importance: Array | None) -> None:
        self.problem, self.spread, self.importance = problem, spread, importance
        self.longest = problem.longest() if len(spread) else 0.0
        self.fields: list[list[Array]] = [[] for _ in range(len(spread) + 1)]
        self.numbers: list[list[int]] = [[] for _ in range(len(spread) + 1)]
        self.top: dict[float, Array] = {}
        self.cut: tuple[NDArray[np.int64], int] = (np.zeros(0, dtype=np.int64), 0)

    def keep(self, number: int, age: int, fields: Array) -> None:
        """What of a mode goes into the table, in growing order of momentum."""
        rows, first = self.cut
        shape = (len(fields), *self.problem.operator.grid.shape)
        self.fields[age].append(np.broadcast_to(fields, shape)[:, ::-1][:, :, rows, first:])
        self.numbers[age].append(number)

    def follow(self, number: int, mode: float, start: Array) -> None:
        """A mode through all ages, until it has faded away beside the mode 0."""
        self.keep(number, 0, start)
        path = self.problem.in_steps(
            mode,
            start,
            even_steps(self.spread, STEP, LONGEST_STEP * self.longest),
            linear=LINEAR,
            weight=self.importance,
            finished=self._faded if number else None,
        )
        for age, fields in enumerate(path, start=1):
            if number == 0:
                self.top[float(self.spread[age])] = self._size(fields)
            self.keep(number, age, np.stack(fields))

    def _faded(self, time: float, fields: Sequence[Array]) -> bool:
        return bool(np.max(self._size(fields) / self.top[time]) < FADED)

    def _size(self, fields: Sequence[Array]) -> Array:
        """Largest value at every momentum; of all together, weighted, where they are coupled."""
        largest = np.abs(fields[VALUE]).max(axis=(1, 2))
        return np.asarray(largest if self.importance is None else np.max(largest * self.importance))

    def summed(self, mesh: ResponseMesh) -> Table:
        """Sum over modes at the nodes in psi; shape (n_r, n_psi, n_z, n_p, n_a + 1, 4)."""
        sun = mesh.run.physics.observer
        even, odd = synthesis(mesh.modes, mesh.psi), synthesis(mesh.modes, mesh.psi, odd=True) / sun.r
        _, n_p, n_r, n_z = self.fields[-1][0].shape
        table = np.empty((n_r, len(mesh.psi), n_z, n_p, len(self.fields), 4), dtype=np.float32)
        for age, (numbers, fields) in enumerate(zip(self.numbers, self.fields, strict=True)):
            modes = np.stack(fields)
            for place, (waves, what) in enumerate(
                ((even, VALUE), (even, SLOPE_R), (odd, VALUE), (even, SLOPE_Z))
            ):
                total = np.tensordot(waves[:, numbers], modes[:, what], axes=1)
                table[..., age, place] = total.transpose(2, 0, 3, 1)
            fields.clear()
        return table


def _is_mirrored(fields: Array, height: float) -> bool:
    """Whether the response is even in z; its slope in z is then odd."""
    value = fields[VALUE]
    return height == 0.0 and bool(np.abs(value - value[..., ::-1]).max() < STEADY * np.abs(value).max())

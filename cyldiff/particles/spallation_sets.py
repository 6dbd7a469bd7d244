"""Where production cross sections come from, and how several origins make one set.

A :class:`Source` gives cross sections on hydrogen and helium for its own (parent, fragment) pairs:
a table, the fits of Evoli et al. 2019, single measurements, a scaling rule. A :class:`Layer` folds
the short-lived fragments of one or more sources into the nuclides that live long. A
:class:`ChannelSet` stacks layers: the first one that knows a (parent, child) pair wins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cyldiff.particles.cross_sections import Curves, Extrapolation, FloatArray, helium_ratio_spallation
from cyldiff.particles.decay import fates, ghosts
from cyldiff.particles.species import element, nuclides
from cyldiff.resources import Table

__all__ = ["ChannelSet", "FitSource", "Layer", "LithiumSource", "Rows", "Source", "TableSource", "stack"]

Rows = NDArray[np.int64]
Pair = tuple[str, str]


class Source(Protocol):
    """Production cross sections of (parent, fragment) pairs."""

    @property
    def name(self) -> str:
        """What :meth:`ChannelSet.origins` shows."""

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Names of parent and fragment, one pair per row."""

    def evaluate(self, rows: Rows, energies: FloatArray, extrapolation: Extrapolation) -> FloatArray:
        """Cross sections on hydrogen and helium [mb], shape (n_rows, 2, n_T)."""


def with_helium(hydrogen: FloatArray, pairs: Sequence[Pair], energies: FloatArray) -> FloatArray:
    """Add the helium target by the ratio of Ferrando et al. 1988: (n, n_T) → (n, 2, n_T)."""
    charge = _charges()
    charges = np.array([(charge[element(p)], charge[element(c)]) for p, c in pairs]).reshape(-1, 2)
    distinct, inverse = np.unique(charges, axis=0, return_inverse=True)
    ratio = helium_ratio_spallation(distinct[:, 0], distinct[:, 1], energies)
    return np.stack([hydrogen, hydrogen * ratio[inverse.reshape(-1)]], axis=1)


@lru_cache(maxsize=1)
def _charges() -> dict[str, int]:
    return {s.element: s.Z for s in nuclides().values()}


@dataclass(frozen=True, slots=True, eq=False)
class TableSource:
    """Tabulated curves; rows of a helium target, where a table has them, replace the ratio."""

    name: str
    pairs: tuple[Pair, ...]
    curves: Curves
    hydrogen_row: Rows
    helium_row: Rows  # -1: none

    @classmethod
    def read(cls, table: Table, name: str) -> TableSource:
        """Source from a table with the columns parent, child and, perhaps, target."""
        keys = list(zip(map(str, table["parent"]), map(str, table["child"]), strict=True))
        targets = [str(t) for t in table["target"]] if "target" in table.columns else ["H"] * len(keys)
        row_of = {(key, target): i for i, (key, target) in enumerate(zip(keys, targets, strict=True))}
        pairs = tuple(key for key, target in row_of if target == "H")
        return cls(
            name=name,
            pairs=pairs,
            curves=Curves.from_table(table, name),
            hydrogen_row=np.array([row_of[pair, "H"] for pair in pairs]),
            helium_row=np.array([row_of.get((pair, "He"), -1) for pair in pairs]),
        )

    def evaluate(self, rows: Rows, energies: FloatArray, extrapolation: Extrapolation) -> FloatArray:
        """See :class:`Source`."""
        hydrogen = self.curves.at(energies, self.hydrogen_row[rows], extrapolation=extrapolation)
        out = with_helium(hydrogen, [self.pairs[i] for i in rows], energies)
        own = np.flatnonzero(self.helium_row[rows] >= 0)
        if own.size:
            helium_rows = self.helium_row[rows[own]]
            out[own, 1] = self.curves.at(energies, helium_rows, extrapolation=extrapolation)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class FitSource:
    """A formula on hydrogen, above threshold at all energies; on helium the ratio.

    `formula` maps (parameters of the rows, energies in MeV per nucleon) to mb; `parameters` has
    one row per pair.
    """

    name: str
    pairs: tuple[Pair, ...]
    parameters: FloatArray
    formula: Callable[[FloatArray, FloatArray], FloatArray]

    def evaluate(self, rows: Rows, energies: FloatArray, extrapolation: Extrapolation) -> FloatArray:
        """See :class:`Source`."""
        hydrogen = self.formula(self.parameters[rows], 1e3 * energies)
        return with_helium(hydrogen, [self.pairs[i] for i in rows], energies)


@dataclass(frozen=True, slots=True, eq=False)
class LithiumSource:
    """Lithium from parents where neither a fit nor a measurement exists: it follows beryllium.

    sigma(parent → Li) = sigma(reference → Li) * sigma(parent → Be) / sigma(reference → Be) on
    hydrogen, Be the sum of its isotopes; `reference` is 12C for carbon parents and 16O for the
    heavier ones. The production of both elements from heavy nuclei has the same energy dependence
    and a ratio of 1.3 to 1.7 wherever it was measured; the error of the rule is about 30 %.
    """

    name: str
    pairs: tuple[Pair, ...]
    reference: tuple[str, ...]
    lithium: Source
    beryllium: Source

    def evaluate(self, rows: Rows, energies: FloatArray, extrapolation: Extrapolation) -> FloatArray:
        """See :class:`Source`."""
        needed = {self.pairs[i][0] for i in rows} | {self.reference[i] for i in rows}
        beryllium = self._beryllium(needed, energies, extrapolation)
        position = {pair: i for i, pair in enumerate(self.lithium.pairs)}
        from_reference = self.lithium.evaluate(
            np.array([position[self.reference[i], self.pairs[i][1]] for i in rows], dtype=np.int64),
            energies,
            extrapolation,
        )[:, 0]
        below = np.stack([beryllium[self.reference[i]] for i in rows])
        above = np.stack([beryllium[self.pairs[i][0]] for i in rows])
        ratio = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
        return with_helium(from_reference * ratio, [self.pairs[i] for i in rows], energies)

    def _beryllium(
        self, parents: set[str], energies: FloatArray, extrapolation: Extrapolation
    ) -> dict[str, FloatArray]:
        """Production of all beryllium on hydrogen by parent."""
        pairs = self.beryllium.pairs
        rows = np.array([i for i, (p, c) in enumerate(pairs) if p in parents and element(c) == "Be"])
        sums = {parent: np.zeros_like(energies) for parent in parents}
        for row, values in zip(rows, self.beryllium.evaluate(rows, energies, extrapolation), strict=True):
            sums[pairs[row][0]] += values[0]
        return sums


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Cumulative cross sections: sources with their short-lived fragments folded in.

    Row j is the sum over the direct rows i of `weights[j, i]` times row i, the direct rows being
    those of all `sources`, one after the other.
    """

    pairs: tuple[Pair, ...]
    origins: tuple[str, ...]
    sources: tuple[Source, ...]
    weights: csr_array

    @classmethod
    def fold(cls, *sources: Source, keep: Callable[[str, str], bool] = lambda parent, child: True) -> Layer:
        """Fold all ghosts of the sources; `keep(parent, child)` says which channels to have."""
        direct = [(parent, fragment, s.name) for s in sources for parent, fragment in s.pairs]
        ends = fates({fragment for _, fragment, _ in direct}, nuclides().keys())
        index: dict[Pair, int] = {}
        names: list[dict[str, None]] = []
        folded: set[int] = set()
        row, column, number = [], [], []
        for i, (parent, fragment, name) in enumerate(direct):
            for child, count in ends[fragment].items():
                if not keep(parent, child):
                    continue
                j = index.setdefault((parent, child), len(index))
                if j == len(names):
                    names.append({})
                names[j][name] = None
                if fragment in ghosts():
                    folded.add(j)
                row.append(j)
                column.append(i)
                number.append(count)
        weights = csr_array((number, (row, column)), shape=(len(index), len(direct)))
        origins = tuple(
            " + ".join(n) + (" (ghosts folded)" if j in folded else "") for j, n in enumerate(names)
        )
        return cls(pairs=tuple(index), origins=origins, sources=sources, weights=weights)

    def evaluate(self, rows: Rows, energies: FloatArray, extrapolation: Extrapolation) -> FloatArray:
        """Cumulative cross sections of some rows [mb], shape (n_rows, 2, n_T)."""
        weights = self.weights[rows]
        needed = np.unique(weights.indices).astype(np.int64)
        direct, first = [], 0
        for source in self.sources:
            size = len(source.pairs)
            own = needed[(needed >= first) & (needed < first + size)] - first
            if own.size:
                direct.append(source.evaluate(own, energies, extrapolation))
            first += size
        values = np.concatenate(direct).reshape(needed.size, -1)
        return np.asarray(weights[:, needed] @ values).reshape(len(rows), 2, energies.size)


@dataclass(frozen=True, slots=True, eq=False)
class ChannelSet:
    """All channels of a set of cross sections; see :func:`stack`.

    Attributes
    ----------
    parents, children, origins : ndarray of str, shape (n,)
        each channel, and where its numbers come from
    index : dict
        (parent, child) → row
    """

    parents: NDArray[Any]
    children: NDArray[Any]
    origins: NDArray[Any]
    index: dict[Pair, int]
    layers: tuple[tuple[Layer, Rows], ...]

    def evaluate(self, rows: Rows, energies: FloatArray, extrapolation: Extrapolation) -> FloatArray:
        """Cumulative cross sections of some channels [mb], shape (n_rows, 2, n_T)."""
        out = np.zeros((len(rows), 2, energies.size))
        first = 0
        for layer, used in self.layers:
            mine = np.flatnonzero((rows >= first) & (rows < first + used.size))
            if mine.size:
                out[mine] = layer.evaluate(used[rows[mine] - first], energies, extrapolation)
            first += used.size
        return out


def stack(*layers: Layer) -> ChannelSet:
    """Put layers on top of each other; a channel is taken from the first one that has it."""
    index: dict[Pair, int] = {}
    origins: list[str] = []
    used: list[tuple[Layer, Rows]] = []
    for layer in layers:
        new = [i for i, pair in enumerate(layer.pairs) if pair not in index]
        for i in new:
            index[layer.pairs[i]] = len(index)
        origins += [layer.origins[i] for i in new]
        used.append((layer, np.array(new, dtype=np.int64)))
    pairs = np.array(list(index))
    return ChannelSet(
        parents=pairs[:, 0],
        children=pairs[:, 1],
        origins=np.array(origins),
        index=index,
        layers=tuple(used),
    )

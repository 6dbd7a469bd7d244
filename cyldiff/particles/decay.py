"""What becomes of a fragment that is not followed itself.

A fragment that decays within about a thousand years is replaced at once by what is left of it
(``physics/particles/decay_chains.csv``; such fragments are called ghosts). The same is done with
a long-lived nuclide that a run does not follow: if 10Be is left out, its production counts as
production of 10B.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from cyldiff.errors import DataError
from cyldiff.particles.species import hint, nuclides
from cyldiff.resources import folder, read_table

__all__ = ["fates", "ghosts"]

Daughters = tuple[tuple[str, float], ...]


@lru_cache(maxsize=1)
def ghosts() -> Mapping[str, Daughters]:
    """Short-lived fragments: name → ((daughter, mean number per decay), …), one step of the chain."""
    table = read_table(folder("physics") / "particles" / "decay_chains.csv")
    chains: dict[str, Daughters] = {}
    for parent, daughter, branching in zip(
        table["parent"], table["daughter"], table["branching"], strict=True
    ):
        chains[str(parent)] = (*chains.get(str(parent), ()), (str(daughter), float(branching)))
    return MappingProxyType(chains)


def fates(fragments: Iterable[str], kept: Collection[str]) -> dict[str, dict[str, float]]:
    """Followed nuclides that each fragment ends in.

    Parameters
    ----------
    fragments : iterable of str
        names of nuclides or ghosts
    kept : collection of str
        names of the nuclides that are followed

    Returns
    -------
    dict
        fragment → {followed nuclide: mean number per fragment}. A followed nuclide stays itself
        (its own decay is part of the transport); a stable nuclide that is not followed ends in
        nothing.

    Raises
    ------
    DataError
        if a fragment is neither a nuclide nor a ghost.
    """
    kept = frozenset(kept)
    done: dict[str, dict[str, float]] = {}
    return {fragment: _fate(fragment, kept, done) for fragment in fragments}


def _fate(fragment: str, kept: frozenset[str], done: dict[str, dict[str, float]]) -> dict[str, float]:
    if fragment in done:
        return done[fragment]
    if fragment in kept:
        ends = {fragment: 1.0}
    else:
        ends = {}
        for daughter, number in _daughters(fragment):
            for end, count in _fate(daughter, kept, done).items():
                ends[end] = ends.get(end, 0.0) + number * count
    done[fragment] = ends
    return ends


def _daughters(fragment: str) -> Daughters:
    known = nuclides()
    if fragment in known:
        return known[fragment].daughters
    try:
        return ghosts()[fragment]
    except KeyError:
        names = [*known, *ghosts()]
        raise DataError(f'no decay is known for the fragment "{fragment}"{hint(fragment, names)}') from None

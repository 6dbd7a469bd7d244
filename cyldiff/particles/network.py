"""Who feeds whom: the nuclides of a run in the order of their solution, and all links between them.

In the straight-ahead approximation a fragment keeps the kinetic energy per nucleon of its parent, so
that everything here is a number per energy. With densities per energy per nucleon psi_n, the source
of nuclide j is

    Q_j = sum_i beta c [n_H s_ij(H) + n_He s_ij(He)] psi_n,i + sum_i BR_ij psi_n,i / (gamma tau_i)

(sum over the heavier parents i; no factors of the mass number). Leptons come last; those that protons and
helium make do not keep an energy per nucleon, their sources are matrices in energy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.errors import DataError
from cyldiff.particles.cross_sections import FloatArray, check_energies
from cyldiff.particles.decay import fates
from cyldiff.particles.inelastic import Inelastic
from cyldiff.particles.lepton_production import LeptonProduction
from cyldiff.particles.spallation import Spallation, check_scale, scale_factors
from cyldiff.particles.species import Species

__all__ = ["Network", "order"]


def order(species: Iterable[Species]) -> tuple[Species, ...]:
    """Order of solution: heaviest first, leptons last; at equal mass number every parent before its daughter.

    Among isobars that do not decay into each other, the one of higher charge comes first.

    Raises
    ------
    DataError
        if a nuclide is named twice.
    """
    listed = list(species)
    names = [s.name for s in listed]
    if len(set(names)) != len(names):
        raise DataError("a species is listed twice")
    feeds = {s.name: set(_decay_products(s, names)) for s in listed}
    ordered: list[Species] = []
    for mass in sorted({s.A for s in listed}, reverse=True):
        left = sorted((s for s in listed if mass == s.A), key=lambda s: -s.Z)
        while left:
            # decays lose mass, so that isobars cannot feed each other in a circle
            free = next(s for s in left if not any(s.name in feeds[other.name] for other in left))
            left.remove(free)
            ordered.append(free)
    return tuple(ordered)


def _decay_products(parent: Species, kept: Sequence[str]) -> dict[str, float]:
    """Followed nuclides that `parent` decays to, with branching; steps not followed are skipped."""
    products: dict[str, float] = {}
    ends = fates([name for name, _ in parent.daughters], kept)
    for daughter, branching in parent.daughters:
        for end, number in ends[daughter].items():
            products[end] = products.get(end, 0.0) + branching * number
    return products


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Nuclides and the links between them on a grid of energies.

    Attributes
    ----------
    species : tuple of Species, length n
        in the order of solution, see :func:`order`
    kinetic_energy : ndarray, shape (n_T,)
        per nucleon [GeV]
    inelastic : ndarray, shape (n, 2, n_T)
        total inelastic cross sections on hydrogen and helium [mb]
    parent, child : ndarray of int, shape (n_channels,)
        indices in `species`; ``parent < child`` always, sorted by child
    production : ndarray, shape (n_channels, 2, n_T)
        cumulative production cross sections [mb]: short-lived fragments, and long-lived nuclides
        that are not followed, count as what they decay to
    origins : tuple of str, length n_channels
        where the numbers of each channel come from
    decays : tuple of (int, int, float)
        parent, child (indices) and branching of decays between followed nuclides. A nuclide whose
        daughter is not followed decays all the same (``species[i].half_life``).
    leptons : tuple of (int, int, ndarray of shape (2, n_T, n_T))
        parent, child (indices) and, on hydrogen and helium, the matrix of
        :meth:`cyldiff.particles.lepton_production.LeptonProduction.matrix`
    """

    species: tuple[Species, ...]
    kinetic_energy: FloatArray
    inelastic: FloatArray
    parent: NDArray[np.int64]
    child: NDArray[np.int64]
    production: FloatArray
    origins: tuple[str, ...]
    decays: tuple[tuple[int, int, float], ...]
    leptons: tuple[tuple[int, int, FloatArray], ...] = ()

    @classmethod
    def build(
        cls,
        species: Iterable[Species],
        *,
        inelastic: Inelastic,
        spallation: Spallation,
        kinetic_energy: ArrayLike,
        scale: Mapping[str, float] | None = None,
        leptons: LeptonProduction | None = None,
    ) -> Network:
        """Collect cross sections and decays of a list of nuclides.

        If the list leaves out a radioactive nuclide on the way (10B without 10Be), the production of
        the missing one is credited to its daughter, as if it decayed at once.

        Parameters
        ----------
        species : iterable of Species, in any order
        inelastic, spallation : kinds of the families of these names
        kinetic_energy : array_like, shape (n_T,)   [GeV per nucleon]
        scale : mapping, optional
            nuisance factors on top of those of `spallation`, same keys
        leptons : kind of the family "lepton-production", optional
            how protons and helium make electrons and positrons

        Raises
        ------
        DataError
            if a species is listed twice, an energy is outside a table that does not extrapolate, or
            a key of `scale` is unknown.
        """
        ordered = order(species)
        energies = check_energies(kinetic_energy)
        nuclei = [s for s in ordered if not s.is_lepton]
        names = [s.name for s in nuclei]
        parents, children, origins, sigma = spallation.production(names, energies)
        if scale:
            try:
                checked = check_scale(scale)
            except ValueError as error:
                raise DataError(f"scale: {error}") from None
            sigma = sigma * scale_factors(checked, parents, children)[:, None, None]
        parent, child, production, labels = _credit(names, parents, children, origins, sigma)
        position = {name: i for i, name in enumerate(names)}
        total = np.zeros((len(ordered), 2, energies.size))
        if nuclei:  # they come first
            total[: len(nuclei)] = inelastic.table(nuclei, energies)
        return cls(
            species=ordered,
            kinetic_energy=energies,
            inelastic=total,
            parent=parent,
            child=child,
            production=production,
            origins=labels,
            decays=tuple(
                (i, position[end], branching)
                for i, s in enumerate(nuclei)
                for end, branching in _decay_products(s, names).items()
            ),
            leptons=_lepton_sources(ordered, energies, leptons),
        )

    def describe(self) -> dict[str, tuple[str, ...]]:
        """Origin → its channels as ``"C12->B11"``: which channels come from where."""
        groups: dict[str, list[str]] = {}
        for parent, child, origin in zip(self.parent, self.child, self.origins, strict=True):
            channel = f"{self.species[parent].name}->{self.species[child].name}"
            groups.setdefault(origin, []).append(channel)
        return {origin: tuple(channels) for origin, channels in groups.items()}


def _lepton_sources(
    species: Sequence[Species], energies: FloatArray, model: LeptonProduction | None
) -> tuple[tuple[int, int, FloatArray], ...]:
    """Matrices of all pairs of a parent that makes leptons and a lepton that is followed."""
    if model is None:
        return ()
    return tuple(
        (i, j, model.matrix(parent, child, energies))
        for i, parent in enumerate(species)
        for j, child in enumerate(species)
        if child.is_lepton and parent.name in model.parents
    )


def _credit(
    names: Sequence[str],
    parents: NDArray[np.str_],
    children: NDArray[np.str_],
    origins: NDArray[np.str_],
    sigma: FloatArray,
) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray, tuple[str, ...]]:
    """Channels between followed nuclides; production of the others goes to what they decay to."""
    position = {name: i for i, name in enumerate(names)}
    ends = fates({str(c) for c in children}, names)
    sums: dict[tuple[int, int], FloatArray] = {}
    labels: dict[tuple[int, int], dict[str, None]] = {}
    alive = sigma.any(axis=(1, 2))
    for row in np.flatnonzero(alive):
        made, origin = str(children[row]), str(origins[row])
        for end, number in ends[made].items():
            key = (position[end], position[str(parents[row])])
            # from heavy to light only; between isobars only along the order of solution
            if key[1] >= key[0]:
                continue
            sums[key] = sums[key] + number * sigma[row] if key in sums else number * sigma[row]
            label = origin if made == end else f"{origin} (through {made})"
            labels.setdefault(key, {})[label] = None
    keys = sorted(sums)
    index = np.array(keys, dtype=np.int64).reshape(-1, 2)
    production = np.array([sums[key] for key in keys]).reshape(len(keys), *sigma.shape[1:])
    return index[:, 1], index[:, 0], production, tuple(" + ".join(labels[key]) for key in keys)

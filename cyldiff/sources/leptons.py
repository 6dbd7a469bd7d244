"""Electrons and positrons of point sources in a uniform medium: diffusion with losses in closed form.

Syrovatskii 1959 (Soviet Astronomy 3, 22) and Atoyan, Aharonian & Voelk 1995 (PRD 52, 3265, Eqs. 9-11). Of a
burst of q(T_s) electrons per energy a time t ago there are

    n(T) = q(T_s) [b(T_s) / b(T)] G(x, s),   G = (4 pi s)^(-3/2) exp(-d^2 / 4 s)

with T_s and s = lambda^2 / 4 of :mod:`cyldiff.sources.cooling`. A piece of a history is the integral over its
time; the variable of integration is v = ln(T_s / T), since then

    n(T) = [1 / b(T)] int Q(T_s) T_s G(x, s) dv

needs no inversion, and is smooth in ln v below v = 1 and in v above. In the halo G has images or sines in z.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.sources.cooling import Cooling
from cyldiff.sources.lepton_kernels import POINTS, add_nodes, count_nodes, fill_nodes, limits_of
from cyldiff.sources.segments import Segments

__all__ = ["Spectrum", "lepton_green"]

Array = NDArray[np.float64]
#: dN/dT per GeV of the energy of a piece [GeV^-2], as a function of T [GeV]
Spectrum = Callable[[Array], Array]

#: nodes that are held at once
_CHUNK = 2_000_000


def lepton_green(
    segments: Segments,
    spectra: Sequence[Spectrum] | ArrayLike,
    observers: ArrayLike,
    kinetic_energy: ArrayLike,
    *,
    cooling: Cooling,
    half_height: float | None = None,
    causal: bool = True,
) -> tuple[Array, Array]:
    """Density of electrons (or positrons) of point sources, and its gradient, per source.

    Everything is linear in ``segments.energy``. Losses and diffusion are the same everywhere: take those
    around the observer. The radial edge of the Galaxy is left out.

    Parameters
    ----------
    segments : pieces of histories; a piece with ``oldest == youngest`` is a burst
    spectra : for every number in ``segments.spectrum`` a function of T [GeV] (any shape) that returns
        dN/dT per GeV of the piece's energy [GeV^-2]; or an array, shape (n_spectra, n), of the same at the
        energies ``cooling.kinetic_energy`` (n of them), interpolated as power laws. Nothing is injected above
        ``cooling.maximum``.
    observers : shape (n_observers, 3) or (3,), Cartesian [kpc], frame of :mod:`cyldiff.galaxy.coordinates`
    kinetic_energy : T, shape (n_energies,) [GeV]
    cooling : table of losses and diffusion; its range must hold all T
    half_height : H of a halo with absorbing |z| = H [kpc]; free space by default
    causal : leave out what would have travelled faster than light, d > c t. Of a source that is on, this
        is a sharp edge of the integral for the nearest observer; for others it cuts through a panel of it

    Returns
    -------
    density : ndarray, shape (n_sources, n_observers, n_energies)       n(T) [kpc^-3 GeV^-1]
    gradient : ndarray, shape (n_sources, n_observers, n_energies, 3)   [kpc^-4 GeV^-1]

    n_sources is ``segments.source.max() + 1``. A source that is still on has an infinite density at its
    own place.

    Raises
    ------
    ValueError
        if an energy lies outside the table of losses, a piece has a negative age or ends before it begins, a
        place is outside the halo, or there is no spectrum of a number.
    """
    observers = np.atleast_2d(np.asarray(observers, dtype=float))
    energy = np.atleast_1d(np.asarray(kinetic_energy, dtype=float))
    loss = cooling.loss(energy)
    laws = _laws(spectra, cooling)
    _check(segments, observers, len(laws), half_height)
    n_sources = int(segments.source.max()) + 1 if len(segments) else 0
    density = np.zeros((n_sources, len(observers), len(energy)))
    gradient = np.zeros((*density.shape, 3))
    gauss = np.polynomial.legendre.leggauss(POINTS)
    height = np.inf if half_height is None else float(half_height)
    geometry = (np.ascontiguousarray(segments.position, dtype=float), observers)
    times = (segments.oldest.astype(float), segments.youngest.astype(float))
    limits = limits_of(*geometry, *times, np.log(energy), causal, *cooling.kernel)
    counts = np.zeros(limits.shape[:2], dtype=np.int64)
    count_nodes(limits, counts)
    for rows in _chunks(counts.sum(axis=1)):
        first = np.concatenate([[0], np.cumsum(counts[rows])])
        nodes = np.zeros((4, int(first[-1])))
        seen = (limits[rows], first, np.log(energy), loss, times[0][rows], times[1][rows])
        fill_nodes(*seen, *gauss, nodes, *cooling.kernel)
        which = np.repeat(segments.spectrum[rows], counts[rows].sum(axis=1))
        for number in np.unique(which):
            mine = which == number
            nodes[1, mine] *= laws[number](nodes[0, mine])
        strength = np.asarray(segments.energy, dtype=float)[rows]
        pieces = (
            geometry[0][rows],
            observers,
            segments.source[rows],
            strength,
            times[0][rows],
            times[1][rows],
        )
        add_nodes(*pieces, first, nodes, height, causal, density, gradient)
    return density, gradient


def _laws(spectra: Sequence[Spectrum] | ArrayLike, cooling: Cooling) -> list[Spectrum]:
    """Spectra as functions."""
    if isinstance(spectra, Sequence) and all(callable(s) for s in spectra):
        return list(spectra)
    table = np.atleast_2d(np.asarray(spectra, dtype=float))
    x = np.log(cooling.kinetic_energy)
    if table.shape[1] != len(x):
        raise ValueError(f"spectra have {table.shape[1]} energies; the table of losses has {len(x)}")

    def law(values: Array) -> Spectrum:
        with np.errstate(divide="ignore"):
            y = np.log(values)
        y[np.isneginf(y)] = -1e4
        return lambda energy: np.exp(np.interp(np.log(energy), x, y))

    return [law(row) for row in table]


def _check(segments: Segments, observers: Array, n_spectra: int, half_height: float | None) -> None:
    if observers.shape[1:] != (3,) or segments.position.shape != (len(segments), 3):
        raise ValueError("positions must have three coordinates")
    if np.any(segments.youngest < 0.0) or np.any(segments.oldest < segments.youngest):
        raise ValueError("a piece of a history ends in the future, or before it begins")
    if len(segments) and not (segments.spectrum.min() >= 0 and segments.spectrum.max() < n_spectra):
        raise ValueError(f"a piece has a spectrum that is not among the {n_spectra} given")
    if half_height is not None:
        for places in (observers, segments.position):
            if np.any(np.abs(places[:, 2]) > half_height):
                raise ValueError(f"a place is outside the halo, |z| > {half_height:g} kpc")


def _chunks(counts: NDArray[np.int64]) -> list[slice]:
    """Rows in pieces of about `_CHUNK` nodes."""
    group = np.cumsum(counts) // _CHUNK
    edges = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(counts)]
    return [slice(a, b) for a, b in pairwise(edges) if b > a]

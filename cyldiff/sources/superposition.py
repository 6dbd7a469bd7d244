"""Density of nuclei from pieces of source histories where D is uniform: free space, halo, cylinder.

The Green's functions are those of :mod:`cyldiff.sources.kernels`. A piece counts with the mean over its length
of the burst, so that energy * spectrum * mean is the density it adds. On the way particles decay, and
collide in the disc; they keep their energy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.constants import SPEED_OF_LIGHT
from cyldiff.errors import GridError
from cyldiff.sources import kernels
from cyldiff.sources.edge import cylinder_modes
from cyldiff.sources.segments import Segments

__all__ = ["PointPropagation", "TooYoung", "check_times", "green_functions", "summed"]

Array = NDArray[np.float64]

CAUSALITY = ("cut", "none")
#: what may be left out of a sum
PRECISION = 1e-15


@dataclass(frozen=True)
class PointPropagation:
    """How particles travel from points: uniform D, one energy at a time.

    Attributes
    ----------
    diffusion : D, shape (n_e,) [kpc^2/Myr]
    speed : beta c, shape (n_e,) [kpc/Myr]
    half_height : H of the halo, absorbing at |z| = H [kpc]; None for free space
    edge : radius of an absorbing cylinder [kpc]; None leaves it out
    decay_rate : 1 / (gamma tau), shape (n_e,) [1/Myr]
    disc_rate : kappa = beta c sigma_inelastic times the column of gas through the disc, shape (n_e,)
        [kpc/Myr]: at age t the rate of collisions is kappa / (2 min(H, sqrt(4 D t))), the gas averaged over
        the volume that diffusion has filled
    causality : "cut": nothing where d > beta c t; "none": diffusion as it is
    """

    diffusion: Array
    speed: Array
    half_height: float | None = None
    edge: float | None = None
    decay_rate: Array | None = None
    disc_rate: Array | None = None
    causality: str = "cut"

    def __post_init__(self) -> None:
        n_e = np.shape(self.diffusion)
        if n_e == (0,):
            raise ValueError("diffusion is empty; expected one value per energy")
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None or field.name == "causality":
                continue
            if field.name in ("half_height", "edge"):
                if not value > 0.0:
                    raise ValueError(f"{field.name} = {value}; expected a positive length or None")
                continue
            value = np.asarray(value, dtype=float)
            if value.ndim != 1 or value.shape != n_e:
                raise ValueError(
                    f"{field.name} has shape {value.shape}; expected {n_e}, one value per energy"
                )
            rate = field.name in ("decay_rate", "disc_rate")
            if not np.all(np.isfinite(value) & ((value >= 0.0) if rate else (value > 0.0))):
                raise ValueError(f"{field.name} must be finite and {'not negative' if rate else 'positive'}")
        if self.causality not in CAUSALITY:
            raise ValueError(f"causality = {self.causality!r}; expected one of {', '.join(CAUSALITY)}")


@dataclass(frozen=True)
class TooYoung:
    """A piece of which a part has not diffused yet.

    Attributes
    ----------
    source : which source it belongs to
    oldest : how long ago the piece began [Myr]
    energies : indices of energies with ages below 3 D / c^2
    part : of the particles of the piece that are younger than 3 D / c^2, at those energies
    """

    source: int
    oldest: float
    energies: NDArray[np.int64]
    part: Array


def green_functions(
    segments: Segments, observers: ArrayLike, propagation: PointPropagation
) -> tuple[Array, Array]:
    """Density of each piece at each observer per particle it injected, and its gradient.

    Parameters
    ----------
    segments : pieces of histories
    observers : shape (n_obs, 3) [kpc]

    Returns
    -------
    density, shape (n_pieces, n_e, n_obs) [kpc^-3]; gradient, shape (n_pieces, n_e, n_obs, 3) [kpc^-4]

    Raises
    ------
    GridError
        if a source or an observer is outside of the halo or the cylinder.
    """
    observers = _checked(segments, observers, propagation)
    energies, order = _energies(propagation)
    table = np.empty((len(observers), len(segments), 4, len(order)))
    for observer, part in zip(observers, table, strict=True):
        if propagation.edge is None:
            setting = _setting(propagation, len(order), empty=np.inf)
            sorted_part = np.empty_like(part)
            kernels.tabulate(*_ages(segments), observer, _height(propagation), energies, setting, sorted_part)
            part[..., order] = sorted_part
        else:
            for i, row in _rows_at_edge(segments, observer, propagation, energies, order):
                part[i] = row
    table = table.transpose(1, 3, 0, 2)
    return np.ascontiguousarray(table[..., 0]), np.ascontiguousarray(table[..., 1:])


def summed(
    segments: Segments,
    spectra: ArrayLike,
    observers: ArrayLike,
    propagation: PointPropagation,
    *,
    gradient: bool = False,
) -> Array | tuple[Array, Array]:
    """Density of all pieces together, and its gradient on request.

    Parameters
    ----------
    segments : pieces of histories; segments.spectrum chooses a row of spectra
    spectra : shape (n_spectra, n_e), number injected per energy interval and per GeV of the piece
    observers : shape (n_obs, 3) [kpc]

    Returns
    -------
    density, shape (n_e, n_obs) [kpc^-3 per energy interval]; with gradient also (n_e, n_obs, 3) [kpc^-4 ...]

    Raises
    ------
    GridError
        if a source or an observer is outside of the halo or the cylinder.
    """
    observers = _checked(segments, observers, propagation)
    energies, order = _energies(propagation)
    n_e = len(order)
    spectra = np.asarray(spectra, dtype=float)
    if spectra.ndim != 2 or spectra.shape[1] != n_e:
        raise ValueError(f"spectra have shape {spectra.shape}; expected (n_spectra, {n_e})")
    if len(segments) and not 0 <= segments.spectrum.min() <= segments.spectrum.max() < len(spectra):
        raise ValueError(f"segments name spectra that are not there; there are {len(spectra)}")
    total = np.empty((len(observers), 4 if gradient else 1, n_e))
    for observer, part in zip(observers, total, strict=True):
        if propagation.edge is None:
            part[:, order] = _added_up(segments, spectra[:, order], observer, propagation, energies, gradient)
        else:
            part[:] = 0.0
            for i, row in _rows_at_edge(segments, observer, propagation, energies, order):
                part += segments.energy[i] * spectra[segments.spectrum[i]] * row[: len(part)]
    total = total.transpose(2, 0, 1)
    density = np.ascontiguousarray(total[..., 0])
    return (density, np.ascontiguousarray(total[..., 1:])) if gradient else density


def check_times(segments: Segments, propagation: PointPropagation) -> list[TooYoung]:
    """Pieces that are in part younger than 3 D / c^2, when particles do not diffuse yet.

    3 D / c^2 is the time between two scatterings, 106 yr for 1e30 cm^2/s. For a source that is still on it is
    the share of particles on their first way; it matters where d is not far above 3 D / c.
    """
    needed = 3.0 * np.asarray(propagation.diffusion, dtype=float) / SPEED_OF_LIGHT**2
    result = []
    for i in np.flatnonzero(segments.youngest < needed.max(initial=0.0)):
        young, old = float(segments.youngest[i]), float(segments.oldest[i])
        length = old - young
        part = (
            np.clip((needed - young) / length, 0.0, 1.0) if length > 0.0 else np.where(needed > old, 1.0, 0.0)
        )
        where = np.flatnonzero(part > 0.0)
        result.append(TooYoung(int(segments.source[i]), old, where, part[where]))
    return result


def _checked(segments: Segments, observers: ArrayLike, propagation: PointPropagation) -> Array:
    """Observers as an array, after a look at all places."""
    observers = np.ascontiguousarray(observers, dtype=float)
    if observers.ndim != 2 or observers.shape[1] != 3:
        raise ValueError(f"observers have shape {observers.shape}; expected (n_obs, 3)")
    young, old = segments.youngest, segments.oldest
    if not np.all((young >= 0.0) & (young <= old) & (old < np.inf)):
        raise ValueError("ages of pieces are not 0 <= youngest <= oldest < infinity")
    places = (("source", segments.position), ("observer", observers))
    problems = []
    for what, where in places:
        for length, distance, name in (
            (propagation.half_height, np.abs(where[:, 2]), "|z| < {:g} kpc"),
            (propagation.edge, np.hypot(where[:, 0], where[:, 1]), "r < {:g} kpc"),
        ):
            outside = np.flatnonzero(distance >= length) if length is not None else np.zeros(0, dtype=int)
            if len(outside):
                x, y, z = where[outside[0]]
                problems.append(
                    f"{len(outside)} {what}{'s' if len(outside) > 1 else ''} outside of "
                    f"{name.format(length)}, the first at ({x:g}, {y:g}, {z:g}) kpc"
                )
    if problems:
        raise GridError("; ".join(problems))
    return observers


def _energies(propagation: PointPropagation) -> tuple[Array, NDArray[np.intp]]:
    """D, beta c, decay rate and disc rate as rows, D increasing, the last one repeated to fill blocks; order."""
    order = np.argsort(propagation.diffusion, kind="stable")
    rates = (propagation.decay_rate, propagation.disc_rate)
    none = np.zeros(len(order))
    rows = [propagation.diffusion, propagation.speed, *(none if a is None else a for a in rates)]
    return np.ascontiguousarray(np.array(rows, dtype=float)[:, _filled(order)]), order


def _setting(propagation: PointPropagation, n_e: int, empty: float) -> tuple[int, bool, bool, float]:
    lossy = any(a is not None and np.any(a) for a in (propagation.decay_rate, propagation.disc_rate))
    return n_e, propagation.causality == "cut", lossy, empty


def _ages(segments: Segments) -> tuple[Array, Array, Array]:
    arrays = (segments.position, segments.youngest, segments.oldest)
    position, young, old = (np.ascontiguousarray(a, dtype=float) for a in arrays)
    return position, young, old


def _height(propagation: PointPropagation) -> float:
    return np.inf if propagation.half_height is None else float(propagation.half_height)


def _added_up(
    segments: Segments,
    spectra: Array,
    observer: Array,
    propagation: PointPropagation,
    energies: Array,
    gradient: bool,
) -> Array:
    """Density, and gradient if wanted, at one observer, shape (1 or 4, n_e), in the order of the energies.

    Pieces so old that the halo is empty of them are left out, unless they are all there is.
    """
    n_e = spectra.shape[1]
    total = _pass(segments, spectra, observer, propagation, energies, gradient, kernels.NEGLIGIBLE)
    left_out = np.flatnonzero(total[0, :n_e] > PRECISION * np.abs(total[1, :n_e]))
    if len(left_out):
        again = energies[:, _filled(left_out)]
        total[:, left_out] = _pass(
            segments, spectra[:, left_out], observer, propagation, again, gradient, np.inf
        )[:, : len(left_out)]
    return total[1:, :n_e]


def _pass(
    segments: Segments,
    spectra: Array,
    observer: Array,
    propagation: PointPropagation,
    energies: Array,
    gradient: bool,
    empty: float,
) -> Array:
    """Bounds of what was left out, density, and gradient, shape (2 or 5, n)."""
    n_e = spectra.shape[1]
    spectra = np.pad(spectra, ((0, 0), (0, energies.shape[1] - n_e)))
    weight = np.ascontiguousarray(segments.energy, dtype=float)
    index = np.ascontiguousarray(segments.spectrum, dtype=np.int64)
    total = np.zeros((5 if gradient else 2, energies.shape[1]))
    setting = _setting(propagation, n_e, empty)
    kernels.add_up(
        *_ages(segments), weight, index, np.ascontiguousarray(spectra),
        observer, _height(propagation), np.ascontiguousarray(energies), setting, total,
    )  # fmt: skip
    return total


def _filled(index: NDArray[np.intp]) -> NDArray[np.intp]:
    """Indices of energies, the last one repeated to fill blocks."""
    return np.append(index, np.repeat(index[-1:], -len(index) % kernels.LANES))


def _rows_at_edge(
    segments: Segments,
    observer: Array,
    propagation: PointPropagation,
    energies: Array,
    order: NDArray[np.intp],
) -> Iterator[tuple[int, Array]]:
    """Density and gradient of one piece after the other, shape (4, n_e), in a cylinder."""
    assert propagation.edge is not None
    setting = _setting(propagation, len(order), np.inf)
    height = _height(propagation)
    for i, (position, young, old) in enumerate(zip(*_ages(segments), strict=True)):
        begin = young
        if propagation.causality == "cut":
            begin = max(young, float(np.linalg.norm(observer - position)) / energies[1].max())
        edge_from, modes = cylinder_modes(
            position, observer, edge=propagation.edge, smallest=float(energies[0, 0]) * begin
        )
        away = observer - position
        place = (away[0], away[1], observer[2], position[2], height, edge_from)
        row, result = np.empty((4, len(order))), np.empty((4, len(order)))
        kernels.tabulate_at_edge(young, old, place, energies, setting, modes, row)
        result[:, order] = row
        yield i, result

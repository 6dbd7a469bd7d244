"""Regions of the sky: boxes in l and b with discs cut out, their solid angle and averages over them.

An average is an adaptive product rule: panels of the box, 15 x 15 Gauss-Kronrod points each, are quartered until
the 7-point rules agree. Where discs are cut out the intensity is as smooth as without them; only the weights of
its points change, to the integrals of their Lagrange polynomials over what is left of the panel.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.errors import DataError, nearest, quoted
from cyldiff.galaxy.coordinates import unit_vector
from cyldiff.observables.line_of_sight import GAUSS, KRONROD, NODES
from cyldiff.resources import no_file

__all__ = ["REGIONS", "Disc", "Region", "average", "read_discs", "region_named"]

Array = NDArray[np.float64]
#: intensity at directions l, b [deg], shape (n,) -> (..., n)
Intensity = Callable[[Array, Array], Array]

#: relative difference of the two rules that the average of a region may have
TOLERANCE = 1e-3
#: quarterings of a panel
DEPTH = 9
#: size to which panels with a peak are quartered first [deg]
PEAK = 1.0
#: first panels: at most this long in l and b [deg]
PANEL = (30.0, 5.0)
#: step on which the rim of a disc is resolved [deg]
RIM = 0.02


@dataclass(frozen=True, slots=True)
class Disc:
    """A disc that is cut out: centre l, b and radius [deg]."""

    longitude: float
    latitude: float
    radius: float


@dataclass(frozen=True, slots=True)
class Region:
    """A box in Galactic longitude and latitude, less some discs.

    Attributes
    ----------
    name : str
    longitude, latitude : (float, float)    limits [deg]; l from the first towards larger l to the second
    discs : tuple of Disc                   what does not count
    """

    name: str
    longitude: tuple[float, float]
    latitude: tuple[float, float]
    discs: tuple[Disc, ...] = ()

    @property
    def box_solid_angle(self) -> float:
        """Solid angle of the box, discs included [sr]."""
        (l_low, l_high), (b_low, b_high) = np.radians(self.longitude), np.radians(self.latitude)
        return float((l_high - l_low) * (np.sin(b_high) - np.sin(b_low)))

    @property
    def solid_angle(self) -> float:
        """Solid angle without the discs, to the resolution of their rims [sr]."""
        if not self.discs:
            return self.box_solid_angle
        return sum(float(_weights(panel, self.discs).sum()) for panel in _first_panels(self))

    def contains(self, longitude: ArrayLike, latitude: ArrayLike) -> NDArray[np.bool_]:
        """Whether directions [deg] lie in the region and outside its discs."""
        lon, lat = np.broadcast_arrays(np.asarray(longitude, float), np.asarray(latitude, float))
        low, high = self.longitude
        inside = (lat >= self.latitude[0]) & (lat <= self.latitude[1])
        inside &= (lon - low) % 360.0 <= high - low
        inside[inside] &= ~covered(lon[inside], lat[inside], self.discs)
        return inside

    def without(self, discs: tuple[Disc, ...]) -> Region:
        """The same region with more discs cut out."""
        return replace(self, discs=(*self.discs, *discs))


#: LHAASO-KM2A 2023 (PRL 131, 151001), without the mask of sources
REGIONS: dict[str, Region] = {
    "lhaaso-inner": Region("lhaaso-inner", (15.0, 125.0), (-5.0, 5.0)),
    "lhaaso-outer": Region("lhaaso-outer", (125.0, 235.0), (-5.0, 5.0)),
    "all-sky": Region("all-sky", (-180.0, 180.0), (-90.0, 90.0)),
}
_NUMBER = r"\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*"
_RANGE = re.compile(rf"\s*([lb])\s*={_NUMBER}\.\.{_NUMBER}")


def region_named(text: str) -> Region:
    """Region of a name, or of ``"l=15..125,b=-5..5"`` [deg].

    Raises
    ------
    DataError
        naming the known ones, or what is wrong with the limits.
    """
    if text in REGIONS:
        return REGIONS[text]
    limits: dict[str, tuple[float, float]] = {}
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None or match[1] in limits:
            raise DataError(
                f"region {quoted(text)} unknown; known: {', '.join(REGIONS)}, or limits in degrees, "
                f'e.g. "l=15..125,b=-5..5"{nearest(text, REGIONS)}'
            )
        limits[match[1]] = float(match[2]), float(match[3])
    return _checked(text, limits)


def _checked(text: str, limits: dict[str, tuple[float, float]]) -> Region:
    longitude, latitude = limits.get("l", (-180.0, 180.0)), limits.get("b", (-90.0, 90.0))
    problems = []
    if not longitude[0] < longitude[1] <= longitude[0] + 360.0:
        problems.append(
            f"l={longitude[0]:g}..{longitude[1]:g}; expected an increasing range of at most 360 deg, "
            "across l = 0 with a negative begin (-30..30)"
        )
    if not -90.0 <= latitude[0] < latitude[1] <= 90.0:
        problems.append(
            f"b={latitude[0]:g}..{latitude[1]:g}; expected an increasing range within -90 to 90 deg"
        )
    if problems:
        raise DataError(f"region {quoted(text)}: " + "; ".join(problems))
    return Region(text, longitude, latitude)


def read_discs(path: Path) -> tuple[Disc, ...]:
    """Discs of a CSV file with the columns ``l``, ``b`` and ``radius`` [deg]; others are not read.

    Raises
    ------
    DataError
        with every row that is no disc.
    """
    if reason := no_file(path):
        raise DataError(f"{path}: {reason}")
    try:
        rows = list(
            csv.DictReader(line for line in path.read_text("utf-8-sig").splitlines() if line[:1] != "#")
        )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    wanted = ("l", "b", "radius")
    if not rows or any(name not in rows[0] for name in wanted):
        raise DataError(f"{path}: expected a table with the columns {', '.join(wanted)} in degrees")
    discs, problems = [], []
    for number, row in enumerate(rows, start=1):
        try:
            lon, lat, radius = (float(row[name]) for name in wanted)
        except (TypeError, ValueError):
            problems.append(f"row {number} has no numbers")
            continue
        if not (abs(lon) <= 360.0 and abs(lat) <= 90.0 and 0.0 < radius <= 90.0):
            problems.append(f"row {number}: l={lon:g}, b={lat:g}, radius={radius:g} is no disc on the sky")
            continue
        discs.append(Disc(lon, lat, radius))
    if problems:
        raise DataError(f"{path}: " + "; ".join(problems))
    return tuple(discs)


def covered(longitude: Array, latitude: Array, discs: tuple[Disc, ...]) -> NDArray[np.bool_]:
    """Whether directions [deg], 1-D, lie in one of the discs."""
    hidden = np.zeros(longitude.shape, dtype=bool)
    for disc in discs:
        near = np.abs(latitude - disc.latitude) <= disc.radius
        if not near.any():
            continue
        away = unit_vector(longitude[near], latitude[near]) @ unit_vector(disc.longitude, disc.latitude)
        hidden[near] |= away > np.cos(np.radians(disc.radius))
    return hidden


def average(
    region: Region,
    intensity: Intensity,
    *,
    tolerance: float = TOLERANCE,
    peaks: ArrayLike = (),
    together: bool = False,
) -> Array:
    """Mean of an intensity over a region by direct quadrature.

    Parameters
    ----------
    region : Region
    intensity : callable            (l, b) [deg], shape (n,) -> (..., n)
    tolerance : float               relative difference of the two rules, of the worst element of the mean
    peaks : array_like, (n, 2)      l and b [deg] of narrow peaks: panels with one are quartered to PEAK first
    together : bool                 the first axis is one of parts; errors are measured against their sum

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    DataError
        if the discs leave nothing of the region.
    """
    peaks = np.asarray(peaks, dtype=float).reshape(-1, 2)
    panels = _first_panels(region)
    total, solid_angle = None, 0.0
    for depth in range(DEPTH + 1):
        values = [intensity(*panel.directions) for panel in panels]
        sums = np.stack([v @ p.weights.ravel() for v, p in zip(values, panels, strict=True)])
        error = np.stack([_error(v, p) for v, p in zip(values, panels, strict=True)])
        scale = sums.sum(axis=0) + (0.0 if total is None else total[1])
        scale = scale.sum(axis=0, keepdims=True) if together else scale
        allowed = tolerance * np.abs(scale) / max(4.0, len(panels))
        again = []
        for panel, value, plain, bad in zip(panels, values, sums, error > allowed, strict=True):
            if (bad.any() or panel.must_be_quartered(peaks)) and depth < DEPTH:
                again += panel.quarters()
                continue
            weights = _weights(panel, region.discs) if region.discs else panel.weights
            solid_angle += float(weights.sum())
            part = value @ weights.ravel()
            total = (part, plain) if total is None else (total[0] + part, total[1] + plain)
        panels = again
        if not panels:
            break
    if total is None or solid_angle <= 1e-6 * region.box_solid_angle:
        raise DataError(f"region {quoted(region.name)}: the discs leave nothing of it")
    return np.asarray(total[0] / solid_angle)


@dataclass(frozen=True, slots=True)
class _Panel:
    """A box small enough for one product rule: limits in l and b [deg]."""

    longitude: tuple[float, float]
    latitude: tuple[float, float]

    def axes(self) -> tuple[Array, Array]:
        """The 15 longitudes and 15 latitudes [deg]."""
        return tuple(  # type: ignore[return-value]
            0.5 * (low + high) + 0.5 * (high - low) * NODES for low, high in (self.longitude, self.latitude)
        )

    @property
    def directions(self) -> tuple[Array, Array]:
        """All l and b of the panel, shape (225,) each [deg]."""
        lon, lat = np.meshgrid(*self.axes(), indexing="ij")
        return lon.ravel(), lat.ravel()

    def rule(self, in_l: Array, in_b: Array) -> Array:
        """Weights (15, 15) of a product rule [sr]."""
        half_l, half_b = (0.5 * np.radians(b - a) for a, b in (self.longitude, self.latitude))
        return half_l * half_b * np.outer(in_l, in_b * np.cos(np.radians(self.axes()[1])))

    @property
    def weights(self) -> Array:
        """Weights of the 15-point rules."""
        return self.rule(KRONROD, KRONROD)

    def must_be_quartered(self, peaks: Array) -> bool:
        """Whether it is too large for a peak that it holds."""
        (l_low, l_high), (b_low, b_high) = self.longitude, self.latitude
        inside = (peaks[:, 0] - l_low) % 360.0 <= l_high - l_low
        inside &= (peaks[:, 1] >= b_low) & (peaks[:, 1] <= b_high)
        return bool(inside.any()) and max(l_high - l_low, b_high - b_low) > PEAK

    def quarters(self) -> list[_Panel]:
        """Four panels."""
        halves = []
        for low, high in (self.longitude, self.latitude):
            middle = 0.5 * (low + high)
            halves.append(((low, middle), (middle, high)))
        return [_Panel(in_l, in_b) for in_l in halves[0] for in_b in halves[1]]


def _error(values: Array, panel: _Panel) -> Array:
    """Larger difference to the rules that are coarse in l or in b."""
    fine = values @ panel.weights.ravel()
    coarse = [panel.rule(*rules).ravel() for rules in ((GAUSS, KRONROD), (KRONROD, GAUSS))]
    return np.asarray(np.maximum(*(np.abs(values @ weights - fine) for weights in coarse)))


def _first_panels(region: Region) -> list[_Panel]:
    """Panels of the box; cut at l = 0 and b = 0, where the intensity may have a kink or a peak."""
    cuts = []
    for (low, high), longest in zip((region.longitude, region.latitude), PANEL, strict=True):
        special = [x for x in (-360.0, 0.0, 360.0) if low < x < high]
        edges = [low, *special, high]
        points = [low]
        for a, b in pairwise(edges):
            points += list(np.linspace(a, b, int(np.ceil((b - a) / longest)) + 1)[1:])
        cuts.append(list(pairwise(points)))
    return [_Panel(in_l, in_b) for in_l in cuts[0] for in_b in cuts[1]]


def _weights(panel: _Panel, discs: tuple[Disc, ...]) -> Array:
    """Weights (15, 15) [sr] of a panel without its discs."""
    axes, bases = [], []
    for limits, nodes in zip((panel.longitude, panel.latitude), panel.axes(), strict=True):
        n = max(64, int(np.ceil((limits[1] - limits[0]) / RIM)))
        fine = limits[0] + (limits[1] - limits[0]) * (np.arange(n) + 0.5) / n
        axes.append(fine)
        bases.append(_lagrange(fine, nodes) * np.radians((limits[1] - limits[0]) / n))
    lon, lat = np.meshgrid(*axes, indexing="ij")
    hidden = covered(lon.ravel(), lat.ravel(), discs)
    if not hidden.any():
        return panel.weights
    hole = hidden.reshape(lon.shape) * np.cos(np.radians(lat))
    return panel.weights - bases[0].T @ hole @ bases[1]


def _lagrange(x: Array, nodes: Array) -> Array:
    """Lagrange polynomials of the nodes at x, shape (n_x, n_nodes)."""
    scaled = 4.0 / (nodes[-1] - nodes[0])  # keeps the products near one
    gaps = (nodes[:, None] - nodes) * scaled
    np.fill_diagonal(gaps, 1.0)
    away = (x[:, None] - nodes) * scaled
    out = np.empty((x.size, nodes.size))
    for k in range(nodes.size):
        others = np.delete(away, k, axis=1)
        out[:, k] = np.prod(others, axis=1) / np.prod(gaps[k])
    return out

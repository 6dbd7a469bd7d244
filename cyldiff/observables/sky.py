"""Maps of the whole sky in HEALPix pixels (Gorski et al. 2005, ApJ 622, 759), by ``astropy-healpix``.

A pixel holds the mean over its area: where the map bends, its intensity is taken at the centres of 4, then 16,
then 64 parts, until halving their size changes nothing. Pixels are in nested order, in Galactic coordinates.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.errors import DataError
from cyldiff.observables.regions import Intensity, Region

__all__ = ["interpolated", "map_average", "nearest_nside", "pixel_centers", "pixel_fractions", "pixel_means"]

Array = NDArray[np.float64]

#: relative change of a pixel at which it is not divided further
TOLERANCE = 3e-3
#: divisions in two of the side of a pixel, at most
LAST = 3
#: the same around a point source
PEAK = 5
#: directions handed to the intensity at once: many, because those of a mirrored sky are computed once
TOGETHER = 2**17
#: divisions of a pixel on the rim of a region
RIM = 4


def _healpix(nside: int) -> Any:
    try:
        package = import_module("astropy_healpix")
    except ImportError:
        raise DataError(
            'maps of the sky need the package astropy-healpix; install cyldiff with its extra "gamma": '
            'pip install "cyldiff[gamma]"'
        ) from None
    if nside < 1 or nside > 1024 or nside & (nside - 1):
        raise DataError(f"nside {nside}; expected a power of two from 1 to 1024")
    return package.HEALPix(nside=nside, order="nested")


def pixel_centers(nside: int, pixels: NDArray[np.int64] | None = None) -> tuple[Array, Array]:
    """Galactic l and b [deg] of the centres of pixels in nested order; default all.

    Raises
    ------
    DataError
        for an nside that is no power of two, or without ``astropy-healpix``.
    """
    grid = _healpix(nside)
    lon, lat = grid.healpix_to_lonlat(np.arange(grid.npix) if pixels is None else pixels)
    return np.degrees(np.asarray(lon.rad, dtype=float)), np.degrees(np.asarray(lat.rad, dtype=float))


def pixel_means(
    nside: int,
    intensity: Intensity,
    *,
    tolerance: float = TOLERANCE,
    peaks: ArrayLike = (),
    together: bool = False,
) -> Array:
    """Mean intensity of every pixel.

    Parameters
    ----------
    nside : int                 pixels are 12 nside^2
    intensity : callable        (l, b) [deg], shape (n,) -> (..., n)
    tolerance : float           see TOLERANCE; of the worst of the leading elements
    peaks : array_like, (n, 2)  l and b [deg] of narrow peaks: pixels around them are divided PEAK times
    together : bool             the first axis is one of parts; changes are measured against their sum

    Returns
    -------
    ndarray, shape (..., 12 nside^2)
    """
    everywhere = np.arange(12 * nside**2)
    means = _divided(nside, everywhere, 0, intensity)
    unsettled = _uneven(nside, means.sum(axis=0) if together else means, tolerance)
    for level in range(1, LAST + 1):
        if not unsettled.size:
            break
        after = _divided(nside, unsettled, level, intensity)
        scale = after.sum(axis=0, keepdims=True) if together else after
        change = np.abs(after - means[..., unsettled]) > tolerance * np.abs(scale)
        means[..., unsettled] = after
        unsettled = unsettled[change.reshape(-1, unsettled.size).any(axis=0)]
    near = _around(nside, np.asarray(peaks, dtype=float).reshape(-1, 2))
    if near.size:
        means[..., near] = _divided(nside, near, PEAK, intensity)
    return means


def _around(nside: int, peaks: Array) -> NDArray[np.int64]:
    """Pixels with a peak, and their neighbours."""
    if not len(peaks):
        return np.zeros(0, dtype=np.int64)
    from astropy import units

    grid = _healpix(nside)
    pixels = grid.lonlat_to_healpix(peaks[:, 0] * units.deg, peaks[:, 1] * units.deg)
    with np.errstate(invalid="ignore"):
        every = np.concatenate([pixels, np.asarray(grid.neighbours(pixels)).ravel()])
    return np.unique(every[every >= 0])


def _divided(nside: int, pixels: NDArray[np.int64], level: int, intensity: Intensity) -> Array:
    """Means over 4^level parts of pixels, shape (..., n_pixels)."""
    parts = 4**level
    out: Array | None = None
    block = max(1, TOGETHER // parts)
    for start in range(0, pixels.size, block):
        some = pixels[start : start + block]
        children = (some[:, None] * parts + np.arange(parts)).ravel()
        values = intensity(*pixel_centers(nside * 2**level, children))
        mean = values.reshape(*values.shape[:-1], some.size, parts).mean(axis=-1)
        if out is None:
            out = np.empty((*mean.shape[:-1], pixels.size))
        out[..., start : start + some.size] = mean
    assert out is not None
    return out


def _uneven(nside: int, means: Array, tolerance: float) -> NDArray[np.int64]:
    """Pixels where the map bends: their value is not the mean of those of their neighbours.

    A curvature changes the mean over a pixel by a sixth or so of what it does to the mean of the neighbours.
    """
    pixels = np.arange(means.shape[-1])
    with np.errstate(invalid="ignore"):  # a few pixels have seven neighbours only
        neighbours = np.asarray(_healpix(nside).neighbours(pixels))
    around = np.where(neighbours < 0, pixels, neighbours)
    bend = np.zeros(means.shape[-1])
    for row in means.reshape(-1, means.shape[-1]):
        away = np.abs(row[around].mean(axis=0) - row)
        bend = np.maximum(bend, away / np.where(row > 0.0, row, 1.0))
    return np.flatnonzero(bend > tolerance)


def nearest_nside(step: float) -> int:
    """Power of two whose pixels are twice as wide as `step` [deg] or a little more."""
    return int(2 ** np.clip(np.floor(np.log2(32.0 / step)), 0, 10))


def interpolated(values: Array, longitude: Array, latitude: Array) -> Array:
    """A map (12 nside^2) in nested order between its pixel centres, at l and b [deg] of one shape."""
    from astropy import units

    grid = _healpix(round(np.sqrt(values.size / 12)))
    at = (longitude.ravel() % 360.0) * units.deg, latitude.ravel() * units.deg
    return np.asarray(grid.interpolate_bilinear_lonlat(*at, values)).reshape(longitude.shape)


def pixel_fractions(nside: int, region: Region) -> tuple[NDArray[np.int64], Array]:
    """Pixels that a region touches (nested order), and which share of each it holds."""
    lon, lat = pixel_centers(nside)
    margin = 2.0 * np.degrees(np.sqrt(4.0 * np.pi / (12 * nside**2)))
    (l_low, l_high), (b_low, b_high) = region.longitude, region.latitude
    # near the poles a margin in longitude is no distance: all of them are looked at
    wide = margin / np.maximum(np.cos(np.radians(lat)), 1e-3)
    near = (lat >= b_low - margin) & (lat <= b_high + margin)
    near &= ((lon - l_low + wide) % 360.0 <= l_high - l_low + 2.0 * wide) | (
        l_high - l_low + 2.0 * wide >= 360.0
    )
    pixels = np.flatnonzero(near)
    parts = 4**RIM
    children = (pixels[:, None] * parts + np.arange(parts)).ravel()
    inside = region.contains(*pixel_centers(nside * 2**RIM, children))
    share = inside.reshape(pixels.size, parts).mean(axis=1)
    return pixels[share > 0.0], share[share > 0.0]


def map_average(values: Array, region: Region) -> Array:
    """Mean over a region of a map (..., 12 nside^2) in nested order, pixels counted by their share.

    Raises
    ------
    DataError
        if nothing of the region is left.
    """
    nside = round(np.sqrt(values.shape[-1] / 12))
    pixels, share = pixel_fractions(nside, region)
    if not share.sum() > 0.0:
        raise DataError(f'region "{region.name}": nothing of it is left')
    return np.asarray(values[..., pixels] @ share / share.sum())

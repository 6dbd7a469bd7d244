"""Where the closed forms of point sources are doubtful: flags for each source and energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cyldiff.config.schema import Halo
from cyldiff.constants import SPEED_OF_LIGHT
from cyldiff.sources.segments import Segments
from cyldiff.sources.superposition import PointPropagation

__all__ = ["BALLISTIC", "FLAGS", "validity"]

Array = NDArray[np.float64]

#: bit -> meaning (CF conventions: words without blanks)
FLAGS = {
    1: "beyond_the_horizon",
    2: "few_scatterings",
    4: "halo_would_matter",
    8: "edge_would_matter",
}
#: scatterings, 3 D / c^2 apart, below which particles have not forgotten their direction
BALLISTIC = 10.0


def validity(
    segments: Segments, count: int, observer: Array, travel: PointPropagation, halo: Halo
) -> NDArray[np.int8]:
    """Flags of each source at one place, shape (count, n_e); 0 where nothing is in doubt.

    ``t`` is the age of typical particles: that of a burst; of a source that was on, d^2 / 6 D within its time.

    1 : d > beta c t of the oldest particles; nothing has arrived, the intensity is zero
    2 : t < 10 x 3 D / c^2: they have scattered less than ten times
    4 : free space was asked for, and sqrt(4 D t) > H
    8 : the edge was left out, and sqrt(4 D min(t, H^2 / D)) reaches it from the source or from the observer
    """
    d = np.sqrt(np.sum((segments.position - observer) ** 2, axis=-1))
    oldest, youngest, far = np.zeros(count), np.full(count, np.inf), np.zeros(count)
    edge = np.full(count, halo.radius - float(np.hypot(observer[0], observer[1])))
    np.maximum.at(oldest, segments.source, segments.oldest)
    np.minimum.at(youngest, segments.source, segments.youngest)
    np.maximum.at(far, segments.source, d)
    np.minimum.at(
        edge, segments.source, halo.radius - np.hypot(segments.position[:, 0], segments.position[:, 1])
    )
    D = travel.diffusion[None, :]
    t = np.clip(far[:, None] ** 2 / (6.0 * D), youngest[:, None], oldest[:, None])
    spread = np.sqrt(4.0 * D * t)
    inside = np.minimum(spread, 2.0 * halo.half_height)
    flags = np.where(far[:, None] > travel.speed[None, :] * oldest[:, None], 1, 0)
    flags |= np.where(t < BALLISTIC * 3.0 * D / SPEED_OF_LIGHT**2, 2, 0)
    if travel.half_height is None:
        flags |= np.where(spread > halo.half_height, 4, 0)
    if travel.edge is None:
        flags |= np.where(inside > edge[:, None], 8, 0)
    return flags.astype(np.int8)

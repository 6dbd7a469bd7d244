"""Measured points with their errors, times a power of the abscissa."""

from __future__ import annotations

from typing import Any

import numpy as np

from cyldiff.data.measurements import Measurement
from cyldiff.plot import style

__all__ = ["draw_points"]


def draw_points(
    ax: Any, m: Measurement, rank: int, *, power: float, colour: str | None = None, hollow: bool = False
) -> None:
    """Draw a measurement without its limits; the colour is that of the experiment unless another is given."""
    use = ~m.upper_limit
    scale = m.x[use] ** power
    ax.errorbar(
        m.x[use],
        m.y[use] * scale,
        yerr=np.array([m.sigma_minus[use], m.sigma_plus[use]]) * scale,
        fmt=style.marker_of(m.experiment, rank),
        color=style.colour_of(m.experiment, rank) if colour is None else colour,
        ms=4.0,
        mfc="white" if hollow else None,
        elinewidth=0.7 if hollow else 1.0,
        lw=0,
        mew=0.8 if hollow else 0.0,
        label=f"{m.experiment}, measured",
        zorder=5,
    )

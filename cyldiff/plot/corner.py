"""The posterior of all parameters in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cyldiff.plot import style

__all__ = ["draw_corner"]

Array = NDArray[np.float64]

#: probability inside two-dimensional contours of 1 and 2 sigma
LEVELS = (0.3935, 0.8647)


def draw_corner(draws: Array, weight: Array, best: Array, *, labels: Sequence[str], path: Path) -> Figure:
    """Draw one- and two-dimensional distributions with their medians, 68 % intervals and the best fit.

    Parameters
    ----------
    draws, weight : shape (n_draws, n) and (n_draws,)
    best : shape (n,), marked with lines
    labels : of the parameters, with their units
    """
    import corner

    n = draws.shape[1]
    # what does not vary has no distribution
    spread = np.ptp(draws, axis=0)
    ranges = [
        (float(low), float(high)) if width > 0.0 else (float(low) - 0.5, float(low) + 0.5)
        for low, high, width in zip(draws.min(axis=0), draws.max(axis=0), spread, strict=True)
    ]
    with rc_context(style.RC):
        figure = Figure(figsize=(1.2 + 2.0 * n, 1.2 + 2.0 * n))
        corner.corner(
            draws, weights=weight, labels=list(labels), truths=list(best), quantiles=[0.1587, 0.5, 0.8413],
            levels=LEVELS, range=ranges, plot_datapoints=False, fill_contours=True, smooth=0.8, fig=figure,
            truth_color=style.VERMILLION, label_kwargs={"fontsize": 13.0}, max_n_ticks=3, labelpad=0.06,
        )  # fmt: skip
        for axes in figure.axes:
            axes.tick_params(labelsize=11.0)
        figure.savefig(path)
    return figure

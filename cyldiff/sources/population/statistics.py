"""How a flux is spread over realisations: quantiles and extremes first, a mean only with what it rests on.

Near a source the flux rises without bound, so the distribution of a sum over random sources has a power-law
tail, P(> F) ~ F^-a. For a <= 2 the variance is infinite: a standard deviation of a sample says nothing, and a
sample mean is ruled by its few largest members. Both are shown here: the tail index a by Hill's estimator
(Hill 1975, Ann. Stat. 3, 1163) and the part of the mean that the largest hundredth carries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["QUANTILES", "Spread", "largest_share", "spread_of", "tail_index"]

Array = NDArray[np.float64]

#: median, 68 % and 95 % of the realisations
QUANTILES = (0.025, 0.16, 0.5, 0.84, 0.975)
#: part of the realisations in the tail, and the smallest number of them
_TAIL, _FEWEST = 0.01, 10


@dataclass(frozen=True, slots=True)
class Spread:
    """Statistics over the first axis of an array; shapes are those of its other axes.

    Attributes
    ----------
    quantiles : shape (5, ...), at QUANTILES
    minimum, maximum, mean : of the sample
    largest_share : part of the mean from the largest hundredth of the realisations
    tail_index, tail_error : Hill's estimate from the same, and its statistical error; NaN for too few
    """

    quantiles: Array
    minimum: Array
    maximum: Array
    mean: Array
    largest_share: Array
    tail_index: Array
    tail_error: Array


def spread_of(sample: Array) -> Spread:
    """Statistics of realisations, first axis."""
    ordered = np.sort(sample, axis=0)
    index, error = _hill(ordered)
    return Spread(
        quantiles=np.quantile(ordered, QUANTILES, axis=0),
        minimum=ordered[0],
        maximum=ordered[-1],
        mean=ordered.mean(axis=0),
        largest_share=_largest(ordered),
        tail_index=index,
        tail_error=error,
    )


def tail_index(sample: Array) -> tuple[Array, Array]:
    """Hill's estimate of a in P(> F) ~ F^-a from the largest hundredth (at least ten), and its error.

    a = k / sum_i ln(F_i / F_k+1) over the k largest, with the error a / sqrt(k). NaN if there are fewer than
    twenty realisations, or fluxes of zero among the largest.
    """
    return _hill(np.sort(sample, axis=0))


def largest_share(sample: Array) -> Array:
    """Part of the sum that the largest hundredth (at least one) of the realisations carries."""
    return _largest(np.sort(sample, axis=0))


def _hill(ordered: Array) -> tuple[Array, Array]:
    n = len(ordered)
    k = max(_FEWEST, round(_TAIL * n))
    if n < 2 * k:
        nothing = np.full(ordered.shape[1:], np.nan)
        return nothing, nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        index = k / np.sum(np.log(ordered[n - k :] / ordered[n - k - 1]), axis=0)
    index = np.where(np.isfinite(index), index, np.nan)
    return index, index / np.sqrt(k)


def _largest(ordered: Array) -> Array:
    k = max(1, round(_TAIL * len(ordered)))
    with np.errstate(invalid="ignore"):
        return ordered[-k:].sum(axis=0) / ordered.sum(axis=0)

"""Where a run in time stands, and what its last steps tell about the error of the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["DAMPED", "FADED", "FAINT", "Moment", "Progress"]

Array = NDArray[np.float64]

DAMPED = 4  #: backward Euler steps after a switch
#: a momentum that has fallen to this part of its largest density has faded away
FADED = 1e-8
#: part of the largest weighted density that counts as nothing, where momenta have weights
FAINT = 1e-6

#: time and fields
Moment = tuple[float, Sequence[Array]]


class Progress:
    """Fields at a time, and what is known of those before: for the error estimate.

    largest : per field and momentum, updated in place
    weight : importance of the momenta, see :class:`Stepper`
    """

    def __init__(
        self, time: float, fields: Sequence[Array], largest: list[Array], weight: Array | None = None
    ) -> None:
        self.time, self.fields, self.stop, self.weight = time, fields, time, weight
        self.history: list[Moment] = []
        self.largest = largest
        for top, u in zip(largest, fields, strict=True):
            np.maximum(top, _largest(u), out=top)
        self.restart(0.0)

    def restart(self, step: float) -> None:
        """After a switch nothing before it tells about what follows."""
        self.fresh, self.taken = True, 0
        self.next_step = step

    def implicitness(self, tolerance: float) -> list[Array]:
        """Theta: Crank-Nicolson, but backward Euler where little is left or changes.

        Where a step changes a momentum by less than the tolerance, backward Euler errs by no more than half
        the tolerance times all that happens in such steps.
        """
        theta = []
        for i, (u, top) in enumerate(zip(self.fields, self.largest, strict=True)):
            now, change = _largest(u), _largest(u - self.history[-2][1][i])
            theta.append(np.where((now > FADED * top) & (change > tolerance * now), 0.5, 1.0))
        return theta

    def error(self, time: float, new: Sequence[Array]) -> float:
        """Local error of Crank-Nicolson: dt^3/12 U''', from the third divided difference with the history."""
        moments = [*self.history, (time, new)]
        times = [t for t, _ in moments]
        weights = [1.0 / float(np.prod([a - b for b in times if b != a])) for a in times]
        # the third derivative is six times the divided difference
        return self._relative(moments, weights, 0.5 * (time - self.time) ** 3)

    def damped_error(self, path: Sequence[Moment]) -> float:
        """Local error of the backward Euler steps: part^2/2 U'' each, from the last second difference.

        The earlier ones would count what is damped since.
        """
        return self._relative(path[-3:], [1.0, -2.0, 1.0], 0.5 * DAMPED)

    def _relative(self, moments: Sequence[Moment], weights: Sequence[float], factor: float) -> float:
        """Largest of factor |sum of weights * fields|, at every momentum relative to the largest density.

        Where it grows, that is the density that it would reach at the next stop: what has just been
        switched on grows like a power of time, and would never be known relative to itself.
        """
        worst = 0.0
        (before, old), (time, new) = moments[-2:]
        ahead = (self.stop - time) / (time - before)
        for i, top in enumerate(self.largest):
            total = sum(w * fields[i] for w, (_, fields) in zip(weights, moments, strict=True))
            now = _largest(new[i])
            alive = (now > FADED * top) & (now > 1e-280)
            if self.weight is not None:
                alive &= now * self.weight > FAINT * np.max(now * self.weight)
            scale = now + np.maximum(now - _largest(old[i]), 0.0) * ahead
            relative = factor * _largest(np.asarray(total))[alive] / scale[alive]
            worst = max(worst, float(np.max(relative, initial=0.0)))
        return worst

    def accept(self, path: Sequence[Moment]) -> None:
        """Take the step."""
        if self.fresh:
            self.history = list(path[-3:])
            self.fresh = False
        else:
            self.history = [*self.history[-2:], *path]
        self.taken += 1
        self.time, self.fields = path[-1]
        for top, u in zip(self.largest, self.fields, strict=True):
            np.maximum(top, _largest(u), out=top)


def _largest(u: Array) -> Array:
    return np.asarray(np.maximum(u.max(axis=tuple(range(1, u.ndim))), -u.min(axis=tuple(range(1, u.ndim)))))

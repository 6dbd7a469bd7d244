"""Chi-square with some fast parameters at their best values, which no minimiser or sampler then has to find.

    chi2(x) = min over y of chi2(x, y),      dchi2/dx = partial dchi2/dx at the best y    (envelope theorem)

The inner minimum is that of a sum of squares whose terms cost no solve; where these are linear in y it is
found in one step. The search starts from the same y every time, so that chi2(x) depends on x alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from cyldiff.errors import ConvergenceError
from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.parameters import Parameter, Values, limits_of, starts_of

__all__ = ["Profiled"]

Array = NDArray[np.float64]

#: relative changes of chi-square and of the parameters, and a gradient, at which the inner search ends
CLOSE = 1e-13


class Profiled:
    """A likelihood as a function of the parameters that are not profiled; an :class:`Objective`.

    Attributes
    ----------
    whole : the likelihood of all parameters
    parameters, inner : those outside and those profiled
    """

    def __init__(self, whole: Likelihood) -> None:
        self.whole = whole
        self._inner = np.array([p.profile for p in whole.parameters], dtype=bool)
        self.parameters: tuple[Parameter, ...] = tuple(p for p in whole.parameters if not p.profile)
        self.inner: tuple[Parameter, ...] = tuple(p for p in whole.parameters if p.profile)
        self._last: tuple[bytes, Array] | None = None

    @property
    def no_gradient(self) -> str:
        """As that of the likelihood."""
        return self.whole.no_gradient

    def __call__(self, values: Values) -> float:
        """Chi-square at the best values of the profiled parameters.

        Raises
        ------
        CyldiffError
            if the model cannot be solved there, or the inner search does not end.
        """
        return self.whole(self.complete(values))

    def gradient(self, values: Values) -> Array:
        """Derivatives for the parameters that are not profiled, shape (n,)."""
        return self.whole.gradient(self.complete(values))[~self._inner]

    def outer(self, complete: Values) -> Array:
        """From the values of all parameters to those that are not profiled."""
        return np.asarray(complete, dtype=float)[~self._inner]

    def complete(self, values: Values) -> Array:
        """Values of all parameters, the profiled ones at their best."""
        result = np.empty(len(self._inner))
        result[~self._inner] = values
        key = result[~self._inner].tobytes()
        if self._last is None or self._last[0] != key:
            self._last = (key, self._best(result))
        return self._last[1].copy()

    def _best(self, values: Array) -> Array:
        """Gauss-Newton with bounds on the residuals."""
        low, high = limits_of(self.inner)
        scale = np.array([p.scale for p in self.inner])

        def residuals(y: Array) -> Array:
            values[self._inner] = y
            return self.whole.residuals(values)

        found = least_squares(
            residuals, starts_of(self.inner), jac="3-point", bounds=(low, high), x_scale=scale,
            ftol=CLOSE, xtol=CLOSE, gtol=CLOSE,
        )  # fmt: skip
        if found.status <= 0:
            names = ", ".join(p.name for p in self.inner)
            raise ConvergenceError(f"no best values of the profiled parameters {names}: {found.message}")
        values[self._inner] = found.x
        return values

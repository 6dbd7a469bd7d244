"""Electrons that a source injects at a constant rate and that cool where they are.

Without escape dN/dt = Q + d(b N)/dT with the losses b = -dT/dt. Injected since a time t,

    exact:     N(T, t) = (1/b) int_T^{T_s} Q dT',   T_s the energy from which T is reached in the time t
    steady:    N(T) = (1/b) int_T^inf Q dT'         t = infinity
    minimum:   N(T) = Q min(T/b, t)                 the estimate of many papers (LHAASO 2024, Methods)

For a power law Q ~ T^-s and b ~ T^2 the estimate is (s - 1) times the steady state where cooling is fast, more near a
cut-off, and agrees with the exact solution where it is slow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cyldiff.sources.cooling import Cooling, electron
from cyldiff.transport.lepton_losses import Medium, energy_loss

__all__ = ["METHODS", "CoolingMethod", "cooled_electrons"]

Array = NDArray[np.float64]
CoolingMethod = Literal["exact", "steady", "minimum"]
METHODS = ("exact", "steady", "minimum")

#: panels of the integral over ln T' and Gauss-Legendre points per panel
_PANELS, _POINTS = 48, 6
#: energies per decade of the table of cooling times
_PER_DECADE = 64
#: part of its energy that an electron has lost, below which ln(T_s / T) is that part
_SLIGHT = 1e-5


def cooled_electrons(
    kinetic_energy: Array,
    injection: Callable[[Array], Array],
    *,
    medium: Medium,
    age: float,
    method: CoolingMethod = "exact",
) -> Array:
    """Electrons of a source that is on since `age`.

    Parameters
    ----------
    kinetic_energy : T, increasing, shape (n,) [GeV]; nothing is injected above the last one
    injection : Q(T) for T of any shape [GeV^-1 Myr^-1]
    medium : what they lose energy in, uniform
    age : [Myr]
    method : "exact", "steady" or "minimum"

    Returns
    -------
    ndarray, shape (n,)      N(T) [GeV^-1]

    Raises
    ------
    ValueError
        if the losses are not positive.
    """
    t = np.asarray(kinetic_energy, dtype=float)
    loss = energy_loss(electron(t), medium)
    if not np.all(loss > 0.0):
        raise ValueError("electrons lose no energy there; give a magnetic field or radiation")
    if method == "minimum":
        return injection(t) * np.minimum(t / loss, age)
    rise = np.log(t[-1] / t)
    if method == "exact":
        # what has hardly cooled would be lost in the rounding of T_s / T
        first = age * loss / t
        rise = np.minimum(rise, np.where(first < _SLIGHT, first, _rise(t, medium, age)))
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    place = ((np.arange(_PANELS)[:, None] + 0.5 * (1.0 + nodes)) / _PANELS).ravel()
    energy = t[:, None] * np.exp(rise[:, None] * place)
    total = np.sum(injection(energy) * energy * np.tile(0.5 * weights / _PANELS, _PANELS), axis=1)
    return total * rise / loss


def _rise(t: Array, medium: Medium, age: float) -> Array:
    """ln(T_s / T) after the time; infinite if it would have been injected above the table."""
    cooling = Cooling.build(
        lambda energy: energy_loss(electron(energy), medium),
        np.ones_like,
        minimum=float(t[0]),
        maximum=float(t[-1]),
        per_decade=_PER_DECADE,
    )
    source, _, _ = cooling.look_back(np.clip(t, t[0], cooling.maximum), age)
    return np.log(source / t)

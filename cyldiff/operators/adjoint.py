"""The adjoint of the operator, in a form that every solver of the operator takes.

With the inner product ``<a, b> = sum a b V dlnp`` the adjoint A* obeys ``<a, A b> = <A* a, b>``. If
``A* R = o`` with an observable o, then ``<o, U> = <R, Q>`` for every source Q with A U = Q: R is the
response of the observable to one particle injected per Myr. Diffusion is its own adjoint; a wind turns
round; what moved down in momentum moves up. With the momenta in reverse order the adjoint therefore
couples the same neighbours as the operator, losses march down from the first row again, and sweeps,
Krylov safety net, Fourier modes and time steps apply as they are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cyldiff.grid import per_momentum
from cyldiff.operators.operator import AxisTerm, TransportOperator

__all__ = ["adjoint", "at_momenta", "scaled", "without_momentum"]

Array = NDArray[np.float64]

#: what leaves is not accounted for
_NO_ESCAPE = (np.zeros(1), np.zeros(1))


def adjoint(operator: TransportOperator) -> TransportOperator:
    """A* of a whole grid, its rows in reverse order of momentum: the highest momentum comes first.

    `outflow` has no meaning for it and is zero.
    """
    grid, width = operator.grid, operator.width[::-1]
    if any(axis.beyond != (None, None) for axis in grid.axes):
        raise ValueError("the adjoint needs the whole grid, not a part of it")
    bands = operator.reacceleration
    return replace(
        operator,
        grid=replace(grid, kinetic_energy=grid.kinetic_energy[::-1]),
        space={a.name: _turned_term(operator, number) for number, a in enumerate(grid.axes, start=1)},
        momentum={k: _turned_band(gain, k, width) for k, gain in operator.momentum.items()},
        diagonal=_reversed(operator.diagonal),
        loss_rate=_reversed(operator.loss_rate),
        sink_rate=_reversed(operator.sink_rate),
        reacceleration=None if bands is None else {k: _turned_band(b, k, width) for k, b in bands.items()},
        D_center=_reversed(operator.D_center),
        width=width.copy(),
        bottom=np.zeros_like(operator.bottom),
        upward=not operator.upward,
    )


def _reversed(field: Array) -> Array:
    return np.ascontiguousarray(field[::-1])


def _turned_band(gain: Array, offset: int, width: Array) -> Array:
    """Gains of row k from k + offset in reverse order: what row k + offset of the operator gave to k."""
    if offset == 0:
        return _reversed(gain)
    turned, n = np.zeros_like(gain), len(width)
    here = slice(max(-offset, 0), n - max(offset, 0))
    there = slice(max(offset, 0), n + min(offset, 0))
    turned[here] = gain[::-1][there] * per_momentum(width[there] / width[here], gain.ndim - 1)
    return turned


def _turned_term(operator: TransportOperator, number: int) -> AxisTerm:
    """What a cell gives to its neighbours becomes what it receives from them, per volume."""
    axis = operator.grid.axes[number - 1]
    term, volume = operator.space[axis.name], operator.grid.volume
    lower, upper = _reversed(term.lower), _reversed(term.upper)
    given_up, given_down = (
        np.roll(gain * volume, step, axis=number) / volume for gain, step in ((upper, 1), (lower, -1))
    )
    # at an end without neighbour the gains are zero, so that what was rolled round is too
    return AxisTerm(lower=given_up, upper=given_down, diagonal=_reversed(term.diagonal), escape=_NO_ESCAPE)


def without_momentum(operator: TransportOperator) -> TransportOperator:
    """The operator without any motion in momentum: every momentum is a problem of its own."""
    space: Array = np.asarray(sum(term.diagonal for term in operator.space.values()))
    return replace(
        operator,
        momentum={k: np.zeros_like(gain) for k, gain in operator.momentum.items()},
        diagonal=space + operator.sink_rate,
        loss_rate=np.zeros_like(operator.loss_rate),
        reacceleration=None,
        bottom=np.zeros_like(operator.bottom),
    )


def at_momenta(operator: TransportOperator, first: int, last: int) -> TransportOperator:
    """Rows `first` to `last` - 1 alone, without what they give to other momenta and get from them.

    Escape is not accounted for.
    """
    rows, n = slice(first, last), last - first
    bands = operator.reacceleration

    def cut(gains: dict[int, Array]) -> dict[int, Array]:
        part = {k: gain[rows].copy() for k, gain in gains.items()}
        for offset, gain in part.items():
            gain[: max(-offset, 0)] = 0.0
            gain[max(n - max(offset, 0), 0) :] = 0.0
        return part

    return replace(
        operator,
        grid=replace(operator.grid, kinetic_energy=operator.grid.kinetic_energy[rows]),
        space={
            name: AxisTerm(t.lower[rows], t.upper[rows], t.diagonal[rows], _NO_ESCAPE)
            for name, t in operator.space.items()
        },
        momentum=cut(operator.momentum),
        diagonal=operator.diagonal[rows],
        loss_rate=operator.loss_rate[rows],
        sink_rate=operator.sink_rate[rows],
        reacceleration=None if bands is None else cut(bands),
        D_center=operator.D_center[rows],
        width=operator.width[rows],
        bottom=np.zeros_like(operator.bottom),
    )


def scaled(operator: TransportOperator, factor: Array) -> TransportOperator:
    """Multiply A with one factor per momentum, so that time runs in units of it.

    Different factors have a meaning only where nothing moves in momentum. Escape is not accounted for.
    """
    column = per_momentum(factor, len(operator.grid.axes))
    bands = operator.reacceleration
    return replace(
        operator,
        space={
            name: AxisTerm(t.lower * column, t.upper * column, t.diagonal * column, _NO_ESCAPE)
            for name, t in operator.space.items()
        },
        momentum={k: gain * column for k, gain in operator.momentum.items()},
        diagonal=operator.diagonal * column,
        loss_rate=operator.loss_rate * column,
        sink_rate=operator.sink_rate * column,
        reacceleration=None if bands is None else {k: band * column for k, band in bands.items()},
        D_center=operator.D_center * column,
        bottom=np.zeros_like(operator.bottom),
    )

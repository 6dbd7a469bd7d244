"""The one operator that every solver sees: a diagonal, gains from neighbours per axis.

``A U = Q`` with ``(A U)[c] = diagonal[c] U[c] - sum gains * U[neighbours]`` in every cell c of
(p, r, z). Built from finite-volume fluxes, so the volume-weighted column sums contain nothing
but sinks and the flow through the outer boundary.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cyldiff.grid import Axis, Grid
from cyldiff.operators.schemes import bernoulli, chang_cooper_flux, face_weights
from cyldiff.transport.coefficients import TransportCoefficients

__all__ = ["AxisTerm", "TransportOperator"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AxisTerm:
    """Transport along one spatial axis.

    Attributes
    ----------
    lower, upper : gains from the neighbour below and above; zero at the ends, (n_p, n_r, n_z) [1/Myr]
    diagonal : losses through both faces [1/Myr]
    escape : the part of the losses that leaves the box, (low side, high side), one entry less in
        dimension; [1/Myr]
    """

    lower: Array
    upper: Array
    diagonal: Array
    escape: tuple[Array, Array]


@dataclass(frozen=True)
class TransportOperator:
    """Finite-volume operator of one nuclide for U = p psi (number density per ln p).

    Attributes
    ----------
    grid : Grid
    space : dict axis name -> AxisTerm
    momentum : dict offset -> ndarray     gains of row k from row k + offset, offsets -1, 1, 2
    diagonal : ndarray                    complete diagonal, (n_p, n_r, n_z) [1/Myr]
    loss_rate, sink_rate, reacceleration  parts of it that solvers precondition with
    D_center : ndarray                    local time scale for pseudo-time steps [kpc^2/Myr]
    """

    grid: Grid
    scheme: str
    space: dict[str, AxisTerm]
    momentum: dict[int, Array]
    diagonal: Array
    loss_rate: Array
    sink_rate: Array
    reacceleration: dict[int, Array] | None
    D_center: Array
    width: Array
    bottom: Array = field(repr=False)

    @classmethod
    def build(
        cls, grid: Grid, coefficients: TransportCoefficients, *, scheme: str = "third-order"
    ) -> TransportOperator:
        """Assemble the operator; `scheme` is the momentum flux, see :mod:`cyldiff.operators.schemes`."""
        c = coefficients
        space = {
            axis.name: _axis_term(grid, number, axis, c.D_face[axis.name], c.V_face.get(axis.name))
            for number, axis in enumerate(grid.axes, start=1)
        }
        loss = np.ascontiguousarray(np.broadcast_to(c.loss_rate, grid.shape))
        gains, diagonal, bottom = _momentum_losses(loss, c.log_momentum_width, scheme)
        diffusion = None
        if c.reacceleration_face is not None:
            diffusion = _momentum_diffusion(c, loss, "third-order")
            fitted = _momentum_diffusion(c, loss, scheme) if scheme == "chang-cooper" else diffusion
            gains = {k: gains[k] + fitted[k] if k in fitted else gains[k] for k in gains}
            diagonal = diagonal + fitted[0]
        sink = np.broadcast_to(c.sink_rate, grid.shape)
        total = diagonal + sink + sum(term.diagonal for term in space.values())
        return cls(
            grid=grid,
            scheme=scheme,
            space=space,
            momentum=gains,
            diagonal=total,
            loss_rate=loss,
            sink_rate=np.ascontiguousarray(sink),
            reacceleration=diffusion,
            D_center=np.broadcast_to(c.D_center, grid.shape),
            width=c.log_momentum_width,
            bottom=bottom,
        )

    def momentum_gain(self, x: Array) -> Array:
        """What every cell receives from neighbouring momenta [1/Myr]."""
        gain = np.zeros_like(x)
        for offset, coefficient in self.momentum.items():
            here, there = _shifted(offset, 0, x.ndim)
            gain[here] += coefficient[here] * x[there]
        return gain

    def apply(self, x: Array) -> Array:
        """A x, shape (n_p, n_r, n_z)."""
        result = self.diagonal * x - self.momentum_gain(x)
        for number, axis in enumerate(self.grid.axes, start=1):
            term = self.space[axis.name]
            for offset, coefficient in ((-1, term.lower), (1, term.upper)):
                here, there = _shifted(offset, number, x.ndim)
                result[here] -= coefficient[here] * x[there]
        return result

    def outflow(self, x: Array) -> dict[str, float]:
        """Number per time that leaves the box through each side, summed over momenta.

        Volume-weighted and integrated over ln p: in units of ``U * kpc^3 / Myr``.
        """
        weight = self.width[:, None, None] * self.grid.volume[None]
        content = x * weight
        flows: dict[str, float] = {}
        for number, axis in enumerate(self.grid.axes, start=1):
            low, high = self.space[axis.name].escape
            flows[f"{axis.name}_low"] = float(np.sum(low * content.take(0, axis=number)))
            flows[f"{axis.name}_high"] = float(np.sum(high * content.take(-1, axis=number)))
        through_bottom = np.einsum("krz,krz->rz", self.bottom, x[: len(self.bottom)])
        flows["p_low"] = float(np.sum(through_bottom * self.grid.volume))
        return flows

    def to_csr(self) -> sparse.csr_array:
        """The same operator as a sparse matrix on ``x.ravel()``."""
        shape = self.grid.shape
        size = int(np.prod(shape))
        index = np.arange(size).reshape(shape)
        rows, columns, values = [index.ravel()], [index.ravel()], [self.diagonal.ravel()]

        def add(axis: int, offset: int, gain: Array) -> None:
            here, there = _shifted(offset, axis, len(shape))
            rows.append(index[here].ravel())
            columns.append(index[there].ravel())
            values.append(-np.broadcast_to(gain, shape)[here].ravel())

        for offset, coefficient in self.momentum.items():
            add(0, offset, coefficient)
        for number, axis in enumerate(self.grid.axes, start=1):
            add(number, -1, self.space[axis.name].lower)
            add(number, 1, self.space[axis.name].upper)
        triple = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return sparse.coo_array(triple, shape=(size, size)).tocsr()


def _shifted(offset: int, axis: int, ndim: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Index of the cells that have a neighbour at `offset` along `axis`, and of those neighbours."""
    here, there = [slice(None)] * ndim, [slice(None)] * ndim
    here[axis] = slice(0, -offset) if offset > 0 else slice(-offset, None)
    there[axis] = slice(offset, None) if offset > 0 else slice(0, offset)
    return tuple(here), tuple(there)


def _along(values: Array, axis: int) -> Array:
    """View a 1-D array as varying along dimension `axis` of a (p, r, z) field."""
    shape = [1, 1, 1]
    shape[axis] = -1
    return values.reshape(shape)


def _axis_term(grid: Grid, number: int, axis: Axis, D: Array, V: Array | None) -> AxisTerm:
    """Exponentially fitted diffusion-convection flux through the faces of one axis.

    F = (D/h) [B(-w) U_below - B(w) U_above], w = V h / D: second order, exact for constant
    coefficients, and monotone for every cell Peclet number. Outside the box U = 0.
    """
    conductance = grid.face_area(axis.name)[None] * D / _along(axis.spacings, number)
    up, down = conductance, conductance
    if V is not None and np.any(V):
        w = V * _along(np.where(np.isfinite(axis.spacings), axis.spacings, 0.0), number) / D
        up, down = conductance * bernoulli(-w), conductance * bernoulli(w)
    volume = grid.volume[None]
    low = tuple(slice(0, -1) if d == number else slice(None) for d in range(3))
    high = tuple(slice(1, None) if d == number else slice(None) for d in range(3))
    gain_below, gain_above = up[low] / volume, down[high] / volume
    loss_below, loss_above = down[low] / volume, up[high] / volume
    diagonal = np.ascontiguousarray(np.broadcast_to(loss_below + loss_above, grid.shape))
    lower = np.array(np.broadcast_to(gain_below, grid.shape))
    upper = np.array(np.broadcast_to(gain_above, grid.shape))
    first = tuple(0 if d == number else slice(None) for d in range(3))
    last = tuple(-1 if d == number else slice(None) for d in range(3))
    escape = (
        np.broadcast_to(loss_below, grid.shape)[first].copy(),
        np.broadcast_to(loss_above, grid.shape)[last].copy(),
    )
    lower[first] = 0.0
    upper[last] = 0.0
    return AxisTerm(lower=lower, upper=upper, diagonal=diagonal, escape=escape)


def _momentum_losses(loss: Array, width: Array, scheme: str) -> tuple[dict[int, Array], Array, Array]:
    """Gains, diagonal and bottom outflow of the loss flux (b U) in momentum."""
    n_p = len(width)
    w = face_weights(scheme, n_p)
    above = np.zeros((n_p, 3))
    above[:-1] = w[1:]
    inverse = 1.0 / width
    # row k gains flux(k+1) = above . F[k, k+1, k+2] and loses flux(k) = w . F[k-1, k, k+1]
    on_below = -w[:, 0] * inverse
    on_self = (above[:, 0] - w[:, 1]) * inverse
    on_above = (above[:, 1] - w[:, 2]) * inverse
    on_second = above[:, 2] * inverse
    gains = {-1: np.zeros_like(loss), 1: np.zeros_like(loss), 2: np.zeros_like(loss)}
    gains[-1][1:] = on_below[1:, None, None] * loss[:-1]
    gains[1][:-1] = on_above[:-1, None, None] * loss[1:]
    gains[2][:-2] = on_second[:-2, None, None] * loss[2:]
    bottom = w[0, 1:, None, None] * loss[:2]
    return gains, -on_self[:, None, None] * loss, bottom


def _momentum_diffusion(c: TransportCoefficients, loss: Array, scheme: str) -> dict[int, Array]:
    """Gains (-1, 1) and diagonal (0) of reacceleration; no flux through the ends."""
    assert c.reacceleration_face is not None
    g = c.reacceleration_face[1:-1]
    spacing = c.log_momentum_spacing[:, None, None]
    if scheme == "chang-cooper":
        face_loss = 0.5 * (loss[1:] + loss[:-1])
        upper, lower = chang_cooper_flux(face_loss, g, spacing)
        upper = upper - loss[1:]  # the upwind loss flux is already in the loss term
    else:
        # J = g p_f^3 d(U/p^3)/dlnp with p_f the geometric mean of both momenta
        upper = g / spacing * np.exp(-1.5 * spacing)
        lower = g / spacing * np.exp(1.5 * spacing)
    inverse = 1.0 / c.log_momentum_width[:, None, None]
    n_p = len(c.log_momentum_width)
    result = {k: np.zeros((n_p, *g.shape[1:])) for k in (-1, 0, 1)}
    result[1][:-1] = upper * inverse[:-1]
    result[0][:-1] += lower * inverse[:-1]
    result[-1][1:] = lower * inverse[1:]
    result[0][1:] += upper * inverse[1:]
    return result

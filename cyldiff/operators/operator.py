"""The one operator that every solver sees: a diagonal, gains from neighbours per axis.

``A U = Q`` with ``(A U)[c] = diagonal[c] U[c] - sum gains * U[neighbours]`` in every cell c of
(p, r, z). Built from finite-volume fluxes, so the volume-weighted column sums contain nothing
but sinks and the flow through the outer boundary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cyldiff.grid import Grid, per_momentum
from cyldiff.operators.schemes import bernoulli, chang_cooper_flux, drift_weights, face_weights
from cyldiff.transport.coefficients import TransportCoefficients

__all__ = ["AxisTerm", "TransportOperator"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AxisTerm:
    """Transport along one spatial axis.

    Attributes
    ----------
    lower, upper : gains from the neighbour below and above, shape of a field; zero at the ends unless
        the axis is periodic, or was cut there: then from the cell beyond the cut [1/Myr]
    diagonal : losses through both faces [1/Myr]
    escape : the part of the losses that leaves the box, (low side, high side), without this axis;
        zero if it is periodic, and where it was cut [1/Myr]
    """

    lower: Array
    upper: Array
    diagonal: Array
    escape: tuple[Array, Array]

    def below(self, n: int) -> AxisTerm:
        """The term at the lowest `n` momenta."""
        low, high = self.escape
        return AxisTerm(self.lower[:n], self.upper[:n], self.diagonal[:n], (low[:n], high[:n]))


@dataclass(frozen=True)
class TransportOperator:
    """Finite-volume operator of one nuclide for U = p psi (number density per ln p).

    Attributes
    ----------
    grid : Grid
    space : dict axis name -> AxisTerm
    momentum : dict offset -> ndarray     gains of row k from row k + offset, offsets -1, 1, 2
    diagonal : ndarray                    complete diagonal, shape of a field [1/Myr]
    loss_rate, sink_rate, reacceleration  parts of it that solvers precondition with
    D_center : ndarray                    local time scale for pseudo-time steps [kpc^2/Myr]
    separable : bool                      couplings in space over D_center are the same at all momenta
    upward : bool                         an adjoint: rows in reverse order of momentum, see `adjoint`
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
    separable: bool = False
    upward: bool = False

    @classmethod
    def build(
        cls,
        grid: Grid,
        coefficients: TransportCoefficients,
        *,
        scheme: str = "third-order",
        steep: NDArray[np.bool_] | None = None,
    ) -> TransportOperator:
        """Assemble the operator; `scheme` is the momentum flux, see :mod:`cyldiff.operators.schemes`.

        `steep` marks the lower faces of momenta where the spectrum is cut off, everywhere, shape (n_p,), or
        by place, shape of a field.
        """
        c = coefficients
        g = c.reacceleration_face
        has_g = g is not None
        # one block for all fields: the memory comes in large pages, and no field is copied
        fields = iter(np.empty((3 * len(grid.axes) + 4 + 3 * has_g, *grid.shape)))
        space = {
            axis.name: _axis_term(grid, number, c.D_face[axis.name], c.V_face.get(axis.name), fields)
            for number, axis in enumerate(grid.axes, start=1)
        }
        loss = np.ascontiguousarray(np.broadcast_to(c.loss_rate, grid.shape))
        sink = np.ascontiguousarray(np.broadcast_to(c.sink_rate, grid.shape))
        width, n_p = c.log_momentum_width, len(c.log_momentum)
        weights = face_weights(scheme, n_p, steep)
        gains, diagonal, bottom = _momentum_advection(loss, width, weights, fields)
        diffusion = None
        if g is not None:
            diffusion = fitted = _momentum_diffusion(c, loss, "upwind", None, fields)
            if scheme != "upwind":
                fitted = _momentum_diffusion(c, loss, scheme, steep, iter(np.empty((3, *grid.shape))))
            terms = [fitted]
            if scheme == "third-order":
                drift, on_self, _ = _momentum_advection(
                    -3.0 * _on_centers(g), width, drift_weights(n_p, steep), iter(np.empty((4, *grid.shape)))
                )
                terms.append({**drift, 0: on_self})
            for bands in terms:
                diagonal += bands[0]
                for offset in gains.keys() & bands.keys():
                    gains[offset] += bands[offset]
        diagonal += sink
        for term in space.values():
            diagonal += term.diagonal
        return cls(
            grid=grid,
            scheme=scheme,
            space=space,
            momentum=gains,
            diagonal=diagonal,
            loss_rate=loss,
            sink_rate=sink,
            reacceleration=diffusion,
            D_center=np.broadcast_to(c.D_center, grid.shape),
            width=c.log_momentum_width,
            bottom=bottom,
            separable=_is_separable(c),
        )

    def below(self, n: int) -> TransportOperator:
        """The operator of the lowest `n` momenta alone; what goes up from the uppermost is lost."""
        if n == len(self.width):
            return self
        gains = {k: v[:n].copy() for k, v in self.momentum.items()}
        for offset in (1, 2):
            gains[offset][n - offset :] = 0.0
        bands = self.reacceleration
        if bands is not None:
            bands = {k: v[:n].copy() for k, v in bands.items()}
            bands[1][-1] = 0.0
        return replace(
            self,
            grid=replace(self.grid, kinetic_energy=self.grid.kinetic_energy[:n]),
            space={name: term.below(n) for name, term in self.space.items()},
            momentum=gains,
            diagonal=self.diagonal[:n],
            loss_rate=self.loss_rate[:n],
            sink_rate=self.sink_rate[:n],
            reacceleration=bands,
            D_center=self.D_center[:n],
            width=self.width[:n],
        )

    def momentum_gain(self, x: Array) -> Array:
        """What every cell receives from neighbouring momenta [1/Myr]."""
        gain = np.zeros_like(x)
        for offset, coefficient in self.momentum.items():
            here, there = _shifted(offset, 0, x.ndim)
            gain[here] += coefficient[here] * x[there]
        return gain

    def apply(self, x: Array) -> Array:
        """A x, shape of a field; on a part of a grid without the gains from the cells beyond its cuts."""
        result = self.diagonal * x - self.momentum_gain(x)
        for number, axis in enumerate(self.grid.axes, start=1):
            term = self.space[axis.name]
            for offset, coefficient in ((-1, term.lower), (1, term.upper)):
                if axis.periodic:
                    result -= coefficient * np.roll(x, -offset, axis=number)
                    continue
                here, there = _shifted(offset, number, x.ndim)
                result[here] -= coefficient[here] * x[there]
        return result

    def outflow(self, x: Array) -> dict[str, float]:
        """Number per time that leaves the box through each side, summed over momenta.

        Volume-weighted and integrated over ln p: in units of ``U * kpc^3 / Myr``.
        """
        weight = per_momentum(self.width, len(self.grid.axes)) * self.grid.volume
        content = x * weight
        flows: dict[str, float] = {}
        for number, axis in enumerate(self.grid.axes, start=1):
            low, high = self.space[axis.name].escape
            flows[f"{axis.name}_low"] = float(np.sum(low * content.take(0, axis=number)))
            flows[f"{axis.name}_high"] = float(np.sum(high * content.take(-1, axis=number)))
        through_bottom = np.sum(self.bottom * x[: len(self.bottom)], axis=0)
        flows["p_low"] = float(np.sum(through_bottom * self.grid.volume))
        return flows

    def to_csr(self) -> sparse.csr_array:
        """The same operator as a sparse matrix on ``x.ravel()``; as :meth:`apply` on a part of a grid."""
        shape = self.grid.shape
        size = int(np.prod(shape))
        index = np.arange(size).reshape(shape)
        rows, columns, values = [index.ravel()], [index.ravel()], [self.diagonal.ravel()]

        def add(axis: int, offset: int, gain: Array, periodic: bool = False) -> None:
            here, there = _shifted(offset, axis, len(shape))
            target = index[there]
            if periodic:
                here, target = (slice(None),) * len(shape), np.roll(index, -offset, axis=axis)
            rows.append(index[here].ravel())
            columns.append(target.ravel())
            values.append(-np.broadcast_to(gain, shape)[here].ravel())

        for offset, coefficient in self.momentum.items():
            add(0, offset, coefficient)
        for number, axis in enumerate(self.grid.axes, start=1):
            add(number, -1, self.space[axis.name].lower, axis.periodic)
            add(number, 1, self.space[axis.name].upper, axis.periodic)
        triple = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return sparse.coo_array(triple, shape=(size, size)).tocsr()


def _shifted(offset: int, axis: int, ndim: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Index of the cells that have a neighbour at `offset` along `axis`, and of those neighbours."""
    here, there = [slice(None)] * ndim, [slice(None)] * ndim
    here[axis] = slice(0, -offset) if offset > 0 else slice(-offset, None)
    there[axis] = slice(offset, None) if offset > 0 else slice(0, offset)
    return tuple(here), tuple(there)


def _axis_term(grid: Grid, number: int, D: Array, V: Array | None, fields: Iterator[Array]) -> AxisTerm:
    """Exponentially fitted diffusion-convection flux through the faces of one axis.

    F = (D/h) [B(-w) U_below - B(w) U_above], w = V h / D: second order, exact for constant
    coefficients, and monotone for every cell Peclet number. Outside the box U = 0. The arrays of
    the term are taken from `fields`.
    """
    axis = grid.axes[number - 1]
    lower, upper, diagonal = next(fields), next(fields), next(fields)
    spacings = grid.spacing(axis.name)[None]
    up, down = D, D
    if V is not None and np.any(V):
        w = V * np.where(np.isfinite(spacings), spacings, 0.0) / D
        up, down = D * bernoulli(-w), D * bernoulli(w)
    on_faces = tuple(n + (d == number) for d, n in enumerate(grid.shape))
    up, down = np.broadcast_to(up, on_faces), np.broadcast_to(down, on_faces)
    low, high = _shifted(1, number, len(on_faces))[0], _shifted(-1, number, len(on_faces))[0]
    geometry = grid.face_area(axis.name)[None] / spacings
    geometry = np.broadcast_to(geometry, (1, *on_faces[1:]))
    through_low, through_high = geometry[low] / grid.volume, geometry[high] / grid.volume
    loss_above = np.multiply(up[high], through_high, out=upper)
    loss_below = np.multiply(down[low], through_low, out=diagonal)
    first = tuple(0 if d == number else slice(None) for d in range(len(on_faces)))
    last = tuple(-1 if d == number else slice(None) for d in range(len(on_faces)))
    escape = (loss_below[first].copy(), loss_above[last].copy())
    diagonal += loss_above
    np.multiply(down[high], through_high, out=upper)
    np.multiply(up[low], through_low, out=lower)
    # through a periodic end, or one that was cut, particles move on to another cell
    for side, (gain, end) in enumerate(((lower, first), (upper, last))):
        if axis.periodic or axis.beyond[side] is not None:
            escape[side][...] = 0.0
        else:
            gain[end] = 0.0
    return AxisTerm(lower=lower, upper=upper, diagonal=diagonal, escape=escape)


def _is_separable(c: TransportCoefficients) -> bool:
    """Whether D is the same everywhere, up to a constant per axis, and there is no wind."""
    n_p = len(c.log_momentum)
    if any(np.any(V) for V in c.V_face.values()) or c.D_center.size != n_p:
        return False
    ratios = [D.ravel() / c.D_center.ravel() for D in c.D_face.values() if D.size == n_p]
    return len(ratios) == len(c.D_face) and all(np.ptp(x) <= 1e-14 * np.abs(x).max() for x in ratios)


def _on_centers(faces: Array) -> Array:
    """Values in the momentum cells of a power law given on their faces."""
    return np.sqrt(faces[1:] * faces[:-1])


def _momentum_advection(
    rate: Array, width: Array, w: Array, fields: Iterator[Array]
) -> tuple[dict[int, Array], Array, Array]:
    """Gains, diagonal and bottom outflow of the flux ``rate U`` down in momentum, with face weights w.

    Nothing enters at the top.
    """
    n_p, space = len(width), rate.ndim - 1
    above = np.zeros_like(w)
    above[:-1] = w[1:]
    inverse = (1.0 / width).reshape(-1, *[1] * (w.ndim - 2))
    # row k gains flux(k+1) = above . F[k, k+1, k+2] and loses flux(k) = w . F[k-1, k, k+1]
    on = {
        -1: -w[:, 0] * inverse,
        1: (above[:, 1] - w[:, 2]) * inverse,
        2: above[:, 2] * inverse,
    }
    gains = {}
    for offset, factor in on.items():
        gains[offset] = gain = next(fields)
        here, there = _shifted(offset, 0, rate.ndim)
        np.multiply(_on_field(factor[here[0]], space), rate[there], out=gain[here])
        gain[: max(-offset, 0)] = 0.0
        gain[n_p - max(offset, 0) :] = 0.0
    on_self = (w[:, 1] - above[:, 0]) * inverse
    diagonal = np.multiply(_on_field(on_self, space), rate, out=next(fields))
    bottom = _on_field(w[0, 1:], space) * rate[:2]
    return gains, diagonal, bottom


def _on_field(values: Array, space: int) -> Array:
    """Values per momentum, or of a field, ready to multiply a field."""
    return per_momentum(values, space) if values.ndim == 1 else values


def _momentum_diffusion(
    c: TransportCoefficients,
    loss: Array,
    scheme: str,
    steep: NDArray[np.bool_] | None,
    fields: Iterator[Array],
) -> dict[int, Array]:
    """Gains (-1, 1) and diagonal (0) of reacceleration; no flux through the ends.

    * third-order: J = g dU/dlnp, centred; the drift -3 g U is added elsewhere, but not at the uppermost and
      at `steep` faces, which have the flux of upwind;
    * chang-cooper: fitted flux of drift and losses, less the upwind losses;
    * upwind: J = g p_f^3 d(U/p^3)/dlnp with p_f the geometric mean of both momenta. Its matrix is
      monotone: all schemes use it for their lines along p.
    """
    assert c.reacceleration_face is not None
    result = {k: next(fields) for k in (-1, 0, 1)}
    lower, upper, diagonal = result[-1][1:], result[1][:-1], result[0]
    g = c.reacceleration_face[1:-1]
    space = loss.ndim - 1
    spacing = per_momentum(c.log_momentum_spacing, space)
    if scheme == "chang-cooper":
        face_loss = 0.5 * (loss[1:] + loss[:-1])
        upper[...], lower[...] = chang_cooper_flux(face_loss, g, spacing)
        upper -= loss[1:]
    else:
        together = np.ones((len(c.log_momentum) - 1, *(() if steep is None else steep.shape[1:])), dtype=bool)
        if scheme == "third-order":
            together[:-1] = False if steep is None else steep[1:-1]
        drift = 1.5 * spacing * _on_field(together, space)
        np.multiply(g, np.exp(-drift) / spacing, out=upper)
        np.multiply(g, np.exp(drift) / spacing, out=lower)
    inverse = per_momentum(1.0 / c.log_momentum_width, space)
    np.multiply(lower, inverse[:-1], out=diagonal[:-1])
    diagonal[-1] = 0.0
    diagonal[1:] += upper * inverse[1:]
    upper *= inverse[:-1]
    lower *= inverse[1:]
    result[1][-1] = 0.0
    result[-1][0] = 0.0
    return result

"""Numba kernels of the steady solver: they see arrays and numbers only.

Fields are (p, r, z) with z contiguous. ``x`` carries a frame of zeros (one cell in r and z, one
below and two above in p), which removes boundary branches. Coefficients are divided by the local
diffusion coefficient, so that one scalar ``s`` [kpc^2] is the local pseudo-time ``s / D`` of
every cell. They are stored plane by plane, (p, coefficient, r, z); those of the lines along z are
transposed, (p, coefficient, z, r), so that all r are solved at once. Where D depends on space and
momentum in factors only and there is no wind, the couplings in space are the same at every momentum after
the division; then `a` and `b` hold one plane instead of one per momentum, which stays in the cache.

What the compiler needs to use vector instructions here: division without an exception
(``error_model="numpy"``); plain loop indices; no loop that reads one row of an array and writes
another one, since the check that they do not overlap is made for all rows together and fails. The
line solver therefore hands the previous row on in ``carry``. Tiles that are written and read back
in one plane should come from `aligned_zeros`, with rows of `padded` length: a vector that crosses
a cache line costs half of the speed of a line solve.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["aligned_zeros", "padded", "residual_norms", "scale", "sweep"]

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": True, "cache": True, "nogil": True}
_CACHE_LINE = 64  #: bytes, also the longest vector register
_LANES = _CACHE_LINE // 8

#: couplings in space, a[p, ..., r, z], and of momenta, c[p, ..., r, z]: gains and diagonals
R_LOWER, R_UPPER, R_DIAGONAL, Z_LOWER, Z_UPPER = range(5)
P_LOWER, P_UPPER, P_SECOND, DIAGONAL, P_DIAGONAL = range(5)
#: couplings of the lines along z, b[p, ..., z, r], and t[p, ..., z, r]: the diagonal has the sinks and the
#: marched losses in it; MARCH and MARCH_SECOND are the gains of the march from the two momenta above
LOWER, UPPER = range(2)
MARCHED_DIAGONAL, MARCH, MARCH_SECOND = range(3)
#: coefficients g[p, ..., r, z] of the lines along p, with 1 / (D T) of the escape time T
G_LOWER, G_DIAGONAL, G_UPPER, ESCAPE = range(4)


def padded(n: int) -> int:
    """The length of a row of `n` numbers that fills whole vectors."""
    return -(-n // _LANES) * _LANES


def aligned_zeros(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Zeros that begin on a cache line."""
    size = int(np.prod(shape))
    raw = np.zeros(size + _LANES)
    first = (-raw.ctypes.data % _CACHE_LINE) // 8
    return raw[first : first + size].reshape(shape)


@njit(**_OPTIONS)
def _multiply(a, b, out):
    """Fill a plane with a b."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            out[i, j] = a[i, j] * b[i, j]


@njit(**_OPTIONS)
def _transpose(a, out):
    """Fill a plane with the transposed one."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = a[j, i]


@njit(**_OPTIONS)
def scale(
    D, r_lo, r_up, r_d, z_lo, z_up, z_d, p_lo, p_up, p_up2, diag, sink, loss, width, lead, upward, a, b, c, t
):
    """Divide the operator by D; fill the natural coefficients `a`, `c` and the transposed ones `b`, `t`.

    The march moves the losses F = b U through the lower face of cell k as
    ``(1 + lead[k]) F[k] - lead[k] F[k + 1]``: first-order upwind for 0, second-order for 1/2.
    That of an adjoint (`upward`) takes the losses of the cell itself for what it gains from k + 1 and k + 2.
    """
    n_p, n_r, n_z = D.shape
    inverse = np.empty((n_r, n_z))
    tile = np.empty((n_r, n_z))
    for k in range(n_p):
        for i in range(n_r):
            for j in range(n_z):
                inverse[i, j] = 1.0 / D[k, i, j]
        # one coefficient at a time: a processor follows few streams of memory well
        if k < a.shape[0]:
            _multiply(r_lo[k], inverse, a[k, R_LOWER])
            _multiply(r_up[k], inverse, a[k, R_UPPER])
            _multiply(r_d[k], inverse, a[k, R_DIAGONAL])
            _multiply(z_lo[k], inverse, a[k, Z_LOWER])
            _multiply(z_up[k], inverse, a[k, Z_UPPER])
            _transpose(a[k, Z_LOWER], b[k, LOWER])
            _transpose(a[k, Z_UPPER], b[k, UPPER])
        _multiply(p_lo[k], inverse, c[k, P_LOWER])
        _multiply(p_up[k], inverse, c[k, P_UPPER])
        _multiply(p_up2[k], inverse, c[k, P_SECOND])
        _multiply(diag[k], inverse, c[k, DIAGONAL])
        upwind = 1.0 / width[k]
        for i in range(n_r):
            for j in range(n_z):
                lost = z_d[k, i, j] + sink[k, i, j]
                c[k, P_DIAGONAL, i, j] = (diag[k, i, j] - r_d[k, i, j] - lost) * inverse[i, j]
                tile[i, j] = (lost + (1.0 + lead[k]) * upwind * loss[k, i, j]) * inverse[i, j]
        _transpose(tile, t[k, MARCHED_DIAGONAL])
        # the march starts from zero, whatever the topmost entries
        above, second = min(k + 1, n_p - 1), min(k + 2, n_p - 1)
        gain = upwind * (1.0 + lead[above] + lead[k])
        from_above, from_second = (k, k) if upward else (above, second)
        for i in range(n_r):
            for j in range(n_z):
                tile[i, j] = gain * loss[from_above, i, j] * inverse[i, j]
        _transpose(tile, t[k, MARCH])
        gain = -upwind * lead[above]
        for i in range(n_r):
            for j in range(n_z):
                tile[i, j] = gain * loss[from_second, i, j] * inverse[i, j]
        _transpose(tile, t[k, MARCH_SECOND])


@njit(**_OPTIONS)
def residual_norms(x, q, a, c, D, volume, residual, source):
    """Fill, for every momentum, the L1 norms of q - A x and of what enters that momentum.

    Both are undone of the division by D and integrated over the volume. What enters is the
    source and the net gain from neighbouring momenta, where positive.
    """
    n_p, n_r, n_z = q.shape
    for k in range(n_p):
        total = 0.0
        entering = 0.0
        m = k if a.shape[0] > 1 else 0
        for i in range(n_r):
            for j in range(n_z):
                here = x[k + 1, i + 1, j + 1]
                from_p = (
                    c[k, P_LOWER, i, j] * x[k, i + 1, j + 1]
                    + c[k, P_UPPER, i, j] * x[k + 2, i + 1, j + 1]
                    + c[k, P_SECOND, i, j] * x[k + 3, i + 1, j + 1]
                )
                value = (
                    q[k, i, j]
                    - c[k, DIAGONAL, i, j] * here
                    + from_p
                    + a[m, R_LOWER, i, j] * x[k + 1, i, j + 1]
                    + a[m, R_UPPER, i, j] * x[k + 1, i + 2, j + 1]
                    + a[m, Z_LOWER, i, j] * x[k + 1, i + 1, j]
                    + a[m, Z_UPPER, i, j] * x[k + 1, i + 1, j + 2]
                )
                weight = D[k, i, j] * volume[i, j]
                total += abs(value) * weight
                entering += (abs(q[k, i, j]) + max(from_p - c[k, P_DIAGONAL, i, j] * here, 0.0)) * weight
        residual[k] = total
        source[k] = entering


@njit(**_OPTIONS)
def _plane_residual(x, x_below, x_above, x_second, q, a, c, s, tile):
    """Fill `tile` with s (q - A x) of one momentum, the x of which are framed planes."""
    n_r, n_z = q.shape
    for i in range(n_r):
        for j in range(n_z):
            tile[i, j] = s * (
                q[i, j]
                - c[DIAGONAL, i, j] * x[i + 1, j + 1]
                + c[P_LOWER, i, j] * x_below[i + 1, j + 1]
                + c[P_UPPER, i, j] * x_above[i + 1, j + 1]
                + c[P_SECOND, i, j] * x_second[i + 1, j + 1]
                + a[R_LOWER, i, j] * x[i, j + 1]
                + a[R_UPPER, i, j] * x[i + 2, j + 1]
                + a[Z_LOWER, i, j] * x[i + 1, j]
                + a[Z_UPPER, i, j] * x[i + 1, j + 2]
            )


@njit(**_OPTIONS)
def _solve_lines(lower, upper, diagonal, s, values, inverse, carry):
    """Solve (1 + s diagonal) y - s lower y[-1] - s upper y[+1] = values in place, along dimension 0.

    All lines (dimension 1) go together. `inverse` is a tile for the reciprocal pivots, `carry` two
    rows for what the previous row hands on.
    """
    n_rows, n = lower.shape
    gain, known = carry[0], carry[1]
    for i in range(n):
        gain[i] = 0.0
        known[i] = 0.0
    for j in range(n_rows):
        for i in range(n):
            pivot = 1.0 / (1.0 + s * diagonal[j, i] - s * lower[j, i] * gain[i])
            inverse[j, i] = pivot
            gain[i] = s * upper[j, i] * pivot
        for i in range(n):
            value = (values[j, i] + s * lower[j, i] * known[i]) * inverse[j, i]
            known[i] = value
            values[j, i] = value
    for i in range(n):
        known[i] = 0.0
    for done in range(n_rows):
        # going down the rows; abs() hides it from the overlap check, which asks for a positive step
        j = abs(n_rows - 1 - done)
        for i in range(n):
            value = values[j, i] + s * upper[j, i] * inverse[j, i] * known[i]
            known[i] = value
            values[j, i] = value


@njit(**_OPTIONS)
def _eliminate_momentum(g, s, cap, rhs, delta, factor, delta_above, factor_above):
    """Forward elimination of the lines along p: one momentum, from the one above."""
    n_r, n_z = delta.shape
    for i in range(n_r):
        for j in range(n_z):
            capped = 1.0 + s * cap * g[ESCAPE, i, j]
            gain = s * g[G_UPPER, i, j]
            pivot = 1.0 / (capped + s * g[G_DIAGONAL, i, j] - gain * factor_above[i, j])
            factor[i, j] = s * g[G_LOWER, i, j] * pivot
            delta[i, j] = (capped * rhs[i, j] + gain * delta_above[i, j]) * pivot


@njit(**_OPTIONS)
def sweep(
    x, q, a, b, c, t, g, has_g, s, omega, cap, delta, factor, tile, y, y_above, inverse_r, inverse_z, carry
):
    """One unsplit, factored pseudo-time step: x += omega P(q - A x).

    P is a march down in momentum fused with lines along z (losses are solved together with them), then
    lines along r, then (with reacceleration) lines along p whose pseudo-time is capped by the
    escape time T, 1 + cap s / (D T).

    `delta` and `factor` have one plane of zeros more in p than the field. `tile`, `inverse_r` (r, z) and
    `y`, `y_above`, `inverse_z` (z, r) are tiles of one momentum, `carry` holds two rows.
    """
    n_p, n_r, n_z = q.shape
    for j in range(n_z):
        for i in range(n_r):
            y[j, i] = 0.0
            y_above[j, i] = 0.0
    for k in range(n_p - 1, -1, -1):
        m = k if a.shape[0] > 1 else 0
        _plane_residual(x[k + 1], x[k], x[k + 2], x[k + 3], q[k], a[m], c[k], s, tile)
        for j in range(n_z):
            for i in range(n_r):
                marched = t[k, MARCH, j, i] * y[j, i] + t[k, MARCH_SECOND, j, i] * y_above[j, i]
                y_above[j, i] = y[j, i]
                y[j, i] = tile[i, j] + s * marched
        _solve_lines(b[m, LOWER], b[m, UPPER], t[k, MARCHED_DIAGONAL], s, y, inverse_z, carry)
        for i in range(n_r):
            for j in range(n_z):
                tile[i, j] = y[j, i]
        _solve_lines(a[m, R_LOWER], a[m, R_UPPER], a[m, R_DIAGONAL], s, tile, inverse_r, carry)
        if has_g:
            _eliminate_momentum(g[k], s, cap, tile, delta[k], factor[k], delta[k + 1], factor[k + 1])
        else:
            for i in range(n_r):
                for j in range(n_z):
                    delta[k, i, j] = tile[i, j]
    for i in range(n_r):
        for j in range(n_z):
            tile[i, j] = 0.0
    for k in range(n_p):
        if has_g:
            for i in range(n_r):
                for j in range(n_z):
                    value = delta[k, i, j] + factor[k, i, j] * tile[i, j]
                    tile[i, j] = value
                    x[k + 1, i + 1, j + 1] += omega * value
        else:
            for i in range(n_r):
                for j in range(n_z):
                    x[k + 1, i + 1, j + 1] += omega * delta[k, i, j]

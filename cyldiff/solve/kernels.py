"""Numba kernels of the steady solver: they see arrays and numbers only.

Fields are (p, r, z) with z contiguous. ``x`` carries a frame of zeros (one cell in r and z, one
below and two above in p), which removes boundary branches. Coefficients are divided by the local
diffusion coefficient, so that one scalar ``s`` [kpc^2] is the local pseudo-time ``s / D`` of
every cell. Arrays with a name ending in ``_t`` hold planes transposed to (z, r), so that lines
along z are solved for all r at once.
"""

# ruff: noqa: PLR0913 - kernels take plain arrays, many of them
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["residual_norms", "scale", "sweep"]

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": True, "cache": True, "nogil": True}


@njit(**_OPTIONS)  # type: ignore[untyped-decorator]
def scale(D, r_lo, r_up, r_d, z_lo, z_up, z_d, p_lo, p_up, p_up2, diag, sink, loss, width, out, out_t):
    """Divide the operator by D; fill ``out`` (natural planes) and ``out_t`` (transposed planes).

    out:   0 r_lo, 1 r_up, 2 r_diag, 3 z_lo, 4 z_up, 5 p_lo, 6 p_up, 7 p_up2, 8 diagonal, 9 p_diag
    out_t: 0 z_lo, 1 z_up, 2 z_diag + sink + upwind losses b/width, 3 loss rate b, 4 1 / (width D)
    """
    n_p, n_r, n_z = D.shape
    for k in range(n_p):
        per_width = 1.0 / width[k]
        for i in range(n_r):
            for j in range(n_z):
                inverse = 1.0 / D[k, i, j]
                out[0, k, i, j] = r_lo[k, i, j] * inverse
                out[1, k, i, j] = r_up[k, i, j] * inverse
                out[2, k, i, j] = r_d[k, i, j] * inverse
                out[3, k, i, j] = z_lo[k, i, j] * inverse
                out[4, k, i, j] = z_up[k, i, j] * inverse
                out[5, k, i, j] = p_lo[k, i, j] * inverse
                out[6, k, i, j] = p_up[k, i, j] * inverse
                out[7, k, i, j] = p_up2[k, i, j] * inverse
                out[8, k, i, j] = diag[k, i, j] * inverse
                out[9, k, i, j] = (
                    diag[k, i, j] - r_d[k, i, j] - z_d[k, i, j] - sink[k, i, j]
                ) * inverse
        for j in range(n_z):
            for i in range(n_r):
                inverse = 1.0 / D[k, i, j]
                out_t[0, k, j, i] = z_lo[k, i, j] * inverse
                out_t[1, k, j, i] = z_up[k, i, j] * inverse
                out_t[2, k, j, i] = (
                    z_d[k, i, j] + sink[k, i, j] + per_width * loss[k, i, j]
                ) * inverse
                out_t[3, k, j, i] = loss[k, i, j]
                out_t[4, k, j, i] = inverse * per_width


@njit(**_OPTIONS)  # type: ignore[untyped-decorator]
def residual_norms(x, q, c, weight, residual, source):
    """Fill, for every momentum, the L1 norms of q - A x and of what enters that momentum.

    `weight` is D times the cell volume. What enters is the source and the net gain from
    neighbouring momenta, where positive.
    """
    n_p, n_r, n_z = q.shape
    for k in range(n_p):
        total = 0.0
        entering = 0.0
        for i in range(n_r):
            for j in range(n_z):
                from_p = (
                    c[5, k, i, j] * x[k, i + 1, j + 1]
                    + c[6, k, i, j] * x[k + 2, i + 1, j + 1]
                    + c[7, k, i, j] * x[k + 3, i + 1, j + 1]
                )
                value = (
                    q[k, i, j]
                    - c[8, k, i, j] * x[k + 1, i + 1, j + 1]
                    + from_p
                    + c[0, k, i, j] * x[k + 1, i, j + 1]
                    + c[1, k, i, j] * x[k + 1, i + 2, j + 1]
                    + c[3, k, i, j] * x[k + 1, i + 1, j]
                    + c[4, k, i, j] * x[k + 1, i + 1, j + 2]
                )
                w = weight[k, i, j]
                total += abs(value) * w
                net = from_p - c[9, k, i, j] * x[k + 1, i + 1, j + 1]
                entering += (abs(q[k, i, j]) + max(net, 0.0)) * w
        residual[k] = total
        source[k] = entering


@njit(**_OPTIONS)  # type: ignore[untyped-decorator]
def sweep(x, q, c, t, g, h, has_g, s, omega, delta, factor, tile, flux, y, cz, v, cr):
    """One unsplit, factored pseudo-time step: x += omega P(q - A x).

    P is an upwind march down in momentum fused with lines along z (losses are solved together with
    them), then lines along r, then (with reacceleration) lines along p whose pseudo-time is capped by the
    escape time, ``h = c / (D T)``.
    """
    n_p, n_r, n_z = q.shape
    for j in range(n_z):
        for i in range(n_r):
            flux[j, i] = 0.0
    for k in range(n_p - 1, -1, -1):
        x_k, x_below, x_above, x_second = x[k + 1], x[k], x[k + 2], x[k + 3]
        for i in range(n_r):
            for j in range(n_z):
                tile[i, j] = s * (
                    q[k, i, j]
                    - c[8, k, i, j] * x_k[i + 1, j + 1]
                    + c[5, k, i, j] * x_below[i + 1, j + 1]
                    + c[6, k, i, j] * x_above[i + 1, j + 1]
                    + c[7, k, i, j] * x_second[i + 1, j + 1]
                    + c[0, k, i, j] * x_k[i, j + 1]
                    + c[1, k, i, j] * x_k[i + 2, j + 1]
                    + c[3, k, i, j] * x_k[i + 1, j]
                    + c[4, k, i, j] * x_k[i + 1, j + 2]
                )
        for j in range(n_z):
            for i in range(n_r):
                y[j, i] = tile[i, j]
        for i in range(n_r):
            inverse = 1.0 / (1.0 + s * t[2, k, 0, i])
            cz[0, i] = s * t[1, k, 0, i] * inverse
            y[0, i] = (y[0, i] + s * t[4, k, 0, i] * flux[0, i]) * inverse
        for j in range(1, n_z):
            for i in range(n_r):
                a = s * t[0, k, j, i]
                inverse = 1.0 / (1.0 + s * t[2, k, j, i] - a * cz[j - 1, i])
                cz[j, i] = s * t[1, k, j, i] * inverse
                rhs = y[j, i] + s * t[4, k, j, i] * flux[j, i]
                y[j, i] = (rhs + a * y[j - 1, i]) * inverse
        for j in range(n_z - 2, -1, -1):
            for i in range(n_r):
                y[j, i] += cz[j, i] * y[j + 1, i]
        for j in range(n_z):
            for i in range(n_r):
                flux[j, i] = t[3, k, j, i] * y[j, i]
        for i in range(n_r):
            for j in range(n_z):
                v[i, j] = y[j, i]
        for j in range(n_z):
            inverse = 1.0 / (1.0 + s * c[2, k, 0, j])
            cr[0, j] = s * c[1, k, 0, j] * inverse
            v[0, j] *= inverse
        for i in range(1, n_r):
            for j in range(n_z):
                a = s * c[0, k, i, j]
                inverse = 1.0 / (1.0 + s * c[2, k, i, j] - a * cr[i - 1, j])
                cr[i, j] = s * c[1, k, i, j] * inverse
                v[i, j] = (v[i, j] + a * v[i - 1, j]) * inverse
        for i in range(n_r - 2, -1, -1):
            for j in range(n_z):
                v[i, j] += cr[i, j] * v[i + 1, j]
        if has_g:
            top = k == n_p - 1
            for i in range(n_r):
                for j in range(n_z):
                    cap = 1.0 + s * h[k, i, j]
                    pivot = cap + s * g[1, k, i, j]
                    rhs = cap * v[i, j]
                    if not top:
                        gain = s * g[2, k, i, j]
                        pivot -= gain * factor[k + 1, i, j]
                        rhs += gain * delta[k + 1, i, j]
                    inverse = 1.0 / pivot
                    factor[k, i, j] = s * g[0, k, i, j] * inverse
                    delta[k, i, j] = rhs * inverse
        else:
            for i in range(n_r):
                for j in range(n_z):
                    delta[k, i, j] = v[i, j]
    for k in range(n_p):
        for i in range(n_r):
            for j in range(n_z):
                if has_g and k > 0:
                    delta[k, i, j] += factor[k, i, j] * delta[k - 1, i, j]
                x[k + 1, i + 1, j + 1] += omega * delta[k, i, j]

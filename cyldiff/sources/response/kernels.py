"""Numba kernels that read a response: interpolation in place, energy and age, integrals over age.

A table holds, at every node (r, psi, z) and for every energy and spread s, ln R and the gradient of ln R
in (r, phi, z) at the observer: quadratic and linear where R is a Gaussian, so that cubic
interpolation is nearly exact. R itself is below the noise of the table where ln R is at `floor`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = ["evaluate_pieces"]

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "cache": True, "nogil": True}
#: two Gauss-Legendre points per panel in ln s
_NODE = 0.5 / math.sqrt(3.0)
#: panels are at most this long in ln s
_PANEL = 0.3
#: a response is read as nothing up to this far above the noise, in ln R
_MARGIN = 0.7


@njit(**_OPTIONS)
def _lagrange(x, where, weights):
    """First of the four nodes around `where` on a growing axis, and their Lagrange weights."""
    n = len(x)
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if x[middle] < where:
            low = middle + 1
        else:
            high = middle
    first = min(max(low - 2, 0), n - 4)
    for a in range(4):
        product = 1.0
        for b in range(4):
            if b != a:
                product *= (where - x[first + b]) / (x[first + a] - x[first + b])
        weights[a] = product
    return first


@njit(**_OPTIONS)
def _uniform(position, n, weights):
    """The same on nodes 0, 1, ..., n - 1."""
    first = min(max(math.floor(position) - 1, 0), n - 4)
    t = position - first
    weights[0] = -(t - 1.0) * (t - 2.0) * (t - 3.0) / 6.0
    weights[1] = t * (t - 2.0) * (t - 3.0) / 2.0
    weights[2] = -t * (t - 1.0) * (t - 3.0) / 2.0
    weights[3] = t * (t - 1.0) * (t - 2.0) / 6.0
    return first


@njit(**_OPTIONS)
def _in_space(table, r_nodes, psi_nodes, z_nodes, r, psi, z, low, high, total, weights):
    """Interpolate the ages `low` to `high` - 1 of all energies at a place, into total[k, a, c]."""
    i0 = _lagrange(r_nodes, r, weights[0])
    m0 = _lagrange(psi_nodes, psi, weights[1])
    j0 = _lagrange(z_nodes, z, weights[2])
    n_k = total.shape[0]
    for k in range(n_k):
        for a in range(low, high):
            for c in range(4):
                total[k, a, c] = 0.0
    for i in range(4):
        for m in range(4):
            for j in range(4):
                weight = np.float32(weights[0, i] * weights[1, m] * weights[2, j])
                node = table[i0 + i, m0 + m, j0 + j]
                for k in range(n_k):
                    for a in range(low, high):
                        for c in range(4):
                            total[k, a, c] += weight * node[k, a, c]


@njit(**_OPTIONS)
def _at_energy(total, floors, low, high, first, energy_weights, row):
    """Interpolate in energy, into row[a, c]; the last of c is where the noise begins."""
    n_k = total.shape[0]
    for a in range(low, high):
        for c in range(5):
            row[a, c] = 0.0
        for n in range(4):
            # fewer than four energies: the weights beyond are zero
            k = min(first + n, n_k - 1)
            for c in range(4):
                row[a, c] += energy_weights[n] * total[k, a, c]
            row[a, 4] += energy_weights[n] * floors[k, a]


@njit(**_OPTIONS)
def _at_age(row, position, n_ages, factor, weights, out):
    """Add factor * (R, grad R) at a place in the list of spreads to out."""
    first = _uniform(position, n_ages, weights)
    logarithm, g_r, g_phi, g_z, floor = 0.0, 0.0, 0.0, 0.0, 0.0
    for n in range(4):
        floor += weights[n] * row[first + n, 4]
        logarithm += weights[n] * row[first + n, 0]
        g_r += weights[n] * row[first + n, 1]
        g_phi += weights[n] * row[first + n, 2]
        g_z += weights[n] * row[first + n, 3]
    if logarithm < floor + _MARGIN:
        return
    value = factor * math.exp(logarithm)
    out[0] += value
    out[1] += value * g_r
    out[2] += value * g_phi
    out[3] += value * g_z


@njit(**_OPTIONS)
def _near_burst(away, spread, factor, out):
    """Add factor * (R, grad R) of free space; `away` = observer - source along (r, phi, z)."""
    square = away[0] ** 2 + away[1] ** 2 + away[2] ** 2
    value = factor * math.exp(-square / (4.0 * spread)) / (4.0 * math.pi * spread) ** 1.5
    out[0] += value
    for c in range(3):
        out[c + 1] -= value * away[c] / (2.0 * spread)


@njit(**_OPTIONS)
def _near_piece(away, youngest, oldest, factor, out):
    """Add factor * integral over the spread of the burst in free space."""
    d = math.sqrt(away[0] ** 2 + away[1] ** 2 + away[2] ** 2)
    d = max(d, 1e-6 * math.sqrt(oldest))
    value, slope = 0.0, 0.0
    for side in range(2):
        s = oldest if side == 0 else youngest
        if s > 0.0:
            sign = 1.0 if side == 0 else -1.0
            x = d / math.sqrt(4.0 * s)
            tail = math.erfc(x)
            value += sign * tail / (4.0 * math.pi * d)
            slope -= sign * (tail + 2.0 / math.sqrt(math.pi) * x * math.exp(-x * x)) / (4.0 * math.pi * d**3)
    out[0] += factor * value
    for c in range(3):
        out[c + 1] += factor * slope * away[c]


@njit(**_OPTIONS)
def _add_total(row, last, factor, out):
    """Add factor * the integral over all spreads from the start on, and its gradient."""
    if row[last, 0] > row[last, 4] + _MARGIN:
        value = factor * math.exp(row[last, 0])
        out[0] += value
        for c in range(3):
            out[c + 1] += value * row[last, c + 1]


@njit(**_OPTIONS)
def _add_panels(row, first, last, log_start, step, n_ages, factor, weights, out):
    """Add factor * integral of (R, grad R) over ln s between two logarithms, by Gauss-Legendre panels."""
    length = last - first
    if length <= 0.0:
        return
    panels = int(length / _PANEL) + 1
    width = length / panels
    for p in range(panels):
        for half in range(2):
            node = first + width * (p + 0.5 + (_NODE if half else -_NODE))
            share = 0.5 * width * math.exp(node) * factor
            _at_age(row, (node - log_start) / step, n_ages, share, weights, out)


@njit(**_OPTIONS)
def _add_integral(row, first, last, log_start, step, n_ages, factor, weights, out):
    """Add factor * integral of (R, grad R) over the spreads from `first` to `last`.

    The sum over the ages of the table, with Gregory's corrections at both ends, and panels for what is
    left over; panels alone where that is short. s R is smooth in ln s, so that the sum is as exact.
    """
    if last <= first:
        return
    begin, end = math.log(first), math.log(last)
    low = min(max(math.ceil((begin - log_start) / step - 1e-9), 0), n_ages - 1)
    high = min(max(math.floor((end - log_start) / step + 1e-9), 0), n_ages - 1)
    if high - low < 6:
        _add_panels(row, begin, end, log_start, step, n_ages, factor, weights, out)
        return
    _add_panels(row, begin, log_start + low * step, log_start, step, n_ages, factor, weights, out)
    _add_panels(row, log_start + high * step, end, log_start, step, n_ages, factor, weights, out)
    for a in range(low, high + 1):
        if row[a, 0] < row[a, 4] + _MARGIN:
            continue
        inside = min(a - low, high - a)
        weight = (
            0.375 if inside == 0 else (7.0 / 6.0 if inside == 1 else (23.0 / 24.0 if inside == 2 else 1.0))
        )
        value = factor * weight * step * math.exp(row[a, 0] + log_start + a * step)
        out[0] += value
        for c in range(3):
            out[c + 1] += value * row[a, c + 1]


@njit(**_OPTIONS)
def evaluate_pieces(
    table, floors, r_nodes, psi_nodes, z_nodes, mirrored, spreads, gone, position, sun, box, oldest, youngest,
    first_energy, energy_weights, diffusion, start, begun, speed, close, lasting, density, gradient,
):  # fmt: skip
    """Mean of R over the length of every piece, and its gradient.

    Parameters
    ----------
    table : (n_r, n_psi, n_z, n_k, n_a + 1, 4), the last age the integral over all s from the start on
    floors : (n_k, n_a + 1), ln R where the noise begins
    mirrored : the nodes in z are those of the upper half
    spreads : (n_a,), uniform in their logarithm; the first is the start
    gone : nothing is left at the last spread
    sun : r, z; box : R, H
    oldest, youngest : ages of the pieces [Myr]; equal for a burst
    first_energy, energy_weights : (n_e,), (n_e, 4), how to interpolate in energy
    diffusion : D at the observer, (n_e,) [kpc^2/Myr]
    start, begun : spread of the start, and its age per energy (n_e,) [Myr]
    speed : beta c (n_e,) [kpc/Myr]; infinite without causality
    close : factor on the closed form near the observer, (n_e,): what the table is multiplied with already
    lasting : pieces stand for sources of one particle per Myr that are on since ever
    density, gradient : (n, n_e), (n, n_e, 3), filled
    """
    n_k, n_ages = table.shape[3], len(spreads)
    n_e = len(diffusion)
    total = np.zeros((n_k, n_ages + 1, 4), dtype=np.float32)
    row = np.zeros((n_ages + 1, 5))
    weights, age_weights = np.zeros((3, 4)), np.zeros(4)
    out, away = np.zeros(4), np.zeros(3)
    log_start = math.log(start)
    step = (math.log(spreads[-1]) - log_start) / (n_ages - 1) if n_ages > 1 else 1.0
    end = spreads[-1] if n_ages > 0 else start
    for n in range(len(oldest)):
        x, y, z = position[n, 0], position[n, 1], position[n, 2]
        r = math.sqrt(x * x + y * y)
        if r >= box[0] or abs(z) >= box[1]:
            density[n] = 0.0
            gradient[n] = 0.0
            continue
        # the observer is at phi = pi; psi >= 0 by symmetry, and the directions r, phi, z there are -x, -y, z
        psi = math.atan2(abs(y), -x)
        side = -1.0 if y > 0.0 else 1.0
        below = 1.0
        if mirrored and z < 0.0:
            z, below = -z, -1.0
        away[0], away[1], away[2] = sun[0] + x, -abs(y), sun[1] - z
        square = away[0] ** 2 + away[1] ** 2 + away[2] ** 2
        distance = math.sqrt(square)
        burst = oldest[n] == youngest[n]
        # ages that are needed
        low, high = n_ages, n_ages + 1
        if not lasting:
            highest, lowest = 0.0, 1e300
            for e in range(n_e):
                arrived = max(youngest[n], distance / speed[e])
                highest = max(highest, start + diffusion[e] * (oldest[n] - begun[e]))
                lowest = min(lowest, start + diffusion[e] * (arrived - begun[e]))
            low, high = 0, 0
            if highest > start and lowest < end:
                low = min(max(int((math.log(max(lowest, start)) - log_start) / step) - 2, 0), n_ages - 4)
                high = max(min(int((math.log(min(highest, end)) - log_start) / step) + 4, n_ages), low + 4)
                if not burst and highest >= end:
                    high = n_ages + 1
        if high > low:
            _in_space(table, r_nodes, psi_nodes, z_nodes, r, psi, z, low, high, total, weights)
        for e in range(n_e):
            for c in range(4):
                out[c] = 0.0
            D, local = diffusion[e], start / begun[e]
            if high > low:
                _at_energy(total, floors, low, high, first_energy[e], energy_weights[e], row)
            arrived = max(youngest[n], distance / speed[e], 0.0)
            if lasting:
                _near_piece(away, 0.0, start, close[e] / local, out)
                _add_total(row, n_ages, 1.0 / D, out)
            elif burst and oldest[n] == arrived and arrived > 0.0:
                if arrived < begun[e]:
                    _near_burst(away, local * arrived, close[e], out)
                else:
                    s = start + D * (arrived - begun[e])
                    if s <= end:
                        _at_age(row, (math.log(s) - log_start) / step, n_ages, 1.0, age_weights, out)
            elif oldest[n] > arrived:
                rate = 1.0 / (oldest[n] - youngest[n])
                if arrived < begun[e]:
                    _near_piece(
                        away, local * arrived, local * min(oldest[n], begun[e]), close[e] * rate / local, out
                    )
                first = max(start + D * (arrived - begun[e]), start)
                last = min(start + D * (oldest[n] - begun[e]), end)
                factor = rate / D
                if gone and last == end and first < max(0.125 * square, 2.0 * start):
                    # all but what is older than most: less is lost by cancellation than by panels
                    _add_total(row, n_ages, factor, out)
                    last, factor = first, -factor
                    first = start
                _add_integral(row, first, last, log_start, step, n_ages, factor, age_weights, out)
            density[n, e] = out[0]
            gradient[n, e, 0] = out[1]
            gradient[n, e, 1] = out[2] * side
            gradient[n, e, 2] = out[3] * below

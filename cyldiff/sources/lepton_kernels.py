"""Numba kernels of cooling electrons: they see arrays and numbers only.

A table of losses is (start, step, table), see :class:`cyldiff.sources.cooling.Cooling`: rows uniform in ln T, each
followed by its derivative. u is ln T, v = ln(T_s / T) >= 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cyldiff import constants as const

__all__ = [
    "AGE",
    "DIFFUSION",
    "POINTS",
    "RATE",
    "SPREAD",
    "add_nodes",
    "count_nodes",
    "each_cool_back",
    "each_row",
    "each_spread",
    "each_time",
    "fill_nodes",
    "limits_of",
]

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "cache": True, "nogil": True}

#: rows of the table of losses
AGE, SPREAD, RATE, DIFFUSION = 0, 2, 4, 6
#: ln(T_s / T) below which the integrals are expanded
_SMALL = 1e-4
#: Gauss-Legendre points per panel, and the longest panel in the variable of `_stretch`
POINTS, _PANEL = 10, 1.0
#: d^2 / 4 s above which nothing has arrived: exp(-60)
_UNSEEN = 60.0


@njit(**_OPTIONS)
def _place(u, start, step, table):
    """Interval of the table, and the place in it from 0 to 1."""
    last = table.shape[1] - 2
    x = (u - start) / step
    i = min(max(int(x), 0), last)
    return i, min(max(x - i, 0.0), 1.0)


@njit(**_OPTIONS)
def _cubic(row, i, x, step, table):
    """Cubic Hermite of a row in interval i, and its derivative with respect to x."""
    y0, y1 = table[row, i], table[row, i + 1]
    m0, m1 = table[row + 1, i] * step, table[row + 1, i + 1] * step
    a = 2.0 * (y0 - y1) + m0 + m1
    b = -3.0 * (y0 - y1) - 2.0 * m0 - m1
    return ((a * x + b) * x + m0) * x + y0, (3.0 * a * x + 2.0 * b) * x + m0


@njit(**_OPTIONS)
def _difference(row, u, rise, start, step, table):
    """Integral from ln T = u to u + rise, as the difference of two of the table."""
    i, x = _place(u, start, step, table)
    j, y = _place(u + rise, start, step, table)
    return np.exp(_cubic(row, i, x, step, table)[0]) - np.exp(_cubic(row, j, y, step, table)[0])


@njit(**_OPTIONS)
def loss_rate(u, start, step, table):
    """B / T at ln T = u [1/Myr]."""
    i, x = _place(u, start, step, table)
    return np.exp(_cubic(RATE, i, x, step, table)[0])


@njit(**_OPTIONS)
def time_between(u, rise, start, step, table):
    """Time to cool from ln T = u + rise to u [Myr]."""
    if rise < _SMALL:
        i, x = _place(u, start, step, table)
        rate, slope = _cubic(RATE, i, x, step, table)
        return rise * np.exp(-rate) * (1.0 - 0.5 * slope / step * rise)
    return _difference(AGE, u, rise, start, step, table)


@njit(**_OPTIONS)
def spread_between(u, rise, start, step, table):
    """Int D dt while cooling from ln T = u + rise to u [kpc^2]."""
    if rise < _SMALL:
        i, x = _place(u, start, step, table)
        rate, slope = _cubic(RATE, i, x, step, table)
        D, slope_D = _cubic(DIFFUSION, i, x, step, table)
        return rise * np.exp(D - rate) * (1.0 + 0.5 * (slope_D - slope) / step * rise)
    return _difference(SPREAD, u, rise, start, step, table)


@njit(**_OPTIONS)
def cool_back(u, t, start, step, table):
    """ln(T_s / T) of electrons at ln T = u that were injected t ago; infinite above the table."""
    i, x = _place(u, start, step, table)
    log_rate, slope = _cubic(RATE, i, x, step, table)
    small = np.exp(log_rate) * t
    if small < _SMALL:
        return small * (1.0 + 0.5 * slope / step * small)
    n = table.shape[1] - 1
    left = np.exp(_cubic(AGE, i, x, step, table)[0]) - t
    if left < np.exp(table[AGE, n]):
        return np.inf
    target, low, high = np.log(left), i, n
    while high - low > 1:
        middle = (low + high) // 2
        if table[AGE, middle] >= target:
            low = middle
        else:
            high = middle
    y0, y1 = table[AGE, low], table[AGE, high]
    place = (target - y0) / (y1 - y0)
    for _ in range(8):
        value, fall = _cubic(AGE, low, place, step, table)
        change = (target - value) / fall
        place = min(max(place + change, 0.0), 1.0)
        if abs(change) < 1e-14:
            break
    return max(start + (low + place) * step - u, 0.0)


@njit(**_OPTIONS)
def each_row(u, row, start, step, table):
    """A row of the table at every u, shape (n,)."""
    out = np.empty(len(u))
    for k in range(len(u)):
        i, x = _place(u[k], start, step, table)
        out[k] = _cubic(row, i, x, step, table)[0]
    return out


@njit(**_OPTIONS)
def each_cool_back(u, t, start, step, table):
    """Values of `cool_back` for pairs of u and t, shape (n,)."""
    out = np.empty(len(u))
    for k in range(len(u)):
        out[k] = cool_back(u[k], t[k], start, step, table)
    return out


@njit(**_OPTIONS)
def each_time(u, rise, start, step, table):
    """Values of `time_between` for pairs of u and v, shape (n,)."""
    out = np.empty(len(u))
    for k in range(len(u)):
        out[k] = time_between(u[k], rise[k], start, step, table)
    return out


@njit(**_OPTIONS)
def each_spread(u, rise, start, step, table):
    """Values of `spread_between` for pairs of u and v, shape (n,); infinite where v is."""
    out = np.full(len(u), np.inf)
    for k in range(len(u)):
        if np.isfinite(rise[k]):
            out[k] = spread_between(u[k], rise[k], start, step, table)
    return out


@njit(**_OPTIONS)
def _stretch(v):
    """Variable in which the integrand is smooth: 1 + ln v below 1, v above."""
    return 1.0 + np.log(v) if v < 1.0 else v


@njit(**_OPTIONS)
def limits_of(position, observers, oldest, youngest, log_energy, causal, start, step, table):
    """Range of v = ln(T_s / T), shape (n_segments, n_energies, 2), NaN where nothing arrives.

    The lower end is where the nearest observer first sees anything. A burst has both the same.
    """
    result = np.full((len(oldest), len(log_energy), 2), np.nan)
    top = start + step * (table.shape[1] - 1)
    for i in range(len(oldest)):
        nearest = np.inf
        for o in range(len(observers)):
            d2 = 0.0
            for c in range(3):
                d2 += (position[i, c] - observers[o, c]) ** 2
            nearest = min(nearest, np.sqrt(d2))
        latest = nearest / const.SPEED_OF_LIGHT if causal else 0.0
        if oldest[i] < latest or oldest[i] <= 0.0:
            continue
        for k in range(len(log_energy)):
            u = log_energy[k]
            high = cool_back(u, oldest[i], start, step, table)
            if oldest[i] == youngest[i]:
                if u + high <= top:
                    result[i, k, 0], result[i, k, 1] = high, high
                continue
            high = min(high, top - u)
            low = cool_back(u, max(youngest[i], latest), start, step, table)
            # nothing is seen before d^2 / 4 s < _UNSEEN; s is nearly linear in v while v is small
            arrival = nearest**2 / (4.0 * _UNSEEN) / (spread_between(u, 1e-6, start, step, table) / 1e-6)
            low = max(low, min(0.5 * arrival, 0.2), 1e-30)
            if low < high:
                result[i, k, 0], result[i, k, 1] = low, high
    return result


@njit(**_OPTIONS)
def _panels(low, high):
    """Panels below and above the joint of `_stretch`."""
    a, b = _stretch(low), _stretch(high)
    below = int(np.ceil((min(b, 1.0) - a) / _PANEL)) if a < 1.0 else 0
    above = int(np.ceil((b - max(a, 1.0)) / _PANEL)) if b > 1.0 else 0
    return below, above


@njit(**_OPTIONS)
def count_nodes(limits, counts):
    """Number of nodes of every piece and energy."""
    for i in range(limits.shape[0]):
        for k in range(limits.shape[1]):
            low, high = limits[i, k]
            if np.isnan(low):
                continue
            if low == high:
                counts[i, k] = 1
                continue
            below, above = _panels(low, high)
            counts[i, k] = POINTS * (below + above)


@njit(**_OPTIONS)
def fill_nodes(limits, first, log_energy, loss, oldest, youngest, points, weights, nodes, start, step, table):
    """Nodes of the integrals: T_s, weight, spread, age."""
    n_k = limits.shape[1]
    for i in range(limits.shape[0]):
        for k in range(n_k):
            place, u = first[i * n_k + k], log_energy[k]
            low, high = limits[i, k]
            if np.isnan(low):
                continue
            if low == high:
                nodes[0, place] = np.exp(u + low)
                nodes[1, place] = nodes[0, place] * loss_rate(u + low, start, step, table) / loss[k]
                nodes[2, place] = spread_between(u, low, start, step, table)
                nodes[3, place] = oldest[i]
                continue
            a, b = _stretch(low), _stretch(high)
            below, above = _panels(low, high)
            for panel in range(below + above):
                if panel < below:
                    width = (min(b, 1.0) - a) / below
                    left = a + panel * width
                else:
                    width = (b - max(a, 1.0)) / above
                    left = max(a, 1.0) + (panel - below) * width
                for g in range(len(points)):
                    w = left + 0.5 * width * (1.0 + points[g])
                    v = np.exp(w - 1.0) if panel < below else w
                    measure = 0.5 * width * weights[g] * (v if panel < below else 1.0)
                    nodes[0, place] = np.exp(u + v)
                    nodes[1, place] = measure * nodes[0, place] / (loss[k] * (oldest[i] - youngest[i]))
                    nodes[2, place] = spread_between(u, v, start, step, table)
                    nodes[3, place] = time_between(u, v, start, step, table)
                    place += 1


@njit(**_OPTIONS)
def _vertical(z, z_source, s, height):
    """Green's function in z and its derivative, between absorbing planes at +-height (infinite: free)."""
    value, slope = 0.0, 0.0
    if s <= 0.5 * height * height:
        # images; s up to H^2 / 2 needs six on either side for 1e-16, small s only the source itself
        norm = 1.0 / np.sqrt(4.0 * np.pi * s)
        m = 0 if np.isinf(height) else 1 + int(np.sqrt(36.0 * s) / height)
        for n in range(-m, m + 1):
            sign = 1.0 if n % 2 == 0 else -1.0
            away = z - sign * z_source - (2.0 * n * height if n != 0 else 0.0)
            image = sign * norm * np.exp(-away * away / (4.0 * s))
            value += image
            slope -= away / (2.0 * s) * image
        return value, slope
    for mode in range(1, 25):
        k = mode * np.pi / (2.0 * height)
        fall = k * k * s
        if fall > 700.0:
            break
        part = np.sin(k * (z_source + height)) * np.exp(-fall) / height
        value += part * np.sin(k * (z + height))
        slope += part * k * np.cos(k * (z + height))
    return value, slope


@njit(**_OPTIONS)
def add_nodes(
    position, observers, source, strength, oldest, youngest, first, nodes, height, causal, density, gradient
):
    """Sum the nodes of every piece into its source."""
    n_k = density.shape[2]
    for i in range(len(strength)):
        for o in range(len(observers)):
            x, y = observers[o, 0] - position[i, 0], observers[o, 1] - position[i, 1]
            z, z_source = observers[o, 2], position[i, 2]
            rho2 = x * x + y * y
            earliest = np.sqrt(rho2 + (z - z_source) ** 2) / const.SPEED_OF_LIGHT if causal else 0.0
            for k in range(n_k):
                total, in_plane, up = 0.0, 0.0, 0.0
                for j in range(first[i * n_k + k], first[i * n_k + k + 1]):
                    s = nodes[2, j]
                    if nodes[1, j] == 0.0 or nodes[3, j] < earliest or s <= 0.0:
                        continue
                    planar = nodes[1, j] * np.exp(-rho2 / (4.0 * s)) / (4.0 * np.pi * s)
                    value, slope = _vertical(z, z_source, s, height)
                    total += planar * value
                    in_plane -= planar * value / (2.0 * s)
                    up += planar * slope
                if rho2 == 0.0 and z == z_source and youngest[i] == 0.0 < oldest[i]:
                    total = np.inf
                density[source[i], o, k] += strength[i] * total
                gradient[source[i], o, k, 0] += strength[i] * in_plane * x
                gradient[source[i], o, k, 1] += strength[i] * in_plane * y
                gradient[source[i], o, k, 2] += strength[i] * up

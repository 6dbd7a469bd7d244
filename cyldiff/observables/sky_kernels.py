"""Inner loops of lines of sight: linear interpolation on a cylindrical mesh, sums over points."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["collect", "interpolate"]


@njit(cache=True, error_model="numpy")
def place(x, nodes):
    """Index of the interval of `nodes` that holds x, and the fraction of it below x."""
    low, high = 0, nodes.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if nodes[middle] <= x:
            low = middle
        else:
            high = middle
    return low, (x - nodes[low]) / (nodes[low + 1] - nodes[low])


@njit(cache=True, error_model="numpy")
def azimuth(phi, n_phi):
    """The two cells around phi and the share of the second."""
    if n_phi == 1:
        return 0, 0, 0.0
    turn = phi / (2.0 * np.pi)
    cell = (turn - np.floor(turn)) * n_phi - 0.5
    first = int(np.floor(cell))
    return first % n_phi, (first + 1) % n_phi, cell - first


@njit(cache=True, error_model="numpy")
def interpolate(r, phi, z, r_nodes, z_nodes, values, out):
    """Linear interpolation at points, added to `out` (n_points, n_energy)."""
    for k in range(r.size):
        if r[k] >= r_nodes[-1] or abs(z[k]) >= z_nodes[-1]:
            continue
        i, u = place(r[k], r_nodes)
        j, v = place(z[k], z_nodes)
        m, n, w = azimuth(phi[k], values.shape[1])
        for around, share in ((m, 1.0 - w), (n, w)):
            if share == 0.0:
                continue
            a, b = share * (1.0 - u) * (1.0 - v), share * (1.0 - u) * v
            c, d = share * u * (1.0 - v), share * u * v
            for e in range(values.shape[3]):
                out[k, e] += (
                    a * values[i, around, j, e]
                    + b * values[i, around, j + 1, e]
                    + c * values[i + 1, around, j, e]
                    + d * values[i + 1, around, j + 1, e]
                )


@njit(cache=True, error_model="numpy")
def collect(start, r, phi, z, weight, s, through, step, near, far, r_nodes, z_nodes, values, out):
    """Sum of weight x field x exp(-tau) over the points of every line, into `out` (n_lines, n_fields, n_energy).

    `weight` has a row for each field. The attenuation is the product of two tables, `near` at multiples of
    `step` in s and `far` at multiples of `step` in `through`, linear in between; a table of one row is 1.
    """
    n_fields, n_energy = values.shape[3], values.shape[4]
    dimming = np.ones(n_energy)
    for line in range(start.size - 1):
        for k in range(start[line], start[line + 1]):
            if r[k] >= r_nodes[-1] or abs(z[k]) >= z_nodes[-1]:
                continue
            i, u = place(r[k], r_nodes)
            j, v = place(z[k], z_nodes)
            m, n, w = azimuth(phi[k], values.shape[1])
            if near.shape[0] > 1:
                h = s[k] / step
                p = min(int(h), near.shape[0] - 2)
                for e in range(n_energy):
                    dimming[e] = near[p, e] + (h - p) * (near[p + 1, e] - near[p, e])
            if far.shape[0] > 1:
                h = through[k] / step
                p = min(int(h), far.shape[0] - 2)
                for e in range(n_energy):
                    dimming[e] *= far[p, e] + (h - p) * (far[p + 1, e] - far[p, e])
            for f in range(n_fields):
                if weight[f, k] == 0.0:
                    continue
                for around, share in ((m, (1.0 - w) * weight[f, k]), (n, w * weight[f, k])):
                    if share == 0.0:
                        continue
                    a, b = share * (1.0 - u) * (1.0 - v), share * (1.0 - u) * v
                    c, d = share * u * (1.0 - v), share * u * v
                    aa, bb = values[i, around, j, f], values[i, around, j + 1, f]
                    cc, dd = values[i + 1, around, j, f], values[i + 1, around, j + 1, f]
                    for e in range(n_energy):
                        out[line, f, e] += dimming[e] * (a * aa[e] + b * bb[e] + c * cc[e] + d * dd[e])


@njit(cache=True, error_model="numpy")
def around_source(x, y, z, position, half_height, first, step, logs, out):
    """Emissivity at points near a source, from ln(d q) at equal steps of ln d and of the cosine."""
    n_d, n_cos = logs.shape[0], logs.shape[1]
    for k in range(x.size):
        if abs(z[k]) >= half_height:
            continue
        dx, dy, dz = x[k] - position[0], y[k] - position[1], z[k] - position[2]
        d = np.sqrt(dx * dx + dy * dy + dz * dz)
        nearest = np.exp(first)
        cosine = dz / d if d > 0.0 else 0.0
        d = max(d, nearest)
        u = (np.log(d) - first) / step
        i = min(int(u), n_d - 2)
        u = min(u - i, 1.0)
        v = 0.5 * (cosine + 1.0) * (n_cos - 1)
        j = min(int(v), n_cos - 2)
        v -= j
        for e in range(logs.shape[2]):
            value = (1.0 - u) * ((1.0 - v) * logs[i, j, e] + v * logs[i, j + 1, e]) + u * (
                (1.0 - v) * logs[i + 1, j, e] + v * logs[i + 1, j + 1, e]
            )
            if value > -600.0:
                out[k, e] = np.exp(value) / d

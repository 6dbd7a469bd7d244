"""Numba kernels of point sources in uniform diffusion: they see numbers, tuples and arrays only.

Everything depends on D and the age t through the spread s = D t [kpc^2]. One burst is a product of a factor
in the plane and one across it; across it there are three forms, each a function without branches, so that
loops over energies turn into vector instructions: `free`, `images` and `sines`. A piece of a history is the
integral of bursts over its ages: erfc where that is exact, Gauss-Legendre panels in ln t elsewhere.

Where a halo has no boundary, `half_height` is infinite.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = [
    "NEGLIGIBLE",
    "add_up",
    "burst",
    "evaluate",
    "evaluate_vertical",
    "exp",
    "fill_row",
    "free",
    "images",
    "loss_exponent",
    "piece",
    "sine_terms",
    "sines",
    "vertical",
]

OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}, "cache": True, "nogil": True}

#: what is smaller than the rest by exp(-NEGLIGIBLE) is left out
NEGLIGIBLE = 45.0
#: images on either side in closed forms: at s = H^2/2 the next one is exp(-72)
_IMAGES = 5
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
#: of a panel: largest width in ln t, and by how much the exponents may change
_PANEL_WIDTH, _PANEL_EXPONENT = 0.9, 8.0

_LOG2_E = 1.4426950408889634
#: ln 2 in two parts, the first exact in products with small integers (Cody & Waite 1980)
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
#: 1.5 * 2^52: adding and subtracting it rounds to an integer
_ROUND = 6755399441055744.0


@njit(**OPTIONS)
def exp(x):
    """exp(x) for -inf <= x < 700 to 2 ulp: without branches or calls, so that loops over it are vectorised.

    x = k ln 2 + r; Taylor series of exp(r) for |r| <= ln 2 / 2; 2^k made of its bits. 0 below exp(-700).
    """
    y = max(x, -700.0)
    k = (y * _LOG2_E + _ROUND) - _ROUND
    r = (y - k * _LN2_HIGH) - k * _LN2_LOW
    p = r * (1.0 / 479001600.0) + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    power = np.int64((np.int64(k) + 1023) << 52).view(np.float64)
    return p * power if x > -700.0 else 0.0


@njit(**OPTIONS)
def free(z, z_source, s, extra):
    """exp(-extra) times the Green's function of a line, and its slope in z."""
    away = z - z_source
    value = exp(-extra - 0.25 * away * away / s) / np.sqrt(4.0 * np.pi * s)
    return value, -0.5 * away / s * value


@njit(**OPTIONS)
def images(z, z_source, half_height, s, extra):
    """exp(-extra) times the Green's function between absorbing planes, from nine images, and its slope.

    Image n at (-1)^n z_s + 2 n H has the sign (-1)^n. Its exponent relative to that of the source itself is
    -(n^2 H^2 - n H (z + z_s) + z z_s)/s for odd n, -(n^2 H^2 - n H (z - z_s))/s for even n; those of three
    and four are products of the first ones. To 1e-13 for s <= H^2/2.
    """
    H, q = half_height, 1.0 / s
    away, total, zz = z - z_source, z + z_source, z * z_source
    up_1 = exp(-(H * H - H * total + zz) * q)
    down_1 = exp(-(H * H + H * total + zz) * q)
    up_2 = exp(-(4.0 * H * H - 2.0 * H * away) * q)
    down_2 = exp(-(4.0 * H * H + 2.0 * H * away) * q)
    third = exp(-(6.0 * H * H - 2.0 * zz) * q)
    up_3, down_3 = up_1 * up_1 * up_1 * third, down_1 * down_1 * down_1 * third
    fourth = up_2 * down_2
    up_4, down_4 = up_2 * up_2 * fourth, down_2 * down_2 * fourth
    front = exp(-extra - 0.25 * away * away * q) / np.sqrt(4.0 * np.pi * s)
    value = 1.0 - (up_1 + down_1) + (up_2 + down_2) - (up_3 + down_3) + (up_4 + down_4)
    # sum of (-1)^n times the exponential times the way from image n
    moment = (
        away * value
        + (away - total) * (up_1 + down_1 + up_3 + down_3)
        + 2.0 * H * (up_1 - down_1 + 3.0 * (up_3 - down_3))
        - 4.0 * H * (up_2 - down_2 + 2.0 * (up_4 - down_4))
    )
    return front * value, -0.5 * q * front * moment


@njit(**OPTIONS)
def sine_terms(z, z_source, half_height):
    """Coefficients of six sines between absorbing planes, for the value and for its slope in z."""
    H = half_height
    here, there = 0.5 * np.pi * (z + H) / H, 0.5 * np.pi * (z_source + H) / H
    rate = 0.5 * np.pi / H
    # sin and cos of multiples of an angle, one from the two before it
    twice_here, twice_there = 2.0 * np.cos(here), 2.0 * np.cos(there)
    s1, c1, t1 = np.sin(here), np.cos(here), np.sin(there) / H
    s2, c2, t2 = twice_here * s1, twice_here * c1 - 1.0, twice_there * t1
    s3, c3, t3 = twice_here * s2 - s1, twice_here * c2 - c1, twice_there * t2 - t1
    s4, c4, t4 = twice_here * s3 - s2, twice_here * c3 - c2, twice_there * t3 - t2
    s5, c5, t5 = twice_here * s4 - s3, twice_here * c4 - c3, twice_there * t4 - t3
    s6, c6, t6 = twice_here * s5 - s4, twice_here * c5 - c4, twice_there * t5 - t4
    return (
        (s1 * t1, s2 * t2, s3 * t3, s4 * t4, s5 * t5, s6 * t6),
        (
            rate * c1 * t1,
            2.0 * rate * c2 * t2,
            3.0 * rate * c3 * t3,
            4.0 * rate * c4 * t4,
            5.0 * rate * c5 * t5,
            6.0 * rate * c6 * t6,
        ),
    )


@njit(**OPTIONS)
def sines(terms, rate, s, extra):
    """exp(-extra) times the Green's function between absorbing planes, from six sines, and its slope.

    sum_k c_k exp(-k^2 rate s), rate = (pi/2H)^2: the exponentials are powers of one. To 1e-13 for s >= H^2/2.
    """
    value, slope = terms
    q = exp(-rate * s)
    q2 = q * q
    q3 = q2 * q
    q5 = q3 * q2
    q7 = q5 * q2
    q9 = q7 * q2
    q11 = q9 * q2
    v = value[3] + q9 * (value[4] + q11 * value[5])
    v = value[0] + q3 * (value[1] + q5 * (value[2] + q7 * v))
    d = slope[3] + q9 * (slope[4] + q11 * slope[5])
    d = slope[0] + q3 * (slope[1] + q5 * (slope[2] + q7 * d))
    front = exp(-extra) * q
    return front * v, front * d


@njit(**OPTIONS)
def vertical(z, z_source, half_height, s, extra, terms):
    """exp(-extra) times the factor across the plane, in whatever form suits, and its slope in z."""
    if half_height == np.inf:
        return free(z, z_source, s, extra)
    if s <= 0.5 * half_height * half_height:
        return images(z, z_source, half_height, s, extra)
    return sines(terms, 0.25 * np.pi * np.pi / (half_height * half_height), s, extra)


@njit(**OPTIONS)
def loss_exponent(t, diffusion, decay_rate, disc_rate, half_height):
    """-ln of the part that survives decay and collisions in a disc of gas for a time t.

    The gas is averaged over the volume that diffusion has filled, so that the rate of collisions is
    disc_rate / (2 min(H, sqrt(4 D t))); its integral is sqrt(t / D) disc_rate / 2 up to t = H^2/4D.
    """
    early = min(t, 0.25 * half_height * half_height / diffusion)
    return decay_rate * t + 0.5 * disc_rate * (np.sqrt(early / diffusion) + (t - early) / half_height)


@njit(**OPTIONS)
def planar(dx, dy, s, edge_from, modes):
    """Factor in the plane and its gradient; beyond `edge_from` that of a cylinder, from Bessel modes."""
    if s <= edge_from:
        value = exp(-0.25 * (dx * dx + dy * dy) / s) / (4.0 * np.pi * s)
        return value, -0.5 * dx / s * value, -0.5 * dy / s * value
    value, x_slope, y_slope = 0.0, 0.0, 0.0
    for i in range(modes.shape[1]):
        exponent = (modes[0, i] - modes[0, 0]) * s
        if exponent > NEGLIGIBLE:
            break
        term = exp(-exponent)
        value += term * modes[1, i]
        x_slope += term * modes[2, i]
        y_slope += term * modes[3, i]
    front = exp(-modes[0, 0] * s)
    return front * value, front * x_slope, front * y_slope


@njit(**OPTIONS)
def burst(t, energy, geometry, terms, modes):
    """Density of one particle released t ago, and its gradient, with what was lost on the way.

    Parameters
    ----------
    energy : (D, decay rate, disc rate)
    geometry : (x - x_s, y - y_s, z, z_s, H, spread from which the edge is felt)
    terms : of :func:`sine_terms`
    modes : shape (4, n) of the edge: decay per spread, increasing; value; slopes in x and y
    """
    dx, dy, z, z_source, half_height, edge_from = geometry
    diffusion, decay_rate, disc_rate = energy
    s = diffusion * t
    extra = loss_exponent(t, diffusion, decay_rate, disc_rate, half_height)
    across, slope = vertical(z, z_source, half_height, s, extra, terms)
    along, x_slope, y_slope = planar(dx, dy, s, edge_from, modes)
    return along * across, x_slope * across, y_slope * across, along * slope


@njit(**OPTIONS)
def _image_integral(d, low, high):
    """Integrals over s of G and of G / 2s, G = (4 pi s)^(-3/2) exp(-d^2 / 4 s); the first is in y = s^(-1/2):

    (1/4 pi^(3/2)) int exp(-(y d/2)^2) dy = [erfc(d y_low / 2) - erfc(d y_high / 2)] / (4 pi d),
    by quadrature where the difference of two erfc would lose digits.
    """
    if low == 0.0 and d == 0.0:
        return np.inf, np.inf
    y_0, y_1 = 1.0 / np.sqrt(high), 1.0 / np.sqrt(low)
    x_0, x_1 = 0.5 * d * y_0, 0.5 * d * y_1
    if x_1 * x_1 - x_0 * x_0 > 2.0:
        norm = 0.25 / (np.pi * d)
        value = math.erfc(x_0) - math.erfc(x_1)
        fall = x_0 * math.exp(-x_0 * x_0) - (x_1 * math.exp(-x_1 * x_1) if x_1 < 30.0 else 0.0)
        return norm * value, norm / (d * d) * (value + 2.0 / np.sqrt(np.pi) * fall)
    value, second = 0.0, 0.0
    for i in range(_NODES.shape[0]):
        y = 0.5 * (y_0 + y_1) + 0.5 * (y_1 - y_0) * _NODES[i]
        part = _WEIGHTS[i] * math.exp(-0.25 * d * d * y * y)
        value += part
        second += part * y * y
    norm = 0.125 * (y_1 - y_0) / np.pi**1.5
    return norm * value, 0.5 * norm * second


@njit(**OPTIONS)
def _integrated_images(low, high, geometry):
    """Integral of lossless bursts over the spread, low to high, in free space or from images."""
    dx, dy, z, z_source, half_height, _ = geometry
    plane2 = dx * dx + dy * dy
    n_images = 0 if half_height == np.inf else _IMAGES
    value, slope, z_slope = 0.0, 0.0, 0.0
    for n in range(-n_images, n_images + 1):
        sign = 1.0 if n % 2 == 0 else -1.0
        away = z - sign * z_source - (2.0 * n * half_height if n != 0 else 0.0)
        d = np.sqrt(plane2 + away * away)
        part, second = _image_integral(d, low, high)
        value += sign * part
        slope += sign * second
        z_slope -= sign * second * away
    return value, -dx * slope, -dy * slope, z_slope


@njit(**OPTIONS)
def _range_that_counts(low, high, energy, geometry, modes):
    """Cut a range of spreads where bursts are negligible; also the squared distance and the rate that rule.

    The exponent is X(s) = d^2/4s, falling, plus something that rises by `fall` s or more. With its minimum
    at s = d / (2 sqrt(fall)), nothing comes from long before and long after it.
    """
    dx, dy, z, z_source, half_height, edge_from = geometry
    diffusion, decay_rate, disc_rate = energy
    distance2 = dx * dx + dy * dy
    fall = decay_rate / diffusion + 0.5 * disc_rate / (half_height * diffusion)
    if low >= 0.5 * half_height * half_height:
        fall += 0.25 * (np.pi / half_height) ** 2
    else:
        distance2 += (z - z_source) ** 2
    if low >= edge_from:
        fall += modes[0, 0]
    best = high
    if fall > 0.0:
        best = max(low, 0.5 * np.sqrt(distance2 / fall))
        high = min(high, max(low, 2.0 * best) + NEGLIGIBLE / fall)
    if disc_rate > 0.0 and half_height == np.inf:  # then the losses rise as sqrt(t) only
        high = min(high, (np.sqrt(low) + 2.0 * NEGLIGIBLE * diffusion / disc_rate) ** 2)
    best = min(best, high)
    deepest = distance2 / best + 4.0 * (fall * best + NEGLIGIBLE)
    return max(low, distance2 / deepest), high, distance2, fall


@njit(**OPTIONS)
def _integrated_panels(low, high, energy, geometry, terms, modes):
    """Integral of bursts over the spread, low to high: Gauss-Legendre panels in ln s."""
    diffusion, decay_rate, disc_rate = energy
    half_height = geometry[4]
    low, high, distance2, fall = _range_that_counts(low, high, energy, geometry, modes)
    if not low < high:
        return 0.0, 0.0, 0.0, 0.0
    if low == 0.0:
        return np.inf, np.nan, np.nan, np.nan
    lost = loss_exponent(high / diffusion, diffusion, decay_rate, disc_rate, half_height) - loss_exponent(
        low / diffusion, diffusion, decay_rate, disc_rate, half_height
    )
    change = max(0.25 * distance2 * (1.0 / low - 1.0 / high), lost + fall * (high - low))
    width = np.log(high / low)
    panels = int(np.ceil(max(width / _PANEL_WIDTH, change / _PANEL_EXPONENT)))
    step = width / panels
    value, x_slope, y_slope, z_slope = 0.0, 0.0, 0.0, 0.0
    for i in range(panels):
        for j in range(_NODES.shape[0]):
            s = low * np.exp(step * (i + 0.5 + 0.5 * _NODES[j]))
            weight = 0.5 * step * _WEIGHTS[j] * s
            part, x_part, y_part, z_part = burst(s / diffusion, energy, geometry, terms, modes)
            value += weight * part
            x_slope += weight * x_part
            y_slope += weight * y_part
            z_slope += weight * z_part
    return value, x_slope, y_slope, z_slope


@njit(**OPTIONS)
def piece(young, old, energy, geometry, terms, modes):
    """Integral of bursts over ages from `young` to `old` [Myr / kpc^3], and its gradient.

    Arguments as :func:`burst`; infinite at the source itself if young = 0. `old` may be infinite.
    """
    diffusion, decay_rate, disc_rate = energy
    half_height, edge_from = geometry[4], geometry[5]
    across_changes = 0.5 * half_height * half_height
    value, x_slope, y_slope, z_slope = 0.0, 0.0, 0.0, 0.0
    low, old_spread = diffusion * young, diffusion * old
    while low < old_spread:
        # up to where the form of the factor across the plane, or of that in it, changes
        high = old_spread
        if low < across_changes:
            high = min(high, across_changes)
        if low < edge_from:
            high = min(high, edge_from)
        if low < min(across_changes, edge_from) and decay_rate == 0.0 and disc_rate == 0.0:
            parts = _integrated_images(low, high, geometry)
        else:
            parts = _integrated_panels(low, high, energy, geometry, terms, modes)
        value += parts[0]
        x_slope += parts[1]
        y_slope += parts[2]
        z_slope += parts[3]
        low = high
    return value / diffusion, x_slope / diffusion, y_slope / diffusion, z_slope / diffusion


@njit(**OPTIONS)
def evaluate(position, source, diffusion, youngest, oldest, half_height, lasting, result):
    """One density and gradient per element, result[0] and result[1:]; nothing before it happens."""
    no_modes = np.zeros((4, 1))
    terms = sine_terms(0.0, 0.0, 1.0)
    for i in range(diffusion.shape[0]):
        if not oldest[i] > 0.0:
            continue
        x, y, z = position[i, 0], position[i, 1], position[i, 2]
        if half_height != np.inf:
            terms = sine_terms(z, source[i, 2], half_height)
        geometry = (x - source[i, 0], y - source[i, 1], z, source[i, 2], half_height, np.inf)
        energy = (diffusion[i], 0.0, 0.0)
        if lasting:
            parts = piece(youngest[i], oldest[i], energy, geometry, terms, no_modes)
        else:
            parts = burst(oldest[i], energy, geometry, terms, no_modes)
        for k in range(4):
            result[k, i] = parts[k]


@njit(**OPTIONS)
def evaluate_vertical(z, z_source, s, half_height, value, slope):
    """Fill value and slope element by element."""
    for i in range(s.shape[0]):
        terms = sine_terms(z[i], z_source[i], half_height)
        value[i], slope[i] = vertical(z[i], z_source[i], half_height, s[i], 0.0, terms)


@njit(**OPTIONS)
def fill_row(young, old, place, energies, causal, modes, row):
    """Mean of the bursts of a piece for every energy: density and gradient in row, shape (4, n_e).

    Parameters
    ----------
    young, old : ages at which the piece ended and began; equal for a burst [Myr]
    place : geometry as in :func:`burst`
    energies : shape (4, n_e): D, beta c, decay rate, disc rate
    causal : whether nothing arrives before d / (beta c)
    """
    dx, dy, z, z_source, half_height, _ = place
    d = np.sqrt(dx * dx + dy * dy + (z - z_source) ** 2)
    terms = sine_terms(z, z_source, half_height if half_height != np.inf else 1.0)
    for e in range(energies.shape[1]):
        energy = (energies[0, e], energies[2, e], energies[3, e])
        first = max(young, d / energies[1, e]) if causal else young
        parts, scale = (0.0, 0.0, 0.0, 0.0), 1.0
        if old == young and old > 0.0 and first <= old:
            parts = burst(old, energy, place, terms, modes)
        elif first < old:
            parts = piece(first, old, energy, place, terms, modes)
            scale = 1.0 / (old - young)
        for k in range(4):
            row[k, e] = scale * parts[k]


@njit(**OPTIONS)
def tabulate(position, young, old, observer, limits, energies, causal, modes, table):
    """Rows of all pieces for one observer: table, shape (n_pieces, 4, n_e)."""
    for i in range(position.shape[0]):
        place = (
            observer[0] - position[i, 0],
            observer[1] - position[i, 1],
            observer[2],
            position[i, 2],
            limits[0],
            limits[1],
        )
        fill_row(young[i], old[i], place, energies, causal, modes, table[i])


@njit(**OPTIONS)
def add_up(position, young, old, weight, spectrum, spectra, observer, limits, energies, causal, modes, total):
    """Sum over pieces of weight * spectra[spectrum] * row for one observer: total, shape (4, n_e)."""
    n_e = energies.shape[1]
    row = np.empty((4, n_e))
    for i in range(position.shape[0]):
        place = (
            observer[0] - position[i, 0],
            observer[1] - position[i, 1],
            observer[2],
            position[i, 2],
            limits[0],
            limits[1],
        )
        fill_row(young[i], old[i], place, energies, causal, modes, row)
        for k in range(total.shape[0]):
            for e in range(n_e):
                total[k, e] += weight[i] * spectra[spectrum[i], e] * row[k, e]

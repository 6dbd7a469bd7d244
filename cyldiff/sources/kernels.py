"""Numba kernels of point sources in uniform diffusion: they see numbers, tuples and arrays only.

Everything depends on D and the age t through the spread s = D t [kpc^2]. One burst is a product of a factor
in the plane and one across it; across it there are three forms, each a function without branches, so that
loops over energies turn into vector instructions: `free`, `images` and `sines`. A piece of a history is the
integral of bursts over its ages: erfc where that is exact, Gauss-Legendre panels in ln t elsewhere.

In free space `half_height` is infinite.

Below the formulas for one energy are those for rows of energies. All of it is one file because the compiler's
cache notices changes of the file of a function only, not of those it calls into.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = [
    "LANES",
    "NEGLIGIBLE",
    "STEEP",
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
    "planar",
    "sine_angle",
    "sine_terms",
    "sines",
    "tabulate",
    "tabulate_at_edge",
    "vertical",
]

OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}, "cache": True, "nogil": True}
#: of functions without branches: a loop over a call that is not inlined does not become vector instructions
_INLINED: dict[str, Any] = {**OPTIONS, "forceinline": True}

#: what is smaller than the rest by exp(-NEGLIGIBLE) is left out
NEGLIGIBLE = 45.0
#: rho^2 / 4s beyond which Bessel modes cancel
STEEP = 20.0
#: images on either side in closed forms: at s = H^2/2 the next one is exp(-72)
_IMAGES = 5
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
#: energies in vector loops come in blocks of that many
LANES = 8
#: Gauss-Legendre rules of short pieces, one row each, and how steep a piece of unit half-length each can take:
#: with f ~ exp(c x) on (-1, 1) the error of n nodes is c^(2n) 2^(2n) n!^4 / ((2n + 1) (2n)!^3) of f; 1e-8
_ORDERS = np.array([2, 3, 4, 6, 8])
_RULES = np.zeros((2, len(_ORDERS), 8))
for _i, _n in enumerate(_ORDERS):
    _RULES[:, _i, :_n] = np.polynomial.legendre.leggauss(_n)
_STEEPEST = np.array(
    [
        (1e-8 * (2 * n + 1) * math.factorial(2 * n) ** 3 / 4.0**n / math.factorial(n) ** 4) ** (0.5 / n)
        for n in _ORDERS.tolist()
    ]
)
#: longest short piece, in ln t; a piece that would need more than so many of them is done energy by energy
_SHORT, _MANY = 0.7, 16
#: no edge
_NO_MODES = np.zeros((4, 1))
#: of a panel: largest width in ln t, and by how much the exponents may change
_PANEL_WIDTH, _PANEL_EXPONENT = 0.9, 8.0

_LOG2_E = 1.4426950408889634  #: 1 / ln 2
#: ln 2 in two parts, the first exact in products with small integers (Cody & Waite 1980)
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_PER_4_PI = 0.25 / np.pi
#: 1.5 * 2^52: adding and subtracting it rounds to an integer
_ROUND = 6755399441055744.0


@njit(**_INLINED)
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


@njit(**_INLINED)
def free(z, z_source, s, extra):
    """exp(-extra) times the Green's function of a line, and its slope in z."""
    away, q = z - z_source, 1.0 / s
    value = exp(-extra - 0.25 * away * away * q) * np.sqrt(q * _PER_4_PI)
    return value, -0.5 * away * q * value


@njit(**_INLINED)
def images(z, z_source, half_height, s, extra):
    """exp(-extra) times the Green's function between absorbing planes, from eleven images, and its slope.

    Image n at (-1)^n z_s + 2 n H has the sign (-1)^n. Its exponent relative to that of the source itself is
    -(n^2 H^2 - n H (z + z_s) + z z_s)/s for odd n, -(n^2 H^2 - n H (z - z_s))/s for even n; those of
    three to five are products of the first ones. To 1e-13 for s <= 0.6 H^2.
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
    fifth = third * fourth
    up_5, down_5 = up_3 * up_1 * up_1 * fifth, down_3 * down_1 * down_1 * fifth
    front = exp(-extra - 0.25 * away * away * q) * np.sqrt(q * _PER_4_PI)
    odd = (up_1 + down_1) + (up_3 + down_3) + (up_5 + down_5)
    value = 1.0 - odd + (up_2 + down_2) + (up_4 + down_4)
    # sum of (-1)^n times the exponential times the way from image n
    moment = (
        away * value
        + (away - total) * odd
        + 2.0 * H * (up_1 - down_1 + 3.0 * (up_3 - down_3) + 5.0 * (up_5 - down_5))
        - 4.0 * H * (up_2 - down_2 + 2.0 * (up_4 - down_4))
    )
    return front * value, -0.5 * q * front * moment


@njit(**OPTIONS)
def sine_angle(z, half_height):
    """Sine and cosine of (pi/2) (z + H) / H; whatever in free space."""
    angle = 0.5 * np.pi * (z / half_height + 1.0)
    return np.sin(angle), np.cos(angle)


@njit(**OPTIONS)
def sine_terms(here, there, half_height):
    """Coefficients of six sines between absorbing planes, for the value and for its slope in z.

    `here` and `there` are the :func:`sine_angle` of the observer and of the source.
    """
    rate = 0.5 * np.pi / half_height
    # sin and cos of multiples of an angle, one from the two before it
    s1, c1, t1 = here[0], here[1] * rate, there[0] / half_height
    twice_here, twice_there = 2.0 * here[1], 2.0 * there[1]
    s2, c2, t2 = twice_here * s1, twice_here * c1 - rate, twice_there * t1
    s3, c3, t3 = twice_here * s2 - s1, twice_here * c2 - c1, twice_there * t2 - t1
    s4, c4, t4 = twice_here * s3 - s2, twice_here * c3 - c2, twice_there * t3 - t2
    s5, c5, t5 = twice_here * s4 - s3, twice_here * c4 - c3, twice_there * t4 - t3
    s6, c6, t6 = twice_here * s5 - s4, twice_here * c5 - c4, twice_there * t5 - t4
    return (
        (s1 * t1, s2 * t2, s3 * t3, s4 * t4, s5 * t5, s6 * t6),
        (c1 * t1, 2.0 * c2 * t2, 3.0 * c3 * t3, 4.0 * c4 * t4, 5.0 * c5 * t5, 6.0 * c6 * t6),
    )


@njit(**_INLINED)
def sines(terms, rate, s, extra):
    """exp(-extra) times the Green's function between absorbing planes, from six sines, and its slope.

    sum_k c_k exp(-k^2 rate s), rate = (pi/2H)^2: the exponentials are powers of one. To 1e-13 for s >= 0.3 H^2.
    """
    value, slope = terms
    first = exp(-rate * s)
    q = max(first, 1e-27)  # lest its powers become denormal numbers, with which processors are slow
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
    front = exp(-extra) * first
    return front * v, front * d


@njit(**OPTIONS)
def vertical(z, z_source, half_height, s, extra, terms):
    """exp(-extra) times the factor across the plane, in whatever form suits, and its slope in z."""
    if half_height == np.inf:
        return free(z, z_source, s, extra)
    if s <= 0.5 * half_height * half_height:
        return images(z, z_source, half_height, s, extra)
    return sines(terms, 0.25 * np.pi * np.pi / (half_height * half_height), s, extra)


@njit(**_INLINED)
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
    exponent = 0.25 * (dx * dx + dy * dy) / s
    if s <= edge_from or exponent > STEEP:
        value = exp(-exponent) / (4.0 * np.pi * s)
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
    y_0, y_1 = 1.0 / np.sqrt(high), 1.0 / np.sqrt(low) if low > 0.0 else np.inf
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
    farthest2 = (z - z_source) ** 2 + 4.0 * NEGLIGIBLE * high
    value, slope, z_slope = 0.0, 0.0, 0.0
    for n in range(-n_images, n_images + 1):
        sign = 1.0 if n % 2 == 0 else -1.0
        away = z - sign * z_source - (2.0 * n * half_height if n != 0 else 0.0)
        if away * away > farthest2:
            continue
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
    if distance2 == 0.0:
        return low, high, distance2, fall
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
        if disc_rate > 0.0 and low < 0.5 * across_changes:
            high = min(high, 0.5 * across_changes)  # the gas is as thick as the halo from then on
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
    for i in range(diffusion.shape[0]):
        if not oldest[i] > 0.0:
            continue
        x, y, z = position[i, 0], position[i, 1], position[i, 2]
        terms = sine_terms(sine_angle(z, half_height), sine_angle(source[i, 2], half_height), half_height)
        geometry = (x - source[i, 0], y - source[i, 1], z, source[i, 2], half_height, np.inf)
        energy = (diffusion[i], 0.0, 0.0)
        if lasting:
            parts = piece(youngest[i], oldest[i], energy, geometry, terms, _NO_MODES)
        else:
            parts = burst(oldest[i], energy, geometry, terms, _NO_MODES)
        for k in range(4):
            result[k, i] = parts[k]


@njit(**OPTIONS)
def evaluate_vertical(z, z_source, s, half_height, value, slope):
    """Fill value and slope element by element."""
    for i in range(s.shape[0]):
        here, there = sine_angle(z[i], half_height), sine_angle(z_source[i], half_height)
        terms = sine_terms(here, there, half_height)
        value[i], slope[i] = vertical(z[i], z_source[i], half_height, s[i], 0.0, terms)


@njit(**OPTIONS)
def _rule(steepness):
    """Which Gauss-Legendre rule is good for a short piece, in how many parts; 0 parts if that is too many."""
    for i in range(_STEEPEST.shape[0]):
        if steepness <= _STEEPEST[i]:
            return i, 1
    parts = int(np.ceil(min(steepness, 1e6) / _STEEPEST[-1]))
    return _STEEPEST.shape[0] - 1, (parts if parts <= _MANY else 0)


@njit(**_INLINED)
def _add_free(t, weight, place, diffusion, lost, low, high, row):
    """Add weight times bursts of age t in free space to the row, for energies from `low` to `high`."""
    dx, dy, z, z_source, _, _ = place
    plane2 = dx * dx + dy * dy
    for e in range(low, high):
        s = diffusion[e] * t
        q = 1.0 / s
        across, slope = free(z, z_source, s, 0.25 * plane2 * q + lost[e])
        along = weight * _PER_4_PI * q
        row[0, e] += along * across
        row[1, e] += 0.5 * q * along * across
        row[2, e] += along * slope


@njit(**_INLINED)
def _add_images(t, weight, place, diffusion, lost, low, high, row):
    """As :func:`_add_free`, between absorbing planes and soon."""
    dx, dy, z, z_source, half_height, _ = place
    plane2 = dx * dx + dy * dy
    for e in range(low, high):
        s = diffusion[e] * t
        q = 1.0 / s
        across, slope = images(z, z_source, half_height, s, 0.25 * plane2 * q + lost[e])
        along = weight * _PER_4_PI * q
        row[0, e] += along * across
        row[1, e] += 0.5 * q * along * across
        row[2, e] += along * slope


@njit(**_INLINED)
def _add_sines(t, weight, place, terms, diffusion, lost, low, high, row):
    """As :func:`_add_free`, between absorbing planes and late."""
    dx, dy, _, _, half_height, _ = place
    plane2, rate = dx * dx + dy * dy, 0.25 * np.pi * np.pi / (half_height * half_height)
    for e in range(low, high):
        s = diffusion[e] * t
        q = 1.0 / s
        across, slope = sines(terms, rate, s, 0.25 * plane2 * q + lost[e])
        along = weight * _PER_4_PI * q
        row[0, e] += along * across
        row[1, e] += 0.5 * q * along * across
        row[2, e] += along * slope


@njit(**_INLINED)
def _add_either(t, weight, place, terms, diffusion, lost, low, high, row):
    """As :func:`_add_free`, between absorbing planes, some soon and some late."""
    dx, dy, z, z_source, half_height, _ = place
    plane2, rate = dx * dx + dy * dy, 0.25 * np.pi * np.pi / (half_height * half_height)
    change = 0.5 * half_height * half_height
    for e in range(low, high):
        s = diffusion[e] * t
        q = 1.0 / s
        extra = 0.25 * plane2 * q + lost[e]
        soon, soon_slope = images(z, z_source, half_height, min(s, change), extra)
        late, late_slope = sines(terms, rate, max(s, change), extra)
        across, slope = (soon, soon_slope) if s <= change else (late, late_slope)
        along = weight * _PER_4_PI * q
        row[0, e] += along * across
        row[1, e] += 0.5 * q * along * across
        row[2, e] += along * slope


@njit(**OPTIONS)
def _fill_lost(t, half_height, energies, low, high, lost):
    for e in range(low, high):
        lost[e] = loss_exponent(t, energies[0, e], energies[2, e], energies[3, e], half_height)


#: how a block of energies is evaluated
_BY_PIECE, _BY_FREE, _BY_IMAGES, _BY_SINES, _BY_EITHER, _ZERO, _EMPTY = range(7)
#: exponents of the slowest sine from which on six of them are enough, s = 0.3 H^2, and until which eleven
#: images are, s = 0.6 H^2
_LATE, _SOON = 0.3 * 0.25 * np.pi**2, 0.6 * 0.25 * np.pi**2


@njit(**OPTIONS)
def _measures(young, old, oldest, place):
    """What decides on the method and does not depend on the energy.

    X D t = d^2/4; what it changes by from `old` to `oldest`; the same by way of the nearest wall; the rate of
    the slowest sine; half of the length in units of the middle.
    """
    dx, dy, z, z_source, half_height, _ = place
    quarter = 0.25 * (dx * dx + dy * dy + (z - z_source) ** 2)
    later = quarter * (1.0 / old - 1.0 / oldest) if old < oldest else 0.0
    wall, rate = np.inf, 0.0
    if half_height != np.inf:
        # a path by way of it is longer, in the exponent, by (H - |z|) (H - |z_s|) / s or more
        up, down = (half_height - z) * (half_height - z_source), (half_height + z) * (half_height + z_source)
        wall, rate = min(up, down), 0.25 * np.pi * np.pi / (half_height * half_height)
    return quarter, later, wall, rate, (old - young) / (old + young)


@njit(**OPTIONS)
def _method(young, old, oldest, slow, fast, lost, measures, empty):
    """How to evaluate a short piece for a block of energies, with which rule and in how many parts.

    Parameters
    ----------
    oldest : age at which the whole piece began: what is negligible next to that age is left out
    slow, fast : smallest and largest D
    lost : largest loss exponent at `oldest`
    measures : of :func:`_measures`
    empty : exponent of the slowest sine at which the halo counts as empty
    """
    quarter, later, wall, rate, length = measures
    low, high = slow * young, fast * old
    if rate * low > empty:
        return _EMPTY, 0, 1
    if rate * low > 700.0:  # no number is that small
        return _ZERO, 0, 1
    if later > (NEGLIGIBLE + rate * fast * oldest + lost) * fast:
        return _ZERO, 0, 1
    rule, parts = 0, 1
    if length > 0.0:
        # 5.5 for powers of t: a gradient next to a wall falls as t^(-7/2) or less
        rule, parts = _rule(length * (max(quarter / low, rate * high) + lost + 5.5))
    if parts == 0:
        return _BY_PIECE, 0, 1
    if wall > NEGLIGIBLE * high:
        return _BY_FREE, rule, parts
    if rate * low > _LATE:
        return _BY_SINES, rule, parts
    return (_BY_IMAGES if rate * high < _SOON else _BY_EITHER), rule, parts


@njit(**OPTIONS)
def _add_pieces(young, old, scale, place, terms, energies, low, high, row):
    """Add scale times the integral over ages to the row, one energy after the other."""
    dx, dy, z, z_source, half_height, edge_from = place
    rho = np.sqrt(dx * dx + dy * dy)
    for e in range(low, high):
        energy = (energies[0, e], energies[2, e], energies[3, e])
        parts = piece(young, old, energy, (rho, 0.0, z, z_source, half_height, edge_from), terms, _NO_MODES)
        row[0, e] += scale * parts[0]
        row[1, e] -= scale * parts[1] / rho if rho > 0.0 else 0.0
        row[2, e] += scale * parts[3]


@njit(**OPTIONS)
def _add_nodes(how, young, old, scale, place, terms, energies, lossy, low, high, lost, row):
    """Add scale times the integral over a short piece, or a burst, for a range of energies."""
    method, rule, parts = how
    D = energies[0]
    # without a sign there is no counting from the end, which loops would have to check for
    first, last = np.uint64(low), np.uint64(high)
    half = 0.5 * (old - young) / parts
    nodes = _ORDERS[rule] if half > 0.0 else 1
    for i in range(parts * nodes):
        t = young + half * (2 * (i // nodes) + 1 + _RULES[0, rule, i % nodes])
        weight = scale * half * _RULES[1, rule, i % nodes] if half > 0.0 else scale
        if lossy:
            _fill_lost(t, place[4], energies, first, last, lost)
        if method == _BY_FREE:
            _add_free(t, weight, place, D, lost, first, last, row)
        elif method == _BY_IMAGES:
            _add_images(t, weight, place, D, lost, first, last, row)
        elif method == _BY_SINES:
            _add_sines(t, weight, place, terms, D, lost, first, last, row)
        else:
            _add_either(t, weight, place, terms, D, lost, first, last, row)


@njit(**OPTIONS)
def _add_short(young, old, oldest, scale, place, terms, energies, setting, worst, lost, row):
    """Add scale times the integral over a short piece, or a burst, for all energies in blocks of LANES.

    Returns from which energy on the halo is empty.
    """
    n_e, _, lossy, empty = setting
    D, n = energies[0], energies.shape[1]
    begin, measures = 0, _measures(young, old, oldest, place)
    how = _method(young, old, oldest, D[0], D[LANES - 1], worst[0], measures, empty)
    while begin < n:
        end, then = begin + LANES, how
        while end < n and how[0] != _EMPTY:
            then = _method(
                young, old, oldest, D[end], D[end + LANES - 1], worst[end // LANES], measures, empty
            )
            if then != how:
                break
            end += LANES
        if how[0] == _BY_PIECE:
            _add_pieces(young, old, scale, place, terms, energies, begin, min(end, n_e), row)
        elif how[0] == _EMPTY:
            bound = scale * (old - young if old > young else 1.0)
            bound *= np.exp(-empty) / (4.0 * np.pi * young * place[4])
            for e in range(begin, n):
                row[3, e] += bound / D[e]
            return begin
        elif how[0] != _ZERO:
            _add_nodes(how, young, old, scale, place, terms, energies, lossy, begin, end, lost, row)
        begin, how = end, then
    return n


@njit(**OPTIONS)
def _add_burst(age, place, terms, energies, setting, worst, lost, row):
    """Add a burst to the row, where it has arrived; returns as :func:`fill_row`."""
    dx, dy, z, z_source, _, _ = place
    empty_from = _add_short(age, age, age, 1.0, place, terms, energies, setting, worst, lost, row)
    reach2 = (dx * dx + dy * dy + (z - z_source) ** 2) / (age * age)
    if setting[1]:
        for e in range(energies.shape[1]):
            if energies[1, e] ** 2 < reach2:
                row[:, e] = 0.0
    return empty_from, empty_from


@njit(**OPTIONS)
def _add_arrivals(young, begin, old, d, scale, place, terms, energies, setting, worst, row):
    """Add what arrived before the slowest particles could: from d / (beta c) to `begin`, energy by energy."""
    half_height = place[4]
    rate = 0.25 * np.pi * np.pi / (half_height * half_height)
    for e in range(setting[0]):
        first = max(young, d / energies[1, e])
        if not first < begin:
            continue
        D = energies[0, e]
        steepest, lost = 0.25 * d * d / (D * first), worst[e // LANES]
        if steepest * (first / begin - first / old) > NEGLIGIBLE + rate * D * old + lost:
            continue
        steepest = max(steepest, rate * D * begin) + lost + 5.5
        rule, parts = _rule((begin - first) / (begin + first) * steepest)
        if parts != 1 or begin > 2.0 * first:
            _add_pieces(first, begin, scale, place, terms, energies, e, e + 1, row)
            continue
        middle, half = 0.5 * (begin + first), 0.5 * (begin - first)
        for i in range(_ORDERS[rule]):
            t = middle + half * _RULES[0, rule, i]
            part = burst(t, (D, energies[2, e], energies[3, e]), place, terms, _NO_MODES)
            row[0, e] += scale * half * _RULES[1, rule, i] * part[0]
            row[1, e] += scale * half * _RULES[1, rule, i] * part[0] * 0.5 / (D * t)
            row[2, e] += scale * half * _RULES[1, rule, i] * part[3]


@njit(**OPTIONS)
def _add_lasting(young, old, place, terms, energies, setting, slowest, worst, lost, row):
    """Add the mean over a piece to the row: short pieces that follow each other, as far as that is possible.

    Returns as :func:`fill_row`.
    """
    dx, dy, z, z_source, _, _ = place
    n_e, causal, _, _ = setting
    scale, begin, n = 1.0 / (old - young), young, energies.shape[1]
    if causal:
        d = np.sqrt(dx * dx + dy * dy + (z - z_source) ** 2)
        begin = min(max(young, d / slowest), old)
        if begin > young:
            _add_arrivals(young, begin, old, d, scale, place, terms, energies, setting, worst, row)
    if not begin < old:
        return n, n
    short = 1
    if old > 2.0 * begin:
        short = int(np.ceil(np.log(old / begin) / _SHORT)) if begin > 0.0 else _MANY + 1
    if short > _MANY:
        _add_pieces(begin, old, scale, place, terms, energies, 0, n_e, row)
        return n, n
    filled, empty_from = n, n
    for i in range(short):
        end = old if i == short - 1 else begin * (old / begin) ** (1.0 / (short - i))
        empty_from = _add_short(begin, end, old, scale, place, terms, energies, setting, worst, lost, row)
        if begin == young:
            filled = empty_from  # the youngest particles fill most
        begin = end
    return filled, empty_from


@njit(**OPTIONS)
def fill_row(young, old, place, here, energies, setting, slowest, worst, lost, row):
    """Mean of the bursts of a piece for every energy, in free space or a halo.

    Parameters
    ----------
    young, old : ages at which the piece ended and began; equal for a burst [Myr]
    place : geometry as in :func:`burst`; no edge
    here : :func:`sine_angle` of the observer
    energies : D, increasing; beta c; decay rate; disc rate: shape (4, n), n a multiple of LANES
    setting : number of energies that count; whether nothing arrives before d / (beta c); whether there are
        losses; exponent of the slowest sine from which on the halo counts as empty
    slowest : smallest beta c
    worst, lost : room for n / LANES and n numbers, zero if there are no losses
    row : shape (4, n), is filled with the density; that of 1 / 2s, which makes the gradient in the plane; the
        slope in z; bounds of what was left out of the density because the halo is empty

    Returns
    -------
    How many energies the density was written for; and from which one on something was left out.
    """
    row[:] = 0.0
    n = energies.shape[1]
    if not old > 0.0:
        return 0, n
    half_height = place[4]
    terms = sine_terms(here, sine_angle(place[3], half_height), half_height)
    if setting[2]:
        _fill_lost(old, half_height, energies, np.uint64(0), np.uint64(n), lost)
        for block in range(worst.shape[0]):
            worst[block] = lost[block * LANES : (block + 1) * LANES].max()
    if young < old:
        return _add_lasting(young, old, place, terms, energies, setting, slowest, worst, lost, row)
    return _add_burst(old, place, terms, energies, setting, worst, lost, row)


@njit(**OPTIONS)
def _place(position, observer, half_height):
    return (
        observer[0] - position[0],
        observer[1] - position[1],
        observer[2],
        position[2],
        half_height,
        np.inf,
    )


@njit(**OPTIONS)
def tabulate(position, young, old, observer, half_height, energies, setting, table):
    """Density and gradient of all pieces for one observer: table, shape (n_pieces, 4, n_e)."""
    n = energies.shape[1]
    row, lost, worst = np.empty((4, n)), np.zeros(n), np.zeros(n // LANES)
    here, slowest = sine_angle(observer[2], half_height), energies[1].min()
    for i in range(position.shape[0]):
        place = _place(position[i], observer, half_height)
        fill_row(young[i], old[i], place, here, energies, setting, slowest, worst, lost, row)
        for e in range(table.shape[2]):
            table[i, 0, e] = row[0, e]
            table[i, 1, e] = -place[0] * row[1, e]
            table[i, 2, e] = -place[1] * row[1, e]
            table[i, 3, e] = row[2, e]


@njit(**_INLINED)
def _add_product(factor, i, spectra, j, row, k, total, low, high):
    for e in range(np.uint64(low), np.uint64(high)):
        total[k, e] += factor * spectra[i, e] * row[j, e]


@njit(**OPTIONS)
def add_up(position, young, old, weight, spectrum, spectra, observer, half_height, energies, setting, total):
    """Sum over pieces of weight * spectra[spectrum] * (bound, density[, gradient]) for one observer.

    total has the shape (2 or 5, n): bounds of what was left out, density, and gradient if there is room.
    """
    n = energies.shape[1]
    row, lost, worst = np.empty((4, n)), np.zeros(n), np.zeros(n // LANES)
    here, slowest = sine_angle(observer[2], half_height), energies[1].min()
    for i in range(position.shape[0]):
        place = _place(position[i], observer, half_height)
        filled, empty_from = fill_row(
            young[i], old[i], place, here, energies, setting, slowest, worst, lost, row
        )
        own = spectrum[i]
        _add_product(weight[i], own, spectra, 3, row, 0, total, empty_from, n)
        _add_product(weight[i], own, spectra, 0, row, 1, total, 0, filled)
        if total.shape[0] == 5:
            _add_product(-place[0] * weight[i], own, spectra, 1, row, 2, total, 0, filled)
            _add_product(-place[1] * weight[i], own, spectra, 1, row, 3, total, 0, filled)
            _add_product(weight[i], own, spectra, 2, row, 4, total, 0, filled)


@njit(**OPTIONS)
def tabulate_at_edge(young, old, place, energies, setting, modes, table):
    """Density and gradient of a piece that feels the edge: table, shape (4, n_e); else as :func:`fill_row`."""
    dx, dy, z, z_source, half_height, _ = place
    d = np.sqrt(dx * dx + dy * dy + (z - z_source) ** 2)
    terms = sine_terms(sine_angle(z, half_height), sine_angle(z_source, half_height), half_height)
    for e in range(setting[0]):
        energy = (energies[0, e], energies[2, e], energies[3, e])
        first = max(young, d / energies[1, e]) if setting[1] else young
        parts, scale = (0.0, 0.0, 0.0, 0.0), 1.0
        if old == young and old > 0.0 and first <= old:
            parts = burst(old, energy, place, terms, modes)
        elif first < old:
            parts = piece(first, old, energy, place, terms, modes)
            scale = 1.0 / (old - young)
        for k in range(4):
            table[k, e] = scale * parts[k]

"""Gamma rays of p-p collisions from the pion threshold to PeV: Kafexhiu et al. 2014.

Kafexhiu, Aharonian, Taylor & Vila 2014, PRD 90, 123014: dsigma/dE = A_max(T) F(T, E), fits to data below
1 GeV and to GEANT 4.10.0 above, joined to one of three event generators from 50 or 100 GeV on. T is the
kinetic energy of the proton. Equations, tables and names are those of the paper.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff import constants as const
from cyldiff.particles.inelastic import proton_proton

__all__ = ["GENERATORS", "cross_section", "nuclear_enhancement", "pion_cross_section"]

Array = NDArray[np.float64]

M_P = const.PROTON_MASS
#: mass of the neutral pion [GeV], Particle Data Group 2022
M_PI = 0.1349768
#: kinetic energy of the proton at threshold, 2 m_pi + m_pi^2 / (2 m_p) [GeV]
THRESHOLD = 2.0 * M_PI + M_PI**2 / (2.0 * M_P)

#: generator -> (T from which it is used [GeV], Table IV: a_1...a_5, Table V: lambda, alpha, beta, gamma,
#: Table VII: b_1, b_2, b_3)
GENERATORS: dict[str, tuple[float, tuple[float, ...], tuple[float, ...], tuple[float, ...]]] = {
    "geant4": (100.0, (0.728, 0.596, 0.491, 0.2503, 0.117), (3.0, 0.5, 4.9, 1.0), (9.13, 0.35, 9.7e-3)),
    "pythia8": (
        50.0,
        (0.652, 0.0016, 0.488, 0.1928, 0.483),
        (3.5, 0.5, 4.0, 1.0),
        (9.06, 0.3795, 0.01105),
    ),
    "sibyll": (
        100.0,
        (5.436, 0.254, 0.072, 0.075, 0.166),
        (3.55, 0.5, 3.6, 1.0),
        (10.77, 0.412, 0.01264),
    ),
    "qgsjet": (
        100.0,
        (0.908, 0.0009, 6.089, 0.176, 0.448),
        (3.55, 0.5, 4.5, 1.0),
        (13.16, 0.4419, 0.01439),
    ),
}


def cross_section(energy: ArrayLike, kinetic_energy: ArrayLike, *, generator: str = "pythia8") -> Array:
    """Inclusive dsigma/dE of gamma rays [mb/GeV], Eq. 8.

    Parameters
    ----------
    energy, kinetic_energy : array_like     of the photon and of the proton [GeV], broadcast together
    generator : str                         a key of GENERATORS
    """
    energy, t = np.broadcast_arrays(np.asarray(energy, float), np.asarray(kinetic_energy, float))
    above = t > THRESHOLD * (1.0 + 1e-9)
    t_safe = np.where(above, t, 1.0)
    value = _peak(t_safe, generator) * _shape(t_safe, energy, generator)
    return np.asarray(np.where(above, value, 0.0))


def nuclear_enhancement(kinetic_energy: ArrayLike) -> Array:
    """Factor of local cosmic and interstellar abundances, Eqs. 21-24 and Table IX of the paper.

    1.37 + 0.39 * 10 pi mb G(T) / sigma_inel(T) with G = 1 + ln max(1, sigma_inel(T)/sigma_inel(1 TeV)); below
    1 GeV, where it would diverge at the threshold, its value at 1 GeV.
    """
    t = np.maximum(np.asarray(kinetic_energy, dtype=float), 1.0)
    sigma = proton_proton(t)
    growth = 1.0 + np.log(np.maximum(sigma / float(proton_proton(1e3)), 1.0))
    return np.asarray(1.37 + 0.39 * 10.0 * np.pi * growth / sigma)


def pion_cross_section(kinetic_energy: ArrayLike, *, generator: str = "pythia8") -> Array:
    """Inclusive pi0 cross section [mb] above threshold, Eqs. 2-7."""
    t = np.asarray(kinetic_energy, dtype=float)
    start, high = GENERATORS[generator][:2]
    geant = GENERATORS["geant4"][1]
    q = (t - THRESHOLD) / M_P
    middle = -6e-3 + 0.237 * q - 0.023 * q**2
    multiplicity = np.where(t < 5.0, middle, _multiplicity(t, geant))
    multiplicity = np.where(t >= start, _multiplicity(t, high), multiplicity)
    return np.asarray(np.where(t < 2.0, _low_energy(t), proton_proton(t) * multiplicity))


def _low_energy(t: Array) -> Array:
    """One and two pions below 2 GeV from data, Eqs. 2-5 [mb]."""
    resonance, width = 1.1883, 0.2264
    s = 2.0 * M_P * (t + 2.0 * M_P)
    root = np.sqrt(s)
    g = np.sqrt(resonance**2 * (resonance**2 + width**2))
    k = np.sqrt(8.0) * resonance * width * g / (np.pi * np.sqrt(resonance**2 + g))
    breit_wigner = M_P * k / (((root - M_P) ** 2 - resonance**2) ** 2 + resonance**2 * width**2)
    square = (s - M_PI**2 - 4.0 * M_P**2) ** 2 - 16.0 * M_PI**2 * M_P**2
    eta = np.sqrt(np.maximum(square, 0.0)) / (2.0 * M_PI * root)
    one = 7.66e-3 * eta**1.95 * (1.0 + eta + eta**5) * breit_wigner**1.86
    two = np.where(t < 0.56, 0.0, 5.7 / (1.0 + np.exp(-9.3 * (t - 1.4))))
    return np.asarray(one + two)


def _multiplicity(t: Array, a: tuple[float, ...]) -> Array:
    """Mean number of pi0 per inelastic collision above 5 GeV, Eq. 7."""
    xi = np.maximum(t - 3.0, 0.0) / M_P
    return np.asarray(
        a[0] * xi ** a[3] * (1.0 + np.exp(-a[1] * xi ** a[4])) * (1.0 - np.exp(-a[2] * xi**0.25))
    )


def _largest_energies(t: Array) -> tuple[Array, Array]:
    """Largest energy of the pion and of the photon in the laboratory, Eq. 10."""
    s = 2.0 * M_P * (t + 2.0 * M_P)
    energy = (s - 4.0 * M_P**2 + M_PI**2) / (2.0 * np.sqrt(s))
    momentum = np.sqrt(np.maximum(energy**2 - M_PI**2, 0.0))
    gamma = (t + 2.0 * M_P) / np.sqrt(s)
    pion = gamma * (energy + momentum * np.sqrt(1.0 - gamma**-2))
    lorentz = np.maximum(pion / M_PI, 1.0)
    return pion, M_PI / 2.0 * lorentz * (1.0 + np.sqrt(1.0 - lorentz**-2))


def _peak(t: Array, generator: str) -> Array:
    """A_max, Eq. 12 and Table VII [mb/GeV]."""
    start, _, _, high = GENERATORS[generator]
    pion, _ = _largest_energies(t)
    theta = t / M_P

    def law(b: tuple[float, ...]) -> Array:
        return np.asarray(b[0] * theta ** -b[1] * np.exp(b[2] * np.log(theta) ** 2) / M_P)

    factor = np.where(t < 5.0, law((9.53, 0.52, 0.054)), law(GENERATORS["geant4"][3]))
    factor = np.where(t >= start, law(high), factor)
    factor = np.where(t < 1.0, 5.9 / pion, factor)
    return factor * pion_cross_section(t, generator=generator)


def _shape(t: Array, energy: Array, generator: str) -> Array:
    """F(T, E), Eqs. 9 and 11 with Table V and Eqs. 14-15."""
    start, _, high, _ = GENERATORS[generator]
    q = np.maximum(t - 1.0, 0.0) / M_P
    mu = 1.25 * q**1.25 * np.exp(-1.25 * q)
    kappa = 3.29 - 0.2 * (t / M_P) ** -1.5
    # where it holds: lambda, alpha, beta, gamma
    pieces: list[tuple[Any, tuple[float, float, Array | float, Array | float]]] = [
        (t <= 1.0, (1.0, 1.0, kappa, 0.0)),
        (t <= 4.0, (3.0, 1.0, mu + 2.45, mu + 1.45)),
        (t <= min(20.0, start), (3.0, 1.0, 1.5 * mu + 4.95, mu + 1.50)),
        (t <= start, (3.0, 0.5, 4.2, 1.0)),
    ]
    _, largest = _largest_energies(t)
    y, y_max = energy + M_PI**2 / (4.0 * energy), largest + M_PI**2 / (4.0 * largest)
    x = np.clip((y - M_PI) / (y_max - M_PI), 0.0, 1.0)

    def form(lam: float, alpha: float, beta: Array | float, gamma: Array | float) -> Array:
        return np.asarray((1.0 - x**alpha) ** beta / (1.0 + x * y_max / (lam * M_PI)) ** gamma)

    return np.select([here for here, _ in pieces], [form(*p) for _, p in pieces], form(*high))

"""Photons that one electron radiates in gas: bremsstrahlung on hydrogen, helium and plasma.

An electron of total energy E >> m keeps E' = E - k of it (Bethe & Heitler 1934, Proc. R. Soc. A 146, 83; Blumenthal &
Gould 1970, Rev. Mod. Phys. 42, 237, Sec. 3; Schlickeiser 2002, Cosmic Ray Astrophysics, Sec. 4.4):

    d sigma/dk = alpha r_e^2 / k {[1 + (1 - w)^2] phi_1 - (2/3) (1 - w) phi_2},   w = k/E

The target enters by how it scatters the momentum q [m c] that it takes, from delta = m k / (2 E E') on (Bethe 1934,
Proc. Camb. Phil. Soc. 30, 524):

    phi_1 = 4 {int_delta^1 (q - delta)^2 S dq/q^3 + S_0}
    phi_2 = 4 {int_delta^1 [q^3 - 6 delta^2 q ln(q/delta) + 3 delta^2 q - 4 delta^3] S dq/q^4 + (5/6) S_0}

S = (Z - F)^2 + Z - sum_e f_e^2 for an atom: nucleus and electrons together, and electrons one by one (Wheeler & Lamb
1939, Phys. Rev. 55, 858). All electrons of H and He are in 1s: f = [1 + (q / 2 alpha z)^2]^-2 with F = Z f, so that

    S_H = 2 (1 - f), z = 1 (exact);   S_He = (1 - f)(6 - 2 f), z = 27/16 (product wave function of lowest energy)

S_0 is S without electrons in the way, Z^2 + Z. In plasma nothing screens, S = S_0 = 2 for a proton with its electron
and phi_1 = phi_2 = 8 [ln(1/delta) - 1/2]. The electrons are heavy targets in this: good for E, E' >> m only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from cyldiff import constants as const

__all__ = ["Target", "bremsstrahlung_cross_section", "scattering_functions"]

Array = NDArray[np.float64]
#: "H" and "He" atoms, "ionised": a proton and a free electron
Target = Literal["H", "He", "ionised"]

#: effective charge that the electrons of helium see (variational; Bethe & Salpeter 1957, Sec. 32)
_HELIUM_CHARGE = 27.0 / 16.0
#: alpha r_e^2 [cm^2]
_SCALE = const.FINE_STRUCTURE * const.CLASSICAL_ELECTRON_RADIUS_CM**2
#: smallest delta of the tables; below, atoms are fully screened to 1e-9
_SMALLEST = 1e-9
#: knots of the tables, panels of their integrals and Gauss-Legendre points per panel
_KNOTS, _PANELS, _POINTS = 300, 40, 8


def bremsstrahlung_cross_section(
    photon_energy: ArrayLike, electron_energy: ArrayLike, target: Target
) -> Array:
    """Cross section per photon energy.

    Parameters
    ----------
    photon_energy : k [GeV]
    electron_energy : total energy E [GeV]; both broadcast together
    target : per atom of "H" or "He", or per free electron of an "ionised" gas of hydrogen

    Returns
    -------
    ndarray      d sigma/dk [cm^2 GeV^-1]; zero for k > E - m
    """
    k, e = np.broadcast_arrays(
        np.asarray(photon_energy, dtype=float), np.asarray(electron_energy, dtype=float)
    )
    possible = k < e - const.ELECTRON_MASS
    left = np.where(possible, e - k, e)
    first, second = scattering_functions(const.ELECTRON_MASS * k / (2.0 * e * left), target)
    share = left / e
    value = (1.0 + share**2) * first - 2.0 / 3.0 * share * second
    return np.asarray(np.where(possible, _SCALE / k * np.maximum(value, 0.0), 0.0))


def scattering_functions(delta: ArrayLike, target: Target) -> tuple[Array, Array]:
    """phi_1 and phi_2 of a target at delta = m k / (2 E E'), shape of delta; zero from delta = 1 on."""
    delta = np.asarray(delta, dtype=float)
    if target == "ionised":
        both = np.maximum(8.0 * (-np.log(np.minimum(delta, 1.0)) - 0.5), 0.0)
        return both, both
    first, second = _tables(target)
    x = np.log(np.clip(delta, _SMALLEST, 1.0))
    inside = delta < 1.0
    return np.where(inside, first(x), 0.0), np.where(inside, second(x), 0.0)


def _scattered(q: Array, target: Target) -> Array:
    """S(q) of an atom; q in m c."""
    charge = 1.0 if target == "H" else _HELIUM_CHARGE
    y = (q / (2.0 * const.FINE_STRUCTURE * charge)) ** 2
    f = (1.0 + y) ** -2
    # 1 - f without the cancellation at small q
    away = y * (2.0 + y) * f
    return 2.0 * away if target == "H" else away * (6.0 - 2.0 * f)


@lru_cache(maxsize=2)
def _tables(target: Target) -> tuple[CubicSpline, CubicSpline]:
    """phi_1 and phi_2 of an atom against ln delta."""
    knots = np.linspace(np.log(_SMALLEST), 0.0, _KNOTS)
    bare = 2.0 if target == "H" else 6.0
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    place = ((np.arange(_PANELS)[:, None] + 0.5 * (1.0 + nodes)) / _PANELS).ravel()
    width = -knots[:, None] * np.tile(0.5 * weights / _PANELS, _PANELS)
    # in v = ln(q/delta), from 0 to ln(1/delta)
    v = -knots[:, None] * place
    scattered = _scattered(np.exp(knots[:, None] + v), target) * width
    x = np.exp(-v)  # delta/q
    first = (scattered * (1.0 - x) ** 2).sum(axis=1) + bare
    second = (scattered * (1.0 - 6.0 * x**2 * v + 3.0 * x**2 - 4.0 * x**3)).sum(axis=1) + 5.0 / 6.0 * bare
    return CubicSpline(knots, 4.0 * first), CubicSpline(knots, 4.0 * second)

"""Gamma rays, electrons and neutrinos of p-p collisions above 100 GeV: Kelner, Aharonian & Bugayov 2006.

Kelner et al. 2006, PRD 74, 034018 (with the erratum PRD 79, 039901): spectra of stable secondaries per
inelastic collision, F(x, E_p) = dN/dx with x = E/E_p and L = ln(E_p / TeV), fits to SIBYLL for E_p from
0.1 TeV to 1e5 TeV and x >= 1e-3. E_p is the total energy of the proton.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "PROTON_ENERGIES",
    "SPECTRA",
    "electrons",
    "gamma_rays",
    "inelastic",
    "muon_neutrinos",
    "neutrinos",
]

Array = NDArray[np.float64]

#: proton energies of the fits [GeV] (Sect. IV of the paper)
PROTON_ENERGIES = (1.0e2, 1.0e8)
#: threshold energy of pi0 production [GeV] (text below Eq. 79)
THRESHOLD = 1.22
#: largest share of the muon neutrino in the energy of the pion, 1 - (m_mu/m_pi)^2 (Eq. 66)
MUON_NEUTRINO_SHARE = 0.427


def inelastic(proton_energy: ArrayLike) -> Array:
    """Inelastic p-p cross section (34.3 + 1.88 L + 0.25 L^2) [1 - (E_th/E)^4]^2 mb, Eqs. 73 and 79.

    `proton_energy` is the total energy [GeV]; zero below E_th = 1.22 GeV.
    """
    energy = np.maximum(np.asarray(proton_energy, dtype=float), THRESHOLD)
    log = np.log(energy / 1e3)
    return np.asarray((34.3 + 1.88 * log + 0.25 * log**2) * (1.0 - (THRESHOLD / energy) ** 4) ** 2)


def gamma_rays(x: ArrayLike, proton_energy: ArrayLike) -> Array:
    """F_gamma(x, E_p) of Eqs. 58-61: photons per collision and dx, zero outside 0 < x < 1.

    Parameters
    ----------
    x : energy of the photon over that of the proton; broadcasts with
    proton_energy : total energy of the proton [GeV]; Kelner et al. state 100 GeV to 100 PeV
    """
    log = np.log(np.asarray(proton_energy, dtype=float) / 1e3)
    norm = 1.30 + 0.14 * log + 0.011 * log**2
    power = 1.0 / (1.79 + 0.11 * log + 0.008 * log**2)
    k = 1.0 / (0.801 + 0.049 * log + 0.014 * log**2)
    return _pion_like(x, norm, power, k)


def muon_neutrinos(x: ArrayLike, proton_energy: ArrayLike) -> Array:
    """F of the muon neutrinos of pi -> mu nu, Eqs. 66-69, zero above x = 0.427; both signs together.

    Arguments as :func:`gamma_rays`.
    """
    log = np.log(np.asarray(proton_energy, dtype=float) / 1e3)
    norm = 1.75 + 0.204 * log + 0.010 * log**2
    power = 1.0 / (1.67 + 0.111 * log + 0.0038 * log**2)
    k = 1.07 - 0.086 * log + 0.002 * log**2
    y = np.asarray(x, dtype=float) / MUON_NEUTRINO_SHARE
    # the paper writes dN/dx with the function of y as it stands, without a Jacobian
    return _pion_like(y, norm, power, k)


def electrons(x: ArrayLike, proton_energy: ArrayLike) -> Array:
    """F_e(x, E_p) of Eqs. 62-65: e+ and e-; the nu_e and the nu_mu of the muon have the same within 5 %."""
    x = np.asarray(x, dtype=float)
    log = np.log(np.asarray(proton_energy, dtype=float) / 1e3)
    norm = 1.0 / (69.5 + 2.65 * log + 0.3 * log**2)
    power = (0.201 + 0.062 * log + 0.00042 * log**2) ** -0.25
    k = (0.279 + 0.141 * log + 0.0172 * log**2) / (0.3 + (2.3 + log) ** 2)
    inside = (x > 0.0) & (x < 1.0)
    safe = np.where(inside, x, 0.5)
    ln_x = np.log(safe)
    value = norm * (1.0 + k * ln_x**2) ** 3 / (safe * (1.0 + 0.3 / safe**power)) * (-ln_x) ** 5
    return np.asarray(np.where(inside, value, 0.0))


def neutrinos(x: ArrayLike, proton_energy: ArrayLike) -> Array:
    """Neutrinos and antineutrinos of all flavours: F_nu1 + F_nu2 + F_nu_e = F_nu1 + 2 F_e.

    Arguments as :func:`gamma_rays`.
    """
    return muon_neutrinos(x, proton_energy) + 2.0 * electrons(x, proton_energy)


def _pion_like(x: ArrayLike, norm: Array, power: Array, k: Array) -> Array:
    """The shape that Eqs. 58 and 66 share: the derivative of [(1 - x^b)/(1 + k x^b (1 - x^b))]^4 ln x."""
    x = np.asarray(x, dtype=float)
    inside = (x > 0.0) & (x < 1.0)
    safe = np.where(inside, x, 0.5)
    ln_x, xb = np.log(safe), safe**power
    below = 1.0 + k * xb * (1.0 - xb)
    bracket = 1.0 / ln_x - 4.0 * power * xb / (1.0 - xb) - 4.0 * k * power * xb * (1.0 - 2.0 * xb) / below
    value = norm * ln_x / safe * ((1.0 - xb) / below) ** 4 * bracket
    return np.asarray(np.where(inside, value, 0.0))


#: spectrum dN/dx of each secondary
SPECTRA: dict[str, Callable[[ArrayLike, ArrayLike], Array]] = {
    "gamma": gamma_rays,
    "neutrino": neutrinos,
    "electron": electrons,
}

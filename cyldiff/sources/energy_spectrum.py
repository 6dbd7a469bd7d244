"""Spectra per energy of particles of charge one, normalised to the energy they carry.

A law of the family "injection" is read here as one of the kinetic energy T per particle, dN/dT = K f(T), with
1 GV standing for 1 GeV: what papers on single sources mean by E^-s exp(-(E / E_c)^b). It is the same as a law of
the rigidity where T >> m.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["SpectralLaw", "energy_above", "per_energy", "reach"]

Array = NDArray[np.float64]

#: exp[-(T/T_c)^b] is followed to (T/T_c)^b = 120
_DEPTH = 120.0
#: panels per decade of the integral over ln T, Gauss-Legendre points per panel
_PER_DECADE, _POINTS = 8, 8


class SpectralLaw(Protocol):
    """What a kind of the family "injection" has."""

    @property
    def indices(self) -> tuple[float, ...]:
        """Spectral indices below the first break, between and above them."""

    @property
    def breaks(self) -> tuple[float, ...]:
        """Where the index changes [GV]."""

    @property
    def cutoff(self) -> float | None:
        """Rigidity of the cut-off [GV]."""

    @property
    def cutoff_sharpness(self) -> float:
        """Power b of the cut-off."""

    def per_rigidity(self, rigidity: Array) -> Array:
        """Relative dN/dR."""


def reach(law: SpectralLaw) -> float:
    """Kinetic energy beyond which a law with a cut-off has nothing [GeV]; infinite without one."""
    return law.cutoff * _DEPTH ** (1.0 / law.cutoff_sharpness) if law.cutoff is not None else np.inf


def energy_above(law: SpectralLaw, minimum: float) -> float:
    """Energy int T f(T) dT above `minimum` [GeV], for the law as it is.

    Raises
    ------
    ValueError
        if it is infinite: no cut-off and a last index of 2 or less; or if nothing is left above `minimum`.
    """
    top = reach(law)
    tail = 0.0
    if law.cutoff is None:
        if law.indices[-1] <= 2.0:
            raise ValueError(
                f"a spectrum of index {law.indices[-1]:g} without a cut-off carries infinite energy; give a cutoff"
            )
        # far above all breaks, however smooth, it is a power law
        top = 1e12 * max((minimum, *law.breaks))
        tail = float(law.per_rigidity(np.array(top))) * top**2 / (law.indices[-1] - 2.0)
    if not minimum < top:
        raise ValueError(f"the spectrum has nothing above {minimum:g} GeV: its cutoff is {law.cutoff:g} GV")
    edges = np.unique([minimum, top, *(b for b in law.breaks if minimum < b < top)])
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    total = tail
    for low, high in zip(np.log(edges[:-1]), np.log(edges[1:]), strict=True):
        panels = max(1, int(np.ceil(_PER_DECADE * (high - low) / np.log(10.0))))
        step = (high - low) / panels
        u = low + step * (np.arange(panels)[:, None] + 0.5 * (1.0 + nodes))
        total += 0.5 * step * float(np.sum(weights * np.exp(2.0 * u) * law.per_rigidity(np.exp(u))))
    if not total > 0.0:
        raise ValueError(f"the spectrum has nothing above {minimum:g} GeV")
    return total


def per_energy(law: SpectralLaw, kinetic_energy: ArrayLike, *, energy: float, above: float) -> Array:
    """dN/dT of a law that carries `energy` above a minimum.

    Parameters
    ----------
    law : of the family "injection"
    kinetic_energy : T per particle, any shape [GeV]
    energy : int_above^inf T dN/dT dT [GeV], or a power for a rate of injection [GeV/Myr]
    above : minimum [GeV]; the spectrum goes on below

    Returns
    -------
    ndarray, shape of `kinetic_energy`      [GeV^-1], or [GeV^-1 Myr^-1]

    Raises
    ------
    ValueError
        if the law cannot be normalised.
    """
    t = np.asarray(kinetic_energy, dtype=float)
    return np.asarray(energy / energy_above(law, above) * law.per_rigidity(t))

"""Photons from electrons of a tabulated spectrum: inverse Compton scattering, bremsstrahlung, synchrotron radiation.

A source of N(T) electrons per energy [GeV^-1] emits

    dN_g/dt dE_g = int dT N(T) dN/dt dE_g (E_g, T)          [GeV^-1 s^-1]

with the spectra of one electron of :mod:`cyldiff.particles.inverse_compton`, :mod:`cyldiff.particles.bremsstrahlung`
and :mod:`cyldiff.particles.synchrotron`. Of a density [GeV^-1 cm^-3] it is the emissivity per volume. Between two
energies of the grid N is a power law. The nodes of the integral, Gauss-Legendre in ln(E/E_g - 1) or in ln E,
depend on the energies only; a table of them, made once, turns any number of spectra into photons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff import constants as const
from cyldiff.errors import DataError
from cyldiff.galaxy.radiation_field import Greybody
from cyldiff.particles import inverse_compton, synchrotron
from cyldiff.particles.bremsstrahlung import Target, bremsstrahlung_cross_section

__all__ = ["LeptonEmission"]

Array = NDArray[np.float64]

#: panels of the quadrature per decade of its variable, and Gauss-Legendre points per panel
_PER_DECADE, _POINTS = 5, 8
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class LeptonEmission:
    """Weights that turn spectra of electrons on one grid into spectra of photons.

    Attributes
    ----------
    energy : ndarray, shape (n_energy,)             of the photons [GeV]
    kinetic_energy : ndarray, shape (n_T,)          grid of the electrons [GeV]; there are none outside
    lower : ndarray of int, shape (n_energy, n_nodes)   index of the grid energy below each node
    fraction : ndarray, shape (n_energy, n_nodes)   place of the node between the two, in ln T
    weight : ndarray, shape (n_energy, n_nodes)     what N at the node is multiplied by [s^-1]
    """

    energy: Array
    kinetic_energy: Array
    lower: NDArray[np.int64]
    fraction: Array
    weight: Array

    @classmethod
    def inverse_compton(
        cls, energy: ArrayLike, kinetic_energy: ArrayLike, radiation: Sequence[Greybody]
    ) -> LeptonEmission:
        """Scattering of greybody radiation, isotropic, with the densities it has at the Sun.

        Parameters
        ----------
        energy : of the photons, shape (n_energy,); far above those of the radiation [GeV]
        kinetic_energy : grid of the electrons, increasing, shape (n_T,) [GeV]
        radiation : greybodies; several are added

        Raises
        ------
        DataError
            if a photon energy is not at least a hundred times kT.
        """
        e, t = _grids(energy, kinetic_energy)
        _far_above(e, radiation)
        nodes, weights = [], []
        for part in radiation:
            # the electron must be able to lift the most energetic target photons: z (1 + z) >= c, z = E/E_g - 1
            c = const.ELECTRON_MASS**2 / (4.0 * e * inverse_compton.DEEPEST * part.thermal_energy)
            low = 2.0 * c / (1.0 + np.sqrt(1.0 + 4.0 * c))
            low = np.maximum(low, (t[0] + const.ELECTRON_MASS) / e - 1.0)
            high = (t[-1] + const.ELECTRON_MASS) / e - 1.0
            z, measure = _nodes(low, high)
            electron = e[:, None] * (1.0 + z)
            rate = inverse_compton.greybody_scattering(
                e[:, None], electron, temperature=part.temperature, dilution=part.dilution
            )
            nodes.append(electron - const.ELECTRON_MASS)
            weights.append(rate * e[:, None] * measure)
        return cls._of_nodes(e, t, nodes, weights)

    @classmethod
    def bremsstrahlung(
        cls, energy: ArrayLike, kinetic_energy: ArrayLike, targets: Mapping[Target, float]
    ) -> LeptonEmission:
        """Radiation in gas, of electrons and photons far above the mass of the electron.

        Parameters
        ----------
        energy, kinetic_energy : as :meth:`inverse_compton`
        targets : density of each target [cm^-3], see :mod:`cyldiff.particles.bremsstrahlung`
        """
        e, t = _grids(energy, kinetic_energy)
        low = np.maximum(const.ELECTRON_MASS, t[0] + const.ELECTRON_MASS - e) / e
        z, measure = _nodes(low, (t[-1] + const.ELECTRON_MASS) / e - 1.0)
        electron = e[:, None] * (1.0 + z)
        speed = np.sqrt(np.maximum(1.0 - (const.ELECTRON_MASS / electron) ** 2, 0.0))
        rate = np.zeros(electron.shape)
        for target, density in targets.items():
            rate += density * bremsstrahlung_cross_section(e[:, None], electron, target)
        rate *= speed * const.SPEED_OF_LIGHT_CM_S
        return cls._of_nodes(e, t, [electron - const.ELECTRON_MASS], [rate * e[:, None] * measure])

    @classmethod
    def synchrotron(cls, energy: ArrayLike, kinetic_energy: ArrayLike, field: float) -> LeptonEmission:
        """Radiation in a field [microgauss] of random direction; other arguments as :meth:`inverse_compton`."""
        e, t = _grids(energy, kinetic_energy)
        if not field > 0.0:
            return cls._of_nodes(e, t, [], [])
        # E_c grows as E^2: below this electron the photon is beyond the cut-off
        per_square = float(synchrotron.critical_energy(1.0, field))
        low = np.maximum(np.sqrt(e / (synchrotron.DEEPEST * per_square)), t[0] + const.ELECTRON_MASS)
        electron, measure = _nodes(low, np.full(e.shape, t[-1] + const.ELECTRON_MASS))
        rate = synchrotron.synchrotron_rate(e[:, None], electron, field)
        return cls._of_nodes(e, t, [electron - const.ELECTRON_MASS], [rate * measure])

    @classmethod
    def _of_nodes(cls, e: Array, t: Array, nodes: list[Array], weights: list[Array]) -> LeptonEmission:
        """Tables of nodes in T and weights, shape (n_energy, n) each."""
        node = np.concatenate([np.full((e.size, 1), t[0]), *nodes], axis=1)
        weight = np.concatenate([np.zeros((e.size, 1)), *weights], axis=1)
        place = np.interp(np.log(np.clip(node, t[0], t[-1])), np.log(t), np.arange(float(t.size)))
        lower = np.minimum(place.astype(np.int64), t.size - 2)
        return cls(e, t, lower, place - lower, weight)

    def __call__(self, number: ArrayLike) -> Array:
        """Photons from the electrons.

        Parameters
        ----------
        number : array_like, shape (n_T, ...)       N(T) [GeV^-1], or a density [GeV^-1 cm^-3]

        Returns
        -------
        ndarray, shape (n_energy, ...)              dN/dt dE_g [GeV^-1 s^-1], per cm^3 of a density

        Raises
        ------
        DataError
            if the spectrum is on another grid.
        """
        values = np.asarray(number, dtype=float)
        if values.shape[0] != self.kinetic_energy.size:
            raise DataError(
                f"the spectrum of electrons has {values.shape[0]} energies, the grid {self.kinetic_energy.size}"
            )
        flat = np.log(np.maximum(values.reshape(values.shape[0], -1), _TINY))
        out = np.empty((self.energy.size, flat.shape[1]))
        for i, (lower, fraction, weight) in enumerate(
            zip(self.lower, self.fraction[..., None], self.weight, strict=True)
        ):
            at = flat[lower] + fraction * (flat[lower + 1] - flat[lower])
            out[i] = weight @ np.exp(at)
        return out.reshape(self.energy.size, *values.shape[1:])


def _grids(energy: ArrayLike, kinetic_energy: ArrayLike) -> tuple[Array, Array]:
    e = np.atleast_1d(np.asarray(energy, dtype=float))
    t = np.asarray(kinetic_energy, dtype=float)
    if e.ndim != 1 or not np.all(np.isfinite(e) & (e > 0.0)):
        raise DataError("photon energies must be positive numbers in one row")
    if t.ndim != 1 or t.size < 2 or not (t[0] > 0.0 and np.all(np.diff(t) > 0.0)):
        raise DataError("the grid of electrons needs two energies at least, positive and increasing")
    return e, t


def _far_above(energy: Array, radiation: Sequence[Greybody]) -> None:
    """Photons scattered down are not in the kernel."""
    hottest = max((part.thermal_energy for part in radiation), default=0.0)
    bad = energy[energy < 100.0 * hottest]
    if bad.size:
        raise DataError(
            f"a photon energy of {bad.min():g} GeV is not far above the radiation it is scattered from "
            f"(kT = {hottest:.3g} GeV); expected at least {100.0 * hottest:.3g} GeV"
        )


def _nodes(low: Array, high: Array) -> tuple[Array, Array]:
    """Nodes between low and high and their weights in dz, Gauss-Legendre in ln z; shape (n, nodes) each.

    Where high is below low the weights are zero.
    """
    x, w = np.polynomial.legendre.leggauss(_POINTS)
    start = np.log(low)
    width = np.log(np.maximum(high, low)) - start
    panels = max(1, int(np.ceil(_PER_DECADE * float(np.max(width)) / np.log(10.0))))
    place = ((np.arange(panels)[:, None] + 0.5 * (1.0 + x)) / panels).ravel()
    z = np.exp(start[:, None] + width[:, None] * place)
    return z, z * width[:, None] * np.tile(0.5 * w / panels, panels)

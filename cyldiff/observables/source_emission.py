"""Emission of the gas around a point source.

Cosmic rays of a source in a medium without a preferred direction in the plane spread the same way all around the
vertical line through it. Their emissivity is tabulated in the distance d from the source, logarithmically, and in
the cosine of the angle to the vertical. What is interpolated is ln(d q), linear in ln d and the cosine: d q is
constant next to a source that is still on (n ~ 1/d), and the tail of a burst is a parabola that the logarithm tames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.observables.emissivity import Emissivity
from cyldiff.observables.sky_kernels import around_source

__all__ = ["Flux", "SourceField"]

Array = NDArray[np.float64]
#: intensities [GeV^-1 cm^-2 s^-1 sr^-1] of nuclides by name, shape (n_T, n), at places (n, 3) [kpc]
Flux = Callable[[Array], Mapping[str, ArrayLike]]

#: distances from the source [kpc]: nearer than the first is as at the first, a tenth of a parsec
DISTANCES = np.geomspace(1e-4, 40.0, 161)
#: cosines of the angle to the vertical
COSINES = np.linspace(-1.0, 1.0, 33)
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class SourceField:
    """Emissivity per hydrogen atom and steradian of the cosmic rays of one source.

    Attributes
    ----------
    name : str
    energy : ndarray, shape (n_energy,)             [GeV]
    position : ndarray, shape (3,)                  [kpc]
    half_height : float                             nothing at abs(z) beyond it [kpc]
    logs : ndarray, shape (n_d, n_cos, n_energy)    ln of d q [kpc GeV^-1 s^-1 sr^-1]
    weight : float                                  factor of the source
    """

    name: str
    energy: Array
    position: Array
    half_height: float
    logs: Array
    weight: float = 1.0

    @property
    def per_atom(self) -> bool:
        """It is the gas that radiates."""
        return True

    @classmethod
    def of(
        cls, name: str, position: ArrayLike, flux: Flux, table: Emissivity, half_height: float
    ) -> SourceField:
        """Tabulate a source.

        Parameters
        ----------
        name : str
        position : array_like, shape (3,)   [kpc]
        flux : callable                     see Flux; called inside the halo only
        table : Emissivity                  on the energies that `flux` has
        half_height : float                 of the halo [kpc]; infinite in free space
        """
        here = np.asarray(position, dtype=float)
        d, cosine = np.meshgrid(DISTANCES, COSINES, indexing="ij")
        aside = d * np.sqrt(1.0 - cosine**2)
        places = here + np.stack([aside, np.zeros_like(aside), d * cosine], axis=-1)
        inside = np.abs(places[..., 2]) < half_height
        emitted = np.zeros((*d.shape, table.energy.size))
        emitted[inside] = table(flux(places[inside])).T
        logs = np.log(np.maximum(emitted * d[..., None], _TINY))
        return cls(name, table.energy, here, half_height, logs)

    def few(self, chosen: Sequence[int]) -> SourceField:
        """The same at some of the energies."""
        return replace(self, energy=self.energy[chosen], logs=np.ascontiguousarray(self.logs[..., chosen]))

    def at(self, r: Array, z: Array, phi: Array | None = None) -> Array:
        """Values at points of one shape [kpc, radian], that shape and then (n_energy,)."""
        r, z = np.broadcast_arrays(np.asarray(r, dtype=float), np.asarray(z, dtype=float))
        around = np.zeros(r.shape) if phi is None else np.broadcast_to(np.asarray(phi, float), r.shape)
        out = np.zeros((r.size, self.energy.size))
        around_source(
            (r * np.cos(around)).ravel(), (r * np.sin(around)).ravel(), z.ravel(), self.position,
            self.half_height, np.log(DISTANCES[0]), np.log(DISTANCES[1] / DISTANCES[0]), self.logs, out,
        )  # fmt: skip
        return self.weight * out.reshape(*r.shape, self.energy.size)

"""How long electrons take to cool from one energy to another, and how far they diffuse meanwhile.

With losses b(T) = -dT/dt and diffusion D(T) the same everywhere, an electron seen at T was injected a time t
ago at the energy T_s, and its distance has the variance of a burst with the spread s (Syrovatskii 1959, Soviet
Astronomy 3, 22):

    t = int_T^{T_s} dT' / b,   s = int_T^{T_s} D / b dT',   lambda^2 = 4 s.

Both integrals are kept from every energy of a fine table to its top. Between the energies they are cubic in
ln T with the exact slopes, and small differences are expanded instead of subtracted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff import constants as const
from cyldiff.grid import Kinematics
from cyldiff.sources.lepton_kernels import DIFFUSION, RATE, each_cool_back, each_row, each_spread, each_time
from cyldiff.transport.lepton_losses import Medium, energy_loss

__all__ = ["Cooling", "electron"]

Array = NDArray[np.float64]
Law = Callable[[Array], Array]

#: Gauss-Legendre points per interval of the table
_POINTS = 4
#: distance in ln T of the differences that give the derivatives of the laws
_DIFFERENCE = 1e-4
#: slower than this nothing cools [1/Myr]: 1e-10 in the age of the Galaxy
SLOWEST = 1e-14


def electron(kinetic_energy: ArrayLike) -> Kinematics:
    """Kinematics of electrons (and positrons) of kinetic energy T [GeV]."""
    energy = np.atleast_1d(np.asarray(kinetic_energy, dtype=float))
    return Kinematics(energy, -1, 0, const.ELECTRON_MASS)


@dataclass(frozen=True, slots=True, eq=False)
class Cooling:
    """Table of losses, diffusion and their integrals; make it with :meth:`build` or :meth:`of_medium`.

    Attributes
    ----------
    start, step : ln T of the first energy, and between two of them
    table : ndarray, shape (8, n)
        natural logarithms of the time [Myr] from the top of the table down to T, and of int D dt [kpc^2]
        over that time (each plus a constant), of b / T [1/Myr] and of D [kpc^2/Myr], each followed by its
        derivative with respect to ln T
    """

    start: float
    step: float
    table: Array

    @classmethod
    def build(
        cls,
        loss: Law,
        diffusion: Law,
        *,
        minimum: float,
        maximum: float,
        per_decade: int = 64,
    ) -> Cooling:
        """Integrate two laws.

        Parameters
        ----------
        loss, diffusion : functions of T [GeV], shape (n,): b [GeV/Myr], not negative, and D [kpc^2/Myr]
        minimum, maximum : range of T [GeV]; nothing is injected above `maximum`, so that it should lie
            far above the cut-off of the sources
        per_decade : energies of the table per factor of ten

        Raises
        ------
        ValueError
            if the range is empty, D is not positive, or b is negative or not a number somewhere.
        """
        if not 0.0 < minimum < maximum:
            raise ValueError(f"the energy range {minimum:g} to {maximum:g} GeV is empty")
        n = max(8, int(np.ceil(per_decade * np.log10(maximum / minimum)))) + 1
        u = np.linspace(np.log(minimum), np.log(maximum), n)
        nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
        step = u[1] - u[0]
        inner = (u[:-1, None] + 0.5 * step * (1.0 + nodes)).ravel()
        rate, D = _laws(loss, diffusion, np.exp(u))
        inner_rate, inner_D = (x.reshape(-1, _POINTS) for x in _laws(loss, diffusion, np.exp(inner)))
        times = (0.5 * step * weights / inner_rate).sum(axis=1)
        spreads = (0.5 * step * weights * inner_D / inner_rate).sum(axis=1)
        # a constant, so that the logarithm exists at the top; differences do not feel it
        age = np.append(np.cumsum(times[::-1])[::-1], 0.0) + 1.0 / rate[-1]
        spread = np.append(np.cumsum(spreads[::-1])[::-1], 0.0) + D[-1] / rate[-1]
        # derivatives of the laws themselves: those of a spline would ring around a kink
        above, below = np.minimum(u + _DIFFERENCE, u[-1]), np.maximum(u - _DIFFERENCE, u[0])
        laws = zip(_laws(loss, diffusion, np.exp(above)), _laws(loss, diffusion, np.exp(below)), strict=True)
        slope, slope_D = (np.log(high / low) / (above - below) for high, low in laws)
        rows = [np.log(age), -1.0 / (rate * age), np.log(spread), -D / (rate * spread)]
        rows += [np.log(rate), slope, np.log(D), slope_D]
        return cls(float(u[0]), float(step), np.array(rows))

    @classmethod
    def of_medium(
        cls,
        medium: Medium,
        diffusion: Any,
        *,
        r: float = 8.5,
        z: float = 0.0,
        minimum: float = 1e-2,
        maximum: float = 1e9,
        per_decade: int = 64,
    ) -> Cooling:
        """Electrons in a uniform medium with the diffusion law of a model, taken at r, z [kpc]."""

        def coefficient(energy: Array) -> Array:
            e = electron(energy)
            D = diffusion.coefficient(e.rigidity, e.beta, np.array([r]), np.array([z]), axis="z")
            return np.broadcast_to(np.asarray(D, dtype=float), energy.shape)

        return cls.build(
            lambda energy: energy_loss(electron(energy), medium),
            coefficient,
            minimum=minimum,
            maximum=maximum,
            per_decade=per_decade,
        )

    @property
    def kinetic_energy(self) -> Array:
        """Energies of the table [GeV], shape (n,)."""
        return np.exp(self.start + self.step * np.arange(self.table.shape[1]))

    @property
    def maximum(self) -> float:
        """Highest T of the table [GeV]."""
        return float(np.exp(self.start + self.step * (self.table.shape[1] - 1)))

    def loss(self, kinetic_energy: ArrayLike) -> Array:
        """-dT/dt at T [GeV], inside the table [GeV/Myr]."""
        energy = self._inside(kinetic_energy)
        return energy * np.exp(each_row(np.log(energy).ravel(), RATE, *self.kernel)).reshape(energy.shape)

    def diffusion(self, kinetic_energy: ArrayLike) -> Array:
        """D at T [GeV], inside the table [kpc^2/Myr]."""
        energy = self._inside(kinetic_energy)
        return np.exp(each_row(np.log(energy).ravel(), DIFFUSION, *self.kernel)).reshape(energy.shape)

    @property
    def kernel(self) -> tuple[float, float, Array]:
        """What the kernels take."""
        return self.start, self.step, self.table

    def look_back(self, kinetic_energy: ArrayLike, age: ArrayLike) -> tuple[Array, Array, Array]:
        """Where in energy electrons of T come from.

        Parameters
        ----------
        kinetic_energy : T [GeV], inside the table
        age : how long ago they were injected [Myr], broadcasts with T

        Returns
        -------
        source_energy : T_s [GeV]; infinite if they would have started above the table
        compression : dT_s / dT at that age, b(T_s) / b(T); zero there
        spread : int D dt, a quarter of lambda^2 [kpc^2]; infinite there

        Raises
        ------
        ValueError   if an energy lies outside the table, or an age is negative
        """
        energy, t = np.broadcast_arrays(self._inside(kinetic_energy), np.asarray(age, dtype=float))
        if np.any(t < 0.0):
            raise ValueError("an age is negative")
        rise = each_cool_back(np.log(energy).ravel(), t.ravel().astype(float), *self.kernel)
        spread = each_spread(np.log(energy).ravel(), rise, *self.kernel)
        rise, spread = rise.reshape(energy.shape), spread.reshape(energy.shape)
        found = np.isfinite(rise)
        source = np.where(found, energy * np.exp(np.where(found, rise, 0.0)), np.inf)
        compression = np.zeros(energy.shape)
        compression[found] = self.loss(source[found]) / self.loss(energy[found])
        return source, compression, np.where(found, spread, np.inf)

    def cooling_time(self, kinetic_energy: ArrayLike, source_energy: ArrayLike) -> Array:
        """Time from T_s down to T, both [GeV] and inside the table, T_s >= T [Myr]."""
        return self._between(kinetic_energy, source_energy)[0]

    def spread_between(self, kinetic_energy: ArrayLike, source_energy: ArrayLike) -> Array:
        """Int D dt from T_s down to T, both [GeV] and inside the table, T_s >= T [kpc^2]."""
        return self._between(kinetic_energy, source_energy)[1]

    def _between(self, kinetic_energy: ArrayLike, source_energy: ArrayLike) -> tuple[Array, Array]:
        low, high = np.broadcast_arrays(self._inside(kinetic_energy), self._inside(source_energy))
        if np.any(high < low):
            raise ValueError("an energy at the source is below the one it cools to")
        u, rise = np.log(low).ravel(), np.log(high / low).ravel()
        time, spread = each_time(u, rise, *self.kernel), each_spread(u, rise, *self.kernel)
        return time.reshape(low.shape), spread.reshape(low.shape)

    def _inside(self, kinetic_energy: ArrayLike) -> Array:
        energy = np.asarray(kinetic_energy, dtype=float)
        low, high = np.exp(self.start), self.maximum
        if np.any(~((energy >= low * (1.0 - 1e-12)) & (energy <= high * (1.0 + 1e-12)))):
            raise ValueError(f"an energy lies outside the table of losses, {low:.4g} to {high:.4g} GeV")
        return energy


def _laws(loss: Law, diffusion: Law, energy: Array) -> tuple[Array, Array]:
    """B / T and D at some energies; b is kept above what matters in the age of the Galaxy."""
    b, D = np.asarray(loss(energy), dtype=float), np.asarray(diffusion(energy), dtype=float)
    b, D = np.broadcast_to(b, energy.shape), np.broadcast_to(D, energy.shape)
    if not np.all(np.isfinite(b) & (b >= 0.0)):
        raise ValueError("the losses are negative or not a number at some energy")
    if not np.all(np.isfinite(D) & (D > 0.0)):
        raise ValueError("the diffusion coefficient is not positive at some energy")
    return np.maximum(b / energy, SLOWEST), np.array(D)

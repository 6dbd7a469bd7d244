"""What shines in a single source: the kinds of the family "emission".

Each kind turns its particles into photons that leave the source per time, N_g(E) = dN/dt dE [GeV^-1 s^-1], the same
in all directions. Protons make neutral pions in gas (:mod:`cyldiff.observables.emissivity`); electrons scatter
radiation and gyrate in a magnetic field (:mod:`cyldiff.observables.lepton_emission`). A kind knows nothing of the
distance.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cyldiff import constants as const
from cyldiff.config.base import Kind, Model, Number, Quantity
from cyldiff.galaxy.radiation_field import Greybody
from cyldiff.observables.emissivity import Emissivity, flux_of_density
from cyldiff.observables.lepton_emission import LeptonEmission
from cyldiff.particles.pion_production import PionProduction
from cyldiff.registry import register
from cyldiff.sources.energy_spectrum import energy_above, per_energy, reach
from cyldiff.transport.diffusion import BrokenPowerLawDiffusion, PowerLawDiffusion
from cyldiff.transport.lepton_losses import Medium

__all__ = ["Cloud", "CloudProtons", "Electrons", "Emitter", "GasProtons", "electron_grid", "proton_grid"]

Array = NDArray[np.float64]

#: energies of particles per decade; the error of a power law between two is 1e-3 at three times a cut-off exp(-E^2)
PER_DECADE = 100
#: highest energy of particles [GeV] where there is no cut-off
_HIGHEST = 1e10
#: lowest kinetic energies [GeV]: all protons above the pion threshold, and electrons that can make X-rays
_LOWEST_PROTON, _LOWEST_ELECTRON = 0.1, 1e-3


class Emitter(Model):
    """Base of the kinds."""

    @abstractmethod
    def photons(self, energy: Array, *, age: float) -> dict[str, Array]:
        """Photons that leave the source by process.

        Parameters
        ----------
        energy : E, shape (n,) [GeV]
        age : of the source [Myr]

        Returns
        -------
        dict        process -> dN/dt dE, shape (n,) [GeV^-1 s^-1]; NaN where a model does not hold
        """

    @abstractmethod
    def budget(self, *, age: float) -> dict[str, str]:
        """What the particles need, in words: energy or power and what follows from them."""

    def problems(self, *, age: float) -> list[tuple[str, str]]:
        """What is impossible in it: (key, message)."""
        return _normalisable(self)


def _normalisable(emitter: Any) -> list[tuple[str, str]]:
    try:
        energy_above(emitter.injection, emitter.above)
    except ValueError as error:
        return [("injection", str(error))]
    return []


class _PionEmitter(Emitter):
    """Protons on gas."""

    injection: Kind("injection") = Field(  # type: ignore[valid-type]
        description="spectrum dN/dT of the protons, a law of the kinetic energy: 1 GV stands for 1 GeV"
    )
    above: Quantity("energy") = Field(  # type: ignore[valid-type]
        gt=0, description="kinetic energy above which the protons' energy counts"
    )
    pion_production: Kind("pion-production") = Field(description="gamma rays of p-p collisions")  # type: ignore[valid-type]

    def _of_atom(self, energy: Array, kinetic_energy: Array, density: Array, helium_fraction: float) -> Array:
        """Photons per hydrogen atom [GeV^-1 s^-1] in protons of the density n(T) [GeV^-1 cm^-3]."""
        low, high = self.pion_production.energies
        holds = (energy >= low * (1.0 - 1e-9)) & (energy <= high * (1.0 + 1e-9))
        out = np.full(energy.shape, np.nan)
        if holds.any():
            table = _emissivity(
                tuple(energy[holds]), tuple(kinetic_energy), self.pion_production, helium_fraction
            )
            flux = flux_of_density(kinetic_energy, density, const.PROTON_MASS)
            out[holds] = 4.0 * np.pi * table({"H1": flux}, continued=False)
        return out


class Cloud(Model):
    """A spherical cloud of gas near the source.

    The number of its hydrogen atoms is the mass over the mass per atom, m_H + helium_fraction m_He.
    """

    mass: Quantity("mass") = Field(gt=0, description="mass of the gas")  # type: ignore[valid-type]
    helium_fraction: Annotated[Number, Field(ge=0.0, le=1.0)] = Field(
        description="He atoms per H atom that the mass includes; 0 if it is that of hydrogen alone"
    )
    radius: Quantity("length") = Field(gt=0, description="radius of the sphere")  # type: ignore[valid-type]
    separation: Quantity("length") = Field(ge=0, description="from the source to the centre of the sphere")  # type: ignore[valid-type]

    @property
    def hydrogen_atoms(self) -> float:
        """Number of hydrogen atoms."""
        per_atom = const.HYDROGEN_MASS_G + self.helium_fraction * const.HELIUM_MASS_G
        return self.mass * const.SOLAR_MASS_G / per_atom

    @property
    def density(self) -> float:
        """Hydrogen atoms per volume [cm^-3]."""
        return self.hydrogen_atoms / (4.0 / 3.0 * np.pi * (self.radius * const.KPC_CM) ** 3)


@register("emission", "cloud")
class CloudProtons(_PionEmitter):
    """Protons that a source injects at a constant rate and that diffuse into a cloud beside it.

    N_g = N_H q[<n_p>] with the density of free diffusion, n = (Q / 4 pi D d) erfc(d / sqrt(4 D t)), averaged over the
    cloud. D is the same inside; losses of the protons are left out (their time on 30 atoms per cm^3 is 2 Myr).
    """

    kind: Literal["cloud"] = "cloud"
    luminosity: Quantity("power") = Field(gt=0, description="power of the protons above `above`")  # type: ignore[valid-type]
    duration: Quantity("time") | None = Field(  # type: ignore[valid-type]
        default=None, gt=0, description="how long the source was on, from its birth; it still is by default"
    )
    diffusion: Kind("diffusion") = Field(description="D around the source, the same everywhere")  # type: ignore[valid-type]
    cloud: Cloud = Field(description="the gas")

    def photons(self, energy: Array, *, age: float) -> dict[str, Array]:
        """Decay of neutral pions."""
        t = proton_grid(energy)
        density = self.density(t, age=age)
        return {
            "pions": self.cloud.hydrogen_atoms * self._of_atom(energy, t, density, self.cloud.helium_fraction)
        }

    def density(self, kinetic_energy: Array, *, age: float) -> Array:
        """Protons in the cloud, mean of its volume [GeV^-1 cm^-3]."""
        return self.injected(kinetic_energy) * self.mean_density(kinetic_energy, age=age) / const.KPC_CM**3

    def injected(self, kinetic_energy: Array) -> Array:
        """Rate of injection Q(T) [GeV^-1 Myr^-1]."""
        return per_energy(self.injection, kinetic_energy, energy=self.luminosity, above=self.above)

    def mean_density(self, kinetic_energy: Array, *, age: float) -> Array:
        """Mean density in the cloud per proton and Myr [kpc^-3 Myr]."""
        # compiled code, which reading a config does without
        from cyldiff.sources.cloud import mean_in_sphere

        return mean_in_sphere(
            separation=self.cloud.separation,
            radius=self.cloud.radius,
            diffusion=self.diffusion_coefficient(kinetic_energy),
            age=age,
            duration=None if self.duration is None else min(self.duration, age),
        )

    def diffusion_coefficient(self, kinetic_energy: Array) -> Array:
        """D of protons [kpc^2/Myr]."""
        t = np.asarray(kinetic_energy, dtype=float)
        rigidity = np.sqrt(t * (t + 2.0 * const.PROTON_MASS))
        beta = rigidity / (t + const.PROTON_MASS)
        nowhere = np.zeros(1)
        return np.asarray(self.diffusion.coefficient(rigidity, beta, nowhere, nowhere, axis="z"))

    def budget(self, *, age: float) -> dict[str, str]:
        """Power and total energy."""
        on = age if self.duration is None else min(self.duration, age)
        power, total = self.luminosity / (const.ERG_GEV * const.MYR_S), self.luminosity * on / const.ERG_GEV
        return {
            "power": f"{power:.3g} erg/s above {self.above:g} GeV",
            "energy": f"{total:.3g} erg since birth",
            "gas": f"{self.cloud.density:.3g} H/cm^3 in the cloud",
        }

    def problems(self, *, age: float) -> list[tuple[str, str]]:
        """Nothing diffuses faster than light; one law of diffusion for all places."""
        found = super().problems(age=age)
        if not isinstance(self.diffusion, PowerLawDiffusion | BrokenPowerLawDiffusion):
            found.append(
                (
                    "diffusion.kind",
                    "the density around a source has a closed form only where D is the same everywhere; "
                    "expected power-law or broken-power-law",
                )
            )
        nearest = self.cloud.separation - self.cloud.radius
        if nearest > const.SPEED_OF_LIGHT * age:
            found.append(
                (
                    "cloud.separation",
                    f"light needs {1e3 * nearest / const.SPEED_OF_LIGHT:.3g} kyr to the cloud, longer than the "
                    "age of the source",
                )
            )
        return found


@register("emission", "uniform-gas")
class GasProtons(_PionEmitter):
    """Protons of a given total energy in gas of one density: N_g = n_H q[N_p]."""

    kind: Literal["uniform-gas"] = "uniform-gas"
    energy: Quantity("energy") = Field(gt=0, description="energy of all protons above `above`")  # type: ignore[valid-type]
    gas_density: Quantity("number density") = Field(gt=0, description="hydrogen atoms per volume")  # type: ignore[valid-type]
    helium_fraction: Annotated[Number, Field(ge=0.0, le=1.0)] = Field(
        default=0.0,
        description='He atoms per H atom as targets, for the kind "aafrag"; others have the enhancement',
    )

    def photons(self, energy: Array, *, age: float) -> dict[str, Array]:
        """Decay of neutral pions."""
        t = proton_grid(energy)
        return {"pions": self.gas_density * self._of_atom(energy, t, self.number(t), self.helium_fraction)}

    def number(self, kinetic_energy: Array) -> Array:
        """Protons per energy [GeV^-1]."""
        return per_energy(self.injection, kinetic_energy, energy=self.energy, above=self.above)

    def budget(self, *, age: float) -> dict[str, str]:
        """Total energy, and the power that makes it in the age of the source."""
        total = self.energy / const.ERG_GEV
        return {
            "energy": f"{total:.3g} erg above {self.above:g} GeV",
            "power": f"{total / (age * const.MYR_S):.3g} erg/s over the age of the source",
        }


@register("emission", "electrons")
class Electrons(Emitter):
    """Electrons that a source injects at a constant rate and that cool in a magnetised lobe.

    They lose energy by synchrotron radiation and inverse Compton scattering, and shine by both.
    """

    kind: Literal["electrons"] = "electrons"
    injection: Kind("injection") = Field(  # type: ignore[valid-type]
        description="spectrum dN/dT of the injection, a law of the kinetic energy: 1 GV stands for 1 GeV"
    )
    luminosity: Quantity("power") = Field(gt=0, description="power of the injected electrons above `above`")  # type: ignore[valid-type]
    above: Quantity("energy") = Field(  # type: ignore[valid-type]
        gt=0, description="kinetic energy above which the electrons' energy counts"
    )
    magnetic_field: Quantity("magnetic field") = Field(ge=0, le=1e9, description="strength in the lobe")  # type: ignore[valid-type]
    radiation: Kind("radiation-field") = Field(  # type: ignore[valid-type]
        description="radiation in the lobe, with the densities given; scales in r and z do not belong here"
    )
    cooling: Literal["exact", "steady", "minimum"] = Field(
        default="exact",
        description='"exact" in time, "steady", or "minimum": Q min(T/b, age), the estimate of many papers',
    )

    def photons(self, energy: Array, *, age: float) -> dict[str, Array]:
        """Inverse Compton scattering and synchrotron radiation."""
        t = electron_grid(energy, self.injection)
        number = self.number(t, age=age)
        scattered = np.full(energy.shape, np.nan)
        hottest = max(part.thermal_energy for part in self.radiation.parts)
        holds = energy >= 100.0 * hottest
        if holds.any():
            table = _scattering(tuple(energy[holds]), tuple(t), self.radiation.parts)
            scattered[holds] = table(number)
        found = {"inverse-compton": scattered}
        if self.magnetic_field > 0.0:
            found["synchrotron"] = _synchrotron(tuple(energy), tuple(t), self.magnetic_field)(number)
        return found

    def number(self, kinetic_energy: Array, *, age: float) -> Array:
        """Electrons per energy, increasing in T [GeV^-1]."""
        # compiled code, which reading a config does without
        from cyldiff.sources.cooled import cooled_electrons

        def injected(energy: Array) -> Array:
            return per_energy(self.injection, energy, energy=self.luminosity, above=self.above)

        return cooled_electrons(kinetic_energy, injected, medium=self.medium, age=age, method=self.cooling)

    @property
    def medium(self) -> Medium:
        """What the electrons cool in."""
        field = const.MICROGAUSS_ENERGY_DENSITY * self.magnetic_field**2
        return Medium(magnetic=field, radiation=self.radiation.parts)

    def budget(self, *, age: float) -> dict[str, str]:
        """Power, total energy, and what of it is still there."""
        power, total = self.luminosity / (const.ERG_GEV * const.MYR_S), self.luminosity * age / const.ERG_GEV
        t = np.geomspace(self.above, max(2.0 * self.above, min(reach(self.injection), _HIGHEST)), 400)
        stored = np.trapezoid(t**2 * self.number(t, age=age), np.log(t)) / const.ERG_GEV
        return {
            "power": f"{power:.3g} erg/s above {self.above:g} GeV",
            "energy": f"{total:.3g} erg since birth, {stored:.3g} erg of it still above {self.above:g} GeV",
        }

    def problems(self, *, age: float) -> list[tuple[str, str]]:
        """A field in the lobe, not one that varies in the Galaxy."""
        found = super().problems(age=age)
        if any(getattr(self.radiation, name, None) is not None for name in ("r_scale", "z_scale")):
            found.append(
                ("radiation", "r_scale and z_scale do not belong here; give the densities in the lobe")
            )
        return found


def proton_grid(energy: Array) -> Array:
    """Kinetic energies of protons for photons of these energies [GeV]: up to 1000 times the highest."""
    return _grid(_LOWEST_PROTON, 1e3 * float(np.max(energy)))


def electron_grid(energy: Array, injection: Any) -> Array:
    """Kinetic energies of electrons [GeV]: up to where the injection ends."""
    top = min(max(reach(injection), 10.0 * _LOWEST_ELECTRON), _HIGHEST)
    return _grid(_LOWEST_ELECTRON, top)


def _grid(low: float, high: float) -> Array:
    return np.geomspace(low, high, max(2, int(np.ceil(PER_DECADE * np.log10(high / low)))) + 1)


@lru_cache(maxsize=8)
def _emissivity(
    energy: tuple[float, ...],
    kinetic_energy: tuple[float, ...],
    model: PionProduction,
    helium_fraction: float,
) -> Emissivity:
    return Emissivity.build(energy, kinetic_energy, model, helium_fraction=helium_fraction)


@lru_cache(maxsize=8)
def _scattering(
    energy: tuple[float, ...], kinetic_energy: tuple[float, ...], radiation: tuple[Greybody, ...]
) -> LeptonEmission:
    return LeptonEmission.inverse_compton(energy, kinetic_energy, radiation)


@lru_cache(maxsize=8)
def _synchrotron(
    energy: tuple[float, ...], kinetic_energy: tuple[float, ...], field: float
) -> LeptonEmission:
    return LeptonEmission.synchrotron(energy, kinetic_energy, field)

"""Radiation that electrons scatter on (inverse Compton) and gamma rays are absorbed by: sums of greybodies.

A greybody is black-body radiation of temperature T thinned by a dilution factor w:

    n(eps) = w eps^2 / [pi^2 (hbar c)^3 (exp(eps / kT) - 1)],   u = w pi^2 (kT)^4 / [15 (hbar c)^3]

The microwave background is the same everywhere. All other parts share one profile in space, 1 at the Sun:
exp[-(r - r0) / r_scale - |z| / z_scale], or uniform.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BeforeValidator, Field

from cyldiff import constants as const
from cyldiff.config.base import Model, Quantity
from cyldiff.registry import register

__all__ = [
    "CosmicMicrowaveBackground",
    "Delahaye2010",
    "Greybodies",
    "Greybody",
    "RadiationField",
    "energy_density_of",
    "photon_density_of",
]

Array = NDArray[np.float64]

#: temperatures [K] and dilutions of Delahaye et al. 2010, A&A 524, A51, besides the CMB
DELAHAYE_2010 = (
    (33.07, 4.5e-5),
    (313.32, 1.2e-9),
    (3249.3, 7.03e-13),
    (6150.4, 3.39e-14),
    (23209.0, 8.67e-17),
)


@dataclass(frozen=True, slots=True)
class Greybody:
    """One part of a radiation field.

    Attributes
    ----------
    temperature : T [K]
    dilution : w, 1 for a black body
    uniform : the same everywhere; otherwise it follows the profile of its field, and w is that at the Sun
    """

    temperature: float
    dilution: float
    uniform: bool = False

    @property
    def thermal_energy(self) -> float:
        """K T [GeV]."""
        return const.BOLTZMANN_GEV_K * self.temperature

    @property
    def energy_density(self) -> float:
        """U at the Sun [GeV/cm^3]."""
        return self.dilution * const.BLACK_BODY_ENERGY_DENSITY * self.temperature**4

    def photon_density(self, energy: ArrayLike) -> Array:
        """N(eps) = dn/d eps at the Sun [GeV^-1 cm^-3], shape of energy [GeV]."""
        energy = np.asarray(energy, dtype=float)
        x = energy / self.thermal_energy
        # x^2 exp(-x) / (1 - exp(-x)), which does not overflow
        planck = energy**2 * np.exp(-x) / -np.expm1(-x)
        return self.dilution * planck / (np.pi**2 * const.HBAR_C_GEV_CM**3)


def photon_density_of(parts: Sequence[Greybody], energy: ArrayLike) -> Array:
    """N(eps) of several greybodies together [GeV^-1 cm^-3], shape of energy [GeV]."""
    energy = np.asarray(energy, dtype=float)
    return np.asarray(sum((part.photon_density(energy) for part in parts), np.zeros(energy.shape)))


def energy_density_of(parts: Sequence[Greybody]) -> float:
    """U of several greybodies together [GeV/cm^3]."""
    return sum(part.energy_density for part in parts)


class RadiationField(Model):
    """Base of all radiation fields: a sum of greybodies, and where they are.

    A subclass gives `parts`, at the Sun, and, unless they are uniform, `profile`.
    """

    @property
    def parts(self) -> tuple[Greybody, ...]:
        """Greybodies at the Sun."""
        raise NotImplementedError

    def profile(self, r: ArrayLike, z: ArrayLike) -> Array:
        """What the parts that are not uniform are multiplied by at r, z [kpc]; broadcast shape."""
        return np.ones(np.broadcast_shapes(np.shape(r), np.shape(z)))

    def at(self, r: float, z: float) -> tuple[Greybody, ...]:
        """Greybodies at a place [kpc]."""
        factor = float(self.profile(r, z))
        return tuple(
            part if part.uniform else Greybody(part.temperature, factor * part.dilution)
            for part in self.parts
        )

    def energy_density(self, r: ArrayLike, z: ArrayLike) -> Array:
        """U at r, z [kpc], broadcast shape [GeV/cm^3]."""
        same = energy_density_of([part for part in self.parts if part.uniform])
        varying = energy_density_of([part for part in self.parts if not part.uniform])
        return same + varying * self.profile(r, z)

    def photon_density(self, energy: ArrayLike, r: float, z: float) -> Array:
        """Dn/d eps at a place [kpc], shape of energy [GeV]; [GeV^-1 cm^-3]."""
        return photon_density_of(self.at(r, z), energy)


def _microwaves() -> Greybody:
    return Greybody(const.CMB_TEMPERATURE_K, 1.0, uniform=True)


@register("radiation-field", "cmb")
class CosmicMicrowaveBackground(RadiationField):
    """The microwave background alone, 2.7255 K (Fixsen 2009, ApJ 707, 916)."""

    kind: Literal["cmb"] = "cmb"

    @property
    def parts(self) -> tuple[Greybody, ...]:
        """One black body."""
        return (_microwaves(),)


class ScaledField(RadiationField):
    """The microwave background and parts that fall off in r and z; without scales they are uniform."""

    reference_radius: Quantity("length") | None = Field(  # type: ignore[valid-type]
        default=None, ge=0, description="r0: the Sun's, where the energy densities hold; with r_scale"
    )
    r_scale: Quantity("length") | None = Field(  # type: ignore[valid-type]
        default=None, gt=0, description="length of the radial decrease of all but the CMB; uniform without"
    )
    z_scale: Quantity("length") | None = Field(  # type: ignore[valid-type]
        default=None, gt=0, description="length of the vertical decrease of all but the CMB; uniform without"
    )

    def model_post_init(self, context: Any) -> None:
        """A radial decrease needs the radius that the densities belong to."""
        if (self.r_scale is None) != (self.reference_radius is None):
            raise ValueError("r_scale and reference_radius belong together; give both or none")
        if self.r_scale is not None and self.reference_radius > 100.0 * self.r_scale:
            raise ValueError("r_scale is below a hundredth of reference_radius")

    def profile(self, r: ArrayLike, z: ArrayLike) -> Array:
        """exp[-(r - r0) / r_scale - |z| / z_scale]."""
        r, z = np.asarray(r, dtype=float), np.asarray(z, dtype=float)
        exponent = np.zeros(np.broadcast_shapes(r.shape, z.shape))
        if self.r_scale is not None:
            exponent = exponent - (r - self.reference_radius) / self.r_scale
        if self.z_scale is not None:
            exponent = exponent - np.abs(z) / self.z_scale
        return np.exp(exponent)


class GreybodyPart(Model):
    """A temperature, and either the energy density at the Sun or the dilution of a black body."""

    temperature: Quantity("temperature") = Field(gt=0, le=1e6, description="temperature of the radiation")  # type: ignore[valid-type]
    energy_density: Quantity("energy density") | None = Field(  # type: ignore[valid-type]
        default=None, ge=0, description="energy density at the Sun; or give dilution"
    )
    dilution: float | None = Field(
        default=None,
        ge=0.0,
        le=1.0,
        description="relative to a black body, at the Sun; or give energy_density",
    )

    def model_post_init(self, context: Any) -> None:
        """One of both."""
        if (self.energy_density is None) == (self.dilution is None):
            raise ValueError("give energy_density or dilution, one of both")

    @property
    def greybody(self) -> Greybody:
        """The same as numbers."""
        if self.dilution is not None:
            return Greybody(self.temperature, self.dilution)
        black = const.BLACK_BODY_ENERGY_DENSITY * self.temperature**4
        return Greybody(self.temperature, self.energy_density / black)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@register("radiation-field", "greybodies")
class Greybodies(ScaledField):
    """The microwave background and any greybodies."""

    kind: Literal["greybodies"] = "greybodies"
    bodies: Annotated[tuple[GreybodyPart, ...], BeforeValidator(_as_tuple)] = Field(
        default=(), description="list of temperature and energy_density (or dilution), besides the CMB"
    )

    @cached_property
    def _parts(self) -> tuple[Greybody, ...]:
        return (_microwaves(), *(body.greybody for body in self.bodies))

    @property
    def parts(self) -> tuple[Greybody, ...]:
        """The CMB first."""
        return self._parts


@register("radiation-field", "delahaye-2010")
class Delahaye2010(ScaledField):
    """Local field of Delahaye et al. 2010, A&A 524, A51: CMB, dust (33 K, 313 K), stars (3249, 6150, 23209 K).

    Energy densities at the Sun: .261 (CMB), .254, .055, .370, .229, .119 eV/cm^3. The paper gives no
    dependence on place; scales are an option.
    """

    kind: Literal["delahaye-2010"] = "delahaye-2010"

    @property
    def parts(self) -> tuple[Greybody, ...]:
        """The CMB first."""
        return (_microwaves(), *(Greybody(T, w) for T, w in DELAHAYE_2010))

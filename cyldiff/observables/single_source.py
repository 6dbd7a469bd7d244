"""The spectral energy distribution of one source: its components at Earth, absorbed on the way.

    dN/dE = N_g(E) exp(-tau) / (4 pi d^2)          E^2 dN/dE is the SED

with the photons N_g of the kinds of "emission" (:mod:`cyldiff.observables.emitters`) and tau = K d of the
radiation field between source and Earth, taken as uniform (:mod:`cyldiff.observables.absorption`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BeforeValidator, Field

from cyldiff import constants as const
from cyldiff.config.base import Integer, Kind, Model, Quantity
from cyldiff.errors import DataError, Problem
from cyldiff.observables.absorption import greybody_absorption

__all__ = ["EnergyRange", "Sed", "SingleSource", "SourceConfig", "sed"]

Array = NDArray[np.float64]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class SourceConfig(Model):
    """What all components share."""

    name: str = Field(min_length=1, description="name of the source")
    distance: Quantity("length") = Field(gt=0, description="from the Sun")  # type: ignore[valid-type]
    age: Quantity("time") = Field(gt=0, description="since when it injects particles")  # type: ignore[valid-type]


class EnergyRange(Model):
    """Energies of the SED, evenly spaced in the logarithm."""

    minimum: Quantity("energy") = Field(gt=0, description="lowest photon energy")  # type: ignore[valid-type]
    maximum: Quantity("energy") = Field(gt=0, description="highest photon energy")  # type: ignore[valid-type]
    per_decade: Annotated[Integer, Field(ge=1, le=1000)] = Field(
        default=20, description="energies per factor of ten"
    )

    def model_post_init(self, context: Any) -> None:
        """The range goes up."""
        if not self.minimum < self.maximum:
            raise ValueError("minimum must be below maximum")

    @property
    def energies(self) -> Array:
        """All of them [GeV]."""
        n = int(np.ceil(self.per_decade * np.log10(self.maximum / self.minimum) - 1e-9))
        return np.geomspace(self.minimum, self.maximum, n + 1)


class CompareConfig(Model):
    """Measured points."""

    data: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = Field(
        default=(), description="sets of SED points: names of the library or .csv files"
    )


class FitConfig(Model):
    """What a fit may change, and which points it sees."""

    free: dict[str, Annotated[tuple[str | float, ...], BeforeValidator(_as_tuple)]] = Field(
        min_length=1,
        description='path of a key -> its bounds, e.g. "components.protons.energy" = ["1e48 erg", "1e52 erg"]',
    )
    minimum: Quantity("energy") | None = Field(default=None, gt=0, description="lowest energy of a point")  # type: ignore[valid-type]
    maximum: Quantity("energy") | None = Field(default=None, gt=0, description="highest energy of a point")  # type: ignore[valid-type]


class SingleSource(Model):
    """A source with all that makes it shine; a TOML file in the form of this class."""

    schema_version: Literal[1] = Field(alias="schema", description="version of this set of keys")
    title: str = Field(default="", description="what the model is, in one line")
    pedigree: dict[str, Any] = Field(default_factory=dict, description="citation and notes")
    source: SourceConfig = Field(description="the object")
    energies: EnergyRange = Field(description="photon energies of the table")
    absorption: Kind("radiation-field") | None = Field(  # type: ignore[valid-type]
        default=None, description="radiation that absorbs on the way, the same along it; none by default"
    )
    components: dict[str, Kind("emission")] = Field(  # type: ignore[valid-type]
        min_length=1, description="what shines: a free name each"
    )
    compare: CompareConfig = Field(default_factory=CompareConfig, description="measured points to show")
    fit: FitConfig | None = Field(default=None, description="what --fit changes")

    def problems(self) -> Iterator[Problem]:
        """What is impossible although every key is valid."""
        for name, component in self.components.items():
            for key, message in component.problems(age=self.source.age):
                yield Problem(f"components.{name}.{key}", message)
        if any(getattr(self.absorption, key, None) is not None for key in ("r_scale", "z_scale")):
            yield Problem("absorption", "is taken as uniform along the way; leave out r_scale and z_scale")
        if self.fit is not None and not self.compare.data:
            yield Problem("compare.data", "is missing; a fit needs points")


@dataclass(frozen=True, slots=True)
class Sed:
    """Spectrum of a source at Earth.

    Attributes
    ----------
    energy : ndarray, shape (n,) [GeV]
    parts : "component" or "component process" -> dN/dE, shape (n,) [GeV^-1 cm^-2 s^-1]; NaN where its model
        does not hold
    """

    energy: Array
    parts: dict[str, Array]

    @property
    def flux(self) -> Array:
        """dN/dE of all parts, those that are not known left out [GeV^-1 cm^-2 s^-1]."""
        return np.nansum(list(self.parts.values()), axis=0)

    @property
    def sed(self) -> Array:
        """E^2 dN/dE [erg cm^-2 s^-1]."""
        return self.of(self.flux)

    def of(self, flux: Array) -> Array:
        """E^2 times a flux [erg cm^-2 s^-1]."""
        return self.energy**2 * flux / const.ERG_GEV

    def columns(self) -> dict[str, Array]:
        """Columns of the table: energy [GeV], flux [GeV^-1 cm^-2 s^-1], then SEDs [erg cm^-2 s^-1]."""
        parts = {f"sed_{name.replace(' ', '_')}": self.of(flux) for name, flux in self.parts.items()}
        return {"energy": self.energy, "flux": self.flux, "sed": self.sed, **parts}

    def gaps(self) -> list[str]:
        """Which parts are left out of the sum where."""
        return [
            f"{name}: its model does not hold below {self.energy[~np.isnan(flux)][0]:g} GeV; left out there"
            if not np.all(np.isnan(flux))
            else f"{name}: its model holds at none of the energies; left out"
            for name, flux in self.parts.items()
            if np.isnan(flux).any()
        ]


def sed(model: SingleSource, energy: ArrayLike | None = None) -> Sed:
    """Spectrum of a source.

    Parameters
    ----------
    model : the model of a source, ``load_source(…).model``
    energy : photon energies, shape (n,) [GeV]; default those of the model

    Returns
    -------
    Sed
        photon energies [GeV] and the spectrum of every component.

    Raises
    ------
    DataError
        if an energy is above what a component's model supports.
    """
    e = model.energies.energies if energy is None else np.atleast_1d(np.asarray(energy, dtype=float))
    dilution = np.exp(-optical_depth(model, e)) / (4.0 * np.pi * (model.source.distance * const.KPC_CM) ** 2)
    parts: dict[str, Array] = {}
    for name, component in model.components.items():
        made = component.photons(e, age=model.source.age)
        for process, photons in made.items():
            parts[name if len(made) == 1 else f"{name} {process}"] = photons * dilution
    _refuse_above(e, parts)
    return Sed(e, parts)


def optical_depth(model: SingleSource, energy: Array) -> Array:
    """Tau between source and Earth at the energies [GeV]."""
    if model.absorption is None:
        return np.zeros(energy.shape)
    per_length = sum(
        greybody_absorption(energy, part.temperature, part.dilution) for part in model.absorption.parts
    )
    return np.asarray(per_length * model.source.distance)


def _refuse_above(energy: Array, parts: dict[str, Array]) -> None:
    """A part that ends below the highest energy would be missed where it matters."""
    for name, flux in parts.items():
        known = ~np.isnan(flux)
        if known.any() and energy[known].max() < energy.max():
            raise DataError(
                f"{name}: its model holds up to {energy[known].max():g} GeV, not to {energy.max():g} GeV; "
                "lower energies.maximum or choose another model"
            )

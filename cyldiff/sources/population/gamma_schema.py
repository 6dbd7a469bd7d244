"""The section ``[gamma]`` of a population: gamma rays of its particles on the gas, and what a survey resolves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field

from cyldiff.config.base import Integer, Kind, Model, Number, Quantity
from cyldiff.config.parts import Parts
from cyldiff.errors import DataError, Problem
from cyldiff.observables.detection import Detection

__all__ = ["Clouds", "GammaEnergies", "GammaSection", "gamma_checks"]

#: largest latitude of a region [deg]: its points are in columns above the plane
HIGHEST = 30.0
#: energies of nuclei above the highest gamma ray, and the least number of them (the kernels take eight at once)
REACH, LANES = 100.0, 8


class GammaEnergies(Model):
    """Gamma-ray energies, equidistant in the logarithm."""

    min: Quantity("energy") = Field(gt=0, description="lowest gamma-ray energy")  # type: ignore[valid-type]
    max: Quantity("energy") = Field(gt=0, description="highest gamma-ray energy")  # type: ignore[valid-type]
    per_decade: Number = Field(gt=0, le=50, description="points per decade")

    @property
    def values(self) -> Any:
        """All of them, shape (n,) [GeV]."""
        n = 1 + max(1, round(self.per_decade * np.log10(self.max / self.min)))
        return np.geomspace(self.min, self.max, n)


class Clouds(Model):
    """A molecular cloud around sources: a uniform sphere with the source at its centre, on top of the other gas.

    Density and radius are drawn from laws that are flat in their logarithms; equal limits fix them.
    """

    density_min: Quantity("number density") = Field(gt=0, description="fewest H nuclei per volume")  # type: ignore[valid-type]
    density_max: Quantity("number density") = Field(gt=0, description="most H nuclei per volume")  # type: ignore[valid-type]
    radius_min: Quantity("length") = Field(gt=0, description="smallest radius")  # type: ignore[valid-type]
    radius_max: Quantity("length") = Field(gt=0, le=0.3, description="largest radius")  # type: ignore[valid-type]
    fraction: Number = Field(default=1.0, gt=0, le=1, description="part of the sources that have a cloud")


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class GammaSection(Model):
    """Gamma rays of every realisation."""

    realisations: Integer | None = Field(
        default=None,
        ge=1,
        description="of this many realisations, the first ones; default all that are drawn",
    )
    regions: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = Field(
        default=("lhaaso-inner", "lhaaso-outer"),
        min_length=1,
        description='names, or limits as "l=15..125,b=-5..5"',
    )
    energies: GammaEnergies = Field(description="at which energies")
    production: Kind("pion-production") = Field(  # type: ignore[valid-type]
        description="gamma rays of collisions; with the nuclear enhancement"
    )
    absorption: Kind("radiation-field") | None = Field(  # type: ignore[valid-type]
        default=None, description="radiation that absorbs on the way, the same everywhere; none by default"
    )
    cell: Quantity("length") = Field(  # type: ignore[valid-type]
        default=1.0,
        ge=0.1,
        le=2.0,
        description="cell of the finest mesh; sources that have spread less are followed one by one",
    )
    nuclei_per_decade: Number = Field(
        default=5.0, ge=3, le=50, description="energies of nuclei per decade, at least"
    )
    detection: Detection = Field(description="what a survey resolves")
    clouds: Clouds | None = Field(
        default=None, description="clouds around sources, as a second case beside that without"
    )

    def nuclei(self) -> tuple[float, float, float]:
        """Lowest and highest kinetic energy of the nuclei [GeV/n], and how many per decade."""
        low = min(self.energies.min, self.detection.energy)
        high = REACH * max(self.energies.max, self.detection.energy)
        decades = np.log10(high / low)
        number = LANES * int(np.ceil((self.nuclei_per_decade * decades + 1.0) / LANES))
        return low, high, float((number - 1) / decades)


def gamma_checks(parts: Parts) -> Iterator[Problem]:
    """Contradictions between the keys of the section, and to the rest of the population."""
    if parts.at("gamma") is None and parts.at("gamma.detection") is None:
        return
    yield from _sky(parts)
    yield from _detection(parts)
    yield from _clouds(parts)
    if ("model", "gas") in parts and parts.at("model.gas") is None:
        yield Problem("model.gas", "is missing; gamma rays need gas")
    if parts.at("population.older") not in (None, "neglected"):
        yield Problem(
            "population.older",
            'gamma rays are those of drawn sources; expected "neglected" with a section [gamma]',
        )
    wanted, drawn = parts.at("gamma.realisations"), parts.at("draw.realisations")
    if wanted is not None and drawn is not None and wanted > drawn:
        yield Problem(
            "gamma.realisations", f"found {wanted}; expected at most the {drawn} of draw.realisations"
        )


def _sky(parts: Parts) -> Iterator[Problem]:
    from cyldiff.observables.regions import region_named  # with the compiler: only if it is asked for

    for i, name in enumerate(parts.at("gamma.regions") or ()):
        try:
            region = region_named(name)
        except DataError as error:
            yield Problem(f"gamma.regions[{i}]", str(error))
            continue
        if max(abs(b) for b in region.latitude) > HIGHEST:
            yield Problem(
                f"gamma.regions[{i}]", f"{name} is not within {HIGHEST:g} deg of the plane; expected that"
            )
    energies, production = parts.at("gamma.energies"), parts.at("gamma.production")
    if energies is not None and not energies.max > energies.min:
        yield Problem("gamma.energies.max", "the range is empty; expected max above min")
    elif energies is not None and production is not None:
        low, high = production.energies
        for key in ("min", "max"):
            value = getattr(energies, key)
            if not low <= value <= high:
                yield Problem(
                    f"gamma.energies.{key}",
                    f'{value:g} GeV; the model "{production.kind}" holds from {low:g} to {high:g} GeV',
                )
    if any(getattr(parts.at("gamma.absorption"), key, None) is not None for key in ("r_scale", "z_scale")):
        yield Problem("gamma.absorption", "is taken as uniform; leave out r_scale and z_scale")


def _detection(parts: Parts) -> Iterator[Problem]:
    rule, energies = parts.at("gamma.detection"), parts.at("gamma.energies")
    if rule is None:
        return
    if (rule.sensitivity is None) == (not rule.curve):
        found = "is missing" if rule.sensitivity is None else "and curve are both given"
        yield Problem("gamma.detection.sensitivity", f"{found}; expected one of sensitivity and curve")
    elif rule.curve:
        try:
            rule.point_sensitivity()
        except DataError as error:
            yield Problem("gamma.detection.curve", str(error))
    if not rule.declination_min < rule.declination_max:
        yield Problem("gamma.detection.declination_max", "expected more than declination_min")
    if (
        energies is not None
        and energies.max > energies.min
        and not energies.min <= rule.energy <= energies.max
    ):
        yield Problem(
            "gamma.detection.energy",
            f"{rule.energy:g} GeV is outside the energies ({energies.min:g} to {energies.max:g} GeV)",
        )
    if parts.at("population.history") == "burst" and rule.candidates == "active":
        yield Problem("gamma.detection.candidates", 'bursts are never active; expected "young"')


def _clouds(parts: Parts) -> Iterator[Problem]:
    clouds = parts.at("gamma.clouds")
    for name in ("density", "radius") if clouds is not None else ():
        if getattr(clouds, f"{name}_max") < getattr(clouds, f"{name}_min"):
            yield Problem(f"gamma.clouds.{name}_max", f"expected at least {name}_min")

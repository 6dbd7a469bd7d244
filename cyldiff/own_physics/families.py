"""What a function of each family takes and gives, and the class that asks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cyldiff.own_physics.particles import OwnInelastic, OwnInjection, OwnSpallation
from cyldiff.own_physics.space import (
    OwnDiffusion,
    OwnGas,
    OwnMagneticField,
    OwnRadiationField,
    OwnSourceDistribution,
    OwnSourceVolume,
    OwnWind,
)

__all__ = ["FAMILIES", "Family"]


@dataclass(frozen=True, slots=True)
class Family:
    """What a function of a family takes and gives.

    Attributes
    ----------
    base : class that asks the function
    arguments : name -> dimension; "" for pure numbers and names
    result : word for the result
    dimension : of the result; "" if only its shape counts
    options : of :func:`cyldiff.own` beyond those that all have
    zero : whether the result may be zero
    volume : the same family if the function takes z
    """

    base: type[Any]
    arguments: dict[str, str]
    result: str
    dimension: str = ""
    options: tuple[str, ...] = ()
    zero: bool = True
    volume: Family | None = None


_PLACE = {"r": "length", "z": "length"}
_SPACE = ("symmetric", "jumps")

FAMILIES = {
    "diffusion": Family(
        OwnDiffusion,
        {"rigidity": "rigidity", "beta": "", **_PLACE, "axis": ""},
        "D",
        "length²/time",
        ("slope", *_SPACE),
        zero=False,
    ),
    "convection": Family(OwnWind, {"height": "length"}, "the speed", "speed"),
    "gas": Family(OwnGas, _PLACE, "the density", "number density", _SPACE),
    "magnetic-field": Family(OwnMagneticField, _PLACE, "the field", "magnetic field"),
    "radiation-field": Family(OwnRadiationField, _PLACE, "the energy density", "energy density"),
    "source-distribution": Family(
        OwnSourceDistribution,
        {"r": "length", "observer_radius": "length"},
        "the surface density",
        volume=Family(
            OwnSourceVolume, {**_PLACE, "observer_radius": "length"}, "the density", options=_SPACE
        ),
    ),
    "injection": Family(OwnInjection, {"rigidity": "rigidity"}, "dN/dR"),
    "inelastic": Family(
        OwnInelastic,
        {"kinetic_energy": "energy", "Z": "", "A": "", "nuclide": "", "target": ""},
        "the cross section",
        "cross section",
    ),
    "spallation": Family(
        OwnSpallation,
        {"kinetic_energy": "energy", "parent": "", "child": "", "target": ""},
        "the cross section",
        "cross section",
        ("channels", "base"),
    ),
}

"""How strong a source component is: fixed by a local flux, or by its power.

Transport is linear, so a component is solved with unit strength and scaled afterwards.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cyldiff.config.base import Model, Quantity
from cyldiff.registry import register

__all__ = ["LocalFlux", "Luminosity"]


@register("normalisation", "local-flux")
class LocalFlux(Model):
    """The interstellar flux of one species at the Sun, secondaries included.

    `flux` is per (GeV/n) at `kinetic_energy` per nucleon. The energy must lie on the grid's range.
    """

    kind: Literal["local-flux"] = "local-flux"
    species: str = Field(description="nuclide whose flux is given")
    kinetic_energy: Quantity("energy") = Field(  # type: ignore[valid-type]
        gt=0, description="kinetic energy per nucleon at which it is given"
    )
    flux: Quantity("intensity") = Field(gt=0, description="interstellar intensity at the Sun per (GeV/n)")  # type: ignore[valid-type]


@register("normalisation", "luminosity")
class Luminosity(Model):
    """The power of all sources of the component in the Galaxy, all species together.

    The integral runs over kinetic energy above `minimum_energy` per nucleon.
    """

    kind: Literal["luminosity"] = "luminosity"
    power: Quantity("power") = Field(  # type: ignore[valid-type]
        gt=0, description="injected by all sources of the component in the Galaxy, all species together"
    )
    minimum_energy: Quantity("energy") = Field(  # type: ignore[valid-type]
        gt=0, description="kinetic energy per nucleon above which the power counts"
    )

"""The configuration of a random population: every key there is.

Physical values have no defaults here; they come from a model file or the population's own file.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from cyldiff.config.base import Integer, Kind, Model, Number, Quantity
from cyldiff.config.schema import Halo, Observer, Pedigree, SourceComponent
from cyldiff.errors import quoted
from cyldiff.galaxy.gas import GasModel
from cyldiff.sources.laws import Law
from cyldiff.sources.population.gamma_schema import GammaSection

__all__ = [
    "Draw",
    "Energies",
    "ModelSection",
    "Observers",
    "Output",
    "Population",
    "PopulationConfig",
    "Reference",
    "Region",
    "Ring",
    "Selection",
]


class Population(Model):
    """Sources that are born at random in space and time, as a Poisson process."""

    name: str = Field(max_length=100, description="what the sources are called; not that of a grid component")
    rate: Quantity("rate") = Field(gt=0, description="births in the whole Galaxy per time")  # type: ignore[valid-type]
    history_length: Quantity("time") = Field(  # type: ignore[valid-type]
        gt=0, description="births up to this long ago are drawn one by one; several H^2 / D"
    )
    older: Literal["neglected", "mean", "grid"] = Field(
        default="neglected",
        description="what the births before that give: nothing, or the mean over all realisations, by integration "
        '("mean") or from the "grid"',
    )
    older_grid: str = Field(
        default="galaxy-2d-coarse", description='grid of the library that older = "grid" is solved on'
    )
    distribution: Kind("source-distribution") = Field(description="where they are born")  # type: ignore[valid-type]
    history: Literal["constant", "burst"] = Field(
        description='the energy comes evenly during the lifetime ("constant"), or all at birth ("burst")'
    )
    lifetime: Kind("lifetime") | None = Field(default=None, description="how long sources are on")  # type: ignore[valid-type]
    luminosity: Kind("luminosity") | None = Field(  # type: ignore[valid-type]
        default=None, description="power of the sources; the energy is that times the lifetime"
    )
    energy: Kind("released-energy") | None = Field(  # type: ignore[valid-type]
        default=None, description="energy of the sources, instead of a luminosity"
    )
    efficiency: Number = Field(gt=0, le=1, description="part of the energy that goes to cosmic rays")
    spectrum: Kind("source-spectrum") = Field(description="spectrum of all sources")  # type: ignore[valid-type]
    index_spread: Number = Field(
        default=0.0,
        ge=0,
        le=1,
        description="standard deviation of the spectral indices: every source has its own, from a normal law",
    )
    minimum_energy: Quantity("energy") = Field(  # type: ignore[valid-type]
        gt=0, description="kinetic energy per particle above which the energy of a source counts"
    )
    normalisation: Literal["exact", "logarithmic"] = Field(
        default="exact",
        description='"exact", or "logarithmic": L / ln(E_c / E_0) E^-2 exp(-E / E_c), Kaci et al. 2025, Eq. 1',
    )
    species: dict[str, Number] = Field(description="mix: dN/dR of the species relative to each other")

    @property
    def amount(self) -> Law:
        """Law of the luminosities, or of the energies."""
        law = self.luminosity if self.luminosity is not None else self.energy
        assert law is not None
        return law

    @property
    def life(self) -> Law:
        """Law of the lifetimes, where there is one."""
        assert self.lifetime is not None
        return self.lifetime

    @field_validator("name")
    @classmethod
    def _is_file_name(cls, value: str) -> str:
        if not value.isprintable() or not value.strip() or value.startswith(".") or set(value) & set("/\\"):
            raise ValueError(f'found {quoted(value)}; expected a plain name, e.g. "microquasars"')
        return value

    @field_validator("species")
    @classmethod
    def _some(cls, value: dict[str, float]) -> dict[str, float]:
        bad = [name for name, weight in value.items() if weight < 0.0]
        if bad:
            raise ValueError(f"negative weight of {', '.join(bad)}")
        if not any(value.values()):
            raise ValueError("no species has a weight above 0; e.g. species = { H1 = 1.0 }")
        return value


class Draw(Model):
    """How many realisations, and from which random numbers."""

    realisations: Integer = Field(ge=1, le=10_000_000, description="number of realisations of the Galaxy")
    seed: Integer = Field(ge=0, description="root of all random numbers; a realisation has its own below it")
    checkpoint: str = Field(
        default="", description="folder that keeps finished batches until the result is written; empty: none"
    )


class Region(Model):
    """Births not long ago and not far from the Sun."""

    younger_than: Quantity("time") = Field(gt=0, description="time since birth")  # type: ignore[valid-type]
    within: Quantity("length") = Field(gt=0, description="distance to the Sun")  # type: ignore[valid-type]


class Selection(Model):
    """Which realisations are wanted."""

    exclude: Region | None = Field(
        default=None, description="only realisations without a source younger than this within this distance"
    )


class ModelSection(Model):
    """What the closed forms need of a model: box, observer and D. The rest of a model file is allowed here."""

    kernel: Literal["auto", "halo", "free"] = Field(
        default="auto",
        description='closed form: escape at |z| = H ("halo") or nowhere ("free"); "auto" is the halo, and refuses '
        "a D that depends on the place and a wind, which the other two leave out: D at the Sun, no wind",
    )
    collisions: bool = Field(
        default=True,
        description="decay and collisions with the gas on the way, where the model has gas and cross sections",
    )
    title: str = Field(default="", description="what the model is")
    source: Pedigree = Field(default_factory=dict, description="pedigree of the numbers")
    halo: Halo = Field(description="the box; particles escape at its surface")
    observer: Observer = Field(description="where the Sun is")
    diffusion: Kind("diffusion") = Field(description="law of spatial diffusion")  # type: ignore[valid-type]
    reacceleration: Kind("reacceleration") | None = Field(default=None, description="not used here")  # type: ignore[valid-type]
    convection: Kind("convection") | None = Field(default=None, description="not used here")  # type: ignore[valid-type]
    gas: GasModel | None = Field(default=None, description="what nuclei collide with")
    inelastic: Kind("inelastic") | None = Field(  # type: ignore[valid-type]
        default=None, description="total inelastic cross sections"
    )
    spallation: Kind("spallation") | None = Field(default=None, description="not used here")  # type: ignore[valid-type]
    sources: dict[str, SourceComponent] = Field(
        default_factory=dict, description="smooth components; the population must not be one of them"
    )
    modulation: Kind("modulation") | None = Field(default=None, description="not used here")  # type: ignore[valid-type]
    energy_losses: bool = Field(default=True, description="not used here")
    secondary_protons: bool = Field(default=True, description="not used here")


class Ring(Model):
    """Observers on a circle around the Galactic centre, at the height of the Sun."""

    radius: Quantity("length") = Field(gt=0, description="of the circle")  # type: ignore[valid-type]
    n: Integer = Field(
        ge=1, le=100_000, description="number of observers; the first looks from the Sun's azimuth"
    )


class Observers(Model):
    """Where fluxes are evaluated: at the Sun, and on a ring if there is one."""

    ring: Ring | None = Field(default=None, description="a circle of observers besides the Sun")


class Energies(Model):
    """Kinetic energies per nucleon, equidistant in the logarithm."""

    min: Quantity("energy") = Field(gt=0, description="lowest kinetic energy per nucleon")  # type: ignore[valid-type]
    max: Quantity("energy") = Field(gt=0, description="highest kinetic energy per nucleon")  # type: ignore[valid-type]
    per_decade: Number = Field(gt=0, le=200.0, description="points per decade of energy")


class Output(Model):
    """What is written besides the statistics."""

    realisations: bool = Field(default=False, description="the spectrum of every realisation")
    gradient: bool = Field(
        default=False, description="gradient of the density at the Sun in every realisation, for the dipole"
    )
    brightest_at: Quantity("energy") | None = Field(  # type: ignore[valid-type]
        default=None, gt=0, description="energy per nucleon at which the brightest source is looked for"
    )


class Reference(Model):
    """A measured spectrum that fluxes are compared with: I (E / E1)^-index exp(-E / cutoff)."""

    species: str = Field(description="nuclide it belongs to")
    energy: Quantity("energy") = Field(gt=0, description="E1, per nucleon")  # type: ignore[valid-type]
    intensity: Quantity("intensity") = Field(gt=0, description="I, at E1 but for the cut-off")  # type: ignore[valid-type]
    index: Number = Field(description="of the spectrum")
    cutoff: Quantity("energy") | None = Field(default=None, gt=0, description="of the spectrum; default none")  # type: ignore[valid-type]
    citation: str = Field(default="", description="where it is from")


class PopulationConfig(Model):
    """A complete, validated population."""

    schema_version: Literal[1] = Field(alias="schema", description="version of this set of keys")
    title: str = Field(default="", description="one sentence for whoever opens the result")
    population: Population = Field(description="the sources")
    draw: Draw = Field(description="how many realisations")
    selection: Selection = Field(default_factory=Selection, description="which realisations are wanted")
    model: ModelSection = Field(description='propagation; "use" names a file of the library of models')
    observers: Observers = Field(default_factory=Observers, description="where fluxes are evaluated")
    energies: Energies = Field(description="at which energies")
    output: Output = Field(default_factory=Output, description="what is written")
    reference: Reference | None = Field(default=None, description="what the flux is compared with")
    gamma: GammaSection | None = Field(
        default=None, description="gamma rays of the realisations; none by default"
    )

"""The configuration of a run: every key there is, with its default if it is numerical.

Physical values have no defaults here; they come from a model file or the run file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cyldiff.config.base import Integer, Kind, Model, Number, Quantity
from cyldiff.errors import nearest
from cyldiff.galaxy.gas import GasModel

__all__ = [
    "CompareConfig",
    "ErrorEstimate",
    "GridConfig",
    "Halo",
    "MomentumAxis",
    "Observer",
    "OutputConfig",
    "PetscConfig",
    "PhysicsConfig",
    "RunConfig",
    "RunInfo",
    "SolverConfig",
    "SourceComponent",
    "SpaceAxes",
    "SpaceAxis",
    "SpeciesConfig",
]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class RunInfo(Model):
    """What the run is called and for."""

    name: str = Field(description="short name; the default output file is NAME.nc")
    purpose: str = Field(default="", description="one sentence for whoever opens the result")


class SpaceAxis(Model):
    """Cells of one spatial axis."""

    n: Integer = Field(ge=1, le=5000, description="number of cells (z: of the half-space if half_space)")
    spacing: Literal["uniform", "sinh"] = Field(default="uniform", description="cell widths")
    stretch: Number = Field(default=5.0, gt=0.0, le=12.0, description="strength a of the sinh stretching")


class SpaceAxes(Model):
    """The mesh in space; the box itself belongs to the physics."""

    geometry: Literal["cylindrical", "slab"] = Field(description='"cylindrical" (r, z) or 1-D "slab" in z')
    r: SpaceAxis | None = Field(default=None, description="radial cells; not for a slab")
    z: SpaceAxis = Field(description="vertical cells")
    half_space: bool = Field(
        default=False, description="solve z >= 0 only; needs symmetric sources, gas and D"
    )

    @model_validator(mode="after")
    def _matching(self) -> SpaceAxes:
        if self.geometry == "cylindrical" and self.r is None:
            raise ValueError("r is missing: a cylindrical grid needs radial cells")
        if self.geometry == "slab" and self.r is not None:
            raise ValueError("a slab has no r; remove it")
        if self.r is not None and self.r.spacing != "uniform":
            raise ValueError('r.spacing must be "uniform"')
        return self


class MomentumAxis(Model):
    """The master grid in kinetic energy per nucleon, common to all nuclei."""

    variable: Literal["kinetic energy per nucleon"] = "kinetic energy per nucleon"
    min: Quantity("energy") = Field(gt=0, description="lowest kinetic energy per nucleon")  # type: ignore[valid-type]
    max: Quantity("energy") = Field(gt=0, description="highest kinetic energy per nucleon")  # type: ignore[valid-type]
    per_decade: Number = Field(gt=1.0, le=200.0, description="points per decade of energy")

    @model_validator(mode="after")
    def _not_empty(self) -> MomentumAxis:
        if self.max < 3.0 * self.min:
            raise ValueError("the energy range is empty: max must be at least three times min")
        return self


class GridConfig(Model):
    """Resolution only."""

    title: str = ""
    space: SpaceAxes
    momentum: MomentumAxis


class Halo(Model):
    """The box with free escape at its surface."""

    radius: Quantity("length") = Field(gt=0, le=1000.0, description="R, escape at r = R")  # type: ignore[valid-type]
    half_height: Quantity("length") = Field(gt=0, le=1000.0, description="H, escape at |z| = H")  # type: ignore[valid-type]


class Observer(Model):
    """Where the Sun is."""

    r: Quantity("length") = Field(ge=0, description="galactocentric radius of the Sun")  # type: ignore[valid-type]
    z: Quantity("length") = Field(description="height of the Sun above the plane")  # type: ignore[valid-type]


class SourceComponent(Model):
    """One class of sources: where, with what spectrum, of what composition, how strong."""

    distribution: Kind("source-distribution") = Field(description="where the sources are")  # type: ignore[valid-type]
    injection: dict[str, Kind("injection")] = Field(  # type: ignore[valid-type]
        description='spectrum per species, or per element ("C"); "default" serves all others'
    )
    abundances: dict[str, Number] = Field(
        description='relative source abundances at reference_energy; "use" names a table'
    )
    reference_energy: Quantity("energy") = Field(  # type: ignore[valid-type]
        gt=0, description="kinetic energy per nucleon at which abundances (and a local flux) are given"
    )
    normalisation: Kind("normalisation") = Field(description="absolute scale of the component")  # type: ignore[valid-type]

    @field_validator("abundances")
    @classmethod
    def _not_negative(cls, value: dict[str, float]) -> dict[str, float]:
        bad = [name for name, abundance in value.items() if abundance < 0.0]
        if bad:
            raise ValueError(f"negative abundance of {', '.join(bad)}")
        if not any(value.values()):
            raise ValueError("all abundances are zero")
        return value

    @field_validator("injection")
    @classmethod
    def _has_default(cls, value: dict[str, Any]) -> dict[str, Any]:
        if "default" not in value:
            raise ValueError('"default" is missing: the spectrum of all species not named')
        return value


class PhysicsConfig(Model):
    """A propagation model: box, laws of motion, gas, nuclear data, sources."""

    title: str = Field(default="", description="what the model is")
    source: dict[str, Any] = Field(default_factory=dict, description="pedigree of the numbers")
    halo: Halo
    observer: Observer
    diffusion: Kind("diffusion")  # type: ignore[valid-type]
    reacceleration: Kind("reacceleration")  # type: ignore[valid-type]
    convection: Kind("convection")  # type: ignore[valid-type]
    gas: GasModel
    inelastic: Kind("inelastic")  # type: ignore[valid-type]
    spallation: Kind("spallation")  # type: ignore[valid-type]
    sources: dict[str, SourceComponent] = Field(min_length=1)
    modulation: Kind("modulation")  # type: ignore[valid-type]
    energy_losses: bool = Field(default=True, description="ionisation and Coulomb losses")
    secondary_protons: bool = Field(default=True, description="protons left behind by p-p and p-He reactions")


class SpeciesConfig(Model):
    """Which nuclides are followed."""

    max_z: Integer | None = Field(default=None, ge=1, le=28, description="cut the chain above this charge")
    include: Names | None = Field(default=None, description='list of nuclides, e.g. ["H1", "He4"]')


class ErrorEstimate(Model):
    """Estimate of the discretisation error at the Sun from a second, coarser solve."""

    enabled: bool = True
    coarsening: Number = Field(default=2.0, ge=1.2, le=4.0, description="ratio of the cell sizes")


class PetscConfig(Model):
    """Settings of the PETSc back end; PETSc's own options go into PETSC_OPTIONS, with the prefix cyldiff_."""

    preconditioner: Literal["sweeps", "ilu", "hypre"] = Field(
        default="sweeps", description='"sweeps" along lines with overlap, "ilu" per rank, "hypre" BoomerAMG'
    )
    direct: bool = Field(default=False, description="one sparse factorisation: a check on small grids")
    maximum_iterations: Integer = Field(default=500, ge=1, description="Krylov iterations of one nuclide")


class SolverConfig(Model):
    """How the equation is solved."""

    kind: Literal["steady"] = "steady"
    backend: Literal["numba", "direct", "petsc"] = Field(
        default="numba",
        description='"numba"; "petsc": on many processes; "direct": factorisation, small grids only',
    )
    tolerance: Number = Field(default=1e-8, gt=1e-14, lt=0.1, description="relative residual to reach")
    maximum_cycles: Integer = Field(
        default=40, ge=1, description="stationary cycles before the Krylov fallback"
    )
    momentum_scheme: Literal["third-order", "chang-cooper", "upwind"] = Field(
        default="third-order", description="flux in momentum"
    )
    grid_error: ErrorEstimate = Field(default_factory=ErrorEstimate)
    petsc: PetscConfig = Field(default_factory=PetscConfig)
    checkpoint: str = Field(
        default="", description="folder that keeps finished nuclides until the result is written; empty: none"
    )


class OutputConfig(Model):
    """What is written."""

    quantities: Names = Field(
        default=("flux",), description='"flux": intensity everywhere, besides the spectra at the Sun'
    )
    components: bool = Field(default=False, description="also every source component by itself")

    @field_validator("quantities")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = ("flux",)
        for name in value:
            if name not in known:
                raise ValueError(f'"{name}" unknown; known: {", ".join(known)}{nearest(name, known)}')
        return value


class CompareConfig(Model):
    """Measured data the result is compared with."""

    data: Names = Field(default=(), description="names of data sets, see `cyldiff list data`")


class RunConfig(Model):
    """A complete, validated run."""

    schema_version: Literal[1] = Field(alias="schema")
    run: RunInfo
    grid: GridConfig
    physics: PhysicsConfig
    species: SpeciesConfig = Field(default_factory=SpeciesConfig)
    solver: SolverConfig = Field(default_factory=SolverConfig)
    output: OutputConfig = Field(default_factory=OutputConfig)
    compare: CompareConfig = Field(default_factory=CompareConfig)

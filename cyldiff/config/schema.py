"""The configuration of a run: every key there is, with its default if it is numerical.

Physical values have no defaults here; they come from a model file or the run file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from cyldiff.config.base import Integer, Kind, Model, Number, Quantity
from cyldiff.errors import nearest, quoted
from cyldiff.galaxy.gas import GasModel
from cyldiff.grid.axis import MINIMUM_CELLS
from cyldiff.sources.history import AlwaysOn

__all__ = [
    "CompareConfig",
    "ErrorEstimate",
    "GridConfig",
    "Halo",
    "MomentumAxis",
    "Observer",
    "OutputConfig",
    "Pedigree",
    "PetscConfig",
    "PhysicsConfig",
    "RunConfig",
    "RunInfo",
    "SolverConfig",
    "SourceComponent",
    "SpaceAxes",
    "SpaceAxis",
    "SpeciesConfig",
    "TimeConfig",
]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """Free-form values as a file can hold them: what is None is not there; NaN would not equal itself."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value if item is not None]
    if isinstance(value, float) and math.isnan(value):
        raise ValueError(f"found {quoted(value)}; expected text or numbers")
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
#: free tables that say where numbers are from
Pedigree = Annotated[dict[str, Any], AfterValidator(_plain)]


class RunInfo(Model):
    """What the run is called and for."""

    name: str = Field(max_length=100, description="short name; the default output file is NAME.nc")
    purpose: str = Field(default="", description="one sentence for whoever opens the result")

    @field_validator("name")
    @classmethod
    def _is_file_name(cls, value: str) -> str:
        if not value.isprintable() or not value.strip() or value.startswith(".") or set(value) & set("/\\"):
            raise ValueError(f'found {quoted(value)}; expected a plain name, e.g. "quickstart"')
        return value


class SpaceAxis(Model):
    """Cells of one spatial axis."""

    n: Integer = Field(
        ge=MINIMUM_CELLS, le=5000, description="number of cells (z: of the half-space if half_space)"
    )
    spacing: Literal["uniform", "sinh"] = Field(
        default="uniform",
        description='equal cells, or "sinh": narrow at the plane, wide at the edge (z only)',
    )
    stretch: Number = Field(
        default=5.0, gt=0.0, le=12.0, description="strength a of the sinh stretching; no meaning if uniform"
    )


class SpaceAxes(Model):
    """The mesh in space; the box itself belongs to the physics."""

    geometry: Literal["cylindrical", "slab"] = Field(
        description='"cylindrical", (r, z) or with phi (r, phi, z), or 1-D "slab" in z'
    )
    r: SpaceAxis | None = Field(default=None, description="radial cells; not for a slab")
    phi: SpaceAxis | None = Field(default=None, description="cells around the circle: makes the grid 3-D")
    z: SpaceAxis = Field(description="vertical cells")
    half_space: bool = Field(
        default=False, description="solve z >= 0 only; needs symmetric sources, gas and D"
    )

    @model_validator(mode="after")
    def _matching(self) -> SpaceAxes:
        if self.geometry == "cylindrical" and self.r is None:
            raise ValueError("r is missing: a cylindrical grid needs radial cells")
        if self.geometry == "slab" and self.phi is not None:
            raise ValueError("a slab has no phi; remove it")
        if self.phi is not None and self.phi.spacing != "uniform":
            raise ValueError('phi.spacing must be "uniform"')
        if self.geometry == "slab" and self.r is not None:
            raise ValueError("a slab has no r; remove it")
        if self.r is not None and self.r.spacing != "uniform":
            raise ValueError('r.spacing must be "uniform"')
        return self


class MomentumAxis(Model):
    """The master grid in kinetic energy per nucleon, common to all nuclei."""

    variable: Literal["kinetic energy per nucleon"] = Field(
        default="kinetic energy per nucleon",
        description="what the points are equidistant in, logarithmically",
    )
    min: Quantity("energy") = Field(gt=0, description="lowest kinetic energy per nucleon")  # type: ignore[valid-type]
    max: Quantity("energy") = Field(gt=0, description="highest kinetic energy per nucleon")  # type: ignore[valid-type]
    per_decade: Number = Field(gt=1.0, le=200.0, description="points per decade of energy")

    @model_validator(mode="after")
    def _not_empty(self) -> MomentumAxis:
        if self.max < 3.0 * self.min:
            found = f"{self.min:g} to {self.max:g} GeV"
            raise ValueError(f"the energy range {found} is empty; expected max at least three times min")
        return self


class GridConfig(Model):
    """Resolution only."""

    title: str = Field(default="", description="what the grid is for")
    space: SpaceAxes = Field(description="cells in r and z")
    momentum: MomentumAxis = Field(description="points in kinetic energy per nucleon")


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
    history: Kind("history") = Field(  # type: ignore[valid-type]
        default_factory=AlwaysOn, description="strength in time, for time-dependent runs"
    )

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
    source: Pedigree = Field(default_factory=dict, description="pedigree of the numbers")
    halo: Halo = Field(description="the box; particles escape at its surface")
    observer: Observer = Field(description="where the Sun is")
    diffusion: Kind("diffusion") = Field(description="law of spatial diffusion")  # type: ignore[valid-type]
    reacceleration: Kind("reacceleration") = Field(  # type: ignore[valid-type]
        description="law of momentum diffusion"
    )
    convection: Kind("convection") = Field(description="Galactic wind")  # type: ignore[valid-type]
    gas: GasModel = Field(description="interstellar gas: neutral, molecular, ionised, and helium")
    inelastic: Kind("inelastic") = Field(  # type: ignore[valid-type]
        description="total inelastic cross sections, what removes a nucleus"
    )
    spallation: Kind("spallation") = Field(  # type: ignore[valid-type]
        description="production cross sections of fragments"
    )
    sources: dict[str, SourceComponent] = Field(
        min_length=1, description="source components by a name of your choice"
    )
    modulation: Kind("modulation") = Field(description="solar modulation")  # type: ignore[valid-type]
    energy_losses: bool = Field(default=True, description="continuous energy losses, radiation included")
    magnetic_field: Kind("magnetic-field") | None = Field(  # type: ignore[valid-type]
        default=None, description="field that electrons and positrons radiate in; needed with them"
    )
    radiation_field: Kind("radiation-field") | None = Field(  # type: ignore[valid-type]
        default=None, description="light that electrons and positrons scatter; needed with them"
    )
    secondary_leptons: Kind("lepton-production") | None = Field(  # type: ignore[valid-type]
        default=None, description="electrons and positrons made by nuclei on the gas; none without"
    )
    secondary_protons: bool = Field(default=True, description="protons left behind by p-p and p-He reactions")


class SpeciesConfig(Model):
    """Which nuclides and leptons are followed."""

    max_z: Integer | None = Field(default=None, ge=1, le=28, description="cut the chain above this charge")
    include: Names | None = Field(default=None, description='list of species, e.g. ["H1", "He4", "electron"]')


class ErrorEstimate(Model):
    """Estimate of the discretisation error at the Sun from a second, coarser solve."""

    enabled: bool = Field(default=True, description="make the second solve; about a tenth of the time")
    coarsening: Number = Field(default=2.0, ge=1.2, le=4.0, description="ratio of the cell sizes")


class TimeConfig(Model):
    """When a time-dependent run looks, and how exact it is in time."""

    times: Annotated[tuple[Quantity("time"), ...], BeforeValidator(_as_tuple)] = Field(  # type: ignore[valid-type]
        min_length=1, description="output times after the start, increasing"
    )
    start: Literal["empty", "steady"] = Field(
        default="empty", description='"empty" space, or the "steady" state of sources that are always on'
    )
    tolerance: Number = Field(
        default=1e-3,
        gt=1e-8,
        lt=0.1,
        description="error per step, relative to the largest value at the same momentum",
    )
    first_step: Quantity("time") | None = Field(  # type: ignore[valid-type]
        default=None, gt=0, description="first trial step after a switch; default 1e-3 of what follows"
    )

    @field_validator("times")
    @classmethod
    def _increasing(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(t <= 0.0 for t in value) or list(value) != sorted(set(value)):
            raise ValueError("times must be positive and increasing")
        return value


class PetscConfig(Model):
    """Settings of the PETSc back end; PETSc's own options go into PETSC_OPTIONS, with the prefix cyldiff_."""

    preconditioner: Literal["sweeps", "ilu", "hypre"] = Field(
        default="sweeps", description='"sweeps" along lines with overlap, "ilu" per rank, "hypre" BoomerAMG'
    )
    direct: bool = Field(default=False, description="one sparse factorisation: a check on small grids")
    maximum_iterations: Integer = Field(default=500, ge=1, description="Krylov iterations of one nuclide")


class SolverConfig(Model):
    """How the equation is solved."""

    kind: Literal["steady", "crank-nicolson"] = Field(
        default="steady", description='the "steady" state, or its approach in time by "crank-nicolson"'
    )
    time: TimeConfig | None = Field(default=None, description="times of a crank-nicolson run")
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
    grid_error: ErrorEstimate = Field(
        default_factory=ErrorEstimate, description="estimate of the discretisation error at the Sun"
    )
    petsc: PetscConfig = Field(default_factory=PetscConfig, description='settings of backend = "petsc"')
    checkpoint: str = Field(
        default="", description="folder that keeps finished nuclides until the result is written; empty: none"
    )

    @model_validator(mode="after")
    def _in_time(self) -> SolverConfig:
        if self.kind == "crank-nicolson" and self.time is None:
            raise ValueError('time is missing: kind = "crank-nicolson" needs time.times, e.g. ["1 Myr"]')
        if self.kind == "steady" and self.time is not None:
            raise ValueError('time has no meaning with kind = "steady"; remove it')
        if self.kind == "crank-nicolson" and self.backend != "numba":
            raise ValueError(f'kind = "crank-nicolson" runs with backend = "numba", found "{self.backend}"')
        return self


class OutputConfig(Model):
    """What is written."""

    quantities: Names | None = Field(
        default=None,
        description='"flux": intensity everywhere, besides the spectra at the Sun; without a list: on up to 2-D',
    )
    components: bool = Field(default=False, description="also every source component by itself")

    @field_validator("quantities")
    @classmethod
    def _known(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        known = ("flux",)
        for name in value or ():
            if name not in known:
                raise ValueError(f'"{name}" unknown; known: {", ".join(known)}{nearest(name, known)}')
        return value


class CompareConfig(Model):
    """Measured data the result is compared with."""

    data: Names = Field(default=(), description="names of data sets, see `cyldiff list data`")


class RunConfig(Model):
    """A complete, validated run."""

    schema_version: Literal[1] = Field(alias="schema", description="version of this set of keys")
    run: RunInfo = Field(description="what the run is called and for")
    grid: GridConfig = Field(description='resolution; "use" names a file of the library of grids')
    physics: PhysicsConfig = Field(description='the model; "use" names a file of the library of models')
    species: SpeciesConfig = Field(default_factory=SpeciesConfig, description="which nuclides are followed")
    solver: SolverConfig = Field(default_factory=SolverConfig, description="how the equation is solved")
    output: OutputConfig = Field(default_factory=OutputConfig, description="what is written")
    compare: CompareConfig = Field(
        default_factory=CompareConfig, description="measured data the result is compared with"
    )

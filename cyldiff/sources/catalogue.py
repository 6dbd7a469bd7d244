"""A list of point sources as data: what each is, where, since when, how strong and with what spectrum.

:class:`CatalogueSource` is one row; :class:`Catalogue` is all of them, and turns them into the pieces of
histories (:class:`cyldiff.sources.segments.Segments`) and the spectra that every evaluation takes. Files are
read by :mod:`cyldiff.sources.catalogue_file`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, field_validator, model_validator

from cyldiff import constants as const
from cyldiff.config.base import Kind, Model, Number, Quantity
from cyldiff.errors import CyldiffError, quoted
from cyldiff.galaxy.coordinates import Place, equatorial_to_galactic, from_sun
from cyldiff.particles.species import Species, hint
from cyldiff.sources.luminosity import Piece
from cyldiff.sources.segments import Segments
from cyldiff.sources.spectrum import (
    Normalisation,
    carries_energy,
    diverges,
    energy_shares,
    injectable,
    injected_spectra,
    logarithmic_refused,
)

__all__ = [
    "COORDINATES",
    "Catalogue",
    "CatalogueSource",
    "coordinates_problem",
    "emission_problems",
    "place_of",
]

Array = NDArray[np.float64]

#: the ways to say where a source is, by the keys of a row
COORDINATES = (("l", "b", "distance"), ("ra", "dec", "distance"), ("position",))
_ERG = const.ERG_GEV
_ERG_S = const.ERG_GEV * const.MYR_S


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_Length = Quantity("length")
Place3D = Annotated[tuple[_Length, _Length, _Length], BeforeValidator(_as_tuple)]  # type: ignore[valid-type]


def coordinates_problem(given: Iterable[str]) -> str:
    """What is wrong with the coordinates among the keys of a row; empty if they are one complete set."""
    every = {key for keys in COORDINATES for key in keys}
    mine = {key for key in given if key in every}
    if mine in [set(keys) for keys in COORDINATES]:
        return ""
    found = f"found {', '.join(sorted(mine))}" if mine else "has no place"
    return f"{found}; expected exactly one of {' | '.join(', '.join(keys) for keys in COORDINATES)}"


def place_of(row: Mapping[str, Any], sun: Place) -> Array:
    """Galactocentric (x, y, z) [kpc] of a row with one complete set of valid coordinates."""
    if row.get("position") is not None:
        return np.array(row["position"], dtype=float)
    if row.get("ra") is not None:
        return from_sun(*equatorial_to_galactic(row["ra"], row["dec"]), row["distance"], sun)
    return from_sun(row["l"], row["b"], row["distance"], sun)


def emission_problems(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Contradictions between valid values of a row, as (key, message); what is missing is not looked at."""
    history, age = row.get("history"), row.get("age")
    problem = _spectrum_problem(row)
    problems = [problem] if problem else []
    if history is not None and age is not None and not history.pieces(age):
        problems.append(("age", f"{age:g} Myr: its history has not begun yet, nothing was injected"))
    return problems


def _spectrum_problem(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """What keeps the spectrum of a row from carrying the energy of its history."""
    spectrum, mix, minimum = row.get("spectrum"), row.get("species"), row.get("minimum_energy")
    if spectrum is None:
        return None
    if diverges(spectrum):
        return (
            "spectrum.cutoff",
            f"is missing, and the energy of dN/dR ~ R^-{spectrum.law.indices[-1]:g} without a cut-off is "
            'infinite; expected a rigidity, e.g. "5 PV", or an index above 2',
        )
    if row.get("normalisation") == "logarithmic" and logarithmic_refused(spectrum):
        return "normalisation", logarithmic_refused(spectrum)
    if mix and minimum is not None and not carries_energy(spectrum, mix, minimum):
        return "minimum_energy", f"the energy of the spectrum above {minimum:g} GeV is zero or no number"
    return None


class CatalogueSource(Model):
    """One row of a catalogue.

    The place is given by l, b, distance; or by ra, dec (J2000), distance; or as Galactocentric `position`. An object
    of which only the place is known (:attr:`is_complete` is false) can be listed but not evaluated.
    """

    name: str = Field(min_length=1, max_length=100, description="unique in the catalogue")
    longitude: Quantity("angle") | None = Field(  # type: ignore[valid-type]
        default=None, alias="l", ge=-360.0, le=360.0, description="Galactic longitude"
    )
    latitude: Quantity("angle") | None = Field(  # type: ignore[valid-type]
        default=None, alias="b", ge=-90.0, le=90.0, description="Galactic latitude"
    )
    right_ascension: Quantity("angle") | None = Field(  # type: ignore[valid-type]
        default=None, alias="ra", ge=-360.0, le=360.0, description="right ascension, J2000"
    )
    declination: Quantity("angle") | None = Field(  # type: ignore[valid-type]
        default=None, alias="dec", ge=-90.0, le=90.0, description="declination, J2000"
    )
    distance: Quantity("length") | None = Field(default=None, gt=0, description="from the Sun")  # type: ignore[valid-type]
    position: Place3D | None = Field(
        default=None,
        description="[x, y, z], Galactic centre at the origin, the Sun at x = -r_sun, +y towards l = 90 deg",
    )
    age: Quantity("time") | None = Field(default=None, gt=0, description="time since birth")  # type: ignore[valid-type]
    history: Kind("luminosity-history") | None = Field(default=None, description="energy given, and when")  # type: ignore[valid-type]
    efficiency: Annotated[Number, Field(gt=0.0, le=1.0)] = Field(
        default=1.0, description="part of the energy of the history that cosmic rays get"
    )
    spectrum: Kind("source-spectrum") | None = Field(default=None, description="law of the spectrum")  # type: ignore[valid-type]
    minimum_energy: Quantity("energy") = Field(  # type: ignore[valid-type]
        default=1.0, gt=0, description="kinetic energy per particle above which energy counts"
    )
    normalisation: Normalisation = Field(
        default="exact", description='"exact" integral of the energy, or "logarithmic" as Kaci et al. Eq. 1'
    )
    species: dict[str, Number] = Field(
        default_factory=lambda: {"H1": 1.0}, description="relative dN/dR at equal rigidity"
    )
    data: dict[str, Any] = Field(default_factory=dict, description="further columns, kept and not used")

    @field_validator("name")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable() or not value.strip():
            raise ValueError(f"found {quoted(value)}; expected a name of letters and digits")
        return value.strip()

    @field_validator("species")
    @classmethod
    def _known(cls, value: dict[str, float]) -> dict[str, float]:
        unknown = [f"{quoted(name)}{hint(name)}" for name in value if name not in injectable()]
        if unknown:
            raise ValueError(f"unknown species {', '.join(unknown)}")
        negative = [name for name, weight in value.items() if weight < 0.0]
        if negative or not any(value.values()):
            raise ValueError(
                f"{'negative weight of ' + ', '.join(negative) if negative else 'all weights are zero'}"
            )
        return {name: weight for name, weight in value.items() if weight > 0.0}

    @model_validator(mode="after")
    def _consistent(self) -> CatalogueSource:
        if problem := coordinates_problem(self.by_key()):
            raise ValueError(problem)
        for key, message in emission_problems(dict(self)):
            raise ValueError(f"{key}: {message}")
        return self

    @property
    def is_complete(self) -> bool:
        """Whether it says what it injects: age, history and spectrum."""
        return None not in (self.age, self.history, self.spectrum)

    def by_key(self) -> dict[str, Any]:
        """Values by the keys of a file; those that are not given are left out."""
        return {key: value for key, name in _NAMES.items() if (value := getattr(self, name)) is not None}

    def place(self, sun: Place) -> Array:
        """Galactocentric (x, y, z) [kpc]."""
        return place_of(self.by_key(), sun)

    @property
    def place_key(self) -> str:
        """The key that is wrong if the place is."""
        return "distance" if self.position is None else "position"

    @property
    def emission(self) -> tuple[Any, ...]:
        """What decides the shape of its spectra; equal for sources that share them."""
        return self.spectrum, tuple(self.species.items()), self.minimum_energy, self.normalisation

    def pieces(self) -> tuple[Piece, ...]:
        """Pieces of its history [Myr, GeV], before the efficiency; of a complete source."""
        assert self.history is not None
        return tuple(self.history.pieces(self.age))

    def power(self) -> float:
        """Present luminosity [GeV/Myr], before the efficiency; of a complete source."""
        assert self.history is not None
        return float(self.history.power(self.age))

    def shares(self) -> dict[str, float]:
        """Energy that each species really carries, per unit of energy after the efficiency."""
        assert self.spectrum is not None
        return energy_shares(
            self.spectrum,
            self.species,
            minimum_energy=self.minimum_energy,
            normalisation=self.normalisation,
        )


_NAMES = {field.alias or name: name for name, field in CatalogueSource.model_fields.items()}


@dataclass(frozen=True)
class Catalogue:
    """Sources with where the list is from.

    Attributes
    ----------
    sources : the rows
    title, pedigree : what the file says of itself; the pedigree is its table [catalogue]
    population : name of the population these sources are, if the file gives one
    source : file or name it was read from; "catalogue" if made in Python
    checksum : SHA-256 of the file; empty if made in Python
    resolved : the rows as plain values, defaults filled in; what is stored with a result
    inputs : files that were read
    """

    sources: tuple[CatalogueSource, ...]
    title: str = ""
    pedigree: Mapping[str, Any] = field(default_factory=dict)
    population: str | None = None
    source: str = "catalogue"
    checksum: str = ""
    resolved: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()

    def __len__(self) -> int:
        """Return the number of sources."""
        return len(self.sources)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sources."""
        return tuple(source.name for source in self.sources)

    @property
    def species(self) -> tuple[Species, ...]:
        """All species that some source injects, by charge and mass number; leptons last."""
        injected = {name for source in self.sources for name in source.species}
        return tuple(sorted((injectable()[name] for name in injected), key=lambda s: (s.is_lepton, s.Z, s.A)))

    def positions(self, sun: Place) -> Array:
        """Galactocentric (x, y, z), shape (n, 3) [kpc]; `sun` is the observer of the model."""
        return np.stack([source.place(sun) for source in self.sources])

    def segments(self, sun: Place) -> Segments:
        """Pieces of all histories; energies are those of the cosmic rays, after the efficiency.

        Raises
        ------
        CyldiffError
            if a source does not say what it injects.
        """
        self._require_complete()
        places, distinct = self.positions(sun), self._spectra()
        rows = [
            (number, distinct.index(source.emission), source.efficiency, piece)
            for number, source in enumerate(self.sources)
            for piece in source.pieces()
        ]
        index = np.array([number for number, *_ in rows], dtype=np.int64)
        return Segments(
            position=places[index],
            oldest=np.array([piece.oldest for *_, piece in rows]),
            youngest=np.array([piece.youngest for *_, piece in rows]),
            energy=np.array([efficiency * piece.energy for _, _, efficiency, piece in rows]),
            source=index,
            spectrum=np.array([spectrum for _, spectrum, *_ in rows], dtype=np.int64),
        )

    def spectra(self, species: Sequence[Species], kinetic_energy: Array) -> Array:
        """Spectra that the pieces refer to: number per (GeV/n) per GeV of the source's energy.

        Shape (n_spectra, len(species), n_e); all species together carry the energy. `kinetic_energy` is per
        nucleon [GeV/n].
        """
        self._require_complete()
        return np.stack(
            [
                injected_spectra(
                    law,
                    dict(mix),
                    species,
                    kinetic_energy,
                    minimum_energy=minimum,
                    normalisation=normalisation,
                )
                for law, mix, minimum, normalisation in self._spectra()
            ]
        )

    def _spectra(self) -> list[tuple[Any, ...]]:
        return list(dict.fromkeys(source.emission for source in self.sources))

    def energy(self, species: Sequence[Species]) -> Array:
        """Kinetic energy given to each species so far, shape (n, len(species)) [erg]."""
        self._require_complete()
        given = [sum(piece.energy for piece in source.pieces()) / _ERG for source in self.sources]
        return self._by_species(given, species)

    def power(self, species: Sequence[Species]) -> Array:
        """Present power of each species, shape (n, len(species)) [erg/s]."""
        self._require_complete()
        return self._by_species([source.power() / _ERG_S for source in self.sources], species)

    def _by_species(self, amounts: Sequence[float], species: Sequence[Species]) -> Array:
        rows = []
        for source, amount in zip(self.sources, amounts, strict=True):
            shares = source.shares()
            rows.append([source.efficiency * amount * shares.get(s.name, 0.0) for s in species])
        return np.array(rows)

    def _require_complete(self) -> None:
        objects = [source.name for source in self.sources if not source.is_complete]
        if objects:
            raise CyldiffError(
                f"{self.source}: {', '.join(objects[:3])}{', …' if len(objects) > 3 else ''}: only the place is "
                "known; age, history and spectrum are needed to evaluate a source"
            )

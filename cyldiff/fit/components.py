"""Spectra written down as sums of components, without transport.

Every component of a species has the form

    E^2.75 J = A (E / E*)^(2.75 - G) exp[-(E / E0)^b] exp(-Emin / E) ,    E* = 1 PeV,

of Aharonian & Zhang 2026 (arXiv:2602.08223, footnote of Table 1), E being the total energy per particle; the
power 2.75 is that of their figures. A file of spectra has a section ``[spectrum]`` in the place of grid and
physics, and one table in it for every component.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator

from cyldiff import resources
from cyldiff.config.base import Model, Number, Quantity
from cyldiff.config.layers import Layers
from cyldiff.config.load import Loaded, assemble, load_run_file, run_file
from cyldiff.config.parts import Parts
from cyldiff.config.schema import RunInfo
from cyldiff.config.validate import validate_as
from cyldiff.errors import DataError, Problem, quoted
from cyldiff.observables.abscissa import Abscissa, Nuclide
from cyldiff.observables.spectra import standard_name
from cyldiff.particles.species import Species, hint, nuclides

__all__ = [
    "Component",
    "LoadedSpectra",
    "SpectrumConfig",
    "component_intensity",
    "intensity_of",
    "is_spectra",
    "load_spectra",
    "load_spectra_mapping",
]

Array = NDArray[np.float64]

#: power of the energy that amplitudes are multiplied with (Aharonian & Zhang 2026, Fig. 2)
POWER = 2.75


class Component(Model):
    """A power law between two cut-offs."""

    species: str = Field(description='nuclide, e.g. "H1" or "He4"')
    amplitude: Quantity("intensity times E^2.75") = Field(  # type: ignore[valid-type]
        gt=0.0, description="A: E^2.75 J at the pivot, cut-offs left out"
    )
    index: Number = Field(description="G: J falls as E^-G between the cut-offs")
    cutoff: Quantity("energy") | None = Field(  # type: ignore[valid-type]
        default=None, gt=0.0, description="E0, total energy per particle; none: no end"
    )
    sharpness: Number = Field(default=1.0, gt=0.0, description="b, of the cut-off")
    low_cutoff: Quantity("energy") = Field(  # type: ignore[valid-type]
        default=0.0, ge=0.0, description="Emin: below it the component fades as exp(-Emin/E)"
    )
    pivot: Quantity("energy") = Field(  # type: ignore[valid-type]
        default=1e6, gt=0.0, description="E*, where the amplitude is read"
    )

    @field_validator("species")
    @classmethod
    def _is_nuclide(cls, value: str) -> str:
        name = standard_name(value)
        if name not in nuclides():
            raise ValueError(f'found {quoted(value)}; expected a nuclide, e.g. "H1"{hint(value, nuclides())}')
        return name


class SpectrumConfig(Model):
    """Spectra as sums of components."""

    schema_version: Literal[1] = Field(alias="schema", description="version of this set of keys")
    run: RunInfo = Field(description="what it is called and for")
    spectrum: dict[str, Component] = Field(
        min_length=1, description="components, by a name of your choice; those of a species are added"
    )


@dataclass(frozen=True)
class LoadedSpectra(Loaded[SpectrumConfig]):
    """Valid spectra; `config` is a :class:`SpectrumConfig`."""

    def changed(self, overrides: Sequence[str], *, source: str) -> LoadedSpectra:
        """The same with other values; ConfigError if they are not valid."""
        return load_spectra_mapping(self.resolved, overrides, source=source)


def is_spectra(name: str) -> bool:
    """Whether a name or file has components and no transport; what cannot be read is left to those who say why."""
    try:
        return "spectrum" in resources.read_toml(run_file(name))
    except DataError:
        return False


def load_spectra(path: str | Path, overrides: Sequence[str] = ()) -> LoadedSpectra:
    """Read components from a file, a section ``[fit]`` being left aside.

    Parameters
    ----------
    path : file, or a name of the library of runs
    overrides : "dotted.path=value" items

    Raises
    ------
    ConfigError
        with every problem found.
    """
    return load_run_file(load_spectra_mapping, path, overrides)


def load_spectra_mapping(
    raw: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    source: str = "spectra",
    beside: Path | None = None,
) -> LoadedSpectra:
    """Validate components given as nested dicts; the twin of :func:`load_spectra`."""
    config, resolved, origin, inputs = assemble(raw, overrides, Layers(source, beside, {}), _validate)
    return LoadedSpectra(config, resolved, origin, source, inputs)


def _validate(raw: Any, incomplete: frozenset[Any]) -> tuple[SpectrumConfig | None, list[Problem]]:
    return validate_as(SpectrumConfig, _no_checks, raw, incomplete)


def _no_checks(parts: Parts) -> Iterable[Problem]:
    return ()


def component_intensity(component: Component, energy: ArrayLike) -> Array:
    """Intensity of one component.

    Parameters
    ----------
    energy : total energy per particle, > 0 [GeV], any shape

    Returns
    -------
    ndarray         J, shape of `energy` [m^-2 s^-1 sr^-1 GeV^-1]
    """
    e = np.asarray(energy, dtype=float)
    fade = -component.low_cutoff / e
    if component.cutoff is not None:
        with np.errstate(over="ignore"):  # far above the cut-off nothing is left
            fade = fade - (e / component.cutoff) ** component.sharpness
    power = component.amplitude * (e / component.pivot) ** (POWER - component.index)
    return power * np.exp(fade) * e**-POWER


def intensity_of(
    config: SpectrumConfig, names: Sequence[str], axis: Abscissa, x: ArrayLike, *, component: str = ""
) -> Array:
    """Sum of the components of species at an abscissa.

    Parameters
    ----------
    names : nuclides ("He4") or elements ("He")
    axis : of `x`, and what the intensity is per
    x : any shape, in the unit of the axis
    component : take this one alone

    Returns
    -------
    ndarray         shape of `x` [m^-2 s^-1 sr^-1 per unit of x]; NaN below the rest mass
    """
    x = np.asarray(x, dtype=float)
    wanted = {standard_name(name) for name in names}
    total = np.zeros(x.shape)
    found: dict[str, Array] = {}
    for name, one in config.spectrum.items():
        species = nuclides()[one.species]
        if not wanted & {species.name, species.element} or component not in ("", name):
            continue
        if one.species not in found:
            found[one.species] = np.stack(_total_energy(species, axis, x))
        energy, jacobian = found[one.species]
        total += component_intensity(one, energy) * jacobian
    return total


def _total_energy(species: Species, axis: Abscissa, x: Array) -> tuple[Array, Array]:
    """Total energy of a nuclide at an abscissa, NaN below its rest mass, and dE/dx = A dT/dx."""
    nuclide = Nuclide(species.Z, species.A, species.mass_per_nucleon)
    per_nucleon = axis.kinetic_energy(x, nuclide)
    energy = nuclide.nucleons * (per_nucleon + nuclide.mass_per_nucleon)
    at = np.where(per_nucleon > 0.0, energy, np.nan)
    return at, nuclide.nucleons * axis.jacobian(per_nucleon, nuclide)

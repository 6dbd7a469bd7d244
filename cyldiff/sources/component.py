"""A source component on the grid: its density, its spectra, and its absolute scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.config.schema import PhysicsConfig, SourceComponent
from cyldiff.errors import CyldiffError
from cyldiff.grid import Grid, Kinematics
from cyldiff.particles.species import Species
from cyldiff.solve.solution import ChainSolution, PrimarySource

__all__ = ["FLUX_UNIT", "flux_at", "injected_power", "intensity", "normalise", "primary_source"]

Array = NDArray[np.float64]

#: kpc^-2 Myr^-1 in m^-2 s^-1: from (c/4pi) N in internal units to an intensity
FLUX_UNIT = 1.0 / ((const.KPC_CM * 1e-2) ** 2 * const.MYR_S)


def primary_source(
    name: str,
    component: SourceComponent,
    grid: Grid,
    species: Sequence[Species],
    *,
    observer_radius: float,
) -> PrimarySource:
    """Put a component on the grid, with unit strength.

    The injected number per (GeV/n) of a species is ``X (dN/dT)(T) / (dN/dT)(T_ref)``: abundances X
    are ratios at equal kinetic energy per nucleon T_ref. dN/dT follows from the spectrum in
    rigidity, dR/dT = A / (|Z| beta); a lepton counts as one nucleon.
    """
    spectra = {}
    for nucleus in species:
        abundance = component.abundances.get(nucleus.name, 0.0)
        if abundance > 0.0:
            element = "".join(c for c in nucleus.name if c.isalpha())
            table = component.injection
            law = table.get(nucleus.name) or table.get(element) or table["default"]
            spectra[nucleus.name] = abundance * _per_energy(law, nucleus, grid, component.reference_energy)
    if not spectra:
        raise CyldiffError(f'sources "{name}": none of the species of this run has a source abundance')
    try:
        density = component.distribution.on_grid(grid, observer_radius)
    except ValueError as error:
        raise CyldiffError(f'sources "{name}": {error}') from None
    return PrimarySource(name, density, spectra)


def _per_energy(law: object, nucleus: Species, grid: Grid, reference: float) -> Array:
    def spectrum(kinetic_energy: Array) -> Array:
        k = Kinematics(kinetic_energy, nucleus.Z, nucleus.A, nucleus.mass_per_nucleon)
        return law.per_rigidity(k.rigidity) / k.beta  # type: ignore[attr-defined]

    return spectrum(grid.kinetic_energy) / spectrum(np.array([reference]))[0]


def intensity(density: Array, nucleus: Species, grid: Grid) -> Array:
    """J = (beta c / 4 pi) N(T) [m^-2 s^-1 sr^-1 (GeV/n)^-1] of N in kpc^-3 (GeV/n)^-1, p first."""
    k = Kinematics(grid.kinetic_energy, nucleus.Z, nucleus.A, nucleus.mass_per_nucleon)
    speed = k.beta * const.SPEED_OF_LIGHT / (4.0 * np.pi)
    return density * (speed * FLUX_UNIT).reshape(-1, *[1] * (density.ndim - 1))


def injected_power(source: PrimarySource, grid: Grid, species: Sequence[Species], minimum: float) -> float:
    """Power of a component above `minimum` kinetic energy per nucleon [GeV/Myr].

    sum over species of A int T Q(T) dT, the integrand a power law between grid energies.
    """
    t = grid.kinetic_energy
    above = t >= minimum * (1.0 - 1e-12)
    power = 0.0
    for nucleus in species:
        spectrum = source.spectra.get(nucleus.name)
        if spectrum is not None:
            integrand = (t * t * spectrum)[above]
            power += nucleus.nucleons * float(np.trapezoid(integrand, dx=grid.log_step))
    return power


def normalise(
    physics: PhysicsConfig, grid: Grid, sources: Sequence[PrimarySource], solution: ChainSolution
) -> dict[str, float]:
    """Factor that brings every component from unit strength to its absolute scale.

    Raises
    ------
    CyldiffError
        if a component does not produce the species its normalisation names.
    """
    sun = physics.observer
    strength = {}
    for number, source in enumerate(sources):
        law = physics.sources[source.name].normalisation
        if law.kind == "luminosity":
            unit = injected_power(source, grid, solution.species, law.minimum_energy)
            strength[source.name] = law.power / unit
            continue
        index = next(i for i, s in enumerate(solution.species) if s.name == law.species)
        at_sun = grid.at(solution.density[number, index], sun.r, sun.z)
        flux = intensity(at_sun, solution.species[index], grid)
        strength[source.name] = law.flux / flux_at(law.kinetic_energy, grid.kinetic_energy, flux, source.name)
    return strength


def flux_at(energy: float, grid_energy: Array, flux: Array, name: str) -> float:
    """Flux between the two grid energies around `energy`, a power law there.

    Parameters
    ----------
    energy : within the grid [GeV/n]; a config is checked for that
    grid_energy, flux : shape (n_p,) [GeV/n], any unit of intensity, which is that of the result
    name : of the component, for the message

    Raises
    ------
    CyldiffError
        if the flux is zero there.
    """
    k = int(np.clip(np.searchsorted(grid_energy, energy), 1, len(grid_energy) - 1))
    around = slice(k - 1, k + 1)
    if not np.all(flux[around] > 0.0):
        raise CyldiffError(f'sources "{name}": no flux at {energy:g} GeV/n to normalise with')
    return float(np.exp(np.interp(np.log(energy), np.log(grid_energy[around]), np.log(flux[around]))))

"""Draw realisations of a population: who was born when and where, how long it was on, how strong it was.

Births are a Poisson process in space and time. What happens in disjoint regions of space and time is
independent in such a process, so realisations *without* a birth in a region are exactly those from which the
births in it are removed: a selection costs nothing, however improbable it is, and the probability of having
met it by chance is P0 = exp(-mean number in the region).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cyldiff.galaxy.source_places import SourcePlaces
from cyldiff.sources.laws import expectation_points
from cyldiff.sources.population.schema import PopulationConfig
from cyldiff.sources.segments import Segments

__all__ = ["TAILS", "PopulationDraw", "Realisation"]

Array = NDArray[np.float64]

#: standard deviations to which spectral indices are drawn
TAILS = 5.0


@dataclass(frozen=True, slots=True)
class Realisation:
    """One history of the sources of the Galaxy, one row per source, in the order they were drawn.

    Attributes
    ----------
    index : number of the realisation
    position : shape (n, 3), Cartesian [kpc]
    age : time since birth, shape (n,) [Myr]
    lifetime : how long the source is on, shape (n,) [Myr]; 0 for a burst
    energy : what it has given to cosmic rays so far, shape (n,) [GeV]
    power : while it is on, shape (n,) [GeV/Myr]; 0 for a burst
    spectral_index : difference to the spectrum of the population, shape (n,)
    excluded : how many births the selection removed
    """

    index: int
    position: Array
    age: Array
    lifetime: Array
    energy: Array
    power: Array
    spectral_index: Array
    excluded: int

    def __len__(self) -> int:
        """Return the number of sources."""
        return len(self.age)

    @property
    def active(self) -> NDArray[np.bool_]:
        """Which sources are on now."""
        return self.age < self.lifetime

    def distance(self, place: Array) -> Array:
        """Distances to a place, shape (n,) [kpc]."""
        return np.sqrt(np.sum((self.position - place) ** 2, axis=-1))

    def segments(self) -> Segments:
        """The sources as pieces of histories, one each; with spectra of their own if their indices differ."""
        number = np.arange(len(self), dtype=np.int64)
        return Segments(
            position=self.position,
            oldest=self.age,
            youngest=np.maximum(self.age - self.lifetime, 0.0),
            energy=self.energy,
            source=number,
            spectrum=number if np.any(self.spectral_index) else np.zeros_like(number),
        )


@dataclass(frozen=True)
class PopulationDraw:
    """A population ready to be drawn from.

    Attributes
    ----------
    config : PopulationConfig
    """

    config: PopulationConfig

    @cached_property
    def places(self) -> SourcePlaces:
        """Where sources are born."""
        model = self.config.model
        return SourcePlaces.of(
            self.config.population.distribution,
            observer_radius=model.observer.r,
            radius=model.halo.radius,
            half_height=model.halo.half_height,
        )

    @property
    def sun(self) -> Array:
        """Place of the Sun, shape (3,) [kpc]."""
        observer = self.config.model.observer
        return np.array([-observer.r, 0.0, observer.z])

    @cached_property
    def mean_excluded(self) -> float:
        """Mean number of births that the selection removes."""
        region, population = self.config.selection.exclude, self.config.population
        if region is None:
            return 0.0
        time = min(region.younger_than, population.history_length)
        return population.rate * time * self.places.share_within(self.sun, region.within)

    @property
    def probability(self) -> float:
        """Probability of the selection without having asked for it."""
        return float(np.exp(-self.mean_excluded))

    @property
    def mean_active(self) -> float:
        """Mean number of sources that are on now."""
        population = self.config.population
        if population.lifetime is None or population.history == "burst":
            return 0.0
        lifetimes = np.minimum(expectation_points(population.life), population.history_length)
        return population.rate * float(lifetimes.mean())

    def realisation(self, index: int) -> Realisation:
        """Realisation number `index`: from it and the seed alone, hence the same in every order.

        The generator is ``PCG64(SeedSequence(seed, spawn_key=(index,)))``. It gives, in this order, the number of
        births, their ages, places, lifetimes, powers (or energies) and spectral indices; a selection removes
        births from what was drawn, so that the others are those of the same realisation without it.
        """
        population = self.config.population
        generator = np.random.Generator(
            np.random.PCG64(np.random.SeedSequence(self.config.draw.seed, spawn_key=(index,)))
        )
        number = int(generator.poisson(population.rate * population.history_length))
        age = population.history_length * (1.0 - generator.random(number))
        position = self.places.draw(generator, number)
        lifetime, power, energy = self._emission(generator, age)
        shift = np.zeros(number)
        if population.index_spread > 0.0:
            drawn = np.clip(generator.standard_normal(number), -TAILS, TAILS)
            shift = population.index_spread * drawn
        keep = self._kept(age, position)
        return Realisation(
            index, position[keep], age[keep], lifetime[keep], energy[keep], power[keep], shift[keep],
            excluded=number - int(np.count_nonzero(keep)),
        )  # fmt: skip

    def _emission(self, generator: np.random.Generator, age: Array) -> tuple[Array, Array, Array]:
        """Lifetime [Myr], power [GeV/Myr] while on, energy given so far [GeV]; after the efficiency."""
        population, number = self.config.population, len(age)
        lifetime = np.zeros(number)
        if population.lifetime is not None:
            lifetime = population.lifetime.quantile(generator.random(number))
        amount = population.efficiency * population.amount.quantile(generator.random(number))
        if population.history == "burst":
            energy = amount if population.luminosity is None else amount * lifetime
            return np.zeros(number), np.zeros(number), energy
        power = amount if population.luminosity is not None else amount / lifetime
        return lifetime, power, power * np.minimum(lifetime, age)

    def _kept(self, age: Array, position: Array) -> NDArray[np.bool_]:
        region = self.config.selection.exclude
        if region is None:
            return np.ones(len(age), dtype=bool)
        distance2 = np.sum((position - self.sun) ** 2, axis=-1)
        return (age >= region.younger_than) | (distance2 >= region.within**2)

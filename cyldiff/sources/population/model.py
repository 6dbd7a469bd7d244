"""What the closed forms and the mean need: energies, spectra and diffusion coefficients of a population."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.constants import SPEED_OF_LIGHT
from cyldiff.grid import Kinematics
from cyldiff.particles.species import Species, select
from cyldiff.sources.laws import Law, expectation_points
from cyldiff.sources.population.draw import TAILS, PopulationDraw, Realisation
from cyldiff.sources.population.expected import MeanKernel
from cyldiff.sources.population.schema import Population, PopulationConfig
from cyldiff.sources.propagation import propagation_at_sun
from cyldiff.sources.spectrum import injected_spectra
from cyldiff.sources.superposition import PointPropagation

__all__ = ["PopulationModel", "energies_of", "gamma_model", "observers_of"]

Array = NDArray[np.float64]
Cumulated = Callable[[Any], Array]

#: distance of tabulated spectral indices
_INDEX_STEP = 0.0025
#: Gauss-Legendre points over the life of a source, and values of a law of lifetimes
_LIFE_POINTS, _LIFETIMES = 32, 200


def energies_of(config: PopulationConfig) -> Array:
    """Kinetic energies per nucleon [GeV/n], shape (n_e,)."""
    e = config.energies
    number = max(2, 1 + round(e.per_decade * np.log10(e.max / e.min)))
    return np.geomspace(e.min, e.max, number)


def observers_of(config: PopulationConfig) -> Array:
    """The Sun, then the ring, shape (n_obs, 3) [kpc]; the ring starts at the Sun's azimuth, +phi first."""
    sun, ring = config.model.observer, config.observers.ring
    places = [np.array([[-sun.r, 0.0, sun.z]])]
    if ring is not None:
        phi = np.pi + 2.0 * np.pi * np.arange(ring.n) / ring.n
        flat = np.full(ring.n, sun.z)
        places.append(np.stack([ring.radius * np.cos(phi), ring.radius * np.sin(phi), flat], axis=-1))
    return np.concatenate(places)


def lost(travel: PointPropagation, energy: int, spread: Array) -> Array:
    """Exponent of what decays and collides before a spread s = D t [kpc^2], as the kernels have it."""
    D, H = travel.diffusion[energy], travel.half_height or np.inf
    time = spread / D
    early = np.minimum(time, 0.25 * H * H / D)
    decay = 0.0 if travel.decay_rate is None else travel.decay_rate[energy]
    disc = 0.0 if travel.disc_rate is None else travel.disc_rate[energy]
    return decay * time + 0.5 * disc * (np.sqrt(early / D) + (time - early) / H)


@dataclass(frozen=True)
class PopulationModel:
    """A population with everything that its fluxes take, made once.

    Attributes
    ----------
    config : PopulationConfig
    """

    config: PopulationConfig
    _kept: dict[Any, dict[str, list[Cumulated]]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def draw(self) -> PopulationDraw:
        """Source of realisations."""
        return PopulationDraw(self.config)

    @cached_property
    def energies(self) -> Array:
        """Kinetic energies per nucleon, shape (n_e,) [GeV/n]."""
        return energies_of(self.config)

    @cached_property
    def observers(self) -> Array:
        """Places, shape (n_obs, 3) [kpc]; the Sun first."""
        return observers_of(self.config)

    @cached_property
    def species(self) -> tuple[Species, ...]:
        """Nuclides of the mix, by charge."""
        mix = self.config.population.species
        return select(include=[name for name, weight in mix.items() if weight > 0.0])

    def kinematics(self, nucleus: Species) -> Kinematics:
        """Of a nuclide at the energies."""
        return Kinematics(self.energies, nucleus.Z, nucleus.A, nucleus.mass_per_nucleon)

    @cached_property
    def travel(self) -> dict[str, PointPropagation]:
        """How each species travels: D at the Sun; decay and collisions where the model has gas and cross sections."""
        model, kernel = self.config.model, "free" if self.config.model.kernel == "free" else "halo"
        if model.collisions and model.gas is not None and model.inelastic is not None:
            # a section with gas and cross sections has all that is asked of a model here
            physics: Any = model
            return {
                s.name: propagation_at_sun(physics, s, self.energies, kernel=kernel) for s in self.species
            }
        bare = {}
        at = {"r": np.array([model.observer.r]), "z": np.array([model.observer.z])}
        for s in self.species:
            k = self.kinematics(s)
            D = model.diffusion.coefficient(k.rigidity[:, None], k.beta[:, None], **at, axis="z")
            bare[s.name] = PointPropagation(
                diffusion=np.broadcast_to(D, (len(self.energies), 1))[:, 0].copy(),
                speed=k.beta * SPEED_OF_LIGHT,
                half_height=self.half_height,
            )
        return bare

    @property
    def half_height(self) -> float | None:
        """H of the kernel [kpc]; None in free space."""
        model = self.config.model
        return None if model.kernel == "free" else float(model.halo.half_height)

    @cached_property
    def spectra(self) -> Array:
        """Number per (GeV/n) per GeV of a source without shift, shape (species, n_e)."""
        return self._spectra(0.0, self.energies)

    def spectra_of(self, realisation: Realisation) -> Array:
        """Spectra that the segments of a realisation refer to, shape (species, n_spectra, n_e)."""
        if not np.any(realisation.spectral_index):
            return self.spectra[:, None, :]
        shifts, table = self._shifted
        place = (realisation.spectral_index - shifts[0]) / _INDEX_STEP
        low = np.clip(place.astype(int), 0, len(shifts) - 2)
        part = (place - low)[None, :, None]
        return np.exp((1.0 - part) * table[:, low] + part * table[:, low + 1])

    @cached_property
    def mean_spectra(self) -> Array:
        """Spectra averaged over the indices, shape (species, n_e)."""
        return self.spectra_at(self.energies)

    def spectra_at(self, energies: Array) -> Array:
        """Spectra averaged over the indices at kinetic energies per nucleon [GeV/n], shape (species, n)."""
        spread = self.config.population.index_spread
        if spread == 0.0:
            return self._spectra(0.0, energies)
        shifts, table = self._shifted_at(energies)
        weight = np.exp(-0.5 * (shifts / spread) ** 2)
        return np.einsum("n,snk->sk", weight / weight.sum(), np.exp(table))

    @cached_property
    def _shifted(self) -> tuple[Array, Array]:
        return self._shifted_at(self.energies)

    def _shifted_at(self, energies: Array) -> tuple[Array, Array]:
        """Shifts of the index, and the logarithm of the spectra there: straight lines between, nearly."""
        steps = int(np.ceil(TAILS * self.config.population.index_spread / _INDEX_STEP))
        shifts = _INDEX_STEP * np.arange(-steps, steps + 1, dtype=float)
        rows = [np.log(np.maximum(self._spectra(x, energies), 1e-300)) for x in shifts]
        return shifts, np.stack(rows, axis=1)

    def _spectra(self, shift: float, energies: Array) -> Array:
        population = self.config.population
        return injected_spectra(
            shifted(population.spectrum, shift),
            population.species,
            self.species,
            energies,
            minimum_energy=population.minimum_energy,
            normalisation=population.normalisation,
        )

    def expected(self, part: str = "all", *, place: Array | None = None) -> Array:
        """Mean density over all realisations, shape (species, n_e) [kpc^-3 (GeV/n)^-1].

        Parameters
        ----------
        part : "all" births up to `history_length` ago that the selection allows, those "older" than that, or the
            "steady" state of births at all times
        place : shape (3,) [kpc]; default the Sun. Elsewhere the selection, which is about the Sun, is left out
        """
        population, region = self.config.population, self.config.selection.exclude
        length = population.history_length
        if part != "all":
            density = self._emitted(place, None, np.inf)
            if part == "steady":
                return density
            return np.maximum(
                density - self._emitted(place, None, length), 0.0
            )  # below zero by rounding only
        density = self._emitted(place, None, length)
        if region is not None and place is None:
            density = density - self._emitted(None, region.within, min(region.younger_than, length))
        return density

    def younger(self, length: float) -> Array:
        """Part of the mean steady density at the Sun from births up to `length` ago, shape (species, n_e)."""
        return self._emitted(None, None, length) / self._emitted(None, None, np.inf)

    def _emitted(self, place: Array | None, within: float | None, length: float) -> Array:
        """Mean density from births up to `length` ago, at any distance or within one, shape (species, n_e)."""
        curves, population = self._curves(place, within), self.config.population
        rows = [emitted(population, curves[s.name], self.travel[s.name], length) for s in self.species]
        return np.stack(rows) * self.mean_spectra

    def _curves(self, place: Array | None, within: float | None) -> dict[str, list[Cumulated]]:
        """K at each energy, by species; those of the Sun are kept."""
        if place is None and within in self._kept:
            return self._kept[within]
        where = self.observers[0] if place is None else place
        table = MeanKernel(self.draw.places, where, self.half_height).integral(within=within)
        curves = {
            name: [table.cumulated(lost(travel, k, table.spread)) for k in range(len(self.energies))]
            for name, travel in self.travel.items()
        }
        if place is None:
            self._kept[within] = curves
        return curves


def gamma_model(config: PopulationConfig) -> PopulationModel:
    """A population with a section ``[gamma]`` at the energies of the nuclei that make its gamma rays."""
    assert config.gamma is not None
    low, high, per_decade = config.gamma.nuclei()
    energies = config.energies.model_copy(update={"min": low, "max": high, "per_decade": per_decade})
    return PopulationModel(config.model_copy(update={"energies": energies}))


def shifted(spectrum: Any, shift: float) -> Any:
    """A spectrum with all its indices changed."""
    if shift == 0.0:
        return spectrum
    if hasattr(spectrum, "indices"):
        changed = {"indices": tuple(i + shift for i in spectrum.indices)}
    else:
        changed = {"index": spectrum.index + shift}
    return spectrum.model_copy(update=changed)


def emitted(
    population: Population, curves: Sequence[Cumulated], travel: PointPropagation, length: float
) -> Array:
    """Mean of rate times energy times kernel over births up to `length` ago, shape (n_e,) [GeV kpc^-3].

    rate <P int_0^T dtau K(D (L - tau))> / D; power and energy do not depend on the lifetime.
    """
    D = travel.diffusion
    amount = population.amount.mean * population.efficiency * population.rate
    if population.history == "burst":
        given = population.life.mean if population.luminosity is not None else 1.0
        return amount * given * np.array([K(d * length) for K, d in zip(curves, D, strict=True)]) / D
    nodes, weights = np.polynomial.legendre.leggauss(_LIFE_POINTS)
    lifetimes = _lifetimes(population.life)
    # births `length` ago at most: of what is on longer, only that part is seen
    seen = np.minimum(lifetimes, length)[:, None]
    tau = seen * 0.5 * (1.0 + nodes)
    weight = 0.5 * weights * seen / len(lifetimes)
    if population.luminosity is None:
        weight = weight / lifetimes[:, None]
    ago = (length - tau).ravel()
    reach = np.array([K(d * ago) @ weight.ravel() for K, d in zip(curves, D, strict=True)])
    return amount * reach / D


def _lifetimes(law: Law) -> Array:
    points = expectation_points(law)
    return points[:1] if np.ptp(points) == 0.0 else points.reshape(_LIFETIMES, -1).mean(axis=1)

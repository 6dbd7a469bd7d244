"""Fluxes of single realisations: the pieces of all its sources through the closed forms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.sources.component import FLUX_UNIT
from cyldiff.sources.population.draw import Realisation
from cyldiff.sources.population.load import load_population_mapping
from cyldiff.sources.population.model import PopulationModel
from cyldiff.sources.population.smooth import SmoothPopulation, smooth_population
from cyldiff.sources.superposition import PointPropagation, green_functions, summed

__all__ = ["Brightest", "Evaluation"]

Array = NDArray[np.float64]

#: along r, phi, z at the Sun, of x, y, z
_AT_SUN = np.array([-1.0, -1.0, 1.0])
#: step of differences [kpc]
_STEP = 0.05
#: azimuths at which the mean of older births is taken on a ring, where sources follow arms
_RING_POINTS = 36


@dataclass(frozen=True, slots=True)
class Brightest:
    """The source with the largest density at the Sun at one energy.

    Attributes
    ----------
    number : of the source in its realisation; -1 if nothing is there
    share : of the density of all sources
    """

    number: int
    share: float


@dataclass(frozen=True)
class Evaluation:
    """From realisations to intensities, with what does not change from one to the next.

    Attributes
    ----------
    model : the population
    """

    model: PopulationModel

    def intensity(self, realisation: Realisation) -> Array:
        """J, shape (observers, species, n_e) [m^-2 s^-1 sr^-1 (GeV/n)^-1]."""
        return self._evaluated(realisation, self.model.observers, gradient=False)[0]

    def gradient(self, realisation: Realisation) -> Array:
        """Gradient of ln(density) at the Sun along r, phi, z, shape (species, n_e, 3) [1/kpc]."""
        density, slope = self._evaluated(realisation, self.model.observers[:1], gradient=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = np.where(density[0, ..., None] > 0.0, slope[0] / density[0, ..., None], 0.0)
        return relative * _AT_SUN

    def expected(self, part: str = "all") -> Array:
        """Mean intensity at the Sun over all realisations, shape (species, n_e), see PopulationModel.expected."""
        return self.model.expected(part) * self._flux_unit

    def brightest(self, realisation: Realisation, energy: float) -> Brightest:
        """Which source dominates the density at the Sun at an energy per nucleon [GeV/n], first species."""
        k = int(np.argmin(np.abs(np.log(self.model.energies / energy))))
        segments = realisation.segments()
        travel = _at(self.model.travel[self.model.species[0].name], k)
        density = green_functions(segments, self.model.observers[:1], travel)[0][:, 0, 0]
        spectra = self.model.spectra_of(realisation)[0]
        weight = density * segments.energy * spectra[segments.spectrum, k]
        total = float(weight.sum())
        if not total > 0.0:
            return Brightest(-1, 0.0)
        best = int(np.argmax(weight))
        return Brightest(best, float(weight[best]) / total)

    @cached_property
    def _flux_unit(self) -> Array:
        """(c beta / 4 pi) in the unit of the intensity, shape (species, n_e)."""
        speed = np.stack([self.model.kinematics(s).beta for s in self.model.species])
        return speed * const.SPEED_OF_LIGHT / (4.0 * np.pi) * FLUX_UNIT

    def _evaluated(
        self, realisation: Realisation, observers: Array, *, gradient: bool
    ) -> tuple[Array, Array]:
        """Intensities (observers, species, n_e) and their gradients [... / kpc]."""
        model, segments = self.model, realisation.segments()
        spectra = model.spectra_of(realisation)
        shape = (len(observers), len(model.species), len(model.energies))
        value, slope = np.zeros(shape), np.zeros((*shape, 3))
        for s, nucleus in enumerate(model.species):
            travel = model.travel[nucleus.name]
            parts = summed(segments, spectra[s], observers, travel, gradient=gradient)
            density = parts[0] if isinstance(parts, tuple) else parts
            value[:, s] = density.T
            if isinstance(parts, tuple):
                slope[:, s] = np.moveaxis(parts[1], 0, 1)
        value = value * self._flux_unit + self.older[: len(observers)]
        slope = slope * self._flux_unit[..., None]
        return value, slope + self._older_slope if gradient else slope

    @cached_property
    def older(self) -> Array:
        """Mean intensity of births before the history, shape (observers, species, n_e); zero if neglected."""
        model = self.model
        n = len(model.observers)
        if model.config.population.older == "neglected":
            return np.zeros((n, len(model.species), len(model.energies)))
        # all the same around the circle but for arms
        points = 1 if model.draw.places.around is None else min(_RING_POINTS, n - 1)
        on_ring = np.linspace(1, n, points, endpoint=False).astype(int) if n > 1 else np.zeros(0, dtype=int)
        rows = np.stack([self._older_at(model.observers[i]) for i in (0, *on_ring)])
        result = np.empty((n, *rows.shape[1:]))
        result[0] = rows[0]
        if n > 1:
            columns = rows[1:].reshape(len(on_ring), -1).T
            around = [np.interp(np.arange(1, n), on_ring, column, period=n - 1) for column in columns]
            result[1:] = np.stack(around, axis=-1).reshape(n - 1, *rows.shape[1:])
        return result

    def _older_at(self, place: Array) -> Array:
        """Mean intensity of births before the history at a place, shape (species, n_e)."""
        model = self.model
        if self._older_on_grid is not None:
            r, phi = float(np.hypot(place[0], place[1])), float(np.arctan2(place[1], place[0]))
            return self._older_on_grid.intensity_at(model.energies, r, float(place[2]), phi)
        return model.expected("older", place=place) * self._flux_unit

    @cached_property
    def _older_on_grid(self) -> SmoothPopulation | None:
        population = self.model.config.population
        if population.older != "grid":
            return None
        loaded = load_population_mapping({**self.model.config.model_dump(by_alias=True)}, source="population")
        return smooth_population(loaded, grid=population.older_grid, older=True)

    @cached_property
    def _older_slope(self) -> Array:
        """Gradient of the intensity of older births at the Sun, shape (species, n_e, 3), by differences."""
        if self.model.config.population.older == "neglected":
            return np.zeros((len(self.model.species), len(self.model.energies), 3))
        sun, steps = self.model.observers[0], _STEP * np.eye(3)
        slopes = [(self._older_at(sun + step) - self._older_at(sun - step)) / (2.0 * _STEP) for step in steps]
        return np.stack(slopes, axis=-1)


def _at(travel: PointPropagation, energy: int) -> PointPropagation:
    """The same at one energy."""
    one = slice(energy, energy + 1)
    decay, disc = travel.decay_rate, travel.disc_rate
    return replace(
        travel,
        diffusion=travel.diffusion[one],
        speed=travel.speed[one],
        decay_rate=None if decay is None else decay[one],
        disc_rate=None if disc is None else disc[one],
    )

"""What the closed forms and the mean need: energies, spectra and diffusion coefficients of a population."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cyldiff.grid import Kinematics
from cyldiff.particles.species import Species, select
from cyldiff.sources.laws import Law, expectation_points
from cyldiff.sources.population.draw import TAILS, PopulationDraw, Realisation
from cyldiff.sources.population.expected import MeanKernel, SpreadIntegral
from cyldiff.sources.population.schema import Population, PopulationConfig, PropagationModel
from cyldiff.sources.spectrum import injected_spectra

__all__ = ["PopulationModel", "diffusion_at_sun", "energies_of", "observers_of"]

Array = NDArray[np.float64]

#: distance of tabulated spectral indices
_INDEX_STEP = 0.01
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


def diffusion_at_sun(model: PropagationModel, k: Kinematics) -> Array:
    """D at the Sun for a nuclide at its energies, shape (n_e,) [kpc^2/Myr]."""
    at = np.array([model.observer.r]), np.array([model.observer.z])
    D = model.diffusion.coefficient(k.rigidity[:, None], k.beta[:, None], *at, axis="z")
    return np.broadcast_to(D, (len(k.rigidity), 1))[:, 0].copy()


@dataclass(frozen=True)
class PopulationModel:
    """A population with everything that its fluxes take, made once.

    Attributes
    ----------
    config : PopulationConfig
    """

    config: PopulationConfig

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

    def diffusion(self, nucleus: Species) -> Array:
        """D, shape (n_e,) [kpc^2/Myr]."""
        return diffusion_at_sun(self.config.model, self.kinematics(nucleus))

    @property
    def half_height(self) -> float | None:
        """H of the kernel [kpc]; None in free space."""
        model = self.config.model
        return None if model.kernel == "free" else float(model.halo.half_height)

    @cached_property
    def spectra(self) -> Array:
        """Number per (GeV/n) per GeV of a source without shift, shape (species, n_e)."""
        return self._spectra(0.0)

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
        spread = self.config.population.index_spread
        if spread == 0.0:
            return self.spectra
        shifts, table = self._shifted
        weight = np.exp(-0.5 * (shifts / spread) ** 2)
        return np.einsum("n,snk->sk", weight / weight.sum(), np.exp(table))

    @cached_property
    def _shifted(self) -> tuple[Array, Array]:
        """Shifts of the index, and the logarithm of the spectra there: straight lines between, nearly."""
        steps = int(np.ceil(TAILS * self.config.population.index_spread / _INDEX_STEP))
        shifts = _INDEX_STEP * np.arange(-steps, steps + 1)
        with np.errstate(divide="ignore"):
            table = np.stack([np.log(np.maximum(self._spectra(x), 1e-300)) for x in shifts], axis=1)
        return shifts, table

    def _spectra(self, shift: float) -> Array:
        population = self.config.population
        return injected_spectra(
            shifted(population.spectrum, shift),
            population.species,
            self.species,
            self.energies,
            minimum_energy=population.minimum_energy,
            normalisation=population.normalisation,
        )

    def expected(self, observer: int = 0, *, part: str = "all") -> Array:
        """Mean density over all realisations at an observer, shape (species, n_e) [kpc^-3 (GeV/n)^-1].

        Parameters
        ----------
        observer : number of the observer
        part : "all" births up to `history_length` ago that the selection allows (it belongs to the Sun, and is
            left out for other observers), those "older", or the "steady" state of births at all times
        """
        population, region = self.config.population, self.config.selection.exclude
        kernel = MeanKernel(self.draw.places, self.observers[observer], self.half_height)
        every, nearby = kernel.integral(), None
        if region is not None and observer == 0 and part == "all":
            nearby = kernel.integral(within=region.within)
        rows = []
        for nucleus, spectrum in zip(self.species, self.mean_spectra, strict=True):
            D = self.diffusion(nucleus)
            recent = emitted(population, every, D, population.history_length)
            steady = emitted(population, every, D, np.inf)
            density = {"all": recent, "older": steady - recent, "steady": steady}[part]
            if nearby is not None and region is not None:
                excluded = min(region.younger_than, population.history_length)
                density = density - emitted(population, nearby, D, excluded)
            rows.append(density * spectrum)
        return np.stack(rows)


def shifted(spectrum: object, shift: float) -> object:
    """A spectrum with all its indices changed."""
    if shift == 0.0:
        return spectrum
    if hasattr(spectrum, "indices"):
        changed = {"indices": tuple(i + shift for i in spectrum.indices)}
    else:
        changed = {"index": spectrum.index + shift}  # type: ignore[attr-defined]
    return spectrum.model_copy(update=changed)  # type: ignore[attr-defined]


def emitted(population: Population, kernel: SpreadIntegral, diffusion: Array, length: float) -> Array:
    """Mean of rate times energy times kernel over births up to `length` ago, shape (n_e,) [GeV kpc^-3].

    rate <P int_0^T dtau K(D (L - tau))> / D; the integrand is linear in the power or the energy, which does
    not depend on the lifetime.
    """
    amount = (population.luminosity or population.energy).mean * population.efficiency * population.rate
    if population.history == "burst":
        given = _mean_lifetime(population) if population.luminosity is not None else 1.0
        return amount * given * kernel.upto(diffusion * length) / diffusion
    nodes, weights = np.polynomial.legendre.leggauss(_LIFE_POINTS)
    lifetimes = _lifetimes(population.lifetime)
    # births `length` ago at most: of what is on longer, only that part is seen
    seen = np.minimum(lifetimes, length)[:, None]
    tau = seen * 0.5 * (1.0 + nodes)
    weight = 0.5 * weights * seen / len(lifetimes)
    if population.luminosity is None:
        weight = weight / lifetimes[:, None]
    ago = (length - tau).ravel()
    reach = kernel.upto(np.multiply.outer(diffusion, np.where(np.isfinite(ago), ago, 1e300)))
    return amount * reach @ weight.ravel() / diffusion


def _lifetimes(law: Law) -> Array:
    points = expectation_points(law)
    if np.ptp(points) == 0.0:
        return points[:1]
    return points.reshape(_LIFETIMES, -1).mean(axis=1)


def _mean_lifetime(population: Population) -> float:
    return float(population.lifetime.mean)

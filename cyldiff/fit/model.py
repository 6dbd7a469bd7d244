"""From parameters to spectra at the Sun, solving the transport only when a slow parameter moved.

    slow values ─► chain of solves, one response per group of sources ─► kept
    fast values ─► weights of the groups ─► spectra at the Sun ─► modulated, compared

A group is a source component, or the part of it whose abundance is a parameter of its own: transport is
linear, so that abundances and normalisations only weigh what is solved already.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.config.schema import RunConfig
from cyldiff.fit.config import LoadedFit, Parameter
from cyldiff.fit.paths import replaced
from cyldiff.particles.species import Species, element
from cyldiff.solve.chain import ChainSolution, ChainSolver, PrimarySource
from cyldiff.sources.component import flux_at, injected_power, intensity
from cyldiff.stages import build_chain, build_grid, build_sources

__all__ = ["FitModel", "Response", "Values", "dataset_of"]

Array = NDArray[np.float64]
#: values of the parameters, in internal units
Values = Sequence[float] | NDArray[np.float64]

#: transport solutions kept; a Hesse or Minos step returns to one of the last few
KEPT = 32


@dataclass(frozen=True)
class Response:
    """Spectra at the Sun of every group of sources with unit weight.

    Attributes
    ----------
    species : length n_s
    kinetic_energy : shape (n_T,) [GeV/n]
    groups : (component, nuclides with a weight of their own), length n_g
    flux : shape (n_g, n_s, n_T), of unit strength [m^-2 s^-1 sr^-1 (GeV/n)^-1]
    power : function of minimum energy -> shape (n_g,) [GeV/Myr]
    """

    species: tuple[Species, ...]
    kinetic_energy: Array
    groups: tuple[tuple[str, frozenset[str]], ...]
    flux: Array
    sources: tuple[PrimarySource, ...]


class FitModel:
    """Spectra at the Sun as a function of the parameters of a fit.

    Attributes
    ----------
    solves : chains solved so far
    """

    def __init__(self, fit: LoadedFit) -> None:
        self.fit = fit
        self.parameters: tuple[Parameter, ...] = fit.parameters
        self.base: RunConfig = fit.run.config
        self.solves = 0
        self._kept: OrderedDict[tuple[float, ...], Response] = OrderedDict()
        self._own = _own_weights(self.parameters)
        self._last: tuple[tuple[float, ...], ChainSolver, ChainSolution] | None = None

    def config(self, values: Values) -> RunConfig:
        """The run with these values put in."""
        config = self.base
        for parameter, value in zip(self.parameters, values, strict=True):
            for path in parameter.paths:
                if path[0] != "data":
                    config = replaced(config, path, float(value))
        return config

    def response(self, values: Values) -> Response:
        """Solved for these slow values, or kept from before."""
        key = self._key(values)
        if key not in self._kept:
            return self.solved(values)[0]
        self._kept.move_to_end(key)
        return self._kept[key]

    def solved(self, values: Values) -> tuple[Response, ChainSolver, ChainSolution]:
        """The response with the fields behind it; only those of the last solve are kept."""
        key = self._key(values)
        if self._last is None or self._last[0] != key:
            slow = [p.start if p.fast else v for p, v in zip(self.parameters, values, strict=True)]
            response, chain, solution = self.solve(self.config(slow))
            self._last = (key, chain, solution)
            self._kept[key] = response
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key], self._last[1], self._last[2]

    def _key(self, values: Values) -> tuple[float, ...]:
        return tuple(float(v) for p, v in zip(self.parameters, values, strict=True) if not p.fast)

    def solve(self, config: RunConfig) -> tuple[Response, ChainSolver, ChainSolution]:
        """One solve of the chain, a response per group."""
        self.solves += 1
        grid = build_grid(config)
        chain = build_chain(config, grid)
        groups, sources = self.groups(config, build_sources(config, grid, chain.network.species))
        solution = chain.solve(sources)
        chain.solver.close()
        sun = config.physics.observer
        flux = np.array(
            [
                [
                    intensity(grid.at(solution.density[g, i], sun.r, sun.z), s, grid)
                    for i, s in enumerate(solution.species)
                ]
                for g in range(len(sources))
            ]
        )
        response = Response(solution.species, grid.kinetic_energy, groups, flux, tuple(sources))
        return response, chain, solution

    def groups(
        self, config: RunConfig, sources: Sequence[PrimarySource]
    ) -> tuple[tuple[tuple[str, frozenset[str]], ...], list[PrimarySource]]:
        """Split every component into what has a weight of its own and the rest."""
        groups, parts = [], []
        for source in sources:
            rest = dict(source.spectra)
            for owned in self._own.get(source.name, []):
                mine = {name: rest.pop(name) for name in list(rest) if name in owned}
                if mine:
                    groups.append((source.name, frozenset(mine)))
                    parts.append(PrimarySource(source.name, source.density, mine))
            if rest:
                groups.append((source.name, frozenset()))
                parts.append(PrimarySource(source.name, source.density, rest))
        return tuple(groups), parts

    def weights(self, response: Response, config: RunConfig) -> Array:
        """Absolute strength of every group, shape (n_g,)."""
        weights = self.abundance_ratios(response, config)
        for name, component in config.physics.sources.items():
            mine = [g for g, (owner, _) in enumerate(response.groups) if owner == name]
            weights[mine] *= _strength(response, component.normalisation, weights, mine, name)
        return weights

    def abundance_ratios(self, response: Response, config: RunConfig) -> Array:
        """Abundance of every group relative to that it was solved with, shape (n_g,)."""
        base, ratios = self.base.physics.sources, np.ones(len(response.groups))
        for g, (name, own) in enumerate(response.groups):
            for nuclide in sorted(own)[:1]:  # one parameter moves the nuclides of a group alike
                ratios[g] = config.physics.sources[name].abundances[nuclide] / base[name].abundances[nuclide]
        return ratios

    def spectra(self, values: Values) -> xr.Dataset:
        """Interstellar spectra at the Sun, as the data comparison reads them."""
        response = self.response(values)
        weights = self.weights(response, self.config(values))
        return dataset_of(response, np.einsum("g,gst->st", weights, response.flux))


def _strength(response: Response, law: Any, weights: Array, mine: Sequence[int], name: str) -> float:
    """Factor from unit strength to the absolute scale of a component; as `normalise` of a run."""
    if law.kind == "luminosity":
        energies: Any = _Energies(response.kinetic_energy)
        powers = [
            injected_power(response.sources[g], energies, response.species, law.minimum_energy) for g in mine
        ]
        return float(law.power / np.dot(weights[mine], powers))
    index = next(i for i, s in enumerate(response.species) if s.name == law.species)
    flux = np.einsum("g,gt->t", weights[mine], response.flux[mine, index])
    return float(law.flux / flux_at(law.kinetic_energy, response.kinetic_energy, flux, name))


@dataclass(frozen=True)
class _Energies:
    """The part of a grid that powers need."""

    kinetic_energy: Array

    @property
    def log_step(self) -> float:
        return float(np.log(self.kinetic_energy[1] / self.kinetic_energy[0]))


def _own_weights(parameters: Sequence[Parameter]) -> Mapping[str, list[frozenset[str]]]:
    """Per component, the sets of nuclides whose abundances are varied together."""
    own: dict[str, list[frozenset[str]]] = {}
    for p in parameters:
        by_component: dict[str, set[str]] = {}
        for path in p.paths:
            if path[:2] == ("physics", "sources") and path[3:4] == ("abundances",):
                by_component.setdefault(path[2], set()).add(path[4])
        for name, nuclides in by_component.items():
            own.setdefault(name, []).append(frozenset(nuclides))
    return own


def dataset_of(response: Response, flux: Array) -> xr.Dataset:
    """Spectra with what the observables need to know of the nuclides."""
    species = response.species
    return xr.Dataset(
        {
            "flux_lis": (("species", "kinetic_energy"), flux),
            "charge": ("species", [s.Z for s in species]),
            "mass_number": ("species", [s.A for s in species]),
            "mass_per_nucleon": ("species", [s.mass_per_nucleon for s in species]),
        },
        coords={"species": [s.name for s in species], "kinetic_energy": response.kinetic_energy},
    )


def elements_of(response: Response) -> set[str]:
    """Elements in a response."""
    return {element(s.name) for s in response.species}

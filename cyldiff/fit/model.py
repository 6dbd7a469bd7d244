"""From parameters to spectra at the Sun, solving the transport only when a slow parameter moved.

    slow values ─► chain of solves, one response per group of sources ─► kept
    fast values ─► weights of the groups ─► spectra at the Sun

A group is a source component, or the part of it whose abundance is a parameter of its own: transport is
linear, so that abundances and normalisations only weigh what is solved already.

Every chain starts its iteration from one fixed solution, that of the start values. What is found is thus a
function of the parameters alone, whatever was solved before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.config.load import LoadedConfig
from cyldiff.config.schema import RunConfig
from cyldiff.fit.load import LoadedFit
from cyldiff.fit.parameters import Parameter, Values, starts_of
from cyldiff.fit.paths import replaced
from cyldiff.grid import Grid
from cyldiff.particles.species import Species
from cyldiff.solve.chain import ChainSolver
from cyldiff.solve.solution import ChainSolution, PrimarySource
from cyldiff.sources.component import flux_at, injected_power, intensity
from cyldiff.stages import build_chain, build_grid, build_sources

__all__ = ["FitModel", "Prediction", "Response", "Solved"]

Array = NDArray[np.float64]

#: responses kept; a Hesse or Minos step returns to one of the last few
KEPT = 32


@dataclass(frozen=True)
class Response:
    """Spectra at the Sun of every group of sources with unit weight.

    Attributes
    ----------
    config : the run it was solved for
    grid : its mesh
    species : length n_s
    groups : (component, nuclides with a weight of their own), length n_g
    flux : shape (n_g, n_s, n_T), of unit strength [m^-2 s^-1 sr^-1 (GeV/n)^-1]
    slope : its gradient along the axes of the grid, shape (n_g, n_s, n_T, axes) [.../kpc]
    sources : what was injected, per group
    """

    config: RunConfig
    grid: Grid
    species: tuple[Species, ...]
    groups: tuple[tuple[str, frozenset[str]], ...]
    flux: Array
    slope: Array
    sources: tuple[PrimarySource, ...]

    @property
    def kinetic_energy(self) -> Array:
        """Energies per nucleon, shape (n_T,) [GeV/n]."""
        return self.grid.kinetic_energy


@dataclass(frozen=True)
class Solved:
    """A response with the fields behind it."""

    response: Response
    chain: ChainSolver
    solution: ChainSolution


@dataclass(frozen=True)
class Prediction:
    """What the model says at some values of the parameters: all that a term of chi-square may read.

    Attributes
    ----------
    config : the run with these values put in
    values : of all parameters by name, internal units
    species : length n_s
    kinetic_energy : shape (n_T,) [GeV/n]
    flux : interstellar intensity at the Sun, shape (n_s, n_T) [m^-2 s^-1 sr^-1 (GeV/n)^-1]
    """

    config: RunConfig
    values: Mapping[str, float]
    species: tuple[Species, ...]
    kinetic_energy: Array
    flux: Array

    @cached_property
    def spectra(self) -> xr.Dataset:
        """The same as the observables of a result read it."""
        return xr.Dataset(
            {
                "flux_lis": (("species", "kinetic_energy"), self.flux),
                "charge": ("species", [s.Z for s in self.species]),
                "mass_number": ("species", [s.A for s in self.species]),
                "mass_per_nucleon": ("species", [s.mass_per_nucleon for s in self.species]),
            },
            coords={"species": [s.name for s in self.species], "kinetic_energy": self.kinetic_energy},
        )


@dataclass
class FitModel:
    """Spectra at the Sun as a function of the parameters of a fit.

    Attributes
    ----------
    parameters, base : of the fit, and its run at the start
    warm : start every solve from the solution at the start values
    solves : chains solved so far
    """

    parameters: tuple[Parameter, ...]
    base: RunConfig
    warm: bool = True
    solves: int = 0
    _kept: OrderedDict[tuple[float, ...], Response] = field(default_factory=OrderedDict, repr=False)
    _last: tuple[tuple[float, ...], Solved] | None = field(default=None, repr=False)
    _reference: Solved | None = field(default=None, repr=False)

    @classmethod
    def of(cls, fit: LoadedFit) -> FitModel:
        """The model of a tuning file."""
        assert isinstance(fit.run, LoadedConfig)
        return cls(fit.parameters, fit.run.config)

    def config(self, values: Values) -> RunConfig:
        """The run with these values put in."""
        config = self.base
        for parameter, value in zip(self.parameters, values, strict=True):
            for path, number in parameter.put(value):
                config = replaced(config, path, number)
        return config

    def predict(self, values: Values) -> Prediction:
        """Spectra at the Sun; solves if no response for these slow values is kept.

        Raises
        ------
        CyldiffError
            if the model cannot be built or solved there.
        """
        response, config = self.response(values), self.config(values)
        flux = np.einsum("g,gst->st", weights_of(response, config), response.flux)
        named = {p.name: float(v) for p, v in zip(self.parameters, values, strict=True)}
        return Prediction(config, named, response.species, response.kinetic_energy, flux)

    def response(self, values: Values) -> Response:
        """Solved for these slow values, or kept from before."""
        key = self._key(values)
        if key not in self._kept:
            return self.solved(values).response
        self._kept.move_to_end(key)
        return self._kept[key]

    def solved(self, values: Values) -> Solved:
        """The response with the fields behind it; only those of the start and of the last solve are kept."""
        key, start = self._key(values), self._key(starts_of(self.parameters))
        if self._reference is None:
            self._reference = self._keep(start, self._solve(self.base, None))
        if key == start:
            return self._reference
        if self._last is None or self._last[0] != key:
            slow = [p.start if p.fast else v for p, v in zip(self.parameters, values, strict=True)]
            guess = self._reference.solution.density if self.warm else None
            self._last = (key, self._keep(key, self._solve(self.config(slow), guess)))
        return self._last[1]

    def _key(self, values: Values) -> tuple[float, ...]:
        return tuple(float(v) for p, v in zip(self.parameters, values, strict=True) if not p.fast)

    def _keep(self, key: tuple[float, ...], solved: Solved) -> Solved:
        self._kept[key] = solved.response
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return solved

    def _solve(self, config: RunConfig, guess: Array | None) -> Solved:
        """One solve of the chain, a response per group."""
        self.solves += 1
        grid = build_grid(config)
        chain = build_chain(config, grid)
        sources = build_sources(config, grid, chain.network.species)
        groups, parts = _grouped(sources, _own_weights(self.parameters))
        solution = chain.solve(parts, guess=guess)
        chain.solver.close()
        sun = config.physics.observer
        flux = np.array(
            [
                [
                    intensity(grid.at(field, sun.r, sun.z), s, grid)
                    for field, s in zip(fields, solution.species, strict=True)
                ]
                for fields in solution.density
            ]
        )
        slope = np.array(
            [
                [
                    [intensity(along, s, grid) for along in grid.gradient_at(field, sun.r, sun.z)]
                    for field, s in zip(fields, solution.species, strict=True)
                ]
                for fields in solution.density
            ]
        )
        slope = np.moveaxis(slope, 2, 3)
        response = Response(config, grid, solution.species, groups, flux, slope, tuple(parts))
        return Solved(response, chain, solution)


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


def _grouped(
    sources: Sequence[PrimarySource], own: Mapping[str, list[frozenset[str]]]
) -> tuple[tuple[tuple[str, frozenset[str]], ...], list[PrimarySource]]:
    """Every component split into what has a weight of its own and the rest."""
    groups, parts = [], []
    for source in sources:
        rest = dict(source.spectra)
        for nuclides in own.get(source.name, []):
            mine = {name: rest.pop(name) for name in list(rest) if name in nuclides}
            if mine:
                groups.append((source.name, frozenset(mine)))
                parts.append(PrimarySource(source.name, source.density, mine))
        if rest:
            groups.append((source.name, frozenset()))
            parts.append(PrimarySource(source.name, source.density, rest))
    return tuple(groups), parts


def weights_of(response: Response, config: RunConfig) -> Array:
    """Absolute strength of every group under a config, shape (n_g,)."""
    weights = abundance_ratios(response, config)
    for name, component in config.physics.sources.items():
        mine = [g for g, (owner, _) in enumerate(response.groups) if owner == name]
        weights[mine] *= _strength(response, component.normalisation, weights, mine, name)
    return weights


def abundance_ratios(response: Response, config: RunConfig) -> Array:
    """Abundance of every group relative to that it was solved with, shape (n_g,)."""
    ratios = np.ones(len(response.groups))
    for g, (name, own) in enumerate(response.groups):
        for nuclide in sorted(own)[:1]:  # one parameter moves the nuclides of a group alike
            now, then = (c.physics.sources[name].abundances[nuclide] for c in (config, response.config))
            ratios[g] = now / then
    return ratios


def _strength(response: Response, law: Any, weights: Array, mine: Sequence[int], name: str) -> float:
    """Factor from unit strength to the absolute scale of a component; as `normalise` of a run."""
    if law.kind == "luminosity":
        powers = [
            injected_power(response.sources[g], response.grid, response.species, law.minimum_energy)
            for g in mine
        ]
        return float(law.power / np.dot(weights[mine], powers))
    index = next(i for i, s in enumerate(response.species) if s.name == law.species)
    flux = np.einsum("g,gt->t", weights[mine], response.flux[mine, index])
    return float(law.flux / flux_at(law.kinetic_energy, response.kinetic_energy, flux, name))

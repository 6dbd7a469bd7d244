"""Protons of Yue et al. 2025: remnants and X-ray binaries on the grid, the local source on top, fitted to data.

The file runs/papers/yue-2025/proton-fit.toml says what is free. A parameter of the injection would need a solve for
every value. Transport of protons above 10 GeV hardly moves them in energy, so that their flux is

    J_k(E; theta) = J_k(E; theta_0) q_k(E; theta) / q_k(E; theta_0)

with the solve at theta_0 and the injected spectra q_k. The fit is repeated around its own result, theta_0 <- theta,
until no parameter moves: there the formula is exact. The local source is linear in the number it injected,
J = T(E) N(E).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff import pipeline, resources
from cyldiff.config.load import LoadedConfig, run_file
from cyldiff.config.schema import RunConfig
from cyldiff.errors import ConfigError, Problem
from cyldiff.fit.config import ParameterConfig
from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.load import LoadedFit, load_fit_mapping
from cyldiff.fit.model import Prediction
from cyldiff.fit.parameters import NUISANCE, Parameter, Values
from cyldiff.fit.paths import locate, replaced
from cyldiff.fit.terms import SpectrumTerm
from cyldiff.fit.tune import FitResult, tune
from cyldiff.fit.varied import Run, parameter_from, with_values
from cyldiff.grid import Kinematics, energy_grid
from cyldiff.particles.species import nuclides
from cyldiff.sources.catalogue import Catalogue
from cyldiff.sources.catalogue_file import load_catalogue
from cyldiff.sources.component import flux_at
from cyldiff.sources.fluxes import source_fluxes
from cyldiff.sources.response import SourceResponse, source_response

__all__ = ["FIT", "ProtonFit", "ProtonModel", "fit_protons", "local_response", "read_fit"]

Array = NDArray[np.float64]

FIT = "papers/yue-2025/proton-fit"
SPECIES = "H1"
#: the solve is repeated around the result of the fit until no parameter moves by more than this, in its errors
SETTLED = 0.05
ROUNDS = 5
#: up to here the local source is evaluated: beyond exp(-R/R_c) is below 1e-21 for all R_c of the fit [GeV]
HIGHEST = 1e7
#: width of the kernel that its response starts from [kpc]; the source is six times as far
CORE = 0.05


@dataclass(frozen=True)
class ProtonFit:
    """Protons at the best fit.

    Attributes
    ----------
    result : of the tuner, with errors
    protons : solved at the best values, components "snr" and "xrb" apart
    local : the local source at the best values, dataset of :func:`cyldiff.source_fluxes`
    moved : largest step of the last round, in errors of the parameters
    rounds : solves of the grid
    """

    result: FitResult
    protons: xr.Dataset
    local: xr.Dataset
    moved: float
    rounds: int

    def value(self, name: str) -> tuple[float, float]:
        """Best value and error of a parameter, in the unit that it is shown in."""
        i = [p.name for p in self.result.parameters].index(name)
        factor = self.result.parameters[i].factor
        return float(self.result.values[i]) * factor, float(self.result.errors[i]) * factor


@dataclass
class ProtonModel:
    """Protons as a function of the parameters of the fit; nothing is solved.

    Attributes
    ----------
    parameters : of the fit
    base, protons : a run and its result, whose components are scaled
    source : the local source at the start
    transfer : intensity at the Sun of one particle per GeV that it injected, on the energies of the run
    solves : 0
    """

    parameters: tuple[Parameter, ...]
    base: RunConfig
    protons: xr.Dataset
    source: Catalogue
    transfer: Array
    solves: int = 0

    def predict(self, values: Values) -> Prediction:
        """Protons at the Sun with these values."""
        energy = self.protons["kinetic_energy"].values
        config, named = self.base, {}
        for parameter, value in zip(self.parameters, values, strict=True):
            named[parameter.name] = float(value)
            for path, number in parameter.put(value):
                config = replaced(config, path, number)
        flux = self.transfer * injected(self.moved_source(named), config, energy)
        for name in self.protons["component"].values:
            flux = flux + self._component(str(name), config, energy)
        return Prediction(config, named, (nuclides()[SPECIES],), energy, flux[None, :])

    def moved_source(self, named: Mapping[str, float]) -> Catalogue:
        """The local source with the values that the parameters have."""
        (row,) = self.source.sources
        for parameter in self.parameters:
            for path in parameter.paths:
                if path[:2] == (NUISANCE, "source"):
                    row = replaced(row, path[2:], named[parameter.name])
        return replace(self.source, sources=(row,))

    def _component(self, name: str, config: RunConfig, energy: Array) -> Array:
        """Flux of a component of the grid."""
        nucleus = nuclides()[SPECIES]
        rigidity = Kinematics(energy, nucleus.Z, nucleus.A, nucleus.mass_per_nucleon).rigidity
        now, then = (
            table.get(SPECIES, table["default"]).per_rigidity(rigidity)
            for table in (c.physics.sources[name].injection for c in (config, self.base))
        )
        solved = self.protons["flux_lis_component"].sel(component=name, species=SPECIES).values
        flux = solved * np.divide(now, then, out=np.zeros_like(now), where=then > 0.0)
        law: Any = config.physics.sources[name].normalisation
        return np.asarray(flux * (law.flux / flux_at(law.kinetic_energy, energy, flux, name)))


def injected(source: Catalogue, config: RunConfig, energy: Array) -> Array:
    """Number per GeV that a catalogue of one burst injected, shape of `energy`."""
    pieces = source.segments(config.physics.observer)
    return np.asarray(pieces.energy[0] * source.spectra(source.species, energy)[0, 0])


def local_catalogue(name: str) -> Catalogue:
    """The local source, protons only."""
    source = load_catalogue(name)
    (row,) = source.sources
    return replace(source, sources=(row.model_copy(update={"species": {SPECIES: 1.0}}),))


def read_fit(overrides: Sequence[str]) -> tuple[LoadedFit, Catalogue]:
    """The file of the fit: the run with its parameters and those of the local source, and that source."""
    path: Path = resources.folder("runs") / f"{FIT}.toml"
    raw = resources.read_toml(path)
    section = dict(raw["fit"])
    every = section.pop("parameters")
    of_source = {k: v for k, v in every.items() if str(v["path"]).startswith("source.")}
    section["parameters"] = {k: v for k, v in every.items() if k not in of_source}
    file = run_file(raw["model"]["run"])
    run = {**resources.read_toml(file), "fit": section}
    fit = load_fit_mapping(run, overrides, source=FIT, beside=file.parent, inputs=(path, file))
    source = local_catalogue(raw["model"]["source"])
    parameters = [*fit.parameters, *(_of_source(k, v, source) for k, v in of_source.items())]
    return replace(fit, parameters=tuple(parameters)), source


def _of_source(name: str, raw: Mapping[str, Any], source: Catalogue) -> Parameter:
    """A parameter of the local source."""
    wanted = ParameterConfig.model_validate(dict(raw))
    keys = tuple(wanted.path[0].split(".")[1:])
    place = locate(source.sources[0], keys)
    parameter, wrong = parameter_from(name, wanted, ((NUISANCE, "source", *keys),), [place])
    if parameter is None:
        raise ConfigError(FIT, [Problem(f"fit.parameters.{name}.{part}", text) for part, text in wrong])
    return parameter


def fit_protons(
    overrides: Sequence[str],
    *,
    kernel: str,
    solved: Mapping[str, SourceResponse] | None = None,
    rounds: int = ROUNDS,
) -> ProtonFit:
    """Fit the protons, solve them at the result, and fit again until nothing moves.

    Parameters
    ----------
    overrides : of the run
    kernel : of the local source; "grid" with the responses `solved`, or a closed form with D at the Sun
    rounds : at most

    Raises
    ------
    ConfigError, ConvergenceError
        as :func:`cyldiff.fit.tune.tune`.
    """
    fit, source = read_fit(overrides)
    terms = [SpectrumTerm(data) for data in fit.data]
    run, parameters, moved, done = fit.run, fit.parameters, np.inf, 0
    transfer = _transfer(source, run, kernel, solved)
    while moved > SETTLED and done < rounds:
        model = ProtonModel(parameters, _config(run), _solved(run), source, transfer)
        result = tune(replace(fit, run=run, parameters=parameters), likelihood=Likelihood(model, terms))
        if done:
            started = np.array([p.start for p in parameters])
            moved = float(np.nanmax(np.abs(result.values - started) / result.errors))
        run = with_values(fit.run, parameters, list(result.values), FIT)
        parameters = tuple(replace(p, start=float(v)) for p, v in zip(parameters, result.values, strict=True))
        done += 1
    best = model.moved_source({p.name: p.start for p in parameters})
    return ProtonFit(result, _solved(run), _local(best, run, kernel, solved), moved, done)


def _config(run: Run) -> RunConfig:
    assert isinstance(run, LoadedConfig)
    return run.config


def _solved(run: Run) -> xr.Dataset:
    assert isinstance(run, LoadedConfig)
    return pipeline.run(run)


def _local(
    source: Catalogue, run: Run, kernel: str, solved: Mapping[str, SourceResponse] | None
) -> xr.Dataset:
    """The local source on the energies of the run; nothing where its cut-off has left nothing."""
    momentum = _config(run).grid.momentum
    energy = energy_grid(momentum.min, momentum.max, momentum.per_decade)
    reached = energy[energy <= HIGHEST]
    found = source_fluxes(source, run, kernel=kernel, solved=solved, kinetic_energy=reached)
    return found.reindex(kinetic_energy=energy, fill_value=0)


def _transfer(source: Catalogue, run: Run, kernel: str, solved: Mapping[str, SourceResponse] | None) -> Array:
    """Intensity at the Sun of one particle per GeV that the local source injected."""
    found = _local(source, run, kernel, solved)
    flux, number = (found[name].values[0, 0] for name in ("flux_lis", "injected_number"))
    return np.divide(flux, number, out=np.zeros_like(flux), where=number > 0.0)


def local_response(run: LoadedConfig, source: Catalogue, file: Path) -> SourceResponse:
    """Response of the Sun to a burst of the age of the source; read from `file` if it is there, else solved and kept.

    Motion in momentum is left out; the response says what that would change.
    """
    if file.is_file():
        kept = SourceResponse.load(file)
        if kept.attributes.get("config") == run.toml():
            return kept
    momentum, pieces = run.config.grid.momentum, source.segments(run.config.physics.observer)
    response = source_response(
        run,
        species=SPECIES,
        kinetic_energy=[momentum.min, HIGHEST],
        ages=[1.01 * float(pieces.oldest.max())],
        coupling="decoupled",
        core=CORE,
    )
    response.save(file)
    return response

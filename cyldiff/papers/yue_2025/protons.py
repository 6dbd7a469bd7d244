"""Protons of Yue et al. 2025: remnants and X-ray binaries on the grid, the local source on top, fitted to data.

The file runs/papers/yue-2025/proton-fit.toml says what is free; `cyldiff tune` takes it too. A parameter of the
injection would need a solve for every value. Transport of protons above 10 GeV hardly moves them in energy, so that
their flux is

    J_k(E; theta) = J_k(E; theta_0) q_k(E; theta) / q_k(E; theta_0)

with the solve at theta_0 and the injected spectra q_k. The fit is repeated around its own result, theta_0 <- theta,
until no parameter moves: there the formula is exact. The local source is linear in the number it injected,
J = T(E) N(E).
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff import pipeline
from cyldiff.config.load import LoadedConfig, load_mapping
from cyldiff.config.schema import RunConfig
from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.load import load_fit
from cyldiff.fit.model import Prediction
from cyldiff.fit.parameters import Parameter, Values
from cyldiff.fit.paths import replaced
from cyldiff.fit.point_sources import JointConfig, LoadedJoint, catalogue_of
from cyldiff.fit.terms import SpectrumTerm
from cyldiff.fit.tune import FitResult, tune
from cyldiff.fit.varied import Run, with_values
from cyldiff.grid import Kinematics, energy_grid
from cyldiff.particles.species import nuclides
from cyldiff.sources.catalogue import Catalogue
from cyldiff.sources.component import flux_at
from cyldiff.sources.fluxes import source_fluxes
from cyldiff.sources.response import SourceResponse, source_response

__all__ = ["FIT", "ProtonFit", "ProtonModel", "fit_protons", "injected", "local_response", "smooth_run"]

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
    transfer : intensity at the Sun of one particle per GeV that it injected, on the energies of the run
    solves : 0
    """

    parameters: tuple[Parameter, ...]
    base: JointConfig
    protons: xr.Dataset
    transfer: Array
    solves: int = 0

    def predict(self, values: Values) -> Prediction:
        """Protons at the Sun with these values."""
        energy = self.protons["kinetic_energy"].values
        config = self.config(values)
        flux = self.transfer * injected(catalogue_of(config), config, energy)
        for name in self.protons["component"].values:
            flux = flux + self._component(str(name), config, energy)
        named = {p.name: float(v) for p, v in zip(self.parameters, values, strict=True)}
        return Prediction(config, named, (nuclides()[SPECIES],), energy, flux[None, :])

    def config(self, values: Values) -> JointConfig:
        """The run with these values."""
        config = self.base
        for parameter, value in zip(self.parameters, values, strict=True):
            for path, number in parameter.put(value):
                config = replaced(config, path, number)
        return config

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


def fit_protons(
    overrides: Sequence[str], *, response: SourceResponse | None = None, rounds: int = ROUNDS
) -> ProtonFit:
    """Fit the protons, solve them at the result, and fit again until nothing moves.

    Parameters
    ----------
    overrides : of the run
    response : what the local source is read from; without it the closed form of the halo with D at the Sun
    rounds : at most

    Raises
    ------
    ConfigError, ConvergenceError
        as :func:`cyldiff.fit.tune.tune`.
    """
    fit = load_fit(FIT, overrides)
    terms = [SpectrumTerm(data) for data in fit.data]
    run, parameters, moved, done = _joint(fit.run), fit.parameters, np.inf, 0
    transfer = _transfer(run, response)
    while moved > SETTLED and done < rounds:
        model = ProtonModel(parameters, _config(run), pipeline.run(smooth_run(run)), transfer)
        result = tune(replace(fit, run=run, parameters=parameters), likelihood=Likelihood(model, terms))
        if done:
            started = np.array([p.start for p in parameters])
            moved = float(np.nanmax(np.abs(result.values - started) / result.errors))
        run = _joint(with_values(fit.run, parameters, list(result.values), FIT))
        parameters = tuple(replace(p, start=float(v)) for p, v in zip(parameters, result.values, strict=True))
        done += 1
    local = _local(run, response)
    return ProtonFit(result, pipeline.run(smooth_run(run)), local, moved, done)


def smooth_run(run: LoadedJoint) -> LoadedConfig:
    """The run without its point source."""
    return load_mapping(tomllib.loads(run.run_toml()), source=FIT)


def _joint(run: Run) -> LoadedJoint:
    assert isinstance(run, LoadedJoint)
    return run


def _config(run: LoadedJoint) -> JointConfig:
    assert isinstance(run.config, JointConfig)
    return run.config


def _local(run: LoadedJoint, response: SourceResponse | None) -> xr.Dataset:
    """The local source on the energies of the run; nothing where its cut-off has left nothing."""
    momentum, source = run.config.grid.momentum, catalogue_of(_config(run))
    energy = energy_grid(momentum.min, momentum.max, momentum.per_decade)
    reached = energy[energy <= HIGHEST]
    kernel = "halo" if response is None else "grid"
    found = source_fluxes(source, smooth_run(run), kernel=kernel, response=response, kinetic_energy=reached)
    return found.reindex(kinetic_energy=energy, fill_value=0)


def _transfer(run: LoadedJoint, response: SourceResponse | None) -> Array:
    """Intensity at the Sun of one particle per GeV that the local source injected."""
    found = _local(run, response)
    flux, number = (found[name].values[0, 0] for name in ("flux_lis", "injected_number"))
    return np.divide(flux, number, out=np.zeros_like(flux), where=number > 0.0)


def local_response(joint: LoadedJoint, file: Path) -> SourceResponse:
    """Response of the Sun to a burst as old as the local source; read from `file` if it is there, else solved and kept.

    Motion in momentum is left out; the response says what that would change.
    """
    run = smooth_run(joint)
    if file.is_file():
        kept = SourceResponse.load(file)
        if kept.attributes.get("config") == run.toml():
            return kept
    pieces = catalogue_of(_config(joint)).segments(run.config.physics.observer)
    response = source_response(
        run,
        species=SPECIES,
        kinetic_energy=[run.config.grid.momentum.min, HIGHEST],
        ages=[1.01 * float(pieces.oldest.max())],
        coupling="decoupled",
        core=CORE,
    )
    response.save(file)
    return response

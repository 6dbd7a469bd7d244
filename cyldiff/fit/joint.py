"""Spectra and dipole of a grid and of point sources together, as a function of the parameters of a fit.

    slow values ─► chain of solves (kept) ─┐
                                           ├─► J and J delta at the Sun ─► spectra, amplitude, phase
    sources     ─► closed forms            ┘

The intensities of components, sources and species add up, and so do their flows J delta with
delta = (3 / beta c) D grad ln n, each nucleus with D at its own rigidity. What a source gives costs a
millisecond; its numbers never need a solve.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from cyldiff.config.schema import PhysicsConfig
from cyldiff.fit.load import LoadedFit
from cyldiff.fit.model import FitModel, Prediction, Response, weights_of
from cyldiff.fit.parameters import Parameter, Values
from cyldiff.fit.point_sources import JointConfig, catalogue_of
from cyldiff.grid import Kinematics
from cyldiff.observables.dipole import along_sun, diffusive_dipole, equatorial_projection
from cyldiff.observables.local_transport import LocalTransport
from cyldiff.particles.species import Species
from cyldiff.sources.at_sun import to_intensity
from cyldiff.sources.catalogue import Catalogue
from cyldiff.sources.propagation import propagation_at_sun
from cyldiff.sources.superposition import PointPropagation, green_functions

__all__ = ["JointModel", "JointPrediction", "JointShares"]

Array = NDArray[np.float64]

#: propagations kept, one per set of slow values
KEPT = 32
#: intensities and Green's functions below this are nothing: their gradient would be rounding
_NOTHING = 1e-290


@dataclass(frozen=True)
class JointShares:
    """What components and sources give by themselves.

    Attributes
    ----------
    names : of the components of the grid, then of the sources
    flux : shape (n, n_s, n_T) [m^-2 s^-1 sr^-1 (GeV/n)^-1]
    flow : J delta, Galactic frame, shape (n, n_s, n_T, 3)
    """

    names: tuple[str, ...]
    flux: Array
    flow: Array


@dataclass(frozen=True)
class JointPrediction(Prediction):
    """Spectra and dipole at the Sun.

    Attributes
    ----------
    shares : by component and source; they add up to `flux`
    """

    shares: JointShares

    def vector(self, energies: Array) -> Array:
        """Dipole at total energies per particle, Galactic frame.

        All nuclei that the run follows count, as for an air shower. NaN where there are no particles, and where
        the grid does not reach for one of the nuclei: what is left there are the others.

        Parameters
        ----------
        energies : shape (n,) [GeV]

        Returns
        -------
        ndarray, shape (n, 3)
        """
        energies = np.asarray(energies, dtype=float)
        total, moving = np.zeros(energies.shape), np.zeros((*energies.shape, 3))
        known = np.ones(energies.shape, dtype=bool)
        for nucleus, curve in zip(self.species, self._curves, strict=True):
            if not nucleus.is_lepton:
                at = energies / nucleus.nucleons - nucleus.mass_per_nucleon
                known &= curve.covers(at)
                intensity, dipole = curve(at)
                total += intensity / nucleus.nucleons
                moving += (intensity / nucleus.nucleons)[:, None] * dipole
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where((known & (total > _NOTHING))[:, None], moving / total[:, None], np.nan)

    @cached_property
    def _curves(self) -> list[_Curve]:
        flow = self.shares.flow.sum(axis=0)
        return [_Curve(self.kinetic_energy, flux, each) for flux, each in zip(self.flux, flow, strict=True)]

    def dipole(self, energies: Array) -> tuple[Array, Array]:
        """Amplitude in the equatorial plane and phase [deg] at total energies per particle [GeV]."""
        amplitude, phase, _ = equatorial_projection(self.vector(energies))
        return amplitude, phase

    def whole_dipole(self, energies: Array) -> tuple[Array, Array]:
        """As :meth:`dipole` with the length of the vector in place of its part in the equatorial plane."""
        vector = self.vector(energies)
        return np.linalg.norm(vector, axis=-1), equatorial_projection(vector)[1]


@dataclass
class JointModel:
    """Grid and point sources as a function of the parameters of a fit.

    Attributes
    ----------
    grid : the smooth components; their solves are kept as those of any fit
    """

    grid: FitModel
    _travel: OrderedDict[tuple[float, ...], list[PointPropagation | None]] = field(
        default_factory=OrderedDict, repr=False
    )

    @classmethod
    def of(cls, fit: LoadedFit) -> JointModel:
        """The model of a tuning file with a section [point_sources]."""
        return cls(FitModel.of(fit))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of the fit."""
        return self.grid.parameters

    @property
    def solves(self) -> int:
        """Chains solved so far."""
        return self.grid.solves

    def predict(self, values: Values) -> JointPrediction:
        """Spectra and dipole at the Sun.

        Raises
        ------
        CyldiffError
            if the model cannot be built or solved there, or a source is outside of the halo.
        """
        response, config = self.grid.response(values), self.grid.config(values)
        assert isinstance(config, JointConfig)
        smooth = _smooth(response, config)
        points = _points(config, response.species, response.kinetic_energy, self._propagation(values, config))
        shares = JointShares(
            (*smooth.names, *points.names),
            np.concatenate([smooth.flux, points.flux]),
            np.concatenate([smooth.flow, points.flow]),
        )
        named = {p.name: float(v) for p, v in zip(self.parameters, values, strict=True)}
        flux = shares.flux.sum(axis=0)
        return JointPrediction(config, named, response.species, response.kinetic_energy, flux, shares)

    def _propagation(self, values: Values, config: JointConfig) -> list[PointPropagation | None]:
        """How every species travels from points, for these slow values; None for those no source injects."""
        key = tuple(float(v) for p, v in zip(self.parameters, values, strict=True) if not p.fast)
        if key not in self._travel:
            response, chosen = self.grid.response(values), config.point_sources
            injected = {name for source in chosen.sources.values() for name in source.species}
            self._travel[key] = [
                propagation_at_sun(
                    config.physics, s, response.kinetic_energy, kernel=chosen.kernel, edge=chosen.edge
                )
                if s.name in injected
                else None
                for s in response.species
            ]
            if len(self._travel) > KEPT:
                self._travel.popitem(last=False)
        self._travel.move_to_end(key)
        return self._travel[key]


def _smooth(response: Response, config: JointConfig) -> JointShares:
    """Components of the grid; groups of one component together."""
    weights = weights_of(response, config)
    names = tuple(dict.fromkeys(name for name, _ in response.groups))
    mine = np.array([[float(owner == name) for owner, _ in response.groups] for name in names]) * weights
    flux = np.einsum("cg,gst->cst", mine, response.flux)
    slope = np.einsum("cg,gstd->cstd", mine, response.slope)
    directions = tuple(axis.name for axis in response.grid.axes)
    physics = config.physics
    laws = LocalTransport(physics.diffusion, physics.convection, physics.observer.r, physics.observer.z)
    flow = np.zeros((*flux.shape, 3))
    for i, s in enumerate(response.species):
        k = Kinematics(response.kinetic_energy, s.Z, s.A, s.mass_per_nucleon)
        D = laws.along(directions, k.rigidity, k.beta)
        flow[:, i] = along_sun(diffusive_dipole(slope[:, i], D, k.beta), directions)
    return JointShares(names, flux, flow)


def _points(
    config: JointConfig,
    species: Sequence[Species],
    energy: Array,
    travel: Sequence[PointPropagation | None],
) -> JointShares:
    """Every source by itself."""
    catalogue: Catalogue = catalogue_of(config)
    physics: PhysicsConfig = config.physics
    sun = physics.observer
    segments, spectra = catalogue.segments(sun), catalogue.spectra(species, energy)
    here = np.array([[-sun.r, 0.0, sun.z]])
    flux = np.zeros((len(catalogue), len(species), len(energy)))
    flow = np.zeros((*flux.shape, 3))
    for i, (nucleus, how) in enumerate(zip(species, travel, strict=True)):
        if how is None:
            continue
        value, slope = green_functions(segments, here, how)
        number = segments.energy[:, None] * spectra[segments.spectrum, i] * to_intensity(nucleus, energy)
        there = value[:, :, 0] > _NOTHING
        np.add.at(flux[:, i], segments.source, np.where(there, number * value[:, :, 0], 0.0))
        gradient = np.where(there[..., None], number[..., None] * slope[:, :, 0], 0.0)
        D = np.broadcast_to(how.diffusion[:, None], (*how.diffusion.shape, 3))
        k = Kinematics(energy, nucleus.Z, nucleus.A, nucleus.mass_per_nucleon)
        np.add.at(flow[:, i], segments.source, diffusive_dipole(gradient, D, k.beta))
    return JointShares(catalogue.names, flux, flow)


class _Curve:
    """Intensity and dipole of a species between the energies of the grid: cubic in ln T, 0 where nothing is."""

    def __init__(self, energy: Array, flux: Array, flow: Array) -> None:
        # a rounding error wide
        self._range = energy[0] * (1.0 - 1e-9), energy[-1] * (1.0 + 1e-9)
        there = np.flatnonzero(flux > _NOTHING)
        self._runs = []
        for run in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
            if run.size > 1:
                both = np.column_stack([np.log(flux[run]), flow[run] / flux[run, None]])
                log_t = np.log(energy[run])
                self._runs.append((log_t[0], log_t[-1], CubicSpline(log_t, both)))

    def covers(self, energy: Array) -> NDArray[np.bool_]:
        """Whether energies are within those of the grid."""
        return (energy >= self._range[0]) & (energy <= self._range[1])

    def __call__(self, energy: Array) -> tuple[Array, Array]:
        """J per (GeV/n), shape (n,), and delta, shape (n, 3)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            at = np.log(energy)  # below the rest mass there is nothing
        result = np.column_stack([np.full(at.shape, -np.inf), np.zeros((*at.shape, 3))])
        for low, high, spline in self._runs:
            inside = (at >= low - 1e-9) & (at <= high + 1e-9)
            result[inside] = spline(at[inside])
        return np.exp(result[:, 0]), result[:, 1:]

"""Gamma rays of one realisation: sea, sources of their own, what a survey detects, and what is left.

    I(E) = sum over sources  <int ds n_H q_i exp(-K s)>        mean over a region, discs left out

Sources whose particles have spread over a cell or more are summed on meshes (the sea); the few others are followed
one by one, each with a table around it and points in the gas near it. Everything is linear in the sources.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.galaxy.coordinates import seen_from_sun
from cyldiff.observables.absorption import Absorption
from cyldiff.observables.detection import extent_of, mask_discs
from cyldiff.observables.linear_emissivity import LinearEmissivity
from cyldiff.observables.plane_mesh import MESHES, PlaneMesh, mesh_of
from cyldiff.observables.region_grid import RegionGrid, spline_matrix, stretched
from cyldiff.observables.regions import Disc, region_named
from cyldiff.observables.source_halo import HaloTable, Points, cloud_points, halo_points, near
from cyldiff.sources.population.draw import Realisation
from cyldiff.sources.population.gamma_schema import GammaSection
from cyldiff.sources.population.model import PopulationModel
from cyldiff.sources.segments import Segments
from cyldiff.sources.superposition import summed

__all__ = ["CASES", "GammaEvaluation", "Member"]

Array = NDArray[np.float64]

CASES = ("no clouds", "clouds")
#: what is on points around a source: up to this distance [kpc], or this part of the distance to it
REACH, REACH_FAR, REACH_NEAR = 1.0, 0.1, 0.8
#: parents of gamma rays have about ten times their energy
PARENT = 10.0
#: heights of the nodes of the meshes, finest first, and how much closer they lie in the plane
_HEIGHTS = ((7, 2.5), (5, 1.5), (5, 1.5))
_PER_CM3 = const.KPC_CM**-3
#: the generator of clouds: PCG64(SeedSequence(seed, spawn_key=(realisation, 1)))
_CLOUDS_KEY = 1


@dataclass(frozen=True, slots=True)
class Member:
    """A source that is followed by itself.

    Attributes
    ----------
    number : of the source in its realisation
    longitude, latitude, distance : seen from the Sun [deg, kpc]
    table : HaloTable
    points : Points                     of the gas around it
    cloud : Points or None              of its cloud
    reach, size : float                 [kpc]
    diffusion_length : float            sqrt(4 D t) of the parents of gamma rays at the energy of detection [kpc]
    """

    number: int
    longitude: float
    latitude: float
    distance: float
    table: HaloTable
    points: Points
    cloud: Points | None
    reach: float
    size: float
    diffusion_length: float

    def of_case(self, clouds: bool) -> Points:
        """Points of the gas, and of the cloud if it counts."""
        return self.points if self.cloud is None or not clouds else self.points.plus(self.cloud)


@dataclass(frozen=True)
class GammaEvaluation:
    """From realisations to gamma rays, with what does not change from one to the next.

    Attributes
    ----------
    model : PopulationModel             at the energies of the nuclei, see :func:`gamma_model`
    gamma : GammaSection
    """

    model: PopulationModel
    gamma: GammaSection

    @property
    def cases(self) -> tuple[str, ...]:
        """Without clouds, and with them if there are any."""
        return CASES if self.gamma.clouds is not None else CASES[:1]

    @cached_property
    def energy(self) -> Array:
        """Gamma-ray energies, shape (n_energy,) [GeV]."""
        return np.asarray(self.gamma.energies.values)

    @cached_property
    def _energies(self) -> Array:
        """The same, and the energy of detection as the last."""
        return np.append(self.energy, self.gamma.detection.energy)

    @cached_property
    def emissivity(self) -> LinearEmissivity:
        """From intensities to emissivities."""
        gas: Any = self.model.config.model.gas
        return LinearEmissivity.build(
            self._energies,
            self.model.energies,
            self.gamma.production,
            mass_numbers={s.name: s.A for s in self.model.species},
            helium_fraction=gas.helium_fraction,
        )

    @cached_property
    def absorption(self) -> Array:
        """K at the energies and that of detection [1/kpc]."""
        if self.gamma.absorption is None:
            return np.zeros(self._energies.size)
        return Absorption.by(self.gamma.absorption, self._energies).uniform

    def _gas(self, r: Array, z: Array, phi: Array) -> Array:
        gas: Any = self.model.config.model.gas
        return np.asarray(gas.hydrogen(r, z, phi))

    @cached_property
    def grids(self) -> tuple[RegionGrid, ...]:
        """Points of the regions."""
        model = self.model.config.model
        return tuple(
            RegionGrid(region_named(name), model.observer, self._gas, self.absorption[:-1],
                       float(model.halo.radius), float(model.halo.half_height))
            for name in self.gamma.regions
        )  # fmt: skip

    @cached_property
    def _whole(self) -> list[tuple[Array, float]]:
        """Weights of the regions without discs of detected sources."""
        return [grid.weights() for grid in self.grids]

    @cached_property
    def _meshes(self) -> list[tuple[PlaneMesh, Array, tuple[Array, ...]]]:
        """Meshes, their heights, and splines from these to those of the regions."""
        highest = max(float(grid.heights[-1]) for grid in self.grids)
        sets = [tuple(p[grid.inside] for p in grid.plane) for grid in self.grids]
        meshes = []
        for k in range(MESHES):
            z = stretched(highest, *_HEIGHTS[k])
            mesh = PlaneMesh.of(self.gamma.cell * 2.0**k, sets)  # type: ignore[arg-type]
            meshes.append((mesh, z, tuple(spline_matrix(z, grid.heights) for grid in self.grids)))
        return meshes

    def spread(self, realisation: Realisation) -> Array:
        """sqrt(2 D t) of the slowest particles since a source ended [kpc]."""
        D = min(float(travel.diffusion.min()) for travel in self.model.travel.values())
        return np.sqrt(2.0 * D * np.maximum(realisation.age - realisation.lifetime, 0.0))

    def emitted(self, segments: Segments, spectra: Array, places: Array) -> Array:
        """q/4pi of pieces of histories at places (n, 3) [kpc], shape (n_energy + 1, n) [GeV^-1 s^-1 sr^-1]."""
        flux = {}
        for s, nucleus in enumerate(self.model.species):
            if nucleus.name not in self.emissivity.matrices:
                continue
            density: Any = summed(segments, spectra[s], places, self.model.travel[nucleus.name])
            speed = self.model.kinematics(nucleus).beta * const.SPEED_OF_LIGHT_CM_S
            flux[nucleus.name] = density * (speed * _PER_CM3 / (4.0 * np.pi))[:, None]
        return self.emissivity(flux)

    def sea(self, realisation: Realisation) -> list[Array]:
        """q/4pi of the sources on the meshes at the points of every region, shape (n_l, n_rho, n_z, n_energy)."""
        segments, spectra = realisation.segments(), self.model.spectra_of(realisation)
        number = mesh_of(self.spread(realisation), self.gamma.cell)
        fields = [np.zeros((*g.inside.shape, g.heights.size, self.energy.size)) for g in self.grids]
        for k, (mesh, z, splines) in enumerate(self._meshes):
            chosen = np.flatnonzero(number == k)
            if not len(chosen):
                continue
            places = np.concatenate(
                [np.repeat(mesh.nodes, len(z), axis=0), np.tile(z, len(mesh.nodes))[:, None]], 1
            )
            q = self.emitted(_few(segments, chosen), spectra, places)[:-1]
            at_nodes = q.reshape(-1, len(mesh.nodes), len(z)).transpose(1, 2, 0).reshape(len(mesh.nodes), -1)
            for grid, carry, spline, field in zip(self.grids, mesh.carry, splines, fields, strict=True):
                at_points = (carry @ at_nodes).reshape(-1, len(z), self.energy.size)
                field[grid.inside] += np.einsum("hz,pze->phe", spline, at_points)
        return fields

    def members(self, realisation: Realisation) -> list[Member]:
        """The sources that are followed one by one."""
        numbers = np.flatnonzero(mesh_of(self.spread(realisation), self.gamma.cell) < 0)
        segments, spectra = realisation.segments(), self.model.spectra_of(realisation)
        clouds = self._clouds(realisation)
        return [self._member(realisation, int(i), segments, spectra, clouds[i]) for i in numbers]

    def _member(
        self, realisation: Realisation, i: int, segments: Segments, spectra: Array, cloud: Array
    ) -> Member:
        model, sun = self.model.config.model, self.model.config.model.observer
        one = _few(segments, np.array([i]))
        position = realisation.position[i]
        table = HaloTable.of(
            position,
            lambda places: self.emitted(one, spectra, places),
            float(model.halo.half_height),
            escape=self.model.half_height is not None,
        )
        lon, lat, distance = (float(a) for a in seen_from_sun(position, sun))
        length = float(np.sqrt(4.0 * self._parent_diffusion * realisation.age[i]))
        reach = min(max(REACH, REACH_FAR * distance), REACH_NEAR * distance)
        size = max(reach, min(length, 0.9 * distance))
        points = halo_points(
            table, self._gas, sun, self.absorption, reach=reach, size=size, radius=float(model.halo.radius)
        )
        density, radius = cloud
        own = cloud_points(table, density, radius, sun, self.absorption) if density > 0.0 else None
        return Member(i, lon, lat, distance, table, points, own, reach, size, length)

    @cached_property
    def _parent_diffusion(self) -> float:
        """D of the first species at ten times the energy of detection [kpc^2/Myr]."""
        travel = self.model.travel[self.model.species[0].name]
        wanted = np.log(PARENT * self.gamma.detection.energy)
        return float(np.exp(np.interp(wanted, np.log(self.model.energies), np.log(travel.diffusion))))

    def _clouds(self, realisation: Realisation) -> Array:
        """Density [cm^-3] and radius [kpc] of the clouds of all sources, shape (n, 2); 0 for none."""
        law, n = self.gamma.clouds, len(realisation)
        if law is None:
            return np.zeros((n, 2))
        seed = np.random.SeedSequence(self.model.config.draw.seed, spawn_key=(realisation.index, _CLOUDS_KEY))
        u = np.random.Generator(np.random.PCG64(seed)).random((n, 3))
        density = law.density_min * (law.density_max / law.density_min) ** u[:, 0]
        radius = law.radius_min * (law.radius_max / law.radius_min) ** u[:, 1]
        return np.stack([np.where(u[:, 2] < law.fraction, density, 0.0), radius], axis=1)

    def halo(self, member: Member, grid: RegionGrid) -> Array:
        """q/4pi of a member at the points of a region but for what is on its own points, as :meth:`sea`."""
        x, y = (p[grid.inside][:, None] for p in grid.plane)
        q = member.table.at(x, y, grid.heights[None, :])[..., :-1]
        dx, dy, dz = (
            a - b for a, b in zip((x, y, grid.heights[None, :]), member.table.position, strict=True)
        )
        far = 1.0 - near(np.sqrt(dx**2 + dy**2 + dz**2), member.reach)
        field = np.zeros((*grid.inside.shape, grid.heights.size, self.energy.size))
        field[grid.inside] = q * far[..., None]
        return field

    def near_mean(
        self, points: Points, grid: RegionGrid, discs: tuple[Disc, ...], solid_angle: float
    ) -> Array:
        """What points add to the mean of a region, shape (n_energy,)."""
        inside = grid.contains(points.longitude, points.latitude, discs)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (points.near * inside) @ points.flux[:, :-1] / np.float64(solid_angle)

    def detected(self, realisation: Realisation, members: list[Member], case: int) -> dict[str, Array]:
        """Energy flux [erg cm^-2 s^-1], extent [deg], threshold and whether it is detected, of all members."""
        rule, unit = self.gamma.detection, self.gamma.detection.energy**2 / const.ERG_GEV
        found = []
        for m in members:
            p = m.of_case(case == 1)
            found.append(extent_of(rule, p.angle, p.flux[:, -1],
                                   diffusion_length=m.diffusion_length, distance=m.distance))  # fmt: skip
        flux, extent = np.array([f.flux for f in found]) * unit, np.array([f.radius for f in found])
        longitude, latitude = (np.array([getattr(m, k) for m in members]) for k in ("longitude", "latitude"))
        threshold = rule.threshold(extent, longitude, latitude)
        allowed = np.ones(len(members), dtype=bool)
        if rule.candidates == "active":
            allowed = realisation.active[[m.number for m in members]]
        return {
            "flux": flux,
            "extent": extent,
            "threshold": threshold,
            "detected": allowed & (flux >= threshold),
        }

    def discs(self, members: list[Member], found: dict[str, Array]) -> tuple[Disc, ...]:
        """What is hidden around the detected members."""
        chosen = [m for m, yes in zip(members, found["detected"], strict=True) if yes]
        return mask_discs(
            self.gamma.detection,
            np.array([m.longitude for m in chosen]),
            np.array([m.latitude for m in chosen]),
            found["extent"][found["detected"]],
        )


def mean(weights: Array, q: Array) -> Array:
    """Mean intensities, shape (n_energy,), of weights (n_energy, n_l, n_rho, n_z) and q (n_l, n_rho, n_z, n_energy)."""
    n = weights.shape[0]
    return np.einsum("ek,ke->e", weights.reshape(n, -1), q.reshape(-1, n))


def _few(segments: Segments, chosen: NDArray[np.intp]) -> Segments:
    """Some of the pieces."""
    names = ("position", "oldest", "youngest", "energy", "source", "spectrum")
    return replace(segments, **{name: getattr(segments, name)[chosen] for name in names})

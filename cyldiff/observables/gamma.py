"""Diffuse gamma rays and neutrinos of a result: from its intensities, gas and radiation to the sky."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from pydantic import ValidationError

from cyldiff import registry
from cyldiff.config.memory import shortage
from cyldiff.errors import DataError, nearest, quoted
from cyldiff.galaxy.coordinates import seen_from_sun
from cyldiff.galaxy.radiation_field import RadiationField
from cyldiff.observables.absorption import Absorption
from cyldiff.observables.emission import EmissionStack, mass_numbers
from cyldiff.observables.emissivity import Emissivity
from cyldiff.observables.image import nodes, plate_carree
from cyldiff.observables.line_of_sight import LineOfSight
from cyldiff.observables.processes import (
    check_range,
    chosen_processes,
    energies_of,
    factor_of,
    handles_of,
    parts_of,
    ranges_of,
)
from cyldiff.observables.regions import Region, average
from cyldiff.observables.sky import interpolated, nearest_nside, pixel_means
from cyldiff.observables.source_emission import SourceField
from cyldiff.observables.surroundings import gas_of, sight_of
from cyldiff.observables.user_gas import GasCube, RingColumns
from cyldiff.particles.pion_production import PionProduction

__all__ = ["DiffuseSky", "diffuse_sky", "of_kind"]

Array = NDArray[np.float64]

UNITS = "GeV-1 cm-2 s-1 sr-1"
_LONG_NAMES = {"gamma": "gamma-ray intensity", "neutrino": "neutrino intensity, all flavours, both signs"}


@dataclass(frozen=True, slots=True)
class DiffuseSky:
    """The diffuse sky of a result: call :meth:`region`, :meth:`profile`, :meth:`pixels` or :meth:`intensity`.

    Attributes
    ----------
    emission : EmissionStack            its components
    sight : LineOfSight                 Sun, gas and box
    absorption : Absorption
    secondary : str                     "gamma" or "neutrino"
    continued_share : ndarray           share of the local emissivity from nuclei above the grid, (n_energy,)
    sources : tuple of SourceField      point sources with the gas around them
    even_gas, round_gas : bool          the gas is the same above and below the plane, and around the axis
    table : callable                    name -> A of some nuclides -> their Emissivity at these energies
    attributes : dict                   model, gas and absorption in words, for files
    """

    emission: EmissionStack
    sight: LineOfSight
    absorption: Absorption
    secondary: str
    continued_share: Array
    even_gas: bool
    round_gas: bool
    table: Callable[[Mapping[str, int]], Emissivity]
    attributes: dict[str, Any]
    sources: tuple[SourceField, ...] = ()

    @classmethod
    def of(
        cls,
        dataset: xr.Dataset,
        model: PionProduction,
        *,
        energies: ArrayLike | None = None,
        secondary: str = "gamma",
        radiation: RadiationField | None = None,
        own_gas: GasCube | RingColumns | None = None,
        only: Sequence[str] | None = None,
    ) -> DiffuseSky:
        """From a result at one time.

        Parameters
        ----------
        dataset : xarray.Dataset            a result with ``flux``, the intensity everywhere
        model : PionProduction              how nuclei on gas radiate
        energies : array_like, optional     [GeV]; default all that are supported, 8 per decade
        secondary : str                     "gamma" or "neutrino"
        radiation : RadiationField          what absorbs gamma rays; None: nothing
        own_gas : GasCube or RingColumns    gas instead of that of the run, or columns it is scaled to
        only : sequence of str              some of :data:`cyldiff.observables.processes.PROCESSES`; default all
            that the result has the particles for

        Raises
        ------
        DataError
            if the result has no such maps or no config, or does not support an energy or a process.
        """
        gas = gas_of(dataset)
        kinetic_energy = dataset["kinetic_energy"].values.astype(float)
        processes = chosen_processes(dataset, model, secondary, only)
        ranges = ranges_of(dataset, model, processes)
        chosen = energies_of(ranges) if energies is None else np.atleast_1d(energies)
        check_range(np.asarray(chosen, dtype=float), dataset, model, ranges)
        make_table = partial(
            _table, chosen, kinetic_energy, model, secondary=secondary, helium_fraction=gas.helium_fraction
        )
        table = make_table(mass_numbers(dataset)) if "pion-decay" in processes else None
        emission = EmissionStack.of(parts_of(dataset, chosen, processes, table))
        absorbing = radiation if secondary == "gamma" else None
        return cls(
            emission=emission,
            sight=sight_of(dataset, gas, emission.mesh, own_gas),
            absorption=Absorption.none(chosen.size)
            if absorbing is None
            else Absorption.by(absorbing, np.asarray(chosen, dtype=float)),
            secondary=secondary,
            continued_share=_continued(dataset, table, chosen.size),
            even_gas=gas.symmetric and own_gas is None,
            round_gas=own_gas is None,
            table=make_table,
            attributes={
                "pion_production": model.model_dump_json(),
                "absorption": "none" if absorbing is None else absorbing.model_dump_json(),
                "processes": ", ".join(processes),
                "run": str(dataset.attrs.get("run", dataset.attrs.get("title", ""))),
            },
        )

    @property
    def energy(self) -> Array:
        """Energies [GeV], shape (n_energy,)."""
        return self.emission.energy

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the components."""
        return (*self.emission.names, *(source.name for source in self.sources))

    def intensity(self, longitude: ArrayLike, latitude: ArrayLike) -> Array:
        """Intensity of every component in directions l, b [deg], shape (n_components, n_energy, n).

        Directions that see the same because the Galaxy is its own mirror image are computed once.
        """
        lon, lat = np.broadcast_arrays(np.atleast_1d(longitude), np.atleast_1d(latitude))
        diffuse = self._diffuse(lon, lat)
        if not self.sources:
            return diffuse
        each = [self.sight.around(lon, lat, source, self.absorption) for source in self.sources]
        return np.concatenate([diffuse, np.stack(each)])

    def _diffuse(self, lon: Array, lat: Array) -> Array:
        in_l, in_b = self.mirror
        lon = np.abs((lon + 180.0) % 360.0 - 180.0) if in_l else lon
        lat = np.abs(lat) if in_b else lat
        seen, where = np.unique(np.round(np.stack([lon, lat]), 9), axis=1, return_inverse=True)
        each = self.sight.intensity(seen[0], seen[1], self.emission, self.absorption)
        return each[..., where.ravel()]

    @property
    def peaks(self) -> Array:
        """Galactic l and b [deg] of the point sources, shape (n, 2)."""
        if not self.sources:
            return np.zeros((0, 2))
        longitude, latitude, _ = seen_from_sun(np.stack([s.position for s in self.sources]), self.sight.sun)
        return np.stack([longitude, latitude], axis=1)

    def with_sources(self, sources: Sequence[SourceField]) -> DiffuseSky:
        """The same sky with the gas around point sources, each a component.

        Raises
        ------
        DataError
            if a source has the name of another component.
        """
        names = [*self.emission.names, *(source.name for source in sources)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(f"{', '.join(twice)}: a point source and another component have the same name")
        return replace(self, sources=tuple(sources))

    @property
    def mirror(self) -> tuple[bool, bool]:
        """Whether l and -l, and b and -b, see the same."""
        values = self.emission.values
        in_l = values.shape[1] == 1 and self.round_gas
        in_b = self.sight.sun.z == 0.0 and self.even_gas and np.array_equal(values, values[:, :, ::-1])
        return in_l, in_b

    def weighted(self, weights: Mapping[str, float]) -> DiffuseSky:
        """The same sky with factors on some components.

        The name of a component as a whole, or what it has before or after the colon: a process or a source.

        Raises
        ------
        DataError
            for a name that is none of them.
        """
        known = dict.fromkeys(handle for name in self.names for handle in (name, *handles_of(name)))
        unknown = [name for name in weights if name not in known]
        if unknown:
            raise DataError(
                f"no component {quoted(unknown[0])} to weigh; there are {', '.join(self.names)}"
                f"{nearest(unknown[0], list(known))} (components of a result: output.components = true)"
            )
        factors = np.array([factor_of(name, weights) for name in self.emission.names])
        values = np.ascontiguousarray(self.emission.values * factors[:, None])
        sources = [replace(s, weight=s.weight * factor_of(s.name, weights)) for s in self.sources]
        return replace(self, emission=replace(self.emission, values=values), sources=tuple(sources))

    def at_energy(self, number: int) -> DiffuseSky:
        """The same sky at one of its energies only."""
        one = slice(number, number + 1)
        values = np.ascontiguousarray(self.emission.values[..., one])
        return replace(
            self,
            emission=replace(self.emission, energy=self.energy[one], values=values),
            absorption=replace(
                self.absorption, uniform=self.absorption.uniform[one], varying=self.absorption.varying[one]
            ),
            continued_share=self.continued_share[one],
            sources=tuple(source.few([number]) for source in self.sources),
        )

    def region(self, region: Region) -> xr.Dataset:
        """Mean intensity over a region: ``intensity(energy)`` and ``intensity_component(component, energy)``.

        Raises
        ------
        DataError
            if the masks leave nothing of the region.
        """
        values = average(region, self.intensity, peaks=self.peaks, together=True)
        dataset = self._described(values, ())
        dataset.attrs.update(
            region=region.name, solid_angle_sr=region.solid_angle, masked_discs=len(region.discs)
        )
        return dataset

    def profile(self, regions: Sequence[Region]) -> xr.Dataset:
        """Mean intensities of several regions, with the dimension ``region`` after the energy."""
        each = [average(one, self.intensity, peaks=self.peaks, together=True) for one in regions]
        values = np.stack(each, axis=-1)
        dataset = self._described(values, ("region",))
        for name, limits in (("l", "longitude"), ("b", "latitude")):
            dataset[f"{name}_bounds"] = (("region", "bounds"), [getattr(one, limits) for one in regions])
        return dataset

    def pixels(self, nside: int) -> xr.Dataset:
        """Means over the HEALPix pixels of the sky, nested order, with the dimension ``pixel``.

        Raises
        ------
        DataError
            for an nside that is no power of two, or without ``astropy-healpix``.
        """
        self.check_map(nside)
        means = pixel_means(nside, self.intensity, peaks=self.peaks, together=True)
        dataset = self._described(means, ("pixel",))
        dataset.attrs.update(pixelisation="HEALPix", nside=nside, ordering="nested", frame="galactic")
        return dataset

    def check_map(self, nside: int, *, image: bool = False) -> None:
        """Refuse, before it is made, a map that does not fit into memory; with `image` also the whole on a grid.

        Raises
        ------
        DataError
            saying how much it needs and how much there is.
        """
        # components, their sum, and a copy of both while the pixels are divided
        values = 12.0 * nside**2 * 2.0 * (len(self.emission.names) + len(self.sources) + 1)
        if image:
            values += 2.0 * (360.0 * nside / 32.0) * (180.0 * nside / 32.0)
        if reason := shortage(8.0 * self.energy.size * values):
            raise DataError(
                f"maps of nside {nside} at {self.energy.size} energies {reason}; "
                "expected a smaller nside, or fewer energies"
            )

    def image(self, step: float, pixels: xr.Dataset | None = None) -> xr.DataArray:
        """The whole on a plate-carree grid `step` [deg] apart, dims (energy, latitude, longitude).

        Node values whose interpolation keeps fluxes: see :mod:`cyldiff.observables.image`. Point sources are
        taken from `pixels`, of :meth:`pixels`, and are as sharp as those.
        """
        longitude, latitude = nodes(step)
        values = plate_carree(
            lambda lon, lat: self._diffuse(np.asarray(lon), np.asarray(lat)).sum(axis=0), longitude, latitude
        )
        if self.sources:
            pixels = self.pixels(nearest_nside(step)) if pixels is None else pixels
            each = pixels["intensity_component"].sel(component=[source.name for source in self.sources])
            lon, lat = np.meshgrid(longitude, latitude)
            for number, row in enumerate(each.sum("component").values):
                values[number] += interpolated(row, lon, lat)
        return xr.DataArray(
            values,
            dims=("energy", "latitude", "longitude"),
            coords={"energy": self.energy, "latitude": latitude, "longitude": longitude},
            attrs={"units": UNITS, "long_name": self._long_name},
        )

    @property
    def _long_name(self) -> str:
        return _LONG_NAMES.get(self.secondary, f"{self.secondary} intensity")

    def _described(self, values: Array, dims: tuple[str, ...]) -> xr.Dataset:
        described = {"units": UNITS, "long_name": self._long_name}
        variables: dict[str, Any] = {"intensity": (("energy", *dims), values.sum(axis=0), described)}
        coords: dict[str, Any] = {
            "energy": ("energy", self.energy, {"units": "GeV", "long_name": f"{self.secondary} energy"})
        }
        variables["intensity_component"] = (("component", "energy", *dims), values, described)
        coords["component"] = list(self.names)
        variables["continued_share"] = (
            ("energy",),
            self.continued_share,
            {"units": "1", "long_name": "share from nuclei above the grid, at the Sun"},
        )
        return xr.Dataset(variables, coords=coords, attrs={"secondary": self.secondary, **self.attributes})


def diffuse_sky(
    dataset: xr.Dataset,
    *,
    model: str | PionProduction = "kelner-2006",
    enhancement: str | float | None = None,
    energies: ArrayLike | None = None,
    secondary: str = "gamma",
    absorption: str | RadiationField | None = "cmb",
    only: Sequence[str] | None = None,
) -> DiffuseSky:
    """Diffuse gamma rays or neutrinos of a result: what ``cyldiff gamma`` computes.

    Parameters
    ----------
    dataset : xarray.Dataset        a result with ``flux``; of a run in time the last time counts
    model : str or PionProduction   "kelner-2006", "kafexhiu-2014", "aafrag", or such an object
    enhancement : str or float      nuclear enhancement of the first two, see
                                    :mod:`cyldiff.particles.pion_production`; default that of the kind
    energies : array_like           [GeV]; default all that are supported
    secondary : str                 "gamma" or "neutrino" (all flavours, both signs)
    absorption : str, RadiationField or None    kind of radiation field that absorbs gamma rays, or such an
                                                object; None: nothing absorbs
    only : sequence of str          of "pion-decay", "inverse-compton", "bremsstrahlung"; default all that the
                                    result has the particles for

    Returns
    -------
    DiffuseSky
        ``intensity(l, b)`` along lines of sight [deg], means over a ``region(...)``, ``pixels(nside)`` and
        ``image(step)`` of the sky; all in GeV^-1 cm^-2 s^-1 sr^-1.

    Raises
    ------
    DataError
        for a kind that does not exist, or a result or energies that do not fit.
    """
    fields = {} if enhancement is None else {"nuclear_enhancement": enhancement}
    production = of_kind("pion-production", model, fields) if isinstance(model, str) else model
    radiation = of_kind("radiation-field", absorption, {}) if isinstance(absorption, str) else absorption
    if "time" in dataset.dims:
        dataset = dataset.isel(time=-1)
    return DiffuseSky.of(
        dataset, production, energies=energies, secondary=secondary, radiation=radiation, only=only
    )


def of_kind(family: str, kind: str, fields: Mapping[str, Any]) -> Any:
    """An object of a kind from its fields.

    Raises
    ------
    DataError
        naming the known kinds, or what is wrong with the fields, in one line.
    """
    try:
        return registry.lookup(family, kind).model_validate({"kind": kind, **fields})
    except ValidationError as error:
        found = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise DataError("; ".join(text.replace("Value error, ", "") for text in found)) from None
    except ValueError as error:
        raise DataError(f"{family}: {error}") from None


def _table(
    energy: ArrayLike, kinetic_energy: Array, model: PionProduction, nuclides: Mapping[str, int], **more: Any
) -> Emissivity:
    return Emissivity.build(energy, kinetic_energy, model, mass_numbers=nuclides, **more)


def _continued(dataset: xr.Dataset, table: Emissivity | None, n_energy: int) -> Array:
    """Share of the emissivity at the Sun that comes from nuclei above the grid."""
    if table is None:
        return np.zeros(n_energy)
    at_sun = {name: 1e-4 * dataset["flux_lis"].sel(species=name).values[:, None] for name in table.matrices}
    return table.continued_share(at_sun)[:, 0]

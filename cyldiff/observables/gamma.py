"""Diffuse gamma rays and neutrinos of a result: from its intensities and its gas to the sky."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from cyldiff.errors import DataError, nearest, quoted
from cyldiff.galaxy import spiral_arms as _spiral_arms  # noqa: F401 - registers its kinds
from cyldiff.galaxy.gas import GasModel
from cyldiff.galaxy.radiation_field import RadiationField
from cyldiff.observables.emission import EmissionField, EmissionStack, mass_numbers
from cyldiff.observables.emissivity import Emissivity, supported
from cyldiff.observables.image import nodes, plate_carree
from cyldiff.observables.line_of_sight import Absorption, LineOfSight
from cyldiff.observables.regions import Region, average
from cyldiff.observables.sky import pixel_means
from cyldiff.particles.pion_production import PionProduction
from cyldiff.units import parse_quantity

__all__ = ["DiffuseSky", "default_energies", "gas_of", "sun_of"]

Array = NDArray[np.float64]

#: energies per decade unless others are asked for
PER_DECADE = 8
UNITS = "GeV-1 cm-2 s-1 sr-1"
_LONG_NAMES = {"gamma": "gamma-ray intensity", "neutrino": "neutrino intensity, all flavours, both signs"}


@dataclass(frozen=True, slots=True)
class Sun:
    """Where lines of sight start: galactocentric radius and height [kpc]."""

    r: float
    z: float


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
    even_gas : bool                     the gas is the same above and below the plane
    attributes : dict                   model, gas and absorption in words, for files
    """

    emission: EmissionStack
    sight: LineOfSight
    absorption: Absorption
    secondary: str
    continued_share: Array
    even_gas: bool
    attributes: dict[str, Any]

    @classmethod
    def of(
        cls,
        dataset: xr.Dataset,
        model: PionProduction,
        *,
        energies: ArrayLike | None = None,
        secondary: str = "gamma",
        radiation: RadiationField | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> DiffuseSky:
        """From a result at one time.

        Parameters
        ----------
        dataset : xarray.Dataset            a result with ``flux``, the intensity everywhere
        model : PionProduction              how nuclei on gas radiate
        energies : array_like, optional     [GeV]; default all that are supported, PER_DECADE per decade
        secondary : str                     "gamma" or "neutrino"
        radiation : RadiationField          what absorbs gamma rays; None: nothing
        weights : mapping                   component -> factor; the others count once

        Raises
        ------
        DataError
            if the result has no such maps or no config, does not support an energy, or has no component
            of the name of a weight.
        """
        gas = gas_of(dataset)
        kinetic_energy = dataset["kinetic_energy"].values.astype(float)
        chosen = default_energies(kinetic_energy, model) if energies is None else np.atleast_1d(energies)
        table = Emissivity.build(
            chosen,
            kinetic_energy,
            model,
            mass_numbers=mass_numbers(dataset),
            secondary=secondary,
            helium_fraction=gas.helium_fraction,
        )
        components = _components(dataset)
        if components:
            fields = [
                EmissionField.of_pions(dataset, table, component=name, name=name) for name in components
            ]
        else:
            fields = [EmissionField.of_pions(dataset, table, name=_whole(dataset))]
        emission = EmissionStack.of(_weighted(fields, weights or {}))
        at_sun = {
            name: 1e-4 * dataset["flux_lis"].sel(species=name).values[:, None] for name in table.matrices
        }
        absorbing = radiation if secondary == "gamma" else None
        return cls(
            emission=emission,
            sight=LineOfSight(
                sun_of(dataset),
                lambda r, z, phi: gas.hydrogen(r, z, phi if "phi" in dataset.dims else None),
                emission.mesh,
                gas.edges,
            ),
            absorption=Absorption.none(chosen.size)
            if absorbing is None
            else Absorption.by(absorbing, np.asarray(chosen, dtype=float)),
            secondary=secondary,
            continued_share=table.continued_share(at_sun)[:, 0],
            even_gas=gas.symmetric,
            attributes={
                "pion_production": model.model_dump_json(),
                "absorption": "none" if absorbing is None else absorbing.model_dump_json(),
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
        return self.emission.names

    def intensity(self, longitude: ArrayLike, latitude: ArrayLike) -> Array:
        """Intensity of every component in directions l, b [deg], shape (n_components, n_energy, n).

        Directions that see the same because the Galaxy is its own mirror image are computed once.
        """
        lon, lat = np.broadcast_arrays(np.atleast_1d(longitude), np.atleast_1d(latitude))
        if self.mirror[0]:
            lon = np.abs((lon + 180.0) % 360.0 - 180.0)
        if self.mirror[1]:
            lat = np.abs(lat)
        seen, where = np.unique(np.round(np.stack([lon, lat]), 9), axis=1, return_inverse=True)
        each = self.sight.intensity(seen[0], seen[1], self.emission, self.absorption)
        return each[..., where.ravel()]

    @property
    def mirror(self) -> tuple[bool, bool]:
        """Whether l and -l, and b and -b, see the same."""
        values = self.emission.values
        in_l = values.shape[1] == 1
        in_b = self.sight.sun.z == 0.0 and self.even_gas and np.array_equal(values, values[:, :, ::-1])
        return in_l, in_b

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
        )

    def region(self, region: Region) -> xr.Dataset:
        """Mean intensity over a region: ``intensity(energy)`` and ``intensity_component(component, energy)``.

        Raises
        ------
        DataError
            if the masks leave nothing of the region.
        """
        values = average(region, self.intensity)
        dataset = self._described(values, ())
        dataset.attrs.update(
            region=region.name, solid_angle_sr=region.solid_angle, masked_discs=len(region.discs)
        )
        return dataset

    def profile(self, regions: Sequence[Region]) -> xr.Dataset:
        """Mean intensities of several regions, with the dimension ``region`` after the energy."""
        values = np.stack([average(one, self.intensity) for one in regions], axis=-1)
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
        dataset = self._described(pixel_means(nside, self.intensity), ("pixel",))
        dataset.attrs.update(pixelisation="HEALPix", nside=nside, ordering="nested", frame="galactic")
        return dataset

    def image(self, step: float) -> xr.DataArray:
        """The whole on a plate-carree grid `step` [deg] apart, dims (energy, latitude, longitude).

        Node values whose interpolation keeps fluxes: see :mod:`cyldiff.observables.image`.
        """
        longitude, latitude = nodes(step)
        return xr.DataArray(
            plate_carree(lambda lon, lat: self.intensity(lon, lat).sum(axis=0), longitude, latitude),
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


def _components(dataset: xr.Dataset) -> list[str]:
    """Source components whose maps the result holds, if there are several."""
    if "flux_component" not in dataset or dataset.sizes["component"] < 2:
        return []
    return [str(name) for name in dataset["component"].values]


def _whole(dataset: xr.Dataset) -> str:
    """Name of what all components radiate together."""
    return str(dataset["component"].values[0]) if dataset.sizes.get("component", 0) == 1 else "diffuse"


def _weighted(fields: list[EmissionField], weights: Mapping[str, float]) -> list[EmissionField]:
    """Fields times their factors."""
    names = [field.name for field in fields]
    unknown = [name for name in weights if name not in names]
    if unknown:
        raise DataError(
            f"no component {quoted(unknown[0])} to weigh; this result has maps of {', '.join(names)}"
            f"{nearest(unknown[0], names)} (components: output.components = true)"
        )
    return [replace(field, values=weights.get(field.name, 1.0) * field.values) for field in fields]


def default_energies(kinetic_energy: Array, model: PionProduction) -> Array:
    """Energies of secondaries [GeV]: PER_DECADE per decade over the range that is supported."""
    low, high = supported(kinetic_energy, model)
    if not 0.0 < low < high:
        # the message of an energy that is not supported has the range
        return np.array([model.energies[0]])
    return np.geomspace(low, high, max(2, round(PER_DECADE * np.log10(high / low)) + 1))


def gas_of(dataset: xr.Dataset) -> GasModel:
    """Gas of the run that made a result.

    Raises
    ------
    DataError
        if the result has no config, or one that this version cannot read.
    """
    try:
        return GasModel.model_validate(_physics(dataset)["gas"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"the gas of this result cannot be read from its config: {error}") from None


def sun_of(dataset: xr.Dataset) -> Sun:
    """Place of the Sun in the run that made a result.

    Raises
    ------
    DataError
        if the result has no config, or one that this version cannot read.
    """
    try:
        observer = _physics(dataset)["observer"]
        return Sun(*(parse_quantity(observer[key], "length") for key in ("r", "z")))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"the place of the Sun cannot be read from the config of this result: {error}"
        ) from None


def _physics(dataset: xr.Dataset) -> dict[str, Any]:
    return dict(tomllib.loads(str(dataset.attrs["config"]))["physics"])

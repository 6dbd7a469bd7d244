"""Gamma rays of the gas around the sources of a file of ``cyldiff sources``, for the sky of a result."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.errors import DataError
from cyldiff.observables.gamma import DiffuseSky
from cyldiff.observables.local_transport import same_model
from cyldiff.observables.source_emission import SourceField
from cyldiff.sources.at_sun import to_intensity
from cyldiff.sources.catalogue import Catalogue
from cyldiff.sources.catalogue_file import load_catalogue_mapping
from cyldiff.sources.model import as_model
from cyldiff.sources.propagation import propagation_at_sun
from cyldiff.sources.segments import Segments
from cyldiff.sources.superposition import summed

__all__ = ["add_sources", "catalogue_of"]

Array = NDArray[np.float64]
_PER_CM2 = 1e-4  # m^-2 to cm^-2


def add_sources(sky: DiffuseSky, result: xr.Dataset, sources: xr.Dataset) -> DiffuseSky:
    """The sky of a result with the gas around point sources, each a component.

    The density of each source is that of its closed form (halo or free space, as in the file), at the energies
    of the result, all over the halo.

    Parameters
    ----------
    sky : DiffuseSky            of `result`
    result : xarray.Dataset     of a run, at one time
    sources : xarray.Dataset    of :func:`cyldiff.source_fluxes`

    Raises
    ------
    DataError
        if the sources were made with another model than the result, or with a kernel that is known at the Sun
        only.
    """
    same_model(result, sources)
    kernel = str(sources.attrs.get("kernel", ""))
    if kernel not in ("halo", "free"):
        raise DataError(
            "the response of the grid is known at the Sun only, gamma rays need the density everywhere; make the "
            "file of sources with --kernel halo or --kernel free"
        )
    if str(sources.attrs.get("edge", "none")) != "none":
        raise DataError(
            "gamma rays around sources leave the edge out; make the file of sources without --edge"
        )
    catalogue = catalogue_of(sources)
    physics = as_model(result).physics
    segments, sun = catalogue.segments(physics.observer), physics.observer
    table = sky.table({s.name: s.A for s in catalogue.species})
    energy = table.kinetic_energy
    spectra = catalogue.spectra(catalogue.species, energy)
    travels = [propagation_at_sun(physics, s, energy, kernel=kernel) for s in catalogue.species]
    height = physics.halo.half_height if kernel == "halo" else np.inf
    found = []
    for number, (name, place) in enumerate(zip(catalogue.names, catalogue.positions(sun), strict=True)):
        own = _of_source(segments, number)

        def flux(points: Array, own: Segments = own) -> Mapping[str, Array]:
            return {
                nucleus.name: _PER_CM2
                * to_intensity(nucleus, energy)[:, None]
                * np.asarray(summed(own, spectra[:, i], points, travels[i]))
                for i, nucleus in enumerate(catalogue.species)
                if nucleus.name in table.matrices
            }

        found.append(SourceField.of(name, place, flux, table, height))
    return sky.with_sources(found)


def catalogue_of(sources: xr.Dataset) -> Catalogue:
    """The catalogue that a file of sources was made from.

    Raises
    ------
    DataError
        if the file does not hold it.
    """
    try:
        raw = tomllib.loads(str(sources.attrs["catalogue"]))
    except (KeyError, ValueError):
        raise DataError(
            "the file of sources does not hold its catalogue; make it with `cyldiff sources`"
        ) from None
    return load_catalogue_mapping(raw, source=str(sources.attrs.get("catalogue_source", "catalogue")))


def _of_source(segments: Segments, number: int) -> Segments:
    """The pieces of one source."""
    mine = segments.source == number
    return Segments(**{f.name: getattr(segments, f.name)[mine] for f in fields(Segments)})

"""Sky maps as files: FITS that gammapy and the Fermi tools read, and NetCDF.

The FITS file follows the convention of the Fermi-LAT templates of diffuse emission:

* the primary image is a plate-carree (CAR) grid in Galactic coordinates, with the energies in the table
  ``ENERGIES`` [MeV]; ``gammapy.maps.Map.read`` and ``TemplateSpatialModel`` take it as it is. Its values are those
  whose interpolation keeps fluxes (:mod:`cyldiff.observables.image`);
* the table ``SKYMAP`` holds the means over HEALPix pixels, nested order, one column per energy. gammapy reads it
  with ``Map.read(file, hdu="SKYMAP")`` if healpy is installed, which cyldiff does not need.

"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from cyldiff.errors import DataError, nearest
from cyldiff.io.netcdf import write_result
from cyldiff.io.provenance import software
from cyldiff.io.whole import write_whole

if TYPE_CHECKING:
    from cyldiff.observables.gamma import DiffuseSky

__all__ = ["FORMATS", "map_path", "save_sky", "write_sky"]

FORMATS = ("fits", "nc")
_MEV = 1e3  # MeV per GeV
_BUNIT = "cm-2 s-1 MeV-1 sr-1"


def map_path(path: Path) -> str:
    """Format of a map by the ending of its name.

    Raises
    ------
    DataError
        for another one.
    """
    ending = path.name.rpartition(".")[2].lower() if "." in path.name else ""
    if ending not in FORMATS:
        raise DataError(
            f'{path}: map format "{ending}" unknown; known: {", ".join(FORMATS)}{nearest(ending, FORMATS)}'
        )
    return ending


def save_sky(sky: DiffuseSky, path: str | Path, *, nside: int = 64) -> None:
    """Write a diffuse sky as a map.

    Parameters
    ----------
    sky : of :func:`cyldiff.diffuse_sky`
    path : .fits, which gammapy and the Fermi tools read, or .nc
    nside : HEALPix resolution, a power of two; the CAR image has pixels of 32/nside deg

    Raises
    ------
    DataError
        for another format or nside, without ``astropy-healpix``, or if the file cannot be written.
    """
    path = Path(path)
    wants_image = map_path(path) != "nc"
    pixels = sky.pixels(nside)
    write_sky(pixels, sky.image(32.0 / nside, pixels) if wants_image else None, path)


def write_sky(pixels: xr.Dataset, image: xr.DataArray | None, path: Path) -> None:
    """Write a map; an older file stays until the new one is complete.

    Parameters
    ----------
    pixels : xarray.Dataset     of :meth:`cyldiff.observables.gamma.DiffuseSky.pixels`
    image : xarray.DataArray    of :meth:`~cyldiff.observables.gamma.DiffuseSky.image`; not needed for NetCDF
    path : Path                 .fits or .nc

    Raises
    ------
    DataError
        for another format, or if the file cannot be written.
    """
    if map_path(path) == "nc":
        single = {name: variable.astype(np.float32) for name, variable in _large(pixels).items()}
        write_result(pixels.assign(single).assign_attrs(_made()), path)
        return
    if image is None:
        raise DataError(f"{path}: a FITS map needs the image too")
    _write_fits(_hdus(pixels, image), path)


def _made() -> dict[str, Any]:
    """Versions and tables; a map has no time of its own."""
    return {
        k: v for k, v in software(seconds=0.0).items() if k not in ("wall_seconds", "peak_memory_MB", "seeds")
    }


def _large(dataset: xr.Dataset) -> dict[Any, xr.DataArray]:
    return {name: variable for name, variable in dataset.items() if "pixel" in variable.dims}


def _hdus(pixels: xr.Dataset, image: xr.DataArray) -> Any:
    from astropy.io import fits

    energy = image["energy"].values
    primary = fits.PrimaryHDU(np.asarray(image.values / _MEV, dtype=np.float32))
    longitude, latitude = image["longitude"].values, image["latitude"].values
    primary.header.update(
        CTYPE1="GLON-CAR", CRPIX1=(longitude.size + 1) / 2, CRVAL1=0.0, CDELT1=float(longitude[1] - longitude[0]),
        CUNIT1="deg", CTYPE2="GLAT-CAR", CRPIX2=(latitude.size + 1) / 2, CRVAL2=0.0,
        CDELT2=float(latitude[1] - latitude[0]), CUNIT2="deg", CTYPE3="photon energy", CRPIX3=1.0,
        CRVAL3=float(energy[0] * _MEV), CDELT3=float((energy[1] - energy[0]) * _MEV) if energy.size > 1 else 1.0,
        CUNIT3="MeV", BUNIT=_BUNIT, OBJECT=str(pixels.attrs["secondary"]), CREATOR="cyldiff",
    )  # fmt: skip
    for text in (f"{key}: {pixels.attrs[key]}" for key in ("pion_production", "absorption")):
        primary.header.add_history(text)
    made = _made()
    primary.header.add_history(f"cyldiff {made['cyldiff_version']} {made['cyldiff_commit']}".strip())
    energies = fits.BinTableHDU.from_columns(
        [fits.Column("Energy", "D", unit="MeV", array=energy * _MEV)], name="ENERGIES"
    )
    values = np.asarray(pixels["intensity"].values / _MEV, dtype=np.float32)
    columns = [
        fits.Column(f"ENERGY{number}", "E", unit=_BUNIT, array=row)
        for number, row in enumerate(values, start=1)
    ]
    healpix = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    nside = int(pixels.attrs["nside"])
    healpix.header.update(
        PIXTYPE="HEALPIX", ORDERING="NESTED", NSIDE=nside, ORDER=nside.bit_length() - 1, COORDSYS="GAL",
        FIRSTPIX=0, LASTPIX=12 * nside**2 - 1, INDXSCHM="IMPLICIT", OBJECT="FULLSKY", BUNIT=_BUNIT,
        HPX_CONV="FGST-TEMPLATE",
    )  # fmt: skip
    return fits.HDUList([primary, energies, healpix])


def _write_fits(hdus: Any, path: Path) -> None:
    buffer = io.BytesIO()
    hdus.writeto(buffer, checksum=True)
    write_whole(path, buffer.getvalue())

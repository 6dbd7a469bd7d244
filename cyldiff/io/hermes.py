"""Maps of cosmic rays as a FITS file that HERMES reads as ``Dragon2D`` or ``Dragon3D``.

HERMES (Dundovic et al. 2021, A&A 653, A18) reads the layout of DRAGON: a primary header with the grid, then one
image per species with its charge ``Z_`` and mass number ``A``. An image holds intensities in
GeV^-1 m^-2 s^-1 sr^-1, per energy per nucleon as DRAGON stores them, the kinetic energy per nucleon running fastest,
then r (or x, y), then z. Energies are ``Ekmin Ekin_fac^i`` [GeV]; lengths are in kpc. HERMES turns an intensity into a
density with 4 pi/c, and puts the Sun at 8.5 kpc unless it is told another place.

What HERMES takes the header to mean differs from a grid of points between ``rmin`` and ``rmax`` (its classes
``Dragon2D``, ``Dragon3D`` and ``Grid``, on GitHub): with the step d = (max - min)/(n - 1) a sample i lies at

    origin + (i + 1/2) d,      origin = zmin, xmin, ymin, but -rmax for r, whatever rmin is,

and the grid goes on periodically. The file is written so that this is right: rmin = -rmax (a diameter, of which r >= 0
is used), n even, so that one sample lies on the axis and one in the plane, and the last samples, d/2 beyond the
surface, zero. In three dimensions the Sun of HERMES is at +x and l = 90 deg points to -y: our x and y are turned
by 180 deg.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.errors import DataError
from cyldiff.io.ecsv import origin_of
from cyldiff.io.whole import write_whole
from cyldiff.observables.resample import Resampling
from cyldiff.observables.surroundings import sun_of

__all__ = ["HermesGrid", "hermes_axis", "write_hermes"]

Array = NDArray[np.float64]

#: largest file that is written [bytes]
_LARGEST = 8e9


def hermes_axis(half: float, step: float) -> Array:
    """Places [kpc] that HERMES gives to the samples of an axis from -half to half, at most `step` apart.

    The number is even: one sample lies on 0, the last half a step beyond `half`.
    """
    n = 2 * int(np.ceil(half / step - 1e-9)) + 2
    d = 2.0 * half / (n - 1)
    return np.asarray(-half + (np.arange(n) + 0.5) * d)


@dataclass(frozen=True)
class HermesGrid:
    """Where samples go.

    Attributes
    ----------
    radius, half_height : of the halo [kpc]
    step_r, step_z : largest distance of samples along r (or x and y) and z [kpc]
    three_dimensions : Dragon3D instead of Dragon2D
    """

    radius: float
    half_height: float
    step_r: float
    step_z: float
    three_dimensions: bool

    @classmethod
    def of(cls, dataset: xr.Dataset, step_r: float | None = None, step_z: float | None = None) -> HermesGrid:
        """Grid of a result; default steps 0.25 and 0.1 kpc, in three dimensions 0.5 and 0.2 kpc."""
        around = "phi" in dataset.dims
        return cls(
            float(dataset["r_bounds"].values.max()), float(dataset["z_bounds"].values.max()),
            step_r or (0.5 if around else 0.25), step_z or (0.2 if around else 0.1), around,
        )  # fmt: skip

    @property
    def across(self) -> Array:
        """Samples along r, or x and y."""
        return hermes_axis(self.radius, self.step_r)

    @property
    def heights(self) -> Array:
        """Samples along z."""
        return hermes_axis(self.half_height, self.step_z)

    @property
    def samples(self) -> int:
        """Samples per energy."""
        return self.across.size ** (2 if self.three_dimensions else 1) * self.heights.size

    def header(self, energy: Array) -> dict[str, Any]:
        """Cards of the primary header."""
        n = self.across.size
        limits = {"min": -self.radius, "max": self.radius}
        names = ("x", "y") if self.three_dimensions else ("r",)
        cards: dict[str, Any] = {f"{a}{end}": value for a in names for end, value in limits.items()}
        cards |= {f"dim{a}": n for a in names}
        cards |= {"zmin": -self.half_height, "zmax": self.half_height, "dimz": self.heights.size}
        factor = float((energy[-1] / energy[0]) ** (1.0 / (energy.size - 1)))
        return cards | {"Ekmin": float(energy[0]), "Ekin_fac": factor, "dimE": energy.size}

    def resampling(self, dataset: xr.Dataset) -> Resampling:
        """From the cells of a result to the samples; in three dimensions x is fastest, then y.

        Raises
        ------
        DataError
            for a slab, which is no map.
        """
        if dataset.sizes.get("r", 1) == 1:
            raise DataError("the result of a slab has no map in r")
        places = self.across
        if not self.three_dimensions:
            return Resampling.of(dataset, np.abs(places), np.zeros(places.size), self.heights)
        x, y = -places[None, :], -places[:, None]
        r, phi = np.hypot(x, y).ravel(), np.arctan2(y, x + 0.0 * y).ravel()
        return Resampling.of(dataset, r, phi, self.heights)


def write_hermes(
    dataset: xr.Dataset,
    path: str | Path,
    *,
    species: Sequence[str] | None = None,
    grid: HermesGrid | None = None,
) -> None:
    """Write the maps of species of a result at one time, for HERMES.

    Parameters
    ----------
    dataset : a result at one time, with maps (``flux``)
    path : .fits or .fits.gz
    species : nuclides and leptons; default all of the result
    grid : where samples go; default :meth:`HermesGrid.of`

    Raises
    ------
    DataError
        if the result holds no maps, the file would be too large, or it cannot be written.
    """
    from astropy.io import fits

    if "flux" not in dataset:
        raise DataError('the result holds no maps; run it with output.quantities = ["flux"]')
    path, grid = Path(path), HermesGrid.of(dataset) if grid is None else grid
    species = [str(name) for name in dataset["species"].values] if species is None else species
    energy = dataset["kinetic_energy"].values
    size = 4.0 * grid.samples * energy.size * len(species)
    if size > _LARGEST:
        raise DataError(f"{path}: would have {size / 1e9:.0f} GB; expected fewer species or larger steps")
    resampling = grid.resampling(dataset)
    primary = fits.PrimaryHDU()
    for key, value in grid.header(energy).items():
        primary.header[key.upper()] = value
    primary.header["CREATOR"] = "cyldiff"
    primary.header["BUNIT"] = "GeV-1 m-2 s-1 sr-1"
    sun = sun_of(dataset)
    primary.header["RSUN"] = (sun.r, "[kpc] HERMES takes 8.5 unless it is told")
    primary.header["ZSUN"] = (sun.z, "[kpc]")
    for key, text in origin_of(dataset).items():
        if key not in ("tables", "config"):
            primary.header.add_history(f"{key}: {text}".encode("ascii", "replace").decode())
    hdus = [primary]
    for name in species:
        cells = dataset["flux"].sel(species=name).transpose("kinetic_energy", "r", ..., "z").values
        values = resampling(cells)  # energy, plane, z
        shape = (energy.size, *([grid.across.size] * (2 if grid.three_dimensions else 1)), grid.heights.size)
        # fits counts backwards: z slowest, energy fastest
        ordered = np.moveaxis(np.moveaxis(values.reshape(shape), -1, 0), 1, -1)
        image = fits.ImageHDU(np.ascontiguousarray(ordered, dtype=np.float32), name=name)
        image.header["Z_"] = int(dataset["charge"].sel(species=name))
        image.header["A"] = int(dataset["mass_number"].sel(species=name))
        hdus.append(image)
    stream = io.BytesIO()
    fits.HDUList(hdus).writeto(stream, checksum=True)
    content = stream.getvalue()
    write_whole(path, gzip.compress(content, mtime=0) if path.name.lower().endswith(".gz") else content)

"""Which sources a survey of gamma rays resolves, and the part of the sky that is hidden around them.

A source is detected if its energy flux E^2 F at one energy reaches

    S(theta, dec) = S_pt sqrt(1 + theta^2 / theta_psf^2) X(dec)

with the point-source sensitivity S_pt, the extent theta of the source (a background that grows with the solid
angle), the point spread theta_psf, and X = 1 or the loss of exposure at a declination. Around a detected source a
disc of radius n sqrt(theta^2 + theta_psf^2), n = 2.5, is hidden: the rule of Cao et al. (LHAASO) 2023, PRL 131,
151001, for their measurement of diffuse emission.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from cyldiff.config.base import Model, Number, Quantity
from cyldiff.errors import DataError
from cyldiff.galaxy.coordinates import galactic_to_equatorial
from cyldiff.resources import no_file

if TYPE_CHECKING:
    from cyldiff.observables.regions import Disc

__all__ = ["Detection", "Extent", "exposure", "extent_of", "mask_discs", "read_sensitivity"]

Array = NDArray[np.float64]

#: zenith angle up to which a transit counts, and the latitude of LHAASO [deg] (Cao et al. 2019, arXiv:1905.02773)
ZENITH, LATITUDE = 50.0, 29.36
_LARGEST_DISC = 90.0


class Detection(Model):
    """What a survey detects."""

    energy: Quantity("energy") = Field(gt=0, description="gamma-ray energy of the sensitivity")  # type: ignore[valid-type]
    sensitivity: Quantity("energy flux") | None = Field(  # type: ignore[valid-type]
        default=None, gt=0, description="E^2 F of the weakest point source that is detected, at `energy`"
    )
    curve: str = Field(
        default="",
        description="instead of `sensitivity`: CSV file with the columns energy [GeV] and flux [erg cm^-2 s^-1]",
    )
    point_spread: Quantity("angle") = Field(gt=0, le=10, description="radius of the point spread")  # type: ignore[valid-type]
    extent: Literal["containment", "diffusion", "best"] = Field(
        default="containment",
        description="extent of a source: radius around the `containment` of its emission, sqrt(4 D t) / d "
        '("diffusion"), or the radius inside which it is most significant ("best"); the flux is that of the whole '
        'halo, for "best" that inside the radius',
    )
    containment: Number = Field(
        default=0.68, gt=0, lt=1, description="part of the emission inside the extent"
    )
    candidates: Literal["active", "young"] = Field(
        default="active",
        description='sources that can be detected: those that are on, or all that are followed one by one ("young")',
    )
    declination_min: Quantity("angle") = Field(  # type: ignore[valid-type]
        default=-90.0, ge=-90, le=90, description="southern limit of the survey"
    )
    declination_max: Quantity("angle") = Field(  # type: ignore[valid-type]
        default=90.0, ge=-90, le=90, description="northern limit of the survey"
    )
    exposure: Literal["uniform", "transit"] = Field(
        default="uniform",
        description="the same at all declinations, or by the transit within 50 deg of the zenith of LHAASO: "
        "S_pt holds at the best declination and rises as the inverse of the exposure",
    )
    mask_factor: Number = Field(
        default=2.5, ge=0, le=20, description="n of the radius n sqrt(extent^2 + spread^2) that is hidden"
    )

    def point_sensitivity(self) -> float:
        """S_pt at `energy` [erg cm^-2 s^-1].

        Raises
        ------
        DataError
            if the curve cannot be read or does not reach the energy.
        """
        if self.sensitivity is not None:
            return float(self.sensitivity)
        energy, flux = read_sensitivity(Path(self.curve))
        if not energy[0] <= self.energy <= energy[-1]:
            raise DataError(
                f"{self.curve}: reaches from {energy[0]:g} to {energy[-1]:g} GeV; expected {self.energy:g} GeV inside"
            )
        return float(np.exp(np.interp(np.log(self.energy), np.log(energy), np.log(flux))))

    def threshold(self, extent: ArrayLike, longitude: ArrayLike, latitude: ArrayLike) -> Array:
        """Energy flux that a source needs [erg cm^-2 s^-1]; infinite outside the field of view.

        Parameters
        ----------
        extent, longitude, latitude : array_like        [deg]; Galactic
        """
        _, declination = galactic_to_equatorial(longitude, latitude)
        seen = (declination >= self.declination_min) & (declination <= self.declination_max)
        with np.errstate(divide="ignore"):
            loss = 1.0 / exposure(declination) if self.exposure == "transit" else np.ones(declination.shape)
        size = np.sqrt(1.0 + (np.asarray(extent, dtype=float) / self.point_spread) ** 2)
        return np.asarray(np.where(seen, self.point_sensitivity() * size * loss, np.inf))


@dataclass(frozen=True, slots=True)
class Extent:
    """Size of a source [deg] and its energy flux inside what counts, in the unit of the weights."""

    radius: float
    flux: float


def read_sensitivity(path: Path) -> tuple[Array, Array]:
    """Energies [GeV] and energy fluxes [erg cm^-2 s^-1] of a curve, energies increasing.

    Raises
    ------
    DataError
        if the file has no such columns, or numbers that are no curve.
    """
    if reason := no_file(path):
        raise DataError(f"{path}: {reason}")
    try:
        lines = path.read_text("utf-8-sig").splitlines()
        rows = list(csv.DictReader(line for line in lines if line[:1] != "#"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(rows) < 2 or any(name not in rows[0] for name in ("energy", "flux")):
        raise DataError(
            f"{path}: expected two rows at least of energy [GeV], flux [erg cm^-2 s^-1], named so"
        )
    try:
        energy, flux = (np.array([float(row[name]) for row in rows]) for name in ("energy", "flux"))
    except (TypeError, ValueError):
        raise DataError(f"{path}: energy and flux are not numbers only") from None
    good = np.isfinite(energy) & np.isfinite(flux) & (energy > 0.0) & (flux > 0.0)
    if not good.all() or not np.all(np.diff(energy) > 0.0):
        raise DataError(f"{path}: expected positive numbers, the energies increasing")
    return energy, flux


def exposure(declination: ArrayLike, *, latitude: float = LATITUDE, zenith: float = ZENITH) -> Array:
    """Exposure of a ground array to a declination [deg], 1 at the best one: time above the limit times cos(zenith).

    int dh cos(theta) over the hour angles with theta < `zenith`; cos theta = sin l sin d + cos l cos d cos h.
    """
    best = _transit(
        np.radians(np.linspace(-90.0, 90.0, 3601)), np.radians(latitude), np.radians(zenith)
    ).max()
    d = np.radians(np.asarray(declination, dtype=float))
    return np.asarray(_transit(d, np.radians(latitude), np.radians(zenith)) / best)


def _transit(d: Array, latitude: float, zenith: float) -> Array:
    a, b = np.sin(latitude) * np.sin(d), np.cos(latitude) * np.cos(d)
    with np.errstate(divide="ignore", invalid="ignore"):
        hour = np.arccos(np.clip((np.cos(zenith) - a) / b, -1.0, 1.0))
    return np.asarray(2.0 * (a * hour + b * np.sin(hour)))


def extent_of(
    rule: Detection, angle: ArrayLike, weight: ArrayLike, *, diffusion_length: float, distance: float
) -> Extent:
    """Size of a source and its flux inside what counts, by the rule of a survey.

    Parameters
    ----------
    angle, weight : array_like, shape (n,)      emission: its distance to the source on the sky [deg], and how much
    diffusion_length : float                    sqrt(4 D t) [kpc]
    distance : float                            of the source [kpc]
    """
    order = np.argsort(angle, kind="stable")
    radius = np.asarray(angle, dtype=float)[order]
    inside = np.cumsum(np.asarray(weight, dtype=float)[order])
    total = float(inside[-1])
    if rule.extent == "diffusion":
        return Extent(float(np.degrees(np.arctan2(diffusion_length, distance))), total)
    if rule.extent == "best":
        best = int(np.argmax(inside / np.sqrt(1.0 + (radius / rule.point_spread) ** 2)))
        return Extent(float(radius[best]), float(inside[best]))
    return Extent(float(radius[np.searchsorted(inside, rule.containment * total)]), total)


def mask_discs(rule: Detection, longitude: Array, latitude: Array, extent: Array) -> tuple[Disc, ...]:
    """Discs around detected sources, all arguments in degrees, shape (n,)."""
    from cyldiff.observables.regions import Disc  # with the compiler, which reading a config does not need

    radius = np.minimum(rule.mask_factor * np.hypot(extent, rule.point_spread), _LARGEST_DISC)
    rows = zip(longitude, latitude, radius, strict=True)
    return tuple(Disc(float(lon), float(lat), float(r)) for lon, lat, r in rows if r > 0.0)

"""Fig. 10: where the microquasar may be, and which X-ray binaries are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from cyldiff.galaxy.xray_binaries import CATALOGUES, Binaries, load_binaries
from cyldiff.papers.items import claim, open_item
from cyldiff.papers.nie_2026.joint import PRINTED, JointFits
from cyldiff.papers.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["NAMED", "Region", "candidates", "in_box", "region"]

Array = NDArray[np.float64]

#: candidates of section 3, with the J that three of them lack in print
NAMED = ("IGR J16195-4945", "IGR J16374-5043", "IGR J16465-4507", "IGR J17544-2619", "XTE J1650-500")
#: latitudes that count [deg]
LATITUDE = 5.0
#: probabilities inside the contours
LEVELS = (0.683, 0.954)
_DRAWS = 4000


@dataclass(frozen=True)
class Region:
    """The posterior in longitude and distance.

    Attributes
    ----------
    density : of (l [deg], d [kpc]), l around the median
    levels : densities on the contours of :data:`LEVELS`
    centre : median longitude [deg]
    """

    density: gaussian_kde
    levels: Array
    centre: float

    def inside(self, longitude: Array, distance: Array, which: int) -> NDArray[np.bool_]:
        """Which places are within a contour."""
        places = np.stack([self.wrapped(longitude), np.asarray(distance, dtype=float)])
        return np.asarray(self.density(places) >= self.levels[which])

    def wrapped(self, longitude: Array) -> Array:
        """Longitudes within 180 deg of the median."""
        return np.asarray((np.asarray(longitude) - self.centre + 180.0) % 360.0 + self.centre - 180.0)


def region(longitude: Array, distance: Array) -> Region:
    """Contours that hold a share of the draws, from a smoothed density (Hyndman 1996).

    Parameters
    ----------
    longitude, distance : draws, shape (n,) [deg, kpc]
    """
    angle = np.radians(longitude)
    centre = float(np.degrees(np.arctan2(np.sin(angle).mean(), np.cos(angle).mean())))
    step = max(1, len(longitude) // _DRAWS)
    wrapped = (longitude[::step] - centre + 180.0) % 360.0 + centre - 180.0
    places = np.stack([wrapped, distance[::step]])
    density = gaussian_kde(places)
    levels = np.quantile(density(places), 1.0 - np.array(LEVELS))
    return Region(density, levels, centre)


def in_box(binaries: Binaries) -> NDArray[np.bool_]:
    """Binaries within the printed errors of longitude and distance, near the plane."""
    inside = np.abs(binaries.latitude) < LATITUDE
    for value, (middle, down, up) in (
        (binaries.longitude, PRINTED["l"]), (binaries.distance, PRINTED["distance"]),
    ):  # fmt: skip
        off = value - middle
        if middle == PRINTED["l"][0]:
            off = (off + 180.0) % 360.0 - 180.0
        inside &= (off >= -down) & (off <= up)
    return np.asarray(inside)


def candidates(study: Study, fits: JointFits) -> None:
    """Which binaries are in the printed region, and in ours."""
    binaries = {name: load_binaries(name) for name in CATALOGUES}
    found = region(fits.of("l"), fits.of("distance"))
    printed = [str(n) for one in binaries.values() for n in one.name[in_box(one)]]
    named = [name for name in NAMED if name in printed]
    study.add(
        claim(
            "Fig. 10: candidates within the printed errors of l and d", ", ".join(NAMED),
            f"{len(named)} of {len(NAMED)}",
            holds=len(named) == len(NAMED), tolerance="all",
            note=f"{len(printed)} binaries with |b| < 5 deg lie in that box; the paper names {len(NAMED)} of them. "
            "The contour of Fig. 7 is not printed as numbers and may be smaller.",
        )
    )  # fmt: skip
    for which, sigma in enumerate(("1 sigma", "2 sigma")):
        names = [
            str(n)
            for one in binaries.values()
            for n in one.name[
                found.inside(one.longitude, one.distance, which) & (np.abs(one.latitude) < LATITUDE)
            ]
        ]
        shown = [name for name in NAMED if name in names]
        study.add(
            open_item(
                f"Fig. 10: candidates within our {sigma} contour", "5 within 1 sigma" if which == 0 else "not printed",
                f"{len(shown)} of {len(NAMED)}; {len(names)} binaries in all",
                missing="the contour hangs on the data that are fitted, see Fig. 7.",
            )
        )  # fmt: skip

    def figure() -> Figure:
        from cyldiff.papers.nie_2026.figures import map_figure

        return map_figure(found, binaries)

    study.figure("fig10", "Fig. 10: contours of the posterior with X-ray binaries", figure)

"""Discs around catalogued objects, to be left out of diffuse emission.

The radius is n sqrt(sigma_ext^2 + sigma_psf^2) with n = 2.5 and the point spread of LHAASO-KM2A, about 0.3 deg at
100 TeV, as in the measurement of diffuse emission by Cao et al. (LHAASO) 2023, PRL 131, 151001. Where a catalogue
gives no extension the object counts as a point.
"""

from __future__ import annotations

import numpy as np

from cyldiff.errors import DataError
from cyldiff.galaxy.coordinates import Place, seen_from_sun
from cyldiff.observables.regions import Disc
from cyldiff.sources.catalogue_file import load_catalogue

__all__ = ["FACTOR", "POINT_SPREAD", "discs_around"]

#: n of the rule, and the point spread [deg] (Cao et al. 2023)
FACTOR, POINT_SPREAD = 2.5, 0.3


def discs_around(
    name: str, sun: Place, *, factor: float = FACTOR, point_spread: float = POINT_SPREAD
) -> tuple[Disc, ...]:
    """Discs around the objects of a catalogue.

    Of a catalogue that says what was measured (column ``data.significance``) only objects of at least 4 standard
    deviations count. Their extension is ``data.extension`` [deg].

    Raises
    ------
    ConfigError    if the catalogue is not valid
    DataError      if nothing of it counts
    """
    catalogue = load_catalogue(name, objects=True)
    discs = []
    for source in catalogue.sources:
        if _number(source.data.get("significance"), 4.0) < 4.0:
            continue
        longitude, latitude, _ = seen_from_sun(source.place(sun), sun)
        radius = factor * np.hypot(_number(source.data.get("extension"), 0.0), point_spread)
        discs.append(Disc(float(longitude), float(latitude), float(radius)))
    if not discs:
        raise DataError(f"no object of {name} is significant enough to be masked")
    return tuple(discs)


def _number(value: object, otherwise: float) -> float:
    """A number, or one with a unit of degrees; `otherwise` where there is none."""
    try:
        return float(str(value).removesuffix("deg"))
    except ValueError:
        return otherwise

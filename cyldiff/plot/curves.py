"""What is drawn, as numbers: abscissae, model curves and potentials of a panel. No matplotlib here."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.data.measurements import Measurement
from cyldiff.observables.ratios import ratio
from cyldiff.observables.spectra import default_abscissae, members, spectrum
from cyldiff.plot.request import Modulation, Panel

__all__ = ["SPECTRAL_POWER", "curve", "curve_range", "distinct_potentials", "power_of"]

Array = NDArray[np.float64]

#: spectra are shown times the abscissa to this power
SPECTRAL_POWER = 2.7
_CURVE_POINTS = 400
#: range shown where there are no data, in the unit of the abscissa
_BARE_RANGE = (0.3, 1.0e5)


def power_of(panel: Panel) -> float:
    """Power of the abscissa that ordinates are multiplied with.

    2.7 for a spectrum; 0 for a ratio, and for data from outside the heliosphere, which lie below
    1 GeV/n where a factor E^2.7 hides everything but itself.
    """
    interstellar = bool(panel.measurements) and all(m.interstellar for m in panel.measurements)
    return 0.0 if panel.denominator or interstellar else SPECTRAL_POWER


def curve_range(dataset: xr.Dataset, panel: Panel) -> Array:
    """Abscissae of the curves: the range of the data and beyond, within what the result covers."""
    below = members(dataset, panel.denominator) if panel.denominator else ()
    names = (*members(dataset, panel.numerator), *below)
    whole = default_abscissae(dataset, names, panel.abscissa, points=2)
    low, high = _BARE_RANGE
    if panel.measurements:
        low = min(float(m.x[0]) for m in panel.measurements) / 3.0
        high = max(float(m.x[-1]) for m in panel.measurements) * 5.0
    low, high = max(low, float(whole[0])), min(high, float(whole[-1]))
    if not low < high:  # data and result do not overlap: show the result
        low, high = float(whole[0]), float(whole[-1])
    x: Array = np.geomspace(low, high, _CURVE_POINTS)
    x[0], x[-1] = low, high
    return x


def curve(dataset: xr.Dataset, panel: Panel, x: Array, *, potential: float, power: float) -> Array:
    """Ratio, or intensity times `x` to the power, at `x`; NaN outside the result."""
    axis = panel.abscissa.name
    if panel.denominator:
        return ratio(
            dataset, panel.numerator, panel.denominator, abscissa=axis, x=x, potential=potential
        ).to_numpy()
    intensity = spectrum(dataset, panel.numerator, abscissa=axis, x=x, potential=potential)
    return intensity.to_numpy() * x**power


def distinct_potentials(measurements: Iterable[Measurement], modulation: Modulation) -> list[float]:
    """Potentials [GV] of the data shown, that of most points first.

    The general one if there are no data; none at all if every point is interstellar.
    """
    measurements = tuple(measurements)
    if not measurements:
        return [modulation.potential_for("")]
    points: dict[float, int] = {}
    for m in measurements:
        if not m.interstellar:
            phi = modulation.potential_for(m.experiment)
            points[phi] = points.get(phi, 0) + len(m)
    return sorted(points, key=lambda phi: -points[phi])

"""The spectral energy distribution of a source with its components and measured points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.data.seds import SedPoints
from cyldiff.observables.single_source import Sed
from cyldiff.plot.output import figure_path, save_figure
from cyldiff.plot.style import MARKERS, SEQUENCE, line_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_sed", "sed_figure"]

#: units of the abscissa by their size [GeV]
_UNITS = ((1e-9, "eV"), (1e-6, "keV"), (1e-3, "MeV"), (1.0, "GeV"), (1e3, "TeV"), (1e6, "PeV"))
#: decades shown below the highest curve or point
_DEPTH = 4.0


def draw_sed(spectrum: Sed, *, path: str | Path, data: Sequence[SedPoints] = (), title: str = "") -> Figure:
    """Draw a spectrum with its parts and points and write the figure.

    Raises
    ------
    DataError
        if the format is unknown or the file cannot be written.
    CyldiffError
        if matplotlib is not installed.
    """
    target = figure_path(path)
    return save_figure(lambda: sed_figure(spectrum, data=data, title=title), target)


def sed_figure(spectrum: Sed, *, data: Sequence[SedPoints] = (), title: str = "") -> Figure:
    """E^2 dN/dE against E, the sum and every part; points with errors, limits as arrows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.2, 4.6), layout="constrained")
    axes = figure.add_subplot()
    scale, unit = _unit(spectrum.energy)
    e = spectrum.energy / scale
    shown = {n: flux for n, flux in spectrum.parts.items() if _visible(spectrum.of(flux), spectrum.sed)}
    several = len(shown) > 1
    axes.plot(e, spectrum.sed, color="k", lw=1.8, label="sum" if several else next(iter(shown), "sum"))
    for i, (name, flux) in enumerate(shown.items() if several else ()):
        axes.plot(e, spectrum.of(flux), lw=1.3, label=name, **line_of(1 + i % (len(SEQUENCE) - 1)))
    for i, points in enumerate(data):
        _points(axes, points, scale, MARKERS[i % len(MARKERS)], SEQUENCE[-1 - i % (len(SEQUENCE) - 1)])
    values = np.concatenate([spectrum.sed, *(points.sed for points in data)])
    top = float(np.max(values))
    axes.set(xscale="log", yscale="log", xlim=(e[0], e[-1]))
    axes.set_ylim(max(top * 10.0**-_DEPTH, 0.2 * float(np.min(values))), 3.0 * top)
    axes.set(
        xlabel=f"Photon energy $E$ [{unit}]",
        ylabel=r"$E^2\,\mathrm{d}N/\mathrm{d}E$ [erg cm$^{-2}$ s$^{-1}$]",
    )
    axes.set_title(title, fontsize=11)
    axes.legend()
    return figure


def _points(axes: Axes, points: SedPoints, scale: float, marker: str, colour: str) -> None:
    measured, limit = ~points.upper_limit, points.upper_limit
    style: Any = {"fmt": marker, "color": colour, "ms": 4.5}
    axes.errorbar(
        points.energy[measured] / scale,
        points.sed[measured],
        # an error as large as the value reaches to zero, which a logarithmic axis does not have
        yerr=np.stack([np.minimum(points.minus, 0.99 * points.sed), points.plus])[:, measured],
        label=points.experiment,
        **style,
    )
    if limit.any():
        value = points.sed[limit]
        axes.errorbar(
            points.energy[limit] / scale, value, yerr=0.4 * value, uplims=True, **style | {"capsize": 2}
        )


def _visible(part: NDArray[np.float64], whole: NDArray[np.float64]) -> bool:
    """Whether a part reaches into the figure anywhere."""
    return bool(np.nanmax(part, initial=0.0) > 10.0**-_DEPTH * np.max(whole))


def _unit(energy: NDArray[np.float64]) -> tuple[float, str]:
    """Unit in which the middle of the energies is between 1 and 1000."""
    middle = float(np.sqrt(energy[0] * energy[-1]))
    return max((u for u in _UNITS if u[0] <= middle), default=_UNITS[0])

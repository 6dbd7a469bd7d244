"""A figure of spectra at one place: sums as lines, source components dashed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.observables.abscissa import Abscissa
from cyldiff.plot.curves import SPECTRAL_POWER
from cyldiff.plot.output import figure_path, save_figure
from cyldiff.plot.style import SEQUENCE, label_of, times_power_label, x_label

__all__ = ["draw_place"]

Array = NDArray[np.float64]
_STYLES = ("--", ":", "-.")
#: decades shown below the highest curve
_DECADES = 5.0


def draw_place(
    abscissa: Abscissa, x: Array, curves: Mapping[tuple[str, str], Array], *, title: str, path: Path
) -> Any:
    """Draw intensities times the abscissa to the power 2.7.

    Parameters
    ----------
    abscissa, x : what the spectra are given against, shape (n,)
    curves : (species, component) -> intensity, shape (n,); the component "" is the sum
    title : where the spectra are
    path : .png, .pdf or .svg

    Raises
    ------
    DataError      for another format, or if the file cannot be written
    CyldiffError   if matplotlib is not installed
    """
    target = figure_path(path)
    species = list(dict.fromkeys(name for name, _ in curves))
    components = list(dict.fromkeys(part for _, part in curves if part))
    if len(components) == 1:  # the same as the sum
        curves, components = {key: values for key, values in curves.items() if not key[1]}, []

    def build() -> Any:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.4, 4.6), layout="constrained")
        axes = figure.add_subplot()
        for (name, part), values in curves.items():
            shown = np.where(values > 0.0, values * x**SPECTRAL_POWER, np.nan)
            style = _STYLES[components.index(part) % len(_STYLES)] if part else "-"
            label = f"{label_of(name)} of {part}" if part else label_of(name)
            colour = SEQUENCE[species.index(name) % len(SEQUENCE)]
            axes.loglog(x, shown, style, color=colour, lw=1.1 if part else 1.8, label=label)
        highest = max(float(np.nanmax(v * x**SPECTRAL_POWER)) for v in curves.values())
        if highest > 0.0:
            axes.set_ylim(highest * 10.0**-_DECADES, 2.0 * highest)
        axes.set_xlabel(x_label(abscissa))
        axes.set_ylabel(times_power_label(abscissa, SPECTRAL_POWER))
        axes.set_title(title, fontsize=10.0)
        axes.legend()
        return figure

    return save_figure(build, target)

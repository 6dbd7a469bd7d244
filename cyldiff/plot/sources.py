"""Figure of point sources: the spectrum of each and of all together, with the measured one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cyldiff.data.measurements import Measurement, available, load
from cyldiff.errors import DataError
from cyldiff.observables.abscissa import abscissa_named
from cyldiff.observables.spectra import members, spectrum, standard_name
from cyldiff.plot import style
from cyldiff.plot.curves import SPECTRAL_POWER
from cyldiff.plot.points import draw_points

__all__ = ["sources_figure"]

Array = NDArray[np.float64]

#: sources drawn with a colour and a name of their own, the brightest first
_NAMED = 7
#: decades shown below the highest curve or point
_DECADES = 8.0
#: decades shown below the brightest source at least
_BELOW_BRIGHTEST = 3.0
_AXIS = "kinetic_energy"
#: what air showers are measured against; the energy of rest is less than a thousandth of it
_TOTAL = "total_energy"


def sources_figure(dataset: xr.Dataset, what: str, data: Sequence[str | Path | Measurement] | None) -> Figure:
    """Draw the intensity of `what`, a species or element, times E^2.7 against the energy of the particle.

    Parameters
    ----------
    dataset : of :func:`cyldiff.source_fluxes`
    what : "H1", "He", …
    data : data sets to show; default those of the library that measure it against the energy of the particle,
        kinetic or total, in the range drawn
    """
    name = standard_name(what)
    wanted = members(dataset, name)
    measured = _measured(dataset, wanted, data)
    total, each = _curves(dataset, name)
    if not np.any(total.values > 0.0):
        raise DataError(
            f"no {name} of these sources reaches the Sun at these energies; there is nothing to draw"
        )
    x = total[_AXIS].values
    factor = x**SPECTRAL_POWER
    figure = Figure(figsize=(7.2, 5.4), layout="constrained")
    ax = figure.subplots()
    order = sorted(range(len(each)), key=lambda i: -float(np.max(each[i] * factor)))
    for rank, i in enumerate(order):
        named = rank < _NAMED
        ax.plot(
            x,
            np.where(each[i] > 0.0, each[i] * factor, np.nan),
            **(style.line_of(1 + rank) if named else {"color": "0.75"}),
            lw=1.4 if named else 0.8,
            label=str(dataset["source"].values[i]) if named else None,
            zorder=3 if named else 2,
        )
    if len(each) > 1:
        ax.plot(x, total.values * factor, color="black", lw=1.9, label=_sum_label(len(each)), zorder=4)
    brightest = top = float(np.nanmax(total.values * factor))
    for rank, m in enumerate(measured):
        top = max(top, float(np.max(m.y * m.x**SPECTRAL_POWER)))
        from_air_showers = m.abscissa == _TOTAL
        colour = "0.45" if from_air_showers else "0.25"
        draw_points(ax, m, rank, power=SPECTRAL_POWER, colour=colour, hollow=from_air_showers)
    _frame(ax, x, (brightest, top), measured)
    ax.set_xlabel(style.x_label(abscissa_named(_AXIS)))
    ax.set_ylabel(
        f"{style.label_of(name)}:  {style.times_power_label(abscissa_named(_AXIS), SPECTRAL_POWER)}"
    )
    ax.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=3,
        fontsize="small",
        title="points: measured; open: against total energy" if measured else None,
        title_fontsize="small",
    )
    return figure


def _curves(dataset: xr.Dataset, name: str) -> tuple[xr.DataArray, list[Array]]:
    """Intensity of all sources together, and of each, against the energy of the particle."""
    per_source = dataset["flux_lis"]
    total = spectrum(dataset.assign(flux_lis=dataset["flux_lis_total"]), name, abscissa=_AXIS)
    x = total[_AXIS].values
    each = [
        spectrum(dataset.assign(flux_lis=per_source.isel(source=i)), name, abscissa=_AXIS, x=x).values
        for i in range(dataset.sizes["source"])
    ]
    return total, each


def _measured(
    dataset: xr.Dataset, wanted: tuple[str, ...], data: Sequence[str | Path | Measurement] | None
) -> list[Measurement]:
    """Data sets of this quantity against this energy: those listed, or all of the library, all as kinetic energy."""
    listed = data is not None
    every = [
        m if isinstance(m, Measurement) else load(m) for m in (data if data is not None else available())
    ]
    chosen = []
    for m in every:
        try:
            fits = (
                not m.denominator
                and m.abscissa in (_AXIS, _TOTAL)
                and members(dataset, m.numerator) == wanted
            )
        except DataError:  # a species that no source injects
            fits = False
        if fits:
            chosen.append(_against_kinetic_energy(m, _rest_energy(dataset, wanted[0])))
        elif listed:
            raise DataError(
                f'data set "{m.name}" measures {m.quantity} against {m.abscissa}, '
                f"not {'+'.join(wanted)} against {_AXIS}"
            )
    return chosen


def _rest_energy(dataset: xr.Dataset, species: str) -> float:
    """Rest energy of a particle [GeV]; of an element, that of its first isotope."""
    of = dataset.sel(species=species)
    return float(of["mass_per_nucleon"]) * max(int(of["mass_number"]), 1)


def _against_kinetic_energy(m: Measurement, rest_energy: float) -> Measurement:
    """A spectrum per total energy as one per kinetic energy: its points move, their values stay."""
    return m if m.abscissa == _AXIS else replace(m, x=m.x - rest_energy)


def _frame(ax: Any, x: Array, tops: tuple[float, float], measured: Sequence[Measurement]) -> None:
    """Logarithmic axes over the energies of the sources, and as many decades as say something.

    `tops` are the largest values of the sources, and of these and the measurements.
    """
    brightest, top = tops
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(min([x[0], *(m.x[0] / 1.5 for m in measured if m.x[0] > x[0] / 30.0)]), x[-1])
    drawn = np.concatenate([line.get_ydata() for line in ax.lines])
    drawn = drawn[np.isfinite(drawn) & (drawn > 0.0)]
    # sources may be far below what is measured: the brightest of them is always seen
    lowest = max(
        float(drawn.min(initial=top)), min(top * 10.0**-_DECADES, brightest * 10.0**-_BELOW_BRIGHTEST)
    )
    ax.set_ylim(lowest / 2.0, top * 4.0)


def _sum_label(count: int) -> str:
    return f"all {count} sources" if count > _NAMED else "sum"

"""Figures from a result; the only package that imports matplotlib, and only when something is drawn."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from cyldiff.data.measurements import Measurement
from cyldiff.errors import CyldiffError, DataError, nearest
from cyldiff.io.whole import write_whole
from cyldiff.plot.request import Modulation, parse, potentials
from cyldiff.plot.style import RC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_FORMATS = ("png", "pdf", "svg")
#: words of files that are no results of runs: a dimension they have, and the command that makes them
_OWN = {
    "sources": ("source", "sources"),
    "band": ("quantile", "population"),
    "ring": ("quantile", "population"),
    "diffuse": ("gamma_realisation", 'population" with a section "[gamma]'),
    "detections": ("gamma_realisation", 'population" with a section "[gamma]'),
}


def draw(
    dataset: xr.Dataset,
    what: str,
    *,
    path: str | Path,
    data: Sequence[str | Path | Measurement] | None = None,
    potential: float | Modulation | None = None,
    abscissa: str | None = None,
) -> Figure:
    """Draw a quantity of a result with its data and write the figure.

    Parameters
    ----------
    dataset : xarray.Dataset    a result
    what : str                  a ratio ("B/C", "Be10/Be9", "10Be/9Be"), one spectrum ("spectrum:H",
                                "spectrum:C12") or several on one axis ("spectra", "spectra:H,He,Fe"), or
                                of a file of sources "sources", "sources:He", or of a population "band",
                                "band:He4", "ring", "ring:3.5 PeV", and with gamma rays
                                "diffuse", "diffuse:clouds", "detections";
                                spectra are shown times the abscissa to the power 2.7, those of
                                interstellar data as they are
    path : str or Path          file to write; .png, .pdf or .svg
    data : sequence, optional   data sets to show: names of the library, paths or objects. Default: all
                                of the library that measure this quantity against the abscissa shown.
                                Listed sets of several abscissae get a column each.
    potential : optional        modulation potential [GV], or a modulation kind of a config that knows it
                                for each experiment; None draws the interstellar curve alone
    abscissa : str, optional    "rigidity", "kinetic_energy_per_nucleon", "kinetic_energy" or
                                "total_energy"; default: the one with most data points

    Returns
    -------
    matplotlib.figure.Figure    what was written

    Raises
    ------
    DataError
        if the words are not understood, a species or data set is unknown, or the file cannot be written.
    CyldiffError
        if matplotlib is not installed.
    """
    target = _writable(Path(path))
    word, _, rest = what.strip().partition(":")
    request = None if word in _OWN else parse(_all_sources(dataset), what, data=data, abscissa=abscissa)
    if word in _OWN and _OWN[word][0] not in dataset.dims:
        raise DataError(f'"{word}" draws a file of "cyldiff {_OWN[word][1]}"; this one is none')
    try:
        from matplotlib import rc_context

        from cyldiff.plot.overview import overview_figure
        from cyldiff.plot.population import band_figure, ring_figure
        from cyldiff.plot.population_gamma import detections_figure, diffuse_figure
        from cyldiff.plot.quantity import quantity_figure
        from cyldiff.plot.sources import sources_figure
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "matplotlib":
            raise
        raise CyldiffError('figures need matplotlib; install it with: pip install "cyldiff[plot]"') from None
    buffer = io.BytesIO()
    with rc_context(RC):
        if word == "band":
            figure = band_figure(dataset, rest, data)
        elif word == "ring":
            figure = ring_figure(dataset, rest)
        elif word == "diffuse":
            figure = diffuse_figure(dataset, rest)
        elif word == "detections":
            figure = detections_figure(dataset)
        elif request is None:
            figure = sources_figure(dataset, rest or str(dataset["species"].values[0]), data)
        else:
            build = overview_figure if request.layout == "together" else quantity_figure
            figure = build(_all_sources(dataset), request.panels, potentials(potential))
        figure.savefig(buffer, format=target.suffix[1:].lower())
    write_whole(target, buffer.getvalue())
    return figure


def _all_sources(dataset: xr.Dataset) -> xr.Dataset:
    """A file of sources as the one result that they are together; any other as it is."""
    if "source" not in dataset.dims or "flux_lis_total" not in dataset:
        return dataset
    return dataset.assign(flux_lis=dataset["flux_lis_total"])


def _writable(path: Path) -> Path:
    """Refuse a path no figure can go to, before anything is drawn."""
    suffix = path.suffix[1:].lower()
    if suffix not in _FORMATS:
        raise DataError(
            f'{path}: figure format "{suffix}" unknown; known: {", ".join(_FORMATS)}'
            f"{nearest(suffix, _FORMATS)}"
        )
    if not path.parent.is_dir():
        raise DataError(f"{path}: the folder {path.parent} does not exist")
    return path

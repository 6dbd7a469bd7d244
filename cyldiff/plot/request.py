"""What to draw: the words of a user turned into panels with curves and data. No matplotlib here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import xarray as xr

from cyldiff.data.measurements import Measurement, available, load
from cyldiff.errors import DataError, nearest
from cyldiff.observables.abscissa import ABSCISSAE, Abscissa, abscissa_named
from cyldiff.observables.spectra import members, standard_name

__all__ = ["Modulation", "Panel", "Request", "parse", "potentials"]

#: what the error message offers when a word is not understood
_EXAMPLES = ("B/C", "Be10/Be9", "spectrum:H", "spectrum:C", "spectra", "spectra:H,He,Fe")
#: elements of the figure "spectra", as far as the result holds them
_ELEMENTS = ("H", "He", "C", "O", "B", "Fe")


@runtime_checkable
class Modulation(Protocol):
    """Anything that knows the potential [GV] for the data of an experiment."""

    def potential_for(self, experiment: str) -> float:
        """Modulation potential [GV]."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity against one abscissa, with the data to show.

    ``numerator`` and ``denominator`` are names as in :func:`cyldiff.observables.ratio`, the latter
    empty for a spectrum; ``also`` names an isotope drawn as a thin line beside its element.
    """

    abscissa: Abscissa
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    measurements: tuple[Measurement, ...]
    also: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A figure: ``layout`` "side by side" (a column for each abscissa) or "together" (one axis)."""

    layout: str
    panels: tuple[Panel, ...]


def potentials(potential: float | Modulation | None) -> Modulation:
    """One number, a modulation kind of a config, or None (no modulation), as a lookup by experiment."""
    if isinstance(potential, Modulation):
        return potential
    return _Constant(0.0 if potential is None else float(potential))


@dataclass(frozen=True, slots=True)
class _Constant:
    value: float

    def potential_for(self, experiment: str) -> float:
        return self.value


def parse(
    dataset: xr.Dataset,
    what: str,
    *,
    data: Sequence[str | Path | Measurement] | None = None,
    abscissa: str | None = None,
) -> Request:
    """Turn ``"B/C"``, ``"spectrum:C"`` or ``"spectra"`` into panels.

    Raises
    ------
    DataError
        if the words are not understood (naming the nearest), a species is not in the result, or
        a listed data set is of another quantity.
    """
    axis = None if abscissa is None else abscissa_named(abscissa)
    word, _, rest = what.strip().partition(":")
    if word == "spectra":
        return _together(dataset, [s for s in rest.split(",") if s.strip()], data, axis)
    if word == "spectrum" and rest.strip():
        name = standard_name(rest)
        chosen = _choose(dataset, (name,), (), data)
        also = None
        if not chosen and data is None and (element := _element(name)) is not None:
            # no experiment resolved this isotope: show its element, and the isotope beside it
            chosen = _choose(dataset, (element,), (), data)
            also, name = (name, element) if chosen else (None, name)
        return _side_by_side((name,), (), chosen, axis, all_axes=data is not None, also=also)
    above, slash, below = what.partition("/")
    if slash and above.strip() and below.strip() and ":" not in what:
        numerator, denominator = (standard_name(above),), (standard_name(below),)
        chosen = _choose(dataset, numerator, denominator, data)
        return _side_by_side(numerator, denominator, chosen, axis, all_axes=data is not None)
    examples = [*_EXAMPLES, *(f"spectrum:{name}" for name in dataset["species"].values)]
    raise DataError(
        f'cannot draw "{what}"; expected a ratio, a spectrum or several, as '
        f"{', '.join(_EXAMPLES)}{nearest(what, examples)}"
    )


def _element(species: str) -> str | None:
    """Element of an isotope's name, None if it has no mass number."""
    element = species.rstrip("0123456789")
    return element if element and element != species else None


def _choose(
    dataset: xr.Dataset,
    numerator: tuple[str, ...],
    denominator: tuple[str, ...],
    data: Sequence[str | Path | Measurement] | None,
) -> list[Measurement]:
    """Load the listed data sets, or those of the library that measure exactly this quantity."""
    wanted = (members(dataset, numerator), members(dataset, denominator) if denominator else ())
    if data is None:
        every = (load(name) for name in available())
        return [m for m in every if _species_of(dataset, m) == wanted]
    listed = [m if isinstance(m, Measurement) else load(m) for m in data]
    for m in listed:
        if _species_of(dataset, m) != wanted:
            shown = "/".join("+".join(names) for names in (numerator, denominator) if names)
            raise DataError(f'data set "{m.name}" measures {m.quantity}, not {shown}')
    return listed


def _species_of(dataset: xr.Dataset, m: Measurement) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    try:
        return members(dataset, m.numerator), members(dataset, m.denominator) if m.denominator else ()
    except DataError:  # a species this result does not hold
        return None


def _main_axis(measurements: Iterable[Measurement]) -> Abscissa:
    """Abscissa of the set with the largest number of points; the rigidity without data."""
    points = dict.fromkeys(ABSCISSAE, 0)
    for m in measurements:
        points[m.abscissa] = max(points[m.abscissa], len(m))
    return ABSCISSAE[max(points, key=lambda name: points[name])]


def _side_by_side(
    numerator: tuple[str, ...],
    denominator: tuple[str, ...],
    chosen: list[Measurement],
    axis: Abscissa | None,
    *,
    all_axes: bool,
    also: str | None = None,
) -> Request:
    """One column; with listed data (`all_axes`) one for each abscissa among them."""
    if axis is not None:
        axes = [axis]
    elif all_axes and chosen:
        axes = [a for a in ABSCISSAE.values() if any(m.abscissa == a.name for m in chosen)]
    else:
        axes = [_main_axis(chosen)]
    panels = tuple(
        Panel(a, numerator, denominator, tuple(m for m in chosen if m.abscissa == a.name), also) for a in axes
    )
    return Request("side by side", panels)


def _together(
    dataset: xr.Dataset,
    names: list[str],
    data: Sequence[str | Path | Measurement] | None,
    axis: Abscissa | None,
) -> Request:
    """Several spectra on one axis; the elements are those listed, or the usual ones that are there."""
    present = {_element(str(name)) or str(name) for name in dataset["species"].values}
    shown = [standard_name(n) for n in names] or [e for e in _ELEMENTS if e in present]
    if not shown:
        raise DataError(f"this result holds none of {', '.join(_ELEMENTS)}; name some, as spectra:C12,O16")
    listed = None if data is None else [m if isinstance(m, Measurement) else load(m) for m in data]
    sets = {}
    for name in shown:
        wanted = (members(dataset, name), ())
        pool = _choose(dataset, (name,), (), None) if listed is None else listed
        sets[name] = [m for m in pool if _species_of(dataset, m) == wanted]
    unused = [m.name for m in listed or [] if not any(m in chosen for chosen in sets.values())]
    if unused:
        raise DataError(f"no spectrum of this figure is measured by {', '.join(unused)}")
    main = axis or _main_axis(m for chosen in sets.values() for m in chosen)
    return Request(
        "together",
        tuple(
            Panel(main, (name,), (), tuple(m for m in chosen if m.abscissa == main.name))
            for name, chosen in sets.items()
        ),
    )

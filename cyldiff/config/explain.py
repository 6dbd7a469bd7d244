"""Answers to "what is this key?" and "what is there?"."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cyldiff import kinds as _kinds  # noqa: F401 - registers all kinds of the package
from cyldiff import registry, resources
from cyldiff.config.layers import LIBRARIES
from cyldiff.config.report import choices_of
from cyldiff.config.schema import RunConfig
from cyldiff.config.toml import shown
from cyldiff.config.tree import Slot, known_keys, slot_of, walk
from cyldiff.data.diffuse import available_diffuse, load_diffuse
from cyldiff.data.dipoles import available_dipoles, load_dipole
from cyldiff.data.measurements import available, load
from cyldiff.data.seds import available_seds, load_sed
from cyldiff.errors import DataError, nearest, quoted
from cyldiff.particles.species import known_species
from cyldiff.screen import LINE
from cyldiff.sources.population.schema import PopulationConfig
from cyldiff.units import DIMENSIONS, format_quantity

__all__ = ["explain_key", "library_listing", "library_parts"]

#: parts of the library -> how their names are used
_USED = {
    "runs": "cyldiff run NAME; tuning/…: cyldiff tune NAME -o FOLDER",
    "populations": "cyldiff population NAME",
    "spectra": "cyldiff tune NAME -o FOLDER",
    "joint-fits": "cyldiff tune NAME -o FOLDER",
    "models": 'physics.use = "NAME"; cyldiff sources … --model NAME',
    "catalogues": "cyldiff sources NAME --model MODEL",
    "emission": "cyldiff source NAME",
    "grids": 'grid.use = "NAME"',
    "data": 'compare.data = ["NAME"]; fit.data; --data NAME of figures',
    "species": 'species.include = ["NAME"]',
    "kinds": 'kind = "NAME" in a section',
}
_LISTINGS = tuple(_USED)
_PLAIN = {float: "number", int: "whole number", str: "text", bool: "true or false"}
_USE = {f"{section}.use": library for section, library in LIBRARIES.items()}
_ABUNDANCES = "physics.sources.NAME.abundances.use"


def explain_key(key: str, sections: Mapping[str, type[BaseModel]] | None = None) -> str:
    """Meaning, accepted values and default of a config key; a trailing part of the path is enough.

    The name of a source component may stand for NAME: ``physics.sources.snr.injection``.

    Parameters
    ----------
    sections : tables that other commands read beside those of a run, by their key

    Raises
    ------
    DataError
        naming the nearest key, if there is none of this name.
    """
    wanted = key.strip().split(".")
    entries = [_use_entry(path) for path in (*_USE, _ABUNDANCES) if _matches(path.split("."), wanted)]
    merged: dict[tuple[str, str], list[str]] = {}
    known = list(_keys())
    for name, model in (sections or {}).items():
        known += walk(model, f"{name}.")
    for path, owner, field in known:
        if _matches(path.split("."), wanted):
            merged.setdefault((path, _body(path, owner, field)), []).append(owner)
    entries += [_entry(path, owners, body) for (path, body), owners in merged.items()]
    if not entries:
        entries = [_entry(path, owners, body) for (path, body), owners in _of_population(wanted).items()]
    if not entries:
        paths = sorted({path for path, _, _ in (*known, *walk(PopulationConfig))})
        # a trailing part is enough, so that is what is proposed; a run has its model under physics
        tails = dict.fromkeys(".".join(p.split(".")[-len(wanted) :]) for p in paths)
        tails = {t: None for t in tails if not t.startswith("model.")} if wanted[0] != "model" else tails
        hint = nearest(".".join(wanted), tails)
        raise DataError(f"no config key {quoted(key)}{hint}")
    return "\n\n".join(entries)


def _of_population(wanted: list[str]) -> dict[tuple[str, str], list[str]]:
    """Keys of a population file that are none of a run."""
    merged: dict[tuple[str, str], list[str]] = {}
    for path, owner, field in walk(PopulationConfig):
        if _matches(path.split("."), wanted):
            merged.setdefault((path, _body(path, owner, field)), []).append(owner)
    return merged


def _keys() -> Iterator[tuple[str, str, FieldInfo]]:
    """All keys of a run, and of a row of a catalogue of sources."""
    from cyldiff.sources.catalogue import CatalogueSource

    yield from walk(RunConfig)
    yield from walk(CatalogueSource, "source.")


def _matches(path: list[str], wanted: list[str]) -> bool:
    """Whether `wanted` is `path` or its tail; NAME matches anything but stands for no key itself."""
    tail = path[-len(wanted) :]
    same = len(tail) == len(wanted) and all(p in ("NAME", w) for p, w in zip(tail, wanted, strict=True))
    return same and tail[0] != "NAME" and tail[-1] == wanted[-1]


def _entry(path: str, owners: list[str], body: str) -> str:
    named = [owner for owner in owners if owner]
    if not named:
        return path + body
    if _is_kind(path):
        return f"{path}{body}\n    one of {', '.join(named)}\n    required"
    title = f"{path}   (kind {', '.join(named)})"
    return textwrap.fill(title, LINE, subsequent_indent="        ", break_on_hyphens=False) + body


def _is_kind(path: str) -> bool:
    return path.rpartition(".")[2] == "kind"


def _body(path: str, owner: str, field: FieldInfo) -> str:
    """Everything about a key but its name."""
    if owner and _is_kind(path):
        return "\n    what the table is; the other keys depend on it"
    slot = slot_of(field)
    lines = [field.description or ""]
    lines += _accepts(slot, field)
    if field.is_required():
        lines.append("required")
    else:
        default = field.get_default(call_default_factory=True)
        if not isinstance(default, BaseModel):
            lines.append(
                f"default: {_number(default, slot) if isinstance(default, float) else shown(default)}"
            )
    limits = [f"{word} {_number(limit, slot)}" for word, limit in slot.bounds]
    if limits:
        lines.append(f"bounds: {', '.join(limits)}")
    return "".join(f"\n    {line}" for line in lines if line)


def _number(value: float, slot: Slot) -> str:
    return format_quantity(float(value), slot.dimension) if slot.dimension else f"{value:g}"


def _accepts(slot: Slot, field: FieldInfo) -> Iterator[str]:
    many = "list of " if slot.many else ""
    if slot.family:
        known = registry.kinds(slot.family)
        yield f'{"tables" if slot.table else "table"} with a "kind":'
        width = max(map(len, known))
        for kind, cls in known.items():
            yield f"  {kind:<{width}}  {_first_line(cls)}"
            keys = [k for k in known_keys(cls) if k != "kind"]
            yield f"  {'':<{width}}  keys: {', '.join(keys) or 'none'}"
    elif slot.model is not None:
        yield f"table{'s' if slot.table else ''} with the keys {', '.join(known_keys(slot.model))}"
    elif slot.dimension:
        internal, example, _ = DIMENSIONS[slot.dimension]
        table = "table of " if slot.table else ""
        yield f'{table}{many}{slot.dimension} as text with a unit, e.g. "{example}" (kept in {_unit(internal)})'
    elif choices := choices_of(field):
        yield f"one of {', '.join(quoted(c) for c in choices)}"
    elif slot.table:
        yield f"table of {_PLAIN[slot.plain]}s" if slot.plain in (float, int) else "table"
    elif slot.plain:
        plural = "s" if many and slot.plain in (float, int) else ""
        yield many + _PLAIN[slot.plain] + plural


def _unit(text: str) -> str:
    """An internal unit as it may be written in a config."""
    return re.sub(r"(?<=[a-z])(\d)", r"^\1", text).replace(" / ", "/")


def _first_line(cls: type) -> str:
    return (inspect.getdoc(cls) or "").split("\n")[0].replace("`", "")


def _use_entry(path: str) -> str:
    if path == _ABUNDANCES:
        return (
            f"{path}\n    table of abundances to start from; single values beside it replace its own\n"
            f"    name of a table of the library: {', '.join(_abundance_tables())}"
        )
    library = _USE[path]
    return (
        f"{path}\n    file the section starts from; keys of the run file beside it replace its own\n"
        f'    name of the library of {library}, or a path such as "./my-{library[:-1]}.toml" (relative to the '
        f"run file)\n    in the library: {', '.join(resources.names(library))}"
    )


def _abundance_tables() -> tuple[str, ...]:
    from cyldiff.particles.abundances import abundance_tables

    return abundance_tables()


def library_listing(what: str | None) -> str:
    """Names of the library; `what` is one of runs, populations, models, … (None: all)."""
    if what is not None and what not in _LISTINGS:
        raise DataError(
            f"nothing called {quoted(what)} to list; known: {', '.join(_LISTINGS)}, all{nearest(what, _LISTINGS)}"
        )
    return "\n\n".join(_listing(name) for name in (_LISTINGS if what is None else (what,)))


def library_parts() -> str:
    """Parts of the library: how many entries each has, and what takes their names."""
    rows = [(part, len(_names(part)), used) for part, used in _USED.items()]
    width = max(len(part) for part, _, _ in rows)
    return "\n".join(
        [
            f"{'part':<{width}}  entries  used as",
            *(f"{part:<{width}}  {count:7}  {used}" for part, count, used in rows),
        ]
    )


def _names(what: str) -> list[str]:
    if what == "data":
        return [*available(), *available_dipoles(), *available_diffuse(), *available_seds()]
    return list(resources.names(what)) if what not in ("species", "kinds") else [n for n, _ in _rows(what)]


def _listing(what: str) -> str:
    rows = list(_rows(what))
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join([f"{what}:", *(f"  {name:<{width}}  {text}".rstrip() for name, text in rows)])


def _rows(what: str) -> Iterable[tuple[str, str]]:
    if what == "data":
        for name in available():
            data = load(name)
            paper = data.citation.partition(";")[0]
            yield name, f"{data.quantity}, {len(data)} points, {paper}"
        for name in available_dipoles():
            dipole = load_dipole(name)
            paper = dipole.citation.partition(";")[0]
            yield name, f"dipole, {len(dipole)} point{'s' if len(dipole) > 1 else ''}, {paper}"
        for name in available_diffuse():
            diffuse = load_diffuse(name)
            yield name, f"diffuse gamma rays, {len(diffuse)} points, {diffuse.citation.partition(';')[0]}"
        for name in available_seds():
            points = load_sed(name)
            yield name, f"spectral energy distribution, {len(points)} points, {points.citation}"
    elif what == "species":
        for s in known_species().values():
            yield s.name, "stable" if s.is_stable else f"half-life {s.half_life:g} Myr"
    elif what == "kinds":
        for family in registry.families():
            for kind, cls in registry.kinds(family).items():
                yield f"{family}: {kind}", _first_line(cls)
    else:
        for name, path in resources.names(what).items():
            yield name, _described(path)


def _described(path: Any) -> str:
    from cyldiff.sources.ecsv import read_ecsv

    try:
        return resources.title(read_ecsv(path) if path.suffix == ".ecsv" else resources.read_toml(path))
    except DataError as error:
        return f"({error})"

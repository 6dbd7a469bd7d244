"""Reference pages made from the code: what there is to call, to write into a config, to read from a file.

They are written to docs/reference/_generated before the pages are read and are not kept.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sphinx.application import Sphinx

import cyldiff
from cyldiff import registry, resources
from cyldiff.catalogue import QUANTITIES
from cyldiff.cli import main
from cyldiff.config.explain import library_listing
from cyldiff.config.report import choices_of
from cyldiff.config.schema import RunConfig
from cyldiff.config.toml import shown
from cyldiff.config.tree import Slot, slot_of, walk
from cyldiff.fit.config import FitConfig
from cyldiff.fit.point_sources import PointSources
from cyldiff.sources.catalogue import CatalogueSource
from cyldiff.sources.population.schema import PopulationConfig
from cyldiff.sources.response.file import _ARRAYS as RESPONSE
from cyldiff.units import DIMENSIONS, format_quantity

_PLAIN = {float: "number", int: "whole number", str: "text", bool: "true or false"}
_PACKAGE = Path(cyldiff.__file__).parent


def text(words: str) -> str:
    """Plain words as Markdown that shows them."""
    return re.sub(r"([\\`*_{}\[\]<>|$#])", r"\\\1", " ".join(words.split()))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *([cell.replace("\n", " ") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def api() -> str:
    """Public names, by autodoc."""
    parts = ["# Python interface\n", "```python\nimport cyldiff\n```\n"]
    for name in sorted(cyldiff.__all__, key=str.lower):
        directive = "autoclass" if inspect.isclass(getattr(cyldiff, name)) else "autofunction"
        members = "   :members:\n" if directive == "autoclass" else ""
        parts.append(f"## `{name}`\n\n```{{eval-rst}}\n.. {directive}:: cyldiff.{name}\n{members}```\n")
    return "\n".join(parts)


def modules() -> str:
    """Every module with the first line of its docstring."""
    packages: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(_PACKAGE.rglob("*.py")):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        name = f"cyldiff/{path.relative_to(_PACKAGE).as_posix()}"
        packages.setdefault(name.rpartition("/")[0], []).append((name, said.partition("\n\n")[0]))
    parts = ["# Modules\n", "One line each; the names lead to the code.\n"]
    for package, rows in packages.items():
        parts.append(f"## {package}\n\n" + table(("file", "what"), ((f"`{n}`", text(s)) for n, s in rows)))
    return "\n".join(parts)


def value_of(slot: Slot, field: FieldInfo) -> str:
    """What a key accepts, in a few words."""
    many = "list of " if slot.many else ""
    many = f"table of {many}" if slot.table else many
    if slot.family:
        return f"{many}[{slot.family}](kinds.md#{slot.family})"
    if slot.model is not None:
        return f"{many}table"
    if slot.dimension:
        return f'{many}{slot.dimension}, e.g. `"{DIMENSIONS[slot.dimension][1]}"`'
    if choices := choices_of(field) or _choices_of_items(field):
        return many + ", ".join(f'`"{choice}"`' for choice in choices)
    return many + (_PLAIN[slot.plain] if slot.plain else "table" if slot.table else "value")


def _choices_of_items(field: FieldInfo) -> tuple[str, ...]:
    """Words that the items of a list may be; empty if they are others."""
    items = [inner for inner in get_args(field.annotation) if get_origin(inner) is Literal]
    return tuple(str(word) for item in items for word in get_args(item))


def row_of(key: str, field: FieldInfo) -> tuple[str, str, str, str]:
    slot = slot_of(field)
    limits = ", ".join(f"{word} {_number(limit, slot)}" for word, limit in slot.bounds)
    value = value_of(slot, field) + (f"; {text(limits)}" if limits else "")
    if field.is_required():
        default = "required"
    else:
        got = field.get_default(call_default_factory=True)
        number = isinstance(got, float)
        default = "" if isinstance(got, BaseModel) else f"`{_number(got, slot) if number else shown(got)}`"
    return f"`{key}`", text(field.description or ""), value, default.replace("``", "")


def _number(value: float, slot: Slot) -> str:
    return format_quantity(float(value), slot.dimension) if slot.dimension else f"{value:g}"


_HEAD = ("key", "meaning", "value", "default")


def config_keys() -> str:
    """Keys of all files; those of kinds are on their own page."""
    parts = [
        "# Config keys\n",
        "`cyldiff explain KEY` prints the same. Where a value is a kind, its keys are on the page of "
        "[kinds](kinds.md).\n",
    ]
    files = (
        ("A run", RunConfig, ""),
        ("Tuning: the section `[fit]` of a run", FitConfig, "fit."),
        ("Tuning: the section `[point_sources]` of a run", PointSources, "point_sources."),
        ("A row of a catalogue of sources", CatalogueSource, "source."),
        ("A population", PopulationConfig, ""),
    )
    for title, model, prefix in files:
        sections: dict[str, list[tuple[str, str, str, str]]] = {}
        for path, owner, field in walk(model, prefix):
            if not owner:
                head = path.split(".")[0] if not prefix else prefix[:-1]
                sections.setdefault(head, []).append(row_of(path, field))
        parts.append(f"## {title}\n")
        parts += [table(_HEAD, rows) for rows in sections.values()]
    return "\n".join(parts)


def kinds() -> str:
    """Every kind of every family with its keys."""
    parts = ["# Kinds\n", 'The choices of a config, `kind = "…"`, and the keys of each.\n']
    for family in registry.families():
        parts.append(f"({family})=\n## {family}\n")
        for kind, cls in registry.kinds(family).items():
            parts.append(f"### {family}: {kind}\n\n```text\n{inspect.getdoc(cls) or ''}\n```\n")
            path = inspect.getsourcefile(cls)
            if path and Path(path).is_relative_to(_PACKAGE):
                parts.append(f"Code: `cyldiff/{Path(path).relative_to(_PACKAGE).as_posix()}`\n")
            rows = [row_of(f.alias or n, f) for n, f in cls.model_fields.items() if n != "kind"]
            parts.append(table(_HEAD, rows) if rows else "No keys.\n")
    return "\n".join(parts)


def models() -> str:
    """Propagation models of the library: what they are, where from, their main numbers."""
    parts = ["# Models\n", "Files of `physics/models`; `cyldiff copy NAME` makes an editable copy.\n"]
    for name, path in resources.names("models").items():
        raw = resources.read_toml(path)
        source = raw.get("source", {})
        parts.append(f"## {name}\n\n{text(resources.title(raw))}. File: `physics/models/{path.name}`\n")
        notes = [f"{key}: {text(str(source[key]))}" for key in source if key != "notes"]
        notes += [text(note) for note in source.get("notes", ())]
        parts.append("\n".join(f"* {note}" for note in notes) + "\n")
        parts.append(table(("key", "value"), _numbers(raw)))
    return "\n".join(parts)


def _numbers(raw: dict[str, object]) -> Iterator[tuple[str, str]]:
    for section in ("halo", "observer", "diffusion", "reacceleration", "convection"):
        content = raw.get(section)
        for key, value in content.items() if isinstance(content, dict) else ():
            yield f"`{section}.{key}`", f"`{shown(value)}`"


def library() -> str:
    """All that `cyldiff list` lists but models and kinds, which have their own pages."""
    parts = ["# The library\n", "What comes with cyldiff, as `cyldiff list all` prints it.\n"]
    for listing in library_listing(None).split("\n\n"):
        head, _, rows = listing.partition("\n")
        if head not in ("models:", "kinds:"):
            parts.append(f"## {head.rstrip(':').capitalize()}\n\n```text\n{textwrap.dedent(rows)}\n```\n")
    return "\n".join(parts)


#: datasets whose variables are not in the catalogue of quantities, and what tells of them
_OTHERS = """## Other datasets

Every variable carries its unit and a long name (`units`, `long_name`), in memory and in the file.

| of | variables | told by |
| --- | --- | --- |
| `cyldiff anisotropy`, `cyldiff.anisotropy` | `vector`, `amplitude`, `phase`, `declination`, the same of parts, `share` | [anisotropy](api.md#anisotropy) |
| `cyldiff gamma`, `cyldiff.diffuse_sky` | `intensity` and `intensity_component` [GeV-1 cm-2 s-1 sr-1] over energy and direction, `continued_share` | [gamma rays](../../how-to/gamma.md) |
| `cyldiff spectrum` | one intensity for every species, over the abscissa asked for | [results](../../how-to/results.md) |
| `cyldiff sample` | draws of the parameters and their statistics | [tuning](../../how-to/tuning.md) |
"""  # noqa: E501


def quantities() -> str:
    """Variables of result files."""
    head = ("name", "what", "unit", "dimensions")
    rows = [
        (f"`{name}`", text(q.long_name), text(q.units), f"`{', '.join(q.dims)}`")
        for name, q in QUANTITIES.items()
    ]
    response = [
        (f"`{name}`", text(what), text(units), f"`{', '.join((dims,) if isinstance(dims, str) else dims)}`")
        for name, (dims, units, what) in RESPONSE.items()
    ]
    return "\n".join(
        (
            "# Quantities\n",
            "Variables of the files that cyldiff writes. The unit 1 is that of pure numbers and of names.\n",
            "## Results of runs, sources and populations\n",
            table(head, rows),
            "## Files of responses\n",
            "What `cyldiff response` writes; [the adjoint](../../theory/adjoint.md) explains it.\n",
            table(head, response),
            _OTHERS,
        )
    )


def commands() -> str:
    """The help of every command."""
    parts = ["# Commands\n", f"```text\n{_help(main, 'cyldiff')}\n```\n"]
    for name, command in sorted(main.commands.items()):
        parts.append(f"## cyldiff {name}\n\n```text\n{_help(command, f'cyldiff {name}')}\n```\n")
    return "\n".join(parts)


def _help(command: click.Command, name: str) -> str:
    return command.get_help(click.Context(command, info_name=name, terminal_width=100))


PAGES = {
    "api": api,
    "commands": commands,
    "config-keys": config_keys,
    "kinds": kinds,
    "models": models,
    "library": library,
    "quantities": quantities,
    "modules": modules,
}


def write(app: Sphinx) -> None:
    """Write the pages that have changed, and only those: the others need not be read again."""
    folder = Path(app.srcdir) / "reference" / "_generated"
    folder.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        path, content = folder / f"{name}.md", make()
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, object]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

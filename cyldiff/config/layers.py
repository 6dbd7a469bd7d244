"""Put a config together from its layers, and remember which of them set each value.

Precedence: defaults of the schema < file named by ``use`` < run file < overrides (``--set``).
A layer is a tree of nested dicts with a :class:`Leaf` at the end of every branch.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from cyldiff import resources
from cyldiff.config.toml import dotted, split_path
from cyldiff.errors import DataError, Problem, quoted
from cyldiff.particles.abundances import load_abundances

__all__ = ["LIBRARIES", "Layers", "Leaf", "merge", "origin_at", "parse_override", "plant", "put", "values"]

#: sections that may name a library file with ``use``, and the library they look in
LIBRARIES = {"grid": "grids", "physics": "models"}
SET = "--set"
#: keys of a library file that say what it is
_ABOUT = {"title", "source"}
SCHEMA_VERSION = 1
_SET_ITEM = re.compile(r"""((?:"[^"]*"|'[^']*'|[^="'])*)=(.*)""", re.DOTALL)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value and who set it."""

    value: Any
    origin: str


Tree: TypeAlias = dict[str, Any]  # of Leaf or Tree
Path_: TypeAlias = tuple[str, ...]


def plant(raw: Any, origin: str) -> Any:
    """Nested plain values as a tree with one origin."""
    return (
        {str(k): plant(v, origin) for k, v in raw.items()} if isinstance(raw, Mapping) else Leaf(raw, origin)
    )


def values(tree: Any) -> Any:
    """The plain values of a tree."""
    return {k: values(v) for k, v in tree.items()} if isinstance(tree, dict) else tree.value


def origin_at(tree: Any, path: Sequence[Any]) -> str:
    """Who set the value at `path`, or the value it is part of; empty if nobody did."""
    for key in path:
        if isinstance(tree, Leaf):
            break
        if not isinstance(tree, dict) or key not in tree:
            return ""
        tree = tree[key]
    if isinstance(tree, Leaf):
        return tree.origin
    origins = {origin_at(branch, ()) for branch in tree.values()}
    return origins.pop() if len(origins) == 1 else ""


def merge(base: Tree, over: Tree) -> Tree:
    """`over` on top of `base`, table by table; a table of another ``kind`` replaces the old one."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        same = isinstance(old, dict) and isinstance(value, dict) and not _other_kind(old, value)
        merged[key] = merge(old, value) if same and old is not None else value
    return merged


def _other_kind(old: Tree, new: Tree) -> bool:
    kinds = [table["kind"].value for table in (old, new) if isinstance(table.get("kind"), Leaf)]
    return len(kinds) == 2 and kinds[0] != kinds[1]


@dataclass
class Layers:
    """Merges a run file with what it uses and the overrides on top of it.

    Attributes
    ----------
    source : name of the run file, the origin of what it sets
    beside : folder that relative paths in the run file start from
    problems : what went wrong so far
    incomplete : paths of tables whose ``use`` failed, so that keys will be missing
    inputs : files read
    libraries : sections that may name a library file with ``use``, and the library they look in
    """

    source: str
    beside: Path | None
    libraries: Mapping[str, str] = field(default_factory=lambda: LIBRARIES)
    problems: list[Problem] = field(default_factory=list)
    incomplete: set[Path_] = field(default_factory=set)
    inputs: list[Path] = field(default_factory=list)

    def build(self, raw: Mapping[str, Any], overrides: Sequence[str]) -> Tree:
        """The complete tree."""
        tree: Tree = plant(raw, self.source)
        _make_absolute(tree, self.beside)
        items = [item for text in overrides if (item := self._item(text))]
        using = {s for s in self.libraries if "use" in _tables(tree, s)}
        for path, value in items:
            if self._names_a_file(path):
                put(tree, path, value)
        for section in self.libraries:
            if isinstance(tree.get(section), dict):
                tree[section] = self._with_used(section, tree[section], given=section in using)
        for path, value in items:
            if not self._names_a_file(path):
                put(tree, path, value)
        _make_absolute(tree, None)
        self._abundances(tree)
        return tree

    def _names_a_file(self, path: Path_) -> bool:
        """Whether an override replaces a section or what it uses: it then goes under the run's own values."""
        return path[0] in self.libraries and path[1:] in ((), ("use",))

    def _item(self, text: str) -> tuple[Path_, Any] | None:
        item = parse_override(text)
        if item is None:
            self.problems.append(Problem(SET, f"{quoted(text)} is not of the form path=value"))
            return None
        path, value = item
        return path, plant(value, SET)

    def _with_used(self, section: str, own: Tree, *, given: bool) -> Tree:
        """A section with the library file it names underneath; `given`: the run file itself names one."""
        if "use" not in own:
            return own
        name = own.pop("use")
        used = self._used(section, name)
        if used is None:
            self.incomplete.add((section,))
            return own
        if origin_at(name, ()) == SET and not given and set(used) - _ABOUT <= set(own):
            instead = f"{SET} '{section}={{use=\"{values(name)}\"}}'"
            message = f"has no effect, the run sets these keys itself; to replace the section: {instead}"
            self.problems.append(Problem(f"{section}.use", message, SET))
            return own
        return merge(used, own)

    def _used(self, section: str, name: Any) -> Tree | None:
        key = f"{section}.use"
        if not (isinstance(name, Leaf) and isinstance(name.value, str)):
            message = f'found {quoted(values(name))}; expected the name of a file, see "cyldiff list"'
            self.problems.append(Problem(key, message))
            return None
        beside = None if name.origin == SET else self.beside
        try:
            file = resources.find(self.libraries[section], name.value, beside=beside)
            content = resources.read_toml(file)
        except DataError as error:
            self.problems.append(Problem(key, str(error)))
            return None
        _log.debug("%s: %s", key, file)
        self.inputs.append(file)
        version = content.pop("schema", None)
        if version != SCHEMA_VERSION or isinstance(version, bool):
            found = "is missing" if version is None else f"is {quoted(version)}"
            self.problems.append(Problem(key, f"{file}: schema {found}; expected {SCHEMA_VERSION}"))
            return None
        if "use" in content:
            self.problems.append(Problem(key, f'{file}: has a "use" of its own; only a run may use files'))
            return None
        used: Tree = plant(content, name.value)
        return used

    def _abundances(self, tree: Tree) -> None:
        """Replace ``abundances.use`` of every source component by the table it names."""
        section = next((s for s, library in self.libraries.items() if library == "models"), "physics")
        for name, component in _tables(tree, section, "sources").items():
            table = component.get("abundances") if isinstance(component, dict) else None
            if not isinstance(table, dict) or "use" not in table:
                continue
            wanted = table.pop("use")
            path = (section, "sources", name, "abundances", "use")
            found = values(wanted)
            try:
                if not isinstance(found, str):
                    raise DataError(f"found {quoted(found)}; expected the name of a table of abundances")
                base = plant(load_abundances(found), f"table {found}")
            except DataError as error:
                where = origin_at(wanted, ())
                problem = Problem(dotted(path), str(error), "" if where == self.source else where)
                self.problems.append(problem)
                # without the table nothing can be said of the rest
                del component["abundances"]
                self.incomplete.add(path[:-1])
                continue
            component["abundances"] = merge(base, table)


def parse_override(text: str) -> tuple[Path_, Any] | None:
    """Path and plain value of "dotted.path=value"; None if it is not of this form."""
    match = _SET_ITEM.fullmatch(text)
    path = split_path(match[1]) if match else None
    return (path, _parse_value(match[2])) if match is not None and path is not None else None


def put(tree: Tree, path: Path_, value: Any) -> None:
    """Set the value at a path, making tables on the way; a number is a place in a list."""
    key, *below = path
    if not below:
        tree[key] = value
        return
    old = tree.get(key)
    if (
        len(below) == 1
        and isinstance(old, Leaf)
        and _is_place(below[0], old.value)
        and isinstance(value, Leaf)
    ):
        items = list(old.value)
        items[int(below[0])] = value.value
        tree[key] = Leaf(items, value.origin)
        return
    tree[key] = dict(old) if isinstance(old, dict) else {}
    put(tree[key], tuple(below), value)


def _is_place(key: str, items: Any) -> bool:
    """Whether `key` counts an entry of a list."""
    return isinstance(items, list) and key.isascii() and key.isdigit() and int(key) < len(items)


def _tables(tree: Tree, *path: str) -> Tree:
    for key in path:
        below = tree.get(key)
        if not isinstance(below, dict):
            return {}
        tree = below
    return tree


def _make_absolute(tree: Tree, beside: Path | None) -> None:
    """Data files are named relative to the file that mentions them; keep that in the resolved config."""
    data = _tables(tree, "compare").get("data")
    if isinstance(data, Leaf) and isinstance(data.value, list):
        folder = (beside or Path.cwd()).resolve()
        tree["compare"]["data"] = Leaf([_absolute(name, folder) for name in data.value], data.origin)


def _absolute(name: Any, folder: Path) -> Any:
    if not isinstance(name, str) or not (name.endswith(".csv") or name.startswith((".", "~"))):
        return name
    try:
        return str(folder / Path(name).expanduser())
    except RuntimeError:  # no such home; the check of the data says so
        return name


def _parse_value(text: str) -> Any:
    """A value of ``--set``: TOML if it is that, else text."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text.strip()
    return parsed["value"] if len(parsed) == 1 else text.strip()

"""Read a run: TOML file, ``use`` references, overrides; validate; remember where each value is from.

Precedence: defaults of the schema < file named by ``use`` < run file < overrides (``--set``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from cyldiff import kinds as _kinds  # noqa: F401 - registers all kinds of the package
from cyldiff import resources
from cyldiff.config.checks import cross_checks
from cyldiff.config.report import flatten, problems_of, to_toml
from cyldiff.config.schema import PhysicsConfig, RunConfig
from cyldiff.config.tree import known_keys
from cyldiff.errors import ConfigError, DataError, Problem, nearest
from cyldiff.particles.abundances import load_abundances

__all__ = ["LoadedConfig", "load_config", "load_mapping"]

#: sections that may name a library file with ``use``, and the library they look in
_LIBRARIES = {"grid": "grids", "physics": "models"}


@dataclass(frozen=True)
class LoadedConfig:
    """A valid config with its text, complete, and the origin of every value.

    Attributes
    ----------
    config : RunConfig
    resolved : nested dict, everything spelled out (defaults and ``use`` files included)
    origin : dotted path -> where the value was set; "default" where nobody did
    source : name of the run file
    """

    config: RunConfig
    resolved: dict[str, Any]
    origin: dict[str, str]
    source: str

    def toml(self) -> str:
        """The resolved config as a TOML file that reproduces this run by itself."""
        return to_toml(self.resolved)


def load_config(
    path: str | Path, overrides: Sequence[str] = (), *, base: Path | None = None
) -> LoadedConfig:
    """Read and validate a run file, or a name of the library of runs.

    Parameters
    ----------
    path : file, or bare name such as "quickstart"
    overrides : "dotted.path=value" items; the value is read as TOML, else as text

    Raises
    ------
    ConfigError
        with every problem found.
    """
    file = Path(path)
    if not file.is_file() and file.suffix != ".toml":
        try:
            file = resources.find("runs", str(path), beside=base)
        except DataError as error:
            raise ConfigError(str(path), [Problem("file", str(error))]) from None
    try:
        raw = resources.read_toml(file)
    except DataError as error:
        raise ConfigError(str(path), [Problem("file", str(error).removeprefix(f"{file}: "))]) from None
    return load_mapping(raw, overrides, source=str(path), beside=file.parent)


def load_mapping(
    raw: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    source: str = "config",
    beside: Path | None = None,
) -> LoadedConfig:
    """Validate a config given as nested dicts; the Python twin of :func:`load_config`."""
    problems: list[Problem] = []
    layers = _Layers(source, beside, problems)
    merged = layers.resolve(raw)
    for item in overrides:
        layers.override(merged, item)
    config = _validate(merged, problems)
    if config is None:
        raise ConfigError(source, problems)
    complete = _overlay(config.model_dump(by_alias=True, exclude_none=True), merged)
    origin = {key: layers.origin.get(key, "default") for key in flatten(complete)}
    return LoadedConfig(config, complete, origin, source)


class _Layers:
    """Merges a run file with what it uses, and remembers who set what."""

    def __init__(self, source: str, beside: Path | None, problems: list[Problem]) -> None:
        self.source, self.beside, self.problems = source, beside, problems
        self.origin: dict[str, str] = {}

    def resolve(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The run with all ``use`` references replaced by what they name."""
        merged: dict[str, Any] = {}
        for section, value in raw.items():
            if section in _LIBRARIES and isinstance(value, Mapping):
                merged[section] = self._section(section, value)
            else:
                merged[section] = _plain(value)
                self._note(section, value, self.source)
        self._abundances(merged.get("physics"))
        return merged

    def _section(self, section: str, value: Mapping[str, Any]) -> dict[str, Any]:
        own = {k: _plain(v) for k, v in value.items() if k != "use"}
        base: dict[str, Any] = {}
        if "use" in value:
            base = self._used(section, value["use"])
        self._note(section, own, self.source)
        return _merge(base, own)

    def _used(self, section: str, name: Any) -> dict[str, Any]:
        try:
            file = resources.find(_LIBRARIES[section], str(name), beside=self.beside)
            content = resources.read_toml(file)
        except DataError as error:
            self.problems.append(Problem(f"{section}.use", str(error)))
            return {}
        version = content.pop("schema", None)
        if version != 1:
            found = "is missing" if version is None else f"found {version}"
            self.problems.append(Problem(f"{section}.use", f"{file.name}: schema {found}; expected 1"))
        self._note(section, content, str(name))
        return content

    def _abundances(self, physics: Any) -> None:
        sources = physics.get("sources") if isinstance(physics, dict) else None
        for name, component in (sources or {}).items() if isinstance(sources, dict) else ():
            table = component.get("abundances") if isinstance(component, dict) else None
            if not isinstance(table, dict) or "use" not in table:
                continue
            wanted = table.pop("use")
            path = f"physics.sources.{name}.abundances"
            self.origin.pop(f"{path}.use", None)
            try:
                base = load_abundances(str(wanted))
            except DataError as error:
                self.problems.append(Problem(f"{path}.use", str(error)))
                continue
            for species in base:
                self.origin.setdefault(f"{path}.{species}", f"table {wanted}")
            component["abundances"] = {**base, **table}

    def override(self, merged: dict[str, Any], item: str) -> None:
        """Apply one ``path=value``."""
        path, equals, text = item.partition("=")
        keys = [k for k in path.strip().split(".") if k]
        if not equals or not keys:
            self.problems.append(Problem("--set", f'"{item}" is not of the form path=value'))
            return
        if keys[0] in _LIBRARIES and keys[1:] == ["use"]:
            name = _parse_value(text)
            merged[keys[0]] = _merge(self._used(keys[0], name), {})
            self._abundances(merged.get("physics") if keys[0] == "physics" else None)
            return
        table = merged
        for key in keys[:-1]:
            if not isinstance(table.get(key), dict):
                table[key] = {}
            table = table[key]
        table[keys[-1]] = _parse_value(text)
        self._note(".".join(keys), table[keys[-1]], "--set")

    def _note(self, prefix: str, value: Any, origin: str) -> None:
        if isinstance(value, Mapping):
            for key in flatten(value, f"{prefix}."):
                self.origin[key] = origin
        else:
            self.origin[prefix] = origin


def _validate(merged: dict[str, Any], problems: list[Problem]) -> RunConfig | None:
    """Check every section by itself, so that one bad value hides no other; then across sections."""
    parts: dict[str, Any] = {}
    _validate_model(RunConfig, RunConfig, merged, (), parts, problems)
    physics = merged.get("physics")
    if isinstance(physics, dict):
        _validate_model(RunConfig, PhysicsConfig, physics, ("physics",), parts, problems, merged)
    problems += cross_checks(parts)
    if problems:
        return None
    try:
        return RunConfig.model_validate(merged)
    except ValidationError as error:
        problems += problems_of(RunConfig, merged, error.errors())
        return None


def _validate_model(
    root: type[BaseModel],
    model: type[BaseModel],
    raw: Mapping[str, Any],
    prefix: tuple[str, ...],
    parts: dict[str, Any],
    problems: list[Problem],
    whole: Mapping[str, Any] | None = None,
) -> None:
    whole = raw if whole is None else whole
    known = known_keys(model)
    for key in raw:
        if key not in known:
            path = ".".join((*prefix, key))
            problems.append(Problem(path, f"unknown key{nearest(key, known) or '; known here: ' + ', '.join(known)}"))
    for name, field in model.model_fields.items():
        key = field.alias or name
        path = (*prefix, key)
        if key not in raw:
            if field.is_required():
                problems += problems_of(root, whole, [{"loc": path, "type": "missing"}])
            else:
                parts[".".join(path)] = field.get_default(call_default_factory=True)
            continue
        if key == "physics" and isinstance(raw[key], Mapping):
            continue
        adapter = TypeAdapter(_annotated(field))
        try:
            parts[".".join(path)] = adapter.validate_python(raw[key])
        except ValidationError as error:
            found = [{**e, "loc": (*path, *e["loc"])} for e in error.errors()]
            problems += problems_of(root, whole, found)


def _annotated(field: Any) -> Any:
    from typing import Annotated

    notes = tuple(field.metadata)
    return Annotated[(field.annotation, *notes)] if notes else field.annotation


def _parse_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def _plain(value: Any) -> Any:
    return {k: _plain(v) for k, v in value.items()} if isinstance(value, Mapping) else value


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` on top of `base`, table by table; a table of another ``kind`` replaces the old one."""
    merged = {k: _plain(v) for k, v in base.items()}
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, Mapping):
            other_kind = "kind" in value and "kind" in old and value["kind"] != old["kind"]
            merged[key] = _plain(value) if other_kind else _merge(old, value)
        else:
            merged[key] = _plain(value)
    return merged


def _overlay(complete: Any, written: Any) -> Any:
    """The complete dump, with values spelled as they were written."""
    if isinstance(complete, Mapping) and isinstance(written, Mapping):
        return {k: _overlay(v, written[k]) if k in written else v for k, v in complete.items()}
    return list(written) if isinstance(written, tuple) else written

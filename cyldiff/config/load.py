"""Read a run: TOML file, ``use`` references, overrides; validate; remember where each value is from.

Precedence: defaults of the schema < file named by ``use`` < run file < overrides (``--set``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from cyldiff import kinds as _kinds  # noqa: F401 - registers all kinds of the package
from cyldiff import resources
from cyldiff.config.layers import Layers, origin_at, values
from cyldiff.config.schema import RunConfig
from cyldiff.config.toml import dotted, leaves, split_path, to_toml
from cyldiff.config.validate import validate
from cyldiff.errors import ConfigError, DataError, Problem

__all__ = ["Loaded", "LoadedConfig", "assemble", "load_config", "load_mapping", "load_run_file", "run_file"]

Root = TypeVar("Root", bound=BaseModel)
Found = TypeVar("Found", covariant=True)


@dataclass(frozen=True)
class Loaded(Generic[Root]):
    """A valid config with its text, complete, and the origin of every value.

    Attributes
    ----------
    config : the sections, checked and in internal units
    resolved : nested dict, everything spelled out (defaults and ``use`` files included); a key
        without a value is None
    origin : dotted path -> where the value was set; "default" where nobody did
    source : name of the file
    inputs : files that were read
    """

    config: Root
    resolved: dict[str, Any]
    origin: dict[str, str]
    source: str
    inputs: tuple[Path, ...] = ()

    def toml(self) -> str:
        """The resolved config as a TOML file that says the same by itself."""
        return to_toml(self.resolved)


AnyLoaded = TypeVar("AnyLoaded", bound=Loaded[Any])


@dataclass(frozen=True)
class LoadedConfig(Loaded[RunConfig]):
    """A valid run; `config` is a :class:`~cyldiff.config.schema.RunConfig`."""

    def changed(self, overrides: Sequence[str], *, source: str) -> LoadedConfig:
        """The same with other values; ConfigError if they are not valid."""
        return load_mapping(self.resolved, overrides, source=source)


def load_config(path: str | Path, overrides: Sequence[str] = (), *, base: Path | None = None) -> LoadedConfig:
    """Read and validate a run file, or a name of the library of runs.

    Parameters
    ----------
    path : file, or bare name such as "quickstart". A bare name that is not in the library may be a
        file without suffix.
    overrides : "dotted.path=value" items; the value is read as TOML, else as text
    base : folder that a relative path starts from; default the current one

    Returns
    -------
    LoadedConfig    the valid config, with the text and the origin of every value

    Raises
    ------
    ConfigError
        with every problem found.
    """
    return load_run_file(load_mapping, path, overrides, base=base)


class _Reader(Protocol[Found]):
    """What makes a config of nested dicts: :func:`load_mapping` and its like."""

    def __call__(
        self, raw: Mapping[str, Any], overrides: Sequence[str] = (), *, source: str, beside: Path | None
    ) -> Found: ...


def load_run_file(
    read: _Reader[AnyLoaded], path: str | Path, overrides: Sequence[str] = (), *, base: Path | None = None
) -> AnyLoaded:
    """Read a file of the library of runs, or any other, a section ``[fit]`` being left aside.

    Parameters
    ----------
    read : what validates it, e.g. :func:`load_mapping`
    path, overrides, base : as :func:`load_config`

    Raises
    ------
    ConfigError
        with every problem found.
    """
    with resources.readable(path):
        file = run_file(path, base)
        raw = resources.read_toml(file)
    # of a tuning file this is the model that the fit starts from
    raw.pop("fit", None)
    loaded = read(raw, overrides, source=str(path), beside=file.parent)
    return replace(loaded, inputs=(file, *loaded.inputs))


def run_file(path: str | Path, base: Path | None = None) -> Path:
    """File of a run: a path, or a name of the library; DataError if there is none."""
    if isinstance(path, Path):
        return path if base is None else base / path
    try:
        return resources.find("runs", path, beside=base)
    except DataError:
        try:
            file = (base or Path()) / path
            if path and file.exists():
                return file
        except (OSError, ValueError):  # not even a name
            pass
        raise


def load_mapping(
    raw: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    source: str = "config",
    beside: Path | None = None,
) -> LoadedConfig:
    """Validate a config given as nested dicts; the Python twin of :func:`load_config`.

    Parameters
    ----------
    raw : nested plain values, as in a run file
    overrides : "dotted.path=value" items
    source : what to call it in messages
    beside : folder that relative paths in it start from; default the current one

    Raises
    ------
    ConfigError
        with every problem found.
    """
    config, resolved, origin, inputs = assemble(raw, overrides, Layers(source, beside), validate)
    return LoadedConfig(config, resolved, origin, source, inputs)


def assemble(
    raw: Mapping[str, Any],
    overrides: Sequence[str],
    layers: Layers,
    check: Callable[[Any, frozenset[Any]], tuple[Root | None, list[Problem]]],
) -> tuple[Root, dict[str, Any], dict[str, str], tuple[Path, ...]]:
    """Put the layers together and validate them: config, resolved values, origins and files read.

    Parameters
    ----------
    raw, overrides : as :func:`load_mapping`
    layers : empty, of the libraries this kind of file may use
    check : from plain values and the paths of incomplete tables to config and problems

    Raises
    ------
    ConfigError
        with every problem found.
    """
    source = layers.source
    if not isinstance(raw, Mapping):
        raise ConfigError(source, [Problem("file", "expected a table of sections")])
    try:
        tree = layers.build(raw, overrides)
        config, problems = check(values(tree), frozenset(layers.incomplete))
    except RecursionError:
        raise ConfigError(source, [Problem("file", "tables are nested too deeply")]) from None
    problems = [*layers.problems, *(_located(p, tree, source) for p in problems)]
    if config is None or problems:
        raise ConfigError(source, problems)
    resolved = _overlay(config.model_dump(by_alias=True), values(tree))
    origin = {dotted(path): origin_at(tree, path) or "default" for path, _ in leaves(resolved)}
    return config, resolved, origin, tuple(layers.inputs)


def _located(problem: Problem, tree: Any, source: str) -> Problem:
    """Add who set the value, if it was not the run file."""
    origin = origin_at(tree, split_path(problem.key) or ())
    return replace(problem, where=origin) if origin not in ("", source) else problem


def _overlay(complete: Any, written: Any) -> Any:
    """The complete dump, ``kind`` first, with values spelled as they were written."""
    if isinstance(complete, Mapping) and isinstance(written, Mapping):
        keys = sorted(complete, key=lambda key: key != "kind")
        return {k: _overlay(complete[k], written[k]) if k in written else _ordered(complete[k]) for k in keys}
    return list(written) if isinstance(written, tuple) else written


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _ordered(value[k]) for k in sorted(value, key=lambda key: key != "kind")}
    return [_ordered(v) for v in value] if isinstance(value, list | tuple) else value

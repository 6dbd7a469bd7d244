"""The propagation model that sources are put into: a model of the library, that of a run, or that of a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff import resources
from cyldiff.config.layers import Layers, values
from cyldiff.config.load import LoadedConfig, load_config
from cyldiff.config.schema import PhysicsConfig, RunConfig
from cyldiff.config.toml import to_toml
from cyldiff.config.validate import validate
from cyldiff.errors import ConfigError, CyldiffError, DataError, Problem, nearest, quoted
from cyldiff.grid import energy_grid
from cyldiff.io.netcdf import read_result

__all__ = ["PropagationModel", "as_model", "load_model", "physics_of"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PropagationModel:
    """The physics that sources are put into.

    Attributes
    ----------
    physics : the model itself
    name : what it is called
    kinetic_energy : grid of the run or result it is from [GeV/n]; None for a bare model
    run : the config of that run, for a grid to solve on; None for a bare model
    inputs : files that were read
    """

    physics: PhysicsConfig
    name: str
    kinetic_energy: Array | None = None
    run: RunConfig | None = None
    inputs: tuple[Path, ...] = ()

    def toml(self) -> str:
        """The complete model as text, in its place in a run."""
        return to_toml({"physics": self.physics.model_dump(by_alias=True)})


def load_model(name: str | Path, overrides: Sequence[str] = ()) -> PropagationModel:
    """Model of the library, or in a file; or that of a run, or of a result.

    Parameters
    ----------
    name : name of the library of models or of runs, or a file: a model, a run (.toml) or a result (.nc)
    overrides : "physics.KEY=value" items; not for a result, whose model is what it is

    Raises
    ------
    ConfigError   if the model is not valid
    DataError     if the result is none
    """
    text = str(name)
    if text.endswith(".nc"):
        if overrides:
            raise DataError(f"{text}: the model of a result cannot be changed; found --set {overrides[0]}")
        return as_model(read_result(Path(text)), name=text, inputs=(Path(text),))
    if _is_run(text):
        return as_model(load_config(text, overrides), name=text)
    return _bare(text, overrides)


def as_model(
    model: Any, *, name: str = "", inputs: tuple[Path, ...] = (), overrides: Sequence[str] = ()
) -> PropagationModel:
    """A :class:`PropagationModel` from whatever says one: its name or file, a config, a result, the physics."""
    if isinstance(model, PropagationModel):
        return model
    if isinstance(model, PhysicsConfig):
        return PropagationModel(model, name or model.title)
    if isinstance(model, RunConfig | LoadedConfig):
        config = model.config if isinstance(model, LoadedConfig) else model
        momentum = config.grid.momentum
        energy = energy_grid(momentum.min, momentum.max, momentum.per_decade)
        inputs = inputs or (model.inputs if isinstance(model, LoadedConfig) else ())
        return PropagationModel(config.physics, name or config.run.name, energy, config, inputs)
    if isinstance(model, xr.Dataset):
        energy = model["kinetic_energy"].values.astype(float)
        return PropagationModel(
            physics_of(model, name or "the result"), name or "a result", energy, None, inputs
        )
    return load_model(model, overrides)


def physics_of(dataset: xr.Dataset, what: str) -> PhysicsConfig:
    """The propagation model that a result, or a file of sources, was made with.

    Raises
    ------
    DataError
        if it does not say, or not in a way this version understands.
    """
    import tomllib

    try:
        return PhysicsConfig.model_validate(tomllib.loads(str(dataset.attrs["config"]))["physics"])
    except (KeyError, ValueError, TypeError):
        raise DataError(f"{what} does not say with which model it was made (attribute config)") from None


def _is_run(name: str) -> bool:
    """Whether a name or file is a run; what cannot be read is left to those who say why."""
    try:
        if name.endswith(".toml") or name.startswith((".", "/", "~")):
            return "run" in resources.read_toml(resources.find("models", name))
        return name not in resources.names("models") and name in resources.names("runs")
    except CyldiffError:
        return False


def _bare(name: str, overrides: Sequence[str]) -> PropagationModel:
    """A model without a grid, with all that is wrong with it."""
    known = resources.names("models")
    if name not in known and not (name.endswith(".toml") or name.startswith((".", "/", "~"))):
        hint = nearest(name, [*known, *resources.names("runs")])
        message = f"{quoted(name)} is no model; known: {', '.join(known)}{hint}"
        raise ConfigError(name or '""', [Problem("model", message)])
    layers = Layers(name, None)
    raw = values(layers.build({"physics": {"use": name}}, overrides))
    _, problems = validate({"schema": 1, "run": {"name": "model"}, **raw}, frozenset(layers.incomplete))
    problems = [*layers.problems, *(p for p in problems if p.key != "grid")]
    if problems:
        raise ConfigError(name, problems)
    return PropagationModel(PhysicsConfig.model_validate(raw["physics"]), name, inputs=tuple(layers.inputs))

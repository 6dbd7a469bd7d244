"""A response as a NetCDF file, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cyldiff.errors import DataError
from cyldiff.particles.species import nuclides
from cyldiff.resources import no_file
from cyldiff.sources.response.response import SourceResponse

__all__ = ["is_response", "read_response", "to_dataset"]

#: what tells a response from other files
TITLE = "cyldiff source response"
#: name -> dims, units, long name; the attributes of a response of the same name
_ARRAYS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "kinetic_energy": (("kinetic_energy",), "GeV", "observed kinetic energy per nucleon"),
    "injected_energy": (("injected_energy",), "GeV", "kinetic energy per nucleon at the source"),
    "weight": (
        ("kinetic_energy", "injected"),
        "1",
        "what makes the response into density per energy of particles injected per energy",
    ),
    "law_energy": (("law_energy",), "GeV", "kinetic energy per nucleon of the diffusion law"),
    "law_diffusion": (("law_energy",), "kiloparsec2 Myr-1", "diffusion coefficient at the observer"),
    "law_begin": (("law_energy",), "Myr", "age from which on the table counts"),
    "spread": (("spread",), "kiloparsec2", "diffusion coefficient at the observer times age"),
    "r": (("r",), "kiloparsec", "galactocentric radius of the source"),
    "psi": (("psi",), "radian", "angle between source and observer around the axis"),
    "z": (("z",), "kiloparsec", "height of the source"),
    "values": (
        ("r", "psi", "z", "kinetic_energy", "injected", "age", "quantity"),
        "kiloparsec-3, kiloparsec-4",
        "density at the observer per particle, and its gradient along r, phi, z; the last age is the "
        "integral over the spread, times kiloparsec2",
    ),
    "neglected": (("kinetic_energy",), "1", "relative change of the flux by motion in momentum left out"),
}
_NUMBERS = ("species", "core")
_PAIRS = ("observer", "box")
_FLAGS = ("mirrored", "gone", "uniform")
#: how each attribute is read back
_READERS: dict[str, Callable[[Any], Any]] = {
    "species": lambda text: nuclides()[text].name,
    "core": float,
    **dict.fromkeys(_PAIRS, lambda pair: (float(pair[0]), float(pair[1]))),
    **dict.fromkeys(_FLAGS, bool),
    "made_from": json.loads,
}


def to_dataset(response: SourceResponse) -> xr.Dataset:
    """All of a response as variables with units."""
    from cyldiff.io.provenance import version

    variables = {
        name: (dims, np.asarray(getattr(response, name)), {"units": units, "long_name": text})
        for name, (dims, units, text) in _ARRAYS.items()
    }
    attributes: dict[str, Any] = {"title": TITLE, "cyldiff_version": version()}
    attributes |= {name: getattr(response, name) for name in _NUMBERS}
    attributes |= {name: list(getattr(response, name)) for name in _PAIRS}
    attributes |= {name: int(getattr(response, name)) for name in _FLAGS}
    attributes["made_from"] = json.dumps(response.attributes)
    return xr.Dataset(variables, attrs=attributes)


def is_response(path: Path) -> bool:
    """Whether a file is a response; False for whatever cannot be read."""
    if no_file(path):
        return False
    try:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            return bool(dataset.attrs.get("title") == TITLE)
    except (OSError, ValueError, RuntimeError):
        return False


def read_response(path: Path) -> SourceResponse:
    """Read a response.

    Raises
    ------
    DataError
        if the file is missing, not NetCDF, no response, or one that was changed until it cannot be read.
    """
    if reason := no_file(path):
        raise DataError(f"{path}: {reason}")
    try:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            loaded = dataset.load()
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"{path}: not a readable NetCDF file ({error})") from None
    missing = [name for name in _ARRAYS if name not in loaded.variables]
    if loaded.attrs.get("title") != TITLE or missing:
        raise DataError(
            f"{path}: not a response of cyldiff" + (f", it lacks {', '.join(missing)}" if missing else "")
        )
    problems = _array_problems(loaded)
    parts = _attributes(loaded, problems)
    if problems:
        listed = "".join(f"\n  {problem}" for problem in problems)
        raise DataError(f"{path}: not a response as cyldiff writes it{listed}")
    parts |= {name: loaded[name].values for name in _ARRAYS}
    return SourceResponse(attributes=parts.pop("made_from"), **parts)


def _array_problems(dataset: xr.Dataset) -> list[str]:
    """Variables of other dimensions, or without numbers."""
    problems = []
    for name, (dims, _, _) in _ARRAYS.items():
        variable = dataset.variables[name]
        if variable.dims != dims:
            found = ", ".join(map(str, variable.dims))
            problems.append(f"{name} has the dimensions ({found}); expected ({', '.join(dims)})")
        elif variable.dtype.kind not in "fiu" or not np.all(np.isfinite(variable.values)):
            problems.append(f"{name} holds values that are no numbers")
    return problems


def _attributes(dataset: xr.Dataset, problems: list[str]) -> dict[str, Any]:
    """Attributes as they were before; what is wrong with them is added to the problems."""
    parts: dict[str, Any] = {}
    for name, reader in _READERS.items():
        if name not in dataset.attrs:
            problems.append(f"it lacks {name}")
            continue
        try:
            parts[name] = reader(dataset.attrs[name])
        except (ValueError, TypeError, LookupError):
            problems.append(f"{name} is not readable")
    return parts

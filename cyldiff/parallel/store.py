"""Outcomes of an ensemble in a folder: one record per member, complete or not there.

``NAME.json`` holds what became of the member, and its value if that is made of numbers, text, lists,
tables and arrays; ``NAME.nc`` holds a value that is an xarray object.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import tempfile
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cyldiff.errors import DataError

__all__ = ["Store", "fingerprint"]

#: version of the record
SCHEMA = 1
_ARRAY, _TUPLE = "__array__", "__tuple__"


def fingerprint(argument: Any, function: Callable[..., Any], seed: int) -> str:
    """Checksum of what a result follows from: argument, function by name, seed, version of the package."""
    parts = [_canonical(argument), _called(function), str(seed), metadata.version("cyldiff")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _called(function: Any) -> str:
    """Name of a function; with what is bound to it, if it is a partial one or an object that calls one."""
    if hasattr(function, "func"):
        bound = [getattr(function, name, None) for name in ("args", "keywords")]
        return f"{type(function).__qualname__} {_called(function.func)} {_canonical(bound)}"
    name = getattr(function, "__qualname__", None)
    return f"{function.__module__}.{name}" if name else _canonical(function)


def _canonical(value: Any) -> str:
    """Text that is the same for equal values."""
    try:
        return json.dumps(_encode(value), sort_keys=True)
    except DataError:
        return hashlib.sha256(pickle.dumps(value, protocol=5)).hexdigest()


class Store:
    """Records of members in a folder.

    Raises
    ------
    DataError
        if the folder cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f'folder "{folder}" cannot be made ({error.strerror})') from None

    def path(self, name: str) -> Path:
        """File of a member's record: its name where that is one for files, with a checksum otherwise."""
        plain = re.sub(r"[^A-Za-z0-9.,=+_-]+", "_", name)[:80].lstrip(".")
        if plain != name:
            plain = f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:10]}"
        return self.folder / f"{plain}.json"

    def read(self, name: str, mark: str) -> dict[str, Any] | None:
        """Fields of the stored outcome; None if there is none, it is damaged, or of another fingerprint."""
        path = self.path(name)
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if (record["schema"], record["fingerprint"], record["name"]) != (SCHEMA, mark, name):
                return None
            value = _decode(record["value"])
            if record["file"]:
                value = _read_xarray(path.with_suffix(".nc"), record["file"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return {**{k: record[k] for k in ("name", "done", "message", "details", "seconds")}, "value": value}

    def write(self, outcome: Any, mark: str) -> None:
        """Write an outcome.

        Raises
        ------
        DataError
            if the value is of a type that has no place in a record, or the disk is full.
        """
        path, value, file = self.path(outcome.name), outcome.value, ""
        if isinstance(value, xr.Dataset | xr.DataArray):
            file = type(value).__name__
            self._replace(path.with_suffix(".nc"), lambda part: _write_xarray(value, part))
            value = None
        record = {
            "schema": SCHEMA,
            "name": outcome.name,
            "fingerprint": mark,
            "done": outcome.done,
            "message": outcome.message,
            "details": outcome.details,
            "seconds": outcome.seconds,
            "file": file,
            "value": _encode(value),
        }
        text = json.dumps(record, indent=1)
        self._replace(path, lambda part: part.write_text(text, encoding="utf-8"))

    def _replace(self, path: Path, write: Callable[[Path], Any]) -> None:
        """Write a file beside `path` and rename it: the old one stays until the new one is complete."""
        try:
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=self.folder)
            os.close(handle)
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror})") from None
        part = Path(name)
        try:
            write(part)
            part.replace(path)
        except (OSError, RuntimeError) as error:
            raise DataError(f"{path}: cannot be written ({error})") from None
        finally:
            part.unlink(missing_ok=True)


def _write_xarray(value: xr.Dataset | xr.DataArray, path: Path) -> None:
    value.to_netcdf(path, engine="netcdf4", format="NETCDF4")


def _read_xarray(path: Path, kind: str) -> Any:
    opened = xr.load_dataarray if kind == "DataArray" else xr.load_dataset
    return opened(path, engine="netcdf4")


def _encode(value: Any) -> Any:
    """Value in terms of JSON, so that `_decode` gives an equal one back."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return _encode(value.item())
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
        return {_ARRAY: value.tolist(), "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, tuple):
        return {_TUPLE: [_encode(v) for v in value]}
    if isinstance(value, list):
        return [_encode(v) for v in value]
    if isinstance(value, Mapping) and all(isinstance(k, str) for k in value):
        return {k: _encode(v) for k, v in value.items()}
    raise DataError(
        f"a value of type {type(value).__name__} cannot be kept in a folder; expected numbers, text, lists, "
        "tables, arrays, or an xarray object"
    )


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(v) for v in value]
    if not isinstance(value, dict):
        return value
    if _ARRAY in value:
        return np.array(value[_ARRAY], dtype=value["dtype"]).reshape(value["shape"])
    if _TUPLE in value:
        return tuple(_decode(v) for v in value[_TUPLE])
    return {k: _decode(v) for k, v in value.items()}

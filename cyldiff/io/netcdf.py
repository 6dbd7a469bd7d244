"""Write a result so that the file is either complete or not there; read it back."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

from cyldiff.errors import DataError

__all__ = ["check_writable", "read_result", "write_result"]

#: variables worth compressing; the others are small
_LARGE = 100_000


def check_writable(path: Path) -> str | None:
    """Reason why a result cannot be written at `path`, or None."""
    folder = path.parent
    if not folder.is_dir():
        return f'folder "{folder}" does not exist'
    if path.is_dir():
        return f'"{path}" is a folder'
    if not os.access(folder, os.W_OK):
        return f'folder "{folder}" may not be written to'
    return None


def write_result(dataset: xr.Dataset, path: Path) -> None:
    """Write to a temporary file beside `path` and rename: an older file stays until then.

    Raises
    ------
    DataError
        if the file cannot be written (full disk, permissions).
    """
    encoding = {
        str(name): {"zlib": True, "complevel": 1, "shuffle": True}
        for name, variable in dataset.variables.items()
        if variable.size > _LARGE and np.issubdtype(variable.dtype, np.floating)
    }
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from None
    part = Path(name)
    try:
        dataset.to_netcdf(part, engine="netcdf4", format="NETCDF4", encoding=encoding)
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except (OSError, RuntimeError) as error:
        raise DataError(f"{path}: cannot be written ({error})") from None
    finally:
        part.unlink(missing_ok=True)


def read_result(path: Path) -> xr.Dataset:
    """Read a result file completely into memory.

    Raises
    ------
    DataError
        if it is missing, not NetCDF, or not a result of cyldiff.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            loaded = dataset.load()
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"{path}: not a readable NetCDF file ({error})") from None
    missing = [name for name in ("flux_lis", "species", "kinetic_energy") if name not in loaded.variables]
    if missing:
        raise DataError(f"{path}: not a cyldiff result, it lacks {', '.join(missing)}")
    return loaded


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""Write a result so that the file is either complete or not there; read it back."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cyldiff.errors import DataError
from cyldiff.resources import no_file

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["check_writable", "read_result", "write_result"]

#: variables with more values than this are worth compressing
_LARGE = 100_000
#: without these a file is no result
_NEEDED = ("flux_lis", "species", "kinetic_energy")


def check_writable(path: Path) -> str | None:
    """Reason why a file cannot be written at `path`, or None; tried out, nothing is left behind."""
    try:
        target = _target(path)
        if target.is_symlink():
            return f'"{path}" cannot be written (a link that leads to itself)'
        if target.is_dir():
            return f'"{path}" is a folder; expected a file'
        if target.exists() and not target.is_file():
            return f'"{path}" is not a regular file'
        if not target.parent.exists():
            missing = path.parent if path.parent.resolve() == target.parent else target.parent
            return f'folder "{missing}" does not exist'
        if not target.parent.is_dir():
            return f'"{path.parent}" is not a folder'
        if not _can_be_named(target):
            return f"{str(path)!a} has characters that the locale does not; set PYTHONUTF8=1"
        _part(target).unlink()
    except (OSError, ValueError) as error:
        return f'"{path}" cannot be written ({_reason(error)})'
    return None


def write_result(dataset: xr.Dataset, path: str | Path) -> None:
    """Write to a temporary file beside `path` and rename: an older file stays until then.

    Parameters
    ----------
    dataset : xarray.Dataset    result of :func:`cyldiff.run` or of another function of cyldiff
    path : Path                 file to write; its folder must exist

    Raises
    ------
    DataError
        if the file cannot be written (full disk, permissions); nothing is left behind.
    """
    import numpy as np

    target = _target(path)
    encoding = {
        str(name): {"zlib": True, "complevel": 1, "shuffle": True}
        for name, variable in dataset.variables.items()
        if variable.size > _LARGE and np.issubdtype(variable.dtype, np.floating)
    }
    part: Path | None = None
    try:
        part = _part(target)
        dataset.to_netcdf(part, engine="netcdf4", format="NETCDF4", encoding=encoding)
        _to_disk(part)
        part.chmod(0o666 & ~_umask())
        part.replace(target)
    except (OSError, RuntimeError) as error:
        raise DataError(f"{path}: cannot be written ({_reason(error)})") from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def read_result(path: str | Path) -> xr.Dataset:
    """Read a result file completely into memory.

    Parameters
    ----------
    path : Path    NetCDF file that cyldiff has written

    Returns
    -------
    xarray.Dataset    variables with units, as listed under quantities

    Raises
    ------
    DataError
        if it is missing, not NetCDF, not a result of cyldiff, or one that was changed until it cannot be read.
    """
    import xarray as xr

    from cyldiff.io.structure import in_order, structure_problems

    path = Path(path)
    if reason := no_file(path):
        raise DataError(f"{path}: {reason}")
    try:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            loaded = dataset.load()
    except (OSError, ValueError, RuntimeError, KeyError, AttributeError) as error:
        raise DataError(f"{path}: not a readable NetCDF file ({_reason(error)})") from None
    missing = [name for name in _NEEDED if name not in loaded.variables]
    if missing:
        raise DataError(f"{path}: not a cyldiff result, it lacks {', '.join(missing)}")
    problems = structure_problems(loaded)
    if problems:
        listed = "".join(f"\n  {problem}" for problem in problems)
        raise DataError(f"{path}: not a result as cyldiff writes it{listed}")
    return in_order(loaded)


def _target(path: str | Path) -> Path:
    """The file itself, where `path` is a link to it."""
    return Path(os.path.realpath(path))


def _can_be_named(path: Path) -> bool:
    """Whether the libraries below can open a path: bytes that the locale could not read are none of Unicode."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _part(target: Path) -> Path:
    """A new, empty, hidden file beside `target`."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    return Path(name)


def _to_disk(path: Path) -> None:
    """Wait until a file is on the disk, so that the rename cannot overtake its contents."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

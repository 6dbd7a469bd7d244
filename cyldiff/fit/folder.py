"""A folder of results that appears complete or not at all."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cyldiff.errors import DataError

__all__ = ["check_folder", "complete_folder", "file_name"]


def check_folder(folder: Path, mark: str) -> str:
    """Reason why results cannot go into a folder; empty if they can.

    Parameters
    ----------
    mark : a folder with this file holds older results of the same kind, which may be replaced
    """
    try:
        if folder.is_symlink() and not folder.exists():
            return f'"{folder}" is a link to nothing; expected a folder'
        if folder.exists() and not folder.is_dir():
            return f'"{folder}" is a file; expected a folder'
        if folder.is_dir() and any(folder.iterdir()) and not (folder / mark).is_file():
            return f'"{folder}" has other files in it; expected a new folder, or one with older results'
        parent = folder.absolute().parent
        if not parent.is_dir():
            return f'folder "{parent}" does not exist'
        writable = os.access(folder if folder.is_dir() else parent, os.W_OK)
    except (OSError, ValueError) as error:
        return f'"{folder}" cannot be used ({getattr(error, "strerror", None) or error})'
    return "" if writable else f'"{folder}" may not be written'


@contextmanager
def complete_folder(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder` to write files into; they are moved there when all is written.

    Raises
    ------
    DataError
        if the folder cannot be written; then nothing is left behind.
    """
    folder = Path(folder).absolute()
    part = None
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
        part.chmod(0o755)
        yield part
        if folder.is_dir():
            for file in sorted(part.iterdir()):
                file.replace(folder / file.name)
        else:
            part.rename(folder)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror or error})") from None
    finally:
        if part is not None and part.exists():
            shutil.rmtree(part, ignore_errors=True)


def file_name(*words: str) -> str:
    """Names of parameters or data as part of the name of a file."""
    return "-".join(re.sub(r"[^A-Za-z0-9_.+-]+", "_", word).strip("._") or "_" for word in words)

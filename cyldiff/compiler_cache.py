"""A folder for compiled kernels where neither the package nor the home folder can be written.

numba keeps what it compiles beside the source, or else in the user's cache folder. Where both are read-only, as for a
service account on a cluster or in a container, it refuses to compile. A folder of the user among the temporary files
takes their place then.
"""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

__all__ = ["ensure_writable_cache"]

_VARIABLE = "NUMBA_CACHE_DIR"


def ensure_writable_cache(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set $NUMBA_CACHE_DIR if numba would find no folder that it can write; otherwise nothing is changed.

    Has to be called before numba is imported. Worker processes inherit the variable.
    """
    candidates = [Path(__file__).parent / "solve" / "__pycache__", _user_cache(environment)]
    if given := environment.get(_VARIABLE):
        candidates.insert(0, Path(given))
    if not any(_can_be_written(folder) for folder in candidates):
        environment[_VARIABLE] = str(_temporary())


def _user_cache(environment: MutableMapping[str, str]) -> Path:
    """Where numba keeps the cache of a user."""
    base = environment.get("XDG_CACHE_HOME") or str(Path(os.path.expanduser("~")) / ".cache")
    return Path(base) / "numba"


def _can_be_written(folder: Path) -> bool:
    """Whether files can be written to a folder, which is made where it is missing."""
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


def _temporary() -> Path:
    """A folder that only this user can write: numba runs what lies in it."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"cyldiff-numba-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o022:
            return folder
    except OSError:
        pass
    own = Path(tempfile.mkdtemp(prefix="cyldiff-numba-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own

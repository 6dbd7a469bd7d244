"""Files that are complete or not there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cyldiff.errors import DataError

__all__ = ["write_whole"]


def write_whole(path: Path, content: str | bytes) -> None:
    """Write beside `path` and rename: an older file stays until then.

    Raises
    ------
    DataError
        if the file cannot be written; nothing is left behind.
    """
    data = content.encode() if isinstance(content, str) else content
    part = None
    try:
        target = Path(os.path.realpath(path))
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        part = Path(name)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())  # the rename must not overtake the contents
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)
        part.replace(target)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path}: cannot be written ({reason})") from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)

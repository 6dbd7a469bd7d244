"""Where figures go: paths are checked before anything is drawn, files are written at once."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cyldiff.errors import CyldiffError, DataError, nearest
from cyldiff.io.whole import write_whole
from cyldiff.plot.style import RC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FORMATS", "figure_path", "save_figure"]

FORMATS = ("png", "pdf", "svg")


def figure_path(path: str | Path) -> Path:
    """Refuse a path no figure can go to, before anything is drawn.

    Raises
    ------
    DataError
        for an unknown format or a folder that does not exist.
    """
    path = Path(path)
    suffix = path.suffix[1:].lower()
    if suffix not in FORMATS:
        raise DataError(
            f'{path}: figure format "{suffix}" unknown; known: {", ".join(FORMATS)}{nearest(suffix, FORMATS)}'
        )
    if not path.parent.is_dir():
        raise DataError(f"{path}: the folder {path.parent} does not exist")
    return path


def save_figure(build: Callable[[], Figure], path: Path) -> Figure:
    """Draw with the settings of the package and write the file; `build` imports what needs matplotlib.

    Raises
    ------
    DataError
        if the file cannot be written.
    CyldiffError
        if matplotlib is not installed.
    """
    buffer = io.BytesIO()
    try:
        from matplotlib import rc_context

        with rc_context(RC):
            figure = build()
            figure.savefig(buffer, format=path.suffix[1:].lower())
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "matplotlib":
            raise
        raise CyldiffError('figures need matplotlib; install it with: pip install "cyldiff[plot]"') from None
    write_whole(path, buffer.getvalue())
    return figure

"""Text for a terminal: lines that are too long are folded at blanks, under the column they are in.

In a pipe or a file nothing is folded, so that one entry stays one line.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import TextIO

__all__ = ["LINE", "fold", "for_screen"]

#: columns that tables and listings are laid out for
LINE = 80
#: narrowest terminal that lines are folded for
_NARROWEST = 40
#: indentation of what continues a line without columns
_INDENT = 4
_FIRST_COLUMN = re.compile(r"\s*\S+(?: \S+)*\s{2,}(?=\S)")


def fold(text: str, width: int = LINE) -> str:
    """Fold every line that is longer than `width` at its blanks.

    What continues a line stands under its second column (the text after the first gap of two blanks or
    more) if that begins in the left half, else four blanks in. Words are not broken.
    """
    return "\n".join(_folded(line, width) for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    start = len(line) - len(line.lstrip())
    column = _FIRST_COLUMN.match(line)
    under = column.end() if column and column.end() <= width // 2 else start + _INDENT
    return "\n".join(
        textwrap.wrap(
            line, width, subsequent_indent=" " * under, break_long_words=False, break_on_hyphens=False
        )
    )


def for_screen(text: str, stream: TextIO | None = None) -> str:
    """`text` as it is to be printed: folded to the width of the terminal that `stream` is, else as it is.

    Parameters
    ----------
    stream : where it goes; default standard output
    """
    stream = sys.stdout if stream is None else stream
    if stream is None or not stream.isatty():  # None: it was closed
        return text
    return fold(text, max(shutil.get_terminal_size((LINE, 24)).columns, _NARROWEST))

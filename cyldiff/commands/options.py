"""Options that several commands have: numbers, and ``--weight NAME=X``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cyldiff.errors import DataError, quoted

__all__ = ["NUMBER", "read_weights"]

#: pattern of a number
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
#: larger factors only overflow
LARGEST_WEIGHT = 1e30


def read_weights(texts: Sequence[str]) -> dict[str, float]:
    """``("snr=0.9", …)`` as factors by name.

    Raises
    ------
    DataError
        for text that is no name and factor of at least 0, or a name that is given twice.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, factor = text.rpartition("=")
        name, factor = name.strip(), factor.strip()
        value = float(factor) if re.fullmatch(NUMBER, factor, re.ASCII) else -1.0
        if not name or not 0.0 <= value <= LARGEST_WEIGHT:
            raise DataError(
                f'found {quoted(text)}; expected NAME=FACTOR, a finite factor of at least 0, e.g. "snr=0.9"'
            )
        if name in found:
            raise DataError(f"{quoted(name)} is given twice")
        found[name] = value
    return found

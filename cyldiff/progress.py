"""Progress: a bar on a terminal, a log line a minute in batch, nothing else."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

__all__ = ["track"]

T = TypeVar("T")
LOG_EVERY_S = 60.0
_log = logging.getLogger(__name__)


def track(items: Sequence[T], *, label: str, name: str = "name", quiet: bool = False) -> Iterable[T]:
    """Iterate and show how far it is: a tqdm bar on a terminal, otherwise a log line per minute."""
    if quiet:
        return items
    if sys.stderr.isatty():
        return _bar(items, label, name)
    return _lines(items, label)


def _bar(items: Sequence[T], label: str, name: str) -> Iterator[T]:
    from tqdm import tqdm

    with tqdm(total=len(items), desc=label, leave=False, unit="") as bar:
        for item in items:
            bar.set_postfix_str(str(getattr(item, name, item)), refresh=False)
            yield item
            bar.update()


def _lines(items: Sequence[T], label: str) -> Iterator[T]:
    last = time.monotonic()
    for number, item in enumerate(items):
        if time.monotonic() - last > LOG_EVERY_S:
            _log.info("%s: %d of %d", label, number, len(items))
            last = time.monotonic()
        yield item

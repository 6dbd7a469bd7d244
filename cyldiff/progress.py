"""Progress: a bar on a terminal, a log line a minute in batch, nothing if quiet."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["meter", "track"]

T = TypeVar("T")
#: seconds between log lines where there is no terminal
LOG_EVERY_S = 60.0
_log = logging.getLogger(__name__)


def track(items: Sequence[T], *, label: str, name: str = "name", quiet: bool = False) -> Iterable[T]:
    """Iterate and show how far it is.

    Parameters
    ----------
    items : what to iterate over
    label : what is counted
    name : attribute of an item that names it
    quiet : show nothing
    """
    if quiet:
        return items
    return _bar(items, label, name) if sys.stderr.isatty() else _lines(items, label, name)


def _bar(items: Sequence[T], label: str, name: str) -> Iterator[T]:
    from tqdm import tqdm

    with tqdm(total=len(items), desc=label, leave=False, unit="") as bar:
        for item in items:
            bar.set_postfix_str(str(getattr(item, name, item)), refresh=False)
            yield item
            bar.update()


def _lines(items: Sequence[T], label: str, name: str) -> Iterator[T]:
    last = time.monotonic()
    for number, item in enumerate(items):
        _log.debug("%s: %s", label, getattr(item, name, item))
        if time.monotonic() - last > LOG_EVERY_S:
            _log.info("%s: %d of %d", label, number, len(items))
            last = time.monotonic()
        yield item


@contextmanager
def meter(
    label: str, total: int | None = None, *, quiet: bool = False
) -> Iterator[Callable[[int, str], None]]:
    """A counter: call it with how many are done and a word about the last one.

    Parameters
    ----------
    label : what is counted
    total : how many there will be, if that is known
    quiet : show nothing
    """
    if quiet:
        yield lambda done, text: None
    elif sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=total, desc=label, leave=False, unit="") as bar:

            def show(done: int, text: str) -> None:
                bar.set_postfix_str(text, refresh=False)
                bar.update(done - bar.n)

            yield show
    else:
        last = [time.monotonic()]

        def note(done: int, text: str) -> None:
            if time.monotonic() - last[0] > LOG_EVERY_S:
                _log.info("%s: %d%s, %s", label, done, f" of {total}" if total else "", text)
                last[0] = time.monotonic()

        yield note

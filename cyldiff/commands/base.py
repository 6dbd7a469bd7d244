"""What all commands share: errors and signals as messages and exit statuses, checks of output files."""

from __future__ import annotations

import errno
import functools
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from cyldiff.errors import CyldiffError, DataError
from cyldiff.parallel.launch import end, launched_ranks
from cyldiff.screen import for_screen

__all__ = ["check_output", "overwrites", "reported", "show"]

#: what the system says of a disk that takes no more
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def show(text: str, *, err: bool = False) -> None:
    """Print text; on a terminal, lines that are longer than it is wide are folded."""
    click.echo(for_screen(text, sys.stderr if err else sys.stdout), err=err)


class _Stopped(KeyboardInterrupt):
    """A signal asked the process to end."""

    def __init__(self, signum: int) -> None:
        super().__init__()
        self.signum = signum


def reported(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn our errors and signals into a message and an exit status; never a traceback."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            with _stoppable():
                return command(*args, **kwargs)
        except CyldiffError as error:
            end(for_screen(str(error), sys.stderr), error.exit_status)
        except _Stopped as stopped:
            end(f"stopped by {signal.Signals(stopped.signum).name}", 128 + stopped.signum)
        except KeyboardInterrupt:
            end("interrupted", 128 + signal.SIGINT)
        except MemoryError:
            end("not enough memory for this grid; use fewer cells, energies or species", 2)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _FULL:
                end(f"the output cannot be written ({error.strerror})", 2)
            # a fault of the program: with a traceback, but the other ranks must not wait for this one
            if launched_ranks() == 1:
                raise
            end(traceback.format_exc(), 1)

    return wrapped


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the program as Ctrl-C does, so that no file is left half-written."""

    def stop(signum: int, frame: Any) -> NoReturn:
        raise _Stopped(signum)

    # under MPI the launcher ends the ranks itself, and says so once
    wanted = ("SIGTERM", "SIGHUP") if launched_ranks() == 1 else ()
    names = [n for n in wanted if hasattr(signal, n)]
    # a signal that is ignored (nohup) stays ignored
    ours = [s for n in names if signal.getsignal(s := getattr(signal, n)) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def overwrites(path: Path, inputs: Sequence[Path]) -> str:
    """Reason why writing to `path` would destroy an input; empty if it would not."""
    for file in inputs:
        try:
            if path.exists() and file.exists() and path.samefile(file):
                return f'"{path}" is an input of this run; expected another file'
        except OSError:
            continue
    return ""


def check_output(path: Path, inputs: Sequence[Path], option: str = "--output") -> None:
    """Refuse, before work starts, an output that cannot be written or is an input.

    Raises
    ------
    DataError
        naming the option.
    """
    from cyldiff.io.netcdf import check_writable

    reason = check_writable(path) or overwrites(path, inputs)
    if reason:
        raise DataError(f"{option}: {reason}")

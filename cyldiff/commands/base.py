"""What all commands share: errors and signals as messages and exit statuses, checks of output files."""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from cyldiff.errors import CyldiffError, DataError
from cyldiff.parallel.launch import end, launched_ranks
from cyldiff.screen import for_screen, numbers_table

__all__ = ["check_output", "overwrites", "reported", "show", "show_next", "show_table"]


def show(text: str, *, err: bool = False) -> None:
    """Print text; on a terminal, lines that are longer than it is wide are folded."""
    click.echo(for_screen(text, sys.stderr if err else sys.stdout), err=err)


def show_next(command: str) -> None:
    """Print, as the last line, the command that most users will want now; on a terminal only."""
    if sys.stdout.isatty():
        show(f"next: {command}")


def show_table(columns: Mapping[str, Any], units: Mapping[str, str]) -> None:
    """Print columns of numbers: for people on a terminal, as CSV into a pipe or a file.

    Parameters
    ----------
    columns : numbers by name
    units : by name; a name that is not in it has the unit of the column before it
    """
    from cyldiff.io.table import table_text

    if sys.stdout.isatty():
        click.echo(numbers_table(columns, units))
    else:
        click.echo(table_text(columns), nl=False)


class _Stopped(KeyboardInterrupt):
    """A signal asked the process to end."""

    def __init__(self, signum: int) -> None:
        super().__init__()
        self.signum = signum


def reported(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn our errors and signals into a message and an exit status; never a traceback."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        received: list[int] = []
        threads = os.environ.get("NUMBA_NUM_THREADS", "").strip()
        if threads and not (threads.isdigit() and int(threads) > 0):
            end(f"NUMBA_NUM_THREADS is {threads!r} in the environment; expected a number from 1 on", 2)
        try:
            with _stoppable(received):
                return command(*args, **kwargs)
        except CyldiffError as error:
            end(for_screen(str(error), sys.stderr), error.exit_status)
        except _Stopped as stopped:
            end(_stopped_by(stopped.signum), 128 + stopped.signum)
        except KeyboardInterrupt:
            end(_stopped_by(signal.SIGINT), 128 + signal.SIGINT)
        except MemoryError:
            end("not enough memory for this grid; use fewer cells, energies or species", 2)
        except BrokenPipeError:
            raise  # the reader went away: nothing to say
        except OSError as error:
            if received:
                end(_stopped_by(received[0]), 128 + received[0])
            _release_stdout()
            what = error.filename or "standard output"
            end(f"{what}: cannot be used ({error.strerror or error})", 2)
        except Exception:
            if received:
                # a package that was just at work has made another error of the signal
                end(_stopped_by(received[0]), 128 + received[0])
            # a fault of the program: with a traceback, but the other ranks must not wait for this one
            if launched_ranks() == 1:
                raise
            end(traceback.format_exc(), 1)

    return wrapped


def _release_stdout() -> None:
    """Let what could not be written to the standard output not be tried again at the end."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the process ends


def _stopped_by(number: int) -> str:
    return "interrupted" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"


@contextmanager
def _stoppable(received: list[int]) -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the program as Ctrl-C does, so that no file is left half-written.

    Their numbers, and that of Ctrl-C, go into `received`.
    """

    def stop(signum: int, frame: Any) -> NoReturn:
        received.append(signum)
        if signum == signal.SIGINT:
            raise KeyboardInterrupt
        raise _Stopped(signum)

    # under MPI the launcher ends the ranks itself, and says so once
    wanted = ("SIGTERM", "SIGHUP", "SIGINT") if launched_ranks() == 1 else ()
    names = [n for n in wanted if hasattr(signal, n)]
    # a signal that is ignored (nohup) stays ignored
    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {s: signal.getsignal(s) for n in names if signal.getsignal(s := getattr(signal, n)) in usual}
    if threading.current_thread() is not threading.main_thread():
        before = {}  # only the main thread may say what happens on a signal
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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

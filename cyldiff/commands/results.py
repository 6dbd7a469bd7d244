"""``cyldiff info``, ``diff`` and ``rerun``: what a result is, what changed, and whether it comes out again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cyldiff.commands.base import overwrites, reported, show
from cyldiff.errors import ConfigError, ConvergenceError, DataError, Problem
from cyldiff.parallel.launch import launched_rank

if TYPE_CHECKING:
    import xarray as xr

    from cyldiff.config.load import LoadedConfig

__all__ = ["diff", "info", "rerun"]

_file = click.Path(path_type=Path)


@click.command(short_help="Say what a file is: config, versions, tables, certificate.")
@click.argument("file", type=_file)
@click.option(
    "--config", "with_config", is_flag=True, help="Print the whole configuration as TOML, and only that."
)
@reported
def info(file: Path, with_config: bool) -> None:
    """Say what a FILE that cyldiff wrote is, and where its numbers are from.

    Kind, versions of cyldiff and its packages, names and checksums of the tables that were read, the certificate,
    and all variables with their units. With --config the configuration, which runs by itself.
    """
    from cyldiff.io.description import describe_file, read_any

    if not with_config:
        show(describe_file(file))
        return
    text = str(read_any(file).attrs.get("config", ""))
    if not text:
        raise DataError(f"{file}: carries no configuration")
    click.echo(text, nl=False)


@click.command(short_help="Say what changed between two results.")
@click.argument("old", type=_file)
@click.argument("new", type=_file)
@reported
def diff(old: Path, new: Path) -> None:
    """Say what changed from the result OLD to the result NEW.

    Keys of the configuration with both values and their units, tables with other checksums, versions, and the
    largest relative differences of the interstellar spectra at the Sun. A relative difference is that to the larger
    of the two numbers. Runs in time are compared at their last time.
    """
    from cyldiff.io.description import read_any
    from cyldiff.io.difference import difference_text

    problems, read = [], []
    for option, path in (("OLD", old), ("NEW", new)):
        try:
            read.append(read_any(path))
        except DataError as error:
            problems.append(Problem(option, str(error)))
    if problems:
        raise ConfigError("cyldiff diff", problems)
    show(difference_text(read[0], read[1], (old, new)))


@click.command(short_help="Run the configuration of a result again and compare.")
@click.argument("file", type=_file)
@click.option("-o", "--output", required=True, type=_file, help="New result file.")
@click.option("--force", is_flag=True, help="Also with other tables or another major version.")
@reported
def rerun(file: Path, output: Path, force: bool) -> None:
    """Run the configuration that the result FILE carries, and compare the spectra with it.

    Refused if a table that was read has changed since, or the major version of cyldiff is another one; --force
    runs nevertheless. Exit status 3, after the file is written, if a spectrum at the Sun differs by more than
    1e-10 and nothing was forced.
    """
    started = time.perf_counter()
    old, loaded, forced = _prepare(file, output, force)
    from cyldiff import pipeline
    from cyldiff.io.netcdf import write_result
    from cyldiff.io.replay import REPRODUCED, largest_difference

    new = pipeline.run(loaded, quiet=False)
    if launched_rank() > 0:
        return
    write_result(new, output)
    pipeline.forget_checkpoints(loaded.config)
    largest = largest_difference(old, new)
    show(f"{output} written after {time.perf_counter() - started:.1f} s")
    text = f"largest relative difference of the spectra at the Sun: {largest:.2g}"
    if largest > REPRODUCED and not forced:
        raise ConvergenceError(f"not reproduced: {text}, expected at most {REPRODUCED:g}")
    show(f"{'reproduced' if largest <= REPRODUCED else 'not reproduced'}: {text}")


def _prepare(file: Path, output: Path, force: bool) -> tuple[xr.Dataset, LoadedConfig, bool]:
    """The old result, its config, and whether something was forced; all that is wrong in one message."""
    from cyldiff.io.description import read_any
    from cyldiff.io.netcdf import check_writable
    from cyldiff.io.replay import obstacles, replayable

    problems: list[Problem] = []
    reason = check_writable(output) or overwrites(output, [file])
    if reason:
        problems.append(Problem("--output", reason))
    try:
        old = read_any(file)
    except DataError as error:
        raise ConfigError(f"cyldiff rerun {file}", [*problems, Problem("file", str(error))]) from None
    loaded, found = replayable(old, file)
    hindering = obstacles(old) if loaded is not None else []
    if hindering and force:
        show(_forced(hindering), err=True)
    problems += found + ([] if force else [_with_hint(p) for p in hindering])
    if problems or loaded is None:
        raise ConfigError(f"cyldiff rerun {file}", problems)
    return old, loaded, bool(hindering)


def _forced(hindering: Sequence[Problem]) -> str:
    return "\n".join(["forced:", *(f"  {p.key}: {p.message}" for p in hindering)])


def _with_hint(problem: Problem) -> Problem:
    return Problem(problem.key, f"{problem.message}; --force runs nevertheless")

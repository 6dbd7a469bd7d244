"""``cyldiff import``: inputs of GALPROP and DRAGON as configs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cyldiff.commands.base import overwrites, reported, show
from cyldiff.errors import ConfigError, DataError, Problem

if TYPE_CHECKING:
    from cyldiff.io.foreign import Imported

__all__ = ["import_model"]

_file = click.argument("file", type=click.Path(path_type=Path))
_output = click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Config, .toml."
)
_force = click.option("--force", is_flag=True, help="Replace an existing file.")


@click.group(name="import", short_help="Make a config of an input of GALPROP or DRAGON.")
def import_model() -> None:
    """Make a config of an input of another program.

    The config loads and runs ("cyldiff check", "cyldiff run"). Every key of the input is accounted for: taken, taken
    with a difference, or without an equivalent and why. The list is printed and stands in the config as comments.
    """


@import_model.command(short_help="A galdef file of GALPROP.")
@_file
@_output
@_force
@reported
def galdef(file: Path, output: Path, force: bool) -> None:
    """Make a config of the galdef FILE of GALPROP (v54 to v56)."""
    from cyldiff.io.galdef import read_galdef

    _convert(read_galdef, file, output, force)


@import_model.command(short_help="An XML input of DRAGON.")
@_file
@_output
@_force
@reported
def dragon(file: Path, output: Path, force: bool) -> None:
    """Make a config of the XML input FILE of DRAGON 2.

    Abundances and injection per nuclide are read from NAME.source.param beside it.
    """
    from cyldiff.io.dragon import read_dragon

    _convert(read_dragon, file, output, force)


def _convert(read: Callable[[Path], Imported], file: Path, output: Path, force: bool) -> None:
    """Read, validate, write; all that is wrong in one message, nothing half-written."""
    from cyldiff.io.netcdf import check_writable
    from cyldiff.io.whole import write_whole

    problems: list[Problem] = []
    reason = check_writable(output) or overwrites(output, [file])
    if not reason and output.suffix != ".toml":
        reason = f'found "{output.name}"; expected a name that ends in .toml'
    if not reason and output.exists() and not force:
        reason = f'"{output}" exists; use --force to replace it'
    if reason:
        problems.append(Problem("--output", reason))
    imported = None
    try:
        imported = read(file)
        imported.checked()
    except ConfigError as error:
        problems += error.problems
    except DataError as error:
        problems.append(Problem("FILE", str(error)))
    if problems or imported is None:
        raise ConfigError(f"cyldiff import {file}", problems)
    write_whole(output, imported.toml())
    show(imported.report())
    show(f"\n{output} written; see it with: cyldiff check {output}")

"""``cyldiff import``: inputs of GALPROP and DRAGON as configs, downloads of CRDB as data sets."""

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


@click.group(name="import", short_help="Make a config of an input of GALPROP or DRAGON, data of CRDB.")
def import_model() -> None:
    """Make a config of an input of another program, or a data set of a download.

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


@import_model.command(short_help="Data of the Cosmic-Ray Data Base.")
@_file
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Table, .csv.")
@click.option("--quantity", metavar="NAME", help="One of those in the file, e.g. B/C.")
@click.option("--experiment", metavar="NAME", help='e.g. "AMS02(2011/05-2018/05)".')
@_force
@reported
def crdb(file: Path, output: Path, quantity: str | None, experiment: str | None, force: bool) -> None:
    """Make a data set of FILE, a download of lpsc.in2p3.fr/crdb.

    Formats csv, csv-asimport and usine, exported without rescaling of the flux. Writes the table and, beside it, its
    pedigree .source.toml. Use it as compare.data = ["./NAME.csv"].
    """
    from cyldiff.io.crdb import chosen, read_crdb
    from cyldiff.io.whole import write_whole

    pedigree = output.with_suffix(".source.toml")
    problems = _of_output(output, file, ".csv", force)
    if not problems:
        problems = _of_output(pedigree, file, ".toml", force)
    try:
        found = chosen(read_crdb(file), quantity=quantity, experiment=experiment)
        table, origin = found.files(file.name)
    except ConfigError as error:
        problems += error.problems
    except DataError as error:
        problems.append(Problem("FILE", str(error)))
    if problems:
        raise ConfigError(f"cyldiff import {file}", problems)
    write_whole(pedigree, origin)
    write_whole(output, table)
    show(f"{found.label}\n{output} and {pedigree.name} written")


def _of_output(output: Path, file: Path, ending: str, force: bool) -> list[Problem]:
    from cyldiff.io.netcdf import check_writable

    reason = check_writable(output) or overwrites(output, [file])
    if not reason and output.suffix != ending:
        reason = f'found "{output.name}"; expected a name that ends in {ending}'
    if not reason and output.exists() and not force:
        reason = f'"{output}" exists; use --force to replace it'
    return [Problem("--output", reason)] if reason else []


def _convert(read: Callable[[Path], Imported], file: Path, output: Path, force: bool) -> None:
    """Read, validate, write; all that is wrong in one message, nothing half-written."""
    from cyldiff.io.whole import write_whole

    problems = _of_output(output, file, ".toml", force)
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

"""``cyldiff response``: solve for what the Sun sees; and its map in ``cyldiff plot``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from cyldiff.commands.base import overwrites, reported, show, show_next
from cyldiff.errors import ConfigError, DataError, Problem, quoted

if TYPE_CHECKING:
    from cyldiff.sources.response.solve import Coupling

__all__ = ["draw_map", "response"]


@click.command(short_help="Solve for what the Sun sees of point sources.")
@click.argument("config")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Response file, NetCDF.")
@click.option(
    "--species", default="H1", show_default=True, metavar="NAME", help="Nuclide, released and observed."
)
@click.option(
    "--energies",
    metavar="E[,E]",
    help='Observed energies per nucleon, e.g. "10 TeV,10 PeV"; all between are covered. Default: all of the '
    "run at which particles keep their energy.",
)
@click.option(
    "--ages",
    metavar="AGE",
    help='Oldest age of a source that will be asked for, e.g. "30 Myr". Default: the steady state.',
)
@click.option(
    "--coupling",
    type=click.Choice(["auto", "decoupled", "coupled"]),
    metavar="HOW",
    default="auto",
    show_default=True,
    help='Motion in momentum: "coupled" follows it, "decoupled" solves each energy by itself.',
)
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Replace a value of CONFIG.")
@reported
def response(
    config: str,
    output: Path,
    species: str,
    energies: str | None,
    ages: str | None,
    coupling: str,
    overrides: tuple[str, ...],
) -> None:
    """Solve the adjoint of CONFIG: the response of the Sun to a source at every place.

    \b
    cyldiff response models/yue-2025 -o sdp.nc --energies "100 TeV,10 PeV"
    cyldiff plot sdp.nc "response:1 PeV" -o sdp.png
    """  # noqa: D301
    from cyldiff.config.load import load_config
    from cyldiff.io.netcdf import check_writable

    started = time.perf_counter()
    problems: list[Problem] = []
    loaded, inputs = None, [Path(config)]
    try:
        loaded = load_config(config, overrides)
        inputs = list(loaded.inputs)
    except ConfigError as error:
        problems += error.problems
    reason = check_writable(output) or overwrites(output, inputs)
    problems += [Problem("--output", reason)] if reason else []
    observed = _quantities("--energies", energies, "energy", problems)
    oldest = _quantities("--ages", ages, "time", problems)
    if problems or loaded is None:
        raise ConfigError(config, problems)
    from cyldiff.sources.response import source_response

    found = source_response(
        loaded,
        species=species,
        kinetic_energy=observed,
        ages=oldest,
        coupling=cast("Coupling", coupling),
        quiet=False,
    )
    found.save(output)
    show(found.summary())
    show(f"{output} written after {time.perf_counter() - started:.1f} s")
    show_next(f'cyldiff plot {output} "response:{found.kinetic_energy[-1]:g} GeV" -o response.png')


def _quantities(option: str, text: str | None, dimension: str, problems: list[Problem]) -> list[float] | None:
    """Numbers with units between commas."""
    from cyldiff.units import parse_quantity

    if text is None:
        return None
    values = []
    for part in text.split(","):
        try:
            values.append(parse_quantity(part.strip(), dimension))
        except ValueError as error:
            problems.append(Problem(option, str(error)))
            continue
        if not values[-1] > 0.0:
            problems.append(Problem(option, f"found {quoted(part.strip())}; expected more than 0"))
    return values


def draw_map(path: Path, what: str, output: Path) -> bool:
    """Draw a response, if `what` is "response" or "response:ENERGY[,AGE]"; False if it is anything else."""
    word, _, rest = what.strip().partition(":")
    if word != "response":
        return False
    from cyldiff.sources.response import SourceResponse
    from cyldiff.units import parse_quantity

    parts = [part.strip() for part in rest.split(",")] if rest.strip() else []
    if len(parts) > 2:
        raise DataError(f'cannot draw {quoted(what)}; expected "response", e.g. "response:1 PeV,0.1 Myr"')
    values = []
    for part, dimension in zip(parts, ("energy", "time"), strict=False):
        try:
            values.append(parse_quantity(part, dimension))
        except ValueError as error:
            raise DataError(f"{quoted(what)}: {error}") from None
    energy, age = [*values, None, None][:2]
    SourceResponse.load(path).plot(output, kinetic_energy=energy, age=age)
    return True

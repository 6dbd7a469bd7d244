"""``cyldiff export``: a result in the formats of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cyldiff.commands.base import overwrites, reported, show
from cyldiff.errors import ConfigError, DataError, Problem, nearest, quoted

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["FORMATS", "export"]

#: format -> endings of its files
FORMATS = {
    "ecsv": (".ecsv",),
    "csv": (".csv",),
    "hermes": (".fits", ".fits.gz"),
    "gammapy": (".fits",),
}


@click.command(short_help="Write a result for astropy, HERMES, gammapy or a plot.")
@click.argument("result", type=click.Path(path_type=Path))
@click.option("--format", "kind", required=True, metavar="FORMAT", help="ecsv, csv, hermes or gammapy.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="File, with the ending of its format.",
)
@click.option(
    "--species", metavar="NAMES", help="Some only: C12, C (its isotopes), H,He,electron; default all."
)
@click.option(
    "--at", "place", metavar="PLACE", help='ecsv, csv: where, as for "cyldiff spectrum"; default "sun".'
)
@click.option(
    "--step-r",
    metavar="LENGTH",
    help='hermes: largest step in r, or x and y; default "0.25 kpc", 3-D "0.5 kpc".',
)
@click.option(
    "--step-z", metavar="LENGTH", help='hermes: largest step in z; default "0.1 kpc", 3-D "0.2 kpc".'
)
@click.option("--nside", type=int, metavar="N", help="gammapy: HEALPix resolution; default 64.")
@reported
def export(result: Path, kind: str, output: Path, **options: Any) -> None:
    """Write a RESULT for other programs.

    \b
    ecsv      spectra with units and metadata (astropy QTable)
    csv       the same as plain numbers, for plotting
    hermes    maps of cosmic rays as FITS that HERMES reads (Dragon2D, Dragon3D)
    gammapy   sky map of diffuse gamma rays as FITS

    "cyldiff gamma --map" has more choices. Spectra and maps are interstellar; a run in time is taken at its last time.
    """  # noqa: D301
    dataset, grid = _prepare(result, kind, output, options)
    if kind == "gammapy":
        from cyldiff.commands.gamma import gamma

        click.get_current_context().invoke(
            gamma, result=result, map_file=output, nside=options["nside"] or 64
        )
        return
    names = _names(options["species"], dataset)
    if kind == "hermes":
        from cyldiff.io.hermes import write_hermes

        write_hermes(dataset, output, species=names, grid=grid)
    else:
        from cyldiff.io.spectra_table import write_spectra

        write_spectra(dataset, output, species=names)
    show(f"{output} written")


def _names(species: str | None, dataset: xr.Dataset) -> list[str]:
    """Species of the result that are asked for."""
    from cyldiff.observables.spectra import members

    if species is None:
        return [str(name) for name in dataset["species"].values]
    return list(members(dataset, [name for name in species.split(",") if name.strip()]))


def _prepare(result: Path, kind: str, output: Path, options: dict[str, Any]) -> tuple[xr.Dataset, Any]:
    """The result at the place asked for, and the grid of HERMES; all that is wrong in one message."""
    from cyldiff.io.dataset import latest
    from cyldiff.io.hermes import HermesGrid
    from cyldiff.io.netcdf import read_result
    from cyldiff.observables.place import of_sources, parse_place, spectra_at
    from cyldiff.observables.surroundings import sun_of

    problems = [*_of_file(kind, output, result), *_of_options(kind, options)]
    steps: dict[str, float | None] = {}
    for key in ("step_r", "step_z"):
        try:
            steps[key] = _step(options[key])
        except ValueError as error:
            problems.append(Problem(f"--{key.replace('_', '-')}", str(error)))
    try:
        dataset, grid = of_sources(latest(read_result(result))), None
    except DataError as error:
        raise ConfigError("cyldiff export", [*problems, Problem("RESULT", str(error))]) from None
    try:
        _names(options["species"], dataset)
    except DataError as error:
        problems.append(Problem("--species", str(error)))
    if kind in ("hermes", "gammapy") and "flux" not in dataset:
        text = 'holds no maps; run it with output.quantities = ["flux"]'
        problems.append(Problem("RESULT", f"{result} {text}"))
    elif kind == "hermes" and not problems:
        grid = HermesGrid.of(dataset, **steps)
    elif kind in ("ecsv", "csv"):
        try:
            dataset = spectra_at(dataset, parse_place(options["place"] or "sun", sun_of(dataset)))
        except DataError as error:
            problems.append(Problem("--at", str(error)))
    if problems:
        raise ConfigError("cyldiff export", problems)
    return dataset, grid


def _of_file(kind: str, output: Path, result: Path) -> list[Problem]:
    from cyldiff.io.netcdf import check_writable

    if kind not in FORMATS:
        known = f"known: {', '.join(FORMATS)}{nearest(kind, FORMATS)}"
        return [Problem("--format", f"{quoted(kind)} unknown; {known}")]
    if not output.name.lower().endswith(FORMATS[kind]):
        ending = " or ".join(FORMATS[kind])
        return [Problem("--output", f"found {quoted(output.name)}; expected a name that ends in {ending}")]
    reason = check_writable(output) or overwrites(output, [result])
    return [Problem("--output", reason)] if reason else []


def _of_options(kind: str, options: dict[str, Any]) -> list[Problem]:
    """Options that belong to another format are refused, not ignored."""
    belongs = {
        "species": ("ecsv", "csv", "hermes"),
        "place": ("ecsv", "csv"),
        "step_r": ("hermes",),
        "step_z": ("hermes",),
        "nside": ("gammapy",),
    }
    names = {"place": "--at", "step_r": "--step-r", "step_z": "--step-z"}
    return [
        Problem(names.get(key, f"--{key}"), f"has no meaning with --format {kind}; remove it")
        for key, kinds in belongs.items()
        if options[key] is not None and kind in FORMATS and kind not in kinds
    ]


def _step(text: str | None) -> float | None:
    """A step [kpc], between 1 pc and 10 kpc."""
    from cyldiff.units import parse_quantity

    if text is None:
        return None
    value = parse_quantity(text, "length")
    if not 1e-3 <= value <= 10.0:
        raise ValueError(f"found {quoted(text)}; expected 1 pc to 10 kpc")
    return value

"""``cyldiff spectrum``: what a detector at any place of the halo would measure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cyldiff.commands.base import overwrites, reported, show, show_table
from cyldiff.errors import ConfigError, DataError, Problem, nearest, quoted

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray

    from cyldiff.io.spectra_table import Curves
    from cyldiff.observables.abscissa import Abscissa

__all__ = ["FORMATS", "spectrum"]

FORMATS = ("csv", "ecsv", "nc")


@click.command(short_help="Spectra of a result at any place.")
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--species", required=True, metavar="NAMES", help="C12, C (its isotopes), or several: H,He,C12."
)
@click.option(
    "--at",
    "place",
    default="sun",
    show_default=True,
    metavar="PLACE",
    help='"sun", "l=80deg b=1deg d=1.4kpc", "x=-8kpc y=1kpc z=0kpc" or "r=4kpc phi=90deg z=0kpc".',
)
@click.option("--abscissa", default="kinetic_energy_per_nucleon", metavar="NAME",
              help="kinetic_energy_per_nucleon (default), rigidity, kinetic_energy or total_energy.")  # fmt: skip
@click.option("--potential", metavar="PHI", help='Solar modulation, e.g. "600 MV"; default none.')
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Table: .csv, .ecsv or .nc; default: print."
)
@click.option("--plot", "figure", type=click.Path(path_type=Path), help="Figure: .png, .pdf or .svg.")
@reported
def spectrum(
    result: Path, species: str, place: str, abscissa: str, potential: str | None, output: Path | None,
    figure: Path | None,
) -> None:  # fmt: skip
    """Spectra of a RESULT at any place of the halo, interpolated on its maps.

    RESULT is the file of a run, or of "cyldiff sources": its sources are then the components.

    Columns are the abscissa [GeV/n, GV or GeV], the intensity of every name in --species, and, if the result holds
    components, NAME:COMPONENT for each of them [m^-2 s^-1 sr^-1 per unit of the abscissa].

    A place outside of the halo is refused with its range. The Sun's spectra need no maps; all others do
    (output.quantities = ["flux"] in 3-D). The Sun is at x = -r_sun, l = 90 deg points to +y. The result of a run in
    time is taken at its last time.

    \b
    cyldiff spectrum out.nc --species C12 --at "l=80deg b=1deg d=1.4kpc"
    """  # noqa: D301
    dataset, axis, phi = _prepare(result, species, place, abscissa, potential, output, figure)
    from cyldiff.io.spectra_table import curves_of

    x, curves = curves_of(dataset, _names(species), axis, phi)
    if figure is not None:
        from cyldiff.plot.place import draw_place

        draw_place(axis, x, curves, title=str(dataset.attrs["place"]), path=figure)
        show(f"{figure} written")
    _deliver(dataset, axis, x, curves, output, quiet=figure is not None)


def _names(species: str) -> list[str]:
    return [name.strip() for name in species.split(",") if name.strip()]


def _prepare(
    result: Path, species: str, place: str, abscissa: str, potential: str | None, output: Path | None,
    figure: Path | None,
) -> tuple[xr.Dataset, Abscissa, float]:  # fmt: skip
    """Spectra at the place, the abscissa and the potential; all that is wrong in one message."""
    from cyldiff.io.dataset import latest
    from cyldiff.io.netcdf import read_result
    from cyldiff.observables.abscissa import abscissa_named
    from cyldiff.observables.place import of_sources, parse_place, spectra_at
    from cyldiff.observables.spectra import members
    from cyldiff.observables.surroundings import sun_of

    problems = _paths(result, output, figure)
    dataset, axis, phi = None, None, 0.0
    try:
        axis = abscissa_named(abscissa)
    except DataError as error:
        problems.append(Problem("--abscissa", str(error)))
    try:
        phi = _potential(potential)
    except DataError as error:
        problems.append(Problem("--potential", str(error)))
    try:
        read = of_sources(latest(read_result(result)))
    except DataError as error:
        raise ConfigError("cyldiff spectrum", [*problems, Problem("RESULT", str(error))]) from None
    try:
        members(read, _names(species))
    except DataError as error:
        problems.append(Problem("--species", str(error)))
    try:
        dataset = spectra_at(read, parse_place(place, sun_of(read)))
    except DataError as error:
        problems.append(Problem("--at", str(error)))
    if problems or dataset is None or axis is None:
        raise ConfigError("cyldiff spectrum", problems)
    return dataset, axis, phi


def _paths(result: Path, output: Path | None, figure: Path | None) -> list[Problem]:
    from cyldiff.io.netcdf import check_writable
    from cyldiff.plot.output import figure_path

    problems = []
    for option, path in (("--output", output), ("--plot", figure)):
        if path is None:
            continue
        reason = check_writable(path) or overwrites(path, [result])
        if option == "--output" and path.suffix[1:].lower() not in FORMATS:
            known = f"known: {', '.join(FORMATS)}{nearest(path.suffix[1:], FORMATS)}"
            reason = f"table format {quoted(path.suffix[1:])} unknown; {known}"
        if reason:
            problems.append(Problem(option, reason))
        elif option == "--plot":
            try:
                figure_path(path)
            except DataError as error:
                problems.append(Problem(option, str(error)))
    return problems


def _potential(text: str | None) -> float:
    from cyldiff.units import parse_quantity

    try:
        value = parse_quantity(text, "rigidity") if text is not None else 0.0
    except ValueError as error:
        raise DataError(str(error)) from None
    if value < 0.0:
        raise DataError(f"found {quoted(text)}; expected at least 0 MV")
    return value


def _deliver(
    dataset: xr.Dataset, axis: Abscissa, x: NDArray[np.float64], curves: Curves, output: Path | None, *, quiet: bool
) -> None:  # fmt: skip
    """Write or print the table."""
    from cyldiff.io.ecsv import origin_of, write_columns
    from cyldiff.io.spectra_table import columns_of

    columns = columns_of(axis, x, curves)
    meta: dict[str, Any] = {**origin_of(dataset), "place": str(dataset.attrs["place"])}
    if output is None:
        if not quiet:
            show(f"{meta['place']}; {axis.name} [{axis.unit}], intensity [{axis.intensity_unit}]", err=True)
            show_table({c.name: c.values for c in columns}, {})
        return
    if output.suffix.lower() == ".nc":
        from cyldiff.io.netcdf import write_result

        write_result(_as_dataset(columns, meta), output)
    else:
        write_columns(columns, output, meta)
    show(f"{output} written")


def _as_dataset(columns: list[Any], meta: dict[str, Any]) -> xr.Dataset:
    import xarray as xr

    axis, *rest = columns
    variables = {c.name: (axis.name, c.values, {"units": c.unit, "long_name": c.description}) for c in rest}
    coordinate = (axis.name, axis.values, {"units": axis.unit, "long_name": axis.description})
    return xr.Dataset(variables, coords={axis.name: coordinate}, attrs=meta)

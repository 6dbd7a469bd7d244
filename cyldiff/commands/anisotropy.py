"""``cyldiff anisotropy``: the dipole of a result and of point sources against energy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cyldiff.commands.base import overwrites, reported, show, show_table
from cyldiff.commands.options import NUMBER, read_weights
from cyldiff.errors import ConfigError, DataError, Problem, nearest, quoted

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray

    from cyldiff.data.dipoles import DipoleMeasurement

__all__ = ["anisotropy"]

#: points per decade of a range of energies
PER_DECADE = 20


@click.command(short_help="Amplitude and phase of the dipole against energy.")
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--sources", type=click.Path(path_type=Path), help='Point sources, a file of "cyldiff sources".'
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Table, .csv; default: print it.")
@click.option("--plot", "figure", type=click.Path(path_type=Path), help="Figure: .png, .pdf, .svg.")
@click.option(
    "--species",
    default="all",
    show_default=True,
    metavar="NAMES",
    help='"p", "p+He", "all" nuclei, or e.g. "H+He+C".',
)
@click.option(
    "--at",
    default="energy",
    show_default=True,
    metavar="WHAT",
    help='Add species at equal "energy" or "rigidity".',
)
@click.option("--energies", metavar="RANGE", help='E.g. "100 GeV..10 PeV" or "10 TeV, 1 PeV"; default: all.')
@click.option(
    "--weight",
    "weights",
    multiple=True,
    metavar="NAME=X",
    help="Factor of a component or source. May be repeated.",
)
@click.option("--wind", is_flag=True, help="Add what the Galactic wind sweeps past the Sun.")
@click.option(
    "--compton-getting",
    "speed",
    metavar="SPEED",
    help='Add the motion of the observer, e.g. "20 km/s"; needs --apex.',
)
@click.option("--apex", metavar="DIRECTION", help='Where it is headed: "RA, DEC" or "l=…, b=…" in degrees.')
@click.option("--band", metavar="DEC..DEC", help='First harmonic of a band of declinations, e.g. "-20..60".')
@click.option(
    "--alone", is_flag=True, help="Columns of parts: their own dipoles, not what they add to the whole."
)
@click.option(
    "--data",
    multiple=True,
    metavar="NAME",
    help="Measured dipole for the figure; default: all that are current.",
)
@reported
def anisotropy(
    result: Path, sources: Path | None, output: Path | None, figure: Path | None, **options: Any
) -> None:
    """Amplitude and phase of the dipole of a RESULT against energy, as arrays on the ground see it.

    \b
    energy        total energy per particle [GeV]
    amplitude     of the dipole in the equatorial plane
    phase         right ascension of the excess [deg]
    then amplitude and phase of what each component and source adds

    Everything comes from the files: a weight needs no new solve. Species are added at equal energy per
    particle, each with the diffusion coefficient at its own rigidity. The result of a run in time is taken at
    its last time.
    """  # noqa: D301
    request = _request(result, sources, output, figure, options)
    from cyldiff.io.dataset import latest
    from cyldiff.io.netcdf import read_result
    from cyldiff.observables.anisotropy import anisotropy as dipole_of

    dataset = latest(read_result(result))
    listed = latest(read_result(sources)) if sources is not None else None
    dipole = dipole_of(dataset, sources=listed, **request.arguments)
    columns = table(dipole, alone=bool(options["alone"]))
    _deliver(columns, dipole, request, output, figure)


@dataclass
class _Request:
    """The options, read."""

    arguments: dict[str, Any] = field(default_factory=dict)
    data: list[DipoleMeasurement] = field(default_factory=list)
    shown: tuple[float, float] | None = None


def _request(
    result: Path, sources: Path | None, output: Path | None, figure: Path | None, options: Mapping[str, Any]
) -> _Request:
    """Read all options; what is wrong with any of them in one message."""
    problems: list[Problem] = []
    request = _Request()

    def read(option: str, reader: Callable[[], Any]) -> Any:
        try:
            return reader()
        except (DataError, ValueError) as error:
            problems.append(Problem(option, str(error)))
            return None

    inputs = [result] if sources is None else [result, sources]
    read("--output", lambda: _writable(output, inputs))
    read("--plot", lambda: _drawable(figure, inputs))
    read("--plot", lambda: _apart(output, figure))
    request.arguments = {
        "species": options["species"],
        "at": read("--at", lambda: _at(options["at"])) or "energy",
        "weights": read("--weight", lambda: read_weights(options["weights"])),
        "wind": options["wind"],
        "motion": read("--compton-getting", lambda: _motion(options["speed"], options["apex"])),
        "band": read("--band", lambda: _band(options["band"])),
    }
    request.arguments["energies"] = read(
        "--energies", lambda: _energies(options["energies"], request.arguments["at"])
    )
    request.data = read("--data", lambda: _data(options["data"], figure, request.arguments["at"])) or []
    if problems:
        raise ConfigError("cyldiff anisotropy", problems)
    asked = request.arguments["energies"]
    if asked is not None and asked.size > 1:
        request.shown = float(asked.min()), float(asked.max())
    return request


def _writable(path: Path | None, inputs: list[Path]) -> None:
    from cyldiff.io.netcdf import check_writable

    if path is not None and (reason := check_writable(path) or overwrites(path, inputs)):
        raise DataError(reason)


def _drawable(path: Path | None, inputs: list[Path]) -> None:
    from cyldiff.plot.output import figure_path

    if path is not None:
        figure_path(path)
        _writable(path, inputs)


def _apart(output: Path | None, figure: Path | None) -> None:
    if output is not None and figure is not None and output.absolute() == figure.absolute():
        raise DataError(f'"{figure}" is the table too; expected another file')


def _at(text: str) -> str:
    from cyldiff.observables.anisotropy import AT

    if text not in AT:
        raise DataError(f"{quoted(text)} unknown; known: {', '.join(AT)}{nearest(text, AT)}")
    return text


def _energies(text: str | None, at: str) -> NDArray[np.float64] | None:
    """``"100 GeV..10 PeV"``, or values with commas between them."""
    import numpy as np

    from cyldiff.units import parse_quantity

    if text is None:
        return None
    dimension = "energy" if at == "energy" else "rigidity"
    low, dots, high = text.partition("..")
    if not dots:
        return np.array([parse_quantity(part, dimension) for part in text.split(",")])
    first, last = parse_quantity(low, dimension), parse_quantity(high, dimension)
    if not 0.0 < first < last:
        raise DataError(f'found {quoted(text)}; expected the lower end first, e.g. "100 GeV..10 PeV"')
    steps = max(round(PER_DECADE * float(np.log10(last / first))), 1)
    return np.geomspace(first, last, steps + 1)


def _motion(speed: str | None, apex: str | None) -> NDArray[np.float64] | None:
    """Velocity of the observer in the Galactic frame [kpc/Myr]."""
    from cyldiff.galaxy.coordinates import equatorial_to_galactic, unit_vector
    from cyldiff.units import parse_quantity

    if speed is None and apex is None:
        return None
    if speed is None or apex is None:
        raise DataError('speed and apex belong together: --compton-getting "20 km/s" --apex "l=48, b=24"')
    numbers = re.fullmatch(rf"\s*({NUMBER})\s*,\s*({NUMBER})\s*", apex)
    galactic = re.fullmatch(rf"\s*l\s*=\s*({NUMBER})\s*,\s*b\s*=\s*({NUMBER})\s*", apex)
    match = numbers or galactic
    if match is None or abs(float(match.group(1))) > 360.0 or abs(float(match.group(2))) > 90.0:
        raise DataError(
            f'--apex: found {quoted(apex)}; expected "RA, DEC" or "l=…, b=…" in degrees, e.g. "270, 30"'
        )
    direction = (float(match.group(1)), float(match.group(2)))
    value = parse_quantity(speed, "speed")
    return value * unit_vector(*(equatorial_to_galactic(*direction) if numbers else direction))


def _band(text: str | None) -> tuple[float, float] | None:
    from cyldiff.observables.dipole import band_factor

    if text is None:
        return None
    match = re.fullmatch(rf"\s*({NUMBER})\s*\.\.\s*({NUMBER})\s*", text)
    if match is None:
        raise DataError(f'found {quoted(text)}; expected two declinations in degrees, e.g. "-20..60"')
    band = float(match.group(1)), float(match.group(2))
    band_factor(*band)
    return band


def _data(names: tuple[str, ...], figure: Path | None, at: str) -> list[DipoleMeasurement]:
    """Measured dipoles of the figure; they are given against energy."""
    from cyldiff.data.dipoles import default_dipoles, load_dipole

    if names:
        if figure is None:
            raise DataError("measured dipoles are drawn only: give --plot FIG.png too")
        return [load_dipole(name) for name in names]
    return default_dipoles() if figure is not None and at == "energy" else []


def table(dipole: xr.Dataset, *, alone: bool = False) -> dict[str, Any]:
    """Columns of the table: the abscissa, amplitude and phase of the whole, then of each part.

    What parts add to the whole, or with `alone` the dipole that each would have by itself.
    """
    from cyldiff.observables.dipole import equatorial_projection

    axis = str(dipole["amplitude"].dims[0])
    columns = {name: dipole[name].values for name in (axis, "amplitude", "phase")}
    for part in dipole["part"].values:
        one = dipole.sel(part=part)
        amplitude, phase = one["amplitude_part"].values, one["phase_part"].values
        if alone and float(one["share"].max()) > 0.0:
            own = one["vector_part"].values / one["share"].values[:, None]
            amplitude, phase, _ = equatorial_projection(own)
        columns[f"amplitude_{part}"], columns[f"phase_{part}"] = amplitude, phase
    return columns


def _deliver(
    columns: Mapping[str, Any],
    dipole: xr.Dataset,
    request: _Request,
    output: Path | None,
    figure: Path | None,
) -> None:
    """Write what was asked for; without a file print the table."""
    from cyldiff.io.table import write_table

    if output is None and figure is None:
        turns = {name: "deg" if name.startswith("phase") else "1" for name in columns}
        show_table(columns, {**turns, next(iter(columns)): str(dipole[next(iter(columns))].attrs["units"])})
        return
    if figure is not None:
        from cyldiff.plot.anisotropy import RANGE, draw_anisotropy

        draw_anisotropy(dipole, path=figure, data=request.data, shown=request.shown or RANGE)
        show(f"{figure} written")
    if output is not None:
        write_table(columns, output)
        show(f"{output} written")

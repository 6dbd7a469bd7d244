"""``cyldiff gamma``: diffuse gamma rays or neutrinos of a result: regions, maps, figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cyldiff.commands.base import overwrites, reported
from cyldiff.errors import ConfigError, DataError, Problem, nearest, quoted

if TYPE_CHECKING:
    import xarray as xr

    from cyldiff.galaxy.radiation_field import RadiationField
    from cyldiff.observables.gamma import DiffuseSky
    from cyldiff.observables.regions import Region
    from cyldiff.particles.pion_production import PionProduction

__all__ = ["gamma"]

DRAWINGS = ("spectrum", "profile", "sky", "plane")
#: points per decade of a range of energies
PER_DECADE = 8


@click.command(short_help="Diffuse gamma rays and neutrinos: regions, maps, profiles.")
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--sources", type=click.Path(path_type=Path), help='Point sources, a file of "cyldiff sources".'
)
@click.option("--region", default="lhaaso-inner", show_default=True,
              help='"lhaaso-inner", "lhaaso-outer", "all-sky", or limits: "l=15..125,b=-5..5".')  # fmt: skip
@click.option("--mask", type=click.Path(path_type=Path), metavar="FILE",
              help="Discs to leave out: a .csv with the columns l, b, radius in degrees.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Table, .csv; default: print it.")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Map of the sky: .fits or .nc.")
@click.option("--nside", default=64, show_default=True, help="HEALPix resolution of the map.")
@click.option("--plot", "figure", type=click.Path(path_type=Path), help="Figure: .png, .pdf, .svg.")
@click.option("--draw", default="spectrum", show_default=True, metavar="WHAT",
              help='What to draw: "spectrum", "profile" in l, "sky" or "plane" at one energy.')  # fmt: skip
@click.option("--energies", metavar="RANGE", help='E.g. "1 TeV..1 PeV" or "10 TeV, 100 TeV"; default: all.')
@click.option("--model", default="kelner-2006", show_default=True, metavar="KIND",
              help='Pion production: "kelner-2006", "kafexhiu-2014" or "aafrag".')  # fmt: skip
@click.option("--enhancement", metavar="X",
              help='Nuclear enhancement: a number, "mori-2009" (1.84, the default), "kafexhiu-2014" or "none". '
                   "Not with aafrag, which sums nuclei itself.")  # fmt: skip
@click.option("--neutrinos", is_flag=True, help="Neutrinos of all flavours and both signs instead.")
@click.option("--absorption", default=None, metavar="FIELD",
              help='What absorbs: "cmb" (the default), "delahaye-2010", or a .toml of a radiation field.')  # fmt: skip
@click.option("--no-absorption", is_flag=True, help="Nothing absorbs gamma rays.")
@click.option("--weight", "weights", multiple=True, metavar="NAME=X",
              help="Factor of a component or source. May be repeated.")  # fmt: skip
@reported
def gamma(result: Path, **options: Any) -> None:
    """Diffuse gamma rays (or neutrinos) of a RESULT over a region of the sky.

    \b
    energy        [GeV]
    intensity     mean over the region [GeV^-1 cm^-2 s^-1 sr^-1]
    then the intensity of each component

    The gas is that of the run. Components need a result that holds them: output.components = true. The result
    of a run in time is taken at its last time.
    """  # noqa: D301
    request = _request(result, options)
    from cyldiff.io.dataset import latest
    from cyldiff.io.netcdf import read_result
    from cyldiff.observables.gamma import DiffuseSky

    dataset = latest(read_result(result))
    listed = latest(read_result(request.sources)) if request.sources is not None else None
    sky = DiffuseSky.of(dataset, **request.arguments)
    if listed is not None:
        from cyldiff.sources.gamma_fields import add_sources

        sky = add_sources(sky, dataset, listed)
    _deliver(sky.weighted(request.weights), request)


@dataclass(frozen=True)
class _Request:
    """The options, read."""

    arguments: dict[str, Any]
    weights: dict[str, float]
    sources: Path | None
    region: Region
    output: Path | None
    figure: Path | None
    map_file: Path | None
    draw: str
    nside: int


def _request(result: Path, options: Mapping[str, Any]) -> _Request:
    """Read all options; what is wrong with any of them in one message."""
    problems: list[Problem] = []

    def read(option: str, reader: Callable[[], Any]) -> Any:
        try:
            return reader()
        except (DataError, ValueError) as error:
            problems.append(Problem(option, str(error)))
            return None

    inputs = [path for path in (result, options["mask"], options["sources"]) if path is not None]
    outputs = {"--output": options["output"], "--plot": options["figure"], "--map": options["map_file"]}
    for option, path in outputs.items():
        read(option, partial(_writable, path, inputs, option))
    read("--plot", lambda: _apart([path for path in outputs.values() if path is not None]))
    region = read("--region", lambda: _region(options["region"], None))
    if options["mask"] is not None and region is not None:
        region = read("--mask", lambda: _region(options["region"], options["mask"]))
    if options["enhancement"] is not None and options["model"] == "aafrag":
        problems.append(
            Problem(
                "--enhancement",
                "aafrag sums projectiles and targets itself; expected no enhancement, or another --model",
            )
        )
    draw = read("--draw", lambda: _drawing(options["draw"], options["figure"]))
    nside = read("--nside", lambda: _nside(options["nside"]))
    arguments = {
        "model": read("--model", lambda: _model(options["model"], options["enhancement"])),
        "energies": read("--energies", lambda: _energies(options["energies"])),
        "secondary": "neutrino" if options["neutrinos"] else "gamma",
        "radiation": read(
            "--absorption", lambda: _radiation(options["absorption"], options["no_absorption"])
        ),
    }
    weights = read("--weight", lambda: _weights(options["weights"]))
    if problems:
        raise ConfigError("cyldiff gamma", problems)
    return _Request(
        arguments=arguments,
        weights=weights,
        sources=options["sources"],
        region=region,
        output=options["output"],
        figure=options["figure"],
        map_file=options["map_file"],
        draw=draw,
        nside=nside,
    )


def _writable(path: Path | None, inputs: list[Path], option: str) -> None:
    from cyldiff.io.netcdf import check_writable
    from cyldiff.io.sky_map import map_path
    from cyldiff.plot.output import figure_path

    if path is None:
        return
    if option == "--plot":
        figure_path(path)
    if option == "--map":
        map_path(path)
    if reason := check_writable(path) or overwrites(path, inputs):
        raise DataError(reason)


def _apart(paths: list[Path]) -> None:
    absolute = [path.absolute() for path in paths]
    if len(set(absolute)) < len(absolute):
        raise DataError("the table, the map and the figure need files of their own")


def _region(text: str, mask: Path | None) -> Region:
    from cyldiff.observables.regions import read_discs, region_named

    region = region_named(text)
    return region if mask is None else region.without(read_discs(mask))


def _drawing(text: str, figure: Path | None) -> str:
    if text not in DRAWINGS:
        raise DataError(f"{quoted(text)} unknown; known: {', '.join(DRAWINGS)}{nearest(text, DRAWINGS)}")
    if figure is None and text != "spectrum":
        raise DataError(f"{quoted(text)} is a figure: give --plot FIG.png too")
    return text


def _nside(nside: int) -> int:
    if nside < 1 or nside > 1024 or nside & (nside - 1):
        raise DataError(f"found {nside}; expected a power of two from 1 to 1024")
    return nside


def _model(kind: str, enhancement: str | None) -> PionProduction:
    from cyldiff import kinds, registry  # noqa: F401 - the kinds register themselves

    fields: dict[str, Any] = {}
    if enhancement is not None and kind != "aafrag":
        try:
            fields["nuclear_enhancement"] = float(enhancement)
        except ValueError:
            fields["nuclear_enhancement"] = enhancement
    return _validated("pion-production", kind, fields)


def _validated(family: str, kind: str, fields: Mapping[str, Any]) -> Any:
    """A kind from its fields; what pydantic finds as one line."""
    from pydantic import ValidationError

    from cyldiff import registry

    cls = registry.lookup(family, kind)
    try:
        return cls.model_validate({"kind": kind, **fields})
    except ValidationError as error:
        found = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise DataError("; ".join(text.replace("Value error, ", "") for text in found)) from None


def _energies(text: str | None) -> Any:
    """``"1 TeV..1 PeV"``, or values with commas between them [GeV]."""
    import numpy as np

    from cyldiff.units import parse_quantity

    if text is None:
        return None
    low, dots, high = text.partition("..")
    if not dots:
        values = [parse_quantity(part, "energy") for part in text.split(",")]
        if min(values) <= 0.0 or sorted(set(values)) != values:
            raise DataError(f"found {quoted(text)}; expected positive energies in increasing order")
        return np.array(values)
    first, last = parse_quantity(low, "energy"), parse_quantity(high, "energy")
    if not 0.0 < first < last:
        raise DataError(f'found {quoted(text)}; expected the lower end first, e.g. "1 TeV..1 PeV"')
    return np.geomspace(first, last, max(round(PER_DECADE * np.log10(last / first)), 1) + 1)


def _radiation(name: str | None, nothing: bool) -> RadiationField | None:
    """The radiation field that absorbs: a kind that needs no fields, or a TOML file with one."""
    from cyldiff import kinds, registry, resources  # noqa: F401 - the kinds register themselves

    if nothing:
        if name is not None:
            raise DataError("--absorption and --no-absorption exclude each other")
        return None
    if name is not None and name.endswith(".toml"):
        fields = dict(resources.read_toml(Path(name)))
        kind = fields.pop("kind", None)
        if not isinstance(kind, str):
            raise DataError(
                f'{name}: "kind" is missing; known: {", ".join(registry.kinds("radiation-field"))}'
            )
        field: RadiationField = _validated("radiation-field", kind, fields)
        return field
    chosen: RadiationField = _validated("radiation-field", name or "cmb", {})
    return chosen


def _weights(texts: tuple[str, ...]) -> dict[str, float]:
    """``("snr=0.9", …)`` as factors by name."""
    found: dict[str, float] = {}
    for text in texts:
        name, _, factor = text.rpartition("=")
        try:
            value = float(factor)
        except ValueError:
            value = -1.0
        if not name.strip() or not 0.0 <= value < float("inf"):
            raise DataError(f'found {quoted(text)}; expected NAME=FACTOR, e.g. "snr=0.9"')
        if name.strip() in found:
            raise DataError(f"{quoted(name.strip())} is given twice")
        found[name.strip()] = value
    return found


def _deliver(sky: DiffuseSky, request: _Request) -> None:
    """Make and write what was asked for; without a file print the table."""
    from cyldiff.io.sky_map import map_path, write_sky
    from cyldiff.io.table import table_text, write_table

    quiet = request.output is None and request.figure is None and request.map_file is None
    spectrum = None
    if quiet or request.output is not None or (request.figure is not None and request.draw == "spectrum"):
        spectrum = sky.region(request.region)
        click.echo(summary(spectrum), err=True)
    if request.figure is not None:
        _draw(sky, spectrum, request)
        click.echo(f"{request.figure} written")
    if request.map_file is not None:
        pixels = sky.pixels(request.nside)
        image = None if map_path(request.map_file) == "nc" else sky.image(32.0 / request.nside, pixels)
        write_sky(pixels, image, request.map_file)
        click.echo(f"{request.map_file} written")
    if request.output is not None and spectrum is not None:
        write_table(table(spectrum), request.output)
        click.echo(f"{request.output} written")
    if quiet and spectrum is not None:
        click.echo(table_text(table(spectrum)), nl=False)


def _draw(sky: DiffuseSky, spectrum: xr.Dataset | None, request: _Request) -> None:
    from cyldiff.data.diffuse import diffuse_in
    from cyldiff.plot import gamma as drawing

    assert request.figure is not None
    if request.draw == "spectrum":
        assert spectrum is not None
        data = diffuse_in(request.region.name) if sky.secondary == "gamma" else []
        drawing.draw_spectrum(spectrum, path=request.figure, data=data)
    elif request.draw == "profile":
        drawing.draw_profile(sky.profile(slices(request.region)), path=request.figure)
    else:
        drawing.draw_sky(sky, path=request.figure, plane=request.draw == "plane")


def slices(region: Region) -> list[Region]:
    """Narrow slices of a region in l: five degrees or a twentieth of it."""
    low, high = region.longitude
    n = max(20, round((high - low) / 5.0))
    step = (high - low) / n
    return [replace(region, longitude=(low + i * step, low + (i + 1) * step)) for i in range(n)]


def summary(spectrum: xr.Dataset) -> str:
    """What the numbers stand for, in two lines."""
    attrs = spectrum.attrs
    masked = f", {attrs['masked_discs']} discs masked" if attrs["masked_discs"] else ""
    shares = spectrum["continued_share"].values
    share = float(shares.max())
    lines = [
        f"{attrs['secondary']}s of {attrs['pion_production']}, absorption {attrs['absorption']}",
        f"region {attrs['region']}: {attrs['solid_angle_sr']:.4f} sr{masked}",
    ]
    if share > 0.01:
        where = float(spectrum["energy"].values[shares.argmax()])
        lines.append(
            f"nuclei above the grid, continued as a power law, make up to {100 * share:.0f} % (at {where:.3g} GeV)"
        )
    return "\n".join(lines)


def table(spectrum: xr.Dataset) -> dict[str, Any]:
    """Columns of the table: energy, intensity, then the components."""
    columns = {"energy": spectrum["energy"].values, "intensity": spectrum["intensity"].values}
    for name in spectrum["component"].values:
        columns[str(name)] = spectrum["intensity_component"].sel(component=name).values
    return columns

"""``cyldiff gamma``: diffuse gamma rays or neutrinos of a result: regions, maps, figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cyldiff.commands.base import reported, show, show_table
from cyldiff.commands.gamma_options import Request, discs, read_options

if TYPE_CHECKING:
    import xarray as xr

    from cyldiff.observables.gamma import DiffuseSky
    from cyldiff.observables.regions import Region

__all__ = ["gamma"]


@click.command(short_help="Diffuse gamma rays and neutrinos: regions, maps, profiles.")
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--sources", type=click.Path(path_type=Path), help='Point sources, a file of "cyldiff sources".'
)
@click.option("--region", default="lhaaso-inner", show_default=True, metavar="REGION",
              help='"lhaaso-inner", "lhaaso-outer", "all-sky", or limits: "l=15..125,b=-5..5".')  # fmt: skip
@click.option("--mask", metavar="FILE",
              help="Discs to leave out: a .csv with columns l, b, radius [deg], or a catalogue.")  # fmt: skip
@click.option("--gas", type=click.Path(path_type=Path), metavar="FILE",
              help="Own gas, .nc: density(x, y, z) or columns in rings; default: that of the run.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Table, .csv; default: print it.")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Map of the sky: .fits or .nc.")
@click.option("--nside", default=64, show_default=True, metavar="N", help="HEALPix resolution of the map.")
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
@click.option("--only", metavar="PROCESSES",
              help="Of pion-decay, inverse-compton, bremsstrahlung, with commas; default: all that the result "
                   "has particles for.")  # fmt: skip
@click.option("--absorption", default=None, metavar="FIELD",
              help='What absorbs: "cmb" (the default), "delahaye-2010", or a .toml of a radiation field.')  # fmt: skip
@click.option("--no-absorption", is_flag=True, help="Nothing absorbs gamma rays.")
@click.option("--weight", "weights", multiple=True, metavar="NAME=X",
              help="Factor of a component, process or source. May be repeated.")  # fmt: skip
@reported
def gamma(result: Path, **options: Any) -> None:
    """Diffuse gamma rays (or neutrinos) of a RESULT over a region of the sky.

    \b
    energy        [GeV]
    intensity     mean over the region [GeV^-1 cm^-2 s^-1 sr^-1]
    then the intensity of each component

    Nuclei make pions; electrons and positrons, if the result has them, inverse Compton radiation and bremsstrahlung.
    Then components are called after the process, and the source where the result holds them apart.
    The gas is that of the run. Components need a result that holds them: output.components = true. The result
    of a run in time is taken at its last time.
    """  # noqa: D301
    request = read_options(result, options)
    from cyldiff.io.dataset import latest
    from cyldiff.io.netcdf import read_result
    from cyldiff.observables.gamma import DiffuseSky

    dataset = latest(read_result(result))
    listed = latest(read_result(request.sources)) if request.sources is not None else None
    sky = DiffuseSky.of(dataset, **request.arguments)
    if listed is not None:
        from cyldiff.sources.gamma_fields import add_sources

        sky = add_sources(sky, dataset, listed)
    region = request.region.without(discs(request.mask, sky.sight.sun))
    _deliver(sky.weighted(request.weights), replace(request, region=region))


def _deliver(sky: DiffuseSky, request: Request) -> None:
    """Make and write what was asked for; without a file print the table."""
    from cyldiff.io.sky_map import map_path, save_sky
    from cyldiff.io.table import write_table

    if request.map_file is not None:
        sky.check_map(request.nside, image=map_path(request.map_file) != "nc")
    quiet = request.output is None and request.figure is None and request.map_file is None
    spectrum = None
    if quiet or request.output is not None or (request.figure is not None and request.draw == "spectrum"):
        spectrum = sky.region(request.region)
        show(summary(spectrum), err=True)
    if request.figure is not None:
        _draw(sky, spectrum, request)
        show(f"{request.figure} written")
    if request.map_file is not None:
        save_sky(sky, request.map_file, nside=request.nside)
        show(f"{request.map_file} written")
    if request.output is not None and spectrum is not None:
        write_table(table(spectrum), request.output)
        show(f"{request.output} written")
    if quiet and spectrum is not None:
        show_table(table(spectrum), {"energy": "GeV", "intensity": "GeV^-1 cm^-2 s^-1 sr^-1"})


def _draw(sky: DiffuseSky, spectrum: xr.Dataset | None, request: Request) -> None:
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
    """What the numbers stand for."""
    attrs = spectrum.attrs
    masked = f", {attrs['masked_discs']} discs masked" if attrs["masked_discs"] else ""
    shares = spectrum["continued_share"].values
    share = float(shares.max())
    lines = [
        f"{'gamma rays' if attrs['secondary'] == 'gamma' else attrs['secondary'] + 's'} of {attrs['processes']}",
        f"pion production {_in_words(attrs['pion_production'])}; absorption {_in_words(attrs['absorption'])}",
        f"region {attrs['region']}: {attrs['solid_angle_sr']:.4f} sr{masked}",
    ]
    if share > 0.01:
        where = float(spectrum["energy"].values[shares.argmax()])
        lines.append(
            f"nuclei above the grid, continued as a power law, make up to {100 * share:.0f} % (at {where:.3g} GeV)"
        )
    return "\n".join(lines)


def _in_words(written: Any) -> str:
    """A section as it stands in an attribute, JSON with a kind: the kind, then its keys; else the text itself."""
    try:
        section = json.loads(str(written))
    except json.JSONDecodeError:
        return str(written)
    if not isinstance(section, dict) or "kind" not in section:
        return str(written)
    keys = [f"{key.replace('_', ' ')} {value}" for key, value in section.items() if key != "kind"]
    return f"{section['kind']} ({', '.join(keys)})" if keys else str(section["kind"])


def table(spectrum: xr.Dataset) -> dict[str, Any]:
    """Columns of the table: energy, intensity, then the components."""
    columns = {"energy": spectrum["energy"].values, "intensity": spectrum["intensity"].values}
    for name in spectrum["component"].values:
        columns[str(name)] = spectrum["intensity_component"].sel(component=name).values
    return columns

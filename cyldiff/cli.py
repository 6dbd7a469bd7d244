"""The command line. Exit status: 0 solved and certified, 2 bad input, 3 not converged."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cyldiff.commands.anisotropy import anisotropy
from cyldiff.commands.base import check_output, overwrites, reported, show, show_next
from cyldiff.commands.export import export
from cyldiff.commands.gamma import gamma
from cyldiff.commands.import_model import import_model
from cyldiff.commands.population import population
from cyldiff.commands.reproduce import reproduce
from cyldiff.commands.response import draw_map, response
from cyldiff.commands.results import diff, info, rerun
from cyldiff.commands.sample import sample
from cyldiff.commands.source import source
from cyldiff.commands.sources import sources
from cyldiff.commands.spectrum import spectrum
from cyldiff.commands.tune import tune
from cyldiff.commands.validate import validate
from cyldiff.errors import ConfigError, DataError, Problem, nearest, quoted
from cyldiff.parallel.launch import launched_rank
from cyldiff.screen import for_screen, upright

if TYPE_CHECKING:
    import xarray as xr

    from cyldiff.config.load import LoadedConfig

__all__ = ["main"]


class _Commands(click.Group):
    """A group that names the nearest command to a wrong one, and lists them as they are defined."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            hint = nearest(args[0], self.commands)
            ctx.fail(f"no command {quoted(args[0])}" + (hint or f"; known: {', '.join(self.commands)}"))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what click has to say about its options is folded as our own messages are."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if type(error).show is not click.UsageError.show:  # help, not a message
                raise
            head = "Error: "  # what click writes before the message
            text = for_screen(head + error.format_message(), sys.stderr).removeprefix(head)
            raise click.UsageError(text, ctx=error.ctx) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cyldiff", prog_name="cyldiff")
@click.option("-v", "--verbose", is_flag=True, help="Log what is done: files read, nuclides solved.")
def main(verbose: bool) -> None:
    """Transport of cosmic rays in the Galaxy.

    \b
    cyldiff run quickstart -o result.nc          solve
    cyldiff plot result.nc B/C -o bc.png         draw
    cyldiff check quickstart                     see every value and its origin
    cyldiff copy quickstart                      get an editable copy
    cyldiff explain diffusion.D0                 ask what a key means

    Exit status: 0 solved and certified, 2 bad input, 3 not converged or not certified.
    """  # noqa: D301 - \b keeps click from wrapping
    from cyldiff.logs import start_logging

    for stream in (sys.stdout, sys.stderr):
        # a terminal that cannot show a letter shows "?" instead of ending the program
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    start_logging(verbose=verbose and launched_rank() == 0)


_config = click.argument("config")
_set = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help='Replace what stands at a path, e.g. physics.diffusion.D0="3e28 cm^2/s". May be repeated.',
)


@main.command(short_help="Solve a run, write and certify the result.")
@_config
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Result file; default NAME.nc.")
@_set
@reported
def run(config: str, output: Path | None, overrides: tuple[str, ...]) -> None:
    """Solve CONFIG, write the result, print a summary.

    CONFIG is a TOML file, or a name of the library (see "cyldiff list runs"). The result is a
    NetCDF file; it appears when it is complete and certified, an older one stays until then.
    """
    started = time.perf_counter()
    loaded, path = _prepare(config, overrides, output)
    from cyldiff import pipeline
    from cyldiff.io.netcdf import write_result

    result = pipeline.run(loaded, quiet=False)
    if launched_rank() > 0:
        return
    write_result(result, path)
    pipeline.forget_checkpoints(loaded.config)
    show(_summary(result, loaded, path, time.perf_counter() - started))
    show_next(f"cyldiff plot {path} {_worth_drawing(result, loaded)} -o figure.png")


def _prepare(config: str, overrides: Sequence[str], output: Path | None) -> tuple[LoadedConfig, Path]:
    """Load a config and find out where its result goes; all that is wrong with both in one message."""
    from cyldiff.config.load import load_config
    from cyldiff.io.netcdf import check_writable

    problems: list[Problem] = []
    loaded, inputs = None, [Path(config)]
    try:
        loaded = load_config(config, overrides)
        inputs = list(loaded.inputs)
    except ConfigError as error:
        problems += error.problems
    path = output if output is not None else Path(f"{loaded.config.run.name}.nc") if loaded else None
    if path is not None:
        reason = check_writable(path) or overwrites(path, inputs)
        problems += [Problem("--output", reason)] if reason else []
    if problems or loaded is None or path is None:
        raise ConfigError(config, problems)
    return loaded, path


def _summary(result: xr.Dataset, loaded: LoadedConfig, path: Path, seconds: float) -> str:
    """What a run prints when it is done."""
    from cyldiff.io.certificate import read_certificate

    config = loaded.config
    cells = [f"{result.sizes[axis]} {axis}" for axis in ("r", "phi", "z") if axis in result.sizes]
    shape = " x ".join([f"{result.sizes['kinetic_energy']} energies", *cells])
    lines = [
        f"{config.run.name}: {result.sizes['species']} nuclides on {shape}, {int(result['steps'].sum())} solver steps",
        *read_certificate(result).lines(),
    ]
    comparisons = _comparisons(result, loaded)
    if comparisons:
        lines += ["", comparisons]
    lines += ["", f"{path} written after {seconds:.1f} s"]
    return "\n".join(lines)


def _comparisons(result: xr.Dataset, loaded: LoadedConfig) -> str:
    from cyldiff.data.comparison import compare, format_comparisons
    from cyldiff.data.measurements import load

    modulation = loaded.config.physics.modulation
    rows = []
    for name in loaded.config.compare.data:
        data = load(name)
        rows.append(compare(_last(result), data, potential=modulation.potential_for(data.experiment)))
    return format_comparisons(rows) if rows else ""


def _worth_drawing(result: xr.Dataset, loaded: LoadedConfig) -> str:
    """What to draw first: what the run is compared with, else all spectra that have data."""
    from cyldiff.data.measurements import load

    if not loaded.config.compare.data:
        return f"spectrum:{result['species'].values[-1]}"
    quantity = str(load(loaded.config.compare.data[0]).quantity)
    return quantity if "/" in quantity else f"spectrum:{quantity}"


def _last(result: xr.Dataset) -> xr.Dataset:
    """A run in time at its last output; any other as it is."""
    return result.isel(time=-1) if "time" in result.dims else result


@main.command(short_help="Validate a run, population or catalogue; show every value.")
@_config
@_set
@click.option("--toml", is_flag=True, help="Print the completed config as a TOML file that runs by itself.")
@reported
def check(config: str, overrides: tuple[str, ...], toml: bool) -> None:
    """Validate CONFIG without solving; print every value and where it was set.

    CONFIG is a run, a population or a catalogue of sources: a file, or a name of the library. Of a tuning file
    also what varies and what it is fitted to.

    In brackets: "default", the grid, model or table, the run file, or "--set".
    """
    from cyldiff.commands.catalogue import check_catalogue, is_catalogue
    from cyldiff.commands.population import check_population, is_population
    from cyldiff.config.load import load_config
    from cyldiff.config.show import listing, sizes
    from cyldiff.fit.components import LoadedSpectra, is_spectra, load_spectra
    from cyldiff.fit.load import describe, is_tuning_file, load_fit
    from cyldiff.fit.point_sources import is_joint, load_joint

    for is_one, text_of in ((is_population, check_population), (is_catalogue, check_catalogue)):
        if is_one(config):
            text = text_of(config, overrides, toml=toml)
            click.echo(text, nl=False) if toml else show(text)
            return
    fit = load_fit(config, overrides) if is_tuning_file(config) else None
    read = load_spectra if is_spectra(config) else load_joint if is_joint(config) else load_config
    loaded = fit.run if fit else read(config, overrides)
    if toml:
        click.echo(loaded.toml(), nl=False)
        return
    parts = [listing(loaded)]
    parts += [describe(fit)] if fit else []
    parts += [] if isinstance(loaded, LoadedSpectra) else [sizes(loaded)]
    show("\n\n".join(parts) + f"\n\n{config}: valid")


@main.command(short_help="Say what a config key means.")
@click.argument("key")
@reported
def explain(key: str) -> None:
    """Say what a config KEY means, what it accepts and what its default is.

    The last part of a path is enough: "cyldiff explain D0".
    """
    from cyldiff.config.explain import explain_key
    from cyldiff.fit.sections import SECTIONS

    show(explain_key(key, SECTIONS))


@main.command(name="list", short_help="List what the library holds: runs, models, data.")
@click.argument("what", required=False)
@reported
def list_names(what: str | None) -> None:
    """List a part of the library; without WHAT, its parts.

    Those are runs, populations, spectra, joint-fits (runs with point sources), models, catalogues, emission, grids,
    data, species and kinds; "all" lists everything.

    The library is what comes with cyldiff and what lies in the folders of $CYLDIFF_PATH.
    """
    from cyldiff.config.explain import library_listing, library_parts
    from cyldiff.fit import config as _config  # noqa: F401 - its kinds register themselves

    if what is None:
        show(library_parts())
        show_next("cyldiff list runs")
    else:
        show(library_listing(None if what == "all" else what))


@main.command(short_help="Make an editable copy of a run, population, model, catalogue or grid.")
@click.argument("name")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to; default the current folder.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@reported
def copy(name: str, output: Path | None, force: bool) -> None:
    """Make an editable copy of a run, population, model, catalogue, emission or grid NAME of the library.

    A name that several of them have is written with its library: "runs/NAME", "models/NAME".
    """
    from cyldiff.io.whole import write_whole

    source = _library_file(name)
    target = output if output is not None else Path(source.name)
    if os.path.isdir(target):
        target = target / source.name
    check_output(target, [source])
    if target.exists() and not force:
        raise DataError(f"{target} exists; use --force to replace it")
    try:
        content = source.read_bytes()
    except OSError as error:
        raise DataError(f"{source}: cannot be read ({error.strerror or error})") from None
    write_whole(target, content)
    show(f"{target} written")
    if source.parent.name not in ("models", "grids"):
        show_next(f"cyldiff check {target}")


def _library_file(name: str) -> Path:
    from cyldiff import resources

    kinds = ("runs", "populations", "spectra", "joint-fits", "models", "catalogues", "emission", "grids")
    found = {f"{kind}/{entry}": entry for kind in kinds for entry in resources.names(kind)}
    hits = [name] if name in found else [key for key, entry in found.items() if name == entry]
    if not hits:
        raise DataError(
            f"no run, population, spectra, model, catalogue, emission or grid {quoted(name)}"
            f"{nearest(name, found.values())}"
        )
    if len(hits) > 1:
        raise DataError(f"{quoted(name)} is ambiguous; write one of {', '.join(hits)}")
    kind, _, entry = hits[0].partition("/")
    return resources.find(kind, entry)


@main.command(short_help="Draw a result with measured data.")
@click.argument("result", type=click.Path(path_type=Path))
@click.argument("what")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Figure: .png, .pdf, .svg."
)
@click.option("--data", multiple=True, metavar="NAME", help="Data set to overlay; default: all that fit.")
@click.option(
    "--potential", metavar="PHI", help='Modulation potential, e.g. "600 MV"; default as in the run.'
)
@reported
def plot(result: Path, what: str, output: Path, data: tuple[str, ...], potential: str | None) -> None:
    """Draw WHAT of a RESULT with the measured data.

    \b
    WHAT is  B/C, 10Be/9Be                a ratio of elements or nuclides
             spectrum:C, spectrum:H1      one spectrum, times E^2.7
             spectra, spectra:H,He,C      several
             sources, sources:He          each of point sources, and their sum
             band, ring, "ring:3.5 PeV"   of a population: spread at the Sun,
                                          along a circle
             detections, diffuse          of the gamma rays of a population
             "response:1 PeV,0.1 Myr"     a map of what the Sun sees
    """  # noqa: D301
    from cyldiff.io.netcdf import read_result
    from cyldiff.plot import draw

    check_output(output, [result])
    if draw_map(result, what, output):
        show(f"{output} written")
        return
    modulation = _potential(potential)
    dataset = read_result(result)
    if modulation is None:
        modulation = _modulation(dataset)
    draw(_last(dataset), what, path=output, data=list(data) or None, potential=modulation)
    show(f"{output} written")


def _potential(text: str | None) -> float | None:
    from cyldiff.units import parse_quantity

    try:
        value = parse_quantity(text, "rigidity") if text is not None else None
    except ValueError as error:
        raise DataError(f"--potential: {error}") from None
    if value is not None and value < 0.0:
        raise DataError(f"--potential: found {quoted(text)}; expected at least 0 MV")
    return value


def _modulation(dataset: xr.Dataset) -> Any:
    """Modulation of the run that made a result; the potential of its spectra if it does not say."""
    import tomllib

    from cyldiff import kinds, registry  # noqa: F401 - the kinds register themselves

    try:
        section = tomllib.loads(str(dataset.attrs["config"]))["physics"]["modulation"]
        return registry.lookup("modulation", section["kind"]).model_validate(section)
    except (KeyError, TypeError, ValueError):
        spectra = dataset.variables.get("flux_toa")
        return float(spectra.attrs.get("modulation_potential_GV", 0.0)) if spectra is not None else 0.0


@main.command(short_help="Measure how fast cyldiff is here.")
@click.argument("cases", nargs=-1)
@reported
def benchmark(cases: tuple[str, ...]) -> None:
    """Measure how fast cyldiff is here; CASES by name, default all.

    Prints the table of docs/performance.md for this machine, on one thread; all cases take about ten minutes.
    A name that is none lists them.
    """
    from cyldiff.benchmark import NAMES, report

    for name in cases:
        if name not in NAMES:
            known = "".join(f"\n  {quoted(known)}" for known in NAMES)
            raise DataError(f"no case {quoted(name)}{nearest(name, NAMES)}; known:{known}")
    table = report(cases or None, progress=lambda text: show(f"{text} …", err=True))
    show(upright(table) if sys.stdout.isatty() else table)


main.add_command(anisotropy)
main.add_command(population)
main.add_command(gamma)
main.add_command(sources)
main.add_command(source)
main.add_command(response)
main.add_command(tune)
main.add_command(sample)
main.add_command(reproduce)
main.add_command(info)
main.add_command(diff)
main.add_command(rerun)
main.add_command(spectrum)
main.add_command(validate)
main.add_command(export)
main.add_command(import_model)

if __name__ == "__main__":
    main()

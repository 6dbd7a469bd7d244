"""The command line. Exit status: 0 solved and certified, 2 bad input, 3 not converged."""

from __future__ import annotations

import functools
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from cyldiff.errors import ConfigError, CyldiffError, DataError, Problem, nearest
from cyldiff.parallel.comm import end, launched_rank, launched_ranks

if TYPE_CHECKING:
    import xarray as xr

    from cyldiff.config.load import LoadedConfig

__all__ = ["main"]

_SET = click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a value of the config."
)


def _reported(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn our errors into a message and their exit status; never a traceback."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except CyldiffError as error:
            end(str(error), error.exit_status)
        except KeyboardInterrupt:
            end("interrupted; nothing was written", 130)
        except BrokenPipeError:
            sys.exit(0)
        except MemoryError:
            end("not enough memory for this grid; use fewer cells, energies or species", 2)
        except Exception:
            # a fault of the program: with a traceback, but the other ranks must not wait for this one
            if launched_ranks() == 1:
                raise
            end(traceback.format_exc(), 1)

    return wrapped


def _on_terminate(signum: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cyldiff")
@click.option("-v", "--verbose", is_flag=True, help="Log what is done.")
def main(verbose: bool) -> None:
    """Transport of cosmic rays in the Galaxy."""
    from cyldiff.logs import start_logging

    start_logging(verbose=verbose and launched_rank() == 0)
    # under MPI the launcher ends the ranks itself, and says so once
    if launched_ranks() == 1:
        signal.signal(signal.SIGTERM, _on_terminate)


@main.command()
@click.argument("config")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Result file; default NAME.nc.")
@_SET
@_reported
def run(config: str, output: Path | None, overrides: tuple[str, ...]) -> None:
    """Solve CONFIG (a file or a name of the library), write the result, print a summary."""
    from cyldiff.io.netcdf import check_writable, write_result

    started = time.perf_counter()
    loaded = _load(config, overrides, output)
    path = output or Path(f"{loaded.config.run.name}.nc")
    reason = check_writable(path)
    if reason:
        raise ConfigError(config, [Problem("--output", reason)])
    from cyldiff import pipeline

    result = pipeline.run(loaded, quiet=False)
    if launched_rank() > 0:
        return
    write_result(result, path)
    pipeline.forget_checkpoints(loaded.config)
    click.echo(_summary(result, loaded, path, time.perf_counter() - started))


def _load(config: str, overrides: tuple[str, ...], output: Path | None = None) -> LoadedConfig:
    """Load a config; a wrong output path is reported together with what is wrong in the config."""
    from cyldiff.config.load import load_config
    from cyldiff.io.netcdf import check_writable

    try:
        return load_config(config, overrides)
    except ConfigError as error:
        reason = check_writable(output) if output else None
        if reason:
            raise ConfigError(error.source, [*error.problems, Problem("--output", reason)]) from None
        raise


def _summary(result: xr.Dataset, loaded: LoadedConfig, path: Path, seconds: float) -> str:
    """What a run prints when it is done."""
    from cyldiff.io.certificate import read_certificate

    config = loaded.config
    shape = f"{result.sizes['kinetic_energy']} energies x {result.sizes['r']} r x {result.sizes['z']} z"
    lines = [
        f"{config.run.name}: {result.sizes['species']} nuclides on {shape}, "
        f"{int(result['steps'].sum())} solver steps",
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
        rows.append(compare(result, data, potential=modulation.potential_for(data.experiment)))
    return format_comparisons(rows) if rows else ""


@main.command()
@click.argument("config")
@_SET
@_reported
def check(config: str, overrides: tuple[str, ...]) -> None:
    """Validate CONFIG without solving; print every value, and where it was set."""
    from cyldiff.config.report import flatten

    loaded = _load(config, overrides)
    rows = [
        (key, _shown(value), loaded.origin.get(key, "default"))
        for key, value in flatten(loaded.resolved).items()
    ]
    widths = [min(60, max(len(row[i]) for row in rows)) for i in range(2)]
    for key, value, origin in rows:
        click.echo(f"{key:<{widths[0]}}  {value:<{widths[1]}}  [{origin}]")
    click.echo(f"\n{config}: valid")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


@main.command()
@click.argument("key")
@_reported
def explain(key: str) -> None:
    """Say what a config KEY means, what it accepts and what its default is."""
    from cyldiff.config.explain import explain_key

    click.echo(explain_key(key))


@main.command(name="list")
@click.argument("what", required=False)
@_reported
def list_names(what: str | None) -> None:
    """List the library: runs, models, grids, data, species, kinds (or all of them)."""
    from cyldiff.config.explain import library_listing

    click.echo(library_listing(what))


@main.command()
@click.argument("name")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to; default the current folder.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@_reported
def copy(name: str, output: Path | None, force: bool) -> None:
    """Put an editable copy of a run, model or grid NAME into the current folder."""
    from cyldiff import resources

    found = {
        f"{kind}/{entry}": path
        for kind in ("runs", "models", "grids")
        for entry, path in resources.names(kind).items()
    }
    hits = [path for key, path in found.items() if name in (key, key.partition("/")[2])]
    if not hits:
        known = [key.partition("/")[2] for key in found]
        raise DataError(f'no run, model or grid "{name}"{nearest(name, known)}')
    if len(hits) > 1:
        choices = ", ".join(k for k in found if k.partition("/")[2] == name)
        raise DataError(f'"{name}" is ambiguous: {choices}')
    target = output or Path(hits[0].name)
    if target.is_dir():
        target = target / hits[0].name
    if target.exists() and not force:
        raise DataError(f"{target} exists; use --force to replace it")
    try:
        shutil.copyfile(hits[0], target)
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror})") from None
    click.echo(f"{target} written")


@main.command()
@click.argument("result", type=click.Path(path_type=Path))
@click.argument("what")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Figure, e.g. FIG.png.")
@click.option("--data", multiple=True, metavar="NAME", help="Data sets to overlay; default: all that fit.")
@click.option("--potential", metavar="PHI", help='Modulation potential, e.g. "600 MV"; default that of the run.')
@_reported
def plot(result: Path, what: str, output: Path, data: tuple[str, ...], potential: str | None) -> None:
    """Draw WHAT of a RESULT: "B/C", "10Be/9Be", "spectrum:C", "spectra"."""
    from cyldiff.io.netcdf import check_writable, read_result
    from cyldiff.plot import draw
    from cyldiff.units import parse_quantity

    reason = check_writable(output)
    if reason:
        raise DataError(f"--output: {reason}")
    dataset = read_result(result)
    try:
        phi = parse_quantity(potential, "rigidity") if potential else None
    except ValueError as error:
        raise DataError(f"--potential: {error}") from None
    draw(dataset, what, path=output, data=list(data) or None, potential=_potential(dataset, phi))
    click.echo(f"{output} written")


def _potential(dataset: xr.Dataset, chosen: float | None) -> float:
    """The potential asked for, or that of the result's modulated spectra [GV]."""
    if chosen is not None:
        return chosen
    return float(dataset["flux_toa"].attrs.get("modulation_potential_GV", 0.0))


if __name__ == "__main__":
    main()

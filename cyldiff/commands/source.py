"""``cyldiff source``: the spectral energy distribution of one source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cyldiff.commands.base import overwrites, reported, show, show_table
from cyldiff.errors import ConfigError, DataError, Problem

if TYPE_CHECKING:
    from cyldiff.config.load_source import LoadedSource
    from cyldiff.fit.sed import SedFit

__all__ = ["source"]


@click.command(short_help="Spectrum of a single source: gamma rays and X-rays.")
@click.argument("config")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Table, .csv; default: print it.")
@click.option("--plot", "figure", type=click.Path(path_type=Path), help="Figure: .png, .pdf, .svg.")
@click.option(
    "--fit", is_flag=True, help="Fit the keys under fit.free to the points under compare.data first."
)
@click.option("--save", type=click.Path(path_type=Path), help="Write the model, fitted if it was, as TOML.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help='Replace what stands at a path, e.g. source.distance="5 kpc". May be repeated.',
)
@reported
def source(
    config: str,
    output: Path | None,
    figure: Path | None,
    fit: bool,
    save: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Spectrum of a single source at Earth.

    CONFIG is a TOML file, or a name of the library: "cyldiff list emission".

    \b
    energy        of the photon [GeV]
    flux          dN/dE [GeV^-1 cm^-2 s^-1]
    sed           E^2 dN/dE [erg cm^-2 s^-1]
    then the sed of each component and process; "nan" where its model has none

    The energy budget of the components, and the result of a fit, go to the standard error.
    """  # noqa: D301
    loaded = _prepare(config, overrides, {"--output": output, "--plot": figure, "--save": save}, fit=fit)
    from cyldiff.observables.single_source import sed

    model, raw = loaded.model, loaded.raw
    if fit:
        found = _fitted(loaded)
        model, raw = found.model, found.raw
        show(f"{model.source.name}, fitted:\n{found.report()}", err=True)
    spectrum = sed(model)
    for name, component in model.components.items():
        for words, text in component.budget(age=model.source.age).items():
            show(f"{name}: {words} {text}", err=True)
    for gap in spectrum.gaps():
        show(gap, err=True)
    _deliver(spectrum, loaded, raw, output, figure, save)


def _prepare(
    config: str, overrides: tuple[str, ...], files: dict[str, Path | None], *, fit: bool
) -> LoadedSource:
    """Read the model and look at the options; all that is wrong with both in one message."""
    from cyldiff.config.load_source import load_source

    problems: list[Problem] = []
    loaded, inputs = None, [Path(config)]
    try:
        loaded = load_source(config, overrides)
        inputs = list(loaded.inputs)
        if fit and loaded.model.fit is None:
            problems.append(Problem("fit", "is missing; --fit needs fit.free, the keys that may change"))
    except ConfigError as error:
        problems += error.problems
    seen: list[Path] = []
    for option, path in files.items():
        if path is None:
            continue
        reason = _reason(option, path, inputs) or ("is named twice" if path.absolute() in seen else "")
        problems += [Problem(option, reason)] if reason else []
        seen.append(path.absolute())
    if problems or loaded is None:
        raise ConfigError(config, problems)
    return loaded


def _reason(option: str, path: Path, inputs: list[Path]) -> str:
    """Why a file cannot be written; empty if it can."""
    from cyldiff.io.netcdf import check_writable
    from cyldiff.plot.output import figure_path

    if option == "--plot":
        try:
            figure_path(path)
        except DataError as error:
            return str(error)
    return check_writable(path) or overwrites(path, inputs)


def _fitted(loaded: LoadedSource) -> SedFit:
    from cyldiff.fit.sed import fit_sed

    return fit_sed(loaded.raw, loaded.data)


def _deliver(
    spectrum: Any,
    loaded: LoadedSource,
    raw: dict[str, Any],
    output: Path | None,
    figure: Path | None,
    save: Path | None,
) -> None:
    """Write what was asked for; without a file print the table."""
    from cyldiff.config.toml import to_toml
    from cyldiff.io.table import write_table
    from cyldiff.io.whole import write_whole

    if output is None and figure is None and save is None:
        units = {"energy": "GeV", "flux": "GeV^-1 cm^-2 s^-1", "sed": "erg cm^-2 s^-1"}
        show_table(spectrum.columns(), units)
        return
    if figure is not None:
        from cyldiff.plot.sed import draw_sed

        draw_sed(spectrum, path=figure, data=loaded.data, title=loaded.model.source.name)
        show(f"{figure} written")
    if output is not None:
        write_table(spectrum.columns(), output)
        show(f"{output} written")
    if save is not None:
        write_whole(save, to_toml(raw))
        show(f"{save} written")

"""Tune a model to data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cyldiff.commands.base import reported, show, show_next
from cyldiff.errors import ConfigError, CyldiffError, Problem

__all__ = ["needs_fit_extra", "tune"]


@contextmanager
def needs_fit_extra() -> Iterator[None]:
    """Say how to install what is missing."""
    try:
        yield
    except ImportError as error:
        raise CyldiffError(
            f'this needs {error.name}, which is not installed: pip install "cyldiff[fit]"'
        ) from None


@click.command(short_help="Fit parameters of a model to measured data.")
@click.argument("config")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the results."
)
@click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Replace a value of the run or of [fit]."
)
@click.option("--gradient/--no-gradient", default=None, help="Adjoint gradients; default as CONFIG says.")
@click.option(
    "--profile", "profiles", multiple=True, metavar="NAME", help="Profile likelihood of a parameter."
)
@click.option("--contour", "contours", multiple=True, metavar="NAME,NAME", help="Contours of two parameters.")
@reported
def tune(
    config: str,
    output: Path,
    overrides: tuple[str, ...],
    gradient: bool | None,
    profiles: tuple[str, ...],
    contours: tuple[str, ...],
) -> None:
    """Fit the parameters of CONFIG to its data.

    CONFIG is a run with a section [fit]: data and parameters. The folder gets best-fit.toml (a model that
    runs), result.json, pulls.csv, a figure per data set, tables and figures of profiles and contours.
    """
    from cyldiff.fit.folder import check_folder
    from cyldiff.fit.load import load_fit
    from cyldiff.fit.report import MARK, write_fit
    from cyldiff.progress import meter

    asked = [*overrides]
    if profiles:
        asked.append(f"fit.profiles={json.dumps(profiles)}")
    if contours:
        asked.append(f"fit.contours={json.dumps([pair.split(',') for pair in contours])}")
    problems: list[Problem] = []
    fit = None
    try:
        fit = load_fit(config, asked)
    except ConfigError as error:
        problems += error.problems
    reason = check_folder(output, MARK)
    problems += [Problem("--output", reason)] if reason else []
    if problems or fit is None:
        raise ConfigError(config, problems)
    with needs_fit_extra():
        import iminuit  # noqa: F401 - said before the first call, not after

        from cyldiff.fit.profiles import contour_of, profile_of
        from cyldiff.fit.tune import tune as run_fit

        with meter("calls") as count:
            result = run_fit(
                fit, gradient=gradient, progress=lambda call, chi2: count(call, f"chi2 {chi2:.3f}")
            )
            drawn = [profile_of(result, name) for name in fit.fit.profiles]
            lines = [contour_of(result, pair) for pair in fit.fit.contours]
    show(result.table())
    for file in write_fit(result, output, profiles=drawn, contours=lines):
        show(f"{file} written")
    if (output / "best-fit.toml").exists():
        show_next(f"cyldiff run {output / 'best-fit.toml'} -o best-fit.nc")

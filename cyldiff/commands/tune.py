"""Tune a model to data."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from cyldiff.commands.base import reported
from cyldiff.errors import ConfigError, CyldiffError, Problem

__all__ = ["tune"]


@click.command(short_help="Fit parameters of a model to measured data.")
@click.argument("config")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the results."
)
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Replace a value of the run.")
@click.option("--gradient/--no-gradient", default=None, help="Adjoint gradients; default as CONFIG says.")
@reported
def tune(config: str, output: Path, overrides: tuple[str, ...], gradient: bool | None) -> None:
    """Fit the parameters of CONFIG to its data.

    CONFIG is a run with a [fit] section: data and parameters. The folder gets best-fit.toml (a model that
    runs), result.json, pulls.csv and a figure per data set.
    """
    from cyldiff.fit.config import load_fit
    from cyldiff.fit.report import check_folder, write_fit

    problems: list[Problem] = []
    fit = None
    try:
        fit = load_fit(config, overrides)
    except ConfigError as error:
        problems += error.problems
    reason = check_folder(output)
    problems += [Problem("--output", reason)] if reason else []
    if problems or fit is None:
        raise ConfigError(config, problems)
    try:
        from cyldiff.fit.tune import tune as run_fit

        result = run_fit(fit, gradient=gradient, progress=_progress())
    except ImportError as error:
        raise CyldiffError(
            f'tuning needs {error.name}; install it with: pip install "cyldiff[fit]"'
        ) from None
    click.echo(result.table())
    for file in write_fit(result, output):
        click.echo(f"{file} written")


def _progress() -> Callable[[int, float], None]:
    """A line on a terminal, a log line a minute elsewhere."""
    import logging
    import time

    log, last = logging.getLogger(__name__), [time.monotonic()]
    on_terminal = sys.stderr.isatty()

    def show(call: int, chi2: float) -> None:
        if on_terminal:
            click.echo(f"\rcall {call}: chi2 {chi2:.3f}   ", nl=False, err=True)
        elif time.monotonic() - last[0] > 60.0:
            log.info("call %d: chi2 %.3f", call, chi2)
            last[0] = time.monotonic()

    return show

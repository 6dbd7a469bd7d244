"""Draw from the posterior of a tuning file."""

from __future__ import annotations

from pathlib import Path

import click

from cyldiff.commands.base import reported, show
from cyldiff.commands.tune import needs_fit_extra
from cyldiff.errors import ConfigError, Problem

__all__ = ["sample"]


@click.command(short_help="Draw from the posterior of a tuning file.")
@click.argument("config")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the chain.")
@click.option(
    "--resume", is_flag=True, help="Go on with the chain in the folder; start one if there is none."
)
@click.option(
    "--processes", type=click.IntRange(min=1), metavar="N", help="Worker processes; default: all cores."
)
@click.option(
    "--executor",
    default="processes",
    show_default=True,
    metavar="HOW",
    help='"processes", "serial", or "mpi" under mpiexec python -m mpi4py.futures.',
)
@click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Replace a value of the run or of [fit]."
)
@reported
def sample(
    config: str,
    output: Path,
    resume: bool,
    processes: int | None,
    executor: str,
    overrides: tuple[str, ...],
) -> None:
    """Draw from the posterior of CONFIG, a run with a section [fit].

    The folder gets best-fit.toml, chain.nc (the draws), corner.png and posterior.json; it keeps the state of
    the sampler, from which --resume goes on after an interruption or with more steps.

    Exit status 3: the draws have not converged; they are kept, and the message says how to go on.
    """
    from cyldiff.fit.chain_file import check_sample_folder, summary, write_posterior
    from cyldiff.fit.load import load_fit

    problems: list[Problem] = []
    fit = None
    try:
        fit = load_fit(config, overrides)
    except ConfigError as error:
        problems += error.problems
    reason = check_sample_folder(output, resume=resume)
    problems += [Problem("--output", reason)] if reason else []
    if problems or fit is None:
        raise ConfigError(config, problems)
    with needs_fit_extra():
        from cyldiff.fit.sample import STATES
        from cyldiff.fit.sample import sample as run_sampler

        output.mkdir(exist_ok=True)
        state = output / STATES[fit.fit.sampler.kind]
        try:
            posterior = run_sampler(fit, state=state, executor=executor, workers=processes, quiet=False)
        finally:
            if output.is_dir() and not any(output.iterdir()):
                output.rmdir()
        show(summary(posterior))
        for file in write_posterior(posterior, output):
            show(f"{file} written")

"""``cyldiff validate``: analytic, manufactured, conservation and limit cases, with a report."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cyldiff.commands.base import reported, show, show_next
from cyldiff.errors import ConfigError, ConvergenceError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cyldiff.validation.case import Case
    from cyldiff.validation.run import Result

__all__ = ["validate"]

REPORT = "report.md"


@click.command(short_help="Check cyldiff here against cases with known answers.")
@click.argument("cases", nargs=-1)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder: report.md, report.html, numbers.csv."
)
@click.option("--list", "list_only", is_flag=True, help="List the cases and what they claim, run nothing.")
@reported
def validate(cases: tuple[str, ...], output: Path | None, list_only: bool) -> None:
    """Check cyldiff on this machine; CASES by name, default all.

    Orders of accuracy, closed solutions, conservation, limits, other programs: every case has bounds that were set
    in advance. The report can be attached to a paper. Needs about a minute, a little more the first time.

    Exit status: 0 only if all pass, 2 bad input, 3 if one fails.
    """
    from cyldiff.fit.folder import check_folder
    from cyldiff.validation.run import chosen, run_cases

    problems: list[Problem] = []
    wanted: Sequence[Case] = ()
    try:
        wanted = chosen(cases)
    except ConfigError as error:
        problems += error.problems
    reason = check_folder(output, REPORT) if output is not None and not list_only else ""
    if reason:
        problems.append(Problem("--output", reason))
    if problems:
        raise ConfigError("cyldiff validate", problems)
    if list_only:
        width = max(len(case.name) for case in wanted)
        show("\n".join(f"{case.name:<{width}}  {case.statement}" for case in wanted))
        show_next(f"cyldiff validate {wanted[0].name}")
        return
    started = time.perf_counter()
    _deliver(run_cases(wanted, _say), output, time.perf_counter() - started)


def _say(result: Result) -> None:
    """One line per case; of a failure, what failed."""
    verdict = "pass" if result.passed else "FAIL"
    show(f"{verdict}  {result.case.name:<20} {result.seconds:6.1f} s  {result.case.statement}")
    if result.error:
        show(f"        stopped by {result.error}")
    for check in result.checks:
        if not check.passed:
            show(f"        {check.what}: {check.value:.3g}, accepted {check.accepted}")


def _deliver(results: Sequence[Result], output: Path | None, seconds: float) -> None:
    """Write the report, print the sum; refuse to end well if something failed."""
    from cyldiff.fit.folder import complete_folder
    from cyldiff.io.provenance import software
    from cyldiff.validation.report import csv_text, html_text, markdown_text, totals

    if output is not None:
        about = software(seconds=seconds)
        with complete_folder(output) as part:
            (part / REPORT).write_text(markdown_text(results, about), encoding="utf-8")
            (part / "report.html").write_text(html_text(results, about), encoding="utf-8")
            (part / "numbers.csv").write_text(csv_text(results), encoding="utf-8")
        show(f"{output} written")
    failed = [r.case.name for r in results if not r.passed]
    if failed:
        raise ConvergenceError(f"{totals(results)}: {', '.join(failed)}")
    show(totals(results))
    if output is None:
        show_next("cyldiff validate -o DIR, for a report")

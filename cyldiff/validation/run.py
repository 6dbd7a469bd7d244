"""Run the cases and collect what they found."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cyldiff.errors import ConfigError, Problem, nearest, quoted
from cyldiff.validation import accuracy, closed, conservation, momentum, physics, points
from cyldiff.validation.case import Case, Check, Refinement

__all__ = ["CASES", "Result", "chosen", "run_cases", "validate"]

CASES: tuple[Case, ...] = (
    *accuracy.CASES,
    *closed.CASES,
    *momentum.CASES,
    *conservation.CASES,
    *points.CASES,
    *physics.CASES,
)


@dataclass(frozen=True, slots=True)
class Result:
    """What a case found.

    Attributes
    ----------
    case : Case
    checks : numbers with their bounds
    refinements : tables of errors
    seconds : wall-clock time
    error : what stopped the case; empty if it ran to its end
    """

    case: Case
    checks: tuple[Check, ...]
    refinements: tuple[Refinement, ...]
    seconds: float
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether the case ran and all its numbers are within their bounds."""
        return not self.error and bool(self.checks) and all(check.passed for check in self.checks)


def validate(*names: str) -> list[Result]:
    """Check cyldiff on this machine: run the cases of these names, all without a name (about a minute).

    Parameters
    ----------
    names : of cases, as ``cyldiff validate --list`` prints them

    Returns
    -------
    list of Result
        with ``passed``, and for every number what was measured and what is accepted.

    Raises
    ------
    ConfigError
        naming every unknown case.
    """
    return run_cases(chosen(names))


def chosen(names: Sequence[str]) -> tuple[Case, ...]:
    """The cases of these names, all without a name.

    Raises
    ------
    ConfigError
        naming every unknown one.
    """
    known = {case.name: case for case in CASES}
    problems = [
        Problem("CASES", f"no case {quoted(name)}; known: {', '.join(known)}{nearest(name, known)}")
        for name in names
        if name not in known
    ]
    if problems:
        raise ConfigError("cyldiff validate", problems)
    return tuple(known[name] for name in dict.fromkeys(names)) if names else CASES


def run_cases(cases: Sequence[Case], say: Callable[[Result], None] = lambda _: None) -> list[Result]:
    """Run the cases one after the other; a case that raises has failed, the others go on.

    Parameters
    ----------
    say : called with every result as it comes
    """
    results = []
    for case in cases:
        results.append(_run(case))
        say(results[-1])
    return results


def _run(case: Case) -> Result:
    started = time.perf_counter()
    try:
        found = case.run()
    except Exception as error:  # whatever stops a case is what it has found
        return Result(case, (), (), time.perf_counter() - started, f"{type(error).__name__}: {error}")
    checks = tuple(item for item in found if isinstance(item, Check))
    tables = tuple(item for item in found if isinstance(item, Refinement))
    return Result(case, checks, tables, time.perf_counter() - started)

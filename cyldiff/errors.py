"""The errors cyldiff raises, and nothing else.

Everything a user can meet derives from :class:`CyldiffError`; the command line
turns each into a message and an exit status (2 bad input, 3 not solved).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

__all__ = [
    "ConfigError",
    "ConvergenceError",
    "CyldiffError",
    "DataError",
    "GridError",
    "Problem",
    "nearest",
]


class CyldiffError(Exception):
    """Base class of all errors that are meant for the user.

    ``exit_status`` is what the command line returns.
    """

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input: where, and what."""

    key: str
    message: str


class ConfigError(CyldiffError):
    """The configuration is not valid; carries every problem found, not only the first."""

    def __init__(self, source: str, problems: Iterable[Problem | tuple[str, str]]) -> None:
        self.source = str(source)
        self.problems = tuple(p if isinstance(p, Problem) else Problem(*p) for p in problems)
        super().__init__(self.report())

    def report(self) -> str:
        """All problems as an aligned, readable block of text."""
        count = len(self.problems)
        width = max((len(p.key) for p in self.problems), default=0)
        lines = [f"{self.source}: {count} problem{'s' if count != 1 else ''}"]
        lines += [f"  {p.key:<{width}}  {p.message}" for p in self.problems]
        return "\n".join(lines)


class DataError(CyldiffError):
    """A table or a measured data set is missing, damaged or asked outside its range."""


class GridError(CyldiffError):
    """A grid cannot be built or does not allow what is asked of it."""


class ConvergenceError(CyldiffError):
    """A solve did not reach its tolerance, or its result failed the certificate."""

    exit_status = 3


def nearest(name: str, known: Iterable[str]) -> str:
    """Hint at the closest known name, as ``'; did you mean "x"?'`` or an empty string."""
    known = list(known)
    lowered = {k.lower(): k for k in known}
    match = get_close_matches(str(name).lower(), list(lowered), n=1, cutoff=0.5)
    return f'; did you mean "{lowered[match[0]]}"?' if match else ""

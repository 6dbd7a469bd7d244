"""The errors cyldiff raises, and nothing else.

Everything a user can meet derives from :class:`CyldiffError`; the command line
turns each into a message and an exit status (2 bad input, 3 not solved).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

__all__ = [
    "ConfigError",
    "ConvergenceError",
    "CyldiffError",
    "DataError",
    "GridError",
    "OwnPhysicsError",
    "Problem",
    "nearest",
    "quoted",
]


class CyldiffError(Exception):
    """Base class of all errors that are meant for the user.

    ``exit_status`` is what the command line returns.
    """

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input.

    Attributes
    ----------
    key : dotted path of the config key, or the option of the command line
    message : what was found, what is expected, the nearest valid name
    where : file or option that set the value, if it is not the file the report is about
    """

    key: str
    message: str
    where: str = ""


class ConfigError(CyldiffError):
    """The configuration is not valid; carries every problem found, not only the first."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = str(source)
        self.problems = tuple(problems)
        super().__init__(self.report())

    def __reduce__(self) -> tuple[type[ConfigError], tuple[str, tuple[Problem, ...]]]:
        return ConfigError, (self.source, self.problems)

    def report(self) -> str:
        """All problems as an aligned, readable block of text."""
        count = len(self.problems)
        width = max((len(p.key) for p in self.problems), default=0)
        lines = [f"{self.source}: {count} problem{'s' if count != 1 else ''}"]
        for p in self.problems:
            where = f"   (in {p.where})" if p.where else ""
            lines.append(f"  {p.key:<{width}}  {p.message}{where}")
        return "\n".join(lines)


class DataError(CyldiffError):
    """A table or a measured data set is missing, damaged or asked outside its range."""


class GridError(CyldiffError):
    """A grid cannot be built or does not allow what is asked of it."""


class OwnPhysicsError(CyldiffError):
    """A law that the user has written as a function cannot be used, or gave what is no physics."""


class ConvergenceError(CyldiffError):
    """A solve did not reach its tolerance, or its result failed the certificate."""

    exit_status = 3


def nearest(name: str, known: Iterable[str]) -> str:
    """Hint at the closest known name, as ``'; did you mean "x"?'`` or an empty string.

    Case, hyphens and underscores do not count.
    """
    plain = {_plain(k): k for k in reversed(list(known))}
    match = get_close_matches(_plain(str(name)[:200]), list(plain), n=1, cutoff=0.5)
    return f'; did you mean "{plain[match[0]]}"?' if match else ""


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def quoted(value: object, length: int = 60) -> str:
    """A value as it is written in a config, cut if it is long: for "found …" in messages."""
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > 10**length:
        return "a huge number"
    text = (
        json.dumps(value, ensure_ascii=False, default=str)
        if isinstance(value, str | list | tuple)
        else str(value)
    )
    return text if len(text) <= length else f"{text[: length - 1]}…"

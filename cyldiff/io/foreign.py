"""Inputs of other programs as a config: what was taken, what differs, and what has no equivalent.

No key of a foreign file is dropped silently. A reader takes the keys it understands from a :class:`Keys`; what is
left when it is done is listed with a reason.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cyldiff.config.load import LoadedConfig, load_mapping
from cyldiff.config.toml import to_toml
from cyldiff.errors import ConfigError, Problem, quoted
from cyldiff.screen import LINE

__all__ = [
    "AGAIN",
    "Entry",
    "Imported",
    "Keys",
    "base_model",
    "cells_in_half_space",
    "collapsed",
    "smooth_breaks",
]


#: what a key is called that a file gives a second time
AGAIN = " (again)"
#: a space at which no line is broken
_TIE = "\u00a0"
#: from so many entries on a common text is written once
_MANY = 4
#: numbers beyond this are no inputs [any unit]
_LARGEST = 1e45


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a foreign file: its value, and what became of it."""

    key: str
    value: str
    text: str

    @property
    def shown(self) -> str:
        """``key = value``."""
        return f"{self.key} = {self.value}" if self.value else self.key


@dataclass
class Keys:
    """Keys of a foreign file with their values as text, and the record of what became of them.

    Attributes
    ----------
    values : key -> text, in the order of the file
    problems : what is wrong with the file
    assumed : keys that are not in the file, and what is taken for them
    taken : keys that were read, and the config key they went to
    differing, absent : keys that mean something else in cyldiff, and keys that mean nothing
    """

    values: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    assumed: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    differing: list[Entry] = field(default_factory=list)
    absent: list[Entry] = field(default_factory=list)

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def text(self, key: str, default: str = "", *, to: str = "") -> str:
        """The value as text; the key counts as taken, for the config key `to`."""
        if key not in self.values:
            if to and default:
                self.assumed.setdefault(key, default)
            return default
        self.taken[key] = to
        return self.values[key]

    def number(self, key: str, default: float | None = None, *, to: str = "") -> float:
        """The value as a finite number; a problem if it is none, or missing without a default."""
        if key not in self.values:
            if default is None:
                self._wrong(key, "is missing")
                return 1.0
            if to:
                self.assumed.setdefault(key, f"{default:g}")
            return default
        text = self.text(key, to=to)
        try:
            value = float(text.replace("d", "e").replace("D", "e"))
        except ValueError:
            value = math.nan
        if not abs(value) < _LARGEST:
            self._wrong(key, f"found {quoted(text)}; expected a number")
            return 1.0 if default is None else default
        return value

    def _wrong(self, key: str, message: str) -> None:
        """Note a problem, once."""
        problem = Problem(key, message)
        if problem not in self.problems:
            self.problems.append(problem)

    def positive(self, key: str, default: float | None = None, *, to: str = "") -> float:
        """As :meth:`number`, above zero."""
        value = self.number(key, default, to=to)
        if not value > 1.0 / _LARGEST:
            self._wrong(key, f"found {value:g}; expected a positive number")
            return 1.0
        return value

    def slope(self, key: str, default: float | None = None, *, to: str = "") -> float:
        """As :meth:`number`, a spectral index: between -10 and 10."""
        value = self.number(key, default, to=to)
        if not abs(value) <= 10.0:
            self._wrong(key, f"found {value:g}; expected an index between -10 and 10")
            return 1.0
        return value

    def flag(self, key: str, default: int, *, to: str = "") -> int:
        """As :meth:`number`, whole."""
        return round(self.number(key, float(default), to=to))

    def differs(self, key: str, text: str) -> None:
        """The key was taken, but cyldiff means something else by it."""
        entry = Entry(key, self.values.get(key, ""), text)
        if entry not in self.differing:
            self.differing.append(entry)
        self.taken.setdefault(key, "")

    def numbers(self, key: str, *, to: str = "") -> list[float]:
        """A list of numbers with commas between them; a problem if they are none."""
        text = self.text(key, to=to)
        try:
            return [float(part) for part in text.split(",")]
        except ValueError:
            self._wrong(key, f"found {quoted(text)}; expected numbers with commas between them")
            return []

    def off(self, pattern: str) -> None:
        """Keys of processes that cyldiff has not, and that the file has switched off (0): nothing is lost."""
        for key, value in self.values.items():
            if re.fullmatch(pattern, key) and re.fullmatch(r"[+-]?0*[.]?0*", value) and value.strip("+-."):
                self.taken.setdefault(key, "off")

    def none(self, key: str, reason: str) -> None:
        """The key has no equivalent."""
        if key in self.values:
            self.absent.append(Entry(key, self.values[key], reason))
            self.taken.pop(key, None)

    def left(self, reasons: Sequence[tuple[str, str]]) -> None:
        """List every key that nobody took, with the reason of the first pattern that fits it."""
        reasons = ((rf".*{re.escape(AGAIN)}", "given again; the first one is taken"), *reasons)
        listed = {entry.key for entry in self.absent}
        for key in self.values:
            if key not in self.taken and key not in listed:
                fits = (reason for pattern, reason in reasons if re.fullmatch(pattern, key))
                self.none(key, next(fits, "not known to this import"))


@dataclass(frozen=True)
class Imported:
    """A config made of a foreign file.

    Attributes
    ----------
    program, source : what was read
    keys : the record
    raw : nested plain values of the config
    """

    program: str
    source: str
    keys: Keys
    raw: dict[str, Any]

    def checked(self) -> LoadedConfig:
        """The config, validated.

        Raises
        ------
        ConfigError
            naming the config keys that the file's values are not valid for.
        """
        if self.keys.problems:
            raise ConfigError(self.source, self.keys.problems)
        return load_mapping(self.raw, source=self.source)

    def toml(self) -> str:
        """The config as TOML, with the record as comments."""
        lines = [f"imported from {self.source}, an input of {self.program}"]
        lines += ["", *self.report().splitlines()]
        # TOML allows no control characters in comments
        shown = ("".join(c if c.isprintable() else "?" for c in line) for line in lines)
        comments = "\n".join(f"# {line}".rstrip() for line in shown)
        return f"{comments}\n\n{to_toml(self.raw)}"

    def report(self) -> str:
        """What was taken, what differs, what has no equivalent."""
        keys = self.keys
        exact = [k for k in keys.taken if k not in {e.key for e in keys.differing}]
        lines = _wrapped(f"{len(exact)} keys taken: {', '.join(exact)}")
        assumed = ", ".join(f"{key} {value}" for key, value in keys.assumed.items())
        lines += ["", *_wrapped(f"not in the file, assumed: {assumed or 'nothing'}"), ""]
        lines += _listed("taken with a difference", keys.differing)
        lines += ["", *_listed("without an equivalent", keys.absent)]
        return "\n".join(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, LINE, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _listed(heading: str, entries: Sequence[Entry]) -> list[str]:
    """Entries by their texts: what many have in common is said once."""
    if not entries:
        return [f"{heading}: none"]
    groups: dict[str, list[Entry]] = {}
    for e in entries:
        groups.setdefault(e.text, []).append(e)
    single = [e for group in groups.values() if len(group) < _MANY for e in group]
    width = min(32, max((len(e.shown) for e in single), default=0))
    lines = [f"{heading}: {len(entries)}"]
    for e in single:
        first = f"  {e.shown:<{width}}  "
        if len(e.shown) > width:
            lines += _indented(e.shown, "  ")
            first = " " * (width + 4)
        lines += _indented(e.text, first)
    for text, group in groups.items():
        if len(group) >= _MANY:
            # a key and its value stay on one line
            together = ", ".join(e.shown.replace(" ", _TIE) for e in group)
            lines += _indented(f"{text}:", "  ")
            lines += [line.replace(_TIE, " ") for line in _indented(together, "    ")]
    return lines


def _indented(text: str, first: str) -> list[str]:
    return textwrap.wrap(text, LINE, initial_indent=first, subsequent_indent=" " * len(first),
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip


def cells_in_half_space(half_height: float, step: float) -> int:
    """Cells of the upper half whose width is nearest to `step`: the first is half a cell of the whole axis."""
    return max(5, round(half_height / step + 0.5))


def smooth_breaks(
    indices: Sequence[float], breaks: Sequence[float], smoothing: Sequence[float]
) -> tuple[list[float], list[float], list[float]]:
    """As :func:`collapsed`, with the smoothness of cyldiff.

    GALPROP joins indices g and h at a break with [1 + (R/R_br)^(|g - h|/s)]^(+-s) (Boschini et al. 2020,
    ApJS 250, 27), cyldiff with [1 + (R/R_br)^(1/s')]^(s' (g - h)): the same for s' = s/|g - h|.
    """
    kept, places, smoothness = [indices[0]], [], []
    for index, place, s in zip(indices[1:], breaks, smoothing, strict=True):
        if index != kept[-1]:
            smoothness.append(s / abs(index - kept[-1]))
            kept.append(index)
            places.append(place)
    return kept, places, smoothness


def collapsed(indices: Sequence[float], breaks: Sequence[float]) -> tuple[list[float], list[float]]:
    """A broken power law without breaks at which nothing changes, or that repeat."""
    kept, places = [indices[0]], []
    for index, place in zip(indices[1:], breaks, strict=True):
        if index != kept[-1]:
            kept.append(index)
            places.append(place)
    return kept, places


def base_model() -> dict[str, Any]:
    """What a file of neither program says: spallation, modulation; the rest is filled in."""
    return {
        "inelastic": {"kind": "tripathi-1999", "extrapolation": "constant"},
        "spallation": {"kind": "evoli-2019", "extrapolation": "constant"},
        "modulation": {"kind": "none"},
        "reacceleration": {"kind": "none"},
        "convection": {"kind": "none"},
    }

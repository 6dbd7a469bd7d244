"""One line of a comparison: printed value, our value, tolerance, verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["Item", "Verdict", "claim", "close", "factor", "interval", "open_item", "text"]

Verdict = Literal["pass", "fail", "open"]


@dataclass(frozen=True)
class Item:
    """A value of a paper and ours.

    Parameters
    ----------
    item : what it is, with its unit and where the paper prints it
    printed : as the paper prints it
    ours : as we find it
    tolerance : what counts as agreement
    verdict : "pass", "fail", or "open" where the paper does not give what is needed to find it
    note : what is missing, or why it differs
    """

    item: str
    printed: str
    ours: str
    tolerance: str
    verdict: Verdict
    note: str = ""


def text(value: float | str) -> str:
    """Numbers with four digits."""
    return value if isinstance(value, str) else f"{value:.4g}"


def close(
    item: str, printed: float, ours: float, *, relative: float = 0.0, absolute: float = 0.0,
    unit: str = "", note: str = "",
) -> Item:  # fmt: skip
    """Agreement within a relative or an absolute tolerance, whichever is wider."""
    room = max(relative * abs(printed), absolute)
    said = (
        f"{100 * relative:g} %" if relative * abs(printed) >= absolute else f"± {absolute:g} {unit}".strip()
    )
    good = math.isfinite(ours) and abs(ours - printed) <= room
    return Item(_named(item, unit), text(printed), text(ours), said, "pass" if good else "fail", note)


def factor(item: str, printed: float, ours: float, *, times: float, unit: str = "", note: str = "") -> Item:
    """Agreement within a factor."""
    good = printed > 0.0 and ours > 0.0 and 1.0 / times <= ours / printed <= times
    return Item(
        _named(item, unit), text(printed), text(ours), f"factor {times:g}", "pass" if good else "fail", note
    )


def interval(
    item: str, printed: str, ours: float, *, low: float, high: float, unit: str = "", note: str = ""
) -> Item:
    """Our value within limits, e.g. central value and errors of a fit."""
    good = low <= ours <= high
    return Item(
        _named(item, unit), printed, text(ours), f"{low:g} to {high:g}", "pass" if good else "fail", note
    )


def claim(item: str, printed: str, ours: str, *, holds: bool, tolerance: str, note: str = "") -> Item:
    """A statement in words, and whether it holds."""
    return Item(item, printed, ours, tolerance, "pass" if holds else "fail", note)


def open_item(item: str, printed: float | str, ours: float | str, *, missing: str) -> Item:
    """What cannot be decided, because the paper does not give what is needed."""
    return Item(item, text(printed), text(ours), "none", "open", missing)


def _named(item: str, unit: str) -> str:
    return f"{item} [{unit}]" if unit else item

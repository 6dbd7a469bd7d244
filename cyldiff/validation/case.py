"""One case of the validation: a statement with a reference, and the numbers that bear it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from cyldiff.validation.problems import observed_orders

__all__ = ["Case", "Check", "Refinement", "below", "close", "largest", "orders"]


@dataclass(frozen=True, slots=True)
class Check:
    """One number against its bound.

    Attributes
    ----------
    what : what is measured
    value : the measured number
    low, high : what is accepted; NaN never is
    accepted : the bound in words
    """

    what: str
    value: float
    low: float
    high: float
    accepted: str

    @property
    def passed(self) -> bool:
        """Whether the number is within its bound."""
        return bool(self.low <= self.value <= self.high)


@dataclass(frozen=True, slots=True)
class Refinement:
    """Errors on a sequence of meshes, for the report: how fine they are in words, errors, ratio of the meshes."""

    meshes: tuple[str, ...]
    errors: tuple[float, ...]

    @property
    def orders(self) -> tuple[float, ...]:
        """Observed orders of successive refinements by two."""
        return tuple(float(o) for o in observed_orders(self.errors))


@dataclass(frozen=True, slots=True)
class Case:
    """A statement that is checked.

    Attributes
    ----------
    name : short, unique, for the command line
    group : heading in the report
    statement : what is claimed, in one sentence
    reference : what it is measured against: paper, equation, or independent method
    run : makes the checks, and refinements if there are any
    """

    name: str
    group: str
    statement: str
    reference: str
    run: Callable[[], Sequence[Check | Refinement]] = field(repr=False)


def below(what: str, value: float, bound: float) -> Check:
    """The size of a number is at most `bound`."""
    return Check(what, float(abs(value)), 0.0, bound, f"at most {bound:g}")


def close(what: str, found: ArrayLike, exact: ArrayLike, bound: float) -> Check:
    """Largest relative error of `found` is at most `bound`."""
    found, exact = np.asarray(found, dtype=float), np.asarray(exact, dtype=float)
    error = largest(np.abs(found - exact) / np.abs(exact))
    return Check(f"{what}: largest relative error", error, 0.0, bound, f"at most {bound:g}")


def largest(*values: ArrayLike) -> float:
    """Largest of all numbers; NaN if one of them is, which Python's max() may pass over."""
    return float(np.max(np.concatenate([np.ravel(np.asarray(v, dtype=float)) for v in values])))


def orders(
    what: str,
    meshes: Sequence[str],
    errors: Sequence[float],
    order: float,
    *,
    within: float,
    last: int = 2,
    or_more: bool = False,
) -> list[Check | Refinement]:
    """The `last` observed orders differ from `order` by at most `within`; meshes are refined by two.

    `or_more`: errors may also fall faster.
    """
    table = Refinement(tuple(meshes), tuple(float(e) for e in errors))
    found = table.orders[-last:]
    # argmin and argmax stop at NaN
    worst = found[int(np.argmin(found) if or_more else np.argmax(np.abs(np.array(found) - order)))]
    high, words = (float("inf"), " or more") if or_more else (order + within, "")
    return [table, Check(f"order in {what}", worst, order - within, high, f"{order:g} ± {within:g}{words}")]

"""Items of the scan: which efficiencies, indices and cut-offs the protons allow, and how they go together."""

from __future__ import annotations

import numpy as np

from cyldiff.papers.items import Item, claim
from cyldiff.papers.kaci_2025.scan import FITTED, Scan
from cyldiff.papers.kaci_2025.verdicts import undecided

__all__ = ["BOX", "scan_items"]

#: the printed ranges: index, efficiency, cut-off [GeV]
BOX = {"index": (1.9, 2.05), "efficiency": (0.1, 0.2), "cutoff": (1.5e5, 3.0e5)}
#: index of the other scenario of the discussion, and its efficiency
SOFT, SOFT_EFFICIENCY = 2.2, 0.4

#: what the rows of the scan say of their meaning
CRITERION = (
    "The paper does not say what fits, nor slope and strength of the remnants. Here the remnants are fitted to the "
    f"points below {FITTED / 1e3:g} TeV, and a set passes if every point from 1 TeV to 10 PeV is in the 68 % band or "
    "within two of its errors."
)
TREND = "Least chi-square of the median history at each index, remnants fitted to all points."


def scan_items(found: Scan, other: Scan, other_limit: float) -> list[Item]:
    """Rows of the scan.

    Parameters
    ----------
    found : Scan
    other : the same with remnants fitted up to `other_limit` [GeV]
    """
    c, eta = BOX["cutoff"], BOX["efficiency"]
    ranges = (
        ("efficiency [%] at index 2", 100.0, 1, found.among(index=(2.0, 2.0)), (10.0, 20.0), "about 10 to about 20"),
        ("index, printed efficiencies and cut-offs", 1.0, 0, found.among(efficiency=eta, cutoff=c), (1.9, 2.05),
         "1.9 to 2.05"),
        ("cut-off [TeV] at index 2", 1e-3, 2, found.among(index=(2.0, 2.0)), (150.0, 300.0), "150 to 300"),
        ("cut-off [TeV] at index 2.05", 1e-3, 2, found.among(index=(2.05, 2.05)), (150.0, 300.0), "150 to 300"),
        (f"cut-off [TeV] at index 2, remnants fitted up to {other_limit / 1e3:g} TeV", 1e-3, 2,
         other.among(index=(2.0, 2.0)), (150.0, 300.0), "150 to 300"),
    )  # fmt: skip
    items = [
        undecided(f"scan, {words}", printed, [unit * x for x in found.range_of(axis, kept)], *limits,
                  times=2.0, missing=CRITERION)
        for words, unit, axis, kept, limits, printed in ranges
    ]  # fmt: skip
    inside, every = int(found.among(**BOX).sum()), _inside(found)
    items.append(undecided("scan, part of the printed ranges that passes [%]", "100", [100.0 * inside / every],
                           100.0, 100.0, times=2.0, missing=CRITERION))  # fmt: skip
    return [*items, *_trends(found)]


def _inside(found: Scan) -> int:
    """Number of sets in the printed ranges."""
    n = 1
    for name, (low, high) in BOX.items():
        axis = getattr(found, name)
        n *= int(np.count_nonzero((axis >= low * (1.0 - 1e-9)) & (axis <= high * (1.0 + 1e-9))))
    return n


def _trends(found: Scan) -> list[Item]:
    _, eta, cutoff = found.best()
    kept = (found.index >= 1.9) & (found.index <= SOFT + 1e-9)
    e, c, s = eta[kept], cutoff[kept], found.index[kept]
    end = " (the end of the scan)" if np.isclose(c[0], found.cutoff[-1]) else ""
    soft = float(e[np.argmin(np.abs(s - SOFT))])
    return [
        claim("softer microquasars need higher efficiencies, index 1.9 to 2.2", "yes",
              f"{e[0]:.2g} to {e[-1]:.2g}, rising throughout" if np.all(np.diff(e) > 0.0) else "not throughout",
              holds=bool(np.all(np.diff(e) > 0.0)), tolerance="at every step", note=TREND),
        claim("and lower cut-offs of the remnants, index 1.9 to 2.2", "yes",
              f"{c[0] / 1e3:.4g}{end} to {c[-1] / 1e3:.3g} TeV"
              + (", never rising" if np.all(np.diff(c) <= 0.0) else ""),
              holds=bool(np.all(np.diff(c) <= 0.0) and c[-1] < c[0]), tolerance="at every step", note=TREND),
        undecided("efficiency at index 2.2 [%]", "about 40", [100.0 * soft], 40.0, 40.0, times=2.0, missing=TREND),
    ]  # fmt: skip

"""Section 2 of Yue et al. 2025: the surface density of X-ray binaries, Tables 1 and 2, Eqs. 4 to 7, Figs. 1 and 2.

The analysis is :mod:`cyldiff.galaxy.xray_binaries`; docs/theory/xrb-distribution.md says what does not agree. All
numbers of that page are in results/xrb-distribution.txt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cyldiff.galaxy.xray_binaries import (
    CATALOGUES,
    SOURCES,
    XrbDistribution,
    implied_rates,
    load_binaries,
    printed_densities,
    xrb_distribution,
)
from cyldiff.io.whole import write_whole
from cyldiff.papers.items import Item, claim, close, interval
from cyldiff.papers.study import Study
from cyldiff.plot.binaries import density_figure, map_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["rerun_binaries"]

#: rate that Table 2 was made with, three digits [kpc^-1]
USED = 0.2667
#: numbers of objects, c and rho_0 as printed in sections 2.1 and 2.2, A, a and R1 of Eq. 7
OBJECTS = {"hmxb": 172, "lmxb": 360}
PRINTED_C, PRINTED_C_ERROR = 0.280, 0.018
PRINTED_DENSITY, PRINTED_LOG_ERROR = 4.74, 0.16
PRINTED_A, PRINTED_INDEX, PRINTED_R1 = 181.6, -5.3, 9.5
#: cell of the misprint in Table 1: R, r [kpc], printed, needed [kpc^-2]
MISPRINT = (11.9, 3.4, 0.48, 0.78)
#: what rounding of Table 1 allows [kpc^-2], and what counts as agreement beyond it
ROUNDING, AGREEMENT = 0.005, 0.02


def rerun_binaries(study: Study) -> None:
    """Items, Figs. 1 and 2, and the text with all numbers."""
    table_2, catalogues = xrb_distribution("table-2"), xrb_distribution()
    smooth = xrb_distribution("catalogues", kernel="gaussian")
    study.add(*_objects(), *_tables(), *_selection(catalogues), *_law(table_2))
    study.figure(
        "fig1",
        "Fig. 1: X-ray binaries in the plane, with the circles and cells of section 2.2",
        lambda: map_figure(catalogues),
    )
    study.figure(
        "fig2",
        "Fig. 2: surface density against Galactocentric radius, from Table 2 and from the catalogues",
        lambda: _densities(table_2, catalogues, smooth),
    )
    each = [xrb_distribution(source).report() for source in SOURCES]
    lines = [_table_text(), _catalogue_text(), *each, smooth.report()]
    write_whole(study.results / "xrb-distribution.txt", "\n".join(lines) + "\n")


def _densities(*results: XrbDistribution) -> Figure:
    titles = ["Table 2 as printed", "catalogues, counts in discs", "catalogues, Gaussian kernel"]
    return density_figure(results, titles=titles)


def _objects() -> list[Item]:
    words = {"hmxb": "high-mass", "lmxb": "low-mass"}
    each = [load_binaries(name) for name in CATALOGUES]
    lost = sum(one.in_catalogue - len(one) for one in each)
    return [
        close(
            f"{words[name]} binaries in the catalogue (section 2.1)", OBJECTS[name],
            one.in_catalogue,
            note=f"The paper names the two catalogues the other way round. {lost} of the "
                 f"{sum(OBJECTS.values())} objects "
                 "have no distance or no position; what was done with them is not said. Here they are left out.",
        )
        for name, one in zip(CATALOGUES, each, strict=True)
    ]  # fmt: skip


def agreeing(c: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Cells of Table 2 that Table 1 gives with a rate c, within 2 % or rounding; and the cells that have a rate."""
    cells, table_1, table_2 = printed_densities()
    low = np.maximum(table_1 - ROUNDING, 0.0) * np.exp(c * cells.r) - ROUNDING
    high = (table_1 + ROUNDING) * np.exp(c * cells.r) + ROUNDING
    close_by = np.abs(table_1 * np.exp(c * cells.r) - table_2) <= AGREEMENT * table_2
    return ((low <= table_2) & (table_2 <= high)) | close_by, np.isfinite(
        implied_rates(cells, table_1, table_2)[0]
    )


def _tables() -> list[Item]:
    cells, _, _ = printed_densities()
    good, known = agreeing(USED)
    (wrong,) = [np.flatnonzero(known & ~good)]
    only = len(wrong) == 1 and np.allclose((cells.R[wrong[0]], cells.r[wrong[0]]), MISPRINT[:2])
    others = int((known & agreeing(PRINTED_C)[0]).sum())
    return [
        claim(
            f"Table 2 from Table 1 with c = {USED} kpc^-1, cells that agree", f"{known.sum()} cells",
            f"{(known & good).sum()} cells", holds=only, tolerance="2 % or rounding, misprint apart",
            note=f"The cell R = {MISPRINT[0]}, r = {MISPRINT[1]} kpc of Table 1 is a misprint: "
                 f"{MISPRINT[2]} stands there, "
                 f"{MISPRINT[3]} is needed. With c = {PRINTED_C} kpc^-1 of the text only {others} cells agree.",
        )
    ]  # fmt: skip


def _selection(catalogues: XrbDistribution) -> list[Item]:
    counted, fit = catalogues.selection, xrb_distribution("table-1").selection
    row = "Eq. 4, row R = 8.5 kpc of Table 1"
    low, high = (PRINTED_DENSITY * np.exp(sign * PRINTED_LOG_ERROR) for sign in (-1.0, 1.0))
    return [
        interval(
            f"c ({row})", f"{PRINTED_C:.3f} ± {PRINTED_C_ERROR}", fit.c,
            low=PRINTED_C - PRINTED_C_ERROR, high=PRINTED_C + PRINTED_C_ERROR, unit="kpc^-1",
            note="The text says column; the row is meant. Counts in the catalogues give "
                 f"{counted.c:.3f} ± {counted.c_error:.3f}: the printed value is likely from another "
                 f"version of Table 1.",
        ),
        close(f"error of c ({row})", PRINTED_C_ERROR, fit.c_error, absolute=0.002, unit="kpc^-1"),
        interval(
            f"rho_0 ({row})", f"{PRINTED_DENSITY} ± {PRINTED_LOG_ERROR}, called ln rho_0", fit.density,
            low=round(float(low), 3), high=round(float(high), 3), unit="kpc^-2",
            note=f"ln rho_0 = {fit.log_density:.3f} ± {fit.log_density_error:.3f}: the printed number is "
                 f"rho_0, its error that "
                 "of the logarithm.",
        ),
    ]  # fmt: skip


def _law(table_2: XrbDistribution) -> list[Item]:
    plain, weighted = table_2.fits["plain"], table_2.fits["weighted"]
    note = (
        f"Plain means of Table 2, no weights: a = {plain.a:.2f} ± {plain.errors[1]:.1f}, R1 = {plain.R1:.2f} ± "
        f"{plain.errors[2]:.1f} kpc. With the errors of Eq. 6: a = {weighted.a:.2f} ± {weighted.errors[1]:.1f}, R1 = "
        f"{weighted.R1:.2f} ± {weighted.errors[2]:.1f} kpc. The two are degenerate."
    )
    amplitude = (
        f"The printed amplitude is {PRINTED_A / plain.A:.0f} times the density that Table 2 has at 8.5 "
        f"kpc; read as the density "
        f"at R = 0 ({plain(0.0):.0f} kpc^-2 here) it is still {PRINTED_A / plain(0.0):.1f} times too "
        f"high. Source components "
        "are normalised to cosmic rays: nothing below depends on it."
    )
    return [
        close("a (Eq. 7)", PRINTED_INDEX, plain.a, absolute=0.2, note=note),
        close("R1 (Eq. 7)", PRINTED_R1, plain.R1, absolute=0.3, unit="kpc", note=note),
        close("A (Eq. 7)", PRINTED_A, plain.A, relative=0.2, unit="kpc^-2", note=amplitude),
    ]


def _table_text() -> str:
    """What the two printed tables say of each other."""
    cells, table_1, table_2 = printed_densities()
    c, low, high = implied_rates(cells, table_1, table_2)
    known = np.isfinite(c)
    large = known & (table_1 >= 0.5)
    lines = [
        f"Table 2 / Table 1: {known.sum()} cells with a rate, median c = {np.nanmedian(c):.4f} kpc^-1;",
        f"  {large.sum()} cells of at least 0.5 kpc^-2: {c[large].mean():.4f} +- {c[large].std():.4f} kpc^-1",
    ]
    center = np.nanmedian(c)
    for i in np.flatnonzero(known & ((low > center) | (high < center))):
        needed = table_2[i] * np.exp(-center * cells.r[i])
        if abs(needed - table_1[i]) > AGREEMENT * needed:
            lines.append(
                f"  R = {cells.R[i]:g}, r = {cells.r[i]:g} kpc: {table_1[i]} printed, {needed:.3f} needed"
            )
            known[i] = False
    lines.append(f"  all other cells agree with {low[known].max():.5f} to {high[known].min():.5f} kpc^-1")
    for rate in (0.2665, USED, PRINTED_C):
        off = np.abs(table_1 * np.exp(rate * cells.r) / np.where(table_2 > 0, table_2, np.nan) - 1.0)
        worst = 100 * np.nanmax(off[large])
        lines.append(f"  c = {rate}: worst cell of at least 0.5 kpc^-2 off by {worst:.1f} %")
    column = np.isclose(cells.r, 8.5)
    slope, _ = np.polyfit(cells.R[column], np.log(table_1[column]), 1)
    lines.append(f"  slope of ln rho along the column r = 8.5 kpc instead of the row: {slope:.3f} kpc^-1")
    least = 2.0 * (table_1 * cells.area)[table_1 == 0.01]
    lines.append(f"  objects behind the entries 0.01, cell and image: {np.round(least, 3)}")
    return "\n".join(lines)


def _catalogue_text() -> str:
    """How far densities from the catalogues are from Table 1."""
    cells, table_1, _ = printed_densities()
    misprint = np.isclose(cells.R, MISPRINT[0]) & np.isclose(cells.r, MISPRINT[1])
    use = (table_1 > 0.04) & ~misprint
    lines = []
    for kernel in ("disc", "gaussian"):
        ours = xrb_distribution("catalogues", kernel=kernel).apparent.value
        both = use & (ours > 0.0)
        ratio = np.log(ours[both] / table_1[both])
        lines.append(
            f"catalogues ({kernel}) / Table 1: {both.sum()} of {use.sum()} cells, mean of ln {ratio.mean():+.2f}, "
            f"scatter {ratio.std():.2f}"
        )
    return "\n".join(lines)

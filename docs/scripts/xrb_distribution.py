"""Print every number of the X-ray binary distribution of Yue et al. 2025 and draw its figures.

    python docs/scripts/xrb_distribution.py [FOLDER]

The folder is docs/figures/xrb if none is named. The numbers are those of docs/theory/xrb-distribution.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib import rc_context

from cyldiff.galaxy.xray_binaries import implied_rates, printed_densities, xrb_distribution
from cyldiff.plot.binaries import density_figure, map_figure
from cyldiff.plot.style import RC


def check_tables() -> None:
    """What the two printed tables say of each other."""
    cells, table_1, table_2 = printed_densities()
    c, low, high = implied_rates(cells, table_1, table_2)
    known = np.isfinite(c)
    large = known & (table_1 >= 0.5)
    print(f"Table 2 / Table 1: {known.sum()} cells with a rate, median c = {np.nanmedian(c):.4f} kpc^-1;")
    print(
        f"  {large.sum()} cells of at least 0.5 kpc^-2: {c[large].mean():.4f} +- {c[large].std():.4f} kpc^-1"
    )
    center = np.nanmedian(c)
    for i in np.flatnonzero(known & ((low > center) | (high < center))):
        needed = table_2[i] * np.exp(-center * cells.r[i])
        if abs(needed - table_1[i]) > 0.02 * needed:
            print(f"  R = {cells.R[i]:g}, r = {cells.r[i]:g} kpc: {table_1[i]} printed, {needed:.3f} needed")
            known[i] = False
    print(f"  all other cells agree with {low[known].max():.5f} to {high[known].min():.5f} kpc^-1")
    for rate in (0.2665, 0.2667, 0.280):
        off = np.abs(table_1 * np.exp(rate * cells.r) / np.where(table_2 > 0, table_2, np.nan) - 1.0)
        print(f"  c = {rate}: worst cell of at least 0.5 kpc^-2 off by {100 * np.nanmax(off[large]):.1f} %")

    column = np.isclose(cells.r, 8.5)
    slope, _ = np.polyfit(cells.R[column], np.log(table_1[column]), 1)
    print(f"  slope of ln rho along the column r = 8.5 kpc instead of the row: {slope:.3f} kpc^-1")
    least = table_1 == 0.01
    print(f"  objects behind the entries 0.01, cell and image: {2.0 * (table_1 * cells.area)[least]}")


def compare_catalogues() -> None:
    """How far densities from the catalogues are from Table 1."""
    cells, table_1, _ = printed_densities()
    use = (table_1 > 0.04) & ~((np.abs(cells.R - 11.9) < 0.01) & (np.abs(cells.r - 3.4) < 0.01))
    for kernel in ("disc", "gaussian"):
        ours = xrb_distribution("catalogues", kernel=kernel).apparent.value
        both = use & (ours > 0.0)
        ratio = np.log(ours[both] / table_1[both])
        print(
            f"catalogues ({kernel}) / Table 1: {both.sum()} of {use.sum()} cells, mean of ln {ratio.mean():+.2f}, "
            f"scatter {ratio.std():.2f}"
        )


def main(folder: Path) -> None:
    """Numbers to the terminal, figures to the folder."""
    check_tables()
    compare_catalogues()
    for source in ("table-1", "table-2", "catalogues", "hmxb", "lmxb"):
        print(xrb_distribution(source).report())
    smooth = xrb_distribution("catalogues", kernel="gaussian")
    print(smooth.report())
    folder.mkdir(parents=True, exist_ok=True)
    with rc_context(RC):
        map_figure(xrb_distribution()).savefig(folder / "map.png")
        density_figure(
            [xrb_distribution("table-2"), xrb_distribution(), smooth],
            titles=["Table 2 as printed", "catalogues, counts in discs", "catalogues, Gaussian kernel"],
        ).savefig(folder / "density.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "figures" / "xrb")

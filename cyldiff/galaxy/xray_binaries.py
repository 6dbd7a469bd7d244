"""The X-ray binaries of the Galaxy: catalogues, and how dense they lie in the plane.

The analysis of Yue et al. 2025, section 2, on its printed tables or on the catalogues themselves: positions in
the plane, cells, apparent densities, selection, corrected densities, means over circles, radial law. The steps are
functions of :mod:`cyldiff.galaxy.surface_density` and :mod:`cyldiff.galaxy.radial_law`; what does not agree with
the print is in docs/theory/xrb-distribution.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cyldiff import resources
from cyldiff.errors import DataError, nearest, quoted
from cyldiff.galaxy.coordinates import from_sun
from cyldiff.galaxy.radial_law import RadialFit, fit_radial_law
from cyldiff.galaxy.surface_density import (
    Cells,
    Density,
    RowMeans,
    SelectionFit,
    apparent_density,
    build_cells,
    corrected_density,
    density_of_values,
    fit_selection,
    row_means,
)

__all__ = [
    "CATALOGUES",
    "SOURCES",
    "Binaries",
    "XrbDistribution",
    "implied_rates",
    "load_binaries",
    "printed_densities",
    "xrb_distribution",
]

Array = NDArray[np.float64]

#: tables of physics/catalogues/x-ray-binaries. High-mass binaries are Neumann et al. 2023, low-mass ones Avakyan et al.
#: 2023; Yue et al. 2025 name them the other way round.
CATALOGUES = {"hmxb": "hmxb-neumann-2023", "lmxb": "lmxb-avakyan-2023"}
#: what the distribution can be made from
SOURCES = ("catalogues", *CATALOGUES, "table-1", "table-2")
#: Galactocentric distance of the Sun in Yue et al. 2025 [kpc]
R_SUN = 8.5
#: standard error of c in Eq. 5 as printed [kpc^-1]
PRINTED_C_ERROR = 0.018


@dataclass(frozen=True, slots=True)
class _Sun:
    r: float
    z: float = 0.0


@dataclass(frozen=True, slots=True)
class Binaries:
    """Objects of a catalogue that have a distance.

    Attributes
    ----------
    name, type : shape (n,), as in the catalogue
    longitude, latitude : shape (n,) [deg]
    distance : shape (n,), from the Sun [kpc]
    in_catalogue : number of objects of the catalogue, with and without a distance
    """

    name: NDArray[np.str_]
    type: NDArray[np.str_]
    longitude: Array
    latitude: Array
    distance: Array
    in_catalogue: int

    def __len__(self) -> int:
        return len(self.name)

    def in_plane(self, observer_radius: float) -> Array:
        """Positions projected on the plane, shape (n, 2), Galactic centre at the origin [kpc]."""
        return from_sun(self.longitude, self.latitude, self.distance, _Sun(observer_radius))[:, :2]


@dataclass(frozen=True, slots=True)
class XrbDistribution:
    """Every step from the catalogue to the radial law.

    Attributes
    ----------
    source : one of SOURCES
    kernel : how objects were counted; "printed" for the tables of the paper
    position : objects in the plane [kpc] by catalogue, each shape (n, 2); none for the printed tables
    in_catalogue : number of objects with and without a distance, by catalogue
    cells : where densities are taken
    apparent : observed densities, mean of the cells and their mirror images
    selection : fit of K(r) to the circle through the Sun
    c, c_error : the rate the densities were corrected with [kpc^-1]
    corrected : densities without selection, errors of Eq. 5
    rows : means over the circles around the Galactic centre
    fits : radial laws; "plain" to plain means, "means" to weighted means, both without weights, and
        "weighted" to weighted means with their errors
    """

    source: str
    kernel: str
    position: Mapping[str, Array]
    in_catalogue: Mapping[str, int]
    cells: Cells
    apparent: Density
    selection: SelectionFit
    c: float
    c_error: float
    corrected: Density
    rows: RowMeans
    fits: Mapping[str, RadialFit]

    def report(self) -> str:
        """All numbers as text: counts, selection, circles, radial laws."""
        lines = [f"{self.source} ({self.kernel})"]
        for name, position in self.position.items():
            lines.append(
                f"  {name}: {len(position)} objects with a distance of {self.in_catalogue[name]} in the catalogue"
            )
        s = self.selection
        lines += [
            f"  selection K = exp(-c r): c = {s.c:.4f} +- {s.c_error:.4f} kpc^-1, rho_0 = {s.density:.3f} kpc^-2 "
            f"(ln rho_0 = {s.log_density:.3f} +- {s.log_density_error:.3f}), {s.cells} cells",
            f"  corrected with c = {self.c:.4f} +- {self.c_error:.4f} kpc^-1",
            "     R   cells    plain   weighted +-   error   [kpc, kpc^-2]",
        ]
        lines += [
            f"  {R:5.1f} {n:5d} {plain:10.3f} {mean:10.3f} +- {error:7.3f}"
            for R, n, plain, mean, error in zip(
                self.rows.R,
                self.rows.cells,
                self.rows.plain,
                self.rows.weighted,
                self.rows.weighted_error,
                strict=True,
            )
        ]
        lines += [f"  law, {name:8s}: {_describe(fit)}" for name, fit in self.fits.items()]
        return "\n".join(lines)


def load_binaries(name: str) -> Binaries:
    """The catalogue "hmxb" (Neumann et al. 2023) or "lmxb" (Avakyan et al. 2023), objects with a distance.

    Raises
    ------
    DataError
        if there is no such catalogue.
    """
    if name not in CATALOGUES:
        raise DataError(
            f"no catalogue {quoted(name)}; known: {', '.join(CATALOGUES)}{nearest(str(name), CATALOGUES)}"
        )
    table = resources.read_table(_path(CATALOGUES[name]))
    return Binaries(
        name=table["name"],
        type=table["type"],
        longitude=table["l"],
        latitude=table["b"],
        distance=table["distance"],
        in_catalogue=int(table.source["objects_in_catalogue"]),
    )


def printed_densities() -> tuple[Cells, Array, Array]:
    """Cells, Table 1 (apparent) and Table 2 (corrected) of Yue et al. 2025 [kpc^-2], as printed."""
    table = resources.read_table(_path("yue-2025-xrb-density"))
    cells = build_cells(observer_radius=R_SUN)
    printed = np.stack([table["R"], table["r"]])
    if not (printed.shape == (2, len(cells)) and np.allclose(printed, [cells.R, cells.r], atol=1e-6)):
        raise DataError(f"{table.path}: its cells are not those of section 2.2 of the paper")
    return cells, table["apparent"], table["corrected"]


def implied_rates(
    cells: Cells, apparent: Array, corrected: Array, *, rounding: float = 0.005
) -> tuple[Array, Array, Array]:
    """Rate c that turns one printed density into the other, ln(corrected / apparent) / r [kpc^-1].

    Returns
    -------
    c, lowest, highest : shape (n,); what rounding of both numbers allows. NaN at r = 0 and where nothing is.
    """
    rates = []
    for side in (0.0, -1.0, 1.0):
        above, below = (
            np.maximum(corrected + side * rounding, 0.0),
            np.maximum(apparent - side * rounding, 0.0),
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            rates.append(np.log(above / below) / cells.r)
    known = (cells.r > 0.0) & (apparent > 0.0) & (corrected > 0.0)
    c, low, high = (np.where(known, rate, np.nan) for rate in rates)
    return c, low, high


def xrb_distribution(
    source: str = "catalogues", *, kernel: str = "disc", c: float | None = None, c_error: float | None = None
) -> XrbDistribution:
    """Radial distribution of X-ray binaries after Yue et al. 2025, section 2.

    Parameters
    ----------
    source : "catalogues" (both), "hmxb" or "lmxb" start from the objects; "table-1" starts from the printed
        apparent densities; "table-2" takes the printed corrected densities as they are
    kernel : "disc" or "gaussian", see :func:`~cyldiff.galaxy.surface_density.apparent_density`; objects only
    c : rate to correct with [kpc^-1]; default: that of the fit
    c_error : its error in Eq. 5 [kpc^-1]; default: that of the fit, 0.018 as printed for "table-2"

    Returns
    -------
    XrbDistribution     every step; ``print(result.report())`` shows the numbers

    Raises
    ------
    DataError
        if the source or the kernel is unknown.
    """
    if source not in SOURCES:
        raise DataError(
            f"no source {quoted(source)}; known: {', '.join(SOURCES)}{nearest(str(source), SOURCES)}"
        )
    position: dict[str, Array] = {}
    numbers: dict[str, int] = {}
    if source.startswith("table"):
        cells, table_1, table_2 = printed_densities()
        apparent, kernel = density_of_values(table_1, cells), "printed"
    else:
        for name in CATALOGUES if source == "catalogues" else (source,):
            binaries = load_binaries(name)
            position[name], numbers[name] = binaries.in_plane(R_SUN), binaries.in_catalogue
        cells = build_cells(observer_radius=R_SUN)
        apparent = apparent_density(np.concatenate(list(position.values())), cells, kernel=kernel)
    selection = fit_selection(cells, apparent)
    rate = selection.c if c is None else c
    if c_error is None:
        c_error = PRINTED_C_ERROR if source == "table-2" else selection.c_error
    corrected = corrected_density(cells, apparent, c=rate, c_error=c_error)
    if source == "table-2":
        relative = corrected.error / corrected.value
        corrected = Density(table_2, apparent.counts, table_2 * relative)
    rows = row_means(cells, corrected)
    return XrbDistribution(
        source=source,
        kernel=kernel,
        position=position,
        in_catalogue=numbers,
        cells=cells,
        apparent=apparent,
        selection=selection,
        c=rate,
        c_error=c_error,
        corrected=corrected,
        rows=rows,
        fits={
            "plain": fit_radial_law(rows.R, rows.plain, observer_radius=R_SUN),
            "means": fit_radial_law(rows.R, rows.weighted, observer_radius=R_SUN),
            "weighted": fit_radial_law(rows.R, rows.weighted, rows.weighted_error, observer_radius=R_SUN),
        },
    )


def _describe(fit: RadialFit) -> str:
    """A radial law in one line."""
    dA, da, dR = fit.errors
    end = f"rho(0) = {float(fit(0.0)):.1f} kpc^-2, chi2 = {fit.chi2:.1f} for {fit.points} circles"
    if fit.exponential:
        return (
            f"exponential of scale {fit.scale_length:.2f} kpc (a and R1 run away together), "
            f"A = {fit.A:.2f} kpc^-2, {end}"
        )
    return (
        f"a = {fit.a:.2f} +- {da:.2f}, R1 = {fit.R1:.2f} +- {dR:.2f} kpc, A = {fit.A:.2f} +- {dA:.2f} kpc^-2, "
        f"{end}"
    )


def _path(name: str) -> Path:
    return resources.folder("physics") / "catalogues" / "x-ray-binaries" / f"{name}.csv"

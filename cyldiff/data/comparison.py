"""A result against a measurement: pulls, chi-square and a table of them for the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.data.measurements import Measurement
from cyldiff.observables.ratios import ratio
from cyldiff.observables.spectra import spectrum

__all__ = ["Comparison", "compare", "format_comparisons", "predict"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The points of a measurement that a result can be held against, and how well it does.

    Attributes
    ----------
    measurement : Measurement
    potential : float                   modulation potential used; 0 for interstellar data [GV]
    x, y, model : ndarray, shape (n,)   abscissa, measured value and model at the same x
    sigma : ndarray, shape (n,)         stat and syst in quadrature, on the side that faces the model
    n_upper_limits, n_outside, n_cut : int      rows left out: limits, x the result does not cover, x
                                        outside the requested range (each row counted once, in this order)
    """

    measurement: Measurement
    potential: float
    x: Array
    y: Array
    model: Array
    sigma: Array
    n_upper_limits: int
    n_outside: int
    n_cut: int

    @property
    def n_points(self) -> int:
        """Number of points that count."""
        return int(self.x.size)

    @property
    def pull(self) -> Array:
        """Pull (data - model) / sigma, shape (n,)."""
        return (self.y - self.model) / self.sigma

    @property
    def chi2(self) -> float:
        """Sum of the squared pulls."""
        return float(np.sum(self.pull**2))

    @property
    def deviation(self) -> Array:
        """Relative deviation model / data - 1, shape (n,)."""
        return self.model / self.y - 1.0

    @property
    def used_range(self) -> tuple[float, float]:
        """First and last x that count, in the unit of the measurement; NaN if none does."""
        return (float(self.x[0]), float(self.x[-1])) if self.x.size else (float("nan"), float("nan"))


def predict(dataset: xr.Dataset, measurement: Measurement, *, potential: float) -> Array:
    """Model at the abscissae of a measurement, in its unit; NaN where the result does not reach.

    Interstellar data are compared without modulation, whatever the potential.
    """
    phi = 0.0 if measurement.interstellar else potential
    if measurement.denominator:
        return ratio(
            dataset,
            measurement.numerator,
            measurement.denominator,
            abscissa=measurement.abscissa,
            x=measurement.x,
            potential=phi,
        ).to_numpy()
    return spectrum(
        dataset, measurement.numerator, abscissa=measurement.abscissa, x=measurement.x, potential=phi
    ).to_numpy()


def compare(
    dataset: xr.Dataset,
    measurement: Measurement,
    *,
    potential: float,
    x_min: float = 0.0,
    x_max: float = np.inf,
) -> Comparison:
    """Hold a result against a measurement.

    Upper limits never count as points. Points that the result does not cover are left out and
    counted. Each point is weighed with the error on the side that faces the model.

    Parameters
    ----------
    dataset : xarray.Dataset        a result
    measurement : Measurement       data
    potential : float               modulation potential; interstellar data ignore it [GV]
    x_min, x_max : float            range of x to use, ends included, in the unit of the measurement

    Returns
    -------
    Comparison    the points that count, with the model and the error at each, and chi-square

    Raises
    ------
    DataError
        if the result does not hold the species of the measurement.
    """
    m = measurement
    model = predict(dataset, m, potential=potential)
    covered = np.isfinite(model)
    inside = (m.x >= x_min) & (m.x <= x_max)
    value = ~m.upper_limit
    use = value & covered & inside
    sigma = np.where(model >= m.y, m.sigma_plus, m.sigma_minus)
    return Comparison(
        measurement=m,
        potential=0.0 if m.interstellar else float(potential),
        x=m.x[use],
        y=m.y[use],
        model=model[use],
        sigma=sigma[use],
        n_upper_limits=int(np.sum(m.upper_limit)),
        n_outside=int(np.sum(value & ~covered)),
        n_cut=int(np.sum(value & covered & ~inside)),
    )


def format_comparisons(comparisons: Iterable[Comparison]) -> str:
    """Comparisons as a text table, one line each: points, chi-square, deviation, rows left out.

    Without the last, a line fits a terminal of 80 columns; that column is there if a row was left out.
    """
    rows: list[tuple[str, ...]] = [("data set", "points", "chi2", "chi2/n", "rms dev.", "left out")]
    rows += [_row(c) for c in comparisons]
    if not any(row[-1] for row in rows[1:]):
        rows = [(*row[:-1], "") for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        first = row[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
        lines.append("  ".join([first, *rest, row[-1]]).rstrip())
    return "\n".join(lines)


def _row(c: Comparison) -> tuple[str, ...]:
    names = {"outside the model": c.n_outside, "outside the range": c.n_cut, "limits": c.n_upper_limits}
    left_out = ", ".join(f"{n} {name}" for name, n in names.items() if n)
    if not c.n_points:
        return (c.measurement.name, "0", "-", "-", "-", left_out)
    rms = float(np.sqrt(np.mean(c.deviation**2)))
    return (
        c.measurement.name,
        str(c.n_points),
        f"{c.chi2:.2f}",
        f"{c.chi2 / c.n_points:.3f}",
        f"{100.0 * rms:.1f} %",
        left_out,
    )

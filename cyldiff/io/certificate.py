"""The certificate: what a result must prove of itself before it is written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.config.schema import RunConfig
from cyldiff.errors import ConvergenceError
from cyldiff.io.dataset import latest
from cyldiff.io.grid_error import relative_error

__all__ = ["BALANCE_LIMIT", "Certificate", "certify"]

#: largest imbalance of particles; a finite-volume solution converged to 1e-8 is far below it
BALANCE_LIMIT = 1e-6
#: energies over which the discretisation error is quoted [GeV/n]
ERROR_RANGE = (1.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Figures that certify a result.

    Attributes
    ----------
    residual : largest true relative residual of all nuclides
    balance : largest |sources - sinks - decays - escape| / sources
    minimum : smallest density relative to the largest at the same momentum, all nuclides
    grid_error_flux, grid_error_bc : largest estimated error between 1 GeV/n and 1 TeV/n at the Sun,
        of the fluxes that are at least a thousandth of the carbon flux (or the largest) and of B/C;
        NaN where not estimated
    """

    residual: float
    balance: float
    minimum: float
    grid_error_flux: float
    grid_error_bc: float

    def lines(self) -> list[str]:
        """Text for the summary of a run."""
        lowest = "none below zero" if self.minimum >= 0.0 else f"lowest {self.minimum:.1e} of the largest"
        text = [
            f"residual {self.residual:.1e}; particle balance {self.balance:.1e}; densities: {lowest}",
        ]
        if np.isfinite(self.grid_error_flux):
            bc = f", B/C {100 * self.grid_error_bc:.2g} %" if np.isfinite(self.grid_error_bc) else ""
            text.append(
                f"grid error at the Sun, 1 GeV/n to 1 TeV/n: fluxes {100 * self.grid_error_flux:.2g} %{bc}"
            )
        return text


def certify(dataset: xr.Dataset, config: RunConfig) -> None:
    """Compute the certificate, attach it as attributes, refuse a result that fails it.

    Raises
    ------
    ConvergenceError
        for a residual above the tolerance (iterative solves), a particle imbalance above 1e-6, or a
        number that is not finite. Negative densities were refused nuclide by nuclide.
    """
    certificate = Certificate(
        # on arrays: xarray passes over NaN
        residual=float(np.max(dataset["residual"].values)),
        balance=float(np.max(np.abs(dataset["balance"].values))),
        minimum=float(np.min(dataset["minimum"].values)),
        grid_error_flux=_flux_error(dataset),
        grid_error_bc=_ratio_error(dataset, "B", "C"),
    )
    failures = []
    # the steps of a run in time are solved to a part of their own tolerance
    tolerance = config.solver.time.tolerance if config.solver.time else config.solver.tolerance
    if not certificate.residual <= tolerance:
        failures.append(f"residual {certificate.residual:.1e} above {tolerance:.1e}")
    # a loose tolerance leaves a loose balance; never looser than the tolerance itself
    limit = max(BALANCE_LIMIT, tolerance)
    if not certificate.balance <= limit:
        failures.append(f"particle balance {certificate.balance:.1e} above {limit:.1e}")
    if not np.all(np.isfinite(dataset["flux_lis"])):
        failures.append("a flux at the Sun is not a finite number")
    if failures:
        raise ConvergenceError("the result failed its certificate: " + "; ".join(failures))
    dataset.attrs.update({f"certificate_{k}": getattr(certificate, k) for k in certificate.__slots__})


def read_certificate(dataset: xr.Dataset) -> Certificate:
    """The certificate a result carries."""
    return Certificate(**{k: float(dataset.attrs[f"certificate_{k}"]) for k in Certificate.__slots__})


def _quoted(dataset: xr.Dataset) -> NDArray[np.bool_]:
    energy = dataset["kinetic_energy"].values
    return np.asarray((energy >= ERROR_RANGE[0]) & (energy <= ERROR_RANGE[1]))


def _flux_error(dataset: xr.Dataset) -> float:
    """Largest error of the abundant species; traces of a percent of nothing are not quoted."""
    if "grid_error" not in dataset:
        return float("nan")
    here = _quoted(dataset)
    flux = latest(dataset)["flux_lis"].values[:, here]
    names = list(dataset["species"].values)
    reference = flux[names.index("C12")] if "C12" in names else flux.max(axis=0)
    abundant = flux > 1e-3 * reference
    return float(np.max(dataset["grid_error"].values[:, here][abundant], initial=0.0))


def _ratio_error(dataset: xr.Dataset, numerator: str, denominator: str) -> float:
    if "flux_lis_coarse" not in dataset:
        return float("nan")
    sums = []
    names = [str(n) for n in dataset["species"].values]
    for symbol in (numerator, denominator):
        rows = [i for i, n in enumerate(names) if n.rstrip("0123456789") == symbol]
        if not rows:
            return float("nan")
        last = latest(dataset)
        sums.append([last[v].values[rows].sum(axis=0) for v in ("flux_lis", "flux_lis_coarse")])
    here = _quoted(dataset)
    fine, coarse = (sums[0][i][here] / sums[1][i][here] for i in (0, 1))
    return float(np.max(relative_error(fine, coarse, dataset.attrs["grid_error_ratio"])))

"""How the electron parameters of ``runs/electrons.toml`` were found: a least-squares fit.

Run ``python docs/models/tune_electrons.py``; it takes about a minute and prints the parameters and
chi-square. Three components: electrons of supernova remnants, pairs of pulsars, and what
protons and helium make on the gas, which is not free. Fields, transport and the cut-off of pulsars
(which the data do not reach) are fixed choices.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from cyldiff import pipeline
from cyldiff.config.load import load_config
from cyldiff.data.comparison import compare
from cyldiff.data.measurements import load

Array = NDArray[np.float64]

#: data and the energy they are used from [GeV]; a force field of one potential does not describe both charges
#: at low energy, where the positrons are all secondary and nothing is free
DATA = {
    "ams02-electron-rigidity": 1.5,
    "ams02-positron-rigidity": 10.0,
    "calet-electron-positron-total-energy": 10.0,
}
#: name -> (start, low, high); fluxes of 30 GeV in 1e-3 GeV^-1 m^-2 s^-1 sr^-1
FREE = {
    "electron_low": (1.67, 0.5, 2.6),
    "electron_low_break": (6.9, 2.0, 20.0),
    "electron_index": (2.65, 2.2, 3.0),
    "electron_hard": (2.5, 2.0, 3.0),
    "electron_break": (60.0, 20.0, 300.0),
    "electron_cutoff": (10.0, 1.0, 100.0),
    "electron_flux": (6.0, 1.0, 20.0),
    "pulsar_index": (1.8, 1.0, 2.4),
    "pulsar_flux": (0.3, 0.01, 3.0),
}
POTENTIAL = 0.6  #: of the model [GV]
MODEL_ERROR = 0.02  #: added in quadrature, relative


def overrides(x: Array) -> list[str]:
    """The parameters as a user would set them."""
    v = dict(zip(FREE, x.tolist(), strict=True))
    found = []
    indices = {
        "electron": [v["electron_low"], v["electron_index"], v["electron_hard"]],
        "pulsar": [v["pulsar_index"]],
    }
    for name, values in indices.items():
        at = f"physics.sources.{name}s"
        found += [
            f"{at}.injection.default.indices={values}",
            f'{at}.normalisation.flux="{1e-3 * v[name + "_flux"]} GeV^-1 m^-2 s^-1 sr^-1"',
        ]
    found.append(f'physics.sources.electrons.injection.default.cutoff="{v["electron_cutoff"]} TV"')
    breaks = [f"{v['electron_low_break']} GV", f"{v['electron_break']} GV"]
    found.append(f"physics.sources.electrons.injection.default.breaks={breaks}")
    return found


def pulls(x: Array, settings: list[str]) -> Array:
    """(model - data) / sigma of all points, the model error included."""
    result = pipeline.run(load_config("electrons", [*settings, *overrides(x)]))
    parts = []
    for name, lowest in DATA.items():
        c = compare(result, load(name), potential=POTENTIAL, x_min=lowest)
        parts.append((c.model - c.y) / np.hypot(c.sigma, MODEL_ERROR * c.y))
    return np.concatenate(parts)


def main() -> None:
    """Fit on the coarse grid, then show the fit on the grid of the run."""
    coarse = [
        'grid.use="galaxy-2d-coarse"',
        "grid.momentum.per_decade=10",
        "solver.grid_error.enabled=false",
        "output.quantities=[]",
        "compare.data=[]",
    ]
    start, low, high = (np.array(column) for column in zip(*FREE.values(), strict=True))
    fit = least_squares(
        lambda x: pulls(x, coarse), start, bounds=(low, high), x_scale=start, diff_step=1e-3, ftol=1e-4
    )
    covariance = np.linalg.inv(fit.jac.T @ fit.jac)
    for name, value, error in zip(FREE, fit.x, np.sqrt(np.diag(covariance)), strict=True):
        sys.stdout.write(f"{name:16s} {value:.4g} +- {error:.2g}\n")
    sys.stdout.write(f"chi2 {2 * fit.cost:.1f} of {fit.fun.size} points, 2 % model error added\n")


if __name__ == "__main__":
    main()

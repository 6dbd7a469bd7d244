"""Section 4.1 and Fig. 3 of Yue et al. 2025: boron to carbon with diffusion that depends on the place.

D0 and delta0 are printed, the rigidity R0 that they belong to is not: D = D0 F beta^eta (R/R0)^(delta0 F), Eq. 8. It is
fitted to AMS-02 (runs/papers/yue-2025/boron-to-carbon.toml).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from cyldiff import pipeline
from cyldiff.config.load import LoadedConfig, load_config
from cyldiff.data.comparison import Comparison, compare
from cyldiff.data.measurements import load
from cyldiff.fit.load import load_fit
from cyldiff.fit.tune import tune
from cyldiff.fit.varied import with_values
from cyldiff.papers.items import Item, claim, close, open_item
from cyldiff.papers.study import Study
from cyldiff.papers.yue_2025.figures import boron_figure

__all__ = ["rerun_boron"]

RUN, DATA = "papers/yue-2025/boron-to-carbon", "ams02-b-c-rigidity"
#: rigidity above which the paper's agreement is asked for, and up to which AMS-02 has errors of 4 % [GV]
LOWEST, PRECISE = 10.0, 150.0
#: what counts as agreement
AGREEMENT = 0.10
COARSE = ("grid.momentum.per_decade=6", "grid.space.r.n=15", "grid.space.z.n=13")
#: path of R0
R0 = "physics.diffusion.reference_rigidity"


@dataclass(frozen=True)
class _Boron:
    """Boron to carbon with one R0 [GV]."""

    reference: float
    result: xr.Dataset
    comparison: Comparison

    @classmethod
    def of(cls, run: LoadedConfig) -> _Boron:
        physics = run.config.physics
        result = pipeline.run(run)
        found = compare(result, load(DATA), potential=physics.modulation.potential, x_min=LOWEST)
        return cls(float(physics.diffusion.reference_rigidity), result, found)


def rerun_boron(study: Study, reference: float) -> float:
    """Items and Fig. 3.

    Parameters
    ----------
    reference : R0 that the smoke mode takes instead of a fit [GV]

    Returns
    -------
    R0 [GV]
    """
    if study.smoke:
        start = load_config(RUN, COARSE)
        best, words = (
            start.changed([f'{R0}="{reference} GV"'], source=RUN),
            f"{reference:g} (not fitted here)",
        )
        quality = ""
    else:
        fit = load_fit(RUN)
        result = tune(fit)
        assert isinstance(fit.run, LoadedConfig)
        start, run = fit.run, with_values(fit.run, fit.parameters, list(result.values), RUN)
        assert isinstance(run, LoadedConfig)
        best, words = run, f"{result.values[0]:.2f} ± {result.errors[0]:.2f}"
        quality = f" Fit above 10 GV: chi-square {result.chi2:.1f}, {result.ndof} degrees of freedom."
    first, fitted = _Boron.of(start), _Boron.of(best)
    study.add(*_items(first, fitted, words, quality))
    study.figure(
        "fig3",
        "Fig. 3: boron to carbon against AMS-02; the model with the fitted R0, and with 4 GV",
        lambda: boron_figure([(b.reference, b.result) for b in (fitted, first)], load(DATA), potential=0.6),
    )
    return fitted.reference


def _items(first: _Boron, fitted: _Boron, words: str, quality: str) -> list[Item]:
    good, bad = fitted.comparison, first.comparison
    precise = good.x <= PRECISE
    worst = int(np.argmax(np.abs(good.deviation)))
    rms = float(np.sqrt(np.mean(good.deviation**2)))
    note = (
        f"D0 = 4.0e28 cm^2/s and delta0 = 0.58 as printed; N_m = 0.62, xi = 0.1, n = 4, z0 = 5 kpc, v_A "
        f"= 6 km/s, eta = 0.05 "
        f"of the same group. With R0 = {first.reference:g} GV the ratio is {-100 * bad.deviation.max():.0f} to "
        f"{-100 * bad.deviation.min():.0f} % low."
    )
    return [
        open_item(
            "R0 of D0 (Eq. 8) [GV]", "not printed", words,
            missing="R0 is not printed; fitted to B/C of AMS-02." + quality,
        ),
        close(
            f"B/C, model / AMS-02, largest deviation {LOWEST:g} to {PRECISE:g} GV (Fig. 3)", 1.0,
            1.0 + float(good.deviation[precise][np.argmax(np.abs(good.deviation[precise]))]),
            relative=AGREEMENT, note=note,
        ),
        claim(
            f"B/C, rms deviation from AMS-02 above {LOWEST:g} GV (Fig. 3)", "good consistency", f"{100 * rms:.1f} %",
            holds=rms <= AGREEMENT, tolerance="10 %",
            note=f"The largest deviation of a single point is {100 * good.deviation[worst]:.0f} % at "
                 f"{good.x[worst]:.0f} GV, "
                 f"{abs(good.pull[worst]):.1f} times its error: the printed delta0 is steeper than the "
                 f"data above 400 GV.",
        ),
    ]  # fmt: skip

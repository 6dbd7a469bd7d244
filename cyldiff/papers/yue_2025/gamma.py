"""Section 4.3 and Fig. 6 of Yue et al. 2025: diffuse gamma rays of remnants and X-ray binaries."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cyldiff.data.diffuse import diffuse_in
from cyldiff.observables.gamma import diffuse_sky
from cyldiff.observables.regions import REGIONS
from cyldiff.papers.items import Item, claim, factor
from cyldiff.papers.study import Study
from cyldiff.papers.yue_2025.figures import gamma_figure
from cyldiff.papers.yue_2025.protons import ProtonFit

__all__ = ["rerun_gamma"]

#: energies [GeV]: of the figure; where the components are compared; points per decade of both modes
RANGE, SUB_PEV, PER_DECADE = (1e3, 1e6), 1e5, (4, 2)
NAMES = {"lhaaso-outer": "outer", "lhaaso-inner": "inner"}
NOTE = (
    "Analytic gas of Ferriere 2001, factor 1.84 for nuclei (Mori 2009), absorption on the microwave "
    "background, no mask: LHAASO "
    "leaves out its sources, most of them at |b| < 1° where the gas is. Gas, factor and mask of the "
    "paper are not printed."
)


def rerun_gamma(study: Study, fit: ProtonFit) -> None:
    """Items and Fig. 6."""
    per_decade = PER_DECADE[study.smoke]
    energies = np.geomspace(*RANGE, int(per_decade * np.log10(RANGE[1] / RANGE[0])) + 1)
    sky = diffuse_sky(fit.protons, energies=energies)
    regions = {name: sky.region(REGIONS[name]) for name in NAMES}
    for name, spectrum in regions.items():
        study.add(*_items(NAMES[name], name, spectrum))
    study.figure(
        "fig6",
        "Fig. 6: diffuse gamma rays of the Galactic disk, outer region above, inner region below",
        lambda: gamma_figure(regions),
    )


def _items(word: str, name: str, spectrum: xr.Dataset) -> list[Item]:
    energy = np.log(spectrum["energy"].values)
    total = spectrum["intensity"].values
    binaries = spectrum["intensity_component"].sel(component="xrb").values
    share = float(np.interp(np.log(SUB_PEV), energy, binaries / total))
    (data,) = diffuse_in(name)
    use = (np.log(data.energy) >= energy[0]) & (np.log(data.energy) <= energy[-1])
    model = np.exp(np.interp(np.log(data.energy[use]), energy, np.log(total)))
    ratio = model / data.intensity[use]
    mean = float(np.exp(np.mean(np.log(ratio))))
    below = int((ratio < 1.0).sum())
    return [
        claim(
            f"X-ray binaries in the {word} region at 100 TeV (Fig. 6)", "dominant contributor", f"{100 * share:.1f} %",
            holds=share > 0.5, tolerance="more than half",
        ),
        factor(
            f"{word} region, model / LHAASO, geometric mean of the points (Fig. 6)", 1.0, mean, times=2.0, note=NOTE
        ),
        claim(
            f"{word} region, points of LHAASO above the model (Fig. 6)", "expected flux lower than the data",
            f"{below} of {len(ratio)}, model / LHAASO {ratio.min():.2f} to {ratio.max():.2f}",
            holds=2 * below > len(ratio), tolerance="most points", note=NOTE,
        ),
    ]  # fmt: skip

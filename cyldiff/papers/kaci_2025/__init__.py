"""Kaci et al. 2025: about ten powerful microquasars at any time as the sources of the knee, Figs. 1 to 4 and the scan.

Configurations: ``runs/papers/kaci-2025``; what the paper does not print stands there and in
``physics/models/kaci-2025.toml``.
"""

from __future__ import annotations

import numpy as np

from cyldiff.papers.kaci_2025 import protons, runs, sky
from cyldiff.papers.kaci_2025.detections import count_detections
from cyldiff.papers.kaci_2025.measured import points
from cyldiff.papers.kaci_2025.scan import RANGE, scan_protons
from cyldiff.papers.kaci_2025.scan_items import scan_items
from cyldiff.papers.study import Study

__all__ = ["rerun"]

#: cut-offs of the remnants in Figs. 2 and 4 [GeV]
_FIG2, _FIG4 = 2.6e5, 2.0e5
#: the cloud of Fig. 3
_CLOUD = "30 cm-3, 50 pc"
#: the other range that the remnants of the scan are fitted in: all of DAMPE [GeV]
_OTHER = 1.3e5


def rerun(study: Study) -> None:
    """Protons, scan, gamma rays; items and figures go to the study."""
    _protons(study)
    _gamma(study)


def _protons(study: Study) -> None:
    from cyldiff.papers.kaci_2025 import figures

    drawn = runs.size_of(study).rings
    total, sea, ring = runs.total(study), runs.sea(study), runs.ring(study)
    e = total["kinetic_energy"].values
    own = runs.remnant_flux(runs.remnants(study, _FIG2), e)
    summed = own + total["flux_quantiles"].values[2, 0, 0]
    study.add(
        *protons.active(total), *protons.injection(), *protons.ring_items(ring, drawn), *protons.sea_items(sea),
        *protons.knee(total, own), *protons.shape(e, summed), *protons.dominance(total, summed),
        *protons.check(runs.laws_at_knee(study)),
    )  # fmt: skip
    study.figure("fig1", "Fig. 1: protons of 3.5 PeV on a circle of 8.5 kpc over those measured at Earth",
                 lambda: figures.ring_figure(ring, drawn))  # fmt: skip
    study.figure("fig2", "Fig. 2: protons of the microquasars (68 % of the histories) with remnants cut off at "
                 "260 TeV; the sea above, all below", lambda: figures.spectra_figure(sea, total, own))  # fmt: skip
    data, band = points(low=RANGE[0], high=RANGE[1]), total["flux_quantiles"].values[1:4, 0, 0]
    found, other = scan_protons(data, e, band), scan_protons(data, e, band, fitted=_OTHER)
    study.add(*scan_items(found, other, _OTHER))
    study.figure("scan", "The scan: sets that pass, the printed ranges, and the best fits of the median history",
                 lambda: figures.scan_figure(found))  # fmt: skip


def _gamma(study: Study) -> None:
    from cyldiff.papers.kaci_2025 import figures_gamma as figures

    numbers = count_detections(study)
    study.add(*sky.cloud_mass(), *sky.detected(numbers))
    study.figure("fig3", "Fig. 3: microquasars detected by LHAASO at 100 TeV, without clouds and with those of "
                 f"{_CLOUD}",
                 lambda: figures.detections_figure(numbers, _CLOUD))  # fmt: skip
    gamma = runs.gamma_rays(study)
    own = runs.remnant_gamma(runs.remnants(study, _FIG4), np.asarray(gamma["gamma_energy"].values))
    study.add(*sky.diffuse(gamma, own))
    study.figure("fig4", "Fig. 4: diffuse gamma rays of the microquasars that are not detected, and of remnants cut "
                 "off at 200 TeV; inner Galaxy above, outer below. No curve of pulsars",
                 lambda: figures.diffuse_figure(gamma, own))  # fmt: skip

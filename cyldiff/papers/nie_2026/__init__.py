"""Nie et al. 2026: a nearby microquasar as the source of the knee.

background ─► B/C (Fig. 1), known microquasars (Figs. 2, 3)
    │
    └─► joint fits, free space and halo ─► protons, anisotropy, posterior (Figs. 4 to 7)
                                       └─► helium, all particles (Figs. 8, 9), candidates (Fig. 10), halo
"""

from __future__ import annotations

from cyldiff.papers.nie_2026.background import background, boron_to_carbon
from cyldiff.papers.nie_2026.binaries import candidates
from cyldiff.papers.nie_2026.escape import halo
from cyldiff.papers.nie_2026.joint import joint_fits
from cyldiff.papers.nie_2026.known import known_microquasars
from cyldiff.papers.nie_2026.nuclei import nuclei
from cyldiff.papers.study import Study

__all__ = ["rerun"]


def rerun(study: Study) -> None:
    """Tables 1 and 2 and Figs. 1 to 10, each with measured points, and what a halo does to them."""
    result = background(study)
    boron_to_carbon(study, result)
    known_microquasars(study, result)
    fits = joint_fits(study)
    nuclei(study, result, fits)
    candidates(study, fits)
    halo(study, fits)

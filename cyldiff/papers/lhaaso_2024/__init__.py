"""LHAASO Collaboration 2024 (arXiv:2410.08988): Table 1, the models of SS 433, and what the population does."""

from __future__ import annotations

from cyldiff.papers.lhaaso_2024 import estimates, objects, ss433
from cyldiff.papers.study import Study

__all__ = ["rerun"]


def rerun(study: Study) -> None:
    """All tables and figures; the smoke mode draws coarser curves, its numbers are the same."""
    objects.table(study)
    estimates.numbers(study)
    ss433.spectra(study)
    estimates.population(study)
    objects.morphology(study)

"""Aharonian & Zhang 2026 (arXiv:2602.08223): protons and helium as sums of components."""

from __future__ import annotations

from cyldiff.papers.aharonian_zhang_2026 import evaluation, tables
from cyldiff.papers.aharonian_zhang_2026.fits import run_all
from cyldiff.papers.study import Study

__all__ = ["rerun"]


def rerun(study: Study) -> None:
    """All tables and figures; the smoke mode has best fits for one model of interactions, without posteriors."""
    evaluation.curves(study)
    study.say("fits")
    fits = run_all(study)
    tables.compare(study, fits)
    evaluation.features(study, fits)
    evaluation.power(study, fits)
    from cyldiff.papers.aharonian_zhang_2026 import figures

    figures.all_of_them(study, fits)

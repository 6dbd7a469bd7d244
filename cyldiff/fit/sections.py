"""Sections of a tuning file beside those of a run, for ``cyldiff explain``."""

from __future__ import annotations

from cyldiff.config.base import Model
from cyldiff.fit.config import FitConfig
from cyldiff.fit.point_sources import SECTION, PointSources

__all__ = ["SECTIONS"]

SECTIONS: dict[str, type[Model]] = {"fit": FitConfig, SECTION: PointSources}

"""Fig. 3 under several criteria and clouds: number of sources that LHAASO detects in every realisation.

Neither the criterion nor the gas of the paper is printed (its references 34 and 21), so that the number is found
for some that are possible. All share the tables around the sources; only the rule changes.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.config.toml import to_toml
from cyldiff.constants import ERG_GEV
from cyldiff.observables.detection import Detection, extent_of
from cyldiff.observables.source_halo import Points, cloud_points
from cyldiff.papers.kaci_2025.runs import GAMMA, size_of
from cyldiff.papers.study import Study
from cyldiff.parallel.ensemble import Member, run_ensemble
from cyldiff.sources.population.draw import Realisation
from cyldiff.sources.population.gamma import GammaEvaluation
from cyldiff.sources.population.gamma import Member as Source
from cyldiff.sources.population.load import load_population, load_population_mapping
from cyldiff.sources.population.model import gamma_model

__all__ = ["CLOUDS", "CRITERIA", "count_detections"]

#: density [cm^-3] and radius [kpc] of the cloud around every source: none, and the corners of the printed ranges
CLOUDS = ((0.0, 0.0), (30.0, 0.02), (30.0, 0.05), (300.0, 0.02), (300.0, 0.05))
#: changes of the rule of gamma.toml; "point" counts the whole flux against the sensitivity to a point
CRITERIA: dict[str, dict[str, Any]] = {
    "sources that are on": {},
    "half the sensitivity flux": {"sensitivity": 0.5},
    "twice the sensitivity flux": {"sensitivity": 2.0},
    "seen to -30 deg": {"declination_min": -30.0},
    "the whole flux as of a point": {"point_spread": 10.0, "containment": 1e-6},
    "flux within the most significant radius": {"extent": "best"},
    "also sources that ended lately": {"candidates": "young"},
}
_BATCH = 4


def count_detections(study: Study) -> xr.Dataset:
    """Numbers of detected sources, dims (criterion, cloud, realisation)."""
    text = to_toml(load_population(GAMMA).resolved)
    n, members = size_of(study).gamma, {}
    for first in range(0, n, _BATCH):
        last = min(first + _BATCH, n)
        members[f"realisations {first} to {last - 1}"] = {"config": text, "first": first, "last": last}
    serial = study.processes == 1 or len(members) == 1
    ensemble = run_ensemble(members, _batch, executor="serial" if serial else "processes",
                            workers=study.processes).check()  # fmt: skip
    numbers = np.concatenate([np.asarray(v) for v in ensemble.values.values()], axis=-1)
    clouds = ["none", *(f"{d:g} cm-3, {1e3 * r:g} pc" for d, r in CLOUDS[1:])]
    return xr.Dataset(
        {"number_detected": (("criterion", "cloud", "realisation"), numbers)},
        coords={"criterion": list(CRITERIA), "cloud": clouds, "realisation": np.arange(n)},
    )


def _batch(member: Member) -> NDArray[np.int64]:
    """Numbers of some realisations, shape (criteria, clouds, n): the function that goes to the workers."""
    evaluation = _evaluation(member.argument["config"])
    rows = []
    for index in range(member.argument["first"], member.argument["last"]):
        realisation = evaluation.model.draw.realisation(index)
        sources = evaluation.members(realisation)
        points = [[_points(evaluation, source, cloud) for source in sources] for cloud in CLOUDS]
        rows.append([[_count(realisation, sources, own, rule) for own in points]
                     for rule in _rules(evaluation.gamma.detection)])  # fmt: skip
    return np.moveaxis(np.array(rows, dtype=np.int64), 0, -1)


@lru_cache(maxsize=1)
def _evaluation(text: str) -> GammaEvaluation:
    config = load_population_mapping(tomllib.loads(text), source="population").config
    assert config.gamma is not None
    return GammaEvaluation(gamma_model(config), config.gamma)


def _rules(rule: Detection) -> list[Detection]:
    """The rule of the file with each of the changes; "sensitivity" is a factor."""
    assert rule.sensitivity is not None
    rules = []
    for change in CRITERIA.values():
        new = dict(change)
        if "sensitivity" in new:
            new["sensitivity"] *= rule.sensitivity
        rules.append(rule.model_copy(update=new))
    return rules


def _points(evaluation: GammaEvaluation, source: Source, cloud: tuple[float, float]) -> Points:
    """Emission of the gas around a source and of its cloud."""
    if not cloud[0] > 0.0:
        return source.points
    sun = evaluation.model.config.model.observer
    return source.points.plus(cloud_points(source.table, *cloud, sun, evaluation.absorption))


def _count(realisation: Realisation, sources: list[Source], points: list[Points], rule: Detection) -> int:
    """How many sources of a realisation the rule detects."""
    number = 0
    for source, own in zip(sources, points, strict=True):
        if rule.candidates == "active" and not realisation.active[source.number]:
            continue
        found = extent_of(rule, own.angle, own.flux[:, -1],
                          diffusion_length=source.diffusion_length, distance=source.distance)  # fmt: skip
        threshold = rule.threshold(found.radius, source.longitude, source.latitude)
        number += int(found.flux * rule.energy**2 / ERG_GEV >= threshold)
    return number

"""The gamma rays of one realisation as numbers: regions, members, and what is left after the detected ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.sources.population.draw import Realisation
from cyldiff.sources.population.gamma import GammaEvaluation, Member, mean

__all__ = ["GammaSample", "gamma_of"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GammaSample:
    """One realisation.

    Attributes
    ----------
    regions : name -> ndarray
        ``sea``, ``active``, ``ended``, shape (n_regions, n_energy): whole regions, no discs, no clouds;
        ``diffuse_sea``, ``diffuse_unresolved``, ``diffuse_leaked``, (n_cases, n_regions, n_energy): without the
        discs around detected members, NaN where these leave nothing; ``solid_angle``, (n_cases, n_regions) [sr]
    members : name -> ndarray, shape (n_members, ...)
        ``number, longitude, latitude, distance, age, active``; by case ``flux, extent, threshold, detected``;
        ``mean``, (n_members, n_regions, n_energy), what it adds to the whole regions without clouds
    """

    regions: dict[str, Array]
    members: dict[str, Any]


def gamma_of(evaluation: GammaEvaluation, realisation: Realisation) -> GammaSample:
    """Gamma rays of a realisation [GeV^-1 cm^-2 s^-1 sr^-1]."""
    members = evaluation.members(realisation)
    sea = evaluation.sea(realisation)
    n, shape = len(members), (len(evaluation.grids), evaluation.energy.size)
    active = realisation.active[[m.number for m in members]] if n else np.zeros(0, dtype=bool)
    found = [evaluation.detected(realisation, members, c) for c in range(len(evaluation.cases))]
    # members that are detected in the same cases are one field
    pattern = np.array([sum(int(f["detected"][i]) << c for c, f in enumerate(found)) for i in range(n)], int)
    own = np.zeros((n, *shape))
    out: dict[str, Any] = {"sea": np.zeros(shape)}
    cases = (len(evaluation.cases), *shape)
    out |= {f"diffuse_{part}": np.zeros(cases) for part in ("sea", "unresolved", "leaked")}
    out["solid_angle"] = np.zeros(cases[:2])
    for g, grid in enumerate(evaluation.grids):
        whole, solid = evaluation._whole[g]
        out["sea"][g] = mean(whole, sea[g])
        groups: dict[int, Array] = {}
        for i, m in enumerate(members):
            field = evaluation.halo(m, grid)
            own[i, g] = mean(whole, field) + evaluation.near_mean(m.points, grid, (), solid)
            groups[int(pattern[i])] = groups.get(int(pattern[i]), 0.0) + field
        for c, each in enumerate(found):
            parts = _left(evaluation, members, pattern, groups, sea[g], g, c, each)
            for name, value in parts.items():
                out[name][c, g] = value
    out["active"], out["ended"] = own[active].sum(axis=0), own[~active].sum(axis=0)
    return GammaSample(out, _described(realisation, members, active, own, found))


def _left(
    evaluation: GammaEvaluation,
    members: list[Member],
    pattern: NDArray[np.int64],
    groups: dict[int, Array],
    sea: Array,
    region: int,
    case: int,
    found: dict[str, Array],
) -> dict[str, Any]:
    """What is left of a region outside the discs of a case."""
    grid, discs = evaluation.grids[region], evaluation.discs(members, found)
    weights, solid = grid.weights(discs) if discs else evaluation._whole[region]
    nothing = np.full(evaluation.energy.size, np.nan)
    if solid <= 1e-6 * grid.region.box_solid_angle:
        return {
            "diffuse_sea": nothing,
            "diffuse_unresolved": nothing,
            "diffuse_leaked": nothing,
            "solid_angle": 0.0,
        }
    sums = {False: np.zeros(nothing.size), True: np.zeros(nothing.size)}
    for key, field in groups.items():
        sums[bool(key >> case & 1)] += mean(weights, field)
    for m, key in zip(members, pattern, strict=True):
        points = m.of_case(case == 1)
        sums[bool(key >> case & 1)] += evaluation.near_mean(points, grid, discs, solid)
    return {
        "diffuse_sea": mean(weights, sea),
        "diffuse_unresolved": sums[False],
        "diffuse_leaked": sums[True],
        "solid_angle": solid,
    }


def _described(
    realisation: Realisation,
    members: list[Member],
    active: NDArray[np.bool_],
    own: Array,
    found: list[dict[str, Array]],
) -> dict[str, Any]:
    numbers = np.array([m.number for m in members], dtype=np.int64)
    rows: dict[str, Any] = {
        "number": numbers,
        **{
            k: np.array([getattr(m, k) for m in members], float)
            for k in ("longitude", "latitude", "distance")
        },
        "age": realisation.age[numbers],
        "active": active,
        "mean": own,
    }
    for name in ("flux", "extent", "threshold", "detected"):
        rows[name] = np.stack([f[name] for f in found], axis=1)
    return rows

"""Checks between sections of a config: what each part allows the others to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cyldiff.errors import CyldiffError, DataError, Problem, nearest
from cyldiff.particles.species import nuclides, select

__all__ = ["cross_checks"]


def cross_checks(parts: Mapping[str, Any]) -> list[Problem]:
    """All contradictions between the parts that are valid by themselves.

    `parts` maps dotted paths ("species", "physics.halo", …) to validated models.
    """
    problems: list[Problem] = []
    for check in (_species, _halo, _observer, _reacceleration, _half_space, _sources, _data):
        check(parts, problems)
    return problems


def _species(parts: Mapping[str, Any], problems: list[Problem]) -> None:
    species = parts.get("species")
    if species is None:
        return
    try:
        select(max_z=species.max_z, include=species.include)
    except DataError as error:
        key = "species.include" if species.include is not None else "species.max_z"
        problems.append(Problem(key, str(error)))


def _halo(parts: Mapping[str, Any], problems: list[Problem]) -> None:
    halo, gas = parts.get("physics.halo"), parts.get("physics.gas")
    if halo is None or gas is None:
        return
    try:
        thickness = gas.thickness
    except CyldiffError as error:
        problems.append(Problem("physics.gas", str(error)))
        return
    if halo.half_height <= thickness:
        problems.append(
            Problem(
                "physics.halo.half_height",
                f"{halo.half_height:g} kpc is thinner than the gas disc, half of which lies within "
                f"{thickness:.2g} kpc; expected more, e.g. \"4 kpc\"",
            )
        )


def _observer(parts: Mapping[str, Any], problems: list[Problem]) -> None:
    halo, sun = parts.get("physics.halo"), parts.get("physics.observer")
    if halo is None or sun is None:
        return
    if sun.r >= halo.radius:
        problems.append(
            Problem("physics.observer.r", f"{sun.r:g} kpc is outside the halo of radius {halo.radius:g} kpc")
        )
    if abs(sun.z) >= halo.half_height:
        problems.append(
            Problem("physics.observer.z", f"{sun.z:g} kpc is outside the halo of half-height {halo.half_height:g} kpc")
        )


def _reacceleration(parts: Mapping[str, Any], problems: list[Problem]) -> None:
    law, diffusion = parts.get("physics.reacceleration"), parts.get("physics.diffusion")
    if law is None or diffusion is None or not getattr(law, "alfven_speed", 0.0):
        return
    slope = np.asarray(diffusion.slope(np.array([8.5]), np.array([0.0])))
    if np.any(slope <= 0.0):
        problems.append(
            Problem(
                "physics.reacceleration.alfven_speed",
                f"reacceleration needs a diffusion index between 0 and 2 at low rigidity, found {slope.min():g}",
            )
        )


def _half_space(parts: Mapping[str, Any], problems: list[Problem]) -> None:
    grid = parts.get("grid")
    if grid is None or not grid.space.half_space:
        return
    sun = parts.get("physics.observer")
    reasons = []
    gas, diffusion = parts.get("physics.gas"), parts.get("physics.diffusion")
    if gas is not None and not gas.symmetric:
        reasons.append("the gas is not symmetric in z")
    if diffusion is not None and not getattr(diffusion, "symmetric", True):
        reasons.append("D is not symmetric in z")
    for name, component in (parts.get("physics.sources") or {}).items():
        if not getattr(component.distribution, "symmetric", True):
            reasons.append(f'the sources of "{name}" are not symmetric in z')
    if reasons and sun is not None:
        problems.append(Problem("grid.space.half_space", f"must be false: {'; '.join(reasons)}"))


def _sources(parts: Mapping[str, Any], problems: list[Problem]) -> None:
    sources, grid = parts.get("physics.sources"), parts.get("grid")
    known = nuclides()
    elements = {"".join(c for c in name if c.isalpha()) for name in known}
    for name, component in (sources or {}).items():
        path = f"physics.sources.{name}"
        for key in component.abundances:
            if key not in known:
                problems.append(Problem(f"{path}.abundances.{key}", f"unknown species{nearest(key, known)}"))
        for key in component.injection:
            if key != "default" and key not in known and key not in elements:
                hint = nearest(key, ["default", *known, *elements])
                problems.append(Problem(f"{path}.injection.{key}", f"unknown species or element{hint}"))
        _normalisation(path, component, grid, parts.get("species"), problems)


def _normalisation(path: str, component: Any, grid: Any, species: Any, problems: list[Problem]) -> None:
    law = component.normalisation
    wanted = getattr(law, "species", None)
    if wanted is None:
        return
    if wanted not in nuclides():
        problems.append(
            Problem(f"{path}.normalisation.species", f'"{wanted}" unknown{nearest(wanted, nuclides())}')
        )
    elif species is not None:
        try:
            followed = {s.name for s in select(max_z=species.max_z, include=species.include)}
        except DataError:
            return
        if wanted not in followed:
            problems.append(
                Problem(f"{path}.normalisation.species", f"{wanted} is not among the species of this run")
            )
    if grid is not None and not grid.momentum.min <= law.kinetic_energy <= grid.momentum.max:
        problems.append(
            Problem(
                f"{path}.normalisation.kinetic_energy",
                f"{law.kinetic_energy:g} GeV/n is outside the energy grid "
                f"({grid.momentum.min:g} to {grid.momentum.max:g} GeV/n)",
            )
        )


def _data(parts: Mapping[str, Any], problems: list[Problem]) -> None:
    compare = parts.get("compare")
    if compare is None:
        return
    from cyldiff.data.measurements import load

    for name in compare.data:
        try:
            load(name)
        except DataError as error:
            problems.append(Problem("compare.data", str(error)))

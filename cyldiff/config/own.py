"""Laws that the user has written as functions: tried over the whole box before anything else looks at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cyldiff.config.parts import Parts, followed_species
from cyldiff.config.toml import dotted
from cyldiff.errors import CyldiffError, Problem
from cyldiff.grid import Kinematics
from cyldiff.own_physics.law import OwnLaw, Where
from cyldiff.particles.species import Species, nuclides

__all__ = ["where_in", "where_of_run", "without_faulty_laws"]

#: energies at which laws are tried; another number than of the points in r and z, so that mixed-up axes show
_ENERGIES = 26


def without_faulty_laws(
    parts: Parts, where_of: Callable[[Parts], Where | None]
) -> tuple[Parts, list[Problem]]:
    """Try all own laws; what is left if those that failed, and what they are part of, are taken out.

    `where_of` says over which box and energies; None if that is not known.
    """
    laws = {path: value for path, value in parts.items() if isinstance(value, OwnLaw)}
    where = where_of(parts) if laws else None
    if where is None:
        return parts, []
    problems = []
    for path, law in laws.items():
        try:
            law.try_over(where)
        except CyldiffError as error:
            problems.append(Problem(dotted(path), str(error)))
            parts = Parts(
                {p: v for p, v in parts.items() if p[: len(path)] != path and path[: len(p)] != p},
            )
    return parts, problems


def where_of_run(parts: Parts) -> Where | None:
    """The box and the energies of a run; None if they are not known."""
    return where_in(parts, "physics", "grid.momentum", followed_species(parts))


def where_in(parts: Parts, model: str, range_: str, followed: Sequence[Species]) -> Where | None:
    """The box of the section `model` and the energies of `range_`; None if they are not known."""
    halo, sun, momentum = (parts.at(p) for p in (f"{model}.halo", f"{model}.observer.r", range_))
    if halo is None or momentum is None or sun is None or not momentum.max > momentum.min:
        return None
    energies = np.geomspace(momentum.min, momentum.max, _ENERGIES)
    known = list(nuclides().values())
    chosen = [known[0], known[-1], *[s for s in followed if s.is_lepton][:1]]
    several = [Kinematics(energies, s.Z, s.A, s.mass_per_nucleon) for s in chosen]
    return Where(
        radius=halo.radius,
        half_height=halo.half_height,
        observer_radius=sun,
        energies=energies,
        rigidity=np.concatenate([k.rigidity for k in several]),
        beta=np.concatenate([k.beta for k in several]),
        species=tuple(s.name for s in followed),
    )

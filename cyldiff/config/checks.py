"""Checks between the sections of a config: what each part allows the others to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cyldiff.config.feasibility import NUMERICAL_CHECKS
from cyldiff.config.own import where_of_run, without_faulty_laws
from cyldiff.config.parts import Parts, followed_species
from cyldiff.config.toml import dotted
from cyldiff.errors import CyldiffError, DataError, Problem, nearest, quoted
from cyldiff.particles.species import element, hint, known_species, select

__all__ = ["cross_checks"]


def cross_checks(parts: Parts) -> list[Problem]:
    """All contradictions between the parts that are valid by themselves."""
    parts, problems = without_faulty_laws(parts, where_of_run)
    return problems + [problem for check in (*_CHECKS, *NUMERICAL_CHECKS) for problem in check(parts)]


def _species(parts: Parts) -> Iterator[Problem]:
    """Names that exist, and something left to follow."""
    include = parts.at("species.include")
    unknown = [i for i, name in enumerate(include or ()) if name not in known_species()]
    for i in unknown:
        yield Problem(f"species.include[{i}]", f"{quoted(include[i])} is no nuclide{hint(include[i])}")
    if parts.at("species") is not None and not unknown:
        try:
            select(max_z=parts.at("species.max_z"), include=include)
        except DataError as error:
            yield Problem("species", str(error))


def _halo(parts: Parts) -> Iterator[Problem]:
    """The gas disc lies inside the halo."""
    half_height, gas = parts.at("physics.halo.half_height"), parts.at("physics.gas")
    if half_height is None or gas is None:
        return
    try:
        thickness = max([gas.thickness, *gas.edges])
    except CyldiffError as error:
        yield Problem("physics.gas", str(error))
        return
    if half_height <= thickness:
        yield Problem(
            "physics.halo.half_height",
            f'{half_height:g} kpc is thinner than the gas disc ({thickness:.2g} kpc); expected more, e.g. "4 kpc"',
        )


def _observer(parts: Parts) -> Iterator[Problem]:
    """The Sun is inside the halo."""
    for name, size, what in (("r", "radius", "radius"), ("z", "half_height", "half-height")):
        here, limit = parts.at(f"physics.observer.{name}"), parts.at(f"physics.halo.{size}")
        if here is not None and limit is not None and abs(here) >= limit:
            yield Problem(
                f"physics.observer.{name}",
                f"{here:g} kpc is outside the halo of {what} {limit:g} kpc; expected a place inside",
            )


def _half_space(parts: Parts) -> Iterator[Problem]:
    """A half-space is for what is symmetric about the plane."""
    if not parts.at("grid.space.half_space"):
        return
    reasons = []
    for path, what in (("physics.gas", "the gas"), ("physics.diffusion", "D")):
        part = parts.at(path)
        if part is not None and not getattr(part, "symmetric", True):
            reasons.append(f"{what} is not symmetric in z")
    for name in parts.under("physics.sources"):
        distribution = parts.at("physics.sources", name, "distribution")
        if distribution is not None and not getattr(distribution, "symmetric", True):
            reasons.append(f'the sources of "{name}" are not symmetric in z')
    if reasons:
        yield Problem("grid.space.half_space", f"found true; expected false, because {'; '.join(reasons)}")


def _sources(parts: Parts) -> Iterator[Problem]:
    """Names of species in the sources, and something to inject."""
    known = known_species()
    elements = dict.fromkeys(element(name) for name in known)
    for name in parts.under("physics.sources"):
        path = ("physics", "sources", name)
        abundances = parts.get((*path, "abundances")) or {}
        for species in abundances:
            if species not in known:
                yield Problem(dotted((*path, "abundances", species)), f"unknown species{hint(species)}")
        for species in parts.get((*path, "injection")) or {}:
            if species != "default" and species not in known and species not in elements:
                near = nearest(species, ["default", *elements, *known])
                yield Problem(dotted((*path, "injection", species)), f"unknown species or element{near}")
        followed = [s.name for s in followed_species(parts)]
        if abundances and followed and not any(abundances.get(s, 0.0) > 0.0 for s in followed):
            yield Problem(
                dotted((*path, "abundances")),
                f"none of the species of this run ({_few(followed)}) has a source",
            )
        yield from _normalisation(parts, path)


def _normalisation(parts: Parts, path: tuple[str, ...]) -> Iterator[Problem]:
    """What fixes the strength of a component is part of the run."""
    law = parts.get((*path, "normalisation"))
    key = dotted((*path, "normalisation"))
    species = getattr(law, "species", None)
    followed = [s.name for s in followed_species(parts)]
    if species is not None and species not in known_species():
        yield Problem(f"{key}.species", f"{quoted(species)} is no nuclide{hint(species)}")
    elif species is not None and followed and species not in followed:
        yield Problem(f"{key}.species", f"{species} is not among the species of this run ({_few(followed)})")
    momentum = parts.at("grid.momentum")
    if law is None or momentum is None:
        return
    low, high = momentum.min, momentum.max
    for name in ("kinetic_energy", "minimum_energy"):
        energy = getattr(law, name, None)
        inside = energy is None or (low <= energy <= high if name == "kinetic_energy" else energy < high)
        if not inside:
            yield Problem(
                f"{key}.{name}", f"{energy:g} GeV/n is outside the energy grid ({low:g} to {high:g} GeV/n)"
            )


def _leptons(parts: Parts) -> Iterator[Problem]:
    """Electrons and positrons have fields to lose energy in, and a source."""
    followed = {s.name: s for s in followed_species(parts)}
    wanted = [name for name, s in followed.items() if s.is_lepton]
    if not wanted:
        return
    examples = {"magnetic_field": '{ kind = "uniform", B0 = "5 uG" }', "radiation_field": '{ kind = "cmb" }'}
    for key, example in examples.items():
        # a section that is there but not valid is reported elsewhere
        if parts.get(("physics", key), "invalid") is None and parts.at("physics.energy_losses"):
            names = " and ".join(wanted)
            yield Problem(f"physics.{key}", f"is missing; {names} lose energy in it, e.g. {key} = {example}")
    production = parts.get(("physics", "secondary_leptons"), "invalid")
    components = parts.under("physics.sources")
    if production == "invalid" or any(
        parts.at("physics.sources", c, "abundances") is None for c in components
    ):
        return
    if production is not None:
        try:
            production.check()
        except DataError as error:
            yield Problem("physics.secondary_leptons", str(error))
        if not set(production.parents) & set(followed):
            yield Problem(
                "physics.secondary_leptons",
                f"leptons are made by {' and '.join(production.parents)}, not among the species of this run",
            )
        return
    injected = {
        name for c in components for name, x in parts.at("physics.sources", c, "abundances").items() if x
    }
    for name in (n for n in wanted if n not in injected):
        yield Problem(
            "species.include",
            f'{name} has no source; give it an abundance, or add physics.secondary_leptons = {{ kind = "aafrag" }}',
        )


def _data(parts: Parts) -> Iterator[Problem]:
    """Data sets exist, and the run follows what they measured."""
    from cyldiff.data.measurements import load

    followed = [s.name for s in followed_species(parts)]
    have = {*followed, *map(element, followed)}
    for i, name in enumerate(parts.at("compare.data") or ()):
        try:
            measured = load(name)
        except DataError as error:
            yield Problem(f"compare.data[{i}]", str(error))
            continue
        missing = [n for n in (*measured.numerator, *measured.denominator) if n not in have]
        if have and missing:
            yield Problem(
                f"compare.data[{i}]", f"{name} needs {', '.join(missing)}, not among the species of this run"
            )


def _histories(parts: Parts) -> Iterator[Problem]:
    """A strength in time needs a run in time."""
    if parts.at("solver.kind") != "steady":
        return
    for name in parts.under("physics.sources"):
        path = ("physics", "sources", name)
        history = parts.get((*path, "history"))
        if history is not None and history.kind != "constant":
            yield Problem(
                dotted((*path, "history")),
                f'"{history.kind}" has no meaning in a steady run; set solver.kind = "crank-nicolson"',
            )


def _few(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:3])}, … {names[-1]}"


Check = Callable[[Parts], Iterator[Problem]]
_CHECKS: tuple[Check, ...] = (_species, _halo, _observer, _half_space, _sources, _leptons, _histories, _data)

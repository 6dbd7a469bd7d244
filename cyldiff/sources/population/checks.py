"""What the parts of a population allow each other to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cyldiff.config.memory import shortage
from cyldiff.config.own import where_in, without_faulty_laws
from cyldiff.config.parts import Parts
from cyldiff.config.toml import dotted
from cyldiff.errors import CyldiffError, Problem, nearest, quoted
from cyldiff.galaxy.source_places import SourcePlaces
from cyldiff.own_physics.law import Where
from cyldiff.particles.species import hint, nuclides
from cyldiff.sources.catalogue_checks import same_population
from cyldiff.sources.population.gamma_schema import gamma_checks
from cyldiff.sources.population.model import PopulationModel, gamma_model
from cyldiff.sources.spectrum import diverges, logarithmic_refused

__all__ = ["NEGLECTED_AT_MOST", "checks", "neglected"]

#: part of the mean flux at the lowest energy that births before `history_length` may have
NEGLECTED_AT_MOST = 0.05
#: relative difference of D between two places that counts as uniform
_UNIFORM = 1e-6
#: bytes per birth of a realisation, measured with 6e5 and 3e6 of them
_PER_BIRTH = 200.0


def checks(parts: Parts) -> list[Problem]:
    """All contradictions between parts that are valid by themselves, and own laws that fail."""
    parts, problems = without_faulty_laws(parts, _where)
    return problems + [problem for check in _CHECKS for problem in check(parts)]


def _where(parts: Parts) -> Where | None:
    """The box and the energies of a population, at which own laws are tried."""
    known = nuclides()
    followed = [known[name] for name in parts.at("population.species") or {} if name in known]
    return where_in(parts, "model", "energies", followed)


def _emission(parts: Parts) -> Iterator[Problem]:
    """Lifetime, luminosity and energy belong to a history."""
    history = parts.at("population.history")
    given = {name: ("population", name) in parts for name in ("lifetime", "luminosity", "energy")}
    if history is None or not all(given.values()):  # something there is not valid by itself
        return
    lifetime, luminosity, energy = (parts.at(f"population.{name}") for name in given)
    if (luminosity is None) == (energy is None):
        found = "is missing" if luminosity is None else "and energy are both given"
        yield Problem("population.luminosity", f"{found}; expected a luminosity or an energy of the sources")
    if lifetime is None and (history == "constant" or luminosity is not None):
        needs = '"constant"' if history == "constant" else "a luminosity"
        example = '{ kind = "fixed", value = "100 kyr" }'
        yield Problem("population.lifetime", f"is missing; {needs} needs one, e.g. {example}")
    if lifetime is not None and history == "burst" and luminosity is None:
        yield Problem("population.lifetime", "has no meaning for bursts of a given energy; remove it")


def _spectrum(parts: Parts) -> Iterator[Problem]:
    """The energy of the spectrum is finite, and its species exist."""
    spectrum, spread = parts.at("population.spectrum"), parts.at("population.index_spread")
    if spectrum is not None and diverges(spectrum):
        yield Problem(
            "population.spectrum.cutoff",
            f"is missing, and the energy of dN/dR ~ R^-{spectrum.law.indices[-1]:g} without a cut-off is infinite; "
            'expected a rigidity, e.g. "5 PV", or an index above 2',
        )
    elif spectrum is not None and spread and spectrum.cutoff is None:
        yield Problem(
            "population.spectrum.cutoff",
            f"is missing: with index_spread = {spread:g} some sources have an index below 2 and infinite energy; "
            'expected a rigidity, e.g. "5 PV"',
        )
    if spectrum is not None and parts.at("population.normalisation") == "logarithmic":
        reason = logarithmic_refused(spectrum)
        if reason or spread:
            reason = reason or '"logarithmic" needs index = 2, which index_spread changes; expected "exact"'
            yield Problem("population.normalisation", reason)
    for name in parts.at("population.species") or ():
        if name not in nuclides():
            yield Problem(dotted(("population", "species", name)), f"unknown species{hint(name)}")
    species = parts.at("reference.species")
    mix = parts.at("population.species")
    if species is not None and mix is not None and species not in mix:
        known = ", ".join(mix)
        yield Problem(
            "reference.species", f"{quoted(species)} is not in the mix ({known}){nearest(species, mix)}"
        )


def _places(parts: Parts) -> Iterator[Problem]:
    """Sources can be drawn, and observers are inside the halo."""
    law, halo = parts.at("population.distribution"), parts.at("model.halo")
    observer, ring = parts.at("model.observer"), parts.at("observers.ring")
    if halo is None or observer is None:
        return
    for name, size, what in (("r", "radius", "radius"), ("z", "half_height", "half-height")):
        here, limit = getattr(observer, name), getattr(halo, size)
        if abs(here) >= limit:
            yield Problem(
                f"model.observer.{name}",
                f"{here:g} kpc is outside the halo of {what} {limit:g} kpc; expected a place inside",
            )
    if ring is not None and ring.radius >= halo.radius:
        yield Problem(
            "observers.ring.radius",
            f"{ring.radius:g} kpc is outside the halo of radius {halo.radius:g} kpc; expected a place inside",
        )
    if law is not None:
        try:
            SourcePlaces.of(law, observer_radius=observer.r, radius=halo.radius, half_height=halo.half_height)
        except CyldiffError as error:
            yield Problem("population.distribution", str(error))


def _twice(parts: Parts) -> Iterator[Problem]:
    """The population is not one of the smooth components of the model."""
    name = parts.at("population.name")
    components = parts.under("model.sources")
    same = [c for c in components if same_population(c, str(name))]
    if name is not None and same:
        others = ", ".join(c for c in components if c not in same) or "none"
        yield Problem(
            "population.name",
            f'{quoted(name)} is the component "{same[0]}" of the model already; one population must not be injected '
            f"twice: remove model.sources.{same[0]} or rename the population (other components: {others})",
        )


def _closed_form(parts: Parts) -> Iterator[Problem]:
    """D is the same everywhere and there is no wind, unless the kernel is asked for by name."""
    law, halo, kernel = parts.at("model.diffusion"), parts.at("model.halo"), parts.at("model.kernel")
    energies, wind = parts.at("energies"), parts.at("model.convection")
    if kernel != "auto" or halo is None:
        return
    if wind is not None and wind.kind != "none":
        yield Problem(
            "model.convection",
            f'the closed form has no wind, found "{wind.kind}"; expected convection = {{ kind = "none" }}, or '
            'kernel = "halo" to leave it out',
        )
    if law is None or energies is None:
        return
    rigidity = np.geomspace(energies.min, energies.max, 5)[:, None, None]
    r = np.linspace(0.0, halo.radius, 12)[None, :, None]
    z = halo.half_height * np.linspace(-1.0, 1.0, 13)[None, None, :]
    with np.errstate(all="ignore"):
        D = [
            np.broadcast_to(law.coefficient(rigidity, np.ones_like(rigidity), r, z, axis=axis), (5, 12, 13))
            for axis in ("r", "phi", "z")
        ]
    if not (np.ptp(D, axis=(0, 2, 3)) <= _UNIFORM * np.max(D, axis=(0, 2, 3))).all():
        yield Problem(
            "model.diffusion",
            f'"{law.kind}" depends on place or direction, for which there is no closed form; expected a uniform '
            'law, or kernel = "halo" to take D at the Sun everywhere',
        )


def _energies(parts: Parts) -> Iterator[Problem]:
    """The range is not empty, and what is asked for lies in it."""
    energies, at = parts.at("energies"), parts.at("output.brightest_at")
    if energies is None:
        return
    if not energies.max > energies.min:
        yield Problem(
            "energies.max",
            f"the range {energies.min:g} to {energies.max:g} GeV/n is empty; expected max above min",
        )
    elif at is not None and not energies.min <= at <= energies.max:
        yield Problem(
            "output.brightest_at",
            f"{at:g} GeV/n is outside the energies ({energies.min:g} to {energies.max:g} GeV/n)",
        )


def _memory(parts: Parts) -> Iterator[Problem]:
    """Fluxes of all realisations fit into memory: quantiles need them."""
    draw, energies, mix = parts.at("draw"), parts.at("energies"), parts.at("population.species")
    if draw is None or energies is None or mix is None or not energies.max > energies.min:
        return
    ring, output = parts.at("observers.ring"), parts.at("output")
    places = 1 + (ring.n if ring is not None else 0)
    points = len(mix) * max(2, 1 + round(energies.per_decade * np.log10(energies.max / energies.min)))
    gradient = 3 if output is not None and output.gradient else 0
    needed = 8.0 * draw.realisations * points * (2.5 * places + gradient)
    if reason := shortage(needed):
        found = f"{draw.realisations} realisations at {places} places and {points} energies"
        yield Problem("draw.realisations", f"{found} {reason}; expected fewer")


def _births(parts: Parts) -> Iterator[Problem]:
    """The sources of one realisation fit into memory."""
    rate, length = parts.at("population.rate"), parts.at("population.history_length")
    if rate is None or length is None:
        return
    if reason := shortage(_PER_BIRTH * rate * length):
        yield Problem(
            "population.rate",
            f"{rate * length:.2g} births in {length:g} Myr {reason}; expected a lower rate or a shorter history",
        )


def neglected(model: PopulationModel) -> float:
    """Part of the mean flux at the lowest energy that births before `history_length` have, 0 to 1.

    The largest of all species, at the Sun, from the mean over places and ages (no selection).
    """
    return float(np.max(1.0 - model.younger(model.config.population.history_length)[:, 0]))


def history_problem(model: PopulationModel) -> Problem | None:
    """The history reaches back far enough, or what is before it is added as a mean."""
    population, part = model.config.population, neglected(model)
    if part <= NEGLECTED_AT_MOST or population.older != "neglected":
        return None
    D = min(float(travel.diffusion[0]) for travel in model.travel.values())
    escape = model.config.model.halo.half_height**2 / D
    return Problem(
        "population.history_length",
        f"{population.history_length:g} Myr is too short: births before it have {100 * part:.0f} % of the mean flux at "
        f"{model.energies[0]:g} GeV/n, where H^2/D is {escape:.3g} Myr; expected several times that and the lifetimes "
        f'(at most {100 * NEGLECTED_AT_MOST:g} % neglected), higher energies, or older = "mean"',
    )


def history_check(config: Any) -> list[Problem]:
    """The check of the history, which needs a complete config."""
    models = [PopulationModel(config)] + ([gamma_model(config)] if config.gamma is not None else [])
    return [problem for problem in map(history_problem, models) if problem is not None][:1]


Check = Callable[[Parts], Iterator[Problem]]
_CHECKS: tuple[Check, ...] = (
    _emission,
    _spectrum,
    _places,
    _twice,
    _closed_form,
    _energies,
    _memory,
    _births,
    gamma_checks,
)

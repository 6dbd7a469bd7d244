"""Responses of the grid that are solved already: the model they are of, and whether sources can be read from them.

``cyldiff response`` solves for one nuclide and keeps the result; ``cyldiff sources --response FILE`` reads any
catalogue from it, so that the kernel "grid" is not solved again. What a response says is right for its own
propagation alone: every key that it depends on is compared with the model of the sources.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.config.schema import PhysicsConfig
from cyldiff.errors import ConfigError, DataError, Problem
from cyldiff.grid import energy_grid
from cyldiff.sources.catalogue import Catalogue
from cyldiff.sources.model import PropagationModel

if TYPE_CHECKING:
    from cyldiff.sources.response import SourceResponse

__all__ = ["checked", "differences", "energies_of", "model_of", "named", "problems_with", "read_responses"]

Array = NDArray[np.float64]

#: keys of a model that a response depends on; not its sources, modulation, spallation and what leptons need
PROPAGATION = ("halo", "observer", "diffusion", "reacceleration", "convection", "gas", "inelastic", "energy_losses",
               "secondary_protons")  # fmt: skip
#: what problems are of
OPTION = "--response"
#: differences that are named
_SHOWN = 4
#: energies that a response is read at, by default
_PER_DECADE = 16.0


def named(responses: Any) -> dict[str, SourceResponse]:
    """Name -> response, from a response, a file, or several of them.

    Raises
    ------
    DataError   if a file is no response
    """
    from cyldiff.sources.response import SourceResponse

    if isinstance(responses, Mapping):
        return dict(responses)
    if isinstance(responses, SourceResponse | str | Path):
        responses = [responses]
    return {
        f"response of {one.species}" if isinstance(one, SourceResponse) else str(one):
            one if isinstance(one, SourceResponse) else SourceResponse.load(Path(one))
        for one in responses
    }  # fmt: skip


def read_responses(paths: Sequence[Path], problems: list[Problem]) -> dict[str, SourceResponse]:
    """Read files; those that are none become problems."""
    found: dict[str, SourceResponse] = {}
    for path in paths:
        try:
            found |= named(path)
        except DataError as error:
            problems.append(Problem(OPTION, str(error)))
    return found


def model_of(responses: Mapping[str, SourceResponse]) -> PropagationModel:
    """The model of the first of them, as its file records it.

    Raises
    ------
    DataError   if it does not say, or not in a way this version understands
    """
    name, response = next(iter(responses.items()))
    text = str(response.attributes.get("config", ""))
    try:
        raw = tomllib.loads(text)
        physics = PhysicsConfig.model_validate(raw["physics"])
    except (KeyError, ValueError, TypeError):
        raise DataError(f"{name} does not say of which model it is; solve it again") from None
    files = tuple(Path(one) for one in responses if one.endswith(".nc"))
    return PropagationModel(physics, f"{raw.get('run', {}).get('name', 'the model')} of {name}", inputs=files)


def energies_of(responses: Mapping[str, SourceResponse]) -> Array:
    """Energies that all of them can be read at [GeV/n]: their own if motion in momentum is in one.

    Raises
    ------
    DataError   if there are none
    """
    every = list(responses.values())
    coupled = [one for one in every if one.coupled]
    if coupled:
        if any(not np.array_equal(one.kinetic_energy, coupled[0].kinetic_energy) for one in coupled):
            raise DataError("the responses are read at their own energies, and these are not the same")
        return coupled[0].kinetic_energy
    low = max(float(one.kinetic_energy[0]) for one in every)
    high = min(float(one.kinetic_energy[-1]) for one in every)
    if low > high * (1.0 + 1e-9):
        raise DataError(f"the responses have no energy in common: from {low:.4g} and up to {high:.4g} GeV/n")
    return np.array([low]) if high < low * (1.0 + 1e-6) else energy_grid(low, high, _PER_DECADE)


def differences(one: PhysicsConfig, other: PhysicsConfig) -> list[str]:
    """Keys of the propagation that are not the same, with both values."""
    flat = [
        _flat({key: physics.model_dump(mode="json")[key] for key in PROPAGATION}) for physics in (one, other)
    ]
    found = []
    for key in sorted({*flat[0], *flat[1]}):
        a, b = (side.get(key, "nothing") for side in flat)
        if not _same(a, b):
            found.append(f"{key} {a} instead of {b}")
    return found


def problems_with(
    responses: Mapping[str, SourceResponse],
    model: PropagationModel,
    catalogue: Catalogue | None,
    energy: Array | None,
) -> list[Problem]:
    """All that keeps sources of a catalogue from being read: model, species, ages, energies."""
    problems = []
    for name in responses:
        try:
            changed = differences(model_of({name: responses[name]}).physics, model.physics)
        except DataError as error:
            problems.append(Problem(OPTION, str(error)))
            continue
        if changed:
            more = f", and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
            said = "; ".join(changed[:_SHOWN])
            problems.append(
                Problem(OPTION, f"{name} is of another model than {model.name}: it has {said}{more}")
            )
    problems += _species(responses, catalogue)
    for name, response in responses.items():
        problems += [
            Problem(OPTION, f"{name}: {text}") for text in _unreadable(response, catalogue, model, energy)
        ]
    return problems


def checked(
    responses: Mapping[str, SourceResponse], model: PropagationModel, catalogue: Catalogue, energy: Array
) -> dict[str, SourceResponse]:
    """By species, if nothing is wrong.

    Raises
    ------
    ConfigError   with all that is
    """
    problems = problems_with(responses, model, catalogue, energy)
    if problems:
        raise ConfigError("response", problems)
    return {one.species: one for one in responses.values()}


def _species(responses: Mapping[str, SourceResponse], catalogue: Catalogue | None) -> list[Problem]:
    """Every nuclide of the catalogue has one response."""
    known = [one.species for one in responses.values()]
    problems = [
        Problem(OPTION, f"{known.count(species)} files are of {species}; expected one")
        for species in dict.fromkeys(known)
        if known.count(species) > 1
    ]
    if catalogue is not None:
        missing = [s.name for s in catalogue.species if s.name not in known]
        leptons = [s.name for s in catalogue.species if s.is_lepton]
        if leptons:
            problems.append(
                Problem(OPTION, f"a response is of nuclei, and sources release {', '.join(leptons)}")
            )
        elif missing:
            problems.append(
                Problem(OPTION, f"no file is of {', '.join(missing)}; one for each is made by: cyldiff response "
                                f"MODEL --species {missing[0]} -o FILE")
            )  # fmt: skip
    return problems


def _unreadable(
    response: SourceResponse, catalogue: Catalogue | None, model: PropagationModel, energy: Array | None
) -> list[str]:
    """Ages and energies that a response does not have."""
    if response.steady:
        return ["is of the steady state, and sources have ages; solve it with --ages"]
    said = []
    try:
        wanted = response.energies(energy)
    except DataError as error:
        return [str(error)]
    if catalogue is not None:
        try:
            response.check_ages(catalogue.segments(model.physics.observer), wanted)
        except DataError as error:
            said.append(str(error))
    return said


def _flat(value: Any, key: str = "") -> dict[str, Any]:
    """Nested values by dotted keys."""
    if isinstance(value, dict):
        items = [(f"{key}.{k}" if key else str(k), v) for k, v in value.items()]
    elif isinstance(value, list | tuple):
        items = [(f"{key}[{i}]", v) for i, v in enumerate(value)]
    else:
        return {key: value}
    return {k: v for name, inner in items for k, v in _flat(inner, name).items()}


def _same(a: Any, b: Any) -> bool:
    """Equal, numbers with or without a unit to nine digits."""
    (x, unit), (y, other) = _split(a), _split(b)
    if isinstance(x, float) and isinstance(y, float):
        return unit == other and bool(np.isclose(x, y, rtol=1e-9, atol=0.0))
    return bool(a == b)


def _split(value: Any) -> tuple[Any, str]:
    """A number, and its unit if it has one; anything else as it is."""
    if isinstance(value, bool):
        return value, ""
    number, _, unit = str(value).partition(" ")
    try:
        return float(number), unit
    except ValueError:
        return value, ""

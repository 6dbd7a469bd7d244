"""What makes the diffuse sky of a result: pion decay, inverse Compton radiation, bremsstrahlung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.errors import DataError, nearest, quoted
from cyldiff.observables.emission import EmissionField, fluxes, mass_numbers
from cyldiff.observables.emissivity import Emissivity, check_energies, supported
from cyldiff.observables.lepton_sky import LEPTON_PROCESSES, LeptonSky, lepton_range, leptons_of
from cyldiff.observables.surroundings import radiation_of
from cyldiff.particles.pion_production import PionProduction

__all__ = [
    "PROCESSES",
    "check_range",
    "chosen_processes",
    "energies_of",
    "factor_of",
    "handles_of",
    "known_process",
    "parts_of",
    "ranges_of",
]

Array = NDArray[np.float64]

#: all processes, in the order of their columns
PROCESSES = ("pion-decay", *LEPTON_PROCESSES)
#: energies per decade unless others are asked for
PER_DECADE = 8


def known_process(name: str) -> str:
    """The name, if it is one of PROCESSES.

    Raises
    ------
    DataError
        naming those and the nearest one.
    """
    if name not in PROCESSES:
        raise DataError(f"{quoted(name)} unknown; known: {', '.join(PROCESSES)}{nearest(name, PROCESSES)}")
    return name


def chosen_processes(
    dataset: xr.Dataset, model: PionProduction, secondary: str, only: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Processes that a result has the particles for, or those of them that are asked for.

    Raises
    ------
    DataError
        if one of `only` is unknown, or has no particles.
    """
    wanted = [known_process(name) for name in only or ()]
    leptons, nuclei = bool(leptons_of(dataset)), bool(model.projectiles(mass_numbers(dataset)))
    # without either, what follows says what is missing
    held = ["pion-decay"] if nuclei or not leptons else []
    held += LEPTON_PROCESSES if leptons and secondary == "gamma" else ()
    missing = [name for name in wanted if name not in held]
    if missing and secondary != "gamma":
        raise DataError(f"{', '.join(missing)} makes gamma rays, not {secondary}s")
    if missing:
        particles = "nuclei" if missing == ["pion-decay"] else "electrons or positrons"
        raise DataError(
            f"this result holds no {particles}, which {' and '.join(missing)} need; "
            f"there is {', '.join(held)} (particles of a run: species.include)"
        )
    return tuple(name for name in PROCESSES if name in held and (not wanted or name in wanted))


def ranges_of(
    dataset: xr.Dataset, model: PionProduction, processes: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Energies [GeV] from and to which each process is supported by the grid of the result."""
    t = dataset["kinetic_energy"].values.astype(float)
    found = {}
    for name in processes:
        if name == "pion-decay":
            found[name] = supported(t, model)
        else:
            radiation = radiation_of(dataset) if name == "inverse-compton" else None
            found[name] = lepton_range(name, t, radiation)
    return found


def energies_of(ranges: Mapping[str, tuple[float, float]]) -> Array:
    """Energies [GeV] that all processes support, PER_DECADE per decade.

    If there are none, one that :func:`check_range` refuses, with the ranges.
    """
    low, high = max(a for a, _ in ranges.values()), min(b for _, b in ranges.values())
    if not 0.0 < low < high:
        return np.array([max(low, 1e-9)])
    return np.geomspace(low, high, max(2, round(PER_DECADE * np.log10(high / low)) + 1))


def check_range(
    energy: Array, dataset: xr.Dataset, model: PionProduction, ranges: Mapping[str, tuple[float, float]]
) -> None:
    """Refuse energies that one of the processes does not support.

    Raises
    ------
    DataError
        naming them, and the ranges.
    """
    if tuple(ranges) == ("pion-decay",):
        check_energies(energy, dataset["kinetic_energy"].values.astype(float), model)
        return
    low, high = (f(pair[i] for pair in ranges.values()) for i, f in ((0, max), (1, min)))
    each = "; ".join(f"{name} {a:.4g} to {b:.4g} GeV" for name, (a, b) in ranges.items() if a < b)
    advice = "" if len(ranges) < 2 else " (fewer processes may allow more: --only)"
    if low >= high:
        if ranges.get("pion-decay", (0.0, 0.0))[0] >= high:
            advice = " (a model of pion decay that begins lower, --model kafexhiu-2014, or fewer processes, --only)"
        raise DataError(
            f"no energy is supported by all of {', '.join(ranges)}: {each or 'none at all'}{advice}"
        )
    bad = energy[(energy < low * (1.0 - 1e-6)) | (energy > high * (1.0 + 1e-6)) | ~np.isfinite(energy)]
    if bad.size:
        shown = ", ".join(f"{e:g}" for e in bad[:4]) + (", …" if bad.size > 4 else "")
        raise DataError(
            f"energies {shown} GeV are not supported by this result and the model of pion decay: {each}; "
            f"expected {low:.6g} to {high:.6g} GeV{advice}"
        )


def parts_of(
    dataset: xr.Dataset, energy: Array, processes: Sequence[str], table: Emissivity | None
) -> list[EmissionField]:
    """Fields of all processes, one for each source component that the result holds maps of.

    `table` is that of the nuclei, for pion decay; None without it.
    In a result without leptons they have the names of the components; in others those of the processes, followed by
    ``:component`` if there are several. A component that makes none of the particles is left out.
    """
    components = _components(dataset)
    only_nuclei = not leptons_of(dataset)
    fields = []
    if table is not None:
        for component in components or (None,):
            name = _name(dataset, component, only_nuclei)
            if only_nuclei or any(flux.any() for flux in fluxes(dataset, table, component).values()):
                fields.append(EmissionField.of_pions(dataset, table, component=component, name=name))
    others = [name for name in processes if name != "pion-decay"]
    if others:
        leptons = LeptonSky.of(dataset, energy, others)
        made = [
            leptons.fields(dataset, component, suffix=f":{component}" if component else "")
            for component in components or (None,)
        ]
        # all of one process next to each other
        fields += [field for name in others for each in made for field in each if field.name.startswith(name)]
    if not fields:
        raise DataError(f"nothing of this result radiates by {', '.join(processes)}")
    return fields


def handles_of(name: str) -> tuple[str, ...]:
    """What a component can be called by: its name, and its process and source if it has both."""
    process, _, source = name.partition(":")
    return (name, process, source) if process in PROCESSES and source else (name,)


def factor_of(name: str, weights: Mapping[str, float]) -> float:
    """Product of the weights that a component has."""
    return float(np.prod([weights[handle] for handle in handles_of(name) if handle in weights]))


def _name(dataset: xr.Dataset, component: str | None, only_nuclei: bool) -> str:
    if not only_nuclei:
        return "pion-decay" if component is None else f"pion-decay:{component}"
    if component is not None:
        return component
    # what all components radiate together
    return str(dataset["component"].values[0]) if dataset.sizes.get("component", 0) == 1 else "diffuse"


def _components(dataset: xr.Dataset) -> list[str]:
    """Source components whose maps the result holds, if there are several."""
    if "flux_component" not in dataset or dataset.sizes["component"] < 2:
        return []
    return [str(name) for name in dataset["component"].values]

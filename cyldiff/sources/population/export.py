"""A realisation as a catalogue of sources: a file that ``cyldiff sources`` reads."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cyldiff import constants as const
from cyldiff.config.toml import to_toml
from cyldiff.errors import DataError
from cyldiff.io.whole import write_whole
from cyldiff.sources.population.draw import Realisation
from cyldiff.sources.population.load import LoadedPopulation
from cyldiff.sources.population.model import shifted

__all__ = ["catalogue_of", "write_catalogue"]

_ERG_S = const.ERG_GEV * const.MYR_S


def catalogue_of(
    loaded: LoadedPopulation, realisation: Realisation, *, younger_than: float = np.inf
) -> dict[str, Any]:
    """Nested plain values of a catalogue, as in its TOML file; for ``load_catalogue_mapping``.

    Parameters
    ----------
    loaded : the population that was drawn from
    realisation : one of it
    younger_than : ages up to this only [Myr]
    """
    population = loaded.config.population
    written = loaded.resolved["population"]
    chosen = np.flatnonzero(realisation.age < younger_than)
    rows = [
        {
            "name": f"{population.name} {realisation.index}-{i}",
            "position": [f"{float(x)!r} kpc" for x in realisation.position[i]],
            "age": f"{float(realisation.age[i])!r} Myr",
            "history": _history(loaded, realisation, int(i)),
            **_own_spectrum(loaded, float(realisation.spectral_index[i])),
        }
        for i in chosen
    ]
    return {
        "schema": 1,
        "title": f"realisation {realisation.index} of the population {population.name}",
        "population": population.name,
        "catalogue": {"drawn_from": loaded.source, "seed": loaded.config.draw.seed},
        "defaults": {
            "efficiency": population.efficiency,
            "spectrum": _plain(written["spectrum"]),
            "minimum_energy": written["minimum_energy"],
            "normalisation": population.normalisation,
            "species": dict(population.species),
        },
        "source": rows,
    }


def write_catalogue(catalogue: Mapping[str, Any], path: Path) -> None:
    """Write a catalogue as TOML or ECSV, by the suffix of the file.

    Raises
    ------
    DataError
        for another suffix, no sources, or a file that cannot be written.
    """
    if path.suffix not in (".toml", ".ecsv"):
        raise DataError(f'{path}: found suffix "{path.suffix}"; expected .toml or .ecsv')
    if not catalogue["source"]:
        raise DataError(f"{path}: the realisation has no source; a catalogue needs at least one")
    if path.suffix == ".toml":
        write_whole(path, _toml(catalogue))
        return
    buffer = io.StringIO()
    _table(catalogue).write(buffer, format="ascii.ecsv")
    write_whole(path, buffer.getvalue())


def _history(loaded: LoadedPopulation, realisation: Realisation, i: int) -> dict[str, Any]:
    """History before the efficiency, which is a key of its own."""
    efficiency = loaded.config.population.efficiency
    if loaded.config.population.history == "burst":
        return {
            "kind": "burst",
            "energy": f"{float(realisation.energy[i]) / efficiency / const.ERG_GEV!r} erg",
        }
    return {
        "kind": "constant",
        "luminosity": f"{float(realisation.power[i]) / efficiency / _ERG_S!r} erg/s",
        "duration": f"{float(realisation.lifetime[i])!r} Myr",
    }


def _own_spectrum(loaded: LoadedPopulation, shift: float) -> dict[str, Any]:
    if shift == 0.0:
        return {}
    law: Any = shifted(loaded.config.population.spectrum, shift)
    return {"spectrum": _plain(law.model_dump(by_alias=True))}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _toml(catalogue: Mapping[str, Any]) -> str:
    head = to_toml({key: value for key, value in catalogue.items() if key != "source"})
    rows = ["[[source]]\n" + to_toml({k: v for k, v in row.items() if not isinstance(v, Mapping)}) + _inner(row)
            for row in catalogue["source"]]  # fmt: skip
    return head + "\n" + "\n".join(rows)


def _inner(row: Mapping[str, Any]) -> str:
    """Tables of a row, each on a line."""
    lines = []
    for key, value in row.items():
        if isinstance(value, Mapping):
            text = to_toml({"value": [value]}).strip()
            lines.append(f"{key} = {text.removeprefix('value = [').removesuffix(']')}\n")
    return "".join(lines)


def _table(catalogue: Mapping[str, Any]) -> Any:
    """An astropy table; the columns are paths of keys, their units those of the values."""
    from astropy.table import Table

    columns: dict[str, list[Any]] = {}
    for row in catalogue["source"]:
        flat = {"name": row["name"], **dict(zip("xyz", row["position"], strict=True)), "age": row["age"]}
        for key in ("history", "spectrum"):
            flat |= {f"{key}.{inner}": value for inner, value in row.get(key, {}).items()}
        for key, value in flat.items():
            columns.setdefault(key, []).append(value)
    table = Table()
    for key, values in columns.items():
        numbers, unit = _split(values)
        table[key] = numbers
        if unit:
            table[key].unit = unit
    table.meta = {key: value for key, value in catalogue.items() if key != "source"}
    return table


def _split(values: list[Any]) -> tuple[list[Any], str]:
    """Numbers and the unit that all texts of a column share; other columns as they are."""
    parts = [str(value).partition(" ") for value in values]
    units = {unit for _, _, unit in parts}
    try:
        numbers = [float(number) for number, _, _ in parts]
    except ValueError:
        return values, ""
    return (numbers, units.pop()) if len(units) == 1 else (values, "")

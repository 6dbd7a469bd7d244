"""What differs between two files: configuration, tables, versions, and how much that moved the spectra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff.config.load import load_mapping
from cyldiff.config.toml import dotted, leaves, shown
from cyldiff.errors import ConfigError
from cyldiff.io.dataset import latest
from cyldiff.io.description import config_of, kind_of, packages_of, tables_of

__all__ = ["Change", "config_changes", "difference_text", "relative_differences", "spectra_changes"]

Array = NDArray[np.float64]

#: headings of the report, and the first parts of the paths below each; the last takes the rest
_SECTIONS = (
    ("physics", ("physics", "species", "population", "model", "draw")),
    ("resolution and solver", ("grid", "solver")),
    ("names and output", ()),
)
#: lines per heading
_MOST = 60
#: species that are listed with the energy of their largest change
_SPECIES = 12


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different: its name and how it reads in both files ("" where it is not there)."""

    name: str
    old: str
    new: str


def config_changes(old: xr.Dataset, new: xr.Dataset) -> list[Change]:
    """Config keys whose values differ, with their units; equal values written differently do not count."""
    return _changes(_values(old), _values(new))


def _values(dataset: xr.Dataset) -> dict[str, str]:
    """Dotted path -> value as text, in the units of the schema where the config is one of a run."""
    raw = config_of(dataset)
    try:
        loaded = load_mapping(raw, source="config")
        plain: Mapping[str, Any] = loaded.config.model_dump(mode="json", by_alias=True)
    except ConfigError:
        plain = raw
    return {dotted(path): shown(value) for path, value in leaves(plain) if value is not None}


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    names = [*old, *(n for n in new if n not in old)]
    return [Change(n, old.get(n, ""), new.get(n, "")) for n in names if old.get(n) != new.get(n)]


def relative_differences(old: Array, new: Array) -> Array:
    """|new - old| over the larger of the two; 0 where both are 0, between 0 and 1 for positive numbers.

    Infinite where one is NaN and the other is not. Arrays of one shape and unit.
    """
    largest = np.maximum(np.abs(old), np.abs(new))
    relative = np.divide(np.abs(new - old), largest, out=np.zeros_like(largest), where=largest > 0.0)
    return np.where(np.isnan(old) == np.isnan(new), relative, np.inf)


@dataclass(frozen=True, slots=True)
class SpectrumChange:
    """Largest relative difference of one species, where it is [GeV/n], and new over old there."""

    species: str
    largest: float
    energy: float
    ratio: float


def spectra_changes(old: xr.Dataset, new: xr.Dataset, variable: str = "flux_lis") -> list[SpectrumChange]:
    """Largest differences of the spectra of the species in both files, the largest first.

    On different energies the new spectra are taken at the old ones (cubic in logarithms), where both are.
    """
    before, after = latest(old)[variable], latest(new)[variable]
    energy = before["kinetic_energy"].values
    common = [str(s) for s in before["species"].values if s in after["species"].values]
    own = after["kinetic_energy"].values
    both = (energy >= own[0]) & (energy <= own[-1])
    changes: list[SpectrumChange] = []
    for name in common if both.any() else ():
        a = before.sel(species=name).values.astype(float)
        b = _at(after.sel(species=name), energy)
        difference = np.where(both, relative_differences(a, b), -1.0)
        place = int(np.argmax(difference))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = float(b[place] / a[place])
        changes.append(SpectrumChange(name, float(difference[place]), float(energy[place]), ratio))
    return sorted(changes, key=lambda c: -c.largest)


def _at(spectrum: xr.DataArray, energy: Array) -> Array:
    from cyldiff.observables.interpolation import LogLogCurve

    own, values = spectrum["kinetic_energy"].values, spectrum.values.astype(float)
    if np.array_equal(own, energy):
        return values
    return LogLogCurve(own, values)(energy)


def difference_text(old: xr.Dataset, new: xr.Dataset, paths: tuple[Path, Path]) -> str:
    """The whole comparison as text."""
    lines = [
        f"{sign} {path}: {kind_of(dataset) or 'file of cyldiff'}"
        for sign, path, dataset in zip("-+", paths, (old, new), strict=True)
    ]
    changes = config_changes(old, new)
    for heading, chosen in _sections(changes):
        lines += ["", f"{heading}: {len(chosen)} changed", *_lines(chosen)]
    if not changes:
        lines += ["", "configuration: the same"]
    lines += _block("tables", _changes(_short(tables_of(old)), _short(tables_of(new))))
    lines += _block("versions", _changes(packages_of(old), packages_of(new)))
    return "\n".join([*lines, "", *_spectra(old, new)])


def _sections(changes: list[Change]) -> list[tuple[str, list[Change]]]:
    rest, found = changes, []
    for heading, roots in _SECTIONS:
        chosen = [c for c in rest if not roots or c.name.split(".")[0] in roots]
        rest = [c for c in rest if c not in chosen]
        if chosen:
            found.append((heading, chosen))
    return found


def _block(heading: str, changes: list[Change]) -> list[str]:
    return (
        ["", f"{heading}: {len(changes)} changed", *_lines(changes)] if changes else [f"{heading}: the same"]
    )


def _lines(changes: list[Change]) -> list[str]:
    width = max((len(c.name) for c in changes[:_MOST]), default=0)
    lines = [f"  {c.name:<{width}}  {c.old or '(none)'} -> {c.new or '(none)'}" for c in changes[:_MOST]]
    return [*lines, f"  and {len(changes) - _MOST} more"] if len(changes) > _MOST else lines


def _short(digests: Mapping[str, str]) -> dict[str, str]:
    return {name: f"sha256 {digest[:12]}" for name, digest in digests.items()}


def _spectra(old: xr.Dataset, new: xr.Dataset) -> list[str]:
    dims = {"species", "kinetic_energy"}
    spectra = [latest(d)["flux_lis"] if "flux_lis" in d else None for d in (old, new)]
    if any(s is None or set(s.dims) != dims for s in spectra):
        return ["spectra: not compared, one of the files has no spectra of a run at the Sun"]
    changes = spectra_changes(old, new)
    names = [{str(s) for s in d["species"].values} for d in (old, new)]
    lines = []
    for sign, only in (("only in -", names[0] - names[1]), ("only in +", names[1] - names[0])):
        lines += [f"species {sign}: {', '.join(sorted(only))}"] if only else []
    if not changes:
        return [*lines, "spectra: no species and energies in common"]
    lines.append(f"interstellar spectra at the Sun: largest relative difference {changes[0].largest:.3g}")
    if changes[0].largest > 0.0:
        if len(changes) > _SPECIES:
            lines.append(f"  the {_SPECIES} of {len(changes)} species that changed most:")
        lines += [
            f"  {c.species:<8} {c.largest:9.3g} at {c.energy:.4g} GeV/n   (new/old {c.ratio:.6g})"
            for c in changes[:_SPECIES]
        ]
    return lines

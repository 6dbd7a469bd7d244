"""What a file that cyldiff wrote says of itself: kind, config, versions, tables, certificate, contents.

Works for every NetCDF file of the package (results of runs, sources, populations, sky maps, chains, responses)
and, for what FITS headers hold, for sky maps in FITS.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from cyldiff.errors import DataError
from cyldiff.io.certificate import Certificate, read_certificate
from cyldiff.resources import no_file

__all__ = ["config_of", "describe_file", "kind_of", "packages_of", "read_any", "tables_of"]

#: kind of file: a variable, or an attribute, that only it has; the first that fits
_KINDS = (
    ("result of a run", "flux_lis", "certificate_residual"),
    ("fluxes of point sources", "flux_lis", "catalogue"),
    ("fluxes of a population", "flux_mean", "random_numbers"),
    ("sky map", "intensity", "nside"),
    ("chain of parameters", "log_posterior", "sampler"),
    ("response of the Sun to sources", "values", "made_from"),
    ("scan over parameters", "message", "config"),
)
#: longer attributes are not shown
_LONGEST = 300
_FACTS = (
    ("title", "title"),
    ("purpose", "purpose"),
    ("written", "history"),
    ("config", "config_source"),
    ("catalogue", "catalogue_source"),
    ("catalogue sha256", "catalogue_sha256"),
    ("version", "cyldiff_version"),
    ("commit", "cyldiff_commit"),
    ("python", "python"),
    ("seeds", "seeds"),
    ("wall seconds", "wall_seconds"),
    ("peak memory MB", "peak_memory_MB"),
    ("sampler", "sampler"),
    ("made from", "made_from"),
)


def read_any(path: Path) -> xr.Dataset:
    """Read a NetCDF file of cyldiff completely into memory.

    Raises
    ------
    DataError
        if it is missing, no NetCDF file, or was not written by cyldiff.
    """
    path = Path(path)
    if reason := no_file(path):
        raise DataError(f"{path}: {reason}")
    try:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            loaded = dataset.load()
    except (OSError, ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{path}: not a readable NetCDF file ({reason})") from None
    if kind_of(loaded) == "" and "cyldiff_version" not in loaded.attrs:
        raise DataError(f"{path}: was not written by cyldiff (no cyldiff_version)")
    return loaded


def kind_of(dataset: xr.Dataset) -> str:
    """What kind of file this is; empty if it cannot be told."""
    for kind, variable, attribute in _KINDS:
        if variable in dataset.variables and attribute in dataset.attrs:
            return kind
    return ""


def config_of(dataset: xr.Dataset) -> dict[str, Any]:
    """The configuration that a file carries, as nested plain values; empty if it has none."""
    try:
        return tomllib.loads(str(dataset.attrs.get("config", "")))
    except tomllib.TOMLDecodeError:
        return {}


def tables_of(dataset: xr.Dataset) -> dict[str, str]:
    """Names and SHA-256 checksums of the tables that were read; empty if they were not noted."""
    return _json(dataset, "tables")


def packages_of(dataset: xr.Dataset) -> dict[str, str]:
    """Versions of cyldiff, Python and the packages that a file was made with."""
    versions = {"cyldiff": "cyldiff_version", "commit": "cyldiff_commit", "python": "python"}
    found = {name: str(dataset.attrs[key]) for name, key in versions.items() if dataset.attrs.get(key)}
    return {**found, **_json(dataset, "packages")}


def _json(dataset: xr.Dataset, key: str) -> dict[str, str]:
    try:
        found = json.loads(str(dataset.attrs.get(key, "{}")))
    except json.JSONDecodeError:
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, Mapping) else {}


def describe_file(path: Path) -> str:
    """All a file says of itself, as text.

    Raises
    ------
    DataError
        if it cannot be read.
    """
    if path.name.lower().endswith((".fits", ".fits.gz")):
        return _describe_fits(path)
    dataset = read_any(path)
    lines = [f"{path}: {kind_of(dataset) or 'file of cyldiff'}", ""]
    facts = [(label, dataset.attrs.get(key)) for label, key in _FACTS] + _others(dataset)
    facts = [(label, value) for label, value in facts if _shown(value) not in ("None", "", "[]")]
    width = max((len(label) for label, _ in facts), default=0)
    lines += [f"  {label:<{width}}  {_shown(value)}" for label, value in facts]
    packages = {k: v for k, v in packages_of(dataset).items() if k not in ("cyldiff", "commit", "python")}
    if packages:
        lines.append(f"  {'packages':<{width}}  " + ", ".join(f"{k} {v}" for k, v in packages.items()))
    lines += _certificate(dataset)
    tables = tables_of(dataset)
    if tables:
        lines += ["", f"tables read: {len(tables)}, name and SHA-256"]
        lines += [f"  {name}\n      {digest}" for name, digest in tables.items()]
    lines += ["", "contents: " + ", ".join(f"{n} {name}" for name, n in dataset.sizes.items())]
    lines += _variables(dataset)
    return "\n".join(lines)


def _others(dataset: xr.Dataset) -> list[tuple[str, Any]]:
    """Attributes that only some writers use: kernels, models of emission, settings of a sampler."""
    known = {key for _, key in _FACTS} | {"Conventions", "config", "tables", "packages", "catalogue"}
    rest = {
        str(k): v
        for k, v in dataset.attrs.items()
        if k not in known and not str(k).startswith("certificate_")
    }
    return [(k.replace("_", " "), v) for k, v in rest.items() if len(str(v)) <= _LONGEST]


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _certificate(dataset: xr.Dataset) -> list[str]:
    present = [k for k in Certificate.__slots__ if f"certificate_{k}" in dataset.attrs]
    if len(present) < len(Certificate.__slots__):
        return []
    return ["", "certificate", *(f"  {line}" for line in read_certificate(dataset).lines())]


def _variables(dataset: xr.Dataset) -> list[str]:
    """Two lines each: name and dimensions; what it is, and its unit."""
    lines = []
    for name, variable in dataset.variables.items():
        dimensions = ", ".join(map(str, variable.dims))
        meaning, unit = (str(variable.attrs.get(key, "")) for key in ("long_name", "units"))
        lines.append(f"  {name} ({dimensions})" if dimensions else f"  {name}")
        lines += [f"      {meaning} [{unit}]" if unit else f"      {meaning}"] if meaning or unit else []
    return lines


def _describe_fits(path: Path) -> str:
    from astropy.io import fits

    if reason := no_file(path):
        raise DataError(f"{path}: {reason}")
    try:
        with fits.open(path) as hdus:
            creator = str(hdus[0].header.get("CREATOR", ""))
            lines = [f"{path}: FITS file" + (f" of {creator}" if creator else ""), ""]
            for hdu in hdus:
                if hdu.is_image:
                    what = " x ".join(map(str, hdu.shape)) or "header"
                else:
                    what = f"{len(hdu.data)} rows, {len(hdu.columns)} columns"
                unit = hdu.header.get("BUNIT", "")
                lines.append(f"  {hdu.name or 'PRIMARY':<12} {what} {unit}".rstrip())
            lines += ["", *(f"  {line}" for line in map(str, hdus[0].header.get("HISTORY", [])))]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: not a readable FITS file ({error})") from None
    if creator.split(" ")[0] != "cyldiff":
        raise DataError(f"{path}: was not written by cyldiff (CREATOR is {creator or 'missing'})")
    return "\n".join(lines).rstrip()

"""What a result says about where it is from: config, versions, tables, solver, time and memory."""

from __future__ import annotations

import json
import platform
import resource
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import xarray as xr

from cyldiff import resources
from cyldiff.config.load import LoadedConfig

__all__ = ["software", "stamp", "version"]

_PACKAGES = ("numpy", "scipy", "numba", "xarray", "netCDF4", "pydantic")


def version() -> str:
    """Version of the installed package."""
    try:
        return metadata.version("cyldiff")
    except metadata.PackageNotFoundError:
        return "unknown"


def stamp(dataset: xr.Dataset, loaded: LoadedConfig, *, seconds: float) -> xr.Dataset:
    """Attach the provenance of a run as global attributes."""
    dataset.attrs.update(
        {
            "title": f"cyldiff run {loaded.config.run.name}",
            "purpose": loaded.config.run.purpose,
            **software(seconds=seconds),
            "config": loaded.toml(),
            "config_source": loaded.source,
        }
    )
    return dataset


def software(*, seconds: float) -> dict[str, Any]:
    """Attributes of everything cyldiff writes: version, commit, tables read, packages, time and memory."""
    return {
        "Conventions": "CF-1.11",
        "history": f"{datetime.now(UTC).isoformat(timespec='seconds')} cyldiff {version()}",
        "cyldiff_version": version(),
        "cyldiff_commit": _commit(),
        "tables": json.dumps(resources.tables_read()),
        "python": platform.python_version(),
        "packages": json.dumps({name: metadata.version(name) for name in _PACKAGES}),
        "seeds": "[]",
        "wall_seconds": seconds,
        "peak_memory_MB": _peak_memory(),
    }


def _peak_memory() -> float:
    """Largest memory of this process so far [MB]; the system counts in kB, that of Apple in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024.0**2 if sys.platform == "darwin" else 1024.0
    )


def _commit() -> str:
    """Commit of a checkout, with a mark if it has changes; empty for an installed wheel."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=root, capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()

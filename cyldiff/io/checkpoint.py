"""Checkpoint of a chain: a folder with one file per finished nuclide, for a restart on any number of ranks.

A file is written once, when its nuclide is done, and appears complete or not at all. It carries the
fingerprint of everything that determines the densities, so that it is used for the same problem only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from cyldiff import resources
from cyldiff.config.schema import RunConfig
from cyldiff.errors import DataError
from cyldiff.grid import Grid
from cyldiff.io.provenance import version
from cyldiff.parallel.comm import Comm
from cyldiff.parallel.partition import Partition
from cyldiff.solve.base import SolveReport

__all__ = ["Checkpoint", "fingerprint"]


def fingerprint(config: RunConfig) -> str:
    """Hash of all that determines the densities: grid, physics and its tables, species, numerics, version.

    Neither the solver's back end nor the number of ranks counts: another one may continue.
    """
    solver = config.solver.model_dump(mode="json", include={"kind", "tolerance", "momentum_scheme"})
    parts = [version(), config.model_dump(mode="json", include={"grid", "physics", "species"}), solver]
    tables = {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for root, path in _tables()
    }
    text = json.dumps([*parts, tables], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _tables() -> list[tuple[Path, Path]]:
    root = resources.folder("physics")
    return [(root, path) for path in sorted(root.rglob("*.csv")) if "measurements" not in path.parts]


class Checkpoint:
    """Finished nuclides of one run on one grid.

    Parameters
    ----------
    folder : made if it does not exist
    mark : fingerprint of the run
    grid : of all ranks
    comm : the ranks; rank 0 writes, every rank reads its own r cells

    Raises
    ------
    DataError
        on all ranks: if the folder belongs to another run, or cannot be written.
    """

    def __init__(self, folder: Path, mark: str, *, grid: Grid, comm: Comm) -> None:
        self.folder, self.mark, self.comm = folder, mark, comm
        self.low, self.high = Partition(grid.r.n, comm.size).range(comm.rank)
        self.dims = ("component", *grid.dims)
        answer = comm.broadcast(self._examine() if comm.rank == 0 else None)
        if isinstance(answer, str):
            raise DataError(answer)
        self.finished: set[str] = answer

    def _examine(self) -> set[str] | str:
        """Names of the nuclides in the folder, or what is wrong with it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / ".probe"
            probe.touch()
            probe.unlink()
        except OSError as error:
            return f"solver.checkpoint: {self.folder} cannot be used ({error.strerror})"
        finished = set()
        for path in sorted(self.folder.glob("*.nc")):
            try:
                with netCDF4.Dataset(path) as data:
                    same = data.getncattr("fingerprint") == self.mark
            except (OSError, AttributeError) as error:
                return f"{path}: not a checkpoint of cyldiff ({error}); remove it"
            if not same:
                return (
                    f"{self.folder} holds the checkpoint of another run (other grid, physics, species, "
                    "tolerance, tables or version); remove it or set another solver.checkpoint"
                )
            finished.add(path.stem)
        return finished

    def restore(self, name: str) -> dict[str, Any] | None:
        """What :meth:`keep` was given for a nuclide, the density cut to this rank's cells; or None."""
        if name not in self.finished:
            return None
        with netCDF4.Dataset(self._path(name)) as data:
            density = np.asarray(data["density"][:, :, self.low : self.high], dtype=float)
            entering = np.asarray(data["entering"][:], dtype=float)
            about = json.loads(data.getncattr("about"))
        return {
            "density": density,
            "entering": dict(zip(about["entering"], entering, strict=True)),
            "state": about["state"],
            "reports": tuple(_report(report) for report in about["reports"]),
            "flow": about["flow"],
        }

    def keep(self, name: str, kept: dict[str, Any]) -> None:
        """Write a finished nuclide; all ranks together."""
        whole = self.comm.gather(kept["density"], axis=2)
        problem = None
        if whole is not None:
            try:
                self._write(name, whole, kept)
            except (OSError, RuntimeError) as error:
                problem = f"solver.checkpoint: {self._path(name)} cannot be written ({error})"
        problem = self.comm.broadcast(problem)
        if problem:
            raise DataError(problem)

    def _write(self, name: str, density: Any, kept: dict[str, Any]) -> None:
        path = self._path(name)
        part = path.with_suffix(".part")
        about = {
            "entering": list(kept["entering"]),
            "state": kept["state"],
            "reports": [asdict(report) if report else None for report in kept["reports"]],
            "flow": kept["flow"],
        }
        try:
            with netCDF4.Dataset(part, "w") as data:
                for dim, size in zip(self.dims, density.shape, strict=True):
                    data.createDimension(dim, size)
                data.createDimension("entered", len(kept["entering"]))
                data.createVariable("density", "f8", self.dims)[:] = density
                entering = data.createVariable("entering", "f8", ("entered", "p"))
                if kept["entering"]:
                    entering[:] = np.stack(list(kept["entering"].values()))
                data.setncatts({"fingerprint": self.mark, "about": json.dumps(about), "species": name})
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the files of this run and the folder, if nothing else is in it."""
        if self.comm.rank > 0:
            return
        for path in self.folder.glob("*.nc"):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.nc"


def _report(kept: dict[str, Any] | None) -> SolveReport | None:
    return None if kept is None else SolveReport(**{**kept, "history": tuple(kept["history"])})

"""What the members of the test ensembles do; a module of its own, so that workers can import it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import xarray as xr

import cyldiff
from cyldiff.errors import DataError
from cyldiff.validation import model

REMNANTS = {
    **model.PHYSICS["sources"]["remnants"],
    "distribution": {"kind": "case-bhattacharya-1996", "scale_height": "0.2 kpc"},
    "abundances": {"C12": 1.0, "O16": 1.3},
}
PHYSICS = {**model.PHYSICS, "sources": {"remnants": REMNANTS}}

#: five by five cells, five energies per decade, four nuclides
TINY = {
    "schema": 1,
    "run": {"name": "tiny"},
    "grid": {
        "space": {
            "geometry": "cylindrical", "half_space": True, "r": {"n": 5},
            "z": {"n": 5, "spacing": "sinh", "stretch": 4.0},
        },
        "momentum": {"min": "100 MeV", "max": "1 TeV", "per_decade": 5},
    },
    "physics": PHYSICS,
    "species": {"include": ["B10", "B11", "C12", "O16"]},
    "solver": {"grid_error": {"enabled": False}},
}  # fmt: skip


def boron_over_carbon(member):
    """B/C at 10 and 100 GV of the tiny run with the overrides of the member."""
    from cyldiff.config.load import load_mapping  # the other functions do without it, and start faster

    return bc_of_result(cyldiff.run(load_mapping(TINY, member.argument))).values


def bc_of_result(result):
    """The same of a result."""
    return cyldiff.ratio(result, "B", "C", x=[10.0, 100.0])


def many_kinds(member):
    """Values of all types that a record holds."""
    x = np.linspace(0.1, 0.3, 3)
    return {
        "number": 0.1 + 0.2, "nan": np.nan, "count": np.int64(7), "flag": True, "text": "β", "none": None,
        "pair": (1, [2.5, "a"]), "array": x.reshape(3, 1), "integers": np.arange(3, dtype=np.int32),
    }  # fmt: skip


def dataset_of(member):
    """An xarray result."""
    return xr.Dataset({"y": ("x", np.sin(np.arange(4.0)) * member.argument)}, coords={"x": np.arange(4)})


def draw(member):
    """Random numbers of the member."""
    return member.generator().random(3)


def place(member):
    """Where it runs and with how many threads."""
    import numba

    threads = {"omp": os.environ.get("OMP_NUM_THREADS"), "numba": numba.get_num_threads()}
    return {"process": os.getpid(), **threads}


def twice(member):
    """Twice the argument; odd ones take longer, so that members do not end in their order."""
    time.sleep(0.15 * (member.argument % 2))
    return 2 * member.argument


def fragile(member):
    """Fails, crashes or returns, as the argument says."""
    match member.argument:
        case "raise":
            raise ZeroDivisionError("one over nothing")
        case "input":
            raise DataError("no such table")
        case "exit":
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "unpicklable":
            return lambda: None
    return member.argument


def counted(member):
    """Leaves a line for every call; crashes while the file ``broken`` is there."""
    folder = Path(member.argument["log"])
    with (folder / f"{member.name}.calls").open("a") as file:
        file.write("called\n")
    if member.argument.get("fails") and (folder / "broken").exists():
        raise RuntimeError("broken for now")
    time.sleep(member.argument.get("sleep", 0.0))
    return member.argument["value"]

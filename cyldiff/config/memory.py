"""How much memory a run needs, and how much there is."""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["available_memory", "needed_memory", "shortage"]

#: bytes of numpy, numba and the tables, once the solver is loaded
_BASE = 3e8
#: bytes per cell of the operator and the work arrays of the solver, all processes on
_WORK = 400.0
#: bytes per cell of a sparse factorisation, divided by the cells at one momentum
_FACTOR = 50.0
#: bytes per spatial cell of the quadrature of gas and sources
_QUADRATURE = 5000.0


def needed_memory(
    shape: tuple[int, ...],
    *,
    species: int,
    components: int = 1,
    times: int = 1,
    flux: bool = True,
    parts: bool = False,
    direct: bool = False,
) -> float:
    """Estimate of the peak memory of a run [bytes], on the high side.

    Parameters
    ----------
    shape : numbers of energies and of cells along each axis of space
    species, components : nuclides and source components
    times : solutions that are kept: output times, and the steady state of a run in time
    flux : the intensity everywhere is kept for the result
    parts : that of every component by itself too
    direct : sparse factorisation instead of the iteration

    Source: peaks of runs between 2e4 and 6e5 cells with 1 to 87 nuclides, fitted by hand.
    """
    plane = float(math.prod(shape[1:]))
    cells = shape[0] * plane
    # the parts are float32, and there is one more copy of them while they are stacked
    maps = (12.0 if flux else 0.0) + (8.0 * components if flux and parts else 0.0)
    per_species = times * (8.0 * components + maps) + (8.0 if components > 1 else 0.0)
    work = _FACTOR * plane if direct else _WORK
    return _BASE + _QUADRATURE * plane + cells * (per_species * species + work)


def available_memory() -> float | None:
    """Memory that can still be used by this process [bytes]; None if the system does not say.

    The least of what the machine, the control group of a container or batch job, and the limit of
    the shell leave.
    """
    limits = [x for x in (_machine(), _control_group(), _process_limit()) if x is not None]
    return min(limits, default=None)


def shortage(needed: float) -> str:
    """What to say if so many bytes are not there; empty if they are, or if the system does not say."""
    available = available_memory()
    if available is None or needed <= available:
        return ""
    return f"need about {needed / 1e9:.2g} GB of memory, {available / 1e9:.2g} GB are free"


def _machine() -> float | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * float(line.split()[1])
    except (OSError, ValueError):
        pass
    try:  # not Linux: all there is
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return None


def _control_group() -> float | None:
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            return max(0.0, float(Path(limit).read_text()) - float(Path(used).read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return None


def _process_limit() -> float | None:
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    except (ImportError, OSError, ValueError):
        return None
    return float(limit) if limit != resource.RLIM_INFINITY and limit > 0 else None

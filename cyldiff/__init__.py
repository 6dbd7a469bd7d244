"""cyldiff: transport of cosmic rays in the Galaxy.

>>> import cyldiff
>>> result = cyldiff.run(cyldiff.load_config("quickstart"))
>>> bc = cyldiff.ratio(result, "B", "C", abscissa="rigidity", potential=0.6)

What is listed here is the public interface; it is imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyldiff.config.load import load_config
    from cyldiff.data.comparison import compare
    from cyldiff.data.measurements import load as load_measurement
    from cyldiff.io.netcdf import read_result, write_result
    from cyldiff.observables.ratios import ratio
    from cyldiff.observables.spectra import spectrum
    from cyldiff.parallel.ensemble import run_ensemble
    from cyldiff.parallel.scan import scan
    from cyldiff.pipeline import run
    from cyldiff.sources.response import SourceResponse, source_response

__all__ = [
    "SourceResponse",
    "compare",
    "load_config",
    "load_measurement",
    "ratio",
    "read_result",
    "run",
    "run_ensemble",
    "scan",
    "source_response",
    "spectrum",
    "write_result",
]

_HOME = {
    "SourceResponse": ("cyldiff.sources.response", "SourceResponse"),
    "compare": ("cyldiff.data.comparison", "compare"),
    "load_config": ("cyldiff.config.load", "load_config"),
    "load_measurement": ("cyldiff.data.measurements", "load"),
    "ratio": ("cyldiff.observables.ratios", "ratio"),
    "read_result": ("cyldiff.io.netcdf", "read_result"),
    "run": ("cyldiff.pipeline", "run"),
    "run_ensemble": ("cyldiff.parallel.ensemble", "run_ensemble"),
    "scan": ("cyldiff.parallel.scan", "scan"),
    "source_response": ("cyldiff.sources.response", "source_response"),
    "spectrum": ("cyldiff.observables.spectra", "spectrum"),
    "write_result": ("cyldiff.io.netcdf", "write_result"),
}


def __getattr__(name: str) -> Any:
    try:
        module, attribute = _HOME[name]
    except KeyError:
        raise AttributeError(f"module 'cyldiff' has no attribute {name!r}") from None
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__

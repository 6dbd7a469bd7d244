"""Measured data and how a result compares with them."""

from cyldiff.data.comparison import Comparison, compare, format_comparisons, predict
from cyldiff.data.diffuse import DiffuseMeasurement, available_diffuse, load_diffuse
from cyldiff.data.dipoles import DipoleMeasurement, available_dipoles, default_dipoles, load_dipole
from cyldiff.data.measurements import Measurement, available, load

__all__ = [
    "Comparison",
    "DiffuseMeasurement",
    "DipoleMeasurement",
    "Measurement",
    "available",
    "available_diffuse",
    "available_dipoles",
    "compare",
    "default_dipoles",
    "format_comparisons",
    "load",
    "load_diffuse",
    "load_dipole",
    "predict",
]

"""Measured data and how a result compares with them."""

from cyldiff.data.comparison import Comparison, compare, format_comparisons, predict
from cyldiff.data.measurements import Measurement, available, load

__all__ = ["Comparison", "Measurement", "available", "compare", "format_comparisons", "load", "predict"]

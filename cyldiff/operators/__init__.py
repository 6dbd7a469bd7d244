"""The discrete transport operator."""

from cyldiff.operators.operator import TransportOperator

__all__ = ["TransportOperator"]

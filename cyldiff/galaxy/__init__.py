"""The interstellar medium and where the sources are."""

from cyldiff.galaxy.galaxy import Galaxy
from cyldiff.galaxy.gas import GasModel
from cyldiff.galaxy.source_distribution import SourceDistribution

__all__ = ["Galaxy", "GasModel", "SourceDistribution"]

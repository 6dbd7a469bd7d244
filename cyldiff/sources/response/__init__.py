"""What the Sun can see: its response to sources anywhere, from one adjoint solve."""

from cyldiff.sources.response.response import SourceResponse
from cyldiff.sources.response.solve import grid_density, source_response

__all__ = ["SourceResponse", "grid_density", "source_response"]

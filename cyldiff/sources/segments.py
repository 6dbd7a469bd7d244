"""What every evaluation of point sources takes: pieces of their histories as plain arrays.

A burst is a piece of no length, a constant source is one piece, a piecewise luminosity is several. Catalogue
entries and members of random populations all become pieces; Green's functions, the adjoint response and the
sums over populations know nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Segments"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Segments:
    """Pieces of source histories, one row each.

    Attributes
    ----------
    position : shape (n, 3), Cartesian [kpc], frame of :mod:`cyldiff.galaxy.coordinates`
    oldest, youngest : shape (n,), how long ago the piece began and ended [Myr]; equal for a burst,
        youngest = 0 while it lasts
    energy : shape (n,), what the piece gave to cosmic rays, evenly in time [GeV]
    source : shape (n,), which source a piece belongs to
    spectrum : shape (n,), which of a list of spectra it has
    """

    position: Array
    oldest: Array
    youngest: Array
    energy: Array
    source: NDArray[np.int64]
    spectrum: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.energy)

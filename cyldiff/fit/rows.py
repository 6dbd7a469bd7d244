"""Rows of a data set that count in a fit: known once the start is solved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows"]


class Rows:
    """What terms have in common: ``use``, the rows that count; None before they are known."""

    use: NDArray[np.bool_] | None

    @property
    def name(self) -> str:
        """Of the term."""
        raise NotImplementedError

    @property
    def n_points(self) -> int:
        """Rows that count."""
        return int(self._use.sum())

    @property
    def _use(self) -> NDArray[np.bool_]:
        if self.use is None:
            raise ValueError(f"{self.name}: which points count is not known before the start is solved")
        return self.use

"""Solar modulation: the force field, as formulas and as the kinds a config can name.

The force field (Gleeson & Axford 1968, ApJ 154, 1011) keeps the intensity over the square of
the momentum while a particle loses the energy per nucleon Phi = (abs(Z)/A) phi::

    J_TOA(T) / p(T)^2 = J_LIS(T + Phi) / p(T + Phi)^2 ,     p^2 ~ T (T + 2 m)

with the kinetic energy per nucleon T, the mass per nucleon m and the modulation potential phi.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator

from cyldiff.config.base import Model, Quantity
from cyldiff.errors import DataError
from cyldiff.observables.interpolation import LogLogCurve
from cyldiff.registry import register

__all__ = ["ForceField", "NoModulation", "demodulate", "force_field"]

Array = NDArray[np.float64]

#: a hundred times what the heliosphere ever had (0.2 to 1.5 GV, Ghelfi et al. 2017, Adv. Space Res. 60, 833) [GV]
LARGEST_POTENTIAL = 100.0


def force_field(
    kinetic_energy: ArrayLike,
    flux: ArrayLike,
    *,
    charge: int,
    mass_number: int,
    mass_per_nucleon: float,
    potential: float,
    at: ArrayLike | None = None,
) -> Array:
    """Intensity at the top of the atmosphere from the interstellar one (Gleeson & Axford 1968).

    Parameters
    ----------
    kinetic_energy : array_like, shape (n,)   T of the grid, per nucleon (leptons: per particle) [GeV/n]
    flux : array_like, shape (n,)             interstellar intensity J(T) [m^-2 s^-1 sr^-1 (GeV/n)^-1]
    charge, mass_number : int                 Z and A; A = 0 stands for a lepton
    mass_per_nucleon : float                  m (leptons: the mass) [GeV]
    potential : float                         modulation potential phi, not negative [GV]
    at : array_like, optional                 T where the result is wanted; default the grid itself [GeV/n]

    Returns
    -------
    ndarray, shape of `at`                    modulated intensity, in the unit of `flux`. NaN where T lies
        outside the grid, or T + Phi above the upper face of its last cell.

    Raises
    ------
    DataError
        if the potential is negative or not a number, or the grid is not one.
    """
    return _transform(kinetic_energy, flux, charge, mass_number, mass_per_nucleon, potential, at, +1)


def demodulate(
    kinetic_energy: ArrayLike,
    flux: ArrayLike,
    *,
    charge: int,
    mass_number: int,
    mass_per_nucleon: float,
    potential: float,
    at: ArrayLike | None = None,
) -> Array:
    """Interstellar intensity from the one at the top of the atmosphere: the inverse of :func:`force_field`.

    Arguments, units and errors as there. NaN below T_min + Phi: particles that arrive with the
    lowest energy of the grid had Phi more outside.
    """
    return _transform(kinetic_energy, flux, charge, mass_number, mass_per_nucleon, potential, at, -1)


def _transform(
    kinetic_energy: ArrayLike,
    flux: ArrayLike,
    charge: int,
    mass_number: int,
    mass: float,
    potential: float,
    at: ArrayLike | None,
    sign: int,
) -> Array:
    if not (np.isfinite(potential) and 0.0 <= potential <= LARGEST_POTENTIAL):
        expected = f"a number of at least 0 GV and at most {LARGEST_POTENTIAL:g} GV"
        raise DataError(f"modulation potential {potential:g} GV; expected {expected}")
    curve = LogLogCurve(kinetic_energy, flux)
    here = curve.x if at is None else np.asarray(at, dtype=float)
    there = here + sign * potential * abs(charge) / max(mass_number, 1)
    on_grid = (here >= curve.x[0]) & (here <= curve.x[-1]) & (there >= curve.x[0])
    result = np.full(here.shape, np.nan)
    t, shifted = here[on_grid], there[on_grid]
    result[on_grid] = curve.continued(shifted) * t * (t + 2.0 * mass) / (shifted * (shifted + 2.0 * mass))
    return result


def _plain(experiment: str) -> str:
    """Name of an experiment without case, blanks and hyphens: ``AMS-02`` is ``ams02``."""
    return "".join(c for c in experiment.casefold() if c.isalnum())


@register("modulation", "force-field")
class ForceField(Model):
    """Force field with one potential, or one for each experiment that flew at another time."""

    kind: Literal["force-field"] = "force-field"
    potential: Quantity("rigidity") = Field(  # type: ignore[valid-type]
        ge=0.0, description="modulation potential phi of the force field"
    )
    by_experiment: dict[str, Quantity("rigidity")] = Field(  # type: ignore[valid-type]
        default={}, description="potential of single experiments, by their name in the data"
    )

    @field_validator("by_experiment")
    @classmethod
    def _not_negative(cls, value: dict[str, float]) -> dict[str, float]:
        for experiment, potential in value.items():
            if potential < 0.0:
                raise ValueError(f"potential of {experiment} is negative ({potential:g} GV)")
        return value

    def potential_for(self, experiment: str) -> float:
        """Potential [GV] that holds for the data of `experiment`."""
        known = {_plain(name): value for name, value in self.by_experiment.items()}
        return float(known.get(_plain(experiment), self.potential))


@register("modulation", "none")
class NoModulation(Model):
    """No modulation: the observer stands in interstellar space."""

    kind: Literal["none"] = "none"

    @property
    def potential(self) -> float:
        """Zero [GV]."""
        return 0.0

    def potential_for(self, experiment: str) -> float:
        """Zero [GV], whatever the experiment."""
        return 0.0

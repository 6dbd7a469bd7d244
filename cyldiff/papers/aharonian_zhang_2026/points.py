"""Measured spectra per total energy, and curves to lay through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cyldiff.data import load
from cyldiff.fit.components import SpectrumConfig, intensity_of
from cyldiff.observables.abscissa import Nuclide, abscissa_named
from cyldiff.papers.aharonian_zhang_2026.printed import INTERACTIONS
from cyldiff.particles.species import nuclides

__all__ = ["COMPARED", "HELIUM", "PROTONS", "Points", "curve", "envelope", "points", "pulls", "ratio"]

Array = NDArray[np.float64]

#: of the energy that intensities are multiplied with
POWER = 2.75
TOTAL = abscissa_named("total_energy")
PROTONS = (
    "ams02-h-rigidity", "calet-h-kinetic-energy", "dampe-h-kinetic-energy", "iss-cream-h-kinetic-energy",
    "grapes3-h-total-energy", "nucleon-h-total-energy", "lhaaso-qgsjet-ii-04-h-total-energy",
    "lhaaso-sibyll-23d-h-total-energy", "lhaaso-epos-lhc-h-total-energy",
)  # fmt: skip
HELIUM = (
    "ams02-he-rigidity", "calet-he-kinetic-energy", "dampe-he-kinetic-energy", "nucleon-he-total-energy",
    "lhaaso-qgsjet-ii-04-he-total-energy", "lhaaso-sibyll-23d-he-total-energy", "lhaaso-epos-lhc-he-total-energy",
)  # fmt: skip
#: of Figs. 2, 5 and 6
COMPARED = ("ams02-{}-rigidity", "dampe-{}-kinetic-energy", f"lhaaso-{INTERACTIONS[0]}-{{}}-total-energy")


@dataclass(frozen=True)
class Points:
    """A measured spectrum: total energy [GeV], E^2.75 J and its errors downwards and upwards."""

    experiment: str
    energy: Array
    value: Array
    minus: Array
    plus: Array


def points(name: str) -> Points:
    """A data set of the library per total energy."""
    m = load(name)
    species = nuclides()["H1" if m.numerator == ("H",) else "He4"]
    nuclide = Nuclide(species.Z, species.A, species.mass_per_nucleon)
    axis = abscissa_named(m.abscissa)
    kinetic = axis.kinetic_energy(m.x, nuclide)
    energy = TOTAL.of(kinetic, nuclide)
    # J(E) = J(x) dx/dE
    factor = TOTAL.jacobian(kinetic, nuclide) / axis.jacobian(kinetic, nuclide) * energy**POWER
    return Points(m.experiment, energy, m.y * factor, m.sigma_minus * factor, m.sigma_plus * factor)


def curve(config: SpectrumConfig, energy: Array, species: str, component: str = "") -> Array:
    """E^2.75 J of all components of a species, or of one."""
    return intensity_of(config, [species], TOTAL, energy, component=component) * energy**POWER


def pulls(config: SpectrumConfig, name: str, species: str, *, above: float = 0.0) -> Array:
    """(measured - model) / error on the side of the model, of the points above an energy [GeV]."""
    p = points(name)
    use = p.energy > above
    off = (p.value - curve(config, p.energy, species))[use]
    return np.asarray(off / np.where(off > 0.0, p.minus[use], p.plus[use]))


def envelope(names: Sequence[str]) -> tuple[Array, Array, Array]:
    """Lowest and highest end of an error bar among all data sets, interpolated in ln E."""
    grid = np.geomspace(10.0, 1.2e7, 300)
    low, high = np.full(grid.shape, np.inf), np.full(grid.shape, -np.inf)
    at = np.log(grid)
    for name in names:
        p = points(name)
        below = np.interp(at, np.log(p.energy), p.value - p.minus, left=np.inf, right=np.inf)
        above = np.interp(at, np.log(p.energy), p.value + p.plus, left=-np.inf, right=-np.inf)
        low, high = np.minimum(low, below), np.maximum(high, above)
    return grid, low, high


def ratio(name: str) -> Points:
    """p/He at the energies of helium; protons are interpolated where their bins are others."""
    p, he = points(name.format("h")), points(name.format("he"))
    use = (he.energy >= p.energy[0]) & (he.energy <= p.energy[-1])
    at = np.log(he.energy[use])

    def there(values: Array) -> Array:
        return np.exp(np.interp(at, np.log(p.energy), np.log(values)))

    value = there(p.value) / he.value[use]
    minus = value * np.hypot(there(p.minus) / there(p.value), (he.plus / he.value)[use])
    plus = value * np.hypot(there(p.plus) / there(p.value), (he.minus / he.value)[use])
    return Points(he.experiment, he.energy[use], value, minus, plus)

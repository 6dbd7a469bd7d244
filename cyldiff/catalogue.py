"""Every named quantity of a result: dimensions, unit, long name. Feeds files, docs and plots."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["QUANTITIES", "Quantity"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One variable of the result file."""

    dims: tuple[str, ...]
    units: str
    long_name: str


_SPECTRUM = ("species", "kinetic_energy")
_INTENSITY = "m-2 s-1 sr-1 (GeV/n)-1"

QUANTITIES: dict[str, Quantity] = {
    "kinetic_energy": Quantity(("kinetic_energy",), "GeV", "kinetic energy per nucleon"),
    "species": Quantity(("species",), "1", "nuclide"),
    "r": Quantity(("r",), "kiloparsec", "galactocentric radius of the cell centre"),
    "phi": Quantity(("phi",), "radian", "azimuth of the cell centre; the Sun is at pi"),
    "time": Quantity(("time",), "Myr", "time since the start of the run"),
    "z": Quantity(("z",), "kiloparsec", "height of the cell centre above the Galactic plane"),
    "r_bounds": Quantity(("r", "bounds"), "kiloparsec", "inner and outer radius of the cell"),
    "phi_bounds": Quantity(("phi", "bounds"), "radian", "limits of the cell around the circle"),
    "z_bounds": Quantity(("z", "bounds"), "kiloparsec", "lower and upper height of the cell"),
    "charge": Quantity(("species",), "1", "charge number Z"),
    "mass_number": Quantity(("species",), "1", "mass number A"),
    "mass_per_nucleon": Quantity(("species",), "GeV", "rest energy per nucleon"),
    "half_life": Quantity(("species",), "Myr", "half-life of the bare nucleus at rest; infinite if stable"),
    "flux_lis": Quantity(_SPECTRUM, _INTENSITY, "interstellar intensity at the Sun"),
    "flux_toa": Quantity(_SPECTRUM, _INTENSITY, "intensity at the top of the atmosphere, modulated"),
    "flux": Quantity((*_SPECTRUM, "r", "z"), _INTENSITY, "interstellar intensity"),
    "flux_lis_component": Quantity(
        ("component", *_SPECTRUM), _INTENSITY, "interstellar intensity at the Sun by source component"
    ),
    "flux_component": Quantity(
        ("component", *_SPECTRUM, "r", "z"), _INTENSITY, "interstellar intensity by source component"
    ),
    "gradient_lis": Quantity(
        (*_SPECTRUM, "direction"), "kiloparsec-1", "gradient of the logarithm of the density at the Sun"
    ),
    "gradient_lis_component": Quantity(
        ("component", *_SPECTRUM, "direction"),
        "kiloparsec-1",
        "gradient of the logarithm of the density at the Sun by source component",
    ),
    "residual": Quantity(("species",), "1", "true relative residual of the solve"),
    "balance": Quantity(("species",), "1", "sources minus losses minus escape, relative to the sources"),
    "minimum": Quantity(("species",), "1", "smallest density relative to the largest at the same momentum"),
    "steps": Quantity(("species",), "1", "pseudo-time steps of the solver"),
    "grid_error": Quantity(
        _SPECTRUM, "1", "estimated relative discretisation error of the intensity at the Sun"
    ),
    "source_density": Quantity(
        ("component", "r", "z"), "kiloparsec-3", "source distribution, cell average, integral 1"
    ),
    "injected_power": Quantity(
        ("component",), "erg s-1", "power injected above the lowest energy of the grid"
    ),
}

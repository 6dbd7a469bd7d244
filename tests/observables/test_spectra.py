"""Spectra and ratios from a dataset, against closed formulas."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import trapezoid

from cyldiff.constants import ATOMIC_MASS_UNIT, PROTON_MASS
from cyldiff.errors import DataError
from cyldiff.observables import force_field, members, modulated_flux, ratio, spectrum

#: name -> charge, mass number, normalisation and index of the power law in T
SPECIES = {
    "H1": (1, 1, 1.0e4, 2.8),
    "Be9": (4, 9, 3.0, 3.0),
    "Be10": (4, 10, 0.7, 3.1),
    "B10": (5, 10, 7.0, 3.0),
    "B11": (5, 11, 16.0, 3.2),
    "C12": (6, 12, 60.0, 2.7),
    "Fe56": (26, 56, 4.0, 2.7),
}
ENERGY = np.geomspace(1e-2, 1e7, 9 * 16 + 1)


def _mass(mass_number):
    return PROTON_MASS if mass_number == 1 else ATOMIC_MASS_UNIT


def _power_law(name, t):
    _, _, norm, index = SPECIES[name]
    return norm * t**-index


@pytest.fixture(scope="module")
def dataset():
    charge, mass_number, _, _ = zip(*SPECIES.values(), strict=True)
    flux = [_power_law(name, ENERGY) for name in SPECIES]
    return xr.Dataset(
        {
            "flux_lis": (("species", "kinetic_energy"), np.array(flux)),
            "charge": ("species", list(charge)),
            "mass_number": ("species", list(mass_number)),
            "mass_per_nucleon": ("species", [_mass(a) for a in mass_number]),
            "half_life": ("species", [np.inf if n != "Be10" else 1.387 for n in SPECIES]),
        },
        coords={"species": list(SPECIES), "kinetic_energy": ENERGY},
    )


def _kinetic_energy(rigidity, name):
    charge, mass_number, _, _ = SPECIES[name]
    mass = _mass(mass_number)
    return np.sqrt((rigidity * charge / mass_number) ** 2 + mass**2) - mass


def _at_rigidity(name, rigidity, *, potential=0.0):
    """Closed formula: LIS power law, J/p^2 kept, dT/dR = (p/E) Z/A."""
    charge, mass_number, _, _ = SPECIES[name]
    mass = _mass(mass_number)
    t = _kinetic_energy(rigidity, name)
    outside = t + potential * charge / mass_number
    kept = ((t + mass) ** 2 - mass**2) / ((outside + mass) ** 2 - mass**2)
    speed = (rigidity * charge / mass_number) / (t + mass)
    return _power_law(name, outside) * kept * speed * charge / mass_number


class TestConversion:
    def test_kinetic_energy_of_the_particle(self, dataset):
        # J(E) = N A^(g-1) E^-g for J(T) = N T^-g
        energy = np.array([3.0, 70.0, 5e3])
        result = spectrum(dataset, "Fe56", abscissa="kinetic_energy", x=energy)
        np.testing.assert_allclose(result, 4.0 * 56.0**1.7 * energy**-2.7, rtol=1e-10)

    def test_total_energy_of_the_particle(self, dataset):
        energy = np.array([100.0, 1e4])
        t = energy / 56.0 - ATOMIC_MASS_UNIT
        result = spectrum(dataset, "Fe56", abscissa="total_energy", x=energy)
        np.testing.assert_allclose(result, 4.0 * t**-2.7 / 56.0, rtol=1e-10)

    @pytest.mark.parametrize("name", SPECIES)
    def test_rigidity(self, dataset, name):
        rigidity = np.geomspace(1.0, 1e5, 30)
        result = spectrum(dataset, name, abscissa="rigidity", x=rigidity)
        np.testing.assert_allclose(result, _at_rigidity(name, rigidity), rtol=1e-9)

    @pytest.mark.parametrize("abscissa", ["rigidity", "kinetic_energy", "total_energy"])
    def test_the_number_of_particles_is_kept(self, dataset, abscissa):
        """Counting particles over a range gives the same against every abscissa."""
        x = spectrum(dataset, "C12", abscissa=abscissa)[abscissa].values
        fine = np.geomspace(x[20], x[60], 4001)
        counted = trapezoid(spectrum(dataset, "C12", abscissa=abscissa, x=fine) * fine, np.log(fine))
        low, high = (
            _kinetic_energy(fine[[0, -1]], "C12")
            if abscissa == "rigidity"
            else fine[[0, -1]] / 12.0 - (ATOMIC_MASS_UNIT if abscissa == "total_energy" else 0.0)
        )
        assert counted == pytest.approx(60.0 / 1.7 * (low**-1.7 - high**-1.7), rel=1e-4)

    def test_on_the_grid_nothing_changes(self, dataset):
        result = spectrum(dataset, "C12")
        np.testing.assert_array_equal(result.kinetic_energy_per_nucleon, ENERGY)
        np.testing.assert_allclose(result, dataset.flux_lis.sel(species="C12"), rtol=1e-12)
        assert result.attrs["units"] == "m-2 s-1 sr-1 (GeV/n)-1"


class TestSums:
    def test_isotopes_are_modulated_before_they_are_summed(self, dataset):
        """At equal rigidity 10B and 11B had different energies, and lose different ones."""
        rigidity = np.geomspace(0.7, 100.0, 25)
        potential = 0.8
        right = sum(_at_rigidity(name, rigidity, potential=potential) for name in ("B10", "B11"))
        result = spectrum(dataset, "B", abscissa="rigidity", x=rigidity, potential=potential)
        np.testing.assert_allclose(result, right, rtol=1e-9)

        # the wrong order: one sum of intensities per nucleon, modulated as if all of it were 11B
        summed = dataset.flux_lis.sel(species=["B10", "B11"]).sum("species").values
        t = _kinetic_energy(rigidity, "B11")
        boron = {"charge": 5, "mass_number": 11, "mass_per_nucleon": ATOMIC_MASS_UNIT}
        speed = (rigidity * 5 / 11) / (t + ATOMIC_MASS_UNIT)
        wrong = force_field(ENERGY, summed, potential=potential, at=t, **boron) * speed * 5 / 11
        assert np.all(np.abs(wrong / right - 1.0) > 0.02)

    def test_an_element_is_the_sum_of_its_isotopes(self, dataset):
        x = np.geomspace(1.0, 1e3, 9)
        parts = sum(spectrum(dataset, name, x=x, potential=0.5) for name in ("Be9", "Be10"))
        np.testing.assert_allclose(spectrum(dataset, "Be", x=x, potential=0.5), parts, rtol=1e-14)

    def test_names(self, dataset):
        assert members(dataset, "10Be") == ("Be10",)
        assert members(dataset, "B") == ("B10", "B11")
        assert members(dataset, ["B11", "B", "C12"]) == ("B10", "B11", "C12")

    def test_unknown_names_get_a_hint(self, dataset):
        with pytest.raises(DataError, match=r'"Fe55" is not in this result.*did you mean "Fe56"'):
            spectrum(dataset, "Fe55")
        with pytest.raises(DataError, match="no species"):
            spectrum(dataset, [])


class TestRange:
    def test_outside_the_grid_is_nan(self, dataset):
        result = spectrum(dataset, "C12", x=[9e-3, 1e-2, 1e7, 1.1e7])
        assert np.isnan(result).values.tolist() == [True, False, False, True]

    def test_a_sum_is_nan_where_one_isotope_is_not_covered(self, dataset):
        # 10B at the lowest T has a lower rigidity than 9Be
        lowest = np.sqrt(0.01 * (0.01 + 2 * ATOMIC_MASS_UNIT))
        between = 0.5 * (lowest * 9 / 4 + lowest * 10 / 4)
        assert np.isfinite(spectrum(dataset, "Be9", abscissa="rigidity", x=[between]))
        assert np.isnan(spectrum(dataset, "Be", abscissa="rigidity", x=[between]))

    @pytest.mark.parametrize("abscissa", ["rigidity", "kinetic_energy", "total_energy"])
    def test_the_default_range_is_covered_by_all(self, dataset, abscissa):
        assert np.isfinite(ratio(dataset, "B", "C", abscissa=abscissa, potential=0.5)).all()


class TestRatio:
    def test_equal_rigidity_is_not_equal_energy_per_nucleon(self, dataset):
        """For J(T) = N T^-g, fast: N1/N2 at equal T, times (A1 Z2 / Z1 A2)^(g-1) at equal R."""
        at_energy = ratio(dataset, "Fe56", "C12", abscissa="kinetic_energy_per_nucleon", x=[1e5])
        at_rigidity = ratio(dataset, "Fe56", "C12", abscissa="rigidity", x=[1e6])
        assert at_energy.item() == pytest.approx(4.0 / 60.0, rel=1e-10)
        assert at_rigidity.item() == pytest.approx(4.0 / 60.0 * (56 / 26 / 2.0) ** 1.7, rel=1e-5)

    def test_a_ratio_of_elements(self, dataset):
        rigidity = np.array([2.0, 20.0, 2000.0])
        boron = sum(_at_rigidity(n, rigidity, potential=0.6) for n in ("B10", "B11"))
        expected = boron / _at_rigidity("C12", rigidity, potential=0.6)
        result = ratio(dataset, "B", "C", x=rigidity, potential=0.6)
        np.testing.assert_allclose(result, expected, rtol=1e-9)
        assert result.attrs["units"] == "1"
        assert result.attrs["long_name"] == "ratio B/C"

    def test_a_ratio_is_nan_where_the_denominator_is_zero(self, dataset):
        empty = dataset.copy(deep=True)
        empty["flux_lis"].loc[{"species": "C12"}] = 0.0
        assert np.isnan(ratio(empty, "B", "C", x=[10.0])).all()


def test_modulated_flux_of_the_whole_dataset(dataset):
    result = modulated_flux(dataset, 0.6)
    assert result.dims == ("species", "kinetic_energy")
    for name in ("H1", "Be10"):
        np.testing.assert_allclose(
            result.sel(species=name).values, spectrum(dataset, name, potential=0.6).values, rtol=1e-14
        )
    assert np.all(result.values <= dataset.flux_lis.values)

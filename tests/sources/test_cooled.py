"""Electrons that cool where they are injected, against closed solutions and the equation itself."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff.galaxy.radiation_field import Delahaye2010
from cyldiff.sources.cooled import METHODS, cooled_electrons
from cyldiff.sources.cooling import electron
from cyldiff.transport.lepton_losses import Medium, energy_loss

GRID = np.geomspace(1e-3, 1e8, 1101)
LOBE = Medium(magnetic=const.MICROGAUSS_ENERGY_DENSITY * 20.0**2)
STARLIT = Medium(magnetic=const.MICROGAUSS_ENERGY_DENSITY * 20.0**2, radiation=Delahaye2010().parts)


def law(energy):
    return energy**-2.3


class TestSynchrotronAlone:
    """B(T) = k (gamma beta)^2: gamma beta grows backwards as p_s = p / (1 - k' p t) where gamma >> 1."""

    use = (GRID > 1.0) & (GRID < 1e6)
    k = float(energy_loss(electron(np.array([1e3])), LOBE)[0]) / 1e3**2

    def test_steady(self):
        """N = E^-s-1 / [k (s - 1)]."""
        found = cooled_electrons(GRID, law, medium=LOBE, age=1.0, method="steady")
        expected = GRID**-3.3 / (self.k * 1.3) * (1.0 - (GRID / GRID[-1]) ** 1.3)
        np.testing.assert_allclose(found[self.use], expected[self.use], rtol=2e-3)

    @pytest.mark.parametrize("age", [1e-4, 0.02, 10.0])
    def test_exact(self, age):
        """N = [E^(1-s) - E_s^(1-s)] / [k (s - 1) E^2] with E_s = E / (1 - k E t)."""
        found = cooled_electrons(GRID, law, medium=LOBE, age=age)
        with np.errstate(divide="ignore", invalid="ignore"):
            source = np.where(self.k * GRID * age < 1.0, GRID / (1.0 - self.k * GRID * age), np.inf)
        source = np.minimum(source, GRID[-1])
        # the difference of two powers without cancellation where hardly anything has cooled
        power = -np.expm1(-1.3 * np.log(source / GRID)) * GRID**-1.3
        expected = power / (self.k * 1.3 * GRID**2)
        np.testing.assert_allclose(found[self.use], expected[self.use], rtol=3e-3)

    def test_minimum(self):
        found = cooled_electrons(GRID, law, medium=LOBE, age=0.02, method="minimum")
        cool = GRID / energy_loss(electron(GRID), LOBE)
        np.testing.assert_allclose(found, law(GRID) * np.minimum(cool, 0.02), rtol=1e-12)

    def test_what_the_minimum_misses(self):
        """Where cooling is fast the estimate is s - 1 times the truth (1/0.77 for s = 2.3)."""
        steady, minimum = (
            cooled_electrons(GRID, law, medium=LOBE, age=0.02, method=m) for m in ("steady", "minimum")
        )
        fast = (GRID > 1e4) & (GRID < 1e5)
        np.testing.assert_allclose((steady / minimum)[fast], 1.0 / 1.3, rtol=5e-3)
        assert pytest.approx(0.77, abs=0.002) == 1.0 / 1.3


@pytest.mark.parametrize("medium", [LOBE, STARLIT], ids=["field", "field and light"])
class TestLimits:
    def test_young_sources_have_not_cooled(self, medium):
        found = cooled_electrons(GRID, law, medium=medium, age=1e-9)
        low = GRID < 1e6
        np.testing.assert_allclose(found[low], law(GRID[low]) * 1e-9, rtol=1e-3)

    def test_old_sources_are_steady(self, medium):
        old = cooled_electrons(GRID, law, medium=medium, age=1e4)
        steady = cooled_electrons(GRID, law, medium=medium, age=1e4, method="steady")
        high = GRID > 1.0
        np.testing.assert_allclose(old[high], steady[high], rtol=1e-3)

    def test_it_solves_the_equation(self, medium):
        """dN/dt = Q + d(b N)/dT by finite differences, at energies that cool in about the age."""
        age, h = 0.02, 1e-3
        before, now, after = (
            cooled_electrons(GRID, law, medium=medium, age=a) for a in (age * (1 - h), age, age * (1 + h))
        )
        rate = (after - before) / (2.0 * h * age)
        flow = np.gradient(energy_loss(electron(GRID), medium) * now, np.log(GRID)) / GRID
        middle = (GRID > 3e2) & (GRID < 1e3)
        residual = (rate - law(GRID) - flow)[middle]
        assert np.abs(residual / law(GRID[middle])).max() < 0.01

    def test_number_is_conserved(self, medium):
        """Without escape as many electrons are there as were injected; they pile up at low energy."""
        age = 0.02
        narrow = np.geomspace(1e2, 1e6, 2001)

        def line(energy):
            return np.exp(-0.5 * (np.log(energy / 1e4) / 0.2) ** 2)

        found = cooled_electrons(narrow, line, medium=medium, age=age)
        there = np.trapezoid(found * narrow, np.log(narrow))
        injected = age * np.trapezoid(line(narrow) * narrow, np.log(narrow))
        assert there == pytest.approx(injected, rel=2e-3)


def test_nothing_to_cool_in():
    for method in METHODS:
        with pytest.raises(ValueError, match="give a magnetic field or radiation"):
            cooled_electrons(GRID, law, medium=Medium(), age=1.0, method=method)

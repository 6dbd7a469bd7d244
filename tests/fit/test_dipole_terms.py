"""Amplitudes and phases of dipoles: the wrapped density, its limits, and a fit across the zero of the angle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fit_targets import parameter
from scipy.optimize import brentq, minimize_scalar
from scipy.special import ive

from cyldiff.data.dipoles import load_dipole
from cyldiff.fit.dipole_terms import DipoleTerm, wrapped_difference, wrapped_residual
from cyldiff.fit.likelihood import Likelihood


class Dipole:
    """A dipole of given amplitude and phase at all energies up to a highest one."""

    def __init__(self, amplitude=1e-3, phase=50.0, highest=np.inf):
        self.amplitude, self.phase, self.highest = amplitude, phase, highest

    def dipole(self, energies):
        known = np.where(energies <= self.highest, 1.0, np.nan)
        return self.amplitude * known, self.phase * known


@pytest.fixture
def data():
    return load_dipole("tibet-dipole-2017")


class TestWrapped:
    def test_the_shorter_way_round(self):
        np.testing.assert_allclose(
            wrapped_difference([350.0, 10.0, 180.0], [10.0, 350.0, 0.0]), [-20.0, 20.0, -180.0]
        )

    def test_a_small_error_is_normal(self):
        d = np.array([-40.0, -5.0, 0.0, 12.0])
        np.testing.assert_allclose(wrapped_residual(d, np.full(4, 10.0)), d / 10.0, rtol=1e-12, atol=1e-12)

    def test_a_large_error_says_nothing(self):
        for sigma in (360.0, 5000.0):
            assert wrapped_residual(np.array([179.0]), np.array([sigma]))[0] ** 2 < 1e-7

    def test_no_jump_at_the_opposite_direction(self):
        before, after = wrapped_residual(np.array([179.999, -179.999]), np.full(2, 60.0)) ** 2
        assert before == pytest.approx(after, rel=1e-9)
        slope = np.gradient(wrapped_residual(np.array([179.9, 179.95, 180.0]), np.full(3, 60.0)) ** 2, 0.05)[
            -1
        ]
        assert abs(slope) < 1e-3

    def test_it_is_a_density_on_the_circle(self):
        """Its first moment is that of a wrapped normal, exp(-s^2 / 2)."""
        angle = np.linspace(-180.0, 180.0, 20001)[:-1]
        density = np.exp(-0.5 * wrapped_residual(angle, np.full(angle.size, 70.0)) ** 2)
        moment = np.sum(density * np.cos(np.radians(angle))) / density.sum()
        assert moment == pytest.approx(np.exp(-0.5 * np.radians(70.0) ** 2), rel=1e-9)

    def test_a_small_error_is_von_mises_too(self):
        """The von Mises density of the same first moment, 2 kappa (1 - cos d), for an error of 5 deg."""
        target = np.exp(-0.5 * np.radians(5.0) ** 2)
        kappa = brentq(lambda k: ive(1, k) / ive(0, k) - target, 1.0, 1e4)
        angle = np.array([2.0, 5.0, 10.0])
        von_mises = 2.0 * kappa * (1.0 - np.cos(np.radians(angle)))
        np.testing.assert_allclose(wrapped_residual(angle, np.full(3, 5.0)) ** 2, von_mises, rtol=0.01)


class TestTerm:
    @pytest.mark.parametrize("what", ["amplitude", "phase"])
    def test_closed_chi_square(self, data, what):
        term = DipoleTerm(data, what).covered(Dipole())
        assert term.n_points == len(data)
        fitted = term.compare(Dipole())
        assert fitted.chi2 == pytest.approx(np.sum(term.residuals(Dipole()) ** 2))
        if what == "amplitude":
            above = data.amplitude <= 1e-3
            sigma = np.where(above, np.hypot(data.stat_plus, np.nan_to_num(data.syst_plus)),
                             np.hypot(data.stat_minus, np.nan_to_num(data.syst_minus)))  # fmt: skip
            assert fitted.chi2 == pytest.approx(np.sum(((data.amplitude - 1e-3) / sigma) ** 2))
        else:
            assert np.all(np.abs(fitted.y - fitted.model) <= 180.0)

    def test_range_and_points_that_the_model_does_not_reach(self, data):
        inside = data.energy[1:-1]
        term = DipoleTerm(data, "phase", low=inside[0]).covered(Dipole(highest=inside[-1]))
        fitted = term.compare(Dipole())
        np.testing.assert_array_equal(fitted.x, inside)
        assert fitted.left_out == 1
        assert np.all(np.isinf(term.residuals(Dipole(highest=0.0))))

    def test_rows_without_errors_do_not_count(self):
        hawc = load_dipole("hawc-dipole-2018")
        with_errors = np.nan_to_num(hawc.phase_plus) > 0.0
        assert 0 < with_errors.sum() < len(hawc)
        assert DipoleTerm(hawc, "phase").covered(Dipole()).n_points == with_errors.sum()

    def test_the_best_phase_lies_across_zero(self, data):
        """Two measurements at 350 and 10 deg agree on 0, not on 180."""
        arrays = {k: v[:2] for k in data.__slots__ if isinstance(v := getattr(data, k), np.ndarray)}
        arrays |= {
            "phase": np.array([350.0, 10.0]),
            "phase_minus": np.full(2, 15.0),
            "phase_plus": np.full(2, 15.0),
        }
        two = replace(data, **arrays)
        term = DipoleTerm(two, "phase").covered(Dipole())

        class Model:
            parameters = (parameter("phase", 20.0, -400.0, 400.0),)
            solves = 0

            def predict(self, values):
                return Dipole(phase=values[0])

        likelihood = Likelihood(Model(), [term])
        assert likelihood.n_points == 2
        best = minimize_scalar(lambda phase: likelihood([phase]), bounds=(-90.0, 90.0), method="bounded")
        assert best.x == pytest.approx(0.0, abs=0.01)
        assert best.fun == pytest.approx(2.0 * (10.0 / 15.0) ** 2, rel=1e-6)
        assert likelihood([360.0]) == pytest.approx(best.fun, rel=1e-6)
        assert likelihood([180.0]) > 100.0

"""Force field: identity, limits, the phase-space invariant, its inverse, and the config kinds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cyldiff.constants import ATOMIC_MASS_UNIT, ELECTRON_MASS, PROTON_MASS
from cyldiff.errors import DataError
from cyldiff.observables import ForceField, NoModulation, demodulate, force_field
from cyldiff.registry import lookup

PROTON = {"charge": 1, "mass_number": 1, "mass_per_nucleon": PROTON_MASS}
BERYLLIUM = {"charge": 4, "mass_number": 10, "mass_per_nucleon": ATOMIC_MASS_UNIT}
ENERGY = np.geomspace(1e-2, 1e6, 8 * 32 + 1)


def _momentum_squared(t, mass):
    """Squared momentum per nucleon from the total energy, E^2 - m^2."""
    return (t + mass) ** 2 - mass**2


def _interstellar(t, low=-0.5, high=2.3, bend=1.0):
    return 1.0e4 * t**low * (1.0 + t / bend) ** (-high - low)


def test_without_potential_it_is_the_identity():
    flux = _interstellar(ENERGY) * (1.0 + 0.3 * np.sin(np.log(ENERGY)))
    result = force_field(ENERGY, flux, potential=0.0, **PROTON)
    np.testing.assert_allclose(result, flux, rtol=1e-12)


@pytest.mark.parametrize("nucleus", [PROTON, BERYLLIUM])
def test_intensity_over_momentum_squared_is_kept_along_the_energy_loss(nucleus):
    potential = 0.55
    loss = potential * nucleus["charge"] / nucleus["mass_number"]
    mass = nucleus["mass_per_nucleon"]
    result = force_field(ENERGY, 7.0 * ENERGY**-2.7, potential=potential, **nucleus)
    outside = ENERGY + loss
    left = result / _momentum_squared(ENERGY, mass)
    right = 7.0 * outside**-2.7 / _momentum_squared(outside, mass)
    np.testing.assert_allclose(left, right, rtol=1e-11)


def test_proton_at_1_gev_with_500_mv():
    # 1 GeV inside was 1.5 GeV outside; p^2 = 2.87654 and 5.06482 GeV^2
    result = force_field(ENERGY, ENERGY**-2.7, potential=0.5, at=[1.0], **PROTON)
    assert result[0] == pytest.approx(1.5**-2.7 * 2.876544 / 5.064816, rel=1e-6)


def test_modulation_vanishes_at_high_energy_as_the_series_says():
    """J_TOA/J_LIS - 1 -> -(gamma + 2) Phi / T for T much above m and Phi."""
    result = force_field(ENERGY, ENERGY**-2.7, potential=0.6, **PROTON)
    change = result * ENERGY**2.7 - 1.0
    high = (ENERGY > 1e3) & (ENERGY < 1e5)
    np.testing.assert_allclose(change[high], -4.7 * 0.6 / ENERGY[high], rtol=5e-3)
    assert abs(change[-1]) < 1e-5


def test_only_charge_over_mass_number_counts():
    flux = _interstellar(ENERGY)
    common = {"mass_per_nucleon": ATOMIC_MASS_UNIT}
    helium = force_field(ENERGY, flux, charge=2, mass_number=4, potential=1.0, **common)
    single = force_field(ENERGY, flux, charge=1, mass_number=1, potential=0.5, **common)
    negative = force_field(ENERGY, flux, charge=-1, mass_number=1, potential=0.5, **common)
    np.testing.assert_array_equal(helium, single)
    np.testing.assert_array_equal(negative, single)


def test_a_lepton_loses_the_whole_potential():
    flux = ENERGY**-3.0
    result = force_field(
        ENERGY, flux, charge=-1, mass_number=0, mass_per_nucleon=ELECTRON_MASS, potential=0.5, at=[2.0]
    )
    assert result[0] == pytest.approx(2.5**-3.0 * (2.0 / 2.5) ** 2, rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    low=st.floats(-1.5, 0.5),
    high=st.floats(2.0, 3.2),
    bend=st.floats(0.3, 5.0),
    potential=st.floats(0.0, 1.5),
    nucleus=st.sampled_from([PROTON, BERYLLIUM]),
)
def test_demodulation_undoes_modulation(low, high, bend, potential, nucleus):
    flux = _interstellar(ENERGY, low, high, bend)
    inside = force_field(ENERGY, flux, potential=potential, **nucleus)
    back = demodulate(ENERGY, inside, potential=potential, **nucleus)
    loss = potential * nucleus["charge"] / nucleus["mass_number"]
    lowest = ENERGY[0] + loss
    known = lowest * (1.0 + 1e-9) < ENERGY
    assert np.isnan(back[lowest * (1.0 - 1e-9) > ENERGY]).all()
    np.testing.assert_allclose(back[known], flux[known], rtol=2e-4)


def test_where_the_grid_ends_the_answer_is_nan():
    energy = np.geomspace(1.0, 10.0, 17)
    result = force_field(energy, energy**-2.7, potential=1.0, at=[0.9, 1.0, 9.0, 10.0, 11.0], **PROTON)
    assert np.isnan(result).tolist() == [True, False, False, True, True]
    # a shift that is small against the last cell does not cost the last point
    small = force_field(energy, energy**-2.7, potential=0.1, **PROTON)
    assert np.isfinite(small).all()
    expected = 10.1**-2.7 * _momentum_squared(10.0, PROTON_MASS) / _momentum_squared(10.1, PROTON_MASS)
    assert small[-1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("potential", [-0.1, np.nan, np.inf])
def test_an_impossible_potential_is_refused(potential):
    with pytest.raises(DataError, match="potential"):
        force_field(ENERGY, ENERGY**-2.7, potential=potential, **PROTON)


class TestKinds:
    def test_potential_for_an_experiment(self):
        kind = ForceField(potential="550 MV", by_experiment={"AMS-02": "0.62 GV", "DAMPE": "500 MV"})
        assert kind.potential_for("AMS-02") == pytest.approx(0.62)
        assert kind.potential_for("ams02") == pytest.approx(0.62)
        assert kind.potential_for("ACE-CRIS") == pytest.approx(0.55)

    def test_it_can_be_written_down_and_read_again(self):
        kind = ForceField(potential="550 MV", by_experiment={"DAMPE": "500 MV"})
        assert ForceField(**kind.model_dump()) == kind
        assert kind.model_dump()["potential"] == "0.55 GV"

    @pytest.mark.parametrize(
        "fields",
        [
            {"potential": "-1 GV"},
            {"potential": 0.5},
            {"potential": "0.5 GeV"},
            {"potential": "0.5 GV", "by_experiment": {"AMS-02": "-1 GV"}},
            {"potential": "0.5 GV", "phi": "1 GV"},
        ],
    )
    def test_impossible_values_are_refused(self, fields):
        with pytest.raises(ValidationError):
            ForceField(**fields)

    def test_none_means_zero_for_everybody(self):
        assert NoModulation().potential_for("AMS-02") == 0.0

    def test_both_are_registered(self):
        assert lookup("modulation", "force-field") is ForceField
        assert lookup("modulation", "none") is NoModulation

"""Conversions between the abscissae of data sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyldiff.constants import ATOMIC_MASS_UNIT, ELECTRON_MASS, PROTON_MASS
from cyldiff.errors import DataError
from cyldiff.observables import ABSCISSAE, Nuclide, abscissa_named

NUCLIDES = [
    Nuclide(1, 1, PROTON_MASS),
    Nuclide(4, 10, ATOMIC_MASS_UNIT),
    Nuclide(26, 56, ATOMIC_MASS_UNIT),
    Nuclide(-1, 0, ELECTRON_MASS),
]


@given(
    exponent=st.floats(-2.5, 8.0),
    name=st.sampled_from(sorted(ABSCISSAE)),
    nuclide=st.sampled_from(NUCLIDES),
)
def test_there_and_back(exponent, name, nuclide):
    t = 10.0**exponent
    back = ABSCISSAE[name].kinetic_energy(ABSCISSAE[name].of(t, nuclide), nuclide)
    # the total energy of a slow particle is nearly all mass: T is what rounding leaves of it
    assert back == pytest.approx(t, rel=1e-11, abs=1e-15 if name == "total_energy" else 0.0)


@pytest.mark.parametrize("nuclide", NUCLIDES)
@pytest.mark.parametrize("name", sorted(ABSCISSAE))
def test_jacobian_is_the_derivative(name, nuclide):
    t = np.geomspace(3e-3, 1e5, 40)
    step = 1e-5 * t
    difference = ABSCISSAE[name].of(t + step, nuclide) - ABSCISSAE[name].of(t - step, nuclide)
    np.testing.assert_allclose(ABSCISSAE[name].jacobian(t, nuclide), 2.0 * step / difference, rtol=1e-6)


def test_known_values():
    # 10Be of 1 GeV/n: p = 10 sqrt(1 + 2 * 0.931494), R = p / 4
    be10 = NUCLIDES[1]
    assert ABSCISSAE["rigidity"].of(1.0, be10) == pytest.approx(2.5 * np.sqrt(2.86298820), rel=1e-8)
    assert ABSCISSAE["kinetic_energy"].of(1.0, be10) == 10.0
    assert ABSCISSAE["total_energy"].of(1.0, be10) == pytest.approx(19.31494102)


def test_units_of_intensities():
    assert ABSCISSAE["rigidity"].intensity_unit == "m-2 s-1 sr-1 GV-1"
    assert ABSCISSAE["kinetic_energy_per_nucleon"].intensity_unit == "m-2 s-1 sr-1 (GeV/n)-1"


def test_unknown_names_get_a_hint():
    with pytest.raises(DataError, match='did you mean "rigidity"'):
        abscissa_named("rigidty")

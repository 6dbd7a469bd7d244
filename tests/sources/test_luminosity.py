"""Histories of single sources: the energy of their pieces, and what is still to come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cyldiff import constants as const
from cyldiff.sources.luminosity import Burst, ConstantLuminosity, LuminosityTable

ERG_S = const.ERG_GEV * const.MYR_S
TABLE = LuminosityTable(
    times=["10 kyr", "100 kyr", "110 kyr"], luminosities=["1e37 erg/s", "2e38 erg/s", "0 erg/s"]
)


def test_burst():
    (piece,) = Burst(energy="1e50 erg").pieces(3.0)
    assert piece.oldest == piece.youngest == 3.0
    assert piece.energy == pytest.approx(1e50 * const.ERG_GEV)
    assert Burst(energy="1e50 erg").power(3.0) == 0.0


def test_constant_until_now():
    (piece,) = ConstantLuminosity(luminosity="1e39 erg/s").pieces(2.0)
    assert (piece.oldest, piece.youngest) == (2.0, 0.0)
    # 1e39 erg/s for 2 Myr
    assert piece.energy / const.ERG_GEV == pytest.approx(1e39 * 2.0 * 3.15576e13, rel=1e-12)
    assert ConstantLuminosity(luminosity="1e39 erg/s").power(2.0) == pytest.approx(1e39 * ERG_S)


@pytest.mark.parametrize(("age", "ended"), [(0.05, 0.0), (0.1, 0.0), (0.3, 0.2)])
def test_constant_for_a_time(age, ended):
    history = ConstantLuminosity(luminosity="1e39 erg/s", duration="100 kyr")
    (piece,) = history.pieces(age)
    assert piece.oldest == age
    assert piece.youngest == pytest.approx(ended)
    assert piece.energy == pytest.approx(1e39 * ERG_S * min(age, 0.1))
    assert history.power(age) == pytest.approx(1e39 * ERG_S if age <= 0.1 else 0.0)


class TestTable:
    def test_all_of_it(self):
        pieces = TABLE.pieces(0.3)
        assert [(p.oldest, p.youngest) for p in pieces] == [
            pytest.approx((0.29, 0.2)), pytest.approx((0.2, 0.19)),
        ]  # fmt: skip
        assert [p.energy / ERG_S for p in pieces] == pytest.approx([1e37 * 0.09, 2e38 * 0.01])
        assert TABLE.power(0.3) == 0.0

    def test_what_is_to_come_has_not_happened(self):
        (_, second) = TABLE.pieces(0.105)
        assert second.youngest == 0.0
        assert second.energy / ERG_S == pytest.approx(2e38 * 0.005)
        assert TABLE.power(0.105) == pytest.approx(2e38 * ERG_S)
        assert TABLE.pieces(0.01) == ()
        assert TABLE.power(0.005) == 0.0

    def test_the_last_step_lasts(self):
        table = LuminosityTable(times=["0 yr"], luminosities=["1e38 erg/s"])
        assert table.pieces(2.0) == ConstantLuminosity(luminosity="1e38 erg/s").pieces(2.0)

    @given(st.floats(0.001, 1.0))
    def test_energy_is_the_integral_of_the_power(self, age):
        given_ = sum(p.energy for p in TABLE.pieces(age))
        steps = [(0.01, 0.1, 1e37), (0.1, 0.11, 2e38)]
        exact = sum(L * max(min(age, b) - a, 0.0) for a, b, L in steps) * ERG_S
        assert given_ == pytest.approx(exact, rel=1e-9, abs=1e-9 * ERG_S * 1e37)

    @pytest.mark.parametrize(
        ("times", "luminosities", "words"),
        [
            (["1 kyr"], ["1e38 erg/s", "0 erg/s"], "1 times need as many luminosities, found 2"),
            (["1 kyr", "1 kyr"], ["1e38 erg/s", "0 erg/s"], "times must increase"),
            (["-1 kyr"], ["1e38 erg/s"], "the first being at least 0"),
            (["1 kyr"], ["0 erg/s"], "nor all zero"),
            (["1 kyr", "2 kyr"], ["1e38 erg/s", "-1 erg/s"], "must not be negative"),
        ],
    )
    def test_refused(self, times, luminosities, words):
        with pytest.raises(ValidationError, match=words):
            LuminosityTable(times=times, luminosities=luminosities)

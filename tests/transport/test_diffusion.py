"""Diffusion laws: values, limits, breaks, and what their parameters may be."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from cyldiff.registry import lookup
from cyldiff.transport.diffusion import (
    BrokenPowerLawDiffusion,
    PowerLawDiffusion,
    SpatiallyDependentDiffusion,
)
from cyldiff.units import parse_quantity

HERE = np.array(8.5), np.array(0.0)
RIGIDITY = np.geomspace(0.1, 1e8, 91)
ONES = np.ones_like(RIGIDITY)


def at_sun(law, rigidity=RIGIDITY, beta=1.0):
    return law.coefficient(rigidity, np.asarray(beta), *HERE, axis="z") + np.zeros_like(rigidity)


def local_slope(law, rigidity):
    step = 1e-4
    ratio = at_sun(law, rigidity * (1 + step)) / at_sun(law, rigidity * (1 - step))
    return np.log(ratio) / np.log((1 + step) / (1 - step))


def test_power_law():
    law = PowerLawDiffusion(D0="3.2e28 cm^2/s", reference_rigidity="4 GV", delta=0.33, eta=1.0)
    D0 = 3.2e28 / 3.017152e29  # kpc^2/Myr
    assert at_sun(law, np.array([4.0]))[0] == pytest.approx(D0, rel=1e-6)
    np.testing.assert_allclose(at_sun(law), D0 * (RIGIDITY / 4.0) ** 0.33, rtol=1e-6)
    assert at_sun(law, np.array([4.0]), beta=0.5)[0] == pytest.approx(0.5 * D0, rel=1e-6)
    assert float(law.slope(*HERE)) == 0.33
    assert law.kinks(4.0) == ()
    assert law.symmetric


def test_residence_time_of_a_three_kiloparsec_halo():
    """D = 1.33e28 (H/kpc) (R/3 GV)^(1/3) cm^2/s of Blasi & Amato 2012: H^2/D = 646 kyr at 3.5 PV."""
    law = PowerLawDiffusion(D0="3.99e28 cm^2/s", reference_rigidity="3 GV", delta=1.0 / 3.0, eta=0.0)
    assert 1e3 * 3.0**2 / at_sun(law, np.array([3.5e6]))[0] == pytest.approx(646.0, rel=2e-3)


@pytest.mark.parametrize("smoothness", [0.0, 0.05, 0.3])
def test_slopes_on_both_sides_of_a_break(smoothness):
    law = BrokenPowerLawDiffusion(
        D0="4e28 cm^2/s",
        reference_rigidity="1 GV",
        delta=[0.5, 0.2],
        breaks=["300 GV"],
        smoothness=[smoothness],
        eta=0.0,
    )
    slope = local_slope(law, np.array([1e-2, 1e7]))
    np.testing.assert_allclose(slope, [0.5, 0.2], atol=1e-3)
    assert at_sun(law, np.array([1.0]))[0] == pytest.approx(
        parse_quantity("4e28 cm^2/s", "length²/time"), rel=1e-6
    )
    assert float(law.slope(*HERE)) == 0.5


def test_sharp_break_is_the_limit_of_a_smooth_one():
    laws = [
        BrokenPowerLawDiffusion(
            D0="4e28 cm^2/s",
            reference_rigidity="1 GV",
            delta=[0.5, 0.2, 0.4],
            breaks=["300 GV", "20 TV"],
            smoothness=[s, s],
            eta=0.0,
        )
        for s in (0.0, 0.002)
    ]
    far = np.array([10.0, 100.0, 1e3, 5e3, 1e6])
    np.testing.assert_allclose(at_sun(laws[1], far), at_sun(laws[0], far), rtol=1e-4)
    # by hand: 0.5 up to 300 GV, 0.2 up to 20 TV, 0.4 beyond
    expected = at_sun(laws[0], np.array([1.0]))[0] * 300.0**0.5 * (2e4 / 300.0) ** 0.2 * 50.0**0.4
    assert at_sun(laws[0], np.array([1e6]))[0] == pytest.approx(expected, rel=1e-12)


def test_one_smooth_break_is_the_form_of_evoli_2019():
    """D ~ R^d / [1 + (R/Rb)^(Dd/s)]^s, d = 0.565, Dd = 0.22, Rb = 290 GV, s = 0.1 (PRD 99, 103023)."""
    law = BrokenPowerLawDiffusion(
        D0="2.48e28 cm^2/s",
        reference_rigidity="1 GV",
        delta=[0.565, 0.345],
        breaks=["290 GV"],
        smoothness=[0.1 / 0.22],
        eta=1.0,
    )
    beta = RIGIDITY / np.sqrt(RIGIDITY**2 + 0.88)
    printed = beta * RIGIDITY**0.565 / (1.0 + (RIGIDITY / 290.0) ** (0.22 / 0.1)) ** 0.1
    D0 = parse_quantity("2.48e28 cm^2/s", "length²/time")
    np.testing.assert_allclose(at_sun(law, beta=beta), D0 * printed, rtol=1e-10)


def test_floor_is_added_everywhere():
    options = {
        "D0": "2.48e28 cm^2/s",
        "reference_rigidity": "1 GV",
        "delta": [0.565],
        "breaks": [],
        "smoothness": [],
        "eta": 1.0,
    }
    floor = parse_quantity("1e27 cm^2/s", "length²/time")
    with_floor = BrokenPowerLawDiffusion(**options, floor="1e27 cm^2/s")
    np.testing.assert_allclose(
        at_sun(with_floor) - at_sun(BrokenPowerLawDiffusion(**options)), floor, rtol=1e-6
    )


def two_zones(**changes):
    values = {
        "D0": "4e28 cm^2/s",
        "reference_rigidity": "4 GV",
        "delta0": 0.58,
        "eta": 0.05,
        "N_m": 0.62,
        "xi": 0.1,
        "n": 4,
        "z0": "5 kpc",
        "r_s": "8.5 kpc",
        "z_s": "0.2 kpc",
    }
    return SpatiallyDependentDiffusion(**(values | changes))


def test_two_zones_at_one_petavolt():
    """At the Sun slope 0.18 and D = 2.9 D0; in the halo 0.58 and 1350 D0, for D0 at 4 GV."""
    law = two_zones()
    D0 = law.D0
    pv = np.array([1e6])
    inner = law.coefficient(pv, np.array([1.0]), *HERE, axis="z")[0]
    outer = law.coefficient(pv, np.array([1.0]), np.array(8.5), np.array(2.0), axis="z")[0]
    assert inner / D0 == pytest.approx(2.9, rel=0.01)
    assert outer / D0 == pytest.approx(1350.0, rel=0.01)
    assert float(law.slope(*HERE)) == pytest.approx(0.58 * 0.31, rel=1e-12)
    assert float(law.slope(np.array(8.5), np.array(2.0))) == 0.58


def test_two_zones_in_space():
    law = two_zones()
    f = law.factor
    assert float(f(np.array(0.0), np.array(0.0))) == pytest.approx(0.62)
    assert float(f(np.array(8.5), np.array(0.0))) == pytest.approx(0.31)
    assert float(f(np.array(100.0), np.array(0.0))) == pytest.approx(0.62)
    z = np.linspace(-5.0, 5.0, 101)
    np.testing.assert_allclose(f(np.array(8.5), z), f(np.array(8.5), -z), rtol=1e-14)
    np.testing.assert_allclose(f(np.array(8.5), z[np.abs(z) >= 0.5]), 1.0, rtol=1e-14)
    # continuous at the edge of the inner zone
    assert float(f(np.array(8.5), np.array(0.5 - 1e-9))) == pytest.approx(1.0, abs=1e-7)
    assert law.kinks(5.0) == (0.5,)
    assert law.kinks(0.4) == ()
    assert law.symmetric


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"D0": "-4e28 cm^2/s"}, "greater than 0"),
        ({"D0": 4e28}, "unit"),
        ({"D0": "4e28 cm/s"}, "cm"),
        ({"delta": 2.5}, "less than 2"),
        ({"delta": "0.5"}, "number"),
        ({"eta": 7.0}, "less than or equal to 5"),
        ({"speed": 1.0}, "Extra inputs"),
    ],
)
def test_impossible_values_are_refused(changes, message):
    good = {"D0": "4e28 cm^2/s", "reference_rigidity": "4 GV", "delta": 0.5, "eta": 1.0}
    PowerLawDiffusion(**good)
    with pytest.raises(ValidationError, match=message):
        PowerLawDiffusion(**(good | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"delta": [0.5]}, "need 2 slopes"),
        ({"smoothness": []}, "need 1 values of smoothness"),
        ({"breaks": ["300 GV", "100 GV"], "delta": [0.5, 0.4, 0.3], "smoothness": [0.0, 0.0]}, "increasing"),
        ({"breaks": ["-3 GV"]}, "positive"),
    ],
)
def test_impossible_breaks_are_refused(changes, message):
    good = {
        "D0": "4e28 cm^2/s",
        "reference_rigidity": "4 GV",
        "delta": [0.5, 0.3],
        "breaks": ["300 GV"],
        "smoothness": [0.1],
        "eta": 1.0,
    }
    BrokenPowerLawDiffusion(**good)
    with pytest.raises(ValidationError, match=message):
        BrokenPowerLawDiffusion(**(good | changes))


def test_kinds():
    assert lookup("diffusion", "power-law") is PowerLawDiffusion
    assert lookup("diffusion", "broken-power-law") is BrokenPowerLawDiffusion
    assert lookup("diffusion", "spatially-dependent") is SpatiallyDependentDiffusion

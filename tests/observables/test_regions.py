"""Regions: solid angles, names, discs; averages against closed forms and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyldiff.errors import DataError
from cyldiff.galaxy.coordinates import unit_vector
from cyldiff.observables.regions import REGIONS, Disc, Region, average, read_discs, region_named


def test_lhaaso_regions():
    for name in ("lhaaso-inner", "lhaaso-outer"):
        assert REGIONS[name].solid_angle == pytest.approx(0.33465, abs=5e-6)
    assert REGIONS["all-sky"].solid_angle == pytest.approx(4 * np.pi, rel=1e-12)
    assert region_named("lhaaso-outer").longitude == (125.0, 235.0)


def test_limits():
    region = region_named("l=15..125,b=-5..5")
    assert (region.longitude, region.latitude) == ((15.0, 125.0), (-5.0, 5.0))
    assert region_named("b=-2.5..2.5").longitude == (-180.0, 180.0)
    assert region_named(" l = -30..30 , b=-1..+1").longitude == (-30.0, 30.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lhaaso-iner", 'did you mean "lhaaso-inner"'),
        ("l=15-125", "e.g."),
        ("l=15..125,l=3..4", "unknown"),
        ("l=125..15", "increasing range"),
        ("l=0..400", "at most 360"),
        ("b=-95..5", "within -90 to 90"),
        ("l=9..3,b=9..3", "b=9..3"),
        ("", "unknown"),
    ],
)
def test_limits_that_are_refused(text, words):
    with pytest.raises(DataError, match=words.replace("..", r"\.\.")):
        region_named(text)


def test_directions_inside():
    region = Region("r", (-30.0, 30.0), (-5.0, 5.0), (Disc(350.0, 0.0, 2.0),))
    inside = region.contains(
        [0.0, 355.0, -29.0, 331.0, 31.0, 350.0, -11.9, -7.9, 0.0], [0, 0, 0, 4, 0, 0, 0, 0, 6]
    )
    assert inside.tolist() == [True, True, True, True, False, False, False, True, False]


@settings(max_examples=12, deadline=None)
@given(st.floats(0.3, 4.0), st.floats(20.0, 120.0), st.floats(-0.9, 0.9))
def test_a_disc_covers_its_cap(radius, l, b):  # noqa: E741
    region = REGIONS["lhaaso-inner"].without((Disc(l, b, radius),))
    cap = 2 * np.pi * (1 - np.cos(np.radians(radius)))
    assert region.box_solid_angle - region.solid_angle == pytest.approx(cap, rel=2e-2)


def test_discs_may_overlap_and_leave_the_box():
    one = REGIONS["lhaaso-inner"].without((Disc(50.0, 0.0, 2.0),))
    twice = one.without((Disc(50.0, 0.0, 2.0), Disc(300.0, 0.0, 5.0)))
    assert twice.solid_angle == one.solid_angle
    half = REGIONS["lhaaso-inner"].without((Disc(15.0, 0.0, 2.0),))
    lost = [r.box_solid_angle - r.solid_angle for r in (one, half)]
    assert lost[1] == pytest.approx(0.5 * lost[0], rel=2e-2)


def bright(l, b):  # noqa: E741
    """A thin disc, brighter towards the centre."""
    plane = 1.0 / (1.0 + (b / 1.3) ** 2) * (2.0 + np.cos(np.radians(l)))
    return np.stack([plane, np.ones_like(plane)])


def test_average_of_a_known_function():
    mean = average(REGIONS["lhaaso-inner"], bright)
    b = np.radians(np.linspace(-5.0, 5.0, 200_001))
    in_b = np.trapezoid(np.cos(b) / (1.0 + (np.degrees(b) / 1.3) ** 2), b) / (2 * np.sin(np.radians(5.0)))
    l = np.radians([15.0, 125.0])  # noqa: E741
    in_l = 2.0 + (np.sin(l[1]) - np.sin(l[0])) / (l[1] - l[0])
    assert mean == pytest.approx([in_b * in_l, 1.0], rel=2e-4)


def test_average_with_discs():
    discs = (Disc(40.0, 0.3, 1.5), Disc(41.0, -0.6, 1.0), Disc(78.0, 1.0, 3.0), Disc(125.0, 0.0, 2.0))
    region = REGIONS["lhaaso-inner"].without(discs)
    l, b = np.meshgrid(15.0 + 0.02 * (np.arange(5500) + 0.5), -5.0 + 0.02 * (np.arange(500) + 0.5))  # noqa: E741
    inside = region.contains(l.ravel(), b.ravel())
    weight = np.cos(np.radians(b.ravel()[inside]))
    expected = (bright(l.ravel()[inside], b.ravel()[inside]) * weight).sum(axis=1) / weight.sum()
    assert average(region, bright) == pytest.approx(expected, rel=1e-3)
    assert average(region, bright)[0] < 0.99 * average(REGIONS["lhaaso-inner"], bright)[0]


def test_a_narrow_peak_is_found():
    def peak(l, b):  # noqa: E741
        away = np.degrees(np.arccos(np.clip(unit_vector(l, b) @ unit_vector(61.7, -1.2), -1.0, 1.0)))
        return np.exp(-0.5 * (away / 0.2) ** 2)

    region = Region("r", (50.0, 70.0), (-5.0, 5.0))
    expected = 2 * np.pi * np.radians(0.2) ** 2 / region.solid_angle
    assert average(region, peak) == pytest.approx(expected, rel=2e-3)


def test_nothing_left():
    with pytest.raises(DataError, match="nothing of it"):
        average(Region("r", (0.0, 1.0), (0.0, 1.0), (Disc(0.5, 0.5, 5.0),)), bright)


def test_discs_of_a_file(tmp_path):
    path = tmp_path / "discs.csv"
    path.write_text("# my sources\nname,l,b,radius\na,39.7,-2.2,0.5\nb,184.6,-5.8,1\n")
    assert read_discs(path) == (Disc(39.7, -2.2, 0.5), Disc(184.6, -5.8, 1.0))
    path.write_text("l,b,radius\n1,2,x\n1,95,1\n1,2,0\n")
    with pytest.raises(DataError, match=r"row 1 has no numbers; row 2: .*; row 3"):
        read_discs(path)
    path.write_text("lon,lat\n1,2\n")
    with pytest.raises(DataError, match="columns l, b, radius"):
        read_discs(path)
    with pytest.raises(DataError, match="no such file"):
        read_discs(tmp_path / "no.csv")

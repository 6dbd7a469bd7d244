"""The figure of the dipole: what is drawn, where, and in which range."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from cyldiff.data import default_dipoles, load_dipole
from cyldiff.errors import DataError
from cyldiff.observables.dipole import equatorial_projection
from cyldiff.plot.anisotropy import RANGE, draw_anisotropy, shown_parts, unwrapped

CENTRE = 266.405


def dipole(sizes=(1.0, 0.5), low=10.0, high=1e8):
    """Parts along (l, 0) at equal steps around the plane, growing with energy."""
    energy = np.geomspace(low, high, 60)
    longitude = np.arange(len(sizes)) * 40.0
    direction = np.stack(
        [np.cos(np.radians(longitude)), np.sin(np.radians(longitude)), 0.0 * longitude], axis=1
    )
    parts = (
        1e-3 * np.array(sizes)[:, None, None] * ((energy / 1e5) ** 0.3)[None, :, None] * direction[:, None]
    )
    names = [f"part {i}" for i in range(len(sizes))]
    data = {}
    for ending, dims, vector in (("", ("energy",), parts.sum(axis=0)), ("_part", ("part", "energy"), parts)):
        amplitude, phase, _ = equatorial_projection(vector)
        data |= {
            f"vector{ending}": ((*dims, "direction"), vector),
            f"amplitude{ending}": (dims, amplitude),
            f"phase{ending}": (dims, phase),
        }
    attrs = {"units": "GeV", "long_name": "total energy of the particle"}
    return xr.Dataset(data, {"energy": ("energy", energy, attrs), "part": names}, {"mixture": "all"})


@pytest.fixture(scope="module")
def figure(tmp_path_factory):
    path = tmp_path_factory.mktemp("figure") / "a.png"
    drawn = draw_anisotropy(dipole(), path=path, data=default_dipoles())
    assert path.stat().st_size > 10_000
    return drawn


def test_both_panels(figure):
    above, below = figure.axes
    assert above.get_xlim() == below.get_xlim() == RANGE == (1e2, 1e7)
    assert above.get_xscale() == above.get_yscale() == "log"
    low, high = above.get_ylim()
    assert low <= 5e-5
    assert high >= 1e-2
    assert below.get_ylim() == (-180.0, 180.0)
    assert [t.get_text() for t in above.get_legend().get_texts()] == ["model, all nuclei", "part 0", "part 1"]


def test_ticks_are_right_ascensions(figure):
    below = figure.axes[1]
    text = below.yaxis.get_major_formatter()
    assert [text(v, 0) for v in (-180.0, -120.0, -60.0, 0.0, 60.0)] == ["180", "240", "300", "0", "60"]


def test_lines_of_the_centre_and_the_anticentre(figure):
    flat = sorted(line.get_ydata()[0] for line in figure.axes[1].lines if line.get_linestyle() == ":")
    np.testing.assert_allclose(flat, [CENTRE - 360.0, CENTRE - 180.0])


def test_every_point_in_the_range_is_drawn(figure):
    points = [m for m in default_dipoles() if np.any((m.energy >= 1e2) & (m.energy <= 1e7))]
    expected = sum(int(np.sum((m.energy >= 1e2) & (m.energy <= 1e7))) for m in points)
    above, below = figure.axes
    drawn = sum(len(container[0].get_xdata()) for container in above.containers)
    assert drawn == expected > 50
    inside = [v for c in below.containers for v in c[0].get_ydata() if -180.0 <= v < 180.0]
    assert len(inside) == expected
    legend = figure.legends[0]
    assert {t.get_text() for t in legend.get_texts()} == {m.experiment for m in points}


def test_superseded_sets_only_on_request(tmp_path):
    figure = draw_anisotropy(dipole(), path=tmp_path / "a.pdf", data=[load_dipole("icecube-dipole-2012")])
    assert sum(len(c[0].get_xdata()) for c in figure.axes[0].containers) == 2


def test_bars_stay_above_zero_on_the_logarithmic_axis(figure):
    """A lower error that is larger than the value, or lost, goes down to the frame and no further."""
    for container in figure.axes[0].containers:
        for segment in container[2][0].get_segments():
            assert np.all(np.asarray(segment)[:, 1] > 0.0)


def test_another_range_and_no_data(tmp_path):
    figure = draw_anisotropy(dipole(), path=tmp_path / "a.svg", shown=(1e3, 1e8))
    assert figure.axes[0].get_xlim() == (1e3, 1e8)
    assert not figure.legends


def test_a_small_dipole_is_not_cut_off(tmp_path):
    figure = draw_anisotropy(dipole(sizes=(1e-2, 0.0)), path=tmp_path / "a.svg")
    line = figure.axes[0].lines[0]
    assert np.nanmin(line.get_ydata()[line.get_xdata() >= 1e2]) > figure.axes[0].get_ylim()[0]


def test_many_parts_are_added_up():
    """Five with a curve, the rest as one vector sum: everything adds up to the whole."""
    sizes = (1.0, 0.01, 0.5, 0.02, 0.3, 0.4, 0.2, 0.03)
    made = dipole(sizes=sizes)
    curves = shown_parts(made, RANGE)
    assert list(curves) == ["part 0", "part 2", "part 4", "part 5", "part 6", "3 others"]
    total = sum(a * np.exp(1j * np.radians(np.nan_to_num(p))) for a, p in curves.values())
    np.testing.assert_allclose(np.abs(total), made["amplitude"], rtol=1e-9)
    assert shown_parts(dipole(sizes=(1.0,)), RANGE) == {}


@given(st.lists(st.floats(0.0, 359.99), min_size=2, max_size=20))
def test_unwrapped(phase):
    """Right ascensions between -180 and 180, no line across the cut, no value changed by other than 360."""
    turned = unwrapped(np.array(phase))
    kept = np.isfinite(turned)
    assert np.all((turned[kept] >= -180.0) & (turned[kept] < 180.0))
    np.testing.assert_allclose((turned - phase)[kept] % 360.0 % 359.999999999, 0.0, atol=1e-6)
    assert np.all(np.abs(np.diff(turned)[np.isfinite(np.diff(turned))]) <= 180.0)


@pytest.mark.parametrize(
    ("name", "words"), [("a.jpg", 'format "jpg" unknown'), ("no/a.png", "does not exist")]
)
def test_paths(tmp_path, name, words):
    with pytest.raises(DataError, match=words):
        draw_anisotropy(dipole(), path=tmp_path / name)

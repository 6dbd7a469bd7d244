"""Random places of source distributions: the law they are drawn from, and the probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from cyldiff import kinds as _kinds  # noqa: F401 - registers all kinds
from cyldiff.errors import GridError
from cyldiff.galaxy.source_distribution import SourceDistribution
from cyldiff.galaxy.source_places import SourcePlaces
from cyldiff.grid import Grid
from cyldiff.registry import kinds, lookup

SUN = np.array([-8.5, 0.0, 0.0])
DISCS = sorted(
    k
    for k, law in kinds("source-distribution").items()
    if issubclass(law, SourceDistribution) and k != "power-exponential"
)


def law(kind, **keys):
    keys = {"vertical": "uniform", "scale_height": "0.2 kpc", **keys}
    return lookup("source-distribution", kind)(**keys)


def places(kind="yusifov-kucuk-2004", radius=20.0, half_height=3.0, **keys):
    return SourcePlaces.of(law(kind, **keys), observer_radius=8.5, radius=radius, half_height=half_height)


@pytest.mark.parametrize("kind", DISCS)
def test_radii_are_those_of_the_surface_density(kind):
    """p(r) dr ~ r q(r) dr: Kolmogorov-Smirnov against the integral of the law."""
    drawn = places(kind).draw(np.random.default_rng(3), 20_000)
    chosen = law(kind)
    r = np.linspace(0.0, 20.0, 4001)[1:]
    weight = r * chosen.radial(r, 8.5)
    share = np.concatenate([[0.0], np.cumsum(0.5 * (weight[1:] + weight[:-1]) * np.diff(r))])
    exact = lambda x: np.interp(x, r, share / share[-1])  # noqa: E731
    assert stats.kstest(np.hypot(drawn[:, 0], drawn[:, 1]), exact).pvalue > 1e-3
    phi = np.arctan2(drawn[:, 1], drawn[:, 0])
    assert stats.kstest(phi, stats.uniform(-np.pi, 2.0 * np.pi).cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("keys", "exact"),
    [
        ({"vertical": "uniform", "scale_height": "0.2 kpc"}, stats.uniform(-0.2, 0.4)),
        ({"vertical": "uniform", "scale_height": "5 kpc"}, stats.uniform(-3.0, 6.0)),
        ({"vertical": "exponential", "scale_height": "0.2 kpc"}, stats.laplace(scale=0.2)),
        ({"vertical": "gaussian", "scale_height": "0.2 kpc"}, stats.norm(scale=0.2 / np.sqrt(2.0))),
    ],
)
def test_heights(keys, exact):
    found = places(**keys)
    z = found.draw(np.random.default_rng(5), 20_000)[:, 2]
    assert stats.kstest(z, exact.cdf).pvalue > 1e-3
    at = np.array([-0.3, -0.05, 0.0, 0.1, 0.25])
    np.testing.assert_allclose(found.below(at), exact.cdf(at), atol=1e-6)
    u = np.array([0.001, 0.2, 0.5, 0.9])
    np.testing.assert_allclose(found.below(found.height(u)), u, atol=1e-12)


def test_the_halo_cuts_the_distribution():
    """As on the grid: what would be outside is nowhere, and the rest has a probability of one."""
    found = places("uniform", radius=10.0, half_height=0.5, vertical="exponential", scale_height="0.4 kpc")
    drawn = found.draw(np.random.default_rng(7), 20_000)
    assert np.hypot(drawn[:, 0], drawn[:, 1]).max() < 10.0
    assert np.abs(drawn[:, 2]).max() < 0.5
    assert found.share_within(np.zeros(3), 100.0) == pytest.approx(1.0, rel=1e-3)
    cut = lambda z: np.exp(-z / 0.4)  # noqa: E731
    part = quad(cut, 0.0, 0.2)[0] / quad(cut, 0.0, 0.5)[0]
    assert found.below(0.2) == pytest.approx(0.5 + 0.5 * part, rel=1e-10)


def test_plane():
    found = places(vertical="plane", scale_height=None)
    assert not found.draw(np.random.default_rng(1), 100)[:, 2].any()
    assert found.share_within(SUN, 3.0) > 0.0


@pytest.mark.parametrize(
    ("kind", "keys", "percent"),
    [
        ("case-bhattacharya-1996", {}, 1.6),
        ("case-bhattacharya-1998", {}, 1.6),
        ("lorimer-2006", {}, 1.6),
        ("yusifov-kucuk-2004", {}, 1.7),
        ("yue-2025-snr", {}, 1.9),
        ("green-2015", {}, 2.2),
        ("uniform", {"maximum_radius": "15 kpc"}, 2.8),
        ("power-exponential", {"a": 4.0, "b": 6.8, "R1": "0 kpc"}, 0.7),
        ("faucher-giguere-kaspi-2006", {}, 0.1),
        ("yue-2025-xrb", {}, 7.0),
    ],
)
def test_probability_of_no_young_source_nearby(kind, keys, percent):
    """P0 = exp(-50 f), f the part of the births within 4 kpc of the Sun: the numbers of physics.md 8.3."""
    found = 100.0 * np.exp(-50.0 * places(kind, **keys).share_within(SUN, 4.0))
    assert found == pytest.approx(percent, abs=max(0.1 * percent, 0.05))


def test_share_within_counts_places():
    found = places()
    drawn = found.draw(np.random.default_rng(11), 400_000)
    for place, distance in ((SUN, 4.0), (np.array([0.0, 8.5, 1.0]), 2.0), (np.array([2.0, 0.0, 0.1]), 0.3)):
        inside = np.mean(np.sum((drawn - place) ** 2, axis=1) < distance**2)
        exact = found.share_within(place, distance)
        assert inside == pytest.approx(exact, abs=4.0 * np.sqrt(exact / len(drawn)))


def test_surface_density_has_an_integral_of_one():
    x = np.linspace(-20.0, 20.0, 1601)
    density = places().surface_density(x[:, None], x[None, :])
    assert density.sum() * (x[1] - x[0]) ** 2 == pytest.approx(1.0, rel=1e-4)


def test_arms_as_on_the_grid():
    """Places gathered into arms follow the cell averages of the 3-D grid, cell by cell."""
    arms = lookup("source-distribution", "spiral-arms")(
        axisymmetric=law("yusifov-kucuk-2004"),
        pattern="faucher-giguere-kaspi-2006", width="0.6 kpc", arm_fraction=0.8,
    )  # fmt: skip
    found = SourcePlaces.of(arms, observer_radius=8.5, radius=20.0, half_height=3.0)
    grid = Grid.build(
        kinetic_energy=np.array([1.0, 10.0]), radius=20.0, half_height=3.0, n_r=10, n_z=5, n_phi=24,
        half_space=False,
    )  # fmt: skip
    expected = (arms.on_grid(grid, 8.5) * grid.volume).sum(axis=2)
    number = 200_000
    drawn = found.draw(np.random.default_rng(13), number)
    i = np.searchsorted(grid.r.faces, np.hypot(drawn[:, 0], drawn[:, 1])) - 1
    turned = np.arctan2(drawn[:, 1], drawn[:, 0]) - grid.phi.faces[0]
    j = np.floor((turned % (2.0 * np.pi)) / (2.0 * np.pi) * 24).astype(int)
    counted = np.zeros((10, 24))
    np.add.at(counted, (i, j), 1.0)
    use = expected * number > 20.0
    chi2 = np.sum((counted - expected * number)[use] ** 2 / (expected * number)[use])
    assert stats.chi2(use.sum() - 1).sf(chi2) > 1e-3
    # and they are not the axisymmetric law
    flat = expected.mean(axis=1, keepdims=True) * number + 0.0 * expected
    assert np.sum((counted - flat)[use] ** 2 / flat[use]) > 10.0 * use.sum()


def test_a_point_is_no_population():
    point = lookup("source-distribution", "point")(x="1 kpc", y="0 kpc", z="0 kpc")
    with pytest.raises(GridError, match="one place"):
        SourcePlaces.of(point, observer_radius=8.5, radius=20.0, half_height=3.0)


def test_no_sources_at_all_or_all_at_the_centre():
    with pytest.raises(GridError, match="zero or not finite"):
        places("power-exponential", a=1.0, b=1e5, R1="0 kpc", radius=30.0)
    with pytest.raises(GridError, match="too steeply"):
        places("power-exponential", a=-3.0, b=0.0, R1="0 kpc")
